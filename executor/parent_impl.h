/*
 * What the two files of the parent share: parent.c watches over the others,
 * parent_start.c starts them.
 */
#ifndef TRIZONE_EXECUTOR_PARENT_IMPL_H
#define TRIZONE_EXECUTOR_PARENT_IMPL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/lock.h"
#include "executor/accounts.h"
#include "executor/anchor.h"
#include "executor/order.h"
#include "executor/parent.h"
#include "executor/parent_files.h"

#define READY_MS 300000 /* the auditor checks the whole log before it is */

enum courier_state {
	COURIER_STARTING,
	COURIER_UP,
	COURIER_DRAINING, /* dead; auditor and broker are letting go */
	COURIER_WAITING,  /* for its back-off to end */
	COURIER_GIVEN_UP
};

struct child {
	pid_t pid; /* 0: none */
	int control;
	int64_t deadline_ms; /* for what it is expected to do now; 0: none */
};

struct courier {
	struct child child;
	enum courier_state state;
	unsigned drained; /* who has let go: 1 auditor, 2 broker */
	unsigned deaths;
	bool been_up; /* one that never was means a wrong configuration */
	int64_t first_death_ms;
	int order_ends[2];  /* auditor's, courier's */
	int result_ends[2]; /* broker's (read), courier's (write) */
};

enum reload_step {
	RELOAD_NONE,
	RELOAD_OFFER, /* couriers learn what else they may take */
	RELOAD_SWAP,  /* the broker decides by it from now on */
	RELOAD_SETTLE /* couriers forget what was before */
};

struct reload {
	enum reload_step step;
	bool wanted, wanted_asked; /* one is to begin; RELOAD asked for it */
	bool asked;		   /* the one under way */
	uint32_t number;	   /* of it */
	int64_t deadline_ms;
	struct policy *policy; /* what it brings */
	struct buf text;
	bool owes[COURIERS_MAX]; /* an answer to this step */
};

struct parent {
	const struct parent_setup *setup;
	const struct policy *policy; /* in force; for couriers' restarts */
	struct policy *own_policy;   /* the same if a reload brought it */
	struct reload reload;
	struct account accounts[ACCOUNT_ROLES]; /* looked up once */
	struct plan plan;
	struct listeners listeners;
	struct child auditor, broker;
	struct courier *couriers;
	struct anchors anchors; /* opened for the auditor */
	int inputs_key;	   /* where the auditor reads its first one; -1: none */
	int entry_ends[2]; /* auditor's (read), broker's (write) */
	int receipt_ends[2]; /* broker's (read), auditor's (write) */
	struct lock own;     /* how the parent itself is locked */
	struct lock_report auditor_report;
	char cgroup[4096]; /* for the roles' groups, or why there are none */
	struct config_peers peers[LISTENERS_MAX];
	bool serving; /* all were up once */
	bool stopping;
	int64_t stop_deadline_ms;
	int status;
};

/* A pipe, not inherited by programs; ends the process if there is none. */
void parent_pipe(int ends[2]);

/* The links between the others. */
void parent_links(struct parent *p);

/* If decision inputs are to be kept: have a helper make their first key, for
 * the auditor to read from inputs_key; before the parent's own locks, which
 * would hold for age too. parent_key.c. */
void parent_make_key(struct parent *p);

/* Open the anchors of the audit, for the auditor. */
void parent_open_anchors(struct parent *p);

/* The parent's own locks: all is open that needs more than starting roles
 * does. */
void parent_lock_in(struct parent *p);

/* A courier's share of a policy: "number\n" and the instance, each behind its
 * length. */
void parent_share(const struct parent *p, const struct policy *policy,
    uint32_t index, struct buf *out);

/*
 * parent_reload.c: another policy while the service runs.
 */

/* One is wanted, by a signal or because the operator `asked` the broker. */
void reload_want(struct parent *p, bool asked);
/* An answer of the broker, or of courier `index`. */
void reload_broker_answers(struct parent *p, const struct control *record);
void reload_courier_answers(
    struct parent *p, uint32_t index, const struct control *record);
/* It is dead: it owes nothing any more. */
void reload_courier_gone(struct parent *p, uint32_t index);
/* Begin, go on, give up: whatever is due now. Called in each round. */
void reload_go_on(struct parent *p);

/* Start one, locked in as its role; deadline_ms is then that of its READY. */
void parent_start_auditor(struct parent *p);
void parent_start_broker(struct parent *p);
void parent_start_courier(struct parent *p, uint32_t index);

#endif
