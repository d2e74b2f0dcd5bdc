/*
 * A channel: one byte stream (a connected Unix socket, or standard input and
 * output) that carries frames. It checks every frame, keeps the order hello
 * first, bounds memory, time and requests in flight, and hands typed messages
 * to its owner. A bad frame ends this channel with a numbered error; nothing
 * else in the process notices.
 */
#ifndef TRIZONE_PROTO_CHANNEL_H
#define TRIZONE_PROTO_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/json.h"
#include "proto/loop.h"
#include "proto/message.h"

/* Requests one side may have open; a pipelining client needs some dozens, and
 * each costs its owner a table row. */
#define CHANNEL_REQUESTS_MAX 64
/* Output bytes above which we stop reading from this peer, and below which we
 * go on: one large answer and some small ones. */
#define CHANNEL_HIGH_BYTES (2u << 20)
#define CHANNEL_LOW_BYTES (256u * 1024)
/* No progress in writing for this long: the peer is gone. */
#define CHANNEL_WRITE_DEADLINE_MS 30000
/* What is still queued when a channel is to be closed may take this long. */
#define CHANNEL_LAST_WORDS_MS 2000

struct channel;

struct channel_owner {
	/* Both hellos are through. `hello` is the peer's, already checked for
	 * the protocol version. Return 0, or a negative error to close. */
	int (*opened)(struct channel *channel, void *context,
	    const struct json_doc *doc, const struct hello_params *hello);

	/* A call or notice. Requests must be answered exactly once with
	 * channel_result/channel_error, now or later. Return 0, or a negative
	 * error, which ends the channel. */
	int (*received)(struct channel *channel, void *context,
	    const struct json_doc *doc, const struct message *message);

	/* The peer gave up on a request it sent; it still needs its answer
	 * (channel_error with ERR_CANCELLED is the usual one). May be NULL:
	 * then cancel is ignored. */
	void (*cancelled)(struct channel *channel, void *context, int64_t id);

	/* Output fell below CHANNEL_LOW_BYTES after having been above
	 * CHANNEL_HIGH_BYTES, or after channel_want_drained. May be NULL. */
	void (*drained)(struct channel *channel, void *context);

	/* Output is about to leave: what has to be on its way before it, has
	 * to be now. False: it cannot be yet, so nothing leaves; the owner
	 * calls channel_flush when it can. May be NULL. */
	bool (*leaving)(struct channel *channel, void *context);

	/* The channel is dead; called once, and it is freed after return.
	 * `error` is 0 when the peer closed between frames. It comes from the
	 * loop or from channel_close, never from inside another call: an owner
	 * may go through its channels and write to each. */
	void (*closed)(struct channel *channel, void *context, int error);
};

/* An answer to a request we sent; `answer` is NULL when there will be none,
 * and `error` says why (ERR_CLOSED, ERR_DEADLINE). With an answer `error` is
 * 0 or the negative code of the error answer. */
typedef void channel_answer(struct channel *channel, void *context,
    const struct json_doc *doc, const struct message *answer, int error);

struct channel_options {
	enum side self, peer;
	const char *zone;    /* sent in our hello; must outlive the channel */
	const char *program; /* the same */
	struct span attestation; /* raw JSON object, the same */
	int64_t hello_ms; /* for the peer's hello; 0: HELLO_DEADLINE_MS */
	const struct channel_owner *owner;
	void *context;
};

/* Take over both descriptors (they may be one) and say hello. They are made
 * non-blocking and closed with the channel. */
struct channel *channel_new(struct loop *loop, int fd_in, int fd_out,
    const struct channel_options *options);

/* End it now without a word; calls closed. NULL is fine. */
void channel_close(struct channel *channel, int error);

/* Send what is queued, then close; for refusals. */
void channel_close_soon(struct channel *channel, int error);

/* Ask the peer. `id_out` may be NULL. Build the frame with message_begin using
 * channel_out and channel_next_id, then call channel_asked. */
struct buf *channel_out(struct channel *channel);
int64_t channel_next_id(struct channel *channel);
/* Register the request just written; -ERR_BUSY if too many are open (call
 * channel_can_ask first). */
int channel_asked(struct channel *channel, int64_t id, int64_t deadline_ms,
    channel_answer *answer, void *context);
bool channel_can_ask(const struct channel *channel);

/* Answer a request of the peer with members written between result_begin and
 * message_end on channel_out; call this after message_end. */
void channel_answered(struct channel *channel, int64_t id);
/* Answer with an error; `data` may be empty. */
void channel_error(struct channel *channel, int64_t id, int error,
    const char *text, struct span data);

/* Get queued output onto the wire; called by the channel itself after each
 * round of input, and by owners that write outside of a callback. */
void channel_flush(struct channel *channel);

/* Stop or go on reading from this peer (the owner's own back-pressure). */
void channel_hold(struct channel *channel, bool hold);

/* Output bytes not yet written. */
size_t channel_queued(const struct channel *channel);
/* Who has more to send than there is room for is told when there is. */
void channel_want_drained(struct channel *channel);

bool channel_is_open(const struct channel *channel); /* hellos are through */

#endif
