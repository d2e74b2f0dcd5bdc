/*
 * The operator's side of tickets: list, show, approve, deny; rules of "don't
 * ask again". Believes the kernel about who connected. Everybody on this
 * socket may look and deny; approving is for root and the reviewer account,
 * and for that only while nothing else runs as it.
 */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/broker.h"
#include "executor/role.h"
#include "executor/ticket_card.h"

#define LIST_MAX 100
#define GRANT_MS ((int64_t)TICKET_HOURS * 60 * 60 * 1000)

static void
put_ticket(struct json_writer *w, const struct ticket *t)
{
	char handle[32];

	ticket_format(t->id, handle);
	json_put_text(w, "ticket", handle);
	json_put_text(w, "state", ticket_state_name(t->state));
	json_put_integer(w, "session", t->session);
	json_put_text(w, "zone", t->zone);
	json_put_text(w, "capability", t->capability);
	json_put_text(w, "rule", t->rule);
	json_put_text(w, "why", t->why);
	json_put_integer(w, "bytes", (int64_t)t->arguments.len);
	json_put_integer(w, "opened_ms", t->opened_ms);
	json_put_integer(w, "expires_ms", t->expires_ms);
	json_put_integer(w, "approvals", t->approvals);
	if (t->grant != 0)
		json_put_integer(w, "grant", (int64_t)t->grant);
	if (t->state == TICKET_DONE || t->state == TICKET_CLOSED)
		json_put_text(w, "outcome", outcome_name(t->outcome));
	json_put_text(w, "note", t->note);
}

static int
put_tickets(struct json_writer *w, struct inbox *inbox, unsigned states,
    const struct list_params *params)
{
	int64_t ids[LIST_MAX];
	struct ticket t;
	size_t count;
	int rc = ticket_list(inbox, states, params->after, ids,
	    params->limit < LIST_MAX ? (size_t)params->limit : LIST_MAX,
	    &count);

	for (size_t i = 0; i < count && rc == 0; i++) {
		ticket_init(&t);
		rc = ticket_get(inbox, ids[i], &t);
		if (rc == 0) {
			json_open(w, '{');
			put_ticket(w, &t);
			json_close(w, '}');
		}
		ticket_done(&t);
	}
	return rc;
}

static int
take_list(struct link *link, int64_t id, const struct list_params *params)
{
	struct broker *b = link->broker;
	struct message_writer m;
	enum ticket_state state;
	unsigned states = 0;
	int rc;

	if (span_is(params->state, "waiting")) {
		states = TICKET_ASKS;
	} else if (params->state.n != 0) {
		state = ticket_state_find(params->state);
		if (state == TICKET_STATE_COUNT)
			return link_refuse(link, id, ERR_RANGE);
		states = 1u << state;
	}
	result_begin(&m, channel_out(link->channel), id);
	json_put_integer(&m.json, "refused", (int64_t)b->tickets_refused);
	json_key(&m.json, "tickets");
	json_open(&m.json, '[');
	rc = put_tickets(&m.json, b->inbox, states, params);
	json_close(&m.json, ']');
	json_key(&m.json, "items");
	json_open(&m.json, '[');
	if (params->after == 0)
		suspect_list(b, &m.json);
	json_close(&m.json, ']');
	link_answer(link, &m, id, rc);
	return 0;
}

static int
take_feedback(struct link *link, int64_t id, const struct list_params *params)
{
	struct message_writer m;
	int64_t last;

	result_begin(&m, channel_out(link->channel), id);
	json_key(&m.json, "rows");
	json_open(&m.json, '[');
	last = suspect_feedback(link->broker, params->after, &m.json);
	json_close(&m.json, ']');
	json_put_integer(&m.json, "after", last);
	link_answer(link, &m, id, 0);
	return 0;
}

/* The legs its session has now; those it had when it asked are among them. */
static unsigned
legs_now(struct broker *b, const struct ticket *t)
{
	struct inbox_session ledger;

	if (inbox_session_get(b->inbox, t->session, &ledger) != 0)
		return t->legs;
	return ledger.legs | t->legs;
}

