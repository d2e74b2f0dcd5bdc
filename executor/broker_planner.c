/*
 * A planner's channel: what one session may ask of inbox and capabilities.
 * The planner is taken to be in the hands of whoever wrote the mail it reads.
 */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/broker.h"
#include "executor/extract.h"

#define LIST_ITEMS_MAX 100

struct planner {
	struct link link;
	struct session *session;
	int64_t waiting_id; /* inbox.next without an answer yet, 0: none */
	struct watch *wait_timer;
	struct watch *work_timer; /* from taking an item to finishing it */
};

struct session *
planner_session(struct link *link)
{
	return ((struct planner *)link)->session;
}

static void
answer_next(struct planner *p, int64_t id, int64_t item)
{
	struct message_writer m;
	char handle[32];

	result_begin(&m, channel_out(p->link.channel), id);
	json_key(&m.json, "handle");
	if (item == 0) {
		json_null(&m.json);
	} else {
		handle_format(item, handle);
		json_text(&m.json, handle);
	}
	link_answer(&p->link, &m, id, 0);
}

static void
record_claim(struct planner *p)
{
	struct entry_head entry;

	entry_init(&entry, RECORD_CLAIM);
	entry.session = (uint64_t)p->session->id;
	entry.message = (uint64_t)p->session->claim;
	entry_text(entry.zone, sizeof entry.zone,
	    span_of(p->link.listener->zone->name));
	entry_send(p->link.broker, &entry, (struct span){0}, (struct span){0});
}

static void
record_extract(struct planner *p, struct span name)
{
	struct entry_head entry;

	entry_init(&entry, RECORD_SESSION);
	entry.session = (uint64_t)p->session->id;
	entry.message = (uint64_t)p->session->claim;
	entry_text(entry.zone, sizeof entry.zone,
	    span_of(p->link.listener->zone->name));
	entry_text(entry.why, sizeof entry.why, span_of("has an extract"));
	entry_text(entry.detail, sizeof entry.detail, name);
	entry_send(p->link.broker, &entry, (struct span){0}, (struct span){0});
}

/* Claim the oldest ready item. 0, -ERR_NOT_FOUND if there is none, or another
 * error. */
static int
claim(struct planner *p)
{
	struct session *s = p->session;
	int64_t item;
	int rc = inbox_claim(p->link.broker->inbox, s->id, &item);

	if (rc != 0)
		return rc;
	s->claim = item;
	s->acted = false;
	s->had_claim = true;
	s->extracts = 0;
	s->extract_bits = 0;
	timer_set(p->work_timer, p->link.listener->zone->deadline_ms);
	record_claim(p);
	machine_gave(&p->link, -1);
	return 0;
}

static void
on_wait_over(void *context)
{
	struct planner *p = context;
	int64_t id = p->waiting_id;

	p->waiting_id = 0;
	if (id != 0)
		answer_next(p, id, 0);
}

/* It had its time: its session ends, and with it its hold on the item. */
static void
on_work_late(void *context)
{
	struct planner *p = context;

	channel_close_soon(p->link.channel, -ERR_DEADLINE);
}

void
planner_wake(struct broker *b)
{
	if (b->ending)
		return;
	for (struct link *l = b->links, *next; l != NULL; l = next) {
		struct planner *p = (struct planner *)l;
		int64_t id;

		next = l->next;
		if (l->gone || l->listener->kind != LINK_PLANNER ||
		    p->waiting_id == 0)
			continue;
		if (claim(p) != 0)
			return; /* nothing more is ready */
		id = p->waiting_id;
		p->waiting_id = 0;
		timer_set(p->wait_timer, -1);
		answer_next(p, id, p->session->claim);
	}
}

void
planner_end(struct broker *b, int64_t session)
{
	for (struct link *l = b->links, *next; l != NULL; l = next) {
		struct planner *p = (struct planner *)l;

		next = l->next;
		if (!l->gone && l->listener->kind == LINK_PLANNER &&
		    p->session != NULL && p->session->id == session) {
			channel_close(l->channel, -ERR_CLOSED);
			return;
		}
	}
}

static void
fail(struct planner *p, int64_t id, int error, const char *text)
{
	channel_error(p->link.channel, id, error, text, (struct span){0});
}

static int
take_next(struct planner *p, int64_t id, const struct next_params *params)
{
	struct session *s = p->session;
	int rc;

	if (s->claim != 0 || p->waiting_id != 0) {
		fail(p, id, ERR_WRONG_STATE,
		    "finish the item you have with inbox.done first");
		return 0;
	}
	if (s->mode == SESSION_PER_MESSAGE && s->had_claim) {
		fail(p, id, ERR_WRONG_STATE,
		    "this session is for one message; end it");
		return 0;
	}
	rc = claim(p);
	if (rc == 0) {
		answer_next(p, id, s->claim);
	} else if (rc != -ERR_NOT_FOUND) {
		fail(p, id, rc, err_text(rc));
	} else if (params->wait_ms == 0) {
		answer_next(p, id, 0);
	} else {
		p->waiting_id = id;
		timer_set(p->wait_timer, params->wait_ms);
	}
	return 0;
}

