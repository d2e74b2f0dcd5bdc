/*
 * decide(): the cases in tests/policy, one folder each, and what no file can
 * show: purity, speed, limits.
 *
 * A folder has policy.json, call.json ({"capability", "arguments"} and, if
 * they matter, "zone" (else planner), "legs", "used_hour", "week_minute", the
 * operator's "words", and "known" values with their origins) and expect: a line
 * "verdict rule number ERROR", then, optionally, the start of the detail. A
 * folder without call.json has a policy that does not load; its expect is
 * "error line:column ERROR" and, optionally, a part of the reason. The folder
 * of the tests is TRIZONE_TESTS, by default tests.
 */
#include <check.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/facts.h"
#include "executor/inputs.h"
#include "executor/policy.h"
#include "executor/schema.h"

static bool
read_file(const char *folder, const char *name, struct buf *out)
{
	char path[PATH_MAX];
	FILE *file;

	buf_init(out, 1u << 20);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (file == NULL)
		return false;
	ck_assert_ptr_nonnull(buf_reserve(out, 1u << 16));
	out->len = fread(out->data, 1, (1u << 16) - 1, file);
	fclose(file);
	out->data[out->len] = '\0';
	return true;
}

static unsigned
legs_of(const struct json_doc *doc, const struct json_node *list)
{
	const struct json_node *leg;
	unsigned legs = 0;

	for (leg = json_first(doc, list); leg != NULL;
	     leg = json_next(doc, list, leg))
		legs |= 1u << (leg->value.string.p[0] - 'A');
	return legs;
}

static struct facts *
facts_of(const struct json_doc *doc, const struct json_node *call)
{
	const struct json_node *words = json_get(doc, call, "words");
	const struct json_node *known = json_get(doc, call, "known"), *at, *o;
	struct facts *facts = facts_new();

	if (words != NULL)
		ck_assert_int_eq(
		    facts_add_words(facts, words->value.string), 0);
	for (at = known == NULL ? NULL : json_first(doc, known); at != NULL;
	     at = json_next(doc, known, at)) {
		const struct json_node *list = json_get(doc, at, "origins");
		unsigned origins = 0;

		for (o = json_first(doc, list); o != NULL;
		     o = json_next(doc, list, o))
			origins |= origin_find(o->value.string);
		ck_assert_uint_ne(origins, 0);
		facts_add(facts, VALUE_ID,
		    json_get(doc, at, "value")->value.string, origins);
	}
	return facts;
}

/* What is recorded of a decision is enough to make it again. */
static void
decide_recorded(const char *folder, const struct policy *policy,
    const struct decide_request *request, const struct decision *wanted)
{
	static struct inputs inputs, back;
	struct decision again;
	struct json_doc doc;
	struct buf text;

	if (request->arguments->type != JSON_OBJECT)
		return; /* no call of a planner */
	inputs = (struct inputs){.request = *request,
	    .verdict = wanted->verdict,
	    .rule = span_of(wanted->rule)};
	inputs.request.value_count =
	    decide_values(policy, request, inputs.values);
	inputs_note_used(&inputs, policy);
	json_init(&doc);
	buf_init(&text, 1u << 20);
	ck_assert_int_eq(inputs_write(&inputs, &text), 0);
	ck_assert_int_eq(
	    inputs_parse(&doc, (struct span){text.data, text.len}, &back), 0);
	inputs_use(&back, policy);
	decide(policy, &back.request, &again);
	ck_assert_msg(
	    again.verdict == wanted->verdict && again.error == wanted->error &&
		strcmp(again.rule, wanted->rule) == 0 &&
		strcmp(again.detail, wanted->detail) == 0 &&
		again.adds_legs == wanted->adds_legs && !again.unknown,
	    "%s: again it is %s by %s", folder, verdict_name(again.verdict),
	    again.rule);
	buf_free(&text);
	json_done(&doc);
}

