/*
 * Accounts of the service. Runs in `init`, as root, by the system's own tools:
 * systemd-sysusers, useradd, adduser of BusyBox, or sysadminctl of macOS.
 */
#include "executor/accounts.h"

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/account.h"
#include "common/err.h"
#include "common/run.h"

#define TOOL_MS 30000
#define OUTPUT_BYTES 65536
#define ARGUMENTS_MAX 16
#define PLACE_BYTES 64

static const char *const names[ACCOUNT_ROLES] = {
    [ACCOUNT_BROKER] = "broker",
    [ACCOUNT_AUDITOR] = "auditor",
    [ACCOUNT_FILE] = "file",
    [ACCOUNT_NOTIFY] = "notify",
    [ACCOUNT_PLANNER] = "planner",
    [ACCOUNT_READER] = "reader",
};

static const char *const groups[] = {
    ACCOUNT_GROUP_OPERATOR, ACCOUNT_GROUP_DELIVER};

#define GROUPS (sizeof groups / sizeof groups[0])

const char *
account_role_name(enum account_role role)
{
	return names[role];
}

enum account_role
account_role_find(const char *name)
{
	int i = 0;

	while (i < ACCOUNT_ROLES && strcmp(names[i], name) != 0)
		i++;
	return (enum account_role)i;
}

/* A way to make an account and a group; %n is the name, %i its number, in
 * arguments of their own. The first line whose tool is there is the way. */
struct way {
	const char *tool; /* of the accounts */
	const char *account[ARGUMENTS_MAX];
	const char *group[ARGUMENTS_MAX];
};

static const struct way ways[] = {
    {"useradd",
	{"useradd", "--system", "--user-group", "--uid", "%i", "--no-create-home",
	    "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin",
	    "--comment", "trizone", "%n"},
	{"groupadd", "--system", "%n"}},
    {"adduser", /* BusyBox; the group was made before */
	{"adduser", "-S", "-D", "-H", "-h", "/nonexistent", "-s",
	    "/sbin/nologin", "-G", "%n", "-u", "%i", "%n"},
	{"addgroup", "-S", "%n"}},
    {"sysadminctl", /* gives a number of the range of role accounts */
	{"sysadminctl", "-addUser", "%n", "-roleAccount", "-shell",
	    "/usr/bin/false", "-home", "/var/empty"},
	{"dseditgroup", "-o", "create", "%n"}},
};

static bool
find_tool(const char *name, char out[PLACE_BYTES])
{
	static const char *const folders[] = {
	    "/usr/sbin", "/sbin", "/usr/bin", "/bin"};

	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		(void)snprintf(out, PLACE_BYTES, "%s/%s", folders[i], name);
		if (access(out, X_OK) == 0)
			return true;
	}
	return false;
}

static const struct way *
find_way(void)
{
	char place[PLACE_BYTES];

	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
		if (find_tool(ways[i].tool, place))
			return &ways[i];
	die(EXIT_UNAVAILABLE,
	    "none of useradd, adduser and sysadminctl is here: make the "
	    "accounts by hand and name them in \"accounts\", or use "
	    "--no-accounts");
}

/* 0 and the tool's exit status, or negative. */
static int
run_words(const char *const *words, const char *name, const char *number,
    struct buf *said, int *status_out)
{
	const char *argv[ARGUMENTS_MAX + 1] = {NULL};
	char place[PLACE_BYTES];

	if (!find_tool(words[0], place))
		return -ERR_UNAVAILABLE;
	argv[0] = place;
	for (size_t i = 1; i < ARGUMENTS_MAX && words[i] != NULL; i++)
		argv[i] = strcmp(words[i], "%n") == 0   ? name
			  : strcmp(words[i], "%i") == 0 ? number
							: words[i];
	buf_clear(said);
	return run_program(
	    argv, (struct span){0}, NULL, said, TOOL_MS, status_out);
}

static void
make(const char *const *words, const char *name, const char *number)
{
	struct buf said;
	int status = 0, rc;

	buf_init(&said, OUTPUT_BYTES);
	rc = run_words(words, name, number, &said, &status);
	if (rc != 0 || status != 0)
		die(EXIT_SYSTEM, "%s cannot make %s: %s%.*s", words[0], name,
		    rc != 0 ? err_text(rc) : "", (int)said.len, said.data);
	buf_free(&said);
	printf("made %s\n", name);
}

static void
make_group(const struct way *way, const char *name)
{
	if (getgrnam(name) == NULL)
		make(way->group, name, "");
}

static void
make_account(const struct way *way, const char *name, unsigned wanted)
{
	char number[16];

	if (getpwnam(name) != NULL)
		return;
	while (getpwuid((uid_t)wanted) != NULL ||
	       getgrgid((gid_t)wanted) != NULL)
		wanted += ACCOUNT_ROLES;
	(void)snprintf(number, sizeof number, "%u", wanted);
	if (strcmp(way->tool, "adduser") == 0)
		make_group(way, name);
	make(way->account, name, number);
}

void
accounts_make(void)
{
	const struct way *way = find_way();
	char name[ACCOUNT_NAME_BYTES];

	for (size_t i = 0; i < GROUPS; i++)
		make_group(way, groups[i]);
	for (unsigned i = 0; i < ACCOUNT_ROLES; i++) {
		account_default_name(names[i], name, sizeof name);
		make_account(way, name, ACCOUNT_FIRST_NUMBER + i);
	}
	fflush(stdout);
}
