/*
 * Rules engine: what matches, what is called, what a file may not say, and
 * that no message can do more than a rule lets it.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "planner/rules.h"

#define MESSAGE                                                                \
	"{\"v\":1,\"channel\":\"mail\",\"from\":{\"name\":\"Ann \\\"A\\\"\","  \
	"\"address\":\"ann@Example.ORG\"},\"to\":[{\"name\":\"\",\"address\":" \
	"\"me@example.net\"},{\"address\":\"bob@example.net\"}],\"reply_to\":" \
	"null,\"subject\":\"Your Invoice 7\",\"body\":\"one\\ntwo\\u2028x\","  \
	"\"links\":[],\"attachments\":[{\"name\":\"a.txt\",\"type\":\"text/"   \
	"plain\",\"bytes\":12},{\"name\":\"b.pdf\",\"type\":\"application/"    \
	"pdf\",\"bytes\":9007199254740993}],\"injection\":{\"score\":0.5,"     \
	"\"verdict\":\"clean\"},\"truncated\":[],\"sanitized\":true,"          \
	"\"a/b\":{\"~\":\"odd\"},\"\":\"empty\"}"

struct record {
	struct buf lines; /* "rule name arguments\n" for each call */
	int answer;	  /* what the sink returns */
};

static int
sink(struct span call, struct span arguments, struct span rule, void *context)
{
	struct record *record = context;
	struct json_doc doc;

	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, arguments, NULL, NULL), 0);
	ck_assert_int_eq(json_root(&doc)->type, JSON_OBJECT);
	json_done(&doc);
	buf_add(&record->lines, rule.p, rule.n);
	buf_add_byte(&record->lines, ' ');
	buf_add(&record->lines, call.p, call.n);
	buf_add_byte(&record->lines, ' ');
	buf_add(&record->lines, arguments.p, arguments.n);
	buf_add_byte(&record->lines, '\n');
	return record->answer;
}

static struct rules *
parse_good(const char *text)
{
	struct rules *rules = NULL;
	struct json_error where;
	char reason[300];
	int rc = rules_parse(span_of(text), &rules, &where);

	if (rc != 0) {
		json_error_text(&where, reason, sizeof reason);
		ck_abort_msg("%s: %s", text, reason);
	}
	return rules;
}

/* Run over `message`; *lines_out is freed by the caller. */
static int
run_text(const struct rules *rules, struct span message, char **lines_out,
    int answer)
{
	struct record record = {.answer = answer};
	struct json_doc doc;
	int rc;

	buf_init(&record.lines, 4u << 20);
	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, message, NULL, NULL), 0);
	rc = rules_run(rules, &doc, json_root(&doc), sink, &record);
	*lines_out = alloc_text(record.lines.data, record.lines.len);
	json_done(&doc);
	buf_free(&record.lines);
	return rc;
}

static void
expect(
    const char *rules_text, const char *message, int calls, const char *lines)
{
	struct rules *rules = parse_good(rules_text);
	char *got;

	ck_assert_int_eq(run_text(rules, span_of(message), &got, 0), calls);
	ck_assert_str_eq(got, lines);
	free(got);
	rules_free(rules);
}

static bool
matches(const char *when, const char *message)
{
	char *text = alloc_format("{\"version\":1,\"rules\":[{\"name\":\"r\","
				  "\"why\":\"w\",\"when\":%s,\"then\":[{"
				  "\"call\":\"c\",\"arguments\":{}}]}]}",
	    when);
	struct rules *rules = parse_good(text);
	char *got;
	int calls = run_text(rules, span_of(message), &got, 0);

	ck_assert_int_ge(calls, 0);
	free(got);
	free(text);
	rules_free(rules);
	return calls == 1;
}

