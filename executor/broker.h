/*
 * The broker's inside, shared by its files and nobody else. One process, one
 * loop. It believes the parent and its own disk; zones, deliverers and the
 * operator's client only what the method table lets through. It holds no
 * secret, opens no internet socket, cannot write the audit and has no way to
 * an effect but an order to the auditor.
 */
#ifndef TRIZONE_EXECUTOR_BROKER_H
#define TRIZONE_EXECUTOR_BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/peer.h"
#include "executor/config.h"
#include "executor/counter.h"
#include "executor/facts.h"
#include "executor/inbox.h"
#include "executor/leak.h"
#include "executor/machine.h"
#include "executor/order.h"
#include "executor/plan.h"
#include "executor/policy.h"
#include "executor/quota.h"
#include "executor/record.h"
#include "executor/ticket.h"
#include "proto/channel.h"
#include "proto/loop.h"

#define PENDING_MAX 1024 /* orders in flight; a power of two */
/* Orders in flight of one channel, answered early or not, and of one zone: a
 * slow courier is not filled up by one planner. */
#define LINK_ORDERS_MAX 64
#define ZONE_ORDERS_MAX 256
#define LINKS_MAX 256 /* channels of all sockets; each is a descriptor */

struct broker;

/* One instance of a planner zone. */
struct session {
	struct session *next;
	int64_t id;
	unsigned legs; /* as in the inbox's ledger */
	enum session_mode mode;
	int64_t claim;	/* the item it works on, 0: none */
	bool acted;	/* an order has left for that item */
	bool had_claim; /* a per-message session gets one */
	struct facts *facts;
	int64_t seen;  /* the item whose fields are among them, 0: none */
	bool endorsed; /* as in the ledger */
	/* Extracts it has of the item it works on, as bits by their place in
	 * the policy of that many reloads; and what a sender can say there. */
	uint64_t extracts;
	uint32_t extracts_of;
	unsigned extract_bits;
	struct leak leak; /* on disk too if it is a standing one */
};

enum link_kind { LINK_PLANNER, LINK_READER, LINK_OPERATOR, LINK_DELIVER };

/* What a zone's machines do, for `status`. Times that begin with "last" are of
 * the last one that did so; they are in milliseconds. */
struct zone_work {
	struct machine machine;	 /* that connected last; its lists are gone */
	uint64_t machines;	 /* announced ones that connected */
	unsigned attached, busy; /* instances, now */
	unsigned kept;		 /* the most attached, since none was */
	unsigned failed;      /* in a row: gone before they had done anything */
	int64_t absent_ms;    /* UTC, since when there is none */
	int64_t last_boot_ms; /* from the announcement to the hello, or -1 */
	int64_t last_handover_ms; /* from item and instance being there to the
				     request, or -1 */
	uint64_t items;
	/* While there was work: to tell how much can be done. */
	int64_t loaded_since_ms, loaded_ms; /* since 0: there is none now */
	uint64_t loaded_items;
};

/* The operator's side says in which machine the next instance runs, that the
 * same process connects. It holds while the link is there on which it was said:
 * so the process is the one it was. */
struct announced {
	struct link *by; /* NULL: nothing is announced */
	int64_t began_ms;
	struct machine machine; /* without its lists */
};

/* What a listening socket serves. */
struct listener {
	struct broker *broker;
	int fd;
	struct watch *watch;
	enum link_kind kind;
	const struct config_zone *zone; /* planner and reader */
	unsigned links;
	unsigned orders;     /* that have left for its zone, without a result */
	size_t content_held; /* bytes kept for what its calls bring back */
	int64_t calls_left;  /* a planner zone's; refilled each second */
	int64_t stranger_ms; /* when one was last put on record */
	unsigned strangers;  /* turned away since */
	struct buf attested; /* what a zone that is there said last */
	struct announced announced; /* a zone's, as is: */
	struct zone_work work;
};

#define ATTESTED_BYTES 4096 /* longer than ours ever are */

/* With parent, broker, auditor, resolver, listener. */
#define REPORTS_MAX (COURIERS_MAX + 5)

