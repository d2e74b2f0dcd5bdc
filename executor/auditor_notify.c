/*
 * Anchors of kind notify: the auditor orders a line to the operator from the
 * courier that such a capability has, with intent and outcome as any order, so
 * this works only when the log is open and another anchor has taken the start.
 * A capability of an anchor takes no orders of the broker. Records of such a
 * line are no news: it is they which would make the head move for ever.
 */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "executor/auditor_impl.h"

#define MINUTE_MS INT64_C(60000)
#define LATE_MS 30000 /* so long a courier may take to come up */
#define BODY_BYTES (ANCHOR_LINE_MAX + 32)

static bool
is_notify(const struct anchor *anchor)
{
	return anchor->kind->send == NULL;
}

bool
auditor_notifies(const struct auditor *a, uint32_t capability)
{
	for (size_t i = 0; i < a->anchors.count; i++)
		if (is_notify(&a->anchors.row[i]) &&
		    a->anchors.row[i].capability == capability)
			return true;
	return false;
}

void
auditor_notify_start(struct auditor *a, const struct anchored *lineage)
{
	for (size_t i = 0; i < a->anchors.count; i++)
		if (is_notify(&a->anchors.row[i]))
			a->notices[i].lineage = *lineage;
}

/* Of the last checkpoint, the news before it. What came behind it meanwhile
 * may stand in for it: then one line more is sent than would have to be. */
static void
follow_head(struct auditor *a, struct anchored *head)
{
	head->lineage = false;
	head->seq = audit_checkpointed(a->audit, head->hash, head->key);
	if (head->seq == a->head)
		return;
	a->head = head->seq;
	a->head_news = a->news < head->seq ? a->news : head->seq - 1;
}

/* Begins to fail, or takes lines again. */
static void
tell_state(struct auditor *a, struct anchor *anchor, uint32_t error)
{
	bool changed = (anchor->error == 0) != (error == 0);

	anchor->error = -(int)error;
	if (changed)
		auditor_record_anchor(a, anchor);
}

static void
order_line(struct auditor *a, const struct anchor *anchor,
    struct notice *notice, const struct anchored *what)
{
	char line[ANCHOR_LINE_MAX], body[BODY_BYTES];
	struct entry_head entry = {.magic = ORDER_MAGIC,
	    .kind = RECORD_INTENT,
	    .capability = anchor->capability,
	    .order = 1,
	    .committed = 1};
	struct record record = {.kind = RECORD_INTENT,
	    .capability = span_of(anchor->place),
	    .number = anchor->capability,
	    .rule = SPAN("anchor"),
	    .why = SPAN("the audit tells its operator where it is"),
	    .body = entry.body_hash};

	anchor_write_line(what, line);
	entry.body_bytes =
	    (uint32_t)snprintf(body, sizeof body, "{\"text\":\"%s\"}", line);
	entry.bytes = record.bytes = entry.body_bytes;
	sha256_of(body, entry.body_bytes, entry.body_hash);
	record.detail = span_of(line);
	notice->sent = *what;
	a->own = true;
	notice->intent =
	    orders_take(a, &entry, &record, (struct span){0}, body);
	a->own = false;
}

static void
notify(struct auditor *a, size_t row, const struct anchored *head, int64_t now)
{
	struct anchor *anchor = &a->anchors.row[row];
	struct notice *notice = &a->notices[row];
	const struct anchored *what = notice->lineage.seq != 0
					  ? &notice->lineage
				      : a->head_news > notice->head ? head
								    : NULL;

	if (what == NULL || notice->intent != 0 || now < notice->due_ms)
		return;
	if (a->lines[a->plan->courier_of[anchor->capability]].up) {
		if (!orders_are_high(a))
			order_line(a, anchor, notice, what);
		return;
	}
	if (now >= notice->due_ms + LATE_MS)
		tell_state(a, anchor, ERR_UNAVAILABLE);
}

void
auditor_notify(struct auditor *a)
{
	struct anchored head;
	int64_t now = clock_ms();

	if (a->stopping || a->orphaned)
		return;
	follow_head(a, &head);
	for (size_t i = 0; i < a->anchors.count; i++) {
		if (!is_notify(&a->anchors.row[i]))
			continue;
		if (a->notices[i].due_ms == 0)
			a->notices[i].due_ms = now;
		notify(a, i, &head, now);
	}
}

int64_t
auditor_notify_due(const struct auditor *a)
{
	int64_t now = clock_ms(), due = 0, at;

	for (size_t i = 0; i < a->anchors.count; i++) {
		if (!is_notify(&a->anchors.row[i]) || a->notices[i].intent != 0)
			continue;
		at = a->notices[i].due_ms;
		at = now < at ? at : at + LATE_MS;
		if (now < at && (due == 0 || at < due))
			due = at;
	}
	return due;
}

void
auditor_notified(struct auditor *a, uint64_t intent, uint32_t error)
{
	for (size_t i = 0; i < a->anchors.count; i++) {
		struct anchor *anchor = &a->anchors.row[i];
		struct notice *notice = &a->notices[i];

		if (!is_notify(anchor) || notice->intent != intent)
			continue;
		notice->intent = 0;
		notice->due_ms =
		    clock_ms() + (int64_t)anchor->minutes * MINUTE_MS;
		if (error == 0 && notice->sent.lineage)
			notice->lineage.seq = 0;
		else if (error == 0)
			notice->head = notice->sent.seq;
		tell_state(a, anchor, error);
	}
}
