/*
 * How the planner is locked in: no network, no files, no other process; one
 * channel.
 */
#ifndef TRIZONE_PLANNER_PROFILE_H
#define TRIZONE_PLANNER_PROFILE_H

#include "common/lock.h"

extern const struct lock_profile planner_profile;

#endif
