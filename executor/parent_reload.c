/*
 * Another policy while the service runs. Runs in the parent; believes the
 * operator's file, once it is read and compared whole, and of the others only
 * that they have done what they were told.
 *
 *   OFFER   each courier takes, besides what the old policy lets through, what
 *           the new one does (an order passes by one of them as a whole)
 *   SWAP    the broker exchanges its snapshot between two decisions
 *   SETTLE  each courier forgets the old one, and the keeper, who may be about
 *           to load what is stored of the old one, stores the new one
 *
 * A call is decided by one snapshot, so what is allowed is what the old or the
 * new policy allows, and couriers only ever refuse more. The swap is the point
 * of no return: whatever fails before it leaves the old policy everywhere, and
 * whoever starts anew after it gets the new one. Couriers are not started in
 * between.
 */
#include <signal.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/manager.h"
#include "executor/parent_impl.h"

#define OFFER_MS 10000
#define SWAP_MS 30000 /* a broker that does not answer by then is stuck */
#define WALL_MS 20000 /* a keeper that is not done by then goes on alone */
#define REASON_BYTES 1000

static void
forget(struct reload *r)
{
	policy_free(r->policy);
	r->policy = NULL;
	buf_free(&r->text);
	r->step = RELOAD_NONE;
	for (uint32_t i = 0; i < COURIERS_MAX; i++)
		r->owes[i] = false;
}

/* A child that does not take what it is told is stuck. */
static void
tell_text(
    const struct child *child, const struct control *record, struct span text)
{
	if (child->pid > 0 &&
	    control_tell(child->control, *record, text) == -ERR_DEADLINE)
		kill(child->pid, SIGKILL);
}

/* To the service manager: we serve on, by which policy. */
static void
tell_service(const struct parent *p, int error, const char *reason)
{
	char note[REASON_BYTES + 64] = "";

	if (error != 0)
		(void)snprintf(note, sizeof note,
		    "the last reload was refused: %s", reason);
	parent_tell_serving(p, note);
}

/* A service without a broker, who does so else. Who waits for it reads it
 * there: it is what comes last. */
static void
record_alone(const struct parent *p, int error, const char *reason)
{
	const struct buf *text = &p->own_text;

	if (!p->alone)
		return;
	if (error != 0)
		parent_record(p, RECORD_RELOAD, "policy kept", error, reason);
	else
		parent_record_text(p, RECORD_RELOAD, "policy",
		    (struct span){text->data, text->len});
}

/* The end of it, good or bad, for who asked and for the record. */
static void
tell_result(struct parent *p, int error, const char *reason)
{
	struct control record = {.what = CONTROL_RELOADED,
	    .number = p->reload.number,
	    .error = (uint32_t)-error,
	    .asked = p->reload.asked};

	if (error != 0)
		log_event(LOG_ERROR, "reload-refused",
		    "reason=%s; the policy that was in force stays", reason);
	else
		log_event(LOG_INFO, "reloaded", "number=%u", p->reload.number);
	tell_service(p, error, reason);
	tell_text(&p->broker, &record, span_of(reason));
	record_alone(p, error, reason);
	forget(&p->reload);
}

static void
tell_couriers(struct parent *p, enum control_what what)
{
	struct control record = {.what = what, .number = p->reload.number};
	struct buf share;

	buf_init(&share, CONTROL_TEXT_MAX);
	for (uint32_t i = 0; i < p->plan.couriers; i++) {
		struct courier *courier = &p->couriers[i];

		if (courier->child.pid <= 0 || courier->state != COURIER_UP)
			continue;
		buf_clear(&share);
		if (what == CONTROL_OFFER)
			parent_share(p, p->reload.policy, i, &share);
		p->reload.owes[i] = what != CONTROL_DROP;
		tell_text(&courier->child, &record,
		    (struct span){share.data, share.len});
	}
	buf_free(&share);
}

static void
give_up(struct parent *p, int error, const char *reason)
{
	tell_couriers(p, CONTROL_DROP);
	tell_result(p, error, reason);
}

static int
read_candidate(struct parent *p, char *reason, size_t room)
{
	const char *path = p->setup->config->policy;
	struct reload *r = &p->reload;
	struct json_error where;
	int rc;

	buf_init(&r->text, POLICY_MAX_BYTES);
	if (config_read_file(path, &r->text, reason, room) != 0)
		return -ERR_CONFIG;
	rc = policy_parse(
	    (struct span){r->text.data, r->text.len}, &r->policy, &where);
	if (rc != 0) {
		config_error_text(path, &where, reason, room);
		return -ERR_CONFIG;
	}
	return policy_change(p->policy, r->policy, reason, room);
}

