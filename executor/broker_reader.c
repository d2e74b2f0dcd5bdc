/*
 * A reader's channel: raw items go out in pieces, clean objects come back and
 * are checked as if nobody had. A reader that dies, lies or takes too long
 * fails its item; the second failure is the last. A disk that fails is no
 * fault of an item, which waits. An item never stays with a reader that is
 * gone: if its state cannot be stored, the broker ends and the next start
 * settles it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/broker.h"
#include "proto/clean.h"
#include "proto/stream.h"

#define CLEAN_DEADLINE_MS 60000 /* the worker's own limits end far sooner */
#define STREAM_NUMBER 1		/* one item at a time */
#define DISK_PAUSE_MS 5000	/* a full disk is not asked at every turn */

struct reader {
	struct link link;
	int64_t item; /* 0: idle */
	uint64_t bytes;
	struct stream_out out;
	struct buf record; /* the operator's, until the item is stored */
	struct json_error where;
};

static void
record_item(struct reader *r, enum record_kind kind, int error,
    struct span what, uint64_t bytes, const unsigned char *hash)
{
	struct entry_head entry;

	entry_init(&entry, kind);
	entry.message = (uint64_t)r->item;
	entry.error = (uint32_t)(error < 0 ? -error : error);
	entry.bytes = bytes;
	if (hash != NULL) {
		entry.committed = 1;
		memcpy(entry.body_hash, hash, sizeof entry.body_hash);
	}
	entry_text(entry.zone, sizeof entry.zone,
	    span_of(r->link.listener->zone->name));
	entry_text(kind == RECORD_QUARANTINE ? entry.why : entry.detail,
	    kind == RECORD_QUARANTINE ? sizeof entry.why : sizeof entry.detail,
	    what);
	entry_send(r->link.broker, &entry, (struct span){0}, (struct span){0});
}

/* The item leaves this reader's hands. */
static void
end_item(struct reader *r)
{
	stream_out_done(&r->out);
	buf_clear(&r->record);
	r->item = 0;
}

static void
must_settle(const struct reader *r, int rc)
{
	if (rc != 0 && !r->link.broker->ending)
		die(EXIT_SYSTEM,
		    "what became of item %lld cannot be stored "
		    "(%s): the next start settles it",
		    (long long)r->item, err_text(rc));
}

/* The disk, not the mail: log it, and feed nobody for a while. True if the
 * error is one of these. */
static bool
disk_failed(struct broker *b, int error)
{
	if (error != -ERR_NO_SPACE && error != -ERR_IO)
		return false;
	log_event(LOG_ERROR, "inbox", "reason=%s", err_text(error));
	b->feed_at_ms = clock_ms() + DISK_PAUSE_MS;
	return true;
}

static void
item_failed(struct reader *r, int error, struct span reason)
{
	struct broker *b = r->link.broker;
	enum inbox_state state = INBOX_NEW;

	must_settle(r,
	    b->ending ? inbox_clean_abandon(b->inbox, r->item)
		      : inbox_clean_failed(b->inbox, r->item, reason, &state));
	if (state == INBOX_QUARANTINED)
		record_item(r, RECORD_QUARANTINE, error, reason, 0, NULL);
	else if (!b->ending)
		record_item(r, RECORD_CLEAN, error, reason, 0, NULL);
	end_item(r);
}

static void
store_clean(struct reader *r, struct span clean)
{
	struct span record = {r->record.data, r->record.len};
	unsigned char hash[SHA256_BYTES];
	int rc;

	if (record.n == 0)
		record = SPAN("{}");
	rc = inbox_clean_done(r->link.broker->inbox, r->item, clean, record);
	if (disk_failed(r->link.broker, rc)) {
		must_settle(
		    r, inbox_clean_abandon(r->link.broker->inbox, r->item));
		end_item(r);
		return;
	}
	if (rc != 0) {
		item_failed(r, rc, span_of(err_text(rc)));
		return;
	}
	sha256_of(clean.p, clean.n, hash);
	record_item(r, RECORD_CLEAN, 0, (struct span){0}, clean.n, hash);
	end_item(r);
}

/* The reader's answer to `clean`. */
static void
on_answer(struct channel *channel, void *context, const struct json_doc *doc,
    const struct message *answer, int error)
{
	struct reader *r = context;
	struct json_error where = {0};
	struct clean_view view;
	const struct json_node *object;
	char reason[300];

	if (r->item == 0)
		return;
	if (error != 0) {
		item_failed(r, error, span_of(err_text(error)));
		if (error == -ERR_DEADLINE)
			channel_close_soon(channel, error);
	} else {
		object = json_get(doc, answer->result, "message");
		error = clean_check(doc, object, &view, &where);
		if (error == 0 && view.error != 0) {
			item_failed(r, (int)view.error, view.error_text);
		} else if (error == 0) {
			store_clean(r, json_raw(doc, object));
		} else {
			json_error_text(&where, reason, sizeof reason);
			item_failed(r, error, span_of(reason));
		}
	}
	reader_feed(r->link.broker);
	planner_wake(r->link.broker);
}

