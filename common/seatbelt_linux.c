/*
 * There is no Seatbelt on Linux.
 */
#include "common/err.h"
#include "common/seatbelt.h"

int
seatbelt_apply(const struct lock_profile *profile,
    const struct lock_path *paths, size_t count, char *reason, size_t room)
{
	(void)profile;
	(void)paths;
	(void)count;
	(void)reason;
	(void)room;
	return -ERR_UNAVAILABLE;
}
