/*
 * A planner's call: decide, put on record, send the order, bring the answer
 * back. The only file that sees decision, counters and orders together, and it
 * takes them in that order.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/limits.h"
#include "common/log.h"
#include "executor/broker.h"
#include "executor/reference.h"
#include "executor/role.h"

/* Rule, why and detail with every byte written as \u0000, and the rest. */
#define REFUSAL_BYTES 4096
#define REFUSAL_FIRST_BYTES 1024 /* what nearly all of them take */

static struct pending *
pending_of(struct broker *b, uint64_t request)
{
	return &b->pending[request % PENDING_MAX];
}

/* What a refusal says, besides its code: the rule, its why, the details. */
static void
refuse(struct link *link, int64_t id, const struct decision *decision,
    int error, uint64_t request)
{
	struct buf out;
	struct json_writer w;

	buf_init(&out, REFUSAL_BYTES);
	buf_reserve(&out, REFUSAL_FIRST_BYTES);
	json_write_init(&w, &out);
	json_open(&w, '{');
	json_put_integer(&w, "request", (int64_t)request);
	json_put_text(&w, "verdict", verdict_name(decision->verdict));
	json_put_text(&w, "rule", decision->rule);
	json_put_text(&w, "why", decision->why);
	if (decision->detail[0] != '\0')
		json_put_text(&w, "detail", decision->detail);
	json_close(&w, '}');
	channel_error(link->channel, id, error, err_text(error),
	    (struct span){out.data, out.len});
	buf_free(&out);
}

static void
fill_entry(struct entry_head *entry, const struct link *link,
    const struct session *session, const struct decision *decision,
    uint64_t request, struct span arguments)
{
	entry->request = request;
	entry->session = (uint64_t)session->id;
	entry->message = (uint64_t)session->claim;
	entry->verdict = decision->verdict;
	entry->bytes = arguments.n;
	entry->committed = 1;
	sha256_of(arguments.p, arguments.n, entry->body_hash);
	if (decision->capability != NULL)
		entry->capability = decision->capability->number;
	entry_text(entry->zone, sizeof entry->zone,
	    span_of(link->listener->zone->name));
	entry_text(entry->rule, sizeof entry->rule, span_of(decision->rule));
	entry_text(entry->why, sizeof entry->why, span_of(decision->why));
	entry_text(
	    entry->detail, sizeof entry->detail, span_of(decision->detail));
}

/* The reader that a result would need, to be told who may start it. */
static void
say_no_reader(const struct broker *b, struct decision *decision)
{
	const struct config_zone *zone = config_reader(b->config, CHANNEL_TEXT);

	if (zone == NULL)
		snprintf(decision->detail, sizeof decision->detail,
		    "no zone of the configuration reads what it brings back: "
		    "add \"text\" to the channel of a reader");
	else
		snprintf(decision->detail, sizeof decision->detail,
		    "the reader of what it brings back is not connected: "
		    "start trizone-reader for the zone %s",
		    zone->name);
}

/* What has to be true before an allowed order may leave; each step durable. */
static int
prepare(struct link *link, struct session *session, struct decision *decision,
    const struct pending *slot)
{
	const struct capability *c = decision->capability;
	struct broker *b = link->broker;
	int rc;

	if (!b->courier_up[b->plan.courier_of[c->number]])
		return -ERR_UNAVAILABLE;
	if (c->method->content && !reader_for_content(b)) {
		say_no_reader(b, decision);
		return -ERR_UNAVAILABLE;
	}
	if (slot->request != 0 || link->orders >= LINK_ORDERS_MAX ||
	    link->listener->orders >= ZONE_ORDERS_MAX)
		return -ERR_BUSY;
	if (!content_fits(link->listener, c)) {
		snprintf(decision->detail, sizeof decision->detail,
		    "what its zone's calls bring back waits for a reader; "
		    "there is no room for more");
		return -ERR_QUOTA;
	}
	if (session->claim != 0 && !session->acted) {
		rc = inbox_mark_acted(b->inbox, session->claim, session->id);
		if (rc != 0)
			return rc;
		session->acted = true;
	}
	rc = session_add_legs(b, session, decision->adds_legs);
	return rc == 0 ? count_take(b, session, decision) : rc;
}

static void
send_order(struct link *link, int64_t id, const struct call_params *call,
    struct entry_head *entry, struct span arguments)
{
	struct broker *b = link->broker;
	struct pending *slot = pending_of(b, entry->request);

