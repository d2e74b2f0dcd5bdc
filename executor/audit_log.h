/*
 * The audit log: a folder with the chain (audit.jsonl), its salts and a lock.
 * Only the auditor opens it for writing. Records are gathered with
 * audit_append and become durable together with audit_flush; until that has
 * returned 0 nobody may be told of them, and nothing they announce may start.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_LOG_H
#define TRIZONE_EXECUTOR_AUDIT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/sha256.h"
#include "executor/audit_files.h"
#include "executor/record.h"

/* One write: 25 of the longest records, some 600 usual ones. */
#define AUDIT_BATCH_BYTES (256u * 1024)
/* Records of a batch, and with it all that are not yet on disk: so many salts
 * may be found ahead of the log after a loss of power, and no more. */
#define AUDIT_BATCH_RECORDS 1024
#define AUDIT_LAZY_SALTS 512 /* rows that a loss of power may cost */

struct audit;

/* What was found when a log was opened. */
struct audit_found {
	uint64_t records;    /* good ones that were there */
	uint64_t torn_bytes; /* of a last line that was set aside; 0: none */
	size_t unfinished;   /* intents without outcome */
};

/* Open the log in the folder `path` (made if it is not there), alone, and
 * check all of it. A last line that is not complete (a crash while writing)
 * is moved to the file torn-<time> and a damage record is appended, which the
 * next flush writes. *found_out may be NULL. Errors, each with words for the
 * operator in *problem: -ERR_BUSY (another process has it), -ERR_CORRUPT (the
 * chain is damaged: nothing was changed), -ERR_PEER, -ERR_NOT_REGULAR,
 * -ERR_NO_SPACE, -ERR_IO, -ERR_SYSTEM. Close with audit_close. */
int audit_open(const char *path, struct audit **audit_out,
    struct audit_found *found_out, struct audit_problem *problem);

/* Flush, sync, release. NULL is fine. The flush's result; the handle is gone
 * in any case. */
int audit_close(struct audit *audit);

/* Call `each` for every intent that has no outcome, oldest first; `each` may
 * append that outcome. The record is borrowed for the call. A value other than
 * 0 from `each` ends the walk and is returned; also -ERR_IO, -ERR_CORRUPT. */
int audit_unfinished(struct audit *audit,
    int (*each)(const struct record *intent, uint64_t seq, void *context),
    void *context);

/* Add a record to the batch; salt and commitment are made here if it has a
 * body. A batch that is full is written first, without a sync. *seq_out and
 * hash_out (both may be NULL) are the receipt. Errors, with nothing added:
 * -ERR_BUSY (INTENTS_MAX intents are without outcome), -ERR_WRONG_STATE (an
 * outcome for an intent that is not open), -ERR_RANGE (as record_add),
 * -ERR_NO_SPACE and -ERR_IO (as audit_flush), -ERR_SYSTEM (no random
 * bytes). */
int audit_append(struct audit *audit, const struct record *record,
    uint64_t *seq_out, unsigned char hash_out[SHA256_BYTES]);

/* Whether an intent with that grant is in the log, or on its way into it. A
 * second one is refused with -ERR_WRONG_STATE. */
bool audit_granted(const struct audit *audit, uint64_t grant);

/* Bytes that wait for a flush. */
size_t audit_waiting(const struct audit *audit);

/* Write the batch in one write and, with `sync`, make all that was written
 * durable; so it is without, when AUDIT_BATCH_RECORDS would be exceeded or
 * salts are due. -ERR_NO_SPACE or -ERR_IO with the handle alive: nothing of the
 * batch is in the file, it is kept, and the flush may be tried again. After a
 * failed sync, or a write that could not be taken back, the handle is dead:
 * every further call gives -ERR_IO and only a new audit_open tells what is in
 * the log. So it is when a sync finds that the log's name has become another
 * file's or nobody's (-ERR_NOT_FOUND). */
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
