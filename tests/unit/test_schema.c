/*
 * JSON Schema: our own table of values and reasons, errors at load with their
 * place, limits, exact numbers, patterns; and the public test suite of draft
 * 2020-12 for the keywords that are understood.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/number.h"
#include "executor/pattern.h"
#include "executor/schema.h"

static struct schema *
compile(const char *text)
{
	struct json_doc doc;
	struct json_error where;
	struct schema *schema = NULL;

	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, span_of(text), NULL, NULL), 0);
	ck_assert_msg(
	    schema_compile(&doc, json_root(&doc), &schema, &where) == 0,
	    "%s: %s", text, where.detail);
	json_done(&doc);
	return schema;
}

static int
check_text(const struct schema *schema, struct span text, char *detail)
{
	struct json_doc doc;
	int rc;

	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, text, NULL, NULL), 0);
	rc = schema_check(
	    schema, &doc, json_root(&doc), detail, SCHEMA_DETAIL_BYTES);
	json_done(&doc);
	return rc;
}

/*
 * Values and reasons. NULL: fits.
 */
static const struct {
	const char *schema, *value, *reason;
} values[] = {
    {"{}", "[1,null,{}]", NULL},
    {"{\"type\":\"string\"}", "7", "has to be string, is integer"},
    {"{\"type\":[\"null\",\"array\"]}", "\"x\"",
	"has to be null or array, is string"},
    {"{\"type\":\"integer\"}", "1e2", NULL},
    {"{\"type\":\"integer\"}", "1.5", "has to be integer, is number"},
    {"{\"type\":\"number\"}", "3", NULL},
    {"{\"enum\":[1,{\"a\":[2]}]}", "{\"a\":[2.0]}", NULL},
    {"{\"enum\":[\"read\"]}", "\"rea\"", "is not one of the allowed values"},
    {"{\"enum\":[]}", "1", "is not one of the allowed values"},
    {"{\"const\":null}", "false", "is not the one allowed value"},
    {"{\"minimum\":9007199254740993}", "9007199254740992.0",
	"has to be at least 9007199254740993"},
    {"{\"maximum\":9223372036854775807}", "9223372036854775808.0",
	"has to be at most 9223372036854775807"},
    {"{\"exclusiveMinimum\":0.5}", "0.5", "has to be more than 0.5"},
    {"{\"exclusiveMaximum\":3}", "2.9999", NULL},
    {"{\"exclusiveMaximum\":3}", "3.0", "has to be less than 3"},
    {"{\"multipleOf\":0.0001}", "0.0075", NULL},
    {"{\"multipleOf\":0.0001}", "0.00751", "has to be a multiple of 0.0001"},
    {"{\"multipleOf\":0.01}", "-19.99", NULL},
    {"{\"multipleOf\":1e300}", "3e307", NULL},
    {"{\"multipleOf\":7}", "1e9", "has to be a multiple of 7"},
    {"{\"minimum\":1}", "\"not a number\"", NULL},
    {"{\"maxLength\":2}", "\"\xc3\xa4\xf0\x9f\x98\x80\"", NULL},
    {"{\"maxLength\":2}", "\"abc\"", "has 3 characters, at most 2 are allowed"},
    {"{\"minLength\":1}", "\"\"", "has 0 characters, at least 1 are needed"},
    {"{\"pattern\":\"^(?:a)(?=b)(?!c)b(?<=b)(?<!c)(?<n>d)$\"}", "\"abd\"",
	NULL},
    {"{\"pattern\":\"^[(*?R)]+$\"}", "\"(*?R)\"", NULL},
    {"{\"pattern\":\"^\\\\(\\\\*$\"}", "\"(*\"", NULL},
    {"{\"pattern\":\"^[a-z]+$\"}", "\"abc\"", NULL},
    {"{\"pattern\":\"^[a-z]+$\"}", "\"abc\\n\"",
	"does not match the pattern ^[a-z]+$"},
    {"{\"pattern\":\"^.*$\"}", "\"a\\u2028b\"",
	"does not match the pattern ^.*$"},
    {"{\"pattern\":\"^\\\\d+$\"}", "\"\\u0663\"",
	"does not match the pattern ^\\d+$"},
    {"{\"minItems\":1}", "[]", "has 0 elements, at least 1 are needed"},
    {"{\"maxItems\":1}", "[1,2]", "has 2 elements, at most 1 are allowed"},
    {"{\"items\":{\"type\":\"null\"}}", "[null,null,1]",
	"/2: has to be null, is integer"},
    {"{\"uniqueItems\":true}", "[1,\"1\",true,[1],{\"a\":1}]", NULL},
    {"{\"uniqueItems\":true}", "[{\"a\":1,\"b\":2},{\"b\":2.0,\"a\":1}]",
	"/1: is the same as element 0"},
    {"{\"uniqueItems\":true}", "[0,1,-0.0]", "/2: is the same as element 0"},
    {"{\"uniqueItems\":false}", "[1,1]", NULL},
    {"{\"minProperties\":2}", "{\"a\":1}",
	"has 1 properties, at least 2 are needed"},
    {"{\"maxProperties\":0}", "{\"a\":1}",
	"has 1 properties, at most 0 are allowed"},
    {"{\"required\":[\"a\",\"b\"]}", "{\"a\":1}",
	"required property \"b\" is missing"},
    {"{\"properties\":{\"a\":{\"properties\":{\"b\":{\"maxItems\":0}}}}}",
	"{\"a\":{\"b\":[1]}}", "/a/b: has 1 elements, at most 0 are allowed"},
    {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}",
	"{\"a\":1,\"~/\":2}", "/~0~1: is not allowed here"},
    {"{\"additionalProperties\":false}", "{\"\\u202eab\\n\":1}",
	"/\\u{202e}ab\\u{a}: is not allowed here"},
    {"{\"additionalProperties\":false}",
	"{\"aaaaaaaaaabbbbbbbbbbccccccccccdddddddddde\":1}",
	"/aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd...: "
	"is not allowed here"},
    {"{\"additionalProperties\":{\"type\":\"string\"}}", "{\"a\":\"x\"}", NULL},
    {"{\"allOf\":[{\"minimum\":1},{\"maximum\":3}]}", "4",
	"has to be at most 3"},
    {"{\"anyOf\":[{\"type\":\"null\"},{\"minimum\":3}]}", "2",
	"fits none of the 2 schemas of anyOf"},
    {"{\"oneOf\":[{\"minimum\":1},{\"minimum\":3}]}", "2", NULL},
    {"{\"oneOf\":[{\"minimum\":1},{\"minimum\":3}]}", "3",
	"fits 2 of the 2 schemas of oneOf, not exactly one"},
    {"{\"not\":{\"type\":\"string\"}}", "\"x\"",
	"fits a schema that is ruled out (not)"},
    {"{\"not\":{\"not\":{}}}", "1", NULL},
    {"{\"items\":false}", "[]", NULL},
    {"{\"items\":true}", "[1]", NULL},
    {"{\"title\":\"t\",\"description\":\"d\",\"default\":1,"
     "\"examples\":[2],\"deprecated\":true,\"$comment\":\"c\"}",
	"\"x\"", NULL},
};

