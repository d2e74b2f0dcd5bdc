/*
 * How much of each limit was taken within its window, by whom it counts for.
 * In the broker's memory, in slots of a monotonic clock, so that setting the
 * host's clock changes nothing. What is kept for money beside it is in the
 * inbox. Bounded: a limit counts for COUNTER_KEYS at once; of one more, all is
 * taken. Pure: the clock is the caller's.
 */
#ifndef TRIZONE_EXECUTOR_COUNTER_H
#define TRIZONE_EXECUTOR_COUNTER_H

#include "executor/limit.h"

#define COUNTER_KEYS 256u
/* Of a window, and one more, as the oldest and the newest are in parts: what
 * counts, counts for the whole window and at most a sixtieth longer. */
#define COUNTER_SLOTS 61

struct counters;

/* Free with counters_free (NULL is fine). */
struct counters *counters_new(void);
void counters_free(struct counters *counters);

/* From now on for this policy. What is taken of a limit stays where its id,
 * what it counts and for whom are the same; with another window, what was taken
 * within that, as far back as the old one reached. True: a limit of money is
 * new or has another window and is empty, so that what the inbox has of it has
 * to be restored before the next call. */
bool counters_adopt(
    struct counters *counters, const struct policy *policy, int64_t now_ms);

/* Taken of each limit by those a call counts for, the most of them:
 * policy_limit_count values. Of a limit that does not name it, 0. */
void counters_read(struct counters *counters, const struct policy *policy,
    uint32_t capability, const struct count_keys *keys, int64_t now_ms,
    uint64_t *used_out);

/* What a call has taken, to give it back. */
struct charge {
	struct count_keys keys;
	struct amounts amounts;
	uint32_t capability;
	int64_t at_ms;
	int64_t spent; /* the first of its rows in the inbox, 0: none */
	uint32_t spent_rows;
	uint64_t adopted; /* by which policy it was counted */
};

/* False: there is no room to count all of it; what was counted stays. */
bool counters_take(struct counters *counters, const struct policy *policy,
    struct charge *charge);
/* Nothing of a charge from before the last counters_adopt: which limits it has
 * counted for cannot be told any more, and others' calls stay counted. */
void counters_give_back(struct counters *counters, const struct policy *policy,
    const struct charge *charge, int64_t now_ms);

/* Money of a limit, of a key, of some time ago; only into a limit that is new
 * since the last counters_adopt. */
void counters_restore(struct counters *counters, struct span limit,
    const unsigned char key[COUNT_KEY_BYTES], uint64_t amount, int64_t age_ms,
    int64_t now_ms);

/* The keys a limit counts a call for; how many. */
size_t limit_keys(const struct limit *limit, const struct count_keys *keys,
    const unsigned char (**keys_out)[COUNT_KEY_BYTES]);

#endif
