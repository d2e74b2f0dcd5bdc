/*
 * Which of the open elements a tag means (WHATWG HTML, 13.2.4.2).
 */
#ifndef TRIZONE_READER_HTML_SCOPE_H
#define TRIZONE_READER_HTML_SCOPE_H

#include "reader/html_stack.h"

/* How far a search looks down (13.2.4.2, "has an element in scope"). */
enum scope { SCOPE_DEFAULT, SCOPE_BUTTON, SCOPE_LIST, SCOPE_TABLE, SCOPE_ALL };

/* Depth of the innermost open `tag` in scope; 0 if there is none. */
size_t html_scope_find(
    const struct html_stack *st, enum html_tag tag, enum scope scope);

/* The same of a heading of any level. */
size_t html_scope_heading(const struct html_stack *st);

#endif
