/*
 * Facts: whose words a value is, which traps do not vouch for one, and the
 * bounds.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/facts.h"
#include "run_suite.h"

static struct facts *facts;

static void
setup(void)
{
	facts = facts_new();
}

static void
teardown(void)
{
	facts_free(facts);
}

static unsigned
origins(enum value_type type, const char *value)
{
	return facts_origins(facts, type, (struct span){0}, span_of(value));
}

static unsigned
object(const char *what, const char *id)
{
	return facts_origins(facts, VALUE_ID, span_of(what), span_of(id));
}

static void
say(const char *words)
{
	ck_assert_int_eq(facts_add_words(facts, span_of(words)), 0);
}

START_TEST(knows_the_operators_words)
{
	ck_assert_uint_eq(origins(VALUE_NAME, "Alice"), ORIGIN_MODEL);
	say("Send 100.50 to Alice (alice@a.example), see www.b.example.Then "
	    "add it to \"42\" in June 13");
	ck_assert_uint_eq(origins(VALUE_NAME, "alice"), ORIGIN_OPERATOR);
	ck_assert_uint_eq(
	    origins(VALUE_NAME, "Alice@A.example"), ORIGIN_OPERATOR);
	ck_assert_uint_eq(
	    origins(VALUE_URL, "https://www.b.example/"), ORIGIN_OPERATOR);
	ck_assert_uint_eq(
	    origins(VALUE_URL, "http://www.b.example/"), ORIGIN_MODEL);
	ck_assert_uint_eq(
	    origins(VALUE_URL, "www.b.example/?q=secret"), ORIGIN_MODEL);
	ck_assert_uint_eq(origins(VALUE_NUMBER, "100.5"), ORIGIN_OPERATOR);
	ck_assert_uint_eq(origins(VALUE_NUMBER, "50"), ORIGIN_MODEL);
	ck_assert_uint_eq(origins(VALUE_NAME, "ali"), ORIGIN_MODEL);
	ck_assert_uint_eq(
	    origins(VALUE_NAME, "xalice@a.example"), ORIGIN_MODEL);
	/* digits alone stand in dates too */
	ck_assert_uint_eq(origins(VALUE_ID, "13"), ORIGIN_MODEL);
	ck_assert_uint_eq(origins(VALUE_ID, "42"), ORIGIN_OPERATOR);
	ck_assert_uint_eq(origins(VALUE_NAME, ""), ORIGIN_MODEL);
}
END_TEST

/* A piece of one value is no other. */
START_TEST(a_piece_is_not_named)
{
	say("Mail bob@corp.example, see https://shop.example/pay/carol and "
	    "work/plan.txt; he/she.  Dave (dave@d.example) knows a/b.");
	ck_assert_uint_eq(origins(VALUE_NAME, "bob"), ORIGIN_MODEL);
	ck_assert_uint_eq(origins(VALUE_NAME, "@corp"), ORIGIN_MODEL);
	ck_assert_uint_eq(origins(VALUE_NAME, "corp"), ORIGIN_MODEL);
	ck_assert_uint_eq(origins(VALUE_NAME, "shop"), ORIGIN_MODEL);
	ck_assert_uint_eq(origins(VALUE_NAME, "carol"), ORIGIN_MODEL);
	ck_assert_uint_eq(origins(VALUE_NAME, "https"), ORIGIN_MODEL);
	ck_assert_uint_eq(origins(VALUE_NAME, "dave"), ORIGIN_OPERATOR);
	ck_assert_uint_eq(
	    origins(VALUE_NAME, "Dave (dave@d.example)"), ORIGIN_OPERATOR);
	ck_assert_uint_eq(
	    origins(VALUE_NAME, "Dave (dave@d.exam"), ORIGIN_MODEL);
	ck_assert_uint_eq(object("file", "work/plan.txt"), ORIGIN_OPERATOR);
	ck_assert_uint_eq(object("file", "plan.txt"), ORIGIN_MODEL);
	ck_assert_uint_eq(object("file", "work"), ORIGIN_MODEL);
	ck_assert_uint_eq(origins(VALUE_NAME, "she"), ORIGIN_OPERATOR);
	/* marks of anything say nothing */
	ck_assert_uint_eq(object("file", "."), ORIGIN_MODEL);
	ck_assert_uint_eq(object("file", "/"), ORIGIN_MODEL);
	ck_assert_uint_eq(origins(VALUE_NAME, "@"), ORIGIN_MODEL);
}
END_TEST

START_TEST(a_group_of_digits_is_no_number)
{
	say("pay 1,000 or 2'500 to 3, 4 and 5");
	ck_assert_uint_eq(origins(VALUE_NUMBER, "1"), ORIGIN_MODEL);
	ck_assert_uint_eq(origins(VALUE_NUMBER, "0"), ORIGIN_MODEL);
	ck_assert_uint_eq(origins(VALUE_NUMBER, "500"), ORIGIN_MODEL);
	ck_assert_uint_eq(origins(VALUE_NUMBER, "3"), ORIGIN_OPERATOR);
	ck_assert_uint_eq(origins(VALUE_NUMBER, "4"), ORIGIN_OPERATOR);
	ck_assert_uint_eq(origins(VALUE_NUMBER, "5"), ORIGIN_OPERATOR);
}
END_TEST

