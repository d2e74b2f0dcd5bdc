/*
 * Authentication-Results: reader/auth.h.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "reader/auth.h"
#include "reader/mime.h"
#include "tests/unit/run_suite.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MX "Authentication-Results: mx.me.example"

static const struct {
	const char *header, *want; /* "method=result domain;" for each */
} rows[] = {
    {MX "; dkim=pass header.d=a.example\n", "dkim=pass a.example;"},
    {MX ";\r\n\tDKIM=Pass (2048-bit key; \"x\") header.i=@A.example"
	" header.s=s; spf=softfail smtp.mailfrom=x@b.example;"
	" dmarc=fail (p=none) header.from=a.example\n",
	"dkim=pass a.example;spf=softfail b.example;dmarc=fail a.example;"},
    {"authentication-results: MX.me.example 1; dkim/1=pass\n", "dkim=pass ;"},
    {"Authentication-Results:\r\n mx.me.example 1;\r\n dkim=pass\r\n",
	"dkim=pass ;"},
    {MX "\t;dkim=pass\n", "dkim=pass ;"},
    {MX " (x); dkim=pass\n", "dkim=pass ;"},
    /* names that a server may not know for its own */
    {"Authentication-Results: \"mx.me.example\"; spf=pass smtp.helo=h\n", ""},
    {"Authentication-Results: mx.me.example.; dkim=pass\n", ""},
    {"Authentication-Results: (x) mx.me.example; dkim=pass\n", ""},
    {"Authentication-Results:\n (\n) mx.me.example; dkim=pass\n", ""},
    {MX "(x); dkim=pass\n", ""},
    {MX "\"\"; dkim=pass\n", ""},
    {"Authentication-Results : mx.me.example; dkim=pass\n", ""},
    {"Authentication-Results\t: mx.me.example; dkim=pass\n", ""},
    {"Authentication-\n Results: mx.me.example; dkim=pass\n", ""},
    {"Authentication-Results\n : mx.me.example; dkim=pass\n", ""},
    {MX "; dkim=fail\nAuthentication-Results : mx.me.example; dmarc=pass\n",
	"dkim=fail ;"},
    {"Received : from x by mx.me.example (ok) with ESMTP\n" MX "; dkim=pass\n",
	""},
    {MX "; none\n", ""},
    {MX "\n", ""},
    /* of others, or in others */
    {"Authentication-Results: mx.me.example.evil; dkim=pass\n", ""},
    {"Authentication-Results: evil; x=mx.me.example; dkim=pass\n", ""},
    {"X-Authentication-Results: mx.me.example; dkim=pass\n", ""},
    {"Authentication-Results: evil; dkim=pass\n" MX "; dkim=fail\n",
	"dkim=fail ;"},
    /* the topmost block only */
    {MX "; dkim=fail\n" MX "; dmarc=fail\nFrom: a@b\n" MX "; dkim=pass\n",
	"dkim=fail ;dmarc=fail ;"},
    {"Received: from x by mx.me.example (ok) with ESMTP\n" MX "; dkim=pass\n",
	"dkim=pass ;"},
    {"Received: from x (by mx.me.example) by relay.evil\n" MX "; dkim=pass\n",
	""},
    {"Received: nonsense\n" MX "; dkim=pass\n", ""},
    /* what cannot be read */
    {MX "; dk im=pass; spf==; =pass; x=\"a b\"; dkim=pass header.d=\"a b\"\n",
	"dkim=pass ;"},
    {MX "; dkim=pass (open comment header.d=a.example\n", "dkim=pass ;"},
    {MX "; dkim=pass = = = header.d=a.example\n", "dkim=pass ;"},
    {MX "; dkim=<script>\n", ""},
    {MX "; dkim=pass \"\n", ""},
    {MX "; dkim=pass reason=\"\n" MX "; dmarc=pass\n", "dmarc=pass ;"},
    {MX "; dkim=pass header.d=a.example; x=\"y\\\"\n", ""},
    {MX "; dkim=\"\n", ""},
    {MX "; \"\n", ""},
    {"Received: \"\n" MX "; dkim=pass\n", ""},
    {"Received: by\n" MX "; dkim=pass\n", ""},
    {"Received: by \"mx.me.example\n" MX "; dkim=pass\n", ""},
    /* quoted local parts are the sender's */
    {MX "; spf=pass smtp.mailfrom=\"user@bank.com\"@evil.com\n",
	"spf=pass evil.com;"},
    {MX "; spf=pass smtp.mailfrom=\"a\\\"; dkim=pass header.d=bank.com;"
	" x=\\\"b\"@evil.com\n",
	"spf=pass evil.com;"},
    {MX "; dkim=fail reason=\"a\\\"; dkim=pass header.d=bank.com; x=\\\"b\""
	" header.d=evil.com\n",
	"dkim=fail evil.com;"},
    {MX "; spf=pass smtp.mailfrom=a.\"@bank.com\".b@evil.com\n",
	"spf=pass evil.com;"},
    {MX "; spf=pass smtp.mailfrom=a@bank.com\"@evil.com\"\n", "spf=pass ;"},
    {MX "; spf=pass smtp.mailfrom=\"user@bank.com\"\n", "spf=pass ;"},
    {MX "; spf=pass smtp.mailfrom=bank.com (x) @evil.com\n", "spf=pass ;"},
    {MX "; spf=pass smtp.mailfrom=\"bank.com\" @evil.com\n", "spf=pass ;"},
    {MX "; dkim=pass header.d=\"a.example\"\n", "dkim=pass a.example;"},
    {MX "; dkim=pass (\\) header.d=bank.com) header.d=a.example\n",
	"dkim=pass a.example;"},
    /* each method has its own properties */
    {MX "; spf=pass smtp.helo=h.example smtp.mailfrom=a@b.example\n",
	"spf=pass b.example;"},
    {MX "; spf=pass header.d=bank.com smtp.helo=h.example\n",
	"spf=pass h.example;"},
    {MX "; spf=pass header.from=bank.com\n", "spf=pass ;"},
    {MX "; dkim=pass header.i=@a.example header.d=b.example\n",
	"dkim=pass b.example;"},
    {MX "; dkim=pass header.from=bank.com smtp.mailfrom=bank.com\n",
	"dkim=pass ;"},
    {MX "; DMARC=pass header.d=bank.com Header.From=a.example\n",
	"dmarc=pass a.example;"},
    {MX "; arc=pass header.d=bank.com\n", "arc=pass ;"},
    {MX "; x-new=pass header.from=bank.com\n", "x-new=pass ;"},
};

