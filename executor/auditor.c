/*
 * Auditor: the only writer of the log. It believes the parent about which
 * courier serves which capability, and the broker about nothing: every order
 * is on disk before it leaves, and goes only to the courier that the plan
 * names. Bodies are opaque here. It decides nothing and talks to no zone. What
 * passes between it and couriers is in auditor_orders.c.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/auditor_impl.h"

#define SYNC_MS 200	/* how long a mere record may wait for its sync */
#define RETAIN_MS 60000 /* between two looks at the log's size and age */
#define RETAIN_MORE_MS 100
#define STOP_MS 10000 /* waiting for outcomes at the end */

struct span
text_of(const char *text, size_t room)
{
	const char *end = memchr(text, '\0', room);

	return (struct span){text, end == NULL ? room : (size_t)(end - text)};
}

void
auditor_flush(struct auditor *a, bool sync)
{
	int rc = a->inputs == NULL ? 0 : inputs_flush(a->inputs, false);

	if (rc != 0)
		auditor_unwritten(a, rc, INPUTS_UNWRITTEN);
	rc = audit_flush(a->audit, sync);
	if (rc != 0)
		auditor_unwritten(a, rc, NULL);
	if (sync)
		a->sync_at_ms = 0;
}

uint64_t
auditor_append(struct auditor *a, const struct record *record)
{
	uint64_t sequence;
	int rc = audit_append(a->audit, record, &sequence, a->last_hash);

	if (err_is_storage(rc))
		auditor_unwritten(a, rc, NULL);
	if (rc != 0)
		die(EXIT_SYSTEM, "audit record refused: %s", err_text(rc));
	if (a->sync_at_ms == 0)
		a->sync_at_ms = clock_ms() + SYNC_MS;
	if (!a->own)
		a->news = sequence;
	return sequence;
}

uint64_t
auditor_append_decision(
    struct auditor *a, struct record *record, struct span inputs)
{
	struct inputs_draft draft;
	uint64_t sequence;
	int rc;

	if (inputs.n == 0)
		return auditor_append(a, record);
	inputs_draft(inputs, &draft);
	record->inputs = draft.reference;
	sequence = auditor_append(a, record);
	record->inputs = NULL;
	rc = inputs_add(
	    a->inputs, sequence, (uint64_t)clock_utc_ms(), inputs, &draft);
	if (rc != 0)
		auditor_unwritten(a, rc, INPUTS_UNWRITTEN);
	auditor_keep_key(a);
	return sequence;
}

size_t
auditor_entry_length(const void *head)
{
	const struct entry_head *entry = head;

	if (entry->name_bytes > ENTRY_NAME_MAX ||
	    entry->detail_bytes > ENTRY_DETAIL_MAX ||
	    entry->inputs_bytes > ENTRY_INPUTS_MAX ||
	    entry->body_bytes > ORDER_BODY_MAX)
		return SIZE_MAX;
	return (size_t)entry->name_bytes + entry->detail_bytes +
	       entry->inputs_bytes + entry->body_bytes;
}

/* Whether the log has room for its numbers, and its kind for a commitment;
 * what only the auditor says is not taken from the broker. */
static bool
entry_is_sound(const struct entry_head *entry)
{
	if (entry->kind >= RECORD_KIND_COUNT || entry->kind == RECORD_OUTCOME ||
	    entry->kind == RECORD_START || entry->kind == RECORD_STOP ||
	    entry->kind == RECORD_ATTEST || entry->kind == RECORD_DAMAGE ||
	    entry->kind == RECORD_ANCHOR || entry->kind == RECORD_REMOVAL ||
	    entry->kind == RECORD_LINEAGE || entry->kind == RECORD_CHECKPOINT ||
	    entry->kind == RECORD_BLOCKED)
		return false;
	if (entry->committed != 0 &&
	    !record_commits((enum record_kind)entry->kind))
		return false;
	if ((entry->kind == RECORD_SETTLEMENT) != (entry->intent != 0))
		return false;
	if (entry->inputs_bytes != 0 && entry->kind != RECORD_DECISION &&
	    entry->kind != RECORD_INTENT)
		return false;
	return entry->verdict < VERDICT_COUNT &&
	       entry->status < OUTCOME_COUNT &&
	       entry->request <= RECORD_NUMBER_MAX &&
	       entry->session <= RECORD_NUMBER_MAX &&
	       entry->message <= RECORD_NUMBER_MAX &&
	       entry->grant <= RECORD_NUMBER_MAX &&
	       entry->bytes <= RECORD_NUMBER_MAX;
}

/* Only what is unknown is settled, and once. */
static bool
settles_well(const struct auditor *a, const struct entry_head *entry)
{
	return entry->kind != RECORD_SETTLEMENT ||
	       (audit_is_unsettled(a->audit, entry->intent) &&
		   (entry->status == OUTCOME_DONE ||
		       entry->status == OUTCOME_FAILED));
}

