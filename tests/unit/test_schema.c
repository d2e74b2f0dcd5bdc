/*
 * JSON Schema: our own table of values and reasons, errors at load with their
 * place, exact numbers, patterns. Limits are in test_schema_limits.c; the
 * public suite is run by drive/schema_suite.c.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/schema_text.h"

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
    {"{\"maximum\":9223372036854775807}", "9.3e18",
	"has to be at most 9223372036854775807"},
    {"{\"exclusiveMinimum\":0.5}", "0.5", "has to be more than 0.5"},
    {"{\"exclusiveMaximum\":3}", "2.9999", NULL},
    {"{\"exclusiveMaximum\":3}", "3.0", "has to be less than 3"},
    {"{\"maximum\":1}", "0.30000000000000004", NULL},
    {"{\"maximum\":1}", "5e-324", NULL},
    {"{\"maximum\":0}", "-0.0000000000000000000", NULL},
    {"{\"minimum\":0}", "0.10000000000000000000", NULL},
    {"{\"maximum\":1.7976931348623157e308}", "1.7976931348623157E+308", NULL},
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
    {"{\"pattern\":\"^ab?\"}", "\"a\"", NULL},
    {"{\"pattern\":\"^ab{0}c\"}", "\"ac\"", NULL},
    {"{\"pattern\":\"^ab*c\"}", "\"ac\"", NULL},
    {"{\"pattern\":\"^a|b\"}", "\"b\"", NULL},
    {"{\"pattern\":\"^(?:a|)b\"}", "\"b\"", NULL},
    {"{\"pattern\":\"^a\\\\.?b\"}", "\"ab\"", NULL},
    {"{\"pattern\":\"^a\\\\.b\"}", "\"a.b\"", NULL},
    {"{\"pattern\":\"^a\\\\.b\"}", "\"axb\"",
	"does not match the pattern ^a\\.b"},
    {"{\"pattern\":\"^ab\"}", "\"a\"", "does not match the pattern ^ab"},
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
    {"{\"prefixItems\":[{\"type\":\"null\"}],\"items\":false}", "[null]", NULL},
    {"{\"prefixItems\":[true],\"items\":{\"type\":\"null\"}}", "[1,null,2]",
	"/2: has to be null, is integer"},
    {"{\"contains\":{\"const\":1}}", "[2,1.0]", NULL},
    {"{\"contains\":{\"const\":1}}", "[2]",
	"has 0 elements that fit contains, at least 1 are needed"},
    {"{\"contains\":{\"const\":1},\"minContains\":0,\"maxContains\":1}",
	"[1,1,1]", "has more than 1 elements that fit contains"},
    {"{\"maxContains\":0}", "[1]", NULL},
    {"{\"propertyNames\":{\"maxLength\":2}}", "{\"ab\":1,\"a\\u20ac/\":2}",
	"/a\\u{20ac}~1 (its name): has 3 characters, at most 2 are allowed"},
    {"{\"properties\":{\"a\":{\"propertyNames\":{\"const\":\"x\"}}}}",
	"{\"a\":{\"x\":{},\"y\":{}}}",
	"/a/y (its name): is not the one allowed value"},
    {"{\"patternProperties\":{\"^x-\":{\"type\":\"string\"}},"
     "\"additionalProperties\":false}",
	"{\"x-a\":\"1\",\"x-b\":2}", "/x-b: has to be string, is integer"},
    {"{\"patternProperties\":{\"^x-\":true},\"properties\":{\"y\":true},"
     "\"additionalProperties\":false}",
	"{\"x-a\":1,\"y\":2,\"z\":3}", "/z: is not allowed here"},
    {"{\"patternProperties\":{\"^a$\":false}}", "{\"a\\n\":1}", NULL},
    {"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}",
	"required property \"b\" is missing"},
    {"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"c\":1}", NULL},
    {"{\"dependentSchemas\":{\"a\":{\"maxProperties\":1}}}",
	"{\"a\":1,\"b\":2}", "has 2 properties, at most 1 are allowed"},
    {"{\"if\":{\"type\":\"string\"},\"then\":{\"maxLength\":1},"
     "\"else\":{\"minimum\":5}}",
	"\"ab\"", "has 2 characters, at most 1 are allowed"},
    {"{\"if\":{\"type\":\"string\"},\"then\":{\"maxLength\":1},"
     "\"else\":{\"minimum\":5}}",
	"4", "has to be at least 5"},
    {"{\"$ref\":\"#/$defs/a~1b%25\",\"$defs\":{\"a/b%\":{\"minimum\":2}}}", "1",
	"has to be at least 2"},
    {"{\"properties\":{\"next\":{\"$ref\":\"#\"}},"
     "\"additionalProperties\":false}",
	"{\"next\":{\"next\":{\"x\":1}}}", "/next/next/x: is not allowed here"},
    {"{\"$id\":\"http://a/b/c\",\"$ref\":\"../d#e\",\"$defs\":{\"x\":"
     "{\"$id\":\"/d\",\"items\":{\"$anchor\":\"e\",\"type\":\"null\"}}}}",
	"1", "has to be null, is integer"},
    {"{\"allOf\":[{\"properties\":{\"a\":true}}],"
     "\"unevaluatedProperties\":false}",
	"{\"a\":1,\"b\":2}", "/b: is not allowed here"},
    {"{\"anyOf\":[{\"properties\":{\"a\":{\"const\":1}}},"
     "{\"properties\":{\"b\":{\"const\":1}}}],"
     "\"unevaluatedProperties\":false}",
	"{\"b\":2,\"a\":1}", "/b: is not allowed here"},
    {"{\"prefixItems\":[true],\"contains\":{\"type\":\"null\"},"
     "\"unevaluatedItems\":{\"type\":\"string\"}}",
	"[1,null,\"a\",2]", "/3: has to be string, is integer"},
    {"{\"format\":\"email\"}", "\"a@example.com\\n\"",
	"is not of the format email"},
    {"{\"format\":\"email\"}", "7", NULL},
    {"{\"pattern\":\"^\\\\p{Lowercase_Letter}\\\\p{sc=Greek}[[:alpha:]]$\"}",
	"\"a\\u03b1:]\"", NULL},
    {"{\"pattern\":\"^[\\\\s-x]{2}$\"}", "\"\\u00a0-\"", NULL},
    {"{\"pattern\":\"^[^\\\\S]$\"}", "\"\\ufeff\"", NULL},
    {"{\"pattern\":\"^.$\"}", "\"\\u0085\"", NULL},
    {"{\"pattern\":\"^\\\\v$\"}", "\"\\f\"",
	"does not match the pattern ^\\v$"},
    {"{\"pattern\":\"^a{,2}$\"}", "\"a{,2}\"", NULL},
    {"{\"pattern\":\"^Re: ab?c\"}", "\"Re: ac\"", NULL},
    {"{\"pattern\":\"^Re: ab\"}", "\"Re: \"",
	"does not match the pattern ^Re: ab"},
    {"{\"pattern\":\"^a{0}b\"}", "\"b\"", NULL},
    {"{\"pattern\":\"^a|b\"}", "\"b\"", NULL},
    {"{\"pattern\":\"^a*\"}", "\"\"", NULL},
    {"{\"pattern\":\"^(a|)\"}", "\"\"", NULL},
    {"{\"pattern\":\"^[]*\\\\ud83d\\\\ude00$\"}", "\"\\ud83d\\ude00\"", NULL},
    {"{\"pattern\":\".*b|c\"}", "\"xx\\nc\"", NULL},
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

/* Decimals that a double cannot tell from another one. */
static const char *const rounded[][2] = {
    {"{\"maximum\":100}", "100.000000000000001"},
    {"{\"const\":9}", "9.0000000000000001"},
    {"{\"type\":\"integer\"}", "1e-999"},
    {"{\"maximum\":9007199254740992}", "9007199254740993.0"},
    {"{\"not\":{\"maximum\":100}}", "100.000000000000001"},
    {"{\"properties\":{\"a\":{\"enum\":[1,2]}}}",
	"{\"a\":1.00000000000000001}"},
};

