/*
 * Random policies and calls: what explain says is what decide() does, the
 * change it tells does alter the verdict, nothing smaller does where it says
 * so, and a rule that lint calls unreachable never decides. decide() gives the
 * same answer twice and leaves what it was given alone.
 *
 * TRIZONE_SEED is where the random numbers begin, TRIZONE_ROUNDS how many
 * policies are made (300).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/facts.h"
#include "executor/policy_call.h"
#include "executor/policy_explain.h"
#include "executor/policy_lint.h"

#define CALLS 12  /* of one policy */
#define OTHERS 60 /* random single changes of one call */

static uint64_t state;

static unsigned
random_below(unsigned most)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33) % most;
}

static bool
one_in(unsigned n)
{
	return random_below(n) == 0;
}

static const char *const capabilities[] = {
    "{\"name\":\"read\",\"kind\":\"file\",\"method\":\"read\",\"why\":\"w\","
    "\"settings\":{\"root\":\"/srv/a\"},\"limits\":{\"per_hour\":5}}",
    "{\"name\":\"write\",\"kind\":\"file\",\"method\":\"write\",\"why\":\"w\","
    "\"settings\":{\"root\":\"/srv/a\",\"write\":true}}",
    "{\"name\":\"tell\",\"kind\":\"notify\",\"method\":\"send\",\"why\":\"w\","
    "\"settings\":{\"to\":\"syslog\"}}",
    "{\"name\":\"mail\",\"kind\":\"smtp\",\"method\":\"send\",\"why\":\"w\","
    "\"settings\":{\"host\":\"a.example\",\"port\":465,\"credential\":\"c\","
    "\"from\":\"me@a.example\"}}",
    "{\"name\":\"get\",\"kind\":\"http\",\"method\":\"get\",\"why\":\"w\","
    "\"settings\":{\"host\":\"a.example\",\"port\":443}}",
};

static const char *const names[] = {"read", "write", "tell", "mail", "get"};
static const char *const zones[] = {"planner", "helper", "guest"};
static const char *const days[] = {
    "mon", "tue", "wed", "thu", "fri", "sat", "sun"};
static const char *const schemas[] = {
    "{\"properties\":{\"path\":{\"pattern\":\"^a\"}}}",
    "{\"properties\":{\"text\":{\"maxLength\":8}},\"required\":[\"text\"]}",
    "{\"properties\":{\"to\":{\"maxItems\":1}}}"};
static const char *const arguments[][3] = {
    {"{\"path\":\"a.txt\"}", "{\"path\":\"b/c\"}", "{\"path\":\"/x\"}"},
    {"{\"path\":\"a.txt\",\"text\":\"hi\"}",
	"{\"path\":\"b\",\"text\":\"see https://a.example/x for it\"}",
	"{\"path\":\"b\"}"},
    {"{\"text\":\"hi\"}", "{\"text\":\"plan\",\"title\":\"a.txt\"}",
	"{\"text\":\"b.example www.a.example/y\"}"},
    {"{\"to\":[\"ann@a.example\"],\"subject\":\"s\",\"text\":\"hi\"}",
	"{\"to\":[\"ann@a.example\",\"ben@b.example\"],\"subject\":\"plan\","
	"\"text\":\"b.example\"}",
	"{\"to\":[\"no address\"],\"subject\":\"s\",\"text\":\"t\"}"},
    {"{\"url\":\"https://a.example/\"}",
	"{\"url\":\"https://a.example/q?q=1\"}",
	"{\"url\":\"https://b.example/\"}"},
};
static const char *const values[] = {"a.txt", "b", "b/c", "ann@a.example",
    "ben@b.example", "https://a.example/x", "hi", "plan", "b.example",
    "https://a.example/"};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define ANY(list) (list)[random_below(COUNT(list))]

/* Some of `count` words, at least one. */
static void
add_some(struct buf *out, unsigned count, const char *(*word)(unsigned i))
{
	unsigned must = random_below(count);
	const char *lead = "[";

	for (unsigned i = 0; i < count; i++) {
		if (i != must && !one_in(3))
			continue;
		buf_add_format(out, "%s\"%s\"", lead, word(i));
		lead = ",";
	}
	buf_add_text(out, "]");
}

static const char *
origin_of(unsigned i)
{
	return origin_name((enum origin)(1u << i));
}

static const char *
name_of(unsigned i)
{
	return names[i];
}

static const char *
day_of(unsigned i)
{
	return days[i];
}

static const char *
leg_of(unsigned i)
{
	return i == 0 ? "A" : i == 1 ? "B" : "C";
}

