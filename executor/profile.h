/*
 * How each process of the executor is locked in: a row for each role.
 */
#ifndef TRIZONE_EXECUTOR_PROFILE_H
#define TRIZONE_EXECUTOR_PROFILE_H

#include <stddef.h>

#include "common/lock.h"
#include "common/text.h"

/* "parent", "broker", "auditor", and a courier by its kind: "file", "notify".
 * NULL if there is none of that name. */
const struct lock_profile *profile_find(struct span name);

/* All of them. */
const struct lock_profile *profile_all(size_t *count_out);

#endif
