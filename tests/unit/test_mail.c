/*
 * Whole mails to clean objects: the files of tests/data/mail and large ones
 * made here. The folder comes as TRIZONE_TEST_DATA or is tests/data.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"
#include "common/limits.h"
#include "proto/clean.h"
#include "reader/body.h"
#include "reader/limits.h"
#include "reader/mail.h"
#include "tests/unit/mail_fixture.h"
#include "tests/unit/run_suite.h"

static void
read_file(const char *name)
{
	const char *folder = getenv("TRIZONE_TEST_DATA");
	char *path = alloc_format(
	    "%s/mail/%s", folder == NULL ? "tests/data" : folder, name);
	FILE *file = fopen(path, "rb");
	char raw[8192];
	size_t bytes;

	if (file == NULL)
		ck_abort_msg("cannot open %s", path);
	bytes = fread(raw, 1, sizeof raw, file);
	fclose(file);
	free(path);
	read_mail((struct span){raw, bytes});
}

/* File, place in the object, text there. */
static const struct {
	const char *file, *pointer, *want;
} texts[] = {
    {"plain.eml", "/from/name", "Ada Lind"},
    {"plain.eml", "/from/address", "ada@north.example"},
    {"plain.eml", "/to/0/name", "Berg, Tom"},
    {"plain.eml", "/to/1/address", "uli@south.example"},
    {"plain.eml", "/to/2/address", "eva@south.example"},
    {"plain.eml", "/cc/0/address", "kim@west.example"},
    {"plain.eml", "/reply_to/0/address", "answers@north.example"},
    {"plain.eml", "/subject",
	"Gr\xc3\xbc\xc3\x9f"
	"e from the north"},
    {"plain.eml", "/date", "2026-02-02T08:00:00Z"},
    {"plain.eml", "/message_id", "n1@north.example"},
    {"plain.eml", "/body",
	"This line is long and goes on here.\n"
	"See https://north.example/a?b=c."},
    {"plain.eml", "/links/0/url", "https://north.example/a?b=c"},
    {"alternative.eml", "/attachments/0/name", "Rechnung M\xc3\xa4rz.pdf"},
    {"alternative.eml", "/attachments/0/sha256",
	"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
    {"alternative.eml", "/body",
	"The order is on its way to you and should be there on Friday."},
    {"differ.eml", "/body", "Lunch at noon?"},
    {"differ.eml", "/findings/0", "alternatives-differ"},
    {"duplicate.eml", "/from/address", "first@one.example"},
    {"duplicate.eml", "/subject", "One"},
    {"nested.eml", "/body",
	"Dzie\xc5\x84 dobry\n\n> From: inner@talk.example\n"
	"> Subject: Inside\n\nNot opened."},
    {"nested.eml", "/attachments/0/type", "message/rfc822"},
    {"nested.eml", "/attachments/1/name", "notes.txt"},
    {"charset.eml", "/body", "only ASCII"},
    {"charset.eml", "/findings/0", "unknown-charset"},
    {"mbox.eml", "/body", "body"},
    {"tnef.eml", "/body", "Hello"},
    {"tnef.eml", "/attachments/0/name", "winmail.dat"},
    {"tnef.eml", "/attachments/0/sniffed", "application/ms-tnef"},
    {"tnef.eml", "/attachments/1/name", "L"},
    {"tnef.eml", "/attachments/1/sha256",
	"a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e"},
    {"tnef.eml", "/findings/0", "outlook-container"},
    {"mbox.eml", "/findings/0", "mbox-from-line"},
    {"invisible.eml", "/from/name", "Supportelpmaxe.knab@pleh"},
    {"invisible.eml", "/subject", "abc"},
    {"invisible.eml", "/body", "visible"},
    {"invisible.eml", "/findings/0", "address-in-name"},
};

START_TEST(files)
{
	read_file(texts[_i].file);
	expect(texts[_i].pointer, texts[_i].want);
}
END_TEST

/* The sentence that nobody sees reaches the operator and not the planner. */
START_TEST(hidden_text_stays_out)
{
	read_file("hostile.eml");
	ck_assert(contains(&clean, "the market stall is ours again"));
	ck_assert(!contains(&clean, "evil.com"));
	ck_assert(!contains(&clean, "send_data"));
	expect("/hidden/0/reason", "display-none");
	ck_assert(contains(&record, "send_data_to_external_server"));
}
END_TEST

START_TEST(odd_headers_are_found)
{
	read_file("duplicate.eml");
	ck_assert_uint_eq(
	    view.findings, FINDING_BIT(FINDING_DUPLICATE_FROM) |
			       FINDING_BIT(FINDING_DUPLICATE_SUBJECT) |
			       FINDING_BIT(FINDING_DUPLICATE_CONTENT_TYPE) |
			       FINDING_BIT(FINDING_BLANK_BEFORE_COLON) |
			       FINDING_BIT(FINDING_TEXT_IN_HTML) |
			       FINDING_BIT(FINDING_BAD_DATE));
	ck_assert(contains(&record, "second@two.example"));
	ck_assert(!contains(&clean, "second@two.example"));
}
END_TEST

/* A name too long for the MIME parser, which then refuses the mail: the line is
 * not given to it. */
START_TEST(long_names)
{
	static const size_t sizes[] = {900, 998, 999, 5000, 20000, 70000};
	char *raw;

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		raw = alloc_format(
		    "From: a@b\n%0*d: x\n\nbody", (int)sizes[i], 1);
		read_mail(span_of(raw));
		free(raw);
		expect("/from/address", "a@b");
		ck_assert(
		    !(view.findings & FINDING_BIT(FINDING_NOT_READ_AS_MAIL)));
		ck_assert_msg(contains(&clean, "body\",\"links"), "%zu: %.*s",
		    sizes[i], (int)clean.len, clean.data);
		raw = alloc_format(
		    "From: a@b\nContent-Type: multipart/mixed; boundary=b\n\n"
		    "--b\n%0*d: x\n\nbody\n--b--\n",
		    (int)sizes[i], 1);
		read_mail(span_of(raw));
		free(raw);
		expect("/from/address", "a@b");
		ck_assert(contains(&clean, "body\",\"links"));
	}
}
END_TEST

