/*
 * Machines of zones, as the broker sees them: announced by who starts them, on
 * the operator's socket, and tied to the zone's connection by what the kernel
 * says of both. The broker starts none. It keeps what isolates too little out,
 * closes the channel of one that had its items or its time, which is how it is
 * told to go, and counts.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/broker.h"

/* The weight of what was long ago is halved then. */
#define LOADED_MOST_MS 600000
/* One that ends so soon after its hello, with nothing done, has failed. */
#define USELESS_MS 1000
#define FAILED_MOST 1000 /* beyond it the number says no more */
/* A machine that is over its time stays a while if others are starting. */
#define OVERTIME_MS 60000

/*
 * Announcements.
 */

/* Another that starts machines for the zone, or NULL: two would double them. */
static const struct link *
other_starter(const struct listener *l, const struct link *link)
{
	if (l->announced.by != NULL && l->announced.by != link)
		return l->announced.by;
	for (const struct link *at = l->broker->links; at != NULL;
	     at = at->next)
		if (!at->gone && at->listener == l && at->attached.by != NULL &&
		    at->attached.by != link)
			return at->attached.by;
	return NULL;
}

/* What it is, and which process said so. False: more than a record has room
 * for. */
static bool
describe(const struct link *link, const struct json_doc *doc,
    const struct machine *machine, struct buf *out)
{
	struct json_writer w;

	json_write_init(&w, out);
	json_open(&w, '{');
	machine_put(&w, doc, machine);
	json_put_integer(&w, "process", (int64_t)link->peer.pid);
	json_put_integer(&w, "user", (int64_t)link->peer.uid);
	json_close(&w, '}');
	return !out->overflow;
}

static void
record_machine(const struct link *link, struct span zone, const char *why,
    int error, struct span detail)
{
	struct entry_head entry;

	entry_init(&entry, RECORD_MACHINE);
	entry.error = (uint32_t)-error;
	entry_text(entry.zone, sizeof entry.zone, zone);
	entry_text(entry.why, sizeof entry.why, span_of(why));
	entry_send_long(link->broker, &entry, detail);
}

/* Whether the zone takes it; words in `why` in any case. */
static int
judge(const struct listener *l, const struct link *link,
    const struct machine *machine, char *why, size_t room)
{
	const struct link *other = other_starter(l, link);
	enum isolation least = l->zone->machine.isolation;

	if (other != NULL) {
		(void)snprintf(why, room,
		    "process %ld starts the machines of this zone: end it "
		    "first",
		    (long)other->peer.pid);
		return -ERR_BUSY;
	}
	if (machine->isolation < least) {
		(void)snprintf(why, room, "the zone accepts %s or more, not %s",
		    isolation_name(least), isolation_name(machine->isolation));
		return -ERR_ISOLATION;
	}
	(void)snprintf(why, room, "announced");
	return 0;
}

static int
refuse(struct link *link, int64_t id, int error, const char *why)
{
	channel_error(link->channel, id, -error, why, (struct span){0});
	return 0;
}

static void
answer(struct link *link, int64_t id, const struct listener *l)
{
	struct message_writer m;

	result_begin(&m, channel_out(link->channel), id);
	json_put_text(&m.json, "zone", l->zone->name);
	json_put_integer(&m.json, "failed", l->work.failed);
	link_answer(link, &m, id, 0);
}

static int
take_announcement(struct link *link, int64_t id, const struct json_doc *doc,
    struct listener *l, const struct machine *machine)
{
	char why[WHY_MAX_BYTES];
	struct buf detail;
	int rc;

	buf_init(&detail, ENTRY_DETAIL_MAX);
	if (!describe(link, doc, machine, &detail)) {
		buf_free(&detail);
		return refuse(link, id, -ERR_TOO_LARGE,
		    "a record has no room for so many devices and namespaces");
	}
	rc = judge(l, link, machine, why, sizeof why);
	record_machine(link, span_of(l->zone->name), why, rc,
	    (struct span){detail.data, detail.len});
	buf_free(&detail);
	if (rc != 0)
		return refuse(link, id, rc, why);
	l->announced = (struct announced){link, clock_ms(), *machine};
	l->announced.machine.devices = l->announced.machine.namespaces = NULL;
	answer(link, id, l);
	return 0;
}

