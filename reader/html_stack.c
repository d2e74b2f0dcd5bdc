/*
 * The stack of open elements. Runs in the reader's worker over hostile
 * markup; each call costs at most a walk over STACK_DEPTH small entries.
 */
#include "reader/html_stack.h"

#include <string.h>

#include "reader/html_ascii.h"
#include "reader/html_place.h"
#include "reader/html_scope.h"

static struct html_element *
top(struct html_stack *st)
{
	return &st->at[st->depth];
}

static void
pop_one(struct html_stack *st)
{
	struct html_element *e = top(st);

	if (st->closed != NULL)
		st->closed(st->context, e);
	if (e->space == SPACE_HTML)
		st->open[e->tag]--;
	st->class_count = e->class_start;
	st->depth--;
	if (e->flags & TAG_MARKER) {
		st->level--;
		html_format_drop(&st->formats, st->level);
	}
}

static void
pop(struct html_stack *st)
{
	do
		pop_one(st);
	while (st->depth > 0 && top(st)->ended);
}

/* Close everything above `depth`; formatting among it goes on. */
static void
pop_above(struct html_stack *st, size_t depth)
{
	size_t place = st->formats.count;

	while (st->depth > depth) {
		bool marker = (top(st)->flags & TAG_MARKER) != 0;

		if (top(st)->flags & TAG_FORMAT)
			html_format_keep(&st->formats,
			    &(struct html_format){.tag = top(st)->tag,
				.level = st->level,
				.own = top(st)->own},
			    place);
		pop(st);
		if (marker)
			place = st->formats.count;
	}
}

/* Close the element at `depth` by its own end tag. */
static void
pop_to(struct html_stack *st, size_t depth)
{
	pop_above(st, depth);
	pop(st);
}

static void
note_kind(struct html_stack *st, size_t depth)
{
	const struct html_element *e = &st->at[depth];

	st->kind[depth] = (struct html_kind){.tag = (uint8_t)e->tag,
	    .html = e->space == SPACE_HTML,
	    .flags = (uint16_t)e->flags};
}

/* Look again from `depth` up, after a style below has changed. */
static void
look_again(struct html_stack *st, size_t depth)
{
	for (; depth <= st->depth; depth++)
		st->at[depth].look = html_place_element(st, depth);
}

/* An element that ends while others inside it stay open: it keeps its place
 * but does nothing any more. */
static void
kill(struct html_stack *st, size_t depth)
{
	struct html_element *e = &st->at[depth];

	if (st->closed != NULL)
		st->closed(st->context, e);
	st->open[e->tag]--;
	e->tag = HTML_UNKNOWN;
	st->open[e->tag]++;
	e->text.n = 0;
	e->name = 0;
	e->id = 0;
	e->flags = 0;
	e->own = html_own_none;
	note_kind(st, depth);
	look_again(st, depth);
}

/* The same, but what is inside stays inside. */
static void
end_early(struct html_stack *st, size_t depth)
{
	struct html_element *e = &st->at[depth];

	st->open[e->tag]--;
	e->tag = HTML_UNKNOWN;
	st->open[e->tag]++;
	e->text.n = 0;
	e->flags = 0;
	e->ended = true;
	note_kind(st, depth);
}

/* The end of a formatting element: what the adoption agency (13.2.6.4.7) does
 * to the text behind it. */
static void
end_format(struct html_stack *st, enum html_tag tag)
{
	size_t depth;

	if (html_format_forget(&st->formats, tag, st->level))
		return;
	depth = html_scope_find(st, tag, SCOPE_DEFAULT);
	if (depth == 0)
		return;
	if (st->formats.lost && st->at[depth].again &&
	    !html_own_plain(&st->at[depth].own))
		return;
	for (size_t i = depth + 1; i <= st->depth; i++)
		if (st->kind[i].flags & TAG_SPECIAL) {
			kill(st, depth);
			return;
		}
	pop_to(st, depth);
}

