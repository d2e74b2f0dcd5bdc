/*
 * The text of <style> elements to rules. Runs in the reader's worker over
 * hostile text, inside the limits of html_sheet.h. Where it cannot be known
 * whether a rule applies to an element it is kept as a doubt, for as many
 * elements as the part that is understood lets through.
 */
#include <stdlib.h>
#include <string.h>

#include "reader/html_ascii.h"
#include "reader/html_css.h"
#include "reader/html_media.h"
#include "reader/html_selector.h"
#include "reader/html_url.h"

#define NESTED_MOST 4 /* rules in rules; each level is read once more */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void
add_declaration(void *context, const struct style_declaration *declaration)
{
	struct html_sheet *sheet = context;
	void *items = sheet->declarations;

	if (!html_sheet_grow(sheet, &items, sheet->declaration_count,
		&sheet->declaration_cap, sizeof *sheet->declarations))
		return;
	sheet->declarations = items;
	sheet->declarations[sheet->declaration_count++] = *declaration;
}

static uint32_t
part_key(const struct html_sheet *sheet, const struct sheet_part *part)
{
	if (part->id != 0)
		return html_hash_any(part->id);
	if (part->class_count != 0)
		return html_hash_any(sheet->classes[part->class_start]);
	return part->tag;
}

/* Put a finished rule where its rightmost part will look for it. */
static void
index_rule(struct html_sheet *sheet, uint32_t number)
{
	struct sheet_rule *rule = &sheet->rules[number];
	const struct sheet_part *last =
	    &sheet->parts[rule->part_start + rule->part_count - 1];
	uint32_t *bucket =
	    &sheet->bucket[part_key(sheet, last) % SHEET_BUCKETS];

	rule->next = *bucket;
	*bucket = number + 1;
}

/* Forget the rules that wait for their block. */
static void
drop_rules(struct parser *p)
{
	p->sheet->rule_count = p->first_rule;
	p->sheet->part_count = p->first_part;
	p->sheet->class_count = p->first_class;
	p->sheet->test_count = p->first_test;
}

/* Rules whose numbers follow each other. */
struct rules {
	uint32_t first, end;
};

static void parse_nested(
    struct html_sheet *sheet, struct css block, struct rules of, unsigned deep);

/* The rules inside a block that belongs to `of`, if there are some. */
static void
go_deeper(struct html_sheet *sheet, struct css block, struct rules of,
    bool nested, unsigned deep)
{
	if (nested && deep < NESTED_MOST)
		parse_nested(sheet, block, of, deep + 1);
	else
		sheet->exhausted |= nested;
}

/* The block behind a selector list belongs to all its selectors. */
static void
end_rule(struct parser *p)
{
	struct html_sheet *sheet = p->sheet;
	uint32_t start = sheet->declaration_count;
	struct css block = p->css;
	bool nested;

	selector_end(p);
	nested = style_parse(&p->css, true, add_declaration, sheet);
	nested = nested && !p->invalid && sheet->rule_count > p->first_rule;
	block.end = p->css.p;
	if ((sheet->declaration_count == start && !nested) || p->invalid) {
		drop_rules(p);
		sheet->declaration_count = start;
	}
	for (uint32_t i = p->first_rule; i < sheet->rule_count; i++) {
		sheet->rules[i].doubt |= p->doubt;
		sheet->rules[i].declaration_start = start;
		sheet->rules[i].declaration_count =
		    sheet->declaration_count - start;
		index_rule(sheet, i);
	}
	go_deeper(sheet, block,
	    (struct rules){p->first_rule, sheet->rule_count}, nested,
	    p->nested);
}

/* A rule, whose first token has been read. */
static void
parse_rule(struct parser *p)
{
	bool doubt = p->doubt;

	p->first_rule = p->sheet->rule_count;
	p->first_part = p->sheet->part_count;
	p->first_class = p->sheet->class_count;
	p->first_test = p->sheet->test_count;
	p->invalid = false;
	selector_start(p);
	do {
		if (css_is_delim(&p->token, '{')) {
			end_rule(p);
			p->doubt = doubt;
			return;
		}
		selector_token(p);
	} while (css_next(&p->css, &p->token));
	drop_rules(p);
}

static void
note_fading(void *context, const struct style_declaration *declaration)
{
	struct html_sheet *sheet = context;

	sheet->fades |= style_hides(declaration);
}

/* The block of @keyframes, whose '{' has been read. */
static void
parse_keyframes(struct parser *p)
{
	while (
	    css_next_solid(&p->css, &p->token) && !css_is_delim(&p->token, '}'))
		if (css_is_delim(&p->token, '{'))
			style_parse(&p->css, true, note_fading, p->sheet);
}

/* The rules of @import are not here. If they come with the mail they count
 * all the same, and nobody knows what is hidden. Reads ahead only. */
static void
note_import(struct parser *p)
{
	struct css css = p->css;
	struct css_token token;
	struct span address;

	css_next_solid(&css, &token);
	if (token.type == CSS_FUNCTION)
		css_next_solid(&css, &token);
	address = ascii_trim(token.content);
	if (address.n > 0 && (memchr(address.p, '\\', address.n) != NULL ||
				 url_is_inside(address)))
		p->sheet->exhausted = true;
}

