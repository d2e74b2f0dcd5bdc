/*
 * firewall check NAME --exec -- COMMAND: the starter of a confined program,
 * where the system's own has no order to rely on (launchd), or none that knows
 * the rules. Without rules in force nothing is started.
 */
#include <errno.h>
#include <libgen.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/account.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "executor/command_firewall.h"
#include "executor/firewall/applied.h"
#include "executor/firewall/load.h"

#define WAIT_MS 60000 /* at a start of the machine, others come first */
#define AGAIN_S 1
#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin"

/* The rules that were applied to the account are loaded: 0 and its number; or
 * a negative error and the reason. */
static int
in_force(const char *folder, const char *name, uid_t *uid_out, char *reason,
    size_t room)
{
	const struct model_account *account;
	struct applied applied;
	struct model model;
	int fd, rc;

	fd = applied_open(folder, false, reason, room);
	if (fd == -ERR_NOT_FOUND)
		(void)snprintf(reason, room,
		    "nothing was applied: trizone-executor firewall apply %s",
		    name);
	if (fd < 0)
		return fd;
	rc = applied_read(fd, &applied, reason, room);
	(void)close(fd);
	if (rc != 0)
		return rc;
	applied_effective(&applied, clock_utc_ms(), &model);
	account = model_find(&model, span_of(name));
	if (account == NULL) {
		(void)snprintf(reason, room,
		    "%s is not behind the firewall: trizone-executor firewall "
		    "apply %s",
		    name, name);
		rc = -ERR_NOT_FOUND;
	} else {
		*uid_out = account->uid;
		rc = load_check(applied.backend, &model, reason, room);
	}
	model_free(&model);
	applied_free(&applied);
	return rc;
}

static void
wait_for_rules(const char *folder, const char *name, uid_t *uid_out)
{
	int64_t end = clock_ms() + WAIT_MS;
	char reason[LOAD_REASON_BYTES];

	while (in_force(folder, name, uid_out, reason, sizeof reason) != 0) {
		if (clock_ms() >= end)
			die(EXIT_UNAVAILABLE,
			    "not started, the rules of %s are not in force: %s",
			    name, reason);
		(void)sleep(AGAIN_S);
	}
}

static void
set(const char *name, const char *value)
{
	if (setenv(name, value, 1) != 0)
		die_errno("setenv %s", name);
}

/* Who had the rules' number when they were applied is who it is started as:
 * a name that has another number now is not. */
static void
become(const char *name, uid_t uid)
{
	const struct passwd *entry = getpwuid(uid);
	struct account account = {.uid = uid};
	char reason[256];

	if (entry == NULL || uid == 0)
		die(EXIT_CONFIG,
		    "there is no account of the number %lu: trizone-executor "
		    "firewall apply %s",
		    (unsigned long)uid, name);
	account.gid = entry->pw_gid;
	(void)snprintf(account.name, sizeof account.name, "%s", name);
	set("HOME", entry->pw_dir);
	set("USER", entry->pw_name);
	set("LOGNAME", entry->pw_name);
	set("PATH", PATH_DEFAULT);
	if (account_become(&account, reason, sizeof reason) != 0)
		die(EXIT_SYSTEM, "%s", reason);
	if (chdir(getenv("HOME")) != 0 && chdir("/") != 0)
		die_errno("chdir /");
}

int
command_firewall_exec(const char *config, const char *name, char **command)
{
	char *copy = alloc_string(config);
	char folder[1024];
	uid_t uid = 0;

	if (geteuid() != 0)
		die(EXIT_NOT_PERMITTED,
		    "firewall check --exec needs root, to become %s", name);
	if (command[0] == NULL || command[0][0] != '/')
		die(EXIT_USAGE, "the command needs an absolute path");
	if (snprintf(folder, sizeof folder, "%s/" APPLIED_FOLDER,
		dirname(copy)) >= (int)sizeof folder)
		die(EXIT_CONFIG, "%s has too long a path", config);
	free(copy);
	wait_for_rules(folder, name, &uid);
	become(name, uid);
	if (signal(SIGPIPE, SIG_DFL) == SIG_ERR)
		die_errno("signal");
	execv(command[0], command);
	die_errno("cannot execute %s", command[0]);
}
