/*
 * Tasks: the operator's own words for a session, durable with it. Runs in the
 * broker; the words came over the operator's socket.
 */
#include "common/clock.h"
#include "common/err.h"
#include "executor/inbox_item.h"

static int
bytes_of(struct inbox *inbox, int64_t session, int64_t *bytes_out)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_TASK_BYTES);
	query_integer(&q, 1, session);
	return query_one(&q, bytes_out);
}

static int
add(struct inbox *inbox, int64_t session, struct span words, int64_t *id_out)
{
	int error = inbox_session_live(inbox, session);
	int64_t bytes = 0;
	struct query q;

	if (error == 0)
		error = bytes_of(inbox, session, &bytes);
	if (error == 0 && (uint64_t)bytes + words.n > INBOX_TASK_BYTES)
		error = -ERR_QUOTA;
	if (error != 0)
		return error;
	query_init(&q, &inbox->db, SQL_TASK_ADD);
	query_integer(&q, 1, session);
	query_integer(&q, 2, clock_utc_ms());
	query_text(&q, 3, words);
	error = query_run(&q);
	if (error == 0)
		*id_out = sqlite3_last_insert_rowid(inbox->db.handle);
	return error;
}

int
inbox_task_add(
    struct inbox *inbox, int64_t session, struct span words, int64_t *id_out)
{
	int error;

	if (words.n == 0)
		return -ERR_RANGE;
	error = inbox_begin(inbox);
	if (error != 0)
		return error;
	error = add(inbox, session, words, id_out);
	return inbox_end(inbox, error);
}

int
inbox_task_next(struct inbox *inbox, int64_t session, int64_t after,
    struct buf *words, int64_t *id_out)
{
	struct span text;
	struct query q;
	int error;

	query_init(&q, &inbox->db, SQL_TASK_NEXT);
	query_integer(&q, 1, session);
	query_integer(&q, 2, after);
	error = query_row(&q);
	if (error != 0)
		return error;
	*id_out = query_get_integer(&q, 0);
	text = query_get_bytes(&q, 2);
	buf_clear(words);
	error = buf_add(words, text.p, text.n);
	query_done(&q);
	return error;
}
