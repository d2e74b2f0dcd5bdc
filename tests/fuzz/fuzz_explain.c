/*
 * Fuzz: a policy, a NUL, and a call as an operator's file has it. What loads is
 * explained as decide() decides it, a change that is told alters the verdict,
 * the rule that decides is none that lint calls unreachable, and what is
 * printed is UTF-8 and JSON that we read ourselves.
 */
#include <stdlib.h>
#include <string.h>

#include "executor/policy_call.h"
#include "executor/policy_explain.h"
#include "executor/policy_lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(const struct buf *out, bool json)
{
	struct json_doc doc;

	if (out->overflow || !utf8_check(out->data, out->len))
		abort();
	json_init(&doc);
	if (json && json_parse(&doc, (struct span){out->data, out->len}, NULL,
			NULL) != 0)
		abort();
	json_done(&doc);
}

static void
check_explanation(const struct policy *policy, const struct policy_call *call)
{
	struct explanation e;
	struct decision live, changed;
	struct buf out;
	uint32_t by;

	decide(policy, &call->request, &live);
	explain(policy, &call->request, &e);
	if (live.verdict != e.decision.verdict ||
	    live.error != e.decision.error ||
	    strcmp(live.rule, e.decision.rule) != 0)
		abort();
	if (e.change.size != 0) {
		decide(policy, &e.change.request, &changed);
		if (changed.verdict == live.verdict)
			abort();
	}
	if (live.rule_number != 0 &&
	    rule_is_unreachable(
		policy, live.rule_number - 1, live.capability->number, &by))
		abort();
	buf_init(&out, 1u << 24);
	explanation_print(&e, &call->request, policy, &out);
	check_text(&out, false);
	buf_clear(&out);
	explanation_print_json(&e, &call->request, policy, &out);
	check_text(&out, true);
	buf_free(&out);
	explanation_done(&e);
}

static void
ignore(void *context, enum lint_code code, const char *rule,
    const char *capability, const char *text)
{
	(void)context;
	(void)code;
	if (rule == NULL && capability == NULL)
		abort();
	if (!utf8_check(text, strlen(text)))
		abort();
}

static void
check_call(const struct policy *policy, struct span text)
{
	struct policy_call call = {0};
	struct json_error where = {0};
	struct json_doc doc;

	json_init(&doc);
	if (json_parse(&doc, text, NULL, NULL) == 0) {
		if (policy_call_read(&doc, json_root(&doc), &call, &where) == 0)
			check_explanation(policy, &call);
		else if (where.error == 0)
			abort();
		policy_call_done(&call);
	}
	json_done(&doc);
}

static void
check_table(const struct policy *policy)
{
	struct buf out;

	buf_init(&out, 1u << 24);
	policy_table_print(policy, &out);
	check_text(&out, false);
	buf_clear(&out);
	policy_table_print_json(policy, &out);
	check_text(&out, true);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size == 0 ? NULL : memchr(data, '\0', size);
	struct policy *policy = NULL;
	size_t head;

	if (nul == NULL)
		return 0;
	head = (size_t)(nul - data);
	if (policy_parse(
		(struct span){(const char *)data, head}, &policy, NULL) != 0)
		return 0;
	policy_lint(policy, ignore, NULL);
	check_table(policy);
	check_call(
	    policy, (struct span){(const char *)nul + 1, size - head - 1});
	policy_free(policy);
	return 0;
}
