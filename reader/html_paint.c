/*
 * Values that paint: colours, backgrounds, and what shows through letters.
 * Runs in the reader's worker over hostile bytes. What is not understood is
 * no value here; html_style.c says what follows from that.
 */
#include "reader/html_value.h"

#include <string.h>

#include "reader/html_colour.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

bool
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

bool
read_fill(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	if (!read_colour(v, property, out))
		return false;
	if (out->unit == UNIT_UNSET)
		out->unit = UNIT_KEYWORD;
	return true;
}

bool
read_background_colour(const struct style_tokens *v,
    enum style_property property, struct style_value *out)
{
	if (!read_colour(v, property, out))
		return false;
	if (out->unit == UNIT_UNSET)
		*out = (struct style_value){UNIT_KEYWORD, 1};
	return true;
}

bool
read_clip_text(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	static const char *const boxes[] = {
	    "border-box", "padding-box", "content-box", "border-area"};
	bool known = css_is_word(&v->token[0], "text");

	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 0};
	for (size_t i = 0; i < v->count; i++)
		if (css_is_word(&v->token[i], "text"))
			out->n = 1;
	for (size_t i = 0; i < COUNT_OF(boxes); i++)
		known |= css_is_word(&v->token[0], boxes[i]);
	return known;
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

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (css_is_word(token, words[i]))
			return true;
	return false;
}

/* Whether a function's value is found elsewhere in the document. */
static bool
is_substitution(const struct css_token *token)
{
	static const char *const names[] = {"var", "env", "attr", "if"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (token->type == CSS_FUNCTION &&
		    strcmp(token->text, names[i]) == 0)
			return true;
	return false;
}

static bool
is_gradient(const struct css_token *token)
{
	size_t n = strlen(token->text);

	return token->type == CSS_FUNCTION && n >= 8 &&
	       strcmp(token->text + n - 8, "gradient") == 0;
}

/* A background taken apart. */
struct layers {
	bool coloured, same, picture, gradient;
	colour found; /* behind everything */
	colour first; /* of the gradients; the others are near it, or else */
	bool mixed;   /* they are not */
	unsigned depth, stops;
};

static void
add_stop(struct layers *l, colour stop)
{
	if (l->stops++ == 0)
		l->first = stop;
	else if (stop >> 24 != l->first >> 24 || !colour_near(stop, l->first))
		l->mixed = true;
}

/* The token at `i`, or a colour there; returns how many it took, 0: this is
 * no background. */
static size_t
add_layer(struct layers *l, const struct style_tokens *v, size_t i)
{
	const struct css_token *token = &v->token[i];
	colour found;
	size_t used = colour_parse(token, v->count - i, &found);

	if (used != 0 && l->depth > 0) {
		add_stop(l, found);
	} else if (used != 0) {
		l->coloured = true;
		l->found = found;
	} else if (is_substitution(token)) {
		return 0;
	} else if (css_is_word(token, "currentcolor")) {
		l->same = true;
		l->mixed |= l->depth > 0;
	} else if (token->type == CSS_IDENT && l->depth == 0) {
		return is_background_word(token) ? 1 : 0;
	} else if (token->type == CSS_FUNCTION) {
		l->gradient |= l->depth == 0 && is_gradient(token);
		l->picture |= l->depth == 0 && !is_gradient(token);
		l->depth++;
	} else if (css_is_delim(token, ')') && l->depth > 0) {
		l->depth--;
	}
	l->picture |= token->type == CSS_URL;
	return used == 0 ? 1 : used;
}

static bool
read_layers(const struct style_tokens *v, struct layers *l)
{
	*l = (struct layers){.found = COLOUR_CLEAR};
	for (size_t i = 0, used; i < v->count; i += used) {
		used = add_layer(l, v, i);
		if (used == 0)
			return false;
	}
	return v->count > 0;
}

bool
read_background(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	struct layers l;

	(void)property;
	if (!read_layers(v, &l))
		return false;
	*out = (struct style_value){UNIT_COLOUR, (int32_t)l.found};
	if (l.same)
		*out = (struct style_value){UNIT_KEYWORD, 1};
	return true;
}

/* A gradient between colours that look the same is one colour. */
bool
read_image(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	struct layers l;

	(void)property;
	if (!read_layers(v, &l))
		return false;
	*out = (struct style_value){UNIT_KEYWORD, l.picture};
	if (l.gradient && !l.mixed && l.stops > 0)
		*out = (struct style_value){UNIT_COLOUR, (int32_t)l.first};
	else if (l.gradient)
		out->n = 2;
	return true;
}
