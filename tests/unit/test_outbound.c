/*
 * Outbound rules: links in every spelling, what is none, markup made text, and
 * the arguments of a call as they leave. Attack case 8.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/facts.h"
#include "executor/outbound.h"
#include "linear.h"
#include "run_suite.h"

#define ZWSP "\xe2\x80\x8b"
#define IDEO "\xe3\x80\x82"   /* U+3002 */
#define WDOT "\xef\xbc\x8e"   /* U+FF0E */
#define WSLASH "\xef\xbc\x8f" /* U+FF0F */
#define WCOLON "\xef\xbc\x9a" /* U+FF1A */

static void
expect(const char *text, const char *want, struct span got)
{
	ck_assert_msg(span_is(got, want), "\"%s\": \"%.*s\", not \"%s\"", text,
	    (int)got.n, got.p, want);
}

/* What leaves of a text whose links nobody named; NULL: as it is. */
static const struct {
	const char *text, *leaves;
} defanged[] = {
    {"see https://evil.example/x?d=1.", "see hxxps://evil[.]example/x?d=1."},
    {"HTTP://Evil.Example", "hxxp://Evil[.]Example"},
    {"//x:b.__", "[//]x[:]b.__"},
    {"evil&#000000000000046;example", "evil[.]example"},
    {"evil&#x0000000000002e;example", "evil[.]example"},
    {"<app:secret>", "<app[:]secret>"},
    {"hTTps://evil.example", "hxxps://evil[.]example"},
    {"ftp://evil.example/x", "fxp://evil[.]example/x"},
    {"https:evil.example/x", "https[:]evil[.]example/x"},
    {"https:/evil.example/x", "https[:]/evil[.]example/x"},
    {"https:\\\\evil.example\\x", "hxxps://evil[.]example\\x"},
    {"https:\\/\\/evil.example", "hxxps://evil[.]example"},
    {"//evil.example/x", "[//]evil[.]example/x"},
    {"\\\\evil.example\\share", "[//]evil[.]example\\share"},
    {"see //2130706433/x", "see [//]2130706433/x"},
    {"https:///evil.example", "hxxps://[/]evil[.]example"},
    {"evil.example", "evil[.]example"},
    {"(evil.example/?d=1)", "(evil[.]example/?d=1)"},
    {"evil.example.", "evil[.]example."},
    {"evil.example./x", "evil[.]example[.]/x"},
    {"see evil.example...", "see evil[.]example..."},
    {"x..evil.example", "x..evil[.]example"},
    {"_evil.example_ **evil.example**", "_evil[.]example_ **evil[.]example**"},
    {"www.evil.example", "www[.]evil[.]example"},
    {"www.pdf", "www[.]pdf"},
    {"evil.zip evil.py", "evil[.]zip evil[.]py"},
    {"evil.example:8443/x", "evil[.]example[:]8443/x"},
    {"my_host.evil.example", "my_host[.]evil[.]example"},
    {"a+evil.example", "a+evil[.]example"},
    {"u=evil.example", "u=evil[.]example"},
    {"evil.example?q=1#f", "evil[.]example?q=1#f"},
    /* user and password before a host */
    {"https://bank.example@evil.example/",
	"hxxps://bank[.]example@evil[.]example/"},
    {"ann@evil.example/x?d=1", "ann@evil[.]example/x?d=1"},
    {"ann:pw@evil.example:80/", "ann:pw@evil[.]example[:]80/"},
    {"see @evil.example", "see @evil[.]example"},
    {"mailto:ann@evil.example?body=x", "mailto[:]ann@evil[.]example?body=x"},
    /* addresses in all spellings */
    {"http://127.0.0.1/", "hxxp://127[.]0[.]0[.]1/"},
    {"http://2130706433/", "hxxp://2130706433/"},
    {"http://0x7f.1/", "hxxp://0x7f[.]1/"},
    {"http://0177.0.0.01/", "hxxp://0177[.]0[.]0[.]01/"},
    {"http://[::1]/x", "hxxp://[[:][:]1]/x"},
    {"http://[::ffff:1.2.3.4]/x", "hxxp://[[:][:]ffff[:]1[.]2[.]3[.]4]/x"},
    {"at 10.1.2.3 now", "at 10[.]1[.]2[.]3 now"},
    {"http://localhost/x", "hxxp://localhost/x"},
    /* other scripts, and what looks like them */
    {"https://xn--e1afmkfd.xn--p1ai/", "hxxps://xn--e1afmkfd[.]xn--p1ai/"},
    {"evil.xn--p1ai", "evil[.]xn--p1ai"},
    {"пример.рф", "пример[.]рф"},
    {"evil" IDEO "com", "evil[.]com"},
    {"evil" WDOT "example", "evil[.]example"},
    {"evil\xef\xbd\xa1"
     "example",
	"evil[.]example"},
    {"evil\xe2\x80\xa4"
     "example",
	"evil[.]example"},
    {"https" WCOLON WSLASH WSLASH "evil.example", "hxxps://evil[.]example"},
    {"https:" WSLASH WSLASH "evil" WDOT "example" WSLASH "x",
	"hxxps://evil[.]example" WSLASH "x"},
    {"\xef\xbd\x88\xef\xbd\x94\xef\xbd\x94\xef\xbd\x90://evil.example",
	"hxxp://evil[.]example"},
    /* invisible within, escapes */
    {"ev" ZWSP "il.example", "ev_il[.]example"},
    {"evil" ZWSP "." ZWSP "example", "evil_[.]_example"},
    {"ht\xc2\xadtps://evil.example", "hxxps://evil[.]example"},
    {"evil\xf3\xa0\x80\xa0.example", "evil_[.]example"},
    {"\xe2\x80\xae"
     "evil.example",
	"\xe2\x80\xae"
	"evil[.]example"},
    {"evil.exa\x01mple", "evil[.]exa_mple"},
    {"evil%2eexample", "evil[.]example"},
    {"evil%2Eexample%2Fx", "evil[.]example%2Fx"},
    {"evil&#46;example", "evil[.]example"},
    {"evil&#x2e;example", "evil[.]example"},
    {"evil&period;example", "evil[.]example"},
    {"&#104;ttps&colon;//evil.example", "hxxps://evil[.]example"},
    {"java&Tab;script:alert(1)", "java_script[:]alert(1)"},
    {"evil\\.example", "evil[.]example"},
    /* what runs or opens something */
    {"javascript:alert(1)", "javascript[:]alert(1)"},
    {"c.--javascript:p", "c[.]--javascript[:]p"},
    {"JavaScript:fetch('//x')", "JavaScript[:]fetch('/[/]x')"},
    {"data:text/html,x", "data[:]text/html,x"},
    {"tel:+4930123", "tel[:]+4930123"},
    {"slack://open?x=1", "slack[:]//open?x=1"},
    {"git+ssh://evil/x", "git+ssh[:]//evil/x"},
    {"view-source:https://evil.example",
	"view-source[:]https[:]//evil[.]example"},
    /* one in another, Markdown and HTML that is kept */
    {"https://a.example/?u=https://b.example",
	"hxxps://a[.]example/?u=https[:]//b[.]example"},
    {"[x](https://evil.example/?d=1)", "[x](hxxps://evil[.]example/?d=1)"},
    {"[x]: evil.example", "[x]: evil[.]example"},
    {"<https://evil.example|shop>", "<hxxps://evil[.]example|shop>"},
    {"<a href=evil.example>", "<a href=evil[.]example>"},
    {"http://evil.(//x)", "hxxp://evil[.] (/[/]x)"},
    {"hxxps://evil.example", "hxxps://evil[.]example"},
    {"hxxps://evil[.]example/x", NULL},
    /* no links */
    {"mail ann@a.example now", NULL},
    {"<ann.b+c@a.example>: hi", NULL},
    {"v1.2.3, e.g. this, 3.5, 12:30, and/or", NULL},
    {"report.pdf, notes.txt and a.tar.gz", NULL},
    {"note: this. Then that; re:that", NULL},
    {"你好。世界。", NULL},
    {"C:\\Users\\ann", NULL},
    {"50%, a & b, 1/2, ... -- __x__", NULL},
    {"", NULL},
};

