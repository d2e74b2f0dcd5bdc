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

#define BRACKETS 64	  /* nested deeper, the rest is one value */
#define OPACITY_DOUBT 100 /* thousandths; less hides */
#define FONT_DOUBT 400	  /* hundredths of a px, or thousandths */
#define BOX_DOUBT 400	  /* hundredths of a px, or thousandths */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	enum style_property property;
	const char *word;
	int32_t n;
} keywords[] = {
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
    {STYLE_POSITION, "fixed", 3},
    {STYLE_TABLE_FIXED, "auto", 0},
    {STYLE_TABLE_FIXED, "fixed", 1},
    {STYLE_FLOAT, "none", 0},
    {STYLE_FLOAT, "left", 1},
    {STYLE_FLOAT, "right", 1},
    {STYLE_FLOAT, "inline-start", 1},
    {STYLE_FLOAT, "inline-end", 1},
    {STYLE_BIDI, "normal", 0},
    {STYLE_BIDI, "embed", 0},
    {STYLE_BIDI, "isolate", 0},
    {STYLE_BIDI, "plaintext", 0},
    {STYLE_BIDI, "bidi-override", 1},
    {STYLE_BIDI, "isolate-override", 1},
    {STYLE_DIRECTION, "ltr", 1},
    {STYLE_DIRECTION, "rtl", 2},
    {STYLE_SECURITY, "none", 0},
    {STYLE_SECURITY, "disc", 1},
    {STYLE_SECURITY, "circle", 1},
    {STYLE_SECURITY, "square", 1},
    {STYLE_BLEND, "normal", 0},
    {STYLE_BLEND, "multiply", 1},
    {STYLE_BLEND, "screen", 1},
    {STYLE_BLEND, "overlay", 1},
    {STYLE_BLEND, "darken", 1},
    {STYLE_BLEND, "lighten", 1},
    {STYLE_BLEND, "color-dodge", 1},
    {STYLE_BLEND, "color-burn", 1},
    {STYLE_BLEND, "hard-light", 1},
    {STYLE_BLEND, "soft-light", 1},
    {STYLE_BLEND, "difference", 1},
    {STYLE_BLEND, "exclusion", 1},
    {STYLE_BLEND, "hue", 1},
    {STYLE_BLEND, "saturation", 1},
    {STYLE_BLEND, "color", 1},
    {STYLE_BLEND, "luminosity", 1},
    {STYLE_BLEND, "plus-darker", 1},
    {STYLE_BLEND, "plus-lighter", 1},
    {STYLE_WHITE_SPACE, "normal", 0},
    {STYLE_WHITE_SPACE, "nowrap", 0},
    {STYLE_WHITE_SPACE, "pre", 1},
    {STYLE_WHITE_SPACE, "pre-wrap", 1},
    {STYLE_WHITE_SPACE, "pre-line", 1},
    {STYLE_WHITE_SPACE, "break-spaces", 1},
};

/* What a browser takes for "display", and how such a box stands. */
static const struct {
	const char *word;
	int32_t n;
} displays[] = {
    {"none", HIDDEN_DISPLAY_NONE + 1},
    {"table-column", HIDDEN_DISPLAY_NONE + 1},
    {"table-column-group", HIDDEN_DISPLAY_NONE + 1},
    {"inline", DISPLAY_INLINE},
    {"inline-block", DISPLAY_INLINE},
    {"inline-table", DISPLAY_INLINE},
    {"contents", DISPLAY_INLINE},
    {"ruby", DISPLAY_INLINE},
    {"block", DISPLAY_BLOCK},
    {"list-item", DISPLAY_BLOCK},
    {"flow-root", DISPLAY_BLOCK},
    {"table", DISPLAY_BLOCK},
    {"table-row", DISPLAY_BLOCK},
    {"table-caption", DISPLAY_BLOCK},
    {"table-row-group", DISPLAY_BLOCK},
    {"table-header-group", DISPLAY_BLOCK},
    {"table-footer-group", DISPLAY_BLOCK},
    {"-webkit-box", DISPLAY_FLEX},
    {"-webkit-flex", DISPLAY_FLEX},
    {"flex", DISPLAY_FLEX},
    {"inline-flex", DISPLAY_FLEX},
    {"grid", DISPLAY_FLEX},
    {"inline-grid", DISPLAY_FLEX},
    {"table-cell", DISPLAY_CELL},
};

