/*
 * What the files of the parent share: parent.c watches over the others,
 * parent_start.c starts them.
 */
#ifndef TRIZONE_EXECUTOR_PARENT_IMPL_H
#define TRIZONE_EXECUTOR_PARENT_IMPL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/lock.h"
#include "executor/accounts.h"
#include "executor/anchor.h"
#include "executor/firewall/change.h"
#include "executor/firewall/guard_socket.h"
#include "executor/firewall/link.h"
#include "executor/firewall/set.h"
#include "executor/order.h"
#include "executor/parent.h"
#include "executor/parent_files.h"
#include "executor/record.h"
#include "executor/role.h"

#define BACKOFF_FIRST_MS 100
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
	RELOAD_SETTLE /* couriers forget what was before, the keeper stores it
		       */
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

/* Somebody who was told why nobody serves him. */
struct refused {
	int fd;
	int64_t until_ms; /* 0: free row */
};
#define REFUSED_MAX 64u

/* Log or inbox cannot be written. */
struct pause {
	bool on;    /* until all are up again */
	bool inbox; /* or else the log */
	int error;
	int64_t since_ms, delay_ms;
	int64_t retry_ms; /* when to start the others again; 0: not waiting */
	int64_t told_ms;  /* when the operator last was; 0: not yet */
	int told_error;
	unsigned ends; /* of brokers that served */
	int64_t first_end_ms;
	struct refused refused[REFUSED_MAX]; /* a ring */
	unsigned next;
};

/* Resolver and listener: each is started again alone, and for ever. */
struct helper {
	struct child child; /* its deadline: READY, or the next start */
	bool been_up;	    /* one that never was means a wrong configuration */
	unsigned deaths;
	int64_t first_death_ms;
};

/* Who runs `firewall apply --restore`: a process without the parent's list of
 * system calls, started before there was one. */
struct keeper {
	pid_t pid;
	int fd;
	bool busy;
	bool refreshes;	     /* it takes the policy that is in force */
	int64_t deadline_ms; /* of its answer */
};

/* The firewall of accounts. */
struct wall {
	bool on; /* the policy has accounts */
	struct model model;
	struct set *set;
	uint32_t port; /* of the set's netlink socket */
	int capture;   /* -1: no packets on this system */
	int changes[CHANGE_FDS];
	int guards[MODEL_ACCOUNTS_MAX * GUARD_SOCKETS_MAX];
	size_t guard_count;
	struct buf servers;
	int link;		 /* to the resolver; -1: none */
	uint32_t models;	 /* that this one was sent by it */
	int note_ends[2];	 /* listener's (read), resolver's (write) */
	struct link_order order; /* what came of one that is not whole */
	size_t order_bytes;
	unsigned refused;   /* orders, since that was told */
	int64_t refused_ms; /* when it is told again */
	struct helper resolver, listener;
	struct keeper keeper;
	bool look;	  /* somebody changed something, since the last look */
	bool changed;	  /* or before it */
	bool refresh;	  /* the policy is another: that is to be stored */
	bool stands;	  /* the rules are as they should be */
	int64_t look_ms;  /* when to look next */
	int64_t told_ms;  /* that it cannot be mended; 0: not yet */
	int64_t clean_ms; /* when ended elements are next taken out */
};
#define WALL_WATCHES (4 + CHANGE_FDS)
/* Of an element; the resolver asks for less. */
#define WALL_TIMEOUT_MOST_S 3615u