static int64_t
read_raw(void *context, int64_t offset, void *to, size_t room)
{
	struct reader *r = context;
	size_t got;
	int rc = inbox_raw_read(
	    r->link.broker->inbox, r->item, (uint64_t)offset, to, room, &got);

	return rc != 0 ? rc : got == 0 ? -ERR_CORRUPT : (int64_t)got;
}

static void
run_stream(struct reader *r)
{
	int rc = r->item == 0 ? 0 : stream_out_run(&r->out);

	if (rc != 0) {
		item_failed(r, rc, span_of(err_text(rc)));
		channel_close_soon(r->link.channel, rc);
	}
}

static void
send_item(struct reader *r, const struct inbox_item *item)
{
	struct channel *channel = r->link.channel;
	int64_t id = channel_next_id(channel);
	struct message_writer m;

	r->item = item->id;
	stream_out_init(
	    &r->out, channel, STREAM_NUMBER, (int64_t)item->bytes, read_raw, r);
	message_begin(&m, channel_out(channel), METHOD_CLEAN, id);
	json_put_integer(&m.json, "stream", STREAM_NUMBER);
	json_put_text(&m.json, "channel", item->channel);
	json_put_integer(&m.json, "bytes", (int64_t)item->bytes);
	message_end(&m);
	if (channel_asked(channel, id, CLEAN_DEADLINE_MS, on_answer, r) != 0)
		bug("an idle reader has no room for a request");
	run_stream(r);
}

/* Take the oldest new item for this reader; false if there is none. */
static bool
take_item(struct reader *r)
{
	struct broker *b = r->link.broker;
	struct inbox_item item;
	int64_t id;
	int rc = inbox_next_new(
	    b->inbox, span_of(r->link.listener->zone->channel), &id);

	if (rc == 0)
		rc = inbox_get(b->inbox, id, &item);
	if (rc == 0)
		rc = inbox_clean_begin(b->inbox, id);
	if (rc != 0) {
		if (rc != -ERR_NOT_FOUND && !disk_failed(b, rc))
			log_event(
			    LOG_ERROR, "inbox", "reason=%s", err_text(rc));
		return false;
	}
	send_item(r, &item);
	return true;
}

void
reader_feed(struct broker *b)
{
	if (b->feed_at_ms != 0 && clock_ms() < b->feed_at_ms)
		return;
	b->feed_at_ms = 0;
	for (struct link *l = b->links, *next; l != NULL; l = next) {
		struct reader *r = (struct reader *)l;

		next = l->next;
		if (!b->ending && !l->gone &&
		    l->listener->kind == LINK_READER && r->item == 0 &&
		    channel_can_ask(l->channel))
			take_item(r);
	}
}

static int
on_received(struct channel *channel, void *context, const struct json_doc *doc,
    const struct message *message)
{
	struct reader *r = context;
	struct span record;
	int rc;

	(void)channel;
	if (r->item == 0)
		return -ERR_PHASE;
	if (message->method == METHOD_CREDIT) {
		if (message->params.credit.stream != STREAM_NUMBER)
			return -ERR_STREAM;
		rc = stream_out_credit(&r->out, message->params.credit.bytes);
		if (rc == 0)
			run_stream(r);
		return rc;
	}
	if (message->method != METHOD_RECORD)
		return -ERR_NO_METHOD;
	if (message->params.record.stream != STREAM_NUMBER ||
	    r->record.len != 0)
		return -ERR_STREAM;
	record = json_raw(doc, message->params.record.record);
	return buf_add(&r->record, record.p, record.n);
}

static int
on_opened(struct channel *channel, void *context, const struct json_doc *doc,
    const struct hello_params *hello)
{
	struct reader *r = context;
	int rc;

	(void)channel;
	if (!span_is(hello->zone, r->link.listener->zone->name))
		return -ERR_ZONE;
	rc = entry_hello(r->link.broker, r->link.listener, 0, doc, hello);
	if (rc != 0)
		return rc;
	reader_feed(r->link.broker);
	return 0;
}

static void
on_drained(struct channel *channel, void *context)
{
	(void)channel;
	run_stream(context);
}

static void
on_closed(struct channel *channel, void *context, int error)
{
	struct reader *r = context;
	struct broker *b = r->link.broker;

	(void)channel;
	log_event(LOG_INFO, "closed", "zone=%s code=%d",
	    r->link.listener->zone->name, -error);
	if (r->item != 0)
		item_failed(r, error == 0 ? -ERR_CLOSED : error,
		    SPAN("its reader went away"));
	buf_free(&r->record);
	link_remove(&r->link);
	reader_feed(b);
}

struct link *
reader_new(struct broker *b)
{
	struct reader *r = alloc_bytes(sizeof *r);

	(void)b;
	buf_init(&r->record, INBOX_RECORD_MAX_BYTES);
	return &r->link;
}

const struct channel_owner reader_owner = {
    .opened = on_opened,
    .received = on_received,
    .drained = on_drained,
    .leaving = link_leaving,
    .closed = on_closed,
};
