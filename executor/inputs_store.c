/*
 * Writing segments of decision inputs. Runs in the auditor, on texts of a
 * broker that may be in an attacker's hands: they are bytes here. Only the key
 * of the segment being written is in memory; that of the one before cannot be
 * found from it.
 */
#include "executor/inputs_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/sync.h"

#define BATCH_BYTES (4u << 20) /* more than the longest row */
#define SYNC_MS 1000

struct old_segment {
	uint64_t number, bytes, last_ms;
};

struct inputs_store {
	int folder, fd;
	struct inputs_limits limits;
	struct inputs_segment segment; /* being written */
	unsigned char key[SEAL_KEY_BYTES];
	uint64_t bytes; /* of it, the batch included */
	struct buf batch;
	bool unsynced;
	int64_t sync_ms;
	struct old_segment *old; /* ascending by number */
	size_t old_count;
	uint64_t old_bytes;
};

static int
write_batch(struct inputs_store *s)
{
	size_t at = 0;

	while (at < s->batch.len) {
		ssize_t put =
		    write(s->fd, s->batch.data + at, s->batch.len - at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return audit_write_error(err_from_errno(errno));
		at += (size_t)put;
	}
	if (at != 0)
		s->unsynced = true;
	buf_clear(&s->batch);
	return 0;
}

int
inputs_flush(struct inputs_store *s, bool sync)
{
	int64_t now = clock_ms();
	int rc = write_batch(s);

	if (rc != 0 || !s->unsynced || (!sync && now - s->sync_ms < SYNC_MS))
		return rc;
	s->unsynced = false;
	s->sync_ms = now;
	return sync_data(s->fd);
}

/* The name of one that is gone already is no matter. */
static void
drop_oldest(struct inputs_store *s)
{
	char name[INPUTS_NAME_BYTES];

	inputs_name(s->old[0].number, name);
	if (unlinkat(s->folder, name, 0) != 0 && errno != ENOENT)
		log_event(LOG_ERROR, "inputs-drop", "file=%s reason=%s", name,
		    strerror(errno));
	s->old_bytes -= s->old[0].bytes;
	s->old_count--;
	memmove(s->old, s->old + 1, s->old_count * sizeof *s->old);
}

static void
keep_limits(struct inputs_store *s, uint64_t now_ms)
{
	while (
	    s->old_count != 0 &&
	    (s->old_bytes + s->limits.segment_bytes > s->limits.total_bytes ||
		s->old[0].last_ms + s->limits.keep_ms < now_ms))
		drop_oldest(s);
}

static void
remember(struct inputs_store *s, uint64_t number, uint64_t bytes, uint64_t ms)
{
	s->old = alloc_resize(s->old, s->old_count + 1, sizeof *s->old);
	s->old[s->old_count++] = (struct old_segment){number, bytes, ms};
	s->old_bytes += bytes;
}

/* A file of its own, its head durable. */
static int
begin_segment(struct inputs_store *s, struct audit_problem *problem)
{
	unsigned char head[INPUTS_HEAD_MAX];
	char name[INPUTS_NAME_BYTES];
	size_t length;
	int rc;

	s->segment.created_ms = (uint64_t)clock_utc_ms();
	length = inputs_segment_write(&s->segment, head);
	inputs_name(s->segment.number, name);
	rc = audit_file_open(s->folder, name,
	    O_RDWR | O_APPEND | O_CREAT | O_EXCL, &s->fd, problem);
	if (rc != 0)
		return rc;
	s->bytes = length;
	if (buf_add(&s->batch, head, length) != 0)
		bug("a segment's head");
	rc = inputs_flush(s, true);
	if (rc == 0)
		rc = sync_folder(s->folder);
	if (rc == 0)
		return 0;
	(void)unlinkat(s->folder, name, 0); /* it has no row yet */
	return audit_problem(problem, rc, "inputs/%s: %s", name, err_text(rc));
}

static int
next_segment(struct inputs_store *s, uint64_t now_ms)
{
	struct audit_problem problem;
	int rc = inputs_flush(s, true);

	if (rc != 0)
		return rc;
	close(s->fd);
	s->fd = -1;
	remember(s, s->segment.number, s->bytes, now_ms);
	seal_next_key(s->key);
	s->segment.steps++;
	s->segment.number++;
	keep_limits(s, now_ms);
	rc = begin_segment(s, &problem);
	if (rc != 0)
		log_event(LOG_ERROR, "inputs", "reason=%s", problem.text);
	return rc;
}

void
inputs_draft(struct span text, struct inputs_draft *draft)
{
	seal_random(draft->key, sizeof draft->key);
	inputs_reference(draft->key, text, draft->reference);
}

uint32_t
inputs_steps(const struct inputs_store *s)
{
	return s->segment.steps;
}

void
inputs_next_key(const struct inputs_store *s, struct inputs_key *out)
{
	out->steps = s->segment.steps + 1;
	out->wrapped_bytes = s->segment.wrapped_bytes;
	memcpy(out->wrapped, s->segment.wrapped, s->segment.wrapped_bytes);
	memcpy(out->key, s->key, sizeof out->key);
	seal_next_key(out->key);
}

static bool
is_full(const struct inputs_store *s, size_t more, uint64_t now_ms)
{
	return s->bytes + more > s->limits.segment_bytes ||
	       now_ms >= s->segment.created_ms + s->limits.segment_ms;
}

int
inputs_add(struct inputs_store *s, uint64_t sequence, uint64_t time_ms,
    struct span text, struct inputs_draft *draft)
{
	size_t length = INPUTS_ROW_BYTES + text.n + SEAL_TAG_BYTES;
	struct inputs_row row = {.sequence = sequence, .time_ms = time_ms};
	unsigned char *to;
	int rc = 0;

	if (text.n > ENTRY_INPUTS_MAX)
		bug("decision inputs over their limit");
	if (is_full(s, length, time_ms))
		rc = next_segment(s, time_ms);
	else if (s->batch.len + length > s->batch.max)
		rc = write_batch(s);
	if (rc != 0)
		return rc;
	to = (unsigned char *)buf_reserve(&s->batch, length);
	inputs_row_seal(&row, s->segment.number, s->key, draft->key, text,
	    to + INPUTS_ROW_BYTES);
	inputs_row_write(&row, to);
	s->batch.len += length;
	s->bytes += length;
	wipe(draft, sizeof *draft);
	return 0;
}

int
inputs_close(struct inputs_store *s)
{
	int rc = 0;

	if (s == NULL)
		return 0;
	if (s->fd >= 0) {
		rc = inputs_flush(s, true);
		close(s->fd);
	}
	if (s->folder >= 0)
		close(s->folder);
	buf_free(&s->batch);
	free(s->old);
	wipe(s->key, sizeof s->key);
	free(s);
	return rc;
}

/*
 * What an earlier start has left.
 */

/* What is no whole row opens with no key that audit erase could reach, so it is
 * not kept. */
static int
cut_off(int fd, uint64_t from)
{
	return ftruncate(fd, (off_t)from) == 0 ? sync_data(fd) : -ERR_IO;
}

/* Only the last one can have been written to when everything stopped. */
static int
mend_last(int fd, uint64_t last_record, uint64_t size, uint64_t *size_out)
{
	struct inputs_segment segment;
	struct inputs_row row;
	uint64_t offset = 0;
	int rc = inputs_segment_read(fd, &segment, &offset);

	if (rc == -ERR_CORRUPT)
		offset = 0;
	while (rc == 0 && (rc = inputs_row_read(fd, offset, &row)) == 1) {
		/* its record was not written, and another will be */
		if (row.sequence > last_record) {
			rc = -ERR_CORRUPT;
			break;
		}
		offset += INPUTS_ROW_BYTES + row.sealed_bytes;
		rc = 0;
	}
	*size_out = offset;
	if (rc != -ERR_CORRUPT || offset == size)
		return rc == -ERR_CORRUPT ? 0 : rc;
	log_event(LOG_WARN, "inputs-torn", "bytes=%llu",
	    (unsigned long long)(size - offset));
	return cut_off(fd, offset);
}

static int
see_segment(struct inputs_store *s, uint64_t number, bool last,
    uint64_t last_record, struct audit_problem *problem)
{
	char name[INPUTS_NAME_BYTES];
	struct stat status;
	uint64_t size;
	int fd, rc;

	inputs_name(number, name);
	rc = audit_file_open(s->folder, name, O_RDWR, &fd, problem);
	if (rc != 0)
		return rc;
	rc = fstat(fd, &status) == 0 ? 0 : -ERR_IO;
	size = (uint64_t)status.st_size;
	if (rc == 0 && last)
		rc = mend_last(fd, last_record, size, &size);
	close(fd);
	if (rc != 0)
		return audit_problem(
		    problem, rc, "inputs/%s: %s", name, err_text(rc));
	if (size == 0) /* it ended before there was a head */
		unlinkat(s->folder, name, 0);
	else
		remember(s, number, size, (uint64_t)status.st_mtime * 1000);
	return 0;
}

static int
see_old(
    struct inputs_store *s, uint64_t last_record, struct audit_problem *problem)
{
	uint64_t *numbers = NULL;
	int count = inputs_list(s->folder, &numbers), rc = 0;

	if (count < 0)
		return audit_problem(
		    problem, count, "inputs: %s", err_text(count));
	for (int i = 0; i < count && rc == 0; i++) {
		s->segment.number = numbers[i] + 1;
		rc = see_segment(
		    s, numbers[i], i == count - 1, last_record, problem);
	}
	free(numbers);
	return rc;
}

int
inputs_open(const char *audit_path, struct inputs_key *key,
    const struct inputs_limits *limits, uint64_t last_record,
    struct inputs_store **store_out, struct audit_problem *problem)
{
	struct inputs_store *s = alloc_bytes(sizeof *s);
	char *path = alloc_format("%s/" INPUTS_FOLDER, audit_path);
	int rc;

	s->fd = s->folder = -1;
	s->limits = *limits;
	s->segment.number = 1;
	s->segment.steps = key->steps;
	s->segment.wrapped_bytes = key->wrapped_bytes;
	memcpy(s->segment.wrapped, key->wrapped, key->wrapped_bytes);
	memcpy(s->key, key->key, sizeof s->key);
	wipe(key->key, sizeof key->key);
	buf_init(&s->batch, BATCH_BYTES);
	seal_warm();
	rc = audit_folder_open(path, true, &s->folder, problem);
	if (rc == 0)
		rc = see_old(s, last_record, problem);
	if (rc == 0) {
		keep_limits(s, (uint64_t)clock_utc_ms());
		rc = begin_segment(s, problem);
	}
	free(path);
	if (rc != 0) {
		inputs_close(s);
		return rc;
	}
	*store_out = s;
	return 0;
}
