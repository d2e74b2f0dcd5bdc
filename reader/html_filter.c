/*
 * Filters: what they leave of a text. Runs in the reader's worker over hostile
 * bytes. What is not understood is no value here; html_style.c says what
 * follows from that.
 */
#include "reader/html_colour.h"
#include "reader/html_value.h"

#include <string.h>

#define BLUR_MOST 1000	  /* hundredths of a px; behind that are no letters */
#define GREY_LEAST 0.2	  /* of the contrast */
#define BRIGHT_MOST 3.0	  /* brightness that leaves dark letters */
#define CONTRAST_MOST 5.0 /* contrast that leaves grey ones */
#define INVERT_LEAST 0.6  /* from here on light is dark */

/* drop-shadow(): two or three lengths and perhaps a colour. Returns what is
 * behind it; 0: it is none. */
static size_t
shadow_end(const struct style_tokens *v, size_t at)
{
	size_t lengths = 0, i = at + 1;
	struct style_value unused;
	colour ink;

	i += colour_parse(&v->token[i], v->count - i, &ink);
	for (; i < v->count && style_length(&v->token[i], &unused); i++)
		lengths++;
	if (i < v->count && i > at + 1 + lengths)
		return 0; /* a colour was in front: not worked out */
	if (i < v->count)
		i += colour_parse(&v->token[i], v->count - i, &ink);
	if (lengths < 2 || lengths > 3 ||
	    (i < v->count && !css_is_delim(&v->token[i], ')')))
		return 0;
	return i < v->count ? i + 1 : i;
}

/* What is behind the function at `at`; 0: it is none of a filter. */
static size_t
function_end(const struct style_tokens *v, size_t at)
{
	static const char *const numbers[] = {"opacity", "brightness",
	    "contrast", "grayscale", "invert", "saturate", "sepia"};
	const char *name = v->token[at].text;
	const struct css_token *argument = &v->token[at + 1];
	struct style_value one = {UNIT_NUMBER, 0};
	size_t count, end = 0;

	if (v->token[at].type != CSS_FUNCTION)
		return 0;
	if (strcmp(name, "drop-shadow") == 0)
		return shadow_end(v, at);
	count = style_arguments(v, at, &end);
	if (count > 1)
		return 0;
	if (strcmp(name, "hue-rotate") == 0)
		return end; /* whatever the angle is, it hides nothing */
	if (strcmp(name, "blur") == 0)
		return count == 0 || (style_length(argument, &one) &&
					 one.n >= 0 && one.unit != UNIT_PERCENT)
			   ? end
			   : 0;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (strcmp(name, numbers[i]) == 0)
			return count == 0 || (style_number(argument, &one) &&
						 one.n >= 0)
				   ? end
				   : 0;
	return 0;
}

/* Whether all of a value is one for a filter. */
static bool
is_filter(const struct style_tokens *v)
{
	if (v->count == 1 && css_is_word(&v->token[0], "none"))
		return true;
	for (size_t i = 0; i < v->count;) {
		i = function_end(v, i);
		if (i == 0)
			return false;
	}
	return true;
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
	if (!is_filter(v))
		return false;
	for (size_t i = 0; i < v->count; i++) {
		const char *name = v->token[i].text;

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
	if (!is_filter(v))
		return false;
	for (size_t i = 0; i < v->count; i++)
		if (v->token[i].type == CSS_FUNCTION &&
		    strcmp(v->token[i].text, "invert") == 0 &&
		    amount(v, i) >= INVERT_LEAST)
			out->n = 1 - out->n;
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
	if (!is_filter(v))
		return false;
	for (size_t i = 0; i < v->count; i++) {
		bool known = v->token[i].type != CSS_FUNCTION;

		for (size_t k = 0; k < sizeof harmless / sizeof harmless[0];
		     k++)
			known |= strcmp(v->token[i].text, harmless[k]) == 0;
		if (!known)
			out->n = 1;
	}
	return true;
}
