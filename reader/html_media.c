/*
 * Media queries. Runs in the reader's worker over hostile text; no state.
 */
#include "reader/html_media.h"

#include <string.h>

#include "reader/html_style.h"

#define SCREEN_LEAST 800 /* px; windows in which mails are read */
#define SCREEN_MOST 2000
#define SUPPORTS_DEPTH 8 /* brackets in brackets of @supports */

static enum media
both(enum media a, enum media b)
{
	return a < b ? a : b;
}

static enum media
width_is(bool at_least, bool at_most)
{
	return at_least == at_most ? (at_least ? MEDIA_YES : MEDIA_NO)
				   : MEDIA_MAYBE;
}

static enum media
feature_is(const struct css_token *name, const struct css_token *value)
{
	double px = value->number;

	if (css_is_word(name, "prefers-color-scheme"))
		return css_is_word(value, "light") ? MEDIA_YES : MEDIA_NO;
	if (strncmp(name->text, "-ms-", 4) == 0)
		return MEDIA_NO;
	if (value->type != CSS_NUMBER)
		return MEDIA_MAYBE;
	if (strcmp(value->text, "em") == 0 || strcmp(value->text, "rem") == 0)
		px *= 16;
	if (css_is_word(name, "min-width") ||
	    css_is_word(name, "min-device-width"))
		return width_is(px <= SCREEN_LEAST, px <= SCREEN_MOST);
	if (css_is_word(name, "max-width") ||
	    css_is_word(name, "max-device-width"))
		return width_is(px >= SCREEN_LEAST, px >= SCREEN_MOST);
	return MEDIA_MAYBE;
}

/* One "(name: value)"; its '(' has been read. */
static enum media
media_feature(struct css *css)
{
	struct css_token name, token, value = {.type = CSS_END};
	bool range = false;
	unsigned depth = 1;

	css_next_solid(css, &name);
	token = name;
	while (depth > 0 && token.type != CSS_END) {
		if (token.type == CSS_NUMBER || token.type == CSS_IDENT)
			value = token;
		range |= token.type == CSS_FUNCTION || token.delim == '<' ||
			 token.delim == '>' || token.delim == '=' ||
			 token.delim == '(';
		if (css_is_delim(&token, '(') || token.type == CSS_FUNCTION)
			depth++;
		if (css_is_delim(&token, ')') && --depth == 0)
			break;
		css_next_solid(css, &token);
	}
	return range ? MEDIA_MAYBE : feature_is(&name, &value);
}

/* A word of a query: "and", a type, or what is none we know. */
static enum media
media_word(const struct css_token *token)
{
	if (css_is_word(token, "and") || css_is_word(token, "only") ||
	    css_is_word(token, "screen") || css_is_word(token, "all"))
		return MEDIA_YES;
	if (css_is_word(token, "or") || token->type == CSS_FUNCTION)
		return MEDIA_MAYBE;
	return MEDIA_NO;
}

enum media
media_list(struct css *css, struct css_token *token)
{
	enum media any = MEDIA_NO, all = MEDIA_YES;
	bool negated = false, empty = true;

	while (css_next_solid(css, token) && !css_is_delim(token, '{') &&
	       !css_is_delim(token, ';')) {
		empty = false;
		if (css_is_delim(token, ',')) {
			all = negated ? MEDIA_YES - all : all;
			any = any > all ? any : all;
			all = MEDIA_YES;
			negated = false;
		} else if (css_is_delim(token, '(')) {
			all = both(all, media_feature(css));
		} else if (css_is_word(token, "not")) {
			negated = true;
		} else {
			all = both(all, media_word(token));
		}
	}
	all = negated ? MEDIA_YES - all : all;
	return empty ? MEDIA_YES : any > all ? any : all;
}

enum media
media_attribute(struct span media)
{
	struct css css = {media.p, media.p + media.n};
	struct css_token token;

	return media_list(&css, &token);
}

static void
note_declaration(void *context, const struct style_declaration *declaration)
{
	bool *found = context;

	*found |=
	    !declaration->unknown && declaration->property != STYLE_STRANGE;
}

/* Whether a screen knows the declaration between brackets, whose '(' has been
 * read; none that was made for one mail program only. */
static enum media
supports_declaration(struct css *css, struct css_token *token)
{
	struct css inside = *css;
	unsigned depth = 1;
	bool foreign, found = false;

	css_next_solid(css, token);
	foreign = strncmp(token->text, "-ms-", 4) == 0;
	while (token->type != CSS_END && depth > 0) {
		inside.end = token->type == CSS_END ? css->end : css->p - 1;
		if (css_is_delim(token, '(') || token->type == CSS_FUNCTION)
			depth++;
		if (css_is_delim(token, ')') && --depth == 0)
			break;
		css_next_solid(css, token);
	}
	if (foreign)
		return MEDIA_NO;
	if (inside.end > inside.p)
		style_parse(&inside, false, note_declaration, &found);
	return found ? MEDIA_YES : MEDIA_MAYBE;
}

static enum media supports_all(
    struct css *css, struct css_token *token, unsigned depth);

/* One condition, whose first token has been read. */
static enum media
supports_one(struct css *css, struct css_token *token, unsigned depth)
{
	struct css ahead = *css;
	struct css_token next;
	enum media use;

	if (!css_is_delim(token, '('))
		return MEDIA_MAYBE;
	css_next_solid(&ahead, &next);
	if (!css_is_delim(&next, '(') && !css_is_word(&next, "not"))
		return supports_declaration(css, token);
	if (depth == SUPPORTS_DEPTH)
		return MEDIA_MAYBE;
	css_next_solid(css, token);
	use = supports_all(css, token, depth + 1);
	return css_is_delim(token, ')') ? use : MEDIA_MAYBE;
}

/* Conditions with "not", "and" and "or", up to what is none of these, which is
 * read too. It calls itself at most SUPPORTS_DEPTH deep. */
static enum media
supports_all(struct css *css, struct css_token *token, unsigned depth)
{
	bool negated = css_is_word(token, "not");
	enum media all, one;
	bool either;

	if (negated)
		css_next_solid(css, token);
	all = supports_one(css, token, depth);
	if (negated)
		all = MEDIA_YES - all;
	css_next_solid(css, token);
	while (css_is_word(token, "and") || css_is_word(token, "or")) {
		either = token->text[0] == 'o';
		css_next_solid(css, token);
		one = supports_one(css, token, depth);
		all = (one > all) == either ? one : all;
		css_next_solid(css, token);
	}
	return all;
}

enum media
media_supports(struct css *css, struct css_token *token)
{
	enum media use;

	css_next_solid(css, token);
	use = supports_all(css, token, 0);
	if (!css_is_delim(token, '{'))
		use = MEDIA_MAYBE;
	while (!css_is_delim(token, '{') && !css_is_delim(token, ';') &&
	       token->type != CSS_END)
		css_next_solid(css, token);
	return use == MEDIA_NO ? MEDIA_NO : MEDIA_MAYBE;
}
