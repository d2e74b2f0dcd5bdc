/*
 * trizone-planner: the command line. Has no network, no credentials and no
 * rights; all it can do is ask the executor.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/account.h"
#include "common/err.h"
#include "common/firewall_command.h"
#include "common/guest.h"
#include "common/io.h"
#include "common/limits.h"
#include "common/lock.h"
#include "common/start.h"
#include "planner/ask.h"
#include "planner/profile.h"
#include "planner/rules.h"
#include "planner/think.h"

#define PROGRAM "trizone-planner " TRIZONE_VERSION
#define DEFAULT_CHANNEL "unix:/run/trizone/planner.sock"
#define DEFAULT_RULES "/etc/trizone/rules.json"

static const char usage[] =
    "usage: trizone-planner run  [--channel unix:PATH|serial:PATH|stdio]\n"
    "                            [--zone NAME] [--think rules] [--rules FILE]\n"
    "                            [--user NAME]\n"
    "       trizone-planner guest [--zone NAME] [--rules FILE] [--user NAME]\n"
    "       trizone-planner call [--channel unix:PATH] [--zone NAME]\n"
    "                            [--user NAME] NAME '{\"argument\":...}'\n"
    "       trizone-planner check [--rules FILE] [--json]\n"
    "       trizone-planner firewall print|apply|check ...\n"
    "       trizone-planner --help | --version\n"
    "\n"
    "run    take messages from the executor and act on them by rules\n"
    "guest  the same as the first process of a microVM, on its one port\n"
    "call   ask for one capability; prints the answer as JSON\n"
    "check  say in words what a rules file does\n"
    "firewall  rules that drop everything, for the zone's machine\n"
    "\n"
    "Defaults: --channel " DEFAULT_CHANNEL ", --zone planner,\n"
    "--rules " DEFAULT_RULES "; started as root, --user is the\n"
    "zone's account.\n"
    "Exit status: 0 done; 77 refused; 64 usage; 65 wrong rules; 69 no\n"
    "executor, or its capability is not available; 75 outcome unknown.\n";

struct options {
	const char *channel, *zone, *rules, *user;
	bool json;
};

static int
wrong_usage(const char *what)
{
	fprintf(stderr, "trizone-planner: %s\n%s", what, usage);
	return EXIT_USAGE;
}

static bool
read_options(int argc, char **argv, struct options *out)
{
	static const struct option known[] = {
	    {"channel", required_argument, NULL, 'c'},
	    {"zone", required_argument, NULL, 'z'},
	    {"think", required_argument, NULL, 't'},
	    {"rules", required_argument, NULL, 'r'},
	    {"user", required_argument, NULL, 'u'},
	    {"json", no_argument, NULL, 'j'},
	    {NULL, 0, NULL, 0},
	};
	static char account[64];
	int option;

	account_default_name("planner", account, sizeof account);
	*out = (struct options){.channel = DEFAULT_CHANNEL,
	    .zone = "planner",
	    .rules = DEFAULT_RULES,
	    .user = account};
	while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		if (option == 'c')
			out->channel = optarg;
		else if (option == 'z')
			out->zone = optarg;
		else if (option == 'r')
			out->rules = optarg;
		else if (option == 'u')
			out->user = optarg;
		else if (option == 'j')
			out->json = true;
		else if (option != 't' || strcmp(optarg, "rules") != 0)
			return false;
	}
	return true;
}

struct connection {
	struct client_options how;
	struct client *client;
};

static int
connect_now(void *context)
{
	struct connection *to = context;

	return client_connect(&to->how, &to->client);
}

/* Connect as the user that we shall be, lock ourselves in, then speak. */
static struct client *
connect_or_die(const struct options *options)
{
	static struct lock lock;
	struct connection to = {.how = {.spec = options->channel,
				    .self = SIDE_PLANNER,
				    .zone = options->zone,
				    .program = PROGRAM}};
	struct buf text;
	int rc;

	lock_init(&lock, &planner_profile);
	lock_account(options->user, &lock.account);
	rc = account_as(&lock.account, connect_now, &to);
	if (rc == 0) {
		lock_enter(&lock);
		lock_seal(&lock);
		buf_init(&text, LOCK_ATTESTATION_BYTES);
		lock_report_write(&lock.report, &text);
		rc =
		    client_hello(to.client, (struct span){text.data, text.len});
		buf_free(&text);
	}
	if (rc != 0)
		die(EXIT_UNAVAILABLE, "cannot reach the executor at %s: %s",
		    options->channel, err_text(rc));
	return to.client;
}

static void
read_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		die_errno("%s", path);
	buf_init(out, RULES_MAX_BYTES);
	rc = io_read_all(fd, out);
	if (rc != 0)
		die(EXIT_DATA, "%s: %s", path, err_text(rc));
	close(fd);
}

