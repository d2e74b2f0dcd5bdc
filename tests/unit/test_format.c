/*
 * Formats, labels of internationalized names, and URIs: what the public suite
 * of JSON Schema does not ask, and the examples of RFC 3986 and RFC 3492.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "executor/format.h"
#include "executor/idn.h"
#include "executor/uri.h"
#include "tests/unit/run_suite.h"

static const struct {
	const char *format, *text;
	bool fits;
} formats[] = {
    {"email", "a@b", true}, {"email", "a+b.c_d@sub.example.com", true},
    {"email", "\"a\\\"b\"@example.com", true},
    {"email", "\"a\"b\"@example.com", false},
    {"email", "\"a\nb\"@example.com", false}, {"email", "\"a\\", false},
    {"email", "\"", false}, {"email", "a@b@example.com", false},
    {"email", "a@example.com.", false}, {"email", "a@exa mple.com", false},
    {"email", "a@example.com\r\nBcc: b@example.net", false},
    {"email", "a@[IPv6:1::2::3]", false}, {"email", "a@[]", false},
    {"email", "a@[", false}, {"email", "\xd0\xb0@example.com", false},
    {"email", "a@\xd0\xb0.com", false},
    {"email", "(comment)a@example.com", false},
    {"hostname", "example.com:80", false}, {"hostname", "1.2.3.4", true},
    {"hostname", "xn--", false}, {"hostname", "xn--a", false},
    {"hostname", "xn--80ak6aa92e.com", true},
    {"hostname", "XN--80AK6AA92E.com", true},
    {"hostname", "xn--ls8h", false},   /* a sign, not a letter */
    {"hostname", "xn--ue-vub", false}, /* not what NFC would write */
    {"hostname", "xn--a\xc2\xb7", false},
    {"idn-hostname",
	"b\xc3\xbc"
	"cher.example",
	true},
    {"idn-hostname",
	"bu\xcc\x88"
	"cher.example",
	false},
    {"idn-hostname", "\xe1\xba\xb9\xcc\x82", false}, /* e, dot below, hat */
    {"idn-hostname", "\xe1\xbb\x87", true},	     /* as one */
    {"idn-hostname",
	"B\xc3\xbc"
	"cher",
	false},
    {"idn-hostname",
	"b\xc3\xbc"
	"cher.Example",
	true},
    {"idn-hostname", "ab--cd", false},
    {"idn-hostname", "\xd7\x90.1a", false}, /* a digit beside Hebrew */
    {"idn-hostname", "\xd7\x90.a1", true},
    {"idn-hostname", "\xf0\x9f\x98\x80", false},
    {"idn-hostname", "\xe2\x80\xae", false}, {"ipv4", "1.2.3.04", false},
    {"ipv4", "1.2.3.1000", false}, {"ipv4", "1.2.3.", false},
    {"ipv4", "", false}, {"ipv6", "1:2:3:4:5:6:7::", true},
    {"ipv6", "::2:3:4:5:6:7:8", true}, {"ipv6", "1::2:3:4:5:6:7:8", false},
    {"ipv6", "1.2.3.4::", false}, {"ipv6", "::1.2.3.4:5", false},
    {"ipv6", ":::", false}, {"ipv6", ":", false}, {"ipv6", "", false},
    {"date", "2000-02-29", true}, {"date", "1900-02-29", false},
    {"date-time", "2016-12-31T23:59:60.5Z", true},
    {"date-time", "2017-01-01T00:29:60+00:30", true},
    {"date-time", "2017-01-01T00:29:60-00:30", false},
    {"date-time", "2017-01-01T00:00:00.Z", false},
    {"date-time", "2017-01-01T00:00:00", false},
    {"date-time", "2017-01-01 00:00:00Z", false},
    {"date-time", "2017-01-01T00:00:00+0a:00", false},
    {"uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d1638g", false},
    {"json-pointer", "/~", false}, {"json-pointer", "/~01", true},
    {"uri", "a:", true}, {"uri", "a", false}, {"uri", "", false},
    {"uri", ":", false}, {"uri", "mailto:a@b", true},
    {"uri", "file:///etc/hosts", true}, {"uri", "http://[::1", false},
    {"uri", "http://[::1]a", false}, {"uri", "http://[v1.a:]/", true},
    {"uri", "http://[v1.]/", false}, {"uri", "http://[v.a]/", false},
    {"uri", "http://a@b@c/", false}, {"uri", "http://a:8\xd9\xa3/", false},
    {"uri", "a:b#c#d", false}, {"uri", "a:/b[", false},
    {"uri", "a:b?c[", false},
    {"uri", "javascript:alert(1)", true}, /* a form, not a judgement */
};

START_TEST(formats_of_table)
{
	const struct format *format = format_find(span_of(formats[_i].format));
	struct span text = span_of(formats[_i].text);
	char *copy = alloc_text(text.p, text.n); /* ends where it ends */

	ck_assert_ptr_nonnull(format);
	ck_assert_msg(
	    format->check((struct span){copy, text.n}) == formats[_i].fits,
	    "%s: %s", formats[_i].format, formats[_i].text);
	ck_assert_uint_ge(format_work(format, text), text.n);
	free(copy);
}
END_TEST

