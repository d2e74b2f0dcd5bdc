/*
 * A backup: one file in the ustar format (POSIX.1-1988, as tar and pax read
 * it) with regular files alone, mode 0600. Its last member, SHA256SUMS, has
 * the hash of each of the others as sha256sum(1) checks it. Sizes of 8 GiB and
 * more are in base 256, as GNU tar has them.
 */
#ifndef TRIZONE_EXECUTOR_ARCHIVE_H
#define TRIZONE_EXECUTOR_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/sha256.h"
#include "common/text.h"

#define ARCHIVE_NAME_BYTES 64 /* and its NUL */
/* How the member "about", the first one, begins: the format's version. */
#define BACKUP_ABOUT "trizone-backup 1\n"
#define ARCHIVE_SUMS "SHA256SUMS"
#define ARCHIVE_SUMS_BYTES (256u << 20) /* some million members */

/* All zero but `fd`, and archive_init. */
struct archive {
	int fd;
	struct buf sums; /* so far */
};

void archive_init(struct archive *archive, int fd);
void archive_done(struct archive *archive);

/* Append the first `bytes` of a file. -ERR_CORRUPT: it has fewer; -ERR_RANGE:
 * the name does not fit; -ERR_NO_SPACE, -ERR_IO. */
int archive_put_file(
    struct archive *archive, const char *name, int fd, uint64_t bytes);
int archive_put_text(
    struct archive *archive, const char *name, struct span text);

/* The sums and the end. */
int archive_end(struct archive *archive);

/* The next member: its name is at most three parts of letters, digits, '-' and
 * '.', none of which begins with a dot. 1; 0: the end, and the sums were those
 * of what was read; -ERR_CORRUPT: it is none of our backups, or it was cut or
 * changed; -ERR_IO. After 1 its bytes must be read with archive_get. */
int archive_next(struct archive *archive, char name_out[ARCHIVE_NAME_BYTES],
    uint64_t *bytes_out);

/* Write the member's bytes to `fd`. -ERR_CORRUPT, -ERR_NO_SPACE, -ERR_IO. */
int archive_get(
    struct archive *archive, const char *name, uint64_t bytes, int fd);

#endif
