/*
 * A raw mail to its clean object and its record.
 */
#ifndef TRIZONE_READER_MAIL_H
#define TRIZONE_READER_MAIL_H

#include "common/buf.h"
#include "common/text.h"
#include "proto/clean.h"

/* What the MIME and character set libraries set up once; call it before the
 * process is locked. */
void mail_warm(void);

/* Append the clean object's JSON text to `clean` and the record's to `record`
 * (with ceilings of CLEAN_MAX_BYTES and RECORD_MAX_BYTES at least). `raw` is
 * any bytes. A mail above MAIL_MAX_BYTES gives a failure form. Returns 0 or
 * -ERR_TOO_LARGE when a buffer has no room, which is a bug of the caller. */
int mail_clean(struct span raw, struct buf *clean, struct buf *record);

/* Only what the detector says of it. */
struct clean_injection mail_score(struct span raw);

#endif
