/*
 * First steps of every process. Each is read back or checked; one that did
 * not take ends the process.
 */
#include "common/start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/platform.h"

/* Descriptors 0 to 2 have to be something, or the next file that is opened
 * becomes standard output. */
static void
fill_standard(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			die_errno("cannot open /dev/null");
	} while (fd <= STDERR_FILENO);
	close(fd);
}

/* A terminal can be read through it and a file be written anew at any place,
 * by all who have it: ours is for writing at the end. Where it cannot be opened
 * again (a socket, somebody else's terminal) it stays. */
static void
narrow_errors(void)
{
	struct stat st;
	int fd;

	if (fstat(STDERR_FILENO, &st) != 0 ||
	    (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)))
		return;
	fd = open("/dev/fd/2", O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (dup2(fd, STDERR_FILENO) != STDERR_FILENO)
		die_errno("standard error cannot be had");
	close(fd);
}

int
start_without_standard(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int rc = 0;

	if (fd < 0 || dup2(fd, STDIN_FILENO) != STDIN_FILENO ||
	    dup2(fd, STDOUT_FILENO) != STDOUT_FILENO)
		rc = -ERR_SYSTEM;
	if (fd > STDERR_FILENO)
		close(fd);
	return rc;
}

static void
limit_core(void)
{
	struct rlimit limit = {0, 0}, is;

	if (setrlimit(RLIMIT_CORE, &limit) != 0 ||
	    getrlimit(RLIMIT_CORE, &is) != 0 || is.rlim_cur != 0 ||
	    is.rlim_max != 0)
		die(EXIT_SYSTEM, "core dumps cannot be switched off");
}

/* None is blocked and children are waited for, whatever our parent did; a
 * closed pipe is an error, not the end. */
static void
clear_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) != 0)
		die_errno("sigprocmask");
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		die_errno("SIGPIPE cannot be ignored");
	/* where that was ignored nobody's end could be seen */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		die_errno("SIGCHLD cannot be had");
}

void
start_process(const char *role, int first_closed)
{
	log_role(role);
	fill_standard();
	if (platform_close_from(first_closed) != 0)
		die(EXIT_SYSTEM, "inherited descriptors cannot be closed");
	narrow_errors();
	limit_core();
	if (platform_harden() != 0)
		die(EXIT_SYSTEM, "the process cannot be hardened");
	clear_signals();
	umask(077);
}