START_TEST(values_and_reasons)
{
	char detail[SCHEMA_DETAIL_BYTES];
	struct schema *schema = compile(values[_i].schema);
	int rc = check_text(schema, span_of(values[_i].value), detail);

	if (values[_i].reason == NULL) {
		ck_assert_msg(rc == 0, "%s: %s", values[_i].schema, detail);
		ck_assert_str_eq(detail, "");
	} else {
		ck_assert_int_eq(rc, -ERR_SCHEMA);
		ck_assert_str_eq(detail, values[_i].reason);
	}
	schema_free(schema);
}
END_TEST

/*
 * Schemas that do not load, and where.
 */
static const struct {
	const char *schema;
	int error;
	unsigned column;
	const char *reason; /* a part of it */
} refused[] = {
    {"[]", ERR_TYPE, 1, "object"},
    {"true", ERR_TYPE, 1, "object"},
    {"{\"colour\":1}", ERR_UNKNOWN_KEY, 2, "\"colour\""},
    {"{\"$ref\":\"#\"}", ERR_UNKNOWN_KEY, 2, "\"$ref\""},
    {"{\"items\":{\"if\":true}}", ERR_UNKNOWN_KEY, 11, "\"if\""},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}", ERR_RANGE, 12,
	"2020-12"},
    {"{\"type\":\"text\"}", ERR_RANGE, 9, "type has to be"},
    {"{\"type\":[]}", ERR_RANGE, 9, "admits nothing"},
    {"{\"type\":[\"null\",\"null\"]}", ERR_RANGE, 17, "twice"},
    {"{\"enum\":1}", ERR_TYPE, 9, "list"},
    {"{\"minimum\":\"1\"}", ERR_TYPE, 12, "number"},
    {"{\"multipleOf\":0}", ERR_RANGE, 15, "greater than 0"},
    {"{\"multipleOf\":-1.5}", ERR_RANGE, 15, "greater than 0"},
    {"{\"multipleOf\":1234567890123456789.5}", ERR_NUMBER, 15, "18 digits"},
    {"{\"maxLength\":-1}", ERR_RANGE, 14, "0 or more"},
    {"{\"maxLength\":1.5}", ERR_RANGE, 14, "whole number"},
    {"{\"maxLength\":\"5\"}", ERR_TYPE, 14, "a number"},
    {"{\"pattern\":\"a(b\"}", ERR_SYNTAX, 12, "byte 3"},
    {"{\"pattern\":7}", ERR_TYPE, 12, "a string"},
    {"{\"pattern\":\"\\\\C\"}", ERR_SYNTAX, 12, "\\C"},
    {"{\"pattern\":\"(a)\\\\1\"}", ERR_SYNTAX, 12, "back references"},
    {"{\"pattern\":\"(?<n>a)\\\\k<n>\"}", ERR_SYNTAX, 12, "back references"},
    {"{\"pattern\":\"(a)?(?(1)b|c)\"}", ERR_SYNTAX, 12, "byte 4"},
    {"{\"pattern\":\"a(?R)\"}", ERR_SYNTAX, 12, "byte 1"},
    {"{\"pattern\":\"(?1)(a)\"}", ERR_SYNTAX, 12, "byte 0"},
    {"{\"pattern\":\"(a)\\\\g<1>\"}", ERR_SYNTAX, 12, "byte 3"},
    {"{\"pattern\":\"(*COMMIT)a\"}", ERR_SYNTAX, 12, "byte 0"},
    {"{\"pattern\":\"(?C)a\"}", ERR_SYNTAX, 12, "byte 0"},
    {"{\"pattern\":\"(?x)#[\\n(?R)\"}", ERR_SYNTAX, 12, "byte 0"},
    {"{\"pattern\":\"\\\\Q[\\\\E(?R)\"}", ERR_SYNTAX, 12, "byte 0"},
    {"{\"pattern\":\"\\\\c[(?R)\"}", ERR_SYNTAX, 12, "byte 3"},
    {"{\"pattern\":\"[]](?R)\"}", ERR_SYNTAX, 12, "byte 3"},
    {"{\"pattern\":\"[^(*](?R)\"}", ERR_SYNTAX, 12, "byte 5"},
    {"{\"required\":\"a\"}", ERR_TYPE, 13, "list of names"},
    {"{\"required\":[1]}", ERR_TYPE, 14, "list of names"},
    {"{\"required\":[\"a\",\"a\"]}", ERR_RANGE, 18, "twice"},
    {"{\"properties\":[]}", ERR_TYPE, 15, "object of schemas"},
    {"{\"properties\":{\"a\":1}}", ERR_TYPE, 20, "true or false"},
    {"{\"anyOf\":[]}", ERR_TYPE, 10, "at least one"},
    {"{\"not\":[]}", ERR_TYPE, 8, "true or false"},
    {"{\"uniqueItems\":1}", ERR_TYPE, 16, "true or false"},
};

