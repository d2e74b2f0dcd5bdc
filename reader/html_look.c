/*
 * From declared values to seen or not seen. Pure functions; runs in the
 * reader's worker. Where a browser would need a layout to know, the limits
 * below decide, in doubt for hidden.
 */
#include "reader/html_look.h"

#define FONT_MOST 1000000 /* keeps products within 32 bits */
#define OPACITY_LEAST 100 /* a tenth */
#define FAR_BEFORE 50000  /* 500 px out of the window */
#define FAR_BEHIND 200000 /* 2,000 px */
#define FAR_EM 30000	  /* 30 em */
#define FAR_PERCENT 1000  /* the whole of the parent */
#define ZERO_PX 400	  /* 4 px: no letter is smaller that can be read */
#define LETTER_PX (-600)  /* 6 px closer, and letters are one blot */
#define LETTER_EM (-400)
#define WORD_LEAST (-1500)   /* hundredths of a px or thousandths closer */
#define ADJUST_LEAST 250     /* thousandths of the font size */
#define LINE_PX 200	     /* of a line; thousandths if relative */
#define EM_PX 1600	     /* where the font does not matter much */
#define WINDOW 100000	     /* its width */
#define PLACE_MOST 100000000 /* 1,000,000 px */
#define ASIDE (-5000)	     /* 50 px to the left */
#define ALPHA_LEAST 26	     /* of 255, where the background is not known */

/* Properties that hide when their value cannot be worked out, those that then
 * hide only where something is cut or moved, and those that hardly hide. */
#define UNKNOWN_BOX                                                            \
	(STYLE_BIT(HEIGHT) | STYLE_BIT(LINE_HEIGHT) | STYLE_BIT(MAX_HEIGHT) |  \
	    STYLE_BIT(MAX_WIDTH) | STYLE_BIT(WIDTH))
#define UNKNOWN_PLACE                                                          \
	(STYLE_BIT(BOTTOM) | STYLE_BIT(CLIP) | STYLE_BIT(INSET) |              \
	    STYLE_BIT(LEFT) | STYLE_BIT(RIGHT) | STYLE_BIT(TOP) |              \
	    STYLE_BIT(Z_INDEX))
#define UNKNOWN_HARMLESS                                                       \
	(STYLE_BIT(ANIMATION) | STYLE_BIT(BIDI) | STYLE_BIT(DIRECTION) |       \
	    STYLE_BIT(FLOAT) | STYLE_BIT(OVERFLOW_X) | STYLE_BIT(OVERFLOW_Y) | \
	    STYLE_BIT(PADDING_LEFT) | STYLE_BIT(PADDING_TOP) |                 \
	    STYLE_BIT(WHITE_SPACE))

const struct html_own html_own_none = {
    .reason = HIDDEN_COUNT, .opacity = 1000, .shrink = 1000};

const struct html_look html_look_start = {.unseen = HIDDEN_COUNT,
    .reason = HIDDEN_COUNT,
    .opacity = 1000,
    .shrink = 1000,
    .font = 1600,
    .text = COLOUR_BLACK,
    .other = COLOUR_BLACK,
    .page = COLOUR_BLACK,
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
is_far(const struct style_value *v)
{
	switch (v->unit) {
	case UNIT_PX:
		return v->n <= -FAR_BEFORE || v->n >= FAR_BEHIND;
	case UNIT_EM:
		return v->n <= -FAR_EM || v->n >= 4 * FAR_EM;
	case UNIT_PERCENT:
		return v->n <= -FAR_PERCENT || v->n >= FAR_PERCENT;
	default:
		return false;
	}
}

static bool
is_any_far(
    const struct style_cascade *c, const enum style_property *of, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_far(&c->value[of[i]]))
			return true;
	return false;
}

static bool
is_off_screen(const struct style_cascade *c)
{
	static const enum style_property room[] = {STYLE_MARGIN_LEFT,
	    STYLE_MARGIN_TOP, STYLE_PADDING_LEFT, STYLE_PADDING_TOP};
	static const enum style_property edges[] = {
	    STYLE_LEFT, STYLE_RIGHT, STYLE_TOP, STYLE_BOTTOM, STYLE_INSET};

	if (keyword(c, STYLE_TRANSFORM) == 2 ||
	    keyword(c, STYLE_TRANSLATE) == 2 ||
	    is_any_far(c, room, sizeof room / sizeof room[0]))
		return true;
	return keyword(c, STYLE_POSITION) != 0 &&
	       is_any_far(c, edges, sizeof edges / sizeof edges[0]);
}

