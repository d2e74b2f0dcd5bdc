/*
 * The one growing byte buffer. Each has a ceiling; what would pass it is
 * refused whole, so a buffer never holds half of an addition.
 */
#ifndef TRIZONE_COMMON_BUF_H
#define TRIZONE_COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct buf {
	char *data; /* not NUL-terminated; NULL while empty and never grown */
	size_t len;
	size_t cap;    /* at most max */
	size_t max;    /* ceiling in bytes */
	bool overflow; /* an addition was refused since the last clear */
};

/* An empty buffer that may grow to `max` bytes. Free with buf_free. */
void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);

/* Forget the contents, keep the memory. */
void buf_clear(struct buf *b);

/* Append; -ERR_TOO_LARGE (and b->overflow) if the ceiling would be passed. The
 * first is buf_add of what may need more memory. */
int buf_add_grow(struct buf *b, const void *bytes, size_t count);
static inline int buf_add(struct buf *b, const void *bytes, size_t count);
int buf_add_text(struct buf *b, const char *text);
static inline int buf_add_byte(struct buf *b, char byte);
int buf_add_format(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Make room for `count` more bytes and return where they go, or NULL if the
 * ceiling would be passed. Follow with b->len += bytes really written. */
char *buf_reserve(struct buf *b, size_t count);

/* Drop `count` bytes from the front. */
void buf_consume(struct buf *b, size_t count);

static inline int
buf_add(struct buf *b, const void *bytes, size_t count)
{
	if (count == 0 || count > b->cap - b->len)
		return buf_add_grow(b, bytes, count);
	memcpy(b->data + b->len, bytes, count);
	b->len += count;
	return 0;
}

static inline int
buf_add_byte(struct buf *b, char byte)
{
	if (b->len == b->cap)
		return buf_add_grow(b, &byte, 1);
	b->data[b->len++] = byte;
	return 0;
}

#endif
