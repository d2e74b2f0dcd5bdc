/*
 * Making the index. Reads segments as their owner may; writes nothing but the
 * folder of the index.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/account.h"
#include "common/alloc.h"
#include "common/err.h"
#include "executor/audit_files.h"
#include "executor/audit_index_row.h"
#include "executor/audit_lines.h"

#define FOLDER_FLAGS (O_RDONLY | O_CLOEXEC | O_DIRECTORY)
#define NEW_NAME "new"

struct maker {
	int log, index; /* folders */
	struct lines lines;
	struct json_doc doc;
	struct index_row row;
};

static void
add_terms(struct index_row *row, const struct record *record)
{
	index_add(row, 'k', span_of(record_kind_name(record->kind)));
	if (record->kind == RECORD_DECISION)
		index_add(row, 'v', span_of(verdict_name(record->verdict)));
	index_add_number(row, 's', record->session);
	index_add_number(row, 'm', record->message);
	index_add(row, 'z', record->zone);
	index_add(row, 'c', record->capability);
	index_add(row, 'r', record->rule);
	index_add_destination(row, record->destination,
	    record->destination_bytes > record->destination.n);
}

static int
add_line(struct maker *maker, struct span line, bool is_first)
{
	struct index_row *row = &maker->row;
	struct record record;
	struct span time;

	if (record_check(line) != 0 ||
	    record_parse(&maker->doc, line, &record) != 0)
		return -ERR_CORRUPT;
	time = record_time(line);
	if (is_first || memcmp(time.p, row->earliest, time.n) < 0)
		memcpy(row->earliest, time.p, time.n);
	if (is_first || memcmp(time.p, row->latest, time.n) > 0)
		memcpy(row->latest, time.p, time.n);
	index_put(row->last, record_seq(line));
	memcpy(row->end_hash, line.p + RECORD_HASH_AT, RECORD_HASH_DIGITS);
	add_terms(row, &record);
	return 0;
}

