/*
 * Ports of virtual machines. Runs in a guest, before the first byte from its
 * host.
 */
#include "common/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"

#define LOOK_MS 2 /* a port tells of its other end by no event */

static bool
has_other_end(int fd)
{
	struct pollfd port = {.fd = fd};

	return poll(&port, 1, 0) >= 0 && (port.revents & POLLHUP) == 0;
}

static int
open_port(const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == EBUSY ? -ERR_BUSY : -ERR_UNAVAILABLE;
	if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && !isatty(fd))
		return fd;
	close(fd);
	return -ERR_WRONG_STATE;
}

int
serial_open(const char *path, int64_t wait_ms)
{
	int64_t deadline = clock_ms() + wait_ms;
	int fd = open_port(path);

	if (fd < 0)
		return fd;
	while (!has_other_end(fd)) {
		if (clock_ms() >= deadline) {
			close(fd);
			return -ERR_UNAVAILABLE;
		}
		(void)poll(NULL, 0, LOOK_MS);
	}
	return fd;
}
