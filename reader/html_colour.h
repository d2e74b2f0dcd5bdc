/*
 * Colours: names, # notation, functions, the old attribute spelling, and
 * whether one can be told from another.
 */
#ifndef TRIZONE_READER_HTML_COLOUR_H
#define TRIZONE_READER_HTML_COLOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reader/html_css.h"

/* 0xAARRGGBB; alpha 0xff is opaque. */
typedef uint32_t colour;

#define COLOUR_BLACK 0xff000000u
#define COLOUR_WHITE 0xffffffffu
#define COLOUR_LINK 0xff0000eeu
#define COLOUR_BUTTON 0xffefefefu
#define COLOUR_MARK 0xffffff00u
#define COLOUR_CLEAR 0x00000000u

/* The colour that starts at tokens[0]; returns the number of tokens it takes,
 * or 0 if there is none. Blanks are not among the tokens. */
size_t colour_parse(
    const struct css_token *tokens, size_t count, colour *colour_out);

/* A bgcolor, color or text attribute (WHATWG HTML, 2.4.6): nearly everything
 * is a colour. False only for "" and "transparent". */
bool colour_legacy(struct span text, colour *colour_out);

/* `over` painted on opaque `under`. */
colour colour_blend(colour over, colour under);

/* Whether text of one opaque colour cannot be read on the other. */
bool colour_near(colour a, colour b);

#endif
