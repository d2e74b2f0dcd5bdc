/*
 * Opening what lies below a root folder and nothing else. The path comes from
 * a planner that may be in an attacker's hands, and the folder's contents may
 * be changed by others at any moment: a name that was checked is not the name
 * that is opened, so each promise holds for the descriptor that comes back.
 *
 * Promised: no symbolic link was followed, no mount point was crossed, no
 * part was "..". Not promised: that a directory which is being moved out of
 * the root at the same moment is still inside when we look into it (then we
 * see what was inside a moment ago); nor, but by beneath_sole, that the file
 * has no second name outside.
 *
 * Linux: openat2(2), which promises this for the whole path at once, with the
 * walk of beneath_walk.c where the kernel has no openat2. macOS: the walk. It
 * sees a mount by its device number, so it cannot see a bind mount of the
 * same file system; openat2 can.
 */
#ifndef TRIZONE_EXECUTOR_BENEATH_H
#define TRIZONE_EXECUTOR_BENEATH_H

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#include "common/text.h"

#define BENEATH_PATH_BYTES 4096 /* PATH_MAX of Linux, whatever the system */
#define BENEATH_PART_BYTES 255	/* NAME_MAX of every file system we meet */

/* Every descriptor: never waits for a FIFO's other end, never takes a
 * controlling terminal, never follows a link, never survives exec. */
#define BENEATH_FLAGS (O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC)

/* Whether `path` is a plain relative path: 1 to BENEATH_PATH_BYTES bytes;
 * parts of 1 to BENEATH_PART_BYTES bytes, none of them "." or ".."; no NUL or
 * other control character. Pure. 0 or -ERR_PATH with a NUL-terminated reason
 * in `detail`, which never repeats any of the path. */
int beneath_check(struct span path, char *detail, size_t room);

/* The same for an absolute path an operator wrote: one leading slash, then a
 * plain path; so neither "/" alone nor a trailing slash. */
int beneath_check_absolute(struct span path, char *detail, size_t room);

/* The error that best describes why opening failed: -ERR_NOT_FOUND,
 * -ERR_PATH, -ERR_NOT_REGULAR, -ERR_REFUSED (no permission), -ERR_NO_SPACE,
 * -ERR_IO or -ERR_FAILED. */
int beneath_error(int saved_errno);

/* Open the root folder itself. Its last part may not be a symbolic link; the
 * parts above it are the operator's. Close with close(2). */
int beneath_root(const char *path, int *fd_out);

/* Open `path` (as beneath_check accepts it, or ".") below the folder `root`.
 * `flags` are open(2) flags without O_CREAT; BENEATH_FLAGS are added. Opens
 * whatever is there: judge the descriptor with fstat. Errors as
 * beneath_error. */
int beneath_open(int root, const char *path, int flags, int *fd_out);

/* The portable way to do what beneath_open does: part by part. */
int beneath_walk(int root, const char *path, int flags, int *fd_out);

/* Open the folder that holds the last part of `path`, readable;
 * *name_out points at that part in `path`. */
int beneath_parent(
    int root, const char *path, int *fd_out, const char **name_out);

/* Look at `name` in `folder` without opening or following it: 0 for a regular
 * file; -ERR_PATH for a symbolic link, -ERR_NOT_REGULAR for anything else. */
int beneath_look(int folder, const char *name, struct stat *status_out);

/* Open the regular file `path`, or `name` in an open folder, for reading;
 * *status_out is its fstat.
 *
 * Looks before it opens, so that no device or FIFO that sits there is opened
 * (opening alone can start a watchdog or wake a writer), and judges what it
 * opened. Between the two the name may have come to mean another file: then
 * that regular file, equally beneath, is what the name meant, and nothing
 * needs comparing. Only who can put a device node there in that moment, which
 * takes CAP_MKNOD, can make us open and at once close it. */
int beneath_regular(
    int root, const char *path, int *fd_out, struct stat *status_out);
int beneath_regular_in(
    int folder, const char *name, int *fd_out, struct stat *status_out);

/* Like beneath_regular, and the file has no other name anywhere: a hard link
 * makes a file from outside one that is beneath. A count of 1 alone does not
 * show it, as the link may be made before we open and removed before we count
 * (a test did it), so the name and the count are looked at while file or
 * folder demonstrably do not change. Where they were changed just now this
 * waits, 100 ms at most in all. -ERR_LIMIT: it has several names;
 * -ERR_WRONG_STATE: it changes too fast to tell. Needs a local file system,
 * whose clock is ours. */
int beneath_sole(
    int root, const char *path, int *fd_out, struct stat *status_out);

/* When the file's contents, bits or number of names last changed. */
struct timespec beneath_changed(const struct stat *status);

#endif
