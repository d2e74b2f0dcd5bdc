/*
 * Names and order of a log's files. Used by the auditor and by whoever reads
 * the log; believes only names that have the right form.
 */
#include "executor/audit_segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/audit_files.h"
#include "executor/record.h"

#define PREFIX "segment-"

static const char *const endings[] = {
    [SEGMENT_RECORDS] = ".jsonl", [SEGMENT_STUB] = ".stub"};

void
segment_name(const struct segment *segment, char out[SEGMENT_NAME_BYTES])
{
	if (segment->kind == SEGMENT_OLD)
		strcpy(out, AUDIT_OLD_NAME);
	else
		snprintf(out, SEGMENT_NAME_BYTES, PREFIX "%016llx%s",
		    (unsigned long long)segment->first, endings[segment->kind]);
}

static bool
name_parse(const char *name, struct segment *out)
{
	struct span digits = {name + sizeof PREFIX - 1, RECORD_SEQ_DIGITS};
	const char *ending;

	if (strcmp(name, AUDIT_OLD_NAME) == 0) {
		*out = (struct segment){1, SEGMENT_OLD};
		return true;
	}
	if (strlen(name) <= sizeof PREFIX - 1 + RECORD_SEQ_DIGITS ||
	    strncmp(name, PREFIX, sizeof PREFIX - 1) != 0 ||
	    record_seq_parse(digits, &out->first) != 0 || out->first == 0)
		return false;
	ending = digits.p + digits.n;
	out->kind = strcmp(ending, endings[SEGMENT_STUB]) == 0
			? SEGMENT_STUB
			: SEGMENT_RECORDS;
	return strcmp(ending, endings[out->kind]) == 0;
}

static int
compare(const void *one, const void *other)
{
	const struct segment *a = one, *b = other;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (int)a->kind - (int)b->kind;
}

/* Of two with the same first record the one with more of them. */
static void
drop_doubles(struct segments *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (kept == 0 ||
		    list->rows[kept - 1].first != list->rows[i].first)
			list->rows[kept++] = list->rows[i];
	list->count = kept;
}

static int
add_row(struct segments *list, const struct segment *row)
{
	if (list->count == SEGMENTS_MAX)
		return -ERR_LIMIT;
	if ((list->count & (list->count - 1)) == 0)
		list->rows = alloc_resize(list->rows,
		    list->count == 0 ? 1 : 2 * list->count, sizeof *list->rows);
	list->rows[list->count++] = *row;
	return 0;
}

int
segments_list(int folder, struct segments *out)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *open_folder = fd < 0 ? NULL : fdopendir(fd);
	struct segments list = {NULL, 0};
	struct dirent *entry;
	struct segment row;
	int rc = 0;

	if (open_folder == NULL) {
		if (fd >= 0)
			close(fd);
		return -ERR_IO;
	}
	for (errno = 0; rc == 0 && (entry = readdir(open_folder)) != NULL;
	     errno = 0)
		if (name_parse(entry->d_name, &row))
			rc = add_row(&list, &row);
	if (rc == 0 && errno != 0)
		rc = -ERR_IO;
	closedir(open_folder);
	if (rc != 0) {
		segments_done(&list);
		return rc;
	}
	if (list.count > 1)
		qsort(list.rows, list.count, sizeof *list.rows, compare);
	drop_doubles(&list);
	*out = list;
	return 0;
}

void
segments_done(struct segments *segments)
{
	free(segments->rows);
	*segments = (struct segments){NULL, 0};
}

size_t
segments_find(const struct segments *segments, uint64_t seq)
{
	size_t low = 0, high = segments->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (segments->rows[middle].first <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? 0 : low - 1;
}
