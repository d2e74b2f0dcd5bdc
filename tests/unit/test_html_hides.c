/*
 * HTML to visible text: every way of hiding we know, the tricks that would make
 * us see another page than a person does, and what only looks like them.
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

static void
render(const char *html)
{
	html_render(html, strlen(html), &v);
}

/* Whether `word` is in the buffer. */
static bool
holds(const struct buf *b, const char *word)
{
	return b->len != 0 && memmem(b->data, b->len, word, strlen(word));
}

/* SECRET is never visible to a person who opens these. */
static const char *const hidden[] = {
    "<div><select></div>SECRET",
    "<form><div hidden></form>SECRET",
    "<p><b style=\"display:none\"></p>SECRET",
    "<p><b style=\"display:none\"><b id=1><b id=2><b id=3><b id=4></p></b></b></b></b>SECRET",
    "<p hidden><table><tr><td>SECRET</table>",
    "<p class=h>SECRET</p><style>.h{display:none}</style>",
    "<body style=\"color:white\">SECRET",
    "x<p>SECRET</p><body hidden>",
    "<style>body{color:#fff}</style>SECRET",
    "SECRET<style>body{color:#fff}</style>",
    "<style>html body .a > p{display:none}</style><div class=a><p>SECRET",
    "<style>.x.y{display:none}</style><p class=\"y z x\">SECRET",
    "<style>P#Q{display:none}</style><p id=q>SECRET",
    "<style>@media screen and (min-width:500px){.h{display:none}}</style><p class=h>SECRET",
    "<div style=\"d\\69splay:none\">SECRET",
    "<div style=\"display:/**/none\">SECRET",
    "<div style=\"display:none;display:bogus\">SECRET",
    "<div style=\"display:none;foo:(];display:block\">SECRET",
    "<div style=\"x:};display:none\">SECRET",
    "<div style=\"display:none !important;display:block\">SECRET",
    "<div style=\"background:white;background:bogus black;color:white\">SECRET",
    "<div style=\"color:rgb(254,254,254)\">SECRET",
    "<div style=\"color:hsl(0,0%,99%)\">SECRET",
    "<div style=\"color:rgba(0,0,0,.02)\">SECRET",
    "<div bgcolor=black style=background:#000><font color=#000001>SECRET",
    "<table bgcolor=\"#000000\"><tr><td><font color=black>SECRET</table>",
    "<div style=\"font-size:0\">SECRET",
    "<div style=\"font:0/0 a\">SECRET",
    "<div style=\"font-size:1px\">SECRET",
    "<div style=\"font-size:.01em\"><p>SECRET",
    "<div style=\"position:absolute;left:-9999px\">SECRET",
    "<div style=\"text-indent:-9999px\">SECRET",
    "<div style=\"position:absolute;clip:rect(0 0 0 0)\">SECRET",
    "<div style=\"clip-path:inset(50%)\">SECRET",
    "<div style=\"height:0;overflow:hidden\">SECRET",
    "<div style=\"max-height:0px;overflow:hidden\">SECRET",
    "<div style=\"opacity:0\">SECRET",
    "<div style=\"opacity:.3\"><p style=\"opacity:.2\">SECRET",
    "<div style=\"transform:scale(0)\">SECRET",
    "<div style=\"visibility:hidden\"><p>SECRET",
    "<span aria-hidden=\"TRUE\">SECRET",
    "<template>SECRET</template>",
    "<noscript>SECRET</noscript>",
    "<svg><text>SECRET</text></svg>",
    "<svg><desc><p>SECRET</desc></svg>",
    "<math><mi>SECRET</mi></math>",
    "<textarea>SECRET</textarea>",
    "<title>SECRET</title>",
    "<body link=white><a href=x>SECRET</a>",
    "<img alt=SECRET title=SECRET>",
    "<input value=SECRET>",
    "<p data-x=\"SECRET now\">",
    "<!--SECRET-->",
    "<!--x--!SECRET-->",
    "<![if SECRET]>",
    "<!SECRET>",
    "<?SECRET>",
    "</SECRET",
    "<p SECRET",
    "<script><!--<script></script>SECRET</script>",
    "<style>x</styleSECRET",
    "<object>SECRET</object>",
    "<details><dialog>SECRET",
    "<iframe>SECRET</iframe>",
    "<a style=\"display:none\" href=\"https://SECRET/\">x</a>",
    "<a href=\"javascript:SECRET\">x</a>",
    "<a href=\"&#x20;java&Tab;script:SECRET\">x</a>",
    "<p><font color=white></p><div>SECRET",
    "<p><font color=black></p><span style=\"color:white\">SECRET",
    "<b style=\"display:none\"><div>x</div>SECRET",
    "<table><tr style=\"display:none\"><td>SECRET</table>",
    "<ul><li hidden>SECRET</ul>",
    "<button hidden>SECRET<p>SECRET</button>",
    "<div style=\"display:none\"></span></b></p></table>SECRET",
    "<div hidden></p>SECRET",
    /* values: arithmetic, units, and words that are none */
    "<p style=\"position:absolute;left:calc(1px - 9999px)\">SECRET",
    "<p style=\"position:absolute;left:calc(-1*(9000px + 9em))\">SECRET",
    "<p style=\"position:absolute;left:max(-9999px,-8888px)\">SECRET",
    "<p style=\"overflow:hidden;height:calc(1px - 1px)\">SECRET",
    "<p style=\"font-size:clamp(0px,1px,2px)\">SECRET",
    "<p style=\"font-size:0lh\">SECRET",
    "<p style=\"font-size:.1rem\">SECRET",
    "<style>html{font-size:1px}</style><p style=\"font-size:2rem\">SECRET",
    "<p style=\"text-indent:-9999px;text-indent:auto\">SECRET",
    "<p style=\"position:absolute;left:-9999px;left:normal\">SECRET",
    "<p style=\"padding-left:9999px;padding-left:-1px\">SECRET",
    "<p style=\"height:0;overflow:hidden;overflow:bogus\">SECRET",
    "<p style=\"height:0;overflow:hidden;overflow-x:visible\">SECRET",
    "<p style=\"clip-path:inset(50%);clip-path:bogus\">SECRET",
    "<p style=\"text-indent:100%;white-space:nowrap;overflow:hidden\">SECRET",
    "<p style=\"margin:-9999px 0 0 0\">SECRET",
    "<p style=\"margin:0 0 0 -9999px\">SECRET",
    "<p style=\"padding:0 0 0 9999px\">SECRET",
    "<p style=\"left:var(--x);position:fixed\">SECRET",
    "<p style=\"color:var(--x)\">SECRET",
    "<p style=\"background:var(--x)\">SECRET",
    "<p hidden style=\"all:unset\">SECRET",
    /* what a box loses */
    "<p style=\"transform:scale(.01)\">SECRET",
    "<p style=\"zoom:20%\">SECRET",
    "<div style=\"scale:.5\"><div style=\"scale:.4\">SECRET",
    "<p style=\"transform:translateX(-100%)\">SECRET",
    "<p style=\"rotate:y 90deg\">SECRET",
    "<p style=\"height:3px;overflow:hidden\">SECRET",
    "<p style=\"height:.1em;overflow:hidden\">SECRET",
    "<p style=\"line-height:0;overflow:hidden\">SECRET",
    "<div style=\"overflow:hidden\"><p style=\"line-height:.01\">SECRET",
    "<p style=\"letter-spacing:-1em\">SECRET",
    "<p style=\"letter-spacing:-20px\">SECRET",
    "<p style=\"clip-path:circle(1px)\">SECRET",
    "<p style=\"clip-path:circle(50% at -500px 0)\">SECRET",
    "<p style=\"clip-path:inset(0 0 9999px)\">SECRET",
    "<p style=\"clip-path:rect(0 0 0 0)\">SECRET",
    "<p style=\"content:url(x)\">SECRET",
    "<p style=\"content:url('x')\">SECRET",
    "<div style=\"background:#fff\"><p style=\"position:relative;z-index:-1\">SECRET",
    "<div style=\"height:16px;overflow:hidden\">x<br>SECRET</div>",
    "<div style=\"height:16px;overflow:hidden\"><p>x<p>SECRET</div>",
    "<div style=\"max-height:40px;overflow:hidden\">x<br>y<br>SECRET</div>",
    "<div style=\"height:999px;overflow:hidden\"><div style=\"height:16px;overflow:hidden\">x<br>SECRET",
    "<div style=\"height:40px;overflow:hidden\">x<br><br>SECRET</div>",
    "<div style=\"height:40px;overflow:hidden\"><br><br><br>SECRET</div>",
    "<div style=\"height:20px;overflow:hidden\"><p style=\"margin-top:30px\">SECRET",
    "<div style=\"height:20px;overflow:hidden\"><p style=\"height:90px\"></p>SECRET",
    "<div style=\"height:20px;overflow:hidden\"><img height=50><br>SECRET",
    "<div style=\"overflow:hidden\"><p style=\"margin-top:-40px\">SECRET",
    "<div style=\"overflow:hidden\"><p style=\"position:relative;top:-2em\">SECRET",
    "<div style=\"overflow:hidden\"><p style=\"text-indent:-150px\">SECRET",
    "<div style=\"overflow:hidden;width:90px\"><p style=\"margin-left:99px\">SECRET",
    "<div style=\"-webkit-line-clamp:1;overflow:hidden\">x<br>SECRET",
    "<pre style=\"height:16px;overflow:hidden\">x\nSECRET</pre>",
    "<div style=\"white-space:nowrap;overflow:hidden;width:50px\">a long text of many words before <b>SECRET</b>",
    "<marquee height=0>SECRET</marquee>",
    "<div style=\"contain:strict\">SECRET</div>",
    "<p style=\"font-size-adjust:0\">SECRET",
    "<p style=\"word-spacing:-999px\">SECRET",
    "<p style=\"position:absolute;inset-inline-start:-9999px\">SECRET",
    "<p style=\"block-size:0;overflow-block:hidden\">SECRET",
    "<p style=\"margin-block-start:-9999px\">SECRET",
    "<p style=\"position:absolute;clip:rect(auto 0 auto auto)\">SECRET",
    "<p style=\"position:absolute;clip:rect(0 0 0 0);clip:rect(auto)\">SECRET",
    "<p style=\"transform:scale(0);transform:scale(1) bogus\">SECRET",
    "<p style=\"filter:opacity(0);filter:alpha(opacity=99)\">SECRET",
    "<p style=\"clip-path:inset(50%);clip-path:circle(bogus)\">SECRET",
    "<p style=\"opacity:.3;color:#ccc\">SECRET",
    "<ruby>x<rp>SECRET</rp></ruby>",
    "<table><col style=\"visibility:collapse\"><tr><td>SECRET</table>",
    "<div style=\"color:#fff\"><table style=\"color:#000\">SECRET<tr><td>x</table>",
    "<div style=\"font-size:0\"><table style=\"font-size:16px\"><tr><b>SECRET</b><td>x</table>",
    "<table hidden>SECRET<tr><td>x</table>",
    "<style>.h{display:none}</style><style>@namespace 'x';.h{display:block}</style><p class=h>SECRET",
    "<style title=a>.h{display:none}</style><style title=b>.h{display:block!important}</style><p class=h>SECRET",
    "<div style=\"overflow:hidden\"><div style=\"height:16px\">x<br>SECRET",
    "<html style=\"margin:-50px\">SECRET",
    "<div style=\"margin-left:-60px\"><p style=\"margin-left:-60px\">SECRET",
    "<p style=\"position:absolute;top:-100px\">SECRET",
    "<details open style=\"height:10px;overflow:hidden\">SECRET",
    "<form hidden><dl></form>SECRET",
    "<p style=\"color:#fff\"><b bgcolor=black>SECRET",
    "<p style=\"color:buttonface\">SECRET",
    "<p style=\"color:lightgoldenrodyellow\">SECRET",
    "<body bgcolor=black><p style=\"color:#300000\">SECRET",
    "<p style=\"transform:rotate(90deg)\">SECRET",
    "<p style=\"transform:rotate(.5turn)\">SECRET",
    "<p style=\"transform:matrix(0,1,-1,0,0,0)\">SECRET",
    "<p style=\"rotate:90deg\">SECRET",
    "<p style=\"margin:-50px\">SECRET",
    "x<p style=\"margin-top:-80px\">SECRET",
    "<body bgcolor=black text=white><button><b style=\"color:white\">SECRET",
    "<mark style=\"color:yellow\">SECRET",
    "<p style=\"width:calc(100% - 9999px);overflow:hidden\">SECRET",
    "<p style=\"font-size:calc(1px - 2px)\">SECRET",
    "<p style=\"text-indent:-60px\">SECRET",
    /* paint */
    "<p style=\"-webkit-text-fill-color:transparent;color:#333\">SECRET",
    "<p style=\"-webkit-text-fill-color:#fff\"><b style=\"color:#333\">SECRET",
    "<p style=\"color:canvas\">SECRET",
    "<p style=\"background:currentcolor\">SECRET",
    "<p style=\"background-color:currentColor\">SECRET",
    "<p style=\"background:linear-gradient(#fff,#fefefe);color:#fff\">SECRET",
    "<p style=\"background:#fff linear-gradient(90deg,#000,#010101)\">SECRET",
    "<p style=\"background-image:url(x);background:#fff;color:#fff\">SECRET",
    "<p style=\"background:url(x);color:#fff\">SECRET",
    "<p style=\"background:#000;background-clip:text;color:#fff\">SECRET",
    "<p style=\"background:#fff;background-clip:text;color:transparent\">SECRET",
    "<p style=\"mix-blend-mode:screen\">SECRET",
    "<p style=\"filter:contrast(0);background:#fff\">SECRET",
    "<p style=\"filter:url('#x')\">SECRET",
    "<p style=\"-webkit-text-security:disc\">SECRET",
    "<body text=white><font color=black><table><tr><td>SECRET",
    "<small><small><small><small><small><small><small><small>SECRET",
    /* where rules come from, and what they move */
    "<svg><style>.h{display:none}</style></svg><p class=h>SECRET",
    "<svg><style>.h{display:&#110;one}</style></svg><p class=h>SECRET",
    "<style>.h{display:none}</style><style type=x>.h{display:block}</style><p class=h>SECRET",
    "<style>.h{display:none}</style><noscript><style>.h{display:block}</style></noscript><p class=h>SECRET",
    "<link rel=\"x STYLESHEET\" href=\"data:text/css,p{display:none}\"><p>SECRET",
    "<link rel=stylesheet href=cid:x><p>SECRET",
    "<style>@import url(data:text/css,p{display:none});</style><p>SECRET",
    "<style>@import 'DATA:text/css,p{display:none}';</style><p>SECRET",
    "<style>@import url(\"d\\61 ta:text/css,p{display:none}\");</style><p>SECRET",
    "<style>@keyframes k{to{opacity:0}}</style><p style=\"animation:k 1s forwards\">SECRET",
    "<style>@-webkit-keyframes k{from{top:0}to{display:none}}.h{-webkit-animation-name:k}</style><p class=h>SECRET",
    "<div><template shadowrootmode=open>x</template>SECRET</div>",
    "<div popover>SECRET</div>",
    /* what the rules and values leave open */
    "<style>[data-x]{display:none}</style><p data-x=1>SECRET",
    "<style>p[class~=h]{display:none}</style><p class=h>SECRET",
    "<style>p+div{display:none}</style><p>x</p><div>SECRET",
    "<style>p~div{opacity:0}</style><p>x</p><div>SECRET",
    "<style>a > b + p > i{display:none}</style><a><b></b><p><i>SECRET",
    "<style>.h:not(.x){display:none}</style><p class=h>SECRET",
    "<style>:is(.h){visibility:hidden}</style><p class=h>SECRET",
    "<style>p:nth-child(2){font-size:0}</style><p>x<p>SECRET",
    "<style>p:last-child{color:#fff}</style><p>x<p>SECRET",
    "<style>:root{color:#fff}</style>SECRET",
    "<style>.a{.h{display:none}}</style><div class=a><p class=h>SECRET",
    "<style>.a{color:red;&.h{display:none}}</style><p class=\"a h\">SECRET",
    "<style>@scope (body){.h{display:none}}</style><p class=h>SECRET",
    "<style>@container x{.h{display:none}}</style><p class=h>SECRET",
    "<style>.h{display:none}@supports not (x:y){.h{display:block}}</style><p class=h>SECRET",
    "<style>@layer x{.h{display:none!important}}.h{display:block!important}</style><p class=h>SECRET",
    "<style>@media (width>500px){.h{display:none}}</style><p class=h>SECRET",
    "<style>@media (pointer:fine){.h{display:none}}</style><p class=h>SECRET",
    "<style>.h{display:none}@media (max-width:1000px){.h{display:block}}</style><p class=h>SECRET",
    "<style media=\"(hover)\">.h{display:none}</style><p class=h>SECRET",
    "<style>.h{display:none}.H{display:block}</style><p class=h>SECRET",
    "<style>#h{display:none}#H{display:block}</style><p id=h>SECRET",
    "<style>.H{display:none}</style><p class=h>SECRET",
    "<style>.x:-moz-x,.h{display:block}</style><p class=h hidden>SECRET",
    "<p style=\"display:var(--x)\">SECRET",
    "<p style=\"font-size:calc(0px)\">SECRET",
    "<p style=\"font-size:calc(1px - 1px)\">SECRET",
    "<p style=\"opacity:calc(0)\">SECRET",
    "<p style=\"opacity:min(0,1)\">SECRET",
    "<p style=\"color:hwb(0 100% 0%)\">SECRET",
    "<p style=\"color:oklch(100% 0 0)\">SECRET",
    "<p style=\"color:lab(100 0 0)\">SECRET",
    "<p style=\"color:color(srgb 1 1 1)\">SECRET",
    "<p style=\"color:rgb(none 0 0 / 0)\">SECRET",
    "<p style=\"transform:matrix(0,0,0,0,0,0)\">SECRET",
    "<p style=\"transform:matrix(1,0,0,1,-9999,0)\">SECRET",
    "<p style=\"clip-path:polygon(0 0,0 0,0 0)\">SECRET",
    "<p style=\"clip-path:inset(0 0 100% 0)\">SECRET",
    "<p style=\"filter:opacity(0)\">SECRET",
    "<p style=\"filter:blur(40px)\">SECRET",
    "<p style=\"zoom:0\">SECRET",
    "<p style=\"scale:0\">SECRET",
    "<p style=\"translate:-9999px\">SECRET",
    "<p style=\"position:absolute;inset:-9999px auto auto -9999px\">SECRET",
    "<p style=\"position:absolute;bottom:-9999px\">SECRET",
    "<details><summary>x</summary>SECRET</details>",
    "<details><summary>x</summary><summary>SECRET</summary></details>",
    "<details><div><summary>SECRET</summary></div></details>",
};

