/*
 * A reader's channel: raw items of the inbox and what calls brought back go
 * out in pieces, clean objects come back and are checked as if nobody had. A
 * reader that dies, lies or takes too long fails what it has: an item, whose
 * second failure is the last, or a call, whose only one it is. A disk that
 * fails is no fault of an item, which waits. An item never stays with a reader
 * that is gone: if its state cannot be stored, the broker ends and the next
 * start settles it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/broker.h"
#include "proto/clean.h"
#include "proto/detection.h"
#include "proto/stream.h"

#define CLEAN_DEADLINE_MS 60000 /* the worker's own limits end far sooner */
/* A reader's, whatever is left of the call's, which may have waited: that ends
 * with a cancel, and one that answers it has done nothing wrong. */
#define CONTENT_DEADLINE_MS 25000
#define STREAM_NUMBER 1 /* one item at a time */
/* In a record's detail, with the members before them. */
#define DETECTIONS_BYTES (ENTRY_DETAIL_MAX - 128)
#define DISK_PAUSE_MS 5000 /* a full disk is not asked at every turn */

struct reader {
	struct link link;
	enum reader_channel channel; /* of what it has */
	int64_t item;		     /* of the inbox, 0: none */
	struct pending *call;	     /* whose content it has, NULL: none */
	int64_t id;		     /* of the request it has */
	struct stream_out out;
	struct buf record; /* the operator's, until the item is stored */
	bool has_record;
	struct buf detections; /* the first of them, out of the record */
	size_t detected;       /* all of them */
	bool lost;	       /* it goes away with what it has */
};

static bool
is_idle(const struct reader *r)
{
	return r->item == 0 && r->call == NULL;
}

bool
reader_for_content(struct broker *b)
{
	for (const struct link *l = b->links; l != NULL; l = l->next)
		if (!l->gone && l->listener->kind == LINK_READER &&
		    (l->listener->zone->channels & CHANNEL_BIT(CHANNEL_TEXT)) !=
			0 &&
		    channel_can_ask(l->channel))
			return true;
	return false;
}

/* Whose work it is. */
static void
entry_begin(
    struct entry_head *entry, enum record_kind kind, const struct reader *r)
{
	entry_init(entry, kind);
	entry->message = (uint64_t)r->item;
	if (r->call != NULL) {
		entry->request = r->call->request;
		entry->session = (uint64_t)r->call->session;
	}
	entry_text(entry->zone, sizeof entry->zone,
	    span_of(r->link.listener->zone->name));
}

static void
record_item(struct reader *r, enum record_kind kind, int error,
    struct span what, uint64_t bytes, const unsigned char *hash)
{
	struct entry_head entry;

	entry_begin(&entry, kind, r);
	entry.error = (uint32_t)(error < 0 ? -error : error);
	entry.bytes = bytes;
	if (hash != NULL) {
		entry.committed = 1;
		memcpy(entry.body_hash, hash, sizeof entry.body_hash);
	}
	entry_text(kind == RECORD_QUARANTINE ? entry.why : entry.detail,
	    kind == RECORD_QUARANTINE ? sizeof entry.why : sizeof entry.detail,
	    what);
	entry_send(r->link.broker, &entry, (struct span){0}, (struct span){0});
}

/* What was found in it, and of each place rules, score and hash: the first
 * ones, as many as a record has room for. */
static void
record_detections(struct reader *r, const struct clean_view *view)
{
	struct entry_head entry;
	struct json_writer w;
	struct buf detail;
	char score[16];

	if (r->detected == 0 && !span_is(view->verdict, "suspect"))
		return;
	(void)snprintf(score, sizeof score, "%.4f", view->score);
	buf_init(&detail, ENTRY_DETAIL_MAX);
	json_write_init(&w, &detail);
	json_open(&w, '{');
	json_put_string(&w, "verdict", view->verdict);
	json_put_raw(&w, "score", span_of(score));
	json_put_integer(&w, "spans", (int64_t)view->spans->count);
	json_put_integer(&w, "found", (int64_t)r->detected);
	json_key(&w, "first");
	json_open(&w, '[');
	json_raw_value(
	    &w, (struct span){r->detections.data, r->detections.len});
	json_close(&w, ']');
	json_close(&w, '}');
	if (detail.overflow)
		bug("detections that do not fit a record");
	entry_begin(&entry, RECORD_DETECT, r);
	entry_send_long(
	    r->link.broker, &entry, (struct span){detail.data, detail.len});
	buf_free(&detail);
}