int
machine_announce(struct link *link, int64_t id, const struct json_doc *doc,
    const struct attach_params *params)
{
	struct listener *l = zone_listener(link->broker, params->zone);
	struct json_error where = {0};
	struct machine machine;
	char why[300];
	int rc;

	if (!operator_speaks(link) &&
	    !config_peer_allowed(
		&link->broker->config->machine_peers, link->peer.uid)) {
		record_machine(link, params->zone, "announced by a stranger",
		    -ERR_PEER, (struct span){0});
		return refuse(link, id, -ERR_PEER,
		    "only root, the service's own user and \"machines\" of "
		    "\"peers\" announce machines");
	}
	if (l == NULL)
		return refuse(link, id, -ERR_RANGE, "there is no such zone");
	if (link->peer.pid <= 0)
		return refuse(link, id, -ERR_PEER,
		    "the system does not tell which process says so");
	rc = machine_read(doc, params->machine, &machine, &where);
	if (rc != 0) {
		json_error_text(&where, why, sizeof why);
		return refuse(link, id, rc, why);
	}
	return take_announcement(link, id, doc, l, &machine);
}

static void
take(struct listener *l, struct attached *out)
{
	const struct announced *a = &l->announced;

	out->by = a->by;
	out->announced = true;
	out->began_ms = a->began_ms;
	out->items_most = a->machine.recycle_after;
	out->recycle_ms = a->machine.recycle_ms;
	l->work.machine = a->machine;
	l->work.machines++;
	l->announced.by = NULL;
}

int
machine_take(struct listener *l, const struct peer *peer, struct attached *out)
{
	const struct config_machine *wanted = &l->zone->machine;
	const struct link *by = l->announced.by;

	*out = (struct attached){.began_ms = clock_ms()};
	if (by != NULL && by->peer.pid == peer->pid &&
	    by->peer.uid == peer->uid)
		take(l, out);
	else if (wanted->isolation != ISOLATION_ANY)
		return -ERR_ISOLATION;
	if (wanted->recycle_after != 0)
		out->items_most = wanted->recycle_after;
	if (wanted->recycle_minutes != 0)
		out->recycle_ms = (int64_t)wanted->recycle_minutes * 60000;
	return 0;
}

/* Who started machines is gone, so they are as good as gone: whatever comes
 * after it starts others. */
void
machine_forget_link(struct broker *b, struct link *link)
{
	for (size_t i = 0; i < b->listener_count; i++)
		if (b->listeners[i].announced.by == link)
			b->listeners[i].announced.by = NULL;
	for (struct link *l = b->links, *next; l != NULL; l = next) {
		next = l->next;
		if (l->gone || l->attached.by != link)
			continue;
		l->attached.by = NULL;
		channel_close_soon(l->channel, -ERR_CLOSED);
	}
}

/*
 * What they do.
 */
void
machine_opened(struct link *link)
{
	struct zone_work *work = &link->listener->work;
	int64_t now = clock_ms();

	if (link->attached.announced)
		work->last_boot_ms = now - link->attached.began_ms;
	else
		work->machine = (struct machine){.provider = PROVIDER_ANY};
	link->attached.opened = link->attached.there = true;
	link->attached.began_ms = now;
	link->attached.idle_utc_ms = clock_utc_ms();
	work->attached++;
	if (work->attached > work->kept)
		work->kept = work->attached;
	work->absent_ms = 0;
}

/* Items that the zone's next instance would have to do. */
static uint64_t
items_waiting(const struct listener *l)
{
	struct inbox_counts counts = inbox_counts(l->broker->inbox);

	if (l->kind == LINK_PLANNER)
		return counts.items[INBOX_READY];
	return (l->zone->channels & CHANNEL_BIT(CHANNEL_MAIL)) != 0
		   ? counts.items[INBOX_NEW]
		   : 0;
}

static void
load_ends(struct zone_work *work)
{
	work->loaded_ms += clock_ms() - work->loaded_since_ms;
	work->loaded_since_ms = 0;
	if (work->loaded_ms > LOADED_MOST_MS) {
		work->loaded_ms /= 2;
		work->loaded_items /= 2;
	}
}

