/*
 * The inbox: every raw item that was delivered, on disk before the sender is
 * told so, and its one way through the suite. Only the broker opens it. The
 * bytes it holds are hostile and are never looked at here, only counted,
 * hashed and handed on.
 *
 *   new -> cleaning -> ready -> claimed -> acted -> done
 *           |    ^  \              |          |
 *           v    |   v held       v          v
 *        quarantined            ready    interrupted -release-> ready
 *
 * A person sends what is held to ready or to quarantined; released from there
 * it is held again, and what no reader could clean is new.
 *
 * Each step is durable (SQLite, WAL, synchronous=FULL) when its function has
 * returned 0, and has not happened when it returned an error, with one
 * exception that is safe in every state: an error while syncing may still
 * turn out to have happened after a restart, and until that restart every
 * change is refused with -ERR_IO.
 *
 * Errors of every function: -ERR_NOT_FOUND (no such id), -ERR_WRONG_STATE
 * (wrong state, or somebody else's claim), -ERR_NO_SPACE, -ERR_IO,
 * -ERR_CORRUPT; others are named at the function. Times are milliseconds of
 * CLOCK_REALTIME. The functions are not reentrant and one process has one
 * thread here.
 */
#ifndef TRIZONE_EXECUTOR_INBOX_H
#define TRIZONE_EXECUTOR_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/sha256.h"
#include "common/text.h"
#include "executor/counter.h"
#include "executor/leak.h"

#define INBOX_STAGES_MAX 16  /* deliveries at once; each is a descriptor */
#define INBOX_FAILURES_MAX 2 /* cleanings a reader failed at: quarantine */
/* Cleanings begun. An item whose service died that often while a reader had
 * it may be what kills it. */
#define INBOX_ATTEMPTS_MAX 10
#define INBOX_NOTE_MAX_BYTES WHY_MAX_BYTES /* an outcome or a reason */
#define INBOX_RECORD_MAX_BYTES 131072	   /* as the record message */

/* Stored as these numbers: a number is never used for something else. */
enum inbox_state {
	INBOX_NEW = 0,
	INBOX_CLEANING = 1,    /* raw bytes may be with a reader */
	INBOX_READY = 2,       /* clean object stored */
	INBOX_CLAIMED = 3,     /* with a session that has not acted on it */
	INBOX_ACTED = 4,       /* an effect may have left for it */
	INBOX_DONE = 5,	       /* its note is the outcome */
	INBOX_QUARANTINED = 6, /* cleaning failed; its note says why */
	INBOX_INTERRUPTED = 7, /* its session ended after acting */
	INBOX_DROPPED = 8,     /* bytes erased, a stub knows the hash */
	INBOX_HELD = 9,	       /* clean, judged suspect: for a person first */
	INBOX_STATE_COUNT
};

/* "new"; and back, INBOX_STATE_COUNT if there is none. */
const char *inbox_state_name(enum inbox_state state);
enum inbox_state inbox_state_find(struct span name);

/* A zero means the default. */
struct inbox_limits {
	/* Raw bytes, clean texts and records held, and what is staged: 2 GiB.
	 * Only a delivery is refused for it. */
	uint64_t total_bytes;
	uint64_t item_bytes; /* one item: MAIL_MAX_BYTES, which is the most */
	uint32_t items;	     /* items held, staged ones included: 100,000 */
	uint32_t stubs;	     /* stubs kept: 1,000,000, about 150 MB */
	uint32_t done_days;  /* age at which a done item is dropped: 30 */
	uint32_t stub_days; /* age at which a stub or ended session goes: 365 */
};

struct inbox;

/*
 * Open or make the inbox in `folder` (an existing folder that belongs to us
 * and that nobody else may write; it must stay reachable by that path). Takes
 * the instance lock and settles what a crash left: cleaning -> new or, after
 * INBOX_ATTEMPTS_MAX attempts, quarantined; claimed -> ready; acted ->
 * interrupted.
 * `limits` may be NULL. Free with inbox_close.
 * -ERR_BUSY: another process has it open. -ERR_CONFIG: folder or file belongs
 * to somebody else, is open to others, or is not an inbox. -ERR_PATH: a file is
 * a symbolic link. -ERR_VERSION:
 * written by a newer program. -ERR_RANGE: a limit is out of range.
 */
int inbox_open(const char *folder, const struct inbox_limits *limits,
    struct inbox **inbox_out);

