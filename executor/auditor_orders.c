/*
 * The auditor's side towards couriers: an order that is on record goes to the
 * one the plan names, and its outcome comes back. Of a courier only outcomes
 * of orders open at it are believed, and one that talks nonsense is not heard
 * any more.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/auditor_impl.h"

#define QUEUE_HIGH (4u << 20) /* above: no more entries are read */

static void
append_outcome(struct auditor *a, const struct open_order *order,
    enum outcome outcome, uint32_t error, uint64_t bytes,
    const unsigned char *hash, struct span detail)
{
	struct record record = {
	    .kind = RECORD_OUTCOME,
	    .intent = order->sequence,
	    .request = order->request,
	    .session = order->session,
	    .zone = span_of(order->zone),
	    .capability = span_of(order->name),
	    .number = order->capability,
	    .status = outcome,
	    .error = error,
	    .message = order->message,
	    .bytes = bytes,
	    .body = hash,
	    .detail = detail,
	};

	a->own = order->own;
	auditor_append(a, &record);
	a->own = false;
	if (order->own)
		auditor_notified(a, order->sequence,
		    outcome == OUTCOME_DONE ? 0
		    : error != 0	    ? error
					    : ERR_FAILED);
}

static struct open_order *
find_open(struct auditor *a, uint64_t sequence)
{
	for (size_t i = 0; i < a->open_count; i++)
		if (a->open[i].sequence == sequence)
			return &a->open[i];
	return NULL;
}

static void
open_order(struct auditor *a, const struct open_order *order)
{
	struct line *line = &a->lines[order->courier];

	if (line->open++ == 0)
		line->progress_ms = clock_ms();
	a->open[a->open_count++] = *order;
}

static void
close_order(struct auditor *a, struct open_order *order)
{
	struct line *line = &a->lines[order->courier];

	line->open--;
	line->progress_ms = clock_ms();
	*order = a->open[--a->open_count];
}

/* Put an order behind its intent; it leaves after the flush. */
static void
hold_order(struct auditor *a, const struct entry_head *entry, uint64_t sequence,
    const char *body)
{
	struct order_head order = {.magic = ORDER_MAGIC,
	    .capability = entry->capability,
	    .sequence = sequence,
	    .request = entry->request,
	    .grant = entry->grant,
	    .body_bytes = entry->body_bytes};

	memcpy(order.body_hash, entry->body_hash, sizeof order.body_hash);
	if (buf_add(&a->held, &order, sizeof order) != 0 ||
	    buf_add(&a->held, body, entry->body_bytes) != 0)
		bug("batch of orders too large");
}

uint64_t
orders_take(struct auditor *a, const struct entry_head *entry,
    struct record *record, struct span inputs, const char *body)
{
	struct open_order order = {.request = entry->request,
	    .session = entry->session,
	    .message = entry->message,
	    .capability = entry->capability,
	    .own = a->own};
	struct span name = record->capability;

	if (a->open_count == OPEN_MAX)
		bug("no room for an order that was read");
	order.sequence = auditor_append_decision(a, record, inputs);
	memcpy(order.zone, entry->zone, sizeof order.zone);
	order.zone[sizeof order.zone - 1] = '\0';
	name.n = name.n > NAME_MAX_BYTES ? NAME_MAX_BYTES : name.n;
	memcpy(order.name, name.p, name.n);
	order.courier = a->plan->courier_of[entry->capability];
	if (!a->lines[order.courier].up) {
		append_outcome(a, &order, OUTCOME_REFUSED, ERR_UNAVAILABLE, 0,
		    NULL, SPAN("its courier is down"));
		return order.sequence;
	}
	open_order(a, &order);
	a->must_sync = true;
	hold_order(a, entry, order.sequence, body);
	return order.sequence;
}

bool
orders_are_high(const struct auditor *a)
{
	for (uint32_t i = 0; i < a->plan->couriers; i++)
		if (a->lines[i].out.len > QUEUE_HIGH)
			return true;
	return a->open_count > OPEN_MAX / 2 || a->held.len > QUEUE_HIGH;
}

static size_t
no_body(const void *head)
{
	(void)head;
	return 0;
}

/* Whether a courier of ours can have said it, as far as numbers go. */
static bool
outcome_is_sound(const struct outcome_head *outcome)
{
	return outcome->bytes <= RECORD_NUMBER_MAX && err_known(outcome->error);
}

static void
take_outcome(
    struct auditor *a, uint32_t courier, const struct outcome_head *outcome)
{
	struct open_order *order = find_open(a, outcome->sequence);

