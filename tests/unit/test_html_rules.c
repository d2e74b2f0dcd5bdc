/*
 * Style rules: which of them apply. Selectors by attribute, :not(), :is() and
 * :where(), conditions, and rules inside of rules; what hides, and what only
 * looks like it.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "html_fixture.h"
#include "linear.h"
#include "tests/unit/run_suite.h"

#define BIG_BYTES (2u << 20)

/* SECRET is never visible to a person who opens these. */
static const char *const hidden[] = {
    "<style>p[class]{display:none}</style><p class=x>SECRET",
    "<style>p[class=\"x y\"]{display:none}</style><p class=\"x y\">SECRET",
    "<style>p[class=\"x&y\"]{display:none}</style><p class=\"x&amp;y\">SECRET",
    "<style>p[class^=x]{display:none}</style><p class=xy>SECRET",
    "<style>p[class$=y]{display:none}</style><p class=xy>SECRET",
    "<style>p[class*=xx]{display:none}</style><p class=axxb>SECRET",
    "<style>p[class~=y]{display:none}</style><p class=\"x y\">SECRET",
    "<style>p[lang|=en]{display:none}</style><p lang=en-US>SECRET",
    "<style>p[lang|=en]{display:none}</style><p lang=en>SECRET",
    "<style>p[class=X i]{display:none}</style><p class=x>SECRET",
    "<style>p[align=CENTER]{display:none}</style><p align=center>SECRET",
    "<style>p[class=\\78]{display:none}</style><p class=x>SECRET",
    "<style>p[class='\\78']{display:none}</style><p class=x>SECRET",
    "<style>p[style]{display:none}</style><p style=\"color:red\">SECRET",
    "<style>p[data-x='1']{display:none}</style><p data-x=1>SECRET",
    "<style>p[data-x]{display:none}</style><p data-x>SECRET",
    "<style>p:not(.x){display:none}</style><p>SECRET",
    "<style>p:not(.x):not([id]){display:none}</style><p class=y>SECRET",
    "<style>p:not(.X){display:none}</style><p class=x>SECRET",
    "<style>p:not(b,.x){display:none}</style><p class=y>SECRET",
    "<style>p:not(.x.y){display:none}</style><p class=x>SECRET",
    "<style>div:not(.x) p{display:none}</style><div><p>SECRET",
    "<style>div:not([class]) p{display:none}</style><div><p>SECRET",
    "<style>:is(.x,.y){display:none}</style><p class=y>SECRET",
    "<style>:where(#x){display:none}</style><p id=x>SECRET",
    "<style>:is(#y,.x){display:none}.x.x{display:block}</style>"
    "<p class=x>SECRET",
    "<style>:is(p:first-child){display:none}</style><p>SECRET",
    "<style>.a :is(.x){display:none}.b{}</style><div class=a><p class=x>SECRET",
/* lists that a browser drops as a whole */
#define DROPPED(list)                                                          \
	"<style>.x{display:none}" list "{display:block}</style>"               \
	"<p class=x id=y title='a b'>SECRET"
    DROPPED("[title='a b'],[q=]"),
    DROPPED("[1title='a b'],.x"),
    DROPPED("p#1a,.x"),
    DROPPED(":not(#1a)"),
    DROPPED(".x::before(x),.x"),
    DROPPED(".x:hover(x),.x"),
    DROPPED(".x,:not"),
    DROPPED(".x,p:first-child(1)"),
    DROPPED(".x,p:nth-child(x)"),
    DROPPED(".x,p::first-child"),
    DROPPED(".x,p::hover"),
    DROPPED(".x,p:selection"),
    DROPPED(".x,.x::before .y"),
    DROPPED(".x,.x::before.y"),
    DROPPED("> .x"),
    DROPPED("+ .x"),
    DROPPED(".x,p > > .x"),
    DROPPED(".x,a p + > .x"),
    DROPPED(".x,a p + "),
    DROPPED(".x,[title]p"),
    DROPPED(".x,p*"),
    /* no word has a blank */
    DROPPED("[title~='a b']"),
    "<style>body p{display:block}p:is(p,*){display:none}</style><p>SECRET",
    "<style>body p{display:block}p:is(*,p){display:none}</style><p>SECRET",
/* more classes and ids than are told apart */
#define EIGHT(text) text text text text text text text text
    "<style>" EIGHT(".x.x.x.x") ".x{display:none}" EIGHT(
	".x.x.x.x") "{display:block}</style><p class=x>SECRET",
    "<style>" EIGHT("#x#x") "#x{display:none}" EIGHT(
	"#x#x") "{display:block}</style><p id=x>SECRET",
    "<style>@supports (display:grid){p{display:none}}</style><p>SECRET",
    "<style>@supports not (display:none-such){p{display:none}}</style><p>SECRET",
    "<style>@supports not ((display:grid) and (x:y)){p{top:0;display:none}}"
    "</style><p>SECRET",
    "<style>@supports (display:grid) or (-ms-x:y){p{display:none}}</style>"
    "<p>SECRET",
    "<style>@supports selector(a){p{display:none}}</style><p>SECRET",
    "<style>@supports ((((((((((x:y)))))))))){p{display:none}}</style><p>SECRET",
    /* rules and conditions inside of rules */
    "<style>.a{@media all{@media all{@media all{@media all{@media all{"
    "@media all{display:none}}}}}}}</style><p class=a>SECRET",
    "<style>div:first-child{display:grid;grid-template-rows:0fr}</style>"
    "<div><p style=\"overflow:hidden\">SECRET",
    "<style>.a{@media all{display:none}}</style><p class=a>SECRET",
    "<style>.a,.b{top:0;@media all{display:none}}</style><p class=b>SECRET",
    "<style>.a{@media all{.x{display:none}}}</style>"
    "<div class=a><p class=x>SECRET",
    "<style>.a{@supports (top:0){@media all{opacity:0}}}</style>"
    "<p class=a>SECRET",
    "<style>.a{@layer x{& .x{display:none}}}</style><div class=a><p class=x>"
    "SECRET",
    "<style>.a{.b{@media all{display:none}}}</style><div class=a><p class=b>"
    "SECRET",
};

