/*
 * format=flowed text (RFC 3676) back to paragraphs.
 */
#ifndef TRIZONE_READER_FLOWED_H
#define TRIZONE_READER_FLOWED_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/text.h"

/* Append `text` with its soft line ends taken out and \n for the others;
 * `delsp`: the blank before a soft end goes too. -ERR_TOO_LARGE. */
int flowed_add(struct buf *out, struct span text, bool delsp);

#endif
