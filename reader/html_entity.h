/*
 * Character references of HTML (WHATWG HTML, 13.2.5.72 to 13.2.5.80).
 */
#ifndef TRIZONE_READER_HTML_ENTITY_H
#define TRIZONE_READER_HTML_ENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/text.h"

#define ENTITY_TEXT_BYTES 8 /* the longest reference gives 6 bytes */

/* The reference at p[0] == '&'. Writes its text to `out` and its length to
 * *length_out, and returns the bytes read, or 0 if it is a plain '&'. In an
 * attribute a name without semicolon does not count before '=' or a letter or
 * digit. Linear: reads at most the name or the number. */
size_t entity_parse(const char *p, size_t bytes, bool in_attribute,
    char out[ENTITY_TEXT_BYTES], size_t *length_out);

/* The decoded form of an attribute's value: `raw` itself if it holds no
 * reference, else a view of `scratch`, which is cleared first and must have
 * room for raw.n * 2 bytes. */
struct span entity_decode(struct span raw, struct buf *scratch);

#endif
