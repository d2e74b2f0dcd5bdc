/*
 * The broker's one-way queue to the auditor. When it grows, zones and
 * deliverers are not read until it has shrunk: what cannot be put on record
 * is not decided.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/broker.h"
#include "executor/inputs.h"
#include "executor/role.h"

#define ENTRIES_MAX (32u << 20)
#define ENTRIES_HIGH (4u << 20)
#define ENTRIES_LOW (1u << 20)
#define FINISH_MS 10000

void
entry_init(struct entry_head *entry, enum record_kind kind)
{
	memset(entry, 0, sizeof *entry);
	entry->magic = ORDER_MAGIC;
	entry->kind = kind;
	entry->capability = NO_CAPABILITY;
}

void
entry_text(char *to, size_t room, struct span text)
{
	size_t n = text.n < room ? text.n : room - 1;

	if (n != 0)
		memcpy(to, text.p, n);
	to[n] = '\0';
}

void
entry_goes(const struct broker *b, struct entry_head *entry,
    const struct decide_request *request)
{
	const struct capability *c =
	    policy_find(b->policy, request->capability);
	struct destination to;

	if (c == NULL || request->arguments->type != JSON_OBJECT)
		return;
	destination_of(c, request->doc, request->arguments, &to);
	memcpy(entry->destination, to.text, sizeof entry->destination);
	entry->destination_full = to.full;
	entry->effects = call_effects(request, c->effects);
}

void
entry_goes_stored(
    const struct broker *b, struct entry_head *entry, const struct ticket *t)
{
	struct json_doc doc;
	struct decide_request request = {
	    .capability = span_of(t->capability), .doc = &doc};

	json_init(&doc);
	if (json_parse(&doc, (struct span){t->arguments.data, t->arguments.len},
		NULL, NULL) == 0) {
		request.arguments = json_root(&doc);
		entry_goes(b, entry, &request);
	}
	json_done(&doc);
}

static void
hold_links(struct broker *b, bool hold)
{
	if (b->held == hold)
		return;
	b->held = hold;
	for (struct link *l = b->links, *next; l != NULL; l = next) {
		next = l->next;
		if (!l->gone)
			channel_hold(l->channel, hold);
	}
}

/* Name, detail, inputs and body lie behind the head, in this order. */
static void
queue(struct broker *b, const struct entry_head *entry, struct span name,
    struct span detail, struct span inputs, struct span body)
{
	struct entry_head head = *entry;

	head.receipt = receipt_number(b);
	head.name_full = (uint32_t)name.n;
	head.name_bytes =
	    name.n > ENTRY_NAME_MAX ? ENTRY_NAME_MAX : (uint32_t)name.n;
	head.detail_bytes = (uint32_t)detail.n;
	head.inputs_bytes = (uint32_t)inputs.n;
	head.body_bytes = (uint32_t)body.n;
	if (buf_add(&b->entries, &head, sizeof head) != 0 ||
	    buf_add(&b->entries, name.p, head.name_bytes) != 0 ||
	    buf_add(&b->entries, detail.p, detail.n) != 0 ||
	    buf_add(&b->entries, inputs.p, inputs.n) != 0 ||
	    buf_add(&b->entries, body.p, body.n) != 0)
		die(EXIT_UNAVAILABLE, "the auditor takes no records");
	if (b->entries.len - b->entries_sent > ENTRIES_HIGH)
		hold_links(b, true);
	/* written before the next answer leaves, and in any case soon */
	watch_soon(b->entries_writable);
}

void
entry_send(struct broker *b, const struct entry_head *entry, struct span name,
    struct span body)
{
	entry_send_decision(b, entry, name, (struct span){0}, body);
}

void
entry_send_decision(struct broker *b, const struct entry_head *entry,
    struct span name, struct span inputs, struct span body)
{
	queue(b, entry, name, (struct span){0}, inputs, body);
}

/* It always fits: arguments came in a frame, and what is known of each value
 * is a few bytes. */
