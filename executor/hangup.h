/*
 * Seeing that the far end of a connection is gone without reading from it:
 * another process does that. hangup_linux.c, hangup_macos.c.
 */
#ifndef TRIZONE_EXECUTOR_HANGUP_H
#define TRIZONE_EXECUTOR_HANGUP_H

#include <stdbool.h>
#include <stddef.h>

#define HANGUP_MAX 16

/* Wait until the far end of one of the `count` sockets is gone, `wake` can be
 * read, or `ms` have passed (negative: for ever); a signal ends it too, and it
 * may return early. A descriptor of -1 is none. gone_out[i] says whether that
 * of fds[i] is. 0 or -ERR_SYSTEM. */
int hangup_wait(const int *fds, size_t count, int wake, int ms, bool *gone_out);

#endif
