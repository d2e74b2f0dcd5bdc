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

int
lines_next(struct lines *l, struct span *out)
{
	size_t seen = l->taken;

	for (;;) {
		const char *end =
		    l->buf.len == seen
			? NULL
			: memchr(l->buf.data + seen, '\n', l->buf.len - seen);
		size_t to =
		    end == NULL ? l->buf.len : (size_t)(end - l->buf.data);
		int rc;

		if (to - l->taken > l->most)
			return -ERR_TOO_LARGE;
		if (end != NULL || (l->ended && to != l->taken)) {
			out->p = l->buf.data + l->taken;
			out->n = to - l->taken;
			l->taken = to + (end != NULL);
			l->number++;
			return 1;
		}
		if (l->ended)
			return 0;
		buf_consume(&l->buf, l->taken);
		l->taken = 0;
		seen = l->buf.len;
		rc = read_more(l);
		if (rc < 0)
			return rc;
		l->ended = rc == 0;
	}
}
