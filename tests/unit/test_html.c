/*
 * HTML to visible text: layout, what is counted, and the bounds. The ways of
 * hiding are in test_html_hides.c.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "html_fixture.h"
#include "linear.h"

#define BIG_BYTES (2u << 20)

static void
expect_text(const char *want)
{
	buf_add_byte(&v.text, '\0');
	ck_assert_str_eq(v.text.data, want);
	v.text.len--;
}

static const struct {
	const char *html, *want;
} layout[] = {
    {"", ""},
    {"one  two\n three", "one two three"},
    {"ig<b>no</b>re", "ignore"},
    {"a <b> b </b> c", "a b c"},
    {"a<p>b<p>c", "a\n\nb\n\nc"},
    {"<div>a</div><div>b<div>c</div></div>d", "a\nb\nc\nd"},
    {"a<br>b<br><br>c<br><br><br><br>d", "a\nb\n\nc\n\nd"},
    {"a</p>b</br>c", "a\n\nb\nc"},
    {"<h1>Head</h1>text", "Head\n\ntext"},
    {"a<hr>b", "a\n---\nb"},
    {"a&nbsp;&nbsp; b", "a b"},
    {"&lt;b&gt; &amp;amp; &#65;", "<b> &amp; A"},
    {"<pre>\n a\n   b\n</pre>c", " a\n   b\n\nc"},
    {"<div style='white-space:pre'>a\n b</div>", "a\n b"},
    {"<ul><li>a<li>b</ul>c", "- a\n- b\nc"},
    {"<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"},
    {"<ol start=7><li>a<li>b</ol>", "7. a\n8. b"},
    {"<ol start=-7x><li>a</ol>", "1. a"},
    {"<ul><li>a<ul><li>b</ul><li>c</ul>", "- a\n  - b\n- c"},
    {"<ul><li></li><li>b</ul>", "- b"},
    {"<table><tr><td>a<td>b<tr><td>c</table>d", "a | b\nc\nd"},
    {"<table><tr><td></td><td>b</td></tr></table>", "b"},
    {"<table><tr><td><p>a</p></td><td>b</table>", "a\n\nb"},
    {"<blockquote>a<br>b</blockquote>c", "> a\n> b\n\nc"},
    {"<dl><dt>a<dd>b</dl>", "a\nb"},
    {"<a href='https://a.example/'>go</a> on", "go <https://a.example/> on"},
    {"<a href='https://a.example/'>https://a.example/</a>",
	"https://a.example/"},
    {"<a href=' ht\ntps://a.example/?q=&quot;>x y '>go</a>",
	"go <https://a.example/?q=%22%3Ex%20y>"},
    {"<a href='http://a'><img src=b></a>", ""},
    {"<a href='http://a'>&#8203;</a>", ""},
    {"<a href='http://www.a.example/'>www.a.example</a>", "www.a.example"},
    {"<a href='http://a.example/x'>a.example</a>",
	"a.example <http://a.example/x>"},
    {"<a href='mailto:x@y.example?subject=z'>write</a>", "write <x@y.example>"},
    {"<a href='mailto:x@y.example'>x@y.example</a>", "x@y.example"},
    {"<a href='mailto:x'>y</a> <a href='tel:1'>z</a> <a href='/p'>q</a>",
	"y z q"},
    {"<a href='http://a'>go </a>on", "go <http://a> on"},
    {"<td><a href='http://a'>go<br></a>on", "go <http://a>\non"},
    {"<a href='http://a'></a>", ""},
    {"<a href='#x'>go</a><a name=y>z</a>", "goz"},
    {"<a href=http://a>x<a href=http://b>y", "x <http://a>y <http://b>"},
    {"<a href=http://a>x<table><tr><td><a href=http://b>y</a></table>z</a>",
	"x <http://a>\ny <http://b>\nz"},
    /* boxes as their style says */
    {"<span style=display:block>a</span>b", "a\nb"},
    {"<div style=display:inline>a</div>b<p style=display:inline>c</p>", "abc"},
    {"<div style=display:flex><i>a</i><i>b</i></div>c", "a\nb\nc"},
    {"<i style=float:left>a</i>b<i style=position:absolute>c</i>d",
	"a\nb\nc\nd"},
    {"<table><tr><td style=display:block>a<td>b</table>", "a\nb"},
    {"<i style=display:table-cell>a</i><i style=display:table-cell>b</i>",
	"a | b"},
    {"<div style=display:inline-block>a</div>b", "ab"},
    /* directions: as it is read */
    {"<p dir=rtl>\xd7\x90\xd7\x91 abc</p>", "\xd7\x90\xd7\x91 abc"},
    {"<bdo dir=rtl>abc <b>def</b></bdo> ghi", "fed cba ghi"},
    {"<bdo dir=rtl>e\xcc\x81x</bdo>", "xe\xcc\x81"},
    {"<bdo dir=rtl>\xd7\x90\xd7\x91</bdo>", "\xd7\x90\xd7\x91"},
    {"<bdo dir=ltr>\xd7\x90\xd7\x91</bdo>", "\xd7\x91\xd7\x90"},
    {"<bdo>abc</bdo>", "abc"},
    {"<p style='unicode-bidi:bidi-override;direction:rtl'>ab<br>cd</p>e",
	"ba\ndc\n\ne"},
    {"<bdo dir=rtl>ab<i dir=ltr>cd</i></bdo>", "bacd"},
    {"<img src=x alt='a picture'>t", "t"},
    {"a<wbr>b<span>c</span>", "abc"},
    {"<button>Press</button> <label>me</label>", "Press me"},
    /* formulas, and HTML in pictures */
    {"a<math><mi>x</mi><mo>+</mo><mn>1</mn></math>b", "ax+1b"},
    {"<math><mfrac><mn>1</mn><mn>2</mn></mfrac><mi>y</math>", "1 2 y"},
    {"<math><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr>", "1 2"},
    {"<svg width=200 height=90><foreignObject width=200 height=90><p>a</p>b",
	"a\n\nb"},
    {"\xe4\xbd\xa0\xe5\xa5\xbd\xe2\x80\x8b!", "\xe4\xbd\xa0\xe5\xa5\xbd!"},
};

