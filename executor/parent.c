/*
 * Parent of the executor: starts auditor, couriers and broker, restarts a dead
 * courier alone and takes the service down, closed, when another part dies.
 * Believes the operator's files; reads only fixed-size records of its own
 * children.
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
#include "common/cgroup.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/order.h"
#include "executor/parent_files.h"
#include "executor/profile.h"
#include "executor/role.h"

#define READY_MS 300000 /* the auditor checks the whole log before it is */
#define DRAIN_MS 30000	/* auditor and broker letting go of a courier */
#define STOP_MS 30000	/* broker and auditor may take 10 s each to end */
#define BACKOFF_FIRST_MS 100
#define BACKOFF_LAST_MS 30000
#define DEATHS_MAX 6 /* within DEATHS_MS: then it stays down */
#define DEATHS_MS 600000

enum courier_state {
	COURIER_STARTING,
	COURIER_UP,
	COURIER_DRAINING, /* dead; auditor and broker are letting go */
	COURIER_WAITING,  /* for its back-off to end */
	COURIER_GIVEN_UP
};

struct child {
	pid_t pid; /* 0: none */
	int control;
	int64_t deadline_ms; /* for what it is expected to do now; 0: none */
};

struct courier {
	struct child child;
	enum courier_state state;
	unsigned drained; /* who has let go: 1 auditor, 2 broker */
	unsigned deaths;
	bool been_up; /* one that never was means a wrong configuration */
	int64_t first_death_ms;
	int order_ends[2];  /* auditor's, courier's */
	int result_ends[2]; /* broker's (read), courier's (write) */
};

struct parent {
	const struct parent_setup *setup;
	struct plan plan;
	struct listeners listeners;
	struct child auditor, broker;
	struct courier *couriers;
	int entry_ends[2]; /* auditor's (read), broker's (write) */
	struct lock own;   /* how the parent itself is locked */
	struct lock_report auditor_report;
	char cgroup[4096]; /* for the roles' groups, or why there are none */
	struct config_peers peers[LISTENERS_MAX];
	bool stopping;
	int64_t stop_deadline_ms;
	int status;
};

/* Set by signal handlers only; the pipe wakes the loop. */
static volatile sig_atomic_t stop_signal;
static int signal_pipe[2];

static void
on_signal(int number)
{
	int saved_errno = errno;

	if (number != SIGCHLD)
		stop_signal = 1;
	if (write(signal_pipe[1], "", 1) < 0) {
		/* full: the loop will wake up all the same */
	}
	errno = saved_errno;
}

static void
make_pipe(int ends[2])
{
	if (pipe(ends) != 0)
		die_errno("pipe");
	for (int i = 0; i < 2; i++)
		if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) != 0)
			die_errno("fcntl");
}

static void
catch_signals(void)
{
	static const int caught[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal};

	make_pipe(signal_pipe);
	for (int i = 0; i < 2; i++)
		if (fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK) != 0)
			die_errno("fcntl");
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
		if (sigaction(caught[i], &action, NULL) != 0)
			die_errno("sigaction");
}

static void
make_socket_pair(int ends[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		die_errno("socketpair");
	for (int i = 0; i < 2; i++)
		if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) != 0)
			die_errno("fcntl");
}

/* What a role has to become: `name` is that of its profile. */
static void
lock_for(const struct parent *p, const char *name, struct lock *out)
{
	lock_init(out, profile_find(span_of(name)));
	if (out->profile == NULL)
		bug("no profile for %s", name);
	parent_account(p->setup->config, name, &out->account);
	out->cgroup = p->cgroup;
	out->interfaces = (int)p->own.report.interfaces;
}

/* Start one role. fds[0] is left free for its control socket, texts[0] for its
 * setting. */
static void
start_child(struct child *child, enum role role, const struct lock *lock,
    int *fds, size_t fd_count, struct span *texts, size_t text_count)
{
	struct buf setting;
	int control[2];

	buf_init(&setting, START_TEXT_MAX_BYTES);
	role_setting_write(lock, &setting);
	texts[0] = (struct span){setting.data, setting.len};
	make_socket_pair(control);
	fds[0] = control[1];
	child->pid = role_start(role, fds, fd_count, texts, text_count);
	buf_free(&setting);
	close(control[1]);
	if (child->pid < 0)
		die(EXIT_SYSTEM, "%s cannot be started: %s", role_name(role),
		    err_text((int)child->pid));
	child->control = control[0];
	set_nonblocking(&control[0], 1);
	child->deadline_ms = clock_ms() + READY_MS;
}

