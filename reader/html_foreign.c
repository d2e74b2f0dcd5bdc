/*
 * Elements of svg and math. Runs in the reader's worker over hostile markup;
 * pure but for one mark in the parent.
 */
#include "reader/html_foreign.h"

#include "reader/html_ascii.h"

#define SIDE_LEAST 20	/* px of a box; in less nothing can be read */
#define SIDE_MOST 10000 /* px */
#define PLACE_MOST 100	/* px from the corner of a picture */
#define PART_EM 710	/* thousandths of the font size; MathML Core, 2.1.6 */
#define ATTR_BIT(name) (UINT64_C(1) << ATTR_##name)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *name;
	enum foreign foreign;
} formulas[] = {
    {"mi", FOREIGN_TOKEN},
    {"mn", FOREIGN_TOKEN},
    {"mo", FOREIGN_TOKEN},
    {"ms", FOREIGN_TOKEN},
    {"mtext", FOREIGN_TOKEN},
    {"math", FOREIGN_ROW},
    {"mrow", FOREIGN_ROW},
    {"mstyle", FOREIGN_ROW},
    {"merror", FOREIGN_ROW},
    {"msqrt", FOREIGN_ROW},
    {"mtable", FOREIGN_ROW},
    {"mtr", FOREIGN_ROW},
    {"mtd", FOREIGN_CELL},
    {"semantics", FOREIGN_CHOICE},
    {"mfrac", FOREIGN_PARTS},
    {"mroot", FOREIGN_PARTS},
    {"msub", FOREIGN_PARTS},
    {"msup", FOREIGN_PARTS},
    {"msubsup", FOREIGN_PARTS},
    {"munder", FOREIGN_PARTS},
    {"mover", FOREIGN_PARTS},
    {"munderover", FOREIGN_PARTS},
};

