/*
 * The auditor's word to the broker that an outcome is unknown, with what the
 * log knows of its intent. One truth: the log; the broker keeps no copy over a
 * restart.
 */
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "executor/auditor_impl.h"

static void
put_text(char *to, size_t room, struct span text)
{
	size_t most = text.n < room ? text.n : room - 1;
	size_t n = utf8_prefix(text.p, most, most);

	if (n != 0)
		memcpy(to, text.p, n);
	to[n] = '\0';
}

static void
tell(void *context, const struct audit_unknown *unknown)
{
	const struct record *intent = unknown->intent;
	struct auditor *a = context;
	struct receipt_head head = {.magic = ORDER_MAGIC,
	    .what = RECEIPT_UNKNOWN,
	    .sequence = unknown->seq};
	struct unknown_head body = {.time_ms = unknown->time_ms,
	    .request = intent->request,
	    .session = intent->session,
	    .message = intent->message,
	    .grant = intent->grant,
	    .bytes = intent->bytes,
	    .capability = intent->number};

	put_text(body.zone, sizeof body.zone, intent->zone);
	put_text(body.name, sizeof body.name, intent->capability);
	put_text(body.rule, sizeof body.rule, intent->rule);
	put_text(body.why, sizeof body.why, intent->why);
	put_text(
	    body.destination, sizeof body.destination, intent->destination);
	put_text(body.detail, sizeof body.detail, intent->detail);
	put_text(body.reason, sizeof body.reason, unknown->reason);
	if (buf_add(&a->receipts, &head, sizeof head) != 0 ||
	    buf_add(&a->receipts, &body, sizeof body) != 0)
		die(EXIT_UNAVAILABLE, "the broker takes no receipts");
}

void
auditor_tell_unknown(struct auditor *a)
{
	size_t failed = audit_tell_unknown(a->audit, tell, a);

	if (failed != 0)
		log_event(LOG_ERROR, "unknown-unread",
		    "count=%zu see=audit show --unknown", failed);
}
