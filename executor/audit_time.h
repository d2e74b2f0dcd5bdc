/*
 * Points in time as operators write them for the audit: UTC, as records have
 * it.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_TIME_H
#define TRIZONE_EXECUTOR_AUDIT_TIME_H

#include <stdint.h>

#include "executor/record.h"

/* The first bytes of a record's time, or all of them, and a NUL. */
#define AUDIT_TIME_BYTES (RECORD_TIME_BYTES + 1)

/* What `text` means at `now_ms` (milliseconds since 1970): "2026-01-02T03:04",
 * the first part of a time (up to the end of year, month, day, hour, minute,
 * second or millisecond; a Z behind it is dropped), of a day that there is;
 * "today" and "yesterday", the days in UTC; "now"; or how long ago: "90s",
 * "30m", "2h", "3d", "1w". 0 or -ERR_RANGE. */
int audit_time_parse(
    const char *text, uint64_t now_ms, char out[AUDIT_TIME_BYTES]);

/* Milliseconds since 1970 of a record's time (its shape was checked; its
 * fields may say anything). */
uint64_t audit_time_ms(struct span time);

#endif
