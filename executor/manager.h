/*
 * The service manager that started the service: sockets that it opened for us
 * (LISTEN_FDS of sd_listen_fds(3), Sockets of launchd.plist(5)), and what it
 * hears of us (sd_notify(3); launchd wants to hear nothing). Only the parent
 * uses this; roles get neither.
 */
#ifndef TRIZONE_EXECUTOR_MANAGER_H
#define TRIZONE_EXECUTOR_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MANAGER_SOCKETS_MAX 64 /* that are handed over */

/* First of all, before a descriptor is opened or closed: keep what the
 * environment says, which is removed from it. Unless `serves`, nothing is kept.
 * Returns the first descriptor that is nobody's. */
int manager_begin(bool serves);

/* The socket handed over under that name, close-on-exec and the caller's from
 * now on; -ERR_NOT_FOUND if there is none. Ends the process when it cannot be
 * told what was handed over, or when the name is there twice. */
int manager_take(const char *name);

/* The name of one that nobody took, or NULL; launchd does not tell. Ends the
 * process as above. */
const char *manager_left(void);

/* Whether `fd` is what we would have opened ourselves at `path`: a Unix socket
 * for streams that listens there, of our user, with mode 0660 or less and, when
 * we are root, the group `group` or root's. 0, or -ERR_CONFIG and why not. */
int manager_check(
    int fd, const char *path, gid_t group, char *reason, size_t room);

/* Before the parent locks itself in: find who is to hear of us. One who cannot
 * be reached is named in the log, and we go on. */
void manager_open(void);

enum manager_word {
	MANAGER_STATUS, /* as before, only the text is new */
	MANAGER_READY,
	MANAGER_RELOADING, /* READY is to follow */
	MANAGER_STOPPING
};

/* Tell, within a second, with a line for people: made inert, cut at 1,024
 * bytes. Where nobody listens nothing happens. */
void manager_tell(enum manager_word word, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* When manager_tick is due, 0: never. It tells that we still turn, if that is
 * asked for (WatchdogSec=). */
int64_t manager_deadline(void);
void manager_tick(void);

#endif
