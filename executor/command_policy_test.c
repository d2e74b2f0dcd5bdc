/*
 * policy test: decisions that are expected of a policy.
 *
 *   { "version": 1, "tests": [
 *     { "why": "...", "call": { see policy_call.h },
 *       "expect": { "verdict": "allow", "rule": "reply-known" } } ] }
 *
 * "rule" may be missing. Everything else is mandatory, an unknown key is an
 * error.
 */
#include <getopt.h>
#include <stdio.h>

#include "common/err.h"
#include "executor/command.h"
#include "executor/command_policy.h"
#include "executor/name.h"
#include "executor/policy_call.h"

#define TESTS_VERSION 1
#define TESTS_BYTES (8u << 20)
#define TESTS_MAX 10000

const char policy_test_usage[] =
    "usage: trizone-executor policy test [--config FILE] [--json] [FILE] "
    "TESTS\n"
    "Whether the policy FILE decides the calls of TESTS as is expected there.\n"
    "Exit status: 0 it does; 1 not all; 65 no tests; 78 it does not load.\n";

#define MEMBER(key, want, required, type)                                      \
	{                                                                      \
#key, want, required, offsetof(struct type, key), 0, 0         \
	}

struct tests_text {
	int64_t version;
	const struct json_node *tests;
};

static const struct json_field tests_fields[] = {
    {"version", JSON_WANT_INTEGER, true, offsetof(struct tests_text, version),
	TESTS_VERSION, TESTS_VERSION},
    {"tests", JSON_WANT_ARRAY, true, offsetof(struct tests_text, tests), 0,
	TESTS_MAX},
};

struct test_text {
	const struct json_node *why, *call, *expect;
};

static const struct json_field test_fields[] = {
    MEMBER(why, JSON_WANT_ANY, true, test_text),
    MEMBER(call, JSON_WANT_OBJECT, true, test_text),
    MEMBER(expect, JSON_WANT_OBJECT, true, test_text),
};

struct expect_text {
	struct span verdict, rule;
};

static const struct json_field expect_fields[] = {
    MEMBER(verdict, JSON_WANT_STRING, true, expect_text),
    MEMBER(rule, JSON_WANT_STRING, false, expect_text),
};

struct tests {
	const struct policy *policy;
	const struct json_doc *doc;
	struct json_writer *json; /* NULL: words */
	unsigned number, passed, failed;
};

static int
read_expect(const struct json_doc *doc, const struct json_node *node,
    struct expect_text *out, struct json_error *where)
{
	int rc = json_read(doc, node, expect_fields,
	    sizeof expect_fields / sizeof expect_fields[0], out, where);

	for (int i = 0; i < VERDICT_COUNT && rc == 0; i++)
		if (span_is(out->verdict, verdict_name((enum verdict)i)))
			return 0;
	return rc != 0
		   ? rc
		   : json_complain(doc, json_get(doc, node, "verdict"), where,
			 ERR_RANGE, "a verdict is allow, ask or deny");
}

static void
tell_failure(const struct tests *t, struct span why,
    const struct expect_text *expect, const struct decision *d)
{
	bool ruled = expect->rule.p != NULL;

	if (t->json != NULL) {
		json_open(t->json, '{');
		json_put_integer(t->json, "number", t->number);
		json_put_string(t->json, "why", why);
		json_put_text(t->json, "verdict", verdict_name(d->verdict));
		json_put_text(t->json, "rule", d->rule);
		json_put_text(t->json, "detail", d->detail);
		json_put_string(t->json, "expected_verdict", expect->verdict);
		if (ruled)
			json_put_string(t->json, "expected_rule", expect->rule);
		json_close(t->json, '}');
		return;
	}
	printf("test %u (%.*s): %s by %s, expected ", t->number, (int)why.n,
	    why.p, verdict_name(d->verdict), d->rule);
	print_inert(expect->verdict);
	if (ruled) {
		printf(" by ");
		print_inert(expect->rule);
	}
	printf("%s%s\n", d->detail[0] == '\0' ? "" : "; ", d->detail);
}

static int
run_test(
    struct tests *t, const struct json_node *node, struct json_error *where)
{
	struct expect_text expect = {0};
	struct policy_call call = {0};
	struct test_text text = {0};
	struct decision d;
	int rc = json_read(t->doc, node, test_fields,
	    sizeof test_fields / sizeof test_fields[0], &text, where);

	t->number++;
	if (rc == 0)
		rc = line_require(t->doc, text.why, "\"why\"", where);
	if (rc == 0)
		rc = read_expect(t->doc, text.expect, &expect, where);
	if (rc == 0)
		rc = policy_call_read(t->doc, text.call, &call, where);
	if (rc == 0) {
		decide(t->policy, &call.request, &d);
		if (span_is(expect.verdict, verdict_name(d.verdict)) &&
		    (expect.rule.p == NULL || span_is(expect.rule, d.rule))) {
			t->passed++;
		} else {
			t->failed++;
			tell_failure(t, text.why->value.string, &expect, &d);
		}
	}
	policy_call_done(&call);
	return rc;
}

static void
run_tests(struct tests *t, const char *name, const struct json_node *root)
{
	struct tests_text text = {0};
	struct json_error where;
	const struct json_node *node;
	int rc = json_read(t->doc, root, tests_fields,
	    sizeof tests_fields / sizeof tests_fields[0], &text, &where);

	node = rc == 0 ? json_first(t->doc, text.tests) : NULL;
	for (; node != NULL && rc == 0;
	     node = json_next(t->doc, text.tests, node))
		rc = run_test(t, node, &where);
	if (rc != 0)
		document_die(name, &where);
}

static void
test_json(struct tests *t, const char *name)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, (size_t)64 << 20);
	json_write_init(&w, &out);
	t->json = &w;
	json_open(&w, '{');
	json_key(&w, "failures");
	json_open(&w, '[');
	run_tests(t, name, json_root(t->doc));
	json_close(&w, ']');
	json_put_integer(&w, "passed", t->passed);
	json_put_integer(&w, "failed", t->failed);
	json_close(&w, '}');
	buf_add_byte(&out, '\n');
	fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
}

int
policy_test_main(int argc, char **argv)
{
	struct common_options options;
	struct policy *policy;
	struct tests t = {0};
	struct json_doc doc;
	struct buf text;
	const char *name;
	int status;

	if (!common_options(argc, argv, policy_test_usage, &options, &status))
		return status;
	if (argc - optind < 1 || argc - optind > 2) {
		fputs(policy_test_usage, stderr);
		return EXIT_USAGE;
	}
	name = argv[argc - 1];
	policy = policy_load(
	    argc - optind == 2 ? argv[optind] : NULL, options.config);
	document_load(name, name, TESTS_BYTES, &text, &doc);
	t.policy = policy;
	t.doc = &doc;
	if (options.json) {
		test_json(&t, name);
	} else {
		run_tests(&t, name, json_root(&doc));
		printf("%u passed, %u failed\n", t.passed, t.failed);
	}
	json_done(&doc);
	buf_free(&text);
	policy_free(policy);
	return t.failed == 0 ? EXIT_DONE : EXIT_FOUND;
}