static bool
is_keyframes(const char *name)
{
	return strcmp(name, "keyframes") == 0 ||
	       strcmp(name, "-webkit-keyframes") == 0 ||
	       strcmp(name, "-moz-keyframes") == 0;
}

/* An at-rule, as far as the '{' of a block whose rules may count, which is
 * MEDIA_MAYBE or MEDIA_YES; or behind its end: MEDIA_NO. */
static enum media
parse_at(struct parser *p)
{
	static const char *const maybe[] = {
	    "layer", "scope", "container", "starting-style", "-moz-document"};
	enum media use =
	    selector_is_one_of(p->token.text, maybe, COUNT_OF(maybe))
		? MEDIA_MAYBE
		: MEDIA_NO;

	bool keyframes = is_keyframes(p->token.text);

	if (strcmp(p->token.text, "import") == 0)
		note_import(p);
	else if (strcmp(p->token.text, "namespace") == 0)
		p->foreign = true;
	if (strcmp(p->token.text, "media") == 0)
		use = media_list(&p->css, &p->token);
	else if (strcmp(p->token.text, "supports") == 0)
		use = media_supports(&p->css, &p->token);
	else
		while (css_next_solid(&p->css, &p->token) &&
		       !css_is_delim(&p->token, '{') &&
		       !css_is_delim(&p->token, ';'))
			continue;
	if (!css_is_delim(&p->token, '{'))
		return MEDIA_NO;
	if (keyframes)
		parse_keyframes(p);
	else if (use == MEDIA_NO)
		selector_skip(p, '{', '}');
	return use;
}

/* A block with a condition inside the block of a rule: its declarations are
 * doubts for what the rule around it applies to. */
static void
add_conditional(struct parser *p, struct rules of)
{
	struct html_sheet *sheet = p->sheet;
	uint32_t start = sheet->declaration_count;
	struct css block = p->css;
	bool nested = style_parse(&p->css, true, add_declaration, sheet);

	block.end = p->css.p;
	if (sheet->declaration_count == start)
		of.end = nested ? of.end : of.first;
	for (uint32_t i = of.first; i < of.end; i++) {
		void *items = sheet->rules;

		sheet->exhausted |= sheet->rule_count == SHEET_RULES;
		if (sheet->exhausted ||
		    !html_sheet_grow(sheet, &items, sheet->rule_count,
			&sheet->rule_cap, sizeof *sheet->rules))
			return;
		sheet->rules = items;
		sheet->rules[sheet->rule_count] = sheet->rules[i];
		sheet->rules[sheet->rule_count].doubt = true;
		sheet->rules[sheet->rule_count].declaration_start = start;
		sheet->rules[sheet->rule_count].declaration_count =
		    sheet->declaration_count - start;
		index_rule(sheet, sheet->rule_count++);
	}
	go_deeper(sheet, block, of, nested, p->nested);
}

/* The rules inside the block of the rules `of`, as doubts and without what is
 * around them. It calls itself through parse_rule and add_conditional, at most
 * NESTED_MOST deep. */
static void
parse_nested(
    struct html_sheet *sheet, struct css block, struct rules of, unsigned deep)
{
	struct parser in = {
	    .sheet = sheet, .css = block, .doubt = true, .nested = deep};
	struct css start = block;

	while (css_next(&in.css, &in.token) && !sheet->exhausted) {
		if (css_is_delim(&in.token, ';')) {
			start = in.css;
		} else if (css_is_delim(&in.token, '{')) {
			in.css = start;
			css_next_solid(&in.css, &in.token);
			if (in.token.type != CSS_AT)
				parse_rule(&in);
			else if (parse_at(&in) != MEDIA_NO)
				add_conditional(&in, of);
			start = in.css;
		}
	}
}

/* Take the marks off that once hid styles from old browsers. */
static bool
skip_mark(struct css *css)
{
	struct span left = {css->p, (size_t)(css->end - css->p)};

	if (span_starts(left, "<!--"))
		css->p += 4;
	else if (span_starts(left, "-->"))
		css->p += 3;
	else
		return false;
	return true;
}

/* An at-rule at the top; `doubtful` is the block from which on rules are
 * doubts, 0: none. */
static void
open_block(struct parser *p, unsigned *blocks, unsigned *doubtful)
{
	enum media use = parse_at(p);

	if (use == MEDIA_NO)
		return;
	++*blocks;
	if (use == MEDIA_MAYBE && *doubtful == 0)
		*doubtful = *blocks;
}

void
html_sheet_add(struct html_sheet *sheet, struct span text, bool doubt)
{
	struct parser p = {.sheet = sheet, .css = {text.p, text.p + text.n}};
	unsigned blocks = 0, doubtful = 0;

	for (;;) {
		if (skip_mark(&p.css))
			continue;
		if (!css_next(&p.css, &p.token) || sheet->exhausted)
			return;
		if (p.token.type == CSS_SPACE)
			continue;
		p.doubt = doubt || doubtful != 0 || p.foreign;
		if (p.token.type == CSS_AT) {
			open_block(&p, &blocks, &doubtful);
		} else if (css_is_delim(&p.token, '}') && blocks > 0) {
			if (blocks-- == doubtful)
				doubtful = 0;
		} else {
			parse_rule(&p);
		}
	}
}
