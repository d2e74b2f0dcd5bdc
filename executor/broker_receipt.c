/*
 * Receipts: what a request of the operator or a deliverer puts on record first
 * is named in its answer, which leaves only when the auditor says that this
 * record is on disk. Zones get none. The auditor is believed; nothing else
 * writes into the pipe.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "executor/broker.h"
#include "executor/record.h"

#define RECEIPT_MS 8000 /* less than a command waits for its answer */

/* An answer that is whole but for its receipt. */
struct held_answer {
	struct held_answer *next;
	uint64_t number;
	struct link *link;
	int64_t id;
	int64_t deadline_ms;
	struct message_writer message; /* its buffer is `text` */
	struct buf text;
};

void
receipt_turn(struct broker *b, struct link *link)
{
	b->turn = (struct receipt_turn){
	    .link = link, .number = link == NULL ? 0 : ++b->last_receipt};
}

uint64_t
receipt_number(struct broker *b)
{
	if (b->turn.number == 0 || b->turn.used)
		return 0;
	b->turn.used = true;
	return b->turn.number;
}

bool
receipt_hold(struct link *link, const struct message_writer *m, int64_t id)
{
	struct broker *b = link->broker;
	struct buf *out = channel_out(link->channel);
	struct held_answer *held;

	if (b->turn.link != link || !b->turn.used)
		return false;
	held = alloc_bytes(sizeof *held);
	held->number = b->turn.number;
	held->link = link;
	held->id = id;
	held->deadline_ms = clock_ms() + RECEIPT_MS;
	held->message = *m;
	buf_init(&held->text, FRAME_MAX_BYTES);
	if (buf_add(&held->text, out->data + m->head, out->len - m->head) != 0)
		bug("an answer longer than a frame");
	held->next = b->held_answers;
	b->held_answers = held;
	return true;
}

static void
free_held(struct held_answer **at)
{
	struct held_answer *held = *at;

	*at = held->next;
	buf_free(&held->text);
	free(held);
}

static void
answer(const struct held_answer *held, const struct receipt_head *receipt)
{
	struct message_writer m = held->message;
	struct link *link = held->link;
	char text[RECORD_SEQ_DIGITS + 1 + RECORD_HASH_DIGITS + 1];
	int used = snprintf(text, sizeof text,
	    "%016llx:", (unsigned long long)receipt->sequence);

	hex_encode(receipt->hash, SHA256_BYTES, text + used);
	m.json.out = channel_out(link->channel);
	m.head = m.json.out->len;
	(void)buf_add(m.json.out, held->text.data, held->text.len);
	json_put_text(&m.json, "receipt", text);
	/* the channel may close in it, and then what is held is gone */
	link_answer(link, &m, held->id, 0);
	if (!link->gone)
		channel_flush(link->channel);
}

static void
take_receipt(struct broker *b, const struct receipt_head *receipt)
{
	struct held_answer **at = &b->held_answers;

	while (*at != NULL && (*at)->number != receipt->number)
		at = &(*at)->next;
	if (*at == NULL)
		return; /* whoever asked is gone, or was answered an error */
	answer(*at, receipt);
	receipt_forget_number(b, receipt->number);
}

static size_t
body_of(const void *untyped)
{
	const struct receipt_head *head = untyped;

	switch (head->what) {
	case RECEIPT_RECORD:
		return 0;
	case RECEIPT_HEALTH:
		return sizeof(struct audit_health);
	case RECEIPT_UNKNOWN:
		return sizeof(struct unknown_head);
	default:
		return SIZE_MAX;
	}
}

static void
take_health(struct broker *b, const char *body)
{
	memcpy(&b->health, body, sizeof b->health);
	if (b->health.anchors > HEALTH_ANCHORS_MAX)
		bug("health of %u anchors", (unsigned)b->health.anchors);
	b->health_known = true;
}

static void
on_receipts(void *context)
{
	struct broker *b = context;
	struct receipt_head receipt;
	const char *body;
	int rc = inflow_read(&b->receipts), next;

	while (
	    (next = inflow_next(&b->receipts, body_of, &receipt, &body)) == 1) {
		if (receipt.what == RECEIPT_HEALTH)
			take_health(b, body);
		else if (receipt.what == RECEIPT_UNKNOWN)
			unknown_take(b, receipt.sequence, body);
		else
			take_receipt(b, &receipt);
	}
	if (next < 0)
		bug("the auditor sent what is no receipt");
	if (rc < 0)
		watch_set(b->receipts_watch, false); /* the end */
}

void
receipts_open(struct broker *b, int fd)
{
	set_nonblocking(&fd, 1);
	inflow_init(&b->receipts, fd, sizeof(struct receipt_head),
	    sizeof(struct unknown_head));
	b->receipts_watch = loop_watch_read(b->loop, fd, on_receipts, b);
	watch_set(b->receipts_watch, true);
}

void
receipt_forget_number(struct broker *b, uint64_t number)
{
	struct held_answer **at = &b->held_answers;

	while (*at != NULL) {
		if ((*at)->number == number)
			free_held(at);
		else
			at = &(*at)->next;
	}
}

void
receipt_forget_link(struct broker *b, const struct link *link)
{
	struct held_answer **at = &b->held_answers;

	if (b->turn.link == link)
		b->turn.link = NULL;
	while (*at != NULL) {
		if ((*at)->link == link)
			free_held(at);
		else
			at = &(*at)->next;
	}
}

/* The first that waits for too long; NULL: none. */
static const struct held_answer *
find_late(const struct broker *b, int64_t now)
{
	const struct held_answer *held = b->held_answers;

	while (held != NULL && held->deadline_ms > now)
		held = held->next;
	return held;
}

/* A channel may close in it, so each is looked for anew. */
void
receipts_tick(struct broker *b, int64_t now)
{
	const struct held_answer *held;

	while ((held = find_late(b, now)) != NULL) {
		uint64_t number = held->number;

		channel_error(held->link->channel, held->id, ERR_DEADLINE,
		    "it was done, and its record is not yet known to be on "
		    "disk: look before you do it again",
		    (struct span){0});
		receipt_forget_number(b, number);
	}
}
