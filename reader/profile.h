/*
 * How the reader's processes are locked in.
 */
#ifndef TRIZONE_READER_PROFILE_H
#define TRIZONE_READER_PROFILE_H

#include "common/lock.h"

/* The zone: one channel, and a worker for each item. */
extern const struct lock_profile reader_profile;

/* The filter: one item of standard input, by one worker. */
extern const struct lock_profile filter_profile;

/* A worker: it has one descriptor to write its results to. What it may is
 * less than what the process that forks it may. */
extern const struct lock_profile worker_profile;

#endif
