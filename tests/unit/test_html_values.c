/*
 * Values of styles: what moves, shrinks, cuts or paints a text until nobody
 * can read it, and what only looks like that.
 */
#include <check.h>
#include <stdlib.h>
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

/* SECRET is never visible to a person who opens these. */
static const char *const hidden[] = {
    /* the last value is none, and the one before stays */
    "<p style=\"transform:scale(0);transform:translate(5)\">SECRET",
    "<p style=\"transform:scale(0);transform:matrix(1,0,0,1) translate(0px,0px)\">SECRET",
    "<p style=\"transform:scale(0);transform:scale(1,1,1,1)\">SECRET",
    "<p style=\"transform:scale(0);transform:scale(1px)\">SECRET",
    "<p style=\"transform:scale(0);transform:scale()\">SECRET",
    "<p style=\"transform:scale(0);transform:scale(1 1)\">SECRET",
    "<p style=\"transform:scale(0);transform:scale(1,)\">SECRET",
    "<p style=\"transform:scale(0);transform:scale3d(1)\">SECRET",
    "<p style=\"transform:scale(0);transform:rotate(0,0,0)\">SECRET",
    "<p style=\"transform:scale(0);transform:rotate(1)\">SECRET",
    "<p style=\"transform:scale(0);transform:scale(1) 5\">SECRET",
    "<p style=\"transform:scale(0);transform:none none\">SECRET",
    "<p style=\"transform:scale(0\">SECRET",
    "<p style=\"scale:0;scale:1 1 1 1\">SECRET",
    "<p style=\"scale:0;scale:normal\">SECRET",
    "<p style=\"translate:-9999px;translate:1px 1px 1px 1px\">SECRET",
    "<p style=\"zoom:0.001;zoom:1 1\">SECRET",
    "<p style=\"zoom:0.001;zoom:none\">SECRET",
    "<p style=\"filter:opacity(0);filter:foo(1)\">SECRET",
    "<p style=\"filter:opacity(0);filter:opacity(1px)\">SECRET",
    "<p style=\"filter:opacity(0);filter:opacity(-1)\">SECRET",
    "<p style=\"filter:opacity(0);filter:opacity(1,1)\">SECRET",
    "<p style=\"filter:opacity(0);filter:5\">SECRET",
    "<p style=\"filter:opacity(0);filter:none none\">SECRET",
    "<p style=\"filter:opacity(0);filter:blur(5)\">SECRET",
    "<p style=\"filter:opacity(0);filter:drop-shadow(0)\">SECRET",
    "<p style=\"filter:opacity(0);filter:contrast(1) 5\">SECRET",
    "<p style=\"margin-left:-9999px;margin:0 a 0 0\">SECRET",
    "<p style=\"margin-top:-9999px;margin:0 zz\">SECRET",
    "<p style=\"margin-top:-9999px;margin:0 5 0 0\">SECRET",
    "<p style=\"margin:0 5 0 -9999px\">SECRET",
    "<p style=\"margin-left:-9999px;margin-inline:0 zz\">SECRET",
    "<p style=\"padding-left:9999px;padding:0 0 zz\">SECRET",
    "<p style=\"border-left:9999px solid red;border-left:zz\">SECRET",
    "<p style=\"border-left:9999px solid red;border-left:1px solid 5\">SECRET",
    "<p style=\"border-left:9999px solid WindowText\">SECRET",
    "<p style=\"position:absolute;top:-9999px;inset:0 zz\">SECRET",
    "<p style=\"position:absolute;top:-9999px;inset-block:0 zz\">SECRET",
    "<p style=\"vertical-align:-9999px;vertical-align:foo\">SECRET",
    "<p style=\"overflow-x:hidden;width:0;overflow:visible zz\">SECRET",
    "<p style=\"contain:strict;contain:foo\">SECRET",
    "<p style=\"contain:strict;contain:none size\">SECRET",
    "<p style=\"contain:size;contain:layout foo\">SECRET",
    "<p style=\"clip-path:circle(0);clip-path:circle(50 50)\">SECRET",
    "<p style=\"clip-path:circle(0);clip-path:circle(50% 50%)\">SECRET",
    "<p style=\"clip-path:circle(0);clip-path:circle(50%) 5\">SECRET",
    "<p style=\"clip-path:inset(50%);clip-path:inset(0 0 0 0 0 0)\">SECRET",
    "<p style=\"clip-path:inset(50%);clip-path:inset(0 zz)\">SECRET",
    "<p style=\"clip-path:inset(50%);clip-path:inset(0 round)\">SECRET",
    "<p style=\"clip-path:inset(50%);clip-path:polygon(0 0,100% 0,100% 100%,5)\">SECRET",
    "<p style=\"clip-path:inset(50%);clip-path:polygon(0 0 100% 0 100% 100%)\">SECRET",
    "<p style=\"clip:rect(0,0,0,0);position:absolute;clip:foo(0,99px,99px,0)\">SECRET",
    "<p style=\"clip:rect(0,0,0,0);position:absolute;clip:rect(0,99px,99px,0) 5\">SECRET",
    "<p style=\"content:url(x);content:none none\">SECRET",
    "<p style=\"content:url(x);content:'a' zz\">SECRET",
    "<p style=\"font-size:0;font:12px a b c !x\">SECRET",
    "<p style=\"font-size:0;font:12px a,\">SECRET",
    "<p style=\"font-size:0;font:12px 'a' b\">SECRET",
    "<p style=\"font-size:0;font:12px/a b\">SECRET",
    "<p style=\"font-size:0;font:'a' 12px b\">SECRET",
    "<div style=\"display:flex\"><p style=\"flex:0 0 0;flex:1 1 1;overflow:hidden\">SECRET",
    "<div style=\"display:flex\"><p style=\"flex:0 0 0;flex:1 auto 1;overflow:hidden\">SECRET",
    "<div style=\"display:flex\"><p style=\"flex:0 0 0;flex:zz;overflow:hidden\">SECRET",
    "<div style=\"display:grid;grid-template-rows:0;grid-template-rows:1px zz 7\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"transform-origin:-9999px 0;transform-origin:zz;scale:.5\"><p>SECRET",
    /* what hides alone */
    "<p style=\"filter:brightness(100)\">SECRET",
    "<p style=\"filter:opacity(30%) opacity(20%)\">SECRET",
    "<p style=\"filter:invert(.5);background:#fff\">SECRET",
    "<p style=\"filter:invert(50%);background:#fff\">SECRET",
    "<p style=\"filter:contrast(.4) contrast(.4)\">SECRET",
    "<p style=\"filter:contrast(99);color:#999\">SECRET",
    "<p style=\"filter:invert(1)\">SECRET",
    "<p style=\"filter:invert()\">SECRET",
    "<div style=\"background:#fff\"><p style=\"filter:invert(100%)\">SECRET",
    "<p style=\"filter:invert(1);color:#fff;background:#fff\">SECRET",
    "<p style=\"filter:opacity(0);filter:invert(1) blur(0) x=1\">SECRET",
    "<p style=\"backdrop-filter:invert(1)\">SECRET",
    "<p style=\"-webkit-backdrop-filter:brightness(0)\">SECRET",
    "<p style=\"backdrop-filter:url(x)\">SECRET",
    "<p style=\"position:absolute;left:100vw\">SECRET",
    "<p style=\"position:absolute;left:1900px\">SECRET",
    "<p style=\"position:fixed;left:1900px\">SECRET",
    "<p style=\"position:relative;left:1900px\">SECRET",
    "<p style=\"position:relative;right:900px\">SECRET",
    "<p style=\"position:relative;bottom:300px\">SECRET",
    "<p style=\"position:relative;bottom:-9999px\">SECRET",
    "<p style=\"position:fixed;bottom:100vh\">SECRET",
    "<p style=\"position:fixed;top:100vh\">SECRET",
    "<p style=\"position:fixed;right:100vw\">SECRET",
    "<p style=\"position:absolute;right:1200px\">SECRET",
    "<p style=\"position:absolute;bottom:900px\">SECRET",
    "<p style=\"position:fixed;inset:100vh auto auto auto\">SECRET",
    "<p style=\"position:fixed;inset:100vh 0 0 0\">SECRET",
    "<p style=\"position:absolute;inset:0 0 0 100vw\">SECRET",
    "<p style=\"position:absolute;inset:auto 0 -600px\">SECRET",
    "<p style=\"position:absolute;inset-inline:100vw 0\">SECRET",
    "<p style=\"position:absolute;inset-block:auto 100vh\">SECRET",
    "<p style=\"position:absolute;inset-inline-start:100vw\">SECRET",
    "<p style=\"position:absolute;left:600px;margin-left:600px\">SECRET",
    "<div style=\"margin-left:600px\"><p style=\"padding-left:500px\">SECRET",
    "<p style=\"margin-left:100vw\">SECRET",
    "<p style=\"margin-left:1900px\">SECRET",
    "<p style=\"margin-inline:100vw 0\">SECRET",
    "<p style=\"margin-inline-start:100vw\">SECRET",
    "<p style=\"text-indent:100vw\">SECRET",
    "<p style=\"text-indent:1900px\">SECRET",
    "<p style=\"padding-left:100vw\">SECRET",
    "<p style=\"padding-inline:99em 0\">SECRET",
    "<p style=\"border-left:1900px solid\">SECRET",
    "<p style=\"border-left:solid rgb(0,0,0) 1900px\">SECRET",
    "<p style=\"border:0 solid;border-width:0 0 0 100vw\">SECRET",
    "<p style=\"border-style:solid;border-inline-start-width:100vw\">SECRET",
    "<p style=\"translate:100vw\">SECRET",
    "<p style=\"translate:-200px\">SECRET",
    "<p style=\"translate:0 -600px\">SECRET",
    "<p style=\"transform:translate(100vw)\">SECRET",
    "<p style=\"transform:translateX(1900px)\">SECRET",
    "<p style=\"transform:translateX(-300px)\">SECRET",
    "<p style=\"transform:translateX(-400px) translateX(-400px)\">SECRET",
    "<p style=\"transform:translate(0,-600px)\">SECRET",
    "<p style=\"transform:translate3d(0,-40em,0)\">SECRET",
    "<p style=\"transform:scale(.3) scale(.3)\">SECRET",
    "<p style=\"transform:scale(.4,.4) scaleY(.4)\">SECRET",
    "<p style=\"transform:matrix(99,0,0,99,0,0) scale(.1)\">SECRET",
    "<p style=\"transform:matrix(-1,0,0,1,0,0)\">SECRET",
    "<p style=\"transform:matrix(1,0,0,1,2000,0)\">SECRET",
    "<p style=\"transform:scaleX(-1)\">SECRET",
    "<p style=\"scale:-1 1\">SECRET",
    "<p style=\"transform-origin:-9999px 0;transform:scale(.5)\">SECRET",
    "<p style=\"transform-origin:-9999px 0;transform:rotate(2deg)\">SECRET",
    "<p style=\"transform-origin:900% 0;rotate:2deg\">SECRET",
    "<p style=\"offset-path:path('M 9000 0 L 9000 1')\">SECRET",
    "<p style=\"offset-path:ray(0deg);offset-distance:9999px\">SECRET",
    "<p style=\"offset:path('M-900 -900') 100%\">SECRET",
    "<p style=\"offset-path:border-box;offset-distance:50%\">SECRET",
    "<div style=\"display:grid;grid-template-rows:0fr\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"display:grid;grid-template-rows:0\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"display:grid;grid-template-rows:0fr;grid-template-columns:1fr\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"display:grid;grid-template-columns:repeat(2,0)\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"display:grid;grid-template:0/1fr\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"display:grid;grid:0/0\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"display:grid;grid-auto-rows:0\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"display:grid;grid-template-rows:0px;overflow:hidden\">SECRET",
    "<div style=\"display:grid;grid-template-rows:minmax(0,0fr)\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"display:grid;grid-template-rows:var(--x)\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"display:flex\"><p style=\"flex:0 0 0;overflow:hidden\">SECRET",
    "<div style=\"display:flex\"><p style=\"flex:0;overflow:hidden\">SECRET",
    "<div style=\"display:flex\"><p style=\"flex-basis:0;overflow:hidden\">SECRET",
    "<div style=\"display:flex;height:0\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"width:1px\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"width:1px\"><div><p style=\"overflow:hidden\">SECRET",
    "<div style=\"height:0\"><p style=\"height:100%;overflow:hidden\">SECRET",
    "<table style=\"table-layout:fixed;width:1px\"><tr><td style=\"overflow:hidden\">SECRET",
    "<p style=\"width:6px;overflow:hidden\">SECRET",
    "<p style=\"clip-path:inset(0 99% 0 0)\">SECRET",
    "<p style=\"clip-path:inset(0 0 99% 0)\">SECRET",
    "<p style=\"clip-path:inset(49.9%)\">SECRET",
    "<p style=\"clip-path:inset(0 0 99em 0)\">SECRET",
    "<p style=\"clip-path:polygon(0 0,1% 0,1% 1%,0 1%)\">SECRET",
    "<p style=\"clip-path:polygon(0 0,2px 0,2px 2px)\">SECRET",
    "<p style=\"clip-path:polygon(0 0,100% 100%,100% 99%)\">SECRET",
    "<p style=\"clip-path:polygon(-99px -99px,-50px -99px,-50px -50px)\">SECRET",
    "<p style=\"clip-path:polygon(nonzero,0 0,2px 0,2px 2px)\">SECRET",
    "<p style=\"clip-path:polygon(200% 0,300% 0,300% 100%,200% 100%)\">SECRET",
    "<p style=\"clip-path:polygon(0 0)\">SECRET",
    "<p style=\"clip-path:circle(1%)\">SECRET",
    "<p style=\"clip-path:ellipse(1% 50%)\">SECRET",
    "<p style=\"letter-spacing:999px\">SECRET",
    "<p style=\"word-spacing:9999px\">a SECRET",
    "<p style=\"-webkit-text-stroke:20px #fff\">SECRET",
    "<div style=\"height:20px;overflow:hidden\"><span style=\"vertical-align:-9999px\">SECRET",
    "<div style=\"overflow:hidden;height:20px\"><p style=\"border-top:30px solid\">SECRET",
    "<div style=\"overflow:hidden;height:20px\"><hr style=\"height:40px\">SECRET",
    "<div style=\"overflow:hidden;width:40px\"><p style=\"border-left:50px solid\">SECRET",
};

