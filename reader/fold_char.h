/*
 * How one character folds: see reader/fold.h, whose tables these are.
 */
#ifndef TRIZONE_READER_FOLD_CHAR_H
#define TRIZONE_READER_FOLD_CHAR_H

#include <stdint.h>

#define FOLD_CODES 8 /* that one character can become */

/* What a folded character is to the word it stands in. */
enum fold_kind {
	FOLD_OUTSIDE, /* ends a word */
	FOLD_STRICT,  /* a letter that looks like an ASCII letter */
	FOLD_LOOSE,   /* the same, but only among ASCII letters */
	FOLD_LETTER,  /* any other letter of a script with words */
	FOLD_MARK,    /* goes on the letter before */
	FOLD_JAMO     /* a Hangul vowel or final: the same, in no word */
};

struct fold_char {
	uint32_t code;
	uint8_t count;		 /* 0: nothing is left of it */
	uint8_t kind;		 /* if it stays as it is */
	uint32_t to[FOLD_CODES]; /* each folds to itself */
};

/* What was looked up last; all zero is an empty one. Allocate and free it as
 * plain memory. */
#define FOLD_CACHE 1024
struct fold_cache {
	struct fold_char chars[FOLD_CACHE];
};

/* How `code`, not ASCII, folds. Valid until the next call. */
const struct fold_char *fold_char(struct fold_cache *cache, uint32_t code);

/* The ASCII letters that a folded letter looks like, or NULL. */
const char *fold_ascii_like(uint32_t code);

/* `last` and a character of kind FOLD_MARK or FOLD_JAMO in one character, or
 * 0 if there is none. */
uint32_t fold_compose(uint32_t last, uint32_t mark);

#endif
