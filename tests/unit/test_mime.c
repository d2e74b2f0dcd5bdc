/*
 * The parts under the mail reader: the bounding scan, the MIME tree,
 * character sets, flowed text, comparison of texts.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "linear.h"
#include "proto/clean.h"
#include "reader/charset.h"
#include "reader/compare.h"
#include "reader/flowed.h"
#include "reader/limits.h"
#include "reader/mime.h"
#include "reader/scan.h"

static struct record notes;
static struct scan scan;
static struct buf text;

static void
setup(void)
{
	record_init(&notes);
	buf_init(&text, 64u << 20);
}

static void
teardown(void)
{
	record_done(&notes);
	buf_free(&text);
}

static void
repeat(const char *piece, int times)
{
	while (times-- > 0)
		ck_assert_int_eq(buf_add_text(&text, piece), 0);
}

static void
run_scan(void)
{
	scan_mail((struct span){text.data, text.len}, &notes, &scan);
}

START_TEST(scan_keeps_an_ordinary_mail)
{
	repeat("From: a@b\r\nContent-Type: multipart/mixed;\r\n"
	       " boundary=\"q q\"\r\n\r\n--q q\r\n\r\nx\r\n--q q--\r\n",
	    1);
	run_scan();
	ck_assert_uint_eq(scan.mail.n, text.len);
	ck_assert_int_eq(memcmp(scan.mail.p, text.data, text.len), 0);
	ck_assert_uint_eq(scan.findings, 0);
	ck_assert_uint_eq(scan.parts, 1);
	ck_assert(!scan.cut);
	scan_done(&scan);
}
END_TEST

START_TEST(scan_bounds_parts)
{
	repeat("Content-Type: multipart/mixed; boundary=b\n\n", 1);
	repeat("--b\n\nx\n", MAIL_PARTS * 3);
	run_scan();
	ck_assert_uint_eq(scan.parts, MAIL_PARTS * 3);
	ck_assert_uint_eq(scan.parts_kept, MAIL_PARTS);
	ck_assert_uint_lt(scan.mail.n, text.len / 2);
	ck_assert(scan.cut);
	scan_done(&scan);
}
END_TEST

/* A boundary that only a full parser reads has to be bounded as well. */
START_TEST(scan_bounds_unreadable_boundaries)
{
	repeat("Content-Type: multipart/mixed; boundary*=utf-8''b\n\n", 1);
	repeat("--b\n\nx\n", MAIL_PARTS * 3);
	run_scan();
	ck_assert_uint_eq(scan.parts_kept, MAIL_PARTS);
	scan_done(&scan);
}
END_TEST

/* The parameter is what counts, not the end of another name; and where it may
 * stand in quotes, every line that looks like a boundary is one. */
static const char *const decoys[] = {
    "multipart/mixed; x-boundary=q; boundary=b",
    "multipart/mixed; boundary=b; x-boundary=q",
    "multipart/mixed; x=\"; boundary=q\"; boundary=b",
    "multipart/mixed;x-boundary=q;boundary=b",
};

START_TEST(scan_bounds_behind_decoys)
{
	struct mime *m;

	repeat("Content-Type: ", 1);
	repeat(decoys[_i], 1);
	repeat("\n\n", 1);
	repeat("--b\n\nx\n", MAIL_PARTS * 3);
	m = mime_new((struct span){text.data, text.len});
	ck_assert_uint_eq(mime_count(m), MAIL_PARTS + 1);
	ck_assert_uint_eq(mime_left_out(m), MAIL_PARTS * 2);
	mime_free(m);
	run_scan();
	ck_assert_uint_eq(scan.parts_kept, MAIL_PARTS);
	scan_done(&scan);
}
END_TEST

START_TEST(scan_leaves_dashes_in_text_alone)
{
	repeat("Subject: patch\n\n", 1);
	repeat("--- a/file\n+++ b/file\n--\n", MAIL_PARTS * 3);
	run_scan();
	ck_assert_uint_eq(scan.mail.n, text.len);
	ck_assert_uint_eq(scan.parts, 0);
	scan_done(&scan);
}
END_TEST

