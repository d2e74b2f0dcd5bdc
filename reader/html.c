/*
 * HTML to visible text: two passes over the tokens, the first for the style
 * rules, the second for the text. Runs in the reader's worker; believes
 * nothing. Text that a person would not see should never reach visible_add.
 * Where styles leave that open it mostly counts as hidden (html_sheet.h,
 * html_look.c); where it does not, style_unsure says so.
 */
#include "reader/html.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "reader/html_ascii.h"
#include "reader/html_entity.h"
#include "reader/html_foreign.h"
#include "reader/html_hint.h"
#include "reader/html_render.h"

#define LINK_TEXT_BYTES 500 /* of a link's text in the list of links */
#define UP_LEAST (-4000)    /* hundredths of a px */
#define LINE 1840	    /* the usual height of one */
#define INDENTS 25	    /* of 40 px each are as wide as a window */
#define ITEM_MOST 99999	    /* first number of a list */

static const enum hidden attr_reasons[ATTR_COUNT] = {
#define ATTR(name, text, reason) reason,
#include "reader/html_attr.def"
#undef ATTR
};

/* Line ends before and behind an element as its name says. */
static unsigned
tag_breaks(enum html_tag tag)
{
	if (html_tag_flags(tag) & TAG_HEADING)
		return 2;
	switch (tag) {
	case HTML_P:
	case HTML_BLOCKQUOTE:
	case HTML_PRE:
	case HTML_LISTING:
	case HTML_XMP:
	case HTML_DL:
		return 2;
	default:
		return html_tag_flags(tag) & TAG_BLOCK ? 1 : 0;
	}
}

/* The same, as its style says. */
static unsigned
breaks_of(const struct html_element *element)
{
	unsigned breaks = tag_breaks(element->tag);
	int display = element->own.display;

	if (element[-1].own.display == DISPLAY_FLEX &&
	    display >= DISPLAY_INLINE)
		display = DISPLAY_BLOCK;
	if (display == DISPLAY_INLINE || display == DISPLAY_CELL)
		return 0;
	return breaks == 0 && display != DISPLAY_USUAL ? 1 : breaks;
}

static bool
is_cell(const struct html_element *element)
{
	if (element->own.display == DISPLAY_CELL)
		return true;
	return (element->tag == HTML_TD || element->tag == HTML_TH) &&
	       breaks_of(element) == 0;
}

static bool
is_list(enum html_tag tag)
{
	return tag == HTML_UL || tag == HTML_OL || tag == HTML_MENU ||
	       tag == HTML_DIR;
}

struct span
render_attr(struct render *r, enum html_attr attr, struct buf *scratch)
{
	const struct span *raw = html_token_attr(&r->token, attr);

	return raw == NULL ? (struct span){"", 0}
			   : entity_decode(*raw, scratch);
}

enum hidden
render_reason(const struct render *r)
{
	enum hidden reason = html_place_reason(&r->stack);

	if (reason == HIDDEN_COUNT && r->sheet.exhausted)
		return HIDDEN_STYLE_LIMIT;
	return reason;
}

void
render_hide(struct render *r, enum hidden reason, struct span text)
{
	html_flow_flush(&r->flow);
	visible_hide(r->out, reason, text.p, text.n);
}

/* Whether text is moved up by more than what stands above it. */
static bool
is_above(const struct render *r, const struct html_look *look)
{
	return look->y <= UP_LEAST &&
	       look->y + r->pictures + (int64_t)r->flow.lines * LINE < 0;
}

/* A piece of decoded text. */
static void
add_text(struct render *r, enum hidden reason, struct span text)
{
	const struct html_look *look = html_stack_look(&r->stack);

	if (reason == HIDDEN_COUNT && is_above(r, look)) {
		html_flow_flush(&r->flow);
		reason = HIDDEN_OFF_SCREEN;
	}
	if (reason == HIDDEN_COUNT && !render_box_fits(r, text, look->pre)) {
		html_flow_flush(&r->flow);
		reason = HIDDEN_ZERO_BOX;
	}
	if (reason != HIDDEN_COUNT) {
		visible_hide_more(r->out, reason, text.p, text.n);
		return;
	}
	html_flow_turn(&r->flow, look->turn);
	html_flow_text(&r->flow, text.p, text.n, look->pre);
	render_link_text(r, text);
}

