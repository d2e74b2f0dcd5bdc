/*
 * The intents whose outcome is unknown and which no person has settled yet: a
 * settlement record names the intent and says what became of it. Bounded; what
 * there is no room for stays in the log, and its lowest sequence is known.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_UNSETTLED_H
#define TRIZONE_EXECUTOR_AUDIT_UNSETTLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

#define UNSETTLED_MAX 1000	 /* that become cards */
#define UNSETTLED_READ_MAX 65536 /* that a reader of the log looks for */

struct unsettled_row {
	uint64_t intent;  /* its sequence; first, for sorted_find */
	uint64_t outcome; /* of its outcome: sequence or place, as was given */
	bool told;
};

/* With `most` set and all else zero it is an empty one. */
struct unsettled {
	struct unsettled_row *rows; /* ascending by intent */
	size_t count, room, most;
	size_t untold;
	uint64_t beyond; /* the lowest there was no room for; 0: none */
};

void unsettled_add(struct unsettled *set, uint64_t intent, uint64_t outcome);
bool unsettled_has(const struct unsettled *set, uint64_t intent);

/* One that is not there is passed over. */
void unsettled_remove(struct unsettled *set, uint64_t intent);

/* Do what `line` (as record_check accepts it) says; `outcome` is kept if it is
 * an unknown one. */
void unsettled_follow(
    struct unsettled *set, struct span line, uint64_t outcome);

/* From now on no more than `most` rows: those with the lowest intents stay. */
void unsettled_trim(struct unsettled *set, size_t most);

/* The lowest intent that is not settled, whether there was room for it or not;
 * 0: none. */
uint64_t unsettled_first(const struct unsettled *set);

void unsettled_done(struct unsettled *set);

#endif