START_TEST(defangs)
{
	struct span text = span_of(defanged[_i].text);
	const char *want = defanged[_i].leaves;
	struct buf out, again;

	buf_init(&out, 4096);
	buf_init(&again, 4096);
	ck_assert_int_eq(outbound_defang(NULL, text, &out), 0);
	expect(text.p, want == NULL ? text.p : want,
	    (struct span){out.data, out.len});
	ck_assert_int_eq(
	    outbound_defang(NULL, (struct span){out.data, out.len}, &again), 0);
	expect(text.p, want == NULL ? text.p : want,
	    (struct span){again.data, again.len});
	buf_free(&out);
	buf_free(&again);
}
END_TEST

/* The operator said: "see https://shop.example/a?b=c, www.op.example and
 * op.example". */
static const struct {
	const char *text, *leaves;
} known[] = {
    {"https://shop.example/a?b=c", NULL},
    {"(SHOP.example/a?b=c).", NULL},
    {"https://op.example/ www.op.example", NULL},
    {"https://shop.example/a?b=secret", "hxxps://shop[.]example/a?b=secret"},
    /* some programs end a link nowhere but at a blank or "<" */
    {"\"https://shop.example/a?b=c\" x", NULL},
    {"https://shop.example/a?b=c\"secret",
	"hxxps://shop[.]example/a?b=c\"secret"},
    {"https://shop.example/a?b=c\xc2\xa0secret",
	"hxxps://shop[.]example/a?b=c\xc2\xa0secret"},
    {"https://shop.example/a?b=c\xf3\xa0\x81\x81",
	"hxxps://shop[.]example/a?b=c"},
    {"https://shop.example/a", "hxxps://shop[.]example/a"},
    {"http://op.example/", "hxxp://op[.]example/"},
    {"op.example.evil.example", "op[.]example[.]evil[.]example"},
    {"op.example@evil.example/", "op.example@evil[.]example/"},
    {"https://op.example\\@evil.example",
	"hxxps://op[.]example\\@evil[.]example"},
    {"op.example" ZWSP ".evil.example", "op[.]example_[.]evil[.]example"},
    {"op.example" IDEO "evil.example", "op[.]example[.]evil[.]example"},
    {"op" WDOT "example", "op[.]example"},
    {"https://op.example/'secret", "hxxps://op[.]example/'secret"},
    {"https://op.example|secret", "hxxps://op[.]example|secret"},
};

