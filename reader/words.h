/*
 * Header texts: encoded words (RFC 2047, with the language of RFC 2231), raw
 * UTF-8 (RFC 6532) and what else is written there. Character sets go through
 * charset.h, so only those that were opened before the lock.
 */
#ifndef TRIZONE_READER_WORDS_H
#define TRIZONE_READER_WORDS_H

#include <stdint.h>

#include "common/buf.h"
#include "common/text.h"

/*
 * Decode a header text; the result, UTF-8 of any characters, replaces what
 * `out` held, up to its ceiling. Line ends of folding go. Words that follow
 * each other in one character set are one text, whatever letter they are
 * divided in; that, an unknown set, and what is not of its set are added to
 * *findings (FINDING_BIT). What is not quite an encoded word stays as it is.
 */
void words_decode(struct span raw, struct buf *out, uint64_t *findings);

/* For a parser that would decode words itself: append `raw` with each word as
 * an atom, "=!" hexadecimal digits "!=", and each "=!" so too; it grows to four
 * times its size at most. And back, in any text: a frame that does not hold a
 * word or "=!" stays, so that nothing else can be brought in. Unmasked, what
 * was masked is what it was. -ERR_TOO_LARGE. */
int words_mask(struct span raw, struct buf *out);
int words_unmask(struct span text, struct buf *out);

#endif