/* Close a paragraph that a block may not stand in. */
static void
close_p(struct html_stack *st)
{
	size_t depth = html_scope_find(st, HTML_P, SCOPE_BUTTON);

	if (depth != 0)
		pop_to(st, depth);
}

/* li closes li, dd and dt close each other, unless a block is between. */
static void
close_item(struct html_stack *st, enum html_tag a, enum html_tag b)
{
	if (st->open[a] == 0 && st->open[b] == 0)
		return;
	for (size_t i = st->depth; i > 0; i--) {
		const struct html_kind *e = &st->kind[i];

		if (e->html && (e->tag == a || e->tag == b)) {
			pop_to(st, i);
			return;
		}
		if ((e->flags & TAG_SPECIAL) && e->tag != HTML_ADDRESS &&
		    e->tag != HTML_DIV && e->tag != HTML_P)
			return;
	}
}

/* Close down to where a part of a table may stand. */
static bool
prepare_part(struct html_stack *st, int rank)
{
	size_t depth = st->depth;

	if (st->open[HTML_TABLE] == 0)
		return false;
	while (depth > 0 && html_tag_table_rank(st->at[depth].tag) > rank)
		depth--;
	if (depth > 0)
		pop_above(st, depth);
	return depth > 0;
}

static void
close_if_open(struct html_stack *st, enum html_tag tag)
{
	size_t depth = html_scope_find(st, tag, SCOPE_DEFAULT);

	if (depth != 0)
		pop_to(st, depth);
}

/* The end of svg or math by a tag that cannot be inside. */
static void
break_out(struct html_stack *st)
{
	size_t depth = st->depth;

	while (st->at[depth].space != SPACE_HTML && !st->at[depth].integration)
		depth--;
	pop_above(st, depth);
}

static bool
breaks_out(const struct html_token *token)
{
	if (token->tag == HTML_FONT)
		return html_token_attr(token, ATTR_COLOR) != NULL ||
		       html_token_attr(token, ATTR_FACE) != NULL ||
		       html_token_attr(token, ATTR_SIZE) != NULL;
	return (html_tag_flags(token->tag) & TAG_BREAKOUT) != 0;
}

/* What single tags close besides paragraphs. False: it has no effect. */
static bool
prepare_tag(struct html_stack *st, enum html_tag tag)
{
	switch (tag) {
	case HTML_LI:
		close_item(st, HTML_LI, HTML_LI);
		break;
	case HTML_DD:
	case HTML_DT:
		close_item(st, HTML_DD, HTML_DT);
		break;
	case HTML_OPTION:
	case HTML_OPTGROUP:
		if (top(st)->tag == HTML_OPTION)
			pop(st);
		break;
	case HTML_RP:
	case HTML_RT:
		if (top(st)->tag == HTML_RP || top(st)->tag == HTML_RT)
			pop(st);
		break;
	case HTML_A:
	case HTML_NOBR:
		end_format(st, tag);
		break;
	case HTML_BUTTON:
		close_if_open(st, HTML_BUTTON);
		break;
	case HTML_FORM:
		return st->open[HTML_FORM] == 0;
	case HTML_TABLE:
		if (html_tag_table_rank(top(st)->tag) <= 3)
			close_if_open(st, HTML_TABLE);
		break;
	case HTML_INPUT:
	case HTML_KEYGEN:
	case HTML_TEXTAREA:
		close_if_open(st, HTML_SELECT);
		break;
	case HTML_SELECT:
		if (html_scope_find(st, HTML_SELECT, SCOPE_DEFAULT) == 0)
			break;
		close_if_open(st, HTML_SELECT);
		return false;
	default:
		break;
	}
	return true;
}

void
html_stack_init(struct html_stack *st)
{
	memset(st, 0, sizeof *st);
	st->at[0].tag = HTML_BODY;
	st->at[0].own = html_own_none;
	st->at[0].look = html_look_start;
}

bool
html_stack_foreign(const struct html_stack *st)
{
	const struct html_element *e = &st->at[st->depth];

	return st->deep == 0 && e->space != SPACE_HTML && !e->integration;
}

