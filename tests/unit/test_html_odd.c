/*
 * Styles that nobody here works out: what may be hidden by one is hidden, and
 * where only the text beside it may be, a finding says so.
 */
#include <check.h>
#include <string.h>

#include "common/buf.h"
#include "reader/html.h"
#include "tests/unit/run_suite.h"

static struct visible v;

static void
setup(void)
{
	visible_init(&v, NULL);
}

static void
teardown(void)
{
	visible_done(&v);
}

static bool
shows_secret(const char *html)
{
	html_render(html, strlen(html), &v);
	return v.text.len != 0 &&
	       memmem(v.text.data, v.text.len, "SECRET", 6) != NULL;
}

/* SECRET is not, or not surely, visible to a person who opens these. */
static const char *const hidden[] = {
    "<style>*|p{display:none}</style><p>SECRET",
    "<style>|p,b{opacity:0}</style><p>SECRET",
    "<style>p:-webkit-any(.a,p){display:none}</style><p>SECRET",
    "<style>:-webkit-any-link{display:none}</style><a href=\"x:y\">SECRET</a>",
    "<style>p:focus{opacity:0}</style><p tabindex=0 autofocus>SECRET",
    "<style>div:focus-within p{opacity:0}</style><div><p>SECRET</p>"
    "<input autofocus></div>",
    "<style>p:focus-visible{color:white}</style><p tabindex=0 autofocus>SECRET",
    "<style>@starting-style{.a{opacity:0}}</style><p class=a>SECRET",
    "<style>.a{@starting-style{opacity:0}}</style><p class=a>SECRET",
    "<p style=\"contain:paint;height:1px\">SECRET",
    "<p style=\"contain:layout content;max-height:0\">SECRET",
    "<p style=\"contain:strict\">SECRET",
    "<p style=\"content-visibility:auto;height:0\">SECRET",
    "<p style=\"display:table-column\">SECRET",
    "<p style=\"display:table-column-group\">SECRET",
    "<p style=\"all:unset;display:block\">SECRET",
    "<p style=\"color:if(style(--x: 1): red; else: white)\">SECRET",
    "<div style=\"overflow:hidden\"><p style=\"overflow:inherit;height:0\">"
    "SECRET",
    "<div style=\"height:0\"><p style=\"height:inherit;overflow:hidden\">SECRET",
    "<div style=\"position:relative\"><p style=\"position:inherit;left:-700px\">"
    "SECRET",
    "<div style=\"margin-left:700px\"><p style=\"margin-left:inherit\">SECRET",
    "<div style=\"opacity:.2\"><p style=\"opacity:inherit\">SECRET",
};

START_TEST(hides)
{
	ck_assert_msg(!shows_secret(hidden[_i]), "%s", hidden[_i]);
}
END_TEST

/* SECRET is visible to a person who opens these. */
static const char *const seen[] = {
    "<style>p:focus{opacity:0}</style><p tabindex=0>SECRET",
    "<style>p:-ms-input-placeholder{opacity:0}</style><p>SECRET",
    "<style>*|b{display:none}</style><p>SECRET",
    "<p style=\"contain:paint;height:60px\">SECRET",
    "<p style=\"content-visibility:visible;height:0\">SECRET",
    "<p style=\"overflow:inherit\">SECRET",
    "<p style=\"width:inherit;color:inherit;font:inherit\">SECRET",
    "<p style=\"margin:initial;overflow:revert;height:unset\">SECRET",
};

START_TEST(shows)
{
	ck_assert_msg(shows_secret(seen[_i]), "%s", seen[_i]);
	ck_assert_msg(!v.style_unsure, "%s", seen[_i]);
}
END_TEST

static Suite *
html_odd_suite(void)
{
	Suite *s = suite_create("html_odd");
	TCase *tc = tcase_create("odd");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, hides, 0, sizeof hidden / sizeof hidden[0]);
	tcase_add_loop_test(tc, shows, 0, sizeof seen / sizeof seen[0]);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run_suite(html_odd_suite());
}
