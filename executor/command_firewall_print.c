/*
 * firewall print and check: what would be loaded, and what is wrong. Neither
 * changes anything.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/io.h"
#include "common/namespace.h"
#include "executor/command_firewall.h"
#include "executor/confined.h"
#include "executor/firewall/model_impl.h"
#include "executor/firewall/pf_lint.h"
#include "executor/firewall/text.h"
#include "executor/firewall_job.h"

static const char print_usage[] =
    "usage: trizone-executor firewall print [NAME] [--config FILE]\n"
    "           [--backend nft|iptables|pf]\n"
    "What apply loads, for the accounts of the policy, or for one of them.\n";

static const char check_usage[] =
    "usage: trizone-executor firewall check [NAME] [--config FILE] [--json]\n"
    "           [--backend nft|iptables|pf] [--pf FILE]\n"
    "       trizone-executor firewall check NAME --exec -- COMMAND...\n"
    "What is wrong: with the rules, by the backend's own parser and by what\n"
    "they mean; with what is loaded; with the account; and who else on this\n"
    "machine could speak for it. --pf FILE: only what is wrong with that file\n"
    "of pf's. Changes nothing.\n"
    "--exec: once the rules of NAME are in force, be it and run COMMAND.\n"
    "Exit status: 0 nothing but notes; 1 something; 78 configuration.\n";

struct options {
	const char *config, *name, *pf;
	char **command; /* of --exec; NULL: without */
	enum firewall_backend backend;
	bool json;
};

static bool
read_options(int argc, char **argv, const char *usage, bool check,
    struct options *o, int *status_out)
{
	static const struct option known[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"backend", required_argument, NULL, 'b'},
	    {"help", no_argument, NULL, 'h'},
	    {"json", no_argument, NULL, 'j'},
	    {"pf", required_argument, NULL, 'p'},
	    {"exec", no_argument, NULL, 'e'},
	    {NULL, 0, NULL, 0},
	};
	bool exec = false;
	int option;

	*o = (struct options){
	    .config = CONFIG_DEFAULT_PATH, .backend = FIREWALL_BACKEND_COUNT};
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		bool good = true;

		if (option == 'c')
			o->config = optarg;
		else if (option == 'b')
			good = firewall_backend_find(optarg, &o->backend);
		else if (option == 'j' && check)
			o->json = true;
		else if (option == 'p' && check)
			o->pf = optarg;
		else if (option == 'e' && check)
			exec = true;
		else
			good = false;
		if (good)
			continue;
		fputs(usage, option == 'h' ? stdout : stderr);
		*status_out = option == 'h' ? EXIT_DONE : EXIT_USAGE;
		return false;
	}
	o->name = optind < argc ? argv[optind] : NULL;
	if (exec && optind + 1 < argc)
		o->command = argv + optind + 1;
	if (exec ? o->command == NULL : optind + 1 < argc) {
		fputs(usage, stderr);
		*status_out = EXIT_USAGE;
		return false;
	}
	return true;
}

/* The policy's accounts, or one of them. */
static void
choose(const struct job *job, const char *name, struct model *out)
{
	const struct model *model = policy_firewall(job->setup.policy);

	out->count = 0;
	for (size_t i = 0; i < model->count; i++)
		if (name == NULL || strcmp(model->accounts[i].name, name) == 0)
			(void)model_add_copy(out, &model->accounts[i]);
	if (name != NULL && out->count == 0)
		die(EXIT_CONFIG, "no account %s in \"firewall\" of %s", name,
		    job->setup.config->policy);
}

static enum firewall_backend
backend_of(const struct options *o)
{
	enum firewall_backend backend = o->backend;

	if (backend == FIREWALL_BACKEND_COUNT)
		backend = load_backend();
	return backend == FIREWALL_BACKEND_COUNT ? FIREWALL_NFT : backend;
}

