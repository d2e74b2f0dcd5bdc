/*
 * From declared values to seen or not seen. Pure functions; runs in the
 * reader's worker. Where a browser would need a layout to know, the limits
 * below decide, in doubt for hidden.
 */
#include "reader/html_look.h"

#define FONT_LEAST 400	  /* below 4 px nobody can read */
#define FONT_MOST 1000000 /* keeps products within 32 bits */
#define OPACITY_LEAST 100 /* a tenth */
#define FAR_BEFORE 50000  /* 500 px out of the window */
#define FAR_BEHIND 200000 /* 2,000 px */
#define FAR_EM 30000	  /* 30 em */
#define FAR_PERCENT 1000  /* the whole of the parent */
#define ZERO_PX 100	  /* 1 px */
#define ALPHA_LEAST 26	  /* of 255, where the background is not known */

/* Properties that hide when their value cannot be worked out, those that
 * then hide only where something is cut, and those that hardly hide. */
#define UNKNOWN_HIDES                                                          \
	(STYLE_BIT(CONTENT) | STYLE_BIT(DISPLAY) | STYLE_BIT(FONT_SIZE) |      \
	    STYLE_BIT(OPACITY) | STYLE_BIT(SCALE) | STYLE_BIT(VISIBILITY))
#define UNKNOWN_BOX                                                            \
	(STYLE_BIT(HEIGHT) | STYLE_BIT(MAX_HEIGHT) | STYLE_BIT(MAX_WIDTH) |    \
	    STYLE_BIT(WIDTH))
#define UNKNOWN_HARMLESS                                                       \
	(STYLE_BIT(BACKGROUND) | STYLE_BIT(IMAGE) | STYLE_BIT(OVERFLOW) |      \
	    STYLE_BIT(WHITE_SPACE))

const struct html_own html_own_none = {.reason = HIDDEN_COUNT, .opacity = 1000};

const struct html_look html_look_start = {.unseen = HIDDEN_COUNT,
    .reason = HIDDEN_COUNT,
    .opacity = 1000,
    .font = 1600,
    .text = COLOUR_BLACK,
    .background = COLOUR_WHITE};

static bool
is_set(const struct style_cascade *c, enum style_property property)
{
	return c->value[property].unit != UNIT_UNSET;
}

static int32_t
keyword(const struct style_cascade *c, enum style_property property)
{
	const struct style_value *v = &c->value[property];

	return v->unit == UNIT_KEYWORD ? v->n : 0;
}

/* Whether a distance leads out of the window. */
static bool
is_far(const struct style_value *v, bool behind_too)
{
	switch (v->unit) {
	case UNIT_PX:
		return v->n <= -FAR_BEFORE ||
		       (behind_too && v->n >= FAR_BEHIND);
	case UNIT_EM:
		return v->n <= -FAR_EM || (behind_too && v->n >= 4 * FAR_EM);
	case UNIT_PERCENT:
		return v->n <= -FAR_PERCENT ||
		       (behind_too && v->n >= 2 * FAR_PERCENT);
	default:
		return false;
	}
}

static bool
is_off_screen(const struct style_cascade *c)
{
	static const enum style_property edges[] = {
	    STYLE_LEFT, STYLE_RIGHT, STYLE_TOP, STYLE_BOTTOM, STYLE_INSET};

	if (keyword(c, STYLE_TRANSFORM) == 2 ||
	    keyword(c, STYLE_TRANSLATE) == 2 ||
	    is_far(&c->value[STYLE_MARGIN_LEFT], false) ||
	    is_far(&c->value[STYLE_MARGIN_TOP], false))
		return true;
	if (keyword(c, STYLE_POSITION) == 0)
		return false;
	for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
		if (is_far(&c->value[edges[i]], true))
			return true;
	return false;
}

