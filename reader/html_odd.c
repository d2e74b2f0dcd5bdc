/*
 * Properties whose effect is not worked out: whether a value may hide text, or
 * push what is beside it away. Runs in the reader's worker over hostile bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "reader/html_ascii.h"
#include "reader/html_value.h"

#define THICK 600	 /* hundredths of a px: a line that covers letters */
#define THICK_EM 400	 /* the same, thousandths */
#define INWARD (-400)	 /* hundredths of a px: an outline over its own text */
#define OUTLINE 2000	 /* an outline over what is beside it */
#define INSET 800	 /* a shadow over its own background */
#define SPREAD 5000	 /* a shadow over what is beside it */
#define NEGATIVE (-5000) /* a margin that draws others out of their place */
#define WIDE 120000	 /* wider than a window */
#define TABS 100	 /* blanks for one tab */
#define TALL 1000	 /* takes room in a box that is cut */
#define HUGE 20000	 /* a letter of that size pushes others away */
#define TIMES 4000	 /* thousandths: enlarged so often */
#define FULL 1000	 /* thousandths of a box */
#define EM_PX 1600

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A length in hundredths of a px; percentages are 0. */
static int32_t
in_px(const struct css_token *token)
{
	struct style_value one;

	if (!style_length(token, &one) || one.unit == UNIT_PERCENT)
		return 0;
	return one.unit == UNIT_EM ? (int32_t)((int64_t)one.n * EM_PX / 1000)
				   : one.n;
}

/* The greatest and least length outside of brackets. */
static void
extremes(const struct style_tokens *v, int32_t *most, int32_t *least)
{
	unsigned depth = 0;

	*most = *least = 0;
	for (size_t i = 0; i < v->count; i++) {
		int32_t px = in_px(&v->token[i]);

		if (v->token[i].type == CSS_FUNCTION)
			depth++;
		else if (css_is_delim(&v->token[i], ')') && depth > 0)
			depth--;
		if (depth > 0)
			continue;
		*most = px > *most ? px : *most;
		*least = px < *least ? px : *least;
	}
}

static bool
has_word(const struct style_tokens *v, const char *const words[], size_t count)
{
	for (size_t i = 0; i < v->count; i++)
		for (size_t k = 0; k < count; k++)
			if (css_is_word(&v->token[i], words[k]))
				return true;
	return false;
}

static bool
answer(struct style_value *out, bool odd)
{
	*out = (struct style_value){UNIT_KEYWORD, odd};
	return true;
}

/* "all" has only the words every property takes, and declare() knows it. */
bool
read_all(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)v;
	(void)property;
	(void)out;
	return false;
}

/* What cuts a box as overflow does, as a part of "contain" or else. */
bool
read_cut(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	static const char *const words[] = {
	    "strict", "content", "paint", "auto", "hidden"};

	(void)property;
	return answer(out, has_word(v, words, COUNT_OF(words)));
}

bool
read_outline(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	int32_t most, least;

	(void)property;
	extremes(v, &most, &least);
	return answer(out, most >= OUTLINE || least <= INWARD);
}

bool
read_shadow(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	static const char *const inset[] = {"inset"};
	int32_t lengths = 0;
	bool odd = false, in = has_word(v, inset, 1);
	unsigned depth = 0;

	(void)property;
	for (size_t i = 0; i < v->count; i++) {
		const struct css_token *t = &v->token[i];
		int32_t px = in_px(t);

		if (t->type == CSS_FUNCTION)
			depth++;
		else if (css_is_delim(t, ')') && depth > 0)
			depth--;
		if (css_is_delim(t, ',') && depth == 0)
			lengths = 0;
		if (t->type != CSS_NUMBER || depth > 0)
			continue;
		px = px < 0 ? -px : px;
		odd |= in ? px >= INSET : lengths != 2 && px >= SPREAD;
		lengths++;
	}
	return answer(out, odd);
}

/* A picture for the border that fills the box too. */
bool
read_frame(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	static const char *const fill[] = {"fill"};

	(void)property;
	return answer(out, has_word(v, fill, 1));
}

/* A picture where "none" is the only harmless value. */
bool
read_none(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	return answer(out, !css_is_word(&v->token[0], "none"));
}