int
command_firewall_print(int argc, char **argv)
{
	struct options o;
	struct model model;
	struct buf out;
	struct job job;
	int status;

	if (!read_options(argc, argv, print_usage, false, &o, &status))
		return status;
	job_setup(&job, o.config, true);
	choose(&job, o.name, &model);
	if (model_resolve(&model, job.reason, sizeof job.reason) != 0)
		die(EXIT_CONFIG, "%s", job.reason);
	buf_init(&out, 4 * TEXT_MAX_BYTES);
	text_print(backend_of(&o), &model, &out);
	fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
	model_free(&model);
	job_end(&job);
	return EXIT_DONE;
}

/*
 * check
 */
struct findings {
	struct json_writer *json; /* NULL: words */
	unsigned faults;
};

static void
on_found(void *context, enum confined_level level, const char *text)
{
	struct findings *f = context;
	bool fault = level == CONFINED_FAULT;

	f->faults += fault;
	if (f->json == NULL) {
		printf("%s %s\n", fault ? "fault" : "note ", text);
		return;
	}
	json_open(f->json, '{');
	json_put_text(f->json, "level", fault ? "fault" : "note");
	json_put_text(f->json, "text", text);
	json_close(f->json, '}');
}

static void
check_lists(
    const struct model_account *account, const struct confined_report *report)
{
	const struct address_range *range = model_wide_range(account);
	char text[ADDRESS_RANGE_BYTES];

	if (account->host_count == 0)
		confined_say(report, CONFINED_FAULT,
		    "the list of account %s is empty: it reaches nothing",
		    account->name);
	if (range == NULL)
		return;
	address_range_format(range, text);
	confined_say(report, CONFINED_FAULT,
	    "names of account %s may lead to any address of %s", account->name,
	    text);
}

static void
check_account(
    struct model_account *account, const struct confined_report *report)
{
	char name[64], reason[400];
	struct confined c;

	check_lists(account, report);
	confined_system_name(account->name, name, sizeof name);
	if (model_account_resolve(account, reason, sizeof reason) != 0) {
		confined_say(report, CONFINED_FAULT, "%s", reason);
		return;
	}
	if (confined_find(name, &c, reason, sizeof reason) != 0) {
		confined_say(report, CONFINED_FAULT, "%s", reason);
		return;
	}
	confined_check(&c, report);
	confined_helpers(&c, report);
}

/* In a network of its own, where loading them changes nothing: the kernel and
 * its tools say what they take and how they list it. */
static int
try_alone(enum firewall_backend backend, const struct model *model,
    char *reason, size_t room)
{
	uint32_t own;
	struct buf said;
	int rc = namespace_leave(LOCK_NET, &own, reason, room);

	if (rc != 0)
		return load_parse(backend, model, reason, room);
	buf_init(&said, TEXT_MAX_BYTES);
	rc = load_rules(backend, model, &said, reason, room);
	buf_free(&said);
	return rc;
}

/* In a child, as nobody comes back from another network. */
static int
try_rules(enum firewall_backend backend, const struct model *model,
    char *reason, size_t room)
{
	struct buf said;
	int ends[2], status = 0, rc;
	pid_t child;

	if (backend == FIREWALL_PF)
		return load_parse(backend, model, reason, room);
	if (pipe(ends) != 0 || (child = fork()) < 0)
		die_errno("a child to try the rules");
	if (child == 0) {
		rc = try_alone(backend, model, reason, room);
		if (rc != 0)
			(void)!write(ends[1], reason, strlen(reason));
		_exit(rc == 0 ? 0 : 1);
	}
	close(ends[1]);
	buf_init(&said, room - 1);
	(void)io_read_all(ends[0], &said);
	close(ends[0]);
	(void)snprintf(reason, room, "%.*s", (int)said.len,
	    said.len == 0 ? "" : said.data);
	buf_free(&said);
	rc = waitpid(child, &status, 0) == child && status == 0
		 ? 0
		 : -ERR_UNAVAILABLE;
	return rc;
}

