/*
 * Sessions: which instance of a planner zone has seen what. The ledger is on
 * disk before the bytes that change it leave the broker.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/broker.h"
#include "executor/extract.h"

#define VOUCH_MS 10000 /* from the promise to the connection */

struct session *
session_find(struct broker *b, int64_t id)
{
	struct session *s = b->sessions;

	while (s != NULL && s->id != id)
		s = s->next;
	return s;
}

static void
record_session(struct broker *b, const struct session *session,
    const char *zone, const char *what, const char *detail)
{
	struct entry_head entry;

	entry_init(&entry, RECORD_SESSION);
	entry.session = (uint64_t)session->id;
	entry.message = (uint64_t)session->claim;
	entry_text(entry.zone, sizeof entry.zone, span_of(zone));
	entry_text(entry.why, sizeof entry.why, span_of(what));
	entry_text(entry.detail, sizeof entry.detail, span_of(detail));
	entry_send(b, &entry, (struct span){0}, (struct span){0});
}

/* Who said so, and of which process. */
static void
record_vouch(struct broker *b, const char *zone, const struct peer *peer)
{
	struct session none = {.id = 0};
	char detail[80];

	(void)snprintf(detail, sizeof detail, "process %ld, by user %lu",
	    (long)peer->pid, (unsigned long)peer->uid);
	record_session(b, &none, zone, "a new instance is vouched for", detail);
}

int
session_vouch(struct broker *b, struct span zone, const struct peer *peer)
{
	const struct config_zone *z = config_zone(b->config, zone);
	int64_t now = clock_ms();

	if (z == NULL || z->kind != ZONE_PLANNER || peer->pid <= 0)
		return -ERR_RANGE;
	for (size_t i = 0; i < VOUCHES_MAX; i++) {
		struct vouch *v = &b->vouches[i];

		if (v->zone != NULL && v->until_ms > now)
			continue;
		record_vouch(b, z->name, peer);
		*v = (struct vouch){z, peer->pid, now + VOUCH_MS};
		return 0;
	}
	return -ERR_BUSY;
}

bool
session_is_vouched(
    struct broker *b, const struct config_zone *zone, const struct peer *peer)
{
	int64_t now = clock_ms();

	for (size_t i = 0; i < VOUCHES_MAX; i++) {
		struct vouch *v = &b->vouches[i];

		if (v->zone != zone || v->pid != peer->pid ||
		    v->until_ms <= now)
			continue;
		v->zone = NULL;
		return true;
	}
	/* root starts zones; a zone is never root where the service was
	 * started by it */
	return peer->uid == 0 && geteuid() != 0;
}

int
session_open(struct broker *b, const struct config_zone *zone, bool vouched,
    struct session **session_out)
{
	enum session_mode mode = vouched ? zone->session : SESSION_STANDING;
	struct inbox_session ledger;
	struct session *session;
	int64_t id;
	int rc;

	rc = inbox_session_new(b->inbox, span_of(zone->name), mode, &id);
	if (rc != 0)
		return rc;
	if (session_find(b, id) != NULL)
		return -ERR_BUSY;
	rc = inbox_session_get(b->inbox, id, &ledger);
	if (rc != 0)
		return rc;
	session = alloc_bytes(sizeof *session);
	session->id = id;
	session->legs = ledger.legs;
	session->mode = mode;
	session->endorsed = ledger.endorsed;
	session->facts = facts_new();
	facts_of_operator(session->facts, b->config);
	session->next = b->sessions;
	b->sessions = session;
	rc = inbox_leak_load(b->inbox, id, &session->leak);
	if (rc != 0)
		die(inbox_status(rc), "what leaked cannot be read: %s",
		    err_text(rc));
	rc = tasks_load(b, session);
	if (rc != 0) {
		log_event(LOG_ERROR, "tasks", "session=%lld reason=%s",
		    (long long)id, err_text(rc)); /* it asks more */
	}
	record_session(
	    b, session, zone->name, "begins", session_mode_name(session->mode));
	/* whose the endorsed values are went with its facts */
	rc = ledger.endorsed ? session_add_legs(b, session, LEG_A) : 0;
	if (rc != 0)
		die(inbox_status(rc), "legs cannot be stored: %s",
		    err_text(rc));
	*session_out = session;
	return 0;
}

