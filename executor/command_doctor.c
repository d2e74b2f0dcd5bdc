/*
 * doctor: what is missing or wrong, and how to mend it. Looks only; a check is
 * a row of the table.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/landlock.h"
#include "common/namespace.h"
#include "executor/audit_files.h"
#include "executor/audit_verify.h"
#include "executor/command.h"
#include "executor/firewall_look.h"

static const char usage[] =
    "usage: trizone-executor doctor [--config FILE] [--json]\n"
    "What is missing or wrong, and how to mend it.\n"
    "Exit status: 0 all is well; 1 something is not.\n";

#define ASK_MS 10000
#define FREE_BYTES_LEAST ((uint64_t)256 << 20)

enum finding_level { FOUND_GOOD, FOUND_NOTE, FOUND_BAD };

struct doctor {
	const char *config; /* its path */
	struct setup setup;
	bool json;
	int bad;
	const char *check; /* that is running */
};

static void found(struct doctor *d, enum finding_level level,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

static void
found(struct doctor *d, enum finding_level level, const char *format, ...)
{
	static const char *const names[] = {"good", "note", "bad"};
	char text[1024];
	struct json_writer w;
	struct buf out;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	d->bad += level == FOUND_BAD;
	if (!d->json) {
		printf("%-5s %-8s %s\n", names[level], d->check, text);
		return;
	}
	buf_init(&out, 8192);
	json_write_init(&w, &out);
	json_open(&w, '{');
	json_put_text(&w, "level", names[level]);
	json_put_text(&w, "check", d->check);
	json_put_text(&w, "text", text);
	json_close(&w, '}');
	printf("%.*s\n", (int)out.len, out.data);
	buf_free(&out);
}

static void
check_folder(struct doctor *d, const char *path, mode_t widest)
{
	struct stat st;

	if (lstat(path, &st) != 0 && errno == ENOENT)
		found(d, FOUND_NOTE, "%s is not there yet; run makes it", path);
	else if (lstat(path, &st) != 0)
		found(d, FOUND_BAD, "%s: %s", path, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		found(d, FOUND_BAD, "%s is not a folder: move it away", path);
	else if ((st.st_mode & 0777 & ~widest) != 0)
		found(d, FOUND_BAD, "%s is open to others: chmod %o %s", path,
		    (unsigned)widest, path);
	else
		found(d, FOUND_GOOD, "%s", path);
}

static void
check_folders(struct doctor *d)
{
	check_folder(d, d->setup.config->state, geteuid() == 0 ? 0711 : 0700);
	check_folder(d, d->setup.config->audit, 0700);
	check_folder(d, d->setup.config->run, 0711);
}

static void
check_disk(struct doctor *d)
{
	struct statvfs fs;
	uint64_t left;

	if (statvfs(d->setup.config->state, &fs) != 0) {
		found(d, FOUND_NOTE, "free space of %s is not known",
		    d->setup.config->state);
		return;
	}
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	found(d, left < FREE_BYTES_LEAST ? FOUND_BAD : FOUND_GOOD,
	    "%llu MiB free for state and audit%s",
	    (unsigned long long)(left >> 20),
	    left < FREE_BYTES_LEAST
		? ": make room; without room for the audit nothing is done"
		: "");
}

static void
check_audit(struct doctor *d)
{
	struct verify_result result;
	const char *path = d->setup.config->audit;
	int rc = audit_verify(path, NULL, NULL, &result);

	if (rc == -ERR_NOT_FOUND ||
	    (rc == 0 && result.count == 0 && result.damage == DAMAGE_NONE))
		found(d, FOUND_NOTE, "no log yet; the first run begins one");
	else if (rc != 0)
		found(d, FOUND_BAD, "%s: %s", path, err_text(rc));
	else if (result.damage != DAMAGE_NONE)
		found(d, FOUND_BAD,
		    "record %llu is the first bad one (%s): %s; see audit "
		    "verify",
		    (unsigned long long)result.bad_record,
		    damage_name(result.damage), damage_text(result.damage));
	else
		found(d, FOUND_GOOD, "%llu records, chain whole",
		    (unsigned long long)result.count);
}

static void
check_policy(struct doctor *d)
{
	size_t count = policy_capability_count(d->setup.policy);

	if (count == 0)
		found(d, FOUND_NOTE,
		    "no capabilities: whatever is asked is refused");
	else
		found(d, FOUND_GOOD, "%zu capabilities", count);
}

static bool
on_path(const char *program)
{
	const char *path = getenv("PATH");
	char *copy = alloc_string(path == NULL ? "/usr/bin:/bin" : path);
	bool is_there = false;
	char *rest = copy, *folder;

	while ((folder = strsep(&rest, ":")) != NULL && !is_there) {
		char *file = alloc_format("%s/%s", folder, program);

		is_there = access(file, X_OK) == 0;
		free(file);
	}
	free(copy);
	return is_there;
}

static void
check_age(struct doctor *d)
{
	if (on_path("age") || on_path("rage"))
		found(d, FOUND_GOOD, "age or rage is there");
	else
		found(d,
		    d->setup.config->zone_count == 0 ? FOUND_NOTE : FOUND_BAD,
		    "neither age nor rage: apt install age, "
		    "apk add age or brew install age");
	if (d->setup.config->operator_recipient == NULL)
		found(d, FOUND_NOTE,
		    "no operator's recipient: run init "
		    "elsewhere and copy its \"recipient\"");
}

/* It cannot be undone, so a child tries it. */
enum lock_found {
	HAS_LANDLOCK = 1,
	HAS_NAMESPACES = 2,
	HAS_TRIED = 16 /* no other end of a process has this status */
};

static int
try_locks(void)
{
	uint32_t abi, own;
	char reason[200];
	int found_bits = HAS_TRIED;

	if (namespace_leave(LOCK_NET | LOCK_MOUNT | LOCK_PID, &own, reason,
		sizeof reason) == 0)
		found_bits |= HAS_NAMESPACES;
	if (landlock_restrict(NULL, 0, &abi) == 0)
		found_bits |= HAS_LANDLOCK;
	return found_bits;
}

static void
check_locks(struct doctor *d)
{
	int wait_status = 0, has;
	pid_t pid = fork();

	if (pid == 0)
		_exit(try_locks());
	if (pid < 0 || waitpid(pid, &wait_status, 0) != pid ||
	    !WIFEXITED(wait_status) ||
	    (WEXITSTATUS(wait_status) & ~(HAS_LANDLOCK | HAS_NAMESPACES)) !=
		HAS_TRIED) {
		found(d, FOUND_BAD,
		    "Landlock and namespaces cannot be tried: see the log");
		return;
	}
	has = WEXITSTATUS(wait_status);
	if ((has & HAS_LANDLOCK) != 0)
		found(d, FOUND_GOOD, "Landlock confines processes to files");
	else
		found(d, FOUND_BAD,
		    "no Landlock: use a kernel 5.13 or newer that has it in "
		    "its list of security modules (lsm=landlock,...)");
	if ((has & HAS_NAMESPACES) != 0)
		found(d, FOUND_GOOD, "processes get namespaces of their own");
	else
		found(d, FOUND_BAD,
		    "no namespaces of their own for processes: start as root, "
		    "or allow user namespaces (sysctl user.max_user_namespaces; "
		    "on Ubuntu load the AppArmor profiles of trizone, or "
		    "sysctl kernel.apparmor_restrict_unprivileged_userns=0)");
}

/* What each process of the service could not have. */
static void
report_gaps(struct doctor *d, const struct client_answer *answer)
{
	const struct json_node *list =
	    json_get(answer->doc, answer->result, "processes");
	const struct json_node *at;

	for (at = json_first(answer->doc, list); at != NULL;
	     at = json_next(answer->doc, list, at)) {
		const struct json_node *gap = json_get(answer->doc, at, "gap");
		const struct json_node *role =
		    json_get(answer->doc, at, "role");

		if (gap != NULL && gap->type == JSON_STRING && role != NULL &&
		    role->type == JSON_STRING && gap->value.string.n != 0)
			found(d, FOUND_NOTE, "%.*s: %.*s",
			    (int)role->value.string.n, role->value.string.p,
			    (int)gap->value.string.n, gap->value.string.p);
	}
}

static void
check_service(struct doctor *d)
{
	const struct config *config = d->setup.config;
	struct client *client = NULL;
	int rc;

	if (reload_is_alone(config)) {
		found(d, FOUND_GOOD, "it runs, without zones");
		return;
	}
	rc = connect_to(config, SIDE_OPERATOR, "operator", NULL, NULL, &client);
	if (rc == -ERR_PEER)
		found(d, FOUND_NOTE,
		    "you may not use %s/operator.sock: run as root or as "
		    "the service's user",
		    config->run);
	else if (rc == -ERR_HELLO_TIMEOUT)
		found(d, FOUND_BAD,
		    "the executor at %s/operator.sock does not answer: "
		    "stop it and start it again",
		    config->run);
	else if (rc == -ERR_UNWRITTEN)
		found(d, FOUND_BAD,
		    "%s: make room on the disk of %s, or mend it; then it goes "
		    "on by itself",
		    err_text(rc), config->audit);
	else if (rc != 0)
		found(d, FOUND_BAD,
		    "nobody answers at %s/operator.sock: trizone-executor "
		    "run",
		    config->run);
	else
		found(d, FOUND_GOOD, "the executor answers");
	if (client != NULL) {
		struct client_answer answer;

		client_begin(client, METHOD_STATUS);
		if (client_ask(client, ASK_MS, &answer) == 0 &&
		    answer.result != NULL)
			report_gaps(d, &answer);
	}
	client_close(client);
}

static void
report_account(struct doctor *d, const struct look_account *a)
{
	const char *name = a->account->name;

	if (!a->applied)
		found(d, FOUND_BAD,
		    "%s is not behind it: trizone-executor firewall apply %s",
		    name, name);
	else if (a->account->blocked)
		found(d, FOUND_NOTE,
		    "%s is blocked: trizone-executor firewall apply %s", name,
		    name);
	else if (!look_guarded(a))
		found(d, FOUND_BAD,
		    "nobody answers the questions of %s for names: "
		    "trizone-executor run",
		    name);
	else
		found(d, FOUND_GOOD, "%s reaches %zu hosts", name,
		    a->account->host_count);
}

static void
check_firewall(struct doctor *d)
{
	static struct look look;

	if (policy_firewall(d->setup.policy)->count == 0)
		return;
	if (geteuid() != 0) {
		found(d, FOUND_NOTE, "only root can look at its rules");
		return;
	}
	look_read(&look, d->config);
	if (look.difference[0] != '\0')
		found(d, FOUND_BAD, "rules are not as they were applied: %s",
		    look.difference);
	if (look.pending[0] != '\0')
		found(d, FOUND_NOTE,
		    "%s waits: trizone-executor firewall confirm %s",
		    look.pending, look.pending);
	for (size_t i = 0; i < look.count; i++)
		report_account(d, &look.accounts[i]);
	look_done(&look);
}

static const struct {
	const char *name;
	void (*run)(struct doctor *d);
} checks[] = {
    {"policy", check_policy},
    {"folders", check_folders},
    {"disk", check_disk},
    {"audit", check_audit},
    {"age", check_age},
    {"locks", check_locks},
    {"service", check_service},
    {"firewall", check_firewall},
};

int
command_doctor(int argc, char **argv)
{
	struct common_options options;
	struct doctor d = {0};
	char reason[1024];
	int status;

	if (!options_only(argc, argv, usage, &options, &status))
		return status;
	d.json = options.json;
	d.config = options.config;
	d.check = "config";
	if (setup_load(options.config, &d.setup, reason, sizeof reason) != 0) {
		found(&d, FOUND_BAD, "%s", reason);
		return EXIT_FOUND;
	}
	found(&d, FOUND_GOOD, "%s", options.config);
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		fflush(stdout);
		d.check = checks[i].name;
		checks[i].run(&d);
	}
	setup_free(&d.setup);
	return d.bad == 0 ? EXIT_DONE : EXIT_FOUND;
}
