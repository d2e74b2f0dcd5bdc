/*
 * Text made inert: what a person or a model reads afterwards shows all that
 * is there, in the order in which it is there.
 */
#ifndef TRIZONE_EXECUTOR_INERT_H
#define TRIZONE_EXECUTOR_INERT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/text.h"

/* Append `text` (valid UTF-8), one character for each of its characters:
 * ASCII controls become their pictures (U+2400 and on), other controls, bidi
 * controls, characters without a shape of their own and noncharacters become
 * U+FFFD. Tab and line feed stay if `lines`. Adds the number of replacements
 * to *replaced_out. At most three bytes for each byte of `text`. */
int inert_add(
    struct buf *out, struct span text, bool lines, size_t *replaced_out);

/* The same on one line, with a backslash before each of the characters of
 * `special`. At most four bytes for each byte of `text`. */
void inert_add_escaped(struct buf *out, struct span text, const char *special);

#endif