static const struct {
	const char *condition;
	bool holds;
} conditions[] = {
    {"{\"field\":\"/channel\",\"is\":\"mail\"}", true},
    {"{\"field\":\"/channel\",\"is\":\"Mail\"}", false},
    {"{\"field\":\"/channel\",\"is\":\"Mail\",\"fold\":true}", true},
    {"{\"field\":\"/channel\",\"is\":\"mai\"}", false},
    {"{\"field\":\"/channel\",\"is\":\"\"}", false},
    {"{\"field\":\"/v\",\"is\":1}", true},
    {"{\"field\":\"/v\",\"is\":1.0}", true},
    {"{\"field\":\"/v\",\"is\":\"1\"}", false},
    {"{\"field\":\"/sanitized\",\"is\":true}", true},
    {"{\"field\":\"/sanitized\",\"is\":false}", false},
    {"{\"field\":\"/reply_to\",\"is\":null}", true},
    {"{\"field\":\"/nothing\",\"is\":null}", false},
    {"{\"field\":\"/links\",\"is\":[]}", true},
    {"{\"field\":\"/a~1b/~0\",\"is\":\"odd\"}", true},
    {"{\"field\":\"/\",\"is\":\"empty\"}", true},
    {"{\"field\":\"/to/1/address\",\"is\":\"bob@example.net\"}", true},
    {"{\"field\":\"/to/01/address\",\"is\":\"bob@example.net\"}", false},
    {"{\"field\":\"/to/2/address\",\"exists\":true}", false},
    {"{\"field\":\"/to/-\",\"exists\":true}", false},
    {"{\"field\":\"\",\"exists\":true}", true},
    {"{\"field\":\"/reply_to\",\"exists\":true}", false},
    {"{\"field\":\"/reply_to\",\"exists\":false}", true},
    {"{\"field\":\"/subject\",\"contains\":\"Invoice\"}", true},
    {"{\"field\":\"/subject\",\"contains\":\"invoice\"}", false},
    {"{\"field\":\"/subject\",\"contains\":\"iNVOICE\",\"fold\":true}", true},
    {"{\"field\":\"/subject\",\"contains\":\"Your Invoice 7\"}", true},
    {"{\"field\":\"/subject\",\"contains\":\"Your Invoice 7!\"}", false},
    {"{\"field\":\"/subject\",\"starts\":\"Your\"}", true},
    {"{\"field\":\"/subject\",\"starts\":\"our\"}", false},
    {"{\"field\":\"/subject\",\"starts\":\"YOUR I\",\"fold\":true}", true},
    {"{\"field\":\"/subject\",\"ends\":\"7\"}", true},
    {"{\"field\":\"/subject\",\"ends\":\"xYour Invoice 7\"}", false},
    {"{\"field\":\"/from/address\",\"ends\":\"@example.org\"}", false},
    {"{\"field\":\"/from/address\",\"ends\":\"@example.org\",\"fold\":true}",
	true},
    {"{\"field\":\"/v\",\"contains\":\"1\"}", false},
    {"{\"field\":\"/to\",\"contains\":\"me\"}", false},
    {"{\"field\":\"/v\",\"greater\":0}", true},
    {"{\"field\":\"/v\",\"greater\":1}", false},
    {"{\"field\":\"/v\",\"less\":1.5}", true},
    {"{\"field\":\"/subject\",\"greater\":0}", false},
    {"{\"field\":\"/subject\",\"less\":0}", false},
    {"{\"field\":\"/injection/score\",\"greater\":0.25}", true},
    {"{\"field\":\"/injection/score\",\"greater\":0.5}", false},
    {"{\"field\":\"/injection/score\",\"less\":1}", true},
    {"{\"field\":\"/attachments/1/bytes\",\"greater\":9007199254740992}", true},
    {"{\"field\":\"/attachments\",\"count_greater\":1}", true},
    {"{\"field\":\"/attachments\",\"count_greater\":2}", false},
    {"{\"field\":\"/attachments\",\"count_less\":3}", true},
    {"{\"field\":\"/attachments\",\"count_less\":2}", false},
    {"{\"field\":\"/from\",\"count_greater\":1}", true},
    {"{\"field\":\"/subject\",\"count_less\":5}", false},
    {"{\"field\":\"/nothing\",\"count_less\":5}", false},
    {"{\"field\":\"/to\",\"some\":{\"field\":\"/address\",\"starts\":\"bob@\"}"
     "}",
	true},
    {"{\"field\":\"/to\",\"some\":{\"field\":\"/name\",\"exists\":false}}",
	true},
    {"{\"field\":\"/to\",\"some\":{\"field\":\"/address\",\"is\":\"x\"}}",
	false},
    {"{\"field\":\"/links\",\"some\":{\"field\":\"\",\"exists\":true}}", false},
    {"{\"field\":\"/from\",\"some\":{\"field\":\"\",\"exists\":true}}", false},
    {"{\"field\":\"/attachments\",\"some\":{\"field\":\"/type\",\"is\":"
     "\"APPLICATION/PDF\",\"fold\":true}}",
	true},
};

START_TEST(condition_table)
{
	char *when = alloc_format("{\"all\":[%s]}", conditions[_i].condition);
	char *none = alloc_format("{\"none\":[%s]}", conditions[_i].condition);

	ck_assert_msg(
	    matches(when, MESSAGE) == conditions[_i].holds, "%s", when);
	ck_assert_msg(
	    matches(none, MESSAGE) != conditions[_i].holds, "%s", none);
	free(when);
	free(none);
}
END_TEST

START_TEST(lists_combine)
{
#define T "{\"field\":\"/v\",\"is\":1}"
#define F "{\"field\":\"/v\",\"is\":2}"
	ck_assert(matches("{\"all\":[" T "," T "]}", MESSAGE));
	ck_assert(!matches("{\"all\":[" T "," F "]}", MESSAGE));
	ck_assert(matches("{\"any\":[" F "," T "]}", MESSAGE));
	ck_assert(!matches("{\"any\":[" F "," F "]}", MESSAGE));
	ck_assert(!matches("{\"none\":[" F "," T "]}", MESSAGE));
	ck_assert(
	    matches("{\"all\":[" T "],\"any\":[" F "," T "],\"none\":[" F "]}",
		MESSAGE));
	ck_assert(!matches("{\"all\":[" T "],\"any\":[" F "]}", MESSAGE));
#undef T
#undef F
}
END_TEST

