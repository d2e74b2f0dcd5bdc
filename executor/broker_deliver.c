/*
 * Delivery: a local program hands over one raw item, which is on disk before
 * it is told so. The bytes are counted and hashed here, never looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/limits.h"
#include "common/log.h"
#include "executor/broker.h"
#include "proto/stream.h"

/* Nobody keeps one of the few places by being slow: from frame to frame, and
 * from the request to the last byte. */
#define DELIVER_IDLE_MS REQUEST_DEADLINE_MS
#define DELIVER_WHOLE_MS 300000

struct deliver {
	struct link link;
	struct watch *idle_timer;
	int64_t deadline_ms;	   /* of the delivery under way */
	struct inbox_stage *stage; /* NULL: no delivery under way */
	struct stream_in in;
	int64_t id; /* of the deliver request */
	char channel_name[NAME_MAX_BYTES + 1];
};

static void
end_stream(struct deliver *d)
{
	stream_in_done(&d->in);
	d->stage = NULL;
}

static int
take_bytes(void *context, struct span bytes)
{
	struct deliver *d = context;

	return inbox_stage_add(d->stage, bytes.p, bytes.n);
}

static bool
channel_is_served(const struct broker *b, struct span name)
{
	for (size_t i = 0; i < b->config->deliver_channel_count; i++)
		if (span_is(name, b->config->deliver_channels[i]))
			return true;
	return false;
}

/* Whether one more delivery fits this minute. */
static bool
within_rate(struct broker *b)
{
	int64_t minute = clock_ms() / 60000;

	if (minute != b->deliver_minute) {
		b->deliver_minute = minute;
		b->delivered = 0;
	}
	if (b->delivered >= b->config->deliver_per_minute)
		return false;
	b->delivered++;
	return true;
}

static int
refuse(struct deliver *d, int64_t id, int error, const char *text)
{
	channel_error(d->link.channel, id, error, text, (struct span){0});
	return 0;
}

static int
take_deliver(struct deliver *d, int64_t id, const struct deliver_params *params)
{
	struct broker *b = d->link.broker;
	int rc;

	if (d->stage != NULL)
		return refuse(d, id, ERR_BUSY, "one delivery at a time");
	if (!channel_is_served(b, params->channel))
		return refuse(d, id, ERR_UNAVAILABLE,
		    "no such channel in the configuration");
	if (!within_rate(b))
		return refuse(d, id, ERR_QUOTA,
		    "too many deliveries this minute; try again later");
	rc = inbox_stage_begin(
	    b->inbox, params->channel, (uint64_t)params->bytes, &d->stage);
	if (rc != 0)
		return refuse(d, id, rc, err_text(rc));
	timer_set(d->idle_timer, DELIVER_IDLE_MS);
	d->id = id;
	d->deadline_ms = clock_ms() + DELIVER_WHOLE_MS;
	entry_text(d->channel_name, sizeof d->channel_name, params->channel);
	stream_in_init(&d->in, d->link.channel, params->stream, params->bytes,
	    take_bytes, d);
	return 0;
}

static void
record_delivery(struct deliver *d, int64_t item, bool duplicate,
    const unsigned char sha256[SHA256_BYTES])
{
	struct entry_head entry;

	entry_init(&entry, RECORD_DELIVER);
	entry.message = (uint64_t)item;
	entry.bytes = (uint64_t)d->in.bytes;
	entry.committed = 1;
	memcpy(entry.body_hash, sha256, sizeof entry.body_hash);
	entry_text(entry.zone, sizeof entry.zone, span_of(d->channel_name));
	if (duplicate)
		entry_text(entry.detail, sizeof entry.detail,
		    SPAN("the same bytes were there already"));
	entry_send(d->link.broker, &entry, (struct span){0}, (struct span){0});
}

static void
answer_delivered(struct deliver *d, int64_t item, bool duplicate)
{
	struct message_writer m;
	char handle[32];

	handle_format(item, handle);
	result_begin(&m, channel_out(d->link.channel), d->id);
	json_put_text(&m.json, "handle", handle);
	json_put_boolean(&m.json, "duplicate", duplicate);
	link_answer(&d->link, &m, d->id, 0);
}

static int
take_end(struct deliver *d, const struct end_params *params)
{
	unsigned char sha256[SHA256_BYTES];
	bool duplicate;
	int64_t item;
	int rc;

	rc = stream_in_end(&d->in, params, sha256);
	if (rc != 0)
		return rc;
	rc = inbox_stage_commit(d->stage, sha256, &item, &duplicate);
	d->stage = NULL; /* gone, whatever became of it */
	if (rc != 0) {
		refuse(d, d->id, rc, err_text(rc));
	} else {
		receipt_turn(d->link.broker, &d->link);
		record_delivery(d, item, duplicate, sha256);
		answer_delivered(d, item, duplicate);
		receipt_turn(d->link.broker, NULL);
	}
	end_stream(d);
	if (rc == 0 && !duplicate)
		reader_feed(d->link.broker);
	return 0;
}

static int
on_received(struct channel *channel, void *context, const struct json_doc *doc,
    const struct message *message)
{
	struct deliver *d = context;

	(void)channel;
	(void)doc;
	if (message->method == METHOD_DELIVER)
		return take_deliver(d, message->id, &message->params.deliver);
	if (d->stage == NULL)
		return -ERR_STREAM;
	if (clock_ms() >= d->deadline_ms)
		return -ERR_DEADLINE;
	timer_set(d->idle_timer, DELIVER_IDLE_MS);
	if (message->method == METHOD_CHUNK)
		return stream_in_chunk(&d->in, &message->params.chunk);
	if (message->method == METHOD_END)
		return take_end(d, &message->params.end);
	return -ERR_NO_METHOD;
}

static void
on_idle(void *context)
{
	struct deliver *d = context;

	if (d->stage != NULL)
		refuse(d, d->id, ERR_DEADLINE, err_text(ERR_DEADLINE));
	channel_close_soon(d->link.channel, -ERR_DEADLINE);
}

static int
on_opened(struct channel *channel, void *context, const struct json_doc *doc,
    const struct hello_params *hello)
{
	struct deliver *d = context;

	(void)channel;
	(void)doc;
	if (!span_is(hello->zone, "deliver"))
		return -ERR_ZONE;
	d->idle_timer = loop_timer(d->link.broker->loop, on_idle, d);
	timer_set(d->idle_timer, DELIVER_IDLE_MS);
	return 0;
}

static void
on_closed(struct channel *channel, void *context, int error)
{
	struct deliver *d = context;

	(void)channel;
	if (d->stage != NULL) {
		log_event(LOG_WARN, "delivery-cut", "got=%lld of=%lld code=%d",
		    (long long)d->in.got, (long long)d->in.bytes, -error);
		inbox_stage_abort(d->stage);
		end_stream(d);
	}
	loop_unwatch(d->idle_timer);
	link_remove(&d->link);
}

struct link *
deliver_new(struct broker *b)
{
	struct deliver *d = alloc_bytes(sizeof *d);

	(void)b;
	return &d->link;
}

const struct channel_owner deliver_owner = {
    .opened = on_opened,
    .received = on_received,
    .leaving = link_leaving,
    .closed = on_closed,
};
