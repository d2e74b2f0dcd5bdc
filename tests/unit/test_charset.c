/*
 * Character sets: reader/charset.h, with the iconv(3) of this system. Each
 * text of a row is decoded twice, for what the first time leaves behind.
 */
#include <check.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "common/text.h"
#include "reader/charset.h"
#include "tests/unit/run_suite.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(text) text, sizeof text - 1
#define BAD "\xef\xbf\xbd"

/* Texts that need no decoding are told by the same rules. */
static const struct {
	const char *label, *in;
	bool same;
} stays[] = {
    {"", "a", true},
    {"utf-8", "\xc3\xa9", true},
    {"utf-8", "\xe9", false},
    {"utf-8", "\xef\xbb\xbf", false},
    {"x-none", "\xc3\xa9", true},
    {"iso-8859-1", "a\\~", true},
    {"iso-8859-1", "\xc3\xa9", false},
    {"euc-kr", "a\\~", true},
    {"big5", "a\\~", true},
    {"gb2312", "a\\~", true},
    {"koi8-r", "a\\~", true},
    {"windows-1258", "a\\~", true},
    {"ibm437", "a\\~", true},
    {"iso-2022-jp", "a", false},
    {"utf-16", "ab", false},
    {"shift_jis", "a", false},
};

START_TEST(texts_that_stay)
{
	struct span in = span_of(stays[_i].in),
		    label = span_of(stays[_i].label);
	uint64_t replaced = 0;
	struct buf text;

	ck_assert(charset_is_utf8(label, in) == stays[_i].same);
	if (!stays[_i].same)
		return;
	buf_init(&text, 1000);
	ck_assert_int_eq(charset_decode(label, in, &text, &replaced), 0);
	ck_assert(span_equal((struct span){text.data, text.len}, in));
	ck_assert_uint_eq(replaced, 0);
	buf_free(&text);
}
END_TEST

static const struct {
	const char *label, *in;
	size_t n;
	const char *text;
	uint64_t replaced;
} rows[] = {
    {"iso-8859-1", BYTES("caf\xe9 \x80"), "café €", 0},
    {"iso-8859-2", BYTES("\xb3\xf3\xbf"), "łóż", 0},
    {"koi8-r", BYTES("\xc4\xc1"), "да", 0},
    {"windows-1253", BYTES("\xe1\xe2"), "αβ", 0},
    {"windows-874", BYTES("\xa1\xd2"), "กา", 0},
    /* a converter may keep the last letter back, for an accent */
    {"windows-1255", BYTES("\xf9"), "ש", 0},
    {"windows-1258", BYTES("z"), "z", 0},
    {"windows-1258", BYTES("b\xd2z"), "b\xcc\x89z", 0},
    {"gb2312", BYTES("\xc4\xe3\xba\xc3"), "你好", 0},
    {"big5", BYTES("\xa7\x41\xa6\x6e"), "你好", 0},
    {"euc-jp", BYTES("\xa4\xa2\xa4\xa4"), "あい", 0},
    {"shift_jis", BYTES("\x82\xa0z"), "あz", 0},
    {"euc-kr", BYTES("\xb0\xa1"), "가", 0},
    {"iso-2022-jp", BYTES("\x1b$B\x24\x22\x1b(Bz"), "あz", 0},
    /* ends shifted: the next text must not start so */
    {"iso-2022-jp", BYTES("$\" \x1b$B\x24\x22"), "$\" あ", 0},
    {"utf-16",
	BYTES("\xff\xfe"
	      "A\0"),
	"A", 0},
    {"utf-16",
	BYTES("\xfe\xff"
	      "\0A"),
	"A", 0},
    {"utf-16be", BYTES("\0A\0B"), "AB", 0},
    {"utf-16", BYTES("A\0B\0"), "AB", 0},
    {"utf-16be", BYTES("\xff\xfe"), "", 0},
    /* bytes that are none in their set */
    {"utf-8", BYTES("a\xff"), "a" BAD, 1},
    {"utf-8", BYTES("\xed\xa0\x80"), BAD BAD BAD, 3},
    {"koi8-r", BYTES(""), "", 0},
    {"euc-jp", BYTES("\xff z"), BAD " z", 1},
    {"utf-16le", BYTES("A\0z"), "A" BAD, 1},
    /* behind half a pair the next two bytes are one character */
    {"utf-16le", BYTES("\0\xd8 Ig\0"), BAD "\xe4\xa4\xa0g", 1},
    {"utf-16be", BYTES("\xd8\0I \0g"), BAD "\xe4\xa4\xa0g", 1},
    {"utf-16le", BYTES("A\0\0\xd8"), "A" BAD, 1},
    /* no label, or none we know: UTF-8 if it is that */
    {"", BYTES("\xc3\xa9"), "é", 0},
    {"", BYTES("\xe9"), "é", 0},
    {"../../etc/x", BYTES("\xc3\xa9"), "é", 0},
    {"us-ascii", BYTES("\xe9"), "é", 0},
};

static void
decode(int row)
{
	uint64_t replaced = 0;
	struct span in = {rows[row].in, rows[row].n};
	struct buf out;

	buf_init(&out, 1000);
	ck_assert_int_eq(
	    charset_decode(span_of(rows[row].label), in, &out, &replaced), 0);
	ck_assert_uint_eq(out.len, strlen(rows[row].text));
	if (out.len != 0)
		ck_assert_mem_eq(out.data, rows[row].text, out.len);
	ck_assert_uint_eq(replaced, rows[row].replaced);
	buf_free(&out);
}

START_TEST(is_decoded_twice)
{
	charset_warm();
	decode(_i);
	decode(_i);
}
END_TEST

START_TEST(after_every_other)
{
	charset_warm();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		decode((int)i);
		decode(_i);
	}
}
END_TEST

/* Longer than what is converted at once, with a character on the border. */
START_TEST(many_chunks)
{
	static char in[100001];
	uint64_t replaced = 0;
	struct buf out;

	in[0] = 'z';
	for (size_t i = 1; i < sizeof in; i += 2) {
		in[i] = '\xa4';
		in[i + 1] = '\xa2';
	}
	buf_init(&out, 1000000);
	ck_assert_int_eq(charset_decode(span_of("euc-jp"),
			     (struct span){in, sizeof in}, &out, &replaced),
	    0);
	ck_assert_uint_eq(out.len, 1 + 3 * (sizeof in / 2));
	ck_assert_uint_eq(replaced, 0);
	buf_free(&out);
}
END_TEST

START_TEST(labels)
{
	ck_assert(charset_known(span_of("")));
	ck_assert(charset_known(span_of("UTF-8")));
	ck_assert(charset_known(span_of("Latin1")));
	ck_assert(charset_known(span_of("SHIFT_JIS")));
	ck_assert(!charset_known(span_of("utf-7")));
	ck_assert(!charset_known(span_of("utf-8//translit")));
	ck_assert(!charset_known(span_of("../../etc/x")));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("charset");
	TCase *texts = tcase_create("texts");

	tcase_add_loop_test(texts, is_decoded_twice, 0, COUNT_OF(rows));
	tcase_add_loop_test(texts, after_every_other, 0, COUNT_OF(rows));
	tcase_add_loop_test(texts, texts_that_stay, 0, COUNT_OF(stays));
	tcase_add_test(texts, many_chunks);
	tcase_add_test(texts, labels);
	suite_add_tcase(suite, texts);
	return run_suite(suite);
}