START_TEST(every_prefix_ends)
{
	for (size_t n = 0; n <= strlen(formats[_i].text); n++) {
		const struct format *format =
		    format_find(span_of(formats[_i].format));
		char *copy = alloc_bytes(n == 0 ? 1 : n);

		memcpy(copy, formats[_i].text, n);
		format->check((struct span){copy, n});
		free(copy);
	}
}
END_TEST

START_TEST(long_names)
{
	char text[4 * 63 + 4];

	memset(text, 'a', sizeof text);
	text[63] = text[127] = text[191] = '.';
	ck_assert(format_hostname((struct span){text, 253}));
	ck_assert(!format_hostname((struct span){text, 254}));
	ck_assert(!format_find(SPAN("idn-hostname"))
		       ->check((struct span){text, 254}));
	text[63] = 'a';
	ck_assert(!format_hostname((struct span){text, 64}));
}
END_TEST

/* RFC 3986 section 5.4, strict. */
static const struct {
	const char *reference, *meaning;
} references[] = {
    {"g:h", "g:h"},
    {"g", "http://a/b/c/g"},
    {"./g", "http://a/b/c/g"},
    {"g/", "http://a/b/c/g/"},
    {"/g", "http://a/g"},
    {"//g", "http://g"},
    {"?y", "http://a/b/c/d;p?y"},
    {"g?y", "http://a/b/c/g?y"},
    {"#s", "http://a/b/c/d;p?q#s"},
    {"g#s", "http://a/b/c/g#s"},
    {"g?y#s", "http://a/b/c/g?y#s"},
    {";x", "http://a/b/c/;x"},
    {"g;x", "http://a/b/c/g;x"},
    {"g;x?y#s", "http://a/b/c/g;x?y#s"},
    {"", "http://a/b/c/d;p?q"},
    {".", "http://a/b/c/"},
    {"./", "http://a/b/c/"},
    {"..", "http://a/b/"},
    {"../", "http://a/b/"},
    {"../g", "http://a/b/g"},
    {"../..", "http://a/"},
    {"../../", "http://a/"},
    {"../../g", "http://a/g"},
    {"../../../g", "http://a/g"},
    {"../../../../g", "http://a/g"},
    {"/./g", "http://a/g"},
    {"/../g", "http://a/g"},
    {"g.", "http://a/b/c/g."},
    {".g", "http://a/b/c/.g"},
    {"g..", "http://a/b/c/g.."},
    {"..g", "http://a/b/c/..g"},
    {"./../g", "http://a/b/g"},
    {"./g/.", "http://a/b/c/g/"},
    {"g/./h", "http://a/b/c/g/h"},
    {"g/../h", "http://a/b/c/h"},
    {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
    {"g;x=1/../y", "http://a/b/c/y"},
    {"g?y/./x", "http://a/b/c/g?y/./x"},
    {"g?y/../x", "http://a/b/c/g?y/../x"},
    {"g#s/./x", "http://a/b/c/g#s/./x"},
    {"g#s/../x", "http://a/b/c/g#s/../x"},
    {"http:g", "http:g"},
};

START_TEST(references_of_rfc)
{
	struct buf out;

	buf_init(&out, 100);
	ck_assert_int_eq(uri_resolve(&out, SPAN("http://a/b/c/d;p?q"),
			     span_of(references[_i].reference)),
	    0);
	ck_assert_msg(
	    span_is((struct span){out.data, out.len}, references[_i].meaning),
	    "%s: %.*s", references[_i].reference, (int)out.len, out.data);
	buf_free(&out);
}
END_TEST

/* Whatever decodes is what encoding gives; whatever encodes decodes to it. */
START_TEST(punycode_there_and_back)
{
	struct idn_label label = {.count = 1}, again;
	char text[IDN_LABEL_MAX];
	uint32_t seed = 1;

	for (int round = 0; round < 20000; round++) {
		size_t n;

		seed = seed * 1103515245 + 12345;
		label.count = 1 + (seed >> 16) % 12;
		for (size_t i = 0; i < label.count; i++) {
			seed = seed * 1103515245 + 12345;
			label.code[i] = (seed >> 8) % 5 == 0
					    ? 0x10ffff - (seed >> 12) % 99
					    : 'a' + (seed >> 12) % 26;
		}
		label.code[0] = 0x80 + seed % 0x500;
		n = idn_encode(&label, text);
		if (n > IDN_LABEL_MAX)
			continue;
		ck_assert(idn_decode(text, n, &again));
		ck_assert_uint_eq(again.count, label.count);
		ck_assert_mem_eq(
		    again.code, label.code, label.count * sizeof *label.code);
	}
}
END_TEST

static Suite *
format_suite(void)
{
	Suite *suite = suite_create("format");
	TCase *core = tcase_create("core");
	int count = (int)(sizeof formats / sizeof formats[0]);

	tcase_add_loop_test(core, formats_of_table, 0, count);
	tcase_add_loop_test(core, every_prefix_ends, 0, count);
	tcase_add_test(core, long_names);
	tcase_add_loop_test(core, references_of_rfc, 0,
	    (int)(sizeof references / sizeof references[0]));
	tcase_add_test(core, punycode_there_and_back);
	suite_add_tcase(suite, core);
	return suite;
}

int
main(void)
{
	return run_suite(format_suite());
}