static void
start_auditor(struct parent *p)
{
	int fds[2 + COURIERS_MAX];
	struct span texts[3];
	struct lock lock;

	lock_for(p, "auditor", &lock);
	lock_add_path(&lock, p->setup->config->audit, true, false);
	fds[1] = p->entry_ends[0];
	for (uint32_t i = 0; i < p->plan.couriers; i++)
		fds[2 + i] = p->couriers[i].order_ends[0];
	texts[1] = span_of(p->setup->config->audit);
	texts[2] = (struct span){(const char *)&p->plan, sizeof p->plan};
	start_child(&p->auditor, ROLE_AUDITOR, &lock, fds, 2 + p->plan.couriers,
	    texts, 3);
	lock_done(&lock);
}

static void
start_broker(struct parent *p)
{
	int fds[ROLE_DESCRIPTORS_MAX];
	struct span texts[4] = {{0}, p->setup->config_text,
	    p->setup->policy_text, {(const char *)p->peers, 0}};
	char *inbox = inbox_folder(p->setup->config);
	struct lock lock;
	size_t count = 2;

	texts[3].n = sizeof p->peers[0] * config_peers_pack(p->setup->config,
					      p->peers, LISTENERS_MAX);
	lock_for(p, "broker", &lock);
	lock_add_path(&lock, inbox, true, false);
	fds[1] = p->entry_ends[1];
	for (size_t i = 0; i < p->listeners.count; i++)
		fds[count++] = p->listeners.fd[i];
	for (uint32_t i = 0; i < p->plan.couriers; i++)
		fds[count++] = p->couriers[i].result_ends[0];
	start_child(&p->broker, ROLE_BROKER, &lock, fds, count, texts, 4);
	lock_done(&lock);
	free(inbox);
}

/* The places one capability needs; the same one once. */
static void
add_paths(struct lock *lock, const struct capability *c)
{
	struct lock_path paths[KIND_PATHS_MAX];
	size_t count = c->kind->paths(c->settings, c->method, paths);

	for (size_t i = 0; i < count; i++)
		lock_add_path(
		    lock, paths[i].path, paths[i].write, paths[i].shown);
}

/* A courier gets only its own capabilities: "number\n" and the instance. */
static void
start_courier(struct parent *p, uint32_t index)
{
	struct courier *courier = &p->couriers[index];
	size_t capabilities = policy_capability_count(p->setup->policy);
	struct span texts[POLICY_MAX_CAPABILITIES + 1];
	struct lock lock;
	int fds[3];
	size_t count = 1;

	lock_for(p, p->plan.kind[index]->name, &lock);
	for (uint32_t i = 0; i < capabilities; i++) {
		const struct capability *c =
		    policy_capability(p->setup->policy, i);

		if (p->plan.courier_of[i] != index)
			continue;
		texts[count++] = span_of(alloc_format("%u\n%s", i, c->source));
		add_paths(&lock, c);
	}
	fds[1] = courier->order_ends[1];
	fds[2] = courier->result_ends[1];
	start_child(&courier->child, ROLE_COURIER, &lock, fds, 3, texts, count);
	courier->state = COURIER_STARTING;
	for (size_t i = 1; i < count; i++)
		free((char *)(uintptr_t)texts[i].p);
	lock_done(&lock);
}

/* A child that is gone needs no word: SIGCHLD tells the rest. One that does
 * not listen is stuck. */
static void
tell(const struct child *child, enum control_what what, uint32_t courier)
{
	if (child->pid > 0 &&
	    control_try(child->control, what, courier, NULL) == -ERR_DEADLINE)
		kill(child->pid, SIGKILL);
}

/* How one is locked, to who puts it on record and who tells the operator. */
static void
tell_report(const struct child *child, const struct lock_report *report)
{
	if (child->pid > 0 && control_try(child->control, CONTROL_ATTEST, 0,
				  report) == -ERR_DEADLINE)
		kill(child->pid, SIGKILL);
}

