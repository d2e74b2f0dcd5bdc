/*
 * JSON Schema: limits, at load and of a check; schemas and values made to cost
 * time or memory; what a rule leaves open.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/schema_text.h"

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
 * Values made to cost time, for ever without the limit: each ends in a
 * refusal, also under `not`.
 */
static void
expect_limit(const char *schema_source, const char *value)
{
	char detail[SCHEMA_DETAIL_BYTES];
	struct schema *schema = compile(schema_source);

	ck_assert_int_eq(
	    check_text(schema, span_of(value), detail), -ERR_LIMIT);
	ck_assert_str_ne(detail, "");
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

/* References that multiply: a small text, more schemas than can be checked. */
START_TEST(references_that_multiply)
{
	struct buf text;

	buf_init(&text, SCHEMA_MAX_BYTES);
	buf_add_text(&text, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
	for (int i = 0; i < 10; i++) {
		buf_add_format(&text, "\"a%d\":{\"allOf\":[", i);
		for (int j = 0; j < 20; j++)
			buf_add_format(&text, "%s{\"$ref\":\"#/$defs/a%d\"}",
			    j == 0 ? "" : ",", i + 1);
		buf_add_text(&text, "]},");
	}
	buf_add(&text, "\"a10\":{}}}", sizeof "\"a10\":{}}}");
	expect_limit(text.data, "1");
	buf_free(&text);
}
END_TEST

/* Sets of what was looked at have a bound of their own. */
START_TEST(sets_too_large)
{
	static const char *const schemas[] = {
	    "{\"allOf\":[{\"allOf\":[{\"items\":true}]}],"
	    "\"unevaluatedItems\":false}",
	    "{\"allOf\":[{\"items\":true}],\"unevaluatedItems\":false}"};
	char detail[SCHEMA_DETAIL_BYTES];
	char *list = repeat("[1", ",1", 60000, "]");
	struct schema *fits = compile(schemas[1]);

	expect_limit(schemas[0], list);
	ck_assert_int_eq(check_text(fits, span_of(list), detail), 0);
	schema_free(fits);
	free(list);
}
END_TEST

/* A chain of references ends at SCHEMA_MAX_CHAIN, where it is written. */
START_TEST(chains)
{
	for (unsigned length = 30; length < 40; length++) {
		struct json_error where = {0};
		struct schema *schema = NULL;
		struct json_doc doc;
		struct buf text;
		int rc;

		buf_init(&text, SCHEMA_MAX_BYTES);
		buf_add_text(&text, "{\"$ref\":\"#/$defs/a1\",\"$defs\":{");
		for (unsigned i = 1; i + 1 < length; i++)
			buf_add_format(&text,
			    "\"a%u\":{\"$ref\":\"#/$defs/a%u\"},", i, i + 1);
		buf_add_format(&text, "\"a%u\":true}}", length - 1);
		json_init(&doc);
		ck_assert_int_eq(
		    json_parse(
			&doc, (struct span){text.data, text.len}, NULL, NULL),
		    0);
		rc = schema_compile(&doc, json_root(&doc), &schema, &where);
		ck_assert_int_eq(
		    rc, length <= SCHEMA_MAX_CHAIN ? 0 : -ERR_DEPTH);
		schema_free(schema);
		json_done(&doc);
		buf_free(&text);
	}
}
END_TEST

/* The longest chain at each level of the deepest value: the most of the stack
 * that a check can take. */
START_TEST(deepest_check)
{
	char detail[SCHEMA_DETAIL_BYTES];
	struct schema *schema;
	struct buf text;
	char *value =
	    repeat("[[[[[[[[", "[[[[[[[[", 0, "[[[[[[[]]]]]]]]]]]]]]]");

	buf_init(&text, SCHEMA_MAX_BYTES);
	buf_add_text(&text, "{\"$ref\":\"#/$defs/a1\",\"$defs\":{");
	for (int i = 1; i < 10; i++)
		buf_add_format(&text,
		    "\"a%d\":{\"not\":{\"not\":{\"$ref\":\"#/$defs/a%d\"}},"
		    "\"unevaluatedItems\":true},",
		    i, i + 1);
	buf_add_text(&text, "\"a10\":{\"items\":{\"$ref\":\"#\"}}}}");
	buf_add_byte(&text, '\0');
	schema = compile(text.data);
	ck_assert_int_eq(check_text(schema, span_of(value), detail), 0);
	schema_free(schema);
	buf_free(&text);
	free(value);
}
END_TEST

/* What a rule leaves open, through $ref, allOf and anyOf. */
static const struct {
	const char *narrow, *whole, *name;
} left_out[] = {
    {"{\"properties\":{\"a\":{\"const\":1}}}", "{}", "a"},
    {"{\"properties\":{\"a\":{\"const\":1}},\"required\":[\"a\"]}", "{}", NULL},
    {"{\"properties\":{\"a\":{\"const\":1}}}", "{\"required\":[\"a\"]}", NULL},
    {"{\"properties\":{\"a\":true}}", "{}", NULL},
    {"{\"properties\":{\"a\":false}}", "{}", "a"},
    {"{\"$ref\":\"#/$defs/d\",\"$defs\":{\"d\":{\"properties\":{\"a\":"
     "{\"const\":1}}}}}",
	"{}", "a"},
    {"{\"$ref\":\"#/$defs/d\",\"required\":[\"a\"],\"$defs\":{\"d\":"
     "{\"properties\":{\"a\":{\"const\":1}}}}}",
	"{}", NULL},
    {"{\"properties\":{\"a\":{\"const\":1}},\"allOf\":[{\"required\":[\"a\"]}]}",
	"{}", NULL},
    {"{\"properties\":{\"a\":{\"const\":1}}}",
	"{\"$ref\":\"#/$defs/d\",\"$defs\":{\"d\":{\"required\":[\"a\"]}}}",
	NULL},
    {"{\"anyOf\":[{\"properties\":{\"a\":{\"const\":1}},\"required\":[\"a\"]},"
     "{\"properties\":{\"b\":{\"const\":1}}}]}",
	"{}", "b"},
    {"{\"properties\":{\"a\":{\"const\":1}},\"anyOf\":[{\"required\":[\"a\"]},"
     "true]}",
	"{}", "a"},
    {"{\"$defs\":{\"d\":{\"properties\":{\"a\":{\"const\":1}}}}}", "{}", NULL},
    {"{\"not\":{\"properties\":{\"a\":{\"const\":1}}}}", "{}", NULL},
};

START_TEST(leaves_out)
{
	struct schema *narrow = compile(left_out[_i].narrow);
	struct schema *whole = compile(left_out[_i].whole);
	struct span name = {NULL, 0};
	bool found = schema_leaves_out(narrow, whole, &name);

	ck_assert_int_eq(found, left_out[_i].name != NULL);
	if (found)
		ck_assert(span_is(name, left_out[_i].name));
	schema_free(narrow);
	schema_free(whole);
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

static Suite *
limits_suite(void)
{
	Suite *suite = suite_create("schema_limits");
	TCase *core = tcase_create("core");

	tcase_set_timeout(core, 120);
	tcase_add_test(core, limits_at_load);
	tcase_add_test(core, limits_of_work);
	tcase_add_test(core, references_that_multiply);
	tcase_add_test(core, sets_too_large);
	tcase_add_test(core, chains);
	tcase_add_test(core, deepest_check);
	tcase_add_test(core, long_text_that_fits);
	tcase_add_loop_test(
	    core, leaves_out, 0, sizeof left_out / sizeof left_out[0]);
	suite_add_tcase(suite, core);
	return suite;
}

int
main(void)
{
	return run_suite(limits_suite());
}