START_TEST(scan_dissolves_what_is_deep)
{
	struct mime *m;

	repeat("Content-Type: multipart/mixed; boundary=b\n\n--b\n",
	    MAIL_PARTS * 3);
	repeat("\nat the bottom\n", 1);
	run_scan();
	ck_assert(!scan.cut);
	ck_assert(scan.findings & FINDING_BIT(FINDING_DEEP));
	ck_assert_uint_eq(scan.parts, MAIL_PARTS * 3);
	ck_assert_uint_lt(scan.mail.n, text.len / 10);
	m = mime_new(scan.mail);
	ck_assert_uint_eq(mime_count(m), MAIL_DEPTH + 1);
	ck_assert_uint_eq(mime_left_out(m), 0);
	mime_free(m);
	scan_done(&scan);
}
END_TEST

/* Parts below and behind a dissolved multipart stay, what is around its parts
 * goes, and a later level that is not too deep is as it was. */
START_TEST(scan_keeps_parts_of_what_is_dissolved)
{
	static const char want[] = "--n49\r\n\none\n--n49\r\n\ntwo\n--n49\n\n"
				   "three\n--n49--\nafter\n--n0\n\nfour\n";

	for (int i = 0; i < MAIL_DEPTH + 1; i++) {
		char *head = alloc_format(
		    "Content-Type: multipart/mixed; boundary=n%d\n\nbefore\n"
		    "--n%d\n",
		    i, i);

		repeat(head, 1);
		free(head);
	}
	repeat("\none\n--n50\n\ntwo\n--n50--\nbetween\n--n49\n\nthree\n"
	       "--n49--\nafter\n--n0\n\nfour\n",
	    1);
	run_scan();
	ck_assert_uint_gt(scan.mail.n, strlen(want));
	ck_assert_msg(memcmp(scan.mail.p + scan.mail.n - strlen(want), want,
			  strlen(want)) == 0,
	    "%.*s", (int)scan.mail.n, scan.mail.p);
	ck_assert_ptr_null(memmem(scan.mail.p, scan.mail.n, "n50", 3));
	scan_done(&scan);
}
END_TEST

/* Many levels and many lines that could be a boundary of each. */
START_TEST(scan_bounds_its_own_work)
{
	for (int i = 0; i < MAIL_DISSOLVED_DEPTH + 5; i++) {
		char *head = alloc_format(
		    "Content-Type: multipart/mixed; boundary=n%d\n\n--n%d\n", i,
		    i);

		repeat(head, 1);
		free(head);
	}
	repeat("\n", 1);
	repeat("--n1\n--x\n", 1);
	repeat("--nothing of that kind\n", 1000000);
	run_scan();
	ck_assert(scan.cut);
	scan_done(&scan);
}
END_TEST

START_TEST(scan_bounds_headers)
{
	repeat("X: ", 1);
	repeat("0123456789\n ", 100000);
	repeat("\nSubject: after the bomb\n\n", 1);
	run_scan();
	ck_assert_uint_le(scan.mail.n, MAIL_FIELD_BYTES + 100);
	ck_assert_uint_gt(scan.headers, 1000000);
	ck_assert_ptr_nonnull(
	    memmem(scan.mail.p, scan.mail.n, "after the bomb", 14));
	scan_done(&scan);
}
END_TEST

