/*
 * How each process of the executor is locked in: a row for each role.
 */
#ifndef TRIZONE_EXECUTOR_PROFILE_H
#define TRIZONE_EXECUTOR_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/lock.h"
#include "common/text.h"

/* "parent" (without a firewall), "broker", "auditor", a courier by its kind:
 * "file", "notify"; "resolver", and "blocked", who listens for blocked packets.
 * NULL if there is none of that name. */
const struct lock_profile *profile_find(struct span name);

/* The parent's. With a firewall it fills the kernel's sets, and what it starts
 * may have sockets. */
const struct lock_profile *profile_parent(bool firewall);

/* All of them. */
const struct lock_profile *profile_all(size_t *count_out);

#endif
