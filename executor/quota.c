/*
 * Sliding hour in one-minute slots.
 */
#include "executor/quota.h"

#include <string.h>

static uint32_t *
slot(struct quota *quota, int64_t minute)
{
	return &quota->used[minute % QUOTA_MINUTES];
}

/* Drop the slots that fell out of the hour. */
static void
move_to(struct quota *quota, int64_t now_ms)
{
	int64_t minute = now_ms / 60000;

	if (minute - quota->minute >= QUOTA_MINUTES) {
		memset(quota->used, 0, sizeof quota->used);
		quota->total = 0;
		quota->minute = minute;
	}
	while (quota->minute < minute) {
		quota->minute++;
		quota->total -= *slot(quota, quota->minute);
		*slot(quota, quota->minute) = 0;
	}
}

uint32_t
quota_used(struct quota *quota, int64_t now_ms)
{
	move_to(quota, now_ms);
	return quota->total;
}

void
quota_charge(struct quota *quota, int64_t now_ms)
{
	move_to(quota, now_ms);
	++*slot(quota, quota->minute);
	quota->total++;
}

void
quota_refund(struct quota *quota, int64_t now_ms)
{
	move_to(quota, now_ms);
	for (int64_t back = 0; back < QUOTA_MINUTES; back++) {
		uint32_t *used =
		    slot(quota, quota->minute + QUOTA_MINUTES - back);

		if (*used == 0)
			continue;
		--*used;
		quota->total--;
		return;
	}
}
