/*
 * The operator's channel: look at the service and its items, release or drop
 * them. Who may connect is checked when the socket is; what is changed here is
 * put on record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/broker.h"

#define RAW_VIEW_BYTES 16384 /* headers and the first screens of a mail */

static void
put_item(struct json_writer *w, const struct inbox_item *item)
{
	char handle[32];

	handle_format(item->id, handle);
	json_put_text(w, "handle", handle);
	json_put_text(w, "channel", item->channel);
	json_put_text(w, "state", inbox_state_name(item->state));
	json_put_integer(w, "bytes", (int64_t)item->bytes);
	json_put_integer(w, "failures", item->failures);
	json_put_integer(w, "attempts", item->attempts);
	json_put_integer(w, "session", item->session);
	json_put_integer(w, "arrived_ms", item->arrived_ms);
	json_put_integer(w, "changed_ms", item->changed_ms);
	json_put_text(w, "note", item->note);
}

static bool
each_item(const struct inbox_item *item, void *context)
{
	struct json_writer *w = context;

	json_open(w, '{');
	put_item(w, item);
	json_close(w, '}');
	return true;
}

static int
take_list(struct link *link, int64_t id, const struct list_params *params)
{
	struct inbox_filter filter = {
	    .after = params->after, .most = (uint32_t)params->limit};
	struct message_writer m;
	enum inbox_state state;
	int rc;

	if (params->state.n != 0) {
		state = inbox_state_find(params->state);
		if (state == INBOX_STATE_COUNT)
			return link_refuse(link, id, ERR_RANGE);
		filter.states = 1u << state;
	}
	result_begin(&m, channel_out(link->channel), id);
	json_key(&m.json, "items");
	json_open(&m.json, '[');
	rc = inbox_list(link->broker->inbox, &filter, each_item, &m.json);
	json_close(&m.json, ']');
	link_answer(link, &m, id, rc);
	return 0;
}

static void
put_text_of(struct json_writer *w, const char *key, struct inbox *inbox,
    int64_t item, int (*get)(struct inbox *inbox, int64_t id, struct buf *out))
{
	struct buf text;

	buf_init(&text, CLEAN_MAX_BYTES);
	if (get(inbox, item, &text) == 0)
		json_put_raw(w, key, (struct span){text.data, text.len});
	buf_free(&text);
}

/* The beginning of the raw bytes, for an item no reader could clean. */
static void
put_raw(struct json_writer *w, struct inbox *inbox, int64_t item)
{
	static char bytes[RAW_VIEW_BYTES]; /* one request at a time */
	size_t got = 0;

	if (inbox_raw_read(inbox, item, 0, bytes, sizeof bytes, &got) != 0)
		return; /* dropped: there is nothing any more */
	json_key(w, "raw");
	buf_add_byte(w->out, '"');
	base64_add(w->out, bytes, got);
	buf_add_byte(w->out, '"');
	w->comma = true;
}

static int
take_show(struct link *link, int64_t id, const struct handle_params *params)
{
	struct inbox *inbox = link->broker->inbox;
	struct message_writer m;
	struct inbox_item item;
	int64_t number;
	int rc = handle_parse(params->handle, &number);

	if (rc == 0)
		rc = inbox_get(inbox, number, &item);
	if (rc != 0)
		return link_refuse(link, id, rc);
	result_begin(&m, channel_out(link->channel), id);
	put_item(&m.json, &item);
	put_text_of(&m.json, "message", inbox, number, inbox_clean_text);
	put_text_of(&m.json, "record", inbox, number, inbox_record_text);
	if (item.state == INBOX_QUARANTINED || item.state == INBOX_NEW)
		put_raw(&m.json, inbox, number);
	link_answer(link, &m, id, 0);
	return 0;
}

static void
record_change(
    const struct link *link, int64_t number, const char *what, int error)
{
	struct entry_head entry;

	entry_init(&entry, RECORD_OPERATOR);
	entry.message = (uint64_t)number;
	entry.error = (uint32_t)-error;
	entry_text(entry.why, sizeof entry.why, span_of(what));
	(void)snprintf(entry.detail, sizeof entry.detail, "by user %lu",
	    (unsigned long)link->peer.uid);
	entry_send(link->broker, &entry, (struct span){0}, (struct span){0});
}

/* The record is on its way before the change is made; a change that fails
 * gets a second one. */
static int
take_change(struct link *link, int64_t id, const struct handle_params *params,
    const char *what, int (*change)(struct inbox *inbox, int64_t id))
{
	struct broker *b = link->broker;
	struct message_writer m;
	int64_t number;
	int rc = handle_parse(params->handle, &number);

	if (rc != 0)
		return link_refuse(link, id, rc);
	record_change(link, number, what, 0);
	if (!entries_flush(b))
		return link_refuse(link, id, ERR_BUSY);
	rc = change(b->inbox, number);
	if (rc != 0) {
		record_change(link, number, what, rc);
		return link_refuse(link, id, rc);
	}
	result_begin(&m, channel_out(link->channel), id);
	json_put_string(&m.json, "handle", params->handle);
	link_answer(link, &m, id, 0);
	reader_feed(b);
	planner_wake(b);
	return 0;
}

struct session_walk {
	struct broker *broker;
	struct json_writer *writer;
	int error;
};

