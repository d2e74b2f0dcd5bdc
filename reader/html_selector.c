/*
 * Selectors to the parts of rules. Runs in the reader's worker over hostile
 * text, inside the limits of html_sheet.h. What cannot be worked out makes a
 * rule a doubt.
 */
#include "reader/html_selector.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

void
selector_skip(struct parser *p, char open, char close)
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

/* Have this class noted of the elements that have it. */
static void
want_class(struct html_sheet *sheet, uint64_t hash)
{
	sheet->wanted[html_hash_any(hash) % SHEET_BUCKETS] = 1;
}

static void
add_class(struct html_sheet *sheet, uint64_t hash)
{
	void *items = sheet->classes;

	if (!html_sheet_grow(sheet, &items, sheet->class_count,
		&sheet->class_cap, sizeof *sheet->classes))
		return;
	sheet->classes = items;
	sheet->classes[sheet->class_count++] = hash;
	want_class(sheet, hash);
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
	if (html_sheet_grow(sheet, &items, sheet->part_count, &sheet->part_cap,
		sizeof *sheet->parts)) {
		sheet->parts = items;
		sheet->parts[sheet->part_count++] = p->part;
	}
	p->part = (struct sheet_part){.class_start = sheet->class_count,
	    .test_start = sheet->test_count,
	    .combinator = combinator};
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

void
selector_start(struct parser *p)
{
	p->rule_part = p->sheet->part_count;
	p->part = (struct sheet_part){.class_start = p->sheet->class_count,
	    .test_start = p->sheet->test_count};
	p->rule = (struct sheet_rule){.doubt = p->doubt};
	p->filled = p->empty = p->never = p->joined = p->over = false;
}

void
selector_end(struct parser *p)
{
	struct html_sheet *sheet = p->sheet;
	void *items = sheet->rules;
	uint32_t count;

	if (!p->filled && (p->joined || p->part.combinator != ' '))
		p->invalid = true;
	p->never |= p->empty; /* no text in it, nothing to hide */
	end_part(p, '\0');
	count = sheet->part_count - p->rule_part;
	if (count == 0 || count > SHEET_PARTS || p->never ||
	    sheet->rule_count == SHEET_RULES) {
		sheet->exhausted |= sheet->rule_count == SHEET_RULES;
		sheet->unsure |= count > SHEET_PARTS;
		sheet->part_count = p->rule_part;
	} else if (html_sheet_grow(sheet, &items, sheet->rule_count,
		       &sheet->rule_cap, sizeof *sheet->rules)) {
		p->rule.part_start = p->rule_part;
		p->rule.part_count = count;
		p->rule.weight += WEIGHT_RULE + sheet->rule_count;
		sheet->rules = items;
		sheet->rules[sheet->rule_count++] = p->rule;
	}
	selector_start(p);
}

/* Specificity: ids, classes, types above 13 bits of rule number. A rule with
 * more than are counted may win or not. */
static void
weigh(struct parser *p, unsigned shift, uint32_t most)
{
	if ((p->rule.weight >> shift & most) < most)
		p->rule.weight += UINT32_C(1) << shift;
	else
		p->rule.doubt = true;
	p->filled = true;
}

bool
selector_is_one_of(const char *text, const char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

/* What of two kinds is more specific: the one of the higher rank. */
static unsigned
rank_of(enum test_kind kind)
{
	switch (kind) {
	case TEST_ALL:
		return 0;
	case TEST_TAG:
		return 1;
	case TEST_ID:
		return 3;
	default:
		return 2;
	}
}

/* Specificity of a simple selector (Selectors Level 4, 17). */
static void
weigh_test(struct parser *p, enum test_kind kind)
{
	if (kind == TEST_ID)
		weigh(p, 23, 15);
	else if (kind == TEST_TAG)
		weigh(p, 13, 31);
	else if (kind != TEST_ALL)
		weigh(p, 18, 31);
}

static void
add_tests(struct parser *p, const struct sheet_test tests[], size_t count)
{
	struct html_sheet *sheet = p->sheet;

	for (size_t i = 0; i < count; i++) {
		void *items = sheet->tests;

		if (!html_sheet_grow(sheet, &items, sheet->test_count,
			&sheet->test_cap, sizeof *sheet->tests))
			return;
		sheet->tests = items;
		sheet->tests[sheet->test_count++] = tests[i];
		p->part.test_count++;
		if (tests[i].kind == TEST_CLASS)
			want_class(sheet, tests[i].name);
	}
	p->filled = true;
}

/* :not(), :is() or :where(), whose '(' has been read. False: not understood,
 * nothing more has been read. */
static bool
selector_choices(struct parser *p, const char *name)
{
	struct sheet_test tests[TEST_CHOICES];
	bool negated = strcmp(name, "not") == 0;
	bool where = strcmp(name, "where") == 0;
	size_t count, heaviest = 0;

	if (!negated && !where && strcmp(name, "is") != 0)
		return false;
	count = test_choices(&p->css, &p->sheet->values, tests);
	if (count == 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		tests[i].negated = negated;
		if (rank_of(tests[i].kind) > rank_of(tests[heaviest].kind))
			heaviest = i;
	}
	if (!where)
		weigh_test(p, tests[heaviest].kind);
	add_tests(p, tests, count);
	return true;
}

/* An element has the focus from the start if one asks for it. */
static void
focus(struct parser *p)
{
	need(p, html_hash_any(html_hash(SPAN("autofocus"))));
	p->rule.doubt = true;
}

/* The name of a pseudo-class, or an element's with `element`. */
static void
pseudo(struct parser *p, const char *name, bool element)
{
	/* of no text that stands there when a mail is opened */
	static const char *const never[] = {"hover", "active", "visited",
	    "target", "before", "after", "selection", "marker", "placeholder",
	    "backdrop", "fullscreen", "-ms-input-placeholder",
	    "-moz-placeholder", "-moz-focusring"};
	static const char *const focused[] = {
	    "focus", "focus-within", "focus-visible"};
	static const char *const known[] = {"link", "any-link", "first-child",
	    "last-child", "only-child", "first-of-type", "last-of-type",
	    "only-of-type", "enabled", "disabled", "checked", "first-line",
	    "first-letter", "scope"};

	if (selector_is_one_of(name, never, COUNT_OF(never)))
		p->never = true;
	else if (strcmp(name, "empty") == 0)
		p->empty = true;
	else if (selector_is_one_of(name, focused, COUNT_OF(focused)))
		focus(p);
	else if (strcmp(name, "root") == 0 && p->part.tag == 0)
		p->part.tag = html_hash_any(html_hash(SPAN("html")));
	else if (name[0] == '-' && element)
		p->never = true;
	else
		p->rule.doubt = true;
	if (name[0] == '-') /* a browser that knows it not drops the list */
		p->doubt = true;
	else if (p->rule.doubt &&
		 !selector_is_one_of(name, known, COUNT_OF(known)) &&
		 !selector_is_one_of(name, focused, COUNT_OF(focused)))
		p->doubt = true;
	weigh(p, 18, 31);
}

/* Whether a name takes one colon, or two with `element`; if not, a browser
 * drops the list. Those of CSS 2 take both. */
static bool
takes_colons(const char *name, bool element)
{
	static const char *const both[] = {
	    "before", "after", "first-line", "first-letter"};
	static const char *const two[] = {
	    "selection", "marker", "placeholder", "backdrop"};

	return selector_is_one_of(name, both, COUNT_OF(both)) ||
	       selector_is_one_of(name, two, COUNT_OF(two)) == element;
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
	if (p->token.type == CSS_FUNCTION && !element &&
	    selector_choices(p, p->token.text))
		return;
	pseudo(p, p->token.text, element);
	p->doubt |= !takes_colons(p->token.text, element);
	p->over = element;
	if (p->token.type != CSS_FUNCTION)
		return;
	p->doubt = true; /* what is in the brackets may be none */
	selector_skip(p, '(', ')');
}

/* Behind '['. */
static void
selector_attribute(struct parser *p)
{
	struct sheet_test test;

	weigh(p, 18, 31);
	if (test_attribute(&p->css, &p->sheet->values, &test)) {
		need(p, html_hash_any(test.name));
		add_tests(p, &test, 1);
		return;
	}
	css_next_solid(&p->css, &p->token);
	if (p->token.type == CSS_IDENT)
		need(p, html_hash_any(p->token.hash));
	if (!css_is_delim(&p->token, ']'))
		selector_skip(p, '[', ']');
	p->doubt = true; /* it may be none, and then the list is none */
}

/* Before a combinator. One without a compound at its left is none. */
static void
join(struct parser *p)
{
	p->doubt |= p->joined || (!p->filled && p->part.combinator != ' ');
	p->joined = true;
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
		p->doubt |= p->filled;
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
		join(p);
		end_part(p, '>');
		p->part.combinator = '>';
		break;
	case '|': /* what stood before is a namespace */
		p->part.tag = 0;
		p->filled = p->doubt = true;
		break;
	case '+':
	case '~':
		join(p);
		end_sibling(p);
		break;
	case ',':
		selector_end(p);
		break;
	default:
		p->invalid = true;
	}
}

void
selector_token(struct parser *p)
{
	p->joined = p->joined && !p->filled;
	p->doubt |= p->over && p->token.type != CSS_SPACE &&
		    !css_is_delim(&p->token, ',');
	switch (p->token.type) {
	case CSS_SPACE:
		end_part(p, ' ');
		break;
	case CSS_IDENT:
		p->doubt |= p->filled; /* a name comes first */
		p->part.tag = html_hash_any(p->token.hash);
		weigh(p, 13, 31);
		break;
	case CSS_HASH:
		p->part.id = p->token.hash;
		p->invalid |= !p->token.id;
		weigh(p, 23, 15);
		break;
	case CSS_DELIM:
		selector_delim(p);
		break;
	default:
		p->invalid = true;
	}
}
