#include "reader/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"

#define PIECE 65536

void
lines_init(struct lines *l, int fd, size_t most)
{
	*l = (struct lines){.fd = fd, .most = most};
	buf_init(&l->buf, most + PIECE);
}

void
lines_done(struct lines *l)
{
	buf_free(&l->buf);
}

/* 1: more bytes; 0: none will come. */
static int
read_more(struct lines *l)
{
	char *to = buf_reserve(&l->buf, PIECE);
	ssize_t got;

	if (to == NULL)
		return -ERR_TOO_LARGE;
	do
		got = read(l->fd, to, PIECE);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -ERR_IO;
	l->buf.len += (size_t)got;
	return got > 0;
}

/* Give up what is there and read on. 0 at the end. */
static int
read_on(struct lines *l)
{
	int rc;

	buf_consume(&l->buf, l->taken);
	l->taken = 0;
	rc = read_more(l);
	if (rc == 0)
		l->ended = true;
	return rc;
}

/* Pass over the rest of a line. 0 at the end. */
static int
skip_line(struct lines *l)
{
	int rc = 1;

	while (l->skipping && rc == 1) {
		const char *end = l->buf.len == l->taken
				      ? NULL
				      : memchr(l->buf.data + l->taken, '\n',
					    l->buf.len - l->taken);

		l->skipping = end == NULL;
		l->taken =
		    end == NULL ? l->buf.len : (size_t)(end + 1 - l->buf.data);
		if (l->skipping)
			rc = l->ended ? 0 : read_on(l);
	}
	return rc;
}

int
lines_next(struct lines *l, struct span *out)
{
	size_t seen;
	int rc = skip_line(l);

	if (rc != 1)
		return rc;
	seen = l->taken;
	for (;;) {
		const char *end =
		    l->buf.len == seen
			? NULL
			: memchr(l->buf.data + seen, '\n', l->buf.len - seen);
		size_t to =
		    end == NULL ? l->buf.len : (size_t)(end - l->buf.data);

		if (to - l->taken > l->most) {
			l->skipping = true;
			l->number++;
			return -ERR_TOO_LARGE;
		}
		if (end != NULL || (l->ended && to != l->taken)) {
			out->p = l->buf.data + l->taken;
			out->n = to - l->taken;
			l->taken = to + (end != NULL);
			l->number++;
			return 1;
		}
		if (l->ended)
			return 0;
		seen = l->buf.len - l->taken; /* behind what is consumed */
		rc = read_on(l);
		if (rc < 0)
			return rc;
	}
}
