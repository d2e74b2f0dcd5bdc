/*
 * Intents whose outcome is unknown, as cards: after a crash, or when a courier
 * died with an order in hands, nobody but a person can find out what became of
 * it. The auditor says which there are, and is believed; the log keeps them,
 * and a card is over when a settlement of it is on record. Nothing is done
 * again by any of this.
 */
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/sorted.h"
#include "executor/audit_filter.h"
#include "executor/audit_unsettled.h"
#include "executor/broker.h"
#include "executor/ticket_card.h"

#define PAGE_MAX 100
#define LISTED_DESTINATION_BYTES 200

struct unknown_card {
	uint64_t intent; /* first, for sorted_find */
	struct unknown_head head;
};

/* Index of the first whose intent is not below. */
static size_t
find(const struct broker *b, uint64_t intent)
{
	return sorted_find(
	    b->unknown, b->unknown_count, sizeof b->unknown[0], intent);
}

static const struct unknown_card *
card_of(const struct broker *b, int64_t intent)
{
	size_t at = find(b, (uint64_t)intent);

	return at < b->unknown_count &&
		       b->unknown[at].intent == (uint64_t)intent
		   ? &b->unknown[at]
		   : NULL;
}

void
unknown_take(struct broker *b, uint64_t intent, const char *body)
{
	size_t at = find(b, intent);

	if (b->unknown_count == UNSETTLED_MAX)
		bug("more unknown outcomes than the auditor keeps");
	b->unknown =
	    alloc_resize(b->unknown, b->unknown_count + 1, sizeof *b->unknown);
	memmove(&b->unknown[at + 1], &b->unknown[at],
	    (b->unknown_count - at) * sizeof *b->unknown);
	b->unknown[at].intent = intent;
	memcpy(&b->unknown[at].head, body, sizeof b->unknown[at].head);
	b->unknown_count++;
}

static void
put_card(struct json_writer *w, const struct unknown_card *card)
{
	const struct unknown_head *head = &card->head;
	struct span to = span_of(head->destination);
	char handle[32];

	if (to.n > LISTED_DESTINATION_BYTES)
		to.n = utf8_prefix(
		    to.p, LISTED_DESTINATION_BYTES, LISTED_DESTINATION_BYTES);
	intent_format((int64_t)card->intent, handle);
	json_put_text(w, "intent", handle);
	json_put_text(w, "state", "unknown");
	json_put_integer(w, "session", (int64_t)head->session);
	json_put_text(w, "zone", head->zone);
	json_put_text(w, "capability", head->name);
	json_put_text(w, "rule", head->rule);
	json_put_integer(w, "bytes", (int64_t)head->bytes);
	json_put_integer(w, "time_ms", (int64_t)head->time_ms);
	if (head->message != 0) {
		handle_format((int64_t)head->message, handle);
		json_put_text(w, "handle", handle);
	}
	if (to.n != 0)
		json_put_string(w, "destination", to);
	json_put_text(w, "note", head->reason);
}

void
unknown_list(struct link *link, int64_t id, const struct list_params *params)
{
	const struct broker *b = link->broker;
	int64_t most = params->limit < PAGE_MAX ? params->limit : PAGE_MAX;
	size_t at = find(b, (uint64_t)params->after + 1);
	struct message_writer m;
	int64_t last = 0;

	result_begin(&m, channel_out(link->channel), id);
	json_key(&m.json, "rows");
	json_open(&m.json, '[');
	for (; at < b->unknown_count && most > 0; at++, most--) {
		json_open(&m.json, '{');
		put_card(&m.json, &b->unknown[at]);
		json_close(&m.json, '}');
		last = (int64_t)b->unknown[at].intent;
	}
	json_close(&m.json, ']');
	json_put_integer(&m.json, "after", at < b->unknown_count ? last : 0);
	link_answer(link, &m, id, 0);
}

static void
add_head(struct buf *out, const struct unknown_card *card,
    const struct policy *policy)
{
	const struct unknown_head *head = &card->head;
	const struct capability *c = policy_find(policy, span_of(head->name));
	struct span to = span_of(head->destination);
	char handle[32], text[ENTRY_DETAIL_MAX + 1];

	intent_format((int64_t)card->intent, handle);
	card_line(out, "intent", handle);
	card_line(out, "outcome", "unknown: it may have happened, or not");
	card_line(out, "because", head->reason);
	card_line(out, "asked for", head->name);
	card_line(
	    out, "which is", c == NULL ? "no capability any more" : c->why);
	if (head->session == 0)
		snprintf(text, sizeof text,
		    "none: a line of the audit's own, for an anchor");
	else
		snprintf(text, sizeof text, "%llu of zone %s",
		    (unsigned long long)head->session, head->zone);
	card_line(out, "session", text);
	if (head->message != 0) {
		handle_format((int64_t)head->message, handle);
		card_line(out, "works on", handle);
	}
	if (to.n != 0) {
		entry_text(text, sizeof text, to);
		card_line(out, "destination", text);
	}
	card_line(out, "rule", head->rule);
	card_line(out, "why", head->why);
	if (head->detail[0] != '\0')
		card_line(out, "recorded", head->detail);
	buf_add_text(out, "begun        ");
	card_time(out, (int64_t)head->time_ms);
}

