/*
 * Parent of the executor: has auditor, couriers and broker started
 * (parent_start.c), restarts a dead courier alone and takes the service down,
 * closed, when another part dies. Believes the operator's files; reads only
 * fixed-size records of its own children.
 */
#include "executor/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/user.h"
#include "executor/manager.h"
#include "executor/order.h"
#include "executor/parent_files.h"
#include "executor/parent_impl.h"
#include "executor/role.h"

#define STOP_MS 30000 /* broker and auditor may take 10 s each to end */

/* Set by signal handlers only; the pipe wakes the loop. */
static volatile sig_atomic_t stop_signal, reload_signal;
static int signal_pipe[2];

static void
on_signal(int number)
{
	int saved_errno = errno;

	if (number == SIGHUP)
		reload_signal = 1;
	else if (number != SIGCHLD)
		stop_signal = 1;
	if (write(signal_pipe[1], "", 1) < 0) {
		/* full: the loop will wake up all the same */
	}
	errno = saved_errno;
}

static void
catch_signals(void)
{
	static const int caught[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal};

	parent_pipe(signal_pipe);
	for (int i = 0; i < 2; i++)
		if (fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK) != 0)
			die_errno("fcntl");
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
		if (sigaction(caught[i], &action, NULL) != 0)
			die_errno("sigaction");
}

/* A child that is gone needs no word: SIGCHLD tells the rest. One that does
 * not listen is stuck. */
void
parent_tell(const struct child *child, enum control_what what, uint32_t courier)
{
	if (child->pid > 0 &&
	    control_try(child->control, what, courier, NULL) == -ERR_DEADLINE)
		kill(child->pid, SIGKILL);
}

/* How one is locked, to who puts it on record and who tells the operator. */
void
parent_tell_report(const struct child *child, const struct lock_report *report)
{
	if (child->pid > 0 && control_try(child->control, CONTROL_ATTEST, 0,
				  report) == -ERR_DEADLINE)
		kill(child->pid, SIGKILL);
}

void
parent_stop(struct parent *p, int status)
{
	if (p->stopping)
		return;
	p->stopping = true;
	p->status = status;
	p->stop_deadline_ms = clock_ms() + STOP_MS;
	if (!p->pause.on)
		manager_tell(MANAGER_STOPPING, "stopping");
	if (!p->pause.on)
		log_event(LOG_INFO, "stopping", "status=%d", status);
	/* the broker ends, so the auditor sees the end of its entries, writes
	 * its last record and ends too; then nobody needs the couriers */
	parent_tell(&p->broker, CONTROL_STOP, 0);
	for (int i = 0; i < 2; i++) {
		if (p->entry_ends[i] >= 0)
			close(p->entry_ends[i]);
		p->entry_ends[i] = -1;
	}
}

void
parent_tell_serving(const struct parent *p, const char *note)
{
	manager_tell(MANAGER_READY, "serves %zu zones, %u couriers%s%s",
	    p->setup->config->zone_count, p->plan.couriers,
	    *note == '\0' ? "" : "; ", note);
}

/* What it said before it died. */
static void
hear_last(struct parent *p, const struct child *child)
{
	struct control record;

	while (control_receive(child->control, &record) == 1)
		if (record.what == CONTROL_UNWRITTEN)
			pause_hear(p, &record);
}

static void
log_end(const struct parent *p, const char *what, pid_t pid, int wait_status,
    bool clean)
{
	log_event(clean && p->stopping ? LOG_INFO : LOG_ERROR, "ended",
	    "what=%s pid=%ld signal=%d status=%d", what, (long)pid,
	    WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0,
	    WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 0);
}