/* An instance of a zone, and the machine it runs in. */
struct attached {
	struct link *by; /* the operator's link that announced it; NULL: no */
	bool announced;
	bool opened; /* it has said hello */
	bool there;  /* and was not told to go */
	bool busy;
	uint32_t items;	     /* it has done */
	uint32_t items_most; /* before it is replaced; 0: any number */
	int64_t began_ms;    /* announced, or connected */
	int64_t idle_utc_ms; /* since when it waits for work */
	int64_t recycle_ms;  /* age at which it is replaced; 0: never */
};

/* One connection. The kinds embed it as their first member. Its channel may
 * close inside any call that writes to it, so that a closed one is only marked
 * and leaves memory from the loop, when nobody has it in hands any more. */
struct link {
	struct link *next; /* stays, so that a walk gets past a gone one */
	struct link *next_gone;
	bool gone;
	struct broker *broker;
	struct listener *listener;
	struct channel *channel;
	struct peer peer; /* as the kernel said when it connected */
	bool vouched;	  /* a planner's: the provider made this instance */
	struct attached attached; /* a zone's */
	unsigned orders;	  /* a planner's, without a result yet */
};

/* Where the answer to a call comes from. */
enum pending_state {
	PENDING_COURIER,   /* its order has left */
	PENDING_NO_READER, /* it is done; what it brought back waits */
	PENDING_READER	   /* a reader has that */
};

/* A call whose order has left. */
struct pending {
	uint64_t request;	   /* 0: free */
	struct link *link;	   /* the planner that asked; NULL: gone */
	struct listener *listener; /* its zone's */
	bool answered; /* cancelled or too late; the order still counts */
	int64_t id;    /* its request id */
	uint32_t capability;
	int64_t session;
	int64_t ticket; /* whose grant it spends, 0: none */
	int64_t deadline_ms;
	struct charge charge;
	enum pending_state state;
	size_t held;	    /* bytes of its zone's share */
	struct buf result;  /* the courier's, when it is done */
	struct buf content; /* what it brought back; for a reader only */
};

/* Of all calls together; each planner zone has an equal share, which is
 * more than any one call brings (CONFIG_MAX_ZONES). */
#define CONTENT_HELD_BYTES (64u << 20)

/* An approval by the reviewer account, while the parent counts its processes;
 * one at a time. */
struct approval {
	struct link *link; /* NULL: none, or it has gone */
	int64_t id;	   /* of its request; 0: none */
	int64_t ticket;	   /* or item: */
	int64_t item;
	int64_t intent; /* or that, which is settled so: */
	enum outcome settled;
	int64_t again_ms;
	bool any_content;
	char code[NAME_MAX_BYTES + 1];
};

/* The operator's side says that the next connection of that process to that
 * zone is a new instance, made from the clean image. */
struct vouch {
	const struct config_zone *zone; /* NULL: free */
	pid_t pid;
	int64_t until_ms;
};
#define VOUCHES_MAX 64

/* For the hello of an announced machine, which has to start first. */
#define MACHINE_HELLO_MS 120000

/* What the call that is being decided about is counted for. */
struct count {
	struct charge charge;
	destination_labels labels;
	uint64_t limits[POLICY_MAX_LIMITS];
	struct decide_used used;
	struct leak *leak; /* of its session, or `away` */
	bool leak_lasts;   /* it is on disk too */
	bool leak_known;   /* false: it went with its session */
	struct leak away;
};

/* The request of an operator or deliverer that is being taken. */
struct receipt_turn {
	struct link *link; /* NULL: none */
	uint64_t number;   /* of its receipt */
	bool used;	   /* its first record is on its way */
};

struct held_answer;
struct unknown_card;

struct broker {
	struct loop *loop;
	struct config *config;
	struct policy *policy; /* replaced whole, between two decisions */
	unsigned char policy_hash[SHA256_BYTES]; /* of its text */
	uint32_t reloads;			 /* since the start */
	struct link *reload_link; /* who waits for one; NULL: nobody */
	int64_t reload_id;
	struct plan plan;
	struct inbox *inbox;
	struct buf inputs; /* of the call being decided, for the side store */
	struct buf attestation; /* its own, said to everybody */
	struct lock_report reports[REPORTS_MAX]; /* its own first */
	size_t report_count;

