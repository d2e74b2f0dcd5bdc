/*
 * Lines of a descriptor, one after another, each of bounded length.
 */
#ifndef TRIZONE_READER_LINES_H
#define TRIZONE_READER_LINES_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/text.h"

struct lines {
	int fd;
	size_t most;
	struct buf buf;
	size_t taken; /* bytes of lines that were given */
	bool ended;
	bool skipping;	      /* the rest of a line that is too long */
	unsigned long number; /* of the line that was given last, from 1 */
};

/* `most`: bytes of the longest line. */
void lines_init(struct lines *l, int fd, size_t most);
void lines_done(struct lines *l);

/* The next line without its end, valid until the next call. 1, 0 at the end,
 * -ERR_TOO_LARGE for a line that is too long, which is then passed over: the
 * next call gives the one behind it. -ERR_IO with errno. */
int lines_next(struct lines *l, struct span *out);

#endif
