/*
 * What accounts of confined programs have in common on all systems.
 */
#include "executor/confined.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/account.h"
#include "common/err.h"
#include "common/platform.h"

#define TEXT_BYTES 400

void
confined_say(const struct confined_report *report, enum confined_level level,
    const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	report->found(report->context, level, text);
}

void
confined_system_name(const char *name, char *out, size_t room)
{
	bool marked = platform_account_prefix()[0] == '_' && name[0] != '_';

	(void)snprintf(out, room, "%s%s", marked ? "_" : "", name);
}

static void
find_groups(const char *name, struct confined *out)
{
	const struct group *group;

	setgrent();
	while ((group = getgrent()) != NULL)
		for (size_t i = 0; group->gr_mem[i] != NULL; i++)
			if (strcmp(group->gr_mem[i], name) == 0 &&
			    out->group_count < CONFINED_GROUPS)
				out->groups[out->group_count++] = group->gr_gid;
	endgrent();
}

int
confined_find(const char *name, struct confined *out, char *reason, size_t room)
{
	const struct passwd *entry;
	struct account account;
	int rc = account_find(name, &account, reason, room);

	*out = (struct confined){.uid = (uid_t)-1};
	if (rc == 0 && account.uid == ACCOUNT_NOBODY) {
		(void)snprintf(reason, room,
		    "account %s has the number of nobody, which others have "
		    "too",
		    name);
		return -ERR_CONFIG;
	}
	if (rc != 0)
		return rc == -ERR_NOT_FOUND ? rc : -ERR_CONFIG;
	out->uid = account.uid;
	out->gid = account.gid;
	(void)snprintf(out->name, sizeof out->name, "%s", name);
	entry = getpwnam(name);
	if (entry != NULL)
		(void)snprintf(
		    out->home, sizeof out->home, "%s", entry->pw_dir);
	find_groups(name, out);
	return 0;
}

static bool
has_shell(const char *name)
{
	static const char *const none[] = {"/usr/sbin/nologin", "/sbin/nologin",
	    "/usr/bin/false", "/bin/false"};
	const struct passwd *entry = getpwnam(name);

	for (size_t i = 0; entry != NULL && i < sizeof none / sizeof none[0];
	     i++)
		if (strcmp(entry->pw_shell, none[i]) == 0)
			return false;
	return true;
}

static void
check_groups(
    const struct confined *account, const struct confined_report *report)
{
	/* Each speaks to what can do anything, or reads others' files. */
	static const char *const strong[] = {"root", "wheel", "sudo", "admin",
	    "staff", "adm", "docker", "podman", "lxd", "incus-admin", "libvirt",
	    "kvm", "disk", "shadow", "netdev", "systemd-journal", "trizone-ops",
	    "trizone-deliver"};

	for (size_t i = 0; i < sizeof strong / sizeof strong[0]; i++) {
		const struct group *group = getgrnam(strong[i]);
		bool in = group != NULL && group->gr_gid == account->gid;

		for (size_t g = 0; group != NULL && g < account->group_count;
		     g++)
			in = in || account->groups[g] == group->gr_gid;
		if (in)
			confined_say(report, CONFINED_FAULT,
			    "account %s is in the group %s: take it out",
			    account->name, strong[i]);
	}
}

static void
check_home(const struct confined *account, const struct confined_report *report)
{
	struct stat st;

	if (lstat(account->home, &st) != 0)
		confined_say(report, CONFINED_NOTE,
		    "account %s has no home: %s is not there", account->name,
		    account->home);
	else if (!S_ISDIR(st.st_mode) || st.st_uid != account->uid ||
		 (st.st_mode & 077) != 0)
		confined_say(report, CONFINED_FAULT,
		    "%s is not its own alone: chown %s and chmod 0700",
		    account->home, account->name);
}

void
confined_check(
    const struct confined *account, const struct confined_report *report)
{
	const struct passwd *same = getpwuid(account->uid);

	if (same != NULL && strcmp(same->pw_name, account->name) != 0)
		confined_say(report, CONFINED_FAULT,
		    "accounts %s and %s have the same number", account->name,
		    same->pw_name);
	if (has_shell(account->name))
		confined_say(report, CONFINED_FAULT,
		    "account %s has a shell: people log in by it; give it "
		    "nologin, or make another account",
		    account->name);
	if (confined_locked(account->name) == -ERR_WRONG_STATE)
		confined_say(report, CONFINED_FAULT,
		    "account %s has a password: lock it", account->name);
	check_groups(account, report);
	check_home(account, report);
}

static bool
allows(const struct confined *account, const struct stat *st, unsigned bit)
{
	if (st->st_uid == account->uid)
		return (st->st_mode & (bit << 6)) != 0;
	if (st->st_gid == account->gid)
		return (st->st_mode & (bit << 3)) != 0;
	for (size_t i = 0; i < account->group_count; i++)
		if (st->st_gid == account->groups[i])
			return (st->st_mode & (bit << 3)) != 0;
	return (st->st_mode & bit) != 0;
}

bool
confined_may_write(const struct confined *account, const char *path)
{
	char real[PATH_MAX];
	struct stat st;

	if (realpath(path, real) == NULL || stat(real, &st) != 0 ||
	    !allows(account, &st, 2))
		return false;
	for (;;) {
		char *slash = strrchr(real, '/');

		*(slash == real ? slash + 1 : slash) = '\0';
		if (stat(real, &st) != 0 || !allows(account, &st, 1))
			return false;
		if (real[1] == '\0')
			return true;
	}
}
