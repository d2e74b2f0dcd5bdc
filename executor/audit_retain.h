/*
 * Retention: the oldest segments of a log go when the log is too large or they
 * are too old. What stays of them is in audit_stub.h.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_RETAIN_H
#define TRIZONE_EXECUTOR_AUDIT_RETAIN_H

#include <stdint.h>

struct audit;

/* How much of the log is kept; 0: all of it. */
struct audit_keep {
	uint64_t bytes; /* of segments, the current one included */
	uint64_t ms;	/* since a segment's last record */
};

/* Remove one segment that is not to be kept any more, with its salts, after a
 * record that says so is durable. Never the current one, nor one with an intent
 * that has no outcome, or an unknown one that nobody has settled. 1: one is
 * gone, there may be more; 0: nothing to do; errors as audit_flush and
 * audit_remove_oldest. */
int audit_retain(struct audit *audit, const struct audit_keep *keep);

/* At the start: drop the salts of records that are not there any more. 0,
 * -ERR_CORRUPT, -ERR_NO_SPACE, -ERR_IO. */
int audit_drop_salts(struct audit *audit);

#endif
