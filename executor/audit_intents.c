/*
 * Set of intents without outcome: a sorted array, since sequences only grow.
 * Runs in the auditor and in `audit show`.
 */
#include "executor/audit_intents.h"

#include <string.h>

#include "common/err.h"
#include "common/sorted.h"
#include "executor/record.h"

int
intents_add(struct intents *intents, uint64_t seq, uint64_t offset)
{
	if (intents->count == INTENTS_MAX)
		return -ERR_BUSY;
	intents->rows[intents->count++] = (struct intent_row){seq, offset};
	return 0;
}

/* Index of the first row whose sequence is not below `seq`. */
static size_t
find(const struct intents *intents, uint64_t seq)
{
	return sorted_find(
	    intents->rows, intents->count, sizeof intents->rows[0], seq);
}

bool
intents_has(const struct intents *intents, uint64_t seq)
{
	size_t at = find(intents, seq);

	return at < intents->count && intents->rows[at].seq == seq;
}

void
intents_remove(struct intents *intents, uint64_t seq)
{
	size_t at = find(intents, seq);

	if (!intents_has(intents, seq))
		return;
	intents->count--;
	memmove(&intents->rows[at], &intents->rows[at + 1],
	    (intents->count - at) * sizeof intents->rows[0]);
}

int
intents_follow(struct intents *intents, struct span line, uint64_t offset)
{
	if (record_is(line, RECORD_INTENT))
		return intents_add(intents, record_seq(line), offset);
	intents_remove(intents, record_intent(line));
	return 0;
}
