/*
 * Byte streams inside a channel: chunk notices with a credit window. The
 * receiver gives credit as it takes bytes in; a sender is never more than
 * CREDIT_BYTES ahead, so neither side holds more than that. The stream begins
 * with a request that names its number and its exact length, and ends with an
 * `end` notice that carries the SHA-256 of all bytes.
 */
#ifndef TRIZONE_PROTO_STREAM_H
#define TRIZONE_PROTO_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/sha256.h"
#include "proto/channel.h"

struct stream_out {
	struct channel *channel;
	int64_t id, bytes, sent, credit;
	struct sha256 *digest;
	bool ended;
	/* Up to `room` bytes at `offset` into `to`; returns the number (which
	 * is above 0 while offset < bytes) or a negative error. */
	int64_t (*read)(void *context, int64_t offset, void *to, size_t room);
	void *context;
};

/* Begin to send `bytes` bytes that `read` hands out. Nothing is sent before
 * the first stream_out_run. */
void stream_out_init(struct stream_out *s, struct channel *channel, int64_t id,
    int64_t bytes,
    int64_t (*read)(void *context, int64_t offset, void *to, size_t room),
    void *context);
void stream_out_done(struct stream_out *s);

/* Send what credit and the channel's queue allow; call again after credit and
 * when the channel has drained. 0 or the error of `read`. */
int stream_out_run(struct stream_out *s);

/* A credit notice; -ERR_CREDIT if it gives more than was taken. */
int stream_out_credit(struct stream_out *s, int64_t bytes);

struct stream_in {
	struct channel *channel;
	int64_t id, bytes, got;
	int64_t credit;	 /* what the sender may still send */
	int64_t to_give; /* taken in, not yet given back */
	struct sha256 *digest;
	struct buf piece; /* one decoded chunk */
	int (*take)(void *context, struct span bytes);
	void *context;
};

/* Expect `bytes` bytes as stream `id`; `take` gets them in order. */
void stream_in_init(struct stream_in *s, struct channel *channel, int64_t id,
    int64_t bytes, int (*take)(void *context, struct span bytes),
    void *context);
void stream_in_done(struct stream_in *s);

/* A chunk notice. -ERR_STREAM, -ERR_CREDIT, -ERR_SYNTAX (base64) or the error
 * of `take`. */
int stream_in_chunk(struct stream_in *s, const struct chunk_params *chunk);

/* The end notice: all bytes there and the hash right, else -ERR_STREAM.
 * `sha256_out` gets the digest and may be NULL. */
int stream_in_end(struct stream_in *s, const struct end_params *end,
    unsigned char sha256_out[SHA256_BYTES]);

#endif
