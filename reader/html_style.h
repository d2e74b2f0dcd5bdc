/*
 * Declarations: the values of those CSS properties that can hide text, from a
 * style attribute, a style rule or an attribute that stands for one; and the
 * cascade that picks one value for each property.
 */
#ifndef TRIZONE_READER_HTML_STYLE_H
#define TRIZONE_READER_HTML_STYLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"
#include "reader/html_css.h"

enum style_property {
	STYLE_ADJUST,	  /* UNIT_NUMBER: of the font size */
	STYLE_ALIGN,	  /* of an inline box: up */
	STYLE_ANIMATION,  /* 1: there is one */
	STYLE_BACKDROP,	  /* 1: what is behind is changed */
	STYLE_BACKGROUND, /* UNIT_COLOUR; UNIT_KEYWORD 1: as the text */
	STYLE_BASIS,	  /* of a flexible box: its length */
	STYLE_BIDI,	  /* 0: as usual, 1: letters go in one direction */
	STYLE_BLEND,	  /* 0: normal; what 1 leaves is not known */
	STYLE_BORDER_LEFT,
	STYLE_BORDER_TOP,
	STYLE_BOTTOM,
	STYLE_CLIP,	 /* 1: nothing is left */
	STYLE_CLIP_PATH, /* 1: nothing is left */
	STYLE_CLIP_TEXT, /* 1: the background shows through the letters */
	STYLE_COLOUR,
	STYLE_CONTAIN,	 /* 1: its size does not depend on its contents */
	STYLE_CONTENT,	 /* 1: hidden */
	STYLE_CUT,	 /* 1: cut without overflow */
	STYLE_DIRECTION, /* 1: left to right, 2: right to left */
	STYLE_DISPLAY,	 /* enum hidden reason + 1; or a style_display */
	STYLE_FILL,	 /* UNIT_COLOUR; UNIT_KEYWORD: STYLE_COLOUR counts */
	STYLE_FILTER,	 /* UNIT_NUMBER: the opacity it leaves */
	STYLE_FLOAT,	 /* 1: beside the text */
	STYLE_FONT_SIZE,
	STYLE_GROW, /* UNIT_NUMBER: share of the room that is left */
	STYLE_HEIGHT,
	STYLE_IMAGE,  /* UNIT_KEYWORD 1: a picture, 2: several colours;
		       * UNIT_COLOUR: one */
	STYLE_INVERT, /* 1: light is dark */
	STYLE_LEFT,
	STYLE_LETTER,	   /* added between letters */
	STYLE_LINE_CLAMP,  /* UNIT_NUMBER: lines, if what follows is cut */
	STYLE_LINE_HEIGHT, /* UNIT_EM for a number too */
	STYLE_MARGIN_LEFT,
	STYLE_MARGIN_TOP,
	STYLE_MASK, /* 0: none; what one leaves is not known */
	STYLE_MAX_HEIGHT,
	STYLE_MAX_WIDTH,
	STYLE_NOWRAP,	  /* 1: no line is broken */
	STYLE_ODD,	  /* 1: something hides that is not worked out */
	STYLE_OPACITY,	  /* UNIT_NUMBER */
	STYLE_ORIGIN,	  /* 1: scaled or turned about a place far away */
	STYLE_OVERFLOW_X, /* 1: what does not fit is cut */
	STYLE_OVERFLOW_Y,
	STYLE_PADDING_LEFT,
	STYLE_PADDING_TOP,
	STYLE_PATH,	/* 1: moved along one */
	STYLE_POSITION, /* 0: static, 1: relative, 2: absolute, 3: fixed */
	STYLE_REPLACED, /* 1: a picture stands for the text */
	STYLE_RIGHT,
	STYLE_ROTATE,	/* 0: in its plane */
	STYLE_SCALE,	/* UNIT_NUMBER: of a length, at most 1,000 */
	STYLE_SECURITY, /* 1: dots stand for the letters */
	STYLE_SHIFT,	/* 1: takes room in a box that cuts, or moves there */
	STYLE_STRANGE,	/* 1: what is beside it may be moved or covered */
	STYLE_STROKE,	/* width of the lines around letters */
	STYLE_TABLE_FIXED, /* 1: columns do not grow with their contents */
	STYLE_TEXT_INDENT,
	STYLE_TILE, /* 1: a picture does not fill its box */
	STYLE_TOP,
	STYLE_TRACK_AUTO, /* 1: rows or columns of a grid without size */
	STYLE_TRACK_COLUMNS,
	STYLE_TRACK_ROWS,
	STYLE_TRANSFORM,   /* as SCALE; UNIT_KEYWORD 2: moved away */
	STYLE_TRANSFORM_X, /* UNIT_PX: moved to the right */
	STYLE_TRANSLATE,   /* 2: moved away */
	STYLE_TRANSLATE_X, /* the same */
	STYLE_VISIBILITY,  /* 0: visible, 1: hidden */
	STYLE_WHITE_SPACE, /* 0: normal, 1: line ends and blanks count */
	STYLE_WIDTH,
	STYLE_WORD_SPACING,
	STYLE_Z_INDEX, /* UNIT_NUMBER */
	STYLE_ZOOM,    /* as SCALE */
	STYLE_COUNT
};

