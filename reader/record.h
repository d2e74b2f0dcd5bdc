/*
 * The operator's record of one item: what the clean object leaves out and
 * only counts. Excerpts of hidden text and of odd headers, for a person who
 * looks into a case; it never goes to a planner, because it holds exactly
 * what was hidden from it.
 *
 *  {"v":1,"channel":"mail",
 *   "hidden":[{"reason","excerpt"}],  names of reader/hidden.def
 *   "notes":[{"finding","detail"}],   names of proto/finding.def
 *   "injection":[{"rules","score",    what the detector fired on, names of
 *     "where","view","sha256"}],      reader/detect_rule.def; the hash is
 *                                     that of the span's bytes
 *   "dropped":0}                      rows and characters left out for size
 *
 * At most RECORD_MAX_BYTES.
 */
#ifndef TRIZONE_READER_RECORD_H
#define TRIZONE_READER_RECORD_H

#include <stdint.h>

#include "common/buf.h"
#include "common/text.h"
#include "proto/clean.h"
#include "reader/detect.h"

struct record {
	struct buf notes;     /* lines "name<TAB>detail\n" */
	struct buf injection; /* JSON objects, with commas between them */
	uint64_t dropped;
};

void record_init(struct record *r);
void record_done(struct record *r);

/* Keep the first bytes of `detail`, any bytes, for this finding. */
void record_note(struct record *r, enum finding finding, struct span detail);

/* Keep one suspect place: what was found in it, and its bytes. */
void record_injection(
    struct record *r, const struct detect_span *span, struct span bytes);

/* Append the record's JSON text. `hidden` is `count` texts of such lines
 * (struct visible.record); `dropped` what they had no room for. */
int record_write(const struct record *r, const char *channel,
    const struct span *hidden, size_t count, uint64_t dropped, struct buf *out);

#endif
