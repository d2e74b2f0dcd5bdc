/*
 * init: a first configuration, policy, rules and the operator's key. Never
 * overwrites anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/account.h"
#include "common/alloc.h"
#include "common/err.h"
#include "common/io.h"
#include "common/platform.h"
#include "executor/accounts.h"
#include "executor/command.h"
#include "executor/config.h"

static const char usage[] =
    "usage: trizone-executor init [--dir DIR] [--state DIR] [--run DIR]\n"
    "                             [--no-accounts]\n"
    "Write config.json, policy.json, rules.json and the operator's key to DIR\n"
    "(/etc/trizone). State defaults to /var/lib/trizone, sockets to\n"
    "/run/trizone, on macOS to /var/lib/trizone/run. Nothing that exists is\n"
    "overwritten. As root it also makes the accounts of the service that are\n"
    "missing, unless --no-accounts.\n";

struct places {
	const char *dir, *state, *run;
	bool accounts; /* there are accounts for the roles */
};

/* Append `text` as a JSON string. */
static void
add_string(struct buf *out, const char *text)
{
	struct json_writer w;

	json_write_init(&w, out);
	json_text(&w, text);
}

/* A folder for a role, where roles have accounts; the folder itself, never
 * what a link names. */
static void
give(const struct places *places, const char *path, enum account_role role)
{
	char name[ACCOUNT_NAME_BYTES], reason[200];
	struct account account;
	int fd;

	if (!places->accounts)
		return;
	account_default_name(account_role_name(role), name, sizeof name);
	if (account_find(name, &account, reason, sizeof reason) != 0)
		die(EXIT_SYSTEM, "%s", reason);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		die_errno("%s", path);
	if (fchown(fd, account.uid, account.gid) != 0)
		die_errno("chown %s", path);
	close(fd);
}

static void
make_folder(const char *path, mode_t mode)
{
	struct stat st;
	bool made = mkdir(path, mode) == 0;

	if (!made && errno != EEXIST)
		die_errno("cannot make %s", path);
	if (made && chmod(path, mode) != 0)
		die_errno("chmod %s", path);
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		die(EXIT_CONFIG, "%s is not a folder", path);
}

/* In the child: become the first key generator there is. */
static _Noreturn void
become_keygen(int out)
{
	char age[] = "age-keygen", rage[] = "rage-keygen";
	char *argv[] = {age, NULL};
	int quiet = open("/dev/null", O_WRONLY);

	if (dup2(out, STDOUT_FILENO) < 0 || dup2(quiet, STDERR_FILENO) < 0)
		_exit(EXIT_SYSTEM);
	execvp(age, argv);
	argv[0] = rage;
	execvp(rage, argv);
	_exit(EXIT_UNAVAILABLE);
}

/* The text of a fresh age identity. The secret is in `out` only; the caller
 * wipes it. */
static void
make_identity(struct buf *out)
{
	int ends[2], wait_status, rc;
	pid_t pid;

	if (pipe(ends) != 0)
		die_errno("pipe");
	pid = fork();
	if (pid < 0)
		die_errno("fork");
	if (pid == 0)
		become_keygen(ends[1]);
	close(ends[1]);
	buf_init(out, 4096);
	rc = io_read_all(ends[0], out);
	close(ends[0]);
	if (waitpid(pid, &wait_status, 0) != pid || wait_status != 0 || rc != 0)
		die(EXIT_UNAVAILABLE,
		    "no key could be made: install age or "
		    "rage (apt install age, apk add age, brew install age)");
}

/* The "age1..." of an identity file's "# public key: age1..." line. */
static char *
find_recipient(const struct buf *identity)
{
	static const char mark[] = "public key: ";
	const char *end = identity->data + identity->len;
	const char *from = identity->data, *to;

	while (end - from > (ptrdiff_t)sizeof mark &&
	       memcmp(from, mark, sizeof mark - 1) != 0)
		from++;
	from += sizeof mark - 1;
	to = from;
	while (to < end &&
	       ((*to >= 'a' && *to <= 'z') || (*to >= '0' && *to <= '9')))
		to++;
	if (to - from < 10 || memcmp(from, "age1", 4) != 0)
		die(EXIT_UNAVAILABLE, "the key generator gave no recipient");
	return alloc_text(from, (size_t)(to - from));
}

