/*
 * fork, exec, feed and drain, wait. Runs in whoever calls it, with the
 * caller's rights; the program gets them too.
 */
#include "common/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/platform.h"

#define READ_BYTES 4096
#define WAIT_MS 5 /* between two looks for its end */

enum { INPUT, OUTPUT, ERRORS, STREAM_COUNT };

const char *const run_folders[] = {
    "/usr/sbin",
    "/sbin",
    "/usr/bin",
    "/bin",
    "/usr/local/sbin",
    NULL,
};

bool
run_find(const char *const folders[], const char *name, char *out, size_t room)
{
	for (; *folders != NULL; folders++) {
		int n = snprintf(out, room, "%s/%s", *folders, name);

		if (n > 0 && (size_t)n < room && access(out, X_OK) == 0)
			return true;
	}
	return false;
}

struct child {
	pid_t pid;
	int64_t deadline;
	int far[STREAM_COUNT];	/* the program's ends, -1: closed */
	int near[STREAM_COUNT]; /* ours, -1: closed */
	struct span input;	/* not yet written */
	struct buf *outputs[STREAM_COUNT];
};

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
close_all(struct child *c)
{
	for (int i = 0; i < STREAM_COUNT; i++) {
		close_fd(&c->near[i]);
		close_fd(&c->far[i]);
	}
}

static int
open_null(struct child *c, int stream)
{
	c->far[stream] = open("/dev/null", O_RDWR | O_CLOEXEC);
	return c->far[stream] < 0 ? -ERR_SYSTEM : 0;
}

/* A pipe of which our end does not block. */
static int
open_pipe(struct child *c, int stream)
{
	int fds[2], ours = stream == INPUT ? 1 : 0, flags;

	if (pipe(fds) != 0)
		return -ERR_SYSTEM;
	c->near[stream] = fds[ours];
	c->far[stream] = fds[1 - ours];
	flags = fcntl(fds[ours], F_GETFL);
	if (flags < 0 || fcntl(fds[ours], F_SETFL, flags | O_NONBLOCK) != 0)
		return -ERR_SYSTEM;
	return 0;
}

static int
open_streams(struct child *c)
{
	int rc = 0;

	for (int i = 0; i < STREAM_COUNT && rc == 0; i++) {
		bool used =
		    i == INPUT ? c->input.n != 0 : c->outputs[i] != NULL;

		rc = used ? open_pipe(c, i) : open_null(c, i);
	}
	return rc;
}

/* The child, until it is the program. */
static _Noreturn void
become(const struct child *c, const char *const argv[])
{
	static char *const nothing[] = {NULL};
	sigset_t none;

	sigemptyset(&none);
	if (setsid() < 0 || chdir("/") != 0 ||
	    dup2(c->far[INPUT], STDIN_FILENO) < 0 ||
	    dup2(c->far[OUTPUT], STDOUT_FILENO) < 0 ||
	    dup2(c->far[ERRORS], STDERR_FILENO) < 0 ||
	    platform_close_from(STDERR_FILENO + 1) != 0 ||
	    signal(SIGPIPE, SIG_DFL) == SIG_ERR ||
	    sigprocmask(SIG_SETMASK, &none, NULL) != 0)
		_exit(RUN_NOT_EXECUTED);
	/* execve(2) promises not to change them */
	execve(argv[0], (char *const *)argv, nothing);
	_exit(RUN_NOT_EXECUTED);
}

/* Some of the input; what the program does not want is its affair. */
static void
feed(struct child *c)
{
	ssize_t put = write(c->near[INPUT], c->input.p, c->input.n);

	if (put > 0) {
		c->input.p += put;
		c->input.n -= (size_t)put;
	}
	if (c->input.n == 0 || (put < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(&c->near[INPUT]);
}

static int
drain(struct child *c, int stream)
{
	char bytes[READ_BYTES];
	ssize_t got = read(c->near[stream], bytes, sizeof bytes);

	if (got > 0)
		return buf_add(c->outputs[stream], bytes, (size_t)got);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	close_fd(&c->near[stream]);
	return got == 0 ? 0 : -ERR_SYSTEM;
}

static int
left_ms(const struct child *c)
{
	int64_t left = c->deadline - clock_ms();

	return left > 0 ? (int)left : 0;
}

static bool
is_served(const struct child *c)
{
	return c->near[INPUT] >= 0 || c->near[OUTPUT] >= 0 ||
	       c->near[ERRORS] >= 0;
}

/* One wait and what it brought; -ERR_DEADLINE when there is no time left. */
static int
serve(struct child *c)
{
	struct pollfd fds[STREAM_COUNT];
	int left = left_ms(c), rc = 0;

	for (int i = 0; i < STREAM_COUNT; i++)
		fds[i] = (struct pollfd){
		    .fd = c->near[i], .events = i == INPUT ? POLLOUT : POLLIN};
	if (left == 0)
		return -ERR_DEADLINE;
	if (poll(fds, STREAM_COUNT, left) < 0)
		return errno == EINTR ? 0 : -ERR_SYSTEM;
	if (fds[INPUT].revents != 0)
		feed(c);
	for (int i = OUTPUT; i < STREAM_COUNT && rc == 0; i++)
		if (fds[i].revents != 0)
			rc = drain(c, i);
	return rc;
}

static bool
has_ended(struct child *c, int *status_out, int *rc_out)
{
	int status;
	pid_t pid = waitpid(c->pid, &status, WNOHANG);

	*rc_out = 0;
	if (pid == 0 || (pid < 0 && errno == EINTR))
		return false;
	if (pid < 0)
		*rc_out = -ERR_SYSTEM;
	else
		*status_out = WIFEXITED(status) ? WEXITSTATUS(status)
						: 128 + WTERMSIG(status);
	return true;
}

/* Its output has ended; it has to do so too. */
static int
await_end(struct child *c, int *status_out)
{
	int rc;

	while (!has_ended(c, status_out, &rc)) {
		if (left_ms(c) == 0)
			return -ERR_DEADLINE;
		(void)poll(NULL, 0, WAIT_MS);
	}
	c->pid = -1;
	return rc;
}

static void
kill_and_reap(const struct child *c)
{
	(void)kill(-c->pid, SIGKILL); /* its group, if it came so far */
	(void)kill(c->pid, SIGKILL);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int
start(struct child *c, const char *const argv[])
{
	int rc = open_streams(c);

	if (rc != 0)
		return rc;
	c->pid = fork();
	if (c->pid < 0)
		return -ERR_SYSTEM;
	if (c->pid == 0)
		become(c, argv);
	for (int i = 0; i < STREAM_COUNT; i++)
		close_fd(&c->far[i]);
	return 0;
}

int
run_program(const char *const argv[], struct span input, struct buf *out,
    struct buf *err, int deadline_ms, int *status_out)
{
	struct child c = {
	    .pid = -1,
	    .deadline = clock_ms() + deadline_ms,
	    .far = {-1, -1, -1},
	    .near = {-1, -1, -1},
	    .input = input,
	    .outputs = {NULL, out, err},
	};
	int status = 0, rc = start(&c, argv);

	while (rc == 0 && is_served(&c))
		rc = serve(&c);
	if (rc == 0)
		rc = await_end(&c, &status);
	if (c.pid > 0)
		kill_and_reap(&c);
	close_all(&c);
	if (rc == 0)
		*status_out = status;
	return rc;
}
