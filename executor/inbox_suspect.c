/*
 * Items that were judged suspect, and what a person has said of each. Runs in
 * the broker.
 */
#include "common/clock.h"
#include "common/err.h"
#include "executor/inbox_item.h"

int
suspect_add(struct inbox *inbox, int64_t id, bool narrow)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_SUSPECT_ADD);
	query_integer(&q, 1, id);
	query_integer(&q, 2, narrow);
	query_integer(&q, 3, clock_utc_ms());
	return query_run(&q);
}

static int
set_answer(struct inbox *inbox, int64_t id, enum suspect_answer answer)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_SUSPECT_ANSWER);
	query_integer(&q, 1, id);
	query_integer(&q, 2, answer);
	query_integer(&q, 3, clock_utc_ms());
	return query_run(&q);
}

static int
take_row(struct query *q, struct inbox_suspect *out)
{
	int64_t answer;
	int rc = query_row(q);

	if (rc != 0)
		return rc;
	answer = query_get_integer(q, 2);
	*out = (struct inbox_suspect){.id = query_get_integer(q, 0),
	    .narrow = query_get_integer(q, 1) != 0,
	    .answer = (enum suspect_answer)answer};
	query_done(q);
	return answer >= SUSPECT_OPEN && answer <= SUSPECT_QUARANTINED
		   ? 0
		   : -ERR_CORRUPT;
}

int
inbox_suspect_get(struct inbox *inbox, int64_t id, struct inbox_suspect *out)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_SUSPECT_GET);
	query_integer(&q, 1, id);
	return take_row(&q, out);
}

int
inbox_suspect_next(struct inbox *inbox, int64_t after, bool answered,
    struct inbox_suspect *out)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_SUSPECT_NEXT);
	query_integer(&q, 1, after);
	query_integer(&q, 2, answered);
	return take_row(&q, out);
}

bool
suspect_is(struct inbox *inbox, int64_t id)
{
	struct inbox_suspect found;

	return inbox_suspect_get(inbox, id, &found) == 0;
}

/* The item's new state and the answer, together. */
static int
save(struct inbox *inbox, const struct item_row *row, struct span note,
    enum suspect_answer answer)
{
	int rc = inbox_begin(inbox);

	if (rc != 0)
		return rc;
	rc = set_answer(inbox, row->id, answer);
	if (rc == 0 && row->state != row->stored)
		rc = item_save(inbox, row, note);
	return inbox_end(inbox, rc);
}

int
suspect_hold(struct inbox *inbox, struct item_row *row)
{
	row->state = INBOX_HELD;
	return save(inbox, row, SPAN(""), SUSPECT_OPEN);
}

int
inbox_suspect_answer(struct inbox *inbox, int64_t id, bool release)
{
	struct inbox_suspect suspect;
	struct item_row row;
	int rc = inbox_suspect_get(inbox, id, &suspect);

	if (rc == 0)
		rc = item_load(inbox, id, ~(1u << INBOX_DROPPED), &row);
	if (rc == 0 && suspect.answer != SUSPECT_OPEN)
		rc = -ERR_WRONG_STATE;
	if (rc != 0)
		return rc;
	if (release && row.state == INBOX_HELD)
		row.state = INBOX_READY;
	else if (!release &&
		 (row.state == INBOX_HELD || row.state == INBOX_READY))
		row.state = INBOX_QUARANTINED;
	return save(inbox, &row,
	    release ? SPAN("") : SPAN("a person found it to be an attack"),
	    release ? SUSPECT_RELEASED : SUSPECT_QUARANTINED);
}
