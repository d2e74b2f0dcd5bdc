/*
 * The first pass over a document: what may stand anywhere and counts for all
 * of it. Runs in the reader's worker over hostile bytes.
 */
#include <string.h>

#include "reader/html_ascii.h"
#include "reader/html_entity.h"
#include "reader/html_media.h"
#include "reader/html_render.h"
#include "reader/html_url.h"

/* <html> and <body> are open from the start, and their tags, wherever they
 * stand, only add attributes that were not there before (13.2.6.4.7). */
static void
collect_root(struct render *r)
{
	struct html_token *root = &r->root[r->token.tag == HTML_BODY];

	root->attributes += r->token.attributes;
	for (unsigned i = 0; i < ATTR_COUNT; i++) {
		enum html_attr attr = (enum html_attr)i;
		const struct span *value = html_token_attr(&r->token, attr);

		if (value == NULL || html_token_attr(root, attr) != NULL)
			continue;
		root->present |= UINT64_C(1) << i;
		root->attr[i] = *value;
	}
	for (unsigned i = 0; i < r->token.others; i++)
		if (root->others < HTML_OTHERS)
			root->other[root->others++] = r->token.other[i];
}

static void
collect_start(struct render *r)
{
	struct html_element element = {.own = html_own_none};
	enum html_tag tag = r->token.tag;
	enum html_mode mode;

	if (tag == HTML_HTML || tag == HTML_BODY)
		collect_root(r);
	if (!html_stack_prepare(&r->stack, &r->token))
		return;
	mode = html_stack_mode(&r->stack, tag);
	html_stack_push(&r->stack, &r->token, &element);
	html_token_mode(&r->tokens, &r->token, mode);
}

/* Whether the rules of a <style> count here. What stands in <noscript>
 * counts only where scripts do not run, and svg has its own <style>: in doubt.
 */
static enum media
style_use(struct render *r, bool foreign)
{
	struct span type = render_attr(r, ATTR_TYPE, &r->scratch);
	enum media use;

	if (r->stack.open[HTML_TEMPLATE] != 0 ||
	    (type.n != 0 && !ascii_is(type, "text/css")))
		return MEDIA_NO;
	use = media_attribute(render_attr(r, ATTR_MEDIA, &r->scratch));
	if (use == MEDIA_YES &&
	    (foreign || r->stack.open[HTML_NOSCRIPT] != 0 ||
		render_attr(r, ATTR_TITLE, &r->scratch).n != 0))
		return MEDIA_MAYBE;
	return use;
}

/* A <style>: its text is the next token. */
static void
collect_style(struct render *r, bool foreign)
{
	enum media use = style_use(r, foreign);
	struct html_tokenizer before = r->tokens;
	struct span text;

	if (!html_token_next(&r->tokens, &r->token) ||
	    r->token.type != TOKEN_TEXT) {
		r->tokens = before;
		return;
	}
	text =
	    foreign ? entity_decode(r->token.text, &r->scratch) : r->token.text;
	if (use != MEDIA_NO)
		html_sheet_add(&r->sheet, text, use == MEDIA_MAYBE);
}

/* Rules that come with the mail but not as text, or a tree of shadows that
 * replaces what is written: what is seen then is not known here. */
static void
collect_foreign_rules(struct render *r)
{
	struct span address;

	if (r->token.tag == HTML_TEMPLATE &&
	    html_token_attr(&r->token, ATTR_SHADOWROOTMODE) != NULL)
		r->sheet.exhausted = true;
	if (r->token.tag != HTML_LINK ||
	    !ascii_has_word(
		render_attr(r, ATTR_REL, &r->scratch), "stylesheet"))
		return;
	address = ascii_trim(render_attr(r, ATTR_HREF, &r->scratch));
	if (url_is_inside(address))
		r->sheet.exhausted = true;
}

/* Whether a doctype, the text behind its word, makes a page follow the rules
 * of old browsers. In doubt it does. */
static bool
is_quirky(struct span doctype)
{
	static const char *const modern[] = {"html", "html system",
	    "html public \"-//w3c//dtd xhtml 1.",
	    "html public \"-//w3c//dtd html 4.01//",
	    "html public \"-//w3c//dtd html 4.0//"};
	static const char *const with_address[] = {
	    "html public \"-//w3c//dtd html 4.01 transitional//",
	    "html public \"-//w3c//dtd html 4.01 frameset//"};

	doctype = ascii_trim(doctype);
	if (ascii_is(doctype, modern[0]))
		return false;
	for (size_t i = 1; i < sizeof modern / sizeof modern[0]; i++)
		if (ascii_starts(doctype, modern[i]))
			return false;
	for (size_t i = 0; i < 2; i++)
		if (ascii_starts(doctype, with_address[i]))
			return memmem(doctype.p, doctype.n, "://", 3) == NULL;
	return true;
}

static void
collect_tag(struct render *r)
{
	bool foreign;

	collect_start(r);
	collect_foreign_rules(r);
	foreign = r->stack.at[r->stack.depth].space == SPACE_SVG;
	if (r->token.tag != HTML_STYLE)
		return;
	if (r->tokens.mode == MODE_RAWTEXT)
		collect_style(r, false);
	else if (foreign && !r->token.self_closing)
		collect_style(r, true);
}

void
render_collect(struct render *r)
{
	bool begun = false;

	r->quirks = true;
	r->tokens.marks = r->sheet.marks;
	while (html_token_next(&r->tokens, &r->token)) {
		if (r->token.type == TOKEN_DOCTYPE && !begun)
			r->quirks = is_quirky(r->token.text);
		begun |= r->token.type == TOKEN_START ||
			 r->token.type == TOKEN_DOCTYPE ||
			 (r->token.type == TOKEN_TEXT &&
			     ascii_trim(r->token.text).n != 0);
		if (r->token.type == TOKEN_START)
			collect_tag(r);
		else if (r->token.type == TOKEN_STOP)
			html_stack_end(&r->stack, &r->token);
		r->tokens.cdata = html_stack_foreign(&r->stack);
	}
}
