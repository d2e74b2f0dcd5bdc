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
	STYLE_BACKGROUND, /* UNIT_COLOUR; UNIT_UNSET: none or not known */
	STYLE_BOTTOM,
	STYLE_CLIP,	 /* 1: nothing is left */
	STYLE_CLIP_PATH, /* 1: nothing is left */
	STYLE_COLOUR,
	STYLE_CONTENT, /* 1: hidden */
	STYLE_DISPLAY, /* enum hidden reason + 1; 0: shown */
	STYLE_FILTER,  /* UNIT_NUMBER: the opacity it leaves */
	STYLE_FONT_SIZE,
	STYLE_HEIGHT,
	STYLE_IMAGE, /* 1: there is a picture behind the text */
	STYLE_INSET, /* of its sides the farthest out of the window */
	STYLE_LEFT,
	STYLE_MARGIN_LEFT,
	STYLE_MARGIN_TOP,
	STYLE_MASK, /* 0: none; what one leaves is not known */
	STYLE_MAX_HEIGHT,
	STYLE_MAX_WIDTH,
	STYLE_OPACITY,	/* UNIT_NUMBER */
	STYLE_OVERFLOW, /* 1: what does not fit is cut */
	STYLE_POSITION, /* 0: static, 1: relative, 2: out of the flow */
	STYLE_RIGHT,
	STYLE_SCALE, /* 1: shrunk to nothing */
	STYLE_TEXT_INDENT,
	STYLE_TOP,
	STYLE_TRANSFORM,   /* 1: shrunk to nothing, 2: moved away */
	STYLE_TRANSLATE,   /* the same */
	STYLE_VISIBILITY,  /* 0: visible, 1: hidden */
	STYLE_WHITE_SPACE, /* 0: normal, 1: line ends and blanks count */
	STYLE_WIDTH,
	STYLE_COUNT
};

enum style_unit {
	UNIT_UNSET,   /* not given, or inherited */
	UNIT_KEYWORD, /* n as above */
	UNIT_PX,      /* n in hundredths */
	UNIT_EM,      /* n in thousandths of the font size */
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
	bool used;	  /* anything was declared */
	uint64_t unknown; /* bits of properties with an unknown value */
	uint32_t weight[STYLE_COUNT];
	struct style_value value[STYLE_COUNT];
};

/* What is declared for an element, and what may be. */
struct style_cascades {
	struct style_cascade known, doubts;
};

/* The bit of a property in `unknown`. */
#define STYLE_BIT(property) (UINT64_C(1) << STYLE_##property)

/* Nothing declared. */
void style_cascade_init(struct style_cascade *cascade);

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
