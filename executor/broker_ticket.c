/*
 * Tickets in the broker: a call that a person has to decide about becomes one,
 * an identical call meets it again, and what came of it is kept. Believes the
 * store and the decision; of the planner, that it asked.
 */
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/broker.h"
#include "executor/canonical.h"
#include "executor/inputs.h"
#include "executor/role.h"
#include "executor/ticket_card.h"

#define TICKET_MS ((int64_t)TICKET_HOURS * 60 * 60 * 1000)
#define OVERDUE_AT_ONCE 20 /* in one second */

void
ticket_entry(struct broker *b, const struct ticket *t, enum record_kind kind,
    struct entry_head *entry)
{
	const struct capability *c =
	    policy_find(b->policy, span_of(t->capability));

	entry_init(entry, kind);
	entry->session = (uint64_t)t->session;
	entry->message = (uint64_t)t->message;
	entry->grant = t->grant;
	entry->bytes = t->arguments.len;
	entry->committed = 1;
	sha256_of(t->arguments.data, t->arguments.len, entry->body_hash);
	if (c != NULL)
		entry->capability = c->number;
	entry_goes_stored(b, entry, t);
	entry_text(entry->zone, sizeof entry->zone, span_of(t->zone));
	entry_text(entry->rule, sizeof entry->rule, span_of(t->rule));
	entry_text(entry->why, sizeof entry->why, span_of(t->why));
	snprintf(entry->detail, sizeof entry->detail, "ticket:%lld",
	    (long long)t->id);
}

void
ticket_record(struct broker *b, const struct ticket *t, enum record_kind kind,
    int error, const char *why, const uid_t *who)
{
	struct entry_head entry;

	ticket_entry(b, t, kind, &entry);
	entry.error = (uint32_t)-error;
	entry_text(entry.why, sizeof entry.why, span_of(why));
	if (who != NULL)
		snprintf(entry.detail, sizeof entry.detail,
		    "ticket:%lld by user %lu", (long long)t->id,
		    (unsigned long)*who);
	entry_send(b, &entry, span_of(t->capability), (struct span){0});
}

static void
forget_rules(struct broker *b)
{
	for (size_t i = 0; i < b->again_count; i++) {
		again_done(&b->again_rows[i]);
		json_done(&b->again_docs[i]);
	}
	b->again_count = 0;
}

/* One row into the arrays decide() gets; false: it makes no sense. */
static bool
take_rule(struct broker *b, const struct again_row *row)
{
	size_t at = b->again_count;
	struct again *again = &b->again[at];
	struct json_doc *doc = &b->again_docs[at];

	json_init(doc);
	b->again_rows[at] = *row;
	row = &b->again_rows[at];
	if (json_parse(doc,
		(struct span){row->arguments.data, row->arguments.len}, NULL,
		NULL) != 0) {
		json_done(doc);
		return false;
	}
	*again = (struct again){.capability = span_of(row->capability),
	    .zone = span_of(row->zone),
	    .asked_by = span_of(row->rule),
	    .any_content = row->any_content,
	    .doc = doc,
	    .arguments = json_root(doc)};
	again_format(row->id, again->id);
	b->again_count++;
	return true;
}

/* What the operator makes another capability of is asked about again. */
static bool
is_outdated(const struct broker *b, const struct again_row *row)
{
	unsigned char is[SHA256_BYTES];

	card_capability(b->policy, span_of(row->capability), is);
	return memcmp(is, row->is, sizeof is) != 0;
}

static int
load_rules(struct broker *b)
{
	int64_t now = clock_utc_ms(), after = 0;
	struct again_row row;
	int rc = 0;

	forget_rules(b);
	while (b->again_count < AGAIN_RULES_MAX &&
	       (rc = again_next(b->inbox, after, &row)) == 0) {
		after = row.id;
		if (is_outdated(b, &row))
			rc = again_remove(b->inbox, row.id);
		else if (row.expires_ms > now && take_rule(b, &row))
			continue;
		again_done(&row);
		if (rc != 0)
			return rc;
	}
	return rc == -ERR_NOT_FOUND ? 0 : rc;
}

void
tickets_load_rules(struct broker *b)
{
	int rc = load_rules(b);

	if (rc == 0)
		return;
	forget_rules(b); /* without them more is asked */
	log_event(LOG_ERROR, "tickets", "reason=%s", err_text(rc));
}

static void
count_live(struct broker *b)
{
	int rc = ticket_live(b->inbox, &b->tickets_live);

	if (rc == 0)
		return;
	b->tickets_live = 1; /* so each call looks for one */
	log_event(LOG_ERROR, "tickets", "reason=%s", err_text(rc));
}