static void
add_from(struct buf *out, bool *model)
{
	const char *lead = "";
	size_t start;

	buf_add_text(out, ",\"from\":{");
	for (int i = 0; i < FROM_COUNT; i++) {
		if (!one_in(4))
			continue;
		buf_add_format(out, "%s\"%s\":", lead, from_name((enum from)i));
		start = out->len;
		add_some(out, ORIGIN_COUNT, origin_of);
		buf_add_byte(out, '\0');
		*model |= strstr(out->data + start, "\"model\"") != NULL;
		out->len--;
		lead = ",";
	}
	buf_add_text(out, "}");
}

static void
add_rule(struct buf *out, unsigned number)
{
	static const char *const verdicts[] = {"allow", "allow", "ask", "deny"};
	const char *verdict = ANY(verdicts);
	bool model = false;

	buf_add_format(out,
	    "{\"id\":\"r%u\",\"why\":\"w\",\"verdict\":\"%s\",\"capability\":",
	    number, verdict);
	add_some(out, COUNT(names), name_of);
	if (one_in(4))
		buf_add_format(out, ",\"zone\":\"%s\"", ANY(zones));
	if (one_in(3)) {
		buf_add_text(out, ",\"without_legs\":");
		add_some(out, 3, leg_of);
	}
	if (one_in(5))
		buf_add_text(
		    out, one_in(2) ? ",\"effects\":{\"not\":[\"leaves\"]}"
				   : ",\"effects\":{\"has\":[\"audience\"]}");
	if (one_in(2))
		add_from(out, &model);
	if (model && strcmp(verdict, "deny") != 0 && one_in(2))
		buf_add_text(out, ",\"model_after_untrusted\":\"w\"");
	if (one_in(4)) {
		unsigned from = random_below(20);

		buf_add_format(out,
		    ",\"hours\":{\"from\":\"%02u:00\",\"to\":\"%02u:30\"", from,
		    from + random_below(3));
		if (one_in(2)) {
			buf_add_text(out, ",\"days\":");
			add_some(out, 7, day_of);
		}
		buf_add_text(out, "}");
	}
	if (one_in(4))
		buf_add_format(out, ",\"arguments\":%s", ANY(schemas));
	buf_add_text(out, "}");
}

/* Limits that one call alone can reach, as nothing is counted here. */
static void
add_limits(struct buf *out)
{
	if (one_in(3)) {
		buf_add_text(out, ",\"limits\":[{\"id\":\"l\",\"why\":\"w\","
				  "\"capability\":");
		add_some(out, COUNT(names), name_of);
		buf_add_format(out,
		    ",\"of\":\"%s\",\"per\":\"session\","
		    "\"window\":\"1h\",\"most\":%u,\"verdict\":\"%s\"}]",
		    one_in(3) ? "calls" : "bytes", random_below(40),
		    one_in(2) ? "deny" : "ask");
	}
	if (one_in(3))
		buf_add_format(out,
		    ",\"leak\":{\"bytes_per_session\":%u,"
		    "\"verdict\":\"%s\"}",
		    random_below(30), one_in(2) ? "deny" : "ask");
}

static void
add_capability(struct buf *out, const char *text)
{
	static const char *const links[] = {"allow", "ask", "deny"};

	buf_add(out, text, strlen(text) - 1);
	if (one_in(2))
		buf_add_format(
		    out, ",\"outbound\":{\"links\":\"%s\"}", ANY(links));
	buf_add_text(out, "}");
}

static void
add_policy(struct buf *out)
{
	unsigned rules = random_below(9);

	buf_add_text(out, "{\"version\":1,\"capabilities\":[");
	for (size_t i = 0; i < COUNT(capabilities); i++) {
		buf_add_text(out, i == 0 ? "" : ",");
		add_capability(out, capabilities[i]);
	}
	buf_add_text(out, "],\"rules\":[");
	for (unsigned i = 0; i < rules; i++) {
		if (i != 0)
			buf_add_text(out, ",");
		add_rule(out, i);
	}
	buf_add_format(
	    out, "],\"floor\":{\"verdict\":\"%s\"", one_in(3) ? "deny" : "ask");
	if (one_in(3)) {
		buf_add_text(out, ",\"exceptions\":[{\"capability\":");
		add_some(out, COUNT(names), name_of);
		buf_add_text(out, ",\"why\":\"w\"}]");
	}
	buf_add_text(out, "}");
	add_limits(out);
	buf_add_text(out, "}");
}

