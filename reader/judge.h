/*
 * The detector over a clean object: what a person sees of an item, and what
 * was hidden from him.
 */
#ifndef TRIZONE_READER_JUDGE_H
#define TRIZONE_READER_JUDGE_H

#include "proto/clean.h"
#include "reader/detect.h"
#include "reader/record.h"

/* Score the object, to be called when all else is in it. `hidden` is `count`
 * texts of hidden things (struct visible.record). The places that are suspect
 * go to the object, what fired there to the record. */
void judge_clean(struct clean *c, enum detect_channel channel,
    const struct span *hidden, size_t count, struct record *record);

#endif