	struct listener *listeners;
	size_t listener_count;
	struct link *links, *gone;
	unsigned link_count;
	struct watch *gone_timer;
	struct session *sessions;
	struct vouch vouches[VOUCHES_MAX];

	struct watch *control;
	struct watch *tick; /* once a second: deadlines, retention */
	int64_t expire_at_ms, refill_at_ms;
	int64_t feed_at_ms; /* no item goes to a reader before; 0: now */

	struct watch *entries_writable;
	struct buf entries; /* for the auditor, not yet written */
	size_t entries_sent;
	bool held;	    /* too much of that: zones are not read */
	bool stalled;	    /* answers wait for it */
	int64_t stalled_ms; /* since when */
	bool ending;	    /* an orderly stop: nobody is to blame for it */

	struct pending pending[PENDING_MAX];
	uint64_t next_request;
	struct quota quotas[POLICY_MAX_CAPABILITIES];
	struct counters *counters;
	struct count count;

	/* The item that was looked at last, and a call with its handles
	 * resolved. */
	struct buf item_text, call_text;
	struct json_doc item_doc, call_doc;

	/* A call as it leaves, where outbound rules change it. */
	struct buf outbound_text, outbound_work;
	struct json_doc outbound_doc;

	struct inflow results[COURIERS_MAX];
	struct json_doc result_doc;
	size_t content_share; /* bytes each planner zone has for content */
	struct watch *result_watches[COURIERS_MAX];
	bool courier_up[COURIERS_MAX];

	int64_t tickets_live;	  /* that an identical call would meet */
	uint64_t tickets_refused; /* since the start: as many as may wait do */
	struct again_row *again_rows; /* rules of "don't ask again" */
	struct json_doc *again_docs;  /* their arguments */
	struct again *again;	      /* the same for decide() */
	size_t again_count;
	struct approval approval;

	struct receipt_turn turn;
	uint64_t last_receipt;
	struct held_answer *held_answers; /* until their records are on disk */
	struct unknown_card *unknown;	  /* ascending */
	size_t unknown_count;
	struct inflow receipts;
	struct audit_health health; /* of the log, as the auditor said last */
	bool health_known;
	int64_t started_ms;	       /* UTC */
	uint64_t calls[VERDICT_COUNT]; /* decided since then */
	struct watch *receipts_watch;

	int64_t deliver_minute; /* deliveries in this minute, all peers */
	uint32_t delivered;
};

/* broker.c. The listening socket of a zone; NULL if there is no such zone. */
struct listener *zone_listener(struct broker *b, struct span zone);
/* Its channel has closed; freed later. */
void link_remove(struct link *link);
/* Answer a request with an error and its usual words; 0, for handlers. */
int link_refuse(struct link *link, int64_t id, int error);
/* End a result begun on the link's channel, and with it the request; if it
 * does not fit, or `error` says it is not whole, answer that instead. */
void link_answer(
    struct link *link, struct message_writer *m, int64_t id, int error);
/* The inbox fails in a way that is the end of the broker: its exit status. The
 * parent is told if another may do better later: EXIT_STORAGE. */
int inbox_status(int error);
/* The owners' leaving: records first. `context` begins with a struct link. */
bool link_leaving(struct channel *channel, void *context);

/* broker_receipt.c */
/* A request of `link` is being taken (NULL: not any more): the first record
 * from here on is the one that its answer will name. */
void receipt_turn(struct broker *b, struct link *link);
/* For broker_entry.c: the number that the entry carries, mostly 0. */
uint64_t receipt_number(struct broker *b);
/* For link_answer: keep the answer, which the caller takes back, until its
 * record is on disk; false if it has none. */
bool receipt_hold(
    struct link *link, const struct message_writer *m, int64_t id);
void receipts_open(struct broker *b, int fd);
void receipt_forget_number(struct broker *b, uint64_t number);
void receipt_forget_link(struct broker *b, const struct link *link);
/* An answer that waits for too long becomes an error. */
void receipts_tick(struct broker *b, int64_t now);

