/*
 * Notifications into a file, one line each. Runs in a courier; the descriptor
 * is opened before the courier is locked and is all it has. Believes the
 * operator's path down to its last part.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/err.h"
#include "executor/beneath.h"
#include "executor/notify.h"
#include "executor/sync.h"

#define FILE_BITS 0600

/* Whether what we opened is a file we may trust with somebody's words. */
static int
check_ours(int fd)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return -ERR_FAILED;
	if (!S_ISREG(status.st_mode))
		return -ERR_NOT_REGULAR;
	if (status.st_uid != geteuid() || status.st_nlink != 1)
		return -ERR_REFUSED;
	return 0;
}

/* Looks first, so that no FIFO or device is opened. */
static int
open_in(int folder, const char *name, int *fd_out)
{
	struct stat status;
	int fd, rc = beneath_look(folder, name, &status);

	if (rc != 0 && rc != -ERR_NOT_FOUND)
		return rc;
	fd = openat(folder, name, O_RDWR | O_APPEND | O_CREAT | BENEATH_FLAGS,
	    FILE_BITS);
	if (fd < 0)
		return beneath_error(errno);
	rc = check_ours(fd);
	if (rc == 0)
		rc = sync_folder(folder);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	*fd_out = fd;
	return 0;
}

int
notify_file_open(const char *path, int *fd_out)
{
	const char *name = strrchr(path, '/') + 1;
	char folder[BENEATH_PATH_BYTES + 1];
	int fd, rc;

	rc = span_copy(
	    (struct span){path, (size_t)(name - path)}, folder, sizeof folder);
	if (rc != 0)
		return -ERR_PATH;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return beneath_error(errno);
	rc = open_in(fd, name, fd_out);
	close(fd);
	return rc;
}

/* Whether the file ends in the middle of a line. */
static int
is_torn(int fd, off_t size, bool *torn_out)
{
	char last;

	*torn_out = false;
	if (size == 0)
		return 0;
	if (pread(fd, &last, 1, size - 1) != 1)
		return -ERR_IO;
	*torn_out = last != '\n';
	return 0;
}

/* A part of the line is in the file: take it out again, unless somebody else
 * has written behind it. */
static int
take_back(int fd, off_t before, ssize_t written)
{
	struct stat status;

	if (fstat(fd, &status) != 0 || status.st_size != before + written ||
	    ftruncate(fd, before) != 0)
		return -ERR_UNKNOWN_OUTCOME;
	return -ERR_NO_SPACE;
}

static int
append(int fd, struct span bytes, off_t before)
{
	ssize_t n;

	do
		n = write(fd, bytes.p, bytes.n);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return beneath_error(errno) == -ERR_NO_SPACE ? -ERR_NO_SPACE
							     : -ERR_IO;
	if ((size_t)n != bytes.n)
		return take_back(fd, before, n);
	return sync_data(fd) == 0 ? 0 : -ERR_UNKNOWN_OUTCOME;
}

int
notify_file_add(int fd, struct span line, uint64_t max_bytes)
{
	struct stat status;
	struct buf bytes;
	bool torn;
	int rc;

	if (fstat(fd, &status) != 0 || status.st_nlink == 0)
		return -ERR_FAILED; /* taken away: nobody would see it */
	rc = is_torn(fd, status.st_size, &torn);
	if (rc != 0)
		return rc;
	if ((uint64_t)status.st_size + line.n + (torn ? 1 : 0) > max_bytes)
		return -ERR_NO_SPACE;
	buf_init(&bytes, line.n + 1);
	if (torn)
		buf_add_byte(&bytes, '\n');
	buf_add(&bytes, line.p, line.n);
	rc = append(fd, (struct span){bytes.data, bytes.len}, status.st_size);
	buf_free(&bytes);
	return rc;
}