static void
run_call(const char *folder, const struct policy *policy, struct span text,
    char *got, size_t room)
{
	const struct json_node *root, *zone, *used, *minute;
	struct decide_request request;
	struct facts *facts;
	struct decision decision;
	struct json_doc doc;

	json_init(&doc);
	ck_assert_msg(
	    json_parse(&doc, text, NULL, NULL) == 0, "%s: call.json", folder);
	root = json_root(&doc);
	zone = json_get(&doc, root, "zone");
	used = json_get(&doc, root, "used_hour");
	minute = json_get(&doc, root, "week_minute");
	facts = facts_of(&doc, root);
	request = (struct decide_request){
	    .capability = json_get(&doc, root, "capability")->value.string,
	    .doc = &doc,
	    .arguments = json_get(&doc, root, "arguments"),
	    .zone = zone == NULL ? SPAN("planner") : zone->value.string,
	    .legs = legs_of(&doc, json_get(&doc, root, "legs")),
	    .facts = facts,
	    .week_minute = minute == NULL ? 0 : (uint32_t)minute->value.integer,
	    .used_hour = used == NULL ? 0 : (uint32_t)used->value.integer};
	decide(policy, &request, &decision);
	ck_assert_int_eq(
	    decision.error == 0, decision.verdict == VERDICT_ALLOW);
	ck_assert_str_ne(decision.why, "");
	snprintf(got, room, "%s %s %u %s\n%s\n", verdict_name(decision.verdict),
	    decision.rule, (unsigned)decision.rule_number,
	    decision.error == 0 ? "NONE" : err_name(decision.error),
	    decision.detail);
	decide_recorded(folder, policy, &request, &decision);
	facts_free(facts);
	json_done(&doc);
}

/* Whether the first line is the same and the rest of `expect` is in `got`. */
static bool
as_expected(const char *expect, const char *got)
{
	size_t line = strcspn(expect, "\n");
	size_t rest = strlen(expect + line + 1);
	char part[400];

	if (strncmp(expect, got, line + 1) != 0)
		return false;
	snprintf(part, sizeof part, "%.*s", (int)(rest == 0 ? 0 : rest - 1),
	    expect + line + 1);
	return strstr(got + line + 1, part) != NULL;
}

static void
run_case(const char *folder)
{
	struct buf policy_text, call_text, expect;
	struct policy *policy = NULL;
	struct json_error where;
	char got[600];
	int rc;

	ck_assert_msg(read_file(folder, "policy.json", &policy_text) &&
			  read_file(folder, "expect", &expect),
	    "%s: policy.json and expect are needed", folder);
	rc = policy_parse(
	    (struct span){policy_text.data, policy_text.len}, &policy, &where);
	if (read_file(folder, "call.json", &call_text)) {
		ck_assert_msg(rc == 0, "%s: %u:%u: %s", folder, where.line,
		    where.column, where.detail);
		run_call(folder, policy,
		    (struct span){call_text.data, call_text.len}, got,
		    sizeof got);
	} else {
		snprintf(got, sizeof got, "error %u:%u %s\n%s\n", where.line,
		    where.column, err_name(rc), where.detail);
	}
	ck_assert_msg(as_expected(expect.data, got), "%s\nexpected: %sgot: %s",
	    folder, expect.data, got);
	policy_free(policy);
	buf_free(&policy_text);
	buf_free(&call_text);
	buf_free(&expect);
}

START_TEST(folders)
{
	const char *tests = getenv("TRIZONE_TESTS");
	char root[PATH_MAX / 2], folder[PATH_MAX];
	struct dirent *entry;
	unsigned count = 0;
	DIR *dir;

	snprintf(
	    root, sizeof root, "%s/policy", tests == NULL ? "tests" : tests);
	dir = opendir(root);
	ck_assert_msg(dir != NULL, "no folder %s: set TRIZONE_TESTS", root);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(folder, sizeof folder, "%s/%s", root, entry->d_name);
		run_case(folder);
		count++;
	}
	closedir(dir);
	fprintf(stderr, "%u policy cases\n", count);
	ck_assert_uint_gt(count, 30);
}
END_TEST

/*
 * A policy made here: one capability, rules given.
 */
#define CAPABILITY                                                             \
	"{\"name\":\"tell\",\"kind\":\"notify\",\"method\":\"send\","          \
	"\"why\":\"w\",\"settings\":{\"to\":\"syslog\"},"                      \
	"\"arguments\":{\"type\":\"object\"}}"

static struct policy *
policy_with(const char *rules)
{
	char *text = alloc_format("{\"version\":1,\"capabilities\":[" CAPABILITY
				  "],\"rules\":[%s]}",
	    rules);
	struct policy *policy = NULL;
	struct json_error where;

	ck_assert_msg(policy_parse(span_of(text), &policy, &where) == 0, "%s",
	    where.detail);
	free(text);
	return policy;
}