static void
add_call(struct buf *out)
{
	unsigned which = random_below(COUNT(names));

	buf_add_format(out, "{\"capability\":\"%s\",\"arguments\":%s",
	    one_in(20) ? "none" : names[which],
	    one_in(20) ? "[]"
		       : arguments[which][random_below(one_in(6) ? 3 : 2)]);
	buf_add_format(out, ",\"zone\":\"%s\",\"week_minute\":%u",
	    one_in(2) ? "planner" : ANY(zones), random_below(WEEK_MINUTES));
	if (one_in(2)) {
		buf_add_text(out, ",\"legs\":");
		add_some(out, 3, leg_of);
	}
	if (one_in(6))
		buf_add_format(out, ",\"used_hour\":%u", one_in(2) ? 5 : 5000);
	if (one_in(3))
		buf_add_text(out, ",\"words\":\"send hi to ann@a.example, and "
				  "plan a.txt\"");
	if (one_in(2)) {
		buf_add_text(out, ",\"known\":[");
		for (unsigned i = 0; i < 3; i++) {
			buf_add_format(out, "%s{\"value\":\"%s\",\"origins\":",
			    i == 0 ? "" : ",", ANY(values));
			add_some(out, ORIGIN_COUNT - 1, origin_of);
			buf_add_text(out, "}");
		}
		buf_add_text(out, "]");
	}
	buf_add_text(out, "}");
}

static bool
same_verdict(const struct decision *a, const struct decision *b)
{
	return a->verdict == b->verdict && a->error == b->error &&
	       a->rule_number == b->rule_number &&
	       strcmp(a->rule, b->rule) == 0;
}

/* The same answer twice, and nothing of the request is different then. */
static void
check_pure(const struct policy *policy, const struct decide_request *request,
    struct decision *out)
{
	struct decide_request copy = *request;
	char *text = alloc_text(request->doc->text.p, request->doc->text.n);
	struct decision again;

	memset(out, 0, sizeof *out);
	memset(&again, 0, sizeof again);
	decide(policy, request, out);
	decide(policy, request, &again);
	ck_assert(memcmp(out, &again, sizeof again) == 0 ||
		  (same_verdict(out, &again) && out->why == again.why &&
		      strcmp(out->detail, again.detail) == 0));
	ck_assert_mem_eq(&copy, request, sizeof copy);
	ck_assert_mem_eq(text, request->doc->text.p, request->doc->text.n);
	free(text);
}

/* Rules that explain says matched, or by what they were missed. */
static void
check_rules(const struct policy *policy, const struct explanation *e)
{
	for (size_t i = 0; i < e->rule_count; i++) {
		const struct misses *m = &e->rules[i].misses;
		bool none = !m->effects && !m->zone && !m->hours &&
			    m->legs == 0 && m->roles == 0 && !m->arguments &&
			    !m->unclear;

		ck_assert_int_eq(e->rules[i].matched, none);
		ck_assert(!e->rules[i].matched || i + 1 == e->rule_count);
		if (e->decision.rule_number != 0 && i + 1 == e->rule_count)
			ck_assert_ptr_eq(e->rules[i].rule,
			    &policy->rules[e->decision.rule_number - 1]);
	}
}

/* One thing about the call made different at random. */
static void
change_one(struct decide_request *request, unsigned supposed[FROM_COUNT],
    const struct capability *c)
{
	switch (random_below(5)) {
	case 0:
		request->legs ^= 1u << random_below(3);
		break;
	case 1:
		request->zone = span_of(one_in(4) ? "elsewhere" : ANY(zones));
		break;
	case 2:
		request->week_minute = random_below(WEEK_MINUTES);
		break;
	case 3:
		request->used_hour = request->used_hour < c->per_hour
					 ? c->per_hour + random_below(9)
					 : random_below(c->per_hour);
		break;
	default:
		supposed[random_below(FROM_COUNT)] =
		    1 + random_below((1u << ORIGIN_COUNT) - 1);
		break;
	}
}

/* Where explain says that no single change alters it, none does. */
static void
check_none_smaller(const struct policy *policy, const struct policy_call *call,
    const struct explanation *e)
{
	for (unsigned i = 0; i < OTHERS; i++) {
		struct decide_request other = call->request;
		unsigned supposed[FROM_COUNT];
		struct decision d;

		memcpy(supposed, call->supposed, sizeof supposed);
		other.supposed = supposed;
		change_one(&other, supposed, e->decision.capability);
		decide(policy, &other, &d);
		ck_assert_msg(d.verdict == e->decision.verdict,
		    "a single change was not found: %s", d.rule);
	}
}

