/*
 * CSS bytes to tokens. Runs in the reader's worker over hostile bytes; reads
 * forward only and copies nothing but short names.
 */
#include "reader/html_css.h"

#include <string.h>

#include "reader/html_ascii.h"

#define NUMBER_MOST 1e9 /* far beyond any length that means something */
#define EXPONENT_MOST 30

uint64_t
html_hash_add(uint64_t hash, struct span bytes)
{
	uint32_t any = html_hash_any(hash), exact = (uint32_t)hash;

	for (size_t i = 0; i < bytes.n; i++) {
		any =
		    (any ^ (unsigned char)ascii_lower(bytes.p[i])) * 16777619u;
		exact = (exact ^ (unsigned char)bytes.p[i]) * 16777619u;
	}
	return (uint64_t)any << 32 | exact;
}

uint64_t
html_hash(struct span name)
{
	return html_hash_add(HASH_START, name);
}

/* The byte `ahead` of the next one; NUL behind the end. */
static char
peek(const struct css *css, size_t ahead)
{
	return ahead < (size_t)(css->end - css->p) ? css->p[ahead] : '\0';
}

static bool
is_newline(char c)
{
	return c == '\n' || c == '\r' || c == '\f';
}

/* Whether an escape starts `ahead` of here. */
static bool
is_escape(const struct css *css, size_t ahead)
{
	return peek(css, ahead) == '\\' &&
	       ahead + 1 < (size_t)(css->end - css->p) &&
	       !is_newline(peek(css, ahead + 1));
}

static bool
is_name_byte(char c)
{
	return ascii_is_letter(c) || ascii_is_digit(c) || c == '-' ||
	       c == '_' || (unsigned char)c >= 0x80;
}

static bool
starts_name(const struct css *css, size_t ahead)
{
	char c = peek(css, ahead);

	if (c == '-') {
		if (peek(css, ahead + 1) == '-')
			return true;
		c = peek(css, ++ahead);
	}
	return ascii_is_letter(c) || c == '_' || (unsigned char)c >= 0x80 ||
	       is_escape(css, ahead);
}

static bool
starts_number(const struct css *css)
{
	size_t i = peek(css, 0) == '+' || peek(css, 0) == '-' ? 1 : 0;

	if (peek(css, i) == '.')
		i++;
	return ascii_is_digit(peek(css, i));
}

/* The character behind a backslash, as UTF-8. */
static size_t
escape(struct css *css, char out[4])
{
	uint32_t code = 0;
	unsigned digits = 0;

	css->p++;
	while (digits < 6 && css->p < css->end && ascii_hex(*css->p) >= 0) {
		code = code * 16 + (uint32_t)ascii_hex(*css->p++);
		digits++;
	}
	if (digits == 0) {
		out[0] = *css->p++;
		return 1;
	}
	if (peek(css, 0) == '\r' && peek(css, 1) == '\n')
		css->p++;
	if (css->p < css->end && ascii_is_space(*css->p))
		css->p++;
	if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		code = 0xfffd;
	return utf8_encode(code, out);
}

/* A name into text and hash. */
static void
name(struct css *css, struct css_token *token)
{
	size_t n = 0;

	token->hash = HASH_START;
	while (css->p < css->end) {
		char bytes[4];
		size_t length = 1;

		if (is_escape(css, 0))
			length = escape(css, bytes);
		else if (is_name_byte(*css->p))
			bytes[0] = *css->p++;
		else
			break;
		token->hash =
		    html_hash_add(token->hash, (struct span){bytes, length});
		for (size_t i = 0; i < length && n < CSS_NAME_BYTES - 1; i++)
			token->text[n++] = ascii_lower(bytes[i]);
	}
	if (n == CSS_NAME_BYTES - 1)
		n = 0; /* too long for any name we know */
	token->text[n] = '\0';
}

static double
digits(struct css *css, double value, double *scale)
{
	while (css->p < css->end && ascii_is_digit(*css->p)) {
		int digit = *css->p++ - '0';

		if (scale == NULL) {
			value = value * 10 + digit;
			value = value > NUMBER_MOST ? NUMBER_MOST : value;
		} else {
			*scale /= 10;
			value += digit * *scale;
		}
	}
	return value;
}

/* 10 to the power behind an e, if there is one. */
static double
exponent(struct css *css)
{
	size_t sign = peek(css, 1) == '-' || peek(css, 1) == '+' ? 1 : 0;
	bool negative = peek(css, 1) == '-';
	double power, factor = 1;

	if (ascii_lower(peek(css, 0)) != 'e' ||
	    !ascii_is_digit(peek(css, 1 + sign)))
		return 1;
	css->p += 1 + sign;
	power = digits(css, 0, NULL);
	for (int i = 0; i < EXPONENT_MOST && i < power; i++)
		factor *= negative ? 0.1 : 10;
	return factor;
}

