/*
 * Patterns of ECMA-262, written anew for PCRE2 where the same signs would mean
 * something else there. For pattern.c.
 */
#ifndef TRIZONE_EXECUTOR_PATTERN_ECMA_H
#define TRIZONE_EXECUTOR_PATTERN_ECMA_H

#include "common/text.h"

/* Append `source` to `out`, in the words of PCRE2 with PCRE2_ALT_BSUX. Gives
 * the offset of the first thing that is not of the kinds in trizone-policy(5),
 * or source.n; what does not fit shows as out->overflow. */
size_t pattern_translate(struct buf *out, struct span source);

#endif
