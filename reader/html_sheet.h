/*
 * The rules of <style> elements: type, class, id, descendant and child
 * selectors, attributes of the element itself, :not(), :is() and :where()
 * around simple selectors, @media as on a screen of 800 to 2,000 pixels. Of
 * other selectors (siblings, attributes of elements around, :nth-child()) the
 * rest counts, and such a rule is a doubt: it may hide, never show. So is one
 * under @supports, @layer, @scope, @container or a query nobody can answer
 * here, one inside another rule, one with more ids or classes than are told
 * apart, and a name in other letters than the document's. Where it is not
 * known whether a browser takes a selector at all the whole list is a doubt,
 * since one that is invalid makes it drop the list. What needs a hand on the
 * mouse (:hover) and generated text (::before) do not count; an animation
 * counts as hiding if some @keyframes does. `unsure` is set where something
 * may hide and is not even a doubt.
 *
 * Each of the limits below that is passed makes the sheet `exhausted`: then
 * nobody can say what is hidden, and the caller must take everything as
 * hidden.
 */
#ifndef TRIZONE_READER_HTML_SHEET_H
#define TRIZONE_READER_HTML_SHEET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/text.h"
#include "reader/html_simple.h"
#include "reader/html_stack.h"
#include "reader/html_style.h"

#define SHEET_RULES 8192     /* selectors; the largest newsletters have 600 */
#define SHEET_ITEMS 32768    /* parts, classes and declarations, of each */
#define SHEET_VALUES 262144  /* bytes of the values tests ask for */
#define SHEET_PARTS 12	     /* in one selector */
#define SHEET_STEPS 20000000 /* comparisons and declarations: some 0.1 s */
#define SHEET_BUCKETS 1024
#define SHEET_NEEDS 2 /* names a rule notes that the document must have */

/* One compound selector: "td.x#y". Zero or no classes: any. */
struct sheet_part {
	uint64_t id;
	uint32_t tag;
	uint32_t class_start, class_count;
	uint32_t test_start, test_count; /* with all choices */
	char combinator; /* to the part left of it: ' ', '>', or NUL */
};

struct sheet_rule {
	uint32_t part_start, part_count;
	uint32_t declaration_start, declaration_count;
	uint32_t weight;
	uint32_t next; /* rule of the same bucket, plus one; 0: none */
	uint32_t need[SHEET_NEEDS]; /* tags or attributes; 0: none */
	bool doubt;
};

struct html_sheet {
	struct sheet_rule *rules;
	struct sheet_part *parts;
	uint64_t *classes;
	struct style_declaration *declarations;
	struct sheet_test *tests;
	struct buf values; /* that tests ask for */
	uint32_t rule_count, part_count, class_count, declaration_count;
	uint32_t rule_cap, part_cap, class_cap, declaration_cap;
	uint32_t test_count, test_cap;
	uint32_t bucket[SHEET_BUCKETS]; /* rule plus one */
	uint8_t wanted[SHEET_BUCKETS];	/* classes some rule has */
	uint8_t marks[TOKEN_MARKS]; /* tags and attributes of the document */
	uint64_t steps;		    /* left */
	bool exhausted, unsure;
	bool fades; /* there are animations that may hide */
	bool loose; /* the match being made is one in doubt */
};

void html_sheet_init(struct html_sheet *sheet);
void html_sheet_done(struct html_sheet *sheet);

/* Room for one more item of `size` bytes in one of the arrays; false, and the
 * sheet is exhausted, if the limit is reached. */
bool html_sheet_grow(struct html_sheet *sheet, void **items, uint32_t count,
    uint32_t *cap, size_t size);

/* Add the text of one <style> element, all of it in doubt or not. */
void html_sheet_add(struct html_sheet *sheet, struct span text, bool doubt);

/* Note name, id and those classes of an element that rules ask for; classes
 * go behind st->class_count. `id` and `class_names` are decoded values. */
void html_sheet_name(struct html_sheet *sheet, struct html_stack *st,
    struct html_element *element, struct span id, struct span class_names);

/* Declare what the rules say about an element that is about to be pushed and
 * has been named; `token` is its start tag. `scratch` is used for values. */
void html_sheet_match(struct html_sheet *sheet, const struct html_stack *st,
    const struct html_element *element, const struct html_token *token,
    struct buf *scratch, struct style_cascades *to);

#endif