START_TEST(hides)
{
	ck_assert_msg(!shows_secret(hidden[_i]), "%s", hidden[_i]);
}
END_TEST

/* SECRET is visible to a person who opens these. */
static const char *const seen[] = {
    DROPPED("[title~=b]"),
    DROPPED("p:not(#a)"),
    DROPPED("b,*.x,p > .x:hover, .x::before,.x:after"),
    "<style>p:not(.x){display:none}</style><p class=x>SECRET",
    "<style>p:not([class]){display:none}</style><p class=x>SECRET",
    "<style>p:not(#x){display:none}</style><p id=x>SECRET",
    "<style>p:not(p){display:none}</style><p>SECRET",
    "<style>p:not(*){display:none}</style><p>SECRET",
    "<style>p:not(.x,.y){display:none}</style><p class=y>SECRET",
    "<style>div:not(.x) p{display:none}</style><div class=x><p>SECRET",
    "<style>p[class]{display:none}</style><p>SECRET<i class=x></i>",
    "<style>p[class=x]{display:none}</style><p class=xy>SECRET",
    "<style>p[class='']{display:none}</style><p class=xy>SECRET",
    "<style>[class^=x]{display:none}</style><p class=yx>SECRET",
    "<style>[class^='']{display:none}</style><p class=yx>SECRET",
    "<style>[class$=x]{display:none}</style><p class=xy>SECRET",
    "<style>[class*=xx]{display:none}</style><p class=xyx>SECRET",
    "<style>[class~=x]{display:none}</style><p class='xy yx'>SECRET",
    "<style>[lang|=en]{display:none}</style><p lang=eng>SECRET",
    "<style>[data-x=a]{display:none}</style><p data-x=b>SECRET",
    "<style>p[hidden]{display:none}</style><p>SECRET</p><p hidden>",
    "<style>:is(.x){display:none}</style><p>SECRET",
    "<style>p:where(.x,#y){display:none}</style><p>SECRET",
    "<style>:is(h1,h2){display:none}</style><p>SECRET",
    "<style>p{display:none}p[class]{display:block}</style><p class=x>SECRET",
    "<style>p{display:none}p:not(.y){display:block}</style><p class=x>SECRET",
    "<style>@supports not (display:grid){p{display:none}}</style><p>SECRET",
    "<style>@supports not (color:red){p{display:none}}</style><p>SECRET",
    "<style>@supports (-ms-ime-align:auto){p{display:none}}</style><p>SECRET",
    "<style>@supports not ((display:grid) and (color:red)){p{display:none}}"
    "</style><p>SECRET",
    "<style>@supports (top:0) and (not (left:0)){p{display:none}}</style>"
    "<p>SECRET",
    "<style>.a{@media print{display:none}}</style><p class=a>SECRET",
    "<style>.a{@media all{color:red}}</style><p class=a>SECRET",
    "<style>.b{@media all{display:none}}</style><p class=a>SECRET",
};

