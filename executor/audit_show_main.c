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

#include "common/err.h"
#include "executor/audit_files.h"

#define TIME_SHAPE "0000-00-00T00:00:00.000Z"
#define TIME_LEAST 4 /* a year */
#define WIDTH_LEAST 40

enum option_id {
	OPTION_DIR,
	OPTION_SESSION,
	OPTION_CAPABILITY,
	OPTION_VERDICT,
	OPTION_RULE,
	OPTION_KIND,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_HANDLE,
	OPTION_LIMIT,
	OPTION_TAIL,
	OPTION_UNKNOWN,
	OPTION_JSON,
	OPTION_HELP
};

static const struct option options_known[] = {
    {"dir", required_argument, NULL, OPTION_DIR},
    {"session", required_argument, NULL, OPTION_SESSION},
    {"capability", required_argument, NULL, OPTION_CAPABILITY},
    {"verdict", required_argument, NULL, OPTION_VERDICT},
    {"rule", required_argument, NULL, OPTION_RULE},
    {"kind", required_argument, NULL, OPTION_KIND},
    {"since", required_argument, NULL, OPTION_SINCE},
    {"until", required_argument, NULL, OPTION_UNTIL},
    {"handle", required_argument, NULL, OPTION_HANDLE},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"tail", required_argument, NULL, OPTION_TAIL},
    {"unknown", no_argument, NULL, OPTION_UNKNOWN},
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
	    "  --dir DIR           folder of the log\n"
	    "  --kind NAME         start, decision, intent, outcome, ...\n"
	    "  --session N         of this session\n"
	    "  --capability NAME   of this capability\n"
	    "  --verdict NAME      decisions: allow, ask or deny\n"
	    "  --rule ID           decided by this rule\n"
	    "  --handle msg:N      about this message\n"
	    "  --since TIME, --until TIME\n"
	    "                      UTC, as 2026-01-02T03:04:05 or the first\n"
	    "                      part of it; both inclusive\n"
	    "  --limit N, --tail N the first or the last N of them\n"
	    "  --unknown           effects that may have happened: intents\n"
	    "                      without outcome, outcomes `unknown'\n"
	    "  --json              the records as they are in the log\n"
	    "\n"
	    "Exit status: 0 done, 1 the log is damaged, 64 usage, 69 no such\n"
	    "log, 71 it could not be read, 77 not permitted.\n",
	    name);
}

static int
parse_number(const char *text, uint64_t most, uint64_t *value_out)
{
	uint64_t value = 0;

	if (*text == '\0')
		return -ERR_RANGE;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -ERR_RANGE;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > most)
			return -ERR_RANGE;
	}
	*value_out = value;
	return 0;
}

/* At least 1, at most `most`. */
static int
parse_count(const char *text, uint64_t most, uint64_t *value_out)
{
	uint64_t value = 0;
	int rc = parse_number(text, most, &value);

	if (rc != 0 || value == 0)
		return -ERR_RANGE;
	*value_out = value;
	return 0;
}

/* The first part of a time; a Z behind seconds or less is dropped. */
static int
parse_time(char *text, const char **time_out)
{
	size_t length = strlen(text);

	if (length > TIME_LEAST && length < sizeof TIME_SHAPE - 1 &&
	    text[length - 1] == 'Z')
		text[--length] = '\0';
	if (length < TIME_LEAST || length > sizeof TIME_SHAPE - 1)
		return -ERR_RANGE;
	for (size_t i = 0; i < length; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';

		if (TIME_SHAPE[i] == '0' ? !digit : text[i] != TIME_SHAPE[i])
			return -ERR_RANGE;
	}
	*time_out = text;
	return 0;
}

static int
parse_verdict(const char *text, enum verdict *verdict_out)
{
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		if (strcmp(text, verdict_name((enum verdict)i)) == 0) {
			*verdict_out = (enum verdict)i;
			return 0;
		}
	return -ERR_RANGE;
}

static int
parse_kind(const char *text, enum record_kind *kind_out)
{
	*kind_out = record_kind_find(span_of(text));
	return *kind_out == RECORD_KIND_COUNT ? -ERR_RANGE : 0;
}

static int
parse_tail(const char *text, size_t *tail_out)
{
	uint64_t value = 0;
	int rc = parse_count(text, SHOW_TAIL_MAX, &value);

	if (rc == 0)
		*tail_out = (size_t)value;
	return rc;
}

static int
parse_handle(const char *text, uint64_t *message_out)
{
	if (strncmp(text, "msg:", 4) == 0)
		text += 4;
	return parse_count(text, RECORD_NUMBER_MAX, message_out);
}

/* One option and its argument. 0 or -ERR_RANGE. */
static int
take_option(struct command *command, int option, char *argument)
{
	struct show_filter *filter = &command->options.filter;

	switch (option) {
	case OPTION_DIR:
		command->dir = argument;
		return 0;
	case OPTION_SESSION:
		return parse_count(
		    argument, RECORD_NUMBER_MAX, &filter->session);
	case OPTION_CAPABILITY:
		filter->capability = argument;
		return 0;
	case OPTION_VERDICT:
		return parse_verdict(argument, &filter->verdict);
	case OPTION_RULE:
		filter->rule = argument;
		return 0;
	case OPTION_KIND:
		return parse_kind(argument, &filter->kind);
	case OPTION_SINCE:
		return parse_time(argument, &filter->since);
	case OPTION_UNTIL:
		return parse_time(argument, &filter->until);
	case OPTION_HANDLE:
		return parse_handle(argument, &filter->message);
	case OPTION_LIMIT:
		return parse_count(
		    argument, RECORD_NUMBER_MAX, &command->options.limit);
	case OPTION_TAIL:
		return parse_tail(argument, &command->options.tail);
	case OPTION_UNKNOWN:
		filter->unknown = true;
		return 0;
	case OPTION_JSON:
		command->options.style.json = true;
		return 0;
	case OPTION_HELP:
		command->help = true;
		return 0;
	default:
		return -ERR_RANGE;
	}
}

static int
parse_command(int argc, char **argv, struct command *command)
{
	int option, rc = 0;

	*command = (struct command){0};
	show_options_init(&command->options);
	optind = 1;
	while (rc == 0 && (option = getopt_long(
			       argc, argv, "", options_known, NULL)) != -1)
		rc = take_option(command, option, optarg);
	if (rc == 0 && command->options.limit != 0 &&
	    command->options.tail != 0)
		rc = -ERR_RANGE;
	if (argc - optind > 1 || (command->dir != NULL && argc != optind))
		rc = -ERR_RANGE;
	return rc;
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

	if (rc != 0) {
		fprintf(stderr, "%s: %s\n", path, err_text(rc));
		return audit_exit_status(rc);
	}
	return damaged ? EXIT_FOUND : EXIT_DONE;
}

int
audit_show_main(int argc, char **argv, const char *default_dir)
{
	struct command command;
	const char *dir;

	if (parse_command(argc, argv, &command) != 0) {
		usage(stderr, argv[0]);
		return EXIT_USAGE;
	}
	if (command.help) {
		usage(stdout, argv[0]);
		return EXIT_DONE;
	}
	find_style(&command.options.style);
	if (argc > optind)
		return run(argv[optind], &command.options);
	dir = command.dir != NULL ? command.dir : default_dir;
	if (dir == NULL) {
		usage(stderr, argv[0]);
		return EXIT_USAGE;
	}
	return run(dir, &command.options);
}
