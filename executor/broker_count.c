/*
 * Limits and the leak meter in the broker: looked at before a decision, taken
 * in the same step as an allow, money and what standing sessions leaked on
 * disk before the order leaves. What failed is given back, what leaked is not.
 */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/broker.h"

void
count_adopt(struct broker *b)
{
	int rc = 0;

	if (b->counters == NULL)
		b->counters = counters_new();
	if (counters_adopt(b->counters, b->policy, clock_ms()))
		rc = inbox_spent_load(b->inbox, b->counters);
	if (rc != 0)
		die(inbox_status(rc), "what was spent cannot be read: %s",
		    err_text(rc));
}

/* The meter of a session; of one that has no channel, what is on disk. */
static int
find_leak(struct broker *b, int64_t id)
{
	struct session *session = session_find(b, id);
	struct count *count = &b->count;
	struct inbox_session ledger;
	int rc;

	count->leak = session == NULL ? &count->away : &session->leak;
	count->leak_lasts =
	    session != NULL && session->mode == SESSION_STANDING;
	count->leak_known = true;
	if (session != NULL)
		return 0;
	rc = inbox_session_get(b->inbox, id, &ledger);
	if (rc != 0 && rc != -ERR_NOT_FOUND)
		return rc;
	count->leak_lasts = rc == 0 && ledger.mode == SESSION_STANDING;
	count->leak_known = count->leak_lasts;
	return inbox_leak_load(b->inbox, id, &count->away);
}

int
count_look(struct broker *b, int64_t session, struct decide_request *request)
{
	const struct capability *c =
	    policy_find(b->policy, request->capability);
	struct count *count = &b->count;
	int rc;

	count->charge = (struct charge){0};
	if (c == NULL || request->arguments->type != JSON_OBJECT)
		return 0;
	rc = find_leak(b, session);
	if (rc != 0)
		return rc;
	count->charge =
	    (struct charge){.capability = c->number, .at_ms = clock_ms()};
	count_keys_fill(&count->charge.keys, c->name, session, request->doc,
	    request->arguments, c->effects, count->labels);
	counters_read(b->counters, b->policy, c->number, &count->charge.keys,
	    count->charge.at_ms, count->limits);
	count->used = (struct decide_used){.limits = count->limits,
	    .leak_session = count->leak->bytes,
	    .leak_destination = leak_to(count->leak, &count->charge.keys)};
	if (!count->leak_known)
		count->used.leak_session = AMOUNT_UNKNOWN;
	request->used = &count->used;
	return 0;
}

/* What a session that lives on has said outside, before it says more. */
static int
take_leak(struct broker *b, int64_t session, const struct decision *decision)
{
	struct count *count = &b->count;
	const struct count_keys *keys = &count->charge.keys;

	if (decision->leak_bytes == 0)
		return 0;
	leak_add(count->leak, keys, count->labels, decision->leak_bytes,
	    decision->leak_fields);
	return count->leak_lasts
		   ? inbox_leak_save(b->inbox, session, count->leak, keys)
		   : 0;
}

int
count_take(struct broker *b, int64_t session, const struct decision *decision)
{
	struct charge *charge = &b->count.charge;
	int rc = 0;

	charge->amounts = decision->amounts;
	if (charge->amounts.of[LIMIT_MONEY] != 0)
		rc = inbox_spent_add(b->inbox, b->policy, charge);
	if (rc == 0 && !counters_take(b->counters, b->policy, charge))
		rc = -ERR_LIMIT;
	return rc == 0 ? take_leak(b, session, decision) : rc;
}

void
count_give_back(struct broker *b, const struct charge *charge)
{
	int rc;

	counters_give_back(b->counters, b->policy, charge, clock_ms());
	rc = inbox_spent_remove(b->inbox, charge);
	if (rc != 0) /* then it counts after the next start */
		log_event(LOG_ERROR, "money-not-given-back", "reason=%s",
		    err_text(rc));
}

void
count_describe(const struct broker *b, const struct decision *decision,
    char *detail, size_t room)
{
	size_t used = strlen(detail);

	if (decision->leak_bytes == 0 || used + 1 >= room)
		return;
	snprintf(detail + used, room - used,
	    "%sleak: %llu bytes in %u fields, %llu in this session",
	    used == 0 ? "" : "; ", (unsigned long long)decision->leak_bytes,
	    (unsigned)decision->leak_fields,
	    (unsigned long long)b->count.leak->bytes);
	detail[utf8_prefix(detail, strlen(detail), room)] = '\0';
}

static void
put_leak(struct json_writer *w, const struct leak *leak)
{
	json_key(w, "leak");
	json_open(w, '{');
	json_put_integer(w, "bytes", (int64_t)leak->bytes);
	json_put_integer(w, "fields", leak->fields);
	json_key(w, "destinations");
	json_open(w, '[');
	for (uint32_t i = 0; i < leak->count; i++) {
		json_open(w, '{');
		json_put_text(w, "to", leak->at[i].label);
		json_put_integer(w, "bytes", (int64_t)leak->at[i].bytes);
		json_put_integer(w, "fields", leak->at[i].fields);
		json_close(w, '}');
	}
	json_close(w, ']');
	json_close(w, '}');
}

int
count_put_leak(struct broker *b, int64_t session, struct json_writer *w)
{
	const struct session *s = session_find(b, session);
	struct leak leak;
	int rc;

	if (s != NULL) {
		put_leak(w, &s->leak);
		return 0;
	}
	rc = inbox_leak_load(b->inbox, session, &leak);
	if (rc == 0)
		put_leak(w, &leak);
	return rc;
}
