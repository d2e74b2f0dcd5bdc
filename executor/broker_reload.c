/*
 * Another policy while the service runs, the broker's part: it exchanges its
 * snapshot between two decisions, puts that on record in the place between
 * their records, and tells the operator what became of it. Counters, sessions
 * and calls under way stay: the parent has seen to it that capabilities have
 * the same numbers and the same settings.
 */
#include <stdio.h>

#include "common/err.h"
#include "common/log.h"
#include "executor/broker.h"
#include "executor/role.h"

#define REASON_BYTES 1024

static void
record_reload(struct broker *b, int error, size_t bytes, struct span detail)
{
	struct entry_head entry;

	entry_init(&entry, RECORD_RELOAD);
	entry.error = (uint32_t)error;
	entry.bytes = bytes;
	entry_text(entry.why, sizeof entry.why,
	    error == 0 ? SPAN("policy") : SPAN("policy kept"));
	entry_send_long(b, &entry, detail);
}

static void
read_text(const struct control *record, struct buf *out)
{
	buf_init(out, CONTROL_TEXT_MAX);
	if (control_text(FD_CONTROL, record, out) != 0)
		die(EXIT_UNAVAILABLE, "the parent is gone");
}

static void
take_policy(struct broker *b, struct policy *policy, struct span text)
{
	char hex[2 * SHA256_BYTES + 1], detail[DETAIL_BYTES];

	policy_free(b->policy);
	b->policy = policy;
	count_adopt(b);
	tickets_load_rules(b);
	b->reloads++;
	sha256_of(text.p, text.n, b->policy_hash);
	hex_encode(b->policy_hash, sizeof b->policy_hash, hex);
	snprintf(detail, sizeof detail, "sha256 %s", hex);
	record_reload(b, 0, text.n, span_of(detail));
}

void
reload_policy(struct broker *b, const struct control *record)
{
	struct control answer = {
	    .what = CONTROL_TAKEN, .number = record->number};
	struct policy *policy;
	struct json_error where;
	char reason[REASON_BYTES];
	struct span text;
	struct buf store;

	read_text(record, &store);
	text = (struct span){store.data, store.len};
	if (policy_parse(text, &policy, &where) == 0 &&
	    policy_change(b->policy, policy, reason, sizeof reason) == 0)
		take_policy(b, policy, text);
	else
		answer.what = CONTROL_REFUSED;
	buf_free(&store);
	if (control_tell(FD_CONTROL, answer, (struct span){0}) != 0)
		die(EXIT_UNAVAILABLE, "the parent does not listen");
}

int
reload_ask(struct link *link, int64_t id)
{
	struct broker *b = link->broker;

	if (b->reload_link != NULL) {
		channel_error(link->channel, id, ERR_BUSY,
		    "somebody else has asked for a reload; try again",
		    (struct span){0});
		return 0;
	}
	b->reload_link = link;
	b->reload_id = id;
	control_send(FD_CONTROL, CONTROL_RELOAD, 0, NULL);
	return 0;
}

void
reload_forget(struct broker *b, const struct link *link)
{
	if (b->reload_link == link)
		b->reload_link = NULL;
}

/* That it was an operator who wanted it; he gets the receipt of this. */
static void
record_asked(struct broker *b)
{
	struct entry_head entry;

	entry_init(&entry, RECORD_OPERATOR);
	entry_text(entry.why, sizeof entry.why, SPAN("reload"));
	entry_send(b, &entry, (struct span){0}, (struct span){0});
}

static void
answer(struct broker *b, int error, struct span reason)
{
	struct link *link = b->reload_link;
	char hex[2 * SHA256_BYTES + 1];
	struct message_writer m;

	if (link == NULL)
		return;
	b->reload_link = NULL;
	if (error != 0) {
		channel_error(link->channel, b->reload_id, error, reason.p,
		    (struct span){0});
	} else {
		hex_encode(b->policy_hash, sizeof b->policy_hash, hex);
		receipt_turn(b, link);
		record_asked(b);
		result_begin(&m, channel_out(link->channel), b->reload_id);
		json_put_text(&m.json, "sha256", hex);
		link_answer(link, &m, b->reload_id, 0);
		receipt_turn(b, NULL);
	}
	channel_flush(link->channel);
}

void
reload_result(struct broker *b, const struct control *record)
{
	struct buf said, reason;
	int error = (int)record->error;

	read_text(record, &said);
	buf_init(&reason, (size_t)3 * REASON_BYTES);
	said.len = said.len > REASON_BYTES ? REASON_BYTES : said.len;
	utf8_add_repaired(&reason, said.data, said.len, NULL);
	if (error != 0)
		record_reload(
		    b, error, 0, (struct span){reason.data, reason.len});
	buf_add_byte(&reason, '\0');
	if (record->asked != 0)
		answer(b, error, span_of(reason.data));
	buf_free(&said);
	buf_free(&reason);
}
