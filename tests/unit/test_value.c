/*
 * Typed values: canonical forms, what is found in texts and what is not, and
 * that a phrase stands in words only whole.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "executor/value.h"
#include "run_suite.h"

static const struct {
	enum value_type type;
	const char *raw, *form; /* "": no value of that type */
} forms[] = {
    {VALUE_ADDRESS, " Ann@Example.ORG ", "ann@example.org"},
    {VALUE_ADDRESS, "ann@example", ""},
    {VALUE_ADDRESS, "ann@example.org, bob@example.org", ""},
    {VALUE_ADDRESS, "Ann <ann@example.org>", ""},
    {VALUE_ADDRESS, "ann@example.org\nBcc: x@y.example", ""},
    {VALUE_URL, "https://Example.ORG/A?b=C", "example.org/A?b=C"},
    {VALUE_URL, "https://example.org/", "example.org"},
    {VALUE_URL, "example.org", "example.org"},
    {VALUE_URL, "HTTP://Example.org/", "http://example.org"},
    {VALUE_URL, "https://example.org@evil.example/",
	"example.org@evil.example"},
    {VALUE_URL, "https://http://a.example", "https://http://a.example"},
    {VALUE_URL, "example.org evil.example", ""},
    {VALUE_URL, "report.pdf", ""},
    {VALUE_URL, "not a url", ""},
    {VALUE_NAME, "  The   Plan\t ", "the plan"},
    {VALUE_NAME, "\xc3\x84rger", "\xc3\x84rger"},
    {VALUE_NAME, "   ", ""},
    {VALUE_ID, " aB9 ", "aB9"},
    {VALUE_NUMBER, "007.50", "7.5"},
    {VALUE_NUMBER, "100.00", "100"},
    {VALUE_NUMBER, "0", "0"},
    {VALUE_NUMBER, "1.2.3", ""},
    {VALUE_NUMBER, "-5", ""},
    {VALUE_NUMBER, "1e9", ""},
};

START_TEST(has_one_form)
{
	char out[VALUE_BYTES];
	size_t n = value_canonical(forms[_i].type, span_of(forms[_i].raw), out);

	ck_assert_msg(span_is((struct span){out, n}, forms[_i].form),
	    "%s: \"%.*s\"", forms[_i].raw, (int)n, out);
}
END_TEST

static const struct {
	enum value_type type;
	const char *text, *found; /* with "|" between */
} found[] = {
    {VALUE_URL, "see www.a.example, or (http://b.example/x).",
	"www.a.example|http://b.example/x"},
    {VALUE_URL, "mail ann@a.example now", ""},
    {VALUE_URL, "v1.2.3 and e.g. this", ""},
    {VALUE_URL, "report.pdf, notes.txt", ""},
    {VALUE_URL, "[x](https://c.example/?d=1)", "https://c.example/?d=1"},
    {VALUE_URL, "https://a.example/?u=https://b.example",
	"https://a.example/?u=https://b.example"},
    {VALUE_URL, "bit.ly/sUf7", "bit.ly/sUf7"},
    {VALUE_URL, "host.example:8443/x", "host.example:8443/x"},
    {VALUE_ADDRESS, "to <ann@a.example>, bob@b.example.",
	"ann@a.example|bob@b.example"},
    {VALUE_ADDRESS, "'ann@a.example'", "ann@a.example"},
    {VALUE_ADDRESS, "@a.example ann@ x", ""},
    {VALUE_NUMBER, "pay 100.50 to 3 people, not v1.2 or 2024-05-13",
	"100.50|3"},
    {VALUE_NUMBER, "at 10:00, room 7.", "7"},
    {VALUE_NUMBER, "$100", "100"},
    {VALUE_NUMBER, "1,000 or 2'500, 3", "3"},
};

START_TEST(is_found_whole)
{
	struct span text = span_of(found[_i].text), value;
	char all[256] = "";
	size_t at = 0;

	while (value_next(found[_i].type, text, &at, &value)) {
		ck_assert(
		    value.p >= text.p && value.p + value.n <= text.p + text.n);
		if (all[0] != '\0')
			strcat(all, "|");
		strncat(all, value.p, value.n);
	}
	ck_assert_str_eq(all, found[_i].found);
}
END_TEST

static const struct {
	const char *phrase, *text;
	bool stands;
} phrases[] = {
    {"general", "the general channel", true},
    {"general", "in general", true},
    {"general", "generals", false},
    {"general", "a_general", false},
    {"13", "june 13", true},
    {"13", "2013", false},
    {"the plan", "read the plan.", true},
    {"the plan", "the plane", false},
    {"\xc3\xa4", "\xc3\xa4\xc3\xa4", false},
    {"", "anything", false},
    {"longer than", "short", false},
};

START_TEST(stands_whole)
{
	ck_assert_int_eq(value_stands_in(span_of(phrases[_i].phrase),
			     span_of(phrases[_i].text)),
	    phrases[_i].stands);
}
END_TEST

/* Any bytes, at the end of a block of memory. */
START_TEST(takes_anything)
{
	unsigned state = 7;
	char out[VALUE_BYTES];

	for (int round = 0; round < 20000; round++) {
		size_t n = (state >> 3) % 40, at;
		char *bytes = malloc(n + 1);
		struct span text = {bytes, n}, value;

		for (size_t i = 0; i < n; i++) {
			state = state * 1103515245 + 12345;
			bytes[i] = "a.@:/w1- \n\"'h\xc3\x84_"[state >> 16 & 15];
		}
		state = state * 1103515245 + 12345;
		for (int t = 0; t < VALUE_TYPE_COUNT; t++) {
			at = 0;
			value_canonical((enum value_type)t, text, out);
			while (
			    value_next((enum value_type)t, text, &at, &value))
				ck_assert_uint_le(at, n);
		}
		free(bytes);
	}
}
END_TEST

static Suite *
value_suite(void)
{
	Suite *s = suite_create("value");
	TCase *tc = tcase_create("value");

	tcase_add_loop_test(
	    tc, has_one_form, 0, sizeof forms / sizeof forms[0]);
	tcase_add_loop_test(
	    tc, is_found_whole, 0, sizeof found / sizeof found[0]);
	tcase_add_loop_test(
	    tc, stands_whole, 0, sizeof phrases / sizeof phrases[0]);
	tcase_add_test(tc, takes_anything);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run_suite(value_suite());
}
