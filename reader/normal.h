/*
 * The planner's text: NFKC (UAX 15), so that what looks alike to a model is
 * written alike, but for forms whose plain form says something else.
 */
#ifndef TRIZONE_READER_NORMAL_H
#define TRIZONE_READER_NORMAL_H

#include "common/buf.h"
#include "common/text.h"

#define NORMAL_GROWTH 6 /* bytes that one byte can become, at most */

/* Marks kept on one character (UAX 15, 13: stream-safe text). */
#define NORMAL_MARKS 30

/*
 * Append `text`, valid UTF-8 from which invisible characters have been taken
 * (reader/visible.h); what is not valid becomes U+FFFD. Superscripts and
 * subscripts, fractions, numbers in circles and the like keep their form: ten
 * squared is not 102. The marks of one character beyond NORMAL_MARKS are left
 * out. Linear in time; doing it twice changes nothing more. -ERR_TOO_LARGE if
 * it does not fit; `out` is then as it was, but for b->overflow.
 */
int normal_add(struct buf *out, struct span text);

/* The normal form of `text`, in `store`, which loses what it held; where it
 * has no room, the text as it is. */
struct span normal_form(struct buf *store, struct span text);

#endif
