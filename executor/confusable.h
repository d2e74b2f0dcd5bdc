/*
 * Words that may look like other words: letters of more than one of the
 * alphabets that share shapes (Latin, Greek, Cyrillic, Armenian, Cherokee) in
 * one word, and letters made for other uses (full width, mathematical).
 */
#ifndef TRIZONE_EXECUTOR_CONFUSABLE_H
#define TRIZONE_EXECUTOR_CONFUSABLE_H

#include <stdbool.h>

#include "common/text.h"

/* The first such word of `text` (valid UTF-8) into *word_out; false: none. A
 * word is letters, digits and what stands between parts of an address. */
bool confusable_find(struct span text, struct span *word_out);

/* Whether all of it is ASCII. */
bool text_is_ascii(struct span text);

#endif
