/*
 * An item's life: one function for each arrow of the picture in inbox.h. Each
 * names the states it starts from, and is durable before it returns 0. Runs
 * in the broker; believes its caller about who the session is.
 */
#include "common/err.h"
#include "executor/inbox_item.h"

#define IN(state) (1u << INBOX_##state)

#define EXPIRE_STEPS 100 /* rows in one call of inbox_expire */
#define EXPIRE_BYTES                                                           \
	MAIL_MAX_BYTES /* raw bytes, passed by one item at most                \
			*/
#define HOUR_MS ((int64_t)60 * 60 * 1000)
#define DAY_MS (24 * HOUR_MS)

/* What one call of inbox_expire may still do. */
struct expiry {
	int64_t now_ms;
	uint32_t steps;
	uint64_t bytes; /* erased so far */
};

static int
oldest(struct inbox *inbox, enum inbox_state state, int64_t *id_out)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_ITEM_OLDEST);
	query_integer(&q, 1, state);
	return query_one(&q, id_out);
}

int
inbox_next_new(struct inbox *inbox, struct span channel, int64_t *id_out)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_ITEM_OLDEST_NEW);
	query_text(&q, 1, channel);
	return query_one(&q, id_out);
}

int
inbox_clean_begin(struct inbox *inbox, int64_t id)
{
	struct item_row row;
	int error = item_load(inbox, id, IN(NEW), &row);

	if (error != 0)
		return error;
	if (row.attempts == INBOX_ATTEMPTS_MAX)
		return -ERR_CORRUPT; /* would have been quarantined */
	row.state = INBOX_CLEANING;
	row.attempts++;
	return item_move(inbox, &row, SPAN(""));
}

static int
clean_add(
    struct inbox *inbox, int64_t id, struct span clean, struct span record)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_CLEAN_ADD);
	query_integer(&q, 1, id);
	query_blob(&q, 2, clean.p, clean.n);
	query_blob(&q, 3, record.p, record.n);
	return query_run(&q);
}

/* cleaning -> `state`; with a row of what is suspect, unless `narrow` is
 * NULL. */
static int
clean_end(struct inbox *inbox, int64_t id, struct span clean,
    struct span record, enum inbox_state state, const bool *narrow)
{
	struct item_row row;
	int error;

	if (clean.n > CLEAN_MAX_BYTES || record.n > INBOX_RECORD_MAX_BYTES)
		return -ERR_TOO_LARGE;
	error = item_load(inbox, id, IN(CLEANING), &row);
	if (error == 0)
		error = inbox_clean_room(inbox, clean.n + record.n);
	if (error == 0)
		error = inbox_begin(inbox);
	if (error != 0)
		return error;
	row.state = state;
	error = clean_add(inbox, id, clean, record);
	if (error == 0 && narrow != NULL)
		error = suspect_add(inbox, id, *narrow);
	if (error == 0)
		error = item_save(inbox, &row, SPAN(""));
	inbox->counts.bytes += clean.n + record.n;
	return inbox_end(inbox, error);
}

int
inbox_clean_done(
    struct inbox *inbox, int64_t id, struct span clean, struct span record)
{
	return clean_end(inbox, id, clean, record, INBOX_READY, NULL);
}

int
inbox_clean_suspect(struct inbox *inbox, int64_t id, struct span clean,
    struct span record, bool narrow)
{
	return clean_end(inbox, id, clean, record,
	    narrow ? INBOX_READY : INBOX_HELD, &narrow);
}

int
inbox_clean_failed(struct inbox *inbox, int64_t id, struct span reason,
    enum inbox_state *state_out)
{
	struct item_row row;
	int error = item_load(inbox, id, IN(CLEANING), &row);

	if (error != 0)
		return error;
	if (row.failures == INBOX_FAILURES_MAX)
		return -ERR_CORRUPT; /* would have been quarantined */
	row.failures++;
	row.state = row.failures < INBOX_FAILURES_MAX &&
			    row.attempts < INBOX_ATTEMPTS_MAX
			? INBOX_NEW
			: INBOX_QUARANTINED;
	error = item_move(inbox, &row, reason);
	if (error == 0)
		*state_out = row.state;
	return error;
}

