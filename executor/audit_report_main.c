/*
 * The command `audit report`. Runs as whoever may read the log.
 */
#include <getopt.h>

#include "common/clock.h"
#include "common/err.h"
#include "executor/audit_command.h"
#include "executor/audit_report.h"

enum option_id { OPTION_DIR = 1, OPTION_HTML, OPTION_TEXT, OPTION_HELP };

static const struct option options_known[] = {
    FILTER_PERIOD_OPTIONS,
    {"dir", required_argument, NULL, OPTION_DIR},
    {"html", no_argument, NULL, OPTION_HTML},
    {"text", no_argument, NULL, OPTION_TEXT},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

struct command {
	struct audit_filter period;
	const char *dir;
	uint64_t now_ms;
	bool html, text, help;
};

static void
usage(FILE *out, const char *name)
{
	fprintf(out,
	    "usage: %s --html | --text [options] [--dir DIR | FILE]\n"
	    "Report on an audit log, on standard output.\n"
	    "\n"
	    "  --html              one page: a timeline of each session\n"
	    "  --text              blocked connections, refusals, suspect\n"
	    "                      content, halted loops, attestation changes,\n"
	    "                      unknown outcomes; a quiet period is a line\n" FILTER_PERIOD_USAGE
	    "  --dir DIR           folder of the log\n"
	    "\n"
	    "Exit status: 0 done, 1 the log is damaged, 64 usage, 69 no such\n"
	    "log, 71 it could not be read, 77 not permitted.\n",
	    name);
}

static int
take_option(void *context, int option, const char *argument)
{
	struct command *command = context;

	switch (option) {
	case OPTION_DIR:
		command->dir = argument;
		return 0;
	case OPTION_HTML:
		command->html = true;
		return 0;
	case OPTION_TEXT:
		command->text = true;
		return 0;
	case OPTION_HELP:
		command->help = true;
		return 0;
	default:
		return audit_filter_take(
		    &command->period, option, argument, command->now_ms);
	}
}

static int
parse_command(
    int argc, char **argv, const char *default_dir, struct command *command)
{
	int rc;

	*command = (struct command){.now_ms = (uint64_t)clock_utc_ms()};
	audit_filter_init(&command->period);
	rc = audit_command_options(
	    argc, argv, options_known, take_option, command);
	if (rc != 0 || command->help)
		return rc;
	command->dir = audit_command_log(argc, argv, command->dir, default_dir);
	return command->dir == NULL || command->html == command->text
		   ? -ERR_RANGE
		   : 0;
}

static int
run(const struct command *command)
{
	struct report report;
	bool damaged = false;
	int rc = report_read(command->dir, &command->period, command->html,
	    command->now_ms, &report);

	if (rc == 0) {
		damaged = audit_walk_damaged(report.walk);
		rc = command->html ? report_html(&report, stdout)
				   : report_text(&report, stdout);
	}
	report_free(&report);
	return audit_command_status(command->dir, rc, damaged);
}

int
audit_report_main(int argc, char **argv, const char *default_dir)
{
	struct command command;
	int rc = parse_command(argc, argv, default_dir, &command), status;

	return audit_command_ends(rc, command.help, usage, argv[0], &status)
		   ? status
		   : run(&command);
}
