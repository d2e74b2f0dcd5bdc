/*
 * macOS has no Landlock.
 */
#include "common/err.h"
#include "common/landlock.h"

int
landlock_restrict(
    const struct lock_path *paths, size_t count, uint32_t *abi_out)
{
	(void)paths;
	(void)count;
	(void)abi_out;
	return -ERR_UNAVAILABLE;
}