/* The item a handle stands for, if it is this session's own; else 0. */
static int64_t
own_item(const struct planner *p, struct span handle)
{
	int64_t item;

	if (handle_parse(handle, &item) != 0 || item != p->session->claim)
		return 0;
	return item;
}

/* Of what is judged suspect, and no person has released; a sender's address is
 * a stranger's word too. */
static void
read_narrow(struct planner *p, int64_t id, int64_t item)
{
	struct broker *b = p->link.broker;
	struct message_writer m;
	char handle[32];
	int rc = session_add_legs(b, p->session, LEG_A);

	if (rc != 0) {
		fail(p, id, rc, err_text(rc));
		return;
	}
	handle_format(item, handle);
	result_begin(&m, channel_out(p->link.channel), id);
	json_put_text(&m.json, "handle", handle);
	rc = suspect_narrow(b, item, &m.json);
	link_answer(&p->link, &m, id, rc);
}

static int
take_read(struct planner *p, int64_t id, const struct handle_params *params)
{
	struct broker *b = p->link.broker;
	int64_t item = own_item(p, params->handle);
	struct message_writer m;
	int rc;

	if (item == 0) {
		fail(p, id, ERR_NOT_FOUND, "not a handle of this session");
		return 0;
	}
	if (suspect_is_narrow(b, item)) {
		read_narrow(p, id, item);
		return 0;
	}
	rc = session_see(b, p->session, item);
	if (rc != 0) {
		fail(p, id, rc, err_text(rc));
	} else {
		result_begin(&m, channel_out(p->link.channel), id);
		json_put_string(&m.json, "handle", params->handle);
		json_put_raw(&m.json, "message",
		    (struct span){b->item_text.data, b->item_text.len});
		link_answer(&p->link, &m, id, 0);
	}
	return 0;
}

/* Narrow typed values the policy endorses, which add no leg. */
static int
take_extract(struct planner *p, int64_t id, const struct extract_params *params)
{
	struct broker *b = p->link.broker;
	int64_t item = own_item(p, params->handle);
	struct session *s = p->session;
	uint32_t number;
	const struct extract *extract =
	    policy_extract(b->policy, params->name, &number);
	struct message_writer m;
	int rc;

	if (item == 0 || extract == NULL) {
		fail(p, id, ERR_NOT_FOUND,
		    item == 0 ? "not a handle of this session"
			      : "the policy has no such extract");
		return 0;
	}
	/* of what is suspect, only what inbox.read gives */
	rc = suspect_is_narrow(b, item) ? -ERR_WRONG_STATE
					: item_load_clean(b, item);
	if (rc == 0)
		rc = session_endorse(b, s, number, extract);
	if (rc != 0) {
		fail(p, id, rc,
		    rc == -ERR_QUOTA
			? "its extracts of this item say as much as they may"
			: err_text(rc));
		return 0;
	}
	record_extract(p, params->name);
	result_begin(&m, channel_out(p->link.channel), id);
	json_put_string(&m.json, "handle", params->handle);
	json_key(&m.json, "values");
	json_open(&m.json, '{');
	extract_write(extract, &b->item_doc, json_root(&b->item_doc),
	    item_is_verified(&b->item_doc, json_root(&b->item_doc)), &m.json,
	    s->facts);
	json_close(&m.json, '}');
	if (facts_full(s->facts)) /* it may not know whose they are */
		rc = session_add_legs(b, s, LEG_A);
	link_answer(&p->link, &m, id, rc);
	return 0;
}

static int
take_done(struct planner *p, int64_t id, const struct done_params *params)
{
	struct session *s = p->session;
	int64_t item = own_item(p, params->handle);
	struct message_writer m;
	int rc = -ERR_NOT_FOUND;

	if (item != 0)
		rc = inbox_finish(
		    p->link.broker->inbox, item, s->id, params->outcome);
	if (rc != 0) {
		fail(p, id, rc, err_text(rc));
		return 0;
	}
	s->claim = 0;
	s->acted = false;
	/* a machine for one message has the rest of its time, to end */
	if (s->mode != SESSION_PER_MESSAGE || !p->link.attached.announced)
		timer_set(p->work_timer, -1);
	machine_did(&p->link, true);
	result_begin(&m, channel_out(p->link.channel), id);
	link_answer(&p->link, &m, id, 0);
	return 0;
}

static bool
list_item(const struct inbox_item *item, void *context)
{
	struct json_writer *w = context;
	char handle[32];

	handle_format(item->id, handle);
	json_open(w, '{');
	json_put_text(w, "handle", handle);
	json_put_text(w, "channel", item->channel);
	json_put_text(w, "state", inbox_state_name(item->state));
	json_put_integer(w, "bytes", (int64_t)item->bytes);
	json_put_integer(w, "arrived_ms", item->arrived_ms);
	json_close(w, '}');
	return true;
}

