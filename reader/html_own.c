/*
 * From declared values to seen or not seen. Pure functions; runs in the
 * reader's worker. Where a browser would need a layout to know, the limits
 * below decide, in doubt for hidden.
 */
#include "reader/html_look.h"
#include "reader/html_value.h"

#define FAR_HEIGHT 80000 /* 800 px, where nobody can scroll */
#define ZERO_PX 400	 /* 4 px: no letter is smaller that can be read */
#define NARROW_PX 800	 /* nor is there a line that can be in less */
#define LETTER_PX (-600) /* 6 px closer, and letters are one blot */
#define LETTER_EM (-400)
#define LETTER_MOST 10000 /* hundredths of a px or thousandths apart */
#define WORD_SPACING_MOST 50000
#define WORD_SPACING_LEAST (-1500) /* the same closer */
#define ADJUST_LEAST 250	   /* thousandths of the font size */
#define LINE_PX 200		   /* of a line; thousandths if relative */
#define STROKE_MOST 300		   /* hundredths of a px around a letter */

/* What takes the room from boxes inside. */
#define OWN_ROOM (OWN_PINCHED | OWN_NARROW | OWN_LOW)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

const struct html_own html_own_none = {
    .reason = HIDDEN_COUNT, .opacity = 1000, .shrink = 1000};

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

/* Whether a distance leads out of the window, where `px` and more do. */
static bool
is_far(const struct style_value *v, int32_t px)
{
	switch (v->unit) {
	case UNIT_PX:
		return v->n <= -FAR_BEFORE || v->n >= px;
	case UNIT_EM:
		return v->n <= -FAR_EM ||
		       (int64_t)v->n * EM_PX >= (int64_t)px * 1000;
	case UNIT_PERCENT:
		return v->n <= -FAR_PERCENT || v->n >= FAR_PERCENT;
	default:
		return false;
	}
}

static bool
is_any_far(const struct style_cascade *c, const enum style_property *of,
    size_t count, int32_t px)
{
	for (size_t i = 0; i < count; i++)
		if (is_far(&c->value[of[i]], px))
			return true;
	return false;
}

/* Whether an edge of what is placed is far away; `end` counts if there is no
 * `start`. */
static bool
is_placed_far(const struct style_cascade *c, enum style_property start,
    enum style_property end, int32_t start_px, int32_t end_px)
{
	if (is_set(c, start))
		return is_far(&c->value[start], start_px);
	return is_far(&c->value[end], end_px);
}

static bool
is_off_screen(const struct style_cascade *c)
{
	static const enum style_property across[] = {
	    STYLE_MARGIN_LEFT, STYLE_PADDING_LEFT, STYLE_BORDER_LEFT};
	static const enum style_property down[] = {
	    STYLE_MARGIN_TOP, STYLE_PADDING_TOP, STYLE_BORDER_TOP};
	int32_t position = keyword(c, STYLE_POSITION);

	if (keyword(c, STYLE_TRANSFORM) == 2 ||
	    keyword(c, STYLE_TRANSLATE) == 2 ||
	    is_any_far(c, across, COUNT_OF(across), FAR_ASIDE) ||
	    is_any_far(c, down, COUNT_OF(down), FAR_BELOW))
		return true;
	if (position == 0)
		return false;
	return is_placed_far(
		   c, STYLE_LEFT, STYLE_RIGHT, FAR_ASIDE, FAR_ASIDE) ||
	       is_placed_far(c, STYLE_TOP, STYLE_BOTTOM,
		   position == 3 ? FAR_HEIGHT : FAR_BELOW,
		   position >= 2 ? FAR_HEIGHT : FAR_BELOW);
}

/* Whether one of the axes is cut: then a browser cuts the other too. */
static bool
is_cut(const struct style_cascade *c)
{
	return keyword(c, STYLE_CUT) != 0 ||
	       keyword(c, STYLE_OVERFLOW_X) != 0 ||
	       keyword(c, STYLE_OVERFLOW_Y) != 0;
}

