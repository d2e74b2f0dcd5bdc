/*
 * What the parent makes on disk before anybody else runs: folders, the
 * instance lock, listening sockets. Each step that does not take ends the
 * process with a message that says what to do.
 */
#ifndef TRIZONE_EXECUTOR_PARENT_FILES_H
#define TRIZONE_EXECUTOR_PARENT_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/account.h"
#include "executor/config.h"

#define LISTENERS_MAX 64 /* one per zone, and two of our own */

struct listeners {
	int fd[LISTENERS_MAX];	    /* zones in configuration order, operator,
				       deliver */
	bool handed[LISTENERS_MAX]; /* by a service manager, whose it stays */
	size_t count;
};

/* Folders of the service. Started as an ordinary user all are ours, 0700, and
 * the run folder 0711. Started as root, state and run are root's, 0711, and
 * inbox and audit their role's, 0700. `alone`: without an inbox. */
void parent_folders(
    const struct config *config, const struct account *accounts, bool alone);

/* Which roles have to have an account: bits of enum account_role. */
#define ROLE_BIT(role) (1u << (role))
#define ROLES_OF_WALL (ROLE_BIT(ACCOUNT_RESOLVER) | ROLE_BIT(ACCOUNT_BLOCKED))
#define ROLES_OF_ZONES (ROLE_BIT(ACCOUNT_ROLES) - 1 - ROLES_OF_WALL)

/* The accounts of those roles, out of ACCOUNT_ROLES, if we were started as
 * root; all others are zeros. Ends the process unless there is one for each,
 * with a user of its own: a shared one would share memory and files. */
void parent_accounts(
    const struct config *config, uint32_t roles, struct account *out);

/* <state>/inbox, to be freed. */
char *inbox_folder(const struct config *config);

/* Only one executor per state folder; held until the process ends. */
void parent_lock(const struct config *config);

/* Only one executor in a run folder; held until the process ends. Sockets are
 * those that a service manager handed over, each checked, else our own, 0660.
 * Started as root, each has a group of its own: that of the zone's account,
 * trizone-ops, trizone-deliver. */
void parent_listen(const struct config *config, const struct account *accounts,
    struct listeners *out);

/* A socket was handed over that the configuration does not know: ends the
 * process. */
void parent_refuse_left(void);

/* Remove our own sockets. */
void parent_unlisten(
    const struct config *config, const struct listeners *listeners);

/* Path of the socket `name` in the run folder; -ERR_PATH if it is too long for
 * a socket. */
int socket_path(
    const struct config *config, const char *name, char *out, size_t room);

#endif
