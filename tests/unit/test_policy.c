/*
 * policy.json: what loads, what does not and where, what is printed.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/name.h"
#include "executor/policy.h"

#define CAPABILITY                                                             \
	"{\"name\":\"file.read\",\"kind\":\"file\",\"method\":\"read\","       \
	"\"why\":\"notes are needed\",\"settings\":{\"root\":\"/srv/notes\"}}"
#define RULE(id, rest) "{\"id\":\"" id "\",\"why\":\"because\"," rest "}"
#define DENY_ALL RULE("no", "\"verdict\":\"deny\",\"capability\":\"*\"")

/* Each stands on line 2, so that the line shows. */
#define POLICY(capabilities, rules)                                            \
	"{\"version\":1,\"capabilities\":[" capabilities                       \
	"],\"rules\":[\n" rules "]}"

static int
parse(const char *text, struct policy **policy_out, struct json_error *where)
{
	*where = (struct json_error){0};
	return policy_parse(span_of(text), policy_out, where);
}

static const struct {
	const char *text;
	int error;
	unsigned line, column;
	const char *reason;
} refused[] = {
    {"", ERR_SYNTAX, 1, 1, ""},
    {"[]", ERR_TYPE, 1, 1, "object"},
    {"{}", ERR_MISSING_KEY, 1, 1, "version"},
    {"{\"version\":2}", ERR_RANGE, 1, 12, "version"},
    {"{\"version\":1,\n  \"colour\":7}", ERR_UNKNOWN_KEY, 2, 3, "colour"},
    {"{\"version\":1,\"rules\":{}}", ERR_TYPE, 1, 22, "array"},
    {"{\"version\":1,\"rules\":[7]}", ERR_TYPE, 1, 23, "object"},
    {"{\"version\":1,\"capabilities\":[[]]}", ERR_TYPE, 1, 30, "object"},
    {"{\"version\":1,\"version\":1}", ERR_DUPLICATE_KEY, 1, 14, ""},
    /* capabilities */
    {"{\"version\":1,\"capabilities\":[{}]}", ERR_MISSING_KEY, 1, 30, "name"},
    {"{\"version\":1,\"capabilities\":[{\"name\":\"A\",\"kind\":\"file\","
     "\"method\":\"read\",\"why\":\"w\",\"settings\":{}}]}",
	ERR_RANGE, 1, 38, "a letter a-z"},
    {"{\"version\":1,\"capabilities\":[{\"name\":7,\"kind\":\"file\","
     "\"method\":\"read\",\"why\":\"w\",\"settings\":{}}]}",
	ERR_TYPE, 1, 38, "a string"},
    {"{\"version\":1,\"capabilities\":[{\"name\":\"a\",\"kind\":\"nofile\","
     "\"method\":\"read\",\"why\":\"w\",\"settings\":{}}]}",
	ERR_RANGE, 1, 49, "no kind \"nofile\""},
    {"{\"version\":1,\"capabilities\":[{\"name\":\"a\",\"kind\":\"file\","
     "\"method\":\"eat\",\"why\":\"w\",\"settings\":{}}]}",
	ERR_RANGE, 1, 65, "no method \"eat\""},
    {"{\"version\":1,\"capabilities\":[{\"name\":\"a\",\"kind\":\"file\","
     "\"method\":\"read\",\"why\":\"  \",\"settings\":{}}]}",
	ERR_RANGE, 1, 78, "must not be empty"},
    {"{\"version\":1,\"capabilities\":[{\"name\":\"a\",\"kind\":\"file\","
     "\"method\":\"read\",\"settings\":{}}]}",
	ERR_MISSING_KEY, 1, 30, "why"},
    {"{\"version\":1,\"capabilities\":[{\"name\":\"a\",\"kind\":\"file\","
     "\"method\":\"read\",\"why\":\"a\\u001b[2Jb\",\"settings\":{}}]}",
	ERR_RANGE, 1, 78, "control"},
    {"{\"version\":1,\"capabilities\":[{\"name\":\"a\",\"kind\":\"file\","
     "\"method\":\"read\",\"why\":\"w\"}]}",
	ERR_MISSING_KEY, 1, 30, "settings"},
    {"{\"version\":1,\"capabilities\":[{\"name\":\"a\",\"kind\":\"file\","
     "\"method\":\"read\",\"why\":\"w\",\"settings\":{\"roof\":\"/x\"}}]}",
	ERR_UNKNOWN_KEY, 1, 94, "roof"},
    {"{\"version\":1,\"capabilities\":[\n{\"name\":\"a\",\"kind\":\"file\","
     "\"method\":\"read\",\"why\":\"w\",\"settings\":{\"root\":\"/x\"},\n"
     "\"arguments\":{\"properties\":{\"path\":{\"patern\":\"x\"}}}}]}",
	ERR_UNKNOWN_KEY, 3, 36, "patern"},
    {"{\"version\":1,\"capabilities\":[\n{\"name\":\"a\",\"kind\":\"file\","
     "\"method\":\"read\",\"why\":\"w\",\"settings\":{\"root\":\"/x\"},\n"
     "\"limits\":{\"per_hour\":0}}]}",
	ERR_RANGE, 3, 22, "per_hour"},
    {"{\"version\":1,\"capabilities\":[\n{\"name\":\"a\",\"kind\":\"file\","
     "\"method\":\"read\",\"why\":\"w\",\"settings\":{\"root\":\"/x\"},\n"
     "\"limits\":{\"per_hour\":1000001}}]}",
	ERR_RANGE, 3, 22, "per_hour"},
    {"{\"version\":1,\"capabilities\":[\n{\"name\":\"a\",\"kind\":\"file\","
     "\"method\":\"read\",\"why\":\"w\",\"settings\":{\"root\":\"/x\"},\n"
     "\"limits\":{\"per_day\":1}}]}",
	ERR_UNKNOWN_KEY, 3, 11, "per_day"},
    {POLICY(CAPABILITY ",\n" CAPABILITY, ""), ERR_RANGE, 2, 9,
	"\"file.read\" twice"},
    /* rules */
    {POLICY("", "{\"id\":\"a\"}"), ERR_MISSING_KEY, 2, 1, "why"},
    {POLICY("", "{\"id\":\"a\",\"verdict\":\"deny\",\"capability\":\"*\"}"),
	ERR_MISSING_KEY, 2, 1, "why"},
    {POLICY("", DENY_ALL ",\n" DENY_ALL), ERR_RANGE, 3, 7, "\"no\" twice"},
    {POLICY("", RULE("default", "\"verdict\":\"deny\",\"capability\":\"*\"")),
	ERR_RANGE, 2, 7, "built-in"},
    {POLICY("", RULE("a", "\"verdict\":\"maybe\",\"capability\":\"*\"")),
	ERR_RANGE, 2, 37, "allow, ask or deny"},
    {POLICY("", RULE("a", "\"verdict\":\"allow\",\"capability\":\"*\"")),
	ERR_RANGE, 2, 58, "not allowed"},
    {POLICY("", RULE("a", "\"verdict\":\"deny\",\"capability\":\"b\"")),
	ERR_RANGE, 2, 57, "no capability \"b\""},
    {POLICY("", RULE("a", "\"verdict\":\"deny\",\"capability\":[\"*\"]")),
	ERR_RANGE, 2, 58, "a letter"},
    {POLICY("", RULE("a", "\"verdict\":\"deny\",\"capability\":[]")), ERR_RANGE,
	2, 57, "at least one"},
    {POLICY(CAPABILITY, RULE("a", "\"verdict\":\"deny\",\"capability\":"
				  "[\"file.read\",\"file.read\"]")),
	ERR_RANGE, 2, 70, "twice in one rule"},
    {POLICY("", RULE("a", "\"verdict\":\"deny\",\"capability\":\"*\","
			  "\"zone\":\"Planner\"")),
	ERR_RANGE, 2, 68, "a zone"},
    {POLICY("", RULE("a", "\"verdict\":\"deny\",\"capability\":\"*\","
			  "\"without_legs\":[\"D\"]")),
	ERR_RANGE, 2, 77, "without_legs"},
    {POLICY("", RULE("a", "\"verdict\":\"deny\",\"capability\":\"*\","
			  "\"without_legs\":[\"A\",\"A\"]")),
	ERR_RANGE, 2, 81, "without_legs"},
    {POLICY("", RULE("a", "\"verdict\":\"deny\",\"capability\":\"*\","
			  "\"arguments\":{\"type\":\"text\"}")),
	ERR_RANGE, 2, 81, "type has to be"},
};