/* Whether one of the axes is cut: then a browser cuts the other too. */
static bool
is_cut(const struct style_cascade *c)
{
	return keyword(c, STYLE_OVERFLOW_X) != 0 ||
	       keyword(c, STYLE_OVERFLOW_Y) != 0;
}

static bool
is_zero_box(const struct style_cascade *c)
{
	static const enum style_property sides[] = {
	    STYLE_WIDTH, STYLE_HEIGHT, STYLE_MAX_WIDTH, STYLE_MAX_HEIGHT};
	const struct style_value *letter = &c->value[STYLE_LETTER];

	if (keyword(c, STYLE_REPLACED) != 0 || keyword(c, STYLE_ROTATE) != 0 ||
	    keyword(c, STYLE_CONTAIN) != 0 ||
	    (c->value[STYLE_ADJUST].unit == UNIT_NUMBER &&
		c->value[STYLE_ADJUST].n < ADJUST_LEAST) ||
	    c->value[STYLE_WORD_SPACING].n <= WORD_LEAST ||
	    (letter->unit == UNIT_PX && letter->n <= LETTER_PX) ||
	    (letter->unit == UNIT_EM && letter->n <= LETTER_EM))
		return true;
	if (!is_cut(c))
		return false;
	for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
		const struct style_value *v = &c->value[sides[i]];

		if ((v->unit == UNIT_PX && v->n <= ZERO_PX) ||
		    (v->unit == UNIT_EM && v->n <= ZERO_PX / 2) ||
		    (v->unit != UNIT_UNSET && v->n == 0))
			return true;
	}
	return false;
}

/* Whether a value that was not understood may hide. */
static bool
is_unsure(const struct style_cascade *c)
{
	uint64_t bits = c->unknown & ~UNKNOWN_HARMLESS;

	if (!is_cut(c))
		bits &= ~UNKNOWN_BOX;
	if (keyword(c, STYLE_POSITION) == 0)
		bits &= ~UNKNOWN_PLACE;
	return bits != 0 || keyword(c, STYLE_BLEND) != 0;
}

/* Why the element hides all that is in it. */
static enum hidden
subtree_reason(const struct style_cascade *c)
{
	if (keyword(c, STYLE_DISPLAY) > 0)
		return (enum hidden)(keyword(c, STYLE_DISPLAY) - 1);
	if (keyword(c, STYLE_CONTENT) != 0 || keyword(c, STYLE_SECURITY) != 0)
		return HIDDEN_VISIBILITY;
	if (is_off_screen(c))
		return HIDDEN_OFF_SCREEN;
	if (is_far(&c->value[STYLE_TEXT_INDENT]))
		return HIDDEN_TEXT_INDENT;
	if (keyword(c, STYLE_CLIP_PATH) != 0 ||
	    (keyword(c, STYLE_CLIP) != 0 && keyword(c, STYLE_POSITION) == 2))
		return HIDDEN_CLIP;
	if (is_zero_box(c))
		return HIDDEN_ZERO_BOX;
	return is_unsure(c) ? HIDDEN_STYLE_UNKNOWN : HIDDEN_COUNT;
}

static uint16_t
opacity_of(const struct style_value *v)
{
	if (v->unit != UNIT_NUMBER || v->n >= 1000)
		return 1000;
	return v->n < 0 ? 0 : (uint16_t)v->n;
}

/* What of a length is left, in thousandths. */
static uint32_t
shrink_of(const struct style_value *v)
{
	return v->unit == UNIT_NUMBER ? (uint32_t)v->n : 1000;
}

static void
own_background(struct html_own *own, const struct style_cascade *c)
{
	const struct style_value *v = &c->value[STYLE_BACKGROUND];
	const struct style_value *image = &c->value[STYLE_IMAGE];

	own->background = v->unit == UNIT_COLOUR ? (colour)v->n : COLOUR_CLEAR;
	if (image->unit == UNIT_COLOUR && (uint32_t)image->n >> 24 != 0)
		own->background = (colour)image->n;
	if (own->background >> 24 != 0)
		own->flags |= OWN_BACKGROUND;
	else if (keyword(c, STYLE_BACKGROUND) != 0)
		own->flags |= OWN_SAME;
	if (keyword(c, STYLE_IMAGE) == 2)
		own->flags |= OWN_PICTURE;
	else if (keyword(c, STYLE_IMAGE) != 0)
		own->flags |= OWN_IMAGE;
	if (keyword(c, STYLE_CLIP_TEXT) != 0)
		own->flags |= OWN_INK;
}

