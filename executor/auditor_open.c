/*
 * The auditor's start: the log, what it finds in it, the store of decision
 * inputs; and its end when one of them cannot be written. The parent starts
 * another one then, again and again, so a start that fails leaves the log as
 * it was, and asks for nothing that only the first one can have.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/auditor_impl.h"

#define KEY_MS 1000 /* it is in the pipe already */

_Noreturn void
auditor_unwritten(const struct auditor *a, int error, const char *what)
{
	/* a log whose file was taken away is no matter of waiting */
	bool storage = err_is_storage(error);

	if (storage)
		(void)control_try_number(
		    FD_CONTROL, CONTROL_UNWRITTEN, 0, (uint64_t)-error);
	if (storage && a->begin.quiet)
		exit(EXIT_STORAGE);
	die(storage ? EXIT_STORAGE : EXIT_SYSTEM,
	    "the audit cannot be written (%s): nothing is done until it can; "
	    "see doctor",
	    what == NULL ? err_text(error) : what);
}

/* An intent from before this start has no outcome: say so, once. */
static int
on_unfinished(const struct record *intent, uint64_t sequence, void *context)
{
	struct auditor *a = context;
	struct record record = *intent;

	record.kind = RECORD_OUTCOME;
	record.intent = sequence;
	record.status = OUTCOME_UNKNOWN;
	record.error = ERR_UNKNOWN_OUTCOME;
	record.bytes = 0;
	record.detail = SPAN("found without an outcome at start");
	auditor_append(a, &record);
	return 0;
}

static void
put_key(const struct auditor *a, struct inputs_key *key)
{
	int rc = write_all(a->keys[1], key, sizeof *key, KEY_MS);

	wipe(key, sizeof *key);
	if (rc != 0)
		die(EXIT_SYSTEM, "the next key of decision inputs is not kept");
}

static void
take_key(const struct auditor *a, struct inputs_key *key)
{
	if (read_all(a->keys[0], key, sizeof *key, KEY_MS) != 0 ||
	    key->wrapped_bytes > INPUTS_WRAPPED_MAX)
		die(EXIT_SYSTEM, "no key for decision inputs");
}

/* The pipe always has the key behind the current one, which does not open a
 * row that is written. */
static void
leave_next_key(struct auditor *a)
{
	static struct inputs_key next;

	a->key_steps = inputs_steps(a->inputs);
	inputs_next_key(a->inputs, &next);
	put_key(a, &next);
}

void
auditor_keep_key(struct auditor *a)
{
	static struct inputs_key old;

	if (a->key_steps == inputs_steps(a->inputs))
		return;
	take_key(a, &old);
	wipe(&old, sizeof old);
	leave_next_key(a);
}

static void
open_inputs(struct auditor *a, const char *folder, uint64_t last_record,
    struct span text, int fd)
{
	static struct inputs_key key, unused;
	struct audit_problem problem;
	struct inputs_limits limits;
	int rc;

	if (text.n != sizeof limits)
		bug("limits of decision inputs");
	memcpy(&limits, text.p, sizeof limits);
	a->keys[0] = fd;
	a->keys[1] = fd + 1;
	take_key(a, &key);
	unused = key;
	rc = inputs_open(
	    folder, &key, &limits, last_record, &a->inputs, &problem);
	if (rc != 0) {
		put_key(a, &unused);
		if (err_is_storage(rc))
			auditor_unwritten(a, rc, problem.text);
		die(EXIT_SYSTEM, "decision inputs: %s", problem.text);
	}
	wipe(&unused, sizeof unused);
	leave_next_key(a);
}

/* Gives the last record that was there. */
static uint64_t
open_log(struct auditor *a, const char *folder)
{
	struct audit_problem problem;
	struct audit_found found;
	int rc = audit_open(folder, NULL, &a->audit, &found, &problem);

	if (err_is_storage(rc))
		auditor_unwritten(a, rc, problem.text);
	if (rc != 0)
		die(EXIT_SYSTEM, "audit: %s", problem.text);
	auditor_anchor_start(a, &found);
	rc = audit_unfinished(a->audit, on_unfinished, a);
	if (err_is_storage(rc))
		auditor_unwritten(a, rc, NULL);
	if (rc != 0)
		die(EXIT_SYSTEM, "audit: open intents cannot be read");
	return found.last;
}

void
auditor_open(struct auditor *a, struct span *texts, size_t count)
{
	char folder[4096];
	uint64_t last_record;
	int fd;

	if (count < 4 || texts[1].n != sizeof *a->plan ||
	    texts[2].n != sizeof a->begin ||
	    span_copy(texts[0], folder, sizeof folder) != 0)
		bug("auditor start texts");
	a->plan = (const struct plan *)(const void *)alloc_text(
	    texts[1].p, texts[1].n);
	a->open = alloc_array(OPEN_MAX, sizeof *a->open);
	fd = FD_ORDERS + (int)a->plan->couriers;
	fd += (int)anchors_read(&a->anchors, texts[3], fd);
	memcpy(&a->begin, texts[2].p, sizeof a->begin);
	last_record = open_log(a, folder);
	if (count == 5)
		open_inputs(a, folder, last_record, texts[4], fd);
}
