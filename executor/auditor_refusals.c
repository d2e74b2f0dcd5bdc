/*
 * The auditor's second source: who listens for blocked packets. Nothing but
 * records of kind `blocked` is taken from it, and so many a second; beyond
 * that it has to wait, and counts what it leaves out. One that sends anything
 * else is killed by the parent, and the log goes on without it.
 */
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/auditor_impl.h"

#define SECOND_MS 1000
#define PER_SECOND 40 /* of all accounts; each has its own share there */
#define BODY_MAX ENTRY_DETAIL_MAX
#define DESTINATION_MOST 512u /* a name and a port, before they were cut */

void
auditor_refusals_open(struct auditor *a)
{
	set_nonblocking((const int[]){FD_REFUSALS}, 1);
	inflow_init(
	    &a->refusals.in, FD_REFUSALS, sizeof(struct entry_head), BODY_MAX);
}

static bool
is_full(const struct auditor *a)
{
	return a->refusals.taken >= PER_SECOND &&
	       clock_ms() < a->refusals.since_ms + SECOND_MS;
}

bool
auditor_refusals_heard(const struct auditor *a)
{
	return !a->stopping && !a->refusals.deaf && !is_full(a);
}

int64_t
auditor_refusals_due(const struct auditor *a)
{
	if (a->stopping || a->refusals.deaf || !is_full(a))
		return 0;
	return a->refusals.since_ms + SECOND_MS;
}

/* Only these members of a blocked record may be anything. */
static bool
is_sound(const struct entry_head *entry)
{
	return entry->kind == RECORD_BLOCKED && entry->order == 0 &&
	       entry->receipt == 0 && entry->intent == 0 &&
	       entry->session == 0 && entry->request == 0 &&
	       entry->message == 0 && entry->grant == 0 && entry->bytes == 0 &&
	       entry->committed == 0 && entry->error == 0 &&
	       entry->name_bytes == 0 && entry->inputs_bytes == 0 &&
	       entry->body_bytes == 0 &&
	       entry->destination_full <= DESTINATION_MOST &&
	       entry->capability == NO_CAPABILITY;
}

static void
take(struct auditor *a, const struct entry_head *entry, const char *detail)
{
	struct record record = {.kind = RECORD_BLOCKED,
	    .number = NO_CAPABILITY,
	    .destination =
		text_of(entry->destination, sizeof entry->destination),
	    .destination_bytes = entry->destination_full,
	    .why = text_of(entry->why, sizeof entry->why),
	    .detail = {detail, entry->detail_bytes}};
	int64_t now = clock_ms();

	if (now >= a->refusals.since_ms + SECOND_MS) {
		a->refusals.since_ms = now;
		a->refusals.taken = 0;
	}
	a->refusals.taken++;
	auditor_append(a, &record);
}

static void
refuse(struct auditor *a)
{
	log_event(LOG_ERROR, "listener-lies",
	    "reason=it wants on record what is no blocked packet");
	a->refusals.deaf = true;
	inflow_reset(&a->refusals.in);
	if (control_try_number(FD_CONTROL, CONTROL_LISTENER, 0, 0) != 0)
		die(EXIT_UNAVAILABLE, "the parent does not listen");
}

/* What was read; up to the second's share unless `all`. */
static void
take_all(struct auditor *a, bool all)
{
	struct entry_head entry;
	const char *behind;
	int next = 0;

	while ((all || !is_full(a)) &&
	       (next = inflow_next(&a->refusals.in, auditor_entry_length,
		    &entry, &behind)) == 1) {
		if (!is_sound(&entry)) {
			refuse(a);
			return;
		}
		take(a, &entry, behind);
	}
	if (next < 0)
		refuse(a);
}

void
auditor_refusals_take(struct auditor *a, bool more)
{
	if (!auditor_refusals_heard(a))
		return;
	if (more && inflow_read(&a->refusals.in) < 0)
		a->refusals.deaf = true; /* the parent is gone, and it too */
	take_all(a, false);
}

void
auditor_refusals_end(struct auditor *a)
{
	if (!a->refusals.deaf && inflow_read(&a->refusals.in) >= 0)
		take_all(a, true);
	inflow_reset(&a->refusals.in);
	a->refusals.deaf = false;
}
