/*
 * JSON: what is refused and where, values against jansson, access, typed
 * reading, writing.
 */
#include <check.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"
#include "common/limits.h"
#include "tests/fuzz/json_peer.h"

#define ROWS(table) (int)(sizeof(table) / sizeof(table)[0])

/* Like SPAN, but a constant, for tables. */
#define BYTES(literal)                                                         \
	{                                                                      \
		literal, sizeof(literal) - 1                                   \
	}

static struct json_doc doc;
static struct buf out;

static void
set_up(void)
{
	json_init(&doc);
	buf_init(&out, 8u << 20);
}

static void
tear_down(void)
{
	json_done(&doc);
	buf_free(&out);
}

/* The root of a good text, which has to outlive the test. */
static const struct json_node *
parse(const char *text)
{
	struct json_error where;
	int rc = json_parse(&doc, span_of(text), NULL, &where);

	ck_assert_msg(
	    rc == 0, "%s: %s at %zu", text, err_text(rc), where.offset);
	return json_root(&doc);
}

static const struct {
	struct span text;
	int error;
	size_t offset;
} refusals[] = {
    {{NULL, 0}, ERR_SYNTAX, 0},
    {BYTES(" "), ERR_SYNTAX, 1},
    {BYTES("\xef\xbb\xbf{}"), ERR_SYNTAX, 0},
    {BYTES("{"), ERR_SYNTAX, 1},
    {BYTES("}"), ERR_SYNTAX, 0},
    {BYTES("[1"), ERR_SYNTAX, 2},
    {BYTES("[1,]"), ERR_SYNTAX, 3},
    {BYTES("[,1]"), ERR_SYNTAX, 1},
    {BYTES("[1 2]"), ERR_SYNTAX, 3},
    {BYTES("[1}"), ERR_SYNTAX, 2},
    {BYTES("{\"a\":1]"), ERR_SYNTAX, 6},
    {BYTES("{\"a\"}"), ERR_SYNTAX, 4},
    {BYTES("{\"a\" 1}"), ERR_SYNTAX, 5},
    {BYTES("{\"a\":}"), ERR_SYNTAX, 5},
    {BYTES("{\"a\":1,}"), ERR_SYNTAX, 7},
    {BYTES("{a:1}"), ERR_SYNTAX, 1},
    {BYTES("{1:1}"), ERR_SYNTAX, 1},
    {BYTES("'a'"), ERR_SYNTAX, 0},
    {BYTES("/**/1"), ERR_SYNTAX, 0},
    {BYTES("\"a"), ERR_SYNTAX, 2},
    {BYTES("\"\n\""), ERR_SYNTAX, 1},
    {BYTES("\"\x1f\""), ERR_SYNTAX, 1},
    {BYTES("\"\\"), ERR_SYNTAX, 2},
    {BYTES("\"\\x41\""), ERR_SYNTAX, 2},
    {BYTES("\"\\u12\""), ERR_SYNTAX, 3},
    {BYTES("\"\\u12g4\""), ERR_SYNTAX, 3},
    {BYTES("\"\\U0041\""), ERR_SYNTAX, 2},
    {BYTES("tru"), ERR_SYNTAX, 0},
    {BYTES("True"), ERR_SYNTAX, 0},
    {BYTES("nul\0"), ERR_SYNTAX, 0},
    {BYTES("NaN"), ERR_SYNTAX, 0},
    {BYTES("Infinity"), ERR_SYNTAX, 0},
    {BYTES("-Infinity"), ERR_SYNTAX, 1},
    {BYTES("-"), ERR_SYNTAX, 1},
    {BYTES("+1"), ERR_SYNTAX, 0},
    {BYTES(".5"), ERR_SYNTAX, 0},
    {BYTES("5."), ERR_SYNTAX, 2},
    {BYTES("1e"), ERR_SYNTAX, 2},
    {BYTES("1e+"), ERR_SYNTAX, 3},
    {BYTES("1.e1"), ERR_SYNTAX, 2},
    {BYTES("01"), ERR_TRAILING, 1},
    {BYTES("-01"), ERR_TRAILING, 2},
    {BYTES("0x1"), ERR_TRAILING, 1},
    {BYTES("truefalse"), ERR_TRAILING, 4},
    {BYTES("{}{}"), ERR_TRAILING, 2},
    {BYTES("1 //"), ERR_TRAILING, 2},
    {BYTES("9223372036854775808"), ERR_NUMBER, 19},
    {BYTES("-9223372036854775809"), ERR_NUMBER, 20},
    {BYTES("1e309"), ERR_NUMBER, 5},
    {BYTES("-1e999999999"), ERR_NUMBER, 12},
    {BYTES("\0"), ERR_NUL, 0},
    {BYTES("1\0"), ERR_NUL, 1},
    {BYTES("[1\0]"), ERR_NUL, 2},
    {BYTES("{\0}"), ERR_NUL, 1},
    {BYTES("\"\0\""), ERR_NUL, 1},
    {BYTES("\"\\\0\""), ERR_NUL, 2},
    {BYTES("\"\\u0000\""), ERR_NUL, 7},
    {BYTES("{\"\\u0000\":1}"), ERR_NUL, 8},
    {BYTES("\"\xff\""), ERR_UTF8, 1},
    {BYTES("\"\x80\""), ERR_UTF8, 1},
    {BYTES("\"\xc0\xaf\""), ERR_UTF8, 1},
    {BYTES("\"\xed\xa0\x80\""), ERR_UTF8, 1},
    {BYTES("\"\xf4\x90\x80\x80\""), ERR_UTF8, 1},
    {BYTES("\"\xc3\""), ERR_UTF8, 1},
    {BYTES("\"\xe2\x82"), ERR_UTF8, 1},
    {BYTES("\"\\ud800\""), ERR_UTF8, 7},
    {BYTES("\"\\udc00\""), ERR_UTF8, 7},
    {BYTES("\"\\ud800\\n\""), ERR_UTF8, 7},
    {BYTES("\"\\ud800\\ud800\""), ERR_UTF8, 13},
    {BYTES("\"\\ud800\\u0041\""), ERR_UTF8, 13},
    {BYTES("{\"a\":1,\"a\":1}"), ERR_DUPLICATE_KEY, 7},
    {BYTES("{\"a\":1,\"\\u0061\":1}"), ERR_DUPLICATE_KEY, 7},
    {BYTES("{\"\":1,\"b\":{\"c\":[]},\"\":2}"), ERR_DUPLICATE_KEY, 19},
    {BYTES("{\"\xc3\xa4\":1,\"\\u00e4\":1}"), ERR_DUPLICATE_KEY, 8},
};

