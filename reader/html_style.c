/*
 * CSS declarations, as far as they can hide text. Runs in the reader's worker
 * over hostile bytes. An invalid declaration must have no effect, as in a
 * browser: else "display:none;display:x" would show what nobody sees.
 */
#include "reader/html_style.h"

#include <string.h>

#include "reader/html_ascii.h"
#include "reader/html_colour.h"
#include "reader/html_value.h"
#include "reader/visible.h"

#define BRACKETS 64	/* nested deeper, the rest is one value */
#define VIEW_WIDTH 1000 /* what a percentage of the window means, in px */
#define VIEW_HEIGHT 800
#define OPACITY_DOUBT 100    /* thousandths; less hides */
#define FONT_DOUBT 400	     /* hundredths of a px, or thousandths */
#define BOX_DOUBT 100	     /* hundredths of a px */
#define LENGTH_MOST 10000000 /* hundredths of a px */

static const struct {
	enum style_property property;
	const char *word;
	int32_t n;
} keywords[] = {
    {STYLE_DISPLAY, "none", HIDDEN_DISPLAY_NONE + 1},
    {STYLE_DISPLAY, "block", 0},
    {STYLE_DISPLAY, "inline", 0},
    {STYLE_DISPLAY, "inline-block", 0},
    {STYLE_DISPLAY, "flex", 0},
    {STYLE_DISPLAY, "inline-flex", 0},
    {STYLE_DISPLAY, "grid", 0},
    {STYLE_DISPLAY, "inline-grid", 0},
    {STYLE_DISPLAY, "list-item", 0},
    {STYLE_DISPLAY, "contents", 0},
    {STYLE_DISPLAY, "flow-root", 0},
    {STYLE_DISPLAY, "table", 0},
    {STYLE_DISPLAY, "inline-table", 0},
    {STYLE_DISPLAY, "table-row", 0},
    {STYLE_DISPLAY, "table-cell", 0},
    {STYLE_DISPLAY, "table-caption", 0},
    {STYLE_DISPLAY, "table-row-group", 0},
    {STYLE_DISPLAY, "table-header-group", 0},
    {STYLE_DISPLAY, "table-footer-group", 0},
    {STYLE_VISIBILITY, "visible", 0},
    {STYLE_VISIBILITY, "hidden", 1},
    {STYLE_VISIBILITY, "collapse", 1},
    {STYLE_CONTENT, "visible", 0},
    {STYLE_CONTENT, "auto", 0},
    {STYLE_CONTENT, "hidden", 1},
    {STYLE_POSITION, "static", 0},
    {STYLE_POSITION, "relative", 1},
    {STYLE_POSITION, "sticky", 1},
    {STYLE_POSITION, "absolute", 2},
    {STYLE_POSITION, "fixed", 2},
    {STYLE_WHITE_SPACE, "normal", 0},
    {STYLE_WHITE_SPACE, "nowrap", 0},
    {STYLE_WHITE_SPACE, "pre", 1},
    {STYLE_WHITE_SPACE, "pre-wrap", 1},
    {STYLE_WHITE_SPACE, "pre-line", 1},
    {STYLE_WHITE_SPACE, "break-spaces", 1},
};

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
    {"rem", UNIT_PX, 1600},
    {"em", UNIT_EM, 1000},
    {"ex", UNIT_EM, 500},
    {"ch", UNIT_EM, 500},
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

bool
style_length(const struct css_token *token, struct style_value *out)
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

static bool
read_keyword(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
		if (v->count == 1 && keywords[i].property == property &&
		    css_is_word(&v->token[0], keywords[i].word)) {
			*out =
			    (struct style_value){UNIT_KEYWORD, keywords[i].n};
			return true;
		}
	return false;
}

static bool
read_length(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	if (v->count != 1)
		return false;
	*out = (struct style_value){UNIT_UNSET, 0};
	return css_is_word(&v->token[0], "auto") ||
	       css_is_word(&v->token[0], "none") ||
	       style_length(&v->token[0], out);
}