static bool
is_zero_box(const struct style_cascade *c)
{
	static const enum style_property sides[] = {
	    STYLE_WIDTH, STYLE_HEIGHT, STYLE_MAX_WIDTH, STYLE_MAX_HEIGHT};

	if (keyword(c, STYLE_TRANSFORM) == 1 || keyword(c, STYLE_SCALE) == 1)
		return true;
	if (keyword(c, STYLE_OVERFLOW) == 0)
		return false;
	for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
		const struct style_value *v = &c->value[sides[i]];

		if ((v->unit == UNIT_PX && v->n <= ZERO_PX) ||
		    (v->unit != UNIT_UNSET && v->n == 0))
			return true;
	}
	return false;
}

/* Why the element hides all that is in it. */
static enum hidden
subtree_reason(const struct style_cascade *c)
{
	if (keyword(c, STYLE_DISPLAY) != 0)
		return (enum hidden)(keyword(c, STYLE_DISPLAY) - 1);
	if (keyword(c, STYLE_CONTENT) != 0)
		return HIDDEN_VISIBILITY;
	if (is_off_screen(c))
		return HIDDEN_OFF_SCREEN;
	if (is_far(&c->value[STYLE_TEXT_INDENT], true))
		return HIDDEN_TEXT_INDENT;
	if (keyword(c, STYLE_CLIP_PATH) != 0 ||
	    (keyword(c, STYLE_CLIP) != 0 && keyword(c, STYLE_POSITION) == 2))
		return HIDDEN_CLIP;
	if (is_zero_box(c))
		return HIDDEN_ZERO_BOX;
	return c->unknown & UNKNOWN_HIDES ? HIDDEN_STYLE_UNKNOWN : HIDDEN_COUNT;
}

/* Whether a value that was not understood may hide. */
static bool
is_unsure(const struct style_cascade *c)
{
	uint64_t bits = c->unknown & ~UNKNOWN_HARMLESS;

	return keyword(c, STYLE_OVERFLOW) == 0 ? (bits & ~UNKNOWN_BOX) != 0
					       : bits != 0;
}

static uint16_t
opacity_of(const struct style_value *v)
{
	if (v->unit != UNIT_NUMBER || v->n >= 1000)
		return 1000;
	return v->n < 0 ? 0 : (uint16_t)v->n;
}

static uint8_t
background_flags(const struct style_cascade *c)
{
	const struct style_value *v = &c->value[STYLE_BACKGROUND];

	if (v->unit == UNIT_COLOUR && ((uint32_t)v->n >> 24) != 0)
		return OWN_BACKGROUND;
	if (keyword(c, STYLE_BACKGROUND) != 0 || keyword(c, STYLE_IMAGE) != 0)
		return OWN_PICTURE;
	return 0;
}

static struct html_own
own_of(const struct style_cascade *c)
{
	struct html_own own = html_own_none;

	if (!c->used)
		return own;
	own.reason = (uint8_t)subtree_reason(c);
	own.flags = background_flags(c);
	own.background = (colour)c->value[STYLE_BACKGROUND].n;
	if (c->value[STYLE_COLOUR].unit == UNIT_COLOUR)
		own.flags |= OWN_COLOUR;
	own.text = (colour)c->value[STYLE_COLOUR].n;
	if (is_set(c, STYLE_VISIBILITY))
		own.flags |=
		    keyword(c, STYLE_VISIBILITY) != 0 ? OWN_HIDE : OWN_SHOW;
	if (is_set(c, STYLE_WHITE_SPACE))
		own.flags |=
		    keyword(c, STYLE_WHITE_SPACE) != 0 ? OWN_PRE : OWN_WRAP;
	own.font_unit = (uint8_t)c->value[STYLE_FONT_SIZE].unit;
	own.font = c->value[STYLE_FONT_SIZE].n;
	own.opacity =
	    (uint16_t)((uint32_t)opacity_of(&c->value[STYLE_OPACITY]) *
		       opacity_of(&c->value[STYLE_FILTER]) / 1000);
	return own;
}

