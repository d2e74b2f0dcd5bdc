/*
 * Values that cut, shrink, move or fade a box until nothing of it is left.
 * Runs in the reader's worker over hostile bytes. What is not understood is
 * no value here; html_style.c says what follows from that.
 */
#include "reader/html_value.h"

#include <string.h>

#define FAR_PX 50000	 /* hundredths; nobody scrolls so far */
#define CLIP_LEAST 400	 /* hundredths of a px that a clip leaves */
#define FAR_INSET 20000	 /* hundredths of a px, cut off one side */
#define DOT 400		 /* hundredths of a px; smaller shows no letter */
#define FAR_PERCENT 1000 /* thousandths */
#define NOTHING 0.001	 /* of a length */
#define BLUR_MOST 1000	 /* hundredths of a px; behind that are no letters */
#define GREY_LEAST 200	 /* thousandths of contrast or brightness */
#define TURN_MOST 3.0	 /* degrees */
#define SLANT_MOST 0.06	 /* their sine */
#define MATRIX 6	 /* numbers of matrix() */

static bool
is_near_zero(double n)
{
	return n < NOTHING && n > -NOTHING;
}

/* Make the factor in `out`, thousandths of a length, not above `n`. */
static void
shrink(struct style_value *out, double n)
{
	double size = n < 0 ? -n : n;

	if (size * 1000 < out->n)
		out->n = (int32_t)(size * 1000);
}

/* rect() with edges that leave at most one pixel; "auto" is the box's own. */
bool
read_clip(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	int32_t edge[4] = {0, FAR_PX * 4, FAR_PX * 4, 0};
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
		if (one.unit == UNIT_PX)
			one.n = one.n >= FAR_INSET ? 1000 : 0;
		side[n++] = one.unit == UNIT_EM ? 0 : one.n;
	}
	return side[sides[n][0]] + side[sides[n][2]] >= 1000 ||
	       side[sides[n][1]] + side[sides[n][3]] >= 1000;
}

/* polygon() all of whose points have one place on one axis. */
static bool
polygon_is_empty(const struct style_tokens *v)
{
	double low[2] = {1e9, 1e9}, high[2] = {-1e9, -1e9};
	size_t axis = 0;

	for (size_t i = 1; i < v->count; i++) {
		double n = v->token[i].number;

		if (v->token[i].type != CSS_NUMBER)
			continue;
		low[axis] = n < low[axis] ? n : low[axis];
		high[axis] = n > high[axis] ? n : high[axis];
		axis = 1 - axis;
	}
	return high[0] - low[0] < 1 || high[1] - low[1] < 1;
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
		if (!middle && one.n <= DOT)
			out->n = one.unit == UNIT_PX || one.n <= 0;
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

/* Whether something is moved so far away that nobody scrolls there, or by
 * its whole size. */
static bool
moved(const struct css_token *token)
{
	struct style_value by;

	if (!style_length(token, &by))
		return false;
	if (by.unit == UNIT_PERCENT)
		return by.n <= -FAR_PERCENT || by.n >= FAR_PERCENT;
	if (by.unit == UNIT_EM)
		by.n = by.n > FAR_PX ? 4 * FAR_PX : by.n * 16 / 10;
	return by.n <= -FAR_PX || by.n >= 4 * FAR_PX;
}

/* matrix(a, b, c, d, e, f), whose name has been read. */
static bool
read_matrix(const struct style_tokens *v, size_t i, struct style_value *out)
{
	double m[MATRIX];
	size_t n = 0;

	for (; i < v->count && n < MATRIX; i++)
		if (v->token[i].type == CSS_NUMBER)
			m[n++] = v->token[i].number;
	if (n < MATRIX)
		return false;
	if (is_near_zero(m[0] * m[3] - m[1] * m[2]))
		out->n = 0;
	else if (m[1] > SLANT_MOST || m[1] < -SLANT_MOST || m[2] > SLANT_MOST ||
		 m[2] < -SLANT_MOST)
		return false;
	else if (m[4] * 100 <= -FAR_PX || m[5] * 100 <= -FAR_PX ||
		 m[4] * 100 >= 4 * FAR_PX || m[5] * 100 >= 4 * FAR_PX)
		*out = (struct style_value){UNIT_KEYWORD, 2};
	else {
		shrink(out, m[0]);
		shrink(out, m[3]);
	}
	return true;
}

/* Whether an angle turns a box so little that its text stays where it is. */
static bool
is_slight(const struct css_token *token)
{
	static const struct {
		const char *unit;
		double degrees;
	} units[] = {
	    {"deg", 1}, {"", 1}, {"grad", 0.9}, {"rad", 57.3}, {"turn", 360}};

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (token->type == CSS_NUMBER &&
		    strcmp(token->text, units[i].unit) == 0)
			return token->number * units[i].degrees <= TURN_MOST &&
			       token->number * units[i].degrees >= -TURN_MOST;
	return false;
}

/* Whether a function of "transform" leaves a box in its plane. */
static bool
is_flat(const char *name)
{
	return strcmp(name, "matrix") == 0 || strncmp(name, "scale", 5) == 0 ||
	       strncmp(name, "translate", 9) == 0 ||
	       strcmp(name, "rotate") == 0 || strcmp(name, "rotatez") == 0;
}

/* scale(0), translate() far away, and matrix() that does either. What turns
 * a box out of its plane is not worked out. */
bool
read_transform(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	const char *name = "";

	(void)property;
	*out = (struct style_value){UNIT_NUMBER, 1000};
	if (v->count == 1 && v->token[0].type == CSS_IDENT)
		return css_is_word(&v->token[0], "none");
	for (size_t i = 0; i < v->count; i++) {
		const struct css_token *t = &v->token[i];

		if (t->type == CSS_FUNCTION) {
			name = t->text;
			if (!is_flat(name) || (strcmp(name, "matrix") == 0 &&
						  !read_matrix(v, i + 1, out)))
				return false;
		} else if (t->type == CSS_NUMBER && out->unit == UNIT_NUMBER) {
			if (strncmp(name, "rotate", 6) == 0 && !is_slight(t))
				return false;
			if (strncmp(name, "scale", 5) == 0)
				shrink(out, t->text[0] == '%' ? t->number / 100
							      : t->number);
			else if (strncmp(name, "translate", 9) == 0 && moved(t))
				*out = (struct style_value){UNIT_KEYWORD, 2};
		} else if (t->type != CSS_NUMBER && t->type != CSS_DELIM) {
			return false;
		}
	}
	return true;
}

/* The property "scale", or "zoom": factors. */
bool
read_scale(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	struct style_value one;

	(void)property;
	*out = (struct style_value){UNIT_NUMBER, 1000};
	if (v->count == 1 && v->token[0].type == CSS_IDENT)
		return css_is_word(&v->token[0], "none") ||
		       css_is_word(&v->token[0], "normal") ||
		       css_is_word(&v->token[0], "reset");
	for (size_t i = 0; i < v->count; i++) {
		if (!style_number(&v->token[i], &one))
			return false;
		shrink(out, one.n / 1000.0);
	}
	return true;
}

/* An angle turns a box in its plane. */
bool
read_rotate(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 0};
	if (v->count == 1 && css_is_word(&v->token[0], "none"))
		return true;
	out->n = v->count != 1 || !is_slight(&v->token[0]);
	return v->count > 1 || v->token[0].type == CSS_NUMBER;
}