/* Whether an attribute without a row has nothing to do with what is seen. */
static bool
is_harmless(struct span name)
{
	static const char *const names[] = {"version", "role", "focusable",
	    "display", "displaystyle", "alttext", "stretchy", "form", "fence",
	    "separator", "accent", "accentunder", "x", "y", "lang"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (ascii_is(name, names[i]))
			return true;
	return ascii_starts(name, "xmlns");
}

/* Whether the effect of all attributes is known, those with `sizes` too. */
static bool
is_plain(const struct html_token *token, bool sizes)
{
	uint64_t known = ATTR_BIT(CLASS) | ATTR_BIT(ID) | ATTR_BIT(STYLE) |
			 ATTR_BIT(DIR) | ATTR_BIT(ARIA_HIDDEN);
	uint32_t kept = token->others;

	if (sizes)
		known |= ATTR_BIT(WIDTH) | ATTR_BIT(HEIGHT);
	for (unsigned i = 0; i < token->others; i++)
		if (!is_harmless(token->other[i].name))
			return false;
	for (uint64_t bits = token->present; bits != 0; bits &= bits - 1)
		kept++;
	return (token->present & ~known) == 0 && kept == token->attributes;
}

/* A length in px: digits, perhaps with "px"; -1: another, or none. */
static int32_t
length_of(struct span text)
{
	int32_t n = 0;
	size_t i = 0;

	text = ascii_trim(text);
	for (; i < text.n && ascii_is_digit(text.p[i]) && n < SIDE_MOST; i++)
		n = n * 10 + (text.p[i] - '0');
	text.p += i;
	text.n -= i;
	return i > 0 && (text.n == 0 || ascii_is(text, "px")) ? n : -1;
}

/* Whether a side of a box, if it is given, has room for text. */
static bool
is_roomy(const struct html_token *token, enum html_attr attr, bool must)
{
	const struct span *raw = html_token_attr(token, attr);

	return raw == NULL ? !must : length_of(*raw) >= SIDE_LEAST;
}

/* Whether a foreignObject lies near the corner of its picture. */
static bool
is_near(const struct html_token *token)
{
	for (unsigned i = 0; i < token->others; i++) {
		const struct html_other *other = &token->other[i];
		int32_t n = length_of(other->value);

		if ((ascii_is(other->name, "x") ||
			ascii_is(other->name, "y")) &&
		    (n < 0 || n > PLACE_MOST))
			return false;
	}
	return true;
}

static enum foreign
open_svg(const struct html_token *token, const struct html_element *parent)
{
	bool inside = parent->space == SPACE_SVG && !parent->integration;

	if (!inside && is_plain(token, true) &&
	    is_roomy(token, ATTR_WIDTH, false) &&
	    is_roomy(token, ATTR_HEIGHT, false))
		return FOREIGN_PICTURE;
	if (inside && parent->foreign == FOREIGN_PICTURE &&
	    ascii_is(token->name, "foreignobject") && is_plain(token, true) &&
	    is_roomy(token, ATTR_WIDTH, true) &&
	    is_roomy(token, ATTR_HEIGHT, true) && is_near(token))
		return FOREIGN_OBJECT;
	return FOREIGN_NONE;
}

static enum foreign
open_math(const struct html_token *token, struct html_element *parent)
{
	bool later = parent->summary;

	if (parent->foreign == FOREIGN_CHOICE) {
		parent->summary = true;
		if (later)
			return FOREIGN_NONE;
	}
	for (size_t i = 0; i < COUNT_OF(formulas) && is_plain(token, false);
	     i++)
		if (ascii_is(token->name, formulas[i].name))
			return formulas[i].foreign;
	return FOREIGN_NONE;
}

enum foreign
foreign_open(const struct html_token *token, struct html_element *parent,
    enum hidden *reason_out)
{
	bool inside = parent->space != SPACE_HTML && !parent->integration;
	bool svg = inside ? parent->space == SPACE_SVG : token->tag == HTML_SVG;
	enum foreign foreign;

	*reason_out = HIDDEN_COUNT;
	if (!inside && token->tag != HTML_SVG && token->tag != HTML_MATH)
		return FOREIGN_NONE;
	foreign = svg ? open_svg(token, parent) : open_math(token, parent);
	if (foreign == FOREIGN_NONE)
		*reason_out = svg ? HIDDEN_SVG : HIDDEN_MATH;
	return foreign;
}

static void
declare(struct style_cascade *cascade, enum style_property property,
    enum style_unit unit, int32_t n)
{
	struct style_declaration d = {.property = property, .value = {unit, n}};

	style_declare(cascade, &d, WEIGHT_HINT);
}

static void
declare_side(const struct html_token *token, enum html_attr attr,
    struct style_cascade *cascade, enum style_property property)
{
	const struct span *raw = html_token_attr(token, attr);

	if (raw != NULL)
		declare(cascade, property, UNIT_PX, length_of(*raw) * 100);
}

void
foreign_hint(const struct html_token *token, enum foreign foreign,
    struct style_cascade *cascade)
{
	if (foreign == FOREIGN_PARTS)
		declare(cascade, STYLE_FONT_SIZE, UNIT_EM, PART_EM);
	if (foreign != FOREIGN_PICTURE && foreign != FOREIGN_OBJECT)
		return;
	declare(cascade, STYLE_OVERFLOW_X, UNIT_KEYWORD, 1);
	declare_side(token, ATTR_WIDTH, cascade, STYLE_WIDTH);
	declare_side(token, ATTR_HEIGHT, cascade, STYLE_HEIGHT);
}

enum hidden
foreign_reason(const struct html_element *element)
{
	if (element->space == SPACE_HTML || element->foreign == FOREIGN_TOKEN ||
	    element->foreign == FOREIGN_OBJECT)
		return HIDDEN_COUNT;
	return element->space == SPACE_SVG ? HIDDEN_SVG : HIDDEN_MATH;
}