/* A grant that was spent when the service ended: whether its order left, the
 * auditor knows. */
static void
ask_about_spent(struct broker *b)
{
	int64_t ids[TICKETS_OPEN_MAX];
	struct ticket t;
	size_t count;

	if (ticket_list(b->inbox, 1u << TICKET_SPENT, 0, ids, TICKETS_OPEN_MAX,
		&count) != 0)
		die(EXIT_SYSTEM, "tickets cannot be read");
	for (size_t i = 0; i < count; i++) {
		ticket_init(&t);
		if (ticket_get(b->inbox, ids[i], &t) == 0 &&
		    control_try_number(FD_CONTROL, CONTROL_GRANT, 0, t.grant) !=
			0)
			die(EXIT_UNAVAILABLE, "the parent does not listen");
		ticket_done(&t);
	}
}

void
tickets_start(struct broker *b)
{
	b->again_rows = alloc_array(AGAIN_RULES_MAX, sizeof *b->again_rows);
	b->again_docs = alloc_array(AGAIN_RULES_MAX, sizeof *b->again_docs);
	b->again = alloc_array(AGAIN_RULES_MAX, sizeof *b->again);
	tickets_load_rules(b);
	count_live(b);
	ask_about_spent(b);
}

int
ticket_move(struct broker *b, struct ticket *t, enum ticket_state state,
    const char *note)
{
	unsigned from = 1u << t->state;
	enum ticket_state was = t->state;
	int rc;

	t->state = state;
	if (note != t->note)
		entry_text(t->note, sizeof t->note, span_of(note));
	/* between characters */
	t->note[utf8_prefix(t->note, strlen(t->note), WHY_MAX_BYTES)] = '\0';
	rc = ticket_save(b->inbox, t, from);
	if (rc != 0) {
		t->state = was;
		return rc;
	}
	if (state == TICKET_EXPIRED || state == TICKET_STALE ||
	    state == TICKET_UNFINISHED)
		ticket_record(b, t, RECORD_EXPIRY, 0, note, NULL);
	count_live(b);
	return 0;
}

static void
settle(struct broker *b, struct ticket *t, bool found)
{
	int rc;

	t->outcome = OUTCOME_UNKNOWN;
	t->error = ERR_UNKNOWN_OUTCOME;
	if (found) {
		rc = ticket_move(b, t, TICKET_DONE,
		    "the service ended before its outcome was known");
	} else {
		t->expires_ms = clock_utc_ms() + TICKET_MS;
		rc = ticket_move(b, t, TICKET_UNFINISHED,
		    "approved, not done: the service ended before its order "
		    "was on record; approve it anew, or deny it");
	}
	if (rc != 0)
		die(inbox_status(rc), "ticket:%lld cannot be settled: %s",
		    (long long)t->id, err_text(rc));
}

static bool
has_order(const struct broker *b, int64_t ticket)
{
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (b->pending[i].request != 0 &&
		    b->pending[i].ticket == ticket)
			return true;
	return false;
}

void
tickets_settle(struct broker *b, uint64_t grant, bool found)
{
	int64_t ids[TICKETS_OPEN_MAX];
	struct ticket t;
	size_t count = 0;

	ticket_list(
	    b->inbox, 1u << TICKET_SPENT, 0, ids, TICKETS_OPEN_MAX, &count);
	for (size_t i = 0; i < count; i++) {
		ticket_init(&t);
		if (ticket_get(b->inbox, ids[i], &t) == 0 && t.grant == grant &&
		    !has_order(b, t.id))
			settle(b, &t, found);
		ticket_done(&t);
	}
}

static int
expire(struct broker *b, struct ticket *t)
{
	switch (t->state) {
	case TICKET_DONE:
		return ticket_move(b, t, TICKET_CLOSED, t->note);
	case TICKET_DENIED:
		return ticket_move(b, t, TICKET_EXPIRED, "it was denied");
	case TICKET_APPROVED:
		return ticket_move(b, t, TICKET_EXPIRED,
		    "approved, and its session did not come back in time");
	default:
		return ticket_move(
		    b, t, TICKET_EXPIRED, "nobody decided in time");
	}
}

static int
expire_one(struct broker *b, int64_t id)
{
	struct ticket t;
	int rc;

	ticket_init(&t);
	rc = ticket_get(b->inbox, id, &t);
	if (rc == 0)
		rc = expire(b, &t);
	ticket_done(&t);
	return rc;
}