static const struct {
	const char mail[80];
	enum finding finding;
} odd[] = {
    {"From: a\nFrom: b\n\n", FINDING_DUPLICATE_FROM},
    {"from: a\nFROM : b\n\n", FINDING_DUPLICATE_FROM},
    {"To: a\nTo: b\n\n", FINDING_DUPLICATE_RECIPIENTS},
    {"Content-Type: a/b\nContent-Type: c/d\n\n",
	FINDING_DUPLICATE_CONTENT_TYPE},
    {"Subject : a\n\n", FINDING_BLANK_BEFORE_COLON},
    {"no colon here\n\n", FINDING_BAD_HEADER_LINE},
    {"A: b\n \nC: d\n\n", FINDING_BAD_HEADER_LINE},
    {"A: b\rC: d\n\n", FINDING_BARE_CR},
    {"A: \xff\n\n", FINDING_RAW_8BIT_HEADER},
    {"From a@b Mon\nA: b\n\n", FINDING_MBOX_FROM},
    {"\nbody", FINDING_NO_HEADER},
    {"A: b\r\n\r\nx\n", FINDING_MIXED_LINE_ENDS},
    {"A: b\n\nx\ry\n", FINDING_BARE_CR},
    {"A: b\n\nx\n>From y\n", FINDING_MBOX_INSIDE},
    {"A: b\n\nx\n\nFrom y@z Mon\n", FINDING_MBOX_INSIDE},
    {"A: b\0c\n\n", FINDING_NUL_IN_HEADER},
    {"Content-Type: multipart/mixed; boundary=b\n\n--bb\n",
	FINDING_UNSURE_BOUNDARY},
    {"Content-Type: multipart/mixed; a=\"; boundary=c\"; boundary=b\n\n",
	FINDING_UNSURE_BOUNDARY},
    {"Content-Type: multipart/mixed; boundary(b)=b\n\n--b\n",
	FINDING_UNSURE_BOUNDARY},
};

/* The word in a boundary's own text is nothing odd. */
START_TEST(scan_finds_nothing)
{
	repeat(
	    "Content-Type: multipart/mixed;\n\tboundary=\"my_boundary(b)\"\n\n"
	    "--my_boundary(b)\n\nx\n--my_boundary(b)--\n",
	    1);
	run_scan();
	ck_assert_uint_eq(scan.findings, 0);
	scan_done(&scan);
}
END_TEST

START_TEST(scan_finds)
{
	ck_assert_int_eq(buf_add(&text, odd[_i].mail, sizeof odd[_i].mail), 0);
	while (text.data[text.len - 1] == '\0')
		text.len--;
	run_scan();
	ck_assert_uint_ne(scan.findings & FINDING_BIT(odd[_i].finding), 0);
	scan_done(&scan);
}
END_TEST

START_TEST(tree_in_text_order)
{
	static const char mail[] =
	    "Content-Type: Multipart/Mixed; boundary=a\n\n"
	    "--a\nContent-Type: multipart/alternative; boundary=b\n\n"
	    "--b\n\none\n--b\nContent-Type: TEXT/HTML; charset=x\n\ntwo\n"
	    "--b--\n"
	    "--a\nContent-Type: message/rfc822\n\nSubject: s\n\nthree\n"
	    "--a\nContent-Type: image/png; name=p.png\n"
	    "Content-Disposition: inline\nContent-ID: <i@d>\n\nfour\n"
	    "--a--\n";
	static const struct {
		const char *type;
		enum mime_kind kind;
		size_t end;
	} want[] = {
	    {"multipart/mixed", MIME_MULTIPART, 7},
	    {"multipart/alternative", MIME_MULTIPART, 4},
	    {"text/plain", MIME_LEAF, 3},
	    {"text/html", MIME_LEAF, 4},
	    {"message/rfc822", MIME_MESSAGE, 6},
	    {"text/plain", MIME_LEAF, 6},
	    {"image/png", MIME_LEAF, 7},
	};
	struct mime *m = mime_new(SPAN(mail));

	ck_assert_uint_eq(mime_count(m), 7);
	for (size_t i = 0; i < 7; i++) {
		ck_assert_str_eq(mime_part(m, i)->type, want[i].type);
		ck_assert_int_eq(mime_part(m, i)->kind, want[i].kind);
		ck_assert_uint_eq(mime_part(m, i)->end, want[i].end);
	}
	ck_assert_str_eq(mime_part(m, 3)->charset, "x");
	ck_assert_str_eq(mime_part(m, 6)->name, "p.png");
	ck_assert_str_eq(mime_part(m, 6)->id, "i@d");
	ck_assert(mime_part(m, 6)->inlined);
	mime_free(m);
}
END_TEST

START_TEST(no_mail_at_all)
{
	struct mime *m = mime_new(SPAN(""));

	ck_assert_uint_eq(mime_count(m), 0);
	ck_assert_ptr_null(mime_header(m, "From", 0));
	mime_free(m);
}
END_TEST

