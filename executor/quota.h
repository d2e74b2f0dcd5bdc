/*
 * Calls of one capability in the last hour, by minutes of a monotonic clock.
 * The broker counts to decide, the courier counts to hold its own ceiling.
 * Pure: the clock is the caller's.
 */
#ifndef TRIZONE_EXECUTOR_QUOTA_H
#define TRIZONE_EXECUTOR_QUOTA_H

#include <stdint.h>

#define QUOTA_MINUTES 60

struct quota {
	uint32_t used[QUOTA_MINUTES];
	int64_t minute; /* of the newest slot */
	uint32_t total;
};

/* Calls in the hour before `now_ms`. */
uint32_t quota_used(struct quota *quota, int64_t now_ms);

/* Count one call; give one back that did not take place. */
void quota_charge(struct quota *quota, int64_t now_ms);
void quota_refund(struct quota *quota, int64_t now_ms);

#endif