static void
own_text(struct html_own *own, const struct style_cascade *c)
{
	if (c->value[STYLE_COLOUR].unit == UNIT_COLOUR)
		own->flags |= OWN_COLOUR;
	own->text = (colour)c->value[STYLE_COLOUR].n;
	if (is_set(c, STYLE_FILL))
		own->flags |= c->value[STYLE_FILL].unit == UNIT_COLOUR
				  ? OWN_FILL
				  : OWN_UNFILL;
	own->fill = (colour)c->value[STYLE_FILL].n;
	own->font_unit = (uint8_t)c->value[STYLE_FONT_SIZE].unit;
	own->font = c->value[STYLE_FONT_SIZE].n;
	if (is_set(c, STYLE_VISIBILITY))
		own->flags |=
		    keyword(c, STYLE_VISIBILITY) != 0 ? OWN_HIDE : OWN_SHOW;
	if (is_set(c, STYLE_WHITE_SPACE))
		own->flags |=
		    keyword(c, STYLE_WHITE_SPACE) != 0 ? OWN_PRE : OWN_WRAP;
	if (is_set(c, STYLE_BIDI) || is_set(c, STYLE_DIRECTION)) {
		own->flags |= OWN_TURNS;
		if (keyword(c, STYLE_BIDI) != 0)
			own->turn = keyword(c, STYLE_DIRECTION) == 2
					? TURN_LEFT
					: TURN_RIGHT;
	}
}

/* The least height or width a box that cuts may have, in hundredths of a px;
 * 0 if that depends on others. */
static int32_t
side_of(const struct style_cascade *c, enum style_property side,
    enum style_property most)
{
	int32_t a = c->value[side].unit == UNIT_PX ? c->value[side].n : 0;
	int32_t b = c->value[most].unit == UNIT_PX ? c->value[most].n : 0;

	return b > 0 && (a == 0 || b < a) ? b : a;
}

/* How far some lengths move the text together, in hundredths of a px. */
static int32_t
moved_by(const struct style_cascade *c, const enum style_property of[3])
{
	int64_t sum = 0;

	for (size_t i = 0; i < 3 && of[i] != STYLE_COUNT; i++) {
		const struct style_value *v = &c->value[of[i]];

		if (v->unit == UNIT_PX)
			sum += v->n;
		else if (v->unit == UNIT_EM)
			sum += (int64_t)v->n * EM_PX / 1000;
		else if (v->unit == UNIT_PERCENT)
			sum += (int64_t)v->n * WINDOW / 1000;
	}
	return sum > FAR_BEHIND	   ? FAR_BEHIND
	       : sum < -FAR_BEHIND ? -FAR_BEHIND
				   : (int32_t)sum;
}

static void
own_place(struct html_own *own, const struct style_cascade *c)
{
	bool placed = keyword(c, STYLE_POSITION) != 0;
	enum style_property down[3] = {STYLE_MARGIN_TOP, STYLE_PADDING_TOP,
	    placed ? STYLE_TOP : STYLE_COUNT};
	enum style_property across[3] = {STYLE_MARGIN_LEFT, STYLE_PADDING_LEFT,
	    placed ? STYLE_LEFT : STYLE_TEXT_INDENT};

	own->down = moved_by(c, down);
	if (keyword(c, STYLE_POSITION) == 2 && is_set(c, STYLE_TOP) &&
	    own->down <= ASIDE && own->reason == HIDDEN_COUNT)
		own->reason = HIDDEN_OFF_SCREEN;
	own->across = moved_by(c, across);
}