START_TEST(refusal_table)
{
	struct json_error where;
	struct span text = refusals[_i].text;
	const char *why;
	char *copy;
	int rc = json_parse(&doc, text, NULL, &where);

	ck_assert_msg(
	    rc == -refusals[_i].error, "row %d: %s", _i, err_text(rc));
	ck_assert_int_eq(where.error, rc);
	ck_assert_uint_eq(where.offset, refusals[_i].offset);
	ck_assert_ptr_null(json_root(&doc));
	ck_assert_int_eq(json_parse(&doc, text, NULL, NULL), rc);
	/* once more where a sanitizer sees a read behind the end */
	copy = alloc_bytes(text.n);
	if (text.n != 0)
		memcpy(copy, text.p, text.n);
	text.p = copy;
	ck_assert_int_eq(json_parse(&doc, text, NULL, NULL), rc);
	free(copy);
	text = refusals[_i].text;
	ck_assert_msg(json_peer_check(text, &why) != PEER_WRONG, "%s", why);
}
END_TEST

static const char *const accepted[] = {"0", "-0", "-0.0", "0e0", "1E+2",
    "1e-400", "5e-324", "2.2250738585072011e-308", "1.7976931348623157e308",
    "0.1", "123456789012345678.0", "9223372036854775807",
    "-9223372036854775808", "9007199254740993", "1e18", "\"\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u00e4\\u20AC\\ud83d\\uDE00\"",
    "\"\\u0001\\u007f\\u0080\\u2028\\uffff\"", "\"\x7f\"",
    "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"", "\"\\\\u0000\"", "[]", "{}",
    "[[],{},[{}]]", "[null,true,false]", " \t\r\n[ 1 , 2 ] \t\r\n",
    "{\"a\":{\"a\":1},\"b\":[{\"a\":2},{\"a\":3}],\"A\":4,\"\":5}",
    "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
    "[0.00000000000000000000000000000000000000000000000000000000000001]"};

START_TEST(same_as_jansson)
{
	const char *why;

	ck_assert_msg(json_peer_check(span_of(accepted[_i]), &why) == PEER_BOTH,
	    "%s: %s", accepted[_i], why);
}
END_TEST