START_TEST(hides)
{
	render(hidden[_i]);
	ck_assert_msg(!holds(&v.text, "SECRET"), "%s", hidden[_i]);
	for (size_t i = 0; i < v.link_count; i++)
		ck_assert(!holds(&v.link_bytes, "SECRET"));
}
END_TEST

/* SECRET is visible to a person who opens these. */
static const char *const seen[] = {
    "<details open><summary>x</summary>SECRET</details>",
    "<details><summary>SECRET</summary>x</details>",
    "<details style=\"color:#333\"><summary><b>SECRET</b></summary>x</details>",
    "<style>[data-ogsc] .h{color:#fff!important}</style><p class=h>SECRET",
    "<style>u + .h{display:none}</style><p class=h>SECRET",
    "<style>.h::before,p:before,a:visited{display:none}</style><p class=h>SECRET",
    "<style>p:empty{display:none}</style><p>SECRET",
    "<style>@font-face{x:y}@keyframes k{to{opacity:0}}</style><p>SECRET",
    "<style>.h{font-size:14px}.h:first-child{color:red}</style><p class=h>SECRET",
    "<style>@media (max-width:600px){.h[class]{display:none}}</style><p class=h>SECRET",
    "<style>_:-ms-x, :root .x{display:none}</style><p class=h>SECRET",
    "<p style=\"display:none;display:block;width:calc(100% - 20px)\">SECRET",
    "<p style=\"opacity:var(--x);opacity:1\">SECRET",
    "<p style=\"filter:grayscale(1);transform:rotate(3deg)\">SECRET",
    "<p style=\"zoom:1;scale:none;translate:10px;inset:0;mask:none\">SECRET",
    "<p style=\"color:oklch(40% .1 30)\">SECRET",
    "<p hidden>x<p>SECRET",
    "<ul><li hidden>x<li>SECRET</ul>",
    "<table><tr hidden><td>x<tr><td>SECRET</table>",
    "<table><tr><td hidden>x<td>SECRET</table>",
    "<div hidden style=\"display:block\">SECRET",
    "<b hidden>x</b>SECRET",
    "<b hidden>x<p>y</b>SECRET",
    "<svg><p>SECRET",
    "<svg><style><p>SECRET",
    "<div style=\"font-size:0\"><span style=\"font-size:14px\">SECRET",
    "<div style=\"visibility:hidden\"><span style=\"visibility:visible\">SECRET",
    "<div style=\"color:white;background:#333\">SECRET",
    "<div style=\"color:white;background:url(x) #333\">SECRET",
    "<div style=\"color:white;background:linear-gradient(#000,#fff)\">SECRET",
    "<div style=\"color:white;background:linear-gradient(rgba(0,0,0,.5),rgba(0,0,0,.5)),url(x)\">SECRET",
    "<p style=\"background:linear-gradient(#00f,#f00);-webkit-background-clip:text;-webkit-text-fill-color:transparent\">SECRET",
    "<p style=\"background:#00f;background-clip:text;color:transparent\">SECRET",
    "<p style=\"-webkit-text-fill-color:transparent\"><b style=\"-webkit-text-fill-color:currentcolor\">SECRET",
    "<p style=\"background:bogus;margin:calc(1px + 1%) auto;width:calc(100% - 20px)\">SECRET",
    "<p style=\"padding:env(safe-area-inset-left)\">SECRET",
    "<p style=\"position:relative;z-index:-1\">SECRET",
    "<body bgcolor=white><p style=\"position:relative;z-index:-1\">SECRET",
    "<p style=\"line-height:0\">SECRET",
    "<p style=\"letter-spacing:-.5px;scale:.9\">SECRET",
    "<div style=\"height:40px;overflow:hidden\">x<br>SECRET</div>",
    "<div style=\"height:16px;overflow:hidden\">x<br>y</div>SECRET",
    "<div style=\"height:60px;overflow:hidden\"><p style=\"margin-top:9px\">x<br>SECRET",
    "<div style=\"overflow:hidden\"><p style=\"margin:-9px 0 0 -9px\">SECRET",
    "<div style=\"white-space:nowrap;overflow:hidden;width:300px\">a text of some words <b>SECRET</b>",
    "<div style=\"white-space:nowrap;overflow:hidden;width:90px\">a long text of words<br><b>SECRET</b>",
    "<p style=\"filter:alpha(opacity=0);contain:content\">SECRET",
    "<ruby>x<rp>(<rt>SECRET<rp>)</ruby>",
    "<table>SECRET<tr><td>x</table>",
    "<div style=\"font-size:0\"><table style=\"font-size:16px\"><tr><td>SECRET</table>",
    "<marquee>SECRET</marquee>",
    "<form hidden><dl></form>x</dl>SECRET",
    "<div style=\"overflow:hidden\"><table height=16><tr><td style=\"height:16px\">x<br>SECRET</table>",
    "<p style=\"position:absolute;left:50%;margin-left:-300px\">SECRET",
    "<p style=\"color:#999\">SECRET",
    "<body bgcolor=black><p style=\"color:#444\">SECRET",
    "<p style=\"transform:rotate(-2deg);rotate:none\">SECRET",
    "<img height=300><p style=\"margin-top:-100px\">SECRET",
    "<p style=\"margin-top:-20px\">SECRET",
    "<body text=white bgcolor=black><button>SECRET",
    "<mark>SECRET",
    "<p style=\"animation:k 1s\">SECRET",
    "<p style=\"content:'x'\">SECRET",
    "<p style=\"mso-hide:all;display:inline-block\">SECRET",
    "<style>html{font-size:62.5%}</style><p style=\"font-size:1.4rem\">SECRET",
    "<!doctype html><body text=white><font color=black><table><tr><td>SECRET",
    "<link rel=stylesheet href=\"https://x/y.css\"><style>@import url(https://x/y);</style>SECRET",
    "<div style=\"background:#333\"><font color=white>SECRET",
    "<td style=\"display:none\">SECRET</td>",
    "<style>.h{display:none} .h{display:block}</style><p class=h>SECRET",
    "<style>@media print{.h{display:none}}</style><p class=h>SECRET",
    "<style>@media (max-width:600px){.h{display:none}}</style><p class=h>SECRET",
    "<style>.h:hover{display:none}</style><p class=h>SECRET",
    "<style>.a .h{display:none}</style><p class=h>SECRET",
    "<body style=\"color:white\" bgcolor=\"#222222\">SECRET",
    "<a style=\"color:inherit\" href=x>SECRET</a>",
    "<div style=\"color:white\"><a href=x>SECRET</a></div>",
    "<title>x</title>SECRET",
    "<select><option>x</select>SECRET",
    "<!-->SECRET",
    "<!--->SECRET",
    "</>SECRET",
    "a<b>SECRET",
    "1 < 2 SECRET",
    "<plaintext>SECRET</plaintext>",
    "<math><mi></mi><p>SECRET",
    "<template>x</template>SECRET",
    "<style></style >SECRET",
    "<script></script/>SECRET",
    "<input type=hidden>SECRET",
    "<button>SECRET</button>",
    "<noscript>x</noscript>SECRET",
    "<p style=\"display:none\">x</p><table><tr><td>SECRET</table>",
    "<div style=\"x:(;display:none\">SECRET",
};

START_TEST(shows)
{
	render(seen[_i]);
	ck_assert_msg(holds(&v.text, "SECRET"), "%s", seen[_i]);
}
END_TEST

static Suite *
html_hides_suite(void)
{
	Suite *s = suite_create("html_hides");
	TCase *tc = tcase_create("pages");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, hides, 0, sizeof hidden / sizeof hidden[0]);
	tcase_add_loop_test(tc, shows, 0, sizeof seen / sizeof seen[0]);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run_suite(html_hides_suite());
}