/* The search against a plain one, over every short text of two letters. */
START_TEST(contains_is_right)
{
	static const char *const needles[] = {
	    "a", "aa", "ab", "aab", "aba", "abab", "aabaa", "abaab", "bbbbbb"};
	char text[9], message[64], when[96];

	for (size_t n = 0; n < sizeof needles / sizeof needles[0]; n++) {
		struct rules *rules;
		char *file;

		snprintf(when, sizeof when, "\"contains\":\"%s\"", needles[n]);
		file = alloc_format(
		    "{\"version\":1,\"rules\":[{\"name\":\"r\",\"why\":\"w\","
		    "\"when\":{\"all\":[{\"field\":\"/t\",%s}]},\"then\":[{"
		    "\"call\":\"c\",\"arguments\":{}}]}]}",
		    when);
		rules = parse_good(file);
		for (unsigned bits = 0; bits < 256; bits++) {
			char *got;

			for (unsigned i = 0; i < 8; i++)
				text[i] = bits >> i & 1 ? 'a' : 'b';
			text[8] = '\0';
			snprintf(
			    message, sizeof message, "{\"t\":\"%s\"}", text);
			ck_assert_int_eq(
			    run_text(rules, span_of(message), &got, 0),
			    strstr(text, needles[n]) != NULL);
			free(got);
		}
		rules_free(rules);
		free(file);
	}
}
END_TEST

#define RULE(name, when, then, stop)                                           \
	"{\"name\":\"" name "\",\"why\":\"w\",\"when\":{\"all\":[" when        \
	"]},\"then\":[" then "],\"stop\":" stop "}"
#define YES "{\"field\":\"/v\",\"is\":1}"
#define NO "{\"field\":\"/v\",\"is\":2}"
#define CALL(name) "{\"call\":\"" name "\",\"arguments\":{}}"
#define FILE_OF(rules) "{\"version\":1,\"rules\":[" rules "]}"
#define OTHERWISE(rules, calls)                                                \
	"{\"version\":1,\"rules\":[" rules "],\"otherwise\":[" calls "]}"

START_TEST(order_and_stop)
{
	expect(
	    FILE_OF(RULE("a", YES, CALL("x") "," CALL("y"), "false") "," RULE(
		"b", NO, CALL("z"), "true") "," RULE("c", YES, CALL("z"),
		"true") "," RULE("d", YES, CALL("z"), "false")),
	    MESSAGE, 3, "a x {}\na y {}\nc z {}\n");
}
END_TEST

START_TEST(otherwise_only_without_match)
{
	expect(OTHERWISE(RULE("a", NO, CALL("x"), "true"), CALL("o")), MESSAGE,
	    1, "otherwise o {}\n");
	expect(
	    OTHERWISE(RULE("a", YES, "", "false"), CALL("o")), MESSAGE, 0, "");
	expect(OTHERWISE("", ""), MESSAGE, 0, "");
	expect(FILE_OF(""), MESSAGE, 0, "");
}
END_TEST

/* A mail that breaks the reader must not slip into rules for other mail. */
START_TEST(failures_need_their_own_rule)
{
#define FAILURE "{\"v\":1,\"channel\":\"mail\",\"error\":{\"code\":1405}}"
	expect(OTHERWISE(RULE("a", YES, CALL("x"), "true"), CALL("o")), FAILURE,
	    1, "otherwise o {}\n");
	expect(FILE_OF(RULE("a", "{\"field\":\"/error/code\",\"is\":1405}",
		   CALL("x"), "true")),
	    FAILURE, 1, "a x {}\n");
	expect(FILE_OF(RULE("a", "{\"field\":\"/errors\",\"exists\":false}",
		   CALL("x"), "true")),
	    FAILURE, 0, "");
	expect(FILE_OF(RULE("a", "{\"field\":\"/error\",\"exists\":true}",
		   CALL("x"), "true")),
	    MESSAGE, 0, "");
#undef FAILURE
}
END_TEST

static void
expect_argument(const char *template, const char *message, const char *json)
{
	char *file =
	    alloc_format("{\"version\":1,\"rules\":[],\"otherwise\":[{\"call\":"
			 "\"c\",\"arguments\":{\"x\":%s}}]}",
		template);
	char *lines = alloc_format("otherwise c {\"x\":%s}\n", json);

	expect(file, message, 1, lines);
	free(file);
	free(lines);
}