START_TEST(refused_at_load)
{
	struct json_doc doc;
	struct json_error where = {0};
	struct schema *schema = NULL;
	char text[200];

	/* the schema inside something else, to see the place move */
	snprintf(text, sizeof text, "{\"before\":[1,2],\n \"schema\":\n%s}",
	    refused[_i].schema);
	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, span_of(text), NULL, NULL), 0);
	ck_assert_int_eq(
	    schema_compile(&doc, json_get(&doc, json_root(&doc), "schema"),
		&schema, &where),
	    -refused[_i].error);
	ck_assert_ptr_null(schema);
	ck_assert_uint_eq(where.line, 3);
	ck_assert_uint_eq(where.column, refused[_i].column);
	ck_assert_msg(strstr(where.detail, refused[_i].reason) != NULL,
	    "\"%s\" not in \"%s\"", refused[_i].reason, where.detail);
	json_done(&doc);
}
END_TEST

static char *
repeat(const char *head, const char *part, size_t count, const char *tail)
{
	size_t n = strlen(part), used = strlen(head);
	char *text = alloc_bytes(used + n * count + strlen(tail) + 1);

	memcpy(text, head, used);
	for (size_t i = 0; i < count; i++, used += n)
		memcpy(text + used, part, n);
	memcpy(text + used, tail, strlen(tail) + 1);
	return text;
}

