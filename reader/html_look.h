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

/* In hundredths of a px. */
#define EM_PX 1600    /* a font, where it does not matter much */
#define WINDOW 100000 /* the width of a window, where none is given */
#define ASIDE (-5000) /* so far to the left letters are out of it */

/* Which members of html_own were declared, and what else was. */
enum own_flag {
	OWN_COLOUR = 1,
	OWN_BACKGROUND = 2,
	OWN_PICTURE = 4, /* a background of several colours */
	OWN_SHOW = 8,	 /* visibility: visible */
	OWN_HIDE = 16,	 /* visibility: hidden */
	OWN_PRE = 32,
	OWN_WRAP = 64,	/* white-space: normal */
	OWN_BARE = 128, /* the tag has no attributes at all */
	OWN_FILL = 256,
	OWN_SAME = 512,	       /* the background is as the text */
	OWN_INK = 1024,	       /* the background shows through the letters */
	OWN_CUT = 2048,	       /* what does not fit is cut */
	OWN_FLAT = 4096,       /* lines without height */
	OWN_TALL = 8192,       /* lines with some */
	OWN_BEHIND = 16384,    /* painted behind what is around it */
	OWN_TABLE = 32768,     /* does not inherit a colour in quirks mode */
	OWN_TURNS = 1 << 16,   /* `turn` counts */
	OWN_UNFILL = 1 << 17,  /* letters have the text's colour again */
	OWN_NOWRAP = 1 << 20,  /* lines are not broken */
	OWN_BREAKS = 1 << 21,  /* they are */
	OWN_IMAGE = 1 << 19,   /* a picture, which may be seen or not */
	OWN_PAGE = 1 << 18,    /* this is the page's own text and background */
	OWN_PINCHED = 1 << 22, /* leaves what is cut in it no room */
	OWN_NARROW = 1 << 23,  /* has no width */
	OWN_LOW = 1 << 24,     /* has no height */
	OWN_SHARE = 1 << 25,   /* its height is a share of that around it */
	OWN_INVERT = 1 << 26,  /* light is dark */
	OWN_LOOSE = 1 << 27,   /* as wide as its contents */
	OWN_SHIFTS = 1 << 29,  /* takes room, or moves what is beside it */
	OWN_FIXED = 1 << 28,   /* a table whose columns do not grow */
};

/* In which direction letters are forced to go. */
enum look_turn { TURN_NONE, TURN_RIGHT, TURN_LEFT };

struct html_own {
	uint32_t flags;
	uint8_t reason;	   /* all below is hidden; HIDDEN_COUNT: not */
	uint8_t font_unit; /* enum style_unit: UNSET, PX, EM or REM */
	uint8_t turn;	   /* enum look_turn */
	int8_t display;	   /* enum style_display */
	uint16_t opacity;  /* thousandths */
	uint16_t shrink;   /* thousandths of the size */
	int32_t font;
	int32_t width, height; /* hundredths of a px; 0: any */
	int32_t lines;	       /* after which the text is cut; 0: none */
	int32_t down, across;  /* moved, hundredths of a px */
	colour text, background, fill;
};

struct html_look {
	uint8_t unseen; /* why the text is not seen; HIDDEN_COUNT: it is */
	uint8_t reason; /* of an ancestor or itself; HIDDEN_COUNT: none */
	uint8_t turn;	/* enum look_turn */
	bool invisible; /* visibility */
	bool pre;
	bool picture;  /* the background has several colours */
	bool image;    /* it may have a picture on it */
	bool filled;   /* `fill` is the colour of the letters, not `text` */
	bool cut;      /* some box around it cuts what does not fit */
	bool nowrap;   /* lines are not broken */
	bool flat;     /* its lines have no height */
	bool inverted; /* light is dark */
	bool pinched, narrow, low; /* no room for what is cut in it */
	bool covered; /* there is a background below the page's own */
	uint16_t opacity, shrink;
	int32_t x, y;	   /* moved so far, hundredths of a px */
	int32_t cut_width; /* hundredths of a px, of what cuts; 0: unknown */
	int32_t font, root_font; /* hundredths of a px; 0: no root yet */
	colour text, background, fill;
	colour other, page; /* the text's colour in quirks mode; the page's */
};

/* Declares nothing. */
extern const struct html_own html_own_none;

/* How a page starts: black on white, 16 px. */
extern const struct html_look html_look_start;

/* The least size a letter may have, in hundredths of a px. */
#define FONT_LEAST 400

/* The own styles of an element inside `parent`. What may hide it does, as
 * HIDDEN_STYLE_UNKNOWN. Sets *unsure_out where something may hide that was
 * not understood, and else leaves it. */
struct html_own html_own_in(const struct html_look *parent,
    const struct style_cascades *cascades, bool *unsure_out);

/* Add the styles of an element inside one with the styles `own`, so that one
 * set stands for both. */
void html_own_merge(struct html_own *own, const struct html_own *inner);

/* Adapt the styles of a table, or with `part` of a row, a cell and the like:
 * they grow with their contents, whatever width they have. */
void html_own_table(struct html_own *own, bool part);

/* Whether the own styles change nothing about what is seen. */
bool html_own_plain(const struct html_own *own);

/* The look of an element with these styles inside `parent`. */
struct html_look html_look_inside(
    const struct html_look *parent, const struct html_own *own);

#endif
