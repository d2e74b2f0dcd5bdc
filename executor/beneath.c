/*
 * Paths below a root: what is a plain path, and opening regular files there.
 * beneath_check runs in the broker and in the courier, the rest only in a
 * courier with the rights of its user. Believes the operator's root, nothing
 * of the path, and of the files only what fstat says of an open descriptor.
 */
#include "executor/beneath.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"

static int
complain(char *detail, size_t room, const char *reason)
{
	snprintf(detail, room, "%s", reason);
	return -ERR_PATH;
}

/* What is wrong with one part, or NULL. */
static const char *
part_fault(const char *part, size_t bytes)
{
	if (bytes == 0)
		return "path has an empty part";
	if (bytes > BENEATH_PART_BYTES)
		return "path has a part longer than 255 bytes";
	if (bytes == 1 && part[0] == '.')
		return "path has a part \".\"";
	if (bytes == 2 && part[0] == '.' && part[1] == '.')
		return "path has a part \"..\"";
	for (size_t i = 0; i < bytes; i++)
		if ((unsigned char)part[i] < 0x20 || part[i] == 0x7f)
			return "path has a control character";
	return NULL;
}

int
beneath_check(struct span path, char *detail, size_t room)
{
	const char *part = path.p, *slash, *fault;
	size_t left = path.n, bytes;

	if (left == 0)
		return complain(detail, room, "path is empty");
	if (left > BENEATH_PATH_BYTES)
		return complain(
		    detail, room, "path is longer than 4,096 bytes");
	if (part[0] == '/')
		return complain(detail, room, "path is absolute");
	for (;;) {
		slash = memchr(part, '/', left);
		bytes = slash == NULL ? left : (size_t)(slash - part);
		fault = part_fault(part, bytes);
		if (fault != NULL)
			return complain(detail, room, fault);
		if (slash == NULL)
			return 0;
		part = slash + 1;
		left -= bytes + 1;
	}
}

int
beneath_check_absolute(struct span path, char *detail, size_t room)
{
	if (path.n == 0 || path.p[0] != '/')
		return complain(detail, room, "path is not absolute");
	if (path.n == 1)
		return complain(detail, room, "path is the whole file system");
	return beneath_check(
	    (struct span){path.p + 1, path.n - 1}, detail, room);
}

int
beneath_error(int saved_errno)
{
	int error;

	switch (saved_errno) {
	case EACCES:
	case EPERM:
	case EROFS:
		return -ERR_REFUSED;
	case ENXIO: /* a FIFO without a reader, a socket, a dead device */
	case ENODEV:
	case EOPNOTSUPP:
		return -ERR_NOT_REGULAR;
	case ENAMETOOLONG:
		return -ERR_PATH;
	}
	error = err_from_errno(saved_errno);
	return error == -ERR_SYSTEM ? -ERR_FAILED : error;
}

int
beneath_root(const char *path, int *fd_out)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | BENEATH_FLAGS);

	if (fd < 0)
		return beneath_error(errno);
	*fd_out = fd;
	return 0;
}

int
beneath_parent(int root, const char *path, int *fd_out, const char **name_out)
{
	const char *slash = strrchr(path, '/');
	char folder[BENEATH_PATH_BYTES + 1];
	int rc;

	if (slash == NULL)
		rc = span_copy(SPAN("."), folder, sizeof folder);
	else
		rc = span_copy((struct span){path, (size_t)(slash - path)},
		    folder, sizeof folder);
	if (rc != 0)
		return -ERR_PATH;
	rc = beneath_open(root, folder, O_RDONLY | O_DIRECTORY, fd_out);
	if (rc == 0)
		*name_out = slash == NULL ? path : slash + 1;
	return rc;
}

int
beneath_look(int folder, const char *name, struct stat *status_out)
{
	struct stat status;

	if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return beneath_error(errno);
	if (S_ISLNK(status.st_mode))
		return -ERR_PATH;
	if (!S_ISREG(status.st_mode))
		return -ERR_NOT_REGULAR;
	*status_out = status;
	return 0;
}

int
beneath_regular_in(
    int folder, const char *name, int *fd_out, struct stat *status_out)
{
	struct stat status;
	int fd, rc;

	rc = beneath_look(folder, name, &status);
	if (rc == 0)
		rc = beneath_open(folder, name, O_RDONLY, &fd);
	if (rc != 0)
		return rc;
	if (fstat(fd, &status) != 0)
		rc = -ERR_FAILED;
	else if (!S_ISREG(status.st_mode))
		rc = -ERR_NOT_REGULAR;
	if (rc != 0) {
		close(fd);
		return rc;
	}
	*fd_out = fd;
	*status_out = status;
	return 0;
}

int
beneath_regular(
    int root, const char *path, int *fd_out, struct stat *status_out)
{
	const char *name;
	int folder, rc;

	rc = beneath_parent(root, path, &folder, &name);
	if (rc != 0)
		return rc;
	rc = beneath_regular_in(folder, name, fd_out, status_out);
	close(folder);
	return rc;
}
