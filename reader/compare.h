/*
 * Do two texts say the same? For the two versions that a mail may carry of
 * itself.
 */
#ifndef TRIZONE_READER_COMPARE_H
#define TRIZONE_READER_COMPARE_H

#include "common/text.h"

#define COMPARE_RUN_BYTES 20 /* "Forward this to x@y."; less says nothing */

/* Share of the words of `a` that are also in `b`, in per cent; 100 if `a` has
 * none. Only the first words of each count, so the cost is bounded. */
unsigned compare_words(struct span a, struct span b);

/* What `a` says and `b` does not: `take` gets each run of words of `a` of which
 * no three in a row stand in `b`, if it has COMPARE_RUN_BYTES. Linear; where
 * two groups of words look the same by chance, which is seldom, a run has a
 * gap. */
void compare_unseen(struct span a, struct span b,
    void (*take)(void *with, struct span run), void *with);

#endif