/* A text token: pieces between references, and what those stand for. */
static void
text_token(struct render *r)
{
	struct span text = r->token.text;
	enum hidden reason;
	size_t i = 0;

	if (text.n == 0)
		return;
	html_stack_reopen(&r->stack);
	reason = render_reason(r);
	if (reason != HIDDEN_COUNT)
		html_flow_flush(&r->flow);
	while (i < text.n) {
		const char *amp =
		    r->token.coded ? memchr(text.p + i, '&', text.n - i) : NULL;
		size_t plain =
		    amp == NULL ? text.n - i : (size_t)(amp - text.p) - i;
		size_t used, length = 1;
		char out[ENTITY_TEXT_BYTES];

		add_text(r, reason, (struct span){text.p + i, plain});
		i += plain;
		if (amp == NULL)
			break;
		used = entity_parse(amp, text.n - i, false, out, &length);
		add_text(
		    r, reason, (struct span){used == 0 ? "&" : out, length});
		i += used == 0 ? 1 : used;
	}
}

static void
declare_inline(void *context, const struct style_declaration *declaration)
{
	style_declare(context, declaration, WEIGHT_INLINE);
}

/* <body link> gives the colour of every link. */
static void
link_hint(struct render *r)
{
	const struct span *raw = html_token_attr(&r->root[1], ATTR_LINK);
	struct style_declaration d = {.property = STYLE_COLOUR};
	colour found;

	if (raw == NULL || html_token_attr(&r->token, ATTR_HREF) == NULL ||
	    !colour_legacy(entity_decode(*raw, &r->scratch), &found))
		return;
	d.value = (struct style_value){UNIT_COLOUR, (int32_t)found};
	style_declare(&r->cascades.known, &d, WEIGHT_HINT);
}

static bool
is_animated(const struct style_cascades *c)
{
	return c->known.value[STYLE_ANIMATION].n != 0 ||
	       c->doubts.value[STYLE_ANIMATION].n != 0 ||
	       c->known.unknown[STYLE_ANIMATION] ||
	       c->doubts.unknown[STYLE_ANIMATION];
}

/* The own styles of the element this start tag opens. `element` gets its
 * names for the rules. */
static struct html_own
own_styles(struct render *r, struct html_element *element)
{
	struct span style, hidden;
	enum hidden foreign;
	struct html_own own;

	style_cascade_clear(&r->cascades.known);
	style_cascade_clear(&r->cascades.doubts);
	html_hint(&r->token, &r->scratch, &r->cascades.known);
	element->foreign =
	    foreign_open(&r->token, &r->stack.at[r->stack.depth], &foreign);
	foreign_hint(&r->token, element->foreign, &r->cascades.known);
	if (r->token.tag == HTML_A)
		link_hint(r);
	if (r->sheet.rule_count != 0) {
		element->name = html_hash_any(html_hash(r->token.name));
		html_sheet_name(&r->sheet, &r->stack, element,
		    render_attr(r, ATTR_ID, &r->scratch),
		    render_attr(r, ATTR_CLASS, &r->second));
		html_sheet_match(&r->sheet, &r->stack, element, &r->token,
		    &r->scratch, &r->cascades);
	}
	style = render_attr(r, ATTR_STYLE, &r->scratch);
	if (style.n != 0) {
		struct css css = {style.p, style.p + style.n};

		style_parse(&css, false, declare_inline, &r->cascades.known);
	}
	own = html_own_in(
	    html_stack_look(&r->stack), &r->cascades, &r->out->style_unsure);
	if ((own.flags & OWN_SHIFTS) != 0 &&
	    (r->boxes > 0 || ((own.flags & OWN_CUT) != 0 &&
				 (own.height > 0 || own.width > 0))))
		r->out->style_unsure = true; /* what is cut is not added up */
	if (own.reason == HIDDEN_COUNT && r->sheet.fades &&
	    is_animated(&r->cascades)) {
		own.reason = HIDDEN_STYLE_UNKNOWN;
		r->out->style_unsure = true;
	}
	if (r->token.tag == HTML_BODY)
		own.flags |= OWN_PAGE;
	if (r->token.tag == HTML_TABLE && r->quirks)
		own.flags |= OWN_TABLE;
	if (r->token.tag == HTML_TABLE ||
	    html_tag_table_parent(r->token.tag) != 0)
		html_own_table(&own, r->token.tag != HTML_TABLE);
	if (own.reason == HIDDEN_COUNT && r->token.tag == HTML_DETAILS &&
	    html_token_attr(&r->token, ATTR_OPEN) == NULL)
		own.reason = HIDDEN_CLOSED;
	hidden = render_attr(r, ATTR_ARIA_HIDDEN, &r->scratch);
	if (own.reason == HIDDEN_COUNT && ascii_is(hidden, "true"))
		own.reason = HIDDEN_ARIA_HIDDEN;
	if (html_tag_reason(r->token.tag) != HIDDEN_COUNT)
		own.reason = (uint8_t)html_tag_reason(r->token.tag);
	if (foreign != HIDDEN_COUNT)
		own.reason = (uint8_t)foreign;
	if (r->token.attributes == 0)
		own.flags |= OWN_BARE;
	return own;
}

