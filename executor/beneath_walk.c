/*
 * Opening below a root one part at a time, for systems without openat2(2).
 * Each part is opened without following a link, from the descriptor of the
 * folder before it; as there is no "..", no step can lead up. A step that
 * leaves the root's file system is refused. Runs in a courier.
 */
#include "executor/beneath.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"

/* Copy the first part of `path` and return what is behind its slash, or NULL
 * if a part does not fit. */
static const char *
take_part(const char *path, char part[BENEATH_PART_BYTES + 1])
{
	size_t bytes = strcspn(path, "/");

	if (span_copy(
		(struct span){path, bytes}, part, BENEATH_PART_BYTES + 1) != 0)
		return NULL;
	return path[bytes] == '/' ? path + bytes + 1 : path + bytes;
}

/* Why opening failed. O_DIRECTORY hides a link behind ENOTDIR. */
static int
step_error(int folder, const char *part, int saved_errno)
{
	struct stat status;

	if (saved_errno == ENOTDIR &&
	    fstatat(folder, part, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(status.st_mode))
		return -ERR_PATH;
	return beneath_error(saved_errno);
}

/* Open `part` in `folder`, on the file system `device`. */
static int
step(int folder, const char *part, int flags, dev_t device, int *fd_out)
{
	struct stat status;
	int fd = openat(folder, part, flags | BENEATH_FLAGS);

	if (fd < 0)
		return step_error(folder, part, errno);
	if (fstat(fd, &status) != 0 || status.st_dev != device) {
		close(fd);
		return -ERR_PATH;
	}
	*fd_out = fd;
	return 0;
}

int
beneath_walk(int root, const char *path, int flags, int *fd_out)
{
	char part[BENEATH_PART_BYTES + 1];
	struct stat status;
	int folder = root, next = -1, rc = 0;

	if (fstat(root, &status) != 0)
		return -ERR_FAILED;
	do {
		path = take_part(path, part);
		if (path == NULL || strcmp(part, "..") == 0)
			rc = -ERR_PATH;
		else
			rc = step(folder, part,
			    *path == '\0' ? flags : O_RDONLY | O_DIRECTORY,
			    status.st_dev, &next);
		if (folder != root)
			close(folder);
		folder = next;
	} while (rc == 0 && *path != '\0');
	if (rc == 0)
		*fd_out = next;
	return rc;
}