static void
child_died(struct parent *p, pid_t pid, int wait_status)
{
	bool storage =
	    WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EXIT_STORAGE;
	/* couriers are told to stop by SIGTERM, see is_over */
	bool clean = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) == SIGTERM
					      : WEXITSTATUS(wait_status) == 0;
	const char *what = "child";
	bool keeper = pid == p->auditor.pid || pid == p->broker.pid;
	const char *of_wall;

	storage = storage && keeper;
	if (pid == p->auditor.pid) {
		what = "auditor";
		hear_last(p, &p->auditor);
		p->auditor = (struct child){.control = p->auditor.control};
	} else if (pid == p->broker.pid) {
		what = "broker";
		hear_last(p, &p->broker);
		p->broker = (struct child){.control = p->broker.control};
	}
	for (uint32_t i = 0; i < p->plan.couriers; i++) {
		if (p->couriers[i].child.pid == pid) {
			what = p->plan.kind[i]->name;
			courier_died(p, i);
		}
	}
	of_wall = wall_died(p, pid);
	if (of_wall != NULL)
		what = of_wall;
	/* why tries to start again fail is told now and then: pause_begin */
	if (!p->pause.on || !(storage || p->stopping))
		log_end(p, what, pid, wait_status, clean);
	if (storage)
		pause_want(p, strcmp(what, "broker") == 0);
	else if (keeper && !p->stopping)
		p->pause.on = false; /* another matter, which ends us */
	if (p->auditor.pid == 0 || (p->broker.pid == 0 && !p->alone))
		parent_stop(p, EXIT_SYSTEM);
}

static void
reap(struct parent *p)
{
	int wait_status;
	pid_t pid;

	while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0)
		child_died(p, pid, wait_status);
}

/* A role is ready once, when it was started, and says so of itself: the report
 * goes on record as the parent's word. */
bool
parent_may_be_ready(
    const struct child *child, const char *role, const struct control *record)
{
	if (child->deadline_ms != 0 && lock_report_is(&record->report, role))
		return true;
	log_event(LOG_ERROR, "not-ready", "what=%s reason=it says so as %s",
	    role, child->deadline_ms == 0 ? "one that is" : "another");
	if (child->pid > 0)
		kill(child->pid, SIGKILL);
	return false;
}

/* Auditor or broker serves. The auditor's own report is its first record. */
static void
is_ready(
    struct parent *p, struct child *child, const struct lock_report *report)
{
	child->deadline_ms = 0;
	if (child == &p->auditor) {
		p->auditor_report = *report;
		parent_tell_report(&p->auditor, &p->own.report);
		return;
	}
	parent_tell_report(&p->auditor, report);
	parent_tell_report(&p->broker, &p->own.report);
	parent_tell_report(&p->broker, &p->auditor_report);
}

/* How many processes a user has: the broker, which asks because of the reviewer
 * account, sees none but its own. */
static void
tell_user(const struct parent *p, uint64_t uid)
{
	uint64_t count = 0;

	if (user_processes((uid_t)uid, &count) != 0)
		count = UINT64_MAX;
	if (p->broker.pid > 0 && control_try_number(p->broker.control,
				     CONTROL_USER, 0, count) == -ERR_DEADLINE)
		kill(p->broker.pid, SIGKILL);
}

/* The broker's question to the auditor, and the answer. */
static void
pass_grant(const struct parent *p, const struct child *from,
    const struct control *record)
{
	const struct child *to = from == &p->broker ? &p->auditor : &p->broker;

	if (to->pid > 0 &&
	    control_try_number(to->control, CONTROL_GRANT, record->courier,
		record->number) == -ERR_DEADLINE)
		kill(to->pid, SIGKILL);
}

