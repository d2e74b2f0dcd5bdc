/*
 * The auditor's side towards anchors: starts before they are on disk, heads
 * when they are. One that fails stops nothing but a start that no other took.
 */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "executor/auditor_impl.h"

void
auditor_anchor_start(struct auditor *a, const struct audit_found *found)
{
	struct anchored what = {.lineage = true, .seq = found->lineage_seq};

	if (found->lineage == NULL || a->anchors.count == 0)
		return;
	memcpy(what.hash, found->lineage_hash, SHA256_BYTES);
	memcpy(what.key, found->lineage_key, SIGN_KEY_BYTES);
	auditor_notify_start(a, &what);
	if (anchors_send(&a->anchors, &what, NULL, NULL) == 0)
		die(EXIT_UNAVAILABLE,
		    "no anchor takes the start of the audit (%s): nothing is "
		    "done until one does; mend one of audit.anchors, see above",
		    found->lineage);
}

void
auditor_record_anchor(struct auditor *a, const struct anchor *anchor)
{
	char detail[DETAIL_BYTES];
	struct record record = {.kind = RECORD_ANCHOR,
	    .why = anchor->error == 0 ? SPAN("it takes lines again")
				      : SPAN("it does not take lines"),
	    .error = (uint32_t)-anchor->error};

	(void)snprintf(
	    detail, sizeof detail, "%s %s", anchor->kind->name, anchor->place);
	record.detail = span_of(detail);
	auditor_append(a, &record);
}

static void
on_change(void *context, const struct anchor *anchor)
{
	auditor_record_anchor(context, anchor);
}

/* Those that could not be opened are on record once, with the first head. */
static void
record_shut(struct auditor *a)
{
	for (size_t i = 0; i < a->anchors.count && a->anchored == 0; i++)
		if (a->anchors.row[i].fd < 0 &&
		    a->anchors.row[i].kind->open != NULL)
			auditor_record_anchor(a, &a->anchors.row[i]);
}

void
auditor_anchor_head(struct auditor *a)
{
	struct anchored what = {.lineage = false};

	if (a->anchors.count == 0)
		return;
	what.seq = audit_checkpointed(a->audit, what.hash, what.key);
	if (what.seq == a->anchored)
		return;
	auditor_flush(a, true);
	record_shut(a);
	a->anchored = what.seq;
	(void)anchors_send(&a->anchors, &what, on_change, a);
}
