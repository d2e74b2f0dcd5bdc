/*
 * Filters: what they leave of a text. Runs in the reader's worker over hostile
 * bytes. What is not understood is no value here; html_style.c says what
 * follows from that.
 */
#include "reader/html_value.h"

#include <string.h>

#define BLUR_MOST 1000	  /* hundredths of a px; behind that are no letters */
#define GREY_LEAST 0.2	  /* of the contrast */
#define BRIGHT_MOST 3.0	  /* brightness that leaves dark letters */
#define CONTRAST_MOST 5.0 /* contrast that leaves grey ones */
#define INVERT_LEAST 0.6  /* from here on light is dark */

/* Whether a token of a filter makes it one nobody here can work out, or none
 * at all. */
static bool
is_foreign(const struct style_tokens *v, const struct css_token *t)
{
	if (t->type == CSS_URL || strcmp(t->text, "var") == 0 ||
	    strcmp(t->text, "calc") == 0 || strcmp(t->text, "url") == 0)
		return true;
	if (css_is_delim(t, '=') || css_is_delim(t, ':'))
		return true;
	return t->type == CSS_IDENT && v->count == 1 && !css_is_word(t, "none");
}

/* The number in the brackets of the function at `i`; without one it is 1. */
static double
amount(const struct style_tokens *v, size_t i)
{
	struct style_value one;

	if (i + 1 < v->count && style_number(&v->token[i + 1], &one))
		return one.n / 1000.0;
	return 1;
}

static bool
is_blur(const struct style_tokens *v, size_t i)
{
	struct style_value one;

	return i + 1 < v->count && style_length(&v->token[i + 1], &one) &&
	       one.n > BLUR_MOST;
}

/* How much of the difference between light and dark is left by a function. */
static double
contrast_of(const char *name, double n)
{
	if (strcmp(name, "contrast") == 0)
		return n >= CONTRAST_MOST ? 0 : n;
	if (strcmp(name, "brightness") == 0)
		return n >= BRIGHT_MOST ? 0 : n;
	if (strcmp(name, "invert") == 0)
		return n >= 1 ? 1 : n > 0.5 ? 2 * n - 1 : 1 - 2 * n;
	return 1;
}

/* The opacity that is left; none where letters cannot be told from what is
 * behind them. */
bool
read_filter(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	double opacity = 1, contrast = 1, n;

	(void)property;
	*out = (struct style_value){UNIT_NUMBER, 1000};
	for (size_t i = 0; i < v->count; i++) {
		const char *name = v->token[i].text;

		if (is_foreign(v, &v->token[i]))
			return false;
		if (v->token[i].type != CSS_FUNCTION)
			continue;
		n = contrast_of(name, amount(v, i));
		contrast *= n < 1 ? n : 1;
		n = strcmp(name, "opacity") == 0 ? amount(v, i) : 1;
		opacity *= n < 0 ? 0 : n < 1 ? n : 1;
		if (strcmp(name, "blur") == 0 && is_blur(v, i))
			opacity = 0;
	}
	out->n = contrast < GREY_LEAST ? 0 : (int32_t)(opacity * 1000);
	return true;
}

/* Whether light and dark change places. */
bool
read_invert(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 0};
	for (size_t i = 0; i < v->count; i++) {
		if (is_foreign(v, &v->token[i]))
			return false;
		if (v->token[i].type == CSS_FUNCTION &&
		    strcmp(v->token[i].text, "invert") == 0 &&
		    amount(v, i) >= INVERT_LEAST)
			out->n = 1 - out->n;
	}
	return true;
}

/* What is behind a box may get the colour of its text. */
bool
read_backdrop(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	static const char *const harmless[] = {
	    "blur", "saturate", "opacity", "hue-rotate"};

	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 0};
	for (size_t i = 0; i < v->count; i++) {
		bool known = v->token[i].type != CSS_FUNCTION;

		if (is_foreign(v, &v->token[i]))
			return false;
		for (size_t k = 0; k < sizeof harmless / sizeof harmless[0];
		     k++)
			known |= strcmp(v->token[i].text, harmless[k]) == 0;
		if (!known)
			out->n = 1;
	}
	return true;
}