	if (order == NULL || order->courier != courier ||
	    outcome->outcome >= OUTCOME_COUNT) {
		log_event(LOG_ERROR, "outcome-refused", "courier=%u", courier);
		return;
	}
	append_outcome(a, order, (enum outcome)outcome->outcome, outcome->error,
	    outcome->bytes, outcome->body_hash,
	    text_of(outcome->detail, sizeof outcome->detail));
	close_order(a, order);
}

/* Above 0 while there may be more; -ERR_CORRUPT for what is no outcome, and
 * for all that comes behind it. */
static int
take_outcomes(struct auditor *a, uint32_t courier)
{
	struct line *line = &a->lines[courier];
	struct outcome_head outcome;
	const char *body;
	int rc, next;

	if (line->deaf)
		return -ERR_CORRUPT;
	rc = inflow_read(&line->in);
	while ((next = inflow_next(&line->in, no_body, &outcome, &body)) == 1) {
		if (!outcome_is_sound(&outcome)) {
			line->deaf = true;
			return -ERR_CORRUPT;
		}
		take_outcome(a, courier, &outcome);
	}
	return next < 0 ? next : rc;
}

static void
tell_parent_stuck(struct auditor *a, uint32_t courier)
{
	if (a->lines[courier].stuck_told || a->orphaned)
		return;
	a->lines[courier].stuck_told = true;
	control_send(FD_CONTROL, CONTROL_STUCK, courier, NULL);
}

static void
orders_unknown(struct auditor *a, uint32_t courier, const char *why)
{
	for (size_t i = a->open_count; i-- > 0;) {
		if (a->open[i].courier != courier)
			continue;
		append_outcome(a, &a->open[i], OUTCOME_UNKNOWN,
		    ERR_UNKNOWN_OUTCOME, 0, NULL, span_of(why));
		close_order(a, &a->open[i]);
	}
}

/* Its outcomes. One that talks nonsense is not heard until the parent has put
 * another in its place; an end of the stream means that there is no parent to
 * do so, who holds both ends. */
void
orders_hear(struct auditor *a, uint32_t courier)
{
	int rc = take_outcomes(a, courier);

	if (rc >= 0)
		return;
	a->lines[courier].deaf = true;
	if (rc == -ERR_CLOSED) {
		a->lines[courier].up = false;
		orders_unknown(a, courier, "its courier is gone");
	} else {
		log_event(LOG_ERROR, "outcome-refused",
		    "courier=%u reason=no outcome", courier);
		tell_parent_stuck(a, courier);
	}
}

void
orders_write(struct auditor *a, uint32_t courier)
{
	struct line *line = &a->lines[courier];
	int fd = FD_ORDERS + (int)courier;

	while (line->out_sent < line->out.len) {
		ssize_t put = write(fd, line->out.data + line->out_sent,
		    line->out.len - line->out_sent);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			break; /* full, or dead and the parent will say so */
		line->out_sent += (size_t)put;
	}
	if (line->out_sent == line->out.len) {
		buf_clear(&line->out);
		line->out_sent = 0;
	}
}

void
orders_release(struct auditor *a)
{
	size_t at = 0;

	while (at < a->held.len) {
		struct order_head order;
		size_t bytes;
		uint32_t courier;

		memcpy(&order, a->held.data + at, sizeof order);
		bytes = sizeof order + order.body_bytes;
		courier = a->plan->courier_of[order.capability];
		if (buf_add(&a->lines[courier].out, a->held.data + at, bytes) !=
		    0)
			bug("order queue overflows");
		at += bytes;
	}
	buf_clear(&a->held);
	for (uint32_t i = 0; i < a->plan->couriers; i++)
		orders_write(a, i);
}

void
orders_down(struct auditor *a, uint32_t courier)
{
	struct line *line = &a->lines[courier];

	while (take_outcomes(a, courier) > 0)
		continue;
	orders_unknown(a, courier, "its courier died");
	line->up = false;
	buf_clear(&line->out);
	line->out_sent = 0;
	inflow_reset(&line->in);
	auditor_flush(a, true);
	control_send(FD_CONTROL, CONTROL_DRAINED, courier, NULL);
}

void
orders_tell_stuck(struct auditor *a)
{
	int64_t now = clock_ms();

	for (uint32_t i = 0; i < a->plan->couriers; i++)
		if (a->lines[i].open != 0 &&
		    now >= a->lines[i].progress_ms + OUTCOME_MS)
			tell_parent_stuck(a, i);
}

void
orders_end(struct auditor *a)
{
	for (uint32_t i = 0; i < a->plan->couriers; i++)
		while (take_outcomes(a, i) > 0)
			continue;
	for (size_t i = 0; i < a->open_count; i++)
		append_outcome(a, &a->open[i], OUTCOME_UNKNOWN,
		    ERR_UNKNOWN_OUTCOME, 0, NULL,
		    SPAN("no outcome before the end of service"));
}