/* `count` times `unit` with a number for each # in it. */
static char *
repeated(const char *begin, const char *unit, size_t count, const char *end)
{
	buf_clear(&out);
	buf_add_text(&out, begin);
	for (size_t i = 0; i < count; i++) {
		for (const char *p = unit; *p != '\0'; p++) {
			if (*p == '#')
				buf_add_format(&out, "%zu", i);
			else
				buf_add_byte(&out, *p);
		}
	}
	buf_add_text(&out, end);
	ck_assert(!out.overflow);
	return alloc_text(out.data, out.len);
}

/* Each limit holds, and one less is still fine. */
static void
limit(const char *begin, const char *unit, size_t most, const char *end,
    int error)
{
	const char *why;
	char *good = repeated(begin, unit, most, end);
	char *bad = repeated(begin, unit, most + 1, end);

	ck_assert_int_eq(json_parse(&doc, span_of(good), NULL, NULL), 0);
	ck_assert_int_eq(json_peer_check(span_of(good), &why), PEER_BOTH);
	ck_assert_int_eq(json_parse(&doc, span_of(bad), NULL, NULL), -error);
	ck_assert_int_eq(json_peer_check(span_of(bad), &why), PEER_STRICTER);
	free(good);
	free(bad);
}

START_TEST(limits_hold)
{
	limit("[0", ",#", JSON_MAX_NODES - 2, "]", ERR_NODES);
	limit("{\"\":0", ",\"#\":1", JSON_MAX_MEMBERS - 1, "}", ERR_NODES);
	limit("0.", "1", JSON_NUMBER_BYTES - 2, "", ERR_NUMBER);
	limit("[\"", "x", FRAME_MAX_BYTES - 4, "\"]", ERR_TOO_LARGE);
}
END_TEST

START_TEST(depth_limit)
{
	const struct json_limits wide = {.depth = 128};
	char text[400];
	int rc;

	for (unsigned depth = 1; depth < 150; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		rc = json_parse(
		    &doc, (struct span){text, 2 * depth}, NULL, NULL);
		ck_assert_int_eq(rc, depth > JSON_MAX_DEPTH ? -ERR_DEPTH : 0);
		rc = json_parse(
		    &doc, (struct span){text, 2 * depth}, &wide, NULL);
		ck_assert_int_eq(rc, depth > 128 ? -ERR_DEPTH : 0);
	}
}
END_TEST

START_TEST(limits_of_the_caller)
{
	const struct json_limits limits = {.bytes = 10, .depth = 2, .nodes = 4};

	ck_assert_int_eq(json_parse(&doc, SPAN("[[1],2]"), &limits, NULL), 0);
	ck_assert_int_eq(
	    json_parse(&doc, SPAN("[[[1]]]"), &limits, NULL), -ERR_DEPTH);
	ck_assert_int_eq(
	    json_parse(&doc, SPAN("[1,2,3,4]"), &limits, NULL), -ERR_NODES);
	ck_assert_int_eq(
	    json_parse(&doc, SPAN("[1,2,3]   "), &limits, NULL), 0);
	ck_assert_int_eq(json_parse(&doc, SPAN("[1,2,3]    "), &limits, NULL),
	    -ERR_TOO_LARGE);
}
END_TEST

START_TEST(every_cut_and_flip)
{
	static const char text[] =
	    "{\"a\":[1,-2.5e3,\"x\\u00e4\\ud83d\\ude00\xe2\x82\xac\"],\"b\":{"
	    "\"c\":null,\"d\":[true,false,{}]}}";
	const size_t n = sizeof text - 1;
	const char *why;
	char *copy;

	for (size_t cut = 0; cut < n; cut++) {
		copy = alloc_text(text, cut);
		ck_assert_int_eq(
		    json_peer_check((struct span){copy, cut}, &why),
		    PEER_NEITHER);
		free(copy);
	}
	for (size_t at = 0; at < n; at++) {
		for (int byte = 0; byte < 256; byte++) {
			copy = alloc_text(text, n);
			copy[at] = (char)byte;
			if (json_peer_check((struct span){copy, n}, &why) ==
			    PEER_WRONG)
				ck_abort_msg("%zu, %d: %s", at, byte, why);
			free(copy);
		}
	}
}
END_TEST

