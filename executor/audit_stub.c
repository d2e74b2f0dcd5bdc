/*
 * Stubs of removed segments. Runs in the auditor, on its own folder; believes
 * nothing of a segment but which of its lines are signed, and checks nothing:
 * who verifies the log does.
 */
#include "executor/audit_stub.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/err.h"
#include "executor/audit_files.h"
#include "executor/audit_grants.h"
#include "executor/audit_reader.h"
#include "executor/audit_seal.h"
#include "executor/audit_segment.h"
#include "executor/record.h"
#include "executor/sync.h"

#define NEW_NAME "stub.new"
#define GRANTS_BYTES (32u << 20)
#define STUB_MAX (8u << 20) /* of a segment with nothing but checkpoints */

/* The oldest with records, if it is not the last. */
static int
find_oldest(int folder, struct segment *oldest, uint64_t *next_out)
{
	struct segments list;
	size_t i = 0;
	int rc = segments_list(folder, &list);

	if (rc != 0)
		return rc;
	while (i < list.count && list.rows[i].kind == SEGMENT_STUB)
		i++;
	if (i + 1 >= list.count)
		rc = -ERR_NOT_FOUND;
	else if (list.rows[i].kind == SEGMENT_OLD)
		rc = -ERR_WRONG_STATE;
	if (rc == 0) {
		*oldest = list.rows[i];
		*next_out = list.rows[i + 1].first;
	}
	segments_done(&list);
	return rc;
}

static int
keep(struct buf *out, struct span line)
{
	int rc = buf_add(out, line.p, line.n);

	return rc != 0 ? rc : buf_add_byte(out, '\n');
}

/* Its signed lines and its last one; and the grants in it. */
static int
gather(int folder, const struct segment *segment, struct buf *out,
    struct grants *grants)
{
	struct audit_reader *reader = NULL;
	char last[RECORD_LINE_MAX];
	struct span unsigned_last = {last, 0};
	struct audit_line line;
	uint64_t grant;
	int rc = audit_reader_open_fd(folder, &reader);

	if (rc == 0)
		rc = audit_reader_seek(reader, segment->first);
	while (rc == 0 && (rc = audit_reader_next(reader, &line)) == 1 &&
	       line.segment == segment->first) {
		rc = record_check(line.text);
		grant = rc != 0 ? 0 : record_grant(line.text);
		if (grant != 0)
			rc = grants_add(grants, grant);
		if (rc != 0)
			break;
		unsigned_last.n = 0;
		if (seal_line_is(line.text)) {
			rc = keep(out, line.text);
			continue;
		}
		memcpy(last, line.text.p, line.text.n);
		unsigned_last.n = line.text.n;
	}
	audit_reader_close(reader);
	if (rc < 0)
		return rc;
	return unsigned_last.n == 0 ? 0 : keep(out, unsigned_last);
}

static int
write_file(int folder, const char *name, const struct buf *text)
{
	struct audit_problem problem;
	ssize_t got;
	int fd, rc;

	(void)unlinkat(folder, NEW_NAME, 0); /* of one that was killed */
	rc = audit_file_open(
	    folder, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL, &fd, &problem);
	if (rc != 0)
		return audit_write_error(rc);
	got = write(fd, text->data, text->len);
	if (got != (ssize_t)text->len)
		rc = got >= 0 || errno == ENOSPC ? -ERR_NO_SPACE : -ERR_IO;
	if (rc == 0)
		rc = sync_data(fd);
	close(fd);
	if (rc == 0 && renameat(folder, NEW_NAME, folder, name) != 0)
		rc = -ERR_IO;
	return rc != 0 ? rc : sync_folder(folder);
}

static int
write_grants(int folder, const struct grants *grants)
{
	struct buf text;
	int rc;

	buf_init(&text, GRANTS_BYTES);
	rc = grants_text(grants, &text);
	if (rc == 0)
		rc = write_file(folder, GRANTS_NAME, &text);
	buf_free(&text);
	return rc;
}

/* The grants first: they must never be nowhere. */
static int
keep_rest(int folder, const struct segment *segment)
{
	struct segment stub = {segment->first, SEGMENT_STUB};
	struct grants grants = {0};
	char name[SEGMENT_NAME_BYTES];
	struct buf text;
	int rc = grants_load(folder, &grants);

	if (rc == -ERR_NOT_FOUND)
		rc = 0; /* nothing was removed yet */
	buf_init(&text, STUB_MAX);
	segment_name(&stub, name);
	if (rc == 0)
		rc = gather(folder, segment, &text, &grants);
	if (rc == 0)
		rc = write_grants(folder, &grants);
	if (rc == 0)
		rc = write_file(folder, name, &text);
	buf_free(&text);
	grants_done(&grants);
	return rc;
}

int
audit_remove_oldest(int folder, uint64_t *next_out)
{
	char name[SEGMENT_NAME_BYTES];
	struct segment segment;
	int rc = find_oldest(folder, &segment, next_out);

	if (rc == 0)
		rc = keep_rest(folder, &segment);
	if (rc != 0)
		return rc;
	segment_name(&segment, name);
	if (unlinkat(folder, name, 0) != 0)
		return -ERR_IO;
	return sync_folder(folder);
}