/* What opening it settled, told once, by ascending id for each change. */
struct inbox_settled {
	int64_t id;
	int64_t session; /* an interrupted item's; else 0 */
	enum inbox_state from, to;
	const char *note; /* why; for ever */
};

typedef void inbox_settled_fn(const struct inbox_settled *settled, void *arg);
void inbox_settled(struct inbox *inbox, inbox_settled_fn *each, void *arg);

/* Go on with a copy of the database in its folder; see inbox_copy_step. */
int inbox_backup(struct inbox *inbox, int64_t *left_out);

/* NULL is fine. Ends open stages; changes no item. */
void inbox_close(struct inbox *inbox);

/* Everything checked that can be: the database's structure, and each item's
 * bytes against its hash. Reads all of it. -ERR_CORRUPT and a log line. */
int inbox_check(struct inbox *inbox);

/*
 * Staging: the bytes of one delivery gather in an unlinked file until all are
 * there. Its declared size counts against the quotas from the start.
 */
struct inbox_stage;

/* `bytes` is the exact size to come. -ERR_TOO_LARGE: more than an item may
 * have. -ERR_QUOTA: the inbox is full. -ERR_NO_SPACE: the disk is, but for a
 * reserve that changes of state need. -ERR_BUSY: too many stages. -ERR_RANGE:
 * no bytes, or a channel name that is empty, too long or not printable ASCII.
 */
int inbox_stage_begin(struct inbox *inbox, struct span channel, uint64_t bytes,
    struct inbox_stage **stage_out);

/* -ERR_STREAM: more than declared. An error stays with the stage: it takes no
 * more bytes and does not commit. */
int inbox_stage_add(struct inbox_stage *stage, const void *bytes, size_t count);

/*
 * Make it an item, in one transaction. Frees the stage, whatever it returns.
 * `sha256` is what the sender says the raw bytes hash to, or NULL. The same
 * bytes on the same channel again give the id they already have and
 * *duplicate_out = true, whatever became of that item. -ERR_STREAM: fewer
 * bytes than declared, or another hash.
 */
int inbox_stage_commit(struct inbox_stage *stage,
    const unsigned char sha256[SHA256_BYTES], int64_t *id_out,
    bool *duplicate_out);

/* NULL is fine. */
void inbox_stage_abort(struct inbox_stage *stage);

/* Cleaning. inbox_next_new: the oldest new item of a channel; -ERR_NOT_FOUND:
 * none. */
int inbox_next_new(struct inbox *inbox, struct span channel, int64_t *id_out);

/* new -> cleaning, one attempt more. Before the first byte goes to a reader. */
int inbox_clean_begin(struct inbox *inbox, int64_t id);

/* Up to `bytes` raw bytes from `offset`; *read_out is 0 at the end. Any state
 * but dropped. Cheapest at multiples of CHUNK_BYTES. */
int inbox_raw_read(struct inbox *inbox, int64_t id, uint64_t offset, void *out,
    size_t bytes, size_t *read_out);

/* cleaning -> ready. Both texts are stored as they are: the caller has checked
 * them. -ERR_TOO_LARGE: over CLEAN_MAX_BYTES or INBOX_RECORD_MAX_BYTES.
 * -ERR_NO_SPACE: also if they would touch the reserve. */
int inbox_clean_done(
    struct inbox *inbox, int64_t id, struct span clean, struct span record);

/* The same of what is judged suspect: held, or ready with `narrow`, so that a
 * planner gets narrow fields of it until a person says otherwise. */
int inbox_clean_suspect(struct inbox *inbox, int64_t id, struct span clean,
    struct span record, bool narrow);

/* What a person has said of an item that was judged suspect. */
enum suspect_answer { SUSPECT_OPEN, SUSPECT_RELEASED, SUSPECT_QUARANTINED };
struct inbox_suspect {
	int64_t id; /* of the item */
	bool narrow;
	enum suspect_answer answer;
};
/* -ERR_NOT_FOUND: it was not judged so. */
int inbox_suspect_get(
    struct inbox *inbox, int64_t id, struct inbox_suspect *out);
/* The next by id above `after`: those without an answer, or with one. */
int inbox_suspect_next(struct inbox *inbox, int64_t after, bool answered,
    struct inbox_suspect *out);