static void
expect(const char *header, const char *want)
{
	char *mail = alloc_format("%s\nbody\n", header);
	struct mime *m = mime_new(span_of(mail));
	struct clean c;
	struct buf seen;

	clean_init(&c, "mail");
	buf_init(&seen, 10000);
	auth_read(m, &c);
	for (size_t i = 0; i < c.auth_count; i++)
		ck_assert_int_eq(
		    buf_add_format(&seen, "%.*s=%.*s %.*s;",
			(int)c.auth[i].method.n, c.auth[i].method.p,
			(int)c.auth[i].result.n, c.auth[i].result.p,
			(int)c.auth[i].domain.n, c.auth[i].domain.p),
		    0);
	ck_assert_msg(
	    seen.len == strlen(want) &&
		memcmp(seen.len == 0 ? "" : seen.data, want, seen.len) == 0,
	    "\"%.*s\" is not \"%s\"", (int)seen.len, seen.data, want);
	clean_done(&c);
	buf_free(&seen);
	mime_free(m);
	free(mail);
}

START_TEST(results)
{
	auth_trust_nobody();
	ck_assert_int_eq(auth_trust("mx.me.EXAMPLE"), 0);
	expect(rows[_i].header, rows[_i].want);
}
END_TEST

START_TEST(nobody_is_trusted)
{
	auth_trust_nobody();
	expect(rows[0].header, "");
	expect("Authentication-Results: ; dkim=pass\n", "");
}
END_TEST

START_TEST(hosts)
{
	auth_trust_nobody();
	ck_assert_int_ne(auth_trust(""), 0);
	ck_assert_int_ne(auth_trust("a b"), 0);
	for (int i = 0; i < CLEAN_TRUSTED; i++)
		ck_assert_int_eq(auth_trust("a.example"), 0);
	ck_assert_int_ne(auth_trust("a.example"), 0);
}
END_TEST

START_TEST(many_results)
{
	char *field;
	struct buf header;
	struct mime *m;
	struct clean c;

	auth_trust_nobody();
	ck_assert_int_eq(auth_trust("mx.me.example"), 0);
	buf_init(&header, 1u << 20);
	ck_assert_int_eq(buf_add_text(&header, MX), 0);
	for (int i = 0; i < 250; i++) {
		field =
		    alloc_format(";\n x%d=pass header.d=%0200d.example", i, i);
		ck_assert_int_eq(buf_add_text(&header, field), 0);
		free(field);
	}
	ck_assert_int_eq(buf_add_text(&header, "\n\nx"), 0);
	clean_init(&c, "mail");
	m = mime_new((struct span){header.data, header.len});
	auth_read(m, &c);
	ck_assert_uint_gt(c.auth_count, 5);
	ck_assert_uint_le(c.auth_count, CLEAN_AUTH);
	mime_free(m);
	clean_done(&c);
	buf_free(&header);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("auth");
	TCase *tcase = tcase_create("auth");

	mime_warm();
	tcase_set_timeout(tcase, 60); /* with sanitizers, on a busy machine */
	tcase_add_loop_test(tcase, results, 0, (int)COUNT_OF(rows));
	tcase_add_test(tcase, nobody_is_trusted);
	tcase_add_test(tcase, hosts);
	tcase_add_test(tcase, many_results);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
