/*
 * Lengths, numbers and the sizes of fonts and lines. Runs in the reader's
 * worker over hostile bytes. What is not understood is no value here;
 * html_style.c says what follows from that.
 */
#include <string.h>

#include "reader/html_colour.h"
#include "reader/html_value.h"

#define VIEW_WIDTH 1000 /* what a percentage of the window means, in px */
#define VIEW_HEIGHT 800
#define ROOT_FONT 1600 /* hundredths of a px, where nothing else is known */
#define LENGTH_MOST 10000000 /* hundredths of a px */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Absolute and relative sizes of fonts, in hundredths of a px. */
static const struct {
	const char *word;
	enum style_unit unit;
	int32_t n;
} font_words[] = {
    {"xx-small", UNIT_PX, 900},
    {"x-small", UNIT_PX, 1000},
    {"small", UNIT_PX, 1300},
    {"medium", UNIT_PX, 1600},
    {"large", UNIT_PX, 1800},
    {"x-large", UNIT_PX, 2400},
    {"xx-large", UNIT_PX, 3200},
    {"xxx-large", UNIT_PX, 4800},
    {"smaller", UNIT_EM, 833},
    {"larger", UNIT_EM, 1200},
};

/* Hundredths of a px in one of each unit. */
static const struct {
	const char *name;
	enum style_unit unit;
	double factor;
} units[] = {
    {"px", UNIT_PX, 100},
    {"pt", UNIT_PX, 133.333},
    {"pc", UNIT_PX, 1600},
    {"in", UNIT_PX, 9600},
    {"cm", UNIT_PX, 3779.53},
    {"mm", UNIT_PX, 377.953},
    {"q", UNIT_PX, 94.488},
    {"vw", UNIT_PX, VIEW_WIDTH},
    {"vh", UNIT_PX, VIEW_HEIGHT},
    {"vmin", UNIT_PX, VIEW_HEIGHT},
    {"vmax", UNIT_PX, VIEW_WIDTH},
    {"vi", UNIT_PX, VIEW_WIDTH},
    {"vb", UNIT_PX, VIEW_HEIGHT},
    {"svw", UNIT_PX, VIEW_WIDTH},
    {"svh", UNIT_PX, VIEW_HEIGHT},
    {"lvw", UNIT_PX, VIEW_WIDTH},
    {"lvh", UNIT_PX, VIEW_HEIGHT},
    {"dvw", UNIT_PX, VIEW_WIDTH},
    {"dvh", UNIT_PX, VIEW_HEIGHT},
    {"cqw", UNIT_PX, VIEW_WIDTH},
    {"cqh", UNIT_PX, VIEW_HEIGHT},
    {"cqi", UNIT_PX, VIEW_WIDTH},
    {"cqb", UNIT_PX, VIEW_HEIGHT},
    {"rem", UNIT_REM, 1000},
    {"rlh", UNIT_REM, 1200},
    {"rex", UNIT_REM, 500},
    {"rch", UNIT_REM, 500},
    {"rcap", UNIT_REM, 700},
    {"ric", UNIT_REM, 1000},
    {"em", UNIT_EM, 1000},
    {"ex", UNIT_EM, 500},
    {"ch", UNIT_EM, 500},
    {"lh", UNIT_EM, 1200},
    {"cap", UNIT_EM, 700},
    {"ic", UNIT_EM, 1000},
    {"%", UNIT_PERCENT, 10},
};

static int32_t
scaled(double number, double factor)
{
	double n = number * factor;

	if (n > LENGTH_MOST)
		return LENGTH_MOST;
	return n < -LENGTH_MOST ? -LENGTH_MOST : (int32_t)n;
}

/* A length whose UNIT_REM is kept. */
static bool
any_length(const struct css_token *token, struct style_value *out)
{
	if (token->type != CSS_NUMBER)
		return false;
	if (token->text[0] == '\0') {
		*out = (struct style_value){UNIT_PX, 0};
		return token->number <= 0 && token->number >= 0;
	}
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(units[i].name, token->text) == 0) {
			*out = (struct style_value){units[i].unit,
			    scaled(token->number, units[i].factor)};
			return true;
		}
	return false;
}

bool
style_length(const struct css_token *token, struct style_value *out)
{
	if (!any_length(token, out))
		return false;
	if (out->unit == UNIT_REM)
		*out = (struct style_value){
		    UNIT_PX, (int32_t)((int64_t)out->n * ROOT_FONT / 1000)};
	return true;
}

