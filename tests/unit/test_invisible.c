/*
 * One notion of what nobody sees: the reader, the clean object and couriers
 * agree about every code point.
 */
#include "common/invisible.h"

#include <string.h>

#include "executor/inert.h"
#include "proto/clean.h"
#include "reader/visible.h"
#include "run_suite.h"

static bool
kept_by_reader(const char *bytes, size_t n)
{
	struct visible v;
	bool kept;

	visible_init(&v, NULL);
	visible_add(&v, bytes, n);
	kept = v.text.len == n && memcmp(v.text.data, bytes, n) == 0;
	visible_done(&v);
	return kept;
}

static bool
kept_by_courier(const char *bytes, size_t n)
{
	struct buf out;
	size_t replaced = 0;

	buf_init(&out, 16);
	ck_assert_int_eq(
	    inert_add(&out, (struct span){bytes, n}, false, &replaced), 0);
	buf_free(&out);
	return replaced == 0;
}

START_TEST(all_agree_about_every_code_point)
{
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		bool seen = invisible_class(code) == INVISIBLE_NOT;
		char bytes[4];
		size_t n;

		if (code >= 0xd800 && code <= 0xdfff)
			continue;
		n = utf8_encode(code, bytes);
		ck_assert_msg(clean_char(code, false) == seen,
		    "clean object: U+%04X", (unsigned)code);
		ck_assert_msg(kept_by_courier(bytes, n) == seen,
		    "courier: U+%04X", (unsigned)code);
		/* a line feed is the line end that all others become */
		ck_assert_msg(
		    kept_by_reader(bytes, n) == (seen || code == '\n'),
		    "reader: U+%04X", (unsigned)code);
	}
}
END_TEST

static const struct {
	uint32_t first, last;
	enum invisible class;
} rows[] = {
    {' ', '~', INVISIBLE_NOT},
    {0xa0, 0xac, INVISIBLE_NOT},
    {0x0a, 0x0d, INVISIBLE_BREAK},
    {0x2028, 0x2029, INVISIBLE_BREAK},
    {0x1b, 0x1b, INVISIBLE_CONTROL},
    {0x9b, 0x9b, INVISIBLE_CONTROL},
    {0xad, 0xad, INVISIBLE_ZERO_WIDTH},
    {0x34f, 0x34f, INVISIBLE_ZERO_WIDTH},
    {0x115f, 0x1160, INVISIBLE_ZERO_WIDTH},
    {0x17b4, 0x17b5, INVISIBLE_ZERO_WIDTH},
    {0x180b, 0x180d, INVISIBLE_VARIATION},
    {0x180f, 0x180f, INVISIBLE_VARIATION},
    {0x2000, 0x200a, INVISIBLE_NOT},
    {0x202a, 0x202e, INVISIBLE_BIDI},
    {0x3164, 0x3164, INVISIBLE_ZERO_WIDTH},
    {0xffa0, 0xffa0, INVISIBLE_ZERO_WIDTH},
    {0xfffc, 0xfffd, INVISIBLE_NOT},
    {0x1bca0, 0x1bca3, INVISIBLE_CONTROL},
    {0x1d173, 0x1d17a, INVISIBLE_CONTROL},
    {0x1fffe, 0x1ffff, INVISIBLE_CONTROL},
    {0xe0020, 0xe007e, INVISIBLE_TAG},
    {0xe0100, 0xe01ef, INVISIBLE_VARIATION},
    {0x10fffe, 0x10ffff, INVISIBLE_CONTROL},
};

START_TEST(classes)
{
	for (uint32_t code = rows[_i].first; code <= rows[_i].last; code++)
		ck_assert_msg(invisible_class(code) == rows[_i].class, "U+%04X",
		    (unsigned)code);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("invisible");
	TCase *tcase = tcase_create("table");

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, all_agree_about_every_code_point);
	tcase_add_loop_test(tcase, classes, 0, sizeof rows / sizeof rows[0]);
	return run_suite(suite);
}