static const struct {
	const char *template, *json;
} templates[] = {
    {"\"constant\"", "\"constant\""},
    {"[1, -0.5e3,true,null, {\"y\" : []}]", "[1,-0.5e3,true,null,{\"y\":[]}]"},
    {"{\"$field\":\"/subject\"}", "\"Your Invoice 7\""},
    {"{\"$field\":\"/subject\",\"max_chars\":14}", "\"Your Invoice 7\""},
    {"{\"$field\":\"/subject\",\"max_chars\":13}",
	"\"Your Invoice\xe2\x80\xa6\""},
    {"{\"$field\":\"/subject\",\"max_chars\":1}", "\"\xe2\x80\xa6\""},
    {"{\"$field\":\"/from/name\"}", "\"Ann \\\"A\\\"\""},
    {"{\"$field\":\"/body\"}", "\"one\\ntwo\\u2028x\""},
    {"{\"$field\":\"/v\",\"max_chars\":1}", "1"},
    {"{\"$field\":\"/attachments/1/bytes\"}", "9007199254740993"},
    {"{\"$field\":\"/injection/score\"}", "0.5"},
    {"{\"$field\":\"/sanitized\"}", "true"},
    {"{\"$field\":\"/nothing\"}", "null"},
    {"{\"$field\":\"/reply_to\"}", "null"},
    {"{\"$field\":\"/reply_to\",\"default\":\"none\"}", "\"none\""},
    {"{\"$field\":\"/nothing\",\"default\":7}", "7"},
    {"{\"$field\":\"/to/0/name\"}", "\"\""},
    {"{\"$field\":\"/to/0/name\",\"default\":\"-\"}", "\"-\""},
    {"{\"$field\":\"/nothing\",\"default\":null}", "null"},
    {"{\"$field\":\"/to\",\"default\":\"a list\"}", "\"a list\""},
    {"{\"$field\":\"/from\"}", "null"},
    {"{\"$join\":[\"a\",\"\\n\",\"b\"]}", "\"a\\nb\""},
    {"{\"$join\":[\"<\",{\"$field\":\"/body\"},\">\"]}", "\"<one two x>\""},
    {"{\"$join\":[{\"$field\":\"/body\",\"max_chars\":4},\".\"]}",
	"\"one\xe2\x80\xa6.\""},
    {"{\"$join\":[{\"$field\":\"/v\"},{\"$field\":\"/nothing\"},{\"$field\":\"/"
     "to\",\"default\":\"-\"}]}",
	"\"1-\""},
    {"[{\"y\":{\"$field\":\"/v\"}}]", "[{\"y\":1}]"},
};

START_TEST(template_table)
{
	expect_argument(templates[_i].template, MESSAGE, templates[_i].json);
}
END_TEST

/* What looks like a rule in a message stays a text. */
START_TEST(message_is_never_a_template)
{
	expect_argument("{\"$field\":\"/s\"}",
	    "{\"s\":\"{\\\"$field\\\":\\\"/v\\\"}\"}",
	    "\"{\\\"$field\\\":\\\"/v\\\"}\"");
	expect_argument(
	    "{\"$field\":\"/s\"}", "{\"s\":{\"$field\":\"/v\"}}", "null");
	expect_argument("{\"$join\":[\"a\",{\"$field\":\"/s\"}]}",
	    "{\"s\":\"\\r\\nTo: x\\u0085\\u007f\\t$\\\"},{\"}",
	    "\"a  To: x   $\\\"},{\"");
}
END_TEST

/* The worst text, wherever the file lets it in: never more than measured. */
START_TEST(largest_arguments_fit)
{
	static const char *const units[] = {"\\u0001", "\\u007f", "\xc3\xa4",
	    "\xe2\x80\xa8", "\xf0\x9f\x98\x80", "\\\\", "\""};
	struct rules *rules = parse_good(
	    "{\"version\":1,\"rules\":[],\"otherwise\":[{\"call\":\"c\","
	    "\"arguments\":{\"a\":{\"$field\":\"/s\",\"max_chars\":5000},"
	    "\"b\":{\"$join\":[{\"$field\":\"/s\",\"max_chars\":5000},\"\x7f\""
	    "]}}}]}");

	for (size_t u = 0; u + 1 < sizeof units / sizeof units[0]; u++) {
		struct buf message;
		char *got;

		buf_init(&message, 1u << 20);
		buf_add_text(&message, "{\"s\":\"");
		for (int i = 0; i < 20000; i++)
			buf_add_text(&message, units[u]);
		buf_add_text(&message, "\"}");
		ck_assert_int_eq(
		    run_text(rules, (struct span){message.data, message.len},
			&got, 0),
		    1);
		ck_assert_uint_le(strlen(got), RULES_MAX_ARGUMENT_BYTES + 20);
		free(got);
		buf_free(&message);
	}
	rules_free(rules);
}
END_TEST

