/*
 * Attributes and elements that stand for style (WHATWG HTML, section 15):
 * bgcolor, <font color>, hidden and their like.
 */
#ifndef TRIZONE_READER_HTML_HINT_H
#define TRIZONE_READER_HTML_HINT_H

#include "common/buf.h"
#include "reader/html_style.h"
#include "reader/html_token.h"
#include "reader/visible.h"

/* Declare what a start tag says by itself, with WEIGHT_HINT. `scratch` is for
 * decoded attributes and has room for twice the longest. */
void html_hint(const struct html_token *token, struct buf *scratch,
    struct style_cascade *cascade);

/* Why the contents of an element are no text for a reader, whatever its style
 * says; HIDDEN_COUNT: they are. */
enum hidden html_tag_reason(enum html_tag tag);

#endif