bool
html_stack_prepare(struct html_stack *st, const struct html_token *token)
{
	unsigned flags = html_tag_flags(token->tag);
	int parent = html_tag_table_parent(token->tag);

	if (st->deep > 0)
		return !html_tag_is_root(token->tag);
	if (html_stack_foreign(st)) {
		if (!breaks_out(token))
			return true;
		break_out(st);
	}
	if (html_tag_is_root(token->tag))
		return false;
	if (parent != 0)
		return prepare_part(st, parent);
	if (flags & TAG_CLOSE_P)
		close_p(st);
	if ((flags & TAG_HEADING) && (top(st)->flags & TAG_HEADING))
		pop(st);
	if (!prepare_tag(st, token->tag))
		return false;
	if ((flags & (TAG_BLOCK | TAG_VOID)) == 0)
		html_stack_reopen(st);
	return true;
}

/* One that is too deep: it can hide what follows, never show it again. */
static void
push_deep(struct html_stack *st, enum html_tag tag, const struct html_own *own)
{
	const struct html_look *look = html_stack_look(st);

	if (look->unseen == HIDDEN_COUNT)
		st->deep_look = html_look_inside(look, own);
	else
		st->deep_look = *look;
	st->deep++;
	st->deep_open[tag]++;
}

static void
push(struct html_stack *st, const struct html_element *element)
{
	struct html_element *e;

	if (st->depth == STACK_DEPTH) {
		push_deep(st, element->tag, &element->own);
		st->class_count = element->class_start;
		return;
	}
	e = &st->at[++st->depth];
	*e = *element;
	if (e->tag == HTML_SUMMARY && e[-1].tag == HTML_DETAILS) {
		e->summary = !e[-1].summary;
		e[-1].summary = true;
	}
	e->look = html_place_element(st, st->depth);
	note_kind(st, st->depth);
	if (e->space == SPACE_HTML)
		st->open[e->tag]++;
	if (e->flags & TAG_MARKER)
		st->level++;
}

void
html_stack_push(struct html_stack *st, const struct html_token *token,
    const struct html_element *element)
{
	struct html_element e = *element;

	e.text = token->name;
	e.tag = token->tag;
	e.space = html_stack_foreign(st) ? top(st)->space : SPACE_HTML;
	if (e.space == SPACE_HTML && e.tag == HTML_SVG)
		e.space = SPACE_SVG;
	else if (e.space == SPACE_HTML && e.tag == HTML_MATH)
		e.space = SPACE_MATH;
	e.flags = html_tag_flags(e.tag);
	if (e.space != SPACE_HTML) {
		if (token->self_closing) {
			st->class_count = e.class_start;
			return;
		}
		e.tag = HTML_UNKNOWN;
		e.integration =
		    html_token_integrates(token, e.space == SPACE_SVG);
		e.flags = e.integration ? TAG_SPECIAL | TAG_BARRIER : 0;
	}
	if (e.flags & TAG_VOID)
		st->class_count = e.class_start;
	else
		push(st, &e);
}

void
html_stack_reopen(struct html_stack *st)
{
	size_t first = st->formats.count;

	if (st->formats.count == 0 || html_stack_foreign(st))
		return;
	while (first > 0 && st->formats.at[first - 1].level == st->level)
		first--;
	for (size_t i = first; i < st->formats.count; i++) {
		struct html_element e = {.tag = st->formats.at[i].tag,
		    .flags = html_tag_flags(st->formats.at[i].tag),
		    .again = true,
		    .class_start = st->class_count,
		    .own = st->formats.at[i].own};

		push(st, &e);
	}
	st->formats.count = first;
}