/* broker_entry.c: putting things on record. Strings are cut to what a record
 * keeps. */
void entry_init(struct entry_head *entry, enum record_kind kind);
void entry_text(char *to, size_t room, struct span text);
/* What the call does, and where it goes, as far as the policy lets that be on
 * record; nothing of a capability that there is not. The same of a call that a
 * ticket has stored. */
void entry_goes(const struct broker *b, struct entry_head *entry,
    const struct decide_request *request);
void entry_goes_stored(const struct broker *b, struct entry_head *entry,
    const struct ticket *ticket);
/* Queue it; the body follows for an order. */
void entry_send(struct broker *b, const struct entry_head *entry,
    struct span name, struct span body);
/* The same for a decision, with what it was made from; `inputs` may be empty.
 */
void entry_send_decision(struct broker *b, const struct entry_head *entry,
    struct span name, struct span inputs, struct span body);
/* What a decision was made from, for entry_send_decision, until the next call
 * of this; empty if that is not kept. `error` is what the caller is told. */
struct span entry_inputs(struct broker *b, int64_t session,
    const struct decide_request *request, const struct decision *decision,
    int error);
/* The same with a detail that is longer than the entry has room for; what is
 * over ENTRY_DETAIL_MAX is cut. */
void entry_send_long(
    struct broker *b, const struct entry_head *entry, struct span detail);
/* A zone's hello and what it attests. 0, or -ERR_ATTESTATION: less than the
 * configuration requires. */
int entry_hello(struct broker *b, struct listener *listener, uint64_t session,
    const struct json_doc *doc, const struct hello_params *hello);
/* Write what is queued; called before any answer leaves. False: the auditor
 * takes no more now, and no answer may leave before it does. */
bool entries_flush(struct broker *b);
/* Write all of it, waiting; at the end of service. */
void entries_finish(struct broker *b);
void entries_open(struct broker *b, int fd);

/* broker_machine.c: which machine an instance runs in, and for how long. */
/* zone.attach: the next connection of that process to that zone. Answers. */
int machine_announce(struct link *link, int64_t id, const struct json_doc *doc,
    const struct attach_params *params);
/* A connection to a zone. 0, its announcement taken if it had one; or
 * -ERR_ISOLATION. */
int machine_take(
    struct listener *l, const struct peer *peer, struct attached *out);
/* A link is gone, after it has left the list: an operator's takes with it what
 * it announced. */
void machine_forget_link(struct broker *b, struct link *link);
/* It has said hello; it is closed. */
void machine_opened(struct link *link);
void machine_closed(struct link *link);
/* It gets work, an item that was there at `ready_utc_ms` or, -1, something
 * else; it is through with it, and has `done` it, or went away. */
void machine_gave(struct link *link, int64_t ready_utc_ms);
void machine_did(struct link *link, bool done);
/* Tell an idle instance to go that has had its items or its time; whether that
 * was so. */
bool machine_retire(struct link *link);
/* Members of the zone in `status`. */
void machine_put_work(struct json_writer *w, const struct listener *l);

/* broker_status.c: answer it. 0, for handlers. */
int status_take(struct link *link, int64_t id);

/* broker_session.c */
struct session *session_find(struct broker *b, int64_t id);
/* A zone that connects by itself, not `vouched` for, has one session for ever,
 * whatever its configuration says: else it would shed its legs by connecting
 * again. -ERR_BUSY: a standing session has its one channel already. */
int session_open(struct broker *b, const struct config_zone *zone, bool vouched,
    struct session **session_out);
/* -ERR_RANGE: no such planner zone, or the process is not known. -ERR_BUSY:
 * too many are waited for. */
int session_vouch(struct broker *b, struct span zone, const struct peer *peer);
/* Whether the connection was vouched for, once. */
bool session_is_vouched(
    struct broker *b, const struct config_zone *zone, const struct peer *peer);
void session_close(struct broker *b, struct session *session);
/* An operator ends it, a standing one too; it has no channel any more. */
int session_finish(struct broker *b, int64_t id);
/* At start: end what was live when the service ended, standing ones
 * excepted. */
