/*
 * attach, towards the instances: as many as are to be kept attached, each in a
 * slot and a session of its own, so that whatever one does ends itself
 * and nothing else. We never read from a channel; our copy of its socket shows
 * when the executor has closed it, which is how an instance is told to go.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/platform.h"
#include "executor/attach.h"
#include "executor/attach_minder.h"
#include "executor/hangup.h"

#define FAST_MS 1000 /* an instance that ends sooner may have failed */
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MOST_MS 30000
#define CONNECT_MOST_MS                                                        \
	2000	     /* of one that could not connect: it costs little */
#define GRACE_MS 200 /* after a hang-up, to end by itself */
#define TERM_MS 2000 /* from SIGTERM to SIGKILL */
#define KILL_MS 1000 /* between two SIGKILLs */

_Static_assert(MACHINE_WARM_MAX <= HANGUP_MAX, "each slot has a socket");

enum slot_state {
	SLOT_EMPTY,  /* the next starts at due_ms; 0: none does */
	SLOT_RUNS,   /* due_ms is of no meaning */
	SLOT_LEAVES, /* hung up; SIGTERM at due_ms */
	SLOT_TERMED, /* SIGKILL at due_ms */
};

struct slot {
	enum slot_state state;
	bool hung_up; /* the executor has closed the channel */
	bool told;    /* we have sent it a signal */
	bool used;    /* it had an instance before */
	bool waited;  /* because machines failed, before this one */
	pid_t pid;    /* and session, and process group */
	int fd;	      /* our copy of its channel; -1: none */
	int64_t began_ms, due_ms;
	unsigned failures; /* in a row */
};

struct keeper {
	struct attach *attach;
	char **command;
	bool again;
	struct slot slots[MACHINE_WARM_MAX];
	struct minder minder;
	uint32_t count;
	int status; /* of the last that ended */
};

static volatile sig_atomic_t stop_asked;
static int wake_pipe[2] = {-1, -1};

static void
on_signal(int number)
{
	int error = errno;

	if (number != SIGCHLD)
		stop_asked = 1;
	if (write(wake_pipe[1], "", 1) < 0) {
		/* full: then it is awake anyway */
	}
	errno = error;
}

static void
catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	static const int caught[] = {SIGTERM, SIGINT, SIGCHLD};

	if (pipe(wake_pipe) != 0)
		die_errno("pipe");
	for (int i = 0; i < 2; i++)
		if (fcntl(wake_pipe[i], F_SETFD, FD_CLOEXEC) != 0 ||
		    fcntl(wake_pipe[i], F_SETFL, O_NONBLOCK) != 0)
			die_errno("fcntl");
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
		if (sigaction(caught[i], &action, NULL) != 0)
			die_errno("sigaction");
}

static void
drain_wakes(void)
{
	char bytes[64];

	while (read(wake_pipe[0], bytes, sizeof bytes) > 0)
		continue;
}

/* How long to wait after so many failures. */
static int64_t
backoff_ms(uint64_t failures, int64_t most)
{
	int64_t ms = failures == 0 ? 0 : BACKOFF_FIRST_MS;

	for (uint64_t i = 1; i < failures && ms < most; i++)
		ms *= 2;
	return ms < most ? ms : most;
}

/* The child. Its session and group are its own, as is its share of the
 * processor where sessions have one; and it goes when we are killed. */
static _Noreturn void
be_instance(int fd, char **command, const sigset_t *mask, pid_t parent)
{
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	(void)setsid();
	sigprocmask(SIG_SETMASK, mask, NULL);
	(void)platform_die_with_parent();
	if (getppid() != parent)
		_exit(EXIT_TEMPORARY);
	attach_become(fd, command);
}