/* What the scan lets through and the parser refuses is shown as it is. Nothing
 * does that now, so the scan is left out. */
START_TEST(refused_by_the_parser)
{
	char *raw = alloc_format("%020000d: x\n\nbody", 1);
	struct scan scan = {.mail = span_of(raw)};
	struct mime *m = mime_new(scan.mail);
	struct record odd;
	struct visible v;
	struct clean c;

	clean_init(&c, "mail");
	record_init(&odd);
	visible_init(&v, NULL);
	body_render(&scan, m, &v, &c, &odd);
	ck_assert(c.findings & FINDING_BIT(FINDING_NOT_READ_AS_MAIL));
	ck_assert(contains(&v.text, ": x\n\nbody"));
	visible_done(&v);
	record_done(&odd);
	clean_done(&c);
	mime_free(m);
	free(raw);
}
END_TEST

/* Transfer encoding of a text. */
static void
add_base64(struct buf *out, struct span text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
				      "opqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < text.n; i += 3) {
		uint32_t bits = 0;

		for (size_t k = i; k < i + 3; k++)
			bits = bits << 8 |
			       (k < text.n ? (unsigned char)text.p[k] : 0);
		for (size_t k = 0; k < 4; k++)
			ck_assert_int_eq(
			    buf_add_byte(
				out, i + k <= text.n
					 ? letters[bits >> (18 - 6 * k) & 63]
					 : '='),
			    0);
		if (i % 57 == 54)
			ck_assert_int_eq(buf_add_byte(out, '\n'), 0);
	}
}

