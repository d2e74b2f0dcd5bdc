/*
 * status: what runs, as the broker sees it, and as the auditor told it. Read by
 * operators and, as metrics, by who watches many services.
 */
#include "common/clock.h"
#include "common/err.h"
#include "executor/broker.h"

/* As many as may wait at a time, those that were not finished included. */
#define REVIEWS_MAX (2 * TICKETS_OPEN_MAX)

static void
put_zones(struct json_writer *w, const struct broker *b)
{
	json_key(w, "zones");
	json_open(w, '[');
	for (size_t i = 0; i < b->listener_count; i++) {
		const struct listener *l = &b->listeners[i];

		if (l->zone == NULL)
			continue;
		json_open(w, '{');
		json_put_text(w, "zone", l->zone->name);
		json_put_text(
		    w, "kind", l->kind == LINK_PLANNER ? "planner" : "reader");
		json_put_integer(w, "channels", l->links);
		machine_put_work(w, l);
		if (l->attested.len != 0)
			json_put_raw(w, "attestation",
			    (struct span){l->attested.data, l->attested.len});
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
put_couriers(struct json_writer *w, const struct broker *b)
{
	json_key(w, "couriers");
	json_open(w, '[');
	for (uint32_t i = 0; i < b->plan.couriers; i++) {
		json_open(w, '{');
		json_put_integer(w, "number", i);
		json_put_text(w, "kind", b->plan.kind[i]->name);
		json_put_boolean(w, "up", b->courier_up[i]);
		json_close(w, '}');
	}
	json_close(w, ']');
}

/* How each process of the service is locked. */
static void
put_processes(struct json_writer *w, const struct broker *b)
{
	struct buf text;

	buf_init(&text, FRAME_MAX_BYTES);
	json_key(w, "processes");
	json_open(w, '[');
	for (size_t i = 0; i < b->report_count; i++) {
		buf_clear(&text);
		lock_report_write(&b->reports[i], &text);
		json_raw_value(w, (struct span){text.data, text.len});
	}
	json_close(w, ']');
	buf_free(&text);
}

static void
put_policy(struct json_writer *w, const struct broker *b)
{
	char hex[2 * SHA256_BYTES + 1];

	hex_encode(b->policy_hash, sizeof b->policy_hash, hex);
	json_key(w, "policy");
	json_open(w, '{');
	json_put_text(w, "sha256", hex);
	json_put_integer(w, "reloads", b->reloads);
	json_close(w, '}');
}

static void
put_service(struct json_writer *w, const struct broker *b)
{
	json_key(w, "service");
	json_open(w, '{');
	json_put_integer(w, "started_ms", b->started_ms);
	json_put_integer(w, "now_ms", clock_utc_ms());
	json_close(w, '}');
	json_key(w, "calls");
	json_open(w, '{');
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		json_put_integer(
		    w, verdict_name((enum verdict)i), (int64_t)b->calls[i]);
	json_close(w, '}');
}

/* What waits for a person; what could not even wait. */
static void
put_reviews(struct json_writer *w, const struct broker *b)
{
	int64_t ids[REVIEWS_MAX];
	size_t count = 0;

	json_key(w, "reviews");
	json_open(w, '{');
	if (ticket_list(b->inbox, TICKET_ASKS, 0, ids, REVIEWS_MAX, &count) ==
	    0)
		json_put_integer(w, "waiting", (int64_t)count);
	json_put_integer(w, "refused", (int64_t)b->tickets_refused);
	json_put_integer(w, "unknown", (int64_t)b->unknown_count);
	json_close(w, '}');
}

static void
put_known(struct json_writer *w, const char *key, uint64_t number)
{
	if (number != HEALTH_UNKNOWN)
		json_put_integer(w, key, (int64_t)number);
}

static void
put_anchors(struct json_writer *w, const struct broker *b)
{
	const struct audit_health *health = &b->health;

	json_key(w, "anchors");
	json_open(w, '[');
	for (uint32_t i = 0;
	     i < health->anchors && i < b->config->audit_anchor_count; i++) {
		const struct config_anchor *row = &b->config->audit_anchors[i];
		int error = (int)(health->anchor_errors[i] & INT32_MAX);

		json_open(w, '{');
		json_put_text(w, "kind", row->kind);
		json_put_text(w, "place", row->place);
		json_put_boolean(w, "takes", error == 0);
		if (error != 0)
			json_put_text(w, "error", err_name(error));
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
put_audit(struct json_writer *w, const struct broker *b)
{
	const struct audit_health *health = &b->health;

	if (!b->health_known)
		return;
	json_key(w, "audit");
	json_open(w, '{');
	json_put_integer(w, "last", (int64_t)health->records);
	json_put_integer(w, "written", (int64_t)health->written);
	json_put_integer(w, "intents", (int64_t)health->intents);
	put_known(w, "bytes", health->log_bytes);
	put_known(w, "free", health->free_bytes);
	if (health->checkpoint_ms != 0)
		json_put_integer(w, "checkpoint_ms", health->checkpoint_ms);
	put_anchors(w, b);
	json_close(w, '}');
}

int
status_take(struct link *link, int64_t id)
{
	const struct broker *b = link->broker;
	struct inbox_counts counts = inbox_counts(b->inbox);
	struct message_writer m;

	result_begin(&m, channel_out(link->channel), id);
	put_service(&m.json, b);
	put_zones(&m.json, b);
	put_couriers(&m.json, b);
	put_policy(&m.json, b);
	json_key(&m.json, "decision_inputs");
	json_open(&m.json, '{');
	json_put_boolean(
	    &m.json, "kept", b->config->audit_inputs.recipient != NULL);
	json_close(&m.json, '}');
	json_key(&m.json, "inbox");
	json_open(&m.json, '{');
	for (int i = 0; i < INBOX_STATE_COUNT; i++)
		json_put_integer(&m.json, inbox_state_name((enum inbox_state)i),
		    (int64_t)counts.items[i]);
	json_put_integer(&m.json, "bytes", (int64_t)counts.bytes);
	json_close(&m.json, '}');
	put_reviews(&m.json, b);
	put_audit(&m.json, b);
	put_processes(&m.json, b);
	link_answer(link, &m, id, 0);
	return 0;
}
