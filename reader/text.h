/*
 * Bare text to its clean object and its record: what a tool brought back, a
 * document, a message without a form of its own.
 */
#ifndef TRIZONE_READER_TEXT_H
#define TRIZONE_READER_TEXT_H

#include "common/buf.h"
#include "common/text.h"
#include "proto/clean.h"
#include "reader/detect.h"

void text_warm(void);

/* As mail_clean. `raw` is any bytes; those that are not UTF-8 are replaced and
 * counted. A byte order mark says UTF-16 or UTF-8. */
int text_clean(struct span raw, struct buf *clean, struct buf *record);

/* Only what the detector says of it, as text of that kind. */
struct clean_injection text_score(enum detect_channel channel, struct span raw);

#endif