static void
own_box(struct html_own *own, const struct style_cascade *c)
{
	const struct style_value *line = &c->value[STYLE_LINE_HEIGHT];
	int32_t display = keyword(c, STYLE_DISPLAY);

	own->display = display < 0 ? (int8_t)display : 0;
	if (keyword(c, STYLE_FLOAT) != 0 || keyword(c, STYLE_POSITION) == 2)
		own->display = DISPLAY_BLOCK;
	if (line->unit != UNIT_UNSET)
		own->flags |= line->n <= LINE_PX ? OWN_FLAT : OWN_TALL;
	if (c->value[STYLE_Z_INDEX].n < 0 && keyword(c, STYLE_POSITION) != 0)
		own->flags |= OWN_BEHIND;
	if (is_set(c, STYLE_NOWRAP))
		own->flags |=
		    keyword(c, STYLE_NOWRAP) != 0 ? OWN_NOWRAP : OWN_BREAKS;
	if (is_cut(c))
		own->flags |= OWN_CUT;
	own->width = side_of(c, STYLE_WIDTH, STYLE_MAX_WIDTH);
	own->height = side_of(c, STYLE_HEIGHT, STYLE_MAX_HEIGHT);
	own->lines = c->value[STYLE_LINE_CLAMP].n / 1000;
	own_place(own, c);
}

static struct html_own
own_of(const struct style_cascade *c)
{
	struct html_own own = html_own_none;

	if (!c->used)
		return own;
	own.reason = (uint8_t)subtree_reason(c);
	own_background(&own, c);
	own_text(&own, c);
	own_box(&own, c);
	own.opacity =
	    (uint16_t)((uint32_t)opacity_of(&c->value[STYLE_OPACITY]) *
		       opacity_of(&c->value[STYLE_FILTER]) / 1000);
	own.shrink = (uint16_t)(shrink_of(&c->value[STYLE_SCALE]) *
				shrink_of(&c->value[STYLE_TRANSFORM]) / 1000 *
				shrink_of(&c->value[STYLE_ZOOM]) / 1000);
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
	return (own->flags & ~(uint32_t)OWN_BARE) == 0 &&
	       own->reason == HIDDEN_COUNT && own->font_unit == UNIT_UNSET &&
	       own->opacity == 1000 && own->shrink == 1000 && own->down == 0 &&
	       own->across == 0;
}

void
html_own_merge(struct html_own *own, const struct html_own *inner)
{
	if (own->reason == HIDDEN_COUNT)
		own->reason = inner->reason;
	own->flags = (own->flags & ~(uint32_t)OWN_SHOW) | inner->flags;
	own->opacity =
	    (uint16_t)((uint32_t)own->opacity * inner->opacity / 1000);
	own->shrink = (uint16_t)((uint32_t)own->shrink * inner->shrink / 1000);
	if (inner->font_unit != UNIT_UNSET) {
		own->font_unit = inner->font_unit;
		own->font = inner->font;
	}
	if (inner->flags & OWN_COLOUR)
		own->text = inner->text;
	if (inner->flags & OWN_FILL)
		own->fill = inner->fill;
	if (inner->flags & OWN_BACKGROUND)
		own->background = inner->background;
}

static int32_t
font_inside(const struct html_look *parent, const struct html_own *own)
{
	int64_t font = parent->font;

	if (own->font_unit == UNIT_PX)
		font = own->font;
	else if (own->font_unit == UNIT_EM)
		font = font * own->font / 1000;
	else if (own->font_unit == UNIT_REM && parent->root_font != 0)
		font = (int64_t)parent->root_font * own->font / 1000;
	else if (own->font_unit == UNIT_REM)
		font = font * own->font / 1000;
	return font > FONT_MOST ? FONT_MOST : (int32_t)font;
}

/* Whether letters of that colour cannot be told from what is behind them. */
static bool
is_lost(const struct html_look *look, colour text)
{
	colour alpha = (text >> 24) * look->opacity / 1000;

	if (look->picture)
		return alpha < ALPHA_LEAST;
	text = (text & 0xffffff) | alpha << 24;
	return colour_near(
	    colour_blend(text, look->background), look->background);
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
	if (look->shrink == 0 || (look->cut && look->flat))
		return HIDDEN_ZERO_BOX;
	if ((int64_t)look->font * look->shrink / 1000 < FONT_LEAST)
		return HIDDEN_FONT_SIZE;
	if (look->filled
		? is_lost(look, look->fill)
		: is_lost(look, look->text) || is_lost(look, look->other))
		return HIDDEN_COLOUR;
	return HIDDEN_COUNT;
}

