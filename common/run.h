/*
 * Running a program of the system: no shell, no environment, bounded output,
 * a deadline. Blocks until the program has ended and is reaped.
 */
#ifndef TRIZONE_COMMON_RUN_H
#define TRIZONE_COMMON_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/text.h"

#define RUN_NOT_EXECUTED 127 /* as shells have it */

/* Folders of the system's programs, NULL last. PATH is not asked. */
extern const char *const run_folders[];

/* The path of the program `name` in the first of `folders` that has it. */
bool run_find(
    const char *const folders[], const char *name, char *out, size_t room);

/* Run argv[0], an absolute path, in a session of its own, in "/", with nothing
 * open but descriptors 0 to 2. `input` is its standard input; what it writes
 * is appended to `out` and `err`. An empty input and NULL are /dev/null. Our
 * descriptors 0 to 2 have to be open, SIGPIPE ignored, SIGCHLD not.
 *
 * 0: it ended by itself, *status_out is its exit status (RUN_NOT_EXECUTED also
 * where there is no such program), or 128 and the number of its signal.
 * -ERR_DEADLINE; -ERR_TOO_LARGE: more output than a buffer's ceiling;
 * -ERR_SYSTEM: it could not be started or watched. Then it and what it has
 * started in its session's group has been killed. */
int run_program(const char *const argv[], struct span input, struct buf *out,
    struct buf *err, int deadline_ms, int *status_out);

#endif