int
inbox_clean_abandon(struct inbox *inbox, int64_t id)
{
	struct item_row row;
	int error = item_load(inbox, id, IN(CLEANING), &row);

	if (error != 0)
		return error;
	if (row.attempts == 0)
		return -ERR_CORRUPT; /* one was counted when it began */
	row.state = INBOX_NEW;
	row.attempts--;
	return item_move(
	    inbox, &row, SPAN("the service was stopped while a reader had it"));
}

int
inbox_claim(struct inbox *inbox, int64_t session, int64_t *id_out)
{
	struct item_row row;
	int64_t id;
	int error;

	error = inbox_session_live(inbox, session);
	if (error == 0)
		error = oldest(inbox, INBOX_READY, &id);
	if (error == 0)
		error = item_load(inbox, id, IN(READY), &row);
	if (error != 0)
		return error;
	row.state = INBOX_CLAIMED;
	row.session = session;
	error = item_move(inbox, &row, SPAN(""));
	if (error == 0)
		*id_out = id;
	return error;
}

static int
load_claim(
    struct inbox *inbox, int64_t id, int64_t session, struct item_row *row_out)
{
	int error = item_load(inbox, id, IN(CLAIMED) | IN(ACTED), row_out);

	if (error == 0 && row_out->session != session)
		error = -ERR_WRONG_STATE;
	return error;
}

int
inbox_mark_acted(struct inbox *inbox, int64_t id, int64_t session)
{
	struct item_row row;
	int error = load_claim(inbox, id, session, &row);

	if (error != 0 || row.state == INBOX_ACTED)
		return error;
	row.state = INBOX_ACTED;
	return item_move(inbox, &row, SPAN(""));
}

int
inbox_finish(
    struct inbox *inbox, int64_t id, int64_t session, struct span outcome)
{
	struct item_row row;
	int error = load_claim(inbox, id, session, &row);

	if (error != 0)
		return error;
	row.state = INBOX_DONE;
	return item_move(inbox, &row, outcome);
}

int
inbox_release(struct inbox *inbox, int64_t id)
{
	struct item_row row;
	int error =
	    item_load(inbox, id, IN(QUARANTINED) | IN(INTERRUPTED), &row);

	if (error != 0)
		return error;
	if (row.state == INBOX_QUARANTINED && suspect_is(inbox, id))
		return suspect_hold(inbox, &row);
	if (row.state == INBOX_QUARANTINED) {
		row.state = INBOX_NEW;
		row.failures = row.attempts = 0;
	} else {
		row.state = INBOX_READY;
		row.session = 0;
	}
	return item_move(inbox, &row, SPAN(""));
}

int
inbox_drop(struct inbox *inbox, int64_t id)
{
	struct item_row row;
	int error = item_load(inbox, id,
	    IN(NEW) | IN(READY) | IN(DONE) | IN(QUARANTINED) | IN(INTERRUPTED) |
		IN(HELD) | IN(DROPPED),
	    &row);

	if (error != 0)
		return error;
	if (row.state != INBOX_DROPPED) {
		error = inbox_begin(inbox);
		if (error == 0)
			error = inbox_end(inbox, item_erase(inbox, &row));
	}
	if (error == 0)
		error = db_empty_log(&inbox->db);
	if (error == 0)
		db_shrink(&inbox->db, row.bytes);
	return error;
}

static int
older_than(struct inbox *inbox, enum inbox_state state, int64_t cutoff_ms,
    int64_t *id_out)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_ITEM_OLDER_THAN);
	query_integer(&q, 1, state);
	query_integer(&q, 2, cutoff_ms);
	return query_one(&q, id_out);
}

static int64_t
cutoff(const struct expiry *expiry, uint32_t days)
{
	return expiry->now_ms - (int64_t)days * DAY_MS;
}

