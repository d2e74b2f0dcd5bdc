/*
 * The tokenizer and the character references: input and the tokens it gives.
 *
 * Tokens are written one a line: T text, S start tag with the attributes we
 * know, E end tag, C comment, B bogus comment, D doctype, U unfinished.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "reader/html_entity.h"
#include "reader/html_stack.h"
#include "reader/html_token.h"

#define OUT_BYTES 65536

static void
write_token(struct buf *out, const struct html_token *t)
{
	static const char marks[] = {'.', 'T', 'S', 'E', 'C', 'B', 'D', 'U'};
	bool tag = t->type == TOKEN_START || t->type == TOKEN_STOP;
	struct span text = tag ? t->name : t->text;

	buf_add_byte(out, marks[t->type]);
	buf_add_byte(out, ' ');
	buf_add(out, text.p, text.n);
	for (unsigned i = 0; i < ATTR_COUNT; i++) {
		const struct span *value =
		    html_token_attr(t, (enum html_attr)i);

		if (value == NULL)
			continue;
		buf_add_byte(out, ' ');
		buf_add(out, value->p, value->n);
	}
	if (t->self_closing)
		buf_add_text(out, " /");
	buf_add_byte(out, '\n');
}

/* Tokens of `text`, with the modes a document would set. */
static void
run(struct buf *out, struct span text, bool cdata)
{
	struct html_stack *st = calloc(1, sizeof *st);
	struct html_tokenizer t;
	struct html_token token;

	html_stack_init(st);
	html_tokenizer_init(&t, text);
	t.cdata = cdata;
	while (html_token_next(&t, &token)) {
		write_token(out, &token);
		if (token.type == TOKEN_START)
			html_token_mode(
			    &t, &token, html_stack_mode(st, token.tag));
	}
	free(st);
}

static const struct {
	const char *text, *want;
} rows[] = {
    /* text and tags */
    {"a < b", "T a \nT < b\n"},
    {"a<b>c</B>", "T a\nS b\nT c\nE B\n"},
    {"<", "T <\n"},
    {"</", "T </\n"},
    {"</>x", "T \nT x\n"},
    {"<3", "T <3\n"},
    {"<br/>", "S br /\n"},
    {"<br / >", "S br\n"},
    /* attributes: quotes, none, first of a name, odd bytes */
    {"<a href=x title='y z' id=\"w\">", "S a x w y z\n"},
    {"<a HREF=x href=y>", "S a x\n"},
    {"<a href = x>", "S a x\n"},
    {"<a href=>t", "S a \nT t\n"},
    {"<a href=x/y/>", "S a x/y/\n"},
    {"<a id=1title=2>", "S a 1title=2\n"},
    {"<a id='1'title=2>", "S a 1 2\n"},
    {"<a =id=2 id=3>", "S a 3\n"},
    {"<a / id=4>", "S a 4\n"},
    {"<p title=\"a>b\">c", "S p a>b\nT c\n"},
    {"<a \"id=5>", "S a\n"},
    {"<p hidden>", "S p \n"},
    /* tags the input ends in */
    {"x<p", "T x\nU p\n"},
    {"<p id='>", "U p id='>\n"},
    {"<p id=", "U p id=\n"},
    {"</p ", "U p \n"},
    /* comments */
    {"<!--a-->b", "C a\nT b\n"},
    {"<!-->b", "C \nT b\n"},
    {"<!--->b", "C \nT b\n"},
    {"<!---->b", "C \nT b\n"},
    {"<!--a--!>b", "C a\nT b\n"},
    {"<!--a--->b", "C a-\nT b\n"},
    {"<!--a--!-->b", "C a--!\nT b\n"},
    {"<!--a<!--b-->c", "C a<!--b\nT c\n"},
    {"<!--a->b", "C a->b\n"},
    {"<!--a--", "C a\n"},
    {"<!--a---", "C a-\n"},
    {"<!--a--!", "C a\n"},
    {"<!-- <!--", "C  <!\n"},
    {"<!-", "B -\n"},
    {"<!a>b", "B a\nT b\n"},
    {"<?a?>b", "B a?\nT b\n"},
    {"</ a>b", "B  a\nT b\n"},
    {"<!-a-->b", "B -a--\nT b\n"},
    {"<!DocType html>x", "D  html\nT x\n"},
    {"<![CDATA[x]]>y", "B [CDATA[x]]\nT y\n"},
    /* raw text */
    {"<title>a<b>&amp;</titles></title>c",
	"S title\nT a<b>&amp;</titles>\nE title\nT c\n"},
    {"<style><p></STYLE >c", "S style\nT <p>\nE STYLE\nT c\n"},
    {"<textarea></textarea>", "S textarea\nT \nE textarea\n"},
    {"<xmp><b></xmp/>c", "S xmp\nT <b>\nE xmp /\nT c\n"},
    {"<plaintext></plaintext>", "S plaintext\nT </plaintext>\n"},
    {"<style>x", "S style\nT x\n"},
    /* scripts */
    {"<script>a</script>b", "S script\nT a\nE script\nT b\n"},
    {"<script><!--a</script>b", "S script\nT <!--a\nE script\nT b\n"},
    {"<script><!--<script></script>a</script>b",
	"S script\nT <!--<script></script>a\nE script\nT b\n"},
    {"<script><!--<script>--></script>b",
	"S script\nT <!--<script>-->\nE script\nT b\n"},
    {"<script><!--><script></script>b",
	"S script\nT <!--><script>\nE script\nT b\n"},
    {"<script><!--<scripts></script>b",
	"S script\nT <!--<scripts>\nE script\nT b\n"},
};