START_TEST(refused_with_place)
{
	struct policy *policy = NULL;
	struct json_error where;

	ck_assert_int_eq(
	    parse(refused[_i].text, &policy, &where), -refused[_i].error);
	ck_assert_ptr_null(policy);
	ck_assert_msg(where.line == refused[_i].line &&
			  where.column == refused[_i].column,
	    "%s: place %u:%u (%s)", refused[_i].text, where.line, where.column,
	    where.detail);
	ck_assert_msg(strstr(where.detail, refused[_i].reason) != NULL,
	    "\"%s\" not in \"%s\"", refused[_i].reason, where.detail);
	/* and without a place to put it */
	ck_assert_int_eq(policy_parse(span_of(refused[_i].text), &policy, NULL),
	    -refused[_i].error);
}
END_TEST

START_TEST(empty_is_valid)
{
	static const char *const texts[] = {"{\"version\":1}",
	    "{\"version\":1,\"rules\":[]}",
	    "{\"version\":1,\"capabilities\":[],\"rules\":[]}"};
	struct policy *policy;
	struct json_error where;

	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(parse(texts[i], &policy, &where), 0);
		ck_assert_uint_eq(policy_capability_count(policy), 0);
		ck_assert_ptr_null(policy_capability(policy, 0));
		ck_assert_ptr_null(policy_find(policy, SPAN("file.read")));
		policy_free(policy);
	}
	policy_free(NULL);
	capability_free(NULL);
}
END_TEST