/* Whether an entry that wants something done may be believed to be one. */
static bool
order_is_sound(
    const struct auditor *a, const struct entry_head *entry, const char *body)
{
	unsigned char hash[SHA256_BYTES];

	if (entry->order == 0)
		return entry->body_bytes == 0;
	if (entry->kind != RECORD_INTENT || entry->committed == 0 ||
	    entry->capability >= POLICY_MAX_CAPABILITIES ||
	    a->plan->courier_of[entry->capability] >= a->plan->couriers ||
	    auditor_notifies(a, entry->capability))
		return false;
	sha256_of(body, entry->body_bytes, hash);
	return memcmp(hash, entry->body_hash, sizeof hash) == 0;
}

static void
note_receipt(struct auditor *a, uint64_t number, uint64_t sequence)
{
	struct receipt_head receipt = {
	    .magic = ORDER_MAGIC, .number = number, .sequence = sequence};

	if (number == 0)
		return;
	memcpy(receipt.hash, a->last_hash, sizeof receipt.hash);
	if (buf_add(&a->receipts, &receipt, sizeof receipt) != 0)
		die(EXIT_UNAVAILABLE, "the broker takes no receipts");
	a->must_sync = true;
}

/* The batch is on disk, and so is all that a receipt is held of. What the
 * broker does not take now it gets later. */
static void
release_receipts(struct auditor *a)
{
	ssize_t put;

	if (a->receipts.len == 0)
		return;
	put = write(FD_RECEIPTS, a->receipts.data, a->receipts.len);
	if (put > 0)
		buf_consume(&a->receipts, (size_t)put);
}

static void
take_entry(
    struct auditor *a, const struct entry_head *entry, const char *behind)
{
	const char *detail = behind + entry->name_bytes;
	struct span inputs = {
	    detail + entry->detail_bytes, entry->inputs_bytes};
	const char *body = inputs.p + inputs.n;
	struct record record = {
	    .kind = (enum record_kind)entry->kind,
	    .intent = entry->intent,
	    .request = entry->request,
	    .session = entry->session,
	    .zone = text_of(entry->zone, sizeof entry->zone),
	    .capability = {behind, entry->name_bytes},
	    .capability_bytes = entry->name_full,
	    .number = entry->capability,
	    .effects = entry->effects,
	    .destination =
		text_of(entry->destination, sizeof entry->destination),
	    .destination_bytes = entry->destination_full,
	    .verdict = (enum verdict)entry->verdict,
	    .status = (enum outcome)entry->status,
	    .rule = text_of(entry->rule, sizeof entry->rule),
	    .why = text_of(entry->why, sizeof entry->why),
	    .error = entry->error,
	    .message = entry->message,
	    .grant = entry->grant,
	    .bytes = entry->bytes,
	    .detail = entry->detail_bytes != 0
			  ? (struct span){detail, entry->detail_bytes}
			  : text_of(entry->detail, sizeof entry->detail),
	    .body = entry->committed != 0 ? entry->body_hash : NULL,
	};

	if (!entry_is_sound(entry) || (inputs.n != 0 && a->inputs == NULL) ||
	    (entry->kind == RECORD_INTENT) != (entry->order == 1) ||
	    !order_is_sound(a, entry, body) || !settles_well(a, entry))
		die(EXIT_BUG,
		    "the broker sent an entry that cannot be: kind "
		    "%u, order %u",
		    entry->kind, entry->order);
	if (entry->grant != 0 && entry->order == 1 &&
	    audit_granted(a->audit, entry->grant))
		die(EXIT_BUG,
		    "the broker sent a second intent with grant %llu: each is "
		    "good for one",
		    (unsigned long long)entry->grant);
	if (entry->order == 1)
		orders_take(a, entry, &record, inputs, body);
	else
		note_receipt(a, entry->receipt,
		    auditor_append_decision(a, &record, inputs));
}

static void
take_entries(struct auditor *a)
{
	struct entry_head entry;
	const char *behind;
	int rc = inflow_read(&a->entries), next;

	while ((next = inflow_next(
		    &a->entries, auditor_entry_length, &entry, &behind)) == 1)
		take_entry(a, &entry, behind);
	if (next < 0)
		die(EXIT_BUG, "the broker sent what is no entry");
	if (rc < 0 && !a->stopping) {
		a->stopping = true;
		a->stop_at_ms = clock_ms() + STOP_MS;
	}
}

