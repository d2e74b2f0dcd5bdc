/*
 * The words by which a decoded text is known for one (view_word.def).
 */
#ifndef TRIZONE_READER_VIEW_WORD_H
#define TRIZONE_READER_VIEW_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

#define WORD_LEAST 3 /* shorter words are no sign of anything */
#define WORD_MOST 16

/* A word of up to WORD_MOST letters a to z, the first one lowest, zeros behind
 * the last. */
struct word_key {
	uint64_t low, high;
};

/* The key of the `n` letters at p; of them and what follows `bytes` are there.
 * Capitals count as small letters. */
struct word_key word_key(const char *p, size_t n, size_t bytes);

/* Letter number `at`, from 0. */
static inline void
word_set(struct word_key *key, size_t at, char letter)
{
	uint64_t c = (unsigned char)letter;

	if (at < 8)
		key->low |= c << 8 * at;
	else
		key->high |= c << 8 * (at - 8);
}

struct word_key word_rot13(struct word_key key);
struct word_key word_reversed(struct word_key key, size_t letters);

/* Build the tables, some 50 microseconds; only the first call does. All the
 * others here need it. */
void words_warm(void);

bool words_has(struct word_key key);

/* How many of the words in ASCII letters, of any case, are known. */
size_t words_count(struct span text);

/* Whether a person could read it: mostly letters, in words. */
bool words_prose(struct span text);

#endif