START_TEST(lays_out)
{
	render(layout[_i].html);
	expect_text(layout[_i].want);
}
END_TEST

static const struct {
	const char *html;
	enum hidden reason;
	unsigned runs, chars;
} reasons[] = {
    {"<p hidden>ab <b>cd</b>", HIDDEN_HIDDEN_ATTRIBUTE, 1, 4},
    {"<p style='display:none'>ab<p style='display:none'>cd",
	HIDDEN_DISPLAY_NONE, 2, 4},
    {"<p style='visibility:hidden'>ab", HIDDEN_VISIBILITY, 1, 2},
    {"<p style='opacity:.05'>ab", HIDDEN_OPACITY, 1, 2},
    {"<p style='font-size:1px'>ab", HIDDEN_FONT_SIZE, 1, 2},
    {"<font color=#fff>ab", HIDDEN_COLOUR, 1, 2},
    {"<p style='margin-left:-5000px'>ab", HIDDEN_OFF_SCREEN, 1, 2},
    {"<p style='text-indent:-100%'>ab", HIDDEN_TEXT_INDENT, 1, 2},
    {"<p style='clip-path:circle(0)'>ab", HIDDEN_CLIP, 1, 2},
    {"<p style='width:0;overflow:hidden'>ab", HIDDEN_ZERO_BOX, 1, 2},
    {"<i aria-hidden=true>ab", HIDDEN_ARIA_HIDDEN, 1, 2},
    {"<!--a b-->", HIDDEN_COMMENT, 1, 2},
    {"<!--[if mso]>x<![endif]-->", HIDDEN_CONDITIONAL, 1, 18},
    {"<![if !mso]>x<![endif]>", HIDDEN_CONDITIONAL, 2, 15},
    {"x<a title=", HIDDEN_MARKUP, 1, 7},
    {"<img alt='a b'>", HIDDEN_ALT, 1, 2},
    {"<p title='ab' data-x='c d'>", HIDDEN_ATTRIBUTE, 2, 4},
    {"<input value=ab placeholder=c>", HIDDEN_FORM_VALUE, 2, 3},
    {"<option>x<select><option>ab</select>", HIDDEN_FORM_VALUE, 1, 2},
    {"<template>ab</template>", HIDDEN_TEMPLATE, 1, 2},
    {"<noscript>ab</noscript>", HIDDEN_NOSCRIPT, 1, 2},
    {"<iframe><p></iframe>", HIDDEN_FALLBACK, 1, 3},
    {"<svg><text>ab</text></svg>", HIDDEN_SVG, 1, 2},
    {"<math><mphantom><mi>ab</math>", HIDDEN_MATH, 1, 2},
    {"<math>ab</math>", HIDDEN_MATH, 1, 2},
    {"<svg>ab<rect>cd</svg>", HIDDEN_SVG, 2, 4},
    {"<form hidden action=http://a>", HIDDEN_HIDDEN_ATTRIBUTE, 1, 8},
    {"<button formaction=javascript:x>", HIDDEN_URL_SCHEME, 1, 12},
    {"<meta name=d content='ab'>", HIDDEN_METADATA, 1, 2},
    {"<title>a&amp;b</title>", HIDDEN_TITLE, 1, 3},
    {"<style>p{}</style>", HIDDEN_STYLE, 1, 3},
    {"<script>a()</script>", HIDDEN_SCRIPT, 1, 3},
    {"<a href=' JAVA&#10;script:x'>a</a>", HIDDEN_URL_SCHEME, 1, 12},
    {"<a href='data:text/html,x'>a</a>", HIDDEN_URL_SCHEME, 1, 16},
    {"<a href='VBScript:x'>a</a>", HIDDEN_URL_SCHEME, 1, 10},
};

