/*
 * Values that cut a box until nothing of it is left.
 * Runs in the reader's worker over hostile bytes. What is not understood is
 * no value here; html_style.c says what follows from that.
 */
#include "reader/html_value.h"

#include <string.h>

#define FAR_PX 200000	/* hundredths */
#define CLIP_LEAST 400	/* hundredths of a px that a clip leaves */
#define FAR_INSET 20000 /* hundredths of a px, cut off one side */
#define THIN 900	/* thousandths cut off: what is left shows no text */
#define DOT 800		/* hundredths of a px; smaller shows no letter */
#define DOT_PERCENT 50	/* the same in thousandths of the box */
#define FAR_PERCENT 1000
#define WHOLE 1000  /* thousandths */
#define LINE 1600   /* hundredths of a px: the least height of a box */
#define WIDE 100000 /* its width */

/* rect() with edges that leave at most one pixel; "auto" is the box's own. */
bool
read_clip(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	int32_t edge[4] = {0, FAR_PX, FAR_PX, 0};
	size_t n = 0;

	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 0};
	if (v->count == 1)
		return css_is_word(&v->token[0], "auto");
	if (v->token[0].type != CSS_FUNCTION)
		return false;
	for (size_t i = 1; i < v->count; i++) {
		struct style_value one;

		if (css_is_delim(&v->token[i], ',') ||
		    css_is_delim(&v->token[i], ')'))
			continue;
		if (n == 4)
			return false;
		if (style_length(&v->token[i], &one))
			edge[n] = one.n;
		else if (!css_is_word(&v->token[i], "auto"))
			return false;
		n++;
	}
	if (n != 4)
		return false;
	out->n =
	    edge[2] - edge[0] <= CLIP_LEAST || edge[1] - edge[3] <= CLIP_LEAST;
	return true;
}

/* inset() whose sides meet; up to "round". */
static bool
inset_is_empty(const struct style_tokens *v)
{
	static const size_t sides[5][4] = {
	    {0}, {0, 0, 0, 0}, {0, 1, 0, 1}, {0, 1, 2, 1}, {0, 1, 2, 3}};
	int32_t side[4] = {0};
	size_t n = 0;

	for (size_t i = 1; i < v->count && n < 4; i++) {
		struct style_value one;

		if (!style_length(&v->token[i], &one))
			break;
		if (one.unit == UNIT_EM)
			one = (struct style_value){
			    UNIT_PX, (int32_t)(one.n * 1.6)};
		if (one.unit == UNIT_PX)
			one.n = one.n >= FAR_INSET ? WHOLE : 0;
		side[n++] = one.n;
	}
	return side[sides[n][0]] + side[sides[n][2]] >= THIN ||
	       side[sides[n][1]] + side[sides[n][3]] >= THIN;
}

/* A place on one axis of a box, in thousandths of it. */
static double
place_on(const struct css_token *token, size_t axis)
{
	double box = axis == 0 ? WIDE : LINE;
	struct style_value one;

	if (!style_length(token, &one))
		return 0;
	if (one.unit == UNIT_PERCENT)
		return one.n;
	return (one.unit == UNIT_EM ? one.n * 1.6 : one.n) * WHOLE / box;
}

/* polygon() that leaves a tenth of the box or less, or lies beside it. */
static bool
polygon_is_empty(const struct style_tokens *v)
{
	double low[2] = {1e9, 1e9}, high[2] = {-1e9, -1e9};
	double first[2] = {0, 0}, last[2] = {0, 0}, place[2], area = 0;
	size_t points = 0, axis = 0;

	for (size_t i = 1; i < v->count; i++) {
		if (v->token[i].type != CSS_NUMBER)
			continue;
		place[axis] = place_on(&v->token[i], axis);
		if (place[axis] < low[axis])
			low[axis] = place[axis];
		if (place[axis] > high[axis])
			high[axis] = place[axis];
		axis = 1 - axis;
		if (axis != 0)
			continue;
		if (points++ == 0)
			memcpy(first, place, sizeof first);
		else
			area += last[0] * place[1] - place[0] * last[1];
		memcpy(last, place, sizeof last);
	}
	area += last[0] * first[1] - first[0] * last[1];
	return points < 3 || high[0] <= 0 || high[1] <= 0 || low[0] >= WHOLE ||
	       (area < 2 * WHOLE * (WHOLE - THIN) &&
		   area > -2 * WHOLE * (WHOLE - THIN));
}

static bool
has_function(const struct style_tokens *v, size_t from)
{
	while (from < v->count)
		if (v->token[from++].type == CSS_FUNCTION)
			return true;
	return false;
}

static bool
is_round_word(const struct css_token *token)
{
	static const char *const words[] = {"at", "closest-side",
	    "farthest-side", "closest-corner", "farthest-corner", "center",
	    "left", "right", "top", "bottom"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (css_is_word(token, words[i]))
			return true;
	return false;
}

/* circle() or ellipse(): a radius of nothing, or a middle that may be away
 * from the box. */
static bool
read_round(const struct style_tokens *v, struct style_value *out)
{
	struct style_value one;
	bool middle = false;

	for (size_t i = 1; i < v->count; i++) {
		middle |= css_is_word(&v->token[i], "at");
		if (v->token[i].type == CSS_IDENT &&
		    !is_round_word(&v->token[i]))
			return false;
		if (!style_length(&v->token[i], &one))
			continue;
		if (middle && (one.n < 0 || one.unit != UNIT_PERCENT ||
				  one.n > FAR_PERCENT))
			return false;
		if (!middle &&
		    one.n <= (one.unit == UNIT_PX ? DOT : DOT_PERCENT))
			out->n = 1;
	}
	return true;
}

bool
read_clip_path(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	const char *name = v->token[0].text;

	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 0};
	if (v->token[0].type == CSS_IDENT)
		return css_is_word(&v->token[0], "none");
	if (v->token[0].type != CSS_FUNCTION || has_function(v, 1))
		return false;
	if (strcmp(name, "inset") == 0 && v->count > 1 &&
	    v->token[1].type != CSS_NUMBER)
		return false;
	if (strcmp(name, "inset") == 0)
		out->n = inset_is_empty(v);
	else if (strcmp(name, "polygon") == 0)
		out->n = polygon_is_empty(v);
	else if (strcmp(name, "circle") == 0 || strcmp(name, "ellipse") == 0)
		return read_round(v, out);
	else
		return false;
	return true;
}

/* A mask may leave nothing; only that there is none can be known. */
bool
read_mask(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 0};
	return v->count == 1 && css_is_word(&v->token[0], "none");
}

/* A way along which a box is moved. */
bool
read_path(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	const struct css_token *first = &v->token[0];

	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 1};
	if (has_function(v, 0) || first->type == CSS_URL)
		return false;
	if (v->count == 1 &&
	    (css_is_word(first, "none") || css_is_word(first, "auto") ||
		css_is_word(first, "normal")))
		out->n = 0;
	return first->type == CSS_IDENT;
}