START_TEST(not_rounded)
{
	char detail[SCHEMA_DETAIL_BYTES];
	struct schema *schema = compile(rounded[_i][0]);

	ck_assert_int_eq(
	    check_text(schema, span_of(rounded[_i][1]), detail), -ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(detail, "more digits than"));
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
    {"{\"items\":{\"$dynamicRef\":\"#\"}}", ERR_UNKNOWN_KEY, 11,
	"\"$dynamicRef\""},
    {"{\"$defs\":{\"a\":{\"colour\":1}}}", ERR_UNKNOWN_KEY, 16, "\"colour\""},
    {"{\"then\":{\"colour\":1}}", ERR_UNKNOWN_KEY, 10, "\"colour\""},
    {"{\"$ref\":7}", ERR_TYPE, 9, "a string"},
    {"{\"$ref\":\"#\"}", ERR_DEPTH, 1, "without end"},
    {"{\"allOf\":[{\"$ref\":\"#/$defs/a\"}],\"$defs\":"
     "{\"a\":{\"not\":{\"$ref\":\"#\"}}}}",
	ERR_DEPTH, 0, "without end"},
    {"{\"$ref\":\"#/$defs/b\",\"$defs\":{\"a\":{}}}", ERR_RANGE, 9,
	"names no schema"},
    {"{\"$ref\":\"#/default\",\"default\":{\"type\":\"null\"}}", ERR_RANGE, 9,
	"names no schema"},
    {"{\"$ref\":\"#/const\",\"const\":{}}", ERR_RANGE, 9, "names no schema"},
    {"{\"$ref\":\"#/properties\",\"properties\":{}}", ERR_RANGE, 9,
	"names no schema"},
    {"{\"$ref\":\"other.json\"}", ERR_RANGE, 9, "nothing is fetched"},
    {"{\"$ref\":\"#a\",\"$defs\":{\"b\":{\"$id\":\"x\",\"$anchor\":\"a\"}}}",
	ERR_RANGE, 9, "names no schema"},
    {"{\"$ref\":\"#%2\"}", ERR_RANGE, 9, "names no schema"},
    {"{\"$ref\":\"#%ff\"}", ERR_RANGE, 9, "names no schema"},
    {"{\"$anchor\":\"1a\"}", ERR_RANGE, 12, "letter or underscore"},
    {"{\"$anchor\":\"a\",\"items\":{\"$anchor\":\"a\"}}", ERR_RANGE, 35,
	"another schema"},
    {"{\"$id\":\"a\",\"items\":{\"$id\":\"./a\"}}", ERR_RANGE, 27,
	"another schema"},
    {"{\"$id\":\"a#b\"}", ERR_RANGE, 8, "fragment"},
    {"{\"$id\":1}", ERR_TYPE, 8, "a string"},
    {"{\"format\":\"time\"}", ERR_RANGE, 11, "email, uri, hostname"},
    {"{\"format\":\"idn-email\"}", ERR_RANGE, 11, "has to be one of"},
    {"{\"format\":\"Email\"}", ERR_RANGE, 11, "has to be one of"},
    {"{\"format\":1}", ERR_TYPE, 11, "a string"},
    {"{\"prefixItems\":[]}", ERR_TYPE, 16, "at least one"},
    {"{\"prefixItems\":{}}", ERR_TYPE, 16, "list"},
    {"{\"patternProperties\":{\"a(\":{}}}", ERR_SYNTAX, 23, "byte 2"},
    {"{\"patternProperties\":[]}", ERR_TYPE, 22, "patternProperties"},
    {"{\"dependentRequired\":{\"a\":\"b\"}}", ERR_TYPE, 27, "list of names"},
    {"{\"dependentRequired\":{\"a\":[\"b\",\"b\"]}}", ERR_RANGE, 32, "twice"},
    {"{\"dependentSchemas\":{\"a\":[]}}", ERR_TYPE, 26, "true or false"},
    {"{\"minContains\":-1}", ERR_RANGE, 16, "0 or more"},
    {"{\"unevaluatedItems\":1}", ERR_TYPE, 21, "true or false"},
    {"{\"$defs\":1}", ERR_TYPE, 10, "$defs"},
    {"{\"pattern\":\"\\\\A\"}", ERR_SYNTAX, 12, "byte 0"},
    {"{\"pattern\":\"a\\\\Z\"}", ERR_SYNTAX, 12, "byte 1"},
    {"{\"pattern\":\".**\"}", ERR_SYNTAX, 12, "quantifier"},
    {"{\"pattern\":\".*{2}\"}", ERR_SYNTAX, 12, "quantifier"},
    {"{\"pattern\":\"[a-\\\\s]\"}", ERR_SYNTAX, 12, "byte 3"},
    {"{\"pattern\":\"\\\\pL\"}", ERR_SYNTAX, 12, "byte 0"},
    {"{\"pattern\":\"\\\\p{Colour}\"}", ERR_SYNTAX, 12, "property"},
    {"{\"pattern\":\"[\\\\1]\"}", ERR_SYNTAX, 12, "byte 1"},
    {"{\"pattern\":\"\\\\012\"}", ERR_SYNTAX, 12, "byte 0"},
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
    {"{\"pattern\":\"\\\\C\"}", ERR_SYNTAX, 12, "byte 0"},
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
    {"{\"pattern\":\"\\\\c[(?R)\"}", ERR_SYNTAX, 12, "byte 0"},
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
	if (refused[_i].column != 0)
		ck_assert_uint_eq(where.column, refused[_i].column);
	ck_assert_msg(strstr(where.detail, refused[_i].reason) != NULL,
	    "\"%s\" not in \"%s\"", refused[_i].reason, where.detail);
	json_done(&doc);
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

static Suite *
schema_suite(void)
{
	Suite *suite = suite_create("schema");
	TCase *table = tcase_create("table");

	tcase_add_loop_test(
	    table, values_and_reasons, 0, sizeof values / sizeof values[0]);
	tcase_add_loop_test(
	    table, not_rounded, 0, sizeof rounded / sizeof rounded[0]);
	tcase_add_loop_test(
	    table, refused_at_load, 0, sizeof refused / sizeof refused[0]);
	tcase_add_test(table, small_room);
	tcase_add_test(table, outlives_its_source);
	suite_add_tcase(suite, table);
	return suite;
}

int
main(void)
{
	return run_suite(schema_suite());
}
