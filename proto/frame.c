/*
 * Length-prefixed frames, in and out. Every process that speaks on a channel
 * runs this on bytes of a peer it does not believe.
 */
#include "proto/frame.h"

#include <stdint.h>
#include <string.h>

#include "common/err.h"
#include "common/limits.h"

void
frame_reader_init(struct frame_reader *reader)
{
	/* room for one whole frame and one read beyond it */
	buf_init(&reader->in, (size_t)FRAME_MAX_BYTES * 2);
	reader->used = 0;
}

void
frame_reader_done(struct frame_reader *reader)
{
	buf_free(&reader->in);
	reader->used = 0;
}

char *
frame_reader_room(struct frame_reader *reader, size_t count)
{
	if (reader->used != 0) {
		buf_consume(&reader->in, reader->used);
		reader->used = 0;
	}
	return buf_reserve(&reader->in, count);
}

static uint32_t
get_length(const char *head)
{
	const unsigned char *s = (const unsigned char *)head;

	return (uint32_t)s[0] << 24 | (uint32_t)s[1] << 16 |
	       (uint32_t)s[2] << 8 | s[3];
}

int
frame_next(struct frame_reader *reader, struct span *frame_out)
{
	const char *at = reader->in.data + reader->used;
	size_t have = reader->in.len - reader->used;
	uint32_t length;

	if (have < FRAME_HEAD_BYTES)
		return 0;
	length = get_length(at);
	if (length == 0)
		return -ERR_FRAME_EMPTY;
	if (length > FRAME_MAX_BYTES)
		return -ERR_FRAME_LONG;
	if (have - FRAME_HEAD_BYTES < length)
		return 0;
	*frame_out = (struct span){at + FRAME_HEAD_BYTES, length};
	reader->used += FRAME_HEAD_BYTES + length;
	return 1;
}

bool
frame_pending(const struct frame_reader *reader)
{
	return reader->in.len != reader->used;
}

size_t
frame_begin(struct buf *out)
{
	size_t head = out->len;

	buf_add(out, "\0\0\0\0", FRAME_HEAD_BYTES);
	return head;
}

int
frame_end(struct buf *out, size_t head)
{
	size_t length = out->len - head - FRAME_HEAD_BYTES;
	unsigned char *to;

	if (out->overflow || length > FRAME_MAX_BYTES) {
		out->len = head;
		out->overflow = false;
		return -ERR_FRAME_LONG;
	}
	to = (unsigned char *)out->data + head;
	to[0] = (unsigned char)(length >> 24);
	to[1] = (unsigned char)(length >> 16);
	to[2] = (unsigned char)(length >> 8);
	to[3] = (unsigned char)length;
	return 0;
}
