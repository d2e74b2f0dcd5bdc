/*
 * What has to be true before an allowed order may leave: somebody performs it,
 * there is room, and what must not be forgotten is on disk.
 */
#include <stdio.h>

#include "common/err.h"
#include "executor/broker.h"

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

static void
say_no_courier(const struct capability *c, struct decision *decision)
{
	snprintf(decision->detail, sizeof decision->detail,
	    "it is allowed, but this version can not do it: no courier "
	    "performs the kind \"%s\" yet",
	    c->kind->name);
}

int
call_prepare(struct link *link, struct session *session,
    const struct decide_request *request, struct decision *decision,
    const struct pending *slot)
{
	const struct capability *c = decision->capability;
	struct broker *b = link->broker;
	int rc;

	if (c->kind->run == NULL) {
		say_no_courier(c, decision);
		return -ERR_UNAVAILABLE;
	}
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
	if (rc == 0)
		rc = call_label_place(b, session->legs, request, c);
	return rc == 0 ? count_take(b, session->id, decision) : rc;
}
