/*
 * The text of <style> elements to rules. Runs in the reader's worker over
 * hostile text, inside the limits of html_sheet.h. Where it cannot be known
 * whether a rule applies to an element it is kept as a doubt, for as many
 * elements as the part that is understood lets through.
 */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "reader/html_ascii.h"
#include "reader/html_css.h"
#include "reader/html_media.h"
#include "reader/html_sheet.h"
#include "reader/html_url.h"

#define NESTED_MOST 4 /* rules in rules; each level is read once more */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct parser {
	struct html_sheet *sheet;
	struct css css;
	struct css_token token;
	uint32_t first_rule; /* of the rules whose block comes next */
	uint32_t first_part, first_class;
	uint32_t rule_part;	/* where the selector's parts begin */
	struct sheet_part part; /* being read */
	struct sheet_rule rule; /* weight, needs and doubt so far */
	bool filled;		/* the part has something in it */
	bool empty;		/* the part is of elements without text */
	bool never;		/* this selector matches nothing we read */
	bool invalid;		/* no selector of this rule counts */
	bool doubt;		/* nor is it known whether the rules count */
	bool foreign;		/* names may be of another namespace */
	unsigned nested;	/* rules around this one */
};

/* Room for one more item; false if the limit is reached. */
static bool
grow(struct html_sheet *sheet, void **items, uint32_t count, uint32_t *cap,
    size_t size)
{
	if (count < *cap)
		return true;
	if (count == SHEET_ITEMS) {
		sheet->exhausted = true;
		return false;
	}
	*cap = *cap == 0 ? 64 : *cap * 2;
	*items = alloc_resize(*items, *cap, size);
	return true;
}

static void
add_class(struct html_sheet *sheet, uint64_t hash)
{
	void *items = sheet->classes;

	if (!grow(sheet, &items, sheet->class_count, &sheet->class_cap,
		sizeof *sheet->classes))
		return;
	sheet->classes = items;
	sheet->classes[sheet->class_count++] = hash;
	sheet->wanted[html_hash_any(hash) % SHEET_BUCKETS] = 1;
}

static void
add_declaration(void *context, const struct style_declaration *declaration)
{
	struct html_sheet *sheet = context;
	void *items = sheet->declarations;

	if (!grow(sheet, &items, sheet->declaration_count,
		&sheet->declaration_cap, sizeof *sheet->declarations))
		return;
	sheet->declarations = items;
	sheet->declarations[sheet->declaration_count++] = *declaration;
}

/* The selector matches only in a document that has this tag or attribute. */
static void
need(struct parser *p, uint32_t name)
{
	for (size_t i = 0; name != 0 && i < SHEET_NEEDS; i++)
		if (p->rule.need[i] == 0) {
			p->rule.need[i] = name;
			return;
		}
}

/* End the compound being read; `combinator` stands behind it. */
static void
end_part(struct parser *p, char combinator)
{
	struct html_sheet *sheet = p->sheet;
	void *items = sheet->parts;

	if (!p->filled)
		return;
	if (grow(sheet, &items, sheet->part_count, &sheet->part_cap,
		sizeof *sheet->parts)) {
		sheet->parts = items;
		sheet->parts[sheet->part_count++] = p->part;
	}
	p->part = (struct sheet_part){
	    .class_start = sheet->class_count, .combinator = combinator};
	p->rule.doubt |= p->empty;
	p->filled = p->empty = false;
}

/* A sibling stands to the left: it is taken out, and what was left of it is
 * left of the next compound too. */
static void
end_sibling(struct parser *p)
{
	struct html_sheet *sheet = p->sheet;

	end_part(p, ' ');
	p->rule.doubt = true;
	if (sheet->part_count == p->rule_part)
		return;
	p->part.combinator = sheet->parts[--sheet->part_count].combinator;
	need(p, sheet->parts[sheet->part_count].tag);
}

static void
start_selector(struct parser *p)
{
	p->rule_part = p->sheet->part_count;
	p->part = (struct sheet_part){.class_start = p->sheet->class_count};
	p->rule = (struct sheet_rule){.doubt = p->doubt};
	p->filled = p->empty = p->never = false;
}

