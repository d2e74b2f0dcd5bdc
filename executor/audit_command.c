/*
 * What the commands that read an audit log share. Runs as whoever may read it.
 */
#include "executor/audit_command.h"

#include <getopt.h>

#include "common/err.h"
#include "executor/audit_files.h"
#include "executor/audit_filter.h"

int
audit_command_options(int argc, char **argv, const struct option *table,
    int (*take)(void *command, int option, const char *argument), void *command)
{
	int option, index = 0;

	optind = 1;
	while ((option = getopt_long(argc, argv, "", table, &index)) != -1)
		if (take(command, option, optarg) != 0)
			return audit_option_refused(
			    argv[0], &table[index], option, optarg);
	return 0;
}

const char *
audit_command_log(
    int argc, char **argv, const char *dir, const char *default_dir)
{
	if (argc - optind > 1 || (dir != NULL && argc != optind))
		return NULL;
	if (argc > optind)
		return argv[optind];
	return dir != NULL ? dir : default_dir;
}

bool
audit_command_ends(int rc, bool help,
    void (*usage)(FILE *out, const char *name), const char *name,
    int *status_out)
{
	if (rc == 0 && !help)
		return false;
	if (rc != -ERR_TYPE)
		usage(rc == 0 ? stdout : stderr, name);
	*status_out = rc == 0 ? EXIT_DONE : EXIT_USAGE;
	return true;
}

int
audit_command_status(const char *log, int rc, bool damaged)
{
	if (rc != 0) {
		fprintf(stderr, "%s: %s\n", log, err_text(rc));
		return audit_exit_status(rc);
	}
	return damaged ? EXIT_FOUND : EXIT_DONE;
}
