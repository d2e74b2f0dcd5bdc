/*
 * The folder of the audit and its files, private to one user.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_FILES_H
#define TRIZONE_EXECUTOR_AUDIT_FILES_H

#include <stdbool.h>

#include <stddef.h>

#define AUDIT_OLD_NAME "audit.jsonl" /* the log of an older version */
#define AUDIT_SPARE_NAME "spare"
#define AUDIT_KEY_NAME "key"
#define AUDIT_SALTS_NAME "salts"
#define AUDIT_LOCK_NAME "lock"
/* The version of the folder is in a file of its own; version 1 had none. */
#define AUDIT_VERSION_NAME "version"
#define AUDIT_VERSION_TEXT "trizone-audit 2\n"

/* What went wrong and what to do about it, for an operator. */
struct audit_problem {
	char text[400];
};

/* Fill in the text and return `error`. */
int audit_problem(struct audit_problem *problem, int error, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* The exit status of a command that could not open or read a log: 69, 71 or
 * 77. */
int audit_exit_status(int error);

/* What a failed change of the log is told as: -ERR_NO_SPACE and -ERR_READ_ONLY
 * as they are, all else as -ERR_IO. */
int audit_write_error(int error);

/* Open the folder `path`. Its last part may not be a symbolic link, it must
 * belong to us (or to root) and be open to nobody else. With `make` a folder
 * that is not there is made. -ERR_NOT_FOUND, -ERR_NOT_REGULAR, -ERR_PEER
 * (wrong owner or mode), -ERR_SYSTEM. Close with close(2). */
int audit_folder_open(
    const char *path, bool make, int *fd_out, struct audit_problem *problem);

/* Open a file in the folder, with open(2) flags (O_CREAT makes it 0600): a
 * regular file with one name, ours, open to nobody else. Errors as above. */
int audit_file_open(int folder, const char *name, int flags, int *fd_out,
    struct audit_problem *problem);

/* Whether this program knows the folder's version. 1: it is this one; 0: it
 * has none yet (it is new, or of version 1); -ERR_CORRUPT: a later one. */
int audit_version_check(int folder, struct audit_problem *problem);

/* Give the folder this version, durably. 0, -ERR_NO_SPACE or -ERR_IO. */
int audit_version_write(int folder);

#endif
