/*
 * trizone-reader: the command line. As a filter it reads one item from its
 * input; as a zone it serves the executor's channel. Has no network, no
 * credentials, and believes nobody.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/account.h"
#include "common/err.h"
#include "common/firewall_command.h"
#include "common/guest.h"
#include "common/lock.h"
#include "common/start.h"
#include "reader/auth.h"
#include "reader/files.h"
#include "reader/filter.h"
#include "reader/plain.h"
#include "reader/profile.h"
#include "reader/score.h"
#include "reader/worker.h"
#include "reader/zone.h"

#define NOBODY "65534" /* who has no files */

static const char usage[] =
    "usage: trizone-reader mail|text [--record FILE] [--trust-auth HOST]...\n"
    "                                [--user NAME] < RAW > CLEAN\n"
    "       trizone-reader score [--jsonl] [--user NAME] < ROWS\n"
    "       trizone-reader eval [--feedback] [--json] [--user NAME] FILE...\n"
    "       trizone-reader run --channel unix:PATH|serial:PATH|stdio\n"
    "                          [--zone NAME] [--trust-auth HOST]... [--user NAME]\n"
    "       trizone-reader guest [--zone NAME] [--trust-auth HOST]...\n"
    "                            [--user NAME]\n"
    "       trizone-reader firewall print|apply|check ...\n"
    "       trizone-reader --help | --version\n"
    "\n"
    "mail  one raw mail (RFC 5322) on standard input becomes one JSON object\n"
    "      on standard output: what a person would have seen, how much was\n"
    "      hidden, and whether it speaks to a model. --record writes what was\n"
    "      hidden to FILE, for a person; --trust-auth takes Authentication-\n"
    "      Results of HOST, which must be your own mail server and remove\n"
    "      those that came with its name.\n"
    "text  the same for bare text.\n"
    "score  for each line {\"id\",\"channel\",\"text\"}: {\"id\",\"score\",\n"
    "      \"verdict\"}, clean or suspect.\n"
    "eval  how labelled rows are scored, as a table; with --feedback what\n"
    "      threshold they speak for.\n"
    "run   be a reader zone (mail, unless --zone says another) on the\n"
    "      executor's channel.\n"
    "guest  the same as the first process of a microVM, on its one port.\n"
    "firewall  rules that drop everything, for the zone's machine.\n"
    "\n"
    "Started as root, it becomes the account --user (trizone-reader).\n"
    "Exit status: 0 done; 65 the object is a failure form (it has \"error\");\n"
    "64 usage; 71 the system failed;\n"
    "of eval: 1 below the bar, 65 no rows.\n";

static int
wrong_usage(const char *what)
{
	fprintf(stderr, "trizone-reader: %s\n%s", what, usage);
	return EXIT_USAGE;
}

static int
say(const char *text)
{
	if (fputs(text, stdout) < 0 || fflush(stdout) != 0)
		die_errno("standard output");
	return EXIT_DONE;
}

struct options {
	const char *channel, *zone, *record, *user;
	bool feedback, json;
};

/* Options of one command; `known` has those it takes. */
static bool
read_options(
    int argc, char **argv, const struct option *known, struct options *out)
{
	static char account[64];
	int option;

	account_default_name("reader", account, sizeof account);
	*out = (struct options){.zone = "mail", .user = account};
	while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		if (option == 'c')
			out->channel = optarg;
		else if (option == 'z')
			out->zone = optarg;
		else if (option == 'r')
			out->record = optarg;
		else if (option == 'u')
			out->user = optarg;
		else if (option == 'f')
			out->feedback = true;
		else if (option == 'j')
			out->json = true;
		else if (option == 'a' && auth_trust(optarg) == 0)
			continue;
		else
			return false;
	}
	return true;
}

/* Started as root it needs to be somebody else; a filter has no account of its
 * own on a machine without a service. */
static void
filter_account(const char *user, struct account *out)
{
	char reason[200], usual[ACCOUNT_NAME_BYTES];

	account_default_name("reader", usual, sizeof usual);
	if (geteuid() == 0 && strcmp(user, usual) == 0 &&
	    account_find(user, out, reason, sizeof reason) == -ERR_NOT_FOUND)
		lock_account(NOBODY, out);
	else
		lock_account(user, out);
}