/* His answer: held -> ready or quarantined; a ready one that was narrow is
 * whole from now on, or quarantined too. What has been claimed stays where it
 * is, the answer is kept. -ERR_WRONG_STATE: it has one. */
int inbox_suspect_answer(struct inbox *inbox, int64_t id, bool release);

/* A reader failed at it: cleaning -> new with one failure more, or quarantined
 * after the last failure or attempt. `reason` is kept: UTF-8, cut at
 * INBOX_NOTE_MAX_BYTES. */
int inbox_clean_failed(struct inbox *inbox, int64_t id, struct span reason,
    enum inbox_state *state_out);

/* Nobody is to blame (an orderly stop, a full disk): cleaning -> new, and the
 * attempt does not count. */
int inbox_clean_abandon(struct inbox *inbox, int64_t id);

/* The oldest ready item -> claimed. -ERR_NOT_FOUND: none is ready, or there is
 * no such session; -ERR_WRONG_STATE: the session has ended. */
int inbox_claim(struct inbox *inbox, int64_t session, int64_t *id_out);

/* claimed -> acted, before the first order of that claim leaves. Again: 0. */
int inbox_mark_acted(struct inbox *inbox, int64_t id, int64_t session);

/* claimed or acted -> done. `outcome` as the reason above. */
int inbox_finish(
    struct inbox *inbox, int64_t id, int64_t session, struct span outcome);

/* The operator's two verbs. Release: quarantined -> new with no failures
 * and no attempts, or held if a person quarantined it; interrupted -> ready.
 */
int inbox_release(struct inbox *inbox, int64_t id);

/* new, ready, done, quarantined, interrupted or held -> dropped: raw bytes,
 * clean text, record and note are in no file any more, and the disk gets its
 * room back; hash, channel, size and times stay. The database's pages are
 * zeroed, its log is cut, files of stages were unlinked: what the disk keeps in
 * blocks that it got back is not overwritten. On a dropped item: cuts the log
 * again, for a caller whose first try ended in an error. */
int inbox_drop(struct inbox *inbox, int64_t id);

/* Retention, as of `now_ms`: done items and stubs past their days, ended
 * sessions nobody refers to. Bounded work a call; *more_out: call again, else
 * after a minute. A clock that jumps ahead is followed by an hour a call at
 * most, counted from the call before or, first, from the newest change of an
 * item; so a wrong clock that is soon mended costs next to nothing. */
int inbox_expire(struct inbox *inbox, int64_t now_ms, bool *more_out);

/* Looking. */
struct inbox_item {
	int64_t id;
	enum inbox_state state;
	uint64_t bytes;
	uint32_t failures; /* cleanings a reader failed at */
	uint32_t attempts; /* cleanings begun; both since a release */
	int64_t session;   /* that has or had the claim; 0: none */
	int64_t arrived_ms, changed_ms;
	unsigned char hash[SHA256_BYTES]; /* of channel and raw bytes */
	char channel[NAME_MAX_BYTES + 1];
	char note[INBOX_NOTE_MAX_BYTES + 1]; /* outcome or reason; hostile text
						may be in it */
};

int inbox_get(struct inbox *inbox, int64_t id, struct inbox_item *item_out);

/* Append the clean object, or the reader's record. -ERR_WRONG_STATE: has none.
 * -ERR_TOO_LARGE: does not fit `out`. */
int inbox_clean_text(struct inbox *inbox, int64_t id, struct buf *out);
int inbox_record_text(struct inbox *inbox, int64_t id, struct buf *out);

struct inbox_filter {
	unsigned states; /* bits 1 << enum inbox_state; 0: all */
	int64_t after;	 /* only larger ids */
	uint32_t most;	 /* 0: no limit */
};

/* Calls `each` by ascending id until it returns false. It may use the inbox. */
typedef bool inbox_each_fn(const struct inbox_item *item, void *arg);
int inbox_list(struct inbox *inbox, const struct inbox_filter *filter,
    inbox_each_fn *each, void *arg);

struct inbox_counts {
	uint64_t items[INBOX_STATE_COUNT];
	uint64_t bytes;		/* held: raw ones, clean texts and records */
	uint64_t waiting_bytes; /* raw, of new and cleaning ones */
};

/* Kept in memory; costs nothing. */
struct inbox_counts inbox_counts(const struct inbox *inbox);

/*
 * Sessions: the durable ledger of planner instances. A row outlives channels
 * and restarts, so that a session that comes back has lost no leg.
 */