static void
begin(struct parent *p)
{
	struct reload *r = &p->reload;
	char reason[REASON_BYTES] = "";
	int rc;

	r->asked = r->wanted_asked;
	r->wanted = r->wanted_asked = false;
	r->number++;
	manager_tell(MANAGER_RELOADING, "reads the policy anew");
	rc = read_candidate(p, reason, sizeof reason);
	if (rc != 0) {
		tell_result(p, rc, reason);
		return;
	}
	r->step = RELOAD_OFFER;
	r->deadline_ms = clock_ms() + OFFER_MS;
	tell_couriers(p, CONTROL_OFFER);
}

static bool
may_begin(const struct parent *p)
{
	if (!p->reload.wanted || !p->serving || p->stopping ||
	    p->reload.step != RELOAD_NONE)
		return false;
	for (uint32_t i = 0; i < p->plan.couriers; i++)
		if (p->couriers[i].state == COURIER_STARTING)
			return false; /* with the old one, and not for long */
	return true;
}

/* It is in force. */
static void
take(struct parent *p)
{
	struct reload *r = &p->reload;

	policy_free(p->own_policy);
	p->policy = p->own_policy = r->policy;
	r->policy = NULL;
	buf_clear(&p->own_text);
	buf_add(&p->own_text, r->text.data, r->text.len);
	r->step = RELOAD_SETTLE;
	r->deadline_ms = clock_ms() + (p->wall.on ? WALL_MS : OFFER_MS);
	wall_reload(p);
	tell_couriers(p, CONTROL_SETTLE);
}

static void
swap(struct parent *p)
{
	struct control record = {
	    .what = CONTROL_POLICY, .number = p->reload.number};

	if (p->alone) {
		take(p);
		return;
	}
	p->reload.step = RELOAD_SWAP;
	p->reload.deadline_ms = clock_ms() + SWAP_MS;
	tell_text(&p->broker, &record,
	    (struct span){p->reload.text.data, p->reload.text.len});
}

static bool
anybody_owes(const struct parent *p)
{
	if (p->reload.step == RELOAD_SETTLE && keeper_owes(p))
		return true;
	for (uint32_t i = 0; i < p->plan.couriers; i++)
		if (p->reload.owes[i])
			return true;
	return false;
}

static void
be_late(struct parent *p)
{
	struct reload *r = &p->reload;

	switch (r->step) {
	case RELOAD_OFFER:
		give_up(p, -ERR_BUSY,
		    "a courier is busy and did not answer in time: try again");
		break;
	case RELOAD_SWAP: /* nobody can tell by what it decides */
		r->deadline_ms = clock_ms() + SWAP_MS;
		log_event(LOG_ERROR, "broker-stuck", "reload=%u", r->number);
		if (p->broker.pid > 0)
			kill(p->broker.pid, SIGKILL);
		break;
	case RELOAD_SETTLE:
		/* it hears of it before its next order */
		log_event(LOG_WARN, "reload-late", "number=%u reason=%s",
		    r->number,
		    keeper_owes(p) ? "the rules of accounts are not stored yet"
				   : "a courier is busy");
		tell_result(p, 0, "");
		break;
	case RELOAD_NONE:
		break;
	}
}

void
reload_go_on(struct parent *p)
{
	struct reload *r = &p->reload;

	if (p->stopping) {
		if (r->step == RELOAD_SETTLE)
			record_alone(p, 0, "");
		if (r->step != RELOAD_NONE)
			forget(r);
		return;
	}
	do {
		if (may_begin(p))
			begin(p);
		if (r->step == RELOAD_OFFER && !anybody_owes(p))
			swap(p);
		else if (r->step == RELOAD_SETTLE && !anybody_owes(p))
			tell_result(p, 0, "");
		if (r->step != RELOAD_NONE && clock_ms() >= r->deadline_ms)
			be_late(p);
	} while (may_begin(p));
}

void
reload_want(struct parent *p, bool asked)
{
	p->reload.wanted = true;
	p->reload.wanted_asked |= asked;
}

void
reload_broker_answers(struct parent *p, const struct control *record)
{
	struct reload *r = &p->reload;

	if (p->stopping)
		return;
	if (r->step != RELOAD_SWAP || record->number != r->number)
		bug("the broker answers what nobody asked");
	if (record->what == CONTROL_REFUSED) {
		give_up(p, -ERR_SYSTEM,
		    "the broker cannot take what the parent could read");
		return;
	}
	take(p);
}

void
reload_courier_answers(
    struct parent *p, uint32_t index, const struct control *record)
{
	struct reload *r = &p->reload;

	if (record->number != r->number || !r->owes[index])
		return; /* late, of one that was given up */
	r->owes[index] = false;
	if (record->what == CONTROL_REFUSED && r->step == RELOAD_OFFER)
		give_up(p, -ERR_SYSTEM,
		    "a courier cannot take what the parent could read");
}

void
reload_courier_gone(struct parent *p, uint32_t index)
{
	p->reload.owes[index] = false;
}