/* Random texts over an alphabet that makes many of them nearly right. */
START_TEST(random_texts)
{
	static const char *const tokens[] = {"{", "}", "[", "]", ",", ":",
	    "\"a\"", "\"b\"", "\"\\u0061\"", "1", "-0", "1.0", "1e2", "true",
	    "null", " ", "\"\xc3\xa4\"", "\"\\ud800\"", "\"\\u0000\"", "01",
	    "\"a\":1", "{\"a\":", "[1,", "]}"};
	unsigned seed = 3, met[PEER_WRONG] = {0};
	const char *why;

	for (int round = 0; round < 100000; round++) {
		int length = 1 + rand_r(&seed) % 8;
		enum json_peer outcome;

		buf_clear(&out);
		for (int i = 0; i < length; i++)
			buf_add_text(
			    &out, tokens[rand_r(&seed) % ROWS(tokens)]);
		outcome =
		    json_peer_check((struct span){out.data, out.len}, &why);
		if (outcome == PEER_WRONG)
			ck_abort_msg("%.*s: %s", (int)out.len, out.data, why);
		met[outcome]++;
	}
	ck_assert_uint_gt(met[PEER_BOTH], 1000);
	ck_assert_uint_gt(met[PEER_STRICTER], 10);
}
END_TEST

START_TEST(document_is_used_again)
{
	const struct json_node *root;

	for (int i = 0; i < 100; i++) {
		root = parse("{\"a\\n\":[1,2,3]}");
		ck_assert_uint_eq(doc.count, 6);
		ck_assert_int_lt(json_parse(&doc, SPAN("[1,2"), NULL, NULL), 0);
		ck_assert_ptr_null(json_root(&doc));
	}
	root = parse("[\"\\u00e4\"]");
	ck_assert(json_is_string(json_first(&doc, root), "\xc3\xa4"));
	json_done(&doc);
	ck_assert_ptr_null(json_root(&doc));
}
END_TEST

#define TREE                                                                   \
	"{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,"     \
	"\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8,\"~1\":9,\"o\":{\"\":"    \
	"{\"0\":10}}}"

/* The cases of RFC 6901 section 5, and what is no pointer. */
static const struct {
	const char *pointer, *raw; /* NULL: nothing there */
} pointers[] = {
    {"", TREE},
    {"/foo", "[\"bar\",\"baz\"]"},
    {"/foo/0", "\"bar\""},
    {"/foo/1", "\"baz\""},
    {"/", "0"},
    {"/a~1b", "1"},
    {"/c%d", "2"},
    {"/e^f", "3"},
    {"/i\\j", "5"},
    {"/k\"l", "6"},
    {"/ ", "7"},
    {"/m~0n", "8"},
    {"/~01", "9"},
    {"/o//0", "10"},
    {"/foo/2", NULL},
    {"/foo/-", NULL},
    {"/foo/00", NULL},
    {"/foo/01", NULL},
    {"/foo/+1", NULL},
    {"/foo/ 1", NULL},
    {"/foo/1x", NULL},
    {"/foo/", NULL},
    {"/foo/4294967296", NULL},
    {"/foo/18446744073709551616", NULL},
    {"/foo/0/", NULL},
    {"/fo", NULL},
    {"/fooo", NULL},
    {"foo", NULL},
    {"#/foo", NULL},
    {"//", NULL},
    {"/m~n", NULL},
    {"/m~", NULL},
    {"/m~2n", NULL},
    {"/~1", NULL},
    {"/o/0", NULL},
};

START_TEST(pointer_table)
{
	const struct json_node *root = parse(TREE);
	const struct json_node *found =
	    json_pointer(&doc, root, span_of(pointers[_i].pointer));

	if (pointers[_i].raw == NULL) {
		ck_assert_ptr_null(found);
		return;
	}
	ck_assert_ptr_nonnull(found);
	ck_assert(span_is(json_raw(&doc, found), pointers[_i].raw));
}
END_TEST

START_TEST(pointer_to_a_long_key)
{
	char *text = repeated("{\"", "k", 5000, "~/\":7}");
	char *pointer = repeated("/", "k", 5000, "~0~1");
	const struct json_node *root = parse(text);
	const struct json_node *found =
	    json_pointer(&doc, root, span_of(pointer));

	ck_assert_ptr_nonnull(found);
	ck_assert_int_eq(found->value.integer, 7);
	pointer[17] = 'x';
	ck_assert_ptr_null(json_pointer(&doc, root, span_of(pointer)));
	free(text);
	free(pointer);
}
END_TEST