/* Whether a length has room for no letter. */
static bool
is_none_left(const struct style_value *v)
{
	return (v->unit == UNIT_PX && v->n <= ZERO_PX) ||
	       (v->unit == UNIT_EM && v->n <= ZERO_PX / 2) ||
	       (v->unit != UNIT_UNSET && v->n == 0);
}

/* Whether letters or words lie on each other, or far apart. */
static bool
is_torn(const struct style_cascade *c)
{
	const struct style_value *letter = &c->value[STYLE_LETTER];
	const struct style_value *word = &c->value[STYLE_WORD_SPACING];

	if (word->n <= WORD_SPACING_LEAST || word->n >= WORD_SPACING_MOST ||
	    letter->n >= LETTER_MOST)
		return true;
	return letter->n <= (letter->unit == UNIT_EM ? LETTER_EM : LETTER_PX);
}

static bool
is_zero_box(const struct style_cascade *c)
{
	static const enum style_property sides[] = {
	    STYLE_WIDTH, STYLE_MAX_WIDTH, STYLE_HEIGHT, STYLE_MAX_HEIGHT};
	if (is_none_left(&c->value[STYLE_BASIS]) && is_cut(c) &&
	    c->value[STYLE_GROW].n == 0)
		return true;
	if (keyword(c, STYLE_REPLACED) != 0 || keyword(c, STYLE_ROTATE) != 0 ||
	    keyword(c, STYLE_CONTAIN) != 0 ||
	    (c->value[STYLE_ADJUST].unit == UNIT_NUMBER &&
		c->value[STYLE_ADJUST].n < ADJUST_LEAST) ||
	    is_torn(c))
		return true;
	if (!is_cut(c))
		return false;
	for (size_t i = 0; i < COUNT_OF(sides); i++)
		if (is_none_left(&c->value[sides[i]]))
			return true;
	for (size_t i = 0; i < 2; i++)
		if (c->value[sides[i]].unit == UNIT_PX &&
		    c->value[sides[i]].n <= NARROW_PX)
			return true;
	return false;
}

/* Whether a property with a value that is not known may hide: some only where
 * something is cut or moved, some hardly. */
static bool
may_hide(const struct style_cascade *c, enum style_property property)
{
	switch (property) {
	case STYLE_BASIS:
	case STYLE_HEIGHT:
	case STYLE_LINE_HEIGHT:
	case STYLE_MAX_HEIGHT:
	case STYLE_MAX_WIDTH:
	case STYLE_WIDTH:
		return is_cut(c);
	case STYLE_BOTTOM:
	case STYLE_CLIP:
	case STYLE_LEFT:
	case STYLE_RIGHT:
	case STYLE_TOP:
	case STYLE_Z_INDEX:
		return keyword(c, STYLE_POSITION) != 0;
	case STYLE_ALIGN:
	case STYLE_ANIMATION:
	case STYLE_BIDI:
	case STYLE_BORDER_LEFT:
	case STYLE_BORDER_TOP:
	case STYLE_CUT:
	case STYLE_DIRECTION:
	case STYLE_FLOAT:
	case STYLE_GROW:
	case STYLE_ORIGIN:
	case STYLE_OVERFLOW_X:
	case STYLE_OVERFLOW_Y:
	case STYLE_PADDING_LEFT:
	case STYLE_PADDING_TOP:
	case STYLE_SHIFT:
	case STYLE_STRANGE:
	case STYLE_TILE:
	case STYLE_TABLE_FIXED:
	case STYLE_TRACK_AUTO: /* is_pinched() */
	case STYLE_TRACK_COLUMNS:
	case STYLE_TRACK_ROWS:
	case STYLE_WHITE_SPACE:
		return false;
	default:
		return true;
	}
}