static int
take_show(struct link *link, int64_t id, const struct handle_params *params)
{
	struct broker *b = link->broker;
	char code[CARD_CODE_BYTES];
	struct message_writer m;
	struct ticket t;
	struct buf card;
	int64_t number;
	int rc;

	if (handle_parse(params->handle, &number) == 0) {
		suspect_show(link, id, number);
		return 0;
	}
	if (intent_parse(params->handle, &number) == 0) {
		unknown_show(link, id, number);
		return 0;
	}
	rc = ticket_parse(params->handle, &number);
	ticket_init(&t);
	buf_init(&card, CARD_MAX_BYTES);
	if (rc == 0)
		rc = ticket_get(b->inbox, number, &t);
	if (rc == 0)
		rc = card_write(&card, &t, b->policy, legs_now(b, &t));
	if (rc == 0) {
		struct span text = {card.data, card.len};

		card_code(text, code);
		result_begin(&m, channel_out(link->channel), id);
		put_ticket(&m.json, &t);
		json_put_string(&m.json, "card", text);
		if ((TICKET_ASKS >> t.state & 1) != 0)
			json_put_text(&m.json, "code", code);
		link_answer(link, &m, id, 0);
	} else {
		link_refuse(link, id, rc);
	}
	ticket_done(&t);
	buf_free(&card);
	return 0;
}

/* An answer to approve or deny; after records, which it waits for. */
static void
answer_state(
    struct link *link, int64_t id, const struct ticket *t, int64_t rule)
{
	struct message_writer m;
	char handle[32];

	result_begin(&m, channel_out(link->channel), id);
	put_ticket(&m.json, t);
	if (rule != 0) {
		again_format(rule, handle);
		json_put_text(&m.json, "again", handle);
	}
	link_answer(link, &m, id, 0);
}

static int
take_deny(struct link *link, int64_t id, const struct handle_params *params)
{
	struct broker *b = link->broker;
	struct ticket t;
	int64_t number;
	int rc;

	if (handle_parse(params->handle, &number) == 0) {
		suspect_answer(link, id, number, false);
		return 0;
	}
	rc = ticket_parse(params->handle, &number);
	ticket_init(&t);
	if (rc == 0)
		rc = ticket_get(b->inbox, number, &t);
	if (rc == 0 &&
	    ((TICKET_ASKS | 1u << TICKET_APPROVED) >> t.state & 1) == 0)
		rc = -ERR_WRONG_STATE;
	if (rc == 0)
		rc = ticket_move(b, &t, TICKET_DENIED, "denied by a person");
	if (rc == 0) {
		ticket_record(b, &t, RECORD_DENIAL, 0, "denied by a person",
		    &link->peer.uid);
		answer_state(link, id, &t, 0);
	} else {
		link_refuse(link, id, rc);
	}
	ticket_done(&t);
	return 0;
}

/* Whether the person has read the card as it is now. */
static int
check_code(struct broker *b, const struct ticket *t, const char *said)
{
	char code[CARD_CODE_BYTES];
	struct buf card;
	int rc;

	buf_init(&card, CARD_MAX_BYTES);
	rc = card_write(&card, t, b->policy, legs_now(b, t));
	if (rc == 0) {
		card_code((struct span){card.data, card.len}, code);
		rc = strcmp(code, said) == 0 ? 0 : -ERR_CODE;
	}
	buf_free(&card);
	return rc;
}

/* Decide once more. 0 and the decision if it still asks by that rule, or
 * allows; never without the origin of a value that a rule asks for. */
static int
decide_again(struct broker *b, const struct ticket *t,
    struct decide_request *out, struct decision *decision, bool *now_out)
{
	int rc;

	out->used_hour = call_used(b, out->capability);
	out->week_minute = call_week_minute();
	out->again = b->again;
	out->again_count = b->again_count;
	rc = call_place_legs(b, out, &out->place_legs);
	if (rc == 0)
		rc = count_look(b, t->session, out);
	if (rc != 0)
		return rc;
	decide(b->policy, out, decision);
	if (decision->unknown || decision->verdict == VERDICT_DENY ||
	    (decision->verdict == VERDICT_ASK &&
		!ticket_asks(t, decision->rule, decision->why)))
		return -ERR_DENIED;
	/* what brings bytes back for a reader needs somebody who waits */
	*now_out = !decision->capability->method->content &&
		   (call_effects(out, decision->capability->effects) &
		       (EFFECT_CHANGES | EFFECT_LEAVES)) != 0;
	return 0;
}

static int
is_live(struct broker *b, const struct ticket *t)
{
	struct inbox_session ledger;
	int rc = inbox_session_get(b->inbox, t->session, &ledger);

	return rc == 0 && ledger.ended_ms != 0 ? -ERR_WRONG_STATE : rc;
}

