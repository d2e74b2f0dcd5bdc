/*
 * Character sets to UTF-8. Only sets of our own list are ever opened: a label
 * is the sender's, and iconv takes file names from labels.
 */
#ifndef TRIZONE_READER_CHARSET_H
#define TRIZONE_READER_CHARSET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/text.h"

/* Open every converter and keep it, so that none has to be loaded after the
 * process is locked. Sets that this machine does not have count as unknown. */
void charset_warm(void);

/* Whether the label (any case; aliases as the web has them) is in the list. */
bool charset_known(struct span label);

/*
 * The label that `bytes` are decoded by: a byte order mark counts more than
 * the label, as in browsers; UTF-16 without one is what the label says.
 * *differs_out: bytes and label contradict each other, so that two programs
 * can read two texts; also when there are the shifts of ISO-2022 in another
 * set.
 */
struct span charset_choose(
    struct span label, struct span bytes, bool *differs_out);

/* Whether charset_decode would append the same bytes; then that can be left
 * out. */
bool charset_is_utf8(struct span label, struct span bytes);

/*
 * Append `bytes` as UTF-8. An empty label, US-ASCII and an unknown one are
 * read as UTF-8 if they are that, else as windows-1252, as mail programs do.
 * Bytes that are none in their set become U+FFFD and are added to
 * *replaced_out. Returns 0 or -ERR_TOO_LARGE, and then the first part is
 * there.
 */
int charset_decode(struct span label, struct span bytes, struct buf *out,
    uint64_t *replaced_out);

#endif