/* One segment at a time, so that orders do not wait for the rest. */
static void
retain(struct auditor *a)
{
	int rc;

	if (clock_ms() < a->retain_ms ||
	    (a->begin.keep.bytes == 0 && a->begin.keep.ms == 0))
		return;
	rc = audit_retain(a->audit, &a->begin.keep);
	if (audit_dead(a->audit))
		auditor_unwritten(a, rc, NULL);
	if (rc < 0)
		log_event(
		    LOG_ERROR, "retention-failed", "error=%s", err_text(rc));
	a->retain_ms = clock_ms() + (rc == 1 ? RETAIN_MORE_MS : RETAIN_MS);
}

static void
end_batch(struct auditor *a)
{
	int64_t now = clock_ms(), due = audit_checkpoint_due(a->audit);
	bool sync =
	    a->must_sync || (a->sync_at_ms != 0 && now >= a->sync_at_ms);
	int rc =
	    due != 0 && now >= due ? audit_checkpoint(a->audit, "time") : 0;

	if (rc != 0)
		auditor_unwritten(a, rc, NULL);
	auditor_notify(a);
	auditor_flush(a, sync || a->must_sync);
	a->must_sync = false;
	orders_release(a);
	auditor_tell_unknown(a);
	release_receipts(a);
	auditor_anchor_head(a);
	retain(a);
	auditor_tell_health(a);
}

/* How a process of the service is locked. */
static void
record_attestation(
    struct auditor *a, enum record_kind kind, const struct lock_report *report)
{
	struct record record = {.kind = kind};
	struct buf text;

	buf_init(&text, LOCK_ATTESTATION_BYTES);
	lock_report_write(report, &text);
	record.detail = (struct span){text.data, text.len};
	auditor_append(a, &record);
	buf_free(&text);
}

/* What the parent itself did, or was refused to do. */
static void
record_of_parent(struct auditor *a, const struct control *control)
{
	struct record record = {
	    .kind = (enum record_kind)control->number, .error = control->error};
	const char *end;
	struct buf text;

	buf_init(&text, CONTROL_TEXT_MAX);
	if (control_text(FD_CONTROL, control, &text) != 0)
		die(EXIT_UNAVAILABLE, "the parent is gone");
	if (control->number != RECORD_CONFIG &&
	    control->number != RECORD_RELOAD)
		bug("the parent wants a record of kind %llu",
		    (unsigned long long)control->number);
	record.why = (struct span){text.data, text.len};
	end = text.len == 0 ? NULL : memchr(text.data, '\n', text.len);
	if (end == NULL)
		bug("a record of the parent without a detail");
	record.why.n = (size_t)(end - text.data);
	record.detail = (struct span){end + 1, text.len - record.why.n - 1};
	auditor_append(a, &record);
	buf_free(&text);
}

/* The broker asks, by way of the parent, whether an order left. */
static void
tell_granted(struct auditor *a, uint64_t grant)
{
	if (control_try_number(FD_CONTROL, CONTROL_GRANT,
		audit_granted(a->audit, grant), grant) != 0)
		die(EXIT_UNAVAILABLE, "the parent does not listen");
}

/* All that the parent has said; false when it is gone. */
static bool
take_control(struct auditor *a)
{
	struct control record;
	int rc;

	while ((rc = control_receive(FD_CONTROL, &record)) == 1) {
		if (record.what == CONTROL_GRANT) {
			tell_granted(a, record.number);
			continue;
		}
		if (record.what == CONTROL_RECORD) {
			record_of_parent(a, &record);
			continue;
		}
		if (record.what == CONTROL_LISTENER) {
			auditor_refusals_end(a);
			continue;
		}
		if (record.what != CONTROL_ATTEST &&
		    record.courier >= a->plan->couriers)
			bug("control record names courier %u", record.courier);
		if (record.what == CONTROL_ATTEST)
			record_attestation(a, RECORD_ATTEST, &record.report);
		if (record.what == CONTROL_DOWN)
			orders_down(a, record.courier);
		if (record.what == CONTROL_UP) {
			a->lines[record.courier].up = true;
			a->lines[record.courier].deaf = false;
			a->lines[record.courier].stuck_told = false;
		}
	}
	return rc >= 0;
}

static int
poll_timeout(const struct auditor *a)
{
	int64_t now = clock_ms(), until = now + OUTCOME_MS;
	int64_t due = audit_checkpoint_due(a->audit);
	int64_t health = auditor_health_due(a);

	if (health < until)
		until = health;
	if (due != 0 && due < until)
		until = due;
	if (a->retain_ms != 0 && a->retain_ms < until)
		until = a->retain_ms;
	due = auditor_refusals_due(a);
	if (due != 0 && due < until)
		until = due;
	due = auditor_notify_due(a);
	if (due != 0 && due < until)
		until = due;
	if (a->sync_at_ms != 0 && a->sync_at_ms < until)
		until = a->sync_at_ms;
	if (a->stop_at_ms != 0 && a->stop_at_ms < until)
		until = a->stop_at_ms;
	if (a->open_count != 0 && until > now + 1000)
		until = now + 1000; /* look for stuck couriers */
	return until > now ? (int)(until - now) : 0;
}

