/*
 * attach: connect a zone's socket to the standard input and output of a
 * command. No relay: the command speaks on the socket itself, and cannot
 * connect again, so one connection is one instance. This is how a provider
 * starts zones; it runs on the host, never in a zone.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/attach.h"
#include "executor/command.h"

static const char usage[] =
    "usage: trizone-executor attach [--config FILE] [--receipts FILE]\n"
    "       [--machine FILE] [--warm N] [--respawn] ZONE --\n"
    "       COMMAND [ARGUMENT...]\n"
    "Connect the socket of ZONE to the standard input and output of COMMAND.\n"
    "--receipts keeps the receipt of each instance that is announced.\n"
    "--machine announces the machine that COMMAND starts, as FILE says it.\n"
    "--respawn starts the next instance, on a connection of its own, when one\n"
    "ends; --warm keeps N of them attached. Stop it with SIGTERM.\n";

struct options {
	const char *config, *machine;
	uint32_t warm;
	bool again;
};

static bool
read_warm(const char *text, uint32_t *out)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < 1 ||
	    value > MACHINE_WARM_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}

/* 0, or the letter that ends it: 'h' for help, '?' for what is wrong. */
static int
read_options(int argc, char **argv, struct options *out)
{
	static const struct option known[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"receipts", required_argument, NULL, 'k'},
	    {"machine", required_argument, NULL, 'm'},
	    {"warm", required_argument, NULL, 'w'},
	    {"respawn", no_argument, NULL, 'r'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		if (option == 'c')
			out->config = optarg;
		else if (option == 'k')
			receipt_keep_in(optarg);
		else if (option == 'm')
			out->machine = optarg;
		else if (option == 'r' ||
			 (option == 'w' && read_warm(optarg, &out->warm)))
			out->again = true;
		else
			return option == 'h' ? 'h' : '?';
	}
	return 0;
}

/* Once, as the command itself: nobody watches it. */
static _Noreturn void
attach_once(struct attach *attach, char **command)
{
	int fd = attach_connect(attach);

	if (fd < 0)
		die(EXIT_TEMPORARY, "zone %s: %s: is the executor running?",
		    attach->zone->name, err_text(fd));
	attach_done(attach);
	signal(SIGPIPE, SIG_DFL);
	attach_become(fd, command);
}

static int
keep(struct attach *attach, const struct options *options, char **command)
{
	struct buf machine;
	char reason[400];
	int status;

	buf_init(&machine, MACHINE_FILE_MAX_BYTES);
	if (options->machine != NULL &&
	    attach_read_machine(
		options->machine, &machine, reason, sizeof reason) != 0)
		die(EXIT_CONFIG, "%s", reason);
	attach->machine = (struct span){machine.data, machine.len};
	status = attach_keep(attach, command, options->warm, options->again);
	attach_done(attach);
	buf_free(&machine);
	return status;
}

int
command_attach(int argc, char **argv)
{
	struct options options = {.config = CONFIG_DEFAULT_PATH, .warm = 1};
	struct attach attach = {.client = NULL};
	struct config *config;
	int wrong = read_options(argc, argv, &options), left = argc - optind;

	argv += optind;
	if (wrong != 0 || left < 2 ||
	    (strcmp(argv[1], "--") == 0 && left < 3)) {
		fputs(usage, wrong == 'h' ? stdout : stderr);
		return wrong == 'h' ? EXIT_DONE : EXIT_USAGE;
	}
	config = config_or_die(options.config, EXIT_CONFIG);
	attach.config = config;
	attach.zone = config_zone(config, span_of(argv[0]));
	if (attach.zone == NULL)
		die(EXIT_USAGE, "there is no zone %s in %s", argv[0],
		    options.config);
	argv += strcmp(argv[1], "--") == 0 ? 2 : 1;
	if (!options.again && options.machine == NULL)
		attach_once(&attach, argv);
	return keep(&attach, &options, argv);
}