START_TEST(counts_by_reason)
{
	enum hidden reason = reasons[_i].reason;

	render(reasons[_i].html);
	ck_assert_uint_eq(v.hidden_runs[reason], reasons[_i].runs);
	ck_assert_uint_eq(v.hidden_chars[reason], reasons[_i].chars);
	ck_assert_uint_eq(v.link_count, 0);
}
END_TEST

static const struct {
	const char *html;
	bool unsure;
} open_styles[] = {
    {"<style>p{color:red}</style><p style=\"width:calc(1px + 1%)\">x", false},
    {"<style>a:hover{display:none}</style><a>x</a>", false},
    {"<style>[data-ogsc] p{color:#fff}</style><p>x", false},
    {"<style>p:first-child{margin:0}</style><p>x", false},
    {"<style>p:first-child{display:none}</style><p>x", true},
    {"<style>p{@media all{display:none}}</style><p>x", true},
    {"<p style=\"mask:linear-gradient(#000,#000)\">x", true},
    {"<p style=\"color:var(--x)\">x", true},
    {"<p style=\"position:absolute;left:calc(1px - 9999px)\">x", false},
    {"<p style=\"position:absolute;left:var(--x)\">x", true},
    {"<p style=\"background:url(x);color:#fff\">x", true},
    {"<style>@keyframes k{to{opacity:0}}</style><p style=animation:k>x", true},
    {"<p style=\"all:unset\">x", true},
    {"<p style=\"clip-path:path('M0 0')\">x", true},
    {"<p style=\"transform:rotatey(90deg)\">x", true},
};

START_TEST(tells_what_is_not_understood)
{
	render(open_styles[_i].html);
	ck_assert_msg(v.style_unsure == open_styles[_i].unsure, "%s",
	    open_styles[_i].html);
}
END_TEST

/* Few rules with many declarations each: those cost too. */
START_TEST(bounds_declarations)
{
	struct buf b;

	buf_init(&b, BIG_BYTES);
	buf_add_text(&b, "<style>p{");
	for (int i = 0; i < 20000; i++)
		buf_add_text(&b, "top:0;");
	buf_add_text(&b, "}</style>");
	for (int i = 0; i < 2000; i++)
		buf_add_text(&b, "<p>SECRET");
	html_render(b.data, b.len, &v);
	ck_assert(v.hidden_runs[HIDDEN_STYLE_LIMIT] != 0);
	buf_free(&b);
}
END_TEST

START_TEST(lists_links)
{
	render("<a href='mailto:x@y.example'>write <b>to</b>\nus</a>"
	       "<p hidden><a href='http://hidden.example'>no</a>");
	ck_assert_uint_eq(v.link_count, 1);
	ck_assert(holds(&v.link_bytes, "write to usmailto:x@y.example"));
	ck_assert_uint_eq(v.hidden_runs[HIDDEN_HIDDEN_ATTRIBUTE], 2);
}
END_TEST

START_TEST(lists_where_forms_lead)
{
	render("<form action='http://a.example/&#x202e;x'><input type=image "
	       "formaction=http://b.example><button formaction=//c>go</button>"
	       "<input formaction=http://d.example style=display:none>");
	ck_assert_uint_eq(v.link_count, 3);
	ck_assert(holds(
	    &v.link_bytes, "http://a.example/%E2%80%AExhttp://b.example//c"));
	expect_text("go");
}
END_TEST

/* The text of a link is as it is seen, and its address is no trap. */
START_TEST(orders_texts_of_links)
{
	render("<a href='http://a/\xe2\x80\xaegpj.exe'>"
	       "b.\xe2\x80\xaegpj.exe</a>");
	visible_end(&v);
	ck_assert_uint_eq(v.link_count, 1);
	ck_assert(holds(&v.link_bytes, "b.exe.jpghttp://a/%E2%80%AEgpj.exe"));
	ck_assert(holds(&v.text, "<http://a/%E2%80%AEgpj.exe>"));
}
END_TEST

START_TEST(takes_everything_as_hidden_when_rules_cost_too_much)
{
	struct buf html;

	buf_init(&html, 32u << 20);
	buf_add_text(&html, "<style>");
	for (int i = 0; i < 9000; i++)
		buf_add_format(&html, ".c%d{color:red}", i);
	buf_add_text(&html, "</style>text");
	html_render(html.data, html.len, &v);
	expect_text("");
	ck_assert_uint_eq(v.hidden_chars[HIDDEN_STYLE_LIMIT], 4);
	buf_free(&html);
}
END_TEST

