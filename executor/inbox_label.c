/*
 * Labels: which legs the sessions had that wrote to a place. They outlive
 * sessions, so that what is kept outside gives back what it carries. Runs in
 * the broker; a place is a kind's name for where bytes are kept.
 */
#include "common/err.h"
#include "executor/inbox_item.h"

static int
label_one(
    struct inbox *inbox, enum inbox_sql sql, struct span place, int64_t *out)
{
	struct query q;

	query_init(&q, &inbox->db, sql);
	if (place.n != 0)
		query_text(&q, 1, place);
	return query_one(&q, out);
}

static int
add(struct inbox *inbox, struct span place, unsigned legs)
{
	int64_t has = 0, count = 0;
	struct query q;
	int error = label_one(inbox, SQL_LABEL_HAS, place, &has);

	if (error == -ERR_NOT_FOUND) {
		error =
		    label_one(inbox, SQL_LABEL_COUNT, (struct span){0}, &count);
		if (error == 0 && count >= INBOX_LABELS_MAX)
			error = -ERR_QUOTA;
	}
	if (error != 0)
		return error;
	query_init(&q, &inbox->db, SQL_LABEL_ADD);
	query_text(&q, 1, place);
	query_integer(&q, 2, legs);
	return query_run(&q);
}

int
inbox_label_add(struct inbox *inbox, struct span place, unsigned legs)
{
	int64_t has = 0;
	int error;

	if (legs == 0 || (legs & ~INBOX_LEGS_ALL) != 0 || place.n == 0)
		return legs == 0 ? 0 : -ERR_RANGE;
	error = label_one(inbox, SQL_LABEL_HAS, place, &has);
	if (error == 0 && ((unsigned)has & legs) == legs)
		return 0;
	if (error != 0 && error != -ERR_NOT_FOUND)
		return error;
	error = inbox_begin(inbox);
	if (error != 0)
		return error;
	return inbox_end(inbox, add(inbox, place, legs));
}

int
inbox_label_get(struct inbox *inbox, struct span place, unsigned *legs_out)
{
	int64_t legs = 0;
	int error = label_one(inbox, SQL_LABEL_GET, place, &legs);

	if (error == 0)
		*legs_out = (unsigned)legs & INBOX_LEGS_ALL;
	return error;
}
