/*
 * The audit log: a folder with the chain in segments, its salts and a lock.
 * Only the auditor opens it for writing. Records are gathered with
 * audit_append and become durable together with audit_flush; until that has
 * returned 0 nobody may be told of them, and nothing they announce may start.
 * Now and then a checkpoint signs all that came before.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_LOG_H
#define TRIZONE_EXECUTOR_AUDIT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/sha256.h"
#include "executor/audit_files.h"
#include "executor/record.h"

/* One write: 25 of the longest records, some 600 usual ones. And all that is
 * not yet on disk. */
#define AUDIT_BATCH_BYTES (256u * 1024)
/* Records of a batch, and with it all that are not yet on disk: so many salts
 * may be found ahead of the log after a loss of power, and no more. */
#define AUDIT_BATCH_RECORDS 1024
#define AUDIT_SALTS_MS 1000 /* how many salts a loss of power may cost */

/* What opening a log needs at most, with the usual limits: a spare segment, a
 * copy of the last one, and salts of both. */
#define AUDIT_OPEN_MIB(segment_bytes)                                          \
	(((uint64_t)(segment_bytes)*9 / 4 >> 20) + 1)

struct audit;

struct audit_limits {
	uint32_t segment_bytes;
	uint32_t checkpoint_records; /* behind the last; then one is due */
	uint32_t checkpoint_ms;	     /* or the first of them is so old */
};

/* What was found when a log was opened. */
struct audit_found {
	uint64_t records;    /* good ones that were there */
	uint64_t last;	     /* sequence of the last of them; 0: none */
	uint64_t torn_bytes; /* that were set aside; 0: none */
	size_t unfinished;   /* intents without outcome */
	/* The lineage that had to be begun: NULL, "first" for a new log, or
	 * "crash" or "lost". Then its record, and its key, are for the anchors
	 * before anything is done. */
	const char *lineage;
	uint64_t lineage_seq;
	unsigned char lineage_hash[SHA256_BYTES];
	unsigned char lineage_key[SIGN_KEY_BYTES];
};

/* Open the log in the folder `path` (made if it is not there), alone, and
 * check all of it. What a write that was cut short has left (a crash, a loss
 * of power) is moved to the file torn-<time> and a damage record is appended,
 * which the next flush writes; so is a lineage, unless the log was closed and
 * its key is there. A log of an older version is taken over. `limits` may be
 * NULL (all usual), *found_out may be NULL. Errors, each with words for the
 * operator in *problem: -ERR_BUSY (another process has it), -ERR_CORRUPT (the
 * chain is damaged: nothing was changed), -ERR_PEER, -ERR_NOT_REGULAR,
 * -ERR_NO_SPACE, -ERR_IO, -ERR_SYSTEM. Close with audit_close. */
int audit_open(const char *path, const struct audit_limits *limits,
    struct audit **audit_out, struct audit_found *found_out,
    struct audit_problem *problem);

/* Checkpoint, flush, sync, keep the key for the next start, release. NULL is
 * fine. The result of all that; the handle is gone in any case. */
int audit_close(struct audit *audit);

/* Call `each` for every intent that has no outcome, oldest first; `each` may
 * append that outcome. The record is borrowed for the call. A value other than
 * 0 from `each` ends the walk and is returned; also -ERR_IO, -ERR_CORRUPT. */
int audit_unfinished(struct audit *audit,
    int (*each)(const struct record *intent, uint64_t seq, void *context),
    void *context);

/* An intent whose outcome is unknown, and that no person has settled. */
struct audit_unknown {
	uint64_t seq;
	uint64_t time_ms;	     /* of the intent */
	const struct record *intent; /* borrowed for the call, as all of it */
	struct span reason;	     /* the outcome's detail */
};

/* Call `each` for those it was not called for yet, lowest sequence first, of
 * the lowest UNSETTLED_MAX that were there at the start and of what has come
 * since, while there is room. The batch has to be written. One that cannot be
 * read is passed over. How many those were. */
size_t audit_tell_unknown(struct audit *audit,
    void (*each)(void *context, const struct audit_unknown *unknown),
    void *context);

/* Whether it is one of those. */
bool audit_is_unsettled(const struct audit *audit, uint64_t seq);

/* Add a record to the batch; salt and commitment are made here if it has a
 * body. A batch that is full is written first, without a sync. *seq_out and
 * hash_out (both may be NULL) are the receipt. Errors, with nothing added:
 * -ERR_BUSY (INTENTS_MAX intents are without outcome), -ERR_WRONG_STATE (an
 * outcome for an intent that is not open, a settlement for one whose outcome
 * is not unknown or that is settled), -ERR_RANGE (as record_add),
 * -ERR_NO_SPACE and -ERR_IO (as audit_flush), -ERR_SYSTEM (no random
 * bytes). */
int audit_append(struct audit *audit, const struct record *record,
    uint64_t *seq_out, unsigned char hash_out[SHA256_BYTES]);

/* Sign everything appended so far, and replace the key. Nothing is done if the
 * last record is a checkpoint. Errors as audit_append. */
int audit_checkpoint(struct audit *audit, const char *why);

/* The last checkpoint of this handle, which may be on its way to the disk: its
 * sequence, or 0, hash, and the key that signed it. */
uint64_t audit_checkpointed(const struct audit *audit,
    unsigned char hash_out[SHA256_BYTES],
    unsigned char key_out[SIGN_KEY_BYTES]);

/* When a checkpoint is due, in monotonic milliseconds; 0: not yet known. */
int64_t audit_checkpoint_due(const struct audit *audit);

/* Whether an intent with that grant is in the log, or on its way into it. A
 * second one is refused with -ERR_WRONG_STATE. */
bool audit_granted(const struct audit *audit, uint64_t grant);

/* How a log is. */
struct audit_state {
	uint64_t records; /* sequence of the last, the batch included */
	uint64_t intents; /* without outcome */
	/* Of the segments that have records, and free on their file system, as
	 * of the last audit_measure; UINT64_MAX: not known. */
	uint64_t log_bytes, free_bytes;
};
void audit_state(const struct audit *audit, struct audit_state *state);
void audit_measure(const struct audit *audit, struct audit_state *state);

/* Bytes that wait for a flush. */
size_t audit_waiting(const struct audit *audit);

/* Write the batch in one write and, with `sync`, make all that was written
 * durable; so it is without, when AUDIT_BATCH_RECORDS would be exceeded or
 * salts are due. -ERR_NO_SPACE or -ERR_IO with the handle alive: nothing of the
 * batch is in the file, it is kept, and the flush may be tried again. After a
 * failed sync, or a write that could not be taken back, the handle is dead:
 * every further call gives -ERR_IO and only a new audit_open tells what is in
 * the log. So it is when a sync finds that the segment's name has become
 * another file's or nobody's (-ERR_NOT_FOUND). */
int audit_flush(struct audit *audit, bool sync);
bool audit_dead(const struct audit *audit);

/* Erase the salt of a record, durably, so that nobody can show any more what
 * its commitment stood for. May run beside the auditor. -ERR_NOT_FOUND: the
 * record has no salt; others as audit_open. */
int audit_erase(const char *path, uint64_t seq, struct audit_problem *problem);

/* The salt of a record, to prove what its commitment stands for.
 * -ERR_NOT_FOUND; -ERR_WRONG_STATE: erased; others as audit_open. */
int audit_salt(const char *path, uint64_t seq, unsigned char salt_out[16],
    struct audit_problem *problem);

#endif