/* The word that stands for "no length given"; NULL if there is none. */
static const char *
length_word(enum style_property property)
{
	switch (property) {
	case STYLE_MAX_HEIGHT:
	case STYLE_MAX_WIDTH:
		return "none";
	case STYLE_LETTER:
	case STYLE_WORD_SPACING:
	case STYLE_LINE_HEIGHT:
		return "normal";
	case STYLE_PADDING_LEFT:
	case STYLE_PADDING_TOP:
	case STYLE_TEXT_INDENT:
		return NULL;
	default:
		return "auto";
	}
}

/* Whether a value is none below zero; a computed one is zero then. */
static bool
not_negative(const struct css_token *token, struct style_value *out)
{
	if (out->n < 0 && token->delim == '(')
		out->n = 0;
	return out->n >= 0;
}

static bool
may_be_negative(enum style_property property)
{
	switch (property) {
	case STYLE_BASIS:
	case STYLE_BORDER_LEFT:
	case STYLE_BORDER_TOP:
	case STYLE_HEIGHT:
	case STYLE_LINE_HEIGHT:
	case STYLE_MAX_HEIGHT:
	case STYLE_MAX_WIDTH:
	case STYLE_PADDING_LEFT:
	case STYLE_PADDING_TOP:
	case STYLE_WIDTH:
		return false;
	default:
		return true;
	}
}

bool
read_length(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	const char *word = length_word(property);

	if (v->count != 1)
		return false;
	*out = (struct style_value){UNIT_UNSET, 0};
	if (word != NULL && css_is_word(&v->token[0], word))
		return true;
	if (!style_length(&v->token[0], out))
		return false;
	return may_be_negative(property) || not_negative(&v->token[0], out);
}

/* One of the values of a shorthand. */
static bool
read_side(const struct style_tokens *v, size_t i, enum style_property property,
    struct style_value *out)
{
	struct style_tokens one = {.count = 1};

	one.token[0] = v->token[i];
	return read_length(&one, property, out);
}

/* Whether a length leads out of the window or beyond the box. */
static bool
is_far(const struct style_value *v)
{
	switch (v->unit) {
	case UNIT_PX:
		return v->n <= -FAR_BEFORE || v->n >= FAR_ASIDE;
	case UNIT_EM:
		return v->n <= -FAR_EM || v->n >= FAR_EM;
	case UNIT_PERCENT:
		return v->n <= -FAR_PERCENT || v->n >= FAR_PERCENT;
	default:
		return false;
	}
}

/* The side `pick` of a shorthand with up to `most` values; false if one of
 * them is none, since then all have no effect. A number without a unit is one
 * in old documents only: such a shorthand counts if it hides. */
static bool
read_sides(const struct style_tokens *v, size_t most, size_t pick,
    enum style_property property, struct style_value *out)
{
	bool old = false;

	if (v->count < 1 || v->count > most)
		return false;
	for (size_t i = 0; i < v->count; i++) {
		if (read_side(v, i, property, out))
			continue;
		if (v->token[i].type != CSS_NUMBER ||
		    v->token[i].text[0] != '\0')
			return false;
		old = true;
	}
	return read_side(v, pick, property, out) && (!old || is_far(out));
}

/* One of the sides in one to four values. */
bool
read_margin(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	static const size_t left[5] = {0, 0, 1, 1, 3};
	static const size_t right[5] = {0, 0, 1, 1, 1};
	static const size_t bottom[5] = {0, 0, 0, 2, 2};
	size_t count = v->count <= 4 ? v->count : 0;

	switch (property) {
	case STYLE_BORDER_LEFT:
	case STYLE_LEFT:
	case STYLE_MARGIN_LEFT:
	case STYLE_PADDING_LEFT:
		return read_sides(v, 4, left[count], property, out);
	case STYLE_RIGHT:
		return read_sides(v, 4, right[count], property, out);
	case STYLE_BOTTOM:
		return read_sides(v, 4, bottom[count], property, out);
	default:
		return read_sides(v, 4, 0, property, out);
	}
}

/* The first or the second side in one or two values. */
bool
read_start(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	return read_sides(v, 2, 0, property, out);
}

bool
read_end(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	return read_sides(v, 2, v->count == 2, property, out);
}

