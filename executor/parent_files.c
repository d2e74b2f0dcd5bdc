/*
 * Folders, lock and sockets. Runs in the parent before any other role exists.
 */
#include "executor/parent_files.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/lock.h"
#include "common/log.h"
#include "executor/accounts.h"
#include "executor/manager.h"
#include "proto/endpoint.h"

#define BACKLOG 64
#define RETRY_SECONDS 15
#define TELL_TRIES 40 /* ten minutes */

void
parent_accounts(
    const struct config *config, uint32_t roles, struct account *out)
{
	if (config_peer_allowed(&config->reviewer, geteuid()))
		die(EXIT_CONFIG,
		    "the reviewer is the user of the service itself: give "
		    "\"reviewer\" one under which nothing else runs");
	for (int i = 0; i < ACCOUNT_ROLES; i++) {
		out[i] = (struct account){.uid = 0};
		if ((roles & ROLE_BIT(i)) == 0)
			continue;
		lock_account(config_account(config,
				 account_role_name((enum account_role)i)),
		    &out[i]);
		if (out[i].uid == ACCOUNT_NOBODY)
			die(EXIT_CONFIG,
			    "%s has the user %d, which is everybody's: give it "
			    "one in \"accounts\"",
			    account_role_name((enum account_role)i),
			    ACCOUNT_NOBODY);
		for (int j = 0; j < i; j++)
			if (out[i].uid != 0 && out[i].uid == out[j].uid)
				die(EXIT_CONFIG,
				    "%s and %s have the same user %lu: give "
				    "each its own in \"accounts\"",
				    account_role_name((enum account_role)j),
				    account_role_name((enum account_role)i),
				    (unsigned long)out[i].uid);
	}
}

char *
inbox_folder(const struct config *config)
{
	return alloc_format("%s/inbox", config->state);
}

/* A disk that fails, with errno, may be mended: wait a while, the longer the
 * more often, and say so now and then. Nobody else runs yet, and a signal ends
 * us as ever. */
static void
wait_for_disk(const char *path, unsigned tries)
{
	unsigned seconds = tries < 4 ? 1u << tries : RETRY_SECONDS;
	struct timespec delay = {.tv_sec = seconds};

	if (tries % TELL_TRIES == 0)
		log_event(LOG_ERROR, "waiting",
		    "reason=%s cannot be written (%s): make room on its disk, "
		    "or mend it; then the service starts",
		    path, strerror(errno));
	nanosleep(&delay, NULL);
}

/* As mkdir(2), but waits for room. */
static int
make_when_possible(const char *path, mode_t mode)
{
	int rc;

	for (unsigned tries = 0; (rc = mkdir(path, mode)) != 0 &&
				 err_from_errno(errno) == -ERR_NO_SPACE;
	     tries++)
		wait_for_disk(path, tries);
	return rc;
}

/* Make a folder, or check that an existing one is its owner's and no wider. */
static void
make_folder(const char *path, mode_t mode, const struct account *owner)
{
	uid_t uid = owner->uid != 0 ? owner->uid : geteuid();
	struct stat st;

	if (make_when_possible(path, mode) == 0) {
		if (owner->uid != 0 && lchown(path, uid, owner->gid) != 0)
			die_errno("chown %s", path);
	} else if (errno != EEXIST) {
		die(EXIT_CONFIG,
		    "cannot make %s: make its parent folder, or "
		    "choose another place in the configuration",
		    path);
	}
	if (lstat(path, &st) != 0)
		die_errno("%s", path);
	if (!S_ISDIR(st.st_mode))
		die(EXIT_CONFIG, "%s is not a folder: move it away", path);
	if (st.st_uid != uid)
		die(EXIT_NOT_PERMITTED,
		    "%s belongs to user %lu, not to %lu: "
		    "chown it or start as its owner",
		    path, (unsigned long)st.st_uid, (unsigned long)uid);
	if ((st.st_mode & 0777 & ~mode) != 0 && chmod(path, mode) != 0)
		die_errno("cannot make %s mode %o", path, (unsigned)mode);
}

void
parent_folders(
    const struct config *config, const struct account *accounts, bool alone)
{
	static const struct account ours = {.uid = 0};
	mode_t old_mask = umask(0);
	char *inbox = inbox_folder(config);

	make_folder(config->state, geteuid() == 0 ? 0711 : 0700, &ours);
	if (!alone)
		make_folder(inbox, 0700, &accounts[ACCOUNT_BROKER]);
	make_folder(config->audit, 0700, &accounts[ACCOUNT_AUDITOR]);
	make_folder(config->run, 0711, &ours);
	umask(old_mask);
	free(inbox);
}

