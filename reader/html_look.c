/*
 * What the styles of an element make of the look around it: seen or not seen.
 * Pure functions; runs in the reader's worker. Where a browser would need a
 * layout to know, the limits below decide, in doubt for hidden.
 */
#include "reader/html_look.h"

#define FONT_MOST 1000000    /* keeps products within 32 bits */
#define OPACITY_LEAST 100    /* a tenth */
#define PLACE_MOST 100000000 /* 1,000,000 px */
#define ALPHA_LEAST 26	     /* of 255, where the background is not known */

const struct html_look html_look_start = {.unseen = HIDDEN_COUNT,
    .reason = HIDDEN_COUNT,
    .opacity = 1000,
    .shrink = 1000,
    .font = 1600,
    .text = COLOUR_BLACK,
    .other = COLOUR_BLACK,
    .page = COLOUR_BLACK,
    .background = COLOUR_WHITE};

void
html_own_table(struct html_own *own, bool part)
{
	if (part)
		own->flags &= ~(uint32_t)OWN_NARROW;
	else if ((own->flags & OWN_FIXED) == 0)
		own->flags |= OWN_LOOSE;
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

/* A colour as it is painted. */
static colour
painted(const struct html_look *look, colour c)
{
	return look->inverted ? c ^ 0xffffff : c;
}

/* Whether letters of that colour cannot be told from what is behind them. */
static bool
is_lost(const struct html_look *look, colour text)
{
	colour alpha = (text >> 24) * look->opacity / 1000;

	if (look->picture)
		return alpha < ALPHA_LEAST;
	text = (painted(look, text) & 0xffffff) | alpha << 24;
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
		look->background =
		    colour_blend(painted(look, look->text), look->background);
		look->picture = false;
	}
	if (own->flags & OWN_BACKGROUND) {
		look->background = colour_blend(
		    painted(look, own->background), look->background);
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

/* Whether the box cuts its contents and gets no room for them. */
static bool
has_no_room(const struct html_look *parent, const struct html_own *own)
{
	if ((own->flags & OWN_CUT) == 0)
		return false;
	return parent->pinched || (own->flags & OWN_PINCHED) != 0 ||
	       (parent->low && (own->flags & OWN_SHARE) != 0) ||
	       (parent->narrow && own->width == 0 &&
		   (own->flags & OWN_LOOSE) == 0);
}

static void
inherit_room(struct html_look *look, const struct html_own *own)
{
	look->inverted ^= (own->flags & OWN_INVERT) != 0;
	look->pinched = (own->flags & OWN_PINCHED) != 0;
	look->low = (own->flags & OWN_LOW) != 0;
	if (own->flags & OWN_NARROW)
		look->narrow = true;
	else if (own->width > 0 || (own->flags & OWN_LOOSE) != 0)
		look->narrow = false;
}

struct html_look
html_look_inside(const struct html_look *parent, const struct html_own *own)
{
	struct html_look look = *parent;

	look.pinched = look.low = false;
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
	    (look.x <= ASIDE || look.x > WINDOW || is_page_moved(parent, own) ||
		(parent->cut && is_moved_out(parent, own))))
		look.reason = HIDDEN_OFF_SCREEN;
	if (look.reason == HIDDEN_COUNT && has_no_room(parent, own))
		look.reason = HIDDEN_ZERO_BOX;
	inherit_room(&look, own);
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
