/*
 * Style rules: found by hash, matched against the open elements. Runs in the
 * reader's worker over hostile text, inside fixed limits.
 */
#include "reader/html_sheet.h"

#include <stdlib.h>
#include <string.h>

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
}

void
html_sheet_done(struct html_sheet *sheet)
{
	free(sheet->rules);
	free(sheet->parts);
	free(sheet->classes);
	free(sheet->declarations);
	html_sheet_init(sheet);
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
		if (sheet->steps > 0)
			sheet->steps--;
		if (st->classes[from] == hash)
			return true;
		found |=
		    html_hash_any(st->classes[from]) == html_hash_any(hash);
	}
	sheet->loose |= found;
	return found;
}

static bool
part_matches(struct html_sheet *sheet, const struct html_stack *st,
    const struct sheet_part *part, const struct html_element *e, uint32_t to)
{
	if (sheet->steps == 0) {
		sheet->exhausted = true;
		return false;
	}
	sheet->steps--;
	if ((part->tag != 0 && part->tag != e->name) ||
	    (part->id != 0 && !same_name(sheet, part->id, e->id)))
		return false;
	for (uint32_t i = 0; i < part->class_count; i++)
		if (!has_class(sheet, st, e->class_start, to,
			sheet->classes[part->class_start + i]))
			return false;
	return true;
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
		const struct html_element *e = &st->at[place.depth--];
		uint32_t to = place.classes_end;

		place.classes_end = e->class_start;
		if (part_matches(sheet, st, &parts[part - 1], e, to) &&
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
rule_matches(struct html_sheet *sheet, const struct html_stack *st,
    const struct sheet_rule *rule, const struct html_element *e)
{
	struct place place = {st->depth, e->class_start};
	uint32_t last = rule->part_count - 1;

	sheet->loose = rule->doubt;
	return part_matches(sheet, st, &sheet->parts[rule->part_start + last],
		   e, st->class_count) &&
	       has_needs(sheet, rule) &&
	       ancestors_match(sheet, st, rule, last, place);
}

static void
match_bucket(struct html_sheet *sheet, const struct html_stack *st,
    const struct html_element *e, uint32_t key, struct style_cascades *to)
{
	uint32_t number = sheet->bucket[key % SHEET_BUCKETS];

	while (number != 0 && !sheet->exhausted) {
		const struct sheet_rule *rule = &sheet->rules[number - 1];
		const struct style_declaration *d =
		    &sheet->declarations[rule->declaration_start];

		number = rule->next;
		if (!rule_matches(sheet, st, rule, e))
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
    const struct html_element *element, struct style_cascades *to)
{
	match_bucket(sheet, st, element, 0, to);
	match_bucket(sheet, st, element, element->name, to);
	if (element->id != 0)
		match_bucket(
		    sheet, st, element, html_hash_any(element->id), to);
	for (uint32_t i = element->class_start; i < st->class_count; i++)
		match_bucket(
		    sheet, st, element, html_hash_any(st->classes[i]), to);
}
