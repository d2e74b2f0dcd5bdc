/*
 * firewall apply and confirm: rules of an account into the kernel, and onto the
 * disk for the next start. Runs as root. Whatever ends it, the account is as it
 * was or blocked: what is on disk says "blocked" before anything is loaded, and
 * the timer runs before it too.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "executor/command_firewall.h"
#include "executor/firewall/model_impl.h"
#include "executor/firewall_boot.h"
#include "executor/firewall_job.h"
#include "executor/hosts_file.h"

#define ALLOW_MAX 128
#define TIMEOUT_S 60
#define TIMEOUT_MOST_S 3600

static const char apply_usage[] =
    "usage: trizone-executor firewall apply NAME [--config FILE]\n"
    "           [--allow HOST:PORT[/udp]]... [--timeout SECONDS]\n"
    "           [--backend nft|iptables|pf] [--close-dns]\n"
    "       trizone-executor firewall apply NAME --block\n"
    "       trizone-executor firewall apply NAME --remove\n"
    "       trizone-executor firewall apply --boot | --restore | --refresh\n"
    "\n"
    "Load the rules of account NAME: it reaches the hosts of the policy and\n"
    "nothing else. Unless confirmed within 60 seconds it is blocked.\n"
    "\n"
    "--allow      let it reach this host too; makes a policy if there is none\n"
    "--timeout    other than 60; 0: keep the rules at once\n"
    "--block      it reaches nothing, at once, until applied again\n"
    "--remove     no rules for it any more: it reaches everything\n"
    "--close-dns  macOS: names by /etc/hosts; system-wide, see the manual\n"
    "--boot       load what was applied; what was not confirmed stays blocked\n"
    "--restore    load what was applied if it is not what is loaded\n"
    "--refresh    the same, with the hosts that the policy has now\n"
    "\n"
    "Exit status: 0 done; 64 usage; 69 the rules are not loaded; 75 another\n"
    "apply waits or works; 77 needs root; 78 configuration.\n";

static const char confirm_usage[] =
    "usage: trizone-executor firewall confirm NAME [--config FILE]\n"
    "Keep the rules that `apply NAME` has loaded, for the next start too.\n"
    "Exit status: 0 done; 69 nothing waits, or it is too late.\n";

enum apply_way { APPLY, BLOCK, REMOVE, BOOT, RESTORE, REFRESH };

struct options {
	const char *config, *name;
	enum apply_way way;
	const char *allow[ALLOW_MAX];
	size_t allow_count;
	long timeout_s;
	enum firewall_backend backend; /* _COUNT: what there is */
	bool close_dns;
};

/*
 * Options.
 */
static int
wrong(const char *usage, const char *what)
{
	fprintf(stderr, "firewall: %s\n%s", what, usage);
	return EXIT_USAGE;
}

static bool
read_seconds(const char *text, long *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*out = strtol(text, &end, 10);
	return *end == '\0' && *out <= TIMEOUT_MOST_S;
}

/* What is wrong, or NULL. */
static const char *
read_option(int option, struct options *o)
{
	enum apply_way way = APPLY;

	switch (option) {
	case 'c':
		o->config = optarg;
		return NULL;
	case 'a':
		if (o->allow_count == ALLOW_MAX)
			return "too many --allow: write a policy";
		o->allow[o->allow_count++] = optarg;
		return NULL;
	case 't':
		return read_seconds(optarg, &o->timeout_s)
			   ? NULL
			   : "--timeout takes 0 to 3600 seconds";
	case 'b':
		return firewall_backend_find(optarg, &o->backend)
			   ? NULL
			   : "--backend is nft, iptables or pf";
	case 'd':
		o->close_dns = true;
		return NULL;
	case 'B':
		way = BLOCK;
		break;
	case 'R':
		way = REMOVE;
		break;
	case 'o':
		way = BOOT;
		break;
	case 'f':
		way = REFRESH;
		break;
	default:
		way = RESTORE;
		break;
	}
	if (o->way != APPLY && o->way != way)
		return "one of --block, --remove, --boot, --restore, --refresh";
	o->way = way;
	return NULL;
}