	entry->kind = RECORD_INTENT;
	entry->order = 1;
	quota_charge(&b->quotas[entry->capability], clock_ms());
	*slot = (struct pending){.request = entry->request,
	    .link = link,
	    .listener = link->listener,
	    .id = id,
	    .capability = entry->capability,
	    .session = (int64_t)entry->session,
	    .deadline_ms = clock_ms() + REQUEST_DEADLINE_MS,
	    .charge = b->count.charge};
	content_hold(slot, policy_capability(b->policy, entry->capability));
	link->orders++;
	link->listener->orders++;
	entry_send(b, entry, call->name, arguments);
}

/* Local time, for rules that have hours; none where it cannot be told. */
static uint32_t
week_minute(void)
{
	time_t now = time(NULL);
	struct tm local;

	if (localtime_r(&now, &local) == NULL)
		return UINT32_MAX;
	return (uint32_t)((local.tm_wday + 6) % 7 * 24 * 60 +
			  local.tm_hour * 60 + local.tm_min);
}

static uint32_t
used_in_hour(struct broker *b, struct span name)
{
	const struct capability *c = policy_find(b->policy, name);

	return c == NULL ? 0 : quota_used(&b->quotas[c->number], clock_ms());
}

struct call_context {
	struct broker *broker;
	struct session *session;
};

/* Resolving a handle counts as seeing its item, whatever is decided then: a
 * verdict tells something of the value. */
static int
fetch(void *context, struct span handle, const struct json_doc **doc_out,
    const struct json_node **object_out)
{
	struct call_context *c = context;
	int64_t item;
	int rc;

	if (handle_parse(handle, &item) != 0 || item == 0 ||
	    item != c->session->claim)
		return -ERR_NOT_FOUND;
	rc = session_see(c->broker, c->session, item);
	if (rc != 0)
		return rc;
	*doc_out = &c->broker->item_doc;
	*object_out = json_root(&c->broker->item_doc);
	return 0;
}

/* Put what handles stand for in their places. 0, or what `decision` says then
 * too. */
static int
resolve(struct link *link, struct session *session,
    struct decide_request *request, struct decision *decision)
{
	struct broker *b = link->broker;
	const struct capability *c =
	    policy_find(b->policy, request->capability);
	struct call_context context = {b, session};
	int rc;

	if (c == NULL || !reference_in(request->doc, request->arguments))
		return 0;
	*decision = (struct decision){.verdict = VERDICT_DENY,
	    .capability = c,
	    .rule = "reference",
	    .why = "a handle in the arguments cannot be put in its place"};
	buf_clear(&b->call_text);
	rc = reference_resolve(request->doc, request->arguments, c->effects,
	    fetch, &context, &b->call_text, decision->detail,
	    sizeof decision->detail);
	if (rc == 0)
		rc = json_parse(&b->call_doc,
		    (struct span){b->call_text.data, b->call_text.len}, NULL,
		    NULL);
	if (rc != 0) {
		decision->error = -rc;
		return rc;
	}
	request->doc = &b->call_doc;
	request->arguments = json_root(&b->call_doc);
	return 0;
}

/* What is on record is not what the planner wrote. */
static void
say_changed(struct decision *decision)
{
	if (decision->detail[0] == '\0')
		snprintf(decision->detail, sizeof decision->detail,
		    "outbound rules have rewritten its text");
}

int
call_take(struct link *link, int64_t id, const struct json_doc *doc,
    const struct call_params *call)
{
	struct broker *b = link->broker;
	struct session *session = planner_session(link);
	struct decide_request request = {.capability = call->name,
	    .doc = doc,
	    .arguments = call->arguments,
	    .zone = span_of(link->listener->zone->name),
	    .facts = session->facts,
	    .used_hour = used_in_hour(b, call->name),
	    .week_minute = week_minute()};
	struct span arguments;
	uint64_t number = ++b->next_request;
	struct decision decision;
	struct entry_head entry;
	bool changed = false;
	int error;

	error = resolve(link, session, &request, &decision);
	request.legs = session->legs; /* which that may have added to */
	if (error == 0)
		error = outbound_take(b, &request, &decision, &changed);
	if (error == 0) {
		count_look(b, session, &request);
		decide(b->policy, &request, &decision);
	}
	if (changed)
		say_changed(&decision);
	arguments = json_raw(request.doc, request.arguments);
	error = decision.verdict == VERDICT_ALLOW
		    ? prepare(link, session, &decision, pending_of(b, number))
		    : -decision.error;
	if (error == 0)
		count_describe(b, session, &decision);
	entry_init(&entry, RECORD_DECISION);
	fill_entry(&entry, link, session, &decision, number, arguments);
	if (error == 0) {
		send_order(link, id, call, &entry, arguments);
		return 0;
	}
	entry.error = (uint32_t)-error;
	entry_send(b, &entry, call->name, (struct span){0});
	refuse(link, id, &decision, error, number);
	return 0;
}