/* Texts in attributes that no reader sees. */
static void
attribute_texts(struct render *r)
{
	for (unsigned i = 0; i < ATTR_COUNT; i++) {
		enum html_attr attr = (enum html_attr)i;

		if (attr_reasons[i] == HIDDEN_COUNT ||
		    html_token_attr(&r->token, attr) == NULL ||
		    (attr == ATTR_VALUE && r->token.tag == HTML_LI))
			continue;
		render_hide(
		    r, attr_reasons[i], render_attr(r, attr, &r->scratch));
	}
	if (html_stack_foreign(&r->stack))
		return;
	for (unsigned i = 0; i < r->token.others; i++) {
		struct span raw = r->token.other[i].value;

		if (memchr(raw.p, ' ', raw.n) != NULL)
			render_hide(r, HIDDEN_ATTRIBUTE,
			    entity_decode(raw, &r->scratch));
	}
}

/* An element ends, told by the stack. */
static void
element_closed(void *context, const struct html_element *element)
{
	struct render *r = context;
	enum hidden reason = element->look.unseen;

	if (element == r->link.element)
		render_link_end(r);
	render_box_close(r, element);
	if (element->foreign == FOREIGN_PARTS && reason == HIDDEN_COUNT)
		html_flow_text(&r->flow, " ", 1, false);
	if (element->space != SPACE_HTML)
		return;
	if (reason != HIDDEN_COUNT) {
		visible_hide_more(r->out, reason, " ", 1);
		if (element->own.reason != HIDDEN_COUNT)
			visible_hide_end(r->out);
	} else if (breaks_of(element) != 0) {
		html_flow_break(&r->flow, breaks_of(element));
	}
	if (is_list(element->tag))
		html_flow_list_end(&r->flow);
	else if (element->tag == HTML_BLOCKQUOTE)
		html_flow_quote(&r->flow, false);
	else if (element->tag == HTML_LI)
		html_flow_item_end(&r->flow);
}

static int32_t
list_start(struct render *r)
{
	struct span text = ascii_trim(render_attr(r, ATTR_START, &r->scratch));
	int32_t number = 0;

	if (r->token.tag != HTML_OL)
		return -1;
	for (size_t i = 0; i < text.n; i++) {
		if (!ascii_is_digit(text.p[i]) || number > ITEM_MOST)
			return 1;
		number = number * 10 + (text.p[i] - '0');
	}
	return text.n == 0 ? 1 : number;
}

/* Whether a part of a formula is not in one line with what is before. */
static bool
stands_apart(const struct html_element *element)
{
	return element->foreign == FOREIGN_CELL ||
	       (element->foreign != FOREIGN_NONE &&
		   element[-1].foreign == FOREIGN_PARTS);
}

