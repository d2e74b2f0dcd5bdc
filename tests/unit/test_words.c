/*
 * Header texts and parameters: reader/words.h, reader/param.h.
 */
#include <check.h>
#include <string.h>

#include "common/buf.h"
#include "proto/clean.h"
#include "reader/charset.h"
#include "reader/limits.h"
#include "reader/param.h"
#include "reader/words.h"
#include "tests/unit/run_suite.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BAD_WORD FINDING_BIT(FINDING_BAD_ENCODED_WORD)
#define UNKNOWN FINDING_BIT(FINDING_UNKNOWN_CHARSET)
#define UNDECODABLE FINDING_BIT(FINDING_UNDECODABLE_TEXT)
#define CONFLICT FINDING_BIT(FINDING_CONFLICTING_PARAMETER)

static struct buf out, other;

static void
setup(void)
{
	buf_init(&out, MAIL_HEADER_TEXT);
	buf_init(&other, 4 * MAIL_FIELD_BYTES);
}

static void
teardown(void)
{
	buf_free(&out);
	buf_free(&other);
}

static void
expect(const struct buf *text, const char *want)
{
	ck_assert_msg(
	    text->len == strlen(want) &&
		(text->len == 0 || memcmp(text->data, want, text->len) == 0),
	    "\"%.*s\" is not \"%s\"", (int)text->len, text->data, want);
}

static const struct {
	const char *raw, *want;
	uint64_t findings;
} texts[] = {
    {"plain", "plain", 0},
    {"folded\r\n text", "folded text", 0},
    {"raw caf\xc3\xa9", "raw café", 0},
    {"raw caf\xe9", "raw café", 0},
    {"=?utf-8?q?caf=C3=A9?=", "café", 0},
    {"=?UTF-8*en?B?Y2Fmw6k=?=", "café", 0},
    {"=?iso-8859-1?q?a_b?= c", "a b c", 0},
    {"a =?utf-8?q?b?= =?utf-8?q?c?= d", "a bc d", 0},
    {"=?utf-8?q?b?=\r\n\t=?utf-8?q?c?=", "bc", 0},
    {"=?utf-8?q?b?==?utf-8?q?c?=", "bc", 0},
    {"=?euc-kr?B?x9E=?= =?koi8-r?B?xME=?=", "한да", 0},
    {"=?iso-2022-jp?B?GyRCJCIbKEI=?=", "あ", 0},
    /* one letter in two words */
    {"=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é", BAD_WORD},
    {"=?utf-8?b?w6?=", "\xef\xbf\xbd", BAD_WORD | UNDECODABLE},
    {"=?utf-8?q?=FF?=", "\xef\xbf\xbd", BAD_WORD | UNDECODABLE},
    {"=?utf-8?b?Y#WJj?=", "abc", BAD_WORD},
    {"=?utf-7?q?+ADw-?=", "+ADw-", UNKNOWN},
    {"=?../../x?q?a?=", "a", UNKNOWN},
    {"=?utf-8?x?a?=", "=?utf-8?x?a?=", BAD_WORD},
    {"=?utf-8?q?a b?=", "=?utf-8?q?a b?=", BAD_WORD},
    {"=?utf-8?q?", "=?utf-8?q?", BAD_WORD},
    {"=?", "=?", BAD_WORD},
    {"=?=?utf-8?q?a?=", "=?a", BAD_WORD},
    {"1 = 2", "1 = 2", 0},
    {"=?utf-8?q?=4?=", "=4", 0},
    {"", "", 0},
};

START_TEST(texts_are_decoded)
{
	uint64_t findings = 0;

	words_decode(span_of(texts[_i].raw), &out, &findings);
	expect(&out, texts[_i].want);
	ck_assert_uint_eq(findings, texts[_i].findings);
}
END_TEST

static const char *const maskable[] = {
    "=?utf-8?q?a=2C,_<b>?= \"=?x?q?\"?=\" <=?utf-8?q?c?=@d> =!zz!= =!",
    "x <=!626f737340636f72702e6578616d706c65!=>",
    "=!3d21!=",
    "=!3d3f783f713f613f3d!=",
    "==!=!!=!==!!",
    "=?x?q?a?=!6161!=",
    "==?x?q?a?=!=",
    "=",
    "",
};

/* Back as it was; in between there is no word, quote, comma or bracket of
 * one. */