static void
write_config(const struct places *places, const char *recipient)
{
	struct buf out;

	buf_init(&out, 16384);
	buf_add_text(&out, "{\n  \"version\": 1,\n  \"state\": ");
	add_string(&out, places->state);
	buf_add_text(&out, ",\n  \"run\": ");
	add_string(&out, places->run);
	buf_add_text(&out, ",\n  \"policy\": \"policy.json\",\n"
			   "  \"zones\": {\n"
			   "    \"planner\": { \"kind\": \"planner\", "
			   "\"session\": \"per-message\" },\n"
			   "    \"mail\": { \"kind\": \"reader\", "
			   "\"channel\": [\"mail\", \"text\"] }\n"
			   "  },\n"
			   "  \"deliver\": { \"channels\": [\"mail\"] },\n"
			   "  \"operator\": { \"recipient\": ");
	add_string(&out, recipient);
	buf_add_text(&out, " }\n}\n");
	write_new_file(
	    places->dir, "config.json", (struct span){out.data, out.len}, 0644);
	buf_free(&out);
}

static void
write_policy(const struct places *places, const char *files)
{
	char *notes =
	    alloc_format("%s/notify/notifications.jsonl", places->state);
	struct buf out;

	buf_init(&out, 16384);
	buf_add_text(&out,
	    "{\n  \"version\": 1,\n  \"capabilities\": [\n"
	    "    { \"name\": \"file.list\", \"kind\": \"file\", "
	    "\"method\": \"list\",\n"
	    "      \"why\": \"The agent may see which files it has.\",\n"
	    "      \"settings\": { \"root\": ");
	add_string(&out, files);
	buf_add_text(&out,
	    " } },\n"
	    "    { \"name\": \"file.read\", \"kind\": \"file\", "
	    "\"method\": \"read\",\n"
	    "      \"why\": \"The agent may read the files put there for "
	    "it.\",\n"
	    "      \"settings\": { \"root\": ");
	add_string(&out, files);
	buf_add_text(&out,
	    " } },\n"
	    "    { \"name\": \"notify.send\", \"kind\": \"notify\", "
	    "\"method\": \"send\",\n"
	    "      \"why\": \"The agent may leave its operator a note.\",\n"
	    "      \"settings\": { \"to\": \"file\", \"path\": ");
	add_string(&out, notes);
	buf_add_text(&out,
	    " },\n"
	    "      \"limits\": { \"per_hour\": 60 } }\n"
	    "  ],\n  \"rules\": [\n"
	    "    { \"id\": \"read-files\", \"verdict\": \"allow\",\n"
	    "      \"why\": \"Reading what was put there for it is harmless "
	    "here: nothing can leave.\",\n"
	    "      \"capability\": [\"file.list\", \"file.read\"] },\n"
	    "    { \"id\": \"note-to-operator\", \"verdict\": \"allow\",\n"
	    "      \"why\": \"A note stays on this machine.\",\n"
	    "      \"capability\": \"notify.send\", \"zone\": \"planner\" }\n"
	    "  ],\n"
	    "  \"floor\": { \"exceptions\": [\n"
	    "    { \"capability\": \"notify.send\",\n"
	    "      \"why\": \"Only the operator gets it.\" } ] }\n}\n");
	write_new_file(
	    places->dir, "policy.json", (struct span){out.data, out.len}, 0644);
	free(notes);
	buf_free(&out);
}

static const char first_rules[] =
    "{\n"
    "  \"version\": 1,\n"
    "  \"rules\": [],\n"
    "  \"otherwise\": [\n"
    "    { \"call\": \"notify.send\",\n"
    "      \"arguments\": {\n"
    "        \"title\": \"New mail\",\n"
    "        \"text\": { \"$field\": \"/subject\", \"max_chars\": 200,\n"
    "                  \"default\": \"(no subject)\" } } }\n"
    "  ]\n"
    "}\n";

