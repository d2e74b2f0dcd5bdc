/*
 * What was applied: the accounts whose rules are loaded now and at the next
 * start, on disk, in the folder `firewall` beside the configuration. Belongs to
 * root alone. The policy says what an account may reach; this says which
 * accounts are behind the firewall at all, and which of them are blocked.
 *
 * An apply that waits for its confirmation is stored with its account blocked:
 * what is killed, or loses its power, in between leaves it so.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_APPLIED_H
#define TRIZONE_EXECUTOR_FIREWALL_APPLIED_H

#include <stddef.h>
#include <stdint.h>

#include "common/firewall.h"
#include "executor/firewall/model.h"

#define APPLIED_FOLDER "firewall" /* beside config.json */
#define APPLIED_FILE "applied.json"

struct applied {
	enum firewall_backend backend; /* _COUNT: nothing was applied */
	struct model model;	       /* with numbers */
	/* The account that waits, or ""; until when (clock_utc_ms); and which
	 * apply it was. */
	char pending[MODEL_NAME_BYTES];
	int64_t until_ms;
	uint64_t serial; /* grows with each apply */
};

/* Open the folder, made with 0700 if `make`. Its descriptor, or
 * -ERR_NOT_FOUND, or -ERR_CONFIG with the reason: not a folder, not ours
 * alone. */
int applied_open(const char *folder, bool make, char *reason, size_t room);

/* Wait for whoever else changes it, some seconds. A descriptor, which holds the
 * lock until it is closed; or -ERR_BUSY with the reason. */
int applied_lock(int folder, char *reason, size_t room);

/* Nothing there is nothing applied. -ERR_CORRUPT and what to do. Free with
 * applied_free. */
int applied_read(int folder, struct applied *out, char *reason, size_t room);
void applied_free(struct applied *applied);

/* By rename, on disk when it returns. */
int applied_write(
    int folder, const struct applied *applied, char *reason, size_t room);

/* Where there is no room for a new file: over the old one, which has to be as
 * long at least. For what cannot wait; a crash of the machine meanwhile may
 * damage it. -ERR_TOO_LARGE: it does not fit; -ERR_IO. */
int applied_overwrite(int folder, const struct applied *applied);

/* Take hosts, ranges and ports of the accounts from the policy's model, and
 * numbers from the system. An account that the policy has no more is blocked;
 * one whose number cannot be looked up keeps the one it had. -ERR_CONFIG if two
 * have the same. */
int applied_refresh(struct applied *applied, const struct model *policy,
    char *reason, size_t room);

/* What has to be loaded at that time: as stored, but the account that waits is
 * not blocked until its time is over. Free with model_free. */
void applied_effective(
    const struct applied *applied, int64_t now_ms, struct model *out);

#endif