static char *
many_rules(int count, const char *then)
{
	struct buf text;
	char *copy;

	buf_init(&text, 4u << 20);
	buf_add_text(&text, "{\"version\":1,\"rules\":[");
	for (int i = 0; i < count; i++)
		buf_add_format(&text,
		    "%s{\"name\":\"r%d\",\"why\":\"w\",\"when\":{\"all\":[" YES
		    "]},\"then\":[%s]}",
		    i == 0 ? "" : ",", i, then);
	buf_add_text(&text, "]}");
	ck_assert(!text.overflow);
	copy = alloc_text(text.data, text.len);
	buf_free(&text);
	return copy;
}

static int
refused_at_load(const char *text)
{
	struct rules *rules = NULL;
	struct json_error where;
	int rc = rules_parse(span_of(text), &rules, &where);

	ck_assert_ptr_null(rules);
	ck_assert_msg(strstr(where.detail, "more than 16 calls") != NULL, "%s",
	    where.detail);
	return rc;
}

/* A sender who matches every rule must not switch them off. */
START_TEST(too_many_calls_are_refused)
{
	char *sixteen = many_rules(16, CALL("c"));
	char *seventeen = many_rules(17, CALL("c"));
	struct rules *rules = parse_good(sixteen);
	char *got;

	ck_assert_int_eq(run_text(rules, SPAN(MESSAGE), &got, 0), 16);
	free(got);
	rules_free(rules);
	ck_assert_int_eq(refused_at_load(seventeen), -ERR_LIMIT);
	free(sixteen);
	free(seventeen);
}
END_TEST

/* Of rules with "stop" one message gets one, after all without. */
START_TEST(stop_bounds_the_calls)
{
#define EIGHT                                                                  \
	CALL("c")                                                              \
	"," CALL("c") "," CALL("c") "," CALL("c") "," CALL("c") "," CALL(      \
	    "c") "," CALL("c") "," CALL("c")
#define NINE EIGHT "," CALL("c")
	rules_free(parse_good(FILE_OF(RULE("a", YES, EIGHT, "false") "," RULE(
	    "b", YES, EIGHT, "true") "," RULE("d", YES, EIGHT, "true"))));
	ck_assert_int_eq(refused_at_load(FILE_OF(RULE("a", YES, EIGHT,
			     "false") "," RULE("b", NO, NINE, "true"))),
	    -ERR_LIMIT);
#undef NINE
#undef EIGHT
}
END_TEST

START_TEST(number_of_rules)
{
	char *good = many_rules(RULES_MAX_COUNT, "");
	char *bad = many_rules(RULES_MAX_COUNT + 1, "");
	struct rules *rules = parse_good(good);
	char *got;

	ck_assert_int_eq(run_text(rules, SPAN(MESSAGE), &got, 0), 0);
	free(got);
	rules_free(rules);
	rules = NULL;
	ck_assert_int_eq(rules_parse(span_of(bad), &rules, NULL), -ERR_RANGE);
	ck_assert_ptr_null(rules);
	free(good);
	free(bad);
}
END_TEST

START_TEST(sink_ends_the_run)
{
	struct rules *rules =
	    parse_good(OTHERWISE("", CALL("a") "," CALL("b")));
	char *got;

	ck_assert_int_eq(
	    run_text(rules, SPAN("{}"), &got, -ERR_CLOSED), -ERR_CLOSED);
	ck_assert_str_eq(got, "otherwise a {}\n");
	free(got);
	ck_assert_int_eq(run_text(rules, SPAN("[]"), &got, 0), -ERR_TYPE);
	ck_assert_str_eq(got, "");
	free(got);
	rules_free(rules);
}
END_TEST

#define WHEN(when)                                                               \
	"{\"version\":1,\"rules\":[{\"name\":\"r\",\"why\":\"w\",\"when\":" when \
	",\"then\":[]}]}"
#define ONE(condition) WHEN("{\"all\":[" condition "]}")
#define THEN(calls) OTHERWISE("", calls)
#define ARGUMENT(x) THEN("{\"call\":\"c\",\"arguments\":{\"x\":" x "}}")

