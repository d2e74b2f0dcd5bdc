/*
 * The command `audit show`. Runs as whoever may read the log; believes its
 * arguments, an operator's, only after they were checked.
 */
#include "executor/audit_show.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "executor/audit_command.h"

#define WIDTH_LEAST 40
#define FOLLOW_TAIL 10 /* records before those to come */

enum option_id {
	OPTION_DIR = 1,
	OPTION_LIMIT,
	OPTION_TAIL,
	OPTION_FOLLOW,
	OPTION_NO_INDEX,
	OPTION_JSON,
	OPTION_HELP
};

static const struct option options_known[] = {
    FILTER_OPTIONS,
    {"dir", required_argument, NULL, OPTION_DIR},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"tail", required_argument, NULL, OPTION_TAIL},
    {"follow", no_argument, NULL, OPTION_FOLLOW},
    {"no-index", no_argument, NULL, OPTION_NO_INDEX},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

struct command {
	struct show_options options;
	const char *dir;
	bool help;
};

static void
usage(FILE *out, const char *name)
{
	fprintf(out,
	    "usage: %s [options] [--dir DIR | FILE]\n"
	    "Show an audit log, one line a record.\n"
	    "\n"
	    "  --dir DIR           folder of the log\n" FILTER_USAGE
	    "  --limit N, --tail N the first or the last N of them\n"
	    "  --follow            then wait for more\n"
	    "  --no-index          read every segment, whatever an index says\n"
	    "  --json              the records as they are in the log\n"
	    "\n"
	    "Exit status: 0 done, 1 the log is damaged, 64 usage, 69 no such\n"
	    "log, 71 it could not be read, 77 not permitted.\n",
	    name);
}

static int
parse_tail(const char *text, size_t *tail_out)
{
	uint64_t value = 0;
	int rc = audit_count_parse(text, SHOW_TAIL_MAX, &value);

	if (rc == 0)
		*tail_out = (size_t)value;
	return rc;
}

/* One option and its argument. 0 or -ERR_RANGE. */
static int
take_option(void *context, int option, const char *argument)
{
	struct command *command = context;
	struct show_options *options = &command->options;

	switch (option) {
	case OPTION_DIR:
		command->dir = argument;
		return 0;
	case OPTION_LIMIT:
		return audit_count_parse(
		    argument, RECORD_NUMBER_MAX, &options->limit);
	case OPTION_TAIL:
		return parse_tail(argument, &options->tail);
	case OPTION_FOLLOW:
		options->follow = true;
		return 0;
	case OPTION_NO_INDEX:
		options->no_index = true;
		return 0;
	case OPTION_JSON:
		options->style.json = true;
		return 0;
	case OPTION_HELP:
		command->help = true;
		return 0;
	default:
		return audit_filter_take(&options->filter, option, argument,
		    (uint64_t)clock_utc_ms());
	}
}

static int
parse_command(int argc, char **argv, const char *default_dir, bool follow,
    struct command *command)
{
	int rc;

	*command = (struct command){0};
	show_options_init(&command->options);
	rc = audit_command_options(
	    argc, argv, options_known, take_option, command);
	if (rc != 0)
		return rc;
	if (command->options.limit != 0 && command->options.tail != 0)
		rc = -ERR_RANGE;
	/* which intents stay open is known at the end only */
	if ((command->options.follow || follow) &&
	    command->options.filter.unknown)
		rc = -ERR_RANGE;
	if (command->help)
		return 0;
	command->dir = audit_command_log(argc, argv, command->dir, default_dir);
	return command->dir == NULL ? -ERR_RANGE : rc;
}

/* How lines look on standard output. */
static void
find_style(struct show_style *style)
{
	const char *no_colour = getenv("NO_COLOR");
	struct winsize size = {0};

	if (!isatty(STDOUT_FILENO))
		return;
	style->colour = no_colour == NULL || no_colour[0] == '\0';
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
	    size.ws_col >= WIDTH_LEAST)
		style->width = size.ws_col;
}

static int
run(const char *path, const struct show_options *options)
{
	bool damaged = false;
	int rc = audit_show(path, options, stdout, &damaged);

	return audit_command_status(path, rc, damaged);
}

static int
show_main(int argc, char **argv, const char *default_dir, bool follow)
{
	struct command command;
	int rc = parse_command(argc, argv, default_dir, follow, &command);
	int status;

	if (audit_command_ends(rc, command.help, usage, argv[0], &status))
		return status;
	if (follow) {
		command.options.follow = true;
		if (command.options.tail == 0 && command.options.limit == 0 &&
		    command.options.filter.since[0] == '\0')
			command.options.tail = FOLLOW_TAIL;
	}
	find_style(&command.options.style);
	return run(command.dir, &command.options);
}

int
audit_show_main(int argc, char **argv, const char *default_dir)
{
	return show_main(argc, argv, default_dir, false);
}

int
audit_follow_main(int argc, char **argv, const char *default_dir)
{
	return show_main(argc, argv, default_dir, true);
}