/* Before anything is written: it would be a pity to stop half-way. */
static void
refuse_existing(const char *dir)
{
	static const char *const names[] = {
	    "config.json", "policy.json", "rules.json", "operator-key.txt"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *path = alloc_format("%s/%s", dir, names[i]);
		struct stat st;

		if (lstat(path, &st) == 0)
			die(EXIT_CONFIG,
			    "%s exists: init overwrites nothing; "
			    "move it away or choose another --dir",
			    path);
		free(path);
	}
}

/* One that `run` would not read from is no place for a key either. */
static void
refuse_folder(const char *dir)
{
	char *path = alloc_format("%s/config.json", dir);
	char reason[PATH_MAX + 200];
	struct buf none;

	buf_init(&none, 1);
	if (config_read_file(path, &none, reason, sizeof reason) == -ERR_CONFIG)
		die(EXIT_CONFIG, "%s", reason);
	buf_free(&none);
	free(path);
}

static void
write_all_files(const struct places *places)
{
	char *files = alloc_format("%s/files", places->state);
	char *notes = alloc_format("%s/notify", places->state);
	struct buf identity;
	char *recipient;

	make_identity(&identity);
	recipient = find_recipient(&identity);
	make_folder(places->dir, 0755);
	make_folder(places->state, geteuid() == 0 ? 0711 : 0700);
	make_folder(files, 0700);
	give(places, files, ACCOUNT_FILE);
	make_folder(notes, 0700);
	give(places, notes, ACCOUNT_NOTIFY);
	write_new_file(places->dir, "operator-key.txt",
	    (struct span){identity.data, identity.len}, 0600);
	wipe(identity.data, identity.cap);
	buf_free(&identity);
	write_policy(places, files);
	write_new_file(places->dir, "rules.json",
	    (struct span){first_rules, sizeof first_rules - 1}, 0600);
	write_config(places, recipient);
	printf("wrote %s/config.json, policy.json, rules.json\n"
	       "wrote %s/operator-key.txt: your secret key. Nothing that runs "
	       "needs it;\n      move it off this machine.\n"
	       "recipient %s\n"
	       "files the agent may read go to %s\n"
	       "in config.json, if you want it (trizone-config(5)): "
	       "\"reviewer\", who\n      approves calls without being root; "
	       "audit \"recipient\", to keep what decisions\n      rested "
	       "on, for policy replay\n"
	       "next: trizone-executor check --config %s/config.json\n"
	       "      trizone-executor run --config %s/config.json\n",
	    places->dir, places->dir, recipient, files, places->dir,
	    places->dir);
	if (geteuid() != 0)
		printf("as root it would also make an account for each "
		       "process\n");
	free(recipient);
	free(files);
	free(notes);
}

int
command_init(int argc, char **argv)
{
	static const struct option known[] = {
	    {"dir", required_argument, NULL, 'd'},
	    {"state", required_argument, NULL, 's'},
	    {"run", required_argument, NULL, 'r'},
	    {"no-accounts", no_argument, NULL, 'n'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct places places = {"/etc/trizone", "/var/lib/trizone",
	    platform_run_folder(), geteuid() == 0};
	int option;

	while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		if (option == 'd')
			places.dir = optarg;
		else if (option == 's')
			places.state = optarg;
		else if (option == 'r')
			places.run = optarg;
		else if (option == 'n')
			places.accounts = false;
		else {
			fputs(usage, option == 'h' ? stdout : stderr);
			return option == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	}
	if (optind != argc || places.dir[0] != '/' || places.state[0] != '/' ||
	    places.run[0] != '/') {
		fputs("folders have to be absolute paths\n", stderr);
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	refuse_existing(places.dir);
	refuse_folder(places.dir);
	if (places.accounts)
		accounts_make();
	write_all_files(&places);
	return EXIT_DONE;
}
