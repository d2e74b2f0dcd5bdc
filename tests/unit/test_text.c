/*
 * Text: UTF-8 against tables and against a plain second decoder, repair,
 * hexadecimal, base64, spans.
 */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/text.h"

#define ROWS(table) (int)(sizeof(table) / sizeof(table)[0])

/* Length of the character at s as table 3-7 of the Unicode standard has it:
 * written out row by row, unlike the code under test. */
static size_t
table_length(const unsigned char *s, size_t n)
{
	static const unsigned char rows[][8] = {
	    /* first, second, third, fourth: low and high each */
	    {0xc2, 0xdf, 0x80, 0xbf, 0, 0, 0, 0},
	    {0xe0, 0xe0, 0xa0, 0xbf, 0x80, 0xbf, 0, 0},
	    {0xe1, 0xec, 0x80, 0xbf, 0x80, 0xbf, 0, 0},
	    {0xed, 0xed, 0x80, 0x9f, 0x80, 0xbf, 0, 0},
	    {0xee, 0xef, 0x80, 0xbf, 0x80, 0xbf, 0, 0},
	    {0xf0, 0xf0, 0x90, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
	    {0xf1, 0xf3, 0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
	    {0xf4, 0xf4, 0x80, 0x8f, 0x80, 0xbf, 0x80, 0xbf},
	};

	if (n != 0 && s[0] < 0x80)
		return 1;
	for (int row = 0; n != 0 && row < ROWS(rows); row++) {
		size_t i = 0;

		while (i < 4 && i < n && s[i] >= rows[row][2 * i] &&
		       s[i] <= rows[row][2 * i + 1] && rows[row][2 * i] != 0)
			i++;
		if (i > 1 && (i == 4 || rows[row][2 * i] == 0))
			return i;
	}
	return 0;
}

/* Fails on a difference; an assertion each time would take minutes. */
static void
same_as_table(const unsigned char *s, size_t n)
{
	if (utf8_length((const char *)s, n) != table_length(s, n))
		ck_abort_msg("%02x %02x %02x %02x, %zu bytes", s[0], s[1], s[2],
		    s[3], n);
}

START_TEST(every_start)
{
	static const unsigned char ends[] = {
	    0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
	unsigned char s[4];

	for (unsigned first = 0; first < 65536; first++) {
		s[0] = (unsigned char)(first >> 8);
		s[1] = (unsigned char)first;
		for (int i = 0; i < ROWS(ends); i++) {
			s[2] = ends[i];
			for (int j = 0; j < ROWS(ends); j++) {
				s[3] = ends[j];
				for (size_t n = 0; n <= 4; n++)
					same_as_table(s, n);
			}
		}
	}
}
END_TEST

START_TEST(every_three_bytes)
{
	unsigned char s[4] = {0};

	for (uint32_t i = 0xe00000; i < 0xf00000; i++) {
		s[0] = (unsigned char)(i >> 16);
		s[1] = (unsigned char)(i >> 8);
		s[2] = (unsigned char)i;
		same_as_table(s, 3);
	}
}
END_TEST

START_TEST(every_code)
{
	char s[4];

	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		uint32_t back = UINT32_MAX;
		size_t n;

		if (code >= 0xd800 && code <= 0xdfff)
			continue;
		n = utf8_encode(code, s);
		if (utf8_decode(s, n - 1, &back) != 0 || back != UINT32_MAX ||
		    utf8_decode(s, n, &back) != n || back != code)
			ck_abort_msg("U+%04x", code);
	}
}
END_TEST

static const struct {
	const char *bytes;
	const char *repaired; /* ? for each U+FFFD */
} repairs[] = {
    {"", ""},
    {"plain", "plain"},
    {"\xc3\xa4", "\xc3\xa4"},
    {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
    {"\x80", "?"},
    {"a\xff"
     "b",
	"a?b"},
    {"\xc0\xaf", "??"}, /* overlong slash */
    {"\xc1\xbf", "??"},
    {"\xe0\x80\xaf", "???"},
    {"\xe0\x9f\xbf", "???"},
    {"\xf0\x80\x80\xaf", "????"},
    {"\xf0\x8f\xbf\xbf", "????"},
    {"\xed\xa0\x80", "???"}, /* surrogates */
    {"\xed\xbf\xbf", "???"},
    {"\xf4\x90\x80\x80", "????"}, /* above U+10FFFF */
    {"\xf5\x80\x80\x80", "????"},
    {"\xf8\x88\x80\x80\x80", "?????"},
    {"\xc3", "?"}, /* cut: one replacement each */
    {"\xe2\x82", "?"},
    {"\xf0\x9f\x98", "?"},
    {"\xf0\x9f\x98z", "?z"},
    {"\xe2\x82\xc3\xa4", "?\xc3\xa4"},
    {"\xe2\xe2\x82\xac", "?\xe2\x82\xac"},
    {"a\xe2\x82"
     "b\xf0\x9f"
     "c\xc3",
	"a?b?c?"},
    {"12345678\xff"
     "12345678",
	"12345678?12345678"},
};

START_TEST(repair_table)
{
	const char *in = repairs[_i].bytes, *out = repairs[_i].repaired;
	size_t replaced = 0, wanted = 0;
	struct buf got, want;

	buf_init(&got, 1000);
	buf_init(&want, 1000);
	for (; *out != '\0'; out++) {
		if (*out == '?') {
			buf_add_text(&want, "\xef\xbf\xbd");
			wanted++;
		} else {
			buf_add_byte(&want, *out);
		}
	}
	ck_assert_int_eq(utf8_add_repaired(&got, in, strlen(in), &replaced), 0);
	ck_assert_uint_eq(replaced, wanted);
	ck_assert_uint_eq(got.len, want.len);
	if (got.len != 0)
		ck_assert_int_eq(memcmp(got.data, want.data, got.len), 0);
	ck_assert(utf8_check(in, strlen(in)) == (wanted == 0));
	buf_free(&got);
	buf_free(&want);
}
END_TEST

START_TEST(repair_always_gives_utf8)
{
	unsigned seed = 1;
	char bytes[40];
	struct buf out;

	buf_init(&out, 1000);
	for (int round = 0; round < 20000; round++) {
		size_t n = (size_t)(rand_r(&seed) % (int)sizeof bytes);
		size_t replaced = 0;

		for (size_t i = 0; i < n; i++) {
			int r = rand_r(&seed);

			bytes[i] = (char)(r & 0x100 ? r | 0x80 : r & 0x7f);
		}
		buf_clear(&out);
		ck_assert_int_eq(
		    utf8_add_repaired(&out, bytes, n, &replaced), 0);
		ck_assert(utf8_check(out.data, out.len));
		ck_assert(utf8_check(bytes, n) == (replaced == 0));
		ck_assert_uint_eq(
		    utf8_prefix(out.data, out.len, SIZE_MAX), out.len);
	}
	buf_free(&out);
}
END_TEST

START_TEST(repair_keeps_the_ceiling)
{
	size_t replaced = 0;
	struct buf out;

	buf_init(&out, 4);
	ck_assert_int_eq(
	    utf8_add_repaired(&out, "ab\xff", 3, &replaced), -ERR_TOO_LARGE);
	ck_assert_uint_le(out.len, 4);
	buf_free(&out);
}
END_TEST

/* A bad byte at each place of a long text, for the eight-at-a-time path. */
START_TEST(check_every_offset)
{
	char text[41];

	for (size_t length = 1; length < sizeof text; length++) {
		memset(text, 'a', sizeof text);
		ck_assert(utf8_check(text, length));
		for (size_t at = 0; at < length; at++) {
			text[at] = (char)0xff;
			ck_assert(!utf8_check(text, length));
			text[at] = 'a';
		}
	}
	ck_assert(utf8_check(NULL, 0));
	ck_assert(utf8_check("\0", 1));
}
END_TEST

/* Every byte at every place of two words and a bit. */
START_TEST(printable_runs)
{
	char text[19];

	for (unsigned byte = 0; byte < 256; byte++) {
		bool plain = byte >= ' ' && byte < 0x7f;
		bool escaped = byte == '"' || byte == '\\';

		for (size_t at = 0; at < sizeof text; at++) {
			memset(text, 'a', sizeof text);
			text[at] = (char)byte;
			ck_assert_uint_eq(ascii_printable(text, sizeof text),
			    plain ? sizeof text : at);
			ck_assert_uint_eq(ascii_unescaped(text, sizeof text),
			    plain && !escaped ? sizeof text : at);
			ck_assert_uint_eq(ascii_printable(text, at), at);
		}
	}
	ck_assert_uint_eq(ascii_printable(NULL, 0), 0);
}
END_TEST

/* Each byte at each place of a run. */
START_TEST(hex_runs)
{
	char text[40];

	for (unsigned byte = 0; byte < 256; byte++) {
		bool digit = (byte >= '0' && byte <= '9') ||
			     (byte >= 'a' && byte <= 'f');

		for (size_t at = 0; at < sizeof text; at++) {
			memset(text, 'a' + (int)at % 6, sizeof text);
			text[at] = (char)byte;
			ck_assert_uint_eq(hex_length(text, sizeof text),
			    digit ? sizeof text : at);
			ck_assert_uint_eq(hex_length(text, at), at);
		}
	}
	ck_assert_uint_eq(hex_length(NULL, 0), 0);
}
END_TEST

START_TEST(count_and_prefix)
{
	static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";
	static const size_t ends[] = {0, 1, 3, 6, 10, 11, 11};

	ck_assert_uint_eq(utf8_count(text, sizeof text - 1), 5);
	ck_assert_uint_eq(utf8_count(NULL, 0), 0);
	for (size_t i = 0; i < 7; i++)
		ck_assert_uint_eq(
		    utf8_prefix(text, sizeof text - 1, i), ends[i]);
	ck_assert_uint_eq(utf8_prefix(text, 5, 10), 3);
	ck_assert_uint_eq(utf8_prefix("a\xff", 2, 10), 1);
	ck_assert_uint_eq(utf8_prefix(NULL, 0, 10), 0);
}
END_TEST

START_TEST(null_texts)
{
	struct span none = {NULL, 0};
	size_t replaced = 0;
	char out[1];
	struct buf b;

	buf_init(&b, 10);
	ck_assert_int_eq(utf8_add_repaired(&b, NULL, 0, &replaced), 0);
	ck_assert_int_eq(base64_add(&b, NULL, 0), 0);
	ck_assert_int_eq(base64_decode_add(&b, none), 0);
	ck_assert_int_eq(hex_decode(none, out, 0), 0);
	ck_assert_uint_eq(b.len, 0);
	ck_assert(span_equal(none, SPAN("")));
	ck_assert(span_is(none, ""));
	ck_assert(!span_starts(none, "a"));
	ck_assert_int_eq(span_copy(none, out, 1), 0);
	ck_assert_int_eq(out[0], '\0');
	buf_free(&b);
}
END_TEST

START_TEST(spans)
{
	char out[4];

	ck_assert(span_equal(SPAN("a\0b"), (struct span){"a\0bc", 3}));
	ck_assert(!span_equal(SPAN("a\0b"), SPAN("a\0c")));
	ck_assert(!span_is(SPAN("a\0"), "a"));
	ck_assert(span_starts(SPAN("abc"), "ab"));
	ck_assert(span_starts(SPAN("abc"), ""));
	ck_assert(!span_starts(SPAN("ab"), "abc"));
	ck_assert_int_eq(span_copy(SPAN("abc"), out, sizeof out), 0);
	ck_assert_str_eq(out, "abc");
	ck_assert_int_eq(span_copy(SPAN("abcd"), out, sizeof out), -ERR_RANGE);
	ck_assert_int_eq(span_copy(SPAN("a\0"), out, sizeof out), -ERR_RANGE);
	ck_assert_int_eq(span_copy(SPAN(""), out, 0), -ERR_RANGE);
	ck_assert_str_eq(out, "abc");
}
END_TEST

START_TEST(hex_all_bytes)
{
	unsigned char bytes[256], back[256];
	char text[513];

	for (unsigned i = 0; i < 256; i++)
		bytes[i] = (unsigned char)i;
	hex_encode(bytes, 256, text);
	ck_assert_uint_eq(strlen(text), 512);
	ck_assert_int_eq(memcmp(text, "000102", 6), 0);
	ck_assert_str_eq(text + 506, "fdfeff");
	ck_assert_int_eq(hex_decode(span_of(text), back, 256), 0);
	ck_assert_int_eq(memcmp(bytes, back, 256), 0);
	hex_encode(NULL, 0, text);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(hex_refused)
{
	static const char *const bad[] = {"", "0", "000", "00000", "0G00",
	    "00AB", "ab c", "-1ff", "0x00", "00\n0", "\xff\xff\xff\xff"};
	unsigned char out[2] = {7, 7};

	for (int i = 0; i < ROWS(bad); i++)
		ck_assert_int_eq(
		    hex_decode(span_of(bad[i]), out, 2), -ERR_SYNTAX);
	ck_assert_int_eq(hex_decode(SPAN("0\0000"), out, 2), -ERR_SYNTAX);
	ck_assert_int_eq(out[0] + out[1], 14);
}
END_TEST

/* RFC 4648 section 10. */
static const struct {
	const char *plain, *encoded;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xff\xef\xbe", "/+++"},
};

START_TEST(base64_vectors)
{
	struct buf b;

	buf_init(&b, strlen(vectors[_i].encoded));
	ck_assert_int_eq(
	    base64_add(&b, vectors[_i].plain, strlen(vectors[_i].plain)), 0);
	ck_assert(span_is((struct span){b.data, b.len}, vectors[_i].encoded));
	buf_free(&b);
	buf_init(&b, strlen(vectors[_i].plain));
	ck_assert_int_eq(
	    base64_decode_add(&b, span_of(vectors[_i].encoded)), 0);
	ck_assert(span_is((struct span){b.data, b.len}, vectors[_i].plain));
	buf_free(&b);
}
END_TEST

/* Every text of four signs over a set that holds each kind of them decodes to
 * something only if that encodes back to the same text: one form a value. */
START_TEST(base64_one_form_only)
{
	static const char signs[] = "AQgwZ/=- \0\x80";
	const size_t n = sizeof signs - 1;
	char text[4];

	for (size_t i = 0; i < n * n * n * n; i++) {
		struct buf plain, again;

		text[0] = signs[i % n];
		text[1] = signs[i / n % n];
		text[2] = signs[i / n / n % n];
		text[3] = signs[i / n / n / n];
		buf_init(&plain, 3);
		buf_init(&again, 4);
		if (base64_decode_add(&plain, (struct span){text, 4}) == 0) {
			base64_add(&again, plain.data, plain.len);
			ck_assert_uint_eq(again.len, 4);
			ck_assert_int_eq(memcmp(again.data, text, 4), 0);
		} else {
			ck_assert_uint_eq(plain.len, 0);
		}
		buf_free(&plain);
		buf_free(&again);
	}
}
END_TEST

START_TEST(base64_refused)
{
	static const char *const bad[] = {"A", "AA", "AAA", "AAAAA",
	    "====", "A===", "AB==", "AAB=", "=AAA", "A=AA", "AA=A", "AA==AAAA",
	    "AAA=AAAA", "AAA\n", " AAA", "AA-_", "\xff\xff\xff\xff",
	    "AAAA===="};
	struct buf b;

	buf_init(&b, 100);
	for (int i = 0; i < ROWS(bad); i++)
		ck_assert_int_eq(
		    base64_decode_add(&b, span_of(bad[i])), -ERR_SYNTAX);
	ck_assert_uint_eq(b.len, 0);
	buf_free(&b);
}
END_TEST

START_TEST(base64_round_trip)
{
	unsigned seed = 7;
	char bytes[300];
	struct buf text, back;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)rand_r(&seed);
	for (size_t n = 0; n < sizeof bytes; n++) {
		buf_init(&text, (n + 2) / 3 * 4);
		buf_init(&back, n);
		ck_assert_int_eq(base64_add(&text, bytes, n), 0);
		ck_assert_int_eq(base64_decode_add(
				     &back, (struct span){text.data, text.len}),
		    0);
		ck_assert(span_equal((struct span){back.data, back.len},
		    (struct span){bytes, n}));
		if (n != 0) {
			ck_assert_int_eq(
			    base64_decode_add(
				&back, (struct span){text.data, text.len}),
			    -ERR_TOO_LARGE);
			ck_assert_int_eq(
			    base64_add(&text, bytes, n), -ERR_TOO_LARGE);
		}
		buf_free(&text);
		buf_free(&back);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("text");
	TCase *utf8 = tcase_create("utf8"), *codes = tcase_create("codes");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, utf8);
	tcase_set_timeout(utf8, 60);
	tcase_add_test(utf8, every_start);
	tcase_add_test(utf8, every_three_bytes);
	tcase_add_test(utf8, every_code);
	tcase_add_loop_test(utf8, repair_table, 0, ROWS(repairs));
	tcase_add_test(utf8, repair_always_gives_utf8);
	tcase_add_test(utf8, repair_keeps_the_ceiling);
	tcase_add_test(utf8, check_every_offset);
	tcase_add_test(utf8, count_and_prefix);
	tcase_add_test(utf8, printable_runs);
	tcase_add_test(utf8, hex_runs);
	suite_add_tcase(suite, codes);
	tcase_add_test(codes, null_texts);
	tcase_add_test(codes, spans);
	tcase_add_test(codes, hex_all_bytes);
	tcase_add_test(codes, hex_refused);
	tcase_add_loop_test(codes, base64_vectors, 0, ROWS(vectors));
	tcase_add_test(codes, base64_one_form_only);
	tcase_add_test(codes, base64_refused);
	tcase_add_test(codes, base64_round_trip);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