struct html_own
html_own_in(const struct html_look *parent, const struct style_cascades *c,
    bool *unsure_out)
{
	struct html_own own = own_of(&c->known), worst;
	struct style_cascade both;

	*unsure_out |= is_unsure(&c->known);
	if (!c->doubts.used)
		return own;
	both = c->known;
	style_doubt(&both, &c->doubts);
	*unsure_out |= is_unsure(&both);
	worst = own_of(&both);
	if (html_look_inside(parent, &own).unseen == HIDDEN_COUNT &&
	    html_look_inside(parent, &worst).unseen != HIDDEN_COUNT) {
		own.reason = HIDDEN_STYLE_UNKNOWN;
		*unsure_out = true;
	}
	return own;
}

bool
html_own_plain(const struct html_own *own)
{
	return (own->flags & ~OWN_BARE) == 0 && own->reason == HIDDEN_COUNT &&
	       own->font_unit == UNIT_UNSET && own->opacity == 1000;
}

void
html_own_merge(struct html_own *own, const struct html_own *inner)
{
	if (own->reason == HIDDEN_COUNT)
		own->reason = inner->reason;
	own->flags = (uint8_t)((own->flags & ~OWN_SHOW) | inner->flags);
	own->opacity =
	    (uint16_t)((uint32_t)own->opacity * inner->opacity / 1000);
	if (inner->font_unit != UNIT_UNSET) {
		own->font_unit = inner->font_unit;
		own->font = inner->font;
	}
	if (inner->flags & OWN_COLOUR)
		own->text = inner->text;
	if (inner->flags & OWN_BACKGROUND)
		own->background = inner->background;
}

static int32_t
font_inside(int32_t parent, const struct html_own *own)
{
	int64_t font = parent;

	if (own->font_unit == UNIT_PX)
		font = own->font;
	else if (own->font_unit == UNIT_EM)
		font = font * own->font / 1000;
	return font > FONT_MOST ? FONT_MOST : (int32_t)font;
}

/* Why text of that look is not seen, or HIDDEN_COUNT. */
static enum hidden
unseen_reason(const struct html_look *look)
{
	if (look->reason != HIDDEN_COUNT)
		return look->reason;
	if (look->invisible)
		return HIDDEN_VISIBILITY;
	if (look->opacity < OPACITY_LEAST)
		return HIDDEN_OPACITY;
	if (look->font < FONT_LEAST)
		return HIDDEN_FONT_SIZE;
	if (look->picture)
		return look->text >> 24 < ALPHA_LEAST ? HIDDEN_COLOUR
						      : HIDDEN_COUNT;
	if (colour_near(
		colour_blend(look->text, look->background), look->background))
		return HIDDEN_COLOUR;
	return HIDDEN_COUNT;
}

struct html_look
html_look_inside(const struct html_look *parent, const struct html_own *own)
{
	struct html_look look = *parent;

	if (html_own_plain(own))
		return look;
	if (look.reason == HIDDEN_COUNT)
		look.reason = own->reason;
	if (own->flags & (OWN_HIDE | OWN_SHOW))
		look.invisible = (own->flags & OWN_HIDE) != 0;
	if (own->flags & (OWN_PRE | OWN_WRAP))
		look.pre = (own->flags & OWN_PRE) != 0;
	look.opacity = (uint16_t)((uint32_t)look.opacity * own->opacity / 1000);
	look.font = font_inside(parent->font, own);
	if (own->flags & OWN_COLOUR)
		look.text = own->text;
	if (own->flags & OWN_PICTURE)
		look.picture = true;
	if (own->flags & OWN_BACKGROUND) {
		look.background =
		    colour_blend(own->background, parent->background);
		look.picture &= own->background >> 24 != 0xff;
	}
	look.unseen = (uint8_t)unseen_reason(&look);
	return look;
}
