/*
 * Tickets in the inbox's database. Runs in the broker. Believes nothing of a
 * row before its numbers and lengths are checked; decides nothing.
 */
#include "executor/ticket.h"

#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "executor/inbox_item.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

const char *
ticket_state_name(enum ticket_state state)
{
	static const char *const names[TICKET_STATE_COUNT] = {
	    [TICKET_OPEN] = "open",
	    [TICKET_APPROVED] = "approved",
	    [TICKET_SPENT] = "spent",
	    [TICKET_DONE] = "done",
	    [TICKET_DENIED] = "denied",
	    [TICKET_EXPIRED] = "expired",
	    [TICKET_STALE] = "stale",
	    [TICKET_UNFINISHED] = "unfinished",
	    [TICKET_CLOSED] = "closed",
	};

	return names[state];
}

enum ticket_state
ticket_state_find(struct span name)
{
	int state = 0;

	while (state < TICKET_STATE_COUNT &&
	       !span_is(name, ticket_state_name((enum ticket_state)state)))
		state++;
	return (enum ticket_state)state;
}

void
ticket_init(struct ticket *ticket)
{
	*ticket = (struct ticket){0};
	buf_init(&ticket->arguments, FRAME_MAX_BYTES);
	buf_init(&ticket->origins, FRAME_MAX_BYTES);
	buf_init(&ticket->result, RESULT_BODY_MAX);
}

void
ticket_done(struct ticket *ticket)
{
	buf_free(&ticket->arguments);
	buf_free(&ticket->origins);
	buf_free(&ticket->result);
}

void
ticket_digest(struct span capability, struct span arguments,
    unsigned char out[SHA256_BYTES])
{
	struct sha256 *digest = sha256_new();

	sha256_start(digest);
	sha256_add(digest, capability.p, capability.n);
	sha256_add(digest, "", 1);
	sha256_add(digest, arguments.p, arguments.n);
	sha256_end(digest, out);
	sha256_free(digest);
}

static struct span
span_of_buf(const struct buf *b)
{
	return (struct span){b->data, b->len};
}

static int
count(struct inbox *inbox, enum inbox_sql sql, int64_t session, int64_t *out)
{
	struct query q;

	query_init(&q, &inbox->db, sql);
	if (sql == SQL_TICKET_ASKS_SESSION)
		query_integer(&q, 1, session);
	return query_one(&q, out);
}

static int
room_for(struct inbox *inbox, int64_t session)
{
	int64_t all = 0, mine = 0;
	int rc = count(inbox, SQL_TICKET_ASKS_COUNT, 0, &all);

	if (rc == 0)
		rc = count(inbox, SQL_TICKET_ASKS_SESSION, session, &mine);
	if (rc == 0 && (all >= TICKETS_OPEN_MAX || mine >= TICKETS_SESSION_MAX))
		rc = -ERR_QUOTA;
	return rc;
}

static int
insert(struct inbox *inbox, const struct ticket *t)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_TICKET_ADD);
	query_integer(&q, 1, t->session);
	query_text(&q, 2, span_of(t->zone));
	query_text(&q, 3, span_of(t->capability));
	query_blob(&q, 4, t->arguments.data, t->arguments.len);
	query_blob(&q, 5, t->digest, sizeof t->digest);
	query_integer(&q, 6, t->legs);
	query_text(&q, 7, span_of_buf(&t->origins));
	query_text(&q, 8, span_of(t->rule));
	query_text(&q, 9, span_of(t->why));
	query_integer(&q, 10, t->message);
	query_integer(&q, 11, t->opened_ms);
	query_integer(&q, 12, t->expires_ms);
	return query_run(&q);
}

int
ticket_add(struct inbox *inbox, struct ticket *t)
{
	int rc = room_for(inbox, t->session);

	if (rc == 0)
		rc = inbox_begin(inbox);
	if (rc != 0)
		return rc;
	ticket_digest(
	    span_of(t->capability), span_of_buf(&t->arguments), t->digest);
	rc = insert(inbox, t);
	if (rc == 0)
		t->id = sqlite3_last_insert_rowid(inbox->db.handle);
	t->state = TICKET_OPEN;
	return inbox_end(inbox, rc);
}

/* A column's bytes into an array; false if they are too many. */
static bool
take_bytes(struct query *q, int column, void *out, size_t room, size_t *n_out)
{
	struct span bytes = query_get_bytes(q, column);

	if (bytes.n > room)
		return false;
	if (bytes.n != 0)
		memcpy(out, bytes.p, bytes.n);
	*n_out = bytes.n;
	return true;
}

static bool
take_text(struct query *q, int column, char *out, size_t room)
{
	return span_copy(query_get_bytes(q, column), out, room) == 0;
}

static bool
take_buf(struct query *q, int column, struct buf *out)
{
	struct span bytes = query_get_bytes(q, column);

	buf_clear(out);
	return buf_add(out, bytes.p, bytes.n) == 0;
}

static bool
take_texts(struct query *q, struct ticket *t)
{
	return take_text(q, 1, t->zone, sizeof t->zone) &&
	       take_text(q, 2, t->capability, sizeof t->capability) &&
	       take_text(q, 7, t->rule, sizeof t->rule) &&
	       take_text(q, 8, t->why, sizeof t->why) &&
	       take_text(q, 19, t->note, sizeof t->note) &&
	       take_buf(q, 3, &t->arguments) && take_buf(q, 6, &t->origins) &&
	       take_buf(q, 20, &t->result);
}

