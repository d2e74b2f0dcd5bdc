/*
 * Channels over the event loop. Runs in every process that talks to another
 * zone; the peer is not believed. See channel.h for the promises.
 */
#include "proto/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/limits.h"
#include "common/log.h"
#include "proto/frame.h"

#define READ_BYTES (64u * 1024) /* one read(2); a chunk frame fits */
/* What a quiet channel keeps of its buffers. */
#define KEEP_BYTES (256u * 1024)
#define KEEP_NODES 4096
/* Our own answers may pass the high mark while we already hold reading: every
 * open request may still get one whole frame's worth in small parts. */
#define OUT_MAX_BYTES (16u << 20)

enum phase { PHASE_HELLO, PHASE_OPEN, PHASE_CLOSING };

struct asked {
	int64_t id; /* 0: free row */
	int64_t deadline_ms;
	channel_answer *answer;
	void *context;
};

struct channel {
	struct loop *loop;
	int fd_in, fd_out;
	struct channel_options options;
	enum phase phase;
	int close_error;

	struct frame_reader reader;
	struct json_doc doc;
	struct buf out;
	size_t out_sent; /* bytes of `out` already written */

	struct watch *readable, *writable, *timer;
	bool waits;	  /* output may not leave yet, says the owner */
	bool hold;	  /* the owner's wish */
	bool above;	  /* output passed the high mark */
	bool wanted;	  /* the owner waits for the low mark */
	bool busy;	  /* inside the input round; output waits for its end */
	bool ended;	  /* nothing more leaves; the timer closes it */
	bool dead;	  /* closed; the timer frees it in the next round */
	int64_t armed_ms; /* when the timer will fire; 0: not running */
	int64_t frame_deadline_ms; /* 0: no frame has begun */
	int64_t write_deadline_ms; /* 0: nothing waits to be written */
	int64_t last_words_ms;	   /* 0: not closing */
	int64_t hello_deadline_ms; /* 0: hello is through */

	int64_t open_ids[CHANNEL_REQUESTS_MAX]; /* the peer's; 0: free */
	unsigned open_count;
	struct asked asked[CHANNEL_REQUESTS_MAX];
	unsigned asked_count;
	int64_t next_id;
};

static void
set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		die_errno("descriptor %d cannot be made non-blocking", fd);
}

static void
channel_free(struct channel *c)
{
	loop_unwatch(c->readable);
	loop_unwatch(c->writable);
	loop_unwatch(c->timer);
	close(c->fd_in);
	if (c->fd_out != c->fd_in)
		close(c->fd_out);
	frame_reader_done(&c->reader);
	json_done(&c->doc);
	buf_free(&c->out);
	free(c);
}

/* Earliest of the deadlines that are set; 0 for none. */
static int64_t
next_deadline(const struct channel *c)
{
	const int64_t own[] = {c->frame_deadline_ms, c->write_deadline_ms,
	    c->hello_deadline_ms, c->last_words_ms};
	int64_t first = 0;

	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (own[i] != 0 && (first == 0 || own[i] < first))
			first = own[i];
	for (size_t i = 0; c->asked_count != 0 && i < CHANNEL_REQUESTS_MAX; i++)
		if (c->asked[i].id != 0 &&
		    (first == 0 || c->asked[i].deadline_ms < first))
			first = c->asked[i].deadline_ms;
	return first;
}

static void
arm_timer(struct channel *c)
{
	int64_t first = next_deadline(c), now;

	/* one that fires too early finds nothing and arms it anew */
	if (first == 0 || (c->armed_ms != 0 && c->armed_ms <= first))
		return;
	now = clock_ms();
	timer_set(c->timer, first > now ? first - now : 0);
	c->armed_ms = first;
}

/* Whether input waits for us, not for the peer. */
static bool
is_held(const struct channel *c)
{
	return c->hold || c->above || c->open_count == CHANNEL_REQUESTS_MAX;
}

static void
settle_watches(struct channel *c)
{
	watch_set(c->readable, !is_held(c) && c->phase != PHASE_CLOSING);
	watch_set(c->writable, c->out.len != c->out_sent && !c->waits);
}

/* Tell everybody who waits for an answer that none will come. */
static void
drop_asked(struct channel *c)
{
	for (size_t i = 0; i < CHANNEL_REQUESTS_MAX; i++) {
		struct asked row = c->asked[i];

		if (row.id == 0)
			continue;
		c->asked[i].id = 0;
		row.answer(c, row.context, NULL, NULL, -ERR_CLOSED);
	}
	c->asked_count = 0;
}

void
channel_close(struct channel *c, int error)
{
	if (c == NULL || c->dead)
		return;
	c->dead = true;
	watch_set(c->readable, false);
	watch_set(c->writable, false);
	drop_asked(c);
	c->options.owner->closed(c, c->options.context, error);
	timer_set(c->timer, 0);
}

