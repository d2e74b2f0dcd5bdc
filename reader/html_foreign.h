/*
 * Text in svg and math: where a browser draws it as it draws text of HTML,
 * and where not.
 */
#ifndef TRIZONE_READER_HTML_FOREIGN_H
#define TRIZONE_READER_HTML_FOREIGN_H

#include "reader/html_stack.h"
#include "reader/html_style.h"

/* What the start tag `token` inside of `parent` opens, and in *reason_out why
 * it hides all that is in it; HIDDEN_COUNT: it does not. Of svg only a
 * foreignObject right in it shows text, of math its tokens (MathML Core, 3.2);
 * an attribute whose effect is not known hides. Notes in `parent` that it has
 * a child. */
enum foreign foreign_open(const struct html_token *token,
    struct html_element *parent, enum hidden *reason_out);

/* What such an element does by its name and attributes: those in svg cut, the
 * parts of formulas are smaller. */
void foreign_hint(const struct html_token *token, enum foreign foreign,
    struct style_cascade *cascade);

/* Why text right in the element is not drawn; HIDDEN_COUNT: it is. */
enum hidden foreign_reason(const struct html_element *element);

#endif