START_TEST(limits_at_load)
{
	struct json_limits limits = {.depth = 100};
	struct json_doc doc;
	struct json_error where;
	struct schema *schema = NULL;
	char *deep = repeat("", "{\"not\":", 16, "{}}}}}}}}}}}}}}}}}");
	char *fits = repeat("", "{\"not\":", 15, "{}}}}}}}}}}}}}}}}");
	char *large = repeat("{\"title\":\"", "abcdefgh", 8192, "\"}");

	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, span_of(deep), &limits, NULL), 0);
	ck_assert_int_eq(
	    schema_compile(&doc, json_root(&doc), &schema, &where), -ERR_DEPTH);
	ck_assert_int_eq(json_parse(&doc, span_of(fits), &limits, NULL), 0);
	ck_assert_int_eq(
	    schema_compile(&doc, json_root(&doc), &schema, &where), 0);
	schema_free(schema);
	schema = NULL;
	ck_assert_int_eq(json_parse(&doc, span_of(large), NULL, NULL), 0);
	ck_assert_int_eq(schema_compile(&doc, json_root(&doc), &schema, NULL),
	    -ERR_TOO_LARGE);
	json_done(&doc);
	free(deep);
	free(fits);
	free(large);
}
END_TEST

/*
 * Values made to cost time: each ends in a refusal, soon, also under `not`.
 */
static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
expect_limit(const char *schema_source, const char *value)
{
	char detail[SCHEMA_DETAIL_BYTES];
	struct schema *schema = compile(schema_source);
	double start = seconds();

	ck_assert_int_eq(
	    check_text(schema, span_of(value), detail), -ERR_LIMIT);
	ck_assert_str_ne(detail, "");
	ck_assert_double_lt(seconds() - start, 5.0); /* sanitizers included */
	schema_free(schema);
}

START_TEST(limits_of_work)
{
	char *as = repeat("\"", "aaaaaaaaaa", 50000, "!\"");
	char *numbers = repeat("[0", ",1", 1024, "]");
	char *numbers_many = repeat("[1", ",1", 30000, "]");
	char *list = repeat("{\"items\":{\"enum\":[1.5", ",2.5", 200, ",1]}}");
	char *digits = repeat("0.", "1234567891", 6, "");

	expect_limit("{\"pattern\":\"^(a+)+$\"}", as);
	expect_limit("{\"not\":{\"pattern\":\"^(a+)+$\"}}", as);
	expect_limit("{\"anyOf\":[{\"pattern\":\"^(a|aa)+$\"},true]}", as);
	expect_limit("{\"oneOf\":[{\"pattern\":\"a*[bc]\"},true]}", as);
	expect_limit("{\"pattern\":\"a++[56]\"}", as);
	expect_limit("{\"pattern\":\"(?=a*[bc])\"}", as);
	expect_limit("{\"uniqueItems\":true}", numbers);
	expect_limit(list, numbers_many);
	expect_limit("{\"multipleOf\":0.5}", digits);
	free(as);
	free(numbers);
	free(numbers_many);
	free(list);
	free(digits);
}
END_TEST

