/*
 * Counts by text, bounded: what an attacker chooses texts for cannot fill the
 * memory of who reads it.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_TALLY_H
#define TRIZONE_EXECUTOR_AUDIT_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "common/text.h"
#include "executor/record.h"

#define TALLY_ROWS_MAX 1000 /* texts; what comes later counts as `others` */

struct tally_row {
	char *text; /* NUL-terminated */
	uint64_t hash, count;
	size_t number;			   /* as they came, from 0 */
	char first[RECORD_TIME_BYTES + 1]; /* when it came, or empty */
};

/* All zero is an empty one. */
struct tally {
	struct tally_row *rows;
	size_t used, room;
	uint64_t total, others;
};

/* `time` is that of a record, or empty. */
void tally_add(
    struct tally *tally, struct span text, uint64_t count, struct span time);
void tally_sort(struct tally *tally);	   /* most first, then as they came */
void tally_sort_time(struct tally *tally); /* by first time, without one last */
void tally_free(struct tally *tally);

#endif