/* Paint the letters: with the own background where that shows through. */
static void
paint_text(struct html_look *look, const struct html_own *own)
{
	colour letters;

	if (own->flags & OWN_TABLE)
		look->other = look->page;
	if (own->flags & OWN_COLOUR)
		look->text = look->other = own->text;
	if (own->flags & OWN_PAGE)
		look->page = look->text;
	if (own->flags & OWN_FILL)
		look->fill = own->fill;
	if (own->flags & (OWN_FILL | OWN_UNFILL))
		look->filled = (own->flags & OWN_FILL) != 0;
	if ((own->flags & OWN_INK) == 0)
		return;
	letters = look->filled ? look->fill : look->text;
	if (letters >> 24 >= ALPHA_LEAST)
		return;
	look->filled = true;
	if (own->flags & OWN_PICTURE) {
		look->fill = COLOUR_BLACK;
		look->picture = true;
	} else if (own->flags & OWN_BACKGROUND) {
		look->fill = own->background;
	}
}

static void
paint_background(struct html_look *look, const struct html_own *own)
{
	if (own->flags & OWN_INK)
		return;
	if (own->flags & OWN_SAME) {
		look->background = colour_blend(look->text, look->background);
		look->picture = false;
	}
	if (own->flags & OWN_BACKGROUND) {
		look->background =
		    colour_blend(own->background, look->background);
		look->picture &= own->background >> 24 != 0xff;
		look->image &= own->background >> 24 != 0xff;
	}
	look->picture |= (own->flags & OWN_PICTURE) != 0;
	look->image |= (own->flags & OWN_IMAGE) != 0;
}

/* Whether the text is moved out of what cuts around it. */
static bool
is_moved_out(const struct html_look *parent, const struct html_own *own)
{
	int32_t width = parent->cut_width > 0 ? parent->cut_width : WINDOW;

	return own->down <= -parent->font || own->across <= ASIDE ||
	       own->across >= width;
}

/* Whether the page itself begins outside of its window. */
static bool
is_page_moved(const struct html_look *parent, const struct html_own *own)
{
	if (parent->root_font != 0 && (own->flags & OWN_PAGE) == 0)
		return false;
	return own->down <= -EM_PX || own->across <= -EM_PX;
}

struct html_look
html_look_inside(const struct html_look *parent, const struct html_own *own)
{
	struct html_look look = *parent;

	if (html_own_plain(own) && look.root_font != 0)
		return look;
	if (look.reason == HIDDEN_COUNT)
		look.reason = own->reason;
	if (look.reason == HIDDEN_COUNT && look.covered &&
	    (own->flags & OWN_BEHIND))
		look.reason = HIDDEN_OFF_SCREEN;
	if (look.x < PLACE_MOST && look.x > -PLACE_MOST)
		look.x += own->across;
	if (look.y < PLACE_MOST && look.y > -PLACE_MOST)
		look.y += own->down;
	if (look.reason == HIDDEN_COUNT &&
	    (look.x <= ASIDE || is_page_moved(parent, own) ||
		(parent->cut && is_moved_out(parent, own))))
		look.reason = HIDDEN_OFF_SCREEN;
	if (own->flags & (OWN_NOWRAP | OWN_BREAKS))
		look.nowrap = (own->flags & OWN_NOWRAP) != 0;
	if (own->flags & (OWN_HIDE | OWN_SHOW))
		look.invisible = (own->flags & OWN_HIDE) != 0;
	if (own->flags & (OWN_PRE | OWN_WRAP))
		look.pre = (own->flags & OWN_PRE) != 0;
	if (own->flags & (OWN_FLAT | OWN_TALL))
		look.flat = (own->flags & OWN_FLAT) != 0;
	if (own->flags & OWN_TURNS)
		look.turn = own->turn;
	if ((own->flags & OWN_CUT) != 0) {
		look.cut = true;
		if (own->width > 0 &&
		    (look.cut_width == 0 || own->width < look.cut_width))
			look.cut_width = own->width;
	}
	look.opacity = (uint16_t)((uint32_t)look.opacity * own->opacity / 1000);
	look.shrink = (uint16_t)((uint32_t)look.shrink * own->shrink / 1000);
	look.font = font_inside(parent, own);
	paint_text(&look, own);
	paint_background(&look, own);
	if (parent->root_font == 0)
		look.root_font = look.font > 0 ? look.font : 1;
	else if ((own->flags & OWN_PAGE) == 0)
		look.covered |=
		    (own->flags & (OWN_BACKGROUND | OWN_PICTURE | OWN_IMAGE)) !=
		    0;
	look.unseen = (uint8_t)unseen_reason(&look);
	return look;
}