struct span
entry_inputs(struct broker *b, int64_t session,
    const struct decide_request *request, const struct decision *decision,
    int error)
{
	static struct inputs inputs; /* one call at a time */

	if (b->config->audit_inputs.recipient == NULL)
		return (struct span){0};
	inputs.request = *request;
	inputs.request.value_count =
	    decide_values(b->policy, request, inputs.values);
	inputs_note_used(&inputs, b->policy);
	inputs.time_ms = clock_utc_ms();
	inputs.session = session;
	memcpy(inputs.policy, b->policy_hash, sizeof inputs.policy);
	inputs.verdict = decision->verdict;
	inputs.rule = span_of(decision->rule);
	inputs.error = (uint32_t)-error;
	buf_clear(&b->inputs);
	if (inputs_write(&inputs, &b->inputs) != 0)
		bug("decision inputs over their limit");
	return (struct span){b->inputs.data, b->inputs.len};
}

void
entry_send_long(
    struct broker *b, const struct entry_head *entry, struct span detail)
{
	if (detail.n > ENTRY_DETAIL_MAX)
		detail.n =
		    ENTRY_DETAIL_MAX; /* the auditor cuts at characters */
	queue(b, entry, (struct span){0}, detail, (struct span){0},
	    (struct span){0});
}

/* "attests less than is required: no-network probes", or nothing. */
static void
unmet_text(uint32_t unmet, char *out, size_t room)
{
	size_t used =
	    (size_t)snprintf(out, room, "attests less than is required:");

	for (unsigned i = 0; i < NEED_COUNT && used < room; i++)
		if ((unmet & NEED_BIT(i)) != 0)
			used += (size_t)snprintf(
			    out + used, room - used, " %s", need_name(i));
}

int
entry_hello(struct broker *b, struct listener *l, uint64_t session,
    const struct json_doc *doc, const struct hello_params *hello)
{
	struct span said = json_raw(doc, hello->attestation);
	uint32_t unmet = lock_unmet(doc, hello->attestation, l->zone->needs,
	    b->reports, b->report_count);
	struct entry_head entry;

	entry_init(&entry, RECORD_HELLO);
	entry.session = session;
	entry_text(entry.zone, sizeof entry.zone, span_of(l->zone->name));
	if (unmet != 0) {
		entry.error = ERR_ATTESTATION;
		unmet_text(unmet, entry.detail, sizeof entry.detail);
		entry_send(b, &entry, (struct span){0}, (struct span){0});
		log_event(LOG_WARN, "attestation", "zone=%s reason=%s",
		    l->zone->name, entry.detail);
		return -ERR_ATTESTATION;
	}
	buf_clear(&l->attested);
	if (buf_add(&l->attested, said.p, said.n) != 0)
		buf_clear(&l->attested);
	entry_send_long(b, &entry, said);
	return 0;
}

bool
entries_flush(struct broker *b)
{
	while (b->entries_sent < b->entries.len) {
		ssize_t put = write(FD_FIRST, b->entries.data + b->entries_sent,
		    b->entries.len - b->entries_sent);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN)
			break;
		if (put < 0)
			die(EXIT_UNAVAILABLE, "the auditor is gone");
		b->entries_sent += (size_t)put;
	}
	if (b->entries_sent == b->entries.len) {
		buf_clear(&b->entries);
		b->entries_sent = 0;
		return true;
	}
	if (b->entries_sent > ENTRIES_LOW) {
		buf_consume(&b->entries, b->entries_sent);
		b->entries_sent = 0;
	}
	if (!b->stalled)
		b->stalled_ms = clock_ms();
	b->stalled = true;
	watch_set(b->entries_writable, true);
	return false;
}

static void
flush_links(struct broker *b)
{
	for (struct link *l = b->links, *next; l != NULL; l = next) {
		next = l->next;
		channel_flush(l->channel);
	}
}

static void
on_writable(void *context)
{
	struct broker *b = context;
	bool empty = entries_flush(b);

	if (empty)
		watch_set(b->entries_writable, false);
	if (empty && b->stalled) {
		b->stalled = false;
		flush_links(b);
	}
	if (b->entries.len - b->entries_sent < ENTRIES_LOW)
		hold_links(b, false);
}

void
entries_finish(struct broker *b)
{
	if (write_all(FD_FIRST, b->entries.data + b->entries_sent,
		b->entries.len - b->entries_sent, FINISH_MS) != 0)
		die(EXIT_UNAVAILABLE, "the auditor takes no records");
	buf_clear(&b->entries);
	b->entries_sent = 0;
}

void
entries_open(struct broker *b, int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		die_errno("fcntl");
	buf_init(&b->entries, ENTRIES_MAX);
	b->entries_writable = loop_watch_write(b->loop, fd, on_writable, b);
}
