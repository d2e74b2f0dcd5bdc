/*
 * Fuzz driver: style sheets alone. Up to the first NUL the input is the text
 * of a <style>, behind it a style attribute; both apply to some elements in
 * each other. Whatever comes in, the sheet stays within its limits and what
 * the elements look like within the ranges of html_look.h.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reader/html_place.h"
#include "reader/html_sheet.h"

#define SCRATCH_BYTES 4096
#define STEPS_START 10000 /* what an input may cost, and each byte of it */
#define STEPS_BYTE 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char page[] = "<div id=x class=a><p class='b h' data-x='1 2'>"
			   "<table lang=en-US><tr><td style=y><b>";

static struct html_stack stack; /* too large for the call stack */
static struct html_sheet sheet;

static void
declare(void *context, const struct style_declaration *declaration)
{
	if (declaration->property >= STYLE_COUNT)
		abort();
	style_declare(context, declaration, WEIGHT_INLINE);
}

static void
check_look(const struct html_own *own, const struct html_look *look)
{
	if (own->reason > HIDDEN_COUNT || own->opacity > 1000 ||
	    own->shrink > 1000 || look->unseen > HIDDEN_COUNT ||
	    look->opacity > 1000 || look->shrink > 1000 || look->font < 0)
		abort();
}

/* Open one element of the page. */
static void
open_element(const struct html_token *token, struct span style)
{
	struct html_element element = {.class_start = stack.class_count};
	struct style_cascades cascades = {0};
	const struct span *id = html_token_attr(token, ATTR_ID);
	const struct span *names = html_token_attr(token, ATTR_CLASS);
	struct css css = {style.p, style.p + style.n};
	struct buf scratch;
	bool unsure = false;

	buf_init(&scratch, SCRATCH_BYTES);
	element.name = html_hash_any(html_hash(token->name));
	html_sheet_name(&sheet, &stack, &element, id == NULL ? SPAN("") : *id,
	    names == NULL ? SPAN("") : *names);
	html_sheet_match(&sheet, &stack, &element, token, &scratch, &cascades);
	if (token->tag == HTML_P || token->tag == HTML_B)
		style_parse(&css, false, declare, &cascades.known);
	element.own = html_own_in(html_stack_look(&stack), &cascades, &unsure);
	html_stack_push(&stack, token, &element);
	check_look(&element.own, html_stack_look(&stack));
	buf_free(&scratch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *nul = size == 0 ? NULL : memchr(text, '\0', size);
	size_t rules = nul == NULL ? size : (size_t)(nul - text);
	struct span style = {SPAN("").p, 0};
	struct html_tokenizer tokens;
	struct html_token token;

	if (nul != NULL)
		style = (struct span){nul + 1, size - rules - 1};
	html_sheet_init(&sheet);
	memset(sheet.marks, 0xff, sizeof sheet.marks);
	html_sheet_add(&sheet, (struct span){text, rules}, false);
	if (sheet.rule_count > SHEET_RULES || sheet.part_count > SHEET_ITEMS ||
	    sheet.class_count > SHEET_ITEMS || sheet.test_count > SHEET_ITEMS ||
	    sheet.declaration_count > SHEET_ITEMS ||
	    sheet.values.len > SHEET_VALUES)
		abort();
	html_stack_init(&stack);
	html_tokenizer_init(&tokens, SPAN(page));
	while (html_token_next(&tokens, &token))
		if (token.type == TOKEN_START)
			open_element(&token, style);
	if (SHEET_STEPS - sheet.steps > STEPS_START + STEPS_BYTE * size)
		abort();
	html_sheet_done(&sheet);
	return 0;
}