/* True: go on. Else *status_out. */
static bool
read_options(int argc, char **argv, struct options *o, int *status_out)
{
	static const struct option known[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"allow", required_argument, NULL, 'a'},
	    {"timeout", required_argument, NULL, 't'},
	    {"backend", required_argument, NULL, 'b'},
	    {"close-dns", no_argument, NULL, 'd'},
	    {"block", no_argument, NULL, 'B'},
	    {"remove", no_argument, NULL, 'R'},
	    {"boot", no_argument, NULL, 'o'},
	    {"restore", no_argument, NULL, 'r'},
	    {"refresh", no_argument, NULL, 'f'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	const char *bad = NULL;
	bool named;
	int option;

	*o = (struct options){.config = CONFIG_DEFAULT_PATH,
	    .timeout_s = TIMEOUT_S,
	    .backend = FIREWALL_BACKEND_COUNT};
	*status_out = EXIT_USAGE;
	while (bad == NULL &&
	       (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'h' || option == '?') {
			fputs(apply_usage, option == 'h' ? stdout : stderr);
			*status_out = option == 'h' ? EXIT_DONE : EXIT_USAGE;
			return false;
		}
		bad = read_option(option, o);
	}
	named = o->way < BOOT;
	if (bad == NULL && optind + (named ? 1 : 0) != argc)
		bad = named ? "the name of one account" : "no name here";
	if (bad == NULL && o->way != APPLY &&
	    (o->allow_count != 0 || o->close_dns))
		bad = "--allow and --close-dns are for loading rules";
	if (bad == NULL && named) {
		o->name = argv[optind];
		if (!model_name_fits(span_of(o->name)))
			bad = "that is no name of an account";
	}
	if (bad != NULL)
		wrong(apply_usage, bad);
	return bad == NULL;
}

static void
need_root(void)
{
	if (geteuid() != 0)
		die(EXIT_NOT_PERMITTED, "only root may change the firewall");
}

/*
 * Ways.
 */
static void
choose_backend(struct job *job, const struct options *o)
{
	enum firewall_backend *is = &job->applied.backend;

	if (job->applied.model.count != 0 && *is != FIREWALL_BACKEND_COUNT) {
		if (o->backend != FIREWALL_BACKEND_COUNT && o->backend != *is)
			die(EXIT_CONFIG,
			    "accounts are behind %s: remove them before you "
			    "take another backend",
			    firewall_backend_name(*is));
		return;
	}
	*is =
	    o->backend != FIREWALL_BACKEND_COUNT ? o->backend : load_backend();
	if (*is == FIREWALL_BACKEND_COUNT)
		die(EXIT_UNAVAILABLE,
		    "neither nft nor iptables nor pfctl is here: install "
		    "nftables");
}

static void
refuse_other_pending(const struct job *job, const char *name)
{
	const char *waits = job->applied.pending;

	if (waits[0] == '\0' || strcmp(waits, name) == 0 ||
	    clock_utc_ms() >= job->applied.until_ms)
		return;
	die(EXIT_TEMPORARY,
	    "account %s waits for its confirmation: confirm it, or wait",
	    waits);
}

/* Blocked on disk from here on, and the timer runs. */
static void
prepare(struct job *job, const struct options *o)
{
	int rc = job_put(job, o->name);

	if (rc != 0)
		job_die(job, rc);
	job->applied.serial++;
	(void)snprintf(
	    job->applied.pending, sizeof job->applied.pending, "%s", o->name);
	job->applied.until_ms =
	    clock_utc_ms() +
	    1000 * (o->timeout_s != 0 ? o->timeout_s : TIMEOUT_S);
	rc = job_store(job);
	if (rc != 0)
		job_die(job, rc);
	firewall_timer_start(job);
}

/* What cannot be blocked now stays on disk as what waits: the timer tries. */
static _Noreturn void
give_up(struct job *job, const char *name)
{
	char why[JOB_REASON_BYTES];

	(void)snprintf(why, sizeof why, "%s", job->reason);
	if (job_take_back(job) != 0)
		die(EXIT_UNAVAILABLE, "%s. Nor can account %s be blocked: %s",
		    why, name, job->reason);
	die(EXIT_UNAVAILABLE, "%s. Account %s is blocked", why, name);
}

/* It may stay: what is loaded is what was asked for. */
static int
keep(struct job *job)
{
	struct model_account *account =
	    model_find(&job->applied.model, span_of(job->applied.pending));
	int rc;

	if (account != NULL)
		account->blocked = false;
	job->applied.pending[0] = '\0';
	rc = job_store(job);
	if (rc == 0)
		firewall_boot_enable(job->config);
	return rc;
}

static void
say_loaded(const struct job *job, const struct options *o)
{
	struct model_account *account =
	    model_find(&job->applied.model, span_of(o->name));

	printf("account %s (%lu) reaches %zu hosts, and nothing else\n",
	    o->name, (unsigned long)account->uid, account->host_count);
	if (o->timeout_s != 0)
		printf("within %ld s: trizone-executor firewall confirm %s; "
		       "else it is blocked\n",
		    o->timeout_s, o->name);
	firewall_boot_serve(job->config);
}

static void
require_in_policy(const struct job *job, const char *name)
{
	const struct model *model = policy_firewall(job->setup.policy);

	if (model_find(model, span_of(name)) == NULL)
		die(EXIT_CONFIG,
		    "no account %s in \"firewall\" of %s: add it there, or "
		    "give --allow HOST:PORT",
		    name, job->setup.config->policy);
}

static int
apply(const struct options *o)
{
	struct job job;
	int rc;

	if (o->allow_count != 0)
		firewall_allow(o->config, o->name, o->allow, o->allow_count);
	job_setup(&job, o->config, true);
	require_in_policy(&job, o->name);
	rc = job_begin(&job, true);
	if (rc != 0)
		job_die(&job, rc);
	choose_backend(&job, o);
	refuse_other_pending(&job, o->name);
	prepare(&job, o);
	rc = job_load(&job);
	if (rc == 0 && o->close_dns)
		rc = hosts_file_put(
		    &job.applied.model, o->name, job.reason, sizeof job.reason);
	if (rc != 0)
		give_up(&job, o->name);
	if (o->timeout_s == 0)
		rc = keep(&job);
	if (rc != 0)
		job_die(&job, rc);
	say_loaded(&job, o);
	job_end(&job);
	return EXIT_DONE;
}

/* A stop does not wait for room on the disk, which whoever is stopped may have
 * filled. Without its hosts the text is no longer than what is there; they come
 * back with the policy. */
static int
store_block(struct job *job, const char *name)
{
	struct model_account *account =
	    model_find(&job->applied.model, span_of(name));
	int rc = job_store(job);

	if (rc == 0)
		return 0;
	account->host_count = 0;
	return applied_overwrite(job->folder, &job->applied) == 0 ? 0 : rc;
}

/* Nor for a disk that takes nothing: then it holds until the rules are put
 * back. */
static _Noreturn void
block_unstored(struct job *job, const char *name)
{
	char why[JOB_REASON_BYTES];

	(void)snprintf(why, sizeof why, "%s", job->reason);
	if (job_load(job) != 0)
		die(EXIT_UNAVAILABLE,
		    "%s, and %s: end its processes "
		    "(pkill -KILL -u %s)",
		    why, job->reason, name);
	die(EXIT_UNAVAILABLE,
	    "%s: account %s is blocked only until the "
	    "service looks; end its processes (pkill -KILL -u %s)",
	    why, name, name);
}

static int
block(const struct options *o)
{
	struct job job;
	int rc;

	job_setup(&job, o->config, false);
	rc = job_begin(&job, true);
	if (rc == 0) {
		choose_backend(&job, o);
		rc = job_put(&job, o->name);
	}
	if (rc == 0 && store_block(&job, o->name) != 0)
		block_unstored(&job, o->name);
	if (rc == 0)
		rc = job_load(&job);
	if (rc != 0)
		job_die(&job, rc);
	printf("account %s reaches nothing\n", o->name);
	job_end(&job);
	return EXIT_DONE;
}

int
firewall_remove(const char *config, const char *name, char *reason, size_t room)
{
	struct job job;
	int rc;

	job_stored(&job, config);
	rc = job_begin(&job, false);
	if (rc == 0 && !job_take(&job, name))
		rc = -ERR_NOT_FOUND;
	if (rc == 0)
		rc = job_load(&job);
	if (rc == 0)
		rc = hosts_file_take(name, job.reason, sizeof job.reason);
	if (rc == 0)
		rc = job_store(&job);
	if (rc == 0 && job.applied.model.count == 0)
		firewall_boot_disable(job.config);
	(void)snprintf(reason, room, "%s", job.reason);
	job_end(&job);
	return rc;
}

static int
take_away(const struct options *o)
{
	char reason[JOB_REASON_BYTES];
	int rc = firewall_remove(o->config, o->name, reason, sizeof reason);

	if (rc == -ERR_NOT_FOUND) {
		printf("account %s has no rules\n", o->name);
		return EXIT_DONE;
	}
	if (rc != 0)
		die(EXIT_UNAVAILABLE, "%s", reason);
	printf("account %s has no rules any more: it reaches everything\n",
	    o->name);
	return EXIT_DONE;
}

/* Whether what waits waits no more. At a start of the system its rules are
 * gone; where they are loaded it is no start, but a unit that was started. */
static bool
is_over(const struct job *job, bool boot)
{
	int64_t now = clock_utc_ms();
	char unused[LOAD_REASON_BYTES];
	struct model want;
	bool over;

	if (job->applied.pending[0] == '\0')
		return false;
	over = now >= job->applied.until_ms;
	if (over || !boot)
		return over;
	applied_effective(&job->applied, now, &want);
	over =
	    load_check(job->applied.backend, &want, unused, sizeof unused) != 0;
	model_free(&want);
	return over;
}

/* What is on disk is what counts, as far as there is time left to confirm it;
 * a policy that nobody has reloaded yet does not come into force by the way.
 * Says nothing if all is as it should be. */
static int
restore(const struct options *o)
{
	struct model want;
	struct job job;
	char was[JOB_REASON_BYTES];
	bool over;
	int rc;

	if (o->way == RESTORE)
		job_stored(&job, o->config);
	else
		job_setup(&job, o->config, false);
	rc = job_begin(&job, false);
	if (rc == -ERR_NOT_FOUND)
		return EXIT_DONE;
	if (rc != 0)
		job_die(&job, rc);
	over = is_over(&job, o->way == BOOT);
	if (over)
		job.applied.pending[0] = '\0';
	if (over || job.changed)
		(void)job_store(&job);
	applied_effective(&job.applied, clock_utc_ms(), &want);
	if (job.applied.model.count != 0 &&
	    load_check(job.applied.backend, &want, was, sizeof was) != 0) {
		rc = job_load(&job);
		if (rc != 0)
			job_die(&job, rc);
		printf("%s rules of accounts: %s\n",
		    o->way == RESTORE ? "put back" : "loaded", was);
	}
	model_free(&want);
	job_end(&job);
	return EXIT_DONE;
}

int
command_firewall_apply(int argc, char **argv)
{
	static int (*const ways[])(const struct options *o) = {
	    [APPLY] = apply,
	    [BLOCK] = block,
	    [REMOVE] = take_away,
	    [BOOT] = restore,
	    [RESTORE] = restore,
	    [REFRESH] = restore,
	};
	struct options o;
	int status;

	if (!read_options(argc, argv, &o, &status))
		return status;
	need_root();
	return ways[o.way](&o);
}

/*
 * confirm
 */
static int
confirm(const char *config, const char *name)
{
	struct job job;
	int rc;

	job_stored(&job, config);
	rc = job_begin(&job, false);
	if (rc == 0 && (strcmp(job.applied.pending, name) != 0 ||
			   clock_utc_ms() >= job.applied.until_ms))
		die(EXIT_UNAVAILABLE,
		    "no apply of account %s waits: it was confirmed, or it was "
		    "too late and the account is blocked; apply it again",
		    name);
	if (rc == 0)
		rc = job_load(&job);
	if (rc == 0)
		rc = keep(&job);
	if (rc == -ERR_NOT_FOUND)
		die(EXIT_UNAVAILABLE, "nothing was ever applied");
	if (rc != 0)
		job_die(&job, rc);
	printf("account %s keeps its rules\n", name);
	job_end(&job);
	return EXIT_DONE;
}

int
command_firewall_confirm(int argc, char **argv)
{
	static const struct option known[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	const char *config = CONFIG_DEFAULT_PATH;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option != 'c') {
			fputs(confirm_usage, option == 'h' ? stdout : stderr);
			return option == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
		config = optarg;
	}
	if (optind + 1 != argc)
		return wrong(confirm_usage, "the name of one account");
	need_root();
	return confirm(config, argv[optind]);
}
