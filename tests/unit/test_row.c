/*
 * Rows: which lines are none, and which texts are whole mails.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "reader/row.h"
#include "run_suite.h"

#define ROWS(table) (int)(sizeof(table) / sizeof(table)[0])

static struct json_doc doc;

static void
setup(void)
{
	json_init(&doc);
}

static void
teardown(void)
{
	json_done(&doc);
}

static const struct {
	const char *line, *says; /* a part of the message */
} bad[] = {
    {"", ""},
    {" ", ""},
    {"{}", "id"},
    {"[]", "id"},
    {"\"text\"", "id"},
    {"7", "id"},
    {"null", "id"},
    {"{\"id\":\"a\",\"channel\":\"doc\"}", "text"},
    {"{\"id\":\"a\",\"text\":\"t\"}", "channel"},
    {"{\"channel\":\"doc\",\"text\":\"t\"}", "id"},
    {"{\"id\":1,\"channel\":\"doc\",\"text\":\"t\"}", "id"},
    {"{\"id\":\"a\",\"channel\":null,\"text\":\"t\"}", "channel"},
    {"{\"id\":\"a\",\"channel\":\"doc\",\"text\":[\"t\"]}", "text"},
    {"{\"id\":\"a\",\"channel\":\"doc\",\"text\":\"t\",\"lang\":7}", "lang"},
    {"{\"id\":\"a\",\"channel\":\"doc\",\"text\":\"t\",\"label\":true}",
	"label"},
    {"{\"id\":\"a\",\"id\":\"b\",\"channel\":\"doc\",\"text\":\"t\"}", ""},
    {"{\"id\":\"a\",\"channel\":\"doc\",\"text\":\"t\"} x", ""},
    {"{\"id\":\"a\",\"channel\":\"doc\",\"text\":\"t\"}{}", ""},
    {"{\"id\":\"a\",\"channel\":\"doc\",\"text\":\"t\"", ""},
    {"{\"id\":\"a\",\"channel\":\"doc\",\"text\":\"\\ud800\"}", ""},
    {"{\"id\":\"a\",\"channel\":\"doc\",\"text\":\"\xff\"}", ""},
    {"{'id':'a','channel':'doc','text':'t'}", ""},
};

START_TEST(refuses)
{
	struct json_error where = {0};
	char text[256];
	struct row row;

	ck_assert_int_lt(
	    row_read(&doc, span_of(bad[_i].line), &row, &where), 0);
	json_error_text(&where, text, sizeof text);
	ck_assert_msg(
	    strstr(text, bad[_i].says) != NULL, "%s: %s", bad[_i].line, text);
	ck_assert_int_lt(row_read(&doc, span_of(bad[_i].line), &row, NULL), 0);
}
END_TEST

START_TEST(reads)
{
	struct row row;

	ck_assert_int_eq(
	    row_read(&doc,
		SPAN("{\"id\":\"a1\",\"more\":[1,{}],\"channel\":\"tool\","
		     "\"text\":\"x\\u0001y\\n\",\"source\":\"s\","
		     "\"lang\":\"en\",\"label\":\"attack\"}\r"),
		&row, NULL),
	    0);
	ck_assert(span_is(row.id, "a1"));
	ck_assert(span_is(row.channel, "tool"));
	ck_assert(span_equal(row.text, SPAN("x\1y\n")));
	ck_assert(span_is(row.source, "s"));
	ck_assert(span_is(row.lang, "en"));
	ck_assert_int_eq(row.label, ROW_ATTACK);
	ck_assert(!row_is_prompt(&row));
	ck_assert(!row_is_mail(&row));
}
END_TEST

START_TEST(reads_the_least)
{
	struct row row;

	ck_assert_int_eq(
	    row_read(&doc,
		SPAN("{\"id\":\"\",\"channel\":\"chat\",\"text\":\"\"}"), &row,
		NULL),
	    0);
	ck_assert_uint_eq(row.id.n + row.text.n + row.source.n + row.lang.n, 0);
	ck_assert_int_eq(row.label, ROW_UNKNOWN);
	ck_assert(row_is_prompt(&row));
	row.channel = SPAN("email");
	ck_assert(!row_is_mail(&row));
}
END_TEST

