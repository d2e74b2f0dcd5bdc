/*
 * What a reader says its detector fired on: only its form is believed, and no
 * more of it is kept than there is room for.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/limits.h"
#include "proto/detection.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ROW(rules, score, where, view, hash)                                   \
	"{\"rules\":" rules ",\"score\":" score ",\"where\":" where            \
	",\"view\":" view ",\"sha256\":" hash "}"
#define GOOD                                                                   \
	ROW("[\"prompt\",\"end\"]", "0.98765", "\"seen\"", "\"\"",             \
	    "\"" HASH "\"")
#define WROTE                                                                  \
	ROW("[\"prompt\",\"end\"]", "0.9877", "\"seen\"", "\"\"",              \
	    "\"" HASH "\"")

static struct buf rows;
static size_t count;

static int
read_text(const char *text, size_t room)
{
	struct json_doc doc;
	int rc;

	buf_free(&rows);
	buf_init(&rows, room);
	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, span_of(text), NULL, NULL), 0);
	rc = detection_read(&doc, json_root(&doc), &rows, &count);
	json_done(&doc);
	return rc;
}

static void
expect_rows(const char *want)
{
	ck_assert_msg(
	    rows.len == strlen(want) && memcmp(rows.data, want, rows.len) == 0,
	    "%.*s", (int)rows.len, rows.data);
}

START_TEST(good)
{
	ck_assert_int_eq(read_text("{}", 1000), 0);
	ck_assert_uint_eq(count, 0);
	ck_assert_uint_eq(rows.len, 0);
	ck_assert_int_eq(read_text("{\"injection\":[],\"v\":1}", 1000), 0);
	ck_assert_uint_eq(count, 0);
	ck_assert_int_eq(
	    read_text("{\"injection\":[" GOOD "," GOOD "]}", 1000), 0);
	ck_assert_uint_eq(count, 2);
	expect_rows(WROTE "," WROTE);
}
END_TEST

/* What has no room is counted, and nothing is kept in its place. */
START_TEST(cut)
{
	const char *three = "{\"injection\":[" GOOD "," GOOD "," ROW(
	    "[]", "1", "\"hidden\"", "\"a-1\"", "\"" HASH "\"") "]}";

	for (size_t room = 1; room < 3 * sizeof WROTE; room++) {
		ck_assert_int_eq(read_text(three, room), 0);
		ck_assert_uint_eq(count, 3);
		ck_assert_uint_le(rows.len, room);
		if (room < sizeof WROTE - 1)
			expect_rows("");
		else if (room < 2 * sizeof WROTE - 1)
			expect_rows(WROTE);
	}
}
END_TEST

START_TEST(bad)
{
	static const char *const lists[] = {
	    "{}",
	    "7",
	    "null",
	    "[7]",
	    "[null]",
	    "[[]]",
	    "[{}]",
	    "[" GOOD ",{}]",
	    "[" ROW("[7]", "1", "\"seen\"", "\"\"", "\"" HASH "\"") "]",
	    "[" ROW("{}", "1", "\"seen\"", "\"\"", "\"" HASH "\"") "]",
	    "[" ROW("[\"\"]", "1", "\"seen\"", "\"\"", "\"" HASH "\"") "]",
	    "[" ROW("[\"A\"]", "1", "\"seen\"", "\"\"", "\"" HASH "\"") "]",
	    "[" ROW("[\"a b\"]", "1", "\"seen\"", "\"\"", "\"" HASH "\"") "]",
	    "[" ROW(
		"[\"\\u001b\"]", "1", "\"seen\"", "\"\"", "\"" HASH "\"") "]",
	    "[" ROW("[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"]", "1", "\"seen\"",
		"\"\"", "\"" HASH "\"") "]",
	    "[" ROW("[]", "1.01", "\"seen\"", "\"\"", "\"" HASH "\"") "]",
	    "[" ROW("[]", "-0.01", "\"seen\"", "\"\"", "\"" HASH "\"") "]",
	    "[" ROW("[]", "2", "\"seen\"", "\"\"", "\"" HASH "\"") "]",
	    "[" ROW("[]", "\"1\"", "\"seen\"", "\"\"", "\"" HASH "\"") "]",
	    "[" ROW("[]", "null", "\"seen\"", "\"\"", "\"" HASH "\"") "]",
	    "[" ROW("[]", "1", "\"see\"", "\"\"", "\"" HASH "\"") "]",
	    "[" ROW("[]", "1", "\"\"", "\"\"", "\"" HASH "\"") "]",
	    "[" ROW("[]", "1", "\"seen\"", "\"<\"", "\"" HASH "\"") "]",
	    "[" ROW("[]", "1", "\"seen\"", "7", "\"" HASH "\"") "]",
	    "[" ROW("[]", "1", "\"seen\"", "\"\"", "\"\"") "]",
	    "[" ROW("[]", "1", "\"seen\"", "\"\"", "\"" HASH "0\"") "]",
	    "[" ROW(
		"[]", "1", "\"seen\"", "\"\",\"more\":1", "\"" HASH "\"") "]",
	    "[{\"rules\":[],\"score\":1,\"where\":\"seen\",\"view\":\"\"}]",
	};

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		char *text = alloc_format("{\"injection\":%s}", lists[i]);

		ck_assert_msg(read_text(text, 4096) < 0, "%s", text);
		free(text);
	}
}
END_TEST

/* As many as the longest record holds, and one more than is taken. */
START_TEST(many)
{
	struct buf text;

	for (size_t n = DETECTION_ROWS; n <= DETECTION_ROWS + 1; n++) {
		buf_init(&text, n * sizeof GOOD + 100);
		buf_add_text(&text, "{\"injection\":[");
		for (size_t i = 0; i < n; i++) {
			buf_add_text(&text, i == 0 ? "" : ",");
			buf_add_text(&text, GOOD);
		}
		buf_add(&text, "]}", 3);
		ck_assert_int_eq(read_text(text.data, 896),
		    n > DETECTION_ROWS ? -ERR_RANGE : 0);
		buf_free(&text);
	}
	ck_assert_uint_le(rows.len, 896);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("detection");
	TCase *tests = tcase_create("detection");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, good);
	tcase_add_test(tests, cut);
	tcase_add_test(tests, bad);
	tcase_add_test(tests, many);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