bool
read_translate(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	struct style_value one;

	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 0};
	if (v->count == 1 && css_is_word(&v->token[0], "none"))
		return true;
	for (size_t i = 0; i < v->count; i++) {
		if (!style_length(&v->token[i], &one))
			return false;
		if (moved(&v->token[i]))
			out->n = 2;
	}
	return true;
}

bool
read_inset(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	struct style_value one;

	(void)property;
	*out = (struct style_value){UNIT_UNSET, 0};
	for (size_t i = 0; i < v->count; i++) {
		if (css_is_word(&v->token[i], "auto"))
			continue;
		if (!style_length(&v->token[i], &one))
			return false;
		if (out->unit == UNIT_UNSET ||
		    (one.n < 0 ? -one.n : one.n) >
			(out->n < 0 ? -out->n : out->n))
			*out = one;
	}
	return v->count <= 4;
}

/* What opacity() leaves; nothing behind a blur() without letters. */
bool
read_filter(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	struct style_value one;

	(void)property;
	*out = (struct style_value){UNIT_NUMBER, 1000};
	for (size_t i = 0; i < v->count; i++) {
		const struct css_token *t = &v->token[i];

		if (t->type == CSS_URL || strcmp(t->text, "var") == 0 ||
		    strcmp(t->text, "calc") == 0 || strcmp(t->text, "url") == 0)
			return false;
		if (css_is_delim(t, '=') || css_is_delim(t, ':') ||
		    (t->type == CSS_IDENT && v->count == 1 &&
			!css_is_word(t, "none")))
			return false;
		if (t->type != CSS_FUNCTION || i + 1 == v->count)
			continue;
		if (strcmp(t->text, "blur") == 0) {
			if (style_length(&t[1], &one) && one.n > BLUR_MOST)
				out->n = 0;
		} else if (style_number(&t[1], &one)) {
			if (strcmp(t->text, "opacity") == 0 && one.n < out->n)
				out->n = one.n;
			if (one.n < GREY_LEAST &&
			    (strcmp(t->text, "contrast") == 0 ||
				strcmp(t->text, "brightness") == 0))
				out->n = 0;
		}
	}
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