static const struct {
	const char *text;
	int error;
} refusals[] = {
    {"", ERR_SYNTAX},
    {"[]", ERR_TYPE},
    {"{}", ERR_MISSING_KEY},
    {"{\"version\":1}", ERR_MISSING_KEY},
    {"{\"version\":2,\"rules\":[]}", ERR_RANGE},
    {"{\"version\":\"1\",\"rules\":[]}", ERR_TYPE},
    {"{\"version\":1,\"rules\":[],\"rules\":[]}", ERR_DUPLICATE_KEY},
    {"{\"version\":1,\"rules\":[],\"colour\":1}", ERR_UNKNOWN_KEY},
    {"{\"version\":1,\"rules\":{}}", ERR_TYPE},
    {"{\"version\":1,\"rules\":[]}x", ERR_TRAILING},
    {FILE_OF("1"), ERR_TYPE},
    {FILE_OF("{}"), ERR_MISSING_KEY},
    {FILE_OF(RULE("", YES, "", "true")), ERR_RANGE},
    {FILE_OF(RULE("a b", YES, "", "true")), ERR_RANGE},
    {FILE_OF(RULE("otherwise", YES, "", "true")), ERR_RANGE},
    {FILE_OF(RULE("a", YES, "", "1")), ERR_TYPE},
    {FILE_OF(RULE("a", YES, "", "true") "," RULE("a", NO, "", "true")),
	ERR_RANGE},
    {"{\"version\":1,\"rules\":[{\"name\":\"r\",\"when\":{\"all\":[" YES
     "]},\"then\":[]}]}",
	ERR_MISSING_KEY},
    {"{\"version\":1,\"rules\":[{\"name\":\"r\",\"why\":\" \\t\",\"when\":{"
     "\"all\":[" YES "]},\"then\":[]}]}",
	ERR_RANGE},
    {WHEN("[]"), ERR_TYPE},
    {WHEN("{}"), ERR_MISSING_KEY},
    {WHEN("{\"all\":[]}"), ERR_RANGE},
    {WHEN("{\"any\":[]}"), ERR_RANGE},
    {WHEN("{\"none\":[]}"), ERR_RANGE},
    {WHEN("{\"every\":[" YES "]}"), ERR_UNKNOWN_KEY},
    {ONE("{}"), ERR_MISSING_KEY},
    {ONE("{\"field\":\"/v\"}"), ERR_MISSING_KEY},
    {ONE("{\"is\":1}"), ERR_MISSING_KEY},
    {ONE("{\"field\":1,\"is\":1}"), ERR_TYPE},
    {ONE("{\"field\":\"v\",\"is\":1}"), ERR_RANGE},
    {ONE("{\"field\":\"/~\",\"is\":1}"), ERR_RANGE},
    {ONE("{\"field\":\"/~2\",\"is\":1}"), ERR_RANGE},
    {ONE("{\"field\":\"/v\",\"is\":1,\"less\":2}"), ERR_RANGE},
    {ONE("{\"field\":\"/v\",\"matches\":\".*\"}"), ERR_UNKNOWN_KEY},
    {ONE("{\"field\":\"/v\",\"contains\":\"\"}"), ERR_TYPE},
    {ONE("{\"field\":\"/v\",\"contains\":1}"), ERR_TYPE},
    {ONE("{\"field\":\"/v\",\"starts\":[]}"), ERR_TYPE},
    {ONE("{\"field\":\"/v\",\"ends\":null}"), ERR_TYPE},
    {ONE("{\"field\":\"/v\",\"exists\":1}"), ERR_TYPE},
    {ONE("{\"field\":\"/v\",\"greater\":\"1\"}"), ERR_TYPE},
    {ONE("{\"field\":\"/v\",\"less\":true}"), ERR_TYPE},
    {ONE("{\"field\":\"/v\",\"count_greater\":-1}"), ERR_TYPE},
    {ONE("{\"field\":\"/v\",\"count_less\":1.5}"), ERR_TYPE},
    {ONE("{\"field\":\"/v\",\"is\":1,\"fold\":true}"), ERR_TYPE},
    {ONE("{\"field\":\"/v\",\"exists\":true,\"fold\":true}"), ERR_TYPE},
    {ONE("{\"field\":\"/v\",\"is\":\"x\",\"fold\":1}"), ERR_TYPE},
    {ONE("{\"field\":\"/v\",\"some\":\"x\"}"), ERR_TYPE},
    {ONE("{\"field\":\"/v\",\"some\":{}}"), ERR_MISSING_KEY},
    {ONE("{\"field\":\"/v\",\"some\":{\"field\":\"\",\"some\":" YES "}}"),
	ERR_DEPTH},
    {THEN("{}"), ERR_MISSING_KEY},
    {THEN("{\"call\":\"c\"}"), ERR_MISSING_KEY},
    {THEN("{\"call\":\"\",\"arguments\":{}}"), ERR_RANGE},
    {THEN("{\"call\":\"a/b\",\"arguments\":{}}"), ERR_RANGE},
    {THEN("{\"call\":{\"$field\":\"/v\"},\"arguments\":{}}"), ERR_TYPE},
    {THEN("{\"call\":\"c\",\"arguments\":[]}"), ERR_TYPE},
    {THEN("{\"call\":\"c\",\"arguments\":{\"$field\":\"/v\"}}"), ERR_TYPE},
    {THEN("{\"call\":\"c\",\"arguments\":{\"a b\":1}}"), ERR_RANGE},
    {THEN("{\"call\":\"c\",\"arguments\":{\"\":1}}"), ERR_RANGE},
    {ARGUMENT("{\"$ref\":\"msg:1\"}"), ERR_UNKNOWN_KEY},
    {ARGUMENT("{\"y\":{\"$fields\":\"/v\"}}"), ERR_UNKNOWN_KEY},
    {ARGUMENT("{\"$field\":\"/v\",\"y\":1}"), ERR_UNKNOWN_KEY},
    {ARGUMENT("{\"$field\":\"v\"}"), ERR_RANGE},
    {ARGUMENT("{\"$field\":[\"/v\"]}"), ERR_TYPE},
    {ARGUMENT("{\"$field\":\"/v\",\"max_chars\":0}"), ERR_RANGE},
    {ARGUMENT("{\"$field\":\"/v\",\"max_chars\":10001}"), ERR_RANGE},
    {ARGUMENT("{\"$field\":\"/v\",\"default\":[]}"), ERR_TYPE},
    {ARGUMENT("{\"$join\":[]}"), ERR_RANGE},
    {ARGUMENT("{\"$join\":\"x\"}"), ERR_TYPE},
    {ARGUMENT("{\"$join\":[1]}"), ERR_TYPE},
    {ARGUMENT("{\"$join\":[{\"$join\":[\"x\"]}]}"), ERR_TYPE},
    {ARGUMENT("{\"$join\":[\"x\"],\"$field\":\"/v\"}"), ERR_UNKNOWN_KEY},
    {ARGUMENT("[{\"$field\":\"/v\",\"max_chars\":6000},{\"$field\":\"/v\","
	      "\"max_chars\":6000}]"),
	ERR_TOO_LARGE},
    {ARGUMENT("{\"$join\":[{\"$field\":\"/v\",\"max_chars\":6000},{\"$field\":"
	      "\"/v\",\"max_chars\":6000}]}"),
	ERR_TOO_LARGE},
};