static struct rules *
load_rules(const char *path)
{
	struct json_error where;
	struct rules *rules;
	struct buf text;
	char reason[400];

	read_file(path, &text);
	if (rules_parse((struct span){text.data, text.len}, &rules, &where) !=
	    0) {
		json_error_text(&where, reason, sizeof reason);
		die(EXIT_DATA, "%s: %s", path, reason);
	}
	buf_free(&text);
	return rules;
}

static int
run(int argc, char **argv)
{
	struct options options;
	struct rules *rules;
	struct client *client;
	int status;

	if (!read_options(argc, argv, &options) || optind != argc)
		return wrong_usage("run does not know this");
	if (strcmp(options.channel, "stdio") != 0 &&
	    start_without_standard() != 0)
		die_errno("/dev/null");
	rules = load_rules(options.rules);
	client = connect_or_die(&options);
	status = think_run(client, rules);
	client_close(client);
	rules_free(rules);
	return status;
}

static int
status_of(int error)
{
	switch (-error) {
	case 0:
		return EXIT_DONE;
	case ERR_UNAVAILABLE:
		return EXIT_UNAVAILABLE;
	case ERR_UNKNOWN_OUTCOME:
	case ERR_BUSY:
	case ERR_QUOTA:
		return EXIT_TEMPORARY;
	default:
		return EXIT_NOT_PERMITTED;
	}
}

static void
print_error(const struct client_answer *answer)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, FRAME_MAX_BYTES);
	json_write_init(&w, &out);
	json_open(&w, '{');
	json_put_integer(&w, "code", -answer->error);
	json_put_string(&w, "message", answer->text);
	if (answer->data != NULL)
		json_put_raw(&w, "data", json_raw(answer->doc, answer->data));
	json_close(&w, '}');
	printf("%.*s\n", (int)out.len, out.data);
	buf_free(&out);
}

static int
call(int argc, char **argv)
{
	struct options options;
	struct client_answer answer;
	struct client *client;
	struct json_doc doc;
	int rc;

	if (!read_options(argc, argv, &options) || argc - optind != 2)
		return wrong_usage("call wants NAME and JSON");
	json_init(&doc);
	if (json_parse(&doc, span_of(argv[optind + 1]), NULL, NULL) != 0 ||
	    json_root(&doc)->type != JSON_OBJECT)
		return wrong_usage("the arguments have to be a JSON object");
	json_done(&doc);
	client = connect_or_die(&options);
	rc = ask_call(
	    client, span_of(argv[optind]), span_of(argv[optind + 1]), &answer);
	if (rc != 0)
		die(EXIT_UNAVAILABLE, "no answer: %s", err_text(rc));
	if (answer.result != NULL) {
		struct span text = json_raw(answer.doc, answer.result);

		printf("%.*s\n", (int)text.n, text.p);
	} else {
		print_error(&answer);
	}
	rc = status_of(answer.error);
	client_close(client);
	return rc;
}

static int
check(int argc, char **argv)
{
	struct options options;
	struct json_writer w;
	struct rules *rules;
	struct buf words, out;

	if (!read_options(argc, argv, &options) || optind != argc)
		return wrong_usage("check knows only --rules and --json");
	rules = load_rules(options.rules);
	buf_init(&words, (size_t)16 << 20);
	buf_init(&out, (size_t)32 << 20);
	rules_print(rules, &words);
	if (options.json) {
		json_write_init(&w, &out);
		json_open(&w, '{');
		json_put_boolean(&w, "valid", true);
		json_put_string(
		    &w, "words", (struct span){words.data, words.len});
		json_close(&w, '}');
		printf("%.*s\n", (int)out.len, out.data);
	} else {
		printf("%.*s", (int)words.len, words.data);
	}
	buf_free(&words);
	buf_free(&out);
	rules_free(rules);
	return EXIT_DONE;
}

int
main(int argc, char **argv)
{
	if (guest_is_asked(argc, argv))
		guest_begin();
	start_process("planner", STDERR_FILENO + 1);
	if (argc < 2)
		return wrong_usage("a command is missing");
	if (strcmp(argv[1], "--help") == 0 ||
	    (strcmp(argv[argc - 1], "--help") == 0 &&
		strcmp(argv[1], "firewall") != 0)) {
		fputs(usage, stdout);
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts(PROGRAM);
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "run") == 0)
		return run(argc - 1, argv + 1);
	if (guest_is_asked(argc, argv))
		guest_run(run, argc - 1, argv + 1);
	if (strcmp(argv[1], "call") == 0)
		return call(argc - 1, argv + 1);
	if (strcmp(argv[1], "check") == 0)
		return check(argc - 1, argv + 1);
	if (strcmp(argv[1], "firewall") == 0)
		return firewall_command("trizone-planner", argc - 1, argv + 1);
	return wrong_usage("no such command");
}
