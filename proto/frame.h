/*
 * Frames: a 4-byte big-endian length, then that many bytes. Length is checked
 * before memory: bytes are kept only as they arrive, and a length of 0 or
 * above FRAME_MAX_BYTES ends the stream.
 */
#ifndef TRIZONE_PROTO_FRAME_H
#define TRIZONE_PROTO_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/text.h"

#define FRAME_HEAD_BYTES 4

struct frame_reader {
	struct buf in;
	size_t used; /* bytes of `in` that frame_next has handed out */
};

void frame_reader_init(struct frame_reader *reader);
void frame_reader_done(struct frame_reader *reader);

/* Room for at least `count` more bytes; add those read with `in.len +=`. */
char *frame_reader_room(struct frame_reader *reader, size_t count);

/* 1 and the next whole frame (valid until the next frame_reader_room), 0 when
 * more bytes are needed, -ERR_FRAME_EMPTY or -ERR_FRAME_LONG. */
int frame_next(struct frame_reader *reader, struct span *frame_out);

/* Whether a frame has begun and is not complete. */
bool frame_pending(const struct frame_reader *reader);

/* Append an empty head to `out`; returns its place for frame_end, which
 * fills in the length of all that was appended since. */
size_t frame_begin(struct buf *out);
/* -ERR_FRAME_LONG (and the frame is taken back) if it is over the limit or
 * the buffer overflowed. */
int frame_end(struct buf *out, size_t head);

#endif