START_TEST(refusal_table)
{
	struct rules *rules = NULL;
	struct json_error where = {0};
	char reason[300];
	int rc = rules_parse(span_of(refusals[_i].text), &rules, &where);

	json_error_text(&where, reason, sizeof reason);
	ck_assert_msg(rc == -refusals[_i].error, "%s: %d, wanted %d: %s",
	    refusals[_i].text, rc, -refusals[_i].error, reason);
	ck_assert_int_eq(where.error, rc);
	ck_assert_ptr_null(rules);
	ck_assert_msg(where.line == 1, "no place: %s", refusals[_i].text);
	ck_assert_int_eq(
	    rules_parse(span_of(refusals[_i].text), &rules, NULL), rc);
}
END_TEST

START_TEST(place_of_an_error)
{
	struct rules *rules = NULL;
	struct json_error where;

	ck_assert_int_eq(
	    rules_parse(SPAN("{\"version\": 1,\n \"rules\": [],\n \"color\": "
			     "1}"),
		&rules, &where),
	    -ERR_UNKNOWN_KEY);
	ck_assert_uint_eq(where.line, 3);
	ck_assert_uint_eq(where.column, 2);
	ck_assert_str_eq(where.detail, "\"color\"");
}
END_TEST

START_TEST(size_and_cuts)
{
	static const char good[] = OTHERWISE(RULE("a", YES, CALL("x"), "true"),
	    "{\"call\":\"c\",\"arguments\":{\"x\":{\"$join\":[\"a\",{\"$field\""
	    ":\"/v\"}]}}}");
	struct rules *rules = NULL;
	char *big = alloc_bytes(RULES_MAX_BYTES + 1);

	memset(big, ' ', RULES_MAX_BYTES + 1);
	memcpy(big, good, sizeof good - 1);
	ck_assert_int_eq(
	    rules_parse((struct span){big, RULES_MAX_BYTES + 1}, &rules, NULL),
	    -ERR_TOO_LARGE);
	ck_assert_int_eq(
	    rules_parse((struct span){big, RULES_MAX_BYTES}, &rules, NULL), 0);
	free(big);
	rules_free(rules);
	for (size_t n = 0; n + 1 < sizeof good; n++) {
		char *cut = alloc_text(good, n);

		ck_assert_int_lt(
		    rules_parse((struct span){cut, n}, &rules, NULL), 0);
		free(cut);
	}
	rules_free(NULL);
}
END_TEST