void
parent_lock(const struct config *config)
{
	char path[4096];
	int fd;

	if (snprintf(path, sizeof path, "%s/lock", config->state) >=
	    (int)sizeof path)
		die(EXIT_CONFIG, "the state folder's path is too long");
	for (unsigned tries = 0;
	     (fd = open(
		  path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0 &&
	     err_is_storage(err_from_errno(errno));
	     tries++)
		wait_for_disk(path, tries);
	if (fd < 0)
		die_errno("%s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		die(EXIT_UNAVAILABLE,
		    "another executor runs on %s: stop it first",
		    config->state);
	/* for who asks a service without sockets to read its policy anew; on a
	 * full disk there is no number, which is no reason not to start */
	if (ftruncate(fd, 0) != 0 ||
	    (dprintf(fd, "%ld\n", (long)getpid()) < 0 &&
		!err_is_storage(err_from_errno(errno))))
		die_errno("%s", path);
	/* left open: the lock lives as long as this process */
}

int
socket_path(
    const struct config *config, const char *name, char *out, size_t room)
{
	int length = snprintf(out, room, "%s/%s.sock", config->run, name);

	if (length >= SOCKET_PATH_BYTES || (size_t)length >= room)
		return -ERR_PATH;
	return 0;
}

/* One of our own. */
static int
listen_at(const char *path)
{
	int fd = endpoint_listen(path, 0660, BACKLOG);

	if (fd == -ERR_BUSY)
		die(EXIT_UNAVAILABLE,
		    "somebody listens on %s: another executor, or a service "
		    "manager that starts one for who connects; stop it, or "
		    "choose another \"run\" folder",
		    path);
	if (fd == -ERR_WRONG_STATE)
		die(EXIT_CONFIG, "%s is not a socket: move it away", path);
	if (fd < 0)
		die_errno("cannot listen on %s", path);
	return fd;
}

static void
listen_on(const struct config *config, const char *name, gid_t group,
    struct listeners *out)
{
	char path[SOCKET_PATH_BYTES], reason[400];
	int fd = manager_take(name);

	if (socket_path(config, name, path, sizeof path) != 0)
		die(EXIT_CONFIG,
		    "%s/%s.sock is too long for a socket: choose "
		    "a shorter \"run\" folder",
		    config->run, name);
	out->handed[out->count] = fd >= 0;
	if (fd < 0)
		fd = listen_at(path);
	else if (manager_check(fd, path, group, reason, sizeof reason) != 0)
		die(EXIT_CONFIG, "the socket \"%s\" that was handed over: %s",
		    name, reason);
	if (geteuid() == 0 && chown(path, 0, group) != 0)
		die_errno("chown %s", path);
	out->fd[out->count++] = fd;
}

/* The group of that name; root's if there is none, so that nobody else gets
 * at the socket. */
static gid_t
group_of(const char *name)
{
	const struct group *group = getgrnam(name);

	return group == NULL ? 0 : group->gr_gid;
}

/* A socket that was handed over says nothing of who else has it. */
static void
lock_run(const struct config *config)
{
	int fd =
	    open(config->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		die_errno("%s", config->run);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		die(EXIT_UNAVAILABLE,
		    "another executor serves in %s: stop it first, or choose "
		    "another \"run\" folder",
		    config->run);
	/* left open, as the other one */
}

/* Out of `roles`, or its own, which has to be nobody else's of ours. */
static struct account
account_of(const struct config_zone *zone, const struct account *roles)
{
	enum account_role kind = account_role_find(zone_kind_name(zone->kind));
	struct account account = roles[kind];

	if (zone->account == NULL)
		return account;
	lock_account(zone->account, &account);
	if (account.uid == ACCOUNT_NOBODY)
		die(EXIT_CONFIG,
		    "the zone %s has the user %d, which is everybody's: give it "
		    "one of its own",
		    zone->name, ACCOUNT_NOBODY);
	for (int i = 0; i < ACCOUNT_ROLES; i++)
		if (account.uid != 0 && account.uid == roles[i].uid &&
		    i != (int)kind)
			die(EXIT_CONFIG,
			    "%s and the zone %s have the same user %lu: give "
			    "each its own",
			    account_role_name((enum account_role)i), zone->name,
			    (unsigned long)account.uid);
	return account;
}

void
parent_listen(const struct config *config, const struct account *accounts,
    struct listeners *out)
{
	if (config->zone_count + 2 > LISTENERS_MAX)
		die(EXIT_CONFIG, "more than %d zones", LISTENERS_MAX - 2);
	lock_run(config);
	out->count = 0;
	for (size_t i = 0; i < config->zone_count; i++) {
		const struct config_zone *zone = &config->zones[i];

		listen_on(
		    config, zone->name, account_of(zone, accounts).gid, out);
	}
	listen_on(config, "operator", group_of(ACCOUNT_GROUP_OPERATOR), out);
	listen_on(config, "deliver", group_of(ACCOUNT_GROUP_DELIVER), out);
}

void
parent_refuse_left(void)
{
	const char *name = manager_left();

	if (name != NULL)
		die(EXIT_CONFIG,
		    "a socket \"%s\" was handed over, which the configuration "
		    "has not: give it such a zone, or disable the unit of that "
		    "socket",
		    name);
}

static void
remove_socket(const struct config *config, const char *name)
{
	char path[SOCKET_PATH_BYTES];

	if (socket_path(config, name, path, sizeof path) == 0)
		unlink(path);
}

void
parent_unlisten(const struct config *config, const struct listeners *listeners)
{
	static const char *const own[] = {"operator", "deliver"};

	for (size_t i = 0; i < listeners->count; i++)
		if (!listeners->handed[i])
			remove_socket(
			    config, i < config->zone_count
					? config->zones[i].name
					: own[i - config->zone_count]);
}
