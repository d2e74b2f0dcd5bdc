/*
 * The two ways kind `notify` reaches a person. Both run in a courier.
 */
#ifndef TRIZONE_EXECUTOR_NOTIFY_H
#define TRIZONE_EXECUTOR_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

/* Open the file at the absolute `path` for notify_file_add, making it with
 * 0600 in an existing folder. Its last part is never followed as a link;
 * refused unless it is a regular file with one link that belongs to us. Close
 * with close(2). Errors as beneath_error. */
int notify_file_open(const char *path, int *fd_out);

/* Append one line, which brings its own line feed, and wait for the disk. A
 * line that a crash left torn is ended first. 0; -ERR_NO_SPACE (also if the
 * file would pass max_bytes), -ERR_IO or -ERR_FAILED: nothing was appended;
 * -ERR_UNKNOWN_OUTCOME: some of it may be there. */
int notify_file_add(int fd, struct span line, uint64_t max_bytes);

/* Where the system log listens. */
char *notify_syslog_socket(void);

/* Connect to the system log; `identity` must outlive the process's use of it.
 * 0 or -ERR_UNAVAILABLE if nothing listens where the log should be. */
int notify_syslog_open(const char *identity);

/* Hand over one line. There is no way to know whether it was kept. */
void notify_syslog_add(const char *line);

#endif
