/*
 * Transformations: values that move, shrink or turn a box until nobody can
 * read it. Runs in the reader's worker over hostile bytes. What is not
 * understood is no value here; html_style.c says what follows from that.
 */
#include "reader/html_value.h"

#include <string.h>

#define FAR_ORIGIN 50000  /* of what a box is turned about */
#define FAR_AROUND 3000	  /* the same, of what it is turned about */
#define SUM_MOST 10000000 /* hundredths of a px */
#define NOTHING 0.001	  /* of a length */
#define TURN_MOST 3.0	  /* degrees */
#define SLANT_MOST 0.06	  /* their sine */
#define MATRIX 6	  /* numbers of matrix() */

/* What the functions of "transform" add up to. */
struct motion {
	double size;  /* factor of the functions before */
	double least; /* of this one's axes */
	int32_t x, y; /* hundredths of a px */
	bool away;    /* by its own size */
	const char *name;
	unsigned argument; /* of the function, from 0 */
};

static bool
is_near_zero(double n)
{
	return n < NOTHING && n > -NOTHING;
}

static int32_t
sum(int32_t a, double b)
{
	double n = a + b;

	return n > SUM_MOST ? SUM_MOST : n < -SUM_MOST ? -SUM_MOST : (int32_t)n;
}

/* An argument of translate() and the like. */
static void
move(struct motion *m, const struct css_token *token)
{
	bool down = strcmp(m->name, "translatey") == 0 || m->argument == 1;
	struct style_value by;
	double px;

	if (!style_length(token, &by) || m->argument > 1 ||
	    strcmp(m->name, "translatez") == 0)
		return;
	if (by.unit == UNIT_PERCENT) {
		m->away |= by.n <= -FAR_PERCENT || by.n >= FAR_PERCENT;
		return;
	}
	px = by.unit == UNIT_EM ? by.n * 1.6 : by.n;
	if (down)
		m->y = sum(m->y, px);
	else
		m->x = sum(m->x, px);
}

/* matrix(a, b, c, d, e, f) without what turns or mirrors. */
static bool
add_matrix(struct motion *m, const struct css_token *arguments)
{
	double n[MATRIX];

	for (size_t i = 0; i < MATRIX; i++)
		n[i] = arguments[2 * i].number;
	m->least = n[0] < n[3] ? n[0] : n[3];
	if (is_near_zero(n[0] * n[3] - n[1] * n[2])) {
		m->least = 0;
		return true;
	}
	m->x = sum(m->x, n[4] * 100);
	m->y = sum(m->y, n[5] * 100);
	return m->least > 0 && n[1] <= SLANT_MOST && n[1] >= -SLANT_MOST &&
	       n[2] <= SLANT_MOST && n[2] >= -SLANT_MOST;
}

/* Whether an angle turns a box so little that its text stays where it is. */
static bool
is_slight(const struct css_token *token)
{
	static const struct {
		const char *unit;
		double degrees;
	} units[] = {{"deg", 1}, {"grad", 0.9}, {"rad", 57.3}, {"turn", 360}};

	if (token->type == CSS_NUMBER && token->text[0] == '\0')
		return token->number <= 0 && token->number >= 0;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (token->type == CSS_NUMBER &&
		    strcmp(token->text, units[i].unit) == 0)
			return token->number * units[i].degrees <= TURN_MOST &&
			       token->number * units[i].degrees >= -TURN_MOST;
	return false;
}

/* The functions of "transform" that leave a box in its plane, and how many
 * numbers, lengths or angles they take. */
static const struct flat {
	const char *name;
	size_t least, most;
	enum { NUMBERS, LENGTHS, ANGLE } kind;
} flats[] = {
    {"matrix", MATRIX, MATRIX, NUMBERS},
    {"rotate", 1, 1, ANGLE},
    {"rotatez", 1, 1, ANGLE},
    {"scale", 1, 2, NUMBERS},
    {"scale3d", 3, 3, NUMBERS},
    {"scalex", 1, 1, NUMBERS},
    {"scaley", 1, 1, NUMBERS},
    {"scalez", 1, 1, NUMBERS},
    {"translate", 1, 2, LENGTHS},
    {"translate3d", 3, 3, LENGTHS},
    {"translatex", 1, 1, LENGTHS},
    {"translatey", 1, 1, LENGTHS},
    {"translatez", 1, 1, LENGTHS},
};

static const struct flat *
find_flat(const char *name)
{
	for (size_t i = 0; i < sizeof flats / sizeof flats[0]; i++)
		if (strcmp(flats[i].name, name) == 0)
			return &flats[i];
	return NULL;
}

/* Whether an argument is of the kind that the function takes. */
static bool
is_argument(const struct flat *flat, const struct css_token *token)
{
	struct style_value unused;

	if (flat->kind == LENGTHS)
		return style_length(token, &unused);
	return flat->kind == ANGLE || style_number(token, &unused);
}

/* One of the numbers in brackets. What mirrors a box is not worked out. */
static bool
add_number(struct motion *m, const struct css_token *t)
{
	double n = t->text[0] == '%' ? t->number / 100 : t->number;

	if (strncmp(m->name, "rotate", 6) == 0)
		return is_slight(t);
	if (strncmp(m->name, "translate", 9) == 0)
		move(m, t);
	if (strncmp(m->name, "scale", 5) != 0)
		return true;
	m->least = n < m->least ? n : m->least;
	return n >= 0;
}