/* The left margin of one to four values. */
static bool
read_margin(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	static const size_t left[5] = {0, 0, 1, 1, 3};
	struct style_tokens one = {.count = 1};

	if (v->count < 1 || v->count > 4)
		return false;
	one.token[0] = v->token[left[v->count]];
	return read_length(&one, property, out);
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
read_number(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	return v->count == 1 && style_number(&v->token[0], out);
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
	if (!style_length(token, out) || out->n < 0)
		return false;
	if (out->unit == UNIT_PERCENT)
		out->unit = UNIT_EM;
	return true;
}

static bool
read_font_size(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	return v->count == 1 && font_size_of(&v->token[0], out);
}

/* The size in "font: italic bold 12px/30px Georgia": the first token that is
 * one. A weight has no unit and is none, except "0", which needs a family. */
static bool
read_font(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	for (size_t i = 0; i + 1 < v->count; i++)
		if (font_size_of(&v->token[i], out))
			return true;
	return false;
}

static bool
read_colour(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	colour found;

	(void)property;
	if (css_is_word(&v->token[0], "currentcolor") && v->count == 1) {
		*out = (struct style_value){UNIT_UNSET, 0};
		return true;
	}
	if (v->count == 0 ||
	    colour_parse(v->token, v->count, &found) != v->count)
		return false;
	*out = (struct style_value){UNIT_COLOUR, (int32_t)found};
	return true;
}

/* Whether a word may stand in the background shorthand. */
static bool
is_background_word(const struct css_token *token)
{
	static const char *const words[] = {"none", "repeat", "no-repeat",
	    "repeat-x", "repeat-y", "round", "space", "scroll", "fixed",
	    "local", "left", "right", "top", "bottom", "center", "cover",
	    "contain", "auto", "border-box", "padding-box", "content-box",
	    "text", "currentcolor"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (css_is_word(token, words[i]))
			return true;
	return false;
}

/* The colour of a background, or whether it has a picture. */
static bool
read_background(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	bool picture = false, coloured = false;
	colour found = COLOUR_CLEAR;

	for (size_t i = 0; i < v->count;) {
		const struct css_token *token = &v->token[i];
		size_t used = colour_parse(token, v->count - i, &found);

		if (used != 0)
			coloured = true;
		if (used == 0 && token->type == CSS_IDENT &&
		    !is_background_word(token))
			return false;
		if (token->type == CSS_URL ||
		    (token->type == CSS_FUNCTION && used == 0))
			picture = true;
		i += used == 0 ? 1 : used;
		if (picture && used == 0 && token->type == CSS_FUNCTION)
			while (i < v->count &&
			       !css_is_delim(&v->token[i - 1], ')'))
				i++;
	}
	if (property == STYLE_IMAGE) {
		*out = (struct style_value){UNIT_KEYWORD, picture};
		return true;
	}
	*out = (struct style_value){UNIT_COLOUR, (int32_t)found};
	if (picture && !coloured)
		*out = (struct style_value){UNIT_KEYWORD, 1};
	return v->count > 0;
}

static bool
read_overflow(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	bool cut = false;

	(void)property;
	if (v->count < 1 || v->count > 2)
		return false;
	for (size_t i = 0; i < v->count; i++) {
		if (v->token[i].type != CSS_IDENT)
			return false;
		cut |= css_is_word(&v->token[i], "hidden") ||
		       css_is_word(&v->token[i], "clip") ||
		       css_is_word(&v->token[i], "scroll") ||
		       css_is_word(&v->token[i], "auto");
	}
	*out = (struct style_value){UNIT_KEYWORD, cut};
	return true;
}

static const struct {
	const char *name;
	enum style_property property;
	read_value *read;
} properties[] = {
#define PROPERTY(text, property, reader)                                       \
	{text, STYLE_##property, read_##reader},
#include "reader/html_style.def"
#undef PROPERTY
};

/* What "initial" means where it is not UNIT_UNSET. */
static struct style_value
initial_of(enum style_property property)
{
	switch (property) {
	case STYLE_COLOUR:
		return (struct style_value){UNIT_COLOUR, (int32_t)COLOUR_BLACK};
	case STYLE_FONT_SIZE:
		return (struct style_value){UNIT_PX, 1600};
	case STYLE_DISPLAY:
	case STYLE_VISIBILITY:
	case STYLE_WHITE_SPACE:
		return (struct style_value){UNIT_KEYWORD, 0};
	default:
		return (struct style_value){UNIT_UNSET, 0};
	}
}

/* The words every property takes. */
static bool
read_global(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	if (v->count != 1)
		return false;
	if (css_is_word(&v->token[0], "initial")) {
		*out = initial_of(property);
		return true;
	}
	if (!css_is_word(&v->token[0], "inherit") &&
	    !css_is_word(&v->token[0], "unset") &&
	    !css_is_word(&v->token[0], "revert"))
		return false;
	*out = (struct style_value){UNIT_UNSET, 0};
	if (property == STYLE_DISPLAY)
		out->unit = UNIT_KEYWORD;
	return true;
}

/* Take "! important" off the end. */
static bool
take_important(struct style_tokens *v)
{
	if (v->count < 2 || !css_is_delim(&v->token[v->count - 2], '!') ||
	    !css_is_word(&v->token[v->count - 1], "important"))
		return false;
	v->count -= 2;
	return true;
}

/* calc() around a single number is that number. */
static void
unwrap(struct style_tokens *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->count; i++) {
		if (n >= 2 && css_is_delim(&v->token[i], ')') &&
		    v->token[n - 1].type == CSS_NUMBER &&
		    v->token[n - 2].type == CSS_FUNCTION &&
		    strcmp(v->token[n - 2].text, "calc") == 0) {
			v->token[n - 2] = v->token[n - 1];
			n--;
		} else if (n++ != i) {
			v->token[n - 1] = v->token[i];
		}
	}
	v->count = n;
}

/* Whether a value that no reader takes may still be one for a browser. */
static bool
may_be_value(const struct style_tokens *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->token[i].type == CSS_FUNCTION ||
		    v->token[i].type == CSS_URL)
			return true;
	return false;
}

static void
declare(const struct css_token *name, struct style_tokens *v, style_sink *sink,
    void *context)
{
	struct style_declaration d = {.important = take_important(v)};
	bool known;

	if (v->bad || v->count == 0)
		return;
	for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++) {
		if (strcmp(properties[i].name, name->text) != 0)
			continue;
		d.property = properties[i].property;
		unwrap(v);
		known =
		    !v->cut && (read_global(v, d.property, &d.value) ||
				   properties[i].read(v, d.property, &d.value));
		d.unknown = !known && may_be_value(v);
		if (known || d.unknown)
			sink(context, &d);
		return;
	}
}