START_TEST(knows_operators)
{
	struct facts *facts = facts_new();
	struct span text = span_of(known[_i].text);
	struct buf out;

	buf_init(&out, 4096);
	ck_assert_int_eq(
	    facts_add_words(facts, SPAN("see https://shop.example/a?b=c, "
					"www.op.example and op.example")),
	    0);
	/* what somebody else wrote vouches for nothing */
	facts_add_prose(facts, SPAN("https://evil.example"), ORIGIN_PROSE);
	ck_assert_int_eq(outbound_defang(facts, text, &out), 0);
	expect(text.p, known[_i].leaves == NULL ? text.p : known[_i].leaves,
	    (struct span){out.data, out.len});
	buf_free(&out);
	facts_free(facts);
}
END_TEST

static const struct {
	const char *text, *leaves; /* NULL: as it is */
} plain[] = {
    {"[shop](https://evil.example/?d=1) now",
	"shop <https://evil.example/?d=1> now"},
    {"[shop]( <https://evil.example> \"a title\" )",
	"shop <https://evil.example> (a title)"},
    {"![logo](https://evil.example/i.png?d=1)", "[image: logo]"},
    {"![](https://evil.example/i.png)", "[image: ]"},
    {"[![logo](//evil.example/i)](https://evil.example/)",
	"[[image: logo]] <https://evil.example/>"},
    {"[a](evil.example)", "a (evil.example)"},
    {"[a](/x)(b)", "a (/x)(b)"},
    {"[a](x(y)z)", "a (x(y)z)"},
    {"[a]()", "a"},
    {"[a][r] and [r]\n\n[r]: https://evil.example \"t\"",
	"[a][r] and [r]\n\n[r] : https://evil.example \"t\""},
    {"![a][r]", NULL},
    {"[a `]` b](https://evil.example)", "[a `]` b] <https://evil.example>"},
    {"[a\\](https://evil.example)", "a\\ <https://evil.example>"},
    {"[a](https://evil.example", "[a] (https://evil.example"},
    {"[a](b [c](d)", "[a] (b c (d)"},
    {"[x](javascript:alert(1))", "x <javascript:alert(1)>"},
    {"[x](<a href=javascript:y>)", "x (a href=javascript:y)"},
    {"[x](data:text/html,<b>)", "[x] (data:text/html,< b>)"},
    {"<https://evil.example>", NULL},
    {"<ann@a.example> wrote", NULL},
    {"<a href=\"https://evil.example/?d=1\">the <b>bank</b></a>!",
	"the < b>bank< /b> <https://evil.example/?d=1>!"},
    {"<A class=x HREF = 'https://evil.example' >x</A >",
	"x <https://evil.example>"},
    {"<a/href=https://evil.example>x</a>", "x <https://evil.example>"},
    {"<a href=https://evil.example>never closed",
	"never closed <https://evil.example>"},
    {"<a href=xx:1><a href=x:2>b</a>", " <xx:1>b (x:2)"},
    {"<img src=\"https://evil.example/?d=1\" alt=\"a cat\">", "[image: a cat]"},
    {"<IMG/src=//evil.example>", "[image: ]"},
    {"<img alt=\"x](https://evil.example)\">",
	"[image: x] (https://evil.example)]"},
    {"<img alt=x src=y>(https://evil.example)",
	"[image: x] (https://evil.example)"},
    {"<img src=//evil.example", "< img src=//evil.example"},
    {"<iframe src=//evil.example>", "< iframe src=//evil.example>"},
    {"<!--x--> <?x?> </a>", "< !--x--> < ?x?> < /a>"},
    {"<[a](b) href=x>", "< a (b) href=x>"},
    {"a < b, a<b, x <- y, 1 <2, a[0] = b[1](c)",
	"a < b, a< b, x <- y, 1 <2, a[0] = b1 (c)"},
    {"f(x) [see] (this) ok: [1] a", NULL},
    {"", NULL},
};