void sessions_settle(struct broker *b);
/* Durable before it returns 0. */
int session_add_legs(struct broker *b, struct session *session, unsigned legs);
/* The item's clean object into item_text and item_doc; nobody has seen it by
 * that. */
int item_load_clean(struct broker *b, int64_t item);
/* The session sees the item: its clean object is in item_text and item_doc,
 * the legs that gives are durable, and its fields are among the facts. */
int session_see(struct broker *b, struct session *session, int64_t item);
/* Before the session gets an extract of the item it works on: that it has such
 * values is durable, if it can lose its facts. -ERR_QUOTA: with those it has
 * it would be more bits than an item's sender may say to who has no leg A. */
int session_endorse(struct broker *b, struct session *session, uint32_t number,
    const struct extract *extract);

/* broker_facts.c */
/* Whether the operator's mail server vouches for the sender of a clean
 * object. */
bool item_is_verified(const struct json_doc *doc, const struct json_node *item);
/* Whether it says to be from one of the operator's own addresses. */
bool item_is_own(const struct config *config, const struct json_doc *doc,
    const struct json_node *item);
void facts_of_item(struct facts *facts, const struct json_doc *doc,
    const struct json_node *item);
void facts_of_operator(struct facts *facts, const struct config *config);

/* broker_task.c: the operator's words, from his socket to the session. */
/* Whether it is the operator himself: root, or our own user where we are not
 * started by root. */
bool operator_speaks(const struct link *link);
int task_take(struct link *link, int64_t id, const struct task_params *params);
int task_next_take(
    struct link *link, int64_t id, const struct task_next_params *params);
/* The words of all tasks a session has, to its facts. */
int tasks_load(struct broker *b, struct session *session);

/* broker_planner.c */
struct link *planner_new(struct broker *b);
extern const struct channel_owner planner_owner;
/* An item became ready: hand it to a planner that waits. */
void planner_wake(struct broker *b);
struct session *planner_session(struct link *link);
/* Close the channel of a session, if it has one. */
void planner_end(struct broker *b, int64_t session);

/* broker_outbound.c: what outbound rules make of a call that leaves, in the
 * place of its arguments. 0, with *changed_out; else what `decision` says then
 * too. */
void outbound_open(struct broker *b);
int outbound_take(struct broker *b, struct decide_request *request,
    struct decision *decision, bool *changed_out);
/* Whether the rules of now would make another text of a ticket's call, whose
 * values tell which of its links the operator named. */
bool outbound_would_change(struct broker *b, const struct capability *c,
    const struct decide_request *request);

/* broker_count.c: limits and the leak meter. The policy's limits count from
 * here on, with what was spent before. */
void count_adopt(struct broker *b);
/* What was taken before, into the request; for one call until the next. 0, or
 * an error of the inbox. */
int count_look(
    struct broker *b, int64_t session, struct decide_request *request);
/* Take what the call that was looked at takes, durably where it has to be.
 * After an error the call does not leave; what was counted stays. */
int count_take(
    struct broker *b, int64_t session, const struct decision *decision);
/* Nothing came of it. */
void count_give_back(struct broker *b, const struct charge *charge);
/* What leaks, behind the detail of a record. */
void count_describe(const struct broker *b, const struct decision *decision,
    char *detail, size_t room);
/* The member "leak" of a session. */
int count_put_leak(struct broker *b, int64_t session, struct json_writer *w);

/* broker_call.c */
int call_take(struct link *link, int64_t id, const struct json_doc *doc,
    const struct call_params *call);
/* Answer a pending call as cancelled; false if there is none. */
bool call_cancel(struct link *link, int64_t id);
void call_forget_link(struct broker *b, const struct link *link);
void call_tick(struct broker *b, int64_t now);
/* Its answer: done, with what a reader made of its content unless that is
 * empty; or done, and why that is all there is. */
void call_answer(struct pending *call, struct span result, struct span content);
void call_answer_without(struct pending *call, int error, const char *detail);
/* It is over, one way or another: free its place. Before its answer, which may
 * let the next call in; so that is given to a copy. */
