/*
 * Set of unknown outcomes that nobody has settled: a sorted array. Runs in the
 * auditor and in whatever reads a log.
 */
#include "executor/audit_unsettled.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/sorted.h"
#include "executor/record.h"

#define FIRST_ROWS 16

/* Index of the first row whose intent is not below `intent`. */
static size_t
find(const struct unsettled *set, uint64_t intent)
{
	return sorted_find(set->rows, set->count, sizeof set->rows[0], intent);
}

bool
unsettled_has(const struct unsettled *set, uint64_t intent)
{
	size_t at = find(set, intent);

	return at < set->count && set->rows[at].intent == intent;
}

static void
make_room(struct unsettled *set)
{
	if (set->count < set->room)
		return;
	set->room = set->room == 0 ? FIRST_ROWS : 2 * set->room;
	set->rows = alloc_resize(set->rows, set->room, sizeof *set->rows);
}

void
unsettled_add(struct unsettled *set, uint64_t intent, uint64_t outcome)
{
	size_t at = find(set, intent);

	if (unsettled_has(set, intent))
		return;
	if (set->count >= set->most) {
		if (set->beyond == 0 || intent < set->beyond)
			set->beyond = intent;
		return;
	}
	make_room(set);
	memmove(&set->rows[at + 1], &set->rows[at],
	    (set->count - at) * sizeof set->rows[0]);
	set->rows[at] =
	    (struct unsettled_row){.intent = intent, .outcome = outcome};
	set->count++;
	set->untold++;
}

void
unsettled_remove(struct unsettled *set, uint64_t intent)
{
	size_t at = find(set, intent);

	if (!unsettled_has(set, intent))
		return;
	set->untold -= !set->rows[at].told;
	set->count--;
	memmove(&set->rows[at], &set->rows[at + 1],
	    (set->count - at) * sizeof set->rows[0]);
}

void
unsettled_follow(struct unsettled *set, struct span line, uint64_t outcome)
{
	if (record_is_unknown(line))
		unsettled_add(set, record_intent(line), outcome);
	else
		unsettled_remove(set, record_settles(line));
}

void
unsettled_trim(struct unsettled *set, size_t most)
{
	set->most = most;
	if (set->count <= most)
		return;
	if (set->beyond == 0 || set->rows[most].intent < set->beyond)
		set->beyond = set->rows[most].intent;
	for (size_t i = most; i < set->count; i++)
		set->untold -= !set->rows[i].told;
	set->count = most;
}

uint64_t
unsettled_first(const struct unsettled *set)
{
	uint64_t first = set->count == 0 ? 0 : set->rows[0].intent;

	return set->beyond != 0 && (first == 0 || set->beyond < first)
		   ? set->beyond
		   : first;
}

void
unsettled_done(struct unsettled *set)
{
	free(set->rows);
	*set = (struct unsettled){.most = set->most};
}
