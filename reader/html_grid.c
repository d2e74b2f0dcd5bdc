/*
 * Grids and flexible boxes: whether they leave their contents no room. Runs in
 * the reader's worker over hostile bytes. What is not understood is no value
 * here; html_style.c says what follows from that.
 */
#include "reader/html_value.h"

#include <string.h>

#define TRACK_PX 400	/* hundredths; less is no room */
#define TRACK_SHARE 0.2 /* of the room that is left */

/* Whether a size of a row or column is nearly none. */
static bool
is_tiny(const struct css_token *token)
{
	struct style_value length;

	if (strcmp(token->text, "fr") == 0)
		return token->number < TRACK_SHARE;
	if (!style_length(token, &length))
		return false;
	if (length.unit == UNIT_PX)
		return length.n <= TRACK_PX;
	return length.n <= (length.unit == UNIT_EM ? TRACK_PX / 2 : 0);
}

/* Whether a token may stand among sizes of rows and columns. */
static bool
is_track(const struct css_token *t, bool in_name, bool counts)
{
	static const char *const words[] = {"none", "auto", "min-content",
	    "max-content", "subgrid", "masonry", "auto-flow", "auto-fill",
	    "auto-fit", "dense", "row", "column"};
	struct style_value unused;

	switch (t->type) {
	case CSS_IDENT:
		return in_name ||
		       style_is_word(t, words, sizeof words / sizeof words[0]);
	case CSS_NUMBER:
		return counts || strcmp(t->text, "fr") == 0 ||
		       style_length(t, &unused);
	case CSS_DELIM:
		return strchr("[](),/", t->delim) != NULL;
	default:
		return t->type == CSS_STRING;
	}
}

/* A list of sizes, or the shorthand around one: 1 if one of them is nearly
 * none. Of minmax() the greater counts, of repeat() what is repeated. */
bool
read_tracks(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	bool skip = false, counts = false, in_name = false;

	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 0};
	for (size_t i = 0; i < v->count; i++) {
		const struct css_token *t = &v->token[i];

		if (t->type == CSS_FUNCTION) {
			counts = strcmp(t->text, "repeat") == 0;
			skip = counts || strcmp(t->text, "minmax") == 0;
			if (!skip && strcmp(t->text, "fit-content") != 0)
				return false;
			continue;
		}
		in_name =
		    css_is_delim(t, '[') || (in_name && !css_is_delim(t, ']'));
		if (!is_track(t, in_name, counts))
			return false;
		if (css_is_delim(t, ','))
			skip = counts = false;
		else if (t->type == CSS_NUMBER && !skip && is_tiny(t))
			out->n = 1;
	}
	return true;
}

/* "flex" (CSS Flexible Box Layout Level 1, 7.1): its share for STYLE_GROW, its
 * length for STYLE_BASIS. */
bool
read_flex(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	static const char *const words[] = {
	    "auto", "content", "min-content", "max-content", "fit-content"};
	struct style_value grow = {UNIT_NUMBER, 1000}, basis = {UNIT_PX, 0};
	size_t numbers = 0, sizes = 0, last = 0;
	bool none = v->count == 1 && css_is_word(&v->token[0], "none");

	if (none) {
		grow.n = 0;
		basis = (struct style_value){UNIT_UNSET, 0};
	}
	for (size_t i = 0; i < v->count && !none; i++) {
		const struct css_token *t = &v->token[i];

		if (numbers < 2 && t->type == CSS_NUMBER &&
		    t->text[0] == '\0') {
			if (t->number < 0 || (numbers != 0 && last + 1 != i))
				return false;
			if (numbers++ == 0)
				(void)style_number(t, &grow);
			last = i;
			continue;
		}
		if (sizes++ != 0)
			return false;
		if (style_is_word(t, words, sizeof words / sizeof words[0]))
			basis = (struct style_value){UNIT_UNSET, 0};
		else if (!style_length(t, &basis) || basis.n < 0)
			return false;
	}
	*out = property == STYLE_GROW ? grow : basis;
	return true;
}