/* What a function leaves; what it makes larger may be cut. */
static void
end_function(struct motion *m)
{
	m->size *= m->least < 1 ? m->least : 1;
	m->least = 1;
}

/* The function at `at`; false: something turns the box out of its plane, or is
 * no such function. */
static bool
add_function(
    const struct style_tokens *v, size_t at, struct motion *m, size_t *end_out)
{
	const struct flat *flat = find_flat(v->token[at].text);
	size_t count = style_arguments(v, at, end_out);

	if (flat == NULL || count == NO_ARGUMENTS || count < flat->least ||
	    count > flat->most)
		return false;
	m->name = flat->name;
	for (size_t i = 0; i < count; i++) {
		const struct css_token *t = &v->token[at + 1 + 2 * i];

		m->argument = (unsigned)i;
		if (!is_argument(flat, t) || !add_number(m, t))
			return false;
	}
	return strcmp(flat->name, "matrix") != 0 ||
	       add_matrix(m, &v->token[at + 1]);
}

static bool
add_up(const struct style_tokens *v, struct motion *m)
{
	*m = (struct motion){.size = 1, .least = 1, .name = ""};
	for (size_t i = 0; i < v->count; end_function(m))
		if (!add_function(v, i, m, &i))
			return false;
	return true;
}

/* Whether that is so far away that nobody scrolls there. */
static bool
is_away(const struct motion *m)
{
	return m->away || m->x <= -FAR_BEFORE || m->x >= FAR_ASIDE ||
	       m->y <= -FAR_BEFORE || m->y >= FAR_BELOW;
}

static bool
is_none(const struct style_tokens *v)
{
	return v->count == 1 && css_is_word(&v->token[0], "none");
}

/* What is left of a length; UNIT_KEYWORD 2: it is moved away. */
bool
read_transform(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	struct motion m;

	(void)property;
	*out = (struct style_value){UNIT_NUMBER, 1000};
	if (is_none(v))
		return true;
	if (!add_up(v, &m))
		return false;
	out->n = (int32_t)(m.size * 1000);
	if (is_away(&m))
		*out = (struct style_value){UNIT_KEYWORD, 2};
	return true;
}

bool
read_transform_x(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	struct motion m = {.x = 0};

	(void)property;
	if (!is_none(v) && !add_up(v, &m))
		return false;
	*out = (struct style_value){UNIT_PX, m.x};
	return true;
}

/* The property "scale", or "zoom": factors. What mirrors leaves nothing. */
bool
read_scale(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	struct style_value one;

	*out = (struct style_value){UNIT_NUMBER, 1000};
	if (v->count == 1 && v->token[0].type == CSS_IDENT)
		return property == STYLE_SCALE
			   ? is_none(v)
			   : css_is_word(&v->token[0], "normal") ||
				 css_is_word(&v->token[0], "reset");
	if (v->count > (property == STYLE_SCALE ? 3 : 1))
		return false;
	for (size_t i = 0; i < v->count; i++) {
		if (!style_number(&v->token[i], &one))
			return false;
		out->n = one.n < out->n ? one.n : out->n;
	}
	if (out->n < 0 && property != STYLE_SCALE)
		return false;
	out->n = out->n < 0 ? 0 : out->n;
	return true;
}

/* An angle turns a box in its plane. */
bool
read_rotate(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 0};
	if (is_none(v))
		return true;
	out->n = v->count != 1 || !is_slight(&v->token[0]);
	return v->count > 1 || v->token[0].type == CSS_NUMBER;
}

static bool
read_translation(const struct style_tokens *v, struct motion *m)
{
	struct style_value one;

	*m = (struct motion){.name = "translate"};
	if (v->count > 3)
		return false;
	for (size_t i = 0; i < v->count && !is_none(v); i++) {
		if (!style_length(&v->token[i], &one))
			return false;
		m->argument = (unsigned)i;
		move(m, &v->token[i]);
	}
	return true;
}

bool
read_translate(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	struct motion m;

	(void)property;
	if (!read_translation(v, &m))
		return false;
	*out = (struct style_value){UNIT_KEYWORD, is_away(&m) ? 2 : 0};
	return true;
}

bool
read_translate_x(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	struct motion m;

	(void)property;
	if (!read_translation(v, &m))
		return false;
	*out = (struct style_value){UNIT_PX, m.x};
	return true;
}

/* The place a box is scaled and turned about: 1 if it is far from the box. */
bool
read_origin(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	static const char *const words[] = {
	    "left", "right", "top", "bottom", "center"};
	struct style_value one;

	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 0};
	if (v->count > 3)
		return false;
	for (size_t i = 0; i < v->count; i++) {
		int32_t most;

		if (style_is_word(
			&v->token[i], words, sizeof words / sizeof words[0]))
			continue;
		if (!style_length(&v->token[i], &one))
			return false;
		most = one.unit == UNIT_PX   ? FAR_ORIGIN
		       : one.unit == UNIT_EM ? FAR_EM
					     : FAR_AROUND;
		if (one.n <= -most || one.n >= most)
			out->n = 1;
	}
	return true;
}
