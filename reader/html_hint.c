/*
 * Style by attribute. Runs in the reader's worker over hostile markup.
 */
#include "reader/html_hint.h"

#include "reader/html_ascii.h"
#include "reader/html_colour.h"
#include "reader/html_entity.h"

#define SIZE_MOST 10000	 /* px */
#define WIDE 1200	 /* px; wider than a window */
#define FAR 1000	 /* px */
#define TALL 30		 /* px */
#define FONT_SMALLER 833 /* thousandths */

/* What every helper here needs. */
struct hint {
	const struct html_token *token;
	struct buf *scratch;
	struct style_cascade *cascade;
};

static struct span
value(const struct hint *h, enum html_attr attr)
{
	const struct span *raw = html_token_attr(h->token, attr);

	return raw == NULL ? SPAN("") : entity_decode(*raw, h->scratch);
}

static void
declare(struct hint *h, enum style_property property, enum style_unit unit,
    int32_t n)
{
	struct style_declaration d = {.property = property, .value = {unit, n}};

	style_declare(h->cascade, &d, WEIGHT_HINT);
}

static void
colour_hint(struct hint *h, enum html_attr attr, enum style_property property)
{
	colour found;

	if (html_token_attr(h->token, attr) != NULL &&
	    colour_legacy(value(h, attr), &found))
		declare(h, property, UNIT_COLOUR, (int32_t)found);
}

/* <font size>: 1 to 7, or so many steps from 3. */
static void
font_hint(struct hint *h)
{
	static const int32_t sizes[8] = {
	    0, 1000, 1300, 1600, 1800, 2400, 3200, 4800};
	struct span text = ascii_trim(value(h, ATTR_SIZE));
	int size = 0, sign = 0;
	size_t i = 0;

	if (text.n > 0 && (text.p[0] == '+' || text.p[0] == '-'))
		sign = text.p[i++] == '+' ? 1 : -1;
	if (i == text.n || !ascii_is_digit(text.p[i]))
		return;
	size = text.p[i] - '0';
	if (i + 1 < text.n && ascii_is_digit(text.p[i + 1]))
		size = 7;
	if (sign != 0)
		size = 3 + sign * size;
	size = size < 1 ? 1 : size > 7 ? 7 : size;
	declare(h, STYLE_FONT_SIZE, UNIT_PX, sizes[size]);
}

/* A width or height in px; a percentage counts only if it is zero. */
static void
size_hint(struct hint *h, enum html_attr attr, enum style_property property)
{
	struct span text = ascii_trim(value(h, attr));
	int32_t px = 0;
	size_t i = 0;

	for (; i < text.n && ascii_is_digit(text.p[i]) && px < SIZE_MOST; i++)
		px = px * 10 + (text.p[i] - '0');
	if (i > 0 && (px == 0 || i == text.n || text.p[i] != '%'))
		declare(h, property, UNIT_PX, px * 100);
}

/* The number an attribute starts with, at most SIZE_MOST. */
static int32_t
number_of(struct span text)
{
	int32_t n = 0;

	text = ascii_trim(text);
	for (size_t i = 0; i < text.n && ascii_is_digit(text.p[i]); i++)
		n = n >= SIZE_MOST ? SIZE_MOST : n * 10 + (text.p[i] - '0');
	return n;
}

/* Attributes that move or push away what is beside them. */
static void
strange_hint(struct hint *h)
{
	static const char *const names[] = {"cellspacing", "cellpadding",
	    "leftmargin", "topmargin", "marginwidth", "marginheight", "hspace",
	    "vspace", "border", "tabindent"};
	bool strange = number_of(value(h, ATTR_WIDTH)) >= WIDE;

	for (unsigned i = 0; i < h->token->others; i++)
		for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
			if (ascii_is(h->token->other[i].name, names[k]))
				strange |= number_of(entity_decode(
					       h->token->other[i].value,
					       h->scratch)) >= FAR;
	if (strange)
		declare(h, STYLE_STRANGE, UNIT_KEYWORD, 1);
}

/* Elements with a height that boxes around them do not add up; and text that
 * waits outside before it comes in. */
static void
shift_hint(struct hint *h)
{
	enum html_tag tag = h->token->tag;
	uint32_t kept = 0;

	for (uint64_t bits = h->token->present; bits != 0; bits &= bits - 1)
		kept++;
	if (tag == HTML_TEXTAREA || tag == HTML_CANVAS || tag == HTML_IFRAME ||
	    tag == HTML_VIDEO || tag == HTML_OBJECT || tag == HTML_SELECT ||
	    ascii_is(h->token->name, "svg") ||
	    (tag != HTML_IMG && number_of(value(h, ATTR_HEIGHT)) >= TALL))
		declare(h, STYLE_SHIFT, UNIT_KEYWORD, 1);
	if (tag == HTML_MARQUEE && h->token->attributes > kept)
		declare(h, STYLE_STRANGE, UNIT_KEYWORD, 1);
}

