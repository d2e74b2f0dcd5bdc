/*
 * What the files of the auditor share: auditor.c keeps the log and hears
 * broker and parent, auditor_orders.c deals with couriers, the others tell
 * anchors and the broker what they have to know.
 */
#ifndef TRIZONE_EXECUTOR_AUDITOR_IMPL_H
#define TRIZONE_EXECUTOR_AUDITOR_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"
#include "executor/anchor.h"
#include "executor/audit_log.h"
#include "executor/auditor.h"
#include "executor/inputs_store.h"
#include "executor/order.h"
#include "executor/plan.h"
#include "executor/record.h"
#include "executor/role.h"

enum { FD_ENTRIES = FD_FIRST, FD_RECEIPTS, FD_REFUSALS, FD_ORDERS };

#define OPEN_MAX 4096	     /* orders without an outcome yet */
#define QUEUE_MAX (8u << 20) /* order bytes a courier has not taken */
#define OUTCOME_MS 60000     /* no progress for that long: it is stuck */

/* An intent whose outcome is not known yet. */
struct open_order {
	uint64_t sequence;
	uint64_t request, session, message;
	uint32_t capability, courier;
	bool own; /* a line for an anchor */
	char zone[NAME_MAX_BYTES + 1];
	char name[NAME_MAX_BYTES + 1];
};

/* What an anchor of kind notify is told, and was. */
struct notice {
	struct anchored lineage; /* while seq is not 0 it has to be told */
	struct anchored sent;	 /* on its way */
	uint64_t intent;	 /* of that, 0: nothing is */
	uint64_t head;		 /* the last it took */
	int64_t due_ms;		 /* not before */
};

struct line {
	struct buf out; /* order bytes for the courier */
	size_t out_sent;
	struct inflow in; /* its outcomes */
	bool up;
	bool stuck_told;
	unsigned open;	     /* its orders without an outcome */
	int64_t progress_ms; /* its last outcome, or the end of its idleness */
	bool deaf;	     /* not read any more until it is another one */
};

struct auditor {
	struct audit *audit;
	struct inputs_store *inputs; /* NULL: they are not kept */
	int keys[2];		     /* the pipe of their keys: read, write */
	uint32_t key_steps; /* of the key that is used; the next is there */
	struct anchors anchors;
	uint64_t anchored; /* the last head they were told; 0: none yet */
	struct notice notices[ANCHORS_MAX]; /* beside the row of anchors */
	bool own;	    /* what is appended is of a line for an anchor */
	uint64_t news;	    /* the last record that is not */
	uint64_t head;	    /* the last checkpoint */
	uint64_t head_news; /* and the last such record before it */
	const struct plan *plan;
	struct inflow entries;
	struct {
		struct inflow in;
		bool deaf;	  /* it lied, and is about to be killed */
		unsigned taken;	  /* since */
		int64_t since_ms; /* then */
	} refusals;		  /* of the listener for blocked packets */
	struct line lines[COURIERS_MAX];
	struct open_order *open; /* OPEN_MAX rows, the first open_count used */
	size_t open_count;
	unsigned char last_hash[SHA256_BYTES]; /* of the last record */
	bool must_sync;	     /* an intent or a receipt is in the batch */
	int64_t sync_at_ms;  /* 0: nothing waits for a sync */
	struct buf receipts; /* of this batch, until it is on disk */
	struct buf held;     /* orders of this batch, until it is on disk */
	struct auditor_start begin;
	int64_t retain_ms; /* when to look for what is not kept */
	bool orphaned;	   /* the parent is gone: serve to the end of entries */
	bool stopping;	   /* there are no more entries */
	int64_t stop_at_ms;
	struct {
		struct audit_state state; /* as it was told */
		int64_t at_ms, measured_ms;
		uint64_t first; /* the last record before this start */
		uint64_t checkpoint;
		int64_t checkpoint_ms;
	} health;
};

/*
 * auditor.c
 */

/* How many bytes follow the struct entry_head; SIZE_MAX: it is none. */
size_t auditor_entry_length(const void *head);

/* Text of a fixed-size member that need not end in NUL. */
struct span text_of(const char *text, size_t room);

/* Everything appended so far to the disk; if that fails, nothing is done. */
void auditor_flush(struct auditor *a, bool sync);

