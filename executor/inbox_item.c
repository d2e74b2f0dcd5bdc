/*
 * One item's row: loaded with the states it may be in, changed, saved, with
 * the counts kept right. Every change of state goes through item_save (or, at
 * start, the recovery in inbox.c). Runs in the broker; a value read from disk
 * is checked before it is used as an index.
 */
#include "executor/inbox_item.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"

bool
inbox_name_check(struct span name)
{
	if (name.n == 0 || name.n > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] < 0x21 || name.p[i] > 0x7e)
			return false;
	return true;
}

int
inbox_begin(struct inbox *inbox)
{
	inbox->counts_before = inbox->counts;
	return db_begin(&inbox->db);
}

int
inbox_end(struct inbox *inbox, int error)
{
	error = db_end(&inbox->db, error);
	if (error != 0)
		inbox->counts = inbox->counts_before;
	return error;
}

int
item_load(
    struct inbox *inbox, int64_t id, unsigned states, struct item_row *row_out)
{
	struct item_row row = {.id = id, .changed_ms = clock_utc_ms()};
	struct query q;
	int64_t state, failures, attempts;
	int error;

	query_init(&q, &inbox->db, SQL_ITEM_ROW);
	query_integer(&q, 1, id);
	error = query_row(&q);
	if (error != 0)
		return error;
	state = query_get_integer(&q, 0);
	failures = query_get_integer(&q, 1);
	attempts = query_get_integer(&q, 2);
	row.session = query_get_integer(&q, 3);
	row.bytes = (uint64_t)query_get_integer(&q, 4);
	query_done(&q);
	if (state < 0 || state >= INBOX_STATE_COUNT || failures < 0 ||
	    failures > INBOX_FAILURES_MAX || attempts < 0 ||
	    attempts > INBOX_ATTEMPTS_MAX || row.bytes > MAIL_MAX_BYTES) {
		log_event(LOG_ERROR, "inbox_row", "id=%" PRId64, id);
		return -ERR_CORRUPT;
	}
	row.stored = row.state = (enum inbox_state)state;
	row.failures = (uint32_t)failures;
	row.attempts = (uint32_t)attempts;
	if ((states >> state & 1) == 0)
		return -ERR_WRONG_STATE;
	*row_out = row;
	return 0;
}

/* Copy what of `text` is valid UTF-8 and fits; ? for anything else. */
static struct span
note_make(struct span text, char out[INBOX_NOTE_MAX_BYTES])
{
	size_t used = 0;

	for (size_t i = 0, n; i < text.n; i += n) {
		const char *from = text.p + i;

		n = utf8_length(from, text.n - i);
		if (n == 0 || *from == '\0') {
			n = 1;
			from = "?";
		}
		if (used + n > INBOX_NOTE_MAX_BYTES)
			break;
		memcpy(out + used, from, n);
		used += n;
	}
	return (struct span){out, used};
}

int
item_save(struct inbox *inbox, const struct item_row *row, struct span note)
{
	char clean[INBOX_NOTE_MAX_BYTES];
	struct query q;
	int error;

	query_init(&q, &inbox->db, SQL_ITEM_SAVE);
	query_integer(&q, 1, row->id);
	query_integer(&q, 2, row->state);
	query_integer(&q, 3, row->failures);
	query_integer(&q, 4, row->attempts);
	if (row->session == 0)
		query_null(&q, 5);
	else
		query_integer(&q, 5, row->session);
	query_text(&q, 6, note_make(note, clean));
	query_integer(&q, 7, row->changed_ms);
	error = query_run(&q);
	if (error != 0)
		return error;
	inbox->counts.items[row->stored]--;
	inbox->counts.items[row->state]++;
	if (WAITS_FOR_READER(row->stored))
		inbox->counts.waiting_bytes -= row->bytes;
	if (WAITS_FOR_READER(row->state))
		inbox->counts.waiting_bytes += row->bytes;
	return 0;
}

int
item_move(struct inbox *inbox, const struct item_row *row, struct span note)
{
	int error = inbox_begin(inbox);

	if (error != 0)
		return error;
	return inbox_end(inbox, item_save(inbox, row, note));
}

int
item_erase(struct inbox *inbox, struct item_row *row)
{
	static const enum inbox_sql erasers[] = {
	    SQL_RAW_DELETE, SQL_CLEAN_DELETE, SQL_SUSPECT_DELETE};
	struct query q;
	int64_t made = 0;
	int error;

	query_init(&q, &inbox->db, SQL_CLEAN_BYTES);
	query_integer(&q, 1, row->id);
	error = query_one(&q, &made);
	for (size_t i = 0; i < 3 && error == 0; i++) {
		query_init(&q, &inbox->db, erasers[i]);
		query_integer(&q, 1, row->id);
		error = query_run(&q);
	}
	if (error != 0)
		return error;
	row->state = INBOX_DROPPED;
	row->session = 0;
	error = item_save(inbox, row, SPAN(""));
	if (error == 0)
		inbox->counts.bytes -= row->bytes + (uint64_t)made;
	return error;
}
