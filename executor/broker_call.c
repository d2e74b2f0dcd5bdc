/*
 * A planner's call: decide, put on record, send the order, bring the answer
 * back. The only file that sees decision, counters and orders together, and it
 * takes them in that order.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/limits.h"
#include "common/log.h"
#include "executor/broker.h"
#include "executor/role.h"

/* Rule, why and detail with every byte written as \u0000, and the rest. */
#define REFUSAL_BYTES 4096
#define REFUSAL_FIRST_BYTES 1024 /* what nearly all of them take */

static void tell_outcome(struct link *link, int64_t id,
    const struct decide_request *request, const struct session *session,
    const struct decision *decision, const struct met *met, uint64_t number);

struct pending *
call_place(struct broker *b, uint64_t request)
{
	return &b->pending[request % PENDING_MAX];
}

/* What a refusal says, besides its code: the rule, its why, the details. */
static void
refuse(struct link *link, int64_t id, const struct decision *decision,
    const struct met *met, int error, uint64_t request)
{
	struct buf out;
	struct json_writer w;
	char handle[32];

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
	if (met->how == MEET_ASKS) {
		ticket_format(met->ticket.id, handle);
		json_put_text(&w, "ticket", handle);
		json_put_text(
		    &w, "state", ticket_state_name(met->ticket.state));
	}
	json_close(&w, '}');
	channel_error(link->channel, id, error, err_text(error),
	    (struct span){out.data, out.len});
	buf_free(&out);
}