static void
begin_stop(struct parent *p, int status)
{
	if (p->stopping)
		return;
	p->stopping = true;
	p->status = status;
	p->stop_deadline_ms = clock_ms() + STOP_MS;
	log_event(LOG_INFO, "stopping", "status=%d", status);
	/* the broker ends, so the auditor sees the end of its entries, writes
	 * its last record and ends too; then nobody needs the couriers */
	tell(&p->broker, CONTROL_STOP, 0);
	for (int i = 0; i < 2; i++) {
		close(p->entry_ends[i]);
		p->entry_ends[i] = -1;
	}
}

static void
give_up_courier(struct parent *p, uint32_t index)
{
	p->couriers[index].state = COURIER_GIVEN_UP;
	log_event(LOG_ERROR, "courier-given-up",
	    "kind=%s deaths=%u reason=died too often; its capabilities are "
	    "unavailable until a restart",
	    p->plan.kind[index]->name, p->couriers[index].deaths);
}

static void
courier_died(struct parent *p, uint32_t index)
{
	struct courier *courier = &p->couriers[index];
	int64_t now = clock_ms();

	close(courier->child.control);
	courier->child = (struct child){.control = -1};
	if (p->stopping)
		return;
	if (!courier->been_up) {
		begin_stop(p, EXIT_CONFIG);
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
	tell(&p->auditor, CONTROL_DOWN, index);
	tell(&p->broker, CONTROL_DOWN, index);
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

static void
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
child_died(struct parent *p, pid_t pid, int wait_status)
{
	/* couriers are told to stop by SIGTERM, see is_over */
	bool clean = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) == SIGTERM
					      : WEXITSTATUS(wait_status) == 0;
	const char *what = "child";

	if (pid == p->auditor.pid) {
		what = "auditor";
		p->auditor = (struct child){.control = p->auditor.control};
	} else if (pid == p->broker.pid) {
		what = "broker";
		p->broker = (struct child){.control = p->broker.control};
	}
	for (uint32_t i = 0; i < p->plan.couriers; i++) {
		if (p->couriers[i].child.pid == pid) {
			what = p->plan.kind[i]->name;
			courier_died(p, i);
		}
	}
	log_event(clean && p->stopping ? LOG_INFO : LOG_ERROR, "ended",
	    "what=%s pid=%ld signal=%d status=%d", what, (long)pid,
	    WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0,
	    WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 0);
	if (p->auditor.pid == 0 || p->broker.pid == 0)
		begin_stop(p, EXIT_SYSTEM);
}

static void
reap(struct parent *p)
{
	int wait_status;
	pid_t pid;

	while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0)
		child_died(p, pid, wait_status);
}

static void
tell_up(struct parent *p, uint32_t index, const struct lock_report *report)
{
	struct courier *courier = &p->couriers[index];

	tell_report(&p->auditor, report);
	tell_report(&p->broker, report);
	courier->state = COURIER_UP;
	courier->been_up = true;
	courier->child.deadline_ms = 0;
	tell(&p->auditor, CONTROL_UP, index);
	tell(&p->broker, CONTROL_UP, index);
}

/* Auditor or broker serves. The auditor's own report is its first record. */
static void
is_ready(
    struct parent *p, struct child *child, const struct lock_report *report)
{
	child->deadline_ms = 0;
	if (child == &p->auditor) {
		p->auditor_report = *report;
		tell_report(&p->auditor, &p->own.report);
		return;
	}
	tell_report(&p->auditor, report);
	tell_report(&p->broker, &p->own.report);
	tell_report(&p->broker, &p->auditor_report);
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
		is_ready(p, from, &record.report);
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

static void
take_courier_control(struct parent *p, uint32_t index)
{
	struct control record;

	if (control_receive(p->couriers[index].child.control, &record) == 1 &&
	    record.what == CONTROL_READY &&
	    p->couriers[index].state == COURIER_STARTING)
		tell_up(p, index, &record.report);
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

	first = sooner(first, p->auditor.deadline_ms);
	first = sooner(first, p->broker.deadline_ms);
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
	for (uint32_t i = 0; i < p->plan.couriers && !p->stopping; i++) {
		struct courier *courier = &p->couriers[i];

		if (courier->child.deadline_ms == 0 ||
		    now < courier->child.deadline_ms)
			continue;
		courier->child.deadline_ms = 0;
		if (courier->state == COURIER_WAITING) {
			start_courier(p, i);
		} else if (courier->state == COURIER_STARTING) {
			kill(courier->child.pid, SIGKILL);
		} else {
			log_event(LOG_ERROR, "drain-timeout", "kind=%s",
			    p->plan.kind[i]->name);
			begin_stop(p, EXIT_SYSTEM);
		}
	}
}

/* When auditor and broker are gone, so is the couriers' work. */
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
	return !any;
}

