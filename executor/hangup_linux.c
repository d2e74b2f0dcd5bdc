/*
 * Hang-ups, Linux: POLLHUP comes for a stream whose peer has closed it, whether
 * there is something left to read or not, and need not be asked for (poll(2)).
 */
#include <errno.h>
#include <poll.h>

#include "common/err.h"
#include "executor/hangup.h"

int
hangup_wait(const int *fds, size_t count, int wake, int ms, bool *gone_out)
{
	struct pollfd watch[HANGUP_MAX + 1];

	for (size_t i = 0; i < count; i++)
		watch[i] = (struct pollfd){.fd = fds[i]};
	watch[count] = (struct pollfd){.fd = wake, .events = POLLIN};
	if (poll(watch, (nfds_t)count + 1, ms) < 0) {
		if (errno != EINTR)
			return -ERR_SYSTEM;
		for (size_t i = 0; i < count; i++)
			watch[i].revents = 0;
	}
	for (size_t i = 0; i < count; i++)
		gone_out[i] = (watch[i].revents & (POLLHUP | POLLERR)) != 0;
	return 0;
}
