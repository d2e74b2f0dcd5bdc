/*
 * Calls that are decided as the broker does it.
 */
#include "trial.h"

#include <stdio.h>
#include <string.h>

#include "executor/inputs.h"
#include "inbox_fixture.h"

struct policy *
policy_of(const char *more, const char *outbound, const char *condition)
{
	static char text[16384];
	struct policy *policy = NULL;
	struct json_error where;

	snprintf(text, sizeof text,
	    "{\"version\":1,\"capabilities\":[" MAIL "," PAY "],"
	    "\"rules\":[" ALLOW "]%s}",
	    outbound, condition, more);
	ck_assert_msg(policy_parse(span_of(text), &policy, &where) == 0, "%s",
	    where.detail);
	return policy;
}

void
trial_begin(struct trial *t, struct policy *policy)
{
	*t = (struct trial){.policy = policy,
	    .counters = counters_new(),
	    .facts = facts_new(),
	    .session = 1,
	    .now = INT64_C(3600000000)};
	counters_adopt(t->counters, policy, t->now);
}

void
trial_end(struct trial *t)
{
	counters_free(t->counters);
	facts_free(t->facts);
	policy_free(t->policy);
}

/* What is recorded of it, counters too, is enough to decide it again. */
static void
decide_recorded(const struct trial *t, const struct decide_request *request)
{
	static struct inputs inputs, back;
	struct decision again;
	struct json_doc doc;
	struct buf text;

	inputs = (struct inputs){.request = *request,
	    .verdict = t->decision.verdict,
	    .rule = span_of(t->decision.rule)};
	inputs.request.value_count =
	    decide_values(t->policy, request, inputs.values);
	inputs_note_used(&inputs, t->policy);
	json_init(&doc);
	buf_init(&text, 1u << 20);
	OK(inputs_write(&inputs, &text));
	OK(inputs_parse(&doc, (struct span){text.data, text.len}, &back));
	inputs_use(&back, t->policy);
	decide(t->policy, &back.request, &again);
	ck_assert_int_eq(again.verdict, t->decision.verdict);
	ck_assert_str_eq(again.rule, t->decision.rule);
	ck_assert_str_eq(again.detail, t->decision.detail);
	ck_assert(!again.unknown);
	/* a limit that was not counted then */
	back.used_count = 0;
	inputs_use(&back, t->policy);
	decide(t->policy, &back.request, &again);
	if (strcmp(again.rule, t->decision.rule) != 0)
		ck_assert(again.unknown);
	buf_free(&text);
	json_done(&doc);
}

const char *
call(struct trial *t, const char *name, const char *arguments)
{
	uint64_t limits[POLICY_MAX_LIMITS];
	struct decide_used used = {.limits = limits};
	struct json_doc doc;
	struct decide_request request = {.capability = span_of(name),
	    .doc = &doc,
	    .zone = SPAN("planner"),
	    .legs = t->legs,
	    .facts = t->facts,
	    .used = &used};
	const struct capability *c = policy_find(t->policy, span_of(name));

	json_init(&doc);
	OK(json_parse(&doc, span_of(arguments), NULL, NULL));
	request.arguments = json_root(&doc);
	t->charge = (struct charge){.capability = c->number, .at_ms = t->now};
	count_keys_fill(&t->charge.keys, c->name, t->session, &doc,
	    request.arguments, c->effects, t->labels);
	counters_read(
	    t->counters, t->policy, c->number, &t->charge.keys, t->now, limits);
	used.leak_session = t->leak.bytes;
	used.leak_destination = leak_to(&t->leak, &t->charge.keys);
	decide(t->policy, &request, &t->decision);
	if (!t->timed)
		decide_recorded(t, &request);
	if (t->decision.verdict == VERDICT_ALLOW) {
		t->charge.amounts = t->decision.amounts;
		ck_assert(counters_take(t->counters, t->policy, &t->charge));
		leak_add(&t->leak, &t->charge.keys, t->labels,
		    t->decision.leak_bytes, t->decision.leak_fields);
	}
	json_done(&doc);
	return t->decision.rule;
}

const char *
mail_to(struct trial *t, const char *to)
{
	char text[600];

	snprintf(text, sizeof text, "{\"to\":\"%s\",\"text\":\"hello\"}", to);
	return call(t, "mail.send", text);
}
