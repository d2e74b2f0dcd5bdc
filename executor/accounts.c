/*
 * Accounts of the service. Runs in `init`, as root, by the system's own tools:
 * useradd, adduser of BusyBox, or sysadminctl of macOS.
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
#include "common/platform.h"
#include "common/run.h"

#define TOOL_MS 30000
#define OUTPUT_BYTES 65536
#define ARGUMENTS_MAX 16
#define PLACE_BYTES 64
#define NO_HOME "/nonexistent"

static const char *const names[ACCOUNT_ROLES] = {
    [ACCOUNT_BROKER] = "broker",
    [ACCOUNT_AUDITOR] = "auditor",
    [ACCOUNT_FILE] = "file",
    [ACCOUNT_NOTIFY] = "notify",
    [ACCOUNT_PLANNER] = "planner",
    [ACCOUNT_READER] = "reader",
    [ACCOUNT_RESOLVER] = "resolver",
    [ACCOUNT_BLOCKED] = "blocked",
};

static const char *const groups[] = {
    ACCOUNT_GROUP_OPERATOR, ACCOUNT_GROUP_DELIVER};

#define GROUPS (sizeof groups / sizeof groups[0])
/* asked for in one round */
#define NUMBERS ((unsigned)(ACCOUNT_ROLES + GROUPS))

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

/* A way to make an account and a group: %n is the name, %i the number, %g the
 * number of the group, which is made first, %h the home; in arguments of their
 * own. The first line whose tool is there is the way. */
struct way {
	const char *tool; /* of the accounts */
	const char *account[ARGUMENTS_MAX];
	const char *group[ARGUMENTS_MAX];
	const char *remove[ARGUMENTS_MAX]; /* the account and its home */
};

static const struct way ways[] = {
    {"useradd",
	{"useradd", "--system", "--gid", "%g", "--uid", "%i",
	    "--no-create-home", "--home-dir", "%h", "--shell",
	    "/usr/sbin/nologin", "--comment", "trizone", "%n"},
	{"groupadd", "--system", "--gid", "%g", "%n"},
	{"userdel", "--remove", "%n"}},
    {"adduser", /* BusyBox */
	{"adduser", "-S", "-D", "-H", "-h", "%h", "-s", "/sbin/nologin", "-G",
	    "%n", "-u", "%i", "%n"},
	{"addgroup", "-S", "-g", "%g", "%n"},
	{"deluser", "--remove-home", "%n"}},
    {"sysadminctl", /* macOS; without a group it is everybody's, staff */
	{"sysadminctl", "-addUser", "%n", "-UID", "%i", "-GID", "%g",
	    "-roleAccount", "-shell", "/usr/bin/false", "-home", "%h"},
	{"dseditgroup", "-o", "create", "-i", "%g", "%n"},
	{"sysadminctl", "-deleteUser", "%n"}},
};

/* What stands for the words with a %. */
struct entry {
	const char *name, *home;
	char number[16], group[16];
};

static const struct way *
find_way(void)
{
	char place[PLACE_BYTES];

	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
		if (run_find(run_folders, ways[i].tool, place, sizeof place))
			return &ways[i];
	die(EXIT_UNAVAILABLE,
	    "none of useradd, adduser and sysadminctl is here: make the "
	    "accounts by hand and name them in \"accounts\", or use "
	    "--no-accounts");
}

static const char *
fill(const char *word, const struct entry *entry)
{
	if (strcmp(word, "%n") == 0)
		return entry->name;
	if (strcmp(word, "%i") == 0)
		return entry->number;
	if (strcmp(word, "%h") == 0)
		return entry->home;
	return strcmp(word, "%g") == 0 ? entry->group : word;
}

