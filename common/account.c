/*
 * Finding accounts and becoming them, by what POSIX has: as root, setgid(2)
 * and setuid(2) change all ids there are. Runs in every role at its start.
 */
#include "common/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/platform.h"

#define FIRST_SPARE                                                            \
	60000	       /* above those given to people on this machine;         \
			  ACCOUNT_NOBODY is below those of containers */
#define GROUPS_MAX 256 /* that a starting root can have */

static int
complain(
    char *reason, size_t room, int error, const char *name, const char *what)
{
	(void)snprintf(reason, room, "account %s %s", name, what);
	return error;
}

/* The whole text as a number, or -1. */
static long
number_of(const char *text)
{
	char *end;
	long number;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	number = strtol(text, &end, 10);
	return errno == 0 && *end == '\0' && number < INT32_MAX ? number : -1;
}

/* Who has an account from there on is a person, of this machine or of a
 * directory; a number without one may be a person's container. */
static bool
is_person(uid_t uid, bool has_account)
{
	if (uid < platform_first_person() || uid == ACCOUNT_NOBODY)
		return false;
	return has_account || uid < FIRST_SPARE || uid > ACCOUNT_NOBODY;
}

void
account_default_name(const char *role, char *out, size_t room)
{
	(void)snprintf(out, room, "%s%s", platform_account_prefix(), role);
}

int
account_find(const char *name, struct account *out, char *reason, size_t room)
{
	long number = number_of(name);
	struct account found = {.uid = 0};
	const struct passwd *entry;

	if (strlen(name) >= sizeof found.name)
		return complain(
		    reason, room, -ERR_NOT_FOUND, "", "has too long a name");
	memcpy(found.name, name, strlen(name));
	entry = number >= 0 ? getpwuid((uid_t)number) : getpwnam(name);
	if (entry != NULL) {
		found.uid = entry->pw_uid;
		found.gid = entry->pw_gid;
	} else if (number >= 0 && number != ACCOUNT_NOBODY &&
		   getgrgid((gid_t)number) != NULL) {
		return complain(reason, room, -ERR_RANGE, name,
		    "has the number of somebody's group and no account");
	} else if (number >= 0) {
		found.uid = (uid_t)number;
		found.gid = (gid_t)number;
	} else {
		return complain(
		    reason, room, -ERR_NOT_FOUND, name, "does not exist");
	}
	if (found.uid == 0 || found.gid == 0)
		return complain(reason, room, -ERR_RANGE, name, "is root's");
	if (is_person(found.uid, entry != NULL))
		return complain(reason, room, -ERR_RANGE, name,
		    "has the number of a person; make one of the system");
	*out = found;
	return 0;
}

/* We are that and nothing else, and cannot be root. */
static int
check(const struct account *account, char *reason, size_t room)
{
	gid_t groups[GROUPS_MAX];
	int count = getgroups(GROUPS_MAX, groups);

	if (getuid() != account->uid || geteuid() != account->uid ||
	    getgid() != account->gid || getegid() != account->gid)
		return complain(reason, room, -ERR_SYSTEM, account->name,
		    "is not who we are afterwards");
	for (int i = 0; i < count; i++)
		if (groups[i] != account->gid)
			return complain(reason, room, -ERR_SYSTEM,
			    account->name, "keeps other groups");
	if (count < 0 || setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
		return complain(reason, room, -ERR_SYSTEM, account->name,
		    "can become root again");
	return 0;
}

int
account_become(const struct account *account, char *reason, size_t room)
{
	if (geteuid() != account->uid &&
	    (setgroups(1, &account->gid) != 0 || setgid(account->gid) != 0 ||
		setuid(account->uid) != 0)) {
		(void)snprintf(reason, room, "%s", strerror(errno));
		return -ERR_SYSTEM;
	}
	return check(account, reason, room);
}

int
account_owner(const char *path, struct account *out)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return err_from_errno(errno);
	*out = (struct account){.uid = st.st_uid, .gid = st.st_gid};
	return 0;
}

int
account_as(
    const struct account *account, int (*fn)(void *context), void *context)
{
	gid_t groups[GROUPS_MAX];
	int count, rc;

	if (account->uid == 0 || geteuid() != 0)
		return fn(context);
	count = getgroups(GROUPS_MAX, groups);
	if (count < 0 || setgroups(1, &account->gid) != 0 ||
	    setegid(account->gid) != 0 || seteuid(account->uid) != 0)
		die_errno("cannot act as %s", account->name);
	if (geteuid() != account->uid || getegid() != account->gid)
		die(EXIT_SYSTEM, "cannot act as %s", account->name);
	rc = fn(context);
	if (seteuid(0) != 0 || setegid(getgid()) != 0 ||
	    platform_set_groups(count, groups) != 0)
		die_errno(
		    "cannot be root again after acting as %s", account->name);
	if (geteuid() != 0 || getegid() != getgid())
		die(EXIT_SYSTEM, "cannot be root again after acting as %s",
		    account->name);
	return rc;
}