static int
expire_done(struct inbox *inbox, struct expiry *expiry)
{
	struct item_row row;
	int64_t id;
	int error;

	error = older_than(
	    inbox, INBOX_DONE, cutoff(expiry, inbox->limits.done_days), &id);
	if (error == 0)
		error = item_load(inbox, id, IN(DONE), &row);
	if (error != 0)
		return error;
	row.changed_ms = expiry->now_ms;
	expiry->bytes += row.bytes;
	return item_erase(inbox, &row);
}

/* Over the limit the oldest stub goes, however young it is. */
static int
expire_stub(struct inbox *inbox, struct expiry *expiry)
{
	bool over = inbox->counts.items[INBOX_DROPPED] > inbox->limits.stubs;
	struct query q;
	int64_t id;
	int error;

	error = older_than(inbox, INBOX_DROPPED,
	    over ? INT64_MAX : cutoff(expiry, inbox->limits.stub_days), &id);
	if (error != 0)
		return error;
	query_init(&q, &inbox->db, SQL_ITEM_DELETE);
	query_integer(&q, 1, id);
	error = query_run(&q);
	if (error == 0)
		inbox->counts.items[INBOX_DROPPED]--;
	return error;
}

static int
delete_of(struct inbox *inbox, enum inbox_sql sql, int64_t session)
{
	struct query q;

	query_init(&q, &inbox->db, sql);
	query_integer(&q, 1, session);
	return query_run(&q);
}

static int
expire_session(struct inbox *inbox, struct expiry *expiry)
{
	struct query q;
	int64_t id;
	int error;

	query_init(&q, &inbox->db, SQL_SESSION_EXPIRED);
	query_integer(&q, 1, cutoff(expiry, inbox->limits.stub_days));
	error = query_one(&q, &id);
	if (error != 0)
		return error;
	error = delete_of(inbox, SQL_TASK_DELETE, id);
	if (error == 0)
		error = delete_of(inbox, SQL_LEAK_DELETE, id);
	if (error == 0)
		error = delete_of(inbox, SQL_SESSION_DELETE, id);
	return error;
}

/* One kind until there is no more of it (0) or no more to spend (0). */
static int
expire_kind(struct inbox *inbox, struct expiry *expiry,
    int (*step)(struct inbox *, struct expiry *))
{
	int error = 0;

	while (
	    error == 0 && expiry->steps > 0 && expiry->bytes < EXPIRE_BYTES) {
		error = step(inbox, expiry);
		if (error == 0)
			expiry->steps--;
	}
	return error == -ERR_NOT_FOUND ? 0 : error;
}

/* The time that retention goes by, which never jumps ahead. */
static int
expiry_time(struct inbox *inbox, int64_t now_ms, int64_t *time_out)
{
	int64_t last = inbox->expired_ms;
	struct query q;
	int error = 0;

	if (last == 0) {
		query_init(&q, &inbox->db, SQL_ITEM_NEWEST);
		error = query_one(&q, &last);
	}
	if (error != 0)
		return error;
	if (last != 0 && !inbox->expire_more)
		last += HOUR_MS;
	*time_out = last != 0 && now_ms > last ? last : now_ms;
	return 0;
}

int
inbox_expire(struct inbox *inbox, int64_t now_ms, bool *more_out)
{
	struct expiry expiry = {.steps = EXPIRE_STEPS};
	int error = inbox_begin(inbox);

	if (error != 0)
		return error;
	error = expiry_time(inbox, now_ms, &expiry.now_ms);
	if (error == 0)
		error = expire_kind(inbox, &expiry, expire_done);
	if (error == 0)
		error = expire_kind(inbox, &expiry, expire_stub);
	if (error == 0)
		error = expire_kind(inbox, &expiry, expire_session);
	error = inbox_end(inbox, error);
	if (error == 0 && expiry.bytes > 0)
		error = db_empty_log(&inbox->db);
	if (error == 0 && expiry.bytes > 0)
		db_shrink(&inbox->db, expiry.bytes);
	if (error != 0)
		return error;
	inbox->expired_ms = expiry.now_ms;
	inbox->expire_more = expiry.steps == 0 || expiry.bytes >= EXPIRE_BYTES;
	*more_out = inbox->expire_more;
	return 0;
}
