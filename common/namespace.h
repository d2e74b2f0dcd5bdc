/*
 * Namespaces and a root directory of one's own. Linux; on macOS there are
 * none, and each function says so.
 */
#ifndef TRIZONE_COMMON_NAMESPACE_H
#define TRIZONE_COMMON_NAMESPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/lock.h"

/* Leave the namespaces of `wanted` (enum lock_namespace) for new ones, as root
 * or by way of a user namespace in which we stay the user we are. *own_out
 * gets those that are ours afterwards, as the kernel says. All or nothing: 0,
 * or -ERR_UNAVAILABLE with the reason. LOCK_PID holds for children only. */
int namespace_leave(
    uint32_t wanted, uint32_t *own_out, char *reason, size_t room);

/* Needs LOCK_MOUNT of its own. Make a root directory of which `paths` are all
 * there is, each at its own place, without devices, programs and set-user-id;
 * only those that `write` can be written. What was mounted before is gone from
 * sight, /proc included. 0, or -ERR_UNAVAILABLE with the reason; then nothing
 * can be relied on, except that nothing was gained. */
int namespace_root(
    const struct lock_path *paths, size_t count, char *reason, size_t room);

#endif