static bool
take_hashes(struct query *q, struct ticket *t)
{
	size_t n;

	if (!take_bytes(q, 4, t->digest, sizeof t->digest, &n) ||
	    n != sizeof t->digest)
		return false;
	return take_bytes(q, 13, t->hash, sizeof t->hash, &n) &&
	       (n == 0 || n == sizeof t->hash);
}

static bool
take_numbers(struct query *q, struct ticket *t)
{
	int64_t state = query_get_integer(q, 10);
	int64_t outcome = query_get_integer(q, 17);

	t->session = query_get_integer(q, 0);
	t->legs = (unsigned)query_get_integer(q, 5) & INBOX_LEGS_ALL;
	t->message = query_get_integer(q, 9);
	t->state = (enum ticket_state)state;
	t->approvals = (uint32_t)query_get_integer(q, 11);
	t->grant = (uint64_t)query_get_integer(q, 12);
	t->opened_ms = query_get_integer(q, 14);
	t->expires_ms = query_get_integer(q, 15);
	t->changed_ms = query_get_integer(q, 16);
	t->outcome = (enum outcome)outcome;
	t->error = (uint32_t)query_get_integer(q, 18);
	return state >= 0 && state < TICKET_STATE_COUNT && outcome >= 0 &&
	       outcome < OUTCOME_COUNT;
}

int
ticket_get(struct inbox *inbox, int64_t id, struct ticket *out)
{
	struct query q;
	int rc;

	query_init(&q, &inbox->db, SQL_TICKET_GET);
	query_integer(&q, 1, id);
	rc = query_row(&q);
	if (rc != 0)
		return rc;
	out->id = id;
	if (!take_numbers(&q, out) || !take_hashes(&q, out) ||
	    !take_texts(&q, out))
		rc = -ERR_CORRUPT;
	query_done(&q);
	return rc;
}

int
ticket_find(struct inbox *inbox, int64_t session,
    const unsigned char digest[SHA256_BYTES], int64_t *id_out)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_TICKET_FIND);
	query_integer(&q, 1, session);
	query_blob(&q, 2, digest, SHA256_BYTES);
	return query_one(&q, id_out);
}

int
ticket_granted(struct inbox *inbox, uint64_t grant, int64_t *id_out)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_TICKET_GRANTED);
	query_integer(&q, 1, (int64_t)grant);
	return query_one(&q, id_out);
}

static int
update(struct inbox *inbox, const struct ticket *t, unsigned from)
{
	size_t note = utf8_prefix(t->note, strlen(t->note), WHY_MAX_BYTES);
	struct query q;
	int64_t id;
	int rc;

	query_init(&q, &inbox->db, SQL_TICKET_SAVE);
	query_integer(&q, 1, t->id);
	query_integer(&q, 2, t->state);
	query_integer(&q, 3, t->legs);
	query_blob(&q, 4, t->hash, t->grant == 0 ? 0 : sizeof t->hash);
	query_integer(&q, 5, t->approvals);
	query_integer(&q, 6, (int64_t)t->grant);
	query_integer(&q, 7, t->expires_ms);
	query_integer(&q, 8, clock_utc_ms());
	query_integer(&q, 9, t->outcome);
	query_integer(&q, 10, t->error);
	query_text(&q, 11, (struct span){t->note, note});
	query_blob(&q, 12, t->result.data, t->result.len);
	query_integer(&q, 13, from);
	rc = query_one(&q, &id);
	return rc == -ERR_NOT_FOUND ? -ERR_WRONG_STATE : rc;
}

int
ticket_save(struct inbox *inbox, const struct ticket *ticket, unsigned from)
{
	int rc = inbox_begin(inbox);

	return rc != 0 ? rc : inbox_end(inbox, update(inbox, ticket, from));
}

int
ticket_list(struct inbox *inbox, unsigned states, int64_t after, int64_t *ids,
    size_t room, size_t *count_out)
{
	struct query q;
	int rc = 0;

	*count_out = 0;
	while (rc == 0 && *count_out < room) {
		query_init(&q, &inbox->db, SQL_TICKET_NEXT);
		query_integer(&q, 1, after);
		query_integer(&q, 2, states == 0 ? -1 : (int64_t)states);
		rc = query_one(&q, &after);
		if (rc == 0)
			ids[(*count_out)++] = after;
	}
	return rc == -ERR_NOT_FOUND ? 0 : rc;
}

int
ticket_live(struct inbox *inbox, int64_t *count_out)
{
	return count(inbox, SQL_TICKET_LIVE_COUNT, 0, count_out);
}

int
ticket_overdue(struct inbox *inbox, int64_t now_ms, int64_t *id_out)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_TICKET_OVERDUE);
	query_integer(&q, 1, now_ms);
	return query_one(&q, id_out);
}

static int
erase(struct inbox *inbox, enum inbox_sql sql, int64_t before_ms)
{
	struct query q;

	query_init(&q, &inbox->db, sql);
	query_integer(&q, 1, before_ms);
	return query_run(&q);
}

int
ticket_erase_old(struct inbox *inbox, int64_t now_ms)
{
	int rc = inbox_begin(inbox);

	if (rc != 0)
		return rc;
	rc = erase(inbox, SQL_TICKET_ERASE, now_ms - TICKET_KEEP_DAYS * DAY_MS);
	if (rc == 0)
		rc = erase(inbox, SQL_AGAIN_ERASE, now_ms);
	return inbox_end(inbox, rc);
}
