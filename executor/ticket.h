/*
 * Tickets: calls that a person has to decide about, the grants given for them,
 * and the rules "don't ask again" has made. Rows of the inbox's database, so
 * that they outlive a restart and share its lock. Only the broker opens it.
 *
 *   open -> spent -> done -> closed        done by the broker when approved
 *     |       \-> unfinished               its intent never came on record
 *     |-> approved -> spent -> closed      the session's next identical call
 *     |-> denied
 *     |-> expired, stale                   (also of approved and unfinished)
 *
 * Each step is durable when its function has returned 0. Errors are those of
 * inbox.h. Times are milliseconds of CLOCK_REALTIME.
 */
#ifndef TRIZONE_EXECUTOR_TICKET_H
#define TRIZONE_EXECUTOR_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/sha256.h"
#include "common/text.h"
#include "executor/inbox.h"
#include "executor/order.h"
#include "executor/policy.h"

#define TICKETS_OPEN_MAX 100   /* that wait for a person, of all sessions */
#define TICKETS_SESSION_MAX 20 /* and of one */
#define TICKET_HOURS 24	       /* to be decided, and then to be spent */
#define TICKET_KEEP_DAYS 30    /* what is over is erased then */
#define TICKET_APPROVALS_MAX 100
#define AGAIN_RULES_MAX 100

/* Stored as these numbers: a number is never used for something else. */
enum ticket_state {
	TICKET_OPEN = 0,
	TICKET_APPROVED = 1, /* the next identical call spends it */
	TICKET_SPENT = 2,    /* its order is on its way */
	TICKET_DONE = 3,     /* its outcome is known and not told yet */
	TICKET_DENIED = 4,
	TICKET_EXPIRED = 5,
	TICKET_STALE = 6,      /* what was asked for has changed since */
	TICKET_UNFINISHED = 7, /* approved, not done */
	TICKET_CLOSED = 8,     /* done, and the session knows */
	TICKET_STATE_COUNT
};

/* An identical call meets a ticket in one of these states. */
#define TICKET_LIVE                                                            \
	(1u << TICKET_OPEN | 1u << TICKET_APPROVED | 1u << TICKET_SPENT |      \
	    1u << TICKET_DONE | 1u << TICKET_DENIED | 1u << TICKET_UNFINISHED)
/* A person can still decide about it. */
#define TICKET_ASKS (1u << TICKET_OPEN | 1u << TICKET_UNFINISHED)

/* "open"; and back, TICKET_STATE_COUNT if there is none. */
const char *ticket_state_name(enum ticket_state state);
enum ticket_state ticket_state_find(struct span name);

struct ticket {
	int64_t id;
	enum ticket_state state;
	int64_t session;
	int64_t message; /* inbox id the session worked on, 0: none */
	unsigned legs;	 /* of the session when it asked or was approved */
	unsigned char digest[SHA256_BYTES]; /* of capability and arguments */
	unsigned char hash[SHA256_BYTES];   /* of the grant, if there is one */
	uint32_t approvals;		    /* given so far */
	uint64_t grant;			    /* number of the last, 0: none */
	int64_t opened_ms, expires_ms, changed_ms;
	enum outcome outcome; /* of what is done */
	uint32_t error;	      /* enum err, 0: none */
	char zone[NAME_MAX_BYTES + 1];
	char capability[NAME_MAX_BYTES + 1];
	char rule[NAME_MAX_BYTES + 1]; /* that asked */
	char why[WHY_MAX_BYTES + 1];
	char note[WHY_MAX_BYTES + 1]; /* why it is stale, what came of it */
	struct buf arguments;	      /* canonical JSON */
	struct buf origins; /* of the values in it, see inputs_put_values */
	struct buf result;  /* JSON, of what is done; may be empty */
};

void ticket_init(struct ticket *ticket);
void ticket_done(struct ticket *ticket);

/* Store a new one, open; id and digest are filled in. -ERR_QUOTA: as many wait
 * as may, in all or of its session. */
int ticket_add(struct inbox *inbox, struct ticket *ticket);

/* SHA-256 over capability, a NUL and arguments. */
void ticket_digest(struct span capability, struct span arguments,
    unsigned char out[SHA256_BYTES]);

/* Fill `out`, which ticket_init has made. */
int ticket_get(struct inbox *inbox, int64_t id, struct ticket *out);

/* The session's live one with that digest. */
int ticket_find(struct inbox *inbox, int64_t session,
    const unsigned char digest[SHA256_BYTES], int64_t *id_out);

/* The one whose last grant has that number. Reads all rows. */
int ticket_granted(struct inbox *inbox, uint64_t grant, int64_t *id_out);

/* Write state, legs, hash, approvals, grant, expires_ms, outcome, error, note
 * and result of a ticket that is in one of `from` (bits); else
 * -ERR_WRONG_STATE. The note is cut. */
int ticket_save(
    struct inbox *inbox, const struct ticket *ticket, unsigned from);

/* Ids above `after` in states (bits; 0: all), at most `room`, ascending.
 * Returns how many in *count_out. */
int ticket_list(struct inbox *inbox, unsigned states, int64_t after,
    int64_t *ids, size_t room, size_t *count_out);

/* How many are live. */
int ticket_live(struct inbox *inbox, int64_t *count_out);

/* The live one whose time is over longest, but for spent ones, which end by
 * themselves; -ERR_NOT_FOUND: none. */
int ticket_overdue(struct inbox *inbox, int64_t now_ms, int64_t *id_out);

/* Erase what has been over for TICKET_KEEP_DAYS, and rules that have expired.
 */
int ticket_erase_old(struct inbox *inbox, int64_t now_ms);

/* A rule that "don't ask again" made. */
struct again_row {
	int64_t id;
	int64_t ticket; /* it came of */
	bool any_content;
	int64_t made_ms, expires_ms;
	char zone[NAME_MAX_BYTES + 1];
	char capability[NAME_MAX_BYTES + 1];
	unsigned char is[SHA256_BYTES]; /* what that was, see card_capability */
	char rule[NAME_MAX_BYTES + 1];	/* that asked */
	struct buf arguments;		/* canonical JSON */
};

void again_done(struct again_row *row);

/* Whether what asks by that rule can be told not to, with so many rules of this
 * sort: 0, -ERR_QUOTA, or -ERR_RANGE: what was counted, or has a link, is asked
 * about each time. */
int again_check(const char *rule, size_t count);
/* -ERR_QUOTA: there are AGAIN_RULES_MAX. */
int again_add(struct inbox *inbox, struct again_row *row);
/* The next by id above `after`, into `out`, whose buffer again_done frees. */
int again_next(struct inbox *inbox, int64_t after, struct again_row *out);
int again_remove(struct inbox *inbox, int64_t id);

#endif
