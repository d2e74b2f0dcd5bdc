/*
 * launchd's way: sockets are asked for by name, once,
 * launch_activate_socket(3), and nothing is told. Runs in the parent.
 */
#include "executor/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <launch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"

int
manager_begin(bool serves)
{
	(void)serves;
	return STDERR_FILENO + 1;
}

int
manager_take(const char *name)
{
	size_t count = 0;
	int *fds = NULL, fd;
	int error = launch_activate_socket(name, &fds, &count);

	/* none of that name; not started by launchd */
	if (error == ENOENT || error == ESRCH)
		return -ERR_NOT_FOUND;
	if (error != 0)
		die(EXIT_CONFIG, "the socket \"%s\" of launchd: %s", name,
		    strerror(error));
	fd = count == 1 ? fds[0] : -1;
	free(fds);
	if (count == 0)
		return -ERR_NOT_FOUND;
	if (fd < 0)
		die(EXIT_CONFIG,
		    "\"%s\" of launchd is more than one socket: keep one in "
		    "Sockets of the plist",
		    name);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		die_errno("the socket \"%s\" of launchd", name);
	return fd;
}

const char *
manager_left(void)
{
	return NULL;
}

void
manager_open(void)
{
}

void
manager_tell(enum manager_word word, const char *format, ...)
{
	(void)word;
	(void)format;
}

int64_t
manager_deadline(void)
{
	return 0;
}

void
manager_tick(void)
{
}
