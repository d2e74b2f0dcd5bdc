/*
 * Lines of a log in constant memory. Used by the auditor at its start, by
 * `audit verify` and by `audit show`; believes nothing of what it reads.
 */
#include "executor/audit_lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/record.h"

void
lines_init(struct lines *lines, int fd, uint64_t offset)
{
	lines->fd = fd;
	lines->offset = offset;
	lines->start = 0;
	lines->end = 0;
}

/* Bytes read, 0 at the end of the file, or -ERR_IO. */
static int
fill(struct lines *lines)
{
	size_t held = lines->end - lines->start;
	ssize_t got;

	memmove(lines->buffer, lines->buffer + lines->start, held);
	lines->start = 0;
	lines->end = held;
	do {
		got = pread(lines->fd, lines->buffer + held,
		    sizeof lines->buffer - held, (off_t)(lines->offset + held));
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -ERR_IO;
	lines->end += (size_t)got;
	return (int)got;
}

int
lines_next(struct lines *lines, struct span *line_out, uint64_t *offset_out)
{
	size_t searched = 0;

	*offset_out = lines->offset;
	for (;;) {
		size_t held = lines->end - lines->start;
		const char *from = lines->buffer + lines->start;
		const char *newline =
		    memchr(from + searched, '\n', held - searched);
		int got;

		if (newline != NULL) {
			*line_out =
			    (struct span){from, (size_t)(newline - from)};
			lines->start += line_out->n + 1;
			lines->offset += line_out->n + 1;
			return line_out->n < RECORD_LINE_MAX ? 1
							     : -ERR_TOO_LARGE;
		}
		if (held >= RECORD_LINE_MAX)
			return -ERR_TOO_LARGE;
		searched = held;
		got = fill(lines);
		if (got <= 0)
			return got;
	}
}

size_t
lines_rest(const struct lines *lines)
{
	return lines->end - lines->start;
}

int
lines_at(int fd, uint64_t offset, char *buffer, struct span *line_out)
{
	const char *newline;
	ssize_t got;

	do {
		got = pread(fd, buffer, RECORD_LINE_MAX, (off_t)offset);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -ERR_IO;
	newline = memchr(buffer, '\n', (size_t)got);
	if (newline == NULL)
		return -ERR_CORRUPT;
	*line_out = (struct span){buffer, (size_t)(newline - buffer)};
	return 0;
}