/* Lay out the start of an element that is now open. */
static void
element_opened(struct render *r, const struct html_element *element)
{
	enum html_tag tag = element->tag;
	bool seen = element->look.unseen == HIDDEN_COUNT && !r->sheet.exhausted;

	if (element->space == SPACE_HTML)
		seen = render_reason(r) == HIDDEN_COUNT;

	if (tag == HTML_A)
		render_link_start(r, element);
	else if (is_list(tag))
		html_flow_list(&r->flow, list_start(r));
	else if (tag == HTML_BLOCKQUOTE)
		html_flow_quote(&r->flow, true);
	else if (tag == HTML_LI && seen)
		html_flow_item(&r->flow);
	else if (seen && is_cell(element))
		html_flow_cell(&r->flow);
	if (seen && breaks_of(element) != 0)
		html_flow_break(&r->flow, breaks_of(element));
	if (seen && stands_apart(element))
		html_flow_text(&r->flow, " ", 1, false);
	render_box_open(r, element);
	if (r->stack.open[HTML_BLOCKQUOTE] + r->stack.open[HTML_UL] +
		r->stack.open[HTML_OL] + r->stack.open[HTML_DD] >=
	    INDENTS)
		r->out->style_unsure = true;
	if (element->look.unseen == HIDDEN_COLOUR && element->look.image)
		r->out->style_unsure = true;
	if (element->own.reason != HIDDEN_COUNT)
		visible_hide_end(r->out);
}

/* Elements without contents that leave a mark. */
static void
void_element(struct render *r, const struct html_own *own)
{
	struct html_look look =
	    html_look_inside(html_stack_look(&r->stack), own);

	if (look.unseen != HIDDEN_COUNT || r->sheet.exhausted)
		return;
	if (r->token.tag == HTML_BR) {
		render_box_take(r, 0, 1);
		html_flow_newline(&r->flow);
	} else if (r->token.tag == HTML_HR) {
		render_box_take(r, own->height, 0);
		html_flow_break(&r->flow, 1);
		html_flow_mark(&r->flow, "---", 3);
		html_flow_break(&r->flow, 1);
	} else if (r->token.tag == HTML_IMG) {
		r->link.seen = true;
		render_box_take(r, own->height, 0);
		r->pictures += own->height;
	}
}

/* Where a form sends what is put into it. */
static void
form_action(struct render *r, const struct html_own *own, bool opened)
{
	struct html_look look = *html_stack_look(&r->stack);
	enum html_attr attr =
	    r->token.tag == HTML_FORM ? ATTR_ACTION : ATTR_FORMACTION;

	if (html_token_attr(&r->token, attr) == NULL)
		return;
	if (!opened)
		look = html_look_inside(&look, own);
	render_action(r, render_attr(r, attr, &r->scratch),
	    r->sheet.exhausted ? HIDDEN_STYLE_LIMIT : (enum hidden)look.unseen);
}

static void
start_token(struct render *r)
{
	struct html_element element = {.class_start = r->stack.class_count};
	enum html_tag tag = r->token.tag;
	enum html_mode mode;
	size_t depth;

	if (r->token.attributes != 0)
		attribute_texts(r);
	if (!html_stack_prepare(&r->stack, &r->token))
		return;
	element.class_start = r->stack.class_count;
	element.own = own_styles(r, &element);
	mode = html_stack_mode(&r->stack, tag);
	depth = r->stack.depth;
	html_stack_push(&r->stack, &r->token, &element);
	if (r->stack.depth > depth)
		element_opened(r, &r->stack.at[r->stack.depth]);
	else if (html_tag_flags(tag) & TAG_VOID)
		void_element(r, &element.own);
	else if (tag_breaks(tag) != 0)
		html_flow_break(&r->flow, 1);
	if (tag == HTML_FORM || tag == HTML_BUTTON || tag == HTML_INPUT)
		form_action(r, &element.own, r->stack.depth > depth);
	if ((tag == HTML_COL || tag == HTML_COLGROUP) &&
	    (element.own.flags & OWN_HIDE) != 0)
		html_stack_hide(&r->stack, HTML_TABLE, HIDDEN_VISIBILITY);
	if ((tag == HTML_COL || tag == HTML_COLGROUP) &&
	    (element.own.flags &
		(OWN_BACKGROUND | OWN_PICTURE | OWN_IMAGE | OWN_SAME)) != 0)
		r->out->style_unsure = true; /* of cells, behind their text */
	html_token_mode(&r->tokens, &r->token, mode);
}

