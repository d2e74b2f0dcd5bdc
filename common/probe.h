/*
 * Trying what must fail, in a child under the same locks.
 */
#ifndef TRIZONE_COMMON_PROBE_H
#define TRIZONE_COMMON_PROBE_H

#include <stdint.h>

#include "common/lock.h"

/* Returns how many ways out were tried; each was refused (EPERM, EACCES, a
 * read-only file system, SIGSYS). One that went through ends the process. 0
 * where there is nothing to try. */
uint32_t probe_run(const struct lock_profile *profile);

#endif