static bool
is_over(const struct auditor *a)
{
	if (a->stopping && a->open_count == 0)
		return true;
	return a->stop_at_ms != 0 && clock_ms() >= a->stop_at_ms;
}

enum { FIRST_LINE = 4 }; /* behind parent, entries, receipts, refusals */

static nfds_t
set_watches(const struct auditor *a, struct pollfd *watch)
{
	nfds_t count = FIRST_LINE;

	watch[0] = (struct pollfd){
	    .fd = a->orphaned ? -1 : FD_CONTROL, .events = POLLIN};
	watch[1] = (struct pollfd){
	    .fd = a->stopping || orders_are_high(a) ? -1 : FD_ENTRIES,
	    .events = POLLIN};
	watch[2] = (struct pollfd){
	    .fd = a->stopping || a->receipts.len == 0 ? -1 : FD_RECEIPTS,
	    .events = POLLOUT};
	watch[3] =
	    (struct pollfd){.fd = auditor_refusals_heard(a) ? FD_REFUSALS : -1,
		.events = POLLIN};
	for (uint32_t i = 0; i < a->plan->couriers; i++)
		watch[count++] = (struct pollfd){
		    .fd = a->lines[i].deaf ? -1 : FD_ORDERS + (int)i,
		    .events =
			a->lines[i].out.len == 0 ? POLLIN : POLLIN | POLLOUT};
	return count;
}

/* One round of waiting and work; false when it is time to end. */
static bool
serve_once(struct auditor *a)
{
	struct pollfd watch[FIRST_LINE + COURIERS_MAX];
	nfds_t count = set_watches(a, watch);

	if (poll(watch, count, poll_timeout(a)) < 0) {
		if (errno == EINTR)
			return true;
		die_errno("poll");
	}
	/* first, and whatever poll saw: an order for a courier comes after the
	 * word that it is up */
	if (!a->orphaned && !take_control(a)) {
		a->orphaned = true; /* the broker will end too */
		a->stop_at_ms = clock_ms() + STOP_MS;
	}
	if (watch[1].revents != 0)
		take_entries(a);
	auditor_refusals_take(a, watch[3].revents != 0);
	for (uint32_t i = 0; i < a->plan->couriers; i++) {
		if ((watch[FIRST_LINE + i].revents & ~POLLOUT) != 0)
			orders_hear(a, i);
		if ((watch[FIRST_LINE + i].revents & POLLOUT) != 0)
			orders_write(a, i);
	}
	end_batch(a);
	orders_tell_stuck(a);
	return !is_over(a);
}

static void
end_service(struct auditor *a)
{
	struct record stop = {
	    .kind = RECORD_STOP, .why = SPAN("end of service")};
	int rc;

	orders_end(a);
	auditor_append(a, &stop);
	rc = audit_checkpoint(a->audit, "end");
	if (rc != 0)
		auditor_unwritten(a, rc, NULL);
	auditor_flush(a, true);
	auditor_anchor_head(a);
	rc = inputs_close(a->inputs);
	if (rc != 0)
		auditor_unwritten(a, rc, INPUTS_UNWRITTEN);
	rc = audit_close(a->audit);
	if (rc != 0)
		auditor_unwritten(a, rc, NULL);
}

int
auditor_main(void)
{
	static struct auditor a;
	struct span texts[5];
	struct buf store;

	auditor_open(&a, texts, role_begin(&store, texts, 5));
	buf_free(&store);
	sign_warm();
	record_attestation(&a, RECORD_START, role_seal());
	auditor_flush(&a, true);
	auditor_refusals_open(&a);
	buf_init(&a.held, QUEUE_MAX);
	buf_init(&a.receipts, QUEUE_MAX);
	set_nonblocking((const int[]){FD_CONTROL, FD_ENTRIES, FD_RECEIPTS}, 3);
	inflow_init(&a.entries, FD_ENTRIES, sizeof(struct entry_head),
	    ENTRY_NAME_MAX + ENTRY_DETAIL_MAX + ENTRY_INPUTS_MAX +
		ORDER_BODY_MAX);
	for (uint32_t i = 0; i < a.plan->couriers; i++) {
		set_nonblocking((const int[]){FD_ORDERS + (int)i}, 1);
		buf_init(&a.lines[i].out, QUEUE_MAX);
		inflow_init(&a.lines[i].in, FD_ORDERS + (int)i,
		    sizeof(struct outcome_head), 0);
	}
	a.begin.quiet = false;
	audit_state(a.audit, &a.health.state);
	a.health.first = a.health.state.records;
	role_ready();
	auditor_tell_unknown(
	    &a); /* what was there, and what this start found */
	release_receipts(&a);
	while (serve_once(&a))
		continue;
	end_service(&a);
	return EXIT_DONE;
}
