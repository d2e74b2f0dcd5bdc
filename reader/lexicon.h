/*
 * The detector's words: some thousands in many languages, each of a class that
 * means the same in all of them. Found in one pass over folded text.
 */
#ifndef TRIZONE_READER_LEXICON_H
#define TRIZONE_READER_LEXICON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

enum word_class {
#define WORD_CLASS(name, text) WORD_##name,
#include "reader/word_class.def"
#undef WORD_CLASS
	WORD_CLASS_COUNT
};

/* "override": the class as records name it. */
const char *word_class_name(enum word_class class);

/* A word that was found: bytes of the text. */
struct hit {
	uint32_t start, end;
	uint8_t class;
};

/* Words in the order in which they begin; at most HITS_MAX of them: more than
 * a body can have, as what is behind padding has to be found too. */
#define HITS_MAX (1u << 18)
struct hits {
	struct hit *at;
	size_t count, cap;
};

/* Make the tables; once, before the process is locked. */
void lexicon_warm(void);

/* All words in `text`, which fold_text made, and those that are misspelt, of
 * English any, of others long ones (lexicon_guess). `loose`: also inside of
 * other words, for text whose gaps between words were lost. Replaces what *out
 * held. */
void lexicon_find(struct span text, bool loose, struct hits *out);

void hits_done(struct hits *h);

/* A word of Latin letters with its inner letters in another order, or with one
 * letter too many, too few, or another, that is most likely a word of the
 * lexicon: that word, else nothing. At least five letters. */
struct span lexicon_guess(struct span word);

/* Whether the character stands for a word or a part of one in a script that
 * has no blanks between words (Han, kana, Thai, Khmer, Lao, Burmese). */
bool lexicon_unspaced(uint32_t code);

#endif
