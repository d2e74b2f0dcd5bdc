/*
 * Styles that nobody here works out: what may be hidden by one is hidden, and
 * where only the text beside it may be, a finding says so.
 */
#include <check.h>
#include <string.h>

#include "html_fixture.h"
#include "tests/unit/run_suite.h"

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
    "<div style=\"opacity:.2\"><p style=\"opacity:inherit\">SECRET",
    "<p style=\"outline:90px solid #fff;outline-offset:-90px\">SECRET",
    "<p style=\"box-shadow:inset 0 0 0 900px #000\">SECRET",
    "<p style=\"box-shadow:0 0 0 900px rgb(0,0,0)\">SECRET",
    "<p style=\"border-image:url(cid:a) 1 fill\">SECRET",
    "<p style=\"-webkit-mask-box-image:url(cid:a)\">SECRET",
    "<p style=\"-webkit-mask-box-image-source:url(cid:a)\">SECRET",
    "<p style=\"background:linear-gradient(#fff,#fff) 0 0/0 0 no-repeat #000\">"
    "SECRET",
    "<p style=\"background:linear-gradient(#fff,#fff) no-repeat -900px 0 #000\">"
    "SECRET",
    "<p style=\"background-color:#000;background-image:linear-gradient(#fff,"
    "#fff);background-size:1px\">SECRET",
    "<p style=\"text-decoration:line-through 1em #000\">SECRET",
    "<p style=\"text-decoration-thickness:30px\">SECRET",
};

/* Whether SECRET is seen is not known: a finding says so. */
static const char *const told[] = {
    "<div style=\"margin-left:700px\"><p style=\"margin-left:inherit\">SECRET",
    "<p style=\"no-such-property:1\">SECRET",
    "<body leftmargin=2000>SECRET",
    "<p>a<body topmargin=0 marginwidth=2000>SECRET",
    "<style>p{perspective:1px}</style><p>SECRET",
    "<marquee scrolldelay=99999>SECRET</marquee>",
    "<table><col bgcolor=black><tr><td>SECRET</table>",
    "<table><col style=\"background:#000\"><tr><td>SECRET</table>",
    "<table cellspacing=2000><tr><td>SECRET</table>",
    "<table cellpadding=2000><tr><td>SECRET</table>",
    "<table width=2000><tr><td align=right>SECRET</table>",
    "<table style=\"border-spacing:2000px\"><tr><td>SECRET</table>",
    "<div style=\"width:3000px\" dir=rtl>SECRET",
    "<div style=\"display:flex;gap:2000px\"><p>a<p>SECRET",
    "<pre style=\"tab-size:5000\">\tSECRET</pre>",
    "<p style=\"margin-bottom:-500px\">a<p>SECRET",
    "<p style=\"font-size:5000px\">SECRET",
    "<p style=\"transform:scale(90)\">SECRET",
    "<p style=\"zoom:90\">SECRET",
    "<ul><ul><ul><ul><ul><ul><ul><ul><ul><ul><ul><ul><ul><ul><ul><ul><ul><ul>"
    "<ul><ul><ul><ul><ul><ul><ul><ul>SECRET",
    "<div style=\"height:40px;overflow:hidden\"><div style=\"padding-bottom:"
    "60px\">a</div>SECRET",
    "<div style=\"height:40px;overflow:hidden\"><div style=\"min-height:"
    "60px\">a</div>SECRET",
    "<div style=\"height:40px;overflow:hidden;line-height:90px\">SECRET",
    "<div style=\"height:40px;overflow:hidden\"><svg></svg><br>SECRET",
    "<div style=\"height:40px;overflow:hidden\"><canvas></canvas>SECRET",
    "<div style=\"height:40px;overflow:hidden\"><table><tr><td height=90>a"
    "</table>SECRET",
    "<div style=\"display:flex;height:40px;overflow:hidden\"><p "
    "style=\"order:2\">SECRET",
    "<div style=\"display:flex;justify-content:flex-end;height:40px;"
    "overflow:hidden\"><p>SECRET",
};

START_TEST(tells)
{
	ck_assert_msg(
	    !shows_secret(told[_i]) || v.style_unsure, "%s", told[_i]);
}
END_TEST

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
    "<p style=\"outline:1px solid;outline-offset:2px\">SECRET",
    "<p style=\"box-shadow:0 2px 60px rgba(0,0,0,.2)\">SECRET",
    "<p style=\"text-decoration:underline 1px\">SECRET",
    "<p style=\"background:linear-gradient(#fff,#fff)\">SECRET",
    "<p style=\"mso-line-height-rule:exactly;--x:1;cursor:help\">SECRET",
    "<p style=\"mso-style-textfill-fill-colortransforms:none\">SECRET",
    "<p style=\"order:2;padding-bottom:90px;line-height:60px\">SECRET",
    "<table width=600 cellspacing=8 cellpadding=8><tr><td height=90>SECRET",
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
	tcase_add_loop_test(tc, tells, 0, sizeof told / sizeof told[0]);
	tcase_add_loop_test(tc, shows, 0, sizeof seen / sizeof seen[0]);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run_suite(html_odd_suite());
}
