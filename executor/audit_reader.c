/*
 * Reading a log over its segments. Used by the auditor at its start and by
 * whoever may read the log; believes nothing of it, and never writes.
 */
#include "executor/audit_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/audit_lines.h"
#include "executor/audit_log.h"
#include "executor/audit_segment.h"
#include "executor/record.h"

#define READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
#define OFFSET_BITS 40 /* of a place; the rest is the segment's index */
#define OFFSET_MASK ((UINT64_C(1) << OFFSET_BITS) - 1)
#define SECTOR 512 /* a disk writes so much or nothing of it */
#define LOOK_BYTES 65536

struct audit_reader {
	int folder; /* -1: a file alone, and segments.rows[0] stands for it */
	int fd;	    /* of the segment at `at`; -1: none */
	struct segments segments;
	size_t at;
	struct lines lines;
};

static int
open_error(void)
{
	if (errno == EACCES || errno == EPERM)
		return -ERR_PEER;
	return err_from_errno(errno);
}

/* A segment that was removed since it was listed may have left its stub. */
static int
open_segment(struct audit_reader *reader, size_t index)
{
	struct segment *segment = &reader->segments.rows[index];
	char name[SEGMENT_NAME_BYTES];
	struct stat status;
	int fd;

	segment_name(segment, name);
	fd = openat(reader->folder, name, READ_FLAGS | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT && segment->kind == SEGMENT_RECORDS) {
		segment->kind = SEGMENT_STUB;
		segment_name(segment, name);
		fd = openat(reader->folder, name, READ_FLAGS | O_NOFOLLOW);
	}
	if (fd < 0)
		return open_error();
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return -ERR_NOT_REGULAR;
	}
	return fd;
}

/* Begin with the segment `index` at `offset`. */
static int
go_to(struct audit_reader *reader, size_t index, uint64_t offset)
{
	int fd = reader->fd;

	if (reader->folder >= 0 && (fd < 0 || index != reader->at)) {
		fd = open_segment(reader, index);
		if (fd < 0)
			return fd;
		if (reader->fd >= 0)
			close(reader->fd);
		reader->fd = fd;
	}
	reader->at = index;
	lines_init(&reader->lines, reader->fd, offset);
	return 0;
}

static struct audit_reader *
reader_new(int folder)
{
	struct audit_reader *reader = alloc_bytes(sizeof *reader);

	reader->folder = folder;
	reader->fd = -1;
	return reader;
}

void
audit_reader_close(struct audit_reader *reader)
{
	if (reader == NULL)
		return;
	if (reader->fd >= 0)
		close(reader->fd);
	if (reader->folder >= 0)
		close(reader->folder);
	segments_done(&reader->segments);
	free(reader);
}

/* Takes the descriptor. */
static int
open_folder(int folder, struct audit_reader **out)
{
	struct audit_reader *reader = reader_new(folder);
	int rc = segments_list(folder, &reader->segments);

	if (rc == 0 && reader->segments.count != 0)
		rc = go_to(reader, 0, 0);
	if (rc != 0) {
		audit_reader_close(reader);
		return rc;
	}
	*out = reader;
	return 0;
}

int
audit_reader_open(const char *path, struct audit_reader **out)
{
	struct audit_reader *reader;
	struct stat status;
	int fd = open(path, READ_FLAGS);

	if (fd < 0)
		return open_error();
	if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
		return open_folder(fd, out);
	if (!S_ISREG(status.st_mode)) {
		close(fd);
		return -ERR_NOT_REGULAR;
	}
	reader = reader_new(-1);
	reader->fd = fd;
	reader->segments.rows = alloc_array(1, sizeof(struct segment));
	reader->segments.rows[0].first = 1;
	reader->segments.count = 1;
	lines_init(&reader->lines, fd, 0);
	*out = reader;
	return 0;
}

int
audit_reader_open_fd(int fd, struct audit_reader **out)
{
	int folder = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return folder < 0 ? -ERR_SYSTEM : open_folder(folder, out);
}

static bool
is_last(const struct audit_reader *reader)
{
	return reader->at + 1 >= reader->segments.count;
}

/* Whether there are segments behind what seemed to be the last. Those read
 * already keep their index. */