static bool
same_name(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

/* An end tag while foreign elements are innermost. False: go on as in HTML. */
static bool
end_foreign(struct html_stack *st, const struct html_token *token)
{
	if (top(st)->space == SPACE_HTML)
		return false;
	if (token->tag == HTML_P || token->tag == HTML_BR) {
		break_out(st);
		return false;
	}
	for (size_t i = st->depth; st->at[i].space != SPACE_HTML; i--)
		if (same_name(st->at[i].text, token->name)) {
			pop_to(st, i);
			return true;
		}
	return false;
}

/* An end tag without rules of its own (13.2.6.4.7, "any other end tag"). */
static void
end_other(struct html_stack *st, const struct html_token *token)
{
	if (st->open[token->tag] == 0)
		return;
	for (size_t i = st->depth; i > 0; i--) {
		const struct html_kind *e = &st->kind[i];

		if (e->html && e->tag == token->tag &&
		    same_name(st->at[i].text, token->name)) {
			pop_to(st, i);
			return;
		}
		if (e->flags & TAG_SPECIAL)
			return;
	}
}

/* A form ends without what is open inside it. */
static void
end_form(struct html_stack *st)
{
	size_t depth = html_scope_find(st, HTML_FORM, SCOPE_DEFAULT);

	if (depth == 0)
		return;
	while (top(st)->tag == HTML_P || top(st)->tag == HTML_LI ||
	       top(st)->tag == HTML_DD || top(st)->tag == HTML_DT ||
	       top(st)->tag == HTML_OPTION)
		pop(st);
	if (depth == st->depth)
		pop(st);
	else if (depth < st->depth)
		end_early(st, depth);
}

/* Where a special element that this end tag closes stands; 0: nowhere. */
static size_t
find_special(const struct html_stack *st, enum html_tag tag)
{
	if (html_tag_flags(tag) & TAG_HEADING)
		return html_scope_heading(st);
	switch (tag) {
	case HTML_P:
		return html_scope_find(st, tag, SCOPE_BUTTON);
	case HTML_LI:
		return html_scope_find(st, tag, SCOPE_LIST);
	case HTML_TEMPLATE:
		return html_scope_find(st, tag, SCOPE_ALL);
	case HTML_TABLE:
	case HTML_CAPTION:
	case HTML_TBODY:
	case HTML_THEAD:
	case HTML_TFOOT:
	case HTML_TR:
	case HTML_TD:
	case HTML_TH:
		return html_scope_find(st, tag, SCOPE_TABLE);
	default:
		return html_scope_find(st, tag, SCOPE_DEFAULT);
	}
}

/* Whether an end tag closes its element over other special ones. */
static bool
has_scope(enum html_tag tag)
{
	if (html_tag_flags(tag) & (TAG_BLOCK | TAG_MARKER))
		return true;
	return tag == HTML_BUTTON || tag == HTML_SELECT;
}

static void
end_html(struct html_stack *st, const struct html_token *token)
{
	size_t depth;

	if (html_tag_flags(token->tag) & TAG_FORMAT) {
		end_format(st, token->tag);
	} else if (token->tag == HTML_FORM) {
		end_form(st);
	} else if (has_scope(token->tag)) {
		depth = find_special(st, token->tag);
		if (depth != 0)
			pop_to(st, depth);
	} else {
		end_other(st, token);
	}
}

void
html_stack_end(struct html_stack *st, const struct html_token *token)
{
	if (html_tag_is_root(token->tag))
		return;
	if (st->deep > 0) {
		if (st->deep_open[token->tag] == 0)
			return;
		st->deep_open[token->tag]--;
		st->deep--;
		return;
	}
	if (!end_foreign(st, token))
		end_html(st, token);
}

void
html_stack_finish(struct html_stack *st)
{
	while (st->depth > 0)
		pop(st);
}

void
html_stack_hide(struct html_stack *st, enum html_tag tag, enum hidden reason)
{
	size_t depth = html_scope_find(st, tag, SCOPE_ALL);

	if (depth == 0 || st->at[depth].own.reason != HIDDEN_COUNT)
		return;
	st->at[depth].own.reason = (uint8_t)reason;
	look_again(st, depth);
}

enum html_mode
html_stack_mode(const struct html_stack *st, enum html_tag tag)
{
	return html_stack_foreign(st) ? MODE_DATA : html_mode_of(tag);
}