/* What a person approved of is kept with its ticket; other arguments are not
 * kept where this process could read them. */
static void
add_asked(struct buf *out, struct broker *b, const struct unknown_card *card)
{
	struct buf asked;
	struct ticket t;
	int64_t id;
	int rc;

	ticket_init(&t);
	buf_init(&asked, CARD_MAX_BYTES);
	rc = card->head.grant == 0
		 ? -ERR_NOT_FOUND
		 : ticket_granted(b->inbox, card->head.grant, &id);
	if (rc == 0)
		rc = ticket_get(b->inbox, id, &t);
	if (rc == 0)
		rc = card_write(&asked, &t, b->policy, t.legs);
	if (rc == 0) {
		buf_add_text(out, "what was approved:\n");
		buf_add(out, asked.data, asked.len);
	} else {
		buf_add_format(out,
		    "bytes        %llu of arguments, of which record %llu "
		    "holds a commitment\n",
		    (unsigned long long)card->head.bytes,
		    (unsigned long long)card->intent);
	}
	buf_free(&asked);
	ticket_done(&t);
}

/* A card's text is bounded: its head is some 2 KiB and a ticket's card has
 * its own bound. */
void
unknown_show(struct link *link, int64_t id, int64_t intent)
{
	struct broker *b = link->broker;
	const struct unknown_card *card = card_of(b, intent);
	struct message_writer m;
	struct buf text;

	if (card == NULL) {
		link_refuse(link, id, -ERR_NOT_FOUND);
		return;
	}
	buf_init(&text, CARD_MAX_BYTES + 65536);
	add_head(&text, card, b->policy);
	add_asked(&text, b, card);
	buf_add_format(&text,
	    "settle it    review done intent:%lld, if it has happened;\n"
	    "             review failed intent:%lld, if it has not. Neither "
	    "does it again.\n",
	    (long long)intent, (long long)intent);
	result_begin(&m, channel_out(link->channel), id);
	put_card(&m.json, card);
	json_put_string(&m.json, "card", (struct span){text.data, text.len});
	link_answer(link, &m, id, text.overflow ? -ERR_TOO_LARGE : 0);
	buf_free(&text);
}

static void
record_settlement(const struct link *link, const struct unknown_card *card,
    enum outcome settled)
{
	const struct unknown_head *head = &card->head;
	struct entry_head entry;

	entry_init(&entry, RECORD_SETTLEMENT);
	entry.intent = card->intent;
	entry.status = settled;
	entry.session = head->session;
	entry.message = head->message;
	entry.capability = head->capability;
	entry_text(entry.zone, sizeof entry.zone, span_of(head->zone));
	entry_text(entry.why, sizeof entry.why,
	    settled == OUTCOME_DONE ? SPAN("a person says that it has happened")
				    : SPAN("a person says that it has not "
					   "happened"));
	snprintf(entry.detail, sizeof entry.detail, "by user %lu",
	    (unsigned long)link->peer.uid);
	entry_send(link->broker, &entry, span_of(head->name), (struct span){0});
}

void
unknown_settle(struct link *link, const struct approval *approval)
{
	struct broker *b = link->broker;
	const struct unknown_card *card = card_of(b, approval->intent);
	struct message_writer m;
	char handle[32];
	size_t at;

	if (card == NULL) {
		link_refuse(link, approval->id, -ERR_NOT_FOUND);
		return;
	}
	record_settlement(link, card, approval->settled);
	at = find(b, card->intent);
	b->unknown_count--;
	memmove(&b->unknown[at], &b->unknown[at + 1],
	    (b->unknown_count - at) * sizeof *b->unknown);
	intent_format(approval->intent, handle);
	result_begin(&m, channel_out(link->channel), approval->id);
	json_put_text(&m.json, "intent", handle);
	json_put_text(&m.json, "state", outcome_name(approval->settled));
	link_answer(link, &m, approval->id, 0);
}
