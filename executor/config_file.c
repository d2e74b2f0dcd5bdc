/*
 * Reading the operator's files. What they say decides what may be done, so a
 * file that somebody else could have written is not read at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/io.h"
#include "executor/config.h"

/* Whether only root and we can change it. A sticky folder (like /tmp) will do:
 * others may make files in it, but not replace this one. */
static int
check_owner(const struct stat *st, const char *path, char *reason, size_t room)
{
	bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0;

	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		snprintf(reason, room,
		    "%s belongs to user %lu: it has to belong to root or to "
		    "the user of the service (chown it)",
		    path, (unsigned long)st->st_uid);
		return -ERR_CONFIG;
	}
	if ((st->st_mode & 022) != 0 && !sticky) {
		snprintf(reason, room,
		    "%s can be written by others: chmod go-w %s", path, path);
		return -ERR_CONFIG;
	}
	return 0;
}

static int
check_folder(const char *path, char *reason, size_t room)
{
	char copy[4096];
	struct stat st;
	const char *folder;

	if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy) {
		snprintf(reason, room, "the path is too long");
		return -ERR_CONFIG;
	}
	folder = dirname(copy);
	if (stat(folder, &st) != 0) {
		snprintf(reason, room, "%s: %s", folder, strerror(errno));
		return -ERR_NOT_FOUND;
	}
	return check_owner(&st, folder, reason, room);
}

static int
read_open(int fd, const char *path, struct buf *out, char *reason, size_t room)
{
	int rc = io_read_all(fd, out);

	if (rc == -ERR_TOO_LARGE)
		snprintf(
		    reason, room, "%s has more than %zu bytes", path, out->max);
	else if (rc != 0)
		snprintf(reason, room, "%s: %s", path, strerror(errno));
	return rc;
}

int
config_read_file(const char *path, struct buf *out, char *reason, size_t room)
{
	struct stat st;
	int fd, rc;

	buf_clear(out);
	rc = check_folder(path, reason, room);
	if (rc != 0)
		return rc;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		snprintf(reason, room, "%s: %s", path, strerror(errno));
		return err_from_errno(errno);
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		snprintf(reason, room, "%s is not a regular file", path);
		rc = -ERR_CONFIG;
	} else {
		rc = check_owner(&st, path, reason, room);
	}
	if (rc == 0)
		rc = read_open(fd, path, out, reason, room);
	close(fd);
	return rc;
}
