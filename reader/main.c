/*
 * trizone-reader: the command line. As a filter it reads one item from its
 * input; as a zone it serves the executor's channel. Has no network, no
 * credentials, and believes nobody.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/start.h"
#include "reader/filter.h"
#include "reader/plain.h"
#include "reader/zone.h"

static const char usage[] =
    "usage: trizone-reader mail [--record FILE] < RAW > CLEAN\n"
    "       trizone-reader run --channel unix:PATH|stdio [--zone NAME]\n"
    "       trizone-reader --help | --version\n"
    "\n"
    "mail  one raw mail (RFC 5322) on standard input becomes one JSON object\n"
    "      on standard output: what a person would have seen, and how much\n"
    "      was hidden. --record writes what was hidden to FILE, for a person.\n"
    "run   be a reader zone (mail, unless --zone says another) on the\n"
    "      executor's channel.\n"
    "\n"
    "Exit status: 0 done; 65 the object is a failure form (it has \"error\");\n"
    "64 usage; 71 the system failed.\n";

static int
wrong_usage(const char *what)
{
	fprintf(stderr, "trizone-reader: %s\n%s", what, usage);
	return EXIT_USAGE;
}

/* "--NAME VALUE" as the only arguments from `argv` on; NULL if not that. */
static const char *
only_option(int argc, char **argv, const char *name)
{
	return argc == 2 && strcmp(argv[0], name) == 0 ? argv[1] : NULL;
}

static int
run_filter(const char *kind, int argc, char **argv)
{
	const char *path = only_option(argc, argv, "--record");
	int record = -1, status;

	if (path == NULL && argc != 0)
		return wrong_usage("only --record FILE is known here");
	if (path != NULL) {
		record = open(path,
		    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0600);
		if (record < 0)
			die_errno("open %s", path);
	}
	filter_warm();
	status = plain_run(kind, STDIN_FILENO, STDOUT_FILENO, record);
	if (record >= 0 && close(record) != 0)
		die_errno("close %s", path);
	return status;
}

static int
run_zone(int argc, char **argv)
{
	const char *channel =
	    only_option(argc > 2 ? 2 : argc, argv, "--channel");
	const char *zone = "mail";

	if (argc > 2)
		zone = only_option(argc - 2, argv + 2, "--zone");
	if (channel == NULL || zone == NULL)
		return wrong_usage("run wants --channel unix:PATH or stdio");
	filter_warm();
	return zone_run(channel, zone);
}

int
main(int argc, char **argv)
{
	const char *kind;

	start_process("reader", STDERR_FILENO + 1);
	if (argc < 2)
		return wrong_usage("a command is missing");
	if (strcmp(argv[argc - 1], "--help") == 0) {
		fputs(usage, stdout);
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("trizone-reader " TRIZONE_VERSION);
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "run") == 0)
		return run_zone(argc - 2, argv + 2);
	kind = filter_kind(span_of(argv[1]));
	if (kind == NULL)
		return wrong_usage("no such command");
	return run_filter(kind, argc - 2, argv + 2);
}