void
machine_gave(struct link *link, int64_t ready_utc_ms)
{
	struct zone_work *work = &link->listener->work;
	struct attached *attached = &link->attached;
	int64_t now = clock_utc_ms(), since = attached->idle_utc_ms;

	if (ready_utc_ms > since)
		since = ready_utc_ms;
	if (ready_utc_ms >= 0) /* a clock that was set back tells nothing */
		work->last_handover_ms = now < since ? 0 : now - since;
	attached->busy = true;
	work->busy++;
	if (work->loaded_since_ms == 0)
		work->loaded_since_ms = clock_ms();
}

void
machine_did(struct link *link, bool done)
{
	struct zone_work *work = &link->listener->work;
	struct attached *attached = &link->attached;

	attached->busy = false;
	attached->idle_utc_ms = clock_utc_ms();
	work->busy--;
	if (done) {
		attached->items++;
		work->items++;
		work->loaded_items++;
	}
	if (work->busy == 0 && items_waiting(link->listener) == 0)
		load_ends(work);
}

/* Whether it went before it was of any use; nobody is to blame where whoever
 * started it went first. */
static bool
is_failure(const struct attached *attached)
{
	return attached->by != NULL && attached->items == 0 &&
	       (!attached->opened ||
		   clock_ms() - attached->began_ms < USELESS_MS);
}

/* It does not count as there any more. */
static void
leave(struct link *link)
{
	struct zone_work *work = &link->listener->work;

	if (link->attached.there && --work->attached == 0) {
		work->absent_ms = clock_utc_ms();
		work->kept = 0;
	}
	link->attached.there = false;
}

void
machine_closed(struct link *link)
{
	struct zone_work *work = &link->listener->work;
	struct attached *attached = &link->attached;

	if (attached->busy)
		machine_did(link, false);
	if (!is_failure(attached))
		work->failed = 0;
	else if (work->failed < FAILED_MOST)
		work->failed++;
	leave(link);
}

static bool
is_spent(const struct link *link)
{
	const struct attached *attached = &link->attached;
	const struct zone_work *work = &link->listener->work;
	int64_t over;

	if (!attached->there || attached->busy)
		return false;
	if (attached->items_most != 0 &&
	    attached->items >= attached->items_most)
		return true;
	if (attached->recycle_ms == 0)
		return false;
	/* not all at once */
	over = clock_ms() - attached->began_ms - attached->recycle_ms;
	return over >= 0 &&
	       (work->attached >= work->kept || over >= OVERTIME_MS);
}

/* What waits for the first instance to come. */
static void
put_absence(struct json_writer *w, const struct listener *l)
{
	if (l->work.absent_ms == 0)
		return;
	json_put_integer(w, "absent_ms", l->work.absent_ms);
	json_put_integer(w, "waiting", (int64_t)items_waiting(l));
}

bool
machine_retire(struct link *link)
{
	if (!is_spent(link))
		return false;
	leave(link);
	channel_close_soon(link->channel, 0);
	return true;
}

static void
put_measure(struct json_writer *w, const char *key, int64_t ms)
{
	if (ms >= 0)
		json_put_integer(w, key, ms);
}

void
machine_put_work(struct json_writer *w, const struct listener *l)
{
	const struct zone_work *work = &l->work;
	int64_t loaded = work->loaded_ms;

	if (work->loaded_since_ms != 0)
		loaded += clock_ms() - work->loaded_since_ms;
	json_put_integer(w, "warm", l->zone->machine.warm);
	json_put_integer(w, "attached", work->attached);
	json_put_integer(w, "busy", work->busy);
	json_put_integer(w, "items", (int64_t)work->items);
	json_put_integer(w, "machines", (int64_t)work->machines);
	put_measure(w, "boot_ms", work->last_boot_ms);
	put_measure(w, "handover_ms", work->last_handover_ms);
	if (work->loaded_items != 0 && loaded > 0)
		json_put_integer(w, "per_minute",
		    (int64_t)work->loaded_items * 60000 / loaded);
	put_absence(w, l);
	if (work->machine.provider == PROVIDER_ANY)
		return;
	json_put_text(w, "provider", provider_name(work->machine.provider));
	json_put_text(w, "isolation", isolation_name(work->machine.isolation));
	json_put_text(w, "image", work->machine.image);
}
