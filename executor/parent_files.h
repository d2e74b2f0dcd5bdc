/*
 * What the parent makes on disk before anybody else runs: folders, the
 * instance lock, listening sockets. Each step that does not take ends the
 * process with a message that says what to do.
 */
#ifndef TRIZONE_EXECUTOR_PARENT_FILES_H
#define TRIZONE_EXECUTOR_PARENT_FILES_H

#include <stddef.h>

#include "executor/config.h"

#define LISTENERS_MAX 64 /* one per zone, and two of our own */

struct listeners {
	int fd[LISTENERS_MAX]; /* zones in configuration order, operator,
				  deliver */
	size_t count;
};

/* State and audit folders 0700, run folder 0711, all ours. */
void parent_folders(const struct config *config);

/* Only one executor per state folder; held until the process ends. */
void parent_lock(const struct config *config);

void parent_listen(const struct config *config, struct listeners *out);
void parent_unlisten(const struct config *config);

/* Path of the socket `name` in the run folder; -ERR_PATH if it is too long for
 * a socket. */
int socket_path(
    const struct config *config, const char *name, char *out, size_t room);

#endif
