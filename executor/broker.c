/*
 * Broker: the process that zones talk to. This file starts it, accepts
 * connections and listens to the parent; see broker.h for what it may do.
 */
#include "executor/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/peer.h"
#include "executor/parent_files.h"
#include "executor/role.h"

#define TICK_MS 1000
#define STRANGER_MS 1000
#define STALLED_MS                                                             \
	60000		/* an auditor that takes nothing for so long is stuck */
#define EXPIRE_MS 60000 /* retention is looked at once a minute */
#define EXPIRE_MORE_MS 100 /* and soon again while there is a backlog */

static const char *const program = "trizone-executor " TRIZONE_VERSION;

static const struct {
	enum side side;
	const struct channel_owner *owner;
	struct link *(*make)(struct broker *b);
} kinds[] = {
    [LINK_PLANNER] = {SIDE_PLANNER, &planner_owner, planner_new},
    [LINK_READER] = {SIDE_READER, &reader_owner, reader_new},
    [LINK_OPERATOR] = {SIDE_OPERATOR, &operator_owner, operator_new},
    [LINK_DELIVER] = {SIDE_DELIVER, &deliver_owner, deliver_new},
};

void
link_remove(struct link *link)
{
	struct broker *b = link->broker;
	struct link **at = &b->links;

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	receipt_forget_link(b, link);
	if (--link->listener->links == 0)
		buf_clear(&link->listener->attested);
	b->link_count--;
	link->gone = true;
	link->next_gone = b->gone;
	b->gone = link;
	timer_set(b->gone_timer, 0);
}

static void
free_gone(void *context)
{
	struct broker *b = context;

	while (b->gone != NULL) {
		struct link *link = b->gone;

		b->gone = link->next_gone;
		free(link);
	}
}

int
link_refuse(struct link *link, int64_t id, int error)
{
	channel_error(
	    link->channel, id, error, err_text(error), (struct span){0});
	return 0;
}

void
link_answer(struct link *link, struct message_writer *m, int64_t id, int error)
{
	if (error == 0 && receipt_hold(link, m, id)) {
		message_undo(m);
		return;
	}
	if (error == 0)
		error = message_end(m);
	else
		message_undo(m);
	if (error == 0)
		channel_answered(link->channel, id);
	else
		link_refuse(link, id, error);
}

bool
link_leaving(struct channel *channel, void *context)
{
	struct link *link = context;

	(void)channel;
	return entries_flush(link->broker);
}

static const struct config_peers *
peers_of(const struct listener *l)
{
	switch (l->kind) {
	case LINK_OPERATOR:
		return &l->broker->config->operator_peers;
	case LINK_DELIVER:
		return &l->broker->config->deliver_peers;
	default:
		return &l->zone->peers;
	}
}

struct listener *
zone_listener(struct broker *b, struct span zone)
{
	for (size_t i = 0; i < b->listener_count; i++)
		if (b->listeners[i].zone != NULL &&
		    span_is(zone, b->listeners[i].zone->name))
			return &b->listeners[i];
	return NULL;
}

static const char *
listener_name(const struct listener *l)
{
	switch (l->kind) {
	case LINK_OPERATOR:
		return "operator";
	case LINK_DELIVER:
		return "deliver";
	default:
		return l->zone->name;
	}
}

static bool
peer_is_allowed(const struct listener *l, int fd, struct peer *peer)
{
	return peer_get(fd, peer) == 0 &&
	       config_peer_allowed(peers_of(l), peer->uid);
}

/* On record once a second for each socket, with how many there were since. */
static void
record_stranger(
    struct listener *l, const struct peer *peer, int error, const char *why)
{
	struct entry_head entry;
	int64_t now = clock_ms();
	char who[DETAIL_BYTES];

	l->strangers++;
	if (l->stranger_ms != 0 && now - l->stranger_ms < STRANGER_MS)
		return;
	snprintf(who, sizeof who, "user %lu %s; turned away: %u",
	    (unsigned long)peer->uid, why, l->strangers);
	l->stranger_ms = now;
	l->strangers = 0;
	entry_init(&entry, RECORD_HELLO);
	entry.error = (uint32_t)error;
	entry_text(entry.zone, sizeof entry.zone, span_of(listener_name(l)));
	entry_text(entry.detail, sizeof entry.detail, span_of(who));
	entry_send(l->broker, &entry, (struct span){0}, (struct span){0});
	log_event(
	    LOG_WARN, "stranger", "socket=%s reason=%s", listener_name(l), who);
}

