/*
 * The auditor tells the broker how the log is, for whoever looks after the
 * service. Nothing depends on it: what does not fit into the pipe is told
 * later, as it is then.
 */
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "executor/auditor_impl.h"

#define TELL_MS 1000
#define MEASURE_MS 60000 /* between two looks at folder and file system */

_Static_assert(HEALTH_ANCHORS_MAX == ANCHORS_MAX, "anchors of a health");

/* When the last checkpoint was made; looked at after each batch. */
static void
note_checkpoint(struct auditor *a)
{
	unsigned char hash[SHA256_BYTES], key[SIGN_KEY_BYTES];
	uint64_t seq = audit_checkpointed(a->audit, hash, key);

	if (seq != a->health.checkpoint)
		a->health.checkpoint_ms = clock_utc_ms();
	a->health.checkpoint = seq;
}

static bool
is_told(const struct auditor *a)
{
	struct audit_state now;

	audit_state(a->audit, &now);
	return a->health.at_ms != 0 && now.records == a->health.state.records &&
	       clock_ms() < a->health.measured_ms + MEASURE_MS;
}

int64_t
auditor_health_due(const struct auditor *a)
{
	if (a->begin.alone)
		return INT64_MAX;
	return is_told(a) ? a->health.measured_ms + MEASURE_MS
			  : a->health.at_ms + TELL_MS;
}

static void
tell(struct auditor *a)
{
	struct {
		struct receipt_head head;
		struct audit_health health;
	} out;
	const struct audit_state *state = &a->health.state;

	memset(&out, 0, sizeof out);
	out.head.magic = ORDER_MAGIC;
	out.head.what = RECEIPT_HEALTH;
	out.health.records = state->records;
	out.health.written = state->records - a->health.first;
	out.health.intents = state->intents;
	out.health.log_bytes = state->log_bytes;
	out.health.free_bytes = state->free_bytes;
	out.health.checkpoint_ms = a->health.checkpoint_ms;
	out.health.anchors = (uint32_t)a->anchors.count;
	for (size_t i = 0; i < a->anchors.count; i++)
		out.health.anchor_errors[i] =
		    (uint32_t)-a->anchors.row[i].error;
	/* a pipe takes as few bytes as these whole or not at all */
	if (write(FD_RECEIPTS, &out, sizeof out) < 0)
		a->health.state.records = 0; /* and then it is told again */
}

void
auditor_tell_health(struct auditor *a)
{
	int64_t now = clock_ms();

	if (a->begin.alone)
		return;
	note_checkpoint(a);
	if (is_told(a) || now < a->health.at_ms + TELL_MS ||
	    a->receipts.len != 0)
		return;
	if (a->health.at_ms == 0 || now >= a->health.measured_ms + MEASURE_MS) {
		audit_measure(a->audit, &a->health.state);
		a->health.measured_ms = now;
	}
	audit_state(a->audit, &a->health.state);
	a->health.at_ms = now;
	tell(a);
}
