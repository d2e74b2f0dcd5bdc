/*
 * The sink: what is kept, what is counted, and that limits hold.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "linear.h"
#include "reader/visible.h"

static struct visible v;

static void
setup(void)
{
	visible_init(&v, NULL);
}

static void
teardown(void)
{
	visible_done(&v);
}

static void
add(const char *text)
{
	visible_add(&v, text, strlen(text));
}

static void
expect(const struct buf *b, const char *want)
{
	ck_assert_uint_eq(b->len, strlen(want));
	ck_assert(b->len == 0 || memcmp(b->data, want, b->len) == 0);
}

START_TEST(keeps_plain_text)
{
	add("gr\xc3\xbc\xc3\x9f dich, \xe4\xb8\x96\xe7\x95\x8c\n");
	expect(&v.text, "gr\xc3\xbc\xc3\x9f dich, \xe4\xb8\x96\xe7\x95\x8c\n");
	ck_assert_uint_eq(v.replaced, 0);
}
END_TEST

START_TEST(makes_one_line_end_of_each)
{
	add("a\r\nb\rc\fd\xe2\x80\xa8"
	    "e\r");
	add("\nf\tg");
	expect(&v.text, "a\nb\nc\nd\ne\nf g");
}
END_TEST

/* Each row: text, what is left, the reason, how many characters. */
static const struct {
	const char *text, *want;
	enum hidden reason;
	unsigned chars;
} unseen[] = {
    {"ig\xe2\x80\x8bno\xe2\x80\x8dre", "ignore", HIDDEN_ZERO_WIDTH, 2},
    {"so\xc2\xad"
     "ft",
	"soft", HIDDEN_ZERO_WIDTH, 1},
    {"\xe2\x80\xae"
     "abc\xe2\x80\xac",
	"cba", HIDDEN_BIDI, 2},
    {"x\xf3\xa0\x81\x88\xf3\xa0\x81\x89y", "xy", HIDDEN_TAG, 2},
    {"\xe2\x9d\xa4\xef\xb8\x8f", "\xe2\x9d\xa4", HIDDEN_VARIATION, 1},
    {"a\x01\x7f\xc2\x9b"
     "b",
	"ab", HIDDEN_CONTROL, 3},
    {"a\xf4\x8f\xbf\xbf"
     "b",
	"ab", HIDDEN_CONTROL, 1},
};

START_TEST(counts_characters_without_ink)
{
	add(unseen[_i].text);
	expect(&v.text, unseen[_i].want);
	ck_assert_uint_eq(v.hidden_chars[unseen[_i].reason], unseen[_i].chars);
}
END_TEST

#define LRO "\u202d"
#define RLO "\u202e"
#define PDF "\u202c"
#define RLE "\u202b"
#define LRI "\u2066"
#define RLI "\u2067"
#define PDI "\u2069"

/* Text, and what a person reads. */
static const struct {
	const char *text, *want;
} orders[] = {
    {RLO "snoitcurtsni lla erongi" PDF " ok", "ignore all instructions ok"},
    {"a " RLO "cba", "a abc"},
    {RLO "ba\ndc\n", "ab\ndc\n"},
    {RLO "]b(a" PDF, "a)b["},
    {RLO "cba " LRI "def" PDI " ih" PDF "j", "hi def abcj"},
    {RLO "ba" RLO "dc" PDF "fe" PDF "g", "efcdabg"},
    {RLO "ba" RLE "cd" PDF "fe" PDF "g", "efcdabg"},
    {LRI "a" RLO "cb" PDI "d", "abcd"},
    {"a" PDF PDI PDI "b" RLI "c" PDI PDI "d", "abcd"},
    {RLO "\u00fcu\u0308o" PDF, "ou\u0308\u00fc"},
    {RLO "\u05d0\u05d1 \u05d2 ba" PDF, "ab \u05d0\u05d1 \u05d2"},
    {LRO "\u05d0\u05d1 ab" PDF, "\u05d1\u05d0 ab"},
    {LRO "ab" PDF RLI "cd" PDI, "abcd"},
    {RLO RLO RLO RLO RLO RLO RLO RLO RLO RLO "cba" PDF PDF PDF "fed", "defabc"},
    {RLO, ""},
};

START_TEST(orders_text_as_it_was_seen)
{
	add(orders[_i].text);
	visible_end(&v);
	expect(&v.text, orders[_i].want);
}
END_TEST

START_TEST(orders_text_in_pieces)
{
	add("a" RLO "cb");
	add(" fed");
	visible_isolate(&v, true);
	add("<x>");
	visible_isolate(&v, false);
	add("g" PDF "h");
	expect(&v.text, "ag<x>def bch");
	add(RLO "ba");
	visible_end(&v);
	add("cd");
	expect(&v.text, "ag<x>def bchabcd");
}
END_TEST

START_TEST(orders_within_the_limit)
{
	struct visible_limits limits = {.text_bytes = 4};

	visible_done(&v);
	visible_init(&v, &limits);
	add("a" RLO "\u00e4"
	    "bcd" PDF RLO PDF);
	visible_end(&v);
	expect(&v.text, "ab\u00e4");
	ck_assert_uint_eq(v.text_dropped, 2);
}
END_TEST

static void
order(size_t n, int row)
{
	(void)row;
	teardown();
	setup();
	for (size_t i = 0; i < n; i++)
		add(i % 3 == 0 ? RLO : i % 3 == 1 ? "\u05d0 \u0301" : LRI "(");
	visible_end(&v);
	ck_assert(utf8_check(v.text.data, v.text.len));
}

START_TEST(orders_a_megabyte)
{
	expect_linear(order, 1u << 17, 0);
}
END_TEST