static void
decide_text(const struct policy *policy, struct span arguments,
    struct decision *decision_out)
{
	struct decide_request request = {
	    .capability = SPAN("tell"), .zone = SPAN("planner")};
	struct json_doc doc;

	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, arguments, NULL, NULL), 0);
	request.doc = &doc;
	request.arguments = json_root(&doc);
	decide(policy, &request, decision_out);
	json_done(&doc);
}

/* A deny rule whose pattern gives up must not let an allow rule through. */
START_TEST(unclear_rule_denies)
{
	struct policy *policy = policy_with(
	    "{\"id\":\"no\",\"why\":\"w\",\"verdict\":\"deny\","
	    "\"capability\":\"*\",\"arguments\":{\"properties\":{\"text\":"
	    "{\"pattern\":\"^(a|aa)+$\"}}}},"
	    "{\"id\":\"yes\",\"why\":\"w\",\"verdict\":\"allow\","
	    "\"capability\":\"tell\"}");
	struct decision decision;
	char text[1000];

	/* what notify itself takes is at most 1,000 characters */
	snprintf(text, sizeof text, "{\"text\":\"%0*d\"}", 900, 0);
	memset(text + 9, 'a', 899);
	text[908] = '!';
	decide_text(policy, span_of(text), &decision);
	ck_assert_int_eq(decision.verdict, VERDICT_DENY);
	ck_assert_str_eq(decision.rule, "arguments");
	ck_assert_int_eq(decision.error, ERR_SCHEMA);
	ck_assert_ptr_nonnull(strstr(decision.detail, "rule \"no\""));
	decide_text(policy, SPAN("{\"text\":\"b\"}"), &decision);
	ck_assert_str_eq(decision.rule, "yes");
	policy_free(policy);
}
END_TEST

START_TEST(missing_request_parts)
{
	struct policy *policy = policy_with("");
	struct decide_request request = {.capability = {NULL, 0}};
	struct decision decision;

	decide(policy, &request, &decision);
	ck_assert_str_eq(decision.rule, "no-capability");
	ck_assert_ptr_null(decision.capability);
	request.capability = SPAN("tell\0");
	decide(policy, &request, &decision);
	ck_assert_str_eq(decision.rule, "no-capability");
	request.capability = SPAN("tell");
	decide(policy, &request, &decision);
	ck_assert_str_eq(decision.rule, "arguments");
	ck_assert_ptr_eq(decision.capability, policy_capability(policy, 0));
	ck_assert_uint_eq(decision.adds_legs, LEG_C);
	policy_free(policy);
}
END_TEST

/* 99 rules of a hundred do not match and are not about arguments. */
static struct policy *
hundred_rules(const char *condition)
{
	struct policy *policy;
	struct buf rules;

	buf_init(&rules, 1u << 20);
	for (int i = 0; i < 99; i++)
		buf_add_format(&rules,
		    "{\"id\":\"r%d\",\"why\":\"w\",\"verdict\":\"deny\","
		    "\"capability\":\"*\",%s},",
		    i, condition);
	buf_add_text(&rules,
	    "{\"id\":\"last\",\"why\":\"w\",\"verdict\":\"allow\","
	    "\"capability\":\"tell\"}");
	buf_add_byte(&rules, '\0');
	policy = policy_with(rules.data);
	buf_free(&rules);
	return policy;
}

static double
microseconds_each(
    const struct policy *policy, const struct decide_request *request)
{
	struct timespec start, end;
	struct decision decision;
	const int rounds = 100000;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	for (int i = 0; i < rounds; i++) {
		decide(policy, request, &decision);
		ck_assert_uint_eq(decision.rule_number, 100);
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	return ((double)(end.tv_sec - start.tv_sec) * 1e6 +
		   (double)(end.tv_nsec - start.tv_nsec) / 1e3) /
	       rounds;
}

START_TEST(fast)
{
	static const char *const conditions[] = {"\"zone\":\"helper\"",
	    "\"without_legs\":[\"B\"]",
	    "\"arguments\":{\"properties\":{\"text\":{\"const\":1}}}"};
	struct json_doc doc;
	struct decide_request request = {.capability = SPAN("tell"),
	    .doc = &doc,
	    .zone = SPAN("planner"),
	    .legs = LEG_B};

	json_init(&doc);
	ck_assert_int_eq(
	    json_parse(&doc, SPAN("{\"text\":\"x\"}"), NULL, NULL), 0);
	request.arguments = json_root(&doc);
	for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
		struct policy *policy = hundred_rules(conditions[i]);
		double each = microseconds_each(policy, &request);

		fprintf(
		    stderr, "100 rules, %s: %.3f us\n", conditions[i], each);
		ck_assert_double_lt(each, 20); /* sanitizers included */
		policy_free(policy);
	}
	json_done(&doc);
}
END_TEST

