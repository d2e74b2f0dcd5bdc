/*
 * audit: show, verify and root, for the log a configuration names.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/account.h"
#include "common/alloc.h"
#include "common/err.h"
#include "executor/audit_export.h"
#include "executor/audit_index.h"
#include "executor/audit_log.h"
#include "executor/audit_person.h"
#include "executor/audit_report.h"
#include "executor/audit_show.h"
#include "executor/audit_verify.h"
#include "executor/command.h"
#include "executor/inputs_file.h"

static const char usage[] =
    "usage: trizone-executor audit show [--config FILE] [OPTION...]\n"
    "       trizone-executor audit follow [--config FILE] [OPTION...]\n"
    "       trizone-executor audit verify [--config FILE] [OPTION...]\n"
    "       trizone-executor audit root [--config FILE]\n"
    "       trizone-executor audit report --html|--text [OPTION...]\n"
    "       trizone-executor audit export --format ocsf|cef [OPTION...]\n"
    "       trizone-executor audit index [--config FILE]\n"
    "       trizone-executor audit erase [--config FILE] SEQ\n"
    "       trizone-executor audit erase [--config FILE] --person ADDRESS\n"
    "       trizone-executor audit show|follow|verify|root|report|export|index|\n"
    "           erase --help\n"
    "The log is the configuration's, or that of --dir DIR.\n";

static const char erase_usage[] =
    "usage: trizone-executor audit erase [--config FILE] SEQ\n"
    "       trizone-executor audit erase [--config FILE] --handle HANDLE\n"
    "       trizone-executor audit erase [--config FILE] --session SESSION\n"
    "       trizone-executor audit erase [--config FILE] --person ADDRESS\n"
    "Erase what the record SEQ was decided on and the salt of its commitment. SEQ\n"
    "is as audit show prints it, or the 16 digits in the record, which stays, and\n"
    "the chain with it. Or so for every record of a mail, a session, or the mails\n"
    "that have an address; the mails go from the inbox. For these stop the service\n"
    "first.\n"
    "Exit status: 0 it is gone; 69 there was nothing; 77 not permitted.\n";

struct erasure {
	const char *dir;
	uint64_t seq;
};

/* Both are gone, or were; one of them has to be there. */
static int
erase(void *context)
{
	const struct erasure *what = context;
	struct audit_problem problem;
	char *path = alloc_format("%s/" INPUTS_FOLDER, what->dir);
	int row = inputs_erase(path, what->seq);
	int salt = audit_erase(what->dir, what->seq, &problem);

	free(path);
	if (row != 0 && row != -ERR_NOT_FOUND) {
		fprintf(stderr, "what it was decided on: %s\n", err_text(row));
		return row == -ERR_PEER ? EXIT_NOT_PERMITTED : EXIT_SYSTEM;
	}
	if (salt != 0 && salt != -ERR_NOT_FOUND) {
		fprintf(stderr, "%s\n", problem.text);
		return audit_exit_status(salt);
	}
	if (row == 0 || salt == 0)
		return EXIT_DONE;
	fputs("there is nothing of that record to erase\n", stderr);
	return EXIT_UNAVAILABLE;
}

/* Root becomes the folder's owner for it, and is led nowhere by a link. */
static int
erase_as_owner(const char *dir, uint64_t seq)
{
	struct erasure what = {dir, seq};
	struct account owner;

	if (account_owner(dir, &owner) != 0) {
		fprintf(stderr, "%s: %s\n", dir, strerror(errno));
		return EXIT_UNAVAILABLE;
	}
	return account_as(&owner, erase, &what);
}

/* As `audit show` prints it, or as it stands in the record: 16 digits. */
static int
read_seq(const char *text, uint64_t *seq_out)
{
	char *end;

	if (strlen(text) >= RECORD_SEQ_DIGITS)
		return record_seq_parse(span_of(text), seq_out);
	*seq_out = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' ? 0
								: -ERR_SYNTAX;
}

