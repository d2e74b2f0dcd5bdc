/*
 * Style rules: found by hash, matched against the open elements. Runs in the
 * reader's worker over hostile text, inside fixed limits.
 */
#include "reader/html_sheet.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "reader/html_ascii.h"
#include "reader/html_css.h"

/* An open element, and where its class names end. */
struct place {
	size_t depth;
	uint32_t classes_end;
};

void
html_sheet_init(struct html_sheet *sheet)
{
	memset(sheet, 0, sizeof *sheet);
	sheet->steps = SHEET_STEPS;
	buf_init(&sheet->values, SHEET_VALUES);
}

void
html_sheet_done(struct html_sheet *sheet)
{
	free(sheet->rules);
	free(sheet->parts);
	free(sheet->classes);
	free(sheet->declarations);
	free(sheet->tests);
	buf_free(&sheet->values);
	html_sheet_init(sheet);
}

bool
html_sheet_grow(struct html_sheet *sheet, void **items, uint32_t count,
    uint32_t *cap, size_t size)
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

void
html_sheet_name(struct html_sheet *sheet, struct html_stack *st,
    struct html_element *element, struct span id, struct span class_names)
{
	size_t i = 0;

	element->id = id.n == 0 ? 0 : html_hash(id);
	while (i < class_names.n) {
		size_t start = i;
		uint64_t hash;

		while (i < class_names.n && !ascii_is_space(class_names.p[i]))
			i++;
		hash =
		    html_hash((struct span){class_names.p + start, i - start});
		if (i > start &&
		    sheet->wanted[html_hash_any(hash) % SHEET_BUCKETS]) {
			if (st->class_count < STACK_CLASSES)
				st->classes[st->class_count++] = hash;
			else
				sheet->exhausted = true;
		}
		i++;
	}
}

/* Whether two names are one. In other letters they are in some documents and
 * in some mail programs: that is noted. */
static bool
same_name(struct html_sheet *sheet, uint64_t a, uint64_t b)
{
	if (html_hash_any(a) != html_hash_any(b))
		return false;
	sheet->loose |= a != b;
	return true;
}

/* Whether one of the hashes from `from` to `to` is `hash`. */
static bool
has_class(struct html_sheet *sheet, const struct html_stack *st, uint32_t from,
    uint32_t to, uint64_t hash)
{
	bool found = false;

	for (; from < to; from++) {
		if (sheet->steps == 0) {
			sheet->exhausted = true;
			return false;
		}
		sheet->steps--;
		if (st->classes[from] == hash)
			return true;
		found |=
		    html_hash_any(st->classes[from]) == html_hash_any(hash);
	}
	sheet->loose |= found;
	return found;
}

/* Whether the tests of a part leave it standing. */
static bool
tests_match(struct html_sheet *sheet, const struct sheet_part *part,
    const struct test_subject *subject)
{
	uint32_t i = part->test_start, end = i + part->test_count;

	while (i < end) {
		const struct sheet_test *test = &sheet->tests[i];
		enum truth truth = test_of(test, &sheet->values, subject);

		sheet->exhausted |= sheet->steps == 0;
		if (truth == TRUTH_NO || sheet->exhausted)
			return false;
		sheet->loose |= truth == TRUTH_MAYBE;
		while (sheet->tests[i++].more)
			continue;
	}
	return true;
}

/* `s` is the element the part is tried on. */
static bool
part_matches(struct html_sheet *sheet, const struct sheet_part *part,
    const struct test_subject *s)
{
	const struct html_element *e = s->element;

	if (sheet->steps == 0) {
		sheet->exhausted = true;
		return false;
	}
	sheet->steps--;
	if ((part->tag != 0 && part->tag != e->name) ||
	    (part->id != 0 && !same_name(sheet, part->id, e->id)))
		return false;
	for (uint32_t i = 0; i < part->class_count; i++)
		if (!has_class(sheet, s->stack, e->class_start, s->classes_end,
			sheet->classes[part->class_start + i]))
			return false;
	return tests_match(sheet, part, s);
}

/* Whether the parts up to `part` match elements at `place` and below. It
 * calls itself at most SHEET_PARTS deep, and the steps are counted. */
static bool
ancestors_match(struct html_sheet *sheet, const struct html_stack *st,
    const struct sheet_rule *rule, uint32_t part, struct place place)
{
	const struct sheet_part *parts = &sheet->parts[rule->part_start];
	bool child = parts[part].combinator == '>';

	if (part == 0)
		return true;
	while (place.depth > 0) {
		struct test_subject s = {.stack = st,
		    .element = &st->at[place.depth--],
		    .classes_end = place.classes_end,
		    .steps = &sheet->steps};

		place.classes_end = s.element->class_start;
		if (part_matches(sheet, &parts[part - 1], &s) &&
		    ancestors_match(sheet, st, rule, part - 1, place))
			return true;
		if (child || sheet->exhausted)
			return false;
	}
	return false;
}

/* Whether the document has what the rule needs somewhere. */
static bool
has_needs(const struct html_sheet *sheet, const struct sheet_rule *rule)
{
	for (size_t i = 0; i < SHEET_NEEDS; i++)
		if (rule->need[i] != 0 &&
		    !html_marked(sheet->marks, rule->need[i]))
			return false;
	return true;
}

/* Whether a rule matches; sheet->loose: perhaps. */
static bool
rule_matches(struct html_sheet *sheet, const struct sheet_rule *rule,
    const struct test_subject *s)
{
	struct place place = {s->stack->depth, s->element->class_start};
	uint32_t last = rule->part_count - 1;

	sheet->loose = rule->doubt;
	return has_needs(sheet, rule) &&
	       part_matches(sheet, &sheet->parts[rule->part_start + last], s) &&
	       ancestors_match(sheet, s->stack, rule, last, place);
}

static void
match_bucket(struct html_sheet *sheet, const struct test_subject *s,
    uint32_t key, struct style_cascades *to)
{
	uint32_t number = sheet->bucket[key % SHEET_BUCKETS];

	while (number != 0 && !sheet->exhausted) {
		const struct sheet_rule *rule = &sheet->rules[number - 1];
		const struct style_declaration *d =
		    &sheet->declarations[rule->declaration_start];

		number = rule->next;
		if (!rule_matches(sheet, rule, s))
			continue;
		if (sheet->steps < rule->declaration_count) {
			sheet->exhausted = true;
			return;
		}
		sheet->steps -= rule->declaration_count;
		for (uint32_t i = 0; i < rule->declaration_count; i++)
			if (!sheet->loose)
				style_declare(&to->known, &d[i], rule->weight);
			else if (style_hides(&d[i]))
				style_declare(&to->doubts, &d[i], rule->weight);
	}
}

void
html_sheet_match(struct html_sheet *sheet, const struct html_stack *st,
    const struct html_element *element, const struct html_token *token,
    struct buf *scratch, struct style_cascades *to)
{
	struct test_subject s = {.stack = st,
	    .element = element,
	    .classes_end = st->class_count,
	    .token = token,
	    .scratch = scratch,
	    .steps = &sheet->steps};

	match_bucket(sheet, &s, 0, to);
	match_bucket(sheet, &s, element->name, to);
	if (element->id != 0)
		match_bucket(sheet, &s, html_hash_any(element->id), to);
	for (uint32_t i = element->class_start; i < st->class_count; i++)
		match_bucket(sheet, &s, html_hash_any(st->classes[i]), to);
}