/* Many mails inside each other: some are shown, all are there. */
START_TEST(mails_in_mails)
{
	struct buf raw;
	size_t shown = 0;

	buf_init(&raw, MAIL_MAX_BYTES);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(
		    buf_add_text(&raw, "From: a@b\nSubject: level\n"
				       "Content-Type: message/rfc822\n\n"),
		    0);
	read_mail((struct span){raw.data, raw.len});
	for (size_t i = 0; i + 5 <= view.body.n; i++)
		if (memcmp(view.body.p + i, "level", 5) == 0)
			shown++;
	ck_assert_uint_eq(shown, MAIL_MESSAGES);
	ck_assert_uint_eq(view.attachments->count, MAIL_MESSAGES + 1);
	ck_assert(view.findings & FINDING_BIT(FINDING_DEEP));
	buf_free(&raw);
}
END_TEST

/* Transfer encodings inside each other, one base64 of all that is in it: each
 * is decoded up to a number. And many side by side. */
START_TEST(coded_mails_in_mails)
{
	struct buf raw, inner;
	size_t shown = 0;

	buf_init(&raw, MAIL_MAX_BYTES);
	buf_init(&inner, MAIL_MAX_BYTES);
	ck_assert_int_eq(buf_add_text(&raw, "Subject: level\n\nbottom\n"), 0);
	for (int i = 0; i < 12; i++) {
		buf_clear(&inner);
		ck_assert_int_eq(buf_add_text(&inner,
				     "From: a@b\nSubject: level\n"
				     "Content-Type: message/rfc822\n"
				     "Content-Transfer-Encoding: base64\n\n"),
		    0);
		add_base64(&inner, (struct span){raw.data, raw.len});
		buf_clear(&raw);
		ck_assert_int_eq(buf_add(&raw, inner.data, inner.len), 0);
	}
	read_mail((struct span){raw.data, raw.len});
	for (size_t i = 0; i + 5 <= view.body.n; i++)
		shown += memcmp(view.body.p + i, "level", 5) == 0;
	ck_assert_uint_eq(shown, MAIL_MESSAGES);
	ck_assert_uint_eq(view.attachments->count, MAIL_MESSAGES + 1);
	ck_assert(view.findings & FINDING_BIT(FINDING_DEEP));
	buf_free(&raw);
	buf_free(&inner);
}
END_TEST

START_TEST(many_coded_mails)
{
	struct buf raw;
	size_t shown = 0;

	buf_init(&raw, MAIL_MAX_BYTES);
	ck_assert_int_eq(
	    buf_add_text(&raw, "Content-Type: multipart/mixed; boundary=b\n\n"),
	    0);
	for (int i = 0; i < MAIL_DECODED + 10; i++)
		ck_assert_int_eq(
		    buf_add_text(&raw, "--b\nContent-Type: message/rfc822\n"
				       "Content-Transfer-Encoding: base64\n\n"
				       "U3ViamVjdDogaW4KCnRleHQ=\n"),
		    0);
	read_mail((struct span){raw.data, raw.len});
	for (size_t i = 0; i + 4 <= view.body.n; i++)
		shown += memcmp(view.body.p + i, "text", 4) == 0;
	ck_assert_uint_eq(shown, MAIL_DECODED);
	ck_assert(contains(&clean, "{\"what\":\"parts\",\"kept\""));
	buf_free(&raw);
}
END_TEST

/* Two texts in one subject, longer than a subject may be. */
START_TEST(long_subject)
{
	struct buf raw;

	buf_init(&raw, MAIL_MAX_BYTES);
	ck_assert_int_eq(buf_add_text(&raw, "Subject:"), 0);
	for (int i = 0; i < 3000; i++)
		ck_assert_int_eq(
		    buf_add_text(&raw, "\n =?utf-8?q?=E2=82=AC?="), 0);
	read_mail((struct span){raw.data, raw.len});
	ck_assert_uint_eq(
	    utf8_count(view.subject.p, view.subject.n), CLEAN_SUBJECT_CHARS);
	buf_free(&raw);
}
END_TEST