START_TEST(long_text_that_fits)
{
	char detail[SCHEMA_DETAIL_BYTES];
	struct schema *schema =
	    compile("{\"pattern\":\"^[a-zA-Z0-9_\\\\-./]+$\"}");
	char *path = repeat("\"", "abcdefghi/", 100000, "\"");

	ck_assert_int_eq(check_text(schema, span_of(path), detail), 0);
	free(path);
	schema_free(schema);
}
END_TEST

START_TEST(small_room)
{
	struct schema *schema =
	    compile("{\"required\":[\"\xc3\xa4\xc3\xa4\"]}");
	struct json_doc doc;
	char detail[40];

	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, SPAN("{}"), NULL, NULL), 0);
	for (size_t room = 0; room < sizeof detail; room++) {
		memset(detail, 'x', sizeof detail);
		ck_assert_int_eq(
		    schema_check(schema, &doc, json_root(&doc), detail, room),
		    -ERR_SCHEMA);
		if (room == 0)
			continue;
		ck_assert_uint_lt(strlen(detail), room);
		ck_assert(utf8_check(detail, strlen(detail)));
		ck_assert_int_eq(detail[room], 'x');
	}
	json_done(&doc);
	schema_free(schema);
}
END_TEST

START_TEST(outlives_its_source)
{
	char *text = alloc_string("{\"enum\":[\"s\\u0065cret\"]}");
	struct schema *schema = compile(text);
	char detail[SCHEMA_DETAIL_BYTES];

	ck_assert(span_is(schema_text(schema), text));
	memset(text, 'x', strlen(text));
	free(text);
	ck_assert_int_eq(check_text(schema, SPAN("\"secret\""), detail), 0);
	schema_free(schema);
	schema_free(NULL);
}
END_TEST

/*
 * The public suite. A group whose schema does not load because of a keyword
 * that is not understood is left out, and counted.
 */
static const char *const suite_files[] = {"additionalProperties", "allOf",
    "anyOf", "const", "default", "enum", "exclusiveMaximum", "exclusiveMinimum",
    "items", "maxItems", "maxLength", "maxProperties", "maximum", "minItems",
    "minLength", "minProperties", "minimum", "multipleOf", "not", "oneOf",
    "pattern", "properties", "required", "type", "uniqueItems",
    "optional/float-overflow", "optional/non-bmp-regex",
    "optional/ecmascript-regex"};

/* Our JSON has no U+0000; the suite's cases about it are of another character
 * here, and as good. */
static void
replace_nul(struct span text)
{
	char *p = (char *)(uintptr_t)text.p;

	for (size_t i = 0; i + 6 <= text.n; i++)
		if (memcmp(p + i, "\\u0000", 6) == 0)
			p[i + 5] = '1';
}

/* What differs, and is said in pattern.h: \s and \S are of ASCII. */
static const struct {
	const char *group, *test;
} suite_exceptions[] = {
    {"ECMA 262 \\S matches everything but whitespace",
	"latin-1 non-breaking-space does not match"},
    {"ECMA 262 \\S matches everything but whitespace",
	"zero-width whitespace does not match"},
    {"ECMA 262 \\S matches everything but whitespace",
	"paragraph separator does not match (line terminator)"},
    {"ECMA 262 \\S matches everything but whitespace",
	"EM SPACE does not match (Space_Separator)"},
    {"ECMA 262 \\s matches whitespace", "latin-1 non-breaking-space matches"},
    {"ECMA 262 \\s matches whitespace", "zero-width whitespace matches"},
    {"ECMA 262 \\s matches whitespace",
	"paragraph separator matches (line terminator)"},
    {"ECMA 262 \\s matches whitespace", "EM SPACE matches (Space_Separator)"},
};