static void
check_change(const struct policy *policy, const struct policy_call *call,
    const struct explanation *e, unsigned *changes)
{
	const struct change *c = &e->change;
	struct decision d;

	if (c->size != 0) {
		(*changes)++;
		decide(policy, &c->request, &d);
		ck_assert_int_ne(d.verdict, e->decision.verdict);
		ck_assert(same_verdict(&d, &c->decision));
		ck_assert_ptr_eq(c->request.supposed, c->supposed);
	}
	if (c->size == 1 || e->decision.capability == NULL ||
	    strcmp(e->decision.rule, "kind") == 0 ||
	    strcmp(e->decision.rule, "arguments") == 0)
		return;
	check_none_smaller(policy, call, e);
}

/* What it prints is one JSON object, with the same decision in it. */
static void
check_json(const struct policy *policy, const struct policy_call *call,
    const struct explanation *e)
{
	struct json_doc doc;
	struct buf out;

	buf_init(&out, 1u << 20);
	explanation_print_json(e, &call->request, policy, &out);
	ck_assert(!out.overflow);
	json_init(&doc);
	ck_assert_int_eq(
	    json_parse(&doc, (struct span){out.data, out.len}, NULL, NULL), 0);
	ck_assert(json_is_string(json_get(&doc, json_root(&doc), "verdict"),
	    verdict_name(e->decision.verdict)));
	ck_assert(json_is_string(
	    json_get(&doc, json_root(&doc), "rule"), e->decision.rule));
	json_done(&doc);
	buf_clear(&out);
	explanation_print(e, &call->request, policy, &out);
	ck_assert(!out.overflow && out.len != 0);
	buf_free(&out);
}

static void
check_reachable(const struct policy *policy, const struct decision *d)
{
	uint32_t by;

	if (d->rule_number != 0)
		ck_assert_msg(!rule_is_unreachable(policy, d->rule_number - 1,
				  d->capability->number, &by),
		    "%s decides and is called unreachable", d->rule);
}

static void
run_call(const struct policy *policy, unsigned *changes)
{
	struct explanation e;
	struct policy_call call;
	struct json_error where;
	struct json_doc doc;
	struct decision live;
	struct buf text;

	buf_init(&text, 1u << 16);
	add_call(&text);
	json_init(&doc);
	ck_assert_int_eq(
	    json_parse(&doc, (struct span){text.data, text.len}, NULL, NULL),
	    0);
	ck_assert_msg(
	    policy_call_read(&doc, json_root(&doc), &call, &where) == 0, "%s",
	    where.detail);
	check_pure(policy, &call.request, &live);
	explain(policy, &call.request, &e);
	ck_assert(same_verdict(&live, &e.decision));
	ck_assert_str_eq(live.detail, e.decision.detail);
	check_rules(policy, &e);
	check_change(policy, &call, &e, changes);
	check_json(policy, &call, &e);
	check_reachable(policy, &live);
	explanation_done(&e);
	policy_call_done(&call);
	json_done(&doc);
	buf_free(&text);
}

static void
count_found(void *context, enum lint_code code, const char *rule,
    const char *capability, const char *text)
{
	unsigned *found = context;

	ck_assert(rule != NULL || capability != NULL);
	ck_assert_str_ne(text, "");
	found[code]++;
}

static unsigned
number_of(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : (unsigned)strtoul(text, NULL, 10);
}

START_TEST(explain_is_live)
{
	unsigned rounds = number_of("TRIZONE_ROUNDS", 300), changes = 0;
	unsigned found[LINT_CODE_COUNT] = {0};

	state = UINT64_C(0x9e3779b97f4a7c15) ^ number_of("TRIZONE_SEED", 7);
	for (unsigned i = 0; i < rounds; i++) {
		struct policy *policy = NULL;
		struct json_error where;
		struct buf text;

		buf_init(&text, 1u << 20);
		add_policy(&text);
		ck_assert_msg(policy_parse((struct span){text.data, text.len},
				  &policy, &where) == 0,
		    "%s\n%.*s", where.detail, (int)text.len, text.data);
		for (unsigned c = 0; c < CALLS; c++)
			run_call(policy, &changes);
		policy_lint(policy, count_found, found);
		policy_free(policy);
		buf_free(&text);
	}
	fprintf(stderr, "%u policies, %u calls, %u changes, %u unreachable\n",
	    rounds, rounds * CALLS, changes, found[LINT_UNREACHABLE]);
	ck_assert_uint_gt(changes, rounds * CALLS / 3);
	ck_assert_uint_gt(found[LINT_UNREACHABLE], 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("policy_property");
	TCase *cases = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(cases, 600);
	tcase_add_test(cases, explain_is_live);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