static int
audit_erase_main(int argc, char **argv, const char *default_dir)
{
	bool help = argc == 2 && strcmp(argv[1], "--help") == 0;
	uint64_t seq;

	if (argc == 2 && !help && default_dir != NULL &&
	    read_seq(argv[1], &seq) == 0)
		return erase_as_owner(default_dir, seq);
	fputs(erase_usage, help ? stdout : stderr);
	return help ? EXIT_DONE : EXIT_USAGE;
}

static const struct {
	const char *name, *title;
	int (*run)(int argc, char **argv, const char *default_dir);
} commands[] = {
    {"show", "trizone-executor audit show", audit_show_main},
    {"follow", "trizone-executor audit follow", audit_follow_main},
    {"verify", "trizone-executor audit verify", audit_verify_main},
    {"root", "trizone-executor audit root", audit_root_main},
    {"report", "trizone-executor audit report", audit_report_main},
    {"export", "trizone-executor audit export", audit_export_main},
    {"index", "trizone-executor audit index", audit_index_main},
    {"erase", "trizone-executor audit erase", audit_erase_main},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static bool
takes_value(const char *argument)
{
	static const char *const alone[] = {"--json", "--unknown", "--follow",
	    "--no-index", "--html", "--text"};

	for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++)
		if (strcmp(argument, alone[i]) == 0)
			return false;
	return strncmp(argument, "--", 2) == 0 && strchr(argument, '=') == NULL;
}

/* Whether the arguments say themselves which log, or want none. */
static bool
names_log(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "--dir") == 0 ||
		    strncmp(argv[i], "--dir=", 6) == 0 || argv[i][0] != '-')
			return true;
		if (takes_value(argv[i]))
			i++;
	}
	return false;
}

/* Take "--config FILE" or "--config=FILE" out of the arguments. */
static const char *
take_config(int *argc, char **argv)
{
	static const char name[] = "--config";
	const size_t length = sizeof name - 1;
	const char *path = NULL;

	for (int i = 1; i < *argc && path == NULL; i++) {
		int taken = 1;

		if (strncmp(argv[i], name, length) != 0)
			continue;
		if (argv[i][length] == '=') {
			path = argv[i] + length + 1;
		} else if (argv[i][length] == '\0' && i + 1 < *argc) {
			path = argv[i + 1];
			taken = 2;
		} else {
			continue;
		}
		*argc -= taken;
		memmove(argv + i, argv + i + taken,
		    (size_t)(*argc - i + 1) * sizeof *argv);
	}
	return path;
}

int
command_audit(int argc, char **argv)
{
	struct config *config = NULL;
	const char *path;
	char title[64];
	int status = EXIT_USAGE;
	size_t i = 0;

	while (
	    argc >= 2 && i < COMMANDS && strcmp(argv[1], commands[i].name) != 0)
		i++;
	if (argc < 2 || i == COMMANDS) {
		bool help = argc == 2 && strcmp(argv[1], "--help") == 0;

		fputs(usage, help ? stdout : stderr);
		return help ? EXIT_DONE : EXIT_USAGE;
	}
	argc--;
	argv++;
	path = take_config(&argc, argv);
	/* a log can be looked at where no configuration is */
	if (path != NULL || commands[i].run == audit_erase_main ||
	    !names_log(argc, argv))
		config = config_or_die(
		    path != NULL ? path : CONFIG_DEFAULT_PATH, EXIT_CONFIG);
	snprintf(title, sizeof title, "%s", commands[i].title);
	argv[0] = title;
	if (commands[i].run == audit_erase_main && argc == 3)
		status = audit_erase_about(argc, argv, config);
	else
		status = commands[i].run(
		    argc, argv, config == NULL ? NULL : config->audit);
	if (status == EXIT_USAGE && argc == 3 &&
	    commands[i].run == audit_erase_main)
		fputs(erase_usage, stderr);
	config_free(config);
	return status;
}