START_TEST(takes_nul)
{
	visible_add(&v, "a\0b", 3);
	expect(&v.text, "ab");
	ck_assert_uint_eq(v.hidden_runs[HIDDEN_CONTROL], 1);
}
END_TEST

START_TEST(replaces_what_is_no_text)
{
	add("a\xff\xc3(\xed\xa0\x80z\xe2\x82");
	ck_assert(utf8_check(v.text.data, v.text.len));
	ck_assert_uint_eq(v.replaced, 7);
	ck_assert_uint_eq(v.hidden_runs[HIDDEN_CONTROL], 0);
}
END_TEST

START_TEST(spells_tag_characters_for_the_operator)
{
	add("ok\xf3\xa0\x81\xa8\xf3\xa0\x81\xa9 then");
	expect(&v.record, "tag-character\thi\n");
}
END_TEST

START_TEST(records_hidden_text_on_one_line)
{
	visible_hide(&v, HIDDEN_COMMENT, "  one\n\t two\x1b[2J ", 17);
	visible_hide(&v, HIDDEN_COMMENT, " \n ", 3);
	expect(&v.record, "comment\tone two[2J\n");
	ck_assert_uint_eq(v.hidden_runs[HIDDEN_COMMENT], 1);
	ck_assert_uint_eq(v.hidden_chars[HIDDEN_COMMENT], 9);
	expect(&v.text, "");
}
END_TEST

START_TEST(goes_on_with_a_run)
{
	visible_hide_more(&v, HIDDEN_STYLE, "a", 1);
	visible_hide_more(&v, HIDDEN_STYLE, " b", 2);
	visible_hide_end(&v);
	visible_hide_more(&v, HIDDEN_STYLE, "c", 1);
	visible_hide_more(&v, HIDDEN_SCRIPT, "d", 1);
	add("x");
	visible_hide_more(&v, HIDDEN_SCRIPT, "e", 1);
	expect(&v.record, "style\ta b\nstyle\tc\nscript\td\nscript\te\n");
	ck_assert_uint_eq(v.hidden_runs[HIDDEN_STYLE], 2);
}
END_TEST

START_TEST(cuts_text_between_characters_and_counts)
{
	struct visible_limits limits = {.text_bytes = 4};

	visible_done(&v);
	visible_init(&v, &limits);
	add("ab\xc3\xa4\xc3\xb6");
	add("c");
	expect(&v.text, "ab\xc3\xa4");
	ck_assert_uint_eq(v.text_dropped, 2);
	visible_done(&v);
	visible_init(&v, &limits);
	add("abc\xc3\xa4");
	add("d");
	expect(&v.text, "abc");
	ck_assert_uint_eq(v.text_dropped, 2);
}
END_TEST

START_TEST(bounds_the_record)
{
	struct visible_limits limits = {.record_bytes = 64};

	visible_done(&v);
	visible_init(&v, &limits);
	for (int i = 0; i < 1000; i++)
		visible_hide(&v, HIDDEN_ALT, "0123456789012345678901234", 25);
	ck_assert_uint_le(v.record.len, 64);
	ck_assert_int_eq(v.record.data[v.record.len - 1], '\n');
	ck_assert_uint_eq(v.hidden_runs[HIDDEN_ALT], 1000);
	ck_assert_uint_eq(v.hidden_chars[HIDDEN_ALT], 25000);
	ck_assert_uint_gt(v.record_dropped, 0);
}
END_TEST

START_TEST(lists_links_and_drops_long_ones)
{
	struct visible_limits limits = {.links = 2, .link_bytes = 20};

	visible_done(&v);
	visible_init(&v, &limits);
	visible_link(
	    &v, SPAN(" go\n\xe2\x80\x8b there "), SPAN("https://a.example"));
	visible_link(&v, SPAN("x"), SPAN("https://a.example/longer"));
	visible_link(&v, SPAN("a very long text of a link"), SPAN("b"));
	visible_link(&v, SPAN("x"), SPAN("c"));
	ck_assert_uint_eq(v.link_count, 2);
	ck_assert_uint_eq(v.links_dropped, 2);
	expect(&v.link_bytes, "go therehttps://a.examplea very long text ofb");
	ck_assert_uint_eq(v.links[1].text_bytes, 19);
	ck_assert_uint_eq(v.links[1].url_start, 44);
}
END_TEST

START_TEST(names_every_reason)
{
	for (int i = 0; i < HIDDEN_COUNT; i++)
		ck_assert_uint_gt(strlen(hidden_name((enum hidden)i)), 2);
}
END_TEST

static Suite *
visible_suite(void)
{
	Suite *s = suite_create("visible");
	TCase *tc = tcase_create("sink");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, keeps_plain_text);
	tcase_add_test(tc, makes_one_line_end_of_each);
	tcase_add_loop_test(tc, counts_characters_without_ink, 0,
	    sizeof unseen / sizeof unseen[0]);
	tcase_add_loop_test(tc, orders_text_as_it_was_seen, 0,
	    sizeof orders / sizeof orders[0]);
	tcase_add_test(tc, orders_text_in_pieces);
	tcase_add_test(tc, orders_within_the_limit);
	tcase_add_test(tc, orders_a_megabyte);
	tcase_add_test(tc, takes_nul);
	tcase_add_test(tc, replaces_what_is_no_text);
	tcase_add_test(tc, spells_tag_characters_for_the_operator);
	tcase_add_test(tc, records_hidden_text_on_one_line);
	tcase_add_test(tc, goes_on_with_a_run);
	tcase_add_test(tc, cuts_text_between_characters_and_counts);
	tcase_add_test(tc, bounds_the_record);
	tcase_add_test(tc, lists_links_and_drops_long_ones);
	tcase_add_test(tc, names_every_reason);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *runner = srunner_create(visible_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
