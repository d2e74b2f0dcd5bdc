/*
 * What an element's styles do to its text: the own styles of an element, the
 * look that results in its place, and whether that look can be seen.
 */
#ifndef TRIZONE_READER_HTML_LOOK_H
#define TRIZONE_READER_HTML_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "reader/html_colour.h"
#include "reader/html_style.h"
#include "reader/visible.h"

/* Which members of html_own were declared. */
enum own_flag {
	OWN_COLOUR = 1,
	OWN_BACKGROUND = 2,
	OWN_PICTURE = 4, /* a background nobody here can know */
	OWN_SHOW = 8,	 /* visibility: visible */
	OWN_HIDE = 16,	 /* visibility: hidden */
	OWN_PRE = 32,
	OWN_WRAP = 64, /* white-space: normal */
	OWN_BARE = 128 /* the tag has no attributes at all */
};

struct html_own {
	uint8_t flags;
	uint8_t reason;	   /* all below is hidden; HIDDEN_COUNT: not */
	uint8_t font_unit; /* enum style_unit: UNSET, PX or EM */
	uint16_t opacity;  /* thousandths */
	int32_t font;
	colour text, background;
};

struct html_look {
	uint8_t unseen; /* why the text is not seen; HIDDEN_COUNT: it is */
	uint8_t reason; /* of an ancestor or itself; HIDDEN_COUNT: none */
	bool invisible; /* visibility */
	bool pre;
	bool picture; /* the background is not known */
	uint16_t opacity;
	int32_t font; /* hundredths of a px */
	colour text, background;
};

/* Declares nothing. */
extern const struct html_own html_own_none;

/* How a page starts: black on white, 16 px. */
extern const struct html_look html_look_start;

/* The own styles of an element inside `parent`. What may hide it does, as
 * HIDDEN_STYLE_UNKNOWN. Sets *unsure_out where something may hide that was
 * not understood, and else leaves it. */
struct html_own html_own_in(const struct html_look *parent,
    const struct style_cascades *cascades, bool *unsure_out);

/* Add the styles of an element inside one with the styles `own`, so that one
 * set stands for both. */
void html_own_merge(struct html_own *own, const struct html_own *inner);

/* Whether the own styles change nothing. */
bool html_own_plain(const struct html_own *own);

/* The look of an element with these styles inside `parent`. */
struct html_look html_look_inside(
    const struct html_look *parent, const struct html_own *own);

#endif