bool
call_cancel(struct link *link, int64_t id)
{
	struct broker *b = link->broker;

	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *slot = &b->pending[i];

		if (slot->request == 0 || slot->link != link ||
		    slot->id != id || slot->answered)
			continue;
		slot->answered = true;
		channel_error(link->channel, id, ERR_CANCELLED,
		    "cancelled after its order had left; the audit has its "
		    "outcome",
		    (struct span){0});
		reader_cancel(b, slot);
		return true;
	}
	return false;
}

void
call_forget_link(struct broker *b, const struct link *link)
{
	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *slot = &b->pending[i];

		if (slot->link != link)
			continue;
		slot->link = NULL;
		if (!slot->answered)
			reader_cancel(b, slot);
	}
}

static void
answer_unknown(struct pending *slot, const char *text)
{
	char data[64];

	if (slot->link == NULL || slot->answered)
		return;
	snprintf(data, sizeof data, "{\"request\":%llu}",
	    (unsigned long long)slot->request);
	channel_error(slot->link->channel, slot->id, ERR_UNKNOWN_OUTCOME, text,
	    span_of(data));
	slot->answered = true;
}

void
call_done(struct pending *slot)
{
	if (slot->link != NULL)
		slot->link->orders--;
	slot->listener->orders--;
	slot->listener->content_held -= slot->held;
	*slot = (struct pending){0};
}

/* The reader may have begun late, and is told that it need not end. */
static void
give_up(struct broker *b, struct pending *slot)
{
	call_answer_without(
	    slot, -ERR_DEADLINE, "no reader has made it clean in time");
	reader_cancel(b, slot);
}

void
call_tick(struct broker *b, int64_t now)
{
	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *slot = &b->pending[i];

		if (slot->request == 0 || slot->deadline_ms > now ||
		    slot->link == NULL || slot->answered)
			continue;
		if (slot->state == PENDING_COURIER)
			answer_unknown(slot,
			    "no answer in time; the effect may have happened");
		else
			give_up(b, slot);
	}
	content_tick(b);
}

/* A courier may say any number; of what failed, one error is told. */
static int
result_error(const struct result_head *head)
{
	return head->error != 0 && err_known(head->error) ? (int)head->error
							  : ERR_FAILED;
}

/* Only JSON goes into a frame, whoever wrote it. */
static bool
result_is_json(struct broker *b, struct span result)
{
	return json_parse(&b->result_doc, result, NULL, NULL) == 0;
}

void
call_answer(struct pending *slot, struct span result, struct span content)
{
	struct message_writer m;
	struct buf *out = channel_out(slot->link->channel);

	result_begin(&m, out, slot->id);
	json_put_integer(&m.json, "request", (int64_t)slot->request);
	json_put_raw(&m.json, "result", result);
	if (content.n != 0)
		json_put_raw(&m.json, "content", content);
	if (message_end(&m) != 0)
		channel_error(slot->link->channel, slot->id, ERR_TOO_LARGE,
		    "done, but the answer is too large to be sent",
		    (struct span){0});
	else
		channel_answered(slot->link->channel, slot->id);
}

static void
answer_error(
    struct pending *slot, enum outcome outcome, int error, const char *detail)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, 4096);
	json_write_init(&w, &out);
	json_open(&w, '{');
	json_put_integer(&w, "request", (int64_t)slot->request);
	json_put_text(&w, "outcome", outcome_name(outcome));
	if (detail[0] != '\0' && utf8_check(detail, strlen(detail)))
		json_put_text(&w, "detail", detail);
	json_close(&w, '}');
	channel_error(slot->link->channel, slot->id, error, err_text(error),
	    (struct span){out.data, out.len});
	buf_free(&out);
}

static void
answer_failed(struct pending *slot, const struct result_head *head)
{
	char detail[DETAIL_BYTES];

	memcpy(detail, head->detail, sizeof detail);
	detail[sizeof detail - 1] = '\0';
	answer_error(slot, head->outcome, result_error(head), detail);
}

void
call_answer_without(struct pending *slot, int error, const char *detail)
{
	if (slot->link == NULL || slot->answered)
		return;
	answer_error(slot, OUTCOME_DONE, error < 0 ? -error : error, detail);
	slot->answered = true;
}