static int
look_for_more(struct audit_reader *reader)
{
	struct segments now;
	uint64_t last;
	size_t kept;
	int rc;

	if (reader->folder < 0)
		return 0;
	rc = segments_list(reader->folder, &now);
	if (rc != 0)
		return rc;
	last = reader->segments.count == 0
		   ? 0
		   : reader->segments.rows[reader->segments.count - 1].first;
	for (kept = 0; kept < now.count && now.rows[kept].first <= last;)
		kept++;
	rc = now.count > kept ? 1 : 0;
	if (rc == 1) {
		size_t had = reader->segments.count, more = now.count - kept;

		reader->segments.rows = alloc_resize(reader->segments.rows,
		    had + more, sizeof *reader->segments.rows);
		memcpy(reader->segments.rows + had, now.rows + kept,
		    more * sizeof *now.rows);
		reader->segments.count += more;
	}
	segments_done(&now);
	return rc;
}

/* Behind the last line of a segment: 1 if there is something to be read. */
static int
go_on(struct audit_reader *reader, uint64_t offset)
{
	int rc;

	if (reader->fd >= 0 && !is_last(reader))
		return (rc = go_to(reader, reader->at + 1, 0)) == 0 ? 1 : rc;
	rc = look_for_more(reader);
	if (rc < 0)
		return rc;
	if (reader->fd < 0 && rc == 1)
		return (rc = go_to(reader, 0, 0)) == 0 ? 1 : rc;
	if (reader->fd < 0)
		return 0;
	/* what came before the next segment, or else what comes one day */
	lines_init(&reader->lines, reader->fd, offset);
	return rc;
}

static void
tell_place(const struct audit_reader *reader, uint64_t offset,
    struct audit_line *line_out)
{
	const struct segment *segment = &reader->segments.rows[reader->at];

	line_out->segment = segment->first;
	line_out->stub = segment->kind == SEGMENT_STUB;
	line_out->offset = offset;
	line_out->place = (uint64_t)reader->at << OFFSET_BITS | offset;
}

/* An empty line is where the unused room of the last segment begins. */
int
audit_reader_next(struct audit_reader *reader, struct audit_line *line_out)
{
	uint64_t offset = 0;
	int rc;

	do {
		rc = 0;
		if (reader->fd >= 0) {
			rc = lines_next(
			    &reader->lines, &line_out->text, &offset);
			tell_place(reader, offset, line_out);
		}
		if (rc < 0)
			return rc;
		if (rc == 1 && (line_out->text.n != 0 || !is_last(reader)))
			return 1;
		rc = go_on(reader, offset);
	} while (rc == 1);
	return rc;
}