/* 0 and the tool's exit status, or negative. */
static int
run_words(const char *const *words, const struct entry *entry, struct buf *said,
    int *status_out)
{
	const char *argv[ARGUMENTS_MAX + 1] = {NULL};
	char place[PLACE_BYTES];

	if (!run_find(run_folders, words[0], place, sizeof place))
		return -ERR_UNAVAILABLE;
	argv[0] = place;
	for (size_t i = 1; i < ARGUMENTS_MAX && words[i] != NULL; i++)
		argv[i] = fill(words[i], entry);
	return run_program(
	    argv, (struct span){0}, NULL, said, TOOL_MS, status_out);
}

static void
make(const char *what, const char *const *words, const struct entry *entry)
{
	struct buf said;
	int status = 0, rc;

	buf_init(&said, OUTPUT_BYTES);
	rc = run_words(words, entry, &said, &status);
	if (rc != 0 || status != 0)
		die(EXIT_SYSTEM, "%s cannot make the %s %s: %s%.*s", words[0],
		    what, entry->name, rc != 0 ? err_text(rc) : "",
		    (int)said.len, said.data);
	buf_free(&said);
	printf("made %s %s\n", what, entry->name);
}

/* `wanted`, or another one that neither a user nor a group has. */
static unsigned
free_number(unsigned wanted)
{
	while (getpwuid((uid_t)wanted) != NULL ||
	       getgrgid((gid_t)wanted) != NULL) {
		wanted += NUMBERS;
		if (wanted >= platform_first_person())
			die(EXIT_SYSTEM,
			    "no number is free for an account of the system: "
			    "make the accounts by hand");
	}
	return wanted;
}

static void
make_group(const char *name, unsigned wanted)
{
	struct entry entry = {.name = name};

	if (getgrnam(name) != NULL)
		return;
	(void)snprintf(
	    entry.group, sizeof entry.group, "%u", free_number(wanted));
	make("group", find_way()->group, &entry);
}

static void
make_account(const char *name, const char *home, unsigned wanted)
{
	struct entry entry = {.name = name, .home = home};
	const struct group *group;
	unsigned number;

	if (getpwnam(name) != NULL)
		return;
	number = free_number(wanted);
	make_group(name, number);
	group = getgrnam(name);
	if (group == NULL)
		die(EXIT_SYSTEM, "the group %s was made and is not there",
		    name);
	(void)snprintf(entry.number, sizeof entry.number, "%u", number);
	(void)snprintf(entry.group, sizeof entry.group, "%lu",
	    (unsigned long)group->gr_gid);
	make("account", find_way()->account, &entry);
}

static void
make_role(enum account_role role)
{
	char name[ACCOUNT_NAME_BYTES];

	account_default_name(names[role], name, sizeof name);
	make_account(name, NO_HOME, ACCOUNT_FIRST_NUMBER + (unsigned)role);
}

void
accounts_make(void)
{
	for (int i = 0; i < ACCOUNT_ROLES; i++)
		make_role((enum account_role)i);
	for (unsigned i = 0; i < GROUPS; i++)
		make_group(groups[i], ACCOUNT_FIRST_NUMBER + ACCOUNT_ROLES + i);
	fflush(stdout);
}

void
accounts_make_wall(void)
{
	make_role(ACCOUNT_AUDITOR);
	make_role(ACCOUNT_RESOLVER);
	make_role(ACCOUNT_BLOCKED);
	fflush(stdout);
}

void
accounts_make_one(const char *name, const char *home)
{
	make_account(name, home, ACCOUNT_FIRST_NUMBER + NUMBERS);
	fflush(stdout);
}

int
accounts_remove_one(const char *name, char *reason, size_t room)
{
	struct entry entry = {.name = name};
	struct buf said;
	int status = 0, rc;

	buf_init(&said, OUTPUT_BYTES);
	rc = run_words(find_way()->remove, &entry, &said, &status);
	if (rc != 0 || status != 0) {
		(void)snprintf(reason, room,
		    "%s cannot remove the account %s: %s%.*s",
		    find_way()->remove[0], name, rc != 0 ? err_text(rc) : "",
		    (int)said.len, said.data);
		rc = -ERR_SYSTEM;
	}
	buf_free(&said);
	return rc;
}