START_TEST(walks)
{
	const struct json_node *root = parse("{\"a\":[1,[2,3],4],\"b\":{}}");
	const struct json_node *a = json_get(&doc, root, "a"), *at;
	size_t keys = 0, elements = 0;

	for (at = json_first(&doc, root); at != NULL;
	     at = json_next(&doc, root, at), keys++)
		ck_assert_int_eq(at->type, JSON_STRING);
	for (at = json_first(&doc, a); at != NULL; at = json_next(&doc, a, at))
		elements++;
	ck_assert_uint_eq(keys, 2);
	ck_assert_uint_eq(elements, 3);
	ck_assert_ptr_null(json_first(&doc, json_get(&doc, root, "b")));
	ck_assert_ptr_null(json_first(&doc, NULL));
	ck_assert_ptr_null(json_get(&doc, a, "a"));
	ck_assert_ptr_null(json_get(&doc, NULL, "a"));
	ck_assert_ptr_null(json_get(&doc, root, "c"));
	ck_assert(!json_is_string(a, "a"));
	ck_assert(!json_is_string(NULL, "a"));
	ck_assert(span_is(json_raw(&doc, a), "[1,[2,3],4]"));
}
END_TEST

static const struct {
	const char *a, *b;
	bool equal;
} pairs[] = {
    {"1", "1.0", true},
    {"1", "1e0", true},
    {"0", "-0.0", true},
    {"1", "true", false},
    {"0", "false", false},
    {"0", "null", false},
    {"\"1\"", "1", false},
    {"null", "null", true},
    {"true", "false", false},
    {"9007199254740993", "9007199254740992.0", false},
    {"9007199254740992", "9007199254740992.0", true},
    {"9223372036854775807", "9223372036854775808.0", false},
    {"-9223372036854775808", "-9223372036854775808.0", true},
    {"1", "1e300", false},
    {"1", "1.5", false},
    {"\"\\u00e4\"", "\"\xc3\xa4\"", true},
    {"[1,2]", "[1.0,2]", true},
    {"[1,2]", "[2,1]", false},
    {"[1]", "[1,1]", false},
    {"[]", "{}", false},
    {"{\"a\":1,\"b\":[{}]}", "{\"b\":[{}],\"a\":1.0}", true},
    {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
    {"{\"a\":1}", "{\"b\":1}", false},
    {"{\"a\":null}", "{\"b\":null}", false},
};

START_TEST(equal_table)
{
	const struct json_node *a = parse(pairs[_i].a), *b;
	struct json_doc other;

	json_init(&other);
	ck_assert_int_eq(
	    json_parse(&other, span_of(pairs[_i].b), NULL, NULL), 0);
	b = json_root(&other);
	ck_assert(json_equal(&doc, a, &other, b) == pairs[_i].equal);
	ck_assert(json_equal(&other, b, &doc, a) == pairs[_i].equal);
	ck_assert(json_equal(&doc, a, &doc, a));
	json_done(&other);
}
END_TEST

struct target {
	struct span text;
	int64_t number, free_number, debt;
	bool flag;
	const struct json_node *object, *array, *any;
};

static const struct json_field fields[] = {
    {"text", JSON_WANT_STRING, true, offsetof(struct target, text), 1, 4},
    {"number", JSON_WANT_INTEGER, false, offsetof(struct target, number), -1,
	5},
    {"free", JSON_WANT_INTEGER, false, offsetof(struct target, free_number), 0,
	0},
    {"debt", JSON_WANT_INTEGER, false, offsetof(struct target, debt), -3, 0},
    {"flag", JSON_WANT_BOOL, false, offsetof(struct target, flag), 0, 0},
    {"object", JSON_WANT_OBJECT, false, offsetof(struct target, object), 1, 0},
    {"array", JSON_WANT_ARRAY, false, offsetof(struct target, array), 0, 2},
    {"any", JSON_WANT_ANY, false, offsetof(struct target, any), 0, 0},
};

static const struct {
	const char *text;
	int error;
	const char *detail;
} reads[] = {
    {"{\"text\":\"abcd\",\"number\":-1,\"free\":-9,\"flag\":true,\"object\":"
     "{\"a\":1},\"array\":[1,2],\"any\":null}",
	0, ""},
    {"{\"text\":\"x\"}", 0, ""},
    {"[]", ERR_TYPE, "an object is wanted here"},
    {"{}", ERR_MISSING_KEY, "\"text\""},
    {"{\"text\":\"x\",\"Text\":1}", ERR_UNKNOWN_KEY, "\"Text\""},
    {"{\"text\":\"x\",\"\":1}", ERR_UNKNOWN_KEY, "\"\""},
    {"{\"text\":\"\"}", ERR_RANGE, NULL},
    {"{\"text\":\"abcde\"}", ERR_RANGE, NULL},
    {"{\"text\":1}", ERR_TYPE, "\"text\" has to be a string"},
    {"{\"text\":null}", ERR_TYPE, NULL},
    {"{\"text\":\"x\",\"number\":1.0}", ERR_TYPE, NULL},
    {"{\"text\":\"x\",\"number\":6}", ERR_RANGE, NULL},
    {"{\"text\":\"x\",\"number\":-2}", ERR_RANGE, NULL},
    {"{\"text\":\"x\",\"free\":-9223372036854775808}", 0, ""},
    {"{\"text\":\"x\",\"free\":9223372036854775807}", 0, ""},
    {"{\"text\":\"x\",\"debt\":-3}", 0, ""},
    {"{\"text\":\"x\",\"debt\":-4}", ERR_RANGE, NULL},
    {"{\"text\":\"x\",\"debt\":1}", ERR_RANGE, NULL},
    {"{\"text\":\"x\",\"flag\":1}", ERR_TYPE, NULL},
    {"{\"text\":\"x\",\"object\":[]}", ERR_TYPE, NULL},
    {"{\"text\":\"x\",\"object\":{}}", ERR_RANGE, NULL},
    {"{\"text\":\"x\",\"object\":{\"a\":1,\"b\":2,\"c\":3}}", 0, ""},
    {"{\"text\":\"x\",\"array\":{}}", ERR_TYPE, NULL},
    {"{\"text\":\"x\",\"array\":[]}", 0, ""},
    {"{\"text\":\"x\",\"array\":[1,2,3]}", ERR_RANGE, NULL},
};

START_TEST(read_table)
{
	struct target target = {.number = 77};
	struct json_error where = {0};
	const struct json_node *root = parse(reads[_i].text);
	int rc = json_read(&doc, root, fields, ROWS(fields), &target, &where);

	ck_assert_msg(
	    rc == -reads[_i].error, "%s: %s", reads[_i].text, where.detail);
	ck_assert_int_eq(where.error, rc);
	if (reads[_i].detail != NULL)
		ck_assert_str_eq(where.detail, reads[_i].detail);
	ck_assert_int_eq(
	    json_read(&doc, root, fields, ROWS(fields), &target, NULL), rc);
	if (rc == 0 && _i != 0)
		ck_assert_int_eq(target.number, 77);
}
END_TEST

START_TEST(read_fills)
{
	struct target target = {0};
	const struct json_node *root = parse(reads[0].text);

	ck_assert_int_eq(
	    json_read(&doc, root, fields, ROWS(fields), &target, NULL), 0);
	ck_assert(span_is(target.text, "abcd"));
	ck_assert_int_eq(target.number, -1);
	ck_assert_int_eq(target.free_number, -9);
	ck_assert(target.flag);
	ck_assert_uint_eq(target.object->count, 1);
	ck_assert_uint_eq(target.array->count, 2);
	ck_assert_int_eq(target.any->type, JSON_NULL);
	ck_assert_int_eq(
	    json_read(&doc, NULL, fields, 1, &target, NULL), -ERR_TYPE);
}
END_TEST

START_TEST(place_in_words)
{
	struct json_error where;
	char text[300], tiny[8];

	ck_assert_int_lt(
	    json_parse(&doc, SPAN("{\n\"a\": 1,\n  \"a\": 2}"), NULL, &where),
	    0);
	ck_assert_uint_eq(where.line, 3);
	ck_assert_uint_eq(where.column, 3);
	json_error_text(&where, text, sizeof text);
	ck_assert_str_eq(
	    text, "line 3, column 3: an object has the same key twice");
	json_error_text(&where, tiny, sizeof tiny);
	ck_assert_str_eq(tiny, "line 3,");
	ck_assert_int_eq(
	    json_complain(&doc, NULL, &where, ERR_RANGE, "%d", 7), -ERR_RANGE);
	json_error_text(&where, text, sizeof text);
	ck_assert_str_eq(text, "value is outside its allowed range: 7");
	ck_assert_int_eq(
	    json_complain(&doc, NULL, NULL, -ERR_RANGE, "x"), -ERR_RANGE);
}
END_TEST

/* A peer's long key must not put half a character into our answer. */
START_TEST(detail_stays_utf8)
{
	struct target target;
	struct json_error where;

	for (size_t pad = 0; pad < 4; pad++) {
		char *text = repeated("{\"", "\xf0\x9f\x98\x80", 300, "\":1}");
		const struct json_node *root = parse(text);

		json_read(&doc, root, fields, ROWS(fields), &target, &where);
		ck_assert(utf8_check(where.detail, strlen(where.detail)));
		json_complain(&doc, root, &where, ERR_RANGE, "%.*s%s", (int)pad,
		    "xxx", text);
		ck_assert(utf8_check(where.detail, strlen(where.detail)));
		free(text);
	}
}
END_TEST

START_TEST(writes)
{
	struct json_writer w;

	json_write_init(&w, &out);
	json_open(&w, '{');
	json_put_text(&w, "t",
	    "\"\\/\b\f\n\r\t\x1f\x7f\xc3\xa4\xe2\x80\xa8"
	    "\xe2\x80\xa9\xe2\x80\xaa");
	json_put_string(&w, "\"k", SPAN(""));
	json_put_integer(&w, "i", INT64_MIN);
	json_put_boolean(&w, "b", false);
	json_put_raw(&w, "r", SPAN("[ 1 ]"));
	json_key(&w, "a");
	json_open(&w, '[');
	json_null(&w);
	json_real(&w, 0.1);
	json_real(&w, -1.5e300);
	json_open(&w, '{');
	json_close(&w, '}');
	json_open(&w, '[');
	json_close(&w, ']');
	json_boolean(&w, true);
	json_close(&w, ']');
	json_close(&w, '}');
	buf_add_byte(&out, '\0');
	ck_assert_str_eq(out.data,
	    "{\"t\":\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u001f\\u007f\xc3\xa4"
	    "\\u2028\\u2029\xe2\x80\xaa\",\"\\\"k\":\"\","
	    "\"i\":-9223372036854775808,\"b\":false,\"r\":[ 1 ],\"a\":[null,"
	    "0.10000000000000001,-1.5000000000000001e+300,{},[],true]}");
}
END_TEST

START_TEST(overflow_shows)
{
	for (size_t max = 0; max < 12; max++) {
		struct json_writer w;
		struct buf small;

		buf_init(&small, max);
		json_write_init(&w, &small);
		json_open(&w, '{');
		json_put_text(&w, "a", "1234");
		json_close(&w, '}');
		ck_assert(small.overflow == (max < strlen("{\"a\":\"1234\"}")));
		buf_free(&small);
	}
}
END_TEST

static void
add_cases(Suite *suite)
{
	TCase *parsing = tcase_create("parsing"), *use = tcase_create("use");

	suite_add_tcase(suite, parsing);
	tcase_set_timeout(parsing, 60);
	tcase_add_checked_fixture(parsing, set_up, tear_down);
	tcase_add_loop_test(parsing, refusal_table, 0, ROWS(refusals));
	tcase_add_loop_test(parsing, same_as_jansson, 0, ROWS(accepted));
	tcase_add_test(parsing, limits_hold);
	tcase_add_test(parsing, depth_limit);
	tcase_add_test(parsing, limits_of_the_caller);
	tcase_add_test(parsing, every_cut_and_flip);
	tcase_add_test(parsing, random_texts);
	tcase_add_test(parsing, document_is_used_again);
	suite_add_tcase(suite, use);
	tcase_add_checked_fixture(use, set_up, tear_down);
	tcase_add_loop_test(use, pointer_table, 0, ROWS(pointers));
	tcase_add_test(use, pointer_to_a_long_key);
	tcase_add_test(use, walks);
	tcase_add_loop_test(use, equal_table, 0, ROWS(pairs));
	tcase_add_loop_test(use, read_table, 0, ROWS(reads));
	tcase_add_test(use, read_fills);
	tcase_add_test(use, place_in_words);
	tcase_add_test(use, detail_stays_utf8);
	tcase_add_test(use, writes);
	tcase_add_test(use, overflow_shows);
}

int
main(void)
{
	Suite *suite = suite_create("json");
	SRunner *runner;
	int failed;

	add_cases(suite);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
