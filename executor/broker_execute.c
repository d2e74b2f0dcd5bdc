/*
 * An approved call, done by the broker itself: its session may have ended, and
 * nobody waits for the answer, which goes to the ticket.
 */

#include "common/err.h"
#include "executor/broker.h"

/* The listening socket of a planner's zone; NULL if it is not configured any
 * more. */
static struct listener *
planner_listener(struct broker *b, const char *zone)
{
	struct listener *l = zone_listener(b, span_of(zone));

	return l != NULL && l->kind == LINK_PLANNER ? l : NULL;
}

/* Of a session that may have ended: durable, as in prepare. */
static int
prepare_session(
    struct broker *b, const struct ticket *ticket, unsigned adds_legs)
{
	struct session *session = session_find(b, ticket->session);
	int rc = 0;

	if (session == NULL) {
		rc = inbox_session_add_legs(
		    b->inbox, ticket->session, adds_legs);
		return rc == -ERR_WRONG_STATE || rc == -ERR_NOT_FOUND ? 0 : rc;
	}
	if (session->claim != 0 && session->claim == ticket->message &&
	    !session->acted) {
		rc = inbox_mark_acted(b->inbox, session->claim, session->id);
		session->acted = rc == 0;
	}
	return rc != 0 ? rc : session_add_legs(b, session, adds_legs);
}

int
call_execute(struct broker *b, struct ticket *ticket,
    const struct decide_request *request, const struct decision *decision)
{
	const struct capability *c = decision->capability;
	struct pending call = {.listener = planner_listener(b, ticket->zone),
	    .ticket = ticket->id};
	uint64_t number = ++b->next_request;
	struct entry_head entry;
	int rc;

	if (call.listener == NULL || c->kind->run == NULL ||
	    config_is_anchor(b->config, span_of(c->name)) ||
	    !b->courier_up[b->plan.courier_of[c->number]])
		return -ERR_UNAVAILABLE;
	if (call_place(b, number)->request != 0 ||
	    call.listener->orders >= ZONE_ORDERS_MAX)
		return -ERR_BUSY;
	rc = prepare_session(b, ticket, decision->adds_legs);
	if (rc == 0)
		rc = call_label_place(
		    b, ticket->legs | decision->adds_legs, request, c);
	if (rc == 0)
		rc = count_take(b, ticket->session, decision);
	if (rc != 0)
		return rc;
	rc = ticket_spend(b, ticket, TICKET_ASKS);
	if (rc != 0) {
		count_give_back(b, &b->count.charge);
		return rc;
	}
	ticket_entry(b, ticket, RECORD_INTENT, &entry);
	count_describe(b, decision, entry.detail, sizeof entry.detail);
	entry.request = number;
	call_order(b, &call, &entry, span_of(ticket->capability),
	    entry_inputs(b, ticket->session, request, decision, 0),
	    (struct span){ticket->arguments.data, ticket->arguments.len});
	return 0;
}