static unsigned
links_allowed(const struct listener *l)
{
	return l->zone == NULL ? LINKS_MAX / 4 : l->zone->max_sessions;
}

static void
link_add(struct listener *l, int fd, const struct peer *peer,
    const struct attached *attached)
{
	struct broker *b = l->broker;
	struct link *link = kinds[l->kind].make(b);
	struct channel_options options = {
	    .self = SIDE_EXECUTOR,
	    .peer = kinds[l->kind].side,
	    .zone = listener_name(l),
	    .program = program,
	    .attestation = {b->attestation.data, b->attestation.len},
	    .hello_ms = attached->announced ? MACHINE_HELLO_MS : 0,
	    .owner = kinds[l->kind].owner,
	    .context = link,
	};

	link->broker = b;
	link->listener = l;
	link->peer = *peer;
	link->attached = *attached;
	link->vouched =
	    l->kind == LINK_PLANNER && session_is_vouched(b, l->zone, peer);
	link->next = b->links;
	b->links = link;
	b->link_count++;
	l->links++;
	link->channel = channel_new(b->loop, fd, fd, &options);
	if (b->held)
		channel_hold(link->channel, true);
}

/* Words in place of a hello; they fit into any socket that is new. */
static void
turn_away(int fd, int error, const char *why)
{
	struct buf out;

	buf_init(&out, 1024);
	if (message_error(&out, 0, error, span_of(why), (struct span){0}) != 0)
		bug("the reason of a refusal");
	if (write(fd, out.data, out.len) < 0) {
		/* it has gone already */
	}
	buf_free(&out);
	close(fd);
}

/* A zone's connection has to be of a machine that isolates enough. */
static void
take_connection(struct listener *l, int fd, const struct peer *peer)
{
	struct attached attached = {0};
	char why[DETAIL_BYTES / 2];

	if (l->zone != NULL && machine_take(l, peer, &attached) != 0) {
		snprintf(why, sizeof why,
		    "connects without a machine that was announced; the zone "
		    "accepts %s or more",
		    isolation_name(l->zone->machine.isolation));
		record_stranger(l, peer, ERR_ISOLATION, why);
		turn_away(fd, ERR_ISOLATION, why);
		return;
	}
	link_add(l, fd, peer, &attached);
}

static void
on_connection(void *context)
{
	struct listener *l = context;
	struct peer peer = {0};
	int fd = accept(l->fd, NULL, NULL);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			die(EXIT_SYSTEM, "out of descriptors: raise NOFILE");
		return; /* the peer has gone already */
	}
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		die_errno("fcntl");
	if (!peer_is_allowed(l, fd, &peer)) {
		record_stranger(l, &peer, ERR_PEER, "may not use this socket");
		close(fd);
	} else if (l->links >= links_allowed(l) ||
		   l->broker->link_count >= LINKS_MAX) {
		log_event(LOG_WARN, "too-many", "socket=%s channels=%u",
		    listener_name(l), l->links);
		turn_away(fd, ERR_BUSY, "the socket has its connections");
	} else {
		take_connection(l, fd, &peer);
	}
}

/* Stop the service: no new work, every record out, then end. */
static void
begin_end(struct broker *b)
{
	b->ending = true;
	for (size_t i = 0; i < b->listener_count; i++)
		watch_set(b->listeners[i].watch, false);
	while (b->links != NULL)
		channel_close(b->links->channel, -ERR_CLOSED);
	entries_finish(b);
	loop_stop(b->loop);
}

/* How a process is locked; one that was started again replaces itself. */
static void
attest(struct broker *b, const struct lock_report *report)
{
	size_t i = 0;

	while (i < b->report_count &&
	       strcmp(b->reports[i].role, report->role) != 0)
		i++;
	if (i == REPORTS_MAX)
		bug("reports of too many processes");
	b->reports[i] = *report;
	if (i == b->report_count)
		b->report_count++;
}

