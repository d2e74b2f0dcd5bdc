/*
 * Asking the index. Runs as whoever may read the log.
 */
#include "executor/audit_index.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/audit_index_row.h"

#define FOLDER_FLAGS (O_RDONLY | O_CLOEXEC | O_DIRECTORY)

struct audit_index {
	const struct audit_filter *filter;
	int log, index; /* folders */
	struct segments segments;
	struct index_row row;
};

static bool
is_known(const struct audit_filter *filter)
{
	return filter->since[0] != '\0' || filter->until[0] != '\0' ||
	       filter->session != FILTER_ANY || filter->message != FILTER_ANY ||
	       filter->zone != NULL || filter->capability != NULL ||
	       filter->rule != NULL || filter->verdict != VERDICT_COUNT ||
	       filter->kind != RECORD_KIND_COUNT ||
	       filter->destination[0] != '\0';
}

struct audit_index *
audit_index_open(const char *path, const struct audit_filter *filter)
{
	struct audit_index *index;

	if (!is_known(filter))
		return NULL;
	index = alloc_bytes(sizeof *index);
	index->filter = filter;
	index->index = -1;
	index->log = open(path, FOLDER_FLAGS);
	if (index->log >= 0)
		index->index = openat(
		    index->log, AUDIT_INDEX_FOLDER, FOLDER_FLAGS | O_NOFOLLOW);
	if (index->index >= 0 &&
	    segments_list(index->log, &index->segments) == 0)
		return index;
	audit_index_close(index);
	return NULL;
}

void
audit_index_close(struct audit_index *index)
{
	if (index == NULL)
		return;
	if (index->log >= 0)
		close(index->log);
	if (index->index >= 0)
		close(index->index);
	segments_done(&index->segments);
	free(index);
}

static bool
may_have(const struct index_row *row, char member, const char *text)
{
	return text == NULL || index_has(row, member, span_of(text));
}

static bool
may_have_number(const struct index_row *row, char member, uint64_t number)
{
	return number == FILTER_ANY || index_has_number(row, member, number);
}

static bool
in_period(const struct audit_filter *filter, const struct index_row *row)
{
	return strncmp(row->latest, filter->since, strlen(filter->since)) >=
		   0 &&
	       strncmp(row->earliest, filter->until, strlen(filter->until)) <=
		   0;
}

static bool
may_match(const struct audit_filter *filter, const struct index_row *row)
{
	if (filter->kind != RECORD_KIND_COUNT &&
	    !may_have(row, 'k', record_kind_name(filter->kind)))
		return false;
	if (filter->verdict != VERDICT_COUNT &&
	    !may_have(row, 'v', verdict_name(filter->verdict)))
		return false;
	return in_period(filter, row) &&
	       may_have_number(row, 's', filter->session) &&
	       may_have_number(row, 'm', filter->message) &&
	       may_have(row, 'z', filter->zone) &&
	       may_have(row, 'c', filter->capability) &&
	       may_have(row, 'r', filter->rule) &&
	       index_has_destination(row, filter->destination);
}

bool
audit_index_spares(
    struct audit_index *index, uint64_t first, uint64_t *next_out)
{
	const struct segments *segments = &index->segments;
	size_t at;

	if (segments->count == 0)
		return false;
	at = segments_find(segments, first);
	/* the last one is still written to */
	if (segments->rows[at].first != first || at + 1 >= segments->count ||
	    !index_read(
		index->index, index->log, &segments->rows[at], &index->row) ||
	    may_match(index->filter, &index->row))
		return false;
	*next_out = segments->rows[at + 1].first;
	return true;
}