/* No signal comes between fork and the moment both sides are ready for it. */
static pid_t
start_instance(int fd, char **command)
{
	sigset_t all, before;
	pid_t parent = getpid(), pid;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (pid == 0)
		be_instance(fd, command, &before, parent);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static void
empty_slot(const struct keeper *k, struct slot *slot, int64_t pause)
{
	slot->state = SLOT_EMPTY;
	slot->pid = 0;
	slot->fd = -1;
	slot->due_ms = k->again ? clock_ms() + pause : 0;
}

static uint32_t
number_of(const struct keeper *k, const struct slot *slot)
{
	return (uint32_t)(slot - k->slots);
}

static void
not_filled(struct keeper *k, struct slot *slot, int64_t most)
{
	k->status = EXIT_TEMPORARY;
	empty_slot(k, slot, backoff_ms(++slot->failures, most));
}

/* An announcement that the executor refused: each time is on record. */
static bool
is_refusal(int error)
{
	return error == -ERR_ISOLATION || error == -ERR_PEER ||
	       error == -ERR_BUSY;
}

/* Whether machines failed, and it has not waited for that yet, or for what we
 * have seen ourselves. */
static bool
has_to_wait(struct keeper *k, struct slot *slot)
{
	int64_t pause = backoff_ms(k->attach->failed, BACKOFF_MOST_MS);

	if (!slot->used || slot->waited || slot->failures != 0 || pause == 0)
		return false;
	log_event(LOG_WARN, "machines",
	    "zone=%s next_ms=%lld reason=%u in a row ended before they had "
	    "done anything",
	    k->attach->zone->name, (long long)pause,
	    (unsigned)k->attach->failed);
	slot->waited = true;
	empty_slot(k, slot, pause);
	return true;
}

/* Connect and start the next instance of a slot. */
static void
fill_slot(struct keeper *k, struct slot *slot)
{
	pid_t pid;
	int fd, rc = attach_announce(k->attach);

	if (rc != 0) {
		not_filled(k, slot,
		    is_refusal(rc) ? BACKOFF_MOST_MS : CONNECT_MOST_MS);
		return;
	}
	if (has_to_wait(k, slot))
		return;
	fd = attach_connect(k->attach);
	if (fd < 0) {
		not_filled(k, slot, CONNECT_MOST_MS);
		return;
	}
	pid = start_instance(fd, k->command);
	if (pid < 0) {
		log_event(LOG_ERROR, "instance",
		    "zone=%s reason=no process can be started",
		    k->attach->zone->name);
		close(fd);
		not_filled(k, slot, CONNECT_MOST_MS);
		return;
	}
	minder_note(&k->minder, number_of(k, slot), pid);
	*slot = (struct slot){.state = SLOT_RUNS,
	    .pid = pid,
	    .fd = fd,
	    .used = true,
	    .began_ms = clock_ms(),
	    .failures = slot->failures};
}

static void
signal_slot(struct slot *slot, int number)
{
	slot->told = true;
	attach_signal(slot->pid, number);
}

/* Whether the next of a slot has to wait: one that failed at once, by itself,
 * or said nothing. Of announced ones the executor knows better. */
static bool
has_failed(const struct keeper *k, const struct slot *slot, int status)
{
	if (slot->told || clock_ms() - slot->began_ms > FAST_MS)
		return false;
	return status != 0 || attach_is_untouched(k->attach, slot->fd);
}

static int
status_of(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status)
					: WEXITSTATUS(wait_status);
}

/* Its process is dead, but not reaped, so that its number is still its own:
 * whatever else is in its group goes with it, and nobody keeps the channel. */
static void
reap_slot(struct keeper *k, struct slot *slot)
{
	int wait_status = 0, status;
	int64_t pause;

	attach_signal(slot->pid, SIGKILL);
	minder_note(&k->minder, number_of(k, slot), 0);
	while (waitpid(slot->pid, &wait_status, 0) < 0 && errno == EINTR)
		continue;
	status = status_of(wait_status);
	slot->failures = has_failed(k, slot, status) ? slot->failures + 1 : 0;
	(void)shutdown(slot->fd, SHUT_RDWR);
	close(slot->fd);
	pause = backoff_ms(slot->failures, BACKOFF_MOST_MS);
	if (pause != 0 || (status != 0 && !slot->told))
		log_event(LOG_WARN, "instance",
		    "zone=%s status=%d next_ms=%lld", k->attach->zone->name,
		    status, (long long)pause);
	k->status = status;
	empty_slot(k, slot, pause);
}