static int
make_rule(struct broker *b, const struct ticket *t,
    const struct approval *approval, uid_t who, int64_t *rule_out)
{
	struct again_row row = {.ticket = t->id,
	    .any_content = approval->any_content,
	    .made_ms = clock_utc_ms()};
	char why[WHY_MAX_BYTES];
	int rc;

	*rule_out = 0;
	if (approval->again_ms == 0)
		return 0;
	row.expires_ms = row.made_ms + approval->again_ms;
	entry_text(row.zone, sizeof row.zone, span_of(t->zone));
	entry_text(
	    row.capability, sizeof row.capability, span_of(t->capability));
	card_capability(b->policy, span_of(t->capability), row.is);
	entry_text(row.rule, sizeof row.rule, span_of(t->rule));
	row.arguments = t->arguments; /* borrowed */
	rc = again_add(b->inbox, &row);
	if (rc == 0) {
		*rule_out = row.id;
		tickets_load_rules(b);
		snprintf(why, sizeof why,
		    "not asked again for %lld minutes, by rule again:%lld%s",
		    (long long)(approval->again_ms / 60000), (long long)row.id,
		    row.any_content ? ", with any content" : "");
		ticket_record(b, t, RECORD_APPROVAL, 0, why, &who);
	}
	return rc;
}

/* The grant is given; what is done by us is done, the rest waits. */
static int
give_grant(struct broker *b, struct ticket *t,
    const struct decide_request *request, const struct decision *decision,
    bool now, uid_t who)
{
	enum ticket_state was = t->state;
	int rc;

	t->approvals++;
	t->expires_ms = clock_utc_ms() + GRANT_MS;
	grant_hash(t, b->policy, t->hash, &t->grant);
	t->note[0] = '\0';
	ticket_record(b, t, RECORD_APPROVAL, 0,
	    now ? "approved by a person; done by the executor"
		: "approved by a person, for the next identical call",
	    &who);
	if (now) {
		rc = call_execute(b, t, request, decision);
	} else {
		t->state = TICKET_APPROVED;
		rc = ticket_save(b->inbox, t, 1u << was);
	}
	if (rc != 0)
		ticket_record(b, t, RECORD_APPROVAL, rc,
		    "the approval came to nothing", &who);
	return rc;
}

static int
approve_checked(struct broker *b, struct ticket *t,
    const struct approval *approval, uid_t who, int64_t *rule_out)
{
	struct stored_call call;
	struct decision decision = {
	    .rule = "default", .why = "its place cannot be looked up"};
	char note[2 * WHY_MAX_BYTES];
	bool now = false;
	int rc;

	t->legs = legs_now(b, t);
	rc = stored_call_open(&call, t, t->legs);
	if (rc == 0)
		rc = decide_again(b, t, &call.request, &decision, &now);
	if (rc == -ERR_DENIED && decision.unknown)
		snprintf(note, sizeof note,
		    "a rule asks where a value comes from, and that was not "
		    "stored: the capability was another one then");
	else if (rc == -ERR_DENIED)
		snprintf(note, sizeof note, "rule \"%s\" decides now: %s",
		    decision.rule, decision.why);
	if (rc == 0 &&
	    outbound_would_change(b, decision.capability, &call.request)) {
		rc = -ERR_DENIED;
		snprintf(note, sizeof note,
		    "outbound rules would now make another text of it than the "
		    "one that was shown");
	}
	if (rc == 0 && !now && is_live(b, t) != 0) {
		rc = -ERR_DENIED;
		snprintf(note, sizeof note,
		    "its session has ended: nobody would get what it brings "
		    "back");
	}
	if (rc == -ERR_DENIED)
		rc = ticket_move(b, t, TICKET_STALE, note);
	else if (rc == 0)
		rc = give_grant(b, t, &call.request, &decision, now, who);
	if (rc == 0 && t->state != TICKET_STALE)
		rc = make_rule(b, t, approval, who, rule_out);
	stored_call_close(&call);
	return rc;
}

static void
approve(struct link *link, const struct approval *approval)
{
	struct broker *b = link->broker;
	int64_t rule = 0;
	struct ticket t;
	int rc;

	if (approval->item != 0) {
		suspect_approve(link, approval);
		return;
	}
	if (approval->intent != 0) {
		unknown_settle(link, approval);
		return;
	}
	ticket_init(&t);
	rc = ticket_get(b->inbox, approval->ticket, &t);
	if (rc == 0 && ((TICKET_ASKS >> t.state & 1) == 0 ||
			   t.expires_ms <= clock_utc_ms()))
		rc = -ERR_WRONG_STATE;
	if (rc == 0)
		rc = check_code(b, &t, approval->code);
	if (rc == 0 && approval->again_ms != 0) /* before anything is done */
		rc = again_check(t.rule, b->again_count);
	if (rc == 0)
		rc = approve_checked(b, &t, approval, link->peer.uid, &rule);
	if (rc == 0)
		answer_state(link, approval->id, &t, rule);
	else
		link_refuse(link, approval->id, rc);
	ticket_done(&t);
}