/* Read at most `room` bytes; how many, or -ERR_IO. */
static int
read_at(int fd, char *to, size_t room, uint64_t offset)
{
	ssize_t got;

	do {
		got = pread(fd, to, room, (off_t)offset);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -ERR_IO : (int)got;
}

/*
 * What can be left of a batch of records that power was cut in: each sector
 * of it is there, or is as it was, all newlines. So the first line that is not
 * good ends where a sector begins, and the sector has nothing in it; or nothing
 * at all is behind it, and it is no whole line.
 */
struct look {
	uint64_t start; /* of the first bad line */
	uint64_t end;	/* its first newline, or the file's end */
	bool has_end, hole;
	char before_end;
	uint64_t last; /* behind the last byte that is no newline */
};

static void
look_at(struct look *look, uint64_t offset, char byte)
{
	uint64_t hole_end;

	if (byte != '\n') {
		if (!look->has_end)
			look->before_end = byte;
		hole_end = (look->end / SECTOR + 1) * SECTOR;
		if (look->has_end && offset < hole_end)
			look->hole = false;
		look->last = offset + 1;
		return;
	}
	if (look->has_end)
		return;
	look->has_end = true;
	look->end = offset;
	look->hole = offset == look->start || offset % SECTOR == 0;
}

static void
judge(const struct look *look, struct audit_rest *out)
{
	bool alone = !look->has_end || look->last <= look->end;

	out->bytes = look->last - look->start;
	if (out->bytes == 0 || out->bytes > AUDIT_BATCH_BYTES)
		return;
	if (alone)
		out->torn = out->bytes < RECORD_LINE_MAX &&
			    (!look->has_end || look->before_end != '}');
	else
		out->torn = look->hole;
}

/* All newlines. */
static bool
is_unused(const char *bytes, size_t count)
{
	return bytes[0] == '\n' && memcmp(bytes, bytes + 1, count - 1) == 0;
}

int
audit_reader_rest(struct audit_reader *reader, const struct audit_line *line,
    struct audit_rest *out)
{
	uint64_t offset = line != NULL ? line->offset : reader->lines.offset;
	struct look look = {.start = offset, .last = offset};
	char *bytes;
	int got = 0;

	*out = (struct audit_rest){0};
	if (reader->fd < 0 || !is_last(reader))
		return 0;
	bytes = alloc_bytes(LOOK_BYTES);
	while ((got = read_at(reader->fd, bytes, LOOK_BYTES, offset)) > 0) {
		if (!look.has_end || !is_unused(bytes, (size_t)got))
			for (int i = 0; i < got; i++)
				look_at(&look, offset + (uint64_t)i, bytes[i]);
		offset += (uint64_t)got;
	}
	free(bytes);
	judge(&look, out);
	return got;
}

/*
 * Seeking: bisection in a file for the first line that is not before a key.
 */
struct key {
	uint64_t seq;
	const char *time; /* NULL: the sequence */
};

static bool
is_before(struct span line, const struct key *key)
{
	if (record_check(line) != 0)
		return false;
	if (key->time == NULL)
		return record_seq(line) < key->seq;
	return strncmp(record_time(line).p, key->time, strlen(key->time)) < 0;
}

/* The first whole line that begins behind `offset` (at it, if it is 0):
 * whether there is one, and it is before the key. */
static int
probe(struct audit_reader *reader, uint64_t offset, const struct key *key,
    uint64_t *start_out)
{
	struct span line;
	int rc;

	lines_init(&reader->lines, reader->fd, offset);
	rc = offset == 0 ? 1 : lines_next(&reader->lines, &line, start_out);
	if (rc == 1)
		rc = lines_next(&reader->lines, &line, start_out);
	if (rc == -ERR_IO)
		return rc;
	return rc == 1 && is_before(line, key) ? 1 : 0;
}

static int
seek_in_segment(struct audit_reader *reader, const struct key *key)
{
	struct stat status;
	uint64_t low = 0, high, start = 0;
	struct span line;
	int rc;

	if (fstat(reader->fd, &status) != 0)
		return -ERR_IO;
	high = (uint64_t)status.st_size;
	while (low + RECORD_LINE_MAX < high) {
		uint64_t middle = low + (high - low) / 2;

		rc = probe(reader, middle, key, &start);
		if (rc < 0)
			return rc;
		if (rc == 1)
			low = middle;
		else
			high = middle;
	}
	/* the line that `low` is in the middle of is before the key */
	lines_init(&reader->lines, reader->fd, low);
	rc = low == 0 ? 1 : lines_next(&reader->lines, &line, &start);
	while (rc == 1) {
		start = reader->lines.offset;
		rc = lines_next(&reader->lines, &line, &low);
		if (rc == 1 && !is_before(line, key))
			rc = 0;
		else if (rc == 0)
			start = reader->lines.offset;
	}
	lines_init(&reader->lines, reader->fd, start);
	return rc == -ERR_IO ? rc : 0;
}

/* Whether the first record of a segment is before a key; 1, 0 or an error. */
static int
begins_before(struct audit_reader *reader, size_t index, const struct key *key)
{
	uint64_t start;
	int rc;

	if (key->time == NULL)
		return reader->segments.rows[index].first < key->seq;
	rc = go_to(reader, index, 0);
	return rc != 0 ? rc : probe(reader, 0, key, &start);
}

static int
seek(struct audit_reader *reader, const struct key *key)
{
	size_t low = 0, high = reader->segments.count;
	int rc;

	if (reader->fd < 0)
		return 0;
	while (low + 1 < high) {
		size_t middle = low + (high - low) / 2;

		rc = begins_before(reader, middle, key);
		if (rc < 0)
			return rc;
		if (rc == 1)
			low = middle;
		else
			high = middle;
	}
	rc = go_to(reader, low, 0);
	return rc != 0 ? rc : seek_in_segment(reader, key);
}

int
audit_reader_seek(struct audit_reader *reader, uint64_t seq)
{
	return seek(reader, &(struct key){.seq = seq});
}

int
audit_reader_seek_time(struct audit_reader *reader, const char *time)
{
	return seek(reader, &(struct key){.time = time});
}

int
audit_reader_at(struct audit_reader *reader, uint64_t place, char *buffer,
    struct span *line_out)
{
	size_t index = (size_t)(place >> OFFSET_BITS);
	int fd = reader->fd, rc;

	if (index >= reader->segments.count)
		return -ERR_NOT_FOUND;
	if (index != reader->at)
		fd = open_segment(reader, index);
	if (fd < 0)
		return fd;
	rc = lines_at(fd, place & OFFSET_MASK, buffer, line_out);
	if (fd != reader->fd)
		close(fd);
	return rc;
}
