/*
 * The rows of a report's timelines: what a record means, and which of them are
 * told as one. Pure; believes nothing of the records.
 */
#include <stdlib.h>

#include "executor/audit_report.h"

#define ASK_MOST 16   /* rows between a ticket and its decision */
#define JOIN_MOST 512 /* rows between an intent and its outcome */

static enum report_class
class_of_outcome(enum outcome status)
{
	switch (status) {
	case OUTCOME_DONE:
		return CLASS_DONE;
	case OUTCOME_UNKNOWN:
		return CLASS_UNKNOWN;
	default:
		return CLASS_FAILED;
	}
}

static enum report_class
class_of_decision(const struct record *record)
{
	if (record->verdict == VERDICT_ASK)
		return CLASS_ASKED;
	return record->verdict == VERDICT_DENY || record->error != 0
		   ? CLASS_REFUSED
		   : CLASS_OTHER;
}

static enum report_class
class_of_effects(uint32_t effects)
{
	if ((effects & EFFECT_LEAVES) != 0)
		return CLASS_LEFT;
	if ((effects & (EFFECT_CHANGES | EFFECT_DESTROYS)) != 0)
		return CLASS_CHANGED;
	return effects != 0 ? CLASS_READ : CLASS_DONE;
}

enum report_class
report_class_of(const struct record *record)
{
	switch (record->kind) {
	case RECORD_DECISION:
		return class_of_decision(record);
	case RECORD_OUTCOME:
		return class_of_outcome(record->status);
	case RECORD_INTENT:
		return class_of_effects(record->effects);
	case RECORD_CLAIM:
	case RECORD_CLEAN:
		return record->error == 0 ? CLASS_READ : CLASS_FAILED;
	case RECORD_TICKET:
		return CLASS_ASKED;
	case RECORD_DENIAL:
	case RECORD_EXPIRY:
	case RECORD_BLOCKED:
		return CLASS_REFUSED;
	case RECORD_DETECT:
	case RECORD_QUARANTINE:
		return CLASS_SUSPECT;
	case RECORD_HALT:
		return CLASS_HALTED;
	case RECORD_APPROVAL:
	case RECORD_OPERATOR:
	case RECORD_SETTLEMENT:
	case RECORD_TASK:
		return CLASS_PERSON;
	default:
		return CLASS_OTHER;
	}
}

/* What became of an effect is told with it, if it is not long ago. */
static bool
join_outcome(struct report *report, const struct audit_item *item)
{
	const struct record *record = &item->record;

	for (uint64_t back = 1; back <= report->row_total && back <= JOIN_MOST;
	     back++) {
		struct report_row *row =
		    &report->rows[(report->row_total - back) % REPORT_ROWS_MAX];

		if (row->seq != record->intent)
			continue;
		row->outcome = item->place + 1;
		if (record->status != OUTCOME_DONE)
			row->class = report_class_of(record);
		return true;
	}
	return false;
}

/* A call that a person has to approve is a decision and a ticket. */
static bool
is_asked_twice(const struct report *report, const struct audit_item *item)
{
	for (uint64_t back = 1; back <= report->row_total && back <= ASK_MOST;
	     back++) {
		const struct report_row *row =
		    &report->rows[(report->row_total - back) % REPORT_ROWS_MAX];

		if (row->class == CLASS_ASKED &&
		    row->request == item->record.request &&
		    row->session == item->record.session)
			return true;
	}
	return false;
}

/* Whether it is told with a row that there is. */
static bool
is_joined(struct report *report, const struct audit_item *item)
{
	if (item->record.kind == RECORD_OUTCOME)
		return join_outcome(report, item);
	return item->record.request != 0 &&
	       report_class_of(&item->record) == CLASS_ASKED &&
	       is_asked_twice(report, item);
}

void
report_keep(struct report *report, const struct audit_item *item)
{
	struct report_row *row;

	if (report->rows == NULL || is_joined(report, item))
		return;
	row = &report->rows[report->row_total % REPORT_ROWS_MAX];
	*row = (struct report_row){.session = item->record.session,
	    .place = item->place,
	    .seq = record_seq(item->line),
	    .request = item->record.request,
	    .class = report_class_of(&item->record)};
	report->row_total++;
}

static int
compare(const void *a, const void *b)
{
	const struct report_row *left = a, *right = b;

	if (left->session != right->session) /* 0, the service, is last */
		return left->session - 1 < right->session - 1 ? -1 : 1;
	return left->place < right->place ? -1 : left->place > right->place;
}

void
report_sort_rows(struct report *report)
{
	if (report->rows != NULL)
		qsort(report->rows, report_rows(report), sizeof *report->rows,
		    compare);
}

size_t
report_rows(const struct report *report)
{
	return report->row_total < REPORT_ROWS_MAX ? (size_t)report->row_total
						   : REPORT_ROWS_MAX;
}