/* The tokens up to the ';' that ends a value outside all brackets; returns
 * false if a '}' ended the whole `block`. What follows a '{' block is no part
 * of the value: a nested rule ends with its block. */
static bool
collect(struct css *css, struct style_tokens *v, bool block)
{
	char open[BRACKETS];
	size_t depth = 0;
	struct css_token *token = &v->token[0], spare;

	v->count = 0;
	v->bad = v->cut = v->block = false;
	while (css_next_solid(css, token)) {
		char c = token->type == CSS_FUNCTION ? '(' : token->delim;

		if (depth == 0 && (c == ';' || (block && c == '}')))
			return c == ';';
		if (c == '(' || c == '[' || c == '{') {
			v->bad |= c == '{';
			v->block |= c == '{';
			if (depth == BRACKETS) {
				css->p = css->end;
				break;
			}
			open[depth++] = c == '(' ? ')' : c == '[' ? ']' : '}';
		} else if (depth > 0 && c == open[depth - 1]) {
			if (--depth == 0 && c == '}')
				return true;
		}
		v->bad |= token->type == CSS_BAD;
		v->cut |= v->count == VALUE_TOKENS;
		if (v->count < VALUE_TOKENS)
			v->count++;
		token = v->count < VALUE_TOKENS ? &v->token[v->count] : &spare;
	}
	return true;
}

bool
style_parse(struct css *css, bool block, style_sink *sink, void *context)
{
	struct css start = *css;
	struct css_token name, colon;
	struct style_tokens v;
	bool more = true, blocks = false;

	for (; more && css_next_solid(css, &name); start = *css) {
		if (css_is_delim(&name, ';'))
			continue;
		if (block && css_is_delim(&name, '}'))
			return blocks;
		css_next_solid(css, &colon);
		if (name.type != CSS_IDENT || !css_is_delim(&colon, ':')) {
			*css = start;
			name.text[0] = '\0';
		}
		more = collect(css, &v, block);
		blocks |= v.block;
		declare(&name, &v, sink, context);
	}
	return blocks;
}

void
style_cascade_init(struct style_cascade *cascade)
{
	*cascade = (struct style_cascade){0};
}

void
style_declare(struct style_cascade *cascade,
    const struct style_declaration *declaration, uint32_t weight)
{
	enum style_property property = declaration->property;

	if (declaration->important)
		weight += WEIGHT_IMPORTANT;
	if (weight < cascade->weight[property])
		return;
	cascade->used = true;
	if (declaration
		->unknown) { /* it may be invalid: what was there stays */
		cascade->unknown |= UINT64_C(1) << property;
		return;
	}
	cascade->unknown &= ~(UINT64_C(1) << property);
	cascade->weight[property] = weight;
	cascade->value[property] = declaration->value;
}

bool
style_hides(const struct style_declaration *d)
{
	if (d->unknown)
		return true;
	switch (d->property) {
	case STYLE_BACKGROUND:
	case STYLE_COLOUR:
		return d->value.unit == UNIT_COLOUR;
	case STYLE_OPACITY:
	case STYLE_FILTER:
		return d->value.n < OPACITY_DOUBT;
	case STYLE_FONT_SIZE:
		return d->value.unit != UNIT_UNSET && d->value.n < FONT_DOUBT;
	case STYLE_HEIGHT:
	case STYLE_MAX_HEIGHT:
	case STYLE_MAX_WIDTH:
	case STYLE_WIDTH:
		return d->value.unit != UNIT_UNSET && d->value.n <= BOX_DOUBT;
	case STYLE_IMAGE:
	case STYLE_WHITE_SPACE:
		return false;
	default:
		return d->value.unit != UNIT_UNSET && d->value.n != 0;
	}
}

void
style_doubt(struct style_cascade *cascade, const struct style_cascade *doubts)
{
	for (size_t i = 0; i < STYLE_COUNT; i++)
		if (doubts->value[i].unit != UNIT_UNSET)
			cascade->value[i] = doubts->value[i];
	cascade->unknown |= doubts->unknown;
	cascade->used |= doubts->used;
}