int
session_endorse(struct broker *b, struct session *session, uint32_t number,
    const struct extract *extract)
{
	uint64_t bit = UINT64_C(1) << number;
	unsigned bits = session->extract_bits + extract_bits(extract);
	int rc = 0;

	if (session->extracts_of != b->reloads)
		session->extracts = 0;
	session->extracts_of = b->reloads;
	if ((session->extracts & bit) != 0)
		return 0;
	if (bits > EXTRACT_BITS_MAX && (session->legs & LEG_A) == 0)
		return -ERR_QUOTA;
	if (session->mode == SESSION_STANDING && !session->endorsed)
		rc = inbox_session_endorsed(b->inbox, session->id);
	if (rc != 0)
		return rc;
	session->endorsed = true;
	session->extracts |= bit;
	session->extract_bits = bits;
	return 0;
}

void
session_close(struct broker *b, struct session *session)
{
	struct session **at = &b->sessions;
	struct inbox_session ledger;
	int rc;

	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
	rc = inbox_session_ended(b->inbox, session->id);
	if (rc == 0)
		rc = inbox_session_get(b->inbox, session->id, &ledger);
	if (rc == 0)
		record_session(b, session, ledger.zone, "ends",
		    session_mode_name(session->mode));
	else if (!b->ending)
		die(inbox_status(rc),
		    "the end of session %lld cannot be stored "
		    "(%s): the next start settles what it held",
		    (long long)session->id, err_text(rc));
	facts_free(session->facts);
	free(session);
}

int
session_finish(struct broker *b, int64_t id)
{
	struct session session = {.id = id};
	struct inbox_session ledger;
	int rc = inbox_session_get(b->inbox, id, &ledger);

	if (rc == 0 && ledger.ended_ms == 0)
		rc = inbox_session_finish(b->inbox, id);
	if (rc == 0)
		record_session(b, &session, ledger.zone,
		    "ended by the operator", session_mode_name(ledger.mode));
	return rc;
}

static bool
settle_one(const struct inbox_session *ledger, void *context)
{
	struct session session = {.id = ledger->id, .mode = ledger->mode};
	struct broker *b = context;
	int rc;

	if (ledger->mode == SESSION_STANDING)
		return true;
	rc = inbox_session_ended(b->inbox, ledger->id);
	if (rc != 0)
		die(inbox_status(rc),
		    "the end of session %lld cannot be stored: %s",
		    (long long)ledger->id, err_text(rc));
	record_session(b, &session, ledger->zone, "ended with the service",
	    session_mode_name(ledger->mode));
	return true;
}

void
sessions_settle(struct broker *b)
{
	int rc = inbox_session_list(b->inbox, 0, true, settle_one, b);

	if (rc != 0)
		die(inbox_status(rc), "sessions cannot be read: %s",
		    err_text(rc));
}

/* All that it has now: decisions hang on it. */
static void
record_legs(struct broker *b, const struct session *session, const char *zone)
{
	char detail[16] = "legs";
	size_t at = 4;

	for (unsigned leg = 0; leg < 3; leg++)
		if ((session->legs >> leg & 1) != 0) {
			detail[at++] = ' ';
			detail[at++] = "ABC"[leg];
		}
	record_session(b, session, zone, "has new legs", detail);
}

int
session_add_legs(struct broker *b, struct session *session, unsigned legs)
{
	struct inbox_session ledger;
	int rc;

	if ((session->legs & legs) == legs)
		return 0;
	rc = inbox_session_add_legs(b->inbox, session->id, legs);
	if (rc == 0)
		rc = inbox_session_get(b->inbox, session->id, &ledger);
	if (rc != 0)
		return rc;
	session->legs |= legs;
	record_legs(b, session, ledger.zone);
	return 0;
}

int
item_load_clean(struct broker *b, int64_t item)
{
	int rc;

	buf_clear(&b->item_text);
	rc = inbox_clean_text(b->inbox, item, &b->item_text);
	if (rc != 0)
		return rc;
	return json_parse(&b->item_doc,
	    (struct span){b->item_text.data, b->item_text.len}, NULL, NULL);
}

int
session_see(struct broker *b, struct session *session, int64_t item)
{
	unsigned legs = LEG_A;
	int rc = item_load_clean(b, item);

	if (rc != 0)
		return rc;
	/* what comes back from ourselves may be what a session wrote */
	if (item_is_own(b->config, &b->item_doc, json_root(&b->item_doc)))
		legs |= LEG_B;
	rc = session_add_legs(b, session, legs);
	if (rc != 0 || session->seen == item)
		return rc;
	facts_of_item(session->facts, &b->item_doc, json_root(&b->item_doc));
	session->seen = item;
	return 0;
}
