/*
 * HTML to visible text: layout, every way of hiding we know, the tricks that
 * would make us see another page than a person does, and the bounds.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/buf.h"
#include "reader/html.h"

#define BIG_BYTES (2u << 20)
#define BIG_SECONDS 2 /* of processor time; some 0.1 without sanitizers */

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

static void
expect_text(const char *want)
{
	buf_add_byte(&v.text, '\0');
	ck_assert_str_eq(v.text.data, want);
	v.text.len--;
}

/* Whether `word` is in the buffer. */
static bool
holds(const struct buf *b, const char *word)
{
	return b->len != 0 && memmem(b->data, b->len, word, strlen(word));
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
    {"\xe4\xbd\xa0\xe5\xa5\xbd\xe2\x80\x8b!", "\xe4\xbd\xa0\xe5\xa5\xbd!"},
};

START_TEST(lays_out)
{
	render(layout[_i].html);
	expect_text(layout[_i].want);
}
END_TEST

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
    {"<math><mi>ab</math>", HIDDEN_MATH, 1, 2},
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
};

START_TEST(costs_linear_time)
{
	clock_t start = clock();
	struct buf html;

	buf_init(&html, BIG_BYTES);
	buf_add_text(&html, big[_i][0]);
	while (buf_add_text(&html, big[_i][1]) == 0)
		continue;
	html_render(html.data, html.len, &v);
	ck_assert(clock() - start < BIG_SECONDS * CLOCKS_PER_SEC);
	ck_assert(utf8_check(v.text.data, v.text.len));
	buf_free(&html);
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
	tcase_add_loop_test(tc, hides, 0, sizeof hidden / sizeof hidden[0]);
	tcase_add_loop_test(tc, shows, 0, sizeof seen / sizeof seen[0]);
	tcase_add_loop_test(
	    tc, counts_by_reason, 0, sizeof reasons / sizeof reasons[0]);
	tcase_add_test(tc, lists_links);
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
