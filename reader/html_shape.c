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
#define WHOLE 1000	/* thousandths */
#define LINE 1600	/* hundredths of a px: the least height of a box */
#define WIDE 100000	/* its width */

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
	if (v->token[0].type != CSS_FUNCTION ||
	    strcmp(v->token[0].text, "rect") != 0)
		return false;
	for (size_t i = 1; i < v->count; i++) {
		struct style_value one;

		if (css_is_delim(&v->token[i], ',') ||
		    (css_is_delim(&v->token[i], ')') && i + 1 == v->count))
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

/* How many lengths stand from `i` on; what is behind them in *end_out. */
static size_t
lengths(const struct style_tokens *v, size_t i, size_t *end_out)
{
	size_t start = i;
	struct style_value unused;

	while (i < v->count && style_length(&v->token[i], &unused))
		i++;
	*end_out = i;
	return i - start;
}

/* Whether `i` is the end of a function that is all of the value. */
static bool
is_end(const struct style_tokens *v, size_t i)
{
	return i == v->count ||
	       (i + 1 == v->count && css_is_delim(&v->token[i], ')'));
}

/* inset(): one to four lengths, and perhaps how round it is. */
static bool
is_inset(const struct style_tokens *v)
{
	size_t i, n = lengths(v, 1, &i);

	if (n < 1 || n > 4)
		return false;
	if (i < v->count && css_is_word(&v->token[i], "round")) {
		n = lengths(v, i + 1, &i);
		if (n < 1 || n > 4)
			return false;
		if (i < v->count && css_is_delim(&v->token[i], '/')) {
			n = lengths(v, i + 1, &i);
			if (n < 1 || n > 4)
				return false;
		}
	}
	return is_end(v, i);
}

/* polygon(): a rule perhaps, and pairs of lengths. */
static bool
is_polygon(const struct style_tokens *v)
{
	size_t i = 1;

	if (v->count > 3 && css_is_delim(&v->token[2], ',') &&
	    (css_is_word(&v->token[1], "nonzero") ||
		css_is_word(&v->token[1], "evenodd")))
		i = 3;
	for (;; i++) {
		if (lengths(v, i, &i) != 2)
			return false;
		if (i == v->count || !css_is_delim(&v->token[i], ','))
			return is_end(v, i);
	}
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
	size_t sizes = 0,
	       most = strcmp(v->token[0].text, "circle") == 0 ? 1 : 2;

	for (size_t i = 1; i < v->count; i++) {
		if (is_end(v, i))
			break;
		if (css_is_word(&v->token[i], "at")) {
			if (middle)
				return false;
			middle = true;
			sizes = 0;
			most = 2;
			continue;
		}
		if (++sizes > most)
			return false;
		if (is_round_word(&v->token[i]))
			continue;
		if (!style_length(&v->token[i], &one))
			return false;
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
	if (strcmp(name, "inset") == 0 && is_inset(v))
		out->n = inset_is_empty(v);
	else if (strcmp(name, "polygon") == 0 && is_polygon(v))
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