/* Numbers in little endian order, in quoted-printable. */
static void
put_number(struct buf *to, uint64_t number, size_t bytes)
{
	for (; bytes-- > 0; number >>= 8)
		ck_assert_int_eq(
		    buf_add_format(to, "=%02X", (unsigned)(number & 0xff)), 0);
}

/* An attribute of Outlook's container with a text in it. */
static void
put_attribute(struct buf *to, uint64_t id, const char *text)
{
	uint64_t sum = 0;

	put_number(to, 2, 1);
	put_number(to, id, 4);
	put_number(to, strlen(text), 4);
	for (size_t i = 0; i < strlen(text); i++) {
		sum += (unsigned char)text[i];
		put_number(to, (unsigned char)text[i], 1);
	}
	put_number(to, sum, 2);
}

static void
put_file(struct buf *to, const char *name, const char *content)
{
	put_attribute(to, 0x00069002, "x");
	put_attribute(to, 0x00018010, name);
	put_attribute(to, 0x0006800f, content);
}

/* A container that is larger than is read. Content is decoded in pieces of 16
 * KiB; the one that has no room is followed by one that would have. */
START_TEST(large_container)
{
	static const size_t piece = 16384, most = MAIL_TEXT_BYTES;
	struct buf raw, front;
	char *filler;

	buf_init(&raw, MAIL_MAX_BYTES);
	buf_init(&front, piece);
	put_number(&front, 0x223e9f78, 4);
	put_number(&front, 1, 2);
	put_file(&front, "first.txt", "some content that is not quite short");
	put_file(&front, "second.txt", "some content that is not quite short");
	put_number(&front, 1, 1); /* an attribute up to the hole */
	put_number(&front, 0, 4);
	put_number(&front, most - front.len - 12, 4);
	ck_assert_int_eq(buf_add_text(&raw,
			     "From: a@b\nContent-Type: application/ms-tnef\n"
			     "Content-Transfer-Encoding: quoted-printable\n\n"),
	    0);
	ck_assert_int_eq(buf_add(&raw, front.data, front.len), 0);
	filler = buf_reserve(&raw, most + piece - front.len);
	ck_assert_ptr_nonnull(filler);
	memset(filler, 'a', most + piece - front.len);
	raw.len += most + piece - front.len;
	put_number(&raw, 0, 2);
	put_file(&raw, "ghost.txt", "x");
	read_mail((struct span){raw.data, raw.len});
	ck_assert(contains(&clean, "first.txt"));
	ck_assert(contains(&clean, "second.txt"));
	ck_assert(!contains(&clean, "ghost.txt"));
	ck_assert(view.findings & FINDING_BIT(FINDING_BAD_TNEF));
	ck_assert(contains(&record, "larger than is read"));
	buf_free(&raw);
	buf_free(&front);
}
END_TEST

static bool
is_cut(const char *what)
{
	const struct json_node *e;

	for (e = json_first(&doc, view.truncated); e != NULL;
	     e = json_next(&doc, view.truncated, e))
		if (json_is_string(json_get(&doc, e, "what"), what))
			return true;
	return false;
}

/* A name that is longer than is decoded is named as cut, though what is left
 * of it is short without its folders. */
START_TEST(long_name_in_container)
{
	static char name[MAIL_HEADER_TEXT + 10];
	struct buf raw;

	memset(name, '/', sizeof name);
	memcpy(name + sizeof name - 6, "a.exe", 6);
	buf_init(&raw, MAIL_MAX_BYTES);
	ck_assert_int_eq(buf_add_text(&raw,
			     "From: a@b\nContent-Type: application/ms-tnef\n"
			     "Content-Transfer-Encoding: quoted-printable\n\n"),
	    0);
	put_number(&raw, 0x223e9f78, 4);
	put_number(&raw, 1, 2);
	put_file(&raw, name, "x");
	read_mail((struct span){raw.data, raw.len});
	ck_assert_uint_eq(view.attachments->count, 2);
	ck_assert(is_cut("attachment-name"));
	buf_free(&raw);
}
END_TEST