/* Only values the executor made; seeing them adds no leg. */
static int
take_list(struct planner *p, int64_t id)
{
	struct inbox_filter filter = {.states = 1u << INBOX_READY |
						1u << INBOX_CLAIMED |
						1u << INBOX_ACTED,
	    .most = LIST_ITEMS_MAX};
	struct message_writer m;
	int rc;

	result_begin(&m, channel_out(p->link.channel), id);
	json_key(&m.json, "items");
	json_open(&m.json, '[');
	rc = inbox_list(p->link.broker->inbox, &filter, list_item, &m.json);
	json_close(&m.json, ']');
	link_answer(&p->link, &m, id, rc);
	return 0;
}

static int
take_capabilities(struct planner *p, int64_t id)
{
	const struct policy *policy = p->link.broker->policy;
	size_t count = policy_capability_count(policy);
	struct message_writer m;

	result_begin(&m, channel_out(p->link.channel), id);
	json_key(&m.json, "capabilities");
	json_open(&m.json, '[');
	for (uint32_t i = 0; i < count; i++) {
		const struct capability *c = policy_capability(policy, i);

		if (config_is_anchor(p->link.broker->config, span_of(c->name)))
			continue;
		json_open(&m.json, '{');
		json_put_text(&m.json, "name", c->name);
		json_put_text(&m.json, "description", c->why);
		json_put_raw(&m.json, "arguments", span_of(c->schema_text));
		json_close(&m.json, '}');
	}
	json_close(&m.json, ']');
	link_answer(&p->link, &m, id, 0);
	return 0;
}

static int
on_received(struct channel *channel, void *context, const struct json_doc *doc,
    const struct message *message)
{
	struct planner *p = context;

	switch (message->method) {
	case METHOD_CALL:
		/* each is a record: beyond its rate a zone is not read */
		if (--p->link.listener->calls_left <= 0)
			channel_hold(channel, true);
		return call_take(
		    &p->link, message->id, doc, &message->params.call);
	case METHOD_CAPABILITY_LIST:
		return take_capabilities(p, message->id);
	case METHOD_TASK_NEXT:
		return task_next_take(
		    &p->link, message->id, &message->params.task_next);
	case METHOD_INBOX_NEXT:
		return take_next(p, message->id, &message->params.next);
	case METHOD_INBOX_LIST:
		return take_list(p, message->id);
	case METHOD_INBOX_READ:
		return take_read(p, message->id, &message->params.handle);
	case METHOD_INBOX_EXTRACT:
		return take_extract(p, message->id, &message->params.extract);
	case METHOD_INBOX_DONE:
		return take_done(p, message->id, &message->params.done);
	default:
		return -ERR_NO_METHOD;
	}
}

static void
on_cancelled(struct channel *channel, void *context, int64_t id)
{
	struct planner *p = context;

	if (p->waiting_id == id) {
		p->waiting_id = 0;
		timer_set(p->wait_timer, -1);
		channel_error(channel, id, ERR_CANCELLED,
		    err_text(ERR_CANCELLED), (struct span){0});
		return;
	}
	call_cancel(&p->link, id);
}

static int
on_opened(struct channel *channel, void *context, const struct json_doc *doc,
    const struct hello_params *hello)
{
	struct planner *p = context;
	struct broker *b = p->link.broker;
	int rc;

	(void)channel;
	if (!span_is(hello->zone, p->link.listener->zone->name))
		return -ERR_ZONE;
	rc = entry_hello(b, p->link.listener, 0, doc, hello);
	if (rc == 0)
		rc = session_open(
		    b, p->link.listener->zone, p->link.vouched, &p->session);
	if (rc != 0)
		return rc;
	machine_opened(&p->link);
	p->wait_timer = loop_timer(b->loop, on_wait_over, p);
	p->work_timer = loop_timer(b->loop, on_work_late, p);
	return 0;
}

static void
on_closed(struct channel *channel, void *context, int error)
{
	struct planner *p = context;
	struct broker *b = p->link.broker;

	(void)channel;
	log_event(LOG_INFO, "closed", "zone=%s session=%lld code=%d",
	    p->link.listener->zone->name,
	    p->session == NULL ? 0LL : (long long)p->session->id, -error);
	call_forget_link(b, &p->link);
	loop_unwatch(p->wait_timer);
	loop_unwatch(p->work_timer);
	if (p->session != NULL)
		session_close(b, p->session);
	machine_closed(&p->link);
	link_remove(&p->link);
	planner_wake(b); /* its item may be ready again */
}

struct link *
planner_new(struct broker *b)
{
	struct planner *p = alloc_bytes(sizeof *p);

	(void)b;
	return &p->link;
}

const struct channel_owner planner_owner = {
    .opened = on_opened,
    .received = on_received,
    .cancelled = on_cancelled,
    .leaving = link_leaving,
    .closed = on_closed,
};
