/*
 * How a text or an element looks in its place among the open elements.
 */
#ifndef TRIZONE_READER_HTML_PLACE_H
#define TRIZONE_READER_HTML_PLACE_H

#include "reader/html_stack.h"

/* Look of the innermost element, which an element that starts here inherits. */
const struct html_look *html_stack_look(const struct html_stack *st);

/* The look of the open element at `depth`, from its own styles and the looks
 * below it. */
struct html_look html_place_element(const struct html_stack *st, size_t depth);

/* Why a text put here is not seen, or HIDDEN_COUNT. */
enum hidden html_place_reason(const struct html_stack *st);

#endif