/* From here on the process has what it has opened. */
static void
lock_filter(const char *user)
{
	static struct lock lock;

	filter_warm();
	worker_prepare();
	lock_init(&lock, &filter_profile);
	filter_account(user, &lock.account);
	lock_enter(&lock);
	lock_seal(&lock);
}

static int
run_score(int argc, char **argv)
{
	static const struct option known[] = {
	    {"jsonl", no_argument, NULL, 'j'}, /* the only form there is */
	    {"user", required_argument, NULL, 'u'},
	    {NULL, 0, NULL, 0},
	};
	struct options options;

	if (!read_options(argc, argv, known, &options) || optind != argc)
		return wrong_usage("score knows --jsonl and --user");
	files_need_standard(true);
	lock_filter(options.user);
	return score_run(STDIN_FILENO, STDOUT_FILENO);
}

static int
run_evaluate(int argc, char **argv)
{
	static const struct option known[] = {
	    {"feedback", no_argument, NULL, 'f'},
	    {"json", no_argument, NULL, 'j'},
	    {"user", required_argument, NULL, 'u'},
	    {NULL, 0, NULL, 0},
	};
	int files[EVALUATE_FILES], count = 0;
	struct options options;

	if (!read_options(argc, argv, known, &options) || optind == argc ||
	    argc - optind > EVALUATE_FILES)
		return wrong_usage("eval wants 1 to 32 files");
	files_need_standard(false);
	for (int i = optind; i < argc; i++)
		files[count++] = files_open_rows(argv[i]);
	lock_filter(options.user);
	return evaluate_run(files, (size_t)count, options.feedback,
	    options.json, STDOUT_FILENO);
}

static int
run_filter(const char *kind, int argc, char **argv)
{
	static const struct option known[] = {
	    {"record", required_argument, NULL, 'r'},
	    {"trust-auth", required_argument, NULL, 'a'},
	    {"user", required_argument, NULL, 'u'},
	    {NULL, 0, NULL, 0},
	};
	struct options options;
	int record = -1, status;

	if (!read_options(argc, argv, known, &options) || optind != argc)
		return wrong_usage(
		    "a filter knows --record FILE, --trust-auth HOST "
		    "and --user NAME");
	files_need_standard(true);
	if (options.record != NULL)
		record = files_open_record(options.record);
	lock_filter(options.user);
	status = plain_run(kind, STDIN_FILENO, STDOUT_FILENO, record);
	if (record >= 0 && close(record) != 0)
		die_errno("close %s", options.record);
	return status;
}

static int
run_zone(int argc, char **argv)
{
	static const struct option known[] = {
	    {"channel", required_argument, NULL, 'c'},
	    {"zone", required_argument, NULL, 'z'},
	    {"trust-auth", required_argument, NULL, 'a'},
	    {"user", required_argument, NULL, 'u'},
	    {NULL, 0, NULL, 0},
	};
	struct options options;

	if (!read_options(argc, argv, known, &options) || optind != argc ||
	    options.channel == NULL)
		return wrong_usage(
		    "run wants --channel unix:PATH, serial:PATH or stdio");
	filter_warm();
	return zone_run(options.channel, options.zone, options.user);
}

int
main(int argc, char **argv)
{
	const char *kind;

	if (guest_is_asked(argc, argv))
		guest_begin();
	files_look();
	start_process("reader", STDERR_FILENO + 1);
	if (argc < 2)
		return wrong_usage("a command is missing");
	if (strcmp(argv[argc - 1], "--help") == 0 &&
	    strcmp(argv[1], "firewall") != 0)
		return say(usage);
	if (strcmp(argv[1], "--version") == 0)
		return say("trizone-reader " TRIZONE_VERSION "\n");
	if (strcmp(argv[1], "run") == 0)
		return run_zone(argc - 1, argv + 1);
	if (guest_is_asked(argc, argv))
		guest_run(run_zone, argc - 1, argv + 1);
	if (strcmp(argv[1], "score") == 0)
		return run_score(argc - 1, argv + 1);
	if (strcmp(argv[1], "eval") == 0)
		return run_evaluate(argc - 1, argv + 1);
	if (strcmp(argv[1], "firewall") == 0)
		return firewall_command("trizone-reader", argc - 1, argv + 1);
	kind = filter_kind(span_of(argv[1]));
	if (kind == NULL)
		return wrong_usage("no such command");
	return run_filter(kind, argc - 1, argv + 1);
}
