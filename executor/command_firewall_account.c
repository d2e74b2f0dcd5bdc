/*
 * firewall account: the account that a confined program runs under. Runs as
 * root, by the system's own tools; what they made is looked at before it is
 * believed.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/user.h"
#include "executor/accounts.h"
#include "executor/command_firewall.h"
#include "executor/confined.h"
#include "executor/firewall/model_impl.h"
#include "executor/firewall_job.h"

static const char usage[] =
    "usage: trizone-executor firewall account NAME [--config FILE]\n"
    "           [--remove]\n"
    "Make an account of the system for a confined program: without a password,\n"
    "a shell, and rights, with a home of its own (0700). One that is there is\n"
    "taken if it is such a one, and refused if a person or others use it.\n"
    "--remove  take the account, its home and its rules away\n"
    "Exit status: 0 done; 71 it cannot be made; 77 needs root; 78 refused.\n";

struct faults {
	unsigned count;
};

static void
on_found(void *context, enum confined_level level, const char *text)
{
	struct faults *faults = context;

	faults->count += level == CONFINED_FAULT;
	fprintf(stderr, "%s: %s\n", level == CONFINED_FAULT ? "fault" : "note",
	    text);
}

/* The folder itself, never what a link names; of nobody else. */
static void
make_home(const struct confined *account)
{
	struct stat st;
	int fd;

	if (mkdir(account->home, 0700) != 0 && errno != EEXIST)
		die_errno("cannot make %s", account->home);
	fd = open(
	    account->home, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		die_errno("%s", account->home);
	if (st.st_uid != 0 && st.st_uid != account->uid)
		die(EXIT_CONFIG, "%s is somebody else's", account->home);
	if (fchown(fd, account->uid, account->gid) != 0 ||
	    fchmod(fd, 0700) != 0)
		die_errno("%s", account->home);
	close(fd);
}

static void
say(const struct confined *account)
{
	printf("account %s: number %lu, group %lu, home %s (0700), no "
	       "password, no shell\n",
	    account->name, (unsigned long)account->uid,
	    (unsigned long)account->gid, account->home);
}

static int
make(const char *name)
{
	char system_name[64], home[CONFINED_HOME_BYTES], reason[400];
	struct faults faults = {0};
	const struct confined_report report = {on_found, &faults};
	struct confined account;
	bool is_new;
	int rc;

	confined_system_name(name, system_name, sizeof system_name);
	rc = confined_find(system_name, &account, reason, sizeof reason);
	is_new = rc == -ERR_NOT_FOUND;
	if (is_new) {
		confined_home(system_name, home, sizeof home);
		accounts_make_one(system_name, home);
		rc =
		    confined_find(system_name, &account, reason, sizeof reason);
	}
	if (rc != 0)
		die(EXIT_CONFIG, "%s", reason);
	if (is_new)
		make_home(&account);
	confined_check(&account, &report);
	if (faults.count != 0)
		die(EXIT_CONFIG,
		    "account %s is no account for a confined program: see "
		    "above",
		    system_name);
	say(&account);
	return EXIT_DONE;
}

/* Of others' accounts the home may be anything. */
static void
refuse_others(const struct confined *account)
{
	char home[CONFINED_HOME_BYTES];

	confined_home(account->name, home, sizeof home);
	if (strcmp(account->home, home) != 0)
		die(EXIT_CONFIG,
		    "account %s was not made here, its home is %s: remove it "
		    "by hand, its rules with `apply %s --remove`",
		    account->name, account->home, account->name);
}

static void
refuse_running(const struct confined *account)
{
	uint64_t count = 0;

	if (user_processes(account->uid, &count) == 0 && count == 0)
		return;
	die(EXIT_TEMPORARY,
	    "%llu processes run as %s: end them first (pkill -u %s)",
	    (unsigned long long)count, account->name, account->name);
}

/* A service whose policy has an account that is gone does not start, and then
 * the others have no names. */
static void
say_in_policy(const char *config, const char *name)
{
	struct job job;

	job_setup(&job, config, false);
	if (job.has_setup && model_find(policy_firewall(job.setup.policy),
				 span_of(name)) != NULL)
		printf("to do: take %s out of %s, or the service does not "
		       "start any more\n",
		    name, job.setup.config->policy);
	job_end(&job);
}

/* The account first: what cannot be removed keeps its rules. */
static int
take_away(const char *config, const char *name)
{
	char system_name[64], reason[JOB_REASON_BYTES];
	struct confined account;
	int rc;

	confined_system_name(name, system_name, sizeof system_name);
	rc = confined_find(system_name, &account, reason, sizeof reason);
	if (rc == 0) {
		refuse_others(&account);
		refuse_running(&account);
		if (accounts_remove_one(system_name, reason, sizeof reason) !=
		    0)
			die(EXIT_SYSTEM, "%s", reason);
		printf("removed account %s and its home\n", system_name);
	} else if (rc != -ERR_NOT_FOUND) {
		die(EXIT_CONFIG, "%s", reason);
	}
	rc = firewall_remove(config, name, reason, sizeof reason);
	if (rc != 0 && rc != -ERR_NOT_FOUND)
		die(EXIT_UNAVAILABLE, "its rules stay: %s", reason);
	if (rc == 0)
		printf("removed its rules\n");
	say_in_policy(config, name);
	return EXIT_DONE;
}

int
command_firewall_account(int argc, char **argv)
{
	static const struct option known[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"remove", no_argument, NULL, 'r'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	const char *config = CONFIG_DEFAULT_PATH;
	bool remove = false;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'c') {
			config = optarg;
		} else if (option == 'r') {
			remove = true;
		} else {
			fputs(usage, option == 'h' ? stdout : stderr);
			return option == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	}
	if (optind + 1 != argc || !model_name_fits(span_of(argv[optind]))) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (geteuid() != 0)
		die(EXIT_NOT_PERMITTED, "only root may make accounts");
	return remove ? take_away(config, argv[optind]) : make(argv[optind]);
}