START_TEST(too_large)
{
	size_t bytes = MAIL_MAX_BYTES + 1;
	char *raw = alloc_bytes(bytes);

	read_mail((struct span){raw, bytes});
	ck_assert_int_eq(view.error, ERR_TOO_LARGE);
	free(raw);
}
END_TEST

static const struct {
	const char *head, *piece;
	int times;
	const char *what; /* that is named as cut, or "" */
} bombs[] = {
    {"Content-Type: multipart/mixed; boundary=b\n\n", "--b\n\nx\n", 100000,
	"parts"},
    {"", "Content-Type: multipart/mixed; boundary=b\n\n--b\n", 10000, ""},
    {"", "Content-Type: multipart/mixed; x-boundary=q; boundary=b\n\n--b\n", 60,
	""},
    {"Subject: ", "=?utf-8?q?=E2=82=AC?=\n ", 250000, "subject"},
    {"Cc: a@b", ",\n \"User\" <u@example.org>", 100000, "cc"},
    {"Cc: ", "(", 100000, "headers"},
    {"To: ", "a:", 100000, ""},
    {"", "X: y\n", 100000, "headers"},
    {"Content-Type: text/plain", ";\n a*0*=x", 50000, "headers"},
    {"\n", "x", 3000000, "body"},
    {"\n", "http://a.example/ ", 100000, "links"},
    {"Content-Type: text/plain; charset=utf-8\n\n", "\xff", 2000000, "body"},
    {"\n", "begin 644 x\n#86)C\n`\nend\n", 100000, "attachments"},
    {"\n", "begin 644 x\n", 200000, "body"},
    {"\n", "begin 644 x\n`\n", 200000, "body"},
    {"Content-Type: multipart/digest; boundary=b\n",
	"\n--b\n\nCc: a:a:a:", 50000, "parts"},
    {"Content-Type: multipart/digest; boundary=b\n\n--b\n\nTo: ", "a:(", 300000,
	"headers"},
    {"Content-Type: multipart/mixed; boundary=b\n",
	"\n--b\nContent-Type: a/b\n\nx", 900, "attachments"},
};

START_TEST(bombs_are_bounded)
{
	struct buf raw;

	buf_init(&raw, MAIL_MAX_BYTES);
	ck_assert_int_eq(buf_add_text(&raw, bombs[_i].head), 0);
	for (int i = 0; i < bombs[_i].times; i++)
		ck_assert_int_eq(buf_add_text(&raw, bombs[_i].piece), 0);
	read_mail((struct span){raw.data, raw.len});
	ck_assert_msg(bombs[_i].what[0] == '\0' || is_cut(bombs[_i].what),
	    "%s is not named as cut", bombs[_i].what);
	buf_free(&raw);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

int
main(void)
{
	Suite *suite = suite_create("mail");
	TCase *tcase = tcase_create("mail");

	mail_warm();
	tcase_set_timeout(tcase, 60); /* with sanitizers, on a busy machine */
	tcase_add_checked_fixture(tcase, mail_setup, mail_teardown);
	tcase_add_loop_test(tcase, files, 0, ROWS(texts));
	tcase_add_test(tcase, hidden_text_stays_out);
	tcase_add_test(tcase, odd_headers_are_found);
	tcase_add_test(tcase, mails_in_mails);
	tcase_add_test(tcase, long_names);
	tcase_add_test(tcase, refused_by_the_parser);
	tcase_add_test(tcase, coded_mails_in_mails);
	tcase_add_test(tcase, many_coded_mails);
	tcase_add_test(tcase, long_subject);
	tcase_add_test(tcase, large_container);
	tcase_add_test(tcase, long_name_in_container);
	tcase_add_test(tcase, too_large);
	tcase_add_loop_test(tcase, bombs_are_bounded, 0, ROWS(bombs));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
