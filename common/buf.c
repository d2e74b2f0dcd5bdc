/*
 * Growing byte buffer with a ceiling.
 */
#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"

#define FIRST_BYTES 256

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void
buf_free(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
}

char *
buf_reserve(struct buf *b, size_t count)
{
	size_t want, cap;

	if (count > b->max || b->len > b->max - count) {
		b->overflow = true;
		return NULL;
	}
	want = b->len + count;
	if (want > b->cap || b->data == NULL) {
		cap = b->cap != 0 ? b->cap : FIRST_BYTES;
		cap = cap > b->max ? b->max : cap;
		while (cap < want)
			cap = cap > b->max / 2 ? b->max : cap * 2;
		/* one byte more, for the NUL of buf_add_format */
		b->data = alloc_resize(b->data, cap + 1, 1);
		b->cap = cap;
	}
	return b->data + b->len;
}

int
buf_add_grow(struct buf *b, const void *bytes, size_t count)
{
	char *to = buf_reserve(b, count);

	if (to == NULL)
		return -ERR_TOO_LARGE;
	if (count != 0)
		memcpy(to, bytes, count);
	b->len += count;
	return 0;
}

int
buf_add_text(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

int
buf_add_format(struct buf *b, const char *format, ...)
{
	va_list ap;
	int length;
	char *to;

	va_start(ap, format);
	length = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (length < 0)
		bug("format %s", format);
	to = buf_reserve(b, (size_t)length);
	if (to == NULL)
		return -ERR_TOO_LARGE;
	va_start(ap, format);
	vsnprintf(to, (size_t)length + 1, format, ap);
	va_end(ap);
	b->len += (size_t)length;
	return 0;
}

void
buf_consume(struct buf *b, size_t count)
{
	if (count > b->len)
		bug("consume %zu of %zu bytes", count, b->len);
	if (count != b->len)
		memmove(b->data, b->data + count, b->len - count);
	b->len -= count;
}
