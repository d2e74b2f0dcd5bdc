/*
 * Arithmetic in values: calc(), min(), max() and clamp(). Runs in the reader's
 * worker over hostile bytes; what cannot be worked out stays as it is.
 */
#include "reader/html_value.h"

#include <stdio.h>
#include <string.h>

#define CALC_DEPTH 16 /* brackets in brackets */
#define CALC_MOST 1e9
#define EM_PX 16.0
#define PERCENT_PX 10.0 /* of a window of 1,000 px */

/* A number and its unit: "", "px", "em" or "%". */
struct quantity {
	double n;
	const char *unit;
};

struct calc {
	const struct style_tokens *v;
	size_t at;
	unsigned depth;
	bool mix;
};

static bool sum(struct calc *c, struct quantity *out);

static bool
is_delim(const struct calc *c, char delim)
{
	return c->at < c->v->count && css_is_delim(&c->v->token[c->at], delim);
}

static bool
is_math(const struct css_token *token)
{
	static const char *const names[] = {
	    "calc", "-webkit-calc", "-moz-calc", "min", "max", "clamp"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (token->type == CSS_FUNCTION &&
		    strcmp(token->text, names[i]) == 0)
			return true;
	return false;
}

/* A number, with its length in px or font sizes. */
static bool
single(const struct css_token *token, struct quantity *out)
{
	struct style_value length;

	*out = (struct quantity){token->number, ""};
	if (token->text[0] == '\0')
		return true;
	if (!style_length(token, &length))
		return false;
	out->unit = length.unit == UNIT_PX	  ? "px"
		    : length.unit == UNIT_PERCENT ? "%"
						  : "em";
	out->n = length.unit == UNIT_PX	       ? length.n / 100.0
		 : length.unit == UNIT_PERCENT ? length.n / 10.0
					       : length.n / 1000.0;
	return true;
}

/* Bring both to one unit. */
static bool
align(const struct calc *c, struct quantity *a, struct quantity *b)
{
	struct quantity *both[2] = {a, b};

	if (strcmp(a->unit, b->unit) == 0)
		return true;
	if (!c->mix || a->unit[0] == '\0' || b->unit[0] == '\0')
		return false;
	for (size_t i = 0; i < 2; i++) {
		if (both[i]->unit[0] == '%')
			both[i]->n *= PERCENT_PX;
		else if (both[i]->unit[0] == 'e')
			both[i]->n *= EM_PX;
		both[i]->unit = "px";
	}
	return true;
}

/* The arguments of min(), max() and clamp(), up to the bracket. */
static bool
arguments(struct calc *c, const char *name, struct quantity *out)
{
	struct quantity low, high;

	if (!sum(c, out))
		return false;
	if (strcmp(name, "clamp") == 0) {
		low = *out;
		if (!is_delim(c, ','))
			return false;
		c->at++;
		if (!sum(c, out) || !is_delim(c, ','))
			return false;
		c->at++;
		if (!sum(c, &high) || !align(c, out, &high) ||
		    !align(c, out, &low))
			return false;
		out->n = out->n > high.n ? high.n : out->n;
		out->n = out->n < low.n ? low.n : out->n;
		return true;
	}
	while (is_delim(c, ',')) {
		c->at++;
		if (!sum(c, &high) || !align(c, out, &high))
			return false;
		if (strcmp(name, "min") == 0 ? high.n < out->n
					     : high.n > out->n)
			out->n = high.n;
	}
	return true;
}

/* A number, or something in brackets. */
static bool
unit(struct calc *c, struct quantity *out)
{
	const struct css_token *token = &c->v->token[c->at];
	bool good;

	if (c->at >= c->v->count)
		return false;
	c->at++;
	if (token->type == CSS_NUMBER)
		return single(token, out);
	if ((!is_math(token) && !css_is_delim(token, '(')) ||
	    c->depth == CALC_DEPTH)
		return false;
	c->depth++;
	good = strstr(token->text, "calc") != NULL || token->text[0] == '\0'
		   ? sum(c, out)
		   : arguments(c, token->text, out);
	c->depth--;
	if (!good || !is_delim(c, ')'))
		return false;
	c->at++;
	return true;
}

static bool
product(struct calc *c, struct quantity *out)
{
	struct quantity next;

	if (!unit(c, out))
		return false;
	while (is_delim(c, '*') || is_delim(c, '/')) {
		bool divide = is_delim(c, '/');

		c->at++;
		if (!unit(c, &next))
			return false;
		if (next.unit[0] != '\0' && (divide || out->unit[0] != '\0'))
			return false;
		if (divide && next.n <= 0 && next.n >= 0)
			return false;
		if (next.unit[0] != '\0')
			out->unit = next.unit;
		out->n = divide ? out->n / next.n : out->n * next.n;
		if (out->n > CALC_MOST || out->n < -CALC_MOST)
			return false;
	}
	return true;
}

/* It calls itself through unit(), at most CALC_DEPTH deep. */
static bool
sum(struct calc *c, struct quantity *out)
{
	struct quantity next;

	if (!product(c, out))
		return false;
	while (is_delim(c, '+') || is_delim(c, '-')) {
		double sign = is_delim(c, '-') ? -1 : 1;

		c->at++;
		if (!product(c, &next) || !align(c, out, &next))
			return false;
		out->n += sign * next.n;
	}
	return true;
}

void
style_calc(struct style_tokens *v, bool mix)
{
	size_t n = 0;

	for (size_t i = 0; i < v->count; n++) {
		struct calc c = {.v = v, .at = i, .mix = mix};
		struct quantity q;

		if (!is_math(&v->token[i]) || !unit(&c, &q)) {
			if (n != i)
				v->token[n] = v->token[i];
			i++;
			continue;
		}
		v->token[n] = (struct css_token){
		    .type = CSS_NUMBER, .number = q.n, .delim = '('};
		snprintf(v->token[n].text, CSS_NAME_BYTES, "%s", q.unit);
		i = c.at;
	}
	v->count = n;
}