/* One record of auditor or broker. */
static void
take_control(struct parent *p, struct child *from)
{
	struct control record;

	if (control_receive(from->control, &record) != 1)
		return; /* it is dying; SIGCHLD tells the rest */
	if (record.courier >= COURIERS_MAX)
		bug("control record names courier %u", record.courier);
	if (record.what == CONTROL_READY) {
		if (parent_may_be_ready(from,
			from == &p->auditor ? "auditor" : "broker", &record))
			is_ready(p, from, &record.report);
	} else if (record.what == CONTROL_RELOAD && from == &p->broker) {
		reload_want(p, true);
	} else if ((record.what == CONTROL_TAKEN ||
		       record.what == CONTROL_REFUSED) &&
		   from == &p->broker) {
		reload_broker_answers(p, &record);
	} else if (record.what == CONTROL_USER && from == &p->broker) {
		tell_user(p, record.number);
	} else if (record.what == CONTROL_UNWRITTEN) {
		pause_hear(p, &record);
	} else if (record.what == CONTROL_LISTENER && from == &p->auditor) {
		if (p->wall.listener.child.pid > 0)
			kill(p->wall.listener.child.pid, SIGKILL);
	} else if (record.what == CONTROL_GRANT) {
		pass_grant(p, from, &record);
	} else if (record.courier >= p->plan.couriers) {
		bug("control record for a courier there is not");
	} else if (record.what == CONTROL_DRAINED) {
		courier_drained(p, record.courier, from == &p->auditor);
	} else if (record.what == CONTROL_STUCK && from == &p->auditor) {
		struct child *stuck = &p->couriers[record.courier].child;

		log_event(LOG_ERROR, "courier-stuck", "kind=%s",
		    p->plan.kind[record.courier]->name);
		if (stuck->pid > 0)
			kill(stuck->pid, SIGKILL);
	}
}

/* The earlier of two points in time; 0 is none. */
static int64_t
sooner(int64_t a, int64_t b)
{
	if (a == 0 || b == 0)
		return a == 0 ? b : a;
	return a < b ? a : b;
}

static int64_t
first_deadline(const struct parent *p)
{
	int64_t first = p->stopping ? p->stop_deadline_ms : 0;

	first = sooner(first, pause_deadline(p));
	first = sooner(first, manager_deadline());
	first = sooner(first, p->auditor.deadline_ms);
	first = sooner(first, p->broker.deadline_ms);
	first = sooner(first, wall_deadline(p));
	if (p->reload.step != RELOAD_NONE)
		first = sooner(first, p->reload.deadline_ms);
	for (uint32_t i = 0; i < p->plan.couriers; i++)
		first = sooner(first, p->couriers[i].child.deadline_ms);
	return first;
}

static void
kill_everybody(const struct parent *p)
{
	const pid_t pids[] = {p->broker.pid, p->auditor.pid};

	for (size_t i = 0; i < 2; i++)
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
	for (uint32_t i = 0; i < p->plan.couriers; i++)
		if (p->couriers[i].child.pid > 0)
			kill(p->couriers[i].child.pid, SIGKILL);
	(void)wall_signal(p, SIGKILL);
}

/* One that is not ready in time will never be. */
static void
kill_if_late(struct child *child, const char *what, int64_t now)
{
	if (child->deadline_ms == 0 || now < child->deadline_ms)
		return;
	child->deadline_ms = 0;
	log_event(LOG_ERROR, "not-ready", "what=%s", what);
	if (child->pid > 0)
		kill(child->pid, SIGKILL);
}

/* Whatever was due: back-offs that end, children that took too long. */
static void
check_deadlines(struct parent *p)
{
	int64_t now = clock_ms();

	if (p->stopping && now >= p->stop_deadline_ms) {
		log_event(LOG_ERROR, "stop-forced", "after_ms=%d", STOP_MS);
		p->status = EXIT_SYSTEM;
		kill_everybody(p);
		p->stop_deadline_ms = now + STOP_MS;
	}
	kill_if_late(&p->auditor, "auditor", now);
	kill_if_late(&p->broker, "broker", now);
	wall_tick(p);
	for (uint32_t i = 0; i < p->plan.couriers && !p->stopping; i++) {
		struct courier *courier = &p->couriers[i];

		if (courier->child.deadline_ms == 0 ||
		    now < courier->child.deadline_ms)
			continue;
		if (courier->state == COURIER_WAITING &&
		    p->reload.step != RELOAD_NONE) {
			/* it gets the policy that holds afterwards */
			courier->child.deadline_ms = now + BACKOFF_FIRST_MS;
			continue;
		}
		courier->child.deadline_ms = 0;
		if (courier->state == COURIER_WAITING) {
			parent_start_courier(p, i);
		} else if (courier->state == COURIER_STARTING) {
			kill(courier->child.pid, SIGKILL);
		} else {
			log_event(LOG_ERROR, "drain-timeout", "kind=%s",
			    p->plan.kind[i]->name);
			parent_stop(p, EXIT_SYSTEM);
		}
	}
}