static void
check_rules(enum firewall_backend backend, const struct model *model,
    const struct confined_report *report)
{
	char reason[LOAD_REASON_BYTES];

	if (geteuid() != 0)
		confined_say(report, CONFINED_NOTE,
		    "rules are not tried: that needs root");
	else if (try_rules(backend, model, reason, sizeof reason) != 0)
		confined_say(report, CONFINED_FAULT,
		    "%s does not take the rules: %s",
		    firewall_backend_name(backend), reason);
}

static void
check_applied(
    struct job *job, const char *name, const struct confined_report *report)
{
	const struct model_account *account;
	struct model want;
	int rc = job_begin(job, false);

	if (rc != 0 && rc != -ERR_NOT_FOUND) {
		confined_say(report, CONFINED_FAULT, "%s", job->reason);
		return;
	}
	for (size_t i = 0; i < job->applied.model.count; i++) {
		account = &job->applied.model.accounts[i];
		if (account->blocked &&
		    (name == NULL || strcmp(account->name, name) == 0))
			confined_say(report, CONFINED_NOTE,
			    "account %s is blocked%s", account->name,
			    strcmp(job->applied.pending, account->name) == 0
				? " unless it is confirmed"
				: "");
	}
	if (name != NULL &&
	    model_find(&job->applied.model, span_of(name)) == NULL)
		confined_say(report, CONFINED_FAULT,
		    "account %s is not behind the firewall: apply it", name);
	if (job->applied.model.count == 0)
		return;
	applied_effective(&job->applied, clock_utc_ms(), &want);
	if (load_check(job->applied.backend, &want, job->reason,
		sizeof job->reason) != 0)
		confined_say(report, CONFINED_FAULT,
		    "what is loaded is not what was applied: %s", job->reason);
	model_free(&want);
}

static void
check_all(const struct options *o, const struct confined_report *report)
{
	struct model model;
	struct job job;

	job_setup(&job, o->config, true);
	choose(&job, o->name, &model);
	for (size_t i = 0; i < model.count; i++)
		check_account(&model.accounts[i], report);
	if (model_resolve(&model, job.reason, sizeof job.reason) == 0)
		check_rules(backend_of(o), &model, report);
	if (geteuid() == 0)
		check_applied(&job, o->name, report);
	model_free(&model);
	job_end(&job);
}

static void
on_pf(void *context, unsigned line, const char *text)
{
	confined_say(context, CONFINED_FAULT, "line %u: %s", line, text);
}

static void
check_pf(const struct options *o, const struct confined_report *report)
{
	char reason[JOB_REASON_BYTES];
	struct buf text;

	buf_init(&text, TEXT_MAX_BYTES);
	if (config_read_file(o->pf, &text, reason, sizeof reason) != 0)
		die(EXIT_DATA, "%s", reason);
	pf_lint((struct span){text.data, text.len}, on_pf, (void *)report);
	buf_free(&text);
}

int
command_firewall_check(int argc, char **argv)
{
	struct findings findings = {NULL, 0};
	const struct confined_report report = {on_found, &findings};
	struct json_writer w;
	struct options o;
	struct buf out;
	int status;

	if (!read_options(argc, argv, check_usage, true, &o, &status))
		return status;
	if (o.command != NULL)
		return command_firewall_exec(o.config, o.name, o.command);
	buf_init(&out, 1u << 20);
	json_write_init(&w, &out);
	if (o.json) {
		findings.json = &w;
		json_open(&w, '[');
	}
	if (o.pf != NULL)
		check_pf(&o, &report);
	else
		check_all(&o, &report);
	if (o.json) {
		json_close(&w, ']');
		printf("%.*s\n", (int)out.len, out.data);
	} else {
		printf("%u found\n", findings.faults);
	}
	buf_free(&out);
	return findings.faults == 0 ? EXIT_DONE : EXIT_FOUND;
}
