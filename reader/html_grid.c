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

/* A list of sizes, or the shorthand around one: 1 if one of them is nearly
 * none. Of minmax() the greater counts, of repeat() what is repeated. */
bool
read_tracks(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	bool skip = false;

	(void)property;
	*out = (struct style_value){UNIT_KEYWORD, 0};
	for (size_t i = 0; i < v->count; i++) {
		const struct css_token *t = &v->token[i];

		if (t->type == CSS_FUNCTION) {
			skip = strcmp(t->text, "minmax") == 0 ||
			       strcmp(t->text, "repeat") == 0;
			if (!skip && strcmp(t->text, "fit-content") != 0)
				return false;
		} else if (css_is_delim(t, ',')) {
			skip = false;
		} else if (t->type == CSS_NUMBER && !skip && is_tiny(t)) {
			out->n = 1;
		}
	}
	return true;
}

/* "flex" (CSS Flexible Box Layout Level 1, 7.1): its share for STYLE_GROW, its
 * length for STYLE_BASIS. */
bool
read_flex(const struct style_tokens *v, enum style_property property,
    struct style_value *out)
{
	struct style_value grow = {UNIT_NUMBER, 1000}, basis = {UNIT_PX, 0};
	size_t numbers = 0;

	if (v->count > 3)
		return false;
	for (size_t i = 0; i < v->count; i++) {
		const struct css_token *t = &v->token[i];

		if (t->type == CSS_NUMBER && t->text[0] == '\0') {
			if (numbers++ == 0)
				(void)style_number(t, &grow);
		} else if (t->type == CSS_IDENT) {
			basis = (struct style_value){UNIT_UNSET, 0};
			if (css_is_word(t, "none"))
				grow.n = 0;
		} else if (!style_length(t, &basis)) {
			return false;
		}
	}
	*out = property == STYLE_GROW ? grow : basis;
	return true;
}