/* Close it from the loop: whoever wrote to it may be going through a list that
 * `closed` changes. */
static void
end_later(struct channel *c, int error)
{
	c->phase = PHASE_CLOSING;
	c->close_error = error;
	c->ended = true;
	buf_clear(&c->out);
	c->out_sent = 0;
	settle_watches(c);
	timer_set(c->timer, 0);
}

void
channel_close_soon(struct channel *c, int error)
{
	if (c->dead || c->phase == PHASE_CLOSING)
		return;
	c->phase = PHASE_CLOSING;
	c->close_error = error;
	c->frame_deadline_ms = 0;
	c->hello_deadline_ms = 0;
	c->last_words_ms = clock_ms() + CHANNEL_LAST_WORDS_MS;
	if (!c->busy)
		channel_flush(c);
}

/* A peer broke the rules: say which, then close. */
static void
refuse(struct channel *c, int error, const struct json_error *where)
{
	char text[300];

	if (where != NULL && where->error == error)
		json_error_text(where, text, sizeof text);
	else
		snprintf(text, sizeof text, "%s", err_text(error));
	log_event(LOG_WARN, "channel-refused",
	    "peer=%s zone=%s code=%d reason=%s", side_name(c->options.peer),
	    c->options.zone, -error, text);
	message_error(&c->out, 0, error, span_of(text), (struct span){0});
	channel_close_soon(c, error);
}

static bool
open_id(struct channel *c, int64_t id)
{
	size_t free_row = CHANNEL_REQUESTS_MAX;

	for (size_t i = 0; i < CHANNEL_REQUESTS_MAX; i++) {
		if (c->open_ids[i] == id)
			return false;
		if (c->open_ids[i] == 0 && free_row == CHANNEL_REQUESTS_MAX)
			free_row = i;
	}
	c->open_ids[free_row] = id;
	c->open_count++;
	return true;
}

static void
close_id(struct channel *c, int64_t id)
{
	for (size_t i = 0; i < CHANNEL_REQUESTS_MAX; i++) {
		if (c->open_ids[i] == id) {
			c->open_ids[i] = 0;
			c->open_count--;
			return;
		}
	}
	bug("answer to request %lld, which is not open", (long long)id);
}

static bool
id_is_open(const struct channel *c, int64_t id)
{
	for (size_t i = 0; i < CHANNEL_REQUESTS_MAX; i++)
		if (c->open_ids[i] == id)
			return true;
	return false;
}

static int
take_hello(struct channel *c, const struct message *message)
{
	const struct hello_params *hello = &message->params.hello;

	if (hello->protocol != PROTOCOL_VERSION)
		return -ERR_VERSION;
	c->hello_deadline_ms = 0;
	c->phase = PHASE_OPEN;
	return c->options.owner->opened(c, c->options.context, &c->doc, hello);
}

/* The peer's last words: it closes after them, and so do we, or it could fill
 * the log with more of them. */
static void
take_refusal(struct channel *c, const struct message *message)
{
	log_event(LOG_WARN, "channel-error", "peer=%s code=%lld reason=%.*s",
	    side_name(c->options.peer), (long long)message->code,
	    (int)message->text.n, message->text.p);
	end_later(c, message->code > 0 ? -(int)message->code : -ERR_FAILED);
}

static int
take_answer(struct channel *c, const struct message *message)
{
	for (size_t i = 0; i < CHANNEL_REQUESTS_MAX; i++) {
		struct asked row = c->asked[i];
		int error = 0;

		if (message->id == 0 || row.id != message->id)
			continue;
		c->asked[i].id = 0;
		c->asked_count--;
		if (message->type == MESSAGE_ERROR)
			error = message->code > 0 ? -(int)message->code
						  : -ERR_FAILED;
		row.answer(c, row.context, &c->doc, message, error);
		return 0;
	}
	if (message->id == 0 || message->id >= c->next_id)
		return -ERR_ID;
	return 0; /* a late answer to a request we gave up */
}

static int
take_call(struct channel *c, const struct message *message)
{
	if (message->method == METHOD_HELLO)
		return -ERR_HELLO_TWICE;
	if (message->method == METHOD_CANCEL) {
		if (c->options.owner->cancelled != NULL &&
		    id_is_open(c, message->params.cancel.id))
			c->options.owner->cancelled(
			    c, c->options.context, message->params.cancel.id);
		return 0;
	}
	if (message->id != 0 && !open_id(c, message->id))
		return -ERR_ID;
	return c->options.owner->received(
	    c, c->options.context, &c->doc, message);
}