/* In which direction text goes; <bdo> forces each letter to. */
static void
direction_hint(struct hint *h)
{
	struct span dir = ascii_trim(value(h, ATTR_DIR));

	if (h->token->tag == HTML_BDO)
		declare(h, STYLE_BIDI, UNIT_KEYWORD, 1);
	if (html_token_attr(h->token, ATTR_DIR) == NULL)
		return;
	declare(h, STYLE_DIRECTION, UNIT_KEYWORD, ascii_is(dir, "rtl") ? 2 : 1);
}

/* Elements that come with a background and a colour of their own. */
static void
panel_hint(struct hint *h)
{
	colour background;

	if (h->token->tag == HTML_BUTTON)
		background = COLOUR_BUTTON;
	else if (h->token->tag == HTML_MARK)
		background = COLOUR_MARK;
	else if (h->token->tag == HTML_DIALOG)
		background = COLOUR_WHITE;
	else
		return;
	declare(h, STYLE_BACKGROUND, UNIT_COLOUR, (int32_t)background);
	declare(h, STYLE_COLOUR, UNIT_COLOUR, (int32_t)COLOUR_BLACK);
}

/* Whether bgcolor and background count. */
static bool
has_background(enum html_tag tag)
{
	return tag == HTML_COL || tag == HTML_COLGROUP || tag == HTML_BODY ||
	       tag == HTML_TABLE || tag == HTML_TBODY || tag == HTML_THEAD ||
	       tag == HTML_TFOOT || tag == HTML_TR || tag == HTML_TD ||
	       tag == HTML_TH || tag == HTML_MARQUEE;
}

void
html_hint(const struct html_token *token, struct buf *scratch,
    struct style_cascade *cascade)
{
	struct hint h = {token, scratch, cascade};

	if (html_token_attr(token, ATTR_HIDDEN) != NULL)
		declare(&h, STYLE_DISPLAY, UNIT_KEYWORD,
		    HIDDEN_HIDDEN_ATTRIBUTE + 1);
	if (token->tag == HTML_DIALOG &&
	    html_token_attr(token, ATTR_OPEN) == NULL)
		declare(
		    &h, STYLE_DISPLAY, UNIT_KEYWORD, HIDDEN_DISPLAY_NONE + 1);
	if (html_token_attr(token, ATTR_POPOVER) != NULL)
		declare(
		    &h, STYLE_DISPLAY, UNIT_KEYWORD, HIDDEN_DISPLAY_NONE + 1);
	direction_hint(&h);
	if (token->attributes > 0)
		strange_hint(&h);
	shift_hint(&h);
	panel_hint(&h);
	if (token->tag == HTML_SMALL || token->tag == HTML_SUB ||
	    token->tag == HTML_SUP || token->tag == HTML_RT)
		declare(&h, STYLE_FONT_SIZE, UNIT_EM, FONT_SMALLER);
	if (token->tag == HTML_A && html_token_attr(token, ATTR_HREF) != NULL)
		declare(&h, STYLE_COLOUR, UNIT_COLOUR, (int32_t)COLOUR_LINK);
	if (token->tag == HTML_PRE || token->tag == HTML_LISTING ||
	    token->tag == HTML_XMP || token->tag == HTML_PLAINTEXT)
		declare(&h, STYLE_WHITE_SPACE, UNIT_KEYWORD, 1);
	if (token->tag == HTML_MARQUEE) {
		declare(&h, STYLE_OVERFLOW_X, UNIT_KEYWORD, 1);
		size_hint(&h, ATTR_WIDTH, STYLE_WIDTH);
	}
	if (token->tag == HTML_MARQUEE || token->tag == HTML_IMG)
		size_hint(&h, ATTR_HEIGHT, STYLE_HEIGHT);
	if (token->tag == HTML_FONT) {
		colour_hint(&h, ATTR_COLOR, STYLE_COLOUR);
		font_hint(&h);
	}
	if (token->tag == HTML_BODY)
		colour_hint(&h, ATTR_TEXT, STYLE_COLOUR);
	if (!has_background(token->tag))
		return;
	if (html_token_attr(token, ATTR_BACKGROUND) != NULL)
		declare(&h, STYLE_IMAGE, UNIT_KEYWORD, 1);
	colour_hint(&h, ATTR_BGCOLOR, STYLE_BACKGROUND);
}

enum hidden
html_tag_reason(enum html_tag tag)
{
	switch (tag) {
	case HTML_SCRIPT:
		return HIDDEN_SCRIPT;
	case HTML_STYLE:
		return HIDDEN_STYLE;
	case HTML_TITLE:
		return HIDDEN_TITLE;
	case HTML_TEMPLATE:
		return HIDDEN_TEMPLATE;
	case HTML_NOSCRIPT:
		return HIDDEN_NOSCRIPT;
	case HTML_TEXTAREA:
	case HTML_SELECT:
	case HTML_DATALIST:
		return HIDDEN_FORM_VALUE;
	case HTML_IFRAME:
	case HTML_NOEMBED:
	case HTML_NOFRAMES:
	case HTML_OBJECT:
	case HTML_APPLET:
	case HTML_AUDIO:
	case HTML_VIDEO:
	case HTML_CANVAS:
	case HTML_METER:
	case HTML_PROGRESS:
	case HTML_RP:
		return HIDDEN_FALLBACK;
	default:
		return HIDDEN_COUNT;
	}
}
