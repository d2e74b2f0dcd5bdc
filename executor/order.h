/*
 * What the executor's own processes say to each other: fixed-size heads in
 * host byte order (all are the same program on the same machine), followed by
 * exactly the bytes their lengths name.
 *
 *   broker  --entry-->  auditor                           (one-way pipe)
 *   listener --entry--> auditor                           (one-way pipe)
 *                       auditor  --order-->  courier      (socket, both ways)
 *                       auditor <--outcome-- courier
 *   broker <--receipt-- auditor                           (one-way pipe)
 *   broker <--result--                       courier      (one-way pipe)
 *   parent <--control-> each of them                      (socket, both ways)
 *
 * The auditor looks at heads only; a body is opaque to it.
 */
#ifndef TRIZONE_EXECUTOR_ORDER_H
#define TRIZONE_EXECUTOR_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/lock.h"
#include "common/sha256.h"
#include "common/text.h"

#define ORDER_MAGIC 0x7a336f72u /* a head that does not begin so is a bug */
#define ORDER_BODY_MAX FRAME_MAX_BYTES /* arguments came in one frame */
#define RESULT_BODY_MAX (512u * 1024)  /* an answer fits half a frame */
#define RESULT_CONTENT_MAX (1u << 20)  /* what one read brings back */
#define DETAIL_BYTES 200	       /* a reason, NUL included */
#define ENTRY_DESTINATION_MAX 256      /* what a record keeps of it */

/* broker -> auditor: something to put on record, and perhaps to be done. */
struct entry_head {
	uint32_t magic;
	uint32_t kind;	  /* enum record_kind */
	uint64_t request; /* the broker's number for a planner's call */
	uint64_t session;
	uint64_t message;    /* inbox id, 0: none */
	uint64_t grant;	     /* 0: none */
	uint64_t bytes;	     /* size the record speaks of */
	uint64_t receipt;    /* number of the receipt that is wanted, 0: none */
	uint64_t intent;     /* that a settlement settles, 0: it is none */
	uint32_t capability; /* number, or NO_CAPABILITY */
	uint32_t verdict;    /* enum verdict */
	uint32_t error;	     /* enum err, 0: none */
	uint32_t order;	     /* 1: pass the body on once this is on disk */
	uint32_t name_bytes; /* capability as it was asked for */
	uint32_t name_full;  /* its real length, if it was cut */
	uint32_t body_bytes; /* 0 unless order is 1 */
	uint32_t committed;  /* 1: body_hash is set */
	uint32_t detail_bytes; /* a detail longer than `detail` holds, or 0 */
	uint32_t inputs_bytes; /* what was decided on, for the side store, or 0
				*/
	uint32_t status;       /* enum outcome, of a settlement */
	unsigned char body_hash[SHA256_BYTES];
	char zone[NAME_MAX_BYTES + 1];
	char rule[NAME_MAX_BYTES + 1];
	char why[WHY_MAX_BYTES + 1];
	char detail[DETAIL_BYTES];
	/* Where a call goes, see destination.h; its length before it was cut;
	 * and enum effect bits, of what it does. */
	char destination[ENTRY_DESTINATION_MAX + 1];
	uint32_t destination_full;
	uint32_t effects;
};
#define NO_CAPABILITY UINT32_MAX
#define ENTRY_NAME_MAX 256
#define ENTRY_DETAIL_MAX 1024 /* what a record keeps of it */
/* Arguments, where each value came from, and all the rest. */
#define ENTRY_INPUTS_MAX (FRAME_MAX_BYTES + 65536)

/* auditor -> broker: the record that was wanted a receipt for is on disk. Or
 * how the log is, with a struct audit_health behind it; or that the outcome of
 * the intent `sequence` is unknown, with a struct unknown_head. */
enum receipt_what { RECEIPT_RECORD, RECEIPT_HEALTH, RECEIPT_UNKNOWN };
struct receipt_head {
	uint32_t magic;
	uint32_t what; /* enum receipt_what */
	uint64_t number;
	uint64_t sequence;
	unsigned char hash[SHA256_BYTES];
};