/* A record of a decision with what it was made from, which may be empty. As
 * auditor_append. */
uint64_t auditor_append_decision(
    struct auditor *a, struct record *record, struct span inputs);

/* Gives the record's sequence; ends the process if it cannot be written. */
uint64_t auditor_append(struct auditor *a, const struct record *record);

/*
 * auditor_open.c
 */

/* Open log and store by the start texts, or end the process. */
void auditor_open(struct auditor *a, struct span *texts, size_t count);

/* After a row of decision inputs: their next key for the auditor that may take
 * our place. */
void auditor_keep_key(struct auditor *a);

/* Log or store (then in words: `what`, else NULL) cannot be written: end, with
 * EXIT_STORAGE if it is for such a reason, which the parent is told. Nothing
 * that was not released by then ever will be. */
#define INPUTS_UNWRITTEN "decision inputs cannot be stored"
_Noreturn void auditor_unwritten(
    const struct auditor *a, int error, const char *what);

/*
 * auditor_anchors.c
 */

/* A lineage that was begun goes to the anchors before it is written: if there
 * are some and none takes it, the process ends and the log is as it was. */
void auditor_anchor_start(struct auditor *a, const struct audit_found *found);

/* A checkpoint that they have not been told: make it durable, tell them, and
 * put on record which of them begins to fail or takes lines again. */
void auditor_anchor_head(struct auditor *a);

/* On record: the anchor begins to fail, or takes lines again. */
void auditor_record_anchor(struct auditor *a, const struct anchor *anchor);

/*
 * auditor_notify.c: anchors that are told by orders to a courier.
 */

/* Whether the capability is one of theirs, and so nobody else's. */
bool auditor_notifies(const struct auditor *a, uint32_t capability);

/* A lineage that was begun, for later. */
void auditor_notify_start(struct auditor *a, const struct anchored *lineage);

/* Order the lines that are due. */
void auditor_notify(struct auditor *a);

/* When one may be due; 0: nothing is waited for. */
int64_t auditor_notify_due(const struct auditor *a);

/* What became of one, whose intent that is. */
void auditor_notified(struct auditor *a, uint64_t intent, uint32_t error);

/*
 * auditor_refusals.c: what the listener for blocked packets has put on record.
 */

/* Once, when its pipe is there. */
void auditor_refusals_open(struct auditor *a);

/* Whether it is to be heard now. */
bool auditor_refusals_heard(const struct auditor *a);

/* When it will be, if it is not because of its rate; 0: not for that. */
int64_t auditor_refusals_due(const struct auditor *a);

/* Append what was read before, and if there is `more`, read it. */
void auditor_refusals_take(struct auditor *a, bool more);

/* It is dead: what it said whole counts, the rest is gone. */
void auditor_refusals_end(struct auditor *a);

/*
 * auditor_unknown.c
 */

/* Tell the broker of unknown outcomes that it was not told of; they are
 * written. */
void auditor_tell_unknown(struct auditor *a);

/*
 * auditor_health.c
 */

/* Tell the broker how the log is, if it is another and it is time. */
void auditor_tell_health(struct auditor *a);

/* When that is to be looked at again, in monotonic milliseconds. */
int64_t auditor_health_due(const struct auditor *a);

/*
 * auditor_orders.c
 */

/* Put an order on record, and hold it for orders_release. The sequence of its
 * intent. */
uint64_t orders_take(struct auditor *a, const struct entry_head *entry,
    struct record *record, struct span inputs, const char *body);

/* No more entries are to be read. */
bool orders_are_high(const struct auditor *a);

/* The batch is on disk: hand its orders to their couriers. */
void orders_release(struct auditor *a);

/* Write what the courier takes now. */
void orders_write(struct auditor *a, uint32_t courier);

/* Read its outcomes. */
void orders_hear(struct auditor *a, uint32_t courier);

/* A courier is dead: what it still said counts, the rest is unknown. */
void orders_down(struct auditor *a, uint32_t courier);

/* Tell the parent of couriers that owe an outcome for too long. */
void orders_tell_stuck(struct auditor *a);

/* The end of service: last outcomes, the rest is unknown. */
void orders_end(struct auditor *a);

#endif