/* The selector is complete: make it a rule, still without declarations. */
static void
end_selector(struct parser *p)
{
	struct html_sheet *sheet = p->sheet;
	void *items = sheet->rules;
	uint32_t count;

	if (!p->filled && p->part.combinator != ' ')
		p->invalid = true;
	p->never |= p->empty; /* no text in it, nothing to hide */
	end_part(p, '\0');
	count = sheet->part_count - p->rule_part;
	if (count == 0 || count > SHEET_PARTS || p->never ||
	    sheet->rule_count == SHEET_RULES) {
		sheet->exhausted |= sheet->rule_count == SHEET_RULES;
		sheet->unsure |= count > SHEET_PARTS;
		sheet->part_count = p->rule_part;
	} else if (grow(sheet, &items, sheet->rule_count, &sheet->rule_cap,
		       sizeof *sheet->rules)) {
		p->rule.part_start = p->rule_part;
		p->rule.part_count = count;
		p->rule.weight += WEIGHT_RULE + sheet->rule_count;
		sheet->rules = items;
		sheet->rules[sheet->rule_count++] = p->rule;
	}
	start_selector(p);
}

/* Specificity: ids, classes, types above 13 bits of rule number. */
static void
weigh(struct parser *p, unsigned shift, uint32_t most)
{
	if ((p->rule.weight >> shift & most) < most)
		p->rule.weight += UINT32_C(1) << shift;
	p->filled = true;
}

/* Skip to the bracket that closes the one just read. */
static void
skip_bracket(struct parser *p, char open, char close)
{
	unsigned depth = 1;

	while (depth > 0 && css_next(&p->css, &p->token)) {
		if (css_is_delim(&p->token, open) ||
		    (open == '(' && p->token.type == CSS_FUNCTION))
			depth++;
		else if (css_is_delim(&p->token, close))
			depth--;
	}
}