bool
style_is_word(
    const struct css_token *token, const char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (css_is_word(token, words[i]))
			return true;
	return false;
}

/* At the end of the value a bracket closes itself. */
size_t
style_arguments(const struct style_tokens *v, size_t at, size_t *end_out)
{
	size_t count = 0, i = at + 1;

	if (at >= v->count || v->token[at].type != CSS_FUNCTION)
		return NO_ARGUMENTS;
	while (i < v->count && v->token[i].type == CSS_NUMBER) {
		count++;
		i++;
		if (i == v->count || !css_is_delim(&v->token[i], ','))
			break;
		i++;
		if (i == v->count || v->token[i].type != CSS_NUMBER)
			return NO_ARGUMENTS;
	}
	if (i < v->count && !css_is_delim(&v->token[i], ')'))
		return NO_ARGUMENTS;
	*end_out = i < v->count ? i + 1 : i;
	return count;
}

static bool
read_display(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	for (size_t i = 0; i < sizeof displays / sizeof displays[0]; i++)
		if (v->count == 1 &&
		    css_is_word(&v->token[0], displays[i].word)) {
			*out =
			    (struct style_value){UNIT_KEYWORD, displays[i].n};
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
read_number(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	return v->count == 1 && style_number(&v->token[0], out);
}

/* "hidden" and the like for x, and for y if there are two. */
static bool
read_overflow(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	static const char *const words[] = {
	    "visible", "hidden", "clip", "scroll", "auto", "overlay"};
	size_t one = property == STYLE_OVERFLOW_Y && v->count == 2 ? 1 : 0;

	if (v->count < 1 || v->count > 2)
		return false;
	for (size_t i = 0; i < v->count; i++)
		if (!style_is_word(&v->token[i], words, COUNT_OF(words)))
			return false;
	*out = (struct style_value){
	    UNIT_KEYWORD, !css_is_word(&v->token[one], words[0])};
	return true;
}

/* What stands behind a name is a movement; "none" and "paused" alone are
 * none. */
static bool
read_animation(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 1};
	if (v->count == 1 && css_is_word(&v->token[0], "none"))
		out->n = 0;
	return true;
}

/* Lines after which a text is cut; only with what cuts it. */
static bool
read_clamp(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	*out = (struct style_value){UNIT_UNSET, 0};
	return v->count == 1 && (css_is_word(&v->token[0], "none") ||
				    style_number(&v->token[0], out));
}

static bool
read_contain(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	static const char *const words[] = {
	    "strict", "size", "inline-size", "block-size"};
	static const char *const alone[] = {
	    "none", "strict", "content", "normal"};
	static const char *const others[] = {
	    "layout", "style", "paint", "scroll-state"};

	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 0};
	for (size_t i = 0; i < v->count; i++) {
		const struct css_token *t = &v->token[i];

		if (style_is_word(t, words, COUNT_OF(words)))
			out->n = 1;
		else if (!style_is_word(t, others, COUNT_OF(others)) &&
			 !style_is_word(t, alone, COUNT_OF(alone)))
			return false;
		if (v->count > 1 && style_is_word(t, alone, COUNT_OF(alone)))
			return false;
	}
	return v->token[0].type == CSS_IDENT;
}

static bool
read_nowrap(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	static const char *const words[] = {"nowrap", "pre", "normal",
	    "pre-wrap", "pre-line", "break-spaces", "wrap", "balance", "pretty",
	    "stable", "auto", "collapse", "preserve", "preserve-breaks",
	    "preserve-spaces"};

	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 0};
	for (size_t i = 0; i < v->count; i++) {
		if (!style_is_word(&v->token[i], words, COUNT_OF(words)))
			return false;
		out->n |= style_is_word(&v->token[i], words, 2);
	}
	return v->token[0].type == CSS_IDENT;
}

