/*
 * Reading a log line by line in constant memory, without moving the
 * descriptor's offset.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_LINES_H
#define TRIZONE_EXECUTOR_AUDIT_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

#define LINES_BUFFER_BYTES 65536 /* a read serves some 150 lines */

struct lines {
	int fd;
	uint64_t offset; /* in the file, of buffer[start] */
	size_t start, end;
	char buffer[LINES_BUFFER_BYTES];
};

/* Lines of the regular file `fd` (borrowed) from `offset` on. */
void lines_init(struct lines *lines, int fd, uint64_t offset);

/* 1: *line_out is the next line without its newline, until the next call, and
 * *offset_out where it begins. 0: no further whole line; what is left without
 * a newline has lines_rest bytes. -ERR_TOO_LARGE: a line of RECORD_LINE_MAX
 * bytes or more, -ERR_IO; in both cases *offset_out is where it begins. */
int lines_next(
    struct lines *lines, struct span *line_out, uint64_t *offset_out);

/* Bytes behind the last newline, once lines_next has given 0. */
size_t lines_rest(const struct lines *lines);

/* The one line that begins at `offset`, without its newline, in `buffer` of
 * RECORD_LINE_MAX bytes. 0, -ERR_IO, or -ERR_CORRUPT: no newline there. */
int lines_at(int fd, uint64_t offset, char *buffer, struct span *line_out);

#endif