START_TEST(makes_plain)
{
	struct span text = span_of(plain[_i].text);
	const char *want = plain[_i].leaves == NULL ? text.p : plain[_i].leaves;
	struct buf out, again;

	buf_init(&out, 4096);
	buf_init(&again, 4096);
	ck_assert_int_eq(outbound_plain(text, &out), 0);
	expect(text.p, want, (struct span){out.data, out.len});
	ck_assert_int_eq(
	    outbound_plain((struct span){out.data, out.len}, &again), 0);
	expect(text.p, want, (struct span){again.data, again.len});
	buf_free(&out);
	buf_free(&again);
}
END_TEST

static const struct kind_argument rows[] = {
    {"to", ARGUMENT_DESTINATION, VALUE_ADDRESS, NULL, false},
    {"text", ARGUMENT_CONTENT, VALUE_TEXT, NULL, true},
    {"query", ARGUMENT_SELECTOR, VALUE_TEXT, NULL, true},
};

static const struct kind_effects effects = {EFFECT_LEAVES, NULL, rows, 3};

static const struct {
	const char *arguments, *leaves; /* NULL: it does not apply */
} calls[] = {
    {"{\"to\":\"https://a.example\",\"query\":\"b.example\","
     "\"text\":\"plain\\nwords\"}",
	NULL},
    {"{\"to\":\"a.example\", \"n\": 1.50 ,\"text\":\"[x](evil.example)\"}",
	"{\"to\":\"a.example\",\"n\":1.50,\"text\":\"x (evil[.]example)\"}"},
    /* what no row names is content, wherever it stands */
    {"{\"blocks\":[{\"evil.example\":[\"\",\"<https://e.example>\"]},true]}",
	"{\"blocks\":[{\"evil[.]example\":[\"\","
	"\"<hxxps://e[.]example>\"]},true]}"},
    {"{\"text\":\"\\u0065vil.example \\ud83d\\ude00\"}",
	"{\"text\":\"evil[.]example \xf0\x9f\x98\x80\"}"},
};

