/*
 * The planner's text: what NFKC does, what it must not do, bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "linear.h"
#include "reader/normal.h"
#include "run_suite.h"

#define BIG_BYTES (1u << 20)

static struct buf out;

static void
setup(void)
{
	buf_init(&out, 16u << 20);
}

static void
teardown(void)
{
	buf_free(&out);
}

static void
expect(struct span text, const char *want)
{
	buf_clear(&out);
	ck_assert_int_eq(normal_add(&out, text), 0);
	ck_assert_msg(span_is((struct span){out.data, out.len}, want),
	    "%.*s\n gives %.*s\n want  %s", (int)text.n, text.p, (int)out.len,
	    out.data, want);
}

static const struct {
	const char *text, *want;
} rows[] = {
    {"", ""},
    {"plain ASCII,\nno change", "plain ASCII,\nno change"},
    {"gr\u00fc\u00dfe \u4e16\u754c", "gr\u00fc\u00dfe \u4e16\u754c"},
    /* composed, whatever is before and behind */
    {"e\u0301", "\u00e9"},
    {"ae\u0301a", "a\u00e9a"},
    {"\u00fcu\u0308\u0304", "\u00fc\u01d6"},
    {"o\u0302\u0323", "\u1ed9"},
    {"\u1100\u1161\u11a8", "\uac01"},
    {"\uac00\u11a8", "\uac01"},
    {"\u304b\u3099", "\u304c"},
    {"\n\u0301x", "\n\u0301x"},
    /* compatibility forms */
    {"\uff29\uff47\uff4e\uff4f\uff52\uff45\u3000\uff21", "Ignore A"},
    {"\U0001d422\U0001d420n\U0001d428re", "ignore"},
    {"\ufb01le \u24d0\U0001f130 \u338f", "file aA kg"},
    {"\uff83\uff9e\uff70\uff80", "\u30c7\u30fc\u30bf"},
    {"a\u00a0b\u2003c\u2026", "a b c..."},
    {"\uff0e\uff0f\uff20\uff1c", "./@<"},
    {"\u212b \u2126", "\u00c5 \u03a9"},
    {"\ufb2c", "\u05e9\u05bc\u05c1"},
    /* what would say something else */
    {"10\u00b2 m\u2082 x\u207f", "10\u00b2 m\u2082 x\u207f"},
    {"1\u00bd 3\u2154", "1\u00bd 3\u2154"},
    {"5 m\u00b2, 5 \u33a1, TM\u2122", "5 m\u00b2, 5 \u33a1, TM\u2122"},
    {"1\u2460 2\u24ea n\u00ba", "1\u2460 2\u24ea n\u00ba"},
    {"it\u00b4s", "it\u00b4s"},
    {"\u3160\u3160\u314b", "\u3160\u3160\u314b"},
    {"\u0e04\u0e33", "\u0e04\u0e33"},
    {"\u00b2\u0301", "\u00b2\u0301"},
    {"\ufdfa", "\ufdfa"},
    /* broken */
    {"a\xff\u0301\xc3", "a\ufffd\u0301\ufffd"},
};

START_TEST(normalises)
{
	expect(span_of(rows[_i].text), rows[_i].want);
}
END_TEST

START_TEST(normalises_once)
{
	expect(span_of(rows[_i].want), rows[_i].want);
}
END_TEST

START_TEST(appends)
{
	ck_assert_int_eq(normal_add(&out, SPAN("a")), 0);
	ck_assert_int_eq(normal_add(&out, SPAN("\uff22")), 0);
	ck_assert_int_eq(normal_add(&out, (struct span){"c\0d", 3}), 0);
	ck_assert_uint_eq(out.len, 5);
	ck_assert_mem_eq(out.data, "aBc\0d", 5);
}
END_TEST

START_TEST(refuses_whole)
{
	struct buf small;

	buf_init(&small, 4);
	ck_assert_int_eq(normal_add(&small, SPAN("ab")), 0);
	ck_assert_int_eq(
	    normal_add(&small, SPAN("c\uff22\uff22")), -ERR_TOO_LARGE);
	ck_assert_uint_eq(small.len, 2);
	ck_assert(small.overflow);
	buf_free(&small);
}
END_TEST

START_TEST(keeps_thirty_marks)
{
	char text[1 + 40 * 2 + 1], want[1 + 30 * 2 + 1];

	text[0] = want[0] = 'q';
	for (size_t i = 0; i < 40; i++)
		memcpy(text + 1 + 2 * i, "\u0301", 2);
	memcpy(want + 1, text + 1, 60);
	text[81] = want[61] = '\0';
	expect(span_of(text), want);
}
END_TEST

/* Pieces that, repeated, make the most work or the most bytes. */
static const char *const heavy[] = {"\u0301", "\u0301\u0323", "\u0f73\u0f71",
    "\uff9e", "\uff76\uff9e", "\ufdfa", "\ufdfb", "\u3316", "\u1161", "\u3099",
    "\U0001d160", "\u00a0", "\ufb2c", "\u0958", "a\u0301", "\U0001d400",
    "\u09c7\u09be", "\u093e", "\u0344", "\xff", "\ufc5e"};

static void
take(size_t bytes, int row)
{
	size_t n = strlen(heavy[row]), count = bytes / n;
	struct span text = {malloc(count * n), count * n};
	struct buf again;

	for (size_t i = 0; i < count; i++)
		memcpy((char *)text.p + i * n, heavy[row], n);
	buf_clear(&out);
	ck_assert_int_eq(normal_add(&out, text), 0);
	ck_assert_uint_le(out.len, text.n * NORMAL_GROWTH);
	ck_assert(utf8_check(out.data, out.len));
	buf_init(&again, 16u << 20);
	ck_assert_int_eq(
	    normal_add(&again, (struct span){out.data, out.len}), 0);
	ck_assert_uint_eq(again.len, out.len);
	ck_assert_mem_eq(again.data, out.data, out.len);
	buf_free(&again);
	free((char *)text.p);
}

START_TEST(takes_a_megabyte_of_anything)
{
	expect_linear(take, BIG_BYTES, _i);
}
END_TEST

static Suite *
normal_suite(void)
{
	Suite *s = suite_create("normal");
	TCase *tc = tcase_create("normal");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, normalises, 0, sizeof rows / sizeof rows[0]);
	tcase_add_loop_test(
	    tc, normalises_once, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tc, appends);
	tcase_add_test(tc, refuses_whole);
	tcase_add_test(tc, keeps_thirty_marks);
	tcase_add_loop_test(tc, takes_a_megabyte_of_anything, 0,
	    sizeof heavy / sizeof heavy[0]);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run_suite(normal_suite());
}
