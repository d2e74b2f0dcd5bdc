/*
 * What a URL says to who reads it: the words in its path, query and fragment.
 * For the detector; nobody is shown them.
 */
#ifndef TRIZONE_READER_URL_WORDS_H
#define TRIZONE_READER_URL_WORDS_H

#include "common/buf.h"
#include "common/text.h"

/* Append the parts of the URL (RFC 3986) that are several words, decoded, with
 * blanks between words and an empty line behind the last part; nothing for an
 * ordinary URL. At most as many bytes as the URL has and two; what decodes to
 * no UTF-8 is U+FFFD and needs three times as many. */
void url_words_add(struct span url, struct buf *out);

#endif