/* What came back goes to a reader first. */
static void
take_content(struct broker *b, struct pending *slot, struct span result,
    struct span content)
{
	struct pending was = *slot;
	int rc = was.link == NULL || was.answered
		     ? -ERR_CANCELLED
		     : content_take(b, slot, result, content);

	if (rc == 0)
		return;
	call_done(slot);
	call_answer_without(&was, rc,
	    rc == -ERR_TOO_LARGE ? "it is more than its capability brings"
				 : "no reader is left to clean it");
}

static void
take_result(struct broker *b, uint32_t courier, const struct result_head *head,
    const char *body)
{
	struct span result = {body, head->body_bytes};
	struct span content = {body + head->body_bytes, head->content_bytes};
	struct pending *slot = pending_of(b, head->request), was = *slot;

	if (slot->request != head->request || slot->state != PENDING_COURIER ||
	    head->outcome >= OUTCOME_COUNT ||
	    b->plan.courier_of[slot->capability] != courier)
		return; /* an answer nobody waits for any more */
	if (head->outcome == OUTCOME_FAILED ||
	    head->outcome == OUTCOME_REFUSED) {
		quota_refund(&b->quotas[slot->capability], clock_ms());
		count_give_back(b, &slot->charge);
	}
	if (head->outcome == OUTCOME_DONE &&
	    policy_capability(b->policy, was.capability)->method->content &&
	    result_is_json(b, result)) {
		take_content(b, slot, result, content);
		return;
	}
	call_done(slot);
	if (was.link == NULL || was.answered)
		return;
	if (head->outcome != OUTCOME_DONE)
		answer_failed(&was, head);
	else if (result_is_json(b, result))
		call_answer(&was, result, (struct span){0});
	else
		answer_unknown(&was, "done, as its courier says, but its "
				     "answer is no JSON");
}

static size_t
result_length(const void *head)
{
	const struct result_head *result = head;

	/* no sum of two such can be mistaken for a smaller one */
	if (result->body_bytes > RESULT_BODY_MAX ||
	    result->content_bytes > RESULT_CONTENT_MAX)
		return SIZE_MAX;
	return (size_t)result->body_bytes + result->content_bytes;
}

/* Above 0 while there may be more; -ERR_CORRUPT for what is no result. */
static int
take_results(struct broker *b, uint32_t courier)
{
	struct inflow *flow = &b->results[courier];
	struct result_head head;
	const char *body;
	int rc = inflow_read(flow), next;

	while ((next = inflow_next(flow, result_length, &head, &body)) == 1)
		take_result(b, courier, &head, body);
	return next < 0 ? next : rc;
}

struct result_watch {
	struct broker *broker;
	uint32_t courier;
};

static void
on_result(void *context)
{
	struct result_watch *watch = context;

	struct broker *b = watch->broker;

	if (take_results(b, watch->courier) != -ERR_CORRUPT)
		return;
	log_event(LOG_ERROR, "courier-nonsense", "kind=%s",
	    b->plan.kind[watch->courier]->name);
	b->courier_up[watch->courier] = false;
	watch_set(b->result_watches[watch->courier], false);
}

void
results_open(struct broker *b, int first_fd)
{
	static struct result_watch watches[COURIERS_MAX];

	json_init(&b->result_doc);
	for (uint32_t i = 0; i < b->plan.couriers; i++) {
		int fd = first_fd + (int)i;

		if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
			die_errno("fcntl");
		inflow_init(&b->results[i], fd, sizeof(struct result_head),
		    RESULT_BODY_MAX + RESULT_CONTENT_MAX);
		watches[i] = (struct result_watch){b, i};
		b->result_watches[i] =
		    loop_watch_read(b->loop, fd, on_result, &watches[i]);
		watch_set(b->result_watches[i], true);
	}
}

/* The courier is dead: take what it still said; the rest is unknown. */
void
courier_down(struct broker *b, uint32_t courier)
{
	struct pending was;

	while (take_results(b, courier) > 0)
		continue;
	inflow_reset(&b->results[courier]);
	watch_set(b->result_watches[courier], true);
	b->courier_up[courier] = false;
	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *slot = &b->pending[i];

		if (slot->request == 0 || slot->state != PENDING_COURIER ||
		    b->plan.courier_of[slot->capability] != courier)
			continue;
		was = *slot;
		call_done(slot);
		answer_unknown(
		    &was, "its courier died; the effect may have happened");
	}
	control_send(FD_CONTROL, CONTROL_DRAINED, courier, NULL);
}
