/*
 * When log or inbox cannot be written: everybody else ends, and the parent
 * waits and starts them again, for ever, until it works. Meanwhile whoever
 * connects is told so: one frame that was made before, and not a byte is read.
 * Runs in the parent.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/audit_log.h"
#include "executor/audit_segment.h"
#include "executor/manager.h"
#include "executor/parent_impl.h"
#include "proto/message.h"

#define RETRY_FIRST_MS 1000
#define RETRY_LAST_MS 15000
#define RETRY_INBOX_LAST_MS 60000 /* each try costs the log some records */
#define TELL_MS 600000
#define ENDS_MAX 5 /* of a broker that served, within ENDS_MS */
#define ENDS_MS 600000
/* Until the peer has read what it is told: it may still be sending its hello,
 * which would fail at a socket that is closed. */
#define REFUSED_MS 1000
#define REFUSALS_AT_ONCE 16
#define REASON_BYTES 1000

/* What to do, for operators; zones are told no paths. */
static void
explain(const struct parent *p, char out[REASON_BYTES])
{
	const struct config *config = p->setup->config;
	bool inbox = p->pause.inbox;
	char need[64];

	(void)snprintf(need, sizeof need, "make room for %llu MiB",
	    (unsigned long long)AUDIT_OPEN_MIB(SEGMENT_BYTES));
	(void)snprintf(out, REASON_BYTES,
	    "the %s cannot be written (%s): nothing is done until it can; %s "
	    "on the disk of %s%s, then it goes on by itself",
	    inbox ? "inbox" : "audit", err_text(p->pause.error),
	    p->pause.error == -ERR_NO_SPACE ? need : "mend what is wrong",
	    inbox ? config->state : config->audit, inbox ? "/inbox" : "");
}

void
pause_hear(struct parent *p, const struct control *record)
{
	int error = record->number <= INT32_MAX ? -(int)record->number : 0;

	p->pause.error = err_is_storage(error) ? error : -ERR_IO;
}

/* A broker in an attacker's hands could end so to have couriers begin to count
 * anew: not often. */
static bool
too_often(struct pause *pause)
{
	int64_t now = clock_ms();

	if (pause->ends == 0 || now - pause->first_end_ms > ENDS_MS) {
		pause->ends = 0;
		pause->first_end_ms = now;
	}
	return ++pause->ends > ENDS_MAX;
}

void
pause_want(struct parent *p, bool inbox)
{
	p->pause.on = !(inbox && p->serving && too_often(&p->pause));
	p->pause.inbox = inbox;
	if (p->pause.error == 0)
		p->pause.error = -ERR_IO;
}

void
pause_begin(struct parent *p)
{
	struct pause *pause = &p->pause;
	int64_t most = pause->inbox ? RETRY_INBOX_LAST_MS : RETRY_LAST_MS;
	int64_t now = clock_ms();
	char reason[REASON_BYTES];

	p->stopping = false;
	if (pause->delay_ms == 0)
		pause->since_ms = now;
	pause->delay_ms =
	    pause->delay_ms == 0 ? RETRY_FIRST_MS : 2 * pause->delay_ms;
	if (pause->delay_ms > most)
		pause->delay_ms = most;
	pause->retry_ms = now + pause->delay_ms;
	set_nonblocking(p->listeners.fd, p->listeners.count);
	if (pause->told_ms != 0 && now < pause->told_ms + TELL_MS &&
	    pause->told_error == pause->error)
		return;
	pause->told_ms = now;
	pause->told_error = pause->error;
	explain(p, reason);
	/* who connects is answered, so this too is a service that is up */
	manager_tell(MANAGER_READY, "paused: %s", reason);
	log_event(LOG_ERROR, "paused", "seconds=%lld reason=%s",
	    (long long)(now - pause->since_ms) / 1000, reason);
}

bool
pause_is_told(const struct parent *p)
{
	return p->pause.on && p->pause.told_ms != 0 &&
	       clock_ms() < p->pause.told_ms + TELL_MS;
}

bool
pause_is_due(const struct parent *p)
{
	return clock_ms() >= p->pause.retry_ms;
}

void
pause_end(struct parent *p)
{
	if (p->pause.on)
		log_event(LOG_INFO, "resumed", "seconds=%lld",
		    (long long)(clock_ms() - p->pause.since_ms) / 1000);
	p->pause.on = false;
	p->pause.error = 0;
	p->pause.delay_ms = p->pause.retry_ms = p->pause.told_ms = 0;
}

/*
 * Refusing.
 */

bool
pause_refuses(const struct parent *p)
{
	return p->pause.on && p->broker.pid <= 0;
}

static void
forget(struct refused *refused)
{
	if (refused->until_ms != 0)
		close(refused->fd);
	*refused = (struct refused){0};
}

static void
say(const struct parent *p, int fd, bool zone)
{
	char reason[REASON_BYTES];
	struct buf out;

	explain(p, reason);
	buf_init(&out, REASON_BYTES * 2);
	if (message_error(&out, 0, ERR_UNWRITTEN,
		span_of(zone ? err_text(ERR_UNWRITTEN) : reason),
		(struct span){0}) != 0)
		bug("the reason of a pause");
	if (write(fd, out.data, out.len) < 0) {
		/* it has gone already */
	}
	buf_free(&out);
}

/* False when nobody waits there. */
static bool
refuse_one(struct parent *p, size_t listener)
{
	struct refused *row = &p->pause.refused[p->pause.next];
	int fd = accept(p->listeners.fd[listener], NULL, NULL);

	if (fd < 0)
		return false;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		close(fd);
		return true;
	}
	say(p, fd, listener < p->setup->config->zone_count);
	forget(row);
	*row = (struct refused){.fd = fd, .until_ms = clock_ms() + REFUSED_MS};
	p->pause.next = (p->pause.next + 1) % REFUSED_MAX;
	return true;
}

void
pause_refuse(struct parent *p, size_t listener)
{
	for (int i = 0; i < REFUSALS_AT_ONCE && refuse_one(p, listener); i++)
		continue;
}

int64_t
pause_deadline(const struct parent *p)
{
	int64_t first = p->pause.retry_ms;

	for (size_t i = 0; i < REFUSED_MAX; i++) {
		int64_t until = p->pause.refused[i].until_ms;

		if (until != 0 && (first == 0 || until < first))
			first = until;
	}
	return first;
}

void
pause_tick(struct parent *p)
{
	int64_t now = clock_ms();

	for (size_t i = 0; i < REFUSED_MAX; i++)
		if (now >= p->pause.refused[i].until_ms)
			forget(&p->pause.refused[i]);
}

/*
 * Starting afresh: nothing of the links is used again, as orders and results
 * of before may be in them.
 */

static void
drop_end(int *end)
{
	if (*end >= 0)
		close(*end);
	*end = -1;
}

void
pause_renew_links(struct parent *p)
{
	p->pause.retry_ms = 0;
	drop_end(&p->auditor.control);
	drop_end(&p->broker.control);
	for (int i = 0; i < 2; i++) {
		drop_end(&p->entry_ends[i]);
		drop_end(&p->receipt_ends[i]);
		drop_end(&p->refusal_ends[i]);
	}
	for (uint32_t i = 0; i < p->plan.couriers; i++) {
		struct courier *courier = &p->couriers[i];

		for (int j = 0; j < 2; j++) {
			drop_end(&courier->order_ends[j]);
			drop_end(&courier->result_ends[j]);
		}
		*courier = (struct courier){.child = {.control = -1}};
	}
	parent_links(p);
}
