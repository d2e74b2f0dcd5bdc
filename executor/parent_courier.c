/*
 * Couriers' lives: one that dies is started again alone when auditor and broker
 * have let go of it, later each time, and not for ever. Runs in the parent.
 */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/parent_impl.h"

#define DRAIN_MS 30000 /* auditor and broker letting go of a courier */
#define BACKOFF_LAST_MS 30000
#define DEATHS_MAX 6 /* within DEATHS_MS: then it stays down */
#define DEATHS_MS 600000

static void
give_up_courier(struct parent *p, uint32_t index)
{
	p->couriers[index].state = COURIER_GIVEN_UP;
	log_event(LOG_ERROR, "courier-given-up",
	    "kind=%s deaths=%u reason=died too often; its capabilities are "
	    "unavailable until a restart",
	    p->plan.kind[index]->name, p->couriers[index].deaths);
}

void
courier_died(struct parent *p, uint32_t index)
{
	struct courier *courier = &p->couriers[index];
	int64_t now = clock_ms();

	close(courier->child.control);
	courier->child = (struct child){.control = -1};
	reload_courier_gone(p, index);
	if (p->stopping)
		return;
	if (!courier->been_up) {
		parent_stop(p, EXIT_CONFIG);
		return;
	}
	if (courier->deaths == 0 || now - courier->first_death_ms > DEATHS_MS) {
		courier->deaths = 0;
		courier->first_death_ms = now;
	}
	courier->deaths++;
	courier->state = COURIER_DRAINING;
	courier->drained = 0;
	courier->child.deadline_ms = now + DRAIN_MS;
	parent_tell(&p->auditor, CONTROL_DOWN, index);
	parent_tell(&p->broker, CONTROL_DOWN, index);
}

/* Orders nobody will take any more; they are on record as unknown. */
static void
discard_orders(int fd)
{
	char waste[4096];
	ssize_t got;

	do {
		got = recv(fd, waste, sizeof waste, MSG_DONTWAIT);
	} while (got > 0 || (got < 0 && errno == EINTR));
}

void
courier_drained(struct parent *p, uint32_t index, bool by_auditor)
{
	struct courier *courier = &p->couriers[index];
	int64_t delay = BACKOFF_FIRST_MS;

	courier->drained |= by_auditor ? 1u : 2u;
	if (courier->state != COURIER_DRAINING || courier->drained != 3)
		return;
	discard_orders(courier->order_ends[1]);
	if (courier->deaths >= DEATHS_MAX) {
		courier->child.deadline_ms = 0;
		give_up_courier(p, index);
		return;
	}
	for (unsigned i = 1; i < courier->deaths; i++)
		delay =
		    delay * 4 > BACKOFF_LAST_MS ? BACKOFF_LAST_MS : delay * 4;
	courier->state = COURIER_WAITING;
	courier->child.deadline_ms = clock_ms() + delay;
}

static void
tell_up(struct parent *p, uint32_t index, const struct lock_report *report)
{
	struct courier *courier = &p->couriers[index];

	parent_tell_report(&p->auditor, report);
	parent_tell_report(&p->broker, report);
	courier->state = COURIER_UP;
	courier->been_up = true;
	courier->child.deadline_ms = 0;
	parent_tell(&p->auditor, CONTROL_UP, index);
	parent_tell(&p->broker, CONTROL_UP, index);
}

void
courier_take_control(struct parent *p, uint32_t index)
{
	struct courier *courier = &p->couriers[index];
	struct control record;

	if (control_receive(courier->child.control, &record) != 1)
		return;
	if (record.what == CONTROL_TAKEN || record.what == CONTROL_REFUSED)
		reload_courier_answers(p, index, &record);
	else if (record.what == CONTROL_READY &&
		 courier->state == COURIER_STARTING &&
		 parent_may_be_ready(
		     &courier->child, p->plan.kind[index]->name, &record))
		tell_up(p, index, &record.report);
}
