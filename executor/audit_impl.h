/*
 * Inside of an audit handle, for audit_log.c, audit_open.c and audit_rotate.c
 * only.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_IMPL_H
#define TRIZONE_EXECUTOR_AUDIT_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "executor/audit_grants.h"
#include "executor/audit_intents.h"
#include "executor/audit_log.h"
#include "executor/audit_seal.h"
#include "executor/audit_segment.h"
#include "executor/audit_unsettled.h"
#include "executor/audit_verify.h"

/* A file and what waits for it. */
struct tail {
	int fd;
	uint64_t size; /* all of it written by flushes that succeeded */
	struct buf batch;
};

struct audit {
	int folder, lock;
	struct audit_limits limits;
	struct tail log;	/* the current segment; unused room behind it */
	struct segment segment; /* its name */
	struct tail salts;
	int spare;	      /* a segment that is ready; -1: none */
	int64_t spare_ms;     /* when to try to make one again */
	struct chain chain;   /* the batch included */
	struct signer signer; /* of the next checkpoint */
	uint64_t sealed;      /* the last checkpoint or lineage */
	uint64_t head;	      /* the last checkpoint of this handle; 0: none */
	unsigned char head_hash[SHA256_BYTES];
	unsigned char head_key[SIGN_KEY_BYTES];
	int64_t unsealed_ms; /* of the first record behind it; 0: none */
	bool full; /* the batch ends with the segment's last checkpoint */
	struct intents intents;
	struct unsettled unsettled;
	struct grants grants; /* that intents named */
	size_t batch_records;
	bool lazy_salts;       /* rows are written and not synced */
	int64_t salts_ms;      /* when they last were */
	size_t unsynced;       /* records in the log that may not be on disk */
	size_t unsynced_bytes; /* and what they take */
	uint64_t removing;     /* segment whose removal is on record; 0: none */
	bool dead;
};

/* Release without flushing. */
void audit_free(struct audit *audit);

/*
 * audit_log.c
 */

/* Add a lineage, or a checkpoint, after which the key is another. Errors as
 * audit_append. */
int audit_add_lineage(
    struct audit *audit, const char *why, unsigned char hash_out[SHA256_BYTES]);

/*
 * audit_rotate.c
 */

/* Write a new file with `bytes` from the begin of `source` (-1: none) and
 * unused room behind them, durably, and give it the name. The descriptor, or
 * -ERR_NO_SPACE or -ERR_IO. */
int audit_make_segment(
    struct audit *audit, const char *name, int source, uint64_t bytes);

/* Room for the salts of this segment's records and of the next one's. Errors as
 * audit_make_spare. */
int audit_reserve_salts(struct audit *audit);

/* Have a spare segment and room for the salts of its records. 0,
 * -ERR_NO_SPACE, -ERR_READ_ONLY, -ERR_IO. */
int audit_make_spare(struct audit *audit);

/* The spare becomes the current segment, for the next record. Errors as
 * audit_flush. */
int audit_use_spare(struct audit *audit);

/* The current segment is complete: write it, cut its unused room off, and go
 * on in the spare. Errors as audit_flush. */
int audit_rotate(struct audit *audit);

#endif