/* Who may not is put on record, as somebody tried. */
static int
refuse_approval(struct link *link, const struct approval *approval, int error)
{
	struct broker *b = link->broker;
	struct entry_head entry;
	struct ticket t;

	ticket_init(&t);
	t.id = approval->ticket;
	if (t.id == 0 || ticket_get(b->inbox, t.id, &t) != 0)
		entry_init(&entry, RECORD_APPROVAL);
	else
		ticket_entry(b, &t, RECORD_APPROVAL, &entry);
	if (approval->item != 0)
		entry.message = (uint64_t)approval->item;
	entry.error = (uint32_t)error;
	entry_text(entry.why, sizeof entry.why,
	    SPAN("refused: it is for root and the reviewer account"));
	snprintf(entry.detail, sizeof entry.detail, "%s:%lld by user %lu",
	    approval->intent != 0 ? "intent" : "ticket",
	    (long long)(approval->intent != 0 ? approval->intent
					      : approval->ticket),
	    (unsigned long)link->peer.uid);
	entry_send(b, &entry, span_of(t.capability), (struct span){0});
	ticket_done(&t);
	return link_refuse(link, approval->id, error);
}

/* Root at once; the reviewer when it is known that he is alone. */
static int
decide_who(struct link *link, const struct approval *approval)
{
	struct broker *b = link->broker;

	if (link->peer.uid == 0) {
		approve(link, approval);
		return 0;
	}
	if (!config_peer_allowed(&b->config->reviewer, link->peer.uid))
		return refuse_approval(link, approval, ERR_NOT_REVIEWER);
	if (b->approval.id != 0)
		return link_refuse(link, approval->id, ERR_BUSY);
	b->approval = *approval;
	if (control_try_number(FD_CONTROL, CONTROL_USER, 0, link->peer.uid) !=
	    0)
		die(EXIT_UNAVAILABLE, "the parent does not listen");
	return 0;
}

static int
take_settle(struct link *link, int64_t id, const struct settle_params *params)
{
	struct approval approval = {.link = link, .id = id};
	int rc = intent_parse(params->handle, &approval.intent);

	if (span_is(params->outcome, "done"))
		approval.settled = OUTCOME_DONE;
	else if (span_is(params->outcome, "failed"))
		approval.settled = OUTCOME_FAILED;
	else
		rc = -ERR_RANGE;
	return rc != 0 ? link_refuse(link, id, rc)
		       : decide_who(link, &approval);
}

static int
take_approve(struct link *link, int64_t id, const struct approve_params *params)
{
	struct approval approval = {.link = link,
	    .id = id,
	    .again_ms = params->again_ms,
	    .any_content = params->any_content};
	int rc = 0;

	if (handle_parse(params->handle, &approval.item) != 0)
		rc = ticket_parse(params->handle, &approval.ticket);
	if (rc == 0)
		rc = span_copy(
		    params->code, approval.code, sizeof approval.code);
	if (rc != 0)
		return link_refuse(link, id, rc);
	return decide_who(link, &approval);
}

void
review_counted(struct broker *b, uint64_t count)
{
	struct approval approval = b->approval;

	b->approval = (struct approval){0};
	if (approval.link == NULL)
		return; /* it has gone meanwhile */
	/* none: the connection is in somebody else's hands */
	receipt_turn(b, approval.link);
	if (count == 1)
		approve(approval.link, &approval);
	else
		refuse_approval(approval.link, &approval, ERR_NOT_ALONE);
	receipt_turn(b, NULL);
}

void
review_forget_link(struct broker *b, const struct link *link)
{
	if (b->approval.link == link)
		b->approval.link = NULL;
}

int
review_take(struct link *link, const struct message *message)
{
	switch (message->method) {
	case METHOD_REVIEW_LIST:
		return take_list(link, message->id, &message->params.list);
	case METHOD_REVIEW_SHOW:
		return take_show(link, message->id, &message->params.handle);
	case METHOD_REVIEW_APPROVE:
		return take_approve(
		    link, message->id, &message->params.approve);
	case METHOD_REVIEW_DENY:
		return take_deny(link, message->id, &message->params.handle);
	case METHOD_REVIEW_UNKNOWN:
		unknown_list(link, message->id, &message->params.list);
		return 0;
	case METHOD_REVIEW_SETTLE:
		return take_settle(link, message->id, &message->params.settle);
	case METHOD_REVIEW_RULES:
		return again_list(link, message->id);
	case METHOD_REVIEW_FEEDBACK:
		return take_feedback(link, message->id, &message->params.list);
	case METHOD_REVIEW_REVOKE:
		return again_revoke(link, message->id, &message->params.handle);
	default:
		return -ERR_NO_METHOD;
	}
}