/* How the log is, told when it has changed, at most once a second. */
#define HEALTH_ANCHORS_MAX 8
#define HEALTH_UNKNOWN UINT64_MAX
struct audit_health {
	uint64_t records;      /* sequence of the last */
	uint64_t written;      /* since the auditor has started */
	uint64_t intents;      /* without outcome */
	uint64_t log_bytes;    /* of segments with records; or HEALTH_UNKNOWN */
	uint64_t free_bytes;   /* of its file system; or HEALTH_UNKNOWN */
	int64_t checkpoint_ms; /* the last of this start, UTC; 0: none yet */
	uint32_t anchors;
	uint32_t unused;
	uint32_t anchor_errors[HEALTH_ANCHORS_MAX]; /* enum err, 0: none */
};

/* What the log knows of an intent whose outcome is unknown. Strings are cut
 * between characters, and end in NUL. */
struct unknown_head {
	uint64_t time_ms; /* of the intent, since 1970 */
	uint64_t request, session, message, grant, bytes;
	uint32_t capability; /* number, or NO_CAPABILITY */
	uint32_t unused;
	char zone[NAME_MAX_BYTES + 1];
	char name[NAME_MAX_BYTES + 1]; /* of the capability */
	char rule[NAME_MAX_BYTES + 1];
	char why[WHY_MAX_BYTES + 1];
	char destination[ENTRY_DESTINATION_MAX + 1];
	char detail[ENTRY_DETAIL_MAX + 1];
	char reason[DETAIL_BYTES]; /* why it is unknown */
};

/* auditor -> courier: do this; its intent is on disk. */
struct order_head {
	uint32_t magic;
	uint32_t capability;
	uint64_t sequence; /* of the intent in the audit */
	uint64_t request;
	uint64_t grant;
	uint32_t body_bytes;
	uint32_t unused;
	unsigned char body_hash[SHA256_BYTES];
};

enum outcome {
	OUTCOME_DONE,	 /* the effect took place */
	OUTCOME_FAILED,	 /* it was tried and did not take place */
	OUTCOME_REFUSED, /* the courier did not try */
	OUTCOME_UNKNOWN, /* it may have taken place */
	OUTCOME_COUNT
};

/* courier -> auditor: what became of it. */
struct outcome_head {
	uint32_t magic;
	uint32_t outcome; /* enum outcome */
	uint64_t sequence;
	uint64_t request;
	uint64_t bytes; /* of the result, its content included */
	uint32_t capability;
	uint32_t error;			       /* enum err, 0: none */
	unsigned char body_hash[SHA256_BYTES]; /* of the same */
	char detail[DETAIL_BYTES];
};

/* courier -> broker: the answer itself, body_bytes of JSON behind it, and
 * behind these content_bytes as they were found, which only a reader parses. */
struct result_head {
	uint32_t magic;
	uint32_t outcome;
	uint64_t request;
	uint32_t error;
	uint32_t body_bytes;
	uint32_t content_bytes;
	uint32_t unused;
	char detail[DETAIL_BYTES];
};

/* parent <-> role. */
enum control_what {
	CONTROL_READY,	 /* role -> parent: locked, by this, and serving */
	CONTROL_DOWN,	 /* parent -> broker, auditor: this courier is dead */
	CONTROL_DRAINED, /* their answer: nothing of it is left with us */
	CONTROL_UP,	 /* parent -> broker, auditor: it runs (again) */
	CONTROL_STUCK,	 /* auditor -> parent: no outcome in time, kill it */
	CONTROL_STOP,	 /* parent -> broker: finish and end */
	CONTROL_ATTEST,	 /* parent -> broker, auditor: what one is locked by */
	/* a new policy, see parent_reload.c */
	CONTROL_OFFER,	 /* parent -> courier: take orders by these texts too */
	CONTROL_POLICY,	 /* parent -> broker: decide by this text from now on */
	CONTROL_SETTLE,	 /* parent -> courier: by what was offered alone */
	CONTROL_DROP,	 /* parent -> courier: forget what was offered */
	CONTROL_TAKEN,	 /* their answer to the first three: so it is */
	CONTROL_REFUSED, /* or: it cannot be taken, all is as it was */
	CONTROL_RELOAD,	 /* broker -> parent: the operator asks for one */
	CONTROL_RELOADED, /* parent -> broker: `error`, and a text that says
			     why it was refused */
	/* broker -> parent: how many processes has the user `number`? And back:
	 * `number` of them, UINT64_MAX where that cannot be told. */
	CONTROL_USER,
	/* broker -> parent -> auditor: is an intent with the grant `number` on
	 * record? And back: `courier` is 1 if so. */
	CONTROL_GRANT,
	/* auditor, broker -> parent, before it ends: the audit cannot be
	 * written; the reason is the enum err `number` */
	CONTROL_UNWRITTEN,
	/* parent -> auditor: put it on record, as the enum record_kind
	 * `number`, CONFIG or RELOAD, with the enum err `error`; the text is
	 * its reason, a line feed, its detail */
	CONTROL_RECORD,
	/* auditor -> parent: who listens for blocked packets sends what cannot
	 * be, kill it; and back, whenever it has died: what it left is void */
	CONTROL_LISTENER,
	CONTROL_COUNT
};