/* The same question twice, and others between. */
START_TEST(pure)
{
	struct policy *policy = hundred_rules(
	    "\"arguments\":{\"properties\":{\"text\":{\"pattern\":\"q$\"}},"
	    "\"required\":[\"text\"]}");
	struct decision first, other, again;

	memset(&first, 0x55, sizeof first);
	memset(&again, 0xaa, sizeof again);
	decide_text(policy, SPAN("{\"text\":\"x\"}"), &first);
	decide_text(policy, SPAN("{\"text\":\"qq\"}"), &other);
	decide_text(policy, SPAN("{\"text\":\"x\"}"), &again);
	ck_assert_str_eq(first.rule, "last");
	ck_assert_str_eq(other.rule, "r0");
	ck_assert_ptr_eq(again.rule, first.rule);
	ck_assert_str_eq(again.detail, first.detail);
	ck_assert_int_eq(again.error, first.error);
	policy_free(policy);
}
END_TEST

/* Rules the index can see into, and the same where it cannot. */
static struct policy *
rules_of_texts(bool seen)
{
	static const char *const conditions[] = {"{\"const\":\"a\"}",
	    "{\"const\":\"ab\"}", "{\"const\":7}", "{\"const\":\"\"}",
	    "{\"maxLength\":1}"};
	static const char *const zones[] = {
	    "", ",\"zone\":\"planner\"", ",\"zone\":\"helper\""};
	struct policy *policy;
	struct buf rules;

	buf_init(&rules, 1u << 20);
	for (size_t i = 0; i < 90; i++)
		buf_add_format(&rules,
		    "%s{\"id\":\"r%zu\",\"why\":\"w\",\"verdict\":\"%s\","
		    "\"capability\":\"%s\",\"arguments\":{%s"
		    "\"properties\":{\"%s\":%s},\"required\":[\"text\"%s]"
		    "%s}%s%s}",
		    i == 0 ? "" : ",", i, i % 2 == 0 ? "deny" : "ask",
		    i % 7 == 0 ? "*" : "tell", seen ? "" : "\"allOf\":[{",
		    i % 3 == 0 ? "title" : "text", conditions[i % 5],
		    i % 4 == 0 ? "" : ",\"title\"", seen ? "" : "}]",
		    zones[i / 5 % 3],
		    i % 4 == 3 ? ",\"without_legs\":[\"B\"]" : "");
	buf_add_byte(&rules, '\0');
	policy = policy_with(rules.data);
	buf_free(&rules);
	return policy;
}

START_TEST(index_passes_over_no_rule)
{
	static const char *const texts[] = {"a", "ab", "", "b", "aba"};
	static const struct span zones[] = {
	    {"planner", 7}, {"helper", 6}, {"third", 5}};
	struct policy *seen = rules_of_texts(true);
	struct policy *hidden = rules_of_texts(false);

	for (unsigned i = 0; i < 5 * 6 * 3 * 2; i++) {
		unsigned title = i / 5 % 6;
		struct decide_request request = {.capability = SPAN("tell"),
		    .zone = zones[i / 30 % 3],
		    .legs = i / 90 % 2 == 0 ? 0 : LEG_B};
		struct decision one, other;
		struct json_doc doc;
		char text[80];

		snprintf(text, sizeof text, "{\"text\":\"%s\"%s%s%s}",
		    texts[i % 5], title == 5 ? "" : ",\"title\":\"",
		    title == 5 ? "" : texts[title], title == 5 ? "" : "\"");
		json_init(&doc);
		ck_assert_int_eq(
		    json_parse(&doc, span_of(text), NULL, NULL), 0);
		request.doc = &doc;
		request.arguments = json_root(&doc);
		decide(seen, &request, &one);
		decide(hidden, &request, &other);
		ck_assert_msg(one.rule_number == other.rule_number &&
				  one.verdict == other.verdict,
		    "%s: rule %u, and %u without the index", text,
		    one.rule_number, other.rule_number);
		json_done(&doc);
	}
	policy_free(seen);
	policy_free(hidden);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("decide");
	TCase *cases = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, folders);
	tcase_add_test(cases, unclear_rule_denies);
	tcase_add_test(cases, missing_request_parts);
	tcase_add_test(cases, index_passes_over_no_rule);
	tcase_add_test(cases, fast);
	tcase_add_test(cases, pure);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
