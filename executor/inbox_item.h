/*
 * What the inbox files know about an item: the open inbox, a row while it
 * changes, and the changes every step is made of. Private to
 * executor/inbox*.c.
 */
#ifndef TRIZONE_EXECUTOR_INBOX_ITEM_H
#define TRIZONE_EXECUTOR_INBOX_ITEM_H

#include <stdint.h>

#include "executor/inbox.h"
#include "executor/inbox_db.h"

#define INBOX_STAGE_PREFIX "stage-" /* of file names in the folder */

struct inbox {
	struct inbox_db db;
	struct inbox_limits limits;
	struct inbox_counts counts;
	struct inbox_counts counts_before; /* what a rollback goes back to */
	struct inbox_stage *stages[INBOX_STAGES_MAX]; /* NULL: free place */
	struct inbox_copy *copy; /* one that is being made; NULL: none */
	char *folder;		 /* absolute, without symbolic links */
	int lock;
	int64_t expired_ms; /* the time of the last inbox_expire; 0: none */
	bool expire_more;   /* which left something to do */
	struct inbox_settled *settled; /* by the recovery */
	size_t settled_count;
};

/* Its clean text is still to come. */
#define WAITS_FOR_READER(state)                                                \
	((state) == INBOX_NEW || (state) == INBOX_CLEANING)

/* An item on its way from one state to the next. */
struct item_row {
	int64_t id;
	enum inbox_state stored; /* as it is on disk */
	enum inbox_state state;	 /* this and the rest may be changed */
	uint32_t failures, attempts;
	int64_t session; /* 0: none */
	int64_t changed_ms;
	uint64_t bytes; /* read only */
};

/* A zone or channel name: 1 to NAME_MAX_BYTES of printable ASCII. */
bool inbox_name_check(struct span name);

/* As db_begin and db_end, and the counts go back with a rollback. */
int inbox_begin(struct inbox *inbox);
int inbox_end(struct inbox *inbox, int error);

/* The row of an item; -ERR_WRONG_STATE if it is not in a state of `states`
 * (bits 1 << state). changed_ms is set to now. */
int item_load(
    struct inbox *inbox, int64_t id, unsigned states, struct item_row *row_out);

/* Write the row back, inside a transaction. The note is made valid UTF-8
 * without NUL and cut at INBOX_NOTE_MAX_BYTES. */
int item_save(
    struct inbox *inbox, const struct item_row *row, struct span note);

/* item_save in a transaction of its own. */
int item_move(
    struct inbox *inbox, const struct item_row *row, struct span note);

/* Has the disk room for a clean text and record of so many bytes, and the
 * reserve that changes of state need? -ERR_NO_SPACE. */
int inbox_clean_room(const struct inbox *inbox, uint64_t bytes);

/* inbox_suspect.c: the row beside an item that was judged suspect, inside a
 * transaction; whether there is one; held again, with no answer, in a
 * transaction of its own. */
int suspect_add(struct inbox *inbox, int64_t id, bool narrow);
bool suspect_is(struct inbox *inbox, int64_t id);
int suspect_hold(struct inbox *inbox, struct item_row *row);

/* Turn it into a stub, inside a transaction; see inbox_drop. */
int item_erase(struct inbox *inbox, struct item_row *row);

/* 0 if the session is live. */
int inbox_session_live(struct inbox *inbox, int64_t session);

/* Compare an item's bytes with its hash; -ERR_CORRUPT. */
int item_verify(struct inbox *inbox, const struct inbox_item *item);

#endif