/* What a full table cannot keep vouches for nothing. */
START_TEST(forgets_what_it_cannot_keep)
{
	char id[32];

	say("read the Plan");
	facts_add_object(facts, SPAN("file"), SPAN("f"), SPAN("Plan"), true);
	for (unsigned i = 0; !facts_full(facts); i++) {
		snprintf(id, sizeof id, "x%u", i);
		facts_add_object(
		    facts, SPAN("file"), span_of(id), SPAN("X"), true);
	}
	ck_assert_uint_eq(object("file", "f"), ORIGIN_OPERATOR | ORIGIN_MINE);
	facts_add_object(facts, SPAN("file"), SPAN("f"), SPAN("Evil"), false);
	ck_assert_uint_eq(object("file", "f"), ORIGIN_MODEL);
}
END_TEST

START_TEST(no_phrase_spans_two_tasks)
{
	say("delete the");
	say("plan");
	ck_assert_uint_eq(origins(VALUE_NAME, "the plan"), ORIGIN_MODEL);
	ck_assert_uint_eq(origins(VALUE_NAME, "plan"), ORIGIN_OPERATOR);
}
END_TEST

START_TEST(adds_origins_up)
{
	say("ann@a.example");
	facts_add(facts, VALUE_NAME, SPAN("ann@a.example"), ORIGIN_PARTY);
	facts_add(
	    facts, VALUE_ADDRESS, SPAN(" ANN@a.example"), ORIGIN_UNVERIFIED);
	ck_assert_uint_eq(origins(VALUE_ADDRESS, "ann@a.example"),
	    ORIGIN_OPERATOR | ORIGIN_PARTY | ORIGIN_UNVERIFIED);
	facts_add_prose(facts,
	    SPAN("ask ann@a.example or go to https://x.example/?y=1."),
	    ORIGIN_PROSE);
	ck_assert_uint_eq(
	    origins(VALUE_URL, "https://x.example/?y=1"), ORIGIN_PROSE);
	ck_assert_uint_eq(
	    origins(VALUE_URL, "https://x.example/?y=2"), ORIGIN_MODEL);
}
END_TEST

START_TEST(names_objects_by_title)
{
	say("cancel the Weekly Meeting and see notes.txt");
	facts_add_object(
	    facts, SPAN("event"), SPAN("9"), SPAN("Weekly meeting"), false);
	facts_add_object(facts, SPAN("mail"), SPAN("9"), SPAN("Hello"), true);
	ck_assert_uint_eq(object("event", "9"), ORIGIN_OPERATOR);
	/* an event's title does not vouch for a mail */
	ck_assert_uint_eq(object("mail", "9"), ORIGIN_MINE);
	ck_assert_uint_eq(object("file", "9"), ORIGIN_MODEL);
	ck_assert_uint_eq(object("", "9"), ORIGIN_MODEL);
	ck_assert_uint_eq(object("event", "10"), ORIGIN_MODEL);
	ck_assert_uint_eq(object("file", "notes.txt"), ORIGIN_OPERATOR);
	/* seen under another title too: both have to be named */
	facts_add_object(
	    facts, SPAN("event"), SPAN("9"), SPAN("Board meeting"), false);
	ck_assert_uint_eq(object("event", "9"), ORIGIN_MODEL);
	/* shown as somebody's later: not his alone */
	facts_add_object(facts, SPAN("mail"), SPAN("9"), SPAN("Hello"), false);
	ck_assert_uint_eq(object("mail", "9"), ORIGIN_MODEL);
	/* no title is no name */
	facts_add_object(facts, SPAN("file"), SPAN("f1"), SPAN(""), false);
	ck_assert_uint_eq(object("file", "f1"), ORIGIN_MODEL);
}
END_TEST

START_TEST(is_bounded)
{
	char text[64];
	struct buf words;

	for (unsigned i = 0; i < FACTS_VALUES + 10; i++) {
		snprintf(text, sizeof text, "a%u@x.example", i * 7919 % 99991);
		facts_add(facts, VALUE_ADDRESS, span_of(text), ORIGIN_PARTY);
		facts_add_object(
		    facts, SPAN("t"), span_of(text), SPAN("x"), false);
	}
	ck_assert(facts_full(facts));
	ck_assert_uint_eq(origins(VALUE_ADDRESS, "a0@x.example"), ORIGIN_PARTY);
	snprintf(text, sizeof text, "a%u@x.example",
	    (FACTS_VALUES + 5) * 7919 % 99991);
	ck_assert_uint_eq(origins(VALUE_ADDRESS, text), ORIGIN_MODEL);
	buf_init(&words, FACTS_WORDS_BYTES * 2);
	while (words.len < FACTS_WORDS_BYTES)
		buf_add_text(&words, "word ");
	ck_assert_int_eq(
	    facts_add_words(facts, (struct span){words.data, words.len}),
	    -ERR_TOO_LARGE);
	ck_assert_int_eq(
	    facts_add_words(facts, (struct span){words.data, 1000}), 0);
	buf_free(&words);
}
END_TEST

START_TEST(has_a_word_for_each_origin)
{
	for (unsigned i = 0; i < ORIGIN_COUNT; i++)
		ck_assert_uint_eq(
		    origin_find(span_of(origin_name((enum origin)(1u << i)))),
		    1u << i);
	ck_assert_uint_eq(origin_find(SPAN("stranger")), 0);
}
END_TEST

static Suite *
facts_suite(void)
{
	Suite *s = suite_create("facts");
	TCase *tc = tcase_create("facts");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, knows_the_operators_words);
	tcase_add_test(tc, a_piece_is_not_named);
	tcase_add_test(tc, a_group_of_digits_is_no_number);
	tcase_add_test(tc, forgets_what_it_cannot_keep);
	tcase_add_test(tc, no_phrase_spans_two_tasks);
	tcase_add_test(tc, adds_origins_up);
	tcase_add_test(tc, names_objects_by_title);
	tcase_add_test(tc, is_bounded);
	tcase_add_test(tc, has_a_word_for_each_origin);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run_suite(facts_suite());
}
