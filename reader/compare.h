/*
 * Do two texts say the same? For the two versions that a mail may carry of
 * itself.
 */
#ifndef TRIZONE_READER_COMPARE_H
#define TRIZONE_READER_COMPARE_H

#include "common/text.h"

/* Share of the words of `a` that are also in `b`, in per cent; 100 if `a` has
 * none. Only the first words of each count, so the cost is bounded. */
unsigned compare_words(struct span a, struct span b);

#endif
