/*
 * What must not be forgotten of counters: money that was reserved, and what
 * leaked from sessions that outlive the service. Runs in the broker.
 */
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "executor/inbox_item.h"
#include "executor/policy.h"

static int
add_spent(struct inbox *inbox, const struct limit *limit,
    const struct charge *charge, int64_t *first, uint32_t *rows)
{
	const unsigned char(*key)[COUNT_KEY_BYTES];
	size_t count = limit_keys(limit, &charge->keys, &key);
	uint64_t amount = charge->amounts.of[LIMIT_MONEY];
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++) {
		struct query q;

		query_init(&q, &inbox->db, SQL_SPENT_ADD);
		query_text(&q, 1, span_of(limit->id));
		query_blob(&q, 2, key[i], COUNT_KEY_BYTES);
		query_integer(
		    &q, 3, amount > INT64_MAX ? INT64_MAX : (int64_t)amount);
		query_integer(&q, 4, clock_utc_ms());
		error = query_run(&q);
		if (*rows == 0)
			*first = sqlite3_last_insert_rowid(inbox->db.handle);
		++*rows;
	}
	return error;
}

int
inbox_spent_add(
    struct inbox *inbox, const struct policy *policy, struct charge *charge)
{
	uint32_t rows = 0;
	int64_t first = 0;
	int error = inbox_begin(inbox);

	if (error != 0)
		return error;
	for (size_t i = 0; i < policy_limit_count(policy) && error == 0; i++) {
		const struct limit *limit = policy_limit(policy, i);

		if (limit->of == LIMIT_MONEY &&
		    policy_limit_names(policy, i, charge->capability))
			error = add_spent(inbox, limit, charge, &first, &rows);
	}
	error = inbox_end(inbox, error);
	if (error == 0) {
		charge->spent = first;
		charge->spent_rows = rows;
	}
	return error;
}

int
inbox_spent_remove(struct inbox *inbox, const struct charge *charge)
{
	struct query q;
	int error;

	if (charge->spent_rows == 0)
		return 0;
	error = inbox_begin(inbox);
	if (error != 0)
		return error;
	query_init(&q, &inbox->db, SQL_SPENT_REMOVE);
	query_integer(&q, 1, charge->spent);
	query_integer(&q, 2, charge->spent + charge->spent_rows - 1);
	return inbox_end(inbox, query_run(&q));
}

int
inbox_spent_expire(struct inbox *inbox, int64_t now_ms)
{
	struct query q;
	int error = inbox_begin(inbox);

	if (error != 0)
		return error;
	query_init(&q, &inbox->db, SQL_SPENT_EXPIRE);
	query_integer(&q, 1, now_ms);
	query_integer(&q, 2, 2 * LIMIT_WINDOW_MAX_MS);
	return inbox_end(inbox, query_run(&q));
}

int
inbox_spent_load(struct inbox *inbox, struct counters *counters)
{
	int64_t now_utc = clock_utc_ms(), now = clock_ms(), after = 0;
	int error = 0;

	while (error == 0) {
		unsigned char key[COUNT_KEY_BYTES];
		int64_t amount, age;
		struct span bytes;
		struct query q;

		query_init(&q, &inbox->db, SQL_SPENT_NEXT);
		query_integer(&q, 1, after);
		error = query_row(&q);
		if (error != 0)
			break;
		after = query_get_integer(&q, 0);
		bytes = query_get_bytes(&q, 2);
		amount = query_get_integer(&q, 3);
		age = now_utc - query_get_integer(&q, 4);
		if (bytes.n == sizeof key && amount >= 0) {
			memcpy(key, bytes.p, sizeof key);
			/* from the future: a clock was set back; as new */
			counters_restore(counters, query_get_bytes(&q, 1), key,
			    (uint64_t)amount, age < 0 ? 0 : age, now);
		} else {
			error = -ERR_CORRUPT;
		}
		query_done(&q);
	}
	return error == -ERR_NOT_FOUND ? 0 : error;
}

static int
put_leak(struct inbox *inbox, int64_t session, struct span key,
    struct span label, uint64_t bytes, uint32_t fields)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_LEAK_PUT);
	query_integer(&q, 1, session);
	query_blob(&q, 2, key.p, key.n);
	query_text(&q, 3, label);
	query_integer(&q, 4, (int64_t)bytes);
	query_integer(&q, 5, fields);
	return query_run(&q);
}

int
inbox_leak_save(struct inbox *inbox, int64_t session, const struct leak *leak,
    const struct count_keys *keys)
{
	int error = inbox_begin(inbox);

	if (error != 0)
		return error;
	error = put_leak(inbox, session, SPAN("session"), SPAN(""), leak->bytes,
	    leak->fields);
	for (uint32_t i = 0; i < keys->destinations && error == 0; i++) {
		const struct leak_row *row =
		    leak_find(leak, keys->destination[i]);

		if (row != NULL)
			error = put_leak(inbox, session,
			    (struct span){
				(const char *)row->key, sizeof row->key},
			    span_of(row->label), row->bytes, row->fields);
	}
	return inbox_end(inbox, error);
}

static void
take_row(struct leak *leak, struct query *q)
{
	struct span key = query_get_bytes(q, 1);
	uint64_t bytes = (uint64_t)query_get_integer(q, 3);
	uint32_t fields = (uint32_t)query_get_integer(q, 4);
	struct leak_row *row = &leak->at[leak->count];

	if (key.n != COUNT_KEY_BYTES) {
		leak->bytes = bytes;
		leak->fields = fields;
		return;
	}
	if (leak->count == LEAK_DESTINATIONS ||
	    span_copy(query_get_bytes(q, 2), row->label, sizeof row->label) !=
		0)
		return;
	memcpy(row->key, key.p, key.n);
	row->bytes = bytes;
	row->fields = fields;
	leak->count++;
}

int
inbox_leak_load(struct inbox *inbox, int64_t session, struct leak *leak)
{
	int64_t after = 0;
	int error;

	*leak = (struct leak){0};
	for (;;) {
		struct query q;

		query_init(&q, &inbox->db, SQL_LEAK_NEXT);
		query_integer(&q, 1, session);
		query_integer(&q, 2, after);
		error = query_row(&q);
		if (error != 0)
			return error == -ERR_NOT_FOUND ? 0 : error;
		after = query_get_integer(&q, 0);
		take_row(leak, &q);
		query_done(&q);
	}
}