static const struct {
	const char *label, *bytes, *want;
	unsigned replaced;
} sets[] = {
    {"", "caf\xc3\xa9", "caf\xc3\xa9", 0},
    {"", "caf\xe9", "caf\xc3\xa9", 0},
    {"us-ascii", "\x93q\x94", "\xe2\x80\x9cq\xe2\x80\x9d", 0},
    {"UTF-8", "\xef\xbb\xbfx\xff", "x\xef\xbf\xbd", 1},
    {"ISO-8859-1", "\x80", "\xe2\x82\xac", 0},
    {"iso-8859-2", "\xb1", "\xc4\x85", 0},
    {"koi8-r", "\xf4", "\xd0\xa2", 0},
    {"shift_jis", "\x83\x65", "\xe3\x83\x86", 0},
    {"iso-2022-jp", "\x1b$B%F\x1b(B", "\xe3\x83\x86", 0},
    {"gb2312", "\xc4\xe3", "\xe4\xbd\xa0", 0},
    {"euc-kr", "\xc7\xd1", "\xed\x95\x9c", 0},
    {"big5", "\xa7\x41", "\xe4\xbd\xa0", 0},
    {"euc-jp", "\xa5\xff!", "\xef\xbf\xbd\xef\xbf\xbd!", 2},
    {"../../tmp/evil", "x\xe9", "x\xc3\xa9", 0},
    {"utf-7", "+ADw-", "+ADw-", 0},
};

START_TEST(character_sets)
{
	uint64_t replaced = 0;

	ck_assert_int_eq(charset_decode(span_of(sets[_i].label),
			     span_of(sets[_i].bytes), &text, &replaced),
	    0);
	ck_assert_uint_eq(text.len, strlen(sets[_i].want));
	ck_assert_int_eq(memcmp(text.data, sets[_i].want, text.len), 0);
	ck_assert_uint_eq(replaced, sets[_i].replaced);
}
END_TEST

START_TEST(unknown_character_sets)
{
	ck_assert(charset_known(SPAN("")));
	ck_assert(charset_known(SPAN("Windows-1252")));
	ck_assert(!charset_known(SPAN("utf-7")));
	ck_assert(!charset_known(SPAN("../../tmp/evil")));
}
END_TEST

static const struct {
	const char *in, *want;
	bool delsp;
} flows[] = {
    {"a \nb\nc\n", "a b\nc\n", false},
    {"a \r\nb\r\n", "ab\n", true},
    {"> q \n> r\n>> s\n", "> q r\n>> s\n", false},
    {"> q \nown\n", "> q \nown\n", false},
    {" >not a quote\n", ">not a quote\n", false},
    {"x \n-- \nme\n", "x \n-- \nme\n", false},
    {"end ", "end ", false},
    {"", "", false},
};

START_TEST(flowed_text)
{
	ck_assert_int_eq(
	    flowed_add(&text, span_of(flows[_i].in), flows[_i].delsp), 0);
	ck_assert_uint_eq(text.len, strlen(flows[_i].want));
	ck_assert(
	    text.len == 0 || memcmp(text.data, flows[_i].want, text.len) == 0);
}
END_TEST

static const struct {
	const char *text, *shown;
	unsigned of_text, of_shown;
} shares[] = {
    {"One two", "two, ONE!", 100, 100},
    {"a b c d", "a x", 25, 50},
    {"", "x", 100, 0},
    {"x", "", 0, 100},
};

START_TEST(compared_texts)
{
	struct compare with;
	unsigned of_text, of_shown;

	compare_begin(&with, span_of(shares[_i].shown));
	compare_shares(&with, span_of(shares[_i].text), &of_text, &of_shown);
	ck_assert_uint_eq(of_text, shares[_i].of_text);
	ck_assert_uint_eq(of_shown, shares[_i].of_shown);
	compare_end(&with);
}
END_TEST