static bool
is_dead(const struct slot *slot)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)slot->pid, &info,
		   WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == slot->pid;
}

/* What is due. */
static void
turn_slot(struct keeper *k, struct slot *slot)
{
	int64_t now = clock_ms();

	if (slot->state != SLOT_EMPTY && is_dead(slot)) {
		reap_slot(k, slot);
		now = clock_ms();
	}
	switch (slot->state) {
	case SLOT_EMPTY:
		if (stop_asked != 0)
			slot->due_ms = 0;
		if (slot->due_ms != 0 && now >= slot->due_ms)
			fill_slot(k, slot);
		return;
	case SLOT_RUNS:
		if (stop_asked == 0 && !slot->hung_up)
			return;
		slot->state = SLOT_LEAVES;
		slot->due_ms = now + (stop_asked != 0 ? 0 : GRACE_MS);
		return;
	case SLOT_LEAVES:
		if (stop_asked == 0 && now < slot->due_ms)
			return;
		signal_slot(slot, SIGTERM);
		slot->state = SLOT_TERMED;
		slot->due_ms = now + TERM_MS;
		return;
	case SLOT_TERMED:
		if (now < slot->due_ms)
			return;
		signal_slot(slot, SIGKILL);
		slot->due_ms = now + KILL_MS;
	}
}

/* Milliseconds until something is due; -1: nothing is. */
static int
due_in(const struct keeper *k)
{
	int64_t first = 0, now = clock_ms();

	for (uint32_t i = 0; i < k->count; i++) {
		const struct slot *slot = &k->slots[i];

		if (slot->state == SLOT_RUNS &&
		    (stop_asked != 0 || slot->hung_up))
			return 0;
		if (slot->state != SLOT_RUNS && slot->due_ms != 0 &&
		    (first == 0 || slot->due_ms < first))
			first = slot->due_ms;
	}
	if (first == 0)
		return -1;
	return first > now ? (int)(first - now) : 0;
}

static void
wait_for_slots(struct keeper *k)
{
	int fds[MACHINE_WARM_MAX];
	bool gone[MACHINE_WARM_MAX];

	for (uint32_t i = 0; i < k->count; i++)
		fds[i] = k->slots[i].state == SLOT_RUNS && !k->slots[i].hung_up
			     ? k->slots[i].fd
			     : -1;
	if (hangup_wait(fds, k->count, wake_pipe[0], due_in(k), gone) != 0)
		die_errno("channels cannot be watched");
	for (uint32_t i = 0; i < k->count; i++)
		if (fds[i] >= 0 && gone[i])
			k->slots[i].hung_up = true;
	drain_wakes();
}

static bool
is_done(const struct keeper *k)
{
	for (uint32_t i = 0; i < k->count; i++)
		if (k->slots[i].state != SLOT_EMPTY || k->slots[i].due_ms != 0)
			return false;
	return true;
}

int
attach_keep(struct attach *attach, char **command, uint32_t count, bool again)
{
	struct keeper k = {.attach = attach,
	    .command = command,
	    .again = again,
	    .count = count};

	catch_signals();
	minder_start(&k.minder);
	for (uint32_t i = 0; i < count; i++) {
		empty_slot(&k, &k.slots[i], 0);
		k.slots[i].due_ms = clock_ms();
	}
	for (;;) {
		for (uint32_t i = 0; i < count; i++)
			turn_slot(&k, &k.slots[i]);
		if (is_done(&k))
			break;
		wait_for_slots(&k);
		minder_look(&k.minder);
	}
	minder_end(&k.minder);
	return again ? EXIT_DONE : k.status;
}