/* A courier gets a capability's source and makes the same of it. */
START_TEST(capability_alone)
{
	const char *text = POLICY(CAPABILITY, "");
	struct policy *policy;
	struct json_error where;
	const struct capability *whole;
	struct capability *alone;

	ck_assert_int_eq(parse(text, &policy, &where), 0);
	whole = policy_find(policy, SPAN("file.read"));
	ck_assert_ptr_eq(whole, policy_capability(policy, 0));
	ck_assert_str_eq(whole->source, CAPABILITY);
	ck_assert_uint_eq(whole->per_hour, 1000);
	ck_assert_str_eq(whole->schema_text, whole->method->schema);
	ck_assert_int_eq(
	    capability_parse(span_of(whole->source), 7, &alone, &where), 0);
	ck_assert_uint_eq(alone->number, 7);
	ck_assert_str_eq(alone->name, whole->name);
	ck_assert_str_eq(alone->schema_text, whole->schema_text);
	ck_assert_ptr_eq(alone->method, whole->method);
	policy_free(policy);
	ck_assert_str_eq(alone->why, "notes are needed");
	capability_free(alone);
	ck_assert_int_eq(
	    capability_parse(SPAN("[]"), 7, &alone, &where), -ERR_TYPE);
}
END_TEST

/* Head, number, tail; `count` times, with commas between. */
static void
add_many(struct buf *text, size_t count, const char *head, const char *tail)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(buf_add_format(text, "%s%s%zu%s",
				     i == 0 ? "" : ",", head, i, tail),
		    0);
}

static int
parse_many(size_t capabilities, size_t rules, struct policy **policy_out)
{
	struct json_error where;
	struct buf text;
	int rc;

	buf_init(&text, POLICY_MAX_BYTES * 2);
	buf_add_text(&text, "{\"version\":1,\"capabilities\":[");
	add_many(&text, capabilities, "{\"name\":\"c",
	    "\",\"kind\":\"file\",\"method\":\"read\",\"why\":\"w\","
	    "\"settings\":{\"root\":\"/srv\"}}");
	buf_add_text(&text, "],\"rules\":[");
	add_many(&text, rules, "{\"id\":\"r",
	    "\",\"why\":\"w\",\"verdict\":\"deny\",\"capability\":\"*\"}");
	buf_add_text(&text, "]}");
	rc = policy_parse(
	    (struct span){text.data, text.len}, policy_out, &where);
	buf_free(&text);
	return rc;
}

START_TEST(largest)
{
	struct policy *policy;

	ck_assert_int_eq(
	    parse_many(POLICY_MAX_CAPABILITIES, POLICY_MAX_RULES, &policy), 0);
	for (uint32_t i = 0; i < POLICY_MAX_CAPABILITIES; i++) {
		const struct capability *c = policy_capability(policy, i);

		ck_assert_ptr_eq(policy_find(policy, span_of(c->name)), c);
	}
	ck_assert_ptr_null(policy_find(policy, SPAN("c")));
	ck_assert_ptr_null(policy_find(policy, SPAN("c2560")));
	ck_assert_ptr_null(policy_find(policy, (struct span){NULL, 0}));
	ck_assert_ptr_null(policy_capability(policy, 256));
	policy_free(policy);
	ck_assert_int_eq(
	    parse_many(POLICY_MAX_CAPABILITIES + 1, 1, &policy), -ERR_RANGE);
	ck_assert_int_eq(
	    parse_many(1, POLICY_MAX_RULES + 1, &policy), -ERR_RANGE);
}
END_TEST

