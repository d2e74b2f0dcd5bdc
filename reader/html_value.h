/*
 * How the values of declarations are read; between html_style.c, html_calc.c
 * and what reads the values of single properties.
 */
#ifndef TRIZONE_READER_HTML_VALUE_H
#define TRIZONE_READER_HTML_VALUE_H

#include "reader/html_style.h"

#define VALUE_TOKENS 64	 /* no value that hides has more */
#define FAR_BEFORE 50000 /* hundredths of a px out of the window */
#define FAR_ASIDE 100000 /* to the right: its width */
#define FAR_BELOW 200000 /* nobody scrolls so far */
#define FAR_EM 30000	 /* thousandths, to any side */
#define FAR_PERCENT 1000 /* thousandths: the whole of the box */
#define NO_ARGUMENTS ((size_t)-1)

/* The tokens of one value without blanks. */
struct style_tokens {
	struct css_token token[VALUE_TOKENS];
	size_t count;
	bool cut; /* there were more */
	bool bad;
	bool block; /* it holds a '{' block */
};

/* Read a value; false if it is none, or none that is understood. */
typedef bool read_value(const struct style_tokens *v,
    enum style_property property, struct style_value *out);

/* A length or percentage; a bare number is one only if it is zero. */
bool style_length(const struct css_token *token, struct style_value *out);

/* A plain number or percentage, in thousandths. */
bool style_number(const struct css_token *token, struct style_value *out);

/* Whether a token is one of `count` words. */
bool style_is_word(
    const struct css_token *token, const char *const words[], size_t count);

/* The arguments of the function whose name is at `at`, if each is one number
 * and there is a comma between two: the first is behind the name, the next two
 * tokens on. Returns how many, and what is behind the bracket in *end_out; or
 * NO_ARGUMENTS. */
size_t style_arguments(
    const struct style_tokens *v, size_t at, size_t *end_out);

/* Put one number in place of each calc(), min(), max() and clamp() that can be
 * worked out. With `mix` lengths and percentages may be added, as in a window
 * of 1,000 px with a font of 16 px. Such a number has the delim '(': it is cut
 * to what its property allows, where another would be no value. */
void style_calc(struct style_tokens *v, bool mix);

/* html_length.c */
read_value read_align, read_border, read_end, read_font, read_font_size,
    read_length, read_line_height, read_margin, read_start;

/* html_shape.c */
read_value read_clip, read_clip_path, read_mask, read_path;

/* html_filter.c */
read_value read_backdrop, read_filter, read_invert;

/* Whether a property without a row in html_style.def, whose name is in `text`
 * and as written in `content`, neither hides nor moves text. */
bool style_is_harmless(const struct css_token *name);

/* html_odd.c: keyword 1 where something may hide */
read_value read_all, read_cut, read_enlarged, read_frame, read_huge,
    read_negative, read_none, read_order, read_outline, read_shadow, read_tabs,
    read_tall, read_thickness, read_tile, read_tile_size, read_wide;

/* html_move.c */
read_value read_origin, read_rotate, read_scale, read_transform,
    read_transform_x, read_translate, read_translate_x;

/* html_grid.c */
read_value read_flex, read_tracks;

/* html_paint.c */
read_value read_background, read_background_colour, read_clip_text, read_colour,
    read_fill, read_image;

#endif