static void
take_frame(struct channel *c, struct span frame)
{
	struct json_error where = {0};
	struct message message;
	int rc;

	rc = message_parse(
	    frame, c->options.peer, c->options.self, &c->doc, &message, &where);
	if (rc == 0) {
		if (message.type == MESSAGE_ERROR && message.id == 0)
			take_refusal(c, &message); /* in place of a hello too */
		else if (message.type != MESSAGE_CALL)
			rc = c->phase == PHASE_OPEN ? take_answer(c, &message)
						    : -ERR_PHASE;
		else if (c->phase == PHASE_OPEN)
			rc = take_call(c, &message);
		else if (message.method == METHOD_HELLO)
			rc = take_hello(c, &message);
		else
			rc = -ERR_PHASE;
	}
	if (rc != 0 && !c->dead)
		refuse(c, rc, &where);
}

/* Hand out whole frames until there is none, or a reason to stop. */
static void
take_frames(struct channel *c)
{
	struct span frame;
	int rc = 0;

	while (!c->dead && c->phase != PHASE_CLOSING && !is_held(c)) {
		rc = frame_next(&c->reader, &frame);
		if (rc != 1)
			break;
		c->frame_deadline_ms = 0; /* the next one has its own */
		take_frame(c, frame);
		if (c->out.len - c->out_sent > CHANNEL_HIGH_BYTES)
			c->above = true;
	}
	if (c->dead || c->phase == PHASE_CLOSING)
		return;
	if (rc < 0) {
		refuse(c, rc, NULL);
		return;
	}
	if (is_held(c) || !frame_pending(&c->reader))
		c->frame_deadline_ms = 0;
	else if (c->frame_deadline_ms == 0)
		c->frame_deadline_ms = clock_ms() + FRAME_DEADLINE_MS;
}

/* One large frame should not keep its memory for the channel's life. */
static void
shrink(struct channel *c)
{
	if (frame_pending(&c->reader))
		return;
	if (c->reader.in.cap > KEEP_BYTES)
		frame_reader_done(&c->reader);
	if (c->doc.cap > KEEP_NODES || c->doc.strings.cap > KEEP_BYTES)
		json_done(&c->doc);
}

static void
end_round(struct channel *c)
{
	c->busy = false;
	shrink(c);
	channel_flush(c);
}

static void
on_end_of_input(struct channel *c)
{
	bool cut = frame_pending(&c->reader);

	channel_close(c, cut ? -ERR_FRAME_CUT : 0);
}

static void
on_readable(void *context)
{
	struct channel *c = context;
	char *to = frame_reader_room(&c->reader, READ_BYTES);
	ssize_t got;

	if (to == NULL)
		bug("frame reader is full");
	got = read(c->fd_in, to, READ_BYTES);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		if (got < 0)
			channel_close(c, -ERR_CLOSED);
		else
			on_end_of_input(c);
		return;
	}
	c->reader.in.len += (size_t)got;
	c->busy = true;
	take_frames(c);
	end_round(c);
}

/* Frames may wait in memory after a hold: go on with them. */
static void
resume(struct channel *c)
{
	if (c->busy || c->dead || c->reader.in.len == 0)
		return;
	c->busy = true;
	take_frames(c);
	end_round(c);
}

/* Write what the socket takes; false when the channel is gone. */
static bool
write_out(struct channel *c)
{
	while (c->out_sent < c->out.len) {
		ssize_t put = write(c->fd_out, c->out.data + c->out_sent,
		    c->out.len - c->out_sent);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN)
			break;
		if (put < 0) {
			end_later(c, -ERR_CLOSED);
			return false;
		}
		c->out_sent += (size_t)put;
		c->write_deadline_ms = 0;
	}
	if (c->out_sent == c->out.len) {
		buf_clear(&c->out);
		c->out_sent = 0;
	} else if (c->out_sent > CHANNEL_LOW_BYTES) {
		buf_consume(&c->out, c->out_sent);
		c->out_sent = 0;
	}
	return true;
}

void
channel_flush(struct channel *c)
{
	bool drained;

	if (c->busy || c->ended || c->dead)
		return;
	c->waits = c->out.len != c->out_sent &&
		   c->options.owner->leaving != NULL &&
		   !c->options.owner->leaving(c, c->options.context);
	if (c->waits)
		c->write_deadline_ms = 0; /* not the peer's fault */
	else if (!write_out(c))
		return;
	if (c->out.len == 0 && c->phase == PHASE_CLOSING) {
		end_later(c, c->close_error);
		return;
	}
	if (c->out.len != 0 && c->write_deadline_ms == 0 && !c->waits)
		c->write_deadline_ms = clock_ms() + CHANNEL_WRITE_DEADLINE_MS;
	drained =
	    (c->above || c->wanted) && channel_queued(c) < CHANNEL_LOW_BYTES;
	if (drained)
		c->above = c->wanted = false;
	settle_watches(c);
	arm_timer(c);
	if (drained) {
		if (c->options.owner->drained != NULL)
			c->options.owner->drained(c, c->options.context);
		resume(c);
	}
}