/* When auditor and broker are gone, so is the work of all others. */
static bool
is_over(struct parent *p)
{
	bool any = false;

	if (!p->stopping || p->broker.pid > 0 || p->auditor.pid > 0)
		return false;
	for (uint32_t i = 0; i < p->plan.couriers; i++) {
		if (p->couriers[i].child.pid <= 0)
			continue;
		kill(p->couriers[i].child.pid, SIGTERM);
		any = true;
	}
	any |= wall_signal(p, SIGTERM);
	return !any;
}

enum { FIRST_OF_WALL = 3, FIRST_COURIER = FIRST_OF_WALL + WALL_WATCHES };

/* Who is to be heard: auditor, broker, the signals, those of the firewall,
 * couriers, and who connects while there is no broker. */
static nfds_t
set_watches(const struct parent *p, struct pollfd *watch)
{
	nfds_t count = FIRST_COURIER;

	watch[0] =
	    (struct pollfd){.fd = p->auditor.pid > 0 ? p->auditor.control : -1,
		.events = POLLIN};
	watch[1] = (struct pollfd){
	    .fd = p->broker.pid > 0 ? p->broker.control : -1, .events = POLLIN};
	watch[2] = (struct pollfd){.fd = signal_pipe[0], .events = POLLIN};
	wall_set_watches(p, watch + FIRST_OF_WALL);
	for (uint32_t i = 0; i < p->plan.couriers; i++)
		watch[count++] =
		    (struct pollfd){.fd = p->couriers[i].child.pid > 0
					      ? p->couriers[i].child.control
					      : -1,
			.events = POLLIN};
	for (size_t i = 0; pause_refuses(p) && i < p->listeners.count; i++)
		watch[count++] =
		    (struct pollfd){.fd = p->listeners.fd[i], .events = POLLIN};
	return count;
}

static void
take_signals(struct parent *p)
{
	char waste[64];

	if (read(signal_pipe[0], waste, sizeof waste) < 0 && errno != EAGAIN)
		die_errno("signal pipe");
	if (stop_signal != 0 && p->pause.on) {
		p->pause.on = false;
		p->status = EXIT_DONE;
	}
	if (stop_signal != 0)
		parent_stop(p, EXIT_DONE);
	if (reload_signal != 0) {
		reload_signal = 0;
		reload_want(p, false);
	}
}

static void
wait_for_events(struct parent *p)
{
	struct pollfd watch[FIRST_COURIER + COURIERS_MAX + LISTENERS_MAX];
	int64_t first = first_deadline(p), left = -1;
	nfds_t count = set_watches(p, watch), listeners;

	if (first != 0)
		left = first > clock_ms() ? first - clock_ms() : 0;
	if (poll(watch, count, (int)left) < 0 && errno != EINTR)
		die_errno("poll");
	take_signals(p);
	listeners = FIRST_COURIER + p->plan.couriers;
	for (nfds_t i = listeners; i < count; i++)
		if (watch[i].revents != 0)
			pause_refuse(p, i - listeners);
	/* before reaping: what a child said before it died counts */
	if (watch[0].revents != 0 && p->auditor.pid > 0)
		take_control(p, &p->auditor);
	if (watch[1].revents != 0 && p->broker.pid > 0)
		take_control(p, &p->broker);
	for (uint32_t i = 0; i < p->plan.couriers; i++)
		if (watch[FIRST_COURIER + i].revents != 0)
			courier_take_control(p, i);
	wall_take(p, watch + FIRST_OF_WALL);
	reap(p);
	check_deadlines(p);
	pause_tick(p);
	manager_tick();
	reload_go_on(p);
}

