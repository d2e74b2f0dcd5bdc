/*
 * Inside of an audit handle, for audit_log.c and audit_open.c only.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_IMPL_H
#define TRIZONE_EXECUTOR_AUDIT_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "executor/audit_grants.h"
#include "executor/audit_intents.h"
#include "executor/audit_verify.h"

/* An append-only file and what waits for it. */
struct tail {
	int fd;
	uint64_t size; /* all of it written by flushes that succeeded */
	struct buf batch;
};

struct audit {
	int folder, lock;
	struct tail log, salts;
	struct chain chain; /* the batch included */
	struct intents intents;
	struct grants grants; /* that intents named */
	size_t batch_records;
	size_t lazy_salts; /* rows written and not synced */
	size_t unsynced;   /* records in the log that may not be on disk */
	bool dead;
};

/* Release without flushing. */
void audit_free(struct audit *audit);

#endif
