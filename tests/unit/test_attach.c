/*
 * What attachments are taken out of and known by: reader/transfer.h, sniff.h,
 * uu.h, tnef.h.
 */
#include <check.h>
#include <string.h>

#include "common/buf.h"
#include "reader/sniff.h"
#include "reader/tnef.h"
#include "reader/transfer.h"
#include "reader/uu.h"
#include "tests/unit/run_suite.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(text) text, sizeof(text) - 1

static struct buf out, seen;

static void
setup(void)
{
	buf_init(&out, 1u << 20);
	buf_init(&seen, 1u << 20);
}

static void
teardown(void)
{
	buf_free(&out);
	buf_free(&seen);
}

static bool
is(const struct buf *text, const char *want, size_t n)
{
	return text->len == n && (n == 0 || memcmp(text->data, want, n) == 0);
}

static const struct {
	const char *in, *want;
	bool odd;
} codes[] = {
    {"", "", false},
    {"aGVsbG8=", "hello", false},
    {"aGVs\r\nbG8=\r\n", "hello", false},
    {"aGVsbG8", "hello", true},
    {"aGVsbG8h", "hello!", false},
    {"aG V\ts bG8=", "hello", false},
    {"aG*Vs-bG8=", "hello", true},
    {"aGVsbG8=aGVsbG8=", "hellohello", true},
    {"aGVsbG8==", "hello", false},
    {"aGVsbG8=\r\ntext behind", "hello", true},
    {"a", "", true},
    {"====", "", false},
    {"+/+/", "\xfb\xff\xbf", false},
};

/* In one piece and byte by byte. */
START_TEST(base64)
{
	const char *in = codes[_i].in;

	for (size_t step = 1; step < 40; step += 38) {
		struct base64_in state = {0};
		char made[64];
		size_t n = 0;

		for (size_t i = 0; i < strlen(in); i += step)
			n += base64_step(&state, in + i,
			    strlen(in) - i < step ? strlen(in) - i : step,
			    made + n);
		n += base64_end(&state, made + n);
		if (strncmp(in, "aGVsbG8=\r", 9) != 0) /* then rubbish */
			ck_assert_uint_eq(n, strlen(codes[_i].want));
		ck_assert_int_eq(
		    memcmp(made, codes[_i].want, strlen(codes[_i].want)), 0);
		ck_assert(state.odd == codes[_i].odd);
	}
}
END_TEST

START_TEST(base64_of_every_byte)
{
	char all[256], made[300];

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	ck_assert_int_eq(base64_add(&out, all, sizeof all), 0);
	for (size_t step = 1; step < 9; step++) {
		struct base64_in state = {0};
		size_t n = 0;

		for (size_t i = 0; i < out.len; i += step)
			n += base64_step(&state, out.data + i,
			    out.len - i < step ? out.len - i : step, made + n);
		n += base64_end(&state, made + n);
		ck_assert_uint_eq(n, sizeof all);
		ck_assert_int_eq(memcmp(made, all, n), 0);
		ck_assert(!state.odd);
	}
}
END_TEST