static void
wait_for_events(struct parent *p)
{
	struct pollfd watch[3 + COURIERS_MAX];
	int64_t first = first_deadline(p), left = -1;
	char waste[64];
	nfds_t count = 3;

	watch[0] =
	    (struct pollfd){.fd = p->auditor.pid > 0 ? p->auditor.control : -1,
		.events = POLLIN};
	watch[1] = (struct pollfd){
	    .fd = p->broker.pid > 0 ? p->broker.control : -1, .events = POLLIN};
	watch[2] = (struct pollfd){.fd = signal_pipe[0], .events = POLLIN};
	for (uint32_t i = 0; i < p->plan.couriers; i++)
		watch[count++] =
		    (struct pollfd){.fd = p->couriers[i].child.pid > 0
					      ? p->couriers[i].child.control
					      : -1,
			.events = POLLIN};
	if (first != 0)
		left = first > clock_ms() ? first - clock_ms() : 0;
	if (poll(watch, count, (int)left) < 0 && errno != EINTR)
		die_errno("poll");
	if (watch[2].revents != 0 && read(signal_pipe[0], waste, 64) < 0 &&
	    errno != EAGAIN)
		die_errno("signal pipe");
	if (stop_signal != 0)
		begin_stop(p, EXIT_DONE);
	/* before reaping: what a child said before it died counts */
	if (watch[0].revents != 0 && p->auditor.pid > 0)
		take_control(p, &p->auditor);
	if (watch[1].revents != 0 && p->broker.pid > 0)
		take_control(p, &p->broker);
	for (uint32_t i = 0; i < p->plan.couriers; i++)
		if (watch[3 + i].revents != 0)
			take_courier_control(p, i);
	reap(p);
	check_deadlines(p);
}

/* Wait for one child's READY before the next is started. */
static bool
await_ready(struct parent *p, struct child *child)
{
	while (!p->stopping && child->pid > 0 && child->deadline_ms != 0)
		wait_for_events(p);
	return !p->stopping && child->pid > 0;
}

static void
make_links(struct parent *p)
{
	make_pipe(p->entry_ends);
	for (uint32_t i = 0; i < p->plan.couriers; i++) {
		make_socket_pair(p->couriers[i].order_ends);
		make_pipe(p->couriers[i].result_ends);
		p->couriers[i].child.control = -1;
	}
}

static bool
start_everybody(struct parent *p)
{
	start_auditor(p);
	if (!await_ready(p, &p->auditor))
		return false;
	start_broker(p);
	if (!await_ready(p, &p->broker))
		return false;
	/* both know no courier yet; tell_up makes it known to them */
	for (uint32_t i = 0; i < p->plan.couriers; i++) {
		start_courier(p, i);
		while (!p->stopping && p->couriers[i].state != COURIER_UP &&
		       p->couriers[i].state != COURIER_GIVEN_UP)
			wait_for_events(p);
	}
	return !p->stopping;
}

/* All is open that needs more than starting roles does. */
static void
lock_parent(struct parent *p)
{
	char reason[200];

	if (cgroup_base(p->cgroup, sizeof p->cgroup, reason, sizeof reason) !=
	    0)
		(void)snprintf(p->cgroup, sizeof p->cgroup, "%s", reason);
	lock_init(&p->own, profile_find(span_of("parent")));
	lock_enter(&p->own);
	lock_seal(&p->own);
}

int
parent_run(const struct parent_setup *setup)
{
	static struct parent p;

	p.setup = setup;

	if (plan_make(setup->policy, &p.plan) != 0)
		die(EXIT_CONFIG, "the policy needs more than %d couriers",
		    COURIERS_MAX);
	p.couriers = alloc_array(p.plan.couriers + 1, sizeof *p.couriers);
	parent_folders(setup->config);
	parent_lock(setup->config);
	parent_listen(setup->config, &p.listeners);
	catch_signals();
	make_links(&p);
	lock_parent(&p);
	if (start_everybody(&p))
		log_event(LOG_INFO, "ready", "run=%s zones=%zu couriers=%u",
		    setup->config->run, setup->config->zone_count,
		    p.plan.couriers);
	while (!is_over(&p))
		wait_for_events(&p);
	parent_unlisten(setup->config);
	free(p.couriers);
	return p.status;
}