/* A picture instead of the text; words in quotes are for ::before. */
static bool
read_replaced(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	bool words = true;

	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 0};
	for (size_t i = 0; i < v->count; i++) {
		words &= v->token[i].type == CSS_STRING;
		if (v->token[i].type == CSS_URL ||
		    v->token[i].type == CSS_FUNCTION)
			out->n = 1;
	}
	return out->n == 1 || words ||
	       (v->count == 1 && (css_is_word(&v->token[0], "none") ||
				     css_is_word(&v->token[0], "normal")));
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
		return (struct style_value){UNIT_KEYWORD, DISPLAY_INLINE};
	case STYLE_LINE_HEIGHT:
		return (struct style_value){UNIT_EM, 1000};
	case STYLE_DIRECTION:
		return (struct style_value){UNIT_KEYWORD, 1};
	case STYLE_FILL:
	case STYLE_VISIBILITY:
	case STYLE_WHITE_SPACE:
		return (struct style_value){UNIT_KEYWORD, 0};
	default:
		return (struct style_value){UNIT_UNSET, 0};
	}
}

/* The value of the element around, which is not looked up. False: it may
 * hide. */
static bool
read_inherit(enum style_property property, struct style_value *out)
{
	switch (property) {
	case STYLE_OVERFLOW_X:
	case STYLE_OVERFLOW_Y:
	case STYLE_POSITION:
	case STYLE_DISPLAY:
	case STYLE_MARGIN_LEFT:
	case STYLE_MARGIN_TOP:
		out->unit = UNIT_KEYWORD;
		out->n = property != STYLE_DISPLAY;
		return true;
	case STYLE_BASIS:
	case STYLE_BOTTOM:
	case STYLE_CLIP:
	case STYLE_CLIP_PATH:
	case STYLE_FILTER:
	case STYLE_HEIGHT:
	case STYLE_INVERT:
	case STYLE_LEFT:
	case STYLE_MASK:
	case STYLE_MAX_HEIGHT:
	case STYLE_MAX_WIDTH:
	case STYLE_OPACITY:
	case STYLE_RIGHT:
	case STYLE_SCALE:
	case STYLE_TOP:
	case STYLE_TRANSFORM:
	case STYLE_TRANSLATE:
	case STYLE_WIDTH:
	case STYLE_ZOOM:
		return false;
	default:
		return true;
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
	    !css_is_word(&v->token[0], "revert") &&
	    !css_is_word(&v->token[0], "revert-layer"))
		return false;
	*out = (struct style_value){UNIT_UNSET, 0};
	if (css_is_word(&v->token[0], "inherit"))
		return read_inherit(property, out);
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

/* Whether a value that no reader takes may still be one for a browser: what is
 * inherited, or one with a function, unless it has what no value has. */
static bool
may_be_value(const struct style_tokens *v)
{
	bool function = v->count == 1 && css_is_word(&v->token[0], "inherit");

	for (size_t i = 0; i < v->count; i++) {
		if (v->token[i].type == CSS_FUNCTION &&
		    strcmp(v->token[i].text, "if") == 0)
			return true;
		function |= v->token[i].type == CSS_FUNCTION ||
			    v->token[i].type == CSS_URL;
		if (css_is_delim(&v->token[i], '=') ||
		    css_is_delim(&v->token[i], ':'))
			return false;
	}
	return function;
}

static size_t
find_property(const char *name)
{
	size_t low = 0, high = COUNT_OF(properties);

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (strcmp(properties[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* A property nobody here knows may do anything. */
static void
declare_strange(const struct css_token *name, style_sink *sink, void *context)
{
	struct style_declaration d = {
	    .property = STYLE_STRANGE, .value = {UNIT_KEYWORD, 1}};

	if (name->type == CSS_IDENT && !style_is_harmless(name))
		sink(context, &d);
}

/* Whether no value of the property takes back another: several properties
 * stand in one place. */
static bool
is_added(enum style_property property)
{
	return property == STYLE_CUT || property == STYLE_ODD ||
	       property == STYLE_SHIFT || property == STYLE_STRANGE ||
	       property == STYLE_TILE;
}

static void
declare(const struct css_token *name, struct style_tokens *v, style_sink *sink,
    void *context)
{
	struct style_declaration d = {.important = take_important(v)};
	size_t i = find_property(name->text);

	if (v->bad || v->count == 0)
		return;
	if (i == COUNT_OF(properties) ||
	    strcmp(properties[i].name, name->text) != 0)
		declare_strange(name, sink, context);
	else
		style_calc(v, properties[i].property != STYLE_FONT_SIZE);
	for (; i < COUNT_OF(properties) &&
	       strcmp(properties[i].name, name->text) == 0;
	     i++) {
		enum style_property property = properties[i].property;
		bool known =
		    !v->cut && (read_global(v, property, &d.value) ||
				   properties[i].read(v, property, &d.value));

		d.property = property;
		d.unknown = properties[i].read == read_all
				? known
				: !known && may_be_value(v);
		if (is_added(property) && properties[i].read != read_all) {
			known = known && d.value.n != 0;
			d.unknown = false;
		}
		if (known || d.unknown)
			sink(context, &d);
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
		name.content.p = start.p;
		name.content.n = (size_t)(css->p - start.p);
		name.content = ascii_trim(name.content);
		if (name.type != CSS_IDENT || !css_is_delim(&colon, ':')) {
			*css = start;
			name.type = CSS_BAD;
			name.text[0] = '\0';
		}
		more = collect(css, &v, block);
		blocks |= v.block;
		declare(&name, &v, sink, context);
	}
	return blocks;
}

void
style_cascade_clear(struct style_cascade *cascade)
{
	if (cascade->used)
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
		cascade->unknown[property] = true;
		return;
	}
	cascade->unknown[property] = false;
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
	case STYLE_FILL:
	case STYLE_IMAGE:
		return d->value.unit == UNIT_COLOUR;
	case STYLE_ADJUST:
	case STYLE_OPACITY:
	case STYLE_FILTER:
		return d->value.n < OPACITY_DOUBT;
	case STYLE_SCALE:
	case STYLE_TRANSFORM:
	case STYLE_ZOOM:
		return d->value.unit == UNIT_NUMBER ? d->value.n < 1000
						    : d->value.n != 0;
	case STYLE_FONT_SIZE:
		return d->value.unit != UNIT_UNSET && d->value.n < FONT_DOUBT;
	case STYLE_BASIS:
	case STYLE_HEIGHT:
	case STYLE_LINE_HEIGHT:
	case STYLE_MAX_HEIGHT:
	case STYLE_MAX_WIDTH:
	case STYLE_WIDTH:
		return d->value.unit != UNIT_UNSET && d->value.n <= BOX_DOUBT;
	case STYLE_DISPLAY:
		return d->value.n > 0;
	case STYLE_Z_INDEX:
		return d->value.n < 0;
	case STYLE_GROW:
		return d->value.n == 0;
	case STYLE_BIDI:
	case STYLE_DIRECTION:
	case STYLE_FLOAT:
	case STYLE_LINE_CLAMP:
	case STYLE_NOWRAP:
	case STYLE_WHITE_SPACE:
		return false;
	default:
		return d->value.unit != UNIT_UNSET && d->value.n != 0;
	}
}

void
style_doubt(struct style_cascade *cascade, const struct style_cascade *doubts)
{
	for (size_t i = 0; i < STYLE_COUNT; i++) {
		if (doubts->value[i].unit != UNIT_UNSET)
			cascade->value[i] = doubts->value[i];
		cascade->unknown[i] |= doubts->unknown[i];
	}
	cascade->used |= doubts->used;
}