START_TEST(gives_tokens)
{
	struct buf out;

	buf_init(&out, OUT_BYTES);
	run(&out, span_of(rows[_i].text), false);
	buf_add_byte(&out, '\0');
	ck_assert_str_eq(out.data, rows[_i].want);
	buf_free(&out);
}
END_TEST

START_TEST(reads_cdata_in_foreign_content)
{
	struct buf out;

	buf_init(&out, OUT_BYTES);
	run(&out, SPAN("<![CDATA[a]b]]]>c<![CDATA[d"), true);
	buf_add_byte(&out, '\0');
	ck_assert_str_eq(out.data, "T a]b]\nT c\nT d\n");
	buf_free(&out);
}
END_TEST

START_TEST(keeps_attributes_behind_a_hundred_thousand)
{
	struct html_tokenizer t;
	struct html_token token;
	struct buf text;

	buf_init(&text, 1u << 21);
	buf_add_text(&text, "<p ");
	for (int i = 0; i < 100000; i++)
		buf_add_format(&text, "a%d=1 ", i);
	buf_add_text(&text, "style=x style=y>");
	html_tokenizer_init(&t, (struct span){text.data, text.len});
	ck_assert(html_token_next(&t, &token));
	ck_assert(span_is(*html_token_attr(&token, ATTR_STYLE), "x"));
	ck_assert_uint_eq(token.attributes, 100002);
	ck_assert_uint_eq(token.others + token.others_dropped, 100000);
	buf_free(&text);
}
END_TEST

START_TEST(survives_names_with_nul)
{
	struct html_tokenizer t;
	struct html_token token;

	html_tokenizer_init(&t, (struct span){"<p\0\0\0 id\0\0=1>", 15});
	ck_assert(html_token_next(&t, &token));
	ck_assert_int_eq(token.tag, HTML_UNKNOWN);
	ck_assert(html_token_attr(&token, ATTR_ID) == NULL);
}
END_TEST

/* Character references: text, whether in an attribute, result, bytes used. */
static const struct {
	const char *text;
	bool in_attribute;
	const char *want;
	size_t used;
} references[] = {
    {"&amp;x", false, "&", 5},
    {"&ampx", false, "&", 4},
    {"&ampx", true, "", 0},
    {"&amp=", true, "", 0},
    {"&amp;x", true, "&", 5},
    {"&amp ", true, "&", 4},
    {"&notit;", false, "\xc2\xac", 4},
    {"&notin;", false, "\xe2\x88\x89", 7},
    {"&notit;", true, "", 0},
    {"&nosuch;", false, "", 0},
    {"&", false, "", 0},
    {"&;", false, "", 0},
    {"&hellip", false, "", 0},
    {"&NotEqualTilde;", false, "\xe2\x89\x82\xcc\xb8", 15},
    {"&CounterClockwiseContourIntegral;", false, "\xe2\x88\xb3", 33},
    {"&#65;", false, "A", 5},
    {"&#65", false, "A", 4},
    {"&#x41;x", false, "A", 6},
    {"&#X4a", false, "J", 5},
    {"&#", false, "", 0},
    {"&#;", false, "", 0},
    {"&#x;", false, "", 0},
    {"&#xg", false, "", 0},
    {"&#0;", false, "\xef\xbf\xbd", 4},
    {"&#xd800;", false, "\xef\xbf\xbd", 8},
    {"&#x110000;", false, "\xef\xbf\xbd", 10},
    {"&#99999999999999999999;", false, "\xef\xbf\xbd", 23},
    {"&#x80;", false, "\xe2\x82\xac", 6},
    {"&#150;", false, "\xe2\x80\x93", 6},
    {"&#x81;", false, "\xc2\x81", 6},
};

START_TEST(reads_references)
{
	char out[ENTITY_TEXT_BYTES];
	size_t length = 0, used;
	const char *text = references[_i].text;

	used = entity_parse(
	    text, strlen(text), references[_i].in_attribute, out, &length);
	ck_assert_uint_eq(used, references[_i].used);
	ck_assert_uint_eq(length, strlen(references[_i].want));
	ck_assert(memcmp(out, references[_i].want, length) == 0);
}
END_TEST

START_TEST(decodes_attribute_values)
{
	struct buf scratch;
	struct span plain = SPAN("no reference"), got;

	buf_init(&scratch, 100);
	got = entity_decode(plain, &scratch);
	ck_assert_ptr_eq(got.p, plain.p);
	got = entity_decode(SPAN("a&amp;b&copy=&#x20;&"), &scratch);
	ck_assert(span_is(got, "a&b&copy= &"));
	buf_free(&scratch);
}
END_TEST

static Suite *
html_token_suite(void)
{
	Suite *s = suite_create("html_token");
	TCase *tc = tcase_create("tokens");

	tcase_add_loop_test(tc, gives_tokens, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tc, reads_cdata_in_foreign_content);
	tcase_add_test(tc, keeps_attributes_behind_a_hundred_thousand);
	tcase_add_test(tc, survives_names_with_nul);
	tcase_add_loop_test(
	    tc, reads_references, 0, sizeof references / sizeof references[0]);
	tcase_add_test(tc, decodes_attribute_values);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *runner = srunner_create(html_token_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
