/*
 * Reading a log, whatever files it is in: its lines in order, over all
 * segments, in constant memory. The one way in for everything that reads it.
 *
 *	struct audit_reader *reader;
 *	struct audit_line line;
 *	int rc = audit_reader_open(path, &reader);
 *
 *	while (rc == 0 && (rc = audit_reader_next(reader, &line)) == 1)
 *		rc = ...line.text...;
 *	audit_reader_close(reader);
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_READER_H
#define TRIZONE_EXECUTOR_AUDIT_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/text.h"

struct audit_reader;

/* A line and where it is. */
struct audit_line {
	struct span text; /* without newline, until the next call */
	uint64_t place;	  /* for audit_reader_at, of this reader only */
	uint64_t segment; /* first sequence of its segment */
	uint64_t offset;  /* where in the segment it begins */
	bool stub;	  /* from a segment that retention removed */
};

/* What is behind the last good line; see audit_reader_rest. */
struct audit_rest {
	uint64_t bytes; /* up to the last that is no newline */
	bool torn;	/* a write that was cut short can have left this */
};

/* Open a log: the folder `path`, or a file as a log of one segment.
 * -ERR_NOT_FOUND, -ERR_PEER (no permission), -ERR_NOT_REGULAR, -ERR_SYSTEM,
 * -ERR_IO. Close with audit_reader_close; NULL is fine there. */
int audit_reader_open(const char *path, struct audit_reader **out);
void audit_reader_close(struct audit_reader *reader);

/* The same for the folder `fd`, which stays the caller's. */
int audit_reader_open_fd(int fd, struct audit_reader **out);

/* The next line, which need not be a record: 1. 0: there is none yet; asking
 * again later is how a log is followed, over new segments too. -ERR_TOO_LARGE:
 * a line of RECORD_LINE_MAX bytes or more; -ERR_NOT_FOUND: a segment was
 * removed just now; others as above. After an error line_out tells where. */
int audit_reader_next(struct audit_reader *reader, struct audit_line *line_out);

/* What there is of the segment from `line` on (NULL: behind the last line,
 * once audit_reader_next has given 0). bytes is 0 if it is nothing but unused
 * room. Not moved by it. 0 or -ERR_IO. */
int audit_reader_rest(struct audit_reader *reader,
    const struct audit_line *line, struct audit_rest *out);

/* Go to the first record whose sequence is `seq` or more, or that was written
 * at `time` (the first bytes of a time in a record) or later: audit_reader_next
 * gives it. By bisection, so that what is damaged may lead astray, and so may
 * a clock that was set back. Errors as audit_reader_next. */
int audit_reader_seek(struct audit_reader *reader, uint64_t seq);
int audit_reader_seek_time(struct audit_reader *reader, const char *time);

/* The line at a place, in `buffer` of RECORD_LINE_MAX bytes; does not move the
 * reader. 0, -ERR_IO, -ERR_CORRUPT (no newline there), -ERR_NOT_FOUND. */
int audit_reader_at(struct audit_reader *reader, uint64_t place, char *buffer,
    struct span *line_out);

#endif