/* A segment with anything in it that is no record has no row. */
static int
read_segment(struct maker *maker, const struct segment *segment)
{
	char name[SEGMENT_NAME_BYTES];
	struct span line;
	uint64_t offset;
	int rc, fd, got;
	bool is_first = true;

	segment_name(segment, name);
	fd = openat(
	    maker->log, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -ERR_SYSTEM;
	memset(&maker->row, 0, sizeof maker->row);
	memcpy(maker->row.magic, INDEX_MAGIC, sizeof maker->row.magic);
	index_put(maker->row.first, segment->first);
	lines_init(&maker->lines, fd, 0);
	rc = 0;
	while (
	    rc == 0 && (got = lines_next(&maker->lines, &line, &offset)) != 0) {
		rc = got < 0 ? got : add_line(maker, line, is_first);
		is_first = false;
	}
	if (rc == 0 && (lines_rest(&maker->lines) != 0 || is_first))
		rc = -ERR_CORRUPT;
	index_put(maker->row.bytes, maker->lines.offset);
	close(fd);
	return rc;
}

/* Whole or not at all; a loss of power may cost it. */
static int
write_row(struct maker *maker, uint64_t first)
{
	char name[INDEX_NAME_BYTES];
	const char *from = (const char *)&maker->row;
	size_t left = sizeof maker->row;
	int fd;

	index_sum(&maker->row, maker->row.sum);
	index_name(first, name);
	unlinkat(maker->index, NEW_NAME, 0);
	fd = openat(maker->index, NEW_NAME,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -ERR_IO;
	while (left > 0) {
		ssize_t done = write(fd, from, left);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			break;
		from += done;
		left -= (size_t)done;
	}
	if (close(fd) != 0 || left != 0 ||
	    renameat(maker->index, NEW_NAME, maker->index, name) != 0)
		return -ERR_IO;
	return 0;
}

/* Rows of segments that are there no more. */
static int
remove_old(
    int index, const struct segments *segments, struct audit_index_made *out)
{
	int again = openat(index, ".", FOLDER_FLAGS);
	DIR *folder = again < 0 ? NULL : fdopendir(again);
	struct dirent *entry;

	if (folder == NULL)
		return -ERR_IO;
	while ((entry = readdir(folder)) != NULL) {
		uint64_t first;
		size_t at;

		if (record_seq_parse(span_of(entry->d_name), &first) != 0)
			continue;
		at = segments->count == 0 ? 0 : segments_find(segments, first);
		if (segments->count != 0 && segments->rows[at].first == first &&
		    segments->rows[at].kind != SEGMENT_STUB)
			continue;
		if (unlinkat(index, entry->d_name, 0) == 0)
			out->removed++;
	}
	closedir(folder);
	return 0;
}

static int
make_rows(struct maker *maker, const struct segments *segments,
    struct audit_index_made *out)
{
	int rc = 0;

	for (size_t i = 0; i + 1 < segments->count && rc == 0; i++) {
		const struct segment *segment = &segments->rows[i];

		if (segment->kind == SEGMENT_STUB)
			continue;
		if (index_read(
			maker->index, maker->log, segment, &maker->row)) {
			out->kept++;
		} else if (read_segment(maker, segment) != 0) {
			out->left++;
		} else {
			rc = write_row(maker, segment->first);
			out->made++;
		}
	}
	return rc;
}

static int
make_in(int log, struct audit_index_made *out)
{
	struct maker *maker = alloc_bytes(sizeof *maker);
	struct segments segments = {.rows = NULL};
	int rc = -ERR_IO;

	maker->log = log;
	json_init(&maker->doc);
	if (mkdirat(log, AUDIT_INDEX_FOLDER, 0700) != 0 && errno != EEXIST)
		rc = err_from_errno(errno);
	maker->index =
	    openat(log, AUDIT_INDEX_FOLDER, FOLDER_FLAGS | O_NOFOLLOW);
	if (maker->index >= 0)
		rc = segments_list(log, &segments);
	if (maker->index >= 0 && rc == 0)
		rc = make_rows(maker, &segments, out);
	if (maker->index >= 0 && rc == 0)
		rc = remove_old(maker->index, &segments, out);
	if (maker->index >= 0)
		close(maker->index);
	segments_done(&segments);
	json_done(&maker->doc);
	free(maker);
	return rc;
}

int
audit_index_make(const char *path, struct audit_index_made *out)
{
	int log = open(path, FOLDER_FLAGS), rc;

	*out = (struct audit_index_made){0};
	if (log < 0)
		return errno == EACCES ? -ERR_PEER : err_from_errno(errno);
	rc = make_in(log, out);
	close(log);
	return rc;
}

static const char usage[] =
    "usage: trizone-executor audit index [--config FILE | --dir DIR]\n"
    "Bring the index of the log up to date; audit show and audit export pass\n"
    "over segments by it. It may be removed and made again at any time.\n"
    "Exit status: 0 done, 64 usage, 69 no such log, 71 it could not be read or\n"
    "written, 77 not permitted.\n";

static int
make(void *context)
{
	const char *path = context;
	struct audit_index_made made;
	int rc = audit_index_make(path, &made);

	if (rc != 0) {
		fprintf(stderr, "%s: %s\n", path, err_text(rc));
		return audit_exit_status(rc);
	}
	printf("%llu segments indexed, %llu were, %llu rows removed, %llu "
	       "segments not readable\n",
	    (unsigned long long)made.made, (unsigned long long)made.kept,
	    (unsigned long long)made.removed, (unsigned long long)made.left);
	return EXIT_DONE;
}

/* Root becomes the folder's owner for it, and is led nowhere by a link. */
static int
make_as_owner(char *path)
{
	struct account owner = {.uid = 0};

	(void)account_owner(path, &owner); /* not there: reading it says so */
	return account_as(&owner, make, path);
}

int
audit_index_main(int argc, char **argv, const char *default_dir)
{
	static const struct option known[] = {
	    {"dir", required_argument, NULL, 'd'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	char *path = NULL;
	int option, status;
	bool help = false, wrong = false;

	optind = 1;
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'd')
			default_dir = optarg;
		help = help || option == 'h';
		wrong = wrong || option == '?';
	}
	if (help || wrong || optind != argc || default_dir == NULL) {
		fputs(usage, help ? stdout : stderr);
		return help ? EXIT_DONE : EXIT_USAGE;
	}
	path = alloc_format("%s", default_dir);
	status = make_as_owner(path);
	free(path);
	return status;
}