/* The item or content leaves this reader's hands. */
static void
end_item(struct reader *r)
{
	stream_out_done(&r->out);
	buf_clear(&r->record);
	buf_clear(&r->detections);
	r->has_record = false;
	r->detected = 0;
	r->item = 0;
	r->call = NULL;
	machine_did(&r->link, !r->lost);
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
call_failed(struct reader *r, int error, struct span reason)
{
	struct broker *b = r->link.broker;
	struct pending *call = r->call;

	if (!b->ending)
		record_item(r, RECORD_CLEAN, error, reason, 0, NULL);
	end_item(r);
	content_failed(call, error,
	    error == -ERR_DEADLINE ? "no reader has made it clean in time"
				   : "its reader has not made it clean");
}

static void
work_failed(struct reader *r, int error, struct span reason)
{
	if (r->call != NULL)
		call_failed(r, error, reason);
	else
		item_failed(r, error, reason);
}

static void
record_clean(struct reader *r, const struct clean_view *view, struct span clean)
{
	unsigned char hash[SHA256_BYTES];

	sha256_of(clean.p, clean.n, hash);
	record_item(r, RECORD_CLEAN, 0, (struct span){0}, clean.n, hash);
	record_detections(r, view);
}

static bool
is_let_through(const struct reader *r, const struct clean_view *view)
{
	return r->link.listener->zone->suspect == SUSPECT_PASS ||
	       !span_is(view->verdict, "suspect");
}

static void
give_clean(struct reader *r, const struct clean_view *view, struct span clean)
{
	struct pending *call = r->call;
	bool through = is_let_through(r, view);

	record_clean(r, view, clean);
	end_item(r);
	if (through)
		content_done(call, clean);
	else
		content_failed(call, -ERR_DENIED,
		    "what it brought back is judged suspect; its reader's "
		    "zone passes none of that on");
}

static void
store_clean(struct reader *r, const struct clean_view *view, struct span clean)
{
	struct span record = {r->record.data, r->record.len};
	int rc;

	if (record.n == 0)
		record = SPAN("{}");
	if (is_let_through(r, view))
		rc = inbox_clean_done(
		    r->link.broker->inbox, r->item, clean, record);
	else
		rc = inbox_clean_suspect(r->link.broker->inbox, r->item, clean,
		    record, r->link.listener->zone->suspect == SUSPECT_NARROW);
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
	record_clean(r, view, clean);
	end_item(r);
}

/* The object is one, and of the channel that was asked for. */
static int
check_object(const struct reader *r, const struct json_doc *doc,
    const struct json_node *object, struct clean_view *view,
    struct json_error *where)
{
	int rc = clean_check(doc, object, view, where);

	if (rc == 0 && !span_is(view->channel, config_channel_name(r->channel)))
		return json_complain(doc, object, where, ERR_RANGE,
		    "an object of another channel");
	return rc;
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

	if (is_idle(r))
		return;
	if (error != 0) {
		work_failed(r, error, span_of(err_text(error)));
		if (error == -ERR_DEADLINE)
			channel_close_soon(channel, error);
	} else {
		object = json_get(doc, answer->result, "message");
		error = check_object(r, doc, object, &view, &where);
		if (error == 0 && view.error != 0) {
			work_failed(r, (int)view.error, view.error_text);
		} else if (error == 0 && r->call != NULL) {
			give_clean(r, &view, json_raw(doc, object));
		} else if (error == 0) {
			store_clean(r, &view, json_raw(doc, object));
		} else {
			json_error_text(&where, reason, sizeof reason);
			work_failed(r, error, span_of(reason));
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

static int64_t
read_content(void *context, int64_t offset, void *to, size_t room)
{
	const struct reader *r = context;
	const struct buf *content = &r->call->content;
	size_t left = content->len - (size_t)offset;
	size_t n = left < room ? left : room;

	memcpy(to, content->data + offset, n);
	return (int64_t)n;
}

static void
run_stream(struct reader *r)
{
	int rc = is_idle(r) ? 0 : stream_out_run(&r->out);

	if (rc != 0) {
		work_failed(r, rc, span_of(err_text(rc)));
		channel_close_soon(r->link.channel, rc);
	}
}

/* Ask for what item or call says. */
static void
send_work(struct reader *r, enum reader_channel what, int64_t bytes)
{
	struct channel *channel = r->link.channel;
	int64_t id = channel_next_id(channel);
	struct message_writer m;

	r->channel = what;
	r->id = id;
	stream_out_init(&r->out, channel, STREAM_NUMBER, bytes,
	    what == CHANNEL_TEXT ? read_content : read_raw, r);
	message_begin(&m, channel_out(channel), METHOD_CLEAN, id);
	json_put_integer(&m.json, "stream", STREAM_NUMBER);
	json_put_text(&m.json, "channel", config_channel_name(what));
	json_put_integer(&m.json, "bytes", bytes);
	message_end(&m);
	if (channel_asked(channel, id,
		what == CHANNEL_TEXT ? CONTENT_DEADLINE_MS : CLEAN_DEADLINE_MS,
		on_answer, r) != 0)
		bug("an idle reader has no room for a request");
	run_stream(r);
}

/* Take what a call brought back; false if nothing waits. */
static bool
take_call(struct reader *r)
{
	struct pending *call = content_next(r->link.broker);

	if (call == NULL)
		return false;
	r->call = call;
	call->state = PENDING_READER;
	machine_gave(&r->link, -1);
	send_work(r, CHANNEL_TEXT, (int64_t)call->content.len);
	return true;
}

/* Take the oldest new item for this reader; false if there is none. */
static bool
take_item(struct reader *r)
{
	struct broker *b = r->link.broker;
	struct inbox_item item;
	int64_t id;
	int rc = inbox_next_new(
	    b->inbox, span_of(config_channel_name(CHANNEL_MAIL)), &id);

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
	r->item = id;
	machine_gave(&r->link, item.arrived_ms);
	send_work(r, CHANNEL_MAIL, (int64_t)item.bytes);
	return true;
}

static bool
serves(const struct reader *r, enum reader_channel channel)
{
	return (r->link.listener->zone->channels & CHANNEL_BIT(channel)) != 0;
}

/* It answers that, or its time ends; until then it takes nothing else, so no
 * late word about this is taken for one about the next. */
void
reader_cancel(struct broker *b, const struct pending *call)
{
	for (struct link *l = b->links; l != NULL; l = l->next) {
		const struct reader *r = (const struct reader *)l;

		if (l->gone || l->listener->kind != LINK_READER ||
		    r->call != call)
			continue;
		message_cancel(channel_out(l->channel), r->id);
		channel_flush(l->channel);
		return;
	}
}

/* A mail and a call in turn where both wait, so that neither keeps the other
 * from a reader of both. */
static void
feed(struct reader *r)
{
	struct broker *b = r->link.broker;
	bool mail = serves(r, CHANNEL_MAIL) && clock_ms() >= b->feed_at_ms;

	if (mail && r->channel == CHANNEL_TEXT && take_item(r))
		return;
	if (serves(r, CHANNEL_TEXT) && take_call(r))
		return;
	if (mail && r->channel != CHANNEL_TEXT)
		take_item(r);
}

void
reader_feed(struct broker *b)
{
	for (struct link *l = b->links, *next; l != NULL; l = next) {
		struct reader *r = (struct reader *)l;

		next = l->next;
		if (b->ending || l->gone || l->listener->kind != LINK_READER ||
		    !is_idle(r) || !channel_can_ask(l->channel))
			continue;
		if (!machine_retire(l))
			feed(r);
	}
}

/* An item's is kept for the operator; of any the detections. */
static int
take_record(
    struct reader *r, const struct json_doc *doc, const struct json_node *node)
{
	struct span record = json_raw(doc, node);
	int rc = detection_read(doc, node, &r->detections, &r->detected);

	r->has_record = true;
	if (rc == 0 && r->item != 0)
		rc = buf_add(&r->record, record.p, record.n);
	return rc;
}

static int
on_received(struct channel *channel, void *context, const struct json_doc *doc,
    const struct message *message)
{
	struct reader *r = context;
	int rc;

	(void)channel;
	if (is_idle(r))
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
	if (message->params.record.stream != STREAM_NUMBER || r->has_record)
		return -ERR_STREAM;
	return take_record(r, doc, message->params.record.record);
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
	machine_opened(&r->link);
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
	r->lost = true;
	if (!is_idle(r))
		work_failed(r, error == 0 ? -ERR_CLOSED : error,
		    SPAN("its reader went away"));
	buf_free(&r->record);
	buf_free(&r->detections);
	machine_closed(&r->link);
	link_remove(&r->link);
	reader_feed(b);
	content_tick(b);
}

struct link *
reader_new(struct broker *b)
{
	struct reader *r = alloc_bytes(sizeof *r);

	(void)b;
	buf_init(&r->record, INBOX_RECORD_MAX_BYTES);
	buf_init(&r->detections, DETECTIONS_BYTES);
	return &r->link;
}

const struct channel_owner reader_owner = {
    .opened = on_opened,
    .received = on_received,
    .drained = on_drained,
    .leaving = link_leaving,
    .closed = on_closed,
};