void
tickets_tick(struct broker *b)
{
	int64_t now = clock_utc_ms(), id;
	int rc = 0;

	for (size_t i = 0; i < b->again_count; i++)
		if (b->again_rows[i].expires_ms <= now) {
			tickets_load_rules(b);
			break;
		}
	if (b->tickets_live == 0)
		return;
	for (int i = 0; i < OVERDUE_AT_ONCE && rc == 0; i++) {
		rc = ticket_overdue(b->inbox, now, &id);
		if (rc == 0)
			rc = expire_one(b, id);
	}
	if (rc != 0 && rc != -ERR_NOT_FOUND)
		log_event(LOG_ERROR, "tickets", "reason=%s", err_text(rc));
}

/* Where the values come from, found in what would be executed: its order is
 * not that of the planner's text. */
static int
fill_origins(
    const struct broker *b, struct ticket *t, struct decide_request request)
{
	struct decide_value values[DECIDE_VALUES_MAX];
	struct json_writer w;
	struct json_doc doc;
	size_t count;
	int rc;

	json_init(&doc);
	rc = json_parse(&doc,
	    (struct span){t->arguments.data, t->arguments.len}, NULL, NULL);
	if (rc == 0) {
		request.doc = &doc;
		request.arguments = json_root(&doc);
		count = decide_values(b->policy, &request, values);
		json_write_init(&w, &t->origins);
		inputs_put_values(&w, values, count);
		rc = t->origins.overflow ? -ERR_TOO_LARGE : 0;
	}
	json_done(&doc);
	return rc;
}

/* What the call of this moment would be as a ticket. */
static int
fill(struct ticket *t, const struct link *link, const struct session *session,
    const struct decide_request *request, const struct decision *decision)
{
	int rc;

	t->session = session->id;
	t->message = session->claim;
	t->legs = session->legs;
	t->opened_ms = clock_utc_ms();
	t->expires_ms = t->opened_ms + TICKET_MS;
	entry_text(
	    t->zone, sizeof t->zone, span_of(link->listener->zone->name));
	entry_text(t->capability, sizeof t->capability,
	    span_of(decision->capability->name));
	entry_text(t->rule, sizeof t->rule, span_of(decision->rule));
	entry_text(t->why, sizeof t->why, span_of(decision->why));
	rc = canonical_add(&t->arguments, request->doc, request->arguments);
	return rc == 0 ? fill_origins(link->broker, t, *request) : rc;
}

static void
open_ticket(struct broker *b, struct decision *decision, uint64_t number,
    struct met *met)
{
	struct ticket *t = &met->ticket;
	struct entry_head entry;
	int rc = ticket_add(b->inbox, t);

	if (rc == -ERR_QUOTA) {
		b->tickets_refused++;
		met->how = MEET_FULL;
		snprintf(decision->detail, sizeof decision->detail,
		    "a person has to approve this, and as many calls as may "
		    "wait for that do: %d in all, %d of one session",
		    TICKETS_OPEN_MAX, TICKETS_SESSION_MAX);
		return;
	}
	if (rc != 0) {
		snprintf(decision->detail, sizeof decision->detail,
		    "a person has to approve this, and the ticket cannot be "
		    "stored: %s",
		    err_text(rc));
		return;
	}
	met->how = MEET_ASKS;
	ticket_entry(b, t, RECORD_TICKET, &entry);
	entry.request = number;
	entry_send(b, &entry, span_of(t->capability), (struct span){0});
	count_live(b);
}

/* Whether it is the same asking: of all limits the rule has one name. */
bool
ticket_asks(const struct ticket *t, const char *rule, const char *why)
{
	char asked[sizeof t->why];

	entry_text(asked, sizeof asked, span_of(why));
	return strcmp(rule, t->rule) == 0 &&
	       (strcmp(rule, "limit") != 0 || strcmp(asked, t->why) == 0);
}

/* Whether what was approved is what is called now, its labels included. */
static bool
is_granted(const struct broker *b, const struct ticket *known,
    const struct ticket *now)
{
	unsigned char hash[SHA256_BYTES];
	struct ticket whole = *now;
	uint64_t number;

	whole.id = known->id;
	whole.opened_ms = known->opened_ms;
	whole.approvals = known->approvals;
	grant_hash(&whole, b->policy, hash, &number);
	return number == known->grant &&
	       memcmp(hash, known->hash, sizeof hash) == 0;
}

/* An approval whose time is over is none, whether a tick has come by or not. */
static bool
is_over(const struct ticket *t)
{
	return t->state == TICKET_APPROVED && t->expires_ms <= clock_utc_ms();
}

