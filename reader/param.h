/*
 * Parameters of header fields (RFC 2045, 5.1) with continuations and
 * character sets (RFC 2231), for the names of files.
 */
#ifndef TRIZONE_READER_PARAM_H
#define TRIZONE_READER_PARAM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/text.h"

/*
 * The value of parameter `key` in a raw field value, as UTF-8; replaces what
 * `out` held, up to its ceiling. "key*" counts more than "key*0", and that
 * more than "key", as in most programs; encoded words are decoded too. False
 * if there is none. Adds to *findings: conflicting-parameter for two values
 * that are not the same, and what words_decode finds.
 */
bool param_text(
    struct span field, const char *key, struct buf *out, uint64_t *findings);

#endif
