/*
 * The session ledger: which planner instances there were, and which legs they
 * have. Runs in the broker; believes its caller about which instance speaks.
 * Must never forget a leg while the session lives.
 */
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "executor/inbox_item.h"

static const char *const mode_names[SESSION_MODE_COUNT] = {
    [SESSION_PER_MESSAGE] = "per-message",
    [SESSION_PER_TASK] = "per-task",
    [SESSION_STANDING] = "standing",
};

/* The first session above `after`; live ones only, if asked. */
static int
session_next(struct inbox *inbox, int64_t after, bool live_only,
    struct inbox_session *session_out)
{
	struct inbox_session session;
	struct query q;
	int64_t mode;
	int error;

	query_init(&q, &inbox->db, SQL_SESSION_NEXT);
	query_integer(&q, 1, after);
	query_integer(&q, 2, live_only);
	error = query_row(&q);
	if (error != 0)
		return error;
	session.id = query_get_integer(&q, 0);
	mode = query_get_integer(&q, 1);
	session.legs = (unsigned)query_get_integer(&q, 2) & INBOX_LEGS_ALL;
	session.started_ms = query_get_integer(&q, 3);
	session.ended_ms = query_get_integer(&q, 4);
	error = span_copy(
	    query_get_bytes(&q, 5), session.zone, sizeof session.zone);
	session.endorsed = query_get_integer(&q, 6) != 0;
	query_done(&q);
	if (error != 0 || mode < 0 || mode >= SESSION_MODE_COUNT ||
	    session.id <= after)
		return -ERR_CORRUPT;
	session.mode = (enum session_mode)mode;
	*session_out = session;
	return 0;
}

static int
session_end(struct inbox *inbox, int64_t session)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_SESSION_END);
	query_integer(&q, 1, session);
	query_integer(&q, 2, clock_utc_ms());
	return query_run(&q);
}

/* Give up one claim; -ERR_NOT_FOUND when none is left. */
static int
claim_end(struct inbox *inbox, int64_t session)
{
	struct item_row row;
	struct query q;
	int64_t id;
	int error;

	query_init(&q, &inbox->db, SQL_ITEM_OF_SESSION);
	query_integer(&q, 1, session);
	query_integer(&q, 2, INBOX_CLAIMED);
	query_integer(&q, 3, INBOX_ACTED);
	error = query_one(&q, &id);
	if (error == 0)
		error = item_load(
		    inbox, id, 1u << INBOX_CLAIMED | 1u << INBOX_ACTED, &row);
	if (error != 0)
		return error;
	if (row.state == INBOX_ACTED) {
		row.state = INBOX_INTERRUPTED;
		return item_save(inbox, &row,
		    SPAN("the session ended before it said what became of it"));
	}
	row.state = INBOX_READY;
	row.session = 0;
	return item_save(inbox, &row, SPAN(""));
}

int
inbox_session_live(struct inbox *inbox, int64_t session)
{
	struct inbox_session s;
	int error = inbox_session_get(inbox, session, &s);

	return error == 0 && s.ended_ms != 0 ? -ERR_WRONG_STATE : error;
}

const char *
session_mode_name(enum session_mode mode)
{
	return mode < SESSION_MODE_COUNT ? mode_names[mode] : "unknown";
}

enum session_mode
session_mode_find(struct span name)
{
	int mode = 0;

	while (mode < SESSION_MODE_COUNT && !span_is(name, mode_names[mode]))
		mode++;
	return (enum session_mode)mode;
}

int
inbox_session_new(struct inbox *inbox, struct span zone, enum session_mode mode,
    int64_t *id_out)
{
	struct query q;
	int64_t id;
	int error = -ERR_NOT_FOUND;

	if (!inbox_name_check(zone) || mode >= SESSION_MODE_COUNT)
		return -ERR_RANGE;
	if (mode == SESSION_STANDING) {
		query_init(&q, &inbox->db, SQL_SESSION_STANDING);
		query_text(&q, 1, zone);
		error = query_one(&q, id_out);
	}
	if (error != -ERR_NOT_FOUND)
		return error;
	error = inbox_begin(inbox);
	if (error != 0)
		return error;
	query_init(&q, &inbox->db, SQL_SESSION_ADD);
	query_text(&q, 1, zone);
	query_integer(&q, 2, mode);
	query_integer(&q, 3, clock_utc_ms());
	error = query_run(&q);
	id = sqlite3_last_insert_rowid(inbox->db.handle);
	error = inbox_end(inbox, error);
	if (error == 0)
		*id_out = id;
	return error;
}

int
inbox_session_add_legs(struct inbox *inbox, int64_t session, unsigned legs)
{
	struct inbox_session s;
	struct query q;
	int error;

	if ((legs & ~INBOX_LEGS_ALL) != 0)
		return -ERR_RANGE;
	error = inbox_session_get(inbox, session, &s);
	if (error == 0 && s.ended_ms != 0)
		error = -ERR_WRONG_STATE;
	if (error != 0 || (s.legs | legs) == s.legs)
		return error;
	error = inbox_begin(inbox);
	if (error != 0)
		return error;
	query_init(&q, &inbox->db, SQL_SESSION_LEGS);
	query_integer(&q, 1, session);
	query_integer(&q, 2, s.legs | legs);
	return inbox_end(inbox, query_run(&q));
}

int
inbox_session_endorsed(struct inbox *inbox, int64_t session)
{
	struct query q;
	int error = inbox_session_live(inbox, session);

	if (error == 0)
		error = inbox_begin(inbox);
	if (error != 0)
		return error;
	query_init(&q, &inbox->db, SQL_SESSION_ENDORSED);
	query_integer(&q, 1, session);
	return inbox_end(inbox, query_run(&q));
}

static int
end(struct inbox *inbox, int64_t session, bool standing_too)
{
	struct inbox_session s;
	int error = inbox_session_get(inbox, session, &s);

	if (error != 0 || s.ended_ms != 0)
		return error;
	error = inbox_begin(inbox);
	if (error != 0)
		return error;
	do
		error = claim_end(inbox, session);
	while (error == 0);
	if (error == -ERR_NOT_FOUND)
		error = s.mode == SESSION_STANDING && !standing_too
			    ? 0
			    : session_end(inbox, session);
	return inbox_end(inbox, error);
}

int
inbox_session_ended(struct inbox *inbox, int64_t session)
{
	return end(inbox, session, false);
}

int
inbox_session_finish(struct inbox *inbox, int64_t session)
{
	return end(inbox, session, true);
}

int
inbox_session_get(
    struct inbox *inbox, int64_t session, struct inbox_session *session_out)
{
	struct inbox_session s;
	int error;

	if (session <= 0)
		return -ERR_NOT_FOUND;
	error = session_next(inbox, session - 1, false, &s);
	if (error == 0 && s.id != session)
		error = -ERR_NOT_FOUND;
	if (error == 0)
		*session_out = s;
	return error;
}

int
inbox_session_list(struct inbox *inbox, int64_t after, bool live_only,
    inbox_session_each_fn *each, void *arg)
{
	struct inbox_session s = {.id = after};
	int error;

	do
		error = session_next(inbox, s.id, live_only, &s);
	while (error == 0 && each(&s, arg));
	return error == -ERR_NOT_FOUND ? 0 : error;
}
