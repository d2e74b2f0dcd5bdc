/*
 * Rules that "don't ask again" made, in the inbox's database. Runs in the
 * broker; what they allow is the matter of decide().
 */
#include <string.h>

#include "common/err.h"
#include "executor/inbox_item.h"
#include "executor/ticket.h"

void
again_done(struct again_row *row)
{
	buf_free(&row->arguments);
}

static int
insert(struct inbox *inbox, const struct again_row *row)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_AGAIN_ADD);
	query_integer(&q, 1, row->ticket);
	query_text(&q, 2, span_of(row->zone));
	query_text(&q, 3, span_of(row->capability));
	query_blob(&q, 4, row->arguments.data, row->arguments.len);
	query_text(&q, 5, span_of(row->rule));
	query_integer(&q, 6, row->any_content);
	query_integer(&q, 7, row->made_ms);
	query_integer(&q, 8, row->expires_ms);
	query_blob(&q, 9, row->is, sizeof row->is);
	return query_run(&q);
}

int
again_add(struct inbox *inbox, struct again_row *row)
{
	struct query q;
	int64_t count;
	int rc;

	query_init(&q, &inbox->db, SQL_AGAIN_COUNT);
	rc = query_one(&q, &count);
	if (rc == 0 && count >= AGAIN_RULES_MAX)
		rc = -ERR_QUOTA;
	if (rc == 0)
		rc = inbox_begin(inbox);
	if (rc != 0)
		return rc;
	rc = insert(inbox, row);
	if (rc == 0)
		row->id = sqlite3_last_insert_rowid(inbox->db.handle);
	return inbox_end(inbox, rc);
}

static int
take_row(struct query *q, struct again_row *out)
{
	struct span arguments = query_get_bytes(q, 4),
		    is = query_get_bytes(q, 9);

	out->id = query_get_integer(q, 0);
	out->ticket = query_get_integer(q, 1);
	out->any_content = query_get_integer(q, 6) != 0;
	out->made_ms = query_get_integer(q, 7);
	out->expires_ms = query_get_integer(q, 8);
	if (span_copy(query_get_bytes(q, 2), out->zone, sizeof out->zone) !=
		0 ||
	    span_copy(query_get_bytes(q, 3), out->capability,
		sizeof out->capability) != 0 ||
	    span_copy(query_get_bytes(q, 5), out->rule, sizeof out->rule) !=
		0 ||
	    buf_add(&out->arguments, arguments.p, arguments.n) != 0 ||
	    is.n != sizeof out->is)
		return -ERR_CORRUPT;
	memcpy(out->is, is.p, sizeof out->is);
	return 0;
}

int
again_check(const char *rule, size_t count)
{
	if (strcmp(rule, "limit") == 0 || strcmp(rule, "outbound") == 0 ||
	    strcmp(rule, "leak") == 0)
		return -ERR_RANGE;
	return count >= AGAIN_RULES_MAX ? -ERR_QUOTA : 0;
}

int
again_next(struct inbox *inbox, int64_t after, struct again_row *out)
{
	struct query q;
	int rc;

	*out = (struct again_row){0};
	buf_init(&out->arguments, FRAME_MAX_BYTES);
	query_init(&q, &inbox->db, SQL_AGAIN_NEXT);
	query_integer(&q, 1, after);
	rc = query_row(&q);
	if (rc != 0)
		return rc;
	rc = take_row(&q, out);
	query_done(&q);
	if (rc != 0)
		again_done(out);
	return rc;
}

int
again_remove(struct inbox *inbox, int64_t id)
{
	int rc = inbox_begin(inbox);
	struct query q;

	if (rc != 0)
		return rc;
	query_init(&q, &inbox->db, SQL_AGAIN_REMOVE);
	query_integer(&q, 1, id);
	return inbox_end(inbox, query_one(&q, &id));
}