enum session_mode {
	SESSION_PER_MESSAGE = 0,
	SESSION_PER_TASK = 1,
	SESSION_STANDING = 2, /* one row per zone, for ever */
	SESSION_MODE_COUNT
};

#define INBOX_LEGS_ALL 7u /* A, B and C, bits as enum leg */

struct inbox_session {
	int64_t id;
	enum session_mode mode;
	unsigned legs;
	int64_t started_ms, ended_ms; /* ended 0: live */
	char zone[NAME_MAX_BYTES + 1];
	bool endorsed; /* it was given values of an extract */
};

/* "per-message"; and back, SESSION_MODE_COUNT if there is none. */
const char *session_mode_name(enum session_mode mode);
enum session_mode session_mode_find(struct span name);

/* A new live session, or the one a standing zone has. -ERR_RANGE: zone name
 * as a channel name above, or no such mode. */
int inbox_session_new(struct inbox *inbox, struct span zone,
    enum session_mode mode, int64_t *id_out);

/* Legs only grow; writes only if one is new. -ERR_WRONG_STATE: ended. */
int inbox_session_add_legs(struct inbox *inbox, int64_t session, unsigned legs);

/* It is given values of an extract. -ERR_WRONG_STATE: ended. */
int inbox_session_endorsed(struct inbox *inbox, int64_t session);

/* Its claims: claimed -> ready, acted -> interrupted; and its end is written,
 * unless it is a standing one. Again: 0. */
int inbox_session_ended(struct inbox *inbox, int64_t session);
/* The same, and a standing one ends too: its zone's next begins with nothing.
 * For an operator who knows that the zone does. */
int inbox_session_finish(struct inbox *inbox, int64_t session);

int inbox_session_get(
    struct inbox *inbox, int64_t session, struct inbox_session *session_out);

/* By ascending id above `after`, as inbox_list. */
typedef bool inbox_session_each_fn(
    const struct inbox_session *session, void *arg);
int inbox_session_list(struct inbox *inbox, int64_t after, bool live_only,
    inbox_session_each_fn *each, void *arg);

/*
 * Tasks: the operator's words for a session, which are what a value of the
 * operator's is compared with.
 */
#define INBOX_TASK_BYTES                                                       \
	TASK_MAX_BYTES /* of all tasks of one session, one more between two */

/* -ERR_RANGE: no words. -ERR_QUOTA: with those before, over the limit.
 * -ERR_WRONG_STATE: the session has ended. */
int inbox_task_add(
    struct inbox *inbox, int64_t session, struct span words, int64_t *id_out);

/* The first task above `after`, its words into `words` (cleared).
 * -ERR_NOT_FOUND: there is none. */
int inbox_task_next(struct inbox *inbox, int64_t session, int64_t after,
    struct buf *words, int64_t *id_out);

/*
 * Labels of places outside: what a session had when it wrote there.
 */
#define INBOX_LABELS_MAX 100000

/* Durable before it returns 0. -ERR_QUOTA: there are too many places. */
int inbox_label_add(struct inbox *inbox, struct span place, unsigned legs);

/* The legs of everything ever written to the place or below it. */
int inbox_label_get(struct inbox *inbox, struct span place, unsigned *legs_out);

/*
 * Counters that must not be forgotten. Money: on disk before an order leaves,
 * for each limit of money and each key of the charge; its rows are noted in
 * the charge, and can be removed if nothing came of it.
 */
int inbox_spent_add(
    struct inbox *inbox, const struct policy *policy, struct charge *charge);
int inbox_spent_remove(struct inbox *inbox, const struct charge *charge);
/* Into limits that are new, see counters_adopt; by the host's clock, as there
 * is no other over a restart. */
int inbox_spent_load(struct inbox *inbox, struct counters *counters);
/* Erase what has fallen out of every window, by the host's clock and by the
 * newest row: a clock that is wrong for a while erases nothing. */
int inbox_spent_expire(struct inbox *inbox, int64_t now_ms);

/* The leak meter of a session: its sum and the rows of those keys. */
int inbox_leak_save(struct inbox *inbox, int64_t session,
    const struct leak *leak, const struct count_keys *keys);
/* All zero if nothing was kept. */
int inbox_leak_load(struct inbox *inbox, int64_t session, struct leak *leak);

#endif
