/*
 * CSS tokenizer (CSS Syntax Level 3, section 4), with what the reader needs:
 * names are unescaped and in lower case, comments are gone.
 */
#ifndef TRIZONE_READER_HTML_CSS_H
#define TRIZONE_READER_HTML_CSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

enum css_type {
	CSS_END,
	CSS_SPACE,
	CSS_IDENT,
	CSS_FUNCTION, /* a name with its '(' */
	CSS_AT,	      /* @name */
	CSS_HASH,     /* #name */
	CSS_STRING,
	CSS_URL,    /* url(...) without quotes */
	CSS_BAD,    /* a string or URL that is none */
	CSS_NUMBER, /* with its unit in `text`; "" or "%" are units too */
	CSS_DELIM   /* any other character */
};

#define CSS_NAME_BYTES 32 /* longer than each name we look for */

struct css_token {
	enum css_type type;
	char text[CSS_NAME_BYTES]; /* name or unit; cut, never a name then */
	uint64_t hash;		   /* html_hash of the whole name */
	double number;		   /* within 1e9 of zero */
	struct span content;	   /* of a string or URL, as written */
	char delim;
	bool id; /* of a CSS_HASH: its name may be one of an element */
};

struct css {
	const char *p, *end; /* what is left; borrowed */
};

/* The next token; false (and CSS_END) at the end. */
bool css_next(struct css *css, struct css_token *token_out);

/* The next token that is no blank. */
bool css_next_solid(struct css *css, struct css_token *token_out);

bool css_is_delim(const struct css_token *token, char delim);
bool css_is_word(const struct css_token *token, const char *lower);

/* Two times FNV-1a: in the upper half over the bytes in lower case, in the
 * lower half over them as they are; `hash` is HASH_START or the value so far.
 * Whoever makes two names collide wins nothing: the rules and the names they
 * apply to are both his. */
#define HASH_START UINT64_C(0x811c9dc5811c9dc5)
uint64_t html_hash_add(uint64_t hash, struct span bytes);
uint64_t html_hash(struct span name);

/* The half that is the same in any case. */
static inline uint32_t
html_hash_any(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

#endif