static void
number(struct css *css, struct css_token *token)
{
	bool negative = *css->p == '-';
	double scale = 1, value;

	if (*css->p == '-' || *css->p == '+')
		css->p++;
	value = digits(css, 0, NULL);
	if (peek(css, 0) == '.' && ascii_is_digit(peek(css, 1))) {
		css->p++;
		value = digits(css, value, &scale);
	}
	value *= exponent(css);
	value = value > NUMBER_MOST ? NUMBER_MOST : value;
	token->type = CSS_NUMBER;
	token->number = negative ? -value : value;
	if (peek(css, 0) == '%') {
		css->p++;
		memcpy(token->text, "%", 2);
	} else if (starts_name(css, 0)) {
		name(css, token);
		if (token->text[0] == '\0')
			token->type = CSS_BAD;
	}
}

/* A string up to its quote; a line end before it makes it bad. */
static void
string(struct css *css, struct css_token *token)
{
	char quote = *css->p++;
	const char *start = css->p;

	token->type = CSS_STRING;
	for (; css->p < css->end; css->p++) {
		token->content = (struct span){start, (size_t)(css->p - start)};
		if (*css->p == quote) {
			css->p++;
			return;
		}
		if (is_newline(*css->p)) {
			token->type = CSS_BAD;
			return;
		}
		if (*css->p == '\\' && css->end - css->p > 1)
			css->p++;
	}
}

/* Behind "url(" without a quote. */
static void
url(struct css *css, struct css_token *token)
{
	const char *start = css->p;

	token->type = CSS_URL;
	while (css->p < css->end && *css->p != ')') {
		if (*css->p == '"' || *css->p == '\'' || *css->p == '(')
			token->type = CSS_BAD;
		css->p += is_escape(css, 0) ? 2 : 1;
	}
	token->content = (struct span){start, (size_t)(css->p - start)};
	if (css->p < css->end)
		css->p++;
}

static void
ident_like(struct css *css, struct css_token *token)
{
	size_t i = 1;

	name(css, token);
	token->type = CSS_IDENT;
	if (peek(css, 0) != '(')
		return;
	token->type = CSS_FUNCTION;
	if (strcmp(token->text, "url") == 0) {
		while (ascii_is_space(peek(css, i)))
			i++;
		if (peek(css, i) != '"' && peek(css, i) != '\'') {
			css->p++;
			url(css, token);
			return;
		}
	}
	css->p++;
}

static void
skip_comments(struct css *css)
{
	while (peek(css, 0) == '/' && peek(css, 1) == '*') {
		css->p += 2;
		while (css->p < css->end &&
		       !(*css->p == '*' && peek(css, 1) == '/'))
			css->p++;
		css->p += css->p < css->end ? 2 : 0;
	}
}

bool
css_next(struct css *css, struct css_token *token_out)
{
	char c;

	skip_comments(css);
	token_out->type = CSS_END;
	token_out->text[0] = '\0';
	token_out->hash = 0;
	token_out->number = 0;
	token_out->delim = '\0';
	token_out->content.n = 0;
	token_out->id = false;
	if (css->p == css->end)
		return false;
	c = *css->p;
	if (ascii_is_space(c)) {
		while (css->p < css->end && ascii_is_space(*css->p))
			css->p++;
		token_out->type = CSS_SPACE;
	} else if (c == '"' || c == '\'') {
		string(css, token_out);
	} else if (starts_number(css)) {
		number(css, token_out);
	} else if (starts_name(css, 0)) {
		ident_like(css, token_out);
	} else if (c == '@' && starts_name(css, 1)) {
		css->p++;
		name(css, token_out);
		token_out->type = CSS_AT;
	} else if (c == '#' &&
		   (is_name_byte(peek(css, 1)) || is_escape(css, 1))) {
		css->p++;
		token_out->id = starts_name(css, 0);
		name(css, token_out);
		token_out->type = CSS_HASH;
	} else {
		token_out->type = CSS_DELIM;
		token_out->delim = c;
		css->p++;
	}
	return true;
}

bool
css_next_solid(struct css *css, struct css_token *token_out)
{
	bool more;

	do
		more = css_next(css, token_out);
	while (token_out->type == CSS_SPACE);
	return more;
}

bool
css_is_delim(const struct css_token *token, char delim)
{
	return token->type == CSS_DELIM && token->delim == delim;
}

bool
css_is_word(const struct css_token *token, const char *lower)
{
	return token->type == CSS_IDENT && strcmp(token->text, lower) == 0;
}