START_TEST(printed)
{
	struct policy *policy;
	struct json_error where;
	struct json_doc doc;
	struct buf out;

	ck_assert_int_eq(
	    parse(POLICY(CAPABILITY,
		      RULE("read",
			  "\"verdict\":\"allow\",\"capability\":"
			  "\"file.read\",\"zone\":\"planner\","
			  "\"arguments\":{},"
			  "\"without_legs\":[\"A\",\"C\"]") "," RULE("two",
			  "\"verdict\":\"deny\",\"capability\":\"*\","
			  "\"effects\":{\"has\":[\"leaves\",\"shares\"],"
			  "\"not\":[\"destroys\",\"changes\"]},"
			  "\"from\":{\"content\":[\"prose\"]}") "," DENY_ALL),
		&policy, &where),
	    0);
	buf_init(&out, 1u << 16);
	policy_print(policy, &out);
	buf_add_byte(&out, '\0');
	ck_assert_ptr_nonnull(strstr(out.data, "why: notes are needed"));
	ck_assert_ptr_nonnull(strstr(out.data,
	    "1. read: allow file.read; only from zone planner; only if the "
	    "arguments fit its schema; only for a session without leg A "
	    "(untrusted words) and leg C (an effect outside)\n"));
	ck_assert_ptr_nonnull(
	    strstr(out.data, "3. no: deny every capability\n"));
	ck_assert_ptr_nonnull(strstr(out.data,
	    "2. two: deny every capability; only with the effects leaves and "
	    "shares; only without the effects changes and destroys; only if a "
	    "content is from prose\n"));
	ck_assert_ptr_nonnull(
	    strstr(out.data, "rules: allow by read, deny by two, deny by no"));
	ck_assert_ptr_nonnull(strstr(out.data, "Everything else is denied.\n"));
	buf_clear(&out);
	policy_print_json(policy, &out);
	json_init(&doc);
	ck_assert_int_eq(
	    json_parse(&doc, (struct span){out.data, out.len}, NULL, &where),
	    0);
	ck_assert(json_is_string(json_pointer(&doc, json_root(&doc),
				     SPAN("/rules/0/without_legs/1")),
	    "C"));
	ck_assert(json_is_string(json_pointer(&doc, json_root(&doc),
				     SPAN("/rules/2/capabilities/0")),
	    "*"));
	ck_assert(json_is_string(json_pointer(&doc, json_root(&doc),
				     SPAN("/capabilities/0/arguments/type")),
	    "object"));
	json_done(&doc);
	buf_free(&out);
	policy_free(policy);
}
END_TEST

#define NARROW(schema)                                                         \
	RULE("read",                                                           \
	    "\"verdict\":\"allow\",\"capability\":\"c\",\"arguments\":"        \
	    "{" schema "}")
#define NOTE(schema)                                                             \
	"{\"name\":\"c\",\"kind\":\"notify\",\"method\":\"send\",\"why\":\"w\"," \
	"\"settings\":{\"to\":\"syslog\"}" schema "}"
#define TITLE "\"properties\":{\"title\":{\"const\":\"t\"}}"

static const struct {
	const char *policy;
	bool warns;
} narrow[] = {
    {POLICY(NOTE(""), NARROW(TITLE)), true},
    {POLICY(NOTE(""), NARROW("\"properties\":{\"title\":false}")), true},
    {POLICY(NOTE(""), NARROW("\"required\":[\"text\"]," TITLE)), true},
    {POLICY(NOTE(""), NARROW("\"required\":[\"title\"]," TITLE)), false},
    {POLICY(NOTE(",\"arguments\":{\"required\":[\"title\"]}"), NARROW(TITLE)),
	false},
    {POLICY(NOTE(""), NARROW("\"properties\":{\"text\":{\"const\":\"t\"}}")),
	false}, /* the method's own schema requires it */
    {POLICY(NOTE(""), NARROW("\"properties\":{\"title\":{}}")), false},
    {POLICY(NOTE(""), NARROW("")), false},
};

