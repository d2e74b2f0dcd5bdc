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
#define WORD_SLOTS 4096
#define WORDS_MOST 512

struct view_words {
	uint16_t slot[WORD_SLOTS];   /* by the word */
	uint16_t jumble[WORD_SLOTS]; /* by first, last and other letters */
	uint32_t hash[WORDS_MOST], jumbled[WORDS_MOST];
};

/* The hashes of one word of a to z, letter by letter; {.power = 1} to start. */
struct word_hash {
	uint32_t word, reversed, rot13, power, letters;
	unsigned count;
	char first, last;
};

void word_add(struct word_hash *h, char letter);

/* Fill the tables; 2 to 3 microseconds. */
void words_init(struct view_words *w);

/* Whether there is a word of that hash. */
bool words_has(const struct view_words *w, uint32_t hash);

/* The same for letters of any case. */
bool words_has_text(const struct view_words *w, struct span letters);

/* The word of five letters or more that has the same first and last and the
 * same letters between, or NULL. */
const char *words_jumbled(
    const struct view_words *w, const struct word_hash *h);

/* How many of the words in ASCII letters, of any case, are known. */
size_t words_count(const struct view_words *w, struct span text);

/* Whether a person could read it: mostly letters, in words. */
bool words_prose(const struct view_words *w, struct span text);

#endif