/* How the call meets a ticket that it has. MEET_NOTHING: it has none any
 * more. */
static enum meeting
meet_known(struct broker *b, struct ticket *known, const struct ticket *now,
    enum verdict verdict)
{
	bool same = ticket_asks(known, now->rule, now->why);

	if (known->state == TICKET_DONE)
		return ticket_move(b, known, TICKET_CLOSED, known->note) == 0
			   ? MEET_OUTCOME
			   : MEET_ASKS;
	if (verdict != VERDICT_ASK)
		return MEET_NOTHING;
	if (known->state == TICKET_SPENT || known->state == TICKET_DENIED)
		return MEET_ASKS;
	if (same && known->state != TICKET_APPROVED)
		return MEET_ASKS;
	if (is_over(known))
		return expire(b, known) == 0 ? MEET_NOTHING : MEET_ASKS;
	if (same && is_granted(b, known, now))
		return MEET_GRANT;
	if (ticket_move(b, known, TICKET_STALE,
		same ? "what the session has seen, or the call, is not what "
		       "was approved"
		     : "another rule asks now") != 0)
		return MEET_ASKS;
	return MEET_NOTHING;
}

/* The call's own ticket in place of what `now` says of it. */
static enum meeting
meet(struct broker *b, struct ticket *now, enum verdict verdict)
{
	enum meeting how = MEET_NOTHING;
	struct ticket known;
	int64_t id;

	ticket_digest(span_of(now->capability),
	    (struct span){now->arguments.data, now->arguments.len},
	    now->digest);
	if (b->tickets_live == 0 ||
	    ticket_find(b->inbox, now->session, now->digest, &id) != 0)
		return MEET_NOTHING;
	ticket_init(&known);
	if (ticket_get(b->inbox, id, &known) == 0)
		how = meet_known(b, &known, now, verdict);
	if (how == MEET_NOTHING) {
		ticket_done(&known);
		return how;
	}
	ticket_done(now);
	*now = known;
	return how;
}

void
ticket_meet(struct link *link, const struct session *session,
    const struct decide_request *request, struct decision *decision,
    uint64_t number, struct met *met)
{
	struct broker *b = link->broker;
	bool asks = decision->verdict == VERDICT_ASK;

	met->how = MEET_NOTHING;
	ticket_init(&met->ticket);
	if ((!asks && b->tickets_live == 0) || decision->capability == NULL ||
	    decision->error == ERR_SCHEMA)
		return;
	if (fill(&met->ticket, link, session, request, decision) != 0)
		return;
	met->how = meet(b, &met->ticket, decision->verdict);
	if (asks && met->how == MEET_NOTHING)
		open_ticket(b, decision, number, met);
	else if (met->how == MEET_ASKS)
		snprintf(decision->detail, sizeof decision->detail,
		    "a person %s",
		    met->ticket.state == TICKET_DENIED ? "has denied this"
		    : met->ticket.state == TICKET_SPENT
			? "has approved this; it is being done"
			: "has to approve this");
}

int
ticket_spend(struct broker *b, struct ticket *t, unsigned from)
{
	int rc;

	t->state = TICKET_SPENT;
	rc = ticket_save(b->inbox, t, from);
	if (rc == 0)
		ticket_record(b, t, RECORD_SPENT, 0,
		    "its grant is spent for the order that follows", NULL);
	count_live(b);
	return rc;
}

void
ticket_outcome(struct broker *b, const struct pending *call,
    enum outcome outcome, uint32_t error, const char *detail,
    struct span result)
{
	/* what a reader would have to clean is lost with who waited for it */
	bool keeps =
	    call->link == NULL &&
	    !policy_capability(b->policy, call->capability)->method->content;
	struct ticket t;
	char note[DETAIL_BYTES];
	int rc;

	entry_text(note, sizeof note,
	    (struct span){detail, strnlen(detail, DETAIL_BYTES - 1)});
	if (!utf8_check(note, strlen(note)))
		note[0] = '\0';
	ticket_init(&t);
	rc = ticket_get(b->inbox, call->ticket, &t);
	t.outcome = outcome;
	t.error = error;
	if (rc == 0 && keeps)
		buf_add(&t.result, result.p, result.n);
	if (rc == 0)
		rc = ticket_move(
		    b, &t, keeps ? TICKET_DONE : TICKET_CLOSED, note);
	if (rc != 0)
		log_event(LOG_ERROR, "ticket-outcome", "ticket=%lld reason=%s",
		    (long long)call->ticket, err_text(rc));
	ticket_done(&t);
}