static void
stop_token(struct render *r)
{
	enum html_tag tag = r->token.tag;
	bool foreign = html_stack_foreign(&r->stack);
	size_t depth = r->stack.depth;

	if (r->token.attributes != 0)
		attribute_texts(r);
	html_stack_end(&r->stack, &r->token);
	if (foreign)
		return;
	if (tag == HTML_BR)
		void_element(r, &html_own_none);
	else if (tag == HTML_P && r->stack.depth == depth &&
		 render_reason(r) == HIDDEN_COUNT)
		html_flow_break(&r->flow, 2);
}

static void
one_token(struct render *r)
{
	switch (r->token.type) {
	case TOKEN_TEXT:
		text_token(r);
		break;
	case TOKEN_START:
		start_token(r);
		break;
	case TOKEN_STOP:
		stop_token(r);
		break;
	case TOKEN_COMMENT:
	case TOKEN_BOGUS:
		render_hide(r,
		    ascii_starts(ascii_trim(r->token.text), "[if") ||
			    ascii_starts(ascii_trim(r->token.text), "[endif") ||
			    ascii_starts(ascii_trim(r->token.text), "<![endif")
			? HIDDEN_CONDITIONAL
			: HIDDEN_COMMENT,
		    r->token.text);
		break;
	case TOKEN_DOCTYPE:
		render_hide(r, HIDDEN_METADATA, r->token.text);
		break;
	case TOKEN_UNFINISHED:
		render_hide(r, HIDDEN_MARKUP, r->token.text);
		break;
	case TOKEN_END:
		break;
	}
	r->tokens.cdata = html_stack_foreign(&r->stack);
}

/* Begin a pass over the document. */
static void
start_pass(struct render *r, struct span input)
{
	html_tokenizer_init(&r->tokens, input);
	html_stack_init(&r->stack);
	for (size_t i = 0; i < 2; i++) {
		struct html_element element = {
		    .class_start = r->stack.class_count};

		r->token = r->root[i];
		element.own = own_styles(r, &element);
		html_stack_push(&r->stack, &r->token, &element);
	}
}

static void
render_text(struct render *r)
{
	r->stack.closed = element_closed;
	r->stack.context = r;
	while (html_token_next(&r->tokens, &r->token))
		one_token(r);
	html_stack_finish(&r->stack);
	if (r->link.element != NULL)
		render_link_end(r);
	html_flow_flush(&r->flow);
}

void
html_render(const char *html, size_t bytes, struct visible *v)
{
	struct render *r = alloc_bytes(sizeof *r);
	struct span input = {html, bytes};

	r->out = v;
	r->cascades = (struct style_cascades){0};
	buf_init(&r->scratch, bytes * 2);
	buf_init(&r->second, bytes * 2);
	buf_init(&r->link.text, LINK_TEXT_BYTES);
	html_sheet_init(&r->sheet);
	html_flow_init(&r->flow, v);
	r->root[0] =
	    (struct html_token){.tag = HTML_HTML, .name = SPAN("html")};
	r->root[1] =
	    (struct html_token){.tag = HTML_BODY, .name = SPAN("body")};
	start_pass(r, input);
	render_collect(r);
	start_pass(r, input);
	render_text(r);
	v->style_unsure |= r->sheet.unsure;
	html_sheet_done(&r->sheet);
	buf_free(&r->scratch);
	buf_free(&r->second);
	buf_free(&r->link.text);
	html_flow_done(&r->flow);
	free(r);
}