/* Hiding below the depth that is kept, with end tags that do not belong. */
static const char *const deep[] = {
    "<div style='display:none'>",
    "<div hidden></b></span></td></table>",
    "<p hidden></i></i></i></li>",
    "<table hidden><tr><td>x<td>",
    "<b hidden><p></p>",
};

START_TEST(hides_in_the_deep)
{
	struct buf html;

	buf_init(&html, BIG_BYTES);
	for (int i = 0; i < 300; i++)
		buf_add_text(&html, "<div>");
	buf_add_text(&html, deep[_i]);
	buf_add_text(&html, "SECRET");
	html_render(html.data, html.len, &v);
	ck_assert(!holds(&v.text, "SECRET"));
	buf_free(&html);
}
END_TEST

START_TEST(shows_text_behind_what_was_deep)
{
	struct buf html;

	buf_init(&html, BIG_BYTES);
	for (int i = 0; i < 5000; i++)
		buf_add_text(&html, "<div>");
	buf_add_text(&html, "<p hidden>x</p>");
	for (int i = 0; i < 5000; i++)
		buf_add_text(&html, "</div>");
	buf_add_text(&html, "seen");
	html_render(html.data, html.len, &v);
	expect_text("seen");
	buf_free(&html);
}
END_TEST

/* Begin and pieces that are repeated to two megabytes. */
static const char *const big[][2] = {
    {"", "<div>"},
    {"", "<b"},
    {"", "<b "},
    {"", "</b>"},
    {"", "<p><b id=1 style=color:red>x"},
    {"", "<a href=x>"},
    {"", "<table><tr><td>"},
    {"", "<svg><p>"},
    {"", "<math><mfrac><mi>x"},
    {"", "<svg width=99 height=99><foreignObject width=99 height=99>x"},
    {"", "<form action=http://a>"},
    {"<bdo dir=rtl>", "\xd7\x90. "},
    {"", "<li>x"},
    {"", "<blockquote>x<br>"},
    {"", "&CounterClockwiseContourIntegra"},
    {"", "<select><option>"},
    {"<!--", "- "},
    {"<!--", "-"},
    {"<script>", "<!--<script>"},
    {"<title>", "</titl"},
    {"<p ", "a=1 "},
    {"<p style='", "color:red;"},
    {"<p style='", "("},
    {"<p style='", "/*"},
    {"<p style='", "\\"},
    {"<p title='", "&amp;"},
    {"<style>", "@media{"},
    {"<style>", ".a .a>.a{color:red}"},
    {"<style>.a .b{color:red}</style>", "<p class='a b'>"},
    {"<svg>", "<![CDATA["},
    {"<svg>", "<style>x"},
    {"<bdo dir=rtl>", "<b>x"},
    {"<bdo dir=rtl>", "x"},
    {"<bdo dir=rtl>", "x<br>"},
    {"", "<div style='height:9px;overflow:hidden'>x"},
    {"<table>", "<b>x"},
    {"<ruby>", "<rp>x"},
    {"<p style='width:", "calc("},
    {"", "<p style='width:calc(1px + calc(1px + min(1px,2px'>x"},
    {"<style>", "@import url(x "},
    {"<style>", "@import 'x"},
    {"<style>@keyframes k{", "a{opacity:0}"},
    {"<style>", "@keyframes k{"},
    {"", "<table><col style=visibility:collapse>"},
};

static void
take(size_t bytes, int row)
{
	struct buf html;

	buf_init(&html, bytes);
	buf_add_text(&html, big[row][0]);
	render_filled(&html, big[row][1]);
	ck_assert(utf8_check(v.text.data, v.text.len));
}

START_TEST(costs_linear_time)
{
	expect_linear(take, BIG_BYTES, _i);
}
END_TEST

static Suite *
html_suite(void)
{
	Suite *s = suite_create("html");
	TCase *tc = tcase_create("pages");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, lays_out, 0, sizeof layout / sizeof layout[0]);
	tcase_add_loop_test(
	    tc, counts_by_reason, 0, sizeof reasons / sizeof reasons[0]);
	tcase_add_test(tc, lists_links);
	tcase_add_test(tc, lists_where_forms_lead);
	tcase_add_test(tc, orders_texts_of_links);
	tcase_add_loop_test(tc, tells_what_is_not_understood, 0,
	    sizeof open_styles / sizeof open_styles[0]);
	tcase_add_test(tc, bounds_declarations);
	tcase_add_test(tc, takes_everything_as_hidden_when_rules_cost_too_much);
	tcase_add_loop_test(
	    tc, hides_in_the_deep, 0, sizeof deep / sizeof deep[0]);
	tcase_add_test(tc, shows_text_behind_what_was_deep);
	tcase_add_loop_test(
	    tc, costs_linear_time, 0, sizeof big / sizeof big[0]);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *runner = srunner_create(html_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