/* How a box that is shown stands among others; negative, since a positive
 * value of STYLE_DISPLAY hides. */
enum style_display {
	DISPLAY_CELL = -4,
	DISPLAY_FLEX = -3, /* a block whose children are blocks */
	DISPLAY_BLOCK = -2,
	DISPLAY_INLINE = -1,
	DISPLAY_USUAL = 0 /* as the element's name says */
};

enum style_unit {
	UNIT_UNSET,   /* not given, or inherited */
	UNIT_KEYWORD, /* n as above */
	UNIT_PX,      /* n in hundredths */
	UNIT_EM,      /* n in thousandths of the font size */
	UNIT_REM,     /* the same of the page's; only of a font size */
	UNIT_PERCENT, /* n in thousandths of the whole */
	UNIT_NUMBER,  /* n in thousandths */
	UNIT_COLOUR   /* n is a colour */
};

struct style_value {
	enum style_unit unit;
	int32_t n;
};

struct style_declaration {
	enum style_property property;
	bool important;
	bool unknown; /* a function nobody here can work out; no value */
	struct style_value value;
};

/* Weights of the cascade (CSS Cascading Level 4, 6.1): the greater wins, of
 * equals the later. Specificity of a rule is below WEIGHT_INLINE. */
#define WEIGHT_HINT 0u
#define WEIGHT_RULE 1u
#define WEIGHT_INLINE (1u << 28)
#define WEIGHT_IMPORTANT (1u << 29)

struct style_cascade {
	bool used;		   /* anything was declared */
	bool unknown[STYLE_COUNT]; /* it has a value, but which? */
	uint32_t weight[STYLE_COUNT];
	struct style_value value[STYLE_COUNT];
};

/* What is declared for an element, and what may be. */
struct style_cascades {
	struct style_cascade known, doubts;
};

/* Forget what was declared. A new cascade is all zero. */
void style_cascade_clear(struct style_cascade *cascade);

void style_declare(struct style_cascade *cascade,
    const struct style_declaration *declaration, uint32_t weight);

/* Where style_parse gives its declarations. */
typedef void style_sink(
    void *context, const struct style_declaration *declaration);

/* Read declarations up to the end; in a `block`, to the '}' that closes it
 * (which is read too). Linear; whatever is no valid declaration of one of the
 * properties above is skipped as CSS prescribes. True: a value held a block,
 * as nested rules do. */
bool style_parse(struct css *css, bool block, style_sink *sink, void *context);

/* Whether a declaration, taken for itself, can hide text. */
bool style_hides(const struct style_declaration *declaration);

/* Let those of `doubts` that can hide win over what is in `cascade`. */
void style_doubt(
    struct style_cascade *cascade, const struct style_cascade *doubts);

#endif