/* Whether something that was not understood may hide. */
static bool
is_unsure(const struct style_cascade *c)
{
	bool turned = is_set(c, STYLE_TRANSFORM) || is_set(c, STYLE_SCALE) ||
		      is_set(c, STYLE_ROTATE) || is_set(c, STYLE_ZOOM);

	if (!c->used)
		return false;
	for (size_t i = 0; i < STYLE_COUNT; i++)
		if (c->unknown[i] && may_hide(c, (enum style_property)i))
			return true;
	return keyword(c, STYLE_ODD) != 0 ||
	       (keyword(c, STYLE_TILE) != 0 &&
		   c->value[STYLE_IMAGE].unit == UNIT_COLOUR) ||
	       keyword(c, STYLE_BLEND) != 0 ||
	       keyword(c, STYLE_BACKDROP) != 0 || keyword(c, STYLE_PATH) != 0 ||
	       (keyword(c, STYLE_ORIGIN) != 0 && turned) ||
	       c->value[STYLE_STROKE].n >= STROKE_MOST;
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
	if (is_far(&c->value[STYLE_TEXT_INDENT], FAR_ASIDE))
		return HIDDEN_TEXT_INDENT;
	if (keyword(c, STYLE_CLIP_PATH) != 0 ||
	    (keyword(c, STYLE_CLIP) != 0 && keyword(c, STYLE_POSITION) >= 2))
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

/* A length in hundredths of a px, where a window is the whole. */
static int64_t
in_px(const struct style_value *v)
{
	switch (v->unit) {
	case UNIT_PX:
		return v->n;
	case UNIT_EM:
		return (int64_t)v->n * EM_PX / 1000;
	case UNIT_PERCENT:
		return (int64_t)v->n * WINDOW / 1000;
	default:
		return 0;
	}
}

/* How far the edge `start` of what is placed, or the one across from it, moves
 * the text. */
static int64_t
placed_by(const struct style_cascade *c, enum style_property start,
    enum style_property end)
{
	int32_t position = keyword(c, STYLE_POSITION);

	if (position != 0 && is_set(c, start))
		return in_px(&c->value[start]);
	return position == 1 ? -in_px(&c->value[end]) : 0;
}

static int32_t
bounded(int64_t n)
{
	return n > FAR_BELOW	? FAR_BELOW
	       : n < -FAR_BELOW ? -FAR_BELOW
				: (int32_t)n;
}

static void
own_place(struct html_own *own, const struct style_cascade *c)
{
	static const enum style_property ahead[] = {STYLE_MARGIN_LEFT,
	    STYLE_PADDING_LEFT, STYLE_BORDER_LEFT, STYLE_TRANSFORM_X,
	    STYLE_TRANSLATE_X, STYLE_TEXT_INDENT};
	static const enum style_property above[] = {
	    STYLE_MARGIN_TOP, STYLE_PADDING_TOP, STYLE_BORDER_TOP};
	int64_t across = placed_by(c, STYLE_LEFT, STYLE_RIGHT);
	int64_t down = placed_by(c, STYLE_TOP, STYLE_BOTTOM);

	for (size_t i = 0; i < COUNT_OF(ahead); i++)
		across += in_px(&c->value[ahead[i]]);
	for (size_t i = 0; i < COUNT_OF(above); i++)
		down += in_px(&c->value[above[i]]);
	own->across = bounded(across);
	own->down = bounded(down - in_px(&c->value[STYLE_ALIGN]));
	if (own->reason != HIDDEN_COUNT)
		return;
	if (own->across >= FAR_ASIDE || own->down >= FAR_BELOW ||
	    (keyword(c, STYLE_POSITION) >= 2 && is_set(c, STYLE_TOP) &&
		own->down <= ASIDE))
		own->reason = HIDDEN_OFF_SCREEN;
}

/* Whether a grid or a flexible box leaves what is cut in it no room. */
static bool
is_pinched(const struct style_cascade *c)
{
	static const enum style_property tracks[] = {
	    STYLE_TRACK_AUTO, STYLE_TRACK_COLUMNS, STYLE_TRACK_ROWS};

	bool flex = keyword(c, STYLE_DISPLAY) == DISPLAY_FLEX;

	/* a doubt about rows and columns comes without one about display */
	if (is_set(c, STYLE_DISPLAY) && !flex)
		return false;
	for (size_t i = 0; i < COUNT_OF(tracks); i++)
		if (keyword(c, tracks[i]) != 0 || c->unknown[tracks[i]])
			return true;
	if (!flex)
		return false;
	return is_none_left(&c->value[STYLE_HEIGHT]) ||
	       is_none_left(&c->value[STYLE_MAX_HEIGHT]);
}

static bool
is_slim(const struct style_cascade *c, enum style_property side,
    enum style_property most)
{
	return is_none_left(&c->value[side]) || is_none_left(&c->value[most]);
}

/* What the box does to boxes in it that cut. */
static void
own_room(struct html_own *own, const struct style_cascade *c)
{
	if (keyword(c, STYLE_FLOAT) != 0 || keyword(c, STYLE_POSITION) >= 2)
		own->flags |= OWN_LOOSE;
	if (keyword(c, STYLE_TABLE_FIXED) != 0)
		own->flags |= OWN_FIXED;
	if (is_pinched(c))
		own->flags |= OWN_PINCHED;
	if (is_slim(c, STYLE_WIDTH, STYLE_MAX_WIDTH))
		own->flags |= OWN_NARROW;
	if (is_slim(c, STYLE_HEIGHT, STYLE_MAX_HEIGHT))
		own->flags |= OWN_LOW;
	if (c->value[STYLE_HEIGHT].unit == UNIT_PERCENT ||
	    c->value[STYLE_MAX_HEIGHT].unit == UNIT_PERCENT)
		own->flags |= OWN_SHARE;
}

static void
own_box(struct html_own *own, const struct style_cascade *c)
{
	const struct style_value *line = &c->value[STYLE_LINE_HEIGHT];
	int32_t display = keyword(c, STYLE_DISPLAY);

	own->display = display < 0 ? (int8_t)display : 0;
	if (keyword(c, STYLE_FLOAT) != 0 || keyword(c, STYLE_POSITION) >= 2)
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
	if (keyword(c, STYLE_SHIFT) != 0)
		own->flags |= OWN_SHIFTS;
	own->width = side_of(c, STYLE_WIDTH, STYLE_MAX_WIDTH);
	own->height = side_of(c, STYLE_HEIGHT, STYLE_MAX_HEIGHT);
	own->lines = c->value[STYLE_LINE_CLAMP].n / 1000;
	own_place(own, c);
	own_room(own, c);
}

static struct html_own
own_of(const struct style_cascade *c)
{
	struct html_own own = html_own_none;

	if (!c->used)
		return own;
	own.reason = (uint8_t)subtree_reason(c);
	if (keyword(c, STYLE_INVERT) != 0)
		own.flags |= OWN_INVERT;
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
	uint32_t room;
	struct style_cascade both;

	*unsure_out |= is_unsure(&c->known) ||
		       keyword(&c->known, STYLE_MARGIN_LEFT) != 0 ||
		       keyword(&c->known, STYLE_MARGIN_TOP) != 0 ||
		       keyword(&c->known, STYLE_STRANGE) != 0 ||
		       keyword(&c->doubts, STYLE_STRANGE) != 0;
	if (!c->doubts.used)
		return own;
	both = c->known;
	style_doubt(&both, &c->doubts);
	*unsure_out |= is_unsure(&both);
	worst = own_of(&both);
	room = worst.flags & ~own.flags & OWN_ROOM;
	own.flags |= room;
	*unsure_out |= room != 0;
	if (html_look_inside(parent, &own).unseen == HIDDEN_COUNT &&
	    html_look_inside(parent, &worst).unseen != HIDDEN_COUNT) {
		own.reason = HIDDEN_STYLE_UNKNOWN;
		*unsure_out = true;
	}
	return own;
}