/* The thickness of a line through letters. */
bool
read_thickness(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	struct style_value one;
	bool odd = false;
	unsigned depth = 0;

	(void)property;
	for (size_t i = 0; i < v->count; i++) {
		if (v->token[i].type == CSS_FUNCTION)
			depth++;
		else if (css_is_delim(&v->token[i], ')') && depth > 0)
			depth--;
		if (depth == 0 && style_length(&v->token[i], &one))
			odd |=
			    one.n >= (one.unit == UNIT_PX ? THICK : THICK_EM);
	}
	return answer(out, odd);
}

/* Whether a picture is moved, or made smaller than its box: behind a slash in
 * the shorthand, or in background-size, are sizes. */
static bool
is_tiled(const struct style_tokens *v, bool size)
{
	struct style_value one;
	unsigned depth = 0;

	for (size_t i = 0; i < v->count; i++) {
		const struct css_token *t = &v->token[i];

		if (t->type == CSS_FUNCTION)
			depth++;
		else if (css_is_delim(t, ')') && depth > 0)
			depth--;
		if (depth > 0)
			continue;
		size |= css_is_delim(t, '/');
		if (!style_length(t, &one))
			continue;
		if (size ? one.unit != UNIT_PERCENT || one.n < FULL
			 : one.n != 0)
			return true;
	}
	return false;
}

bool
read_tile(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	return answer(out, is_tiled(v, false));
}

bool
read_tile_size(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	return answer(out, is_tiled(v, true));
}

/* A margin that draws what is beside the element over or away. */
bool
read_negative(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	int32_t most, least;

	(void)property;
	extremes(v, &most, &least);
	return answer(out, least <= NEGATIVE || most >= WIDE);
}

bool
read_wide(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	int32_t most, least;

	(void)property;
	extremes(v, &most, &least);
	return answer(out, most >= WIDE);
}

bool
read_tabs(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	int32_t most, least;

	(void)property;
	extremes(v, &most, &least);
	return answer(out, most >= HUGE || (v->token[0].type == CSS_NUMBER &&
					       v->token[0].number >= TABS));
}

bool
read_huge(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	int32_t most, least;

	(void)property;
	extremes(v, &most, &least);
	return answer(out, most >= HUGE);
}

/* Factors by which a box is enlarged. */
bool
read_enlarged(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	struct style_value one;
	bool scales = property == STYLE_STRANGE && v->count > 0;

	*out = (struct style_value){UNIT_KEYWORD, 0};
	for (size_t i = 0; i < v->count; i++) {
		const struct css_token *t = &v->token[i];

		if (t->type == CSS_FUNCTION)
			scales = strncmp(t->text, "scale", 5) == 0 ||
				 strncmp(t->text, "matrix", 6) == 0;
		else if (scales && style_number(t, &one) && one.n >= TIMES &&
			 v->token[0].type != CSS_FUNCTION)
			out->n = 1;
		else if (scales && style_number(t, &one) && one.n >= TIMES)
			out->n = strncmp(v->token[0].text, "matrix", 6) != 0;
	}
	return true;
}

/* Room that an element takes before what follows it. */
bool
read_tall(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	int32_t most, least;

	(void)property;
	extremes(v, &most, &least);
	return answer(out, most >= TALL);
}

/* Another order, or a box filled from its end. */
bool
read_order(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	static const char *const words[] = {"flex-end", "end", "right",
	    "row-reverse", "column-reverse", "wrap-reverse", "last", "center",
	    "space-around", "space-evenly"};

	(void)property;
	return answer(
	    out, has_word(v, words, COUNT_OF(words)) ||
		     (v->token[0].type == CSS_NUMBER &&
			 (v->token[0].number > 0 || v->token[0].number < 0)));
}

/* Names that only matter to one who puts them to use, or to programs that are
 * no browsers. */
static bool
is_private(struct span name)
{
	static const char *const starts[] = {
	    "--", "mso-", "-ms-", "-premailer-", "-apple-", "scrollbar-"};

	for (size_t i = 0; i < COUNT_OF(starts); i++)
		if (ascii_starts(name, starts[i]))
			return true;
	return false;
}

static int
compare_names(const void *name, const void *entry)
{
	return strcmp(name, *(const char *const *)entry);
}

bool
style_is_harmless(const struct css_token *name)
{
	static const char *const harmless[] = {
#define HARMLESS(text) text,
#include "reader/html_harmless.def"
#undef HARMLESS
	};

	return is_private(name->content) ||
	       bsearch(name->text, harmless, COUNT_OF(harmless),
		   sizeof harmless[0], compare_names) != NULL;
}