static void
on_control(void *context)
{
	struct broker *b = context;
	struct control record;
	int rc = control_receive(FD_CONTROL, &record);

	if (rc < 0 || (rc == 1 && record.what == CONTROL_STOP)) {
		begin_end(b);
		return;
	}
	if (rc == 1 && record.what == CONTROL_ATTEST) {
		attest(b, &record.report);
		return;
	}
	if (rc == 1 && record.what == CONTROL_POLICY) {
		reload_policy(b, &record);
		return;
	}
	if (rc == 1 && record.what == CONTROL_RELOADED) {
		reload_result(b, &record);
		return;
	}
	if (rc == 1 && record.what == CONTROL_USER) {
		review_counted(b, record.number);
		return;
	}
	if (rc == 1 && record.what == CONTROL_GRANT) {
		tickets_settle(b, record.number, record.courier != 0);
		return;
	}
	if (rc == 1 && record.courier >= b->plan.couriers)
		bug("control record names courier %u", record.courier);
	if (rc == 1 && record.what == CONTROL_DOWN)
		courier_down(b, record.courier);
	if (rc == 1 && record.what == CONTROL_UP)
		b->courier_up[record.courier] = true;
}

/* One second's worth of calls for each planner zone, up to a minute's. */
static void
refill_calls(struct broker *b)
{
	for (size_t i = 0; i < b->listener_count; i++) {
		struct listener *l = &b->listeners[i];
		int64_t most;

		if (l->kind != LINK_PLANNER)
			continue;
		most = l->zone->max_calls_per_minute;
		l->calls_left += most / 60;
		if (l->calls_left > most)
			l->calls_left = most;
	}
	for (struct link *k = b->links; k != NULL && !b->held; k = k->next)
		if (k->listener->kind == LINK_PLANNER &&
		    k->listener->calls_left > 0)
			channel_hold(k->channel, false);
}

static void
on_tick(void *context)
{
	struct broker *b = context;
	int64_t now = clock_ms();
	bool more = false;

	if (b->stalled && now - b->stalled_ms > STALLED_MS)
		die(EXIT_UNAVAILABLE, "the auditor takes no records");
	if (now >= b->refill_at_ms) { /* a backlog makes ticks shorter */
		refill_calls(b);
		b->refill_at_ms = now + TICK_MS;
	}
	receipts_tick(b, now);
	call_tick(b, now);
	tickets_tick(b);
	/* what an error left waiting is tried again */
	reader_feed(b);
	planner_wake(b);
	if (now >= b->expire_at_ms) {
		int rc = inbox_expire(b->inbox, clock_utc_ms(), &more);

		if (rc == 0)
			rc = ticket_erase_old(b->inbox, clock_utc_ms());
		if (rc == 0)
			rc = inbox_spent_expire(b->inbox, clock_utc_ms());
		if (rc != 0)
			log_event(
			    LOG_ERROR, "expire", "reason=%s", err_text(rc));
		b->expire_at_ms = now + (more ? EXPIRE_MORE_MS : EXPIRE_MS);
	}
	timer_set(b->tick, more ? EXPIRE_MORE_MS : TICK_MS);
}

/* Which texts decide from here on; anybody can hash the files and compare. */
static void
record_texts(struct broker *b, const struct span *texts)
{
	static const char *const names[] = {"configuration", "policy"};
	unsigned char hash[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1], detail[DETAIL_BYTES];
	struct entry_head entry;

	for (size_t i = 0; i < 2; i++) {
		sha256_of(texts[i].p, texts[i].n, hash);
		hex_encode(hash, sizeof hash, hex);
		snprintf(detail, sizeof detail, "sha256 %s", hex);
		entry_init(&entry, RECORD_CONFIG);
		entry.bytes = texts[i].n;
		entry_text(entry.why, sizeof entry.why, span_of(names[i]));
		entry_text(entry.detail, sizeof entry.detail, span_of(detail));
		entry_send(b, &entry, (struct span){0}, (struct span){0});
	}
}

static void
read_settings(struct broker *b)
{
	struct json_error where;
	struct span texts[3];
	struct buf store;
	char reason[400];
	int rc;

	if (role_begin(&store, texts, 3) != 3)
		bug("broker start texts");
	sha256_of(texts[1].p, texts[1].n, b->policy_hash);
	record_texts(b, texts);
	rc = config_parse_again(texts[0], "", &b->config, &where);
	if (rc == 0)
		rc = config_peers_unpack(b->config,
		    (const struct config_peers *)(const void *)alloc_text(
			texts[2].p, texts[2].n),
		    texts[2].n / sizeof(struct config_peers));
	if (rc == 0)
		rc = policy_parse(texts[1], &b->policy, &where);
	if (rc != 0) {
		json_error_text(&where, reason, sizeof reason);
		die(EXIT_CONFIG, "%s", reason);
	}
	buf_free(&store);
	if (plan_make(b->policy, &b->plan) != 0)
		bug("a plan the parent could make");
}