/* Exactly `bytes` of text follow the record; only of OFFER, POLICY, RELOADED
 * and RECORD. */
struct control {
	uint32_t magic;
	uint32_t what;
	uint32_t courier;
	uint32_t bytes;
	uint64_t number; /* of USER, GRANT, UNWRITTEN; else of the reload, so
			    that no late answer is taken for the next one's */
	uint32_t error;	 /* enum err, 0: none */
	uint32_t asked;	 /* 1: of a RELOADED that RELOAD asked for */
	struct lock_report report; /* of READY and ATTEST */
};
#define CONTROL_TEXT_MAX (4u << 20) /* all instances of a policy, and heads */

/*
 * Heads with bodies over stream descriptors.
 */

/* Gathers one head and its body at a time from a non-blocking descriptor. */
struct inflow {
	int fd;
	size_t head_bytes;
	size_t body_max;
	struct buf in;
	size_t used; /* bytes of `in` that were taken */
};

void inflow_init(
    struct inflow *flow, int fd, size_t head_bytes, size_t body_max);
void inflow_done(struct inflow *flow);

/* Read what is there, without waiting. 1: some bytes came; 0: none now;
 * -ERR_CLOSED: the end. */
int inflow_read(struct inflow *flow);

/* 1: took a whole head into `head_out`, its body is at *body_out until the
 * next inflow_read. 0: not yet. -ERR_CORRUPT: no such head. `length` tells how
 * many bytes follow a head. */
int inflow_next(struct inflow *flow, size_t (*length)(const void *head),
    void *head_out, const char **body_out);

/* Throw away what a sender, now dead, has left: here and in the descriptor. */
void inflow_reset(struct inflow *flow);

/* Make descriptors non-blocking, or end the process: the deadlines below hold
 * only on such. */
void set_nonblocking(const int *fds, size_t count);

/* Write all of it to a descriptor, waiting at most `ms` in all. 0,
 * -ERR_DEADLINE or -ERR_CLOSED. */
int write_all(int fd, const void *bytes, size_t count, int ms);

/* Read exactly `count` bytes, waiting at most `ms` in all; a negative `ms`
 * waits for ever for the first byte. 0, -ERR_DEADLINE, -ERR_CLOSED. */
int read_all(int fd, void *bytes, size_t count, int ms);

/* For roles: ends the process if the parent does not take it. `report` may be
 * NULL. */
void control_send(int fd, enum control_what what, uint32_t courier,
    const struct lock_report *report);
/* For the parent: 0, -ERR_DEADLINE or -ERR_CLOSED. */
int control_try(int fd, enum control_what what, uint32_t courier,
    const struct lock_report *report);
/* For the parent: a record with a text; fills in magic and bytes. 0,
 * -ERR_DEADLINE (the peer may have a part of it: it is of no use any more) or
 * -ERR_CLOSED. */
int control_tell(int fd, struct control record, struct span text);
/* USER and GRANT, with the numbers. */
int control_try_number(
    int fd, enum control_what what, uint32_t courier, uint64_t number);
/* 1 and the record, 0 if there is none now, -ERR_CLOSED. One with a text has
 * to be followed by control_text. */
int control_receive(int fd, struct control *out);
/* The text behind it into `out`, which is cleared; its max is the bound. 0 or
 * -ERR_CLOSED. */
int control_text(int fd, const struct control *record, struct buf *out);

const char *outcome_name(enum outcome outcome);

#endif