/* Wait for one child's READY before the next is started. */
static bool
await_ready(struct parent *p, struct child *child)
{
	while (!p->stopping && child->pid > 0 && child->deadline_ms != 0)
		wait_for_events(p);
	return !p->stopping && child->pid > 0;
}

static bool
start_everybody(struct parent *p)
{
	parent_start_auditor(p);
	if (!await_ready(p, &p->auditor))
		return false;
	if (p->alone)
		parent_record_texts(p);
	else
		parent_start_broker(p);
	if (!p->alone && !await_ready(p, &p->broker))
		return false;
	/* both know no courier yet; tell_up makes it known to them */
	for (uint32_t i = 0; i < p->plan.couriers; i++) {
		parent_start_courier(p, i);
		while (!p->stopping && p->couriers[i].state != COURIER_UP &&
		       p->couriers[i].state != COURIER_GIVEN_UP)
			wait_for_events(p);
	}
	wall_start(p);
	while (!p->stopping && !wall_is_up(p))
		wait_for_events(p);
	return !p->stopping;
}

/* Log or inbox could not be written: true when to start the others again. */
static bool
wait_for_storage(struct parent *p)
{
	if (!p->pause.on)
		return false;
	pause_begin(p);
	while (p->pause.on && !pause_is_due(p))
		wait_for_events(p);
	if (!p->pause.on)
		return false;
	pause_renew_links(p);
	return true;
}

static void
serve(struct parent *p)
{
	p->serving = start_everybody(p);
	if (p->serving) {
		pause_end(p);
		log_event(LOG_INFO, "ready", "run=%s zones=%zu couriers=%u",
		    p->setup->config->run, p->setup->config->zone_count,
		    p->plan.couriers);
		parent_tell_serving(p, "");
		reload_go_on(p); /* one may have been asked for meanwhile */
	}
	while (!is_over(p))
		wait_for_events(p);
	p->serving = false;
}

/* A service without zones serves accounts alone. An anchor that is told by a
 * courier needs all of them. */
static bool
is_alone(const struct parent *p)
{
	const struct config *config = p->setup->config;

	for (size_t i = 0; i < config->audit_anchor_count; i++)
		if (strcmp(config->audit_anchors[i].kind, "notify") == 0)
			return false;
	return p->wall.on && config->zone_count == 0 &&
	       config->deliver_channel_count == 0;
}

/* Whose accounts it needs. */
static uint32_t
roles_of(const struct parent *p)
{
	uint32_t roles = p->alone ? ROLE_BIT(ACCOUNT_AUDITOR) : ROLES_OF_ZONES;

	return p->wall.on ? roles | ROLES_OF_WALL : roles;
}

int
parent_run(const struct parent_setup *setup)
{
	static struct parent p;

	p.setup = setup;
	p.policy = setup->policy;
	buf_init(&p.own_text, POLICY_MAX_BYTES);
	model_copy(policy_firewall(setup->policy), &p.wall.model);
	p.wall.on = p.wall.model.count != 0;
	p.alone = is_alone(&p);
	if (!p.alone && plan_make(setup->policy, &p.plan) != 0)
		die(EXIT_CONFIG, "the policy needs more than %d couriers",
		    COURIERS_MAX);
	p.couriers = alloc_array(p.plan.couriers + 1, sizeof *p.couriers);
	manager_open();
	parent_accounts(setup->config, roles_of(&p), p.accounts);
	parent_folders(setup->config, p.accounts, p.alone);
	parent_lock(setup->config);
	wall_open(&p);
	if (!p.alone)
		parent_listen(setup->config, p.accounts, &p.listeners);
	parent_refuse_left();
	parent_make_key(&p);
	parent_open_anchors(&p);
	catch_signals();
	parent_links(&p);
	parent_lock_in(&p);
	do {
		serve(&p);
	} while (wait_for_storage(&p));
	if (!p.alone)
		parent_unlisten(setup->config, &p.listeners);
	free(p.couriers);
	policy_free(p.own_policy);
	buf_free(&p.own_text);
	return p.status;
}
