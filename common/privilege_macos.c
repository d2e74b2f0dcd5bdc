/*
 * macOS has no capabilities: the user id is all there is.
 */
#include "common/privilege.h"

uint64_t
privilege_parent(void)
{
	return 0;
}

uint64_t
privilege_rules(void)
{
	return 0;
}

uint64_t
privilege_keeper(void)
{
	return 0;
}

int
privilege_bound(uint64_t keep)
{
	(void)keep;
	return 0;
}

int
privilege_keep(uint64_t keep)
{
	(void)keep;
	return 0;
}

void
privilege_read(uint64_t *have_out, uint64_t *bounding_out)
{
	*have_out = 0;
	*bounding_out = 0;
}
