/*
 * Numbers of the grants that intents have named: each is good for one. Built
 * from the log when it is opened, and kept up with it.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_GRANTS_H
#define TRIZONE_EXECUTOR_AUDIT_GRANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define GRANTS_MAX (1u << 20) /* 8 MiB; a person gives some a day */

/* All zero is an empty set. */
struct grants {
	uint64_t *numbers; /* ascending */
	size_t count, room;
};

/* Release the memory; the set is then empty. */
void grants_done(struct grants *grants);

bool grants_have(const struct grants *grants, uint64_t grant);

/* 0; -ERR_BUSY: there are GRANTS_MAX. One that is there already is fine. */
int grants_add(struct grants *grants, uint64_t grant);

/* Grants of the records that retention has removed are kept in a file, so that
 * none of them becomes usable again: a head line, then a row of 16 digits for
 * each. */
#define GRANTS_NAME "grants"
#define GRANTS_HEAD "trizone-grants 1\n"

/* Add what the file in the open folder holds. 0; -ERR_NOT_FOUND; -ERR_CORRUPT:
 * it is no such file, others may write it, or it is of a later version;
 * -ERR_BUSY; -ERR_IO. */
int grants_load(int folder, struct grants *grants);

/* The file's text, into an empty buffer. 0 or -ERR_TOO_LARGE. */
int grants_text(const struct grants *grants, struct buf *out);

#endif