/* How many tokens from `i` on are one part of a border; 0: none. */
static size_t
border_part(const struct style_tokens *v, size_t i, struct style_value *width)
{
	static const char *const words[] = {"none", "hidden", "dotted",
	    "dashed", "solid", "double", "groove", "ridge", "inset", "outset",
	    "thin", "medium", "thick", "currentcolor"};
	const struct css_token *t = &v->token[i];
	colour unused;
	size_t n = 1;

	if (style_length(t, width))
		return 1;
	*width = (struct style_value){UNIT_PX, 0};
	if (style_is_word(t, words, COUNT_OF(words)))
		return 1;
	if (t->type != CSS_FUNCTION || strcmp(t->text, "var") != 0)
		return colour_parse(t, v->count - i, &unused);
	while (i + n < v->count && !css_is_delim(&v->token[i + n], ')'))
		n++;
	return i + n < v->count ? n + 1 : n;
}

/* A width among a style and a colour. */
bool
read_border(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	struct style_value one;
	size_t n;

	(void)property;
	*out = (struct style_value){UNIT_PX, 0};
	for (size_t i = 0; i < v->count; i += n) {
		n = border_part(v, i, &one);
		if (n == 0)
			return false;
		if (one.unit == UNIT_EM)
			one.n = scaled(one.n, ROOT_FONT / 1000.0);
		if (one.n > out->n)
			out->n = one.n;
	}
	return v->count > 0;
}

/* A word such as "middle" moves an inline box by less than its height. */
bool
read_align(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	static const char *const words[] = {"baseline", "sub", "super", "top",
	    "text-top", "middle", "bottom", "text-bottom",
	    "-webkit-baseline-middle"};

	*out = (struct style_value){UNIT_UNSET, 0};
	return v->count == 1 &&
	       (style_is_word(&v->token[0], words, COUNT_OF(words)) ||
		   (v->token[0].type == CSS_NUMBER &&
		       read_length(v, property, out)));
}

/* A number is a number of font sizes. */
bool
read_line_height(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	if (v->count == 1 && style_number(&v->token[0], out)) {
		out->unit = UNIT_EM;
		return not_negative(&v->token[0], out);
	}
	if (!read_length(v, property, out))
		return false;
	if (out->unit == UNIT_UNSET)
		*out = (struct style_value){UNIT_EM, 1000};
	return true;
}

bool
style_number(const struct css_token *token, struct style_value *out)
{
	bool percent = strcmp(token->text, "%") == 0;

	if (token->type != CSS_NUMBER || (token->text[0] != '\0' && !percent))
		return false;
	*out = (struct style_value){
	    UNIT_NUMBER, scaled(token->number, percent ? 10 : 1000)};
	return true;
}

static bool
font_size_of(const struct css_token *token, struct style_value *out)
{
	size_t count = sizeof font_words / sizeof font_words[0];

	for (size_t i = 0; i < count; i++)
		if (css_is_word(token, font_words[i].word)) {
			*out = (struct style_value){
			    font_words[i].unit, font_words[i].n};
			return true;
		}
	if (!any_length(token, out) || !not_negative(token, out))
		return false;
	if (out->unit == UNIT_PERCENT)
		out->unit = UNIT_EM;
	return true;
}

bool
read_font_size(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	return v->count == 1 && font_size_of(&v->token[0], out);
}

/* Whether families stand from `i` on, behind a height of lines perhaps. */
static bool
are_families(const struct style_tokens *v, size_t i)
{
	bool comma = true;

	if (i + 1 < v->count && css_is_delim(&v->token[i], '/')) {
		if (v->token[i + 1].type != CSS_NUMBER &&
		    !css_is_word(&v->token[i + 1], "normal"))
			return false;
		i += 2;
	}
	for (; i < v->count; i++) {
		bool name = (v->token[i].type == CSS_IDENT &&
				(comma || v->token[i - 1].type == CSS_IDENT)) ||
			    (comma && v->token[i].type == CSS_STRING);

		if (!name && (comma || !css_is_delim(&v->token[i], ',')))
			return false;
		comma = !name;
	}
	return !comma;
}

/* The size in "font: italic bold 12px/30px Georgia": the first token that is
 * one. A weight has no unit and is none, except "0", which needs a family. */
bool
read_font(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	for (size_t i = 0; i + 1 < v->count; i++) {
		if (font_size_of(&v->token[i], out))
			return are_families(v, i + 1);
		if (v->token[i].type != CSS_IDENT &&
		    v->token[i].type != CSS_NUMBER)
			return false;
	}
	return false;
}