/* Longest name, needle and pointer, and one byte more. */
START_TEST(exact_lengths)
{
	static const struct {
		const char *before, *after;
		size_t most;
		int error;
	} places[] = {
	    {"{\"version\":1,\"rules\":[{\"name\":\"",
		"\",\"why\":\"w\",\"when\":{\"all\":[" YES "]},\"then\":[]}]}",
		64, ERR_RANGE},
	    {"{\"version\":1,\"rules\":[],\"otherwise\":[{\"call\":\"",
		"\",\"arguments\":{}}]}", 64, ERR_RANGE},
	    {"{\"version\":1,\"rules\":[],\"otherwise\":[{\"call\":\"c\","
	     "\"arguments\":{\"",
		"\":{\"$field\":\"/v\"}}}]}", 64, ERR_RANGE},
	    {"{\"version\":1,\"rules\":[{\"name\":\"r\",\"why\":\"",
		"\",\"when\":{\"all\":[" YES "]},\"then\":[]}]}", 300,
		ERR_RANGE},
	    {"{\"version\":1,\"rules\":[{\"name\":\"r\",\"why\":\"w\","
	     "\"when\":{\"all\":[{\"field\":\"/v\",\"ends\":\"",
		"\"}]},\"then\":[]}]}", RULES_MAX_NEEDLE, ERR_TYPE},
	    {"{\"version\":1,\"rules\":[{\"name\":\"r\",\"why\":\"w\","
	     "\"when\":{\"all\":[{\"field\":\"/",
		"\",\"is\":1}]},\"then\":[]}]}", RULES_MAX_POINTER - 1,
		ERR_RANGE},
	};

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		for (size_t extra = 0; extra < 2; extra++) {
			char x[400] = "";
			struct rules *rules = NULL;
			char *file, *got = NULL;
			int rc;

			memset(x, 'x', places[i].most + extra);
			file = alloc_format(
			    "%s%s%s", places[i].before, x, places[i].after);
			rc = rules_parse(span_of(file), &rules, NULL);
			ck_assert_int_eq(rc, extra == 0 ? 0 : -places[i].error);
			if (rc == 0)
				run_text(rules, SPAN(MESSAGE), &got, 0);
			free(got);
			free(file);
			rules_free(rules);
		}
	}
}
END_TEST

START_TEST(print_in_words)
{
	struct rules *rules = parse_good(
	    "{\"version\":1,\"rules\":[{\"name\":\"bills\",\"why\":\"to pay\","
	    "\"when\":{\"all\":[{\"field\":\"/subject\",\"contains\":\"bill\","
	    "\"fold\":true},{\"field\":\"/to\",\"some\":{\"field\":\"/"
	    "address\",\"is\":\"me\"}}],\"none\":[{\"field\":\"/error\","
	    "\"exists\":true}]},\"then\":[{\"call\":\"notify.send\","
	    "\"arguments\":{\"a\":{\"$join\":[\"x \",{\"$field\":\"/v\","
	    "\"default\":0}]},\"b\":[1]}}],\"stop\":true}]}");
	struct buf out;

	buf_init(&out, 1u << 20);
	rules_print(rules, &out);
	buf_add_byte(&out, '\0');
	ck_assert_str_eq(out.data,
	    "1. bills: to pay\n"
	    "    if all:  \"/subject\" contains \"bill\" (upper or lower "
	    "case)\n"
	    "             \"/to\" has an item where \"/address\" is \"me\"\n"
	    "    if none: \"/error\" exists: true\n"
	    "    also for messages the reader could not read\n"
	    "    call notify.send\n"
	    "        a: \"x \" and then the message's \"/v\" (at most 1000 "
	    "characters, else 0)\n"
	    "        b: [1]\n"
	    "    and look at no further rule\n"
	    "otherwise:\n"
	    "    call nothing\n");
	buf_free(&out);
	rules_free(rules);
}
END_TEST

START_TEST(same_input_same_calls)
{
	struct rules *rules = parse_good(OTHERWISE("",
	    "{\"call\":\"c\",\"arguments\":{\"x\":{\"$field\":\"/body\"},\"y\":"
	    "{\"$field\":\"/from/name\"}}}"));
	char *first, *again;

	ck_assert_int_eq(run_text(rules, SPAN(MESSAGE), &first, 0), 1);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(run_text(rules, SPAN(MESSAGE), &again, 0), 1);
		ck_assert_str_eq(first, again);
		free(again);
	}
	free(first);
	rules_free(rules);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof(table)[0])

int
main(void)
{
	Suite *suite = suite_create("rules");
	TCase *run = tcase_create("run"), *parse = tcase_create("parse");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, run);
	tcase_add_loop_test(run, condition_table, 0, ROWS(conditions));
	tcase_add_test(run, lists_combine);
	tcase_add_test(run, contains_is_right);
	tcase_add_test(run, order_and_stop);
	tcase_add_test(run, otherwise_only_without_match);
	tcase_add_test(run, failures_need_their_own_rule);
	tcase_add_loop_test(run, template_table, 0, ROWS(templates));
	tcase_add_test(run, message_is_never_a_template);
	tcase_add_test(run, largest_arguments_fit);
	tcase_add_test(run, too_many_calls_are_refused);
	tcase_add_test(run, stop_bounds_the_calls);
	tcase_add_test(run, number_of_rules);
	tcase_add_test(run, sink_ends_the_run);
	tcase_add_test(run, same_input_same_calls);
	suite_add_tcase(suite, parse);
	tcase_add_loop_test(parse, refusal_table, 0, ROWS(refusals));
	tcase_add_test(parse, place_of_an_error);
	tcase_add_test(parse, size_and_cuts);
	tcase_add_test(parse, exact_lengths);
	tcase_add_test(parse, print_in_words);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