START_TEST(warns_of_what_may_be_missing)
{
	struct policy *policy;
	struct json_error where;
	struct buf out;

	ck_assert_int_eq(parse(narrow[_i].policy, &policy, &where), 0);
	buf_init(&out, 1u << 16);
	policy_print(policy, &out);
	buf_add_byte(&out, '\0');
	ck_assert_msg(
	    (strstr(out.data,
		 "warning: also matches a call of c without \"title\"") !=
		NULL) == narrow[_i].warns,
	    "%s", out.data);
	buf_free(&out);
	policy_free(policy);
}
END_TEST

START_TEST(names)
{
	static const char *const good[] = {"a", "file.read", "a-1_b.c"};
	static const char *const bad[] = {"", "A", "1a", ".a", "-a", "a b",
	    "a/b", "a\n", "\xc3\xa4", "a:b", "a*"};
	char longest[66];

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		ck_assert(name_check(span_of(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert(!name_check(span_of(bad[i])));
	memset(longest, 'a', sizeof longest);
	ck_assert(name_check((struct span){longest, 64}));
	ck_assert(!name_check((struct span){longest, 65}));
	ck_assert(!name_check((struct span){"a\0b", 3}));
}
END_TEST

/* What may change while the service runs, and what names the difference. */
#define ONE(more)                                                              \
	"{\"name\":\"a\",\"kind\":\"file\",\"method\":\"read\"," more "}"
#define ROOT "\"settings\":{\"root\":\"/srv\"}"
#define PART(list) "{\"version\":1,\"capabilities\":[" list "]}"

static const struct {
	const char *text;
	const char *reason; /* NULL: it may */
} changes[] = {
    {PART(ONE(ROOT ",\"why\":\"v\"")), NULL},
    {PART(ONE("\"why\":\"w\",\"settings\":{ \"root\" : \"/srv\" }")), NULL},
    {PART(ONE(ROOT ",\"why\":\"w\",\"limits\":{\"per_hour\":1}")), NULL},
    {PART(ONE(ROOT ",\"why\":\"w\",\"arguments\":{\"type\":\"object\"}")),
	NULL},
    {PART(ONE("\"settings\":{\"root\":\"/srv2\"},\"why\":\"w\"")), "settings"},
    {PART(ONE("\"settings\":{\"root\":\"/srv\",\"max_bytes\":4096},"
	      "\"why\":\"w\"")),
	"settings"},
    {PART("{\"name\":\"a\",\"kind\":\"file\",\"method\":\"list\"," ROOT
	  ",\"why\":\"w\"}"),
	"method"},
    {PART("{\"name\":\"b\",\"kind\":\"file\",\"method\":\"read\"," ROOT
	  ",\"why\":\"w\"}"),
	"\"b\" is new"},
    {PART(""), "\"a\" is gone"},
};

START_TEST(change_while_running)
{
	struct policy *old, *new_one;
	struct json_error where;
	char reason[400] = "";
	int rc;

	ck_assert_int_eq(
	    parse(PART(ONE(ROOT ",\"why\":\"w\"")), &old, &where), 0);
	ck_assert_msg(
	    parse(changes[_i].text, &new_one, &where) == 0, "%s", where.detail);
	rc = policy_change(old, new_one, reason, sizeof reason);
	if (changes[_i].reason == NULL) {
		ck_assert_msg(rc == 0, "%s", reason);
	} else {
		ck_assert_int_eq(rc, -ERR_WRONG_STATE);
		ck_assert_msg(
		    strstr(reason, changes[_i].reason) != NULL, "%s", reason);
	}
	policy_free(old);
	policy_free(new_one);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("policy");
	TCase *cases = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(
	    cases, refused_with_place, 0, sizeof refused / sizeof refused[0]);
	tcase_add_test(cases, empty_is_valid);
	tcase_add_test(cases, capability_alone);
	tcase_add_test(cases, largest);
	tcase_add_test(cases, printed);
	tcase_add_loop_test(cases, warns_of_what_may_be_missing, 0,
	    sizeof narrow / sizeof narrow[0]);
	tcase_add_loop_test(
	    cases, change_while_running, 0, sizeof changes / sizeof changes[0]);
	tcase_add_test(cases, names);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
