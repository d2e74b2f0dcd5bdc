/*
 * What has to be looked up for a decision about a call, as decide() itself
 * looks nothing up: what handles stand for, the labels of its place, the time
 * of the week.
 */
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/err.h"
#include "executor/broker.h"
#include "executor/reference.h"

#define PLACE_BYTES 8192 /* a root and a path below it */

/* What a session writes keeps the session's legs but C, which is no property of
 * bytes; durable before it is written. */
int
call_label_place(struct broker *b, unsigned legs,
    const struct decide_request *request, const struct capability *c)
{
	struct buf place;
	int rc;

	if (c->kind->place == NULL || !c->method->writes)
		return 0;
	buf_init(&place, PLACE_BYTES);
	c->kind->place(
	    c->settings, c->method, request->doc, request->arguments, &place);
	rc = place.overflow ? -ERR_TOO_LARGE
			    : inbox_label_add(b->inbox,
				  (struct span){place.data, place.len},
				  legs & ~(unsigned)LEG_C);
	buf_free(&place);
	return rc;
}

/* The legs that reading from a call's place brings back. */
int
call_place_legs(
    struct broker *b, const struct decide_request *request, unsigned *legs_out)
{
	const struct capability *c =
	    policy_find(b->policy, request->capability);
	struct buf place;
	int rc;

	*legs_out = 0;
	if (c == NULL || c->kind->place == NULL || c->method->writes)
		return 0;
	buf_init(&place, PLACE_BYTES);
	c->kind->place(
	    c->settings, c->method, request->doc, request->arguments, &place);
	rc = place.overflow
		 ? -ERR_TOO_LARGE
		 : inbox_label_get(b->inbox,
		       (struct span){place.data, place.len}, legs_out);
	buf_free(&place);
	return rc;
}

uint32_t
call_week_minute(void)
{
	time_t now = time(NULL);
	struct tm local;

	if (localtime_r(&now, &local) == NULL)
		return UINT32_MAX;
	return (uint32_t)((local.tm_wday + 6) % 7 * 24 * 60 +
			  local.tm_hour * 60 + local.tm_min);
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
	/* of what is suspect, only what inbox.read gives */
	if (suspect_is_narrow(c->broker, item))
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
int
call_resolve(struct link *link, struct session *session,
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

uint32_t
call_used(struct broker *b, struct span name)
{
	const struct capability *c = policy_find(b->policy, name);

	return c == NULL ? 0 : quota_used(&b->quotas[c->number], clock_ms());
}
