/*
 * HTML tokenizer (WHATWG HTML, 13.2.5): bytes to tags, text and comments, in
 * one pass. Knows no policy and builds no tree. Every view it hands out
 * points into the input, which must outlive the tokens.
 */
#ifndef TRIZONE_READER_HTML_TOKEN_H
#define TRIZONE_READER_HTML_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"
#include "reader/html_tag.h"

enum html_attr {
#define ATTR(name, text, reason) ATTR_##name,
#include "reader/html_attr.def"
#undef ATTR
	ATTR_COUNT
};

enum html_type {
	TOKEN_END,	 /* of the input */
	TOKEN_TEXT,	 /* text; `coded`: with references */
	TOKEN_START,	 /* tag, name, attributes, self_closing */
	TOKEN_STOP,	 /* tag, name */
	TOKEN_COMMENT,	 /* text between the marks */
	TOKEN_BOGUS,	 /* <!x>, <?x>, </ x>: text behind that */
	TOKEN_DOCTYPE,	 /* text behind the word */
	TOKEN_UNFINISHED /* a tag the input ends in, which is no tag: text */
};

/* How the text behind a start tag is read; the caller says so, since it
 * depends on where the element stands. */
enum html_mode {
	MODE_DATA,
	MODE_RCDATA,   /* text with references up to its own end tag */
	MODE_RAWTEXT,  /* text up to its own end tag */
	MODE_SCRIPT,   /* the same with the rules for <!-- inside */
	MODE_PLAINTEXT /* text up to the end of the input */
};

#define TOKEN_MARKS 1024 /* bytes, with a bit for each name by its hash */
#define HTML_OTHERS 16	 /* attributes without a row that a token keeps */

/* An attribute without a row. */
struct html_other {
	struct span name, value; /* as written */
};

struct html_token {
	enum html_type type;
	enum html_tag tag;
	struct span name; /* as written, in any case */
	struct span text;
	bool coded;
	bool self_closing;
	uint32_t attributes;	      /* in the tag, all of them */
	uint64_t present;	      /* bit 1 << enum html_attr */
	struct span attr[ATTR_COUNT]; /* raw values; the first of a name */
	struct html_other other[HTML_OTHERS]; /* those with a value */
	unsigned others;
	uint32_t others_dropped;
};

struct html_tokenizer {
	struct span input;
	size_t at;
	enum html_mode mode;
	struct span raw_name; /* the end tag a raw mode waits for */
	bool cdata;	      /* <![CDATA[ is text: we are in svg or math */
	uint8_t *marks;	      /* names of tags and attributes; may be NULL */
};

/* Whether a name with this hash was met, or another that shares its bit. */
bool html_marked(const uint8_t marks[TOKEN_MARKS], uint32_t hash);

/* `input` is borrowed and may hold any bytes. */
void html_tokenizer_init(struct html_tokenizer *t, struct span input);

/* The next token; false (and TOKEN_END) at the end. Each call reads
 * forward only, so that a whole input costs time linear in its length. */
bool html_token_next(struct html_tokenizer *t, struct html_token *token_out);

/* How the contents of an element are read, unless it is in svg or math. */
enum html_mode html_mode_of(enum html_tag tag);

/* Read what follows the start tag `token` in `mode`. */
void html_token_mode(struct html_tokenizer *t, const struct html_token *token,
    enum html_mode mode);

/* The row of an attribute, in any case; ATTR_COUNT if there is none. */
enum html_attr html_attr_find(struct span name);

/* Whether HTML goes on inside a foreign element of this name: one in svg, or
 * in math. */
bool html_token_integrates(const struct html_token *token, bool svg);

/* Raw value of an attribute of a start tag; NULL if it has none. */
const struct span *html_token_attr(
    const struct html_token *token, enum html_attr attr);

#endif
