/*
 * macOS has no groups of processes with limits.
 */
#include "common/cgroup.h"

#include <stdio.h>

#include "common/err.h"

static int
none(char *reason, size_t room)
{
	(void)snprintf(reason, room, "this system has no cgroups");
	return -ERR_UNAVAILABLE;
}

int
cgroup_base(char *folder_out, size_t folder_room, char *reason, size_t room)
{
	(void)folder_out;
	(void)folder_room;
	return none(reason, room);
}

int
cgroup_join(const char *base, const char *name,
    const struct lock_limits *limits, uint32_t *limits_out, char *reason,
    size_t room)
{
	(void)base;
	(void)name;
	(void)limits;
	*limits_out = 0;
	return none(reason, room);
}

void
cgroup_sweep(const char *base)
{
	(void)base;
}