START_TEST(shows)
{
	ck_assert_msg(shows_secret(seen[_i]), "%s", seen[_i]);
}
END_TEST

/* Begin and pieces that are repeated to two megabytes. */
static const char *const big[][2] = {
    {"<style>", "[a"},
    {"<style>", ":not("},
    {"<style>", "p:not(.a,.b,[c=d]){top:0}"},
    {"<style>", "p[title*=aaaaaaaaaaaaaaaaaaaaab]{top:0}"},
    {"<style>[title*=aaaaaaaaaaaaaaaaaaaaab]{top:0}</style>", "<p title=a>x"},
    {"<style>[title*=aaaaaaaaaaaaaaaaaaaaab]{top:0}</style><p title=", "a"},
    {"<style>:not(.a):not([b]):not(#c){top:0}</style>", "<p class=d>x"},
    {"<style>@supports ", "("},
    {"<style>@supports ", "not "},
    {"<style>@supports (top:0)", " and (top:0)"},
    {"<style>a,b,c{", "@media all{top:0}"},
    {"<style>", "a{@media all{b{@media all{"},
};

static void
take(size_t bytes, int row)
{
	struct buf html;

	buf_init(&html, bytes);
	buf_add_text(&html, big[row][0]);
	render_filled(&html, big[row][1]);
}

START_TEST(costs_linear_time)
{
	expect_linear(take, BIG_BYTES, _i);
}
END_TEST

/* Many rules that each look into one long value. */
static void
take_rules(size_t bytes, int row)
{
	struct buf html;

	(void)row;
	buf_init(&html, bytes);
	buf_add_text(&html, "<style>");
	for (size_t i = 0; i < bytes / 400; i++)
		buf_add_format(
		    &html, "[title*=aaaaaaaaaaaaaaaaaaaa%zu]{top:0}", i);
	buf_add_text(&html, "</style><p title=");
	render_filled(&html, "aaaaaaaa");
}

START_TEST(counts_what_tests_cost)
{
	expect_linear(take_rules, BIG_BYTES, 0);
}
END_TEST

/* Many tests of one selector, and elements that all pass them. */
static const char *const costly[][2] = {
    {"[title]", "<p title>a"},
    {"[title=a]", "<p title=a>a"},
    {"[data-q=a]", "<p data-q=a>a"},
    {":not(b)", "<p>a"},
    {":not(#b)", "<p>a"},
    {".x", "<p class=x>a"},
};

static void
take_tests(size_t bytes, int row)
{
	struct buf html;

	buf_init(&html, bytes);
	buf_add_text(&html, "<style>p");
	for (size_t i = 0; i < bytes / 64; i++)
		buf_add_text(&html, costly[row][0]);
	buf_add_text(&html, "{color:red}</style>");
	render_filled(&html, costly[row][1]);
}

START_TEST(counts_many_tests)
{
	expect_linear(take_tests, BIG_BYTES, _i);
}
END_TEST

static Suite *
html_rules_suite(void)
{
	Suite *s = suite_create("html_rules");
	TCase *tc = tcase_create("rules");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, hides, 0, sizeof hidden / sizeof hidden[0]);
	tcase_add_loop_test(tc, shows, 0, sizeof seen / sizeof seen[0]);
	tcase_add_loop_test(
	    tc, costs_linear_time, 0, sizeof big / sizeof big[0]);
	tcase_add_test(tc, counts_what_tests_cost);
	tcase_add_loop_test(
	    tc, counts_many_tests, 0, sizeof costly / sizeof costly[0]);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run_suite(html_rules_suite());
}
