/*
 * Fuzz: a policy, a NUL, and the arguments of a call. Whatever loads has to
 * print as JSON that we read ourselves, and decides without a crash; nothing
 * is allowed unless a rule of the file allows it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_print(const struct policy *policy)
{
	struct json_limits limits = {
	    .bytes = 1u << 24, .depth = 64, .nodes = 1u << 22};
	struct json_doc doc;
	struct buf out;

	buf_init(&out, 1u << 24);
	json_init(&doc);
	policy_print(policy, &out);
	buf_clear(&out);
	policy_print_json(policy, &out);
	if (!out.overflow && json_parse(&doc, (struct span){out.data, out.len},
				 &limits, NULL) != 0)
		abort();
	json_done(&doc);
	buf_free(&out);
}

static void
check_decide(const struct policy *policy, struct span arguments)
{
	struct decide_request request = {.zone = SPAN("planner")};
	struct decision decision;
	struct json_doc doc;

	json_init(&doc);
	if (json_parse(&doc, arguments, NULL, NULL) == 0) {
		request.doc = &doc;
		request.arguments = json_root(&doc);
	}
	for (uint32_t i = 0; i < policy_capability_count(policy); i++) {
		request.capability =
		    span_of(policy_capability(policy, i)->name);
		decide(policy, &request, &decision);
		if ((decision.error == 0) !=
			(decision.verdict == VERDICT_ALLOW) ||
		    (decision.error == 0 && decision.rule_number == 0) ||
		    !utf8_check(decision.detail, strlen(decision.detail)))
			abort();
	}
	json_done(&doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size == 0 ? NULL : memchr(data, '\0', size);
	size_t head = nul == NULL ? size : (size_t)(nul - data);
	struct span text = {(const char *)data, head};
	struct span arguments = {(const char *)data + head, 0};
	struct policy *policy = NULL;
	struct json_error where = {0};

	if (nul != NULL)
		arguments =
		    (struct span){(const char *)nul + 1, size - head - 1};
	if (policy_parse(text, &policy, &where) != 0) {
		if (where.error == 0)
			abort();
		return 0;
	}
	check_print(policy);
	check_decide(policy, arguments);
	policy_free(policy);
	return 0;
}