static void
on_writable(void *context)
{
	channel_flush(context);
}

/* Requests of ours that nobody answered in time. */
static void
expire_asked(struct channel *c, int64_t now)
{
	for (size_t i = 0; i < CHANNEL_REQUESTS_MAX && !c->dead; i++) {
		struct asked row = c->asked[i];

		if (row.id == 0 || row.deadline_ms > now)
			continue;
		c->asked[i].id = 0;
		c->asked_count--;
		message_cancel(&c->out, row.id);
		row.answer(c, row.context, NULL, NULL, -ERR_DEADLINE);
	}
}

static void
on_timer(void *context)
{
	struct channel *c = context;
	int64_t now = clock_ms();

	if (c->dead) {
		channel_free(c);
		return;
	}
	if (c->ended) {
		channel_close(c, c->close_error);
		return;
	}
	c->armed_ms = 0;
	if ((c->write_deadline_ms != 0 && now >= c->write_deadline_ms) ||
	    (c->last_words_ms != 0 && now >= c->last_words_ms)) {
		channel_close(c, -ERR_CLOSED);
		return;
	}
	c->busy = true;
	if (c->hello_deadline_ms != 0 && now >= c->hello_deadline_ms)
		refuse(c, -ERR_HELLO_TIMEOUT, NULL);
	else if (c->frame_deadline_ms != 0 && now >= c->frame_deadline_ms)
		refuse(c, -ERR_FRAME_TIMEOUT, NULL);
	expire_asked(c, now);
	end_round(c);
}

struct channel *
channel_new(struct loop *loop, int fd_in, int fd_out,
    const struct channel_options *options)
{
	struct channel *c = alloc_bytes(sizeof *c);

	c->loop = loop;
	c->fd_in = fd_in;
	c->fd_out = fd_out;
	c->options = *options;
	c->next_id = 1;
	set_nonblocking(fd_in);
	if (fd_out != fd_in)
		set_nonblocking(fd_out);
	frame_reader_init(&c->reader);
	json_init(&c->doc);
	buf_init(&c->out, OUT_MAX_BYTES);
	c->readable = loop_watch_read(loop, fd_in, on_readable, c);
	c->writable = loop_watch_write(loop, fd_out, on_writable, c);
	c->timer = loop_timer(loop, on_timer, c);
	c->hello_deadline_ms =
	    clock_ms() +
	    (options->hello_ms == 0 ? HELLO_DEADLINE_MS : options->hello_ms);
	if (message_hello(&c->out, options->zone, options->program,
		options->attestation) != 0)
		bug("our own hello is too large");
	/* first write from the loop, so that closed is never called before
	 * the caller has the channel */
	settle_watches(c);
	arm_timer(c);
	return c;
}

struct buf *
channel_out(struct channel *c)
{
	return &c->out;
}

int64_t
channel_next_id(struct channel *c)
{
	return c->next_id++;
}

bool
channel_can_ask(const struct channel *c)
{
	return !c->dead && c->phase == PHASE_OPEN &&
	       c->asked_count < CHANNEL_REQUESTS_MAX;
}

int
channel_asked(struct channel *c, int64_t id, int64_t deadline_ms,
    channel_answer *answer, void *context)
{
	for (size_t i = 0; i < CHANNEL_REQUESTS_MAX; i++) {
		if (c->asked[i].id != 0)
			continue;
		c->asked[i] = (struct asked){.id = id,
		    .deadline_ms = clock_ms() + deadline_ms,
		    .answer = answer,
		    .context = context};
		c->asked_count++;
		channel_flush(c);
		return 0;
	}
	return -ERR_BUSY;
}

void
channel_answered(struct channel *c, int64_t id)
{
	bool was_full = c->open_count == CHANNEL_REQUESTS_MAX;

	if (c->dead)
		return;
	close_id(c, id);
	if (c->busy)
		return;
	channel_flush(c);
	if (was_full)
		resume(c);
}

void
channel_error(struct channel *c, int64_t id, int error, const char *text,
    struct span data)
{
	if (c->ended || c->dead)
		return;
	if (message_error(&c->out, id, error, span_of(text), data) != 0) {
		end_later(c, -ERR_CLOSED);
		return;
	}
	channel_answered(c, id);
}

void
channel_hold(struct channel *c, bool hold)
{
	if (c->dead || c->hold == hold)
		return;
	c->hold = hold;
	if (c->busy)
		return;
	settle_watches(c);
	if (!hold)
		resume(c);
}

size_t
channel_queued(const struct channel *c)
{
	return c->out.len - c->out_sent;
}

void
channel_want_drained(struct channel *c)
{
	c->wanted = true;
}

bool
channel_is_open(const struct channel *c)
{
	return !c->dead && c->phase == PHASE_OPEN;
}