static const struct {
	const char *head;
	size_t n;
	const char *type;
} heads[] = {
    {BYTES("%PDF-1.7\n"), "application/pdf"},
    {BYTES("\x89PNG\r\n\x1a\n"), "image/png"},
    {BYTES("\xff\xd8\xff\xe0"), "image/jpeg"},
    {BYTES("GIF89a"), "image/gif"},
    {BYTES("RIFF\1\2\3\4WEBPVP8 "), "image/webp"},
    {BYTES("RIFF\1\2\3\4WAVEfmt "), "audio/vnd.wave"},
    {BYTES("ID3\3"), "audio/mpeg"},
    {BYTES("\0\0\0 ftypisom"), "video/mp4"},
    {BYTES("PK\3\4\24\0"), "application/zip"},
    {BYTES("PK\3\4[Content_Types].xml PK\1\2word/document.xml"),
	"application/vnd.openxmlformats-officedocument.wordprocessingml."
	"document"},
    {BYTES("PK\3\4META-INF/MANIFEST.MF"), "application/java-archive"},
    {BYTES("Rar!\x1a\x07\1"), "application/vnd.rar"},
    {BYTES("7z\xbc\xaf\x27\x1c"), "application/x-7z-compressed"},
    {BYTES("\x1f\x8b\x08"), "application/gzip"},
    {BYTES("\x7f"
	   "ELF\2"),
	"application/x-executable"},
    {BYTES("MZ\0\0"), "application/x-msdos-program"},
    {BYTES("\xcf\xfa\xed\xfe"), "application/x-mach-binary"},
    {BYTES("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "application/x-ole-storage"},
    {BYTES("#!/bin/sh\n"), "text/x-script"},
    {BYTES("{\\rtf1"), "text/rtf"},
    {BYTES("<!DOCTYPE html>\n<p>"), "text/html"},
    {BYTES("\xef\xbb\xbf \n<HTML>"), "text/html"},
    {BYTES("<script>x"), "text/html"},
    {BYTES("<?xml version='1.0'?><svg x='1'/>"), "image/svg+xml"},
    {BYTES("<svg onload=x>"), "image/svg+xml"},
    {BYTES("<?xml version='1.0'?><a/>"), "text/xml"},
    {BYTES("Received: x\nFrom: a@b\nSubject: c\n\nd"), "message/rfc822"},
    {BYTES("\x78\x9f\x3e\x22\1\0"), "application/ms-tnef"},
    {BYTES("-----BEGIN CERTIFICATE-----"), "application/x-pem-file"},
    {BYTES("SQLite format 3\0"), "application/vnd.sqlite3"},
    {BYTES("From here on"), "text/plain"},
    {BYTES("MZ is how it begins"), "text/plain"},
    {BYTES("a < b"), "text/plain"},
    {BYTES("<person>"), "text/plain"},
    {BYTES("a\0b"), "application/octet-stream"},
    {BYTES(""), "text/plain"},
};

START_TEST(beginnings)
{
	ck_assert_str_eq(sniff_type((struct span){heads[_i].head, heads[_i].n}),
	    heads[_i].type);
}
END_TEST

static const struct {
	const char *claimed, *name, *sniffed;
	bool differs;
} claims[] = {
    {"image/png", "a.png", "application/x-executable", true},
    {"image/png", "a.png", "text/html", true},
    {"image/png", "a.png", "image/jpeg", false},
    {"application/pdf", "a.pdf", "application/zip", true},
    {"application/pdf", "a.pdf", "application/pdf", false},
    {"text/plain", "a.txt", "text/x-script", true},
    {"text/plain", "a.txt", "text/html", true},
    {"text/html", "a.html", "text/html", false},
    {"text/rfc822-headers", "", "message/rfc822", false},
    {"text/x-sh", "a.sh", "text/x-script", false},
    {"image/svg+xml", "a.svg", "image/svg+xml", false},
    {"application/octet-stream", "a.PDF", "application/x-msdos-program", true},
    {"application/octet-stream", "a.exe", "application/x-msdos-program", false},
    {"application/zip", "a.zip", "application/zip", false},
    {"application/octet-stream", "", "text/html", false},
};

START_TEST(claims_that_differ)
{
	ck_assert(sniff_differs(claims[_i].claimed, span_of(claims[_i].name),
		      claims[_i].sniffed) == claims[_i].differs);
}
END_TEST

/* Text, name, content and where the rest begins. */
static const struct {
	const char *text, *name, *content, *rest;
	bool broken; /* there is one before that only begins like one */
} blocks[] = {
    {"begin 644 a b.txt\n#86)C\n`\nend\nrest", "a b.txt", "abc", "rest", false},
    {"begin 0644 x\r\n#86)C\r\n \r\nend\r\n", "x", "abc", "", false},
    {"begin 644 x\n#86)C\nend\n", "x", "abc", "", false},
    {"begin 644 x\n#86)C\n#86)C\n\"86(\n`\nend\n", "x", "abcabcab", "", false},
    {"begin 644 a\n#86)C\nProse.\nbegin 644 x\n#86)C\nend\n", "x", "abc", "",
	true},
    /* blanks that were lost, a check letter */
    {"begin 644 x\n$86)C`\n`\nend\n", "x", "abc\0", "", false},
    {"begin 644 x\n#86)C\n\nend\n", "x", "abc", "", false},
    {"begin 644 x\n#86)CZ\n`\nend\n", "x", "abc", "", false},
};

START_TEST(uuencoded)
{
	struct uu_block block;
	bool broken = false;

	ck_assert(uu_next(span_of(blocks[_i].text), 0, &block, &out, &broken));
	ck_assert(span_is(block.name, blocks[_i].name));
	ck_assert(out.len >= strlen(blocks[_i].content) &&
		  memcmp(out.data, blocks[_i].content,
		      strlen(blocks[_i].content)) == 0);
	ck_assert_str_eq(blocks[_i].text + block.end, blocks[_i].rest);
	ck_assert(block.whole);
	ck_assert(broken == blocks[_i].broken);
}
END_TEST

static const char *const prose[] = {
    "begin 644 words\nand go on in prose\n",
    "begin 9 x\n#86)C\n",
    "begin 644\n#86)C\n",
    "begin 644 x\nend\n",
    "begin 644 x\n\nend\n",
    "begin 644 x\nHELLO WORLD, THIS IS ALL IN CAPITALS, AS OLD MACHINES WRITE.\n",
    /* no end, a line that is none, lines of other sizes */
    "begin 644 x\n#86)C\n",
    "begin 644 x\n#86)C\nThis is not a line.\nend\n",
    "begin 644 x\n\"86(\n#86)C\nend\n",
    "begin 644 x\n#86)C\n`\n#86)C\nend\n",
    "begin 644 x",
    "",
};

START_TEST(not_uuencoded)
{
	struct uu_block block;
	bool broken = false;

	ck_assert(!uu_next(span_of(prose[_i]), 0, &block, &out, &broken));
}
END_TEST

/* A container put together. */
static void
put_number(struct buf *to, uint32_t number, size_t bytes)
{
	while (bytes-- > 0) {
		ck_assert_int_eq(buf_add_byte(to, (char)number), 0);
		number >>= 8;
	}
}

static void
put_attribute(unsigned level, uint32_t id, const char *data, size_t n)
{
	uint32_t sum = 0;

	put_number(&out, level, 1);
	put_number(&out, id, 4);
	put_number(&out, (uint32_t)n, 4);
	ck_assert_int_eq(buf_add(&out, data, n), 0);
	for (size_t i = 0; i < n; i++)
		sum += (unsigned char)data[i];
	put_number(&out, sum, 2);
}

static void
note(const char *what, struct span a, struct span b, struct span c)
{
	ck_assert_int_eq(buf_add_format(&seen, "%s(%.*s|%.*s|%.*s)", what,
			     (int)a.n, a.p, (int)b.n, b.p, (int)c.n, c.p),
	    0);
}

static void
take_file(void *with, struct span name, struct span label, struct span bytes)
{
	(void)with;
	if (span_is(label, "utf-16le")) /* its first letter will do */
		name.n = 1;
	note("file", name, label, bytes);
}

static void
take_text(void *with, struct span text, struct span label)
{
	(void)with;
	note("text", text, label, SPAN(""));
}

static void
take_rtf(void *with, struct span compressed)
{
	(void)with;
	note("rtf", compressed, SPAN(""), SPAN(""));
}

static const struct tnef_taker taker = {NULL, take_file, take_text, take_rtf};

static void
make_container(void)
{
	struct buf props;

	put_number(&out, 0x223e9f78, 4);
	put_number(&out, 1, 2);
	put_attribute(1, 0x00069007, BYTES("\xe2\4\0\0\0\0\0\0"));
	put_attribute(1, 0x0002800c, BYTES("Hello\0"));
	buf_init(&props, 1000);
	put_number(&props, 3, 4);
	put_number(&props, 0x80010003, 4); /* a named one */
	put_number(&props, 0, 16);
	put_number(&props, 1, 4);
	put_number(&props, 3, 4);
	put_number(&props, 0, 4);
	put_number(&props, 7, 4);
	put_number(&props, 0x0e060040, 4); /* a time */
	put_number(&props, 0, 8);
	put_number(&props, 0x10090102, 4);
	put_number(&props, 1, 4);
	put_number(&props, 3, 4);
	ck_assert_int_eq(buf_add(&props, "rtf\0", 4), 0);
	put_attribute(1, 0x00069003, props.data, props.len);
	put_attribute(2, 0x00069002, BYTES("\1\0"));
	put_attribute(2, 0x00018010, BYTES("ONE~1.TXT\0"));
	put_attribute(2, 0x0006800f, BYTES("first"));
	buf_clear(&props);
	put_number(&props, 1, 4);
	put_number(&props, 0x3707001f, 4);
	put_number(&props, 1, 4);
	put_number(&props, 4, 4);
	ck_assert_int_eq(buf_add(&props, "L\0\0\0", 4), 0);
	put_attribute(2, 0x00069005, props.data, props.len);
	put_attribute(2, 0x00069002, BYTES("\1\0"));
	put_attribute(2, 0x00018010, BYTES("two.bin\0"));
	put_attribute(2, 0x0006800f, BYTES("second"));
	buf_free(&props);
}

static bool
read_container(size_t bytes)
{
	buf_clear(&seen);
	return tnef_read((struct span){out.data, bytes}, &taker);
}

START_TEST(container)
{
	static const char want[] =
	    "text(Hello|windows-1250|)rtf(rtf||)"
	    "file(L|utf-16le|first)file(two.bin|windows-1250|second)";

	make_container();
	ck_assert(read_container(out.len));
	ck_assert_msg(is(&seen, BYTES(want)), "%.*s", (int)seen.len, seen.data);
}
END_TEST

static bool
has_seen(const char *text)
{
	return memmem(seen.data, seen.len, text, strlen(text)) != NULL;
}

/* A wrong checksum, or properties that are none, hide nothing behind them. */
START_TEST(damage_hides_nothing)
{
	make_container();
	out.data[4 + 2 + 9 + 8] ^= 1; /* the first one's checksum */
	ck_assert(!read_container(out.len));
	ck_assert(has_seen("Hello") && has_seen("file(L|"));
	ck_assert(has_seen("two.bin") && has_seen("second"));
	buf_clear(&out);
	put_number(&out, 0x223e9f78, 4);
	put_number(&out, 1, 2);
	put_attribute(1, 0x00069003, BYTES("\xff\xff\xff\xff"));
	put_attribute(2, 0x00018010, BYTES("x\0"));
	ck_assert(!read_container(out.len));
	ck_assert(has_seen("file(x|"));
}
END_TEST

/* RTF is listed as a file, and counts as one. */
START_TEST(files_are_bounded)
{
	struct buf props;
	size_t count = 0;

	buf_init(&props, 1u << 20);
	put_number(&props, TNEF_PROPERTIES, 4);
	for (int i = 0; i < TNEF_PROPERTIES; i++) {
		put_number(&props, 0x10090102, 4);
		put_number(&props, 1, 4);
		put_number(&props, 0, 4);
	}
	put_number(&out, 0x223e9f78, 4);
	put_number(&out, 1, 2);
	put_attribute(1, 0x00069003, props.data, props.len);
	buf_free(&props);
	put_attribute(2, 0x00069002, BYTES("\1\0"));
	put_attribute(2, 0x00018010, BYTES("one too many\0"));
	ck_assert(read_container(out.len));
	for (size_t i = 0; i < seen.len; i++)
		count += seen.data[i] == '(';
	ck_assert_uint_eq(count, TNEF_FILES);
	ck_assert(!has_seen("file("));
}
END_TEST

/* Cut anywhere, or with any byte changed, it is read without harm; and every
 * change in what attributes hold is noticed. */
START_TEST(damaged_containers)
{
	make_container();
	for (size_t i = 0; i < out.len; i++)
		(void)read_container(i);
	for (size_t i = 0; i < out.len; i++) {
		out.data[i] ^= (char)0x81;
		(void)read_container(out.len);
		out.data[i] ^= (char)0x81;
	}
	out.data[out.len - 3] ^= 1;
	ck_assert(!read_container(out.len));
	ck_assert(has_seen("two.bin") && has_seen("secone"));
	ck_assert(!read_container(5));
	ck_assert(!tnef_read(SPAN("not a container at all"), &taker));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("attach");
	TCase *tcase = tcase_create("attach");

	tcase_set_timeout(tcase, 60); /* with sanitizers, on a busy machine */
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, base64, 0, (int)COUNT_OF(codes));
	tcase_add_test(tcase, base64_of_every_byte);
	tcase_add_loop_test(tcase, beginnings, 0, (int)COUNT_OF(heads));
	tcase_add_loop_test(
	    tcase, claims_that_differ, 0, (int)COUNT_OF(claims));
	tcase_add_loop_test(tcase, uuencoded, 0, (int)COUNT_OF(blocks));
	tcase_add_loop_test(tcase, not_uuencoded, 0, (int)COUNT_OF(prose));
	tcase_add_test(tcase, container);
	tcase_add_test(tcase, damage_hides_nothing);
	tcase_add_test(tcase, files_are_bounded);
	tcase_add_test(tcase, damaged_containers);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