static void
fill_entry(struct entry_head *entry, const struct link *link,
    const struct session *session, const struct decide_request *request,
    const struct decision *decision, uint64_t number, struct span arguments)
{
	entry_goes(link->broker, entry, request);
	entry->request = number;
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

/* The order, behind its intent; nobody may wait for its answer. */
void
call_order(struct broker *b, const struct pending *call,
    struct entry_head *entry, struct span name, struct span inputs,
    struct span arguments)
{
	struct pending *slot = call_place(b, entry->request);

	entry->kind = RECORD_INTENT;
	entry->order = 1;
	quota_charge(&b->quotas[entry->capability], clock_ms());
	*slot = *call;
	slot->request = entry->request;
	slot->capability = entry->capability;
	slot->session = (int64_t)entry->session;
	slot->deadline_ms = clock_ms() + REQUEST_DEADLINE_MS;
	slot->charge = b->count.charge;
	content_hold(slot, policy_capability(b->policy, entry->capability));
	if (slot->link != NULL)
		slot->link->orders++;
	slot->listener->orders++;
	entry_send_decision(b, entry, name, inputs, arguments);
}

/* Of a call that its ticket, or nothing, keeps from being done: the record and
 * the refusal. Else the order. */
static void
go_on(struct link *link, int64_t id, const struct call_params *call,
    struct session *session, struct decision *decision, struct met *met,
    const struct decide_request *request, uint64_t number)
{
	struct span arguments = json_raw(request->doc, request->arguments);
	struct broker *b = link->broker;
	struct pending pending = {
	    .link = link, .listener = link->listener, .id = id};
	bool granted = met->how == MEET_GRANT;
	struct entry_head entry;
	struct span inputs;
	int error = -decision->error;

	if (granted)
		arguments = (struct span){
		    met->ticket.arguments.data, met->ticket.arguments.len};
	if (met->how == MEET_FULL)
		error = -ERR_QUOTA;
	if (decision->verdict == VERDICT_ALLOW || granted)
		error = call_prepare(
		    link, session, request, decision, call_place(b, number));
	if (error == 0 && granted) {
		pending.ticket = met->ticket.id;
		error = ticket_spend(b, &met->ticket, 1u << TICKET_APPROVED);
		if (error != 0)
			count_give_back(b, &b->count.charge);
	}
	if (error == 0)
		count_describe(
		    b, decision, decision->detail, sizeof decision->detail);
	inputs = entry_inputs(b, session->id, request, decision, error);
	entry_init(&entry, RECORD_DECISION);
	fill_entry(&entry, link, session, request, decision, number, arguments);
	b->calls[error == 0 ? VERDICT_ALLOW : decision->verdict]++;
	if (error == 0) {
		entry.grant = granted ? met->ticket.grant : 0;
		call_order(b, &pending, &entry, call->name, inputs, arguments);
		return;
	}
	entry.error = (uint32_t)-error;
	entry_send_decision(b, &entry, call->name, inputs, (struct span){0});
	refuse(link, id, decision, met, error, number);
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
	    .used_hour = call_used(b, call->name),
	    .week_minute = call_week_minute(),
	    .again = b->again,
	    .again_count = b->again_count};
	uint64_t number = ++b->next_request;
	struct decision decision;
	bool changed = false;
	struct met met;
	int error;

	decision = (struct decision){.verdict = VERDICT_DENY,
	    .rule = "default",
	    .why = "its place cannot be looked up"};
	met = (struct met){.how = MEET_NOTHING};
	ticket_init(&met.ticket);
	if (config_is_anchor(b->config, call->name)) {
		decision.rule = "anchor";
		decision.why = "only the audit tells its operator there";
		error = -ERR_DENIED;
	} else {
		error = call_resolve(link, session, &request, &decision);
	}
	request.legs = session->legs; /* which that may have added to */
	if (error == 0)
		error = call_place_legs(b, &request, &request.place_legs);
	if (error == 0)
		error = outbound_take(b, &request, &decision, &changed);
	if (error == 0)
		error = count_look(b, session->id, &request);
	if (error == 0) {
		decide(b->policy, &request, &decision);
		if (changed)
			say_changed(&decision);
		ticket_meet(link, session, &request, &decision, number, &met);
	} else if (decision.error == 0) {
		decision.error = -error;
	}
	if (met.how == MEET_OUTCOME)
		tell_outcome(
		    link, id, &request, session, &decision, &met, number);
	else
		go_on(
		    link, id, call, session, &decision, &met, &request, number);
	ticket_done(&met.ticket);
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

/* What an earlier, identical call of the session has become meanwhile. */
static void
tell_outcome(struct link *link, int64_t id,
    const struct decide_request *request, const struct session *session,
    const struct decision *decision, const struct met *met, uint64_t number)
{
	const struct ticket *t = &met->ticket;
	struct pending told = {.request = number, .link = link, .id = id};
	struct entry_head entry;

	link->broker->calls[decision->verdict]++;
	entry_init(&entry, RECORD_DECISION);
	fill_entry(&entry, link, session, request, decision, number,
	    (struct span){t->arguments.data, t->arguments.len});
	snprintf(entry.detail, sizeof entry.detail,
	    "was told what ticket:%lld has become", (long long)t->id);
	entry_send_decision(link->broker, &entry, request->capability,
	    entry_inputs(link->broker, session->id, request, decision, 0),
	    (struct span){0});
	if (t->outcome == OUTCOME_DONE && t->result.len != 0)
		call_answer(&told, (struct span){t->result.data, t->result.len},
		    (struct span){0});
	else
		answer_error(&told, t->outcome,
		    t->error == 0 ? ERR_UNKNOWN_OUTCOME : (int)t->error,
		    t->note);
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
	struct pending *slot = call_place(b, head->request), was = *slot;

	if (head->request == 0 || slot->request != head->request ||
	    slot->state != PENDING_COURIER || head->outcome >= OUTCOME_COUNT ||
	    b->plan.courier_of[slot->capability] != courier)
		return; /* an answer nobody waits for any more */
	if (slot->ticket != 0)
		ticket_outcome(b, slot, (enum outcome)head->outcome,
		    head->outcome == OUTCOME_DONE
			? 0
			: (uint32_t)result_error(head),
		    head->detail,
		    result_is_json(b, result) ? result : (struct span){0});
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
		if (was.ticket != 0)
			ticket_outcome(b, &was, OUTCOME_UNKNOWN,
			    ERR_UNKNOWN_OUTCOME, "its courier died",
			    (struct span){0});
		call_done(slot);
		answer_unknown(
		    &was, "its courier died; the effect may have happened");
	}
	control_send(FD_CONTROL, CONTROL_DRAINED, courier, NULL);
}
