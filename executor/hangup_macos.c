/*
 * Hang-ups, macOS: an event for reading that asks for more bytes than a socket
 * keeps comes with EV_EOF only (kqueue(2)). A buffer that is full gives one
 * without: then we look again a little later.
 */
#include <errno.h>
#include <limits.h>
#include <sys/event.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/hangup.h"

#define FULL_PAUSE_MS 50

static struct timespec
time_of(int ms)
{
	return (struct timespec){ms / 1000, ms % 1000 * 1000000L};
}

static int
wait_on(
    int queue, const int *fds, size_t count, int wake, int ms, bool *gone_out)
{
	struct kevent asked[HANGUP_MAX + 1], came[HANGUP_MAX + 1];
	struct timespec limit = time_of(ms), pause = time_of(FULL_PAUSE_MS);
	int n = 0, got;
	bool full = false;

	for (size_t i = 0; i < count; i++)
		if (fds[i] >= 0)
			EV_SET(&asked[n++], (uintptr_t)fds[i], EVFILT_READ,
			    EV_ADD, NOTE_LOWAT, INT_MAX, &gone_out[i]);
	EV_SET(&asked[n++], (uintptr_t)wake, EVFILT_READ, EV_ADD, 0, 0, NULL);
	got = kevent(
	    queue, asked, n, came, HANGUP_MAX + 1, ms < 0 ? NULL : &limit);
	if (got < 0)
		return errno == EINTR ? 0 : -ERR_SYSTEM;
	for (int i = 0; i < got; i++) {
		bool *gone = came[i].udata;

		if (gone != NULL && (came[i].flags & EV_EOF) != 0)
			*gone = true;
		else if (gone != NULL)
			full = true;
	}
	if (full)
		(void)nanosleep(&pause, NULL);
	return 0;
}

int
hangup_wait(const int *fds, size_t count, int wake, int ms, bool *gone_out)
{
	int queue = kqueue(), rc;

	for (size_t i = 0; i < count; i++)
		gone_out[i] = false;
	if (queue < 0)
		return -ERR_SYSTEM;
	rc = wait_on(queue, fds, count, wake, ms, gone_out);
	close(queue);
	return rc;
}