static void
listen_on(struct broker *b, int fd, enum link_kind kind,
    const struct config_zone *zone)
{
	struct listener *l = &b->listeners[b->listener_count++];

	*l = (struct listener){
	    .broker = b, .fd = fd, .kind = kind, .zone = zone};
	buf_init(&l->attested, ATTESTED_BYTES);
	l->work.last_boot_ms = l->work.last_handover_ms = -1;
	l->work.absent_ms = clock_utc_ms();
	if (kind == LINK_PLANNER)
		l->calls_left = zone->max_calls_per_minute;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		die_errno("fcntl");
	l->watch = loop_watch_read(b->loop, fd, on_connection, l);
	watch_set(l->watch, true);
}

static int
open_listeners(struct broker *b, int fd)
{
	content_share(b);
	b->listeners =
	    alloc_array(b->config->zone_count + 2, sizeof *b->listeners);
	for (size_t i = 0; i < b->config->zone_count; i++) {
		const struct config_zone *zone = &b->config->zones[i];

		listen_on(b, fd++,
		    zone->kind == ZONE_PLANNER ? LINK_PLANNER : LINK_READER,
		    zone);
	}
	listen_on(b, fd++, LINK_OPERATOR, NULL);
	listen_on(b, fd++, LINK_DELIVER, NULL);
	return fd;
}

/* Items that nobody gets any more unless an operator says so. */
static void
record_settled(const struct inbox_settled *settled, void *context)
{
	struct entry_head entry;

	if (settled->to != INBOX_QUARANTINED &&
	    settled->to != INBOX_INTERRUPTED)
		return;
	entry_init(&entry, RECORD_QUARANTINE);
	entry.message = (uint64_t)settled->id;
	entry_text(entry.why, sizeof entry.why, span_of(settled->note));
	entry_text(entry.detail, sizeof entry.detail,
	    span_of(inbox_state_name(settled->to)));
	entry_send(context, &entry, (struct span){0}, (struct span){0});
}

int
inbox_status(int error)
{
	if (!err_is_storage(error))
		return EXIT_SYSTEM;
	(void)control_try_number(
	    FD_CONTROL, CONTROL_UNWRITTEN, 0, (uint64_t)-error);
	return EXIT_STORAGE;
}

static void
open_inbox(struct broker *b)
{
	char *folder = inbox_folder(b->config);
	int rc = inbox_open(folder, &b->config->inbox, &b->inbox);

	if (rc != 0)
		die(inbox_status(rc), "inbox in %s: %s", folder, err_text(rc));
	free(folder);
	inbox_settled(b->inbox, record_settled, b);
}

int
broker_main(void)
{
	static struct broker b;
	int fd;

	b.loop = loop_new();
	entries_open(&b, FD_FIRST);
	read_settings(&b);
	buf_init(&b.inputs, ENTRY_INPUTS_MAX);
	open_inbox(&b);
	sessions_settle(&b);
	tickets_start(&b);
	count_adopt(&b);
	fd = open_listeners(&b, FD_FIRST + 1);
	results_open(&b, fd);
	receipts_open(&b, fd + (int)b.plan.couriers);
	b.control = loop_watch_read(b.loop, FD_CONTROL, on_control, &b);
	watch_set(b.control, true);
	b.gone_timer = loop_timer(b.loop, free_gone, &b);
	b.tick = loop_timer(b.loop, on_tick, &b);
	timer_set(b.tick, TICK_MS);
	/* unique across restarts without a write: the clock starts it */
	b.started_ms = clock_utc_ms();
	b.next_request = (uint64_t)b.started_ms * 1000;
	set_nonblocking((const int[]){FD_CONTROL}, 1);
	buf_init(&b.item_text, CLEAN_MAX_BYTES);
	buf_init(&b.call_text, FRAME_MAX_BYTES);
	outbound_open(&b);
	json_init(&b.item_doc);
	json_init(&b.call_doc);
	tzset(); /* reads a file, which a sealed process cannot */
	attest(&b, role_seal());
	buf_init(&b.attestation, LOCK_ATTESTATION_BYTES);
	lock_report_write(&b.reports[0], &b.attestation);
	role_ready();
	loop_run(b.loop);
	inbox_close(b.inbox);
	return EXIT_DONE;
}
