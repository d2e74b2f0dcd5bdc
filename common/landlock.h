/*
 * A lock on the file system for the rest of a process's life, below our own
 * code: even a courier taken over by its input reaches the folders of its one
 * instance and nothing else.
 */
#ifndef TRIZONE_EXECUTOR_CONFINE_FILES_H
#define TRIZONE_EXECUTOR_CONFINE_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct confine_path {
	int fd;	    /* the open folder; it stays open and keeps working */
	bool write; /* also make, replace and remove regular files */
};

/* After it, files can be opened only below `paths` (0: nowhere): for reading,
 * and where `write` for making, replacing (within one folder), cutting and
 * removing regular files. Never: executing, making folders, devices, sockets,
 * FIFOs or links, moving between folders, device ioctls. Descriptors that are
 * open stay usable; what is opened through them later is checked.
 *
 * Also sets no_new_privs. Holds for the calling thread and its children, so
 * call it before there are threads. It cannot be undone.
 *
 * 0 and what holds in `what_out` ("landlock-abi-7"); -ERR_UNAVAILABLE and
 * "none: reason" if the system has no such lock; -ERR_SYSTEM likewise if the
 * lock was refused. `what_out` always ends in NUL.
 *
 * Not covered, as Landlock has no right for it: stat(2) and chmod(2) by path,
 * connecting to Unix sockets by path; before ABI 3 truncate(2), before ABI 5
 * device ioctls. Leave those to user ids and the syscall list. */
int confine_files(const struct confine_path *paths, size_t count,
    char *what_out, size_t room);

#endif
