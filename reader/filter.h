/*
 * The work of one item, the same for the plain filter and for the zone: raw
 * bytes of a channel to clean object and record.
 */
#ifndef TRIZONE_READER_FILTER_H
#define TRIZONE_READER_FILTER_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/text.h"

/* A channel this reader can read ("mail"), as a string that outlives all;
 * NULL if there is none of that name. */
const char *filter_kind(struct span name);

/* What the parsers set up once; before a process is locked. */
void filter_warm(void);

/* Do the work here, in this process: that is for workers and tests. Returns
 * 0 or -ERR_TOO_LARGE. `kind` comes from filter_kind. */
int filter_work(
    const char *kind, struct span raw, struct buf *clean, struct buf *record);

/* Append a failure form and an empty record. */
void filter_fail(const char *kind, int error, const char *text,
    struct buf *clean, struct buf *record);

#endif
