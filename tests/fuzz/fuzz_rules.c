/*
 * Any bytes as a rules file and, behind the first NUL, as a message: no crash,
 * and every call's arguments are one bounded JSON object.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "planner/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
sink(struct span call, struct span arguments, struct span rule, void *context)
{
	const struct json_limits limits = {.bytes = RULES_MAX_ARGUMENT_BYTES};
	struct json_doc doc;
	int *calls = context;

	json_init(&doc);
	if (json_parse(&doc, arguments, &limits, NULL) != 0 ||
	    json_root(&doc)->type != JSON_OBJECT || call.n == 0 ||
	    rule.n == 0 || ++*calls > RULES_MAX_CALLS)
		abort();
	json_done(&doc);
	return 0;
}

static void
run(const struct rules *rules, struct span message)
{
	struct json_doc clean;
	int calls = 0, rc;

	json_init(&clean);
	if (json_parse(&clean, message, NULL, NULL) == 0) {
		rc = rules_run(rules, &clean, json_root(&clean), sink, &calls);
		if (rc >= 0 && rc != calls)
			abort();
	}
	json_done(&clean);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *nul = size == 0 ? NULL : memchr(text, '\0', size);
	size_t length = nul == NULL ? size : (size_t)(nul - text);
	struct rules *rules;
	struct json_error where;
	struct buf words;

	if (rules_parse((struct span){text, length}, &rules, &where) != 0)
		return 0;
	if (nul != NULL)
		run(rules, (struct span){nul + 1, size - length - 1});
	buf_init(&words, 64u << 20);
	rules_print(rules, &words);
	if (words.overflow)
		abort();
	buf_free(&words);
	rules_free(rules);
	return 0;
}