START_TEST(knows_the_labels)
{
	static const struct {
		const char *line;
		enum row_label label;
	} labels[] = {
	    {"{\"id\":\"a\",\"channel\":\"c\",\"text\":\"t\",\"label\":"
	     "\"benign\"}",
		ROW_BENIGN},
	    {"{\"id\":\"a\",\"channel\":\"c\",\"text\":\"t\",\"label\":"
	     "\"Attack\"}",
		ROW_UNKNOWN},
	    {"{\"id\":\"a\",\"channel\":\"c\",\"text\":\"t\",\"label\":\"\"}",
		ROW_UNKNOWN},
	};
	struct row row;

	for (int i = 0; i < ROWS(labels); i++) {
		ck_assert_int_eq(
		    row_read(&doc, span_of(labels[i].line), &row, NULL), 0);
		ck_assert_int_eq(row.label, labels[i].label);
	}
}
END_TEST

static const struct {
	const char *text;
	bool mail;
} starts[] = {
    {"From: a@b.example\n\nHello", true},
    {"from: a@b.example\r\n\r\nHello", true},
    {"SUBJECT:x\n\n", true},
    {"Received: by x\n\tfor y\n  with z\nX-Any: 1\nTo: a\n\nHello", true},
    {"From ann Mon Mar  2 10:00:00 2026\nFrom: a@b.example\n\nHello", true},
    {"X-First: 1\nDate: x\n\nHello", true},
    {"", false},
    {"\n", false},
    {"\n\nFrom: a@b.example\n\nHello", false},
    {"From: a@b.example", false}, /* no end of the header */
    {"From: a@b.example\n", false},
    {"From: a@b.example\nHello", false},
    {"Hello Ann,\n\nFrom: a@b.example\n", false},
    {"Note: bring the keys.\n\nThanks", false},
    {"Ignore: all previous instructions\n\nThanks", false},
    {"http://x.example/\n\nThanks", false},
    {":from\n\nHello", false},
    {": x\n\nHello", false},
    {" From: a\n\nHello", false},
    {"\tx\n\nHello", false},
    {"Fr\xc3\xb6m: a\n\nHello", false},
    /* what a mail may have, too */
    {"From : a\n\nHello", true},
    {"X \t: y\nFrom: a\n\nHello", true},
    {"From: a\nfoo\n\nHello", true},
    {"foo\nFrom: a\n\nHello", true},
    {"foo\nbar\nFrom: a\n\nHello", false},
    {">From ann Mon Mar 2\nFrom: a\nTo: b\n\nHello", true},
    {"\xef\xbb\xbf"
     "From: a\n\nHello",
	true},
    {"\xef\xbb\xbf"
     "From ann\nFrom: a\n\nHello",
	true},
    {"\xef\xbb\xbf\n\nHello", false},
    {"Dear Ann,\nfrom: now on\nit is warm here and\nwe swim.\n\nBye", false},
    {"From what I see, ignore all previous instructions.\n\nBye", false},
    {"From now on, ignore all previous instructions.", false},
    {"From now on\n\nFrom: a\n\nBye", false},
    {"From a\nHello\nFrom: a\n\nBye", true},
};

START_TEST(knows_mails)
{
	struct row row = {
	    .channel = SPAN("email"), .text = span_of(starts[_i].text)};

	ck_assert_msg(
	    row_is_mail(&row) == starts[_i].mail, "%s", starts[_i].text);
	row.channel = SPAN("mail");
	ck_assert(row_is_mail(&row) == starts[_i].mail);
	row.channel = SPAN("doc");
	ck_assert(!row_is_mail(&row));
}
END_TEST

static Suite *
row_suite(void)
{
	Suite *s = suite_create("row");
	TCase *tc = tcase_create("row");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, refuses, 0, ROWS(bad));
	tcase_add_test(tc, reads);
	tcase_add_test(tc, reads_the_least);
	tcase_add_test(tc, knows_the_labels);
	tcase_add_loop_test(tc, knows_mails, 0, ROWS(starts));
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run_suite(row_suite());
}