static bool
is_one_of(const char *text, const char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

/* The name of a pseudo-class, or an element's with `element`. */
static void
pseudo(struct parser *p, const char *name, bool element)
{
	/* of no text that stands there when a mail is opened */
	static const char *const never[] = {"hover", "active", "focus",
	    "visited", "focus-within", "focus-visible", "target", "before",
	    "after", "selection", "marker", "placeholder", "backdrop",
	    "fullscreen"};
	static const char *const known[] = {"link", "any-link", "first-child",
	    "last-child", "only-child", "first-of-type", "last-of-type",
	    "only-of-type", "nth-child", "nth-last-child", "nth-of-type",
	    "nth-last-of-type", "not", "is", "where", "has", "lang", "dir",
	    "enabled", "disabled", "checked", "first-line", "first-letter",
	    "scope"};

	if (is_one_of(name, never, COUNT_OF(never)))
		p->never = true;
	else if (strcmp(name, "empty") == 0)
		p->empty = true;
	else if (strcmp(name, "root") == 0 && p->part.tag == 0)
		p->part.tag = html_hash_any(html_hash(SPAN("html")));
	else if (name[0] == '-' && element)
		p->never = true;
	else
		p->rule.doubt = true;
	if (name[0] == '-') /* a browser that knows it not drops the list */
		p->never = p->doubt = true;
	else if (p->rule.doubt && !is_one_of(name, known, COUNT_OF(known)))
		p->doubt = true;
	weigh(p, 18, 31);
}

/* Behind ':'. */
static void
selector_colon(struct parser *p)
{
	struct css start = p->css;
	bool element = false;

	css_next(&p->css, &p->token);
	if (css_is_delim(&p->token, ':')) {
		element = true;
		start = p->css;
		css_next(&p->css, &p->token);
	}
	if (p->token.type != CSS_IDENT && p->token.type != CSS_FUNCTION) {
		p->invalid = true;
		p->css = start;
		return;
	}
	pseudo(p, p->token.text, element);
	if (p->token.type == CSS_FUNCTION)
		skip_bracket(p, '(', ')');
}

/* Behind '['. */
static void
selector_attribute(struct parser *p)
{
	css_next_solid(&p->css, &p->token);
	if (p->token.type == CSS_IDENT)
		need(p, html_hash_any(p->token.hash));
	if (!css_is_delim(&p->token, ']'))
		skip_bracket(p, '[', ']');
	p->rule.doubt = true;
	weigh(p, 18, 31);
}

static void
selector_delim(struct parser *p)
{
	switch (p->token.delim) {
	case '&':
		p->rule.doubt = true;
		p->filled = true;
		break;
	case '*':
		p->filled = true;
		break;
	case '.':
		css_next(&p->css, &p->token);
		p->invalid |= p->token.type != CSS_IDENT;
		add_class(p->sheet, p->token.hash);
		p->part.class_count++;
		weigh(p, 18, 31);
		break;
	case ':':
		selector_colon(p);
		break;
	case '[':
		selector_attribute(p);
		break;
	case '>':
		end_part(p, '>');
		p->part.combinator = '>';
		break;
	case '+':
	case '~':
		end_sibling(p);
		break;
	case ',':
		end_selector(p);
		break;
	default:
		p->invalid = true;
	}
}

/* One token of a selector list. */
static void
selector_token(struct parser *p)
{
	switch (p->token.type) {
	case CSS_SPACE:
		end_part(p, ' ');
		break;
	case CSS_IDENT:
		p->part.tag = html_hash_any(p->token.hash);
		weigh(p, 13, 31);
		break;
	case CSS_HASH:
		p->part.id = p->token.hash;
		weigh(p, 23, 15);
		break;
	case CSS_DELIM:
		selector_delim(p);
		break;
	default:
		p->invalid = true;
	}
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
}

static void parse_nested(struct parser *p, struct css block);

/* The block behind a selector list belongs to all its selectors. */
static void
end_rule(struct parser *p)
{
	struct html_sheet *sheet = p->sheet;
	uint32_t start = sheet->declaration_count;
	struct css block = p->css;
	bool nested;

	end_selector(p);
	nested = style_parse(&p->css, true, add_declaration, sheet);
	nested = nested && !p->invalid && sheet->rule_count > p->first_rule;
	block.end = p->css.p;
	if (sheet->declaration_count == start || p->invalid) {
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
	if (nested && p->nested < NESTED_MOST)
		parse_nested(p, block);
	else
		sheet->unsure |= nested;
}

/* A rule, whose first token has been read. */
static void
parse_rule(struct parser *p)
{
	bool doubt = p->doubt;

	p->first_rule = p->sheet->rule_count;
	p->first_part = p->sheet->part_count;
	p->first_class = p->sheet->class_count;
	p->invalid = false;
	start_selector(p);
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
note_hiding(void *context, const struct style_declaration *declaration)
{
	struct html_sheet *sheet = context;

	sheet->unsure |= style_hides(declaration);
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
	    "layer", "supports", "scope", "container", "-moz-document"};
	enum media use = is_one_of(p->token.text, maybe, COUNT_OF(maybe))
			     ? MEDIA_MAYBE
			     : MEDIA_NO;

	bool keyframes = is_keyframes(p->token.text);

	if (strcmp(p->token.text, "import") == 0)
		note_import(p);
	else if (strcmp(p->token.text, "namespace") == 0)
		p->foreign = true;
	if (strcmp(p->token.text, "media") == 0)
		use = media_list(&p->css, &p->token);
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
		skip_bracket(p, '{', '}');
	return use;
}

/* The rules inside the block of a rule, as doubts and without what is around
 * them. It calls itself through parse_rule, at most NESTED_MOST deep. */
static void
parse_nested(struct parser *p, struct css block)
{
	struct parser in = {.sheet = p->sheet,
	    .css = block,
	    .doubt = true,
	    .nested = p->nested + 1};
	struct css start = block;

	while (css_next(&in.css, &in.token) && !p->sheet->exhausted) {
		if (css_is_delim(&in.token, ';')) {
			start = in.css;
		} else if (css_is_delim(&in.token, '{')) {
			in.css = start;
			css_next_solid(&in.css, &in.token);
			if (in.token.type != CSS_AT)
				parse_rule(&in);
			else if (parse_at(&in) != MEDIA_NO)
				style_parse(
				    &in.css, true, note_hiding, p->sheet);
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