START_TEST(hides)
{
	ck_assert_msg(!shows_secret(hidden[_i]), "%s", hidden[_i]);
}
END_TEST

/* SECRET is visible to a person who opens these. */
static const char *const seen[] = {
    "<p style=\"transform:scale(0);transform:translate(5px,0) rotate(0) scale(1,100%)\">SECRET",
    "<p style=\"transform:scale(0);transform:matrix(1,0,0,1,0,0) translate3d(0,0,0)\">SECRET",
    "<p style=\"filter:opacity(0);filter:opacity() blur() hue-rotate(5deg) drop-shadow(1px 1px 2px #000)\">SECRET",
    "<p style=\"margin-left:-9999px;margin:0 auto\">SECRET",
    "<p style=\"padding-left:9999px;padding:0 0 1px\">SECRET",
    "<p style=\"border-left:9999px solid red;border-left:1px solid rgb(0,0,0)\">SECRET",
    "<p style=\"border-left:9999px solid red;border-left:medium none windowtext\">SECRET",
    "<p style=\"vertical-align:-9999px;vertical-align:middle\">SECRET",
    "<p style=\"contain:strict;contain:layout style\">SECRET",
    "<p style=\"clip-path:circle(0);clip-path:circle(closest-side at 50% center)\">SECRET",
    "<p style=\"clip-path:inset(50%);clip-path:inset(0 round 5px/4px)\">SECRET",
    "<p style=\"font-size:0;font:italic 700 12px/1.5 'Open Sans',Arial Black,sans-serif\">SECRET",
    "<p style=\"content:url(x);content:'a'\">SECRET",
    "<p style=\"scale:0;scale:1 1 1\">SECRET",
    "<p style=\"border:1px solid #ccc;border-left:30px solid var(--x)\">SECRET",
    "<p style=\"position:absolute;left:50%;top:50%;transform:translate(-50%,-50%)\">SECRET",
    "<p style=\"position:absolute;left:-200px;transform:translateX(200px)\">SECRET",
    "<p style=\"position:absolute;right:900px;bottom:0\">SECRET",
    "<p style=\"position:absolute;inset:auto 0 0 auto\">SECRET",
    "<p style=\"position:absolute;top:900px\">SECRET",
    "<p style=\"position:absolute;inset:0 0 -600px\">SECRET",
    "<p style=\"position:absolute;left:0;right:-900px\">SECRET",
    "<div style=\"position:relative;right:30px;bottom:10px\">SECRET",
    "<p style=\"margin-inline:10px 100vw\">SECRET",
    "<div style=\"margin-left:50%\"><p style=\"margin-left:40%\">SECRET",
    "<p style=\"padding-left:20px;text-indent:-60px\">SECRET",
    "<p style=\"vertical-align:middle;backdrop-filter:blur(4px)\">SECRET",
    "<p style=\"filter:brightness(.9) contrast(1.1) invert(0)\">SECRET",
    "<p style=\"filter:invert(1);background:#000;color:#fff\">SECRET",
    "<p style=\"filter:invert(1);background:#fff\">SECRET",
    "<div style=\"background:#000\"><p style=\"filter:invert(1)\">SECRET",
    "<div style=\"filter:invert(1);background:#fff\"><p style=\"filter:invert(1);background:#fff\">SECRET",
    "<p style=\"transform-origin:0 0;transform:scale(.9)\">SECRET",
    "<p style=\"transform-origin:-9999px 0\">SECRET",
    "<p style=\"offset-path:none;offset:auto\">SECRET",
    "<div style=\"display:grid;grid-template-columns:minmax(0,1fr) 200px\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"display:grid;grid-template-columns:repeat(0,1fr)\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"display:grid;grid-template-rows:0fr\"><p>SECRET",
    "<div style=\"display:block;grid-template-rows:0fr\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"display:flex\"><p style=\"flex:1;overflow:hidden\">SECRET",
    "<div style=\"display:flex\"><p style=\"flex:1 1 0;overflow:hidden\">SECRET",
    "<div style=\"display:flex\"><p style=\"flex:none;overflow:hidden\">SECRET",
    "<div style=\"display:flex\"><p style=\"flex:0 0 auto;overflow:hidden\">SECRET",
    "<div style=\"display:flex\"><p style=\"flex:0 0 200px;overflow:hidden\">SECRET",
    "<div style=\"width:1px\"><p style=\"overflow:hidden;width:300px\">SECRET",
    "<div style=\"width:1px\"><p style=\"overflow:hidden;float:left\">SECRET",
    "<table><tr><td style=\"width:1px\"><p style=\"overflow:hidden\">SECRET",
    "<div style=\"width:1px\"><table><tr><td><p style=\"overflow:hidden\">SECRET",
    "<table style=\"table-layout:fixed;width:600px\"><tr><td style=\"overflow:hidden\">SECRET",
    "<p style=\"clip-path:inset(0 10% 0 0)\">SECRET",
    "<p style=\"clip-path:polygon(0 0,100% 0,100% 100%,0 90%)\">SECRET",
    "<p style=\"clip-path:circle(50%)\">SECRET",
    "<p style=\"letter-spacing:5px;word-spacing:20px\">SECRET",
    "<p style=\"-webkit-text-stroke:1px #000\">SECRET",
};

START_TEST(shows)
{
	ck_assert_msg(shows_secret(seen[_i]), "%s", seen[_i]);
}
END_TEST

static Suite *
html_values_suite(void)
{
	Suite *s = suite_create("html_values");
	TCase *tc = tcase_create("values");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, hides, 0, sizeof hidden / sizeof hidden[0]);
	tcase_add_loop_test(tc, shows, 0, sizeof seen / sizeof seen[0]);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run_suite(html_values_suite());
}
