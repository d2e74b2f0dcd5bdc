/*
 * Limits of a group of processes (Linux, cgroup v2), where somebody has
 * delegated a group to us: systemd with Delegate=, or whoever made the folder
 * ours.
 */
#ifndef TRIZONE_COMMON_CGROUP_H
#define TRIZONE_COMMON_CGROUP_H

#include <stddef.h>
#include <stdint.h>

#include "common/lock.h"

enum cgroup_limit {
	CGROUP_MEMORY = 1, /* memory.max, and memory.swap.max 0 */
	CGROUP_PIDS = 2,   /* pids.max */
	CGROUP_CPU = 4	   /* cpu.max */
};

/* Make the group we are in one that can have others below it: we move into
 * its child "trizone-main", and its controllers are passed on. Writes its
 * folder to `folder_out`. 0, or -ERR_UNAVAILABLE with the reason; then we are
 * where we were. */
int cgroup_base(
    char *folder_out, size_t folder_room, char *reason, size_t room);

/* Move into the group trizone-`name` below `base`, made if need be, with
 * `limits` in force, read back. *limits_out gets which (enum cgroup_limit). 0,
 * or -ERR_UNAVAILABLE with the reason; then we are where we were. */
int cgroup_join(const char *base, const char *name,
    const struct lock_limits *limits, uint32_t *limits_out, char *reason,
    size_t room);

/* Remove groups of ours below `base` that nobody is in. */
void cgroup_sweep(const char *base);

#endif
