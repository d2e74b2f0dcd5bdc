/*
 * The intents that have no outcome yet. Their number is bounded: the auditor
 * takes no further intent while the set is full, so that any log it wrote can
 * be read again with the same memory.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_INTENTS_H
#define TRIZONE_EXECUTOR_AUDIT_INTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

#define INTENTS_MAX 4096 /* orders in flight; 64 KiB of rows */

struct intent_row {
	uint64_t seq;	 /* first, for sorted_find */
	uint64_t offset; /* of its line in the log */
};

struct intents {
	size_t count;
	struct intent_row rows[INTENTS_MAX]; /* ascending by sequence */
};

/* Add an intent; its sequence is higher than all before. -ERR_BUSY: full. */
int intents_add(struct intents *intents, uint64_t seq, uint64_t offset);

bool intents_has(const struct intents *intents, uint64_t seq);

/* Forget one that got its outcome; one that is not there is passed over. */
void intents_remove(struct intents *intents, uint64_t seq);

/* Do what `line` (as record_check accepts it) says: add an intent, remove the
 * one an outcome names. -ERR_BUSY: full. */
int intents_follow(struct intents *intents, struct span line, uint64_t offset);

#endif
