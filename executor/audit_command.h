/*
 * What the commands that read an audit log share.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_COMMAND_H
#define TRIZONE_EXECUTOR_AUDIT_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

struct option;

/* Read the options of the table with getopt_long; optind is then at the first
 * other argument. `take` gets each, and its argument: 0, or -ERR_RANGE, which
 * ends it with what audit_option_refused says of that option. */
int audit_command_options(int argc, char **argv, const struct option *table,
    int (*take)(void *command, int option, const char *argument),
    void *command);

/* Which log: at most one argument behind the options (optind), or `dir`, that
 * of --dir, which may be NULL; else `default_dir`. NULL: none, or two. */
const char *audit_command_log(
    int argc, char **argv, const char *dir, const char *default_dir);

/* Whether a command ends with its options: because of --help, or of an error
 * (-ERR_TYPE was told already; of others the usage tells). Then *status_out is
 * its exit status. */
bool audit_command_ends(int rc, bool help,
    void (*usage)(FILE *out, const char *name), const char *name,
    int *status_out);

/* The exit status after reading `log`; an error is told. */
int audit_command_status(const char *log, int rc, bool damaged);

#endif