static struct span
read_whole(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct buf text;
	size_t n = 1;

	buf_init(&text, 1u << 20);
	if (file == NULL)
		return (struct span){NULL, 0};
	while (n != 0) {
		n = fread(buf_reserve(&text, 4096), 1, 4096, file);
		text.len += n;
	}
	fclose(file);
	return (struct span){text.data, text.len};
}

static bool
excepted(struct span group, struct span test)
{
	for (size_t i = 0;
	     i < sizeof suite_exceptions / sizeof suite_exceptions[0]; i++)
		if (span_is(group, suite_exceptions[i].group) &&
		    span_is(test, suite_exceptions[i].test))
			return true;
	return false;
}

/* Number of tests of one group that ran. */
static unsigned
run_group(const struct json_doc *doc, const struct json_node *group,
    unsigned *left_out)
{
	const struct json_node *tests = json_get(doc, group, "tests"), *test;
	struct span name = json_get(doc, group, "description")->value.string;
	char detail[SCHEMA_DETAIL_BYTES];
	struct json_error where;
	struct schema *schema;
	unsigned ran = 0;

	if (schema_compile(
		doc, json_get(doc, group, "schema"), &schema, &where) != 0) {
		if (where.error != -ERR_UNKNOWN_KEY)
			fprintf(stderr, "left out: %.*s: %s\n", (int)name.n,
			    name.p, where.detail);
		++*left_out;
		return 0;
	}
	for (test = json_first(doc, tests); test != NULL;
	     test = json_next(doc, tests, test)) {
		struct span what =
		    json_get(doc, test, "description")->value.string;
		bool valid = json_get(doc, test, "valid")->value.boolean;
		int rc = schema_check(schema, doc, json_get(doc, test, "data"),
		    detail, sizeof detail);

		ran++;
		if (!excepted(name, what) && (rc == 0) != valid)
			ck_abort_msg("%.*s: %.*s: got %d (%s)", (int)name.n,
			    name.p, (int)what.n, what.p, rc, detail);
	}
	schema_free(schema);
	return ran;
}

START_TEST(public_suite)
{
	const char *data = getenv("TRIZONE_DATA");
	unsigned ran = 0, left_out = 0;
	struct json_doc doc;

	json_init(&doc);
	for (size_t i = 0; i < sizeof suite_files / sizeof suite_files[0];
	     i++) {
		const struct json_node *group;
		char path[512];
		struct span text;

		snprintf(path, sizeof path,
		    "%s/json-schema-test-suite/draft2020-12/%s.json",
		    data == NULL ? "../shared/data" : data, suite_files[i]);
		text = read_whole(path);
		if (text.p == NULL) {
			fprintf(stderr, "skipped: no file %s\n", path);
			continue;
		}
		replace_nul(text);
		if (json_parse(&doc, text, NULL, NULL) == 0)
			for (group = json_first(&doc, json_root(&doc));
			     group != NULL;
			     group = json_next(&doc, json_root(&doc), group))
				ran += run_group(&doc, group, &left_out);
		else
			fprintf(stderr, "not read by our JSON: %s\n", path);
		free((void *)(uintptr_t)text.p);
	}
	fprintf(stderr, "public suite: %u tests, %u groups left out\n", ran,
	    left_out);
	json_done(&doc);
}
END_TEST

static Suite *
schema_suite(void)
{
	Suite *suite = suite_create("schema");
	TCase *table = tcase_create("table"), *rest = tcase_create("rest");

	tcase_add_loop_test(
	    table, values_and_reasons, 0, sizeof values / sizeof values[0]);
	tcase_add_loop_test(
	    table, refused_at_load, 0, sizeof refused / sizeof refused[0]);
	tcase_set_timeout(rest, 120);
	tcase_add_test(rest, limits_at_load);
	tcase_add_test(rest, limits_of_work);
	tcase_add_test(rest, long_text_that_fits);
	tcase_add_test(rest, small_room);
	tcase_add_test(rest, outlives_its_source);
	tcase_add_test(rest, public_suite);
	suite_add_tcase(suite, table);
	suite_add_tcase(suite, rest);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(schema_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