void call_done(struct pending *call);
/* Where the order of a request of that number is kept; in use if its request
 * is not 0. */
struct pending *call_place(struct broker *b, uint64_t request);
/* Send an order behind its intent: `call` says who waits for its answer, which
 * may be nobody, and for which zone it is. Its place is free. */
void call_order(struct broker *b, const struct pending *call,
    struct entry_head *entry, struct span name, struct span inputs,
    struct span arguments);

/* broker_prepare.c. What has to be true before an allowed order may leave, each
 * step durable; its place would be `slot`. 0, or why it does not leave. */
int call_prepare(struct link *link, struct session *session,
    const struct decide_request *request, struct decision *decision,
    const struct pending *slot);

/* broker_lookup.c. Put what handles stand for in their places. 0, or what
 * `decision` says then too. */
int call_resolve(struct link *link, struct session *session,
    struct decide_request *request, struct decision *decision);
/* What a session with those legs writes keeps them, but C; durable before it
 * is written. And the legs that reading from a call's place brings back. */
int call_label_place(struct broker *b, unsigned legs,
    const struct decide_request *request, const struct capability *c);
int call_place_legs(
    struct broker *b, const struct decide_request *request, unsigned *legs_out);
/* Local time for rules that have hours: minutes from Monday 0:00; UINT32_MAX,
 * which is in no hours, where it cannot be told. */
uint32_t call_week_minute(void);
/* Calls of that capability in the last hour. */
uint32_t call_used(struct broker *b, struct span capability);
void results_open(struct broker *b, int first_fd);
void courier_down(struct broker *b, uint32_t courier);

/* broker_execute.c. Do what a ticket asks for, whose state, hash and grant are
 * those of an approval: the grant is spent first. 0, or nothing was done:
 * -ERR_UNAVAILABLE, -ERR_BUSY, errors of the inbox. */
int call_execute(struct broker *b, struct ticket *ticket,
    const struct decide_request *request, const struct decision *decision);

/* broker_ticket.c: calls that a person has to decide about. */
/* At start: the rules of "don't ask again"; what is settled of grants that a
 * crash left spent. */
void tickets_start(struct broker *b);
/* Once a second: what has expired. */
void tickets_tick(struct broker *b);
/* The parent's answer: whether the intent of a spent grant is on record. */
void tickets_settle(struct broker *b, uint64_t grant, bool found);
/* After a change of rules, and not while a decision by one is in use. */
void tickets_load_rules(struct broker *b);

/* How a call meets its ticket. */
enum meeting {
	MEET_NOTHING, /* it has none */
	MEET_ASKS,    /* a person decides, or has denied it */
	MEET_FULL,    /* too many wait already */
	MEET_GRANT,   /* it was approved, and this call spends that */
	MEET_OUTCOME  /* it was done, and this call is told */
};
struct met {
	enum meeting how;
	struct ticket ticket;
};
/* `met_out` is made by this; free its ticket with ticket_done. */
void ticket_meet(struct link *link, const struct session *session,
    const struct decide_request *request, struct decision *decision,
    uint64_t number, struct met *met_out);
/* approved -> spent, durable before it returns 0, and on record. */
int ticket_spend(struct broker *b, struct ticket *ticket, unsigned from);
/* Whether that rule, for that reason, is what the ticket was opened by. */
bool ticket_asks(
    const struct ticket *ticket, const char *rule, const char *why);
/* What became of an order that spent a grant. */
void ticket_outcome(struct broker *b, const struct pending *call,
    enum outcome outcome, uint32_t error, const char *detail,
    struct span result);
/* Another state, with a reason; durable before it returns 0. */
int ticket_move(struct broker *b, struct ticket *ticket,
    enum ticket_state state, const char *note);
/* A record of the ticket's. `who` is a user or NULL. */
void ticket_entry(struct broker *b, const struct ticket *ticket,
    enum record_kind kind, struct entry_head *entry_out);
void ticket_record(struct broker *b, const struct ticket *ticket,
    enum record_kind kind, int error, const char *why, const uid_t *who);

/* broker_review.c: what the operator's socket does with them. -ERR_NO_METHOD:
 * it is not one of its methods. */
