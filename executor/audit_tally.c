/*
 * Counts by text. Pure.
 */
#include "executor/audit_tally.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

#define FIRST_ROWS 16

static uint64_t
hash_of(struct span text)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < text.n; i++)
		hash =
		    (hash ^ (unsigned char)text.p[i]) * UINT64_C(1099511628211);
	return hash;
}

static struct tally_row *
find(struct tally *tally, struct span text, uint64_t hash)
{
	for (size_t i = 0; i < tally->used; i++)
		if (tally->rows[i].hash == hash &&
		    span_is(text, tally->rows[i].text))
			return &tally->rows[i];
	return NULL;
}

void
tally_add(
    struct tally *tally, struct span text, uint64_t count, struct span time)
{
	uint64_t hash = hash_of(text);
	struct tally_row *row = find(tally, text, hash);

	tally->total += count;
	if (row == NULL && tally->used == TALLY_ROWS_MAX) {
		tally->others += count;
		return;
	}
	if (row == NULL && tally->used == tally->room) {
		tally->room = tally->room == 0 ? FIRST_ROWS : 2 * tally->room;
		tally->rows =
		    alloc_resize(tally->rows, tally->room, sizeof *tally->rows);
	}
	if (row == NULL) {
		row = &tally->rows[tally->used];
		row->number = tally->used++;
		if (span_copy(time, row->first, sizeof row->first) != 0)
			row->first[0] = '\0';
		row->text = alloc_format("%.*s", (int)text.n, text.p);
		row->hash = hash;
		row->count = 0;
	}
	row->count += count;
}

static int
compare(const void *a, const void *b)
{
	const struct tally_row *left = a, *right = b;

	if (left->count != right->count)
		return left->count > right->count ? -1 : 1;
	return left->number < right->number ? -1 : 1;
}

void
tally_sort(struct tally *tally)
{
	if (tally->used != 0)
		qsort(tally->rows, tally->used, sizeof *tally->rows, compare);
}

static int
compare_time(const void *a, const void *b)
{
	const struct tally_row *left = a, *right = b;
	int order = strcmp(left->first, right->first);

	if ((left->first[0] == '\0') != (right->first[0] == '\0'))
		return left->first[0] == '\0' ? 1 : -1;
	if (order != 0)
		return order;
	return left->number < right->number ? -1 : 1;
}

void
tally_sort_time(struct tally *tally)
{
	if (tally->used != 0)
		qsort(tally->rows, tally->used, sizeof *tally->rows,
		    compare_time);
}

void
tally_free(struct tally *tally)
{
	for (size_t i = 0; i < tally->used; i++)
		free(tally->rows[i].text);
	free(tally->rows);
	*tally = (struct tally){0};
}
