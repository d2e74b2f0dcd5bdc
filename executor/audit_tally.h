/*
 * Counts by text, bounded: what an attacker chooses texts for cannot fill the
 * memory of who reads it.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_TALLY_H
#define TRIZONE_EXECUTOR_AUDIT_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

#define TALLY_ROWS_MAX 1000 /* texts; what comes later counts as `others` */

struct tally_row {
	char *text; /* NUL-terminated */
	uint64_t hash, count;
};

/* All zero is an empty one. */
struct tally {
	struct tally_row *rows;
	size_t used, room;
	uint64_t total, others;
};

void tally_add(struct tally *tally, struct span text, uint64_t count);
void tally_sort(struct tally *tally); /* most first, then by text */
void tally_free(struct tally *tally);

#endif
