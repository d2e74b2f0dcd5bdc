/*
 * The words by which a decoded text is known for one (view_word.def), found by
 * hash alone: somebody who makes hashes meet makes a view more.
 */
#ifndef TRIZONE_READER_VIEW_WORD_H
#define TRIZONE_READER_VIEW_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

#define WORD_LEAST 3 /* shorter words are no sign of anything */
#define WORD_MOST 16

/* The hashes of one word of a to z, letter by letter; {.power = 1} to start. */
struct word_hash {
	uint32_t word, reversed, rot13, power;
	uint64_t letters; /* how often each, in two bits */
	unsigned count;
	char first, last;
};

void word_add(struct word_hash *h, char letter);

/* Build the tables, some 50 microseconds; only the first call does. All the
 * others here need it. */
void words_warm(void);

/* Whether there is a word of that hash. */
bool words_has(uint32_t hash);

/* The word of five letters or more that has the same first and last letter
 * and the same between, or NULL; and whether orders are made of it. */
const char *words_jumbled(const struct word_hash *h, bool *known_out);

/* How many of the words in ASCII letters, of any case, are known. */
size_t words_count(struct span text);

/* Whether a person could read it: mostly letters, in words. */
bool words_prose(struct span text);

#endif
