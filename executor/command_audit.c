/*
 * audit: show and verify, for the log a configuration names.
 */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "executor/audit_show.h"
#include "executor/audit_verify.h"
#include "executor/command.h"

static const char usage[] =
    "usage: trizone-executor audit show [--config FILE] [OPTION...]\n"
    "       trizone-executor audit verify [--config FILE] [OPTION...]\n"
    "       trizone-executor audit show|verify --help\n"
    "The log is the configuration's, or that of --dir DIR.\n";

static const struct {
	const char *name, *title;
	int (*run)(int argc, char **argv, const char *default_dir);
} commands[] = {
    {"show", "trizone-executor audit show", audit_show_main},
    {"verify", "trizone-executor audit verify", audit_verify_main},
};

static bool
takes_value(const char *argument)
{
	static const char *const alone[] = {"--json", "--unknown"};

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

	while (argc >= 2 && i < 2 && strcmp(argv[1], commands[i].name) != 0)
		i++;
	if (argc < 2 || i == 2) {
		bool help = argc == 2 && strcmp(argv[1], "--help") == 0;

		fputs(usage, help ? stdout : stderr);
		return help ? EXIT_DONE : EXIT_USAGE;
	}
	argc--;
	argv++;
	path = take_config(&argc, argv);
	/* a log can be looked at where no configuration is */
	if (path != NULL || !names_log(argc, argv))
		config = config_or_die(
		    path != NULL ? path : CONFIG_DEFAULT_PATH, EXIT_CONFIG);
	snprintf(title, sizeof title, "%s", commands[i].title);
	argv[0] = title;
	status =
	    commands[i].run(argc, argv, config == NULL ? NULL : config->audit);
	config_free(config);
	return status;
}