static bool
each_session(const struct inbox_session *session, void *context)
{
	struct session_walk *walk = context;
	struct json_writer *w = walk->writer;

	json_open(w, '{');
	json_put_integer(w, "session", session->id);
	json_put_text(w, "zone", session->zone);
	json_put_text(w, "mode", session_mode_name(session->mode));
	json_key(w, "legs");
	json_open(w, '[');
	if ((session->legs & LEG_A) != 0)
		json_text(w, "A");
	if ((session->legs & LEG_B) != 0)
		json_text(w, "B");
	if ((session->legs & LEG_C) != 0)
		json_text(w, "C");
	json_close(w, ']');
	json_put_integer(w, "started_ms", session->started_ms);
	json_put_integer(w, "ended_ms", session->ended_ms);
	walk->error = count_put_leak(walk->broker, session->id, w);
	json_close(w, '}');
	return walk->error == 0;
}

static int
take_sessions(struct link *link, int64_t id)
{
	struct message_writer m;
	struct session_walk walk = {link->broker, &m.json, 0};
	int rc;

	result_begin(&m, channel_out(link->channel), id);
	json_key(&m.json, "sessions");
	json_open(&m.json, '[');
	rc = inbox_session_list(
	    link->broker->inbox, 0, true, each_session, &walk);
	json_close(&m.json, ']');
	link_answer(link, &m, id, rc == 0 ? walk.error : rc);
	return 0;
}

/* Who starts an instance says so, and connects it himself. */
static int
take_session_new(
    struct link *link, int64_t id, const struct zone_params *params)
{
	struct message_writer m;
	int rc = session_vouch(link->broker, params->zone, &link->peer);

	if (rc != 0)
		return link_refuse(link, id, rc);
	result_begin(&m, channel_out(link->channel), id);
	json_put_string(&m.json, "zone", params->zone);
	link_answer(link, &m, id, 0);
	return 0;
}

/* All mails are in a copy: so, as for tasks, root says it. */
static int
take_copy(struct link *link, int64_t id)
{
	struct message_writer m;
	int64_t left;
	int rc;

	if (!operator_speaks(link))
		return link_refuse(link, id, ERR_PEER);
	rc = inbox_backup(link->broker->inbox, &left);
	if (rc != 0)
		return link_refuse(link, id, rc);
	if (left == 0)
		record_change(link, 0, "copy of the inbox", 0);
	result_begin(&m, channel_out(link->channel), id);
	json_put_integer(&m.json, "left", left);
	link_answer(link, &m, id, 0);
	return 0;
}

/* A new ledger for the zone: so, as for tasks, root says it. */
static int
take_session_end(
    struct link *link, int64_t id, const struct session_params *params)
{
	struct broker *b = link->broker;
	struct message_writer m;
	int rc;

	if (!operator_speaks(link))
		return link_refuse(link, id, ERR_PEER);
	planner_end(b, params->session);
	rc = session_finish(b, params->session);
	if (rc != 0)
		return link_refuse(link, id, rc);
	result_begin(&m, channel_out(link->channel), id);
	json_put_integer(&m.json, "session", params->session);
	link_answer(link, &m, id, 0);
	planner_wake(b);
	return 0;
}

static int
take(struct link *link, const struct json_doc *doc,
    const struct message *message)
{
	const struct handle_params *handle = &message->params.handle;

	switch (message->method) {
	case METHOD_STATUS:
		return status_take(link, message->id);
	case METHOD_ITEM_LIST:
		return take_list(link, message->id, &message->params.list);
	case METHOD_ITEM_SHOW:
		return take_show(link, message->id, handle);
	case METHOD_ITEM_RELEASE:
		return take_change(
		    link, message->id, handle, "release", inbox_release);
	case METHOD_ITEM_DROP:
		return take_change(
		    link, message->id, handle, "drop", inbox_drop);
	case METHOD_INBOX_COPY:
		return take_copy(link, message->id);
	case METHOD_SESSION_NEW:
		return take_session_new(
		    link, message->id, &message->params.zone);
	case METHOD_ZONE_ATTACH:
		return machine_announce(
		    link, message->id, doc, &message->params.attach);
	case METHOD_SESSION_END:
		return take_session_end(
		    link, message->id, &message->params.session);
	case METHOD_TASK:
		return task_take(link, message->id, &message->params.task);
	case METHOD_POLICY_RELOAD:
		return reload_ask(link, message->id);
	case METHOD_SESSION_LIST:
		return take_sessions(link, message->id);
	default:
		return review_take(link, message);
	}
}

static int
on_received(struct channel *channel, void *context, const struct json_doc *doc,
    const struct message *message)
{
	struct link *link = context;
	struct broker *b = link->broker;
	int rc;

	(void)channel;
	receipt_turn(b, link);
	rc = take(link, doc, message);
	receipt_turn(b, NULL);
	return rc;
}

static int
on_opened(struct channel *channel, void *context, const struct json_doc *doc,
    const struct hello_params *hello)
{
	(void)channel;
	(void)context;
	(void)doc;
	return span_is(hello->zone, "operator") ? 0 : -ERR_ZONE;
}

static void
on_closed(struct channel *channel, void *context, int error)
{
	struct link *link = context;

	(void)channel;
	(void)error;
	reload_forget(link->broker, link);
	review_forget_link(link->broker, link);
	link_remove(link);
	machine_forget_link(link->broker, link);
}

struct link *
operator_new(struct broker *b)
{
	(void)b;
	return alloc_bytes(sizeof(struct link));
}

const struct channel_owner operator_owner = {
    .opened = on_opened,
    .received = on_received,
    .leaving = link_leaving,
    .closed = on_closed,
};
