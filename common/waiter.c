/*
 * The waiter: sees the end of one process and has no other work. Its child is
 * where the role goes on.
 */
#include "common/waiter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/call_list.h"
#include "common/err.h"
#include "common/platform.h"

#define ALIVE (STDERR_FILENO + 1) /* its end of the pipe, outside */

static volatile sig_atomic_t inner_pid;

static void
end_inner(int number)
{
	(void)number;
	if (inner_pid > 0)
		(void)kill((pid_t)inner_pid, SIGKILL);
}

static const int passed_on[] = {SIGTERM, SIGINT, SIGHUP};

#define PASSED_ON (sizeof passed_on / sizeof passed_on[0])

static void
handle(void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < PASSED_ON; i++)
		if (sigaction(passed_on[i], &action, NULL) != 0)
			die_errno("sigaction");
}

/* From before there is somebody to end until we know whom. */
static void
hold_signals(bool hold)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < PASSED_ON; i++)
		sigaddset(&set, passed_on[i]);
	if (sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL) != 0)
		die_errno("sigprocmask");
}

static void
stay_outside(int end)
{
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	if ((end != ALIVE && dup2(end, ALIVE) != ALIVE) ||
	    platform_close_from(ALIVE + 1) != 0)
		die(EXIT_SYSTEM, "descriptors cannot be closed");
}

void
waiter_fork(struct waiter *waiter)
{
	int ends[2];

	if (pipe(ends) != 0)
		die_errno("pipe");
	hold_signals(true);
	waiter->pid = fork();
	if (waiter->pid < 0)
		die_errno("fork");
	waiter->outside = waiter->pid > 0;
	if (waiter->outside) {
		inner_pid = waiter->pid;
		handle(end_inner);
		hold_signals(false);
		stay_outside(ends[1]);
		return;
	}
	if (getpid() != 1)
		die(EXIT_SYSTEM, "the pid namespace is not new though the "
				 "kernel said so");
	close(ends[1]);
	waiter->alive = ends[0];
	/* the first process of a namespace gets no signal it does not catch,
	 * and we catch none: the one outside ends us */
	hold_signals(false);
}

void
waiter_wait(const struct waiter *waiter)
{
	static const struct call_row calls[] = {
	    {"wait4", 1, CALL_ALWAYS, CALL_ALLOW, "for the one inside"},
	    {"kill", 1, CALL_ALWAYS, CALL_ALLOW, "ending that"},
	};
	static const struct lock_profile profile = {
	    .role = "waiter",
	    .bit = 1,
	    .calls = calls,
	    .call_count = sizeof calls / sizeof calls[0],
	};
	struct call_list filter;
	int status = 0;

	if ((lock_table()->off & LAYER_FILTER) == 0 &&
	    call_list_make(&profile, false, &filter) == 0) {
		call_list_catch();
		if (call_list_install(&filter) != 0)
			die_errno("the list of system calls is refused");
	}
	while (waitpid(waiter->pid, &status, 0) < 0)
		if (errno != EINTR)
			die_errno("waitpid");
	_exit(
	    WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

void
waiter_follow(struct waiter *waiter)
{
	struct pollfd end = {.fd = waiter->alive, .events = POLLIN};

	if (waiter->alive < 0)
		return;
	/* asked after the signal is set: it can end in between as well */
	if (platform_die_with_parent() != 0 || poll(&end, 1, 0) != 0)
		die(EXIT_SYSTEM, "who started us is gone");
	close(waiter->alive);
	waiter->alive = -1;
}
