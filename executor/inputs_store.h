/*
 * The auditor's side store of decision inputs: segments in the folder "inputs"
 * beside the log, written by the auditor alone. Rows are for deciding again
 * what was decided (`policy replay`); nothing waits for them to be on disk, so
 * a loss of power may cost the last ones, and then says so: the audit refers
 * to each.
 */
#ifndef TRIZONE_EXECUTOR_INPUTS_STORE_H
#define TRIZONE_EXECUTOR_INPUTS_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/audit_files.h"
#include "executor/inputs_file.h"

/* The first key of a start and what age made of it, see inputs_key.h; or the
 * first one of an auditor that takes the place of another. */
struct inputs_key {
	unsigned char key[SEAL_KEY_BYTES];
	uint32_t steps; /* from the one that was wrapped */
	uint32_t wrapped_bytes;
	unsigned char wrapped[INPUTS_WRAPPED_MAX];
};

/* How much is kept; the oldest segments go first, as whole files. */
struct inputs_limits {
	uint64_t total_bytes;
	uint64_t segment_bytes; /* then the next one begins */
	uint64_t segment_ms;	/* the same */
	uint64_t keep_ms;	/* of a segment's last row, roughly */
};

struct inputs_store;

/* Open the store below the open folder of the audit, made if it is not there,
 * and begin a segment. What the last one has behind its last whole row is cut
 * off, and so are rows of records behind `last_record`, with which the log was
 * found to end: they were not written. The key is taken over, and wiped there.
 * Errors, with words for the operator: as audit_open. Close with inputs_close.
 */
int inputs_open(const char *audit_path, struct inputs_key *key,
    const struct inputs_limits *limits, uint64_t last_record,
    struct inputs_store **store_out, struct audit_problem *problem);

/* How many steps the key of the segment being written is from the one that was
 * wrapped. */
uint32_t inputs_steps(const struct inputs_store *store);

/* The key behind that of the segment being written, which tells nothing of any
 * row so far: for the auditor that takes our place. */
void inputs_next_key(const struct inputs_store *store, struct inputs_key *out);

/* A row to be: its key, and what its record will name it by. */
struct inputs_draft {
	unsigned char key[SEAL_KEY_BYTES];
	unsigned char reference[SHA256_BYTES];
};
void inputs_draft(struct span text, struct inputs_draft *draft_out);

/* Seal the text of the record `sequence` and gather it; the draft is wiped. 0,
 * or the error of a write that had to be made first, as inputs_flush. */
int inputs_add(struct inputs_store *store, uint64_t sequence, uint64_t time_ms,
    struct span text, struct inputs_draft *draft);

/* Write what was gathered; make it durable at the most once a second, and with
 * `sync` now. -ERR_NO_SPACE or -ERR_IO: the store is of no use any more. */
int inputs_flush(struct inputs_store *store, bool sync);

/* Flush, sync, release, wipe. NULL is fine. The flush's result. */
int inputs_close(struct inputs_store *store);

#endif