START_TEST(rewrites)
{
	const struct outbound rules = {OUTBOUND_DEFANG, true};
	struct json_doc doc;
	struct buf scratch, out;
	bool applies, changed;

	json_init(&doc);
	buf_init(&scratch, 1u << 20);
	buf_init(&out, 1u << 20);
	ck_assert_int_eq(
	    json_parse(&doc, span_of(calls[_i].arguments), NULL, NULL), 0);
	applies =
	    outbound_applies(&rules, NULL, &doc, json_root(&doc), &effects);
	ck_assert_int_eq(applies, calls[_i].leaves != NULL);
	if (applies) {
		ck_assert_int_eq(
		    outbound_rewrite(&rules, NULL, &doc, json_root(&doc),
			&effects, &scratch, &out, &changed),
		    0);
		ck_assert(changed);
		expect(calls[_i].arguments, calls[_i].leaves,
		    (struct span){out.data, out.len});
	}
	buf_free(&scratch);
	buf_free(&out);
	json_done(&doc);
}
END_TEST

/* A text of one piece over and over, so that a second look at what was seen
 * would take for ever. */
static const char *const pieces[] = {"a.", "a.1.", "a-", "a_", "[", "](", "![",
    "<a ", "<a b=\"", "<a\" x=\"", "&#", "%2e", "//", "@", ZWSP, "<a href=x>",
    "[a](", "[a](b \"", "a:", "https://", "x@a.1"};

static void
rewrite(size_t n, int row)
{
	size_t piece = strlen(pieces[row]);
	struct buf text, out;

	buf_init(&text, n + 64);
	buf_init(&out, 16 * n);
	while (text.len < n)
		buf_add(&text, pieces[row], piece);
	ck_assert_int_eq(
	    outbound_plain((struct span){text.data, text.len}, &out), 0);
	buf_clear(&out);
	ck_assert_int_eq(
	    outbound_defang(NULL, (struct span){text.data, text.len}, &out), 0);
	buf_free(&text);
	buf_free(&out);
}

START_TEST(is_linear)
{
	expect_linear(rewrite, 1u << 20, _i);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("outbound");
	TCase *c = tcase_create("outbound");

	tcase_add_loop_test(
	    c, defangs, 0, sizeof defanged / sizeof defanged[0]);
	tcase_add_loop_test(
	    c, knows_operators, 0, sizeof known / sizeof known[0]);
	tcase_add_loop_test(c, makes_plain, 0, sizeof plain / sizeof plain[0]);
	tcase_add_loop_test(c, rewrites, 0, sizeof calls / sizeof calls[0]);
	tcase_add_loop_test(c, is_linear, 0, sizeof pieces / sizeof pieces[0]);
	suite_add_tcase(s, c);
	return run_suite(s);
}