/* Two texts, and what only the first says. */
static const struct {
	const char *a, *b, *unseen;
} unseen_rows[] = {
    {"", "", ""},
    {"Lunch at noon on Monday?", "Lunch at noon on Monday?", ""},
    {"lunch, at NOON\non Monday", "<p>Lunch at noon on Monday!", ""},
    {"Lunch at noon.\nForward this to all partners.\nYours, Ann",
	"Lunch at noon. Yours, Ann", "Forward this to all partners|"},
    {"forward this to all partners", "", "forward this to all partners|"},
    /* the same words in another order */
    {"this partners to all forward now", "forward this to all partners",
	"this partners to all forward now|"},
    {"two words only here", "", ""},
    {"one of this text lunch at noon and one of that sort", "lunch at noon",
	"and one of that sort|"},
    {"something that is here x lunch at noon on Monday y and that is here too",
	"lunch at noon on Monday",
	"something that is here x|y and that is here too|"},
    {"\u8bf7\u628a\u6b64\u90ae\u4ef6\u8f6c\u53d1\uff01", "ok",
	"\u8bf7\u628a\u6b64\u90ae\u4ef6\u8f6c\u53d1\uff01|"},
    {"\u8bf7\u628a\u6b64\u90ae\u4ef6\u8f6c\u53d1\uff01",
	"\u8bf7\u628a\u6b64\u90ae\u4ef6\u8f6c\u53d1\uff01", ""},
};

static void
take_unseen(void *with, struct span run)
{
	ck_assert_int_eq(buf_add(with, run.p, run.n), 0);
	ck_assert_int_eq(buf_add_byte(with, '|'), 0);
}

START_TEST(unseen_texts)
{
	struct compare with;

	compare_begin(&with, span_of(unseen_rows[_i].b));
	compare_unseen(&with, span_of(unseen_rows[_i].a), take_unseen, &text);
	compare_end(&with);
	ck_assert_int_eq(buf_add_byte(&text, '\0'), 0);
	ck_assert_str_eq(text.data, unseen_rows[_i].unseen);
}
END_TEST

static void
compare_versions(size_t bytes, int row)
{
	struct compare with;
	struct buf shown;

	(void)row;
	buf_init(&shown, bytes);
	for (int i = 0; buf_add_format(&shown, "word%x ", i) == 0; i++)
		continue;
	compare_begin(&with, (struct span){shown.data, shown.len});
	for (size_t i = 0; i < bytes / 100; i++)
		compare_unseen(&with, SPAN("a"), take_unseen, &text);
	compare_end(&with);
	buf_free(&shown);
}

/* Each version costs what it is long, however much is shown. */
START_TEST(compares_many_versions)
{
	expect_linear(compare_versions, 1u << 20, 0);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

int
main(void)
{
	Suite *suite = suite_create("mime");
	TCase *tcase = tcase_create("mime");
	SRunner *runner;
	int failed;

	mime_warm();
	tcase_set_timeout(tcase, 60); /* with sanitizers, on a busy machine */
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, scan_keeps_an_ordinary_mail);
	tcase_add_test(tcase, scan_bounds_parts);
	tcase_add_test(tcase, scan_bounds_unreadable_boundaries);
	tcase_add_loop_test(tcase, scan_bounds_behind_decoys, 0, ROWS(decoys));
	tcase_add_test(tcase, scan_leaves_dashes_in_text_alone);
	tcase_add_test(tcase, scan_dissolves_what_is_deep);
	tcase_add_test(tcase, scan_keeps_parts_of_what_is_dissolved);
	tcase_add_test(tcase, scan_bounds_its_own_work);
	tcase_add_test(tcase, scan_bounds_headers);
	tcase_add_test(tcase, scan_finds_nothing);
	tcase_add_loop_test(tcase, scan_finds, 0, ROWS(odd));
	tcase_add_test(tcase, tree_in_text_order);
	tcase_add_test(tcase, no_mail_at_all);
	tcase_add_loop_test(tcase, character_sets, 0, ROWS(sets));
	tcase_add_test(tcase, unknown_character_sets);
	tcase_add_loop_test(tcase, flowed_text, 0, ROWS(flows));
	tcase_add_loop_test(tcase, compared_texts, 0, ROWS(shares));
	tcase_add_test(tcase, compares_many_versions);
	tcase_add_loop_test(tcase, unseen_texts, 0, ROWS(unseen_rows));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