struct parent {
	const struct parent_setup *setup;
	const struct policy *policy; /* in force; for couriers' restarts */
	struct policy *own_policy;   /* the same if a reload brought it */
	struct buf own_text;	     /* and its text */
	struct pause pause;
	struct reload reload;
	struct account accounts[ACCOUNT_ROLES]; /* looked up once */
	struct plan plan;
	bool alone; /* there is nobody to serve: no broker, no couriers */
	struct wall wall;
	struct listeners listeners;
	struct child auditor, broker;
	struct courier *couriers;
	struct anchors anchors; /* opened for the auditor */
	int inputs_keys[2]; /* the pipe with the auditor's next one; -1: none */
	int entry_ends[2];  /* auditor's (read), broker's (write) */
	int receipt_ends[2]; /* broker's (read), auditor's (write) */
	int refusal_ends[2]; /* auditor's (read), listener's (write) */
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

/* The same of a pair of connected sockets. */
void parent_socket_pair(int ends[2]);

/* The links between the others. */
void parent_links(struct parent *p);

/* If decision inputs are to be kept: have a helper make their first key, for
 * the auditor to read from inputs_keys; before the parent's own locks, which
 * would hold for age too. parent_key.c. */
void parent_make_key(struct parent *p);

/* Open the anchors of the audit, for the auditor. */
void parent_open_anchors(struct parent *p);

/* The parent's own locks: all is open that needs more than starting roles
 * does. */
void parent_lock_in(struct parent *p);

/* On record, as the parent's word: kind CONFIG or RELOAD. */
void parent_record(const struct parent *p, enum record_kind kind,
    const char *why, int error, const char *detail);

/* The same of a text that decides from here on: its hash. And of both, where
 * there is no broker to say so. */
void parent_record_text(const struct parent *p, enum record_kind kind,
    const char *why, struct span text);
void parent_record_texts(const struct parent *p);

/* A courier's share of a policy: "number\n" and the instance, each behind its
 * length. */
void parent_share(const struct parent *p, const struct policy *policy,
    uint32_t index, struct buf *out);

/* Tell one that is alive; kills it if it does not listen. */
void parent_tell(
    const struct child *child, enum control_what what, uint32_t courier);
/* How one is locked, to who puts it on record and who tells the operator. */
void parent_tell_report(
    const struct child *child, const struct lock_report *report);

/* Whether a role's READY is to be believed; kills it if not. */
bool parent_may_be_ready(
    const struct child *child, const char *role, const struct control *record);

/* The service manager: we serve, as we did before; with a note, or "". */
void parent_tell_serving(const struct parent *p, const char *note);

/* Have all the others end; `status` is to be ours unless this is under way. */
void parent_stop(struct parent *p, int status);

/*
 * parent_courier.c: couriers alone.
 */

/* Courier `index` is dead; and auditor or broker has let go of it. */
void courier_died(struct parent *p, uint32_t index);
void courier_drained(struct parent *p, uint32_t index, bool by_auditor);
/* It says something. */
void courier_take_control(struct parent *p, uint32_t index);

/*
 * parent_pause.c: log or inbox cannot be written.
 */

/* The reason, as the auditor says it. */
void pause_hear(struct parent *p, const struct control *record);
/* Auditor or, for `inbox`, broker ended because of it: others are to end. */
void pause_want(struct parent *p, bool inbox);
/* They have: wait, and tell the operator, now and then. */
void pause_begin(struct parent *p);
/* Not long ago: others need not say it again. */
bool pause_is_told(const struct parent *p);
/* The wait for another start is over. */
bool pause_is_due(const struct parent *p);
/* New links between the others, who are about to be started. */
void pause_renew_links(struct parent *p);
/* All are up, or are never to be. */
void pause_end(struct parent *p);

/* Whether the parent is to answer at the sockets; refuse who waits at one. */
bool pause_refuses(const struct parent *p);
void pause_refuse(struct parent *p, size_t listener);
/* When pause_tick, or another start, is due; 0: never. */
int64_t pause_deadline(const struct parent *p);
void pause_tick(struct parent *p);

/*
 * parent_firewall.c: the kernel's sets, and who asks for what goes into them.
 */

/* The policy in force is another one. */
void wall_reload(struct parent *p);
/* What the resolver wants. */
void wall_take_orders(struct parent *p);
/* Literal addresses into the sets; and the resolver is to look up all anew. */
void wall_fill(struct parent *p);

/*
 * parent_helpers.c: resolver and listener, and what they are given.
 */

/* Sockets, sets and packets, while we may. */
void wall_open(struct parent *p);
/* New pipes. */
void wall_links(struct parent *p);
/* Start both. */
void wall_start(struct parent *p);
/* Whether both serve. */
bool wall_is_up(const struct parent *p);
/* WALL_WATCHES rows; and what came of them. */
void wall_set_watches(const struct parent *p, struct pollfd *watch);
void wall_take(struct parent *p, const struct pollfd *watch);
/* The name of whose process that was, or NULL. */
const char *wall_died(struct parent *p, pid_t pid);
int64_t wall_deadline(const struct parent *p);
void wall_tick(struct parent *p);
/* Kill, or tell to end; whether anybody was there. */
bool wall_signal(const struct parent *p, int signal);

/*
 * parent_keeper.c: rules that somebody took away are put back.
 */
void keeper_start(struct parent *p);
/* Have it look, if it is not just doing so. */
void keeper_look(struct parent *p);
void keeper_hear(struct parent *p);
void keeper_tick(struct parent *p);
/* Whether the policy in force is not yet what is stored and loaded. */
bool keeper_owes(const struct parent *p);

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

/* Start one role: fds[0] and texts[0] are left free for its control socket and
 * its setting. parent_lock_for: what it has to become. */
void parent_lock_for(
    const struct parent *p, const char *name, struct lock *out);
void parent_start_child(struct child *child, enum role role,
    const struct lock *lock, int *fds, size_t fd_count, struct span *texts,
    size_t text_count);

/* Start one, locked in as its role; deadline_ms is then that of its READY. */
void parent_start_auditor(struct parent *p);
void parent_start_broker(struct parent *p);
void parent_start_courier(struct parent *p, uint32_t index);

#endif
