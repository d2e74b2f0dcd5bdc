/*
 * Which word a wrongly written one was meant to be. A part of the lexicon.
 */
#ifndef TRIZONE_READER_LEXICON_GUESS_H
#define TRIZONE_READER_LEXICON_GUESS_H

#include "common/text.h"

#define GUESS_LEAST 5 /* letters; shorter words are too much alike */
#define GUESS_MOST 20

/* Take the words of a folded entry that are long enough; they are copied. */
void guess_add(struct span entry);

#endif