int review_take(struct link *link, const struct message *message);
/* The parent has counted the reviewer's processes; UINT64_MAX: it could not. */
void review_counted(struct broker *b, uint64_t count);
void review_forget_link(struct broker *b, const struct link *link);

/* broker_again.c: rules of "don't ask again", for everybody on the operator's
 * socket; taking one back is as denying is. Answers to requests. */
int again_list(struct link *link, int64_t id);
int again_revoke(
    struct link *link, int64_t id, const struct handle_params *params);

/* broker_unknown.c: intents whose outcome is unknown, as cards until a person
 * settles them. The auditor's word on one; `body` is a struct unknown_head. */
void unknown_take(struct broker *b, uint64_t intent, const char *body);
/* Answers to requests: a page of them; the card; a person's word, which is
 * for those who may approve. */
void unknown_list(
    struct link *link, int64_t id, const struct list_params *params);
void unknown_show(struct link *link, int64_t id, int64_t intent);
void unknown_settle(struct link *link, const struct approval *approval);

/* broker_suspect.c: the operator's side of what was judged suspect. The card;
 * a person's answer; the same for an approval with a code. They answer the
 * request. */
void suspect_show(struct link *link, int64_t id, int64_t item);
void suspect_answer(struct link *link, int64_t id, int64_t item, bool release);
void suspect_approve(struct link *link, const struct approval *approval);
/* Whether a planner gets narrow fields of it only. */
bool suspect_is_narrow(struct broker *b, int64_t id);
/* These, as the member "narrow": none of them holds a sentence. */
int suspect_narrow(struct broker *b, int64_t id, struct json_writer *w);
/* Elements for those without an answer. */
void suspect_list(struct broker *b, struct json_writer *w);
/* Elements for those with one, above `after`; the last one's id, 0 when there
 * are no more. */
int64_t suspect_feedback(
    struct broker *b, int64_t after, struct json_writer *w);

/* broker_content.c: what a call brought back, on its way through a reader. At
 * start: how much each planner zone may have under way. */
void content_share(struct broker *b);
/* Whether the zone has room for all that a call of `c` may bring back. */
bool content_fits(const struct listener *l, const struct capability *c);
/* Keep that room, which is there, until call_done. */
void content_hold(struct pending *call, const struct capability *c);
/* 0; or why it cannot be taken, and the call is as it was: -ERR_CLOSED, no
 * reader is left; -ERR_TOO_LARGE, more than its capability brings. */
int content_take(struct broker *b, struct pending *call, struct span result,
    struct span content);
/* The oldest that waits, for a reader to take; NULL if there is none. */
struct pending *content_next(struct broker *b);
/* The reader's work on it is over: with a clean object, or not. Frees the
 * call's place and answers. */
void content_done(struct pending *call, struct span clean);
void content_failed(struct pending *call, int error, const char *detail);
/* Free what nobody waits for any more; fail it where no reader is left. */
void content_tick(struct broker *b);

/* broker_reader.c */
struct link *reader_new(struct broker *b);
extern const struct channel_owner reader_owner;
/* Whether a reader of what calls bring back is connected. */
bool reader_for_content(struct broker *b);
/* Nobody waits for the call any more: tell the reader that has its content,
 * if one has. */
void reader_cancel(struct broker *b, const struct pending *call);
/* An item is new, or a reader is free: give work out. */
void reader_feed(struct broker *b);

/* broker_deliver.c */
struct link *deliver_new(struct broker *b);
extern const struct channel_owner deliver_owner;

/* broker_reload.c: another policy while it runs. The operator asks for one;
 * answered when it is done. */
int reload_ask(struct link *link, int64_t id);
/* The link is gone; the reload goes on. */
void reload_forget(struct broker *b, const struct link *link);
/* POLICY of the parent: decide by the text behind it from now on. */
void reload_policy(struct broker *b, const struct control *record);
/* RELOADED of the parent: what became of it. */
void reload_result(struct broker *b, const struct control *record);

/* broker_operator.c */
struct link *operator_new(struct broker *b);
extern const struct channel_owner operator_owner;

#endif