START_TEST(masks_come_off)
{
	struct span raw = span_of(maskable[_i]);

	ck_assert_int_eq(words_mask(raw, &other), 0);
	ck_assert_uint_le(other.len, 4 * raw.n);
	if (other.len != 0)
		ck_assert_ptr_null(memmem(other.data, other.len, "=?", 2));
	if (_i == 0)
		ck_assert_ptr_null(memchr(other.data, ',', other.len));
	ck_assert_int_eq(
	    words_unmask((struct span){other.data, other.len}, &out), 0);
	expect(&out, maskable[_i]);
}
END_TEST

/* What no mask can be stays, whoever put it there. */
START_TEST(forged_masks_stay)
{
	static const char forged[] = "=!626f7373!= =!!= =!6!= =!00!= =!3d21";

	ck_assert_int_eq(words_unmask(SPAN(forged), &out), 0);
	expect(&out, forged);
}
END_TEST

START_TEST(many_words)
{
	uint64_t findings = 0;

	while (buf_add_text(&other, "=?utf-8?q?=E2=82=AC?= ") == 0)
		;
	words_decode((struct span){other.data, other.len}, &out, &findings);
	ck_assert_uint_le(out.len, out.max);
	ck_assert_uint_gt(out.len, 1000);
}
END_TEST

static const struct {
	const char *field, *want; /* NULL: none */
	uint64_t findings;
} fields[] = {
    {"attachment; filename=a.txt", "a.txt", 0},
    {"attachment; FileName = \"a b.txt\" ; size=1", "a b.txt", 0},
    {"attachment; filename=a b.txt; x=y", "a b.txt", 0},
    {"attachment; filename=\"a\\\"b;c\"", "a\"b;c", 0},
    {"attachment; filename=\"open", "open", 0},
    {"attachment; filename*=utf-8'en'%e2%82%ac.txt", "€.txt", 0},
    {"attachment; filename*=utf-8''%e2%82", "\xef\xbf\xbd", UNDECODABLE},
    {"attachment; filename*=koi8-r''%C4%C1", "да", 0},
    {"attachment; filename*=x-none''a", "a", UNKNOWN},
    {"a; filename*0=\"ab\"; filename*1=\"cd\"", "abcd", 0},
    {"a; filename*1=cd; filename*0=ab", "abcd", 0},
    {"a; filename*0*=iso-8859-1''%e9; filename*1=\"%41\"", "é%41", 0},
    {"a; filename*0=ab; filename*2=cd", "ab", 0},
    {"a; filename=\"=?utf-8?q?caf=C3=A9?=\"", "café", 0},
    {"a; filename=\"caf\xc3\xa9\"", "café", 0},
    {"a; filename=\"caf\xe9\"", "café", 0},
    {"a (; filename=no); filename=yes", "yes", 0},
    {"a (\\); filename=no); filename=yes", "yes", 0},
    {"a (\\(); filename=yes", "yes", 0},
    {"a (; filename=no\\", NULL, 0},
    {"a; filename=a.txt; filename=b.exe", "a.txt", CONFLICT},
    {"a; filename=a.txt; filename*=utf-8''b.exe", "b.exe", CONFLICT},
    {"a; filename=a.txt; filename*=utf-8''a.txt", "a.txt", 0},
    {"a; xfilename=a; filename2=b; filename*x=c", NULL, 0},
    {"a; filename", NULL, 0},
    {"a;;;=;filename=b", "b", 0},
    {"", NULL, 0},
};

START_TEST(names_of_files)
{
	uint64_t findings = 0;
	bool found =
	    param_text(span_of(fields[_i].field), "filename", &out, &findings);

	ck_assert(found == (fields[_i].want != NULL));
	expect(&out, fields[_i].want == NULL ? "" : fields[_i].want);
	ck_assert_uint_eq(findings, fields[_i].findings);
}
END_TEST

START_TEST(many_pieces)
{
	uint64_t findings = 0;

	while (buf_add_text(&other, "; filename*0=a; filename*1*=b") == 0)
		;
	ck_assert(param_text(
	    (struct span){other.data, other.len}, "filename", &out, &findings));
	expect(&out, "ab");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("words");
	TCase *tcase = tcase_create("words");

	charset_warm();
	tcase_set_timeout(tcase, 60); /* with sanitizers, on a busy machine */
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, texts_are_decoded, 0, (int)COUNT_OF(texts));
	tcase_add_loop_test(tcase, masks_come_off, 0, (int)COUNT_OF(maskable));
	tcase_add_test(tcase, forged_masks_stay);
	tcase_add_test(tcase, many_words);
	tcase_add_loop_test(tcase, names_of_files, 0, (int)COUNT_OF(fields));
	tcase_add_test(tcase, many_pieces);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
