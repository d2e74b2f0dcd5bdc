/*
 * Opening the audit's folder and files. Runs in the auditor before it is
 * locked down. Believes the path (an operator wrote it), not what is there.
 */
#include "executor/audit_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/sync.h"

#define SAFE_FLAGS (O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

int
audit_problem(struct audit_problem *problem, int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(problem->text, sizeof problem->text, format, ap);
	va_end(ap);
	return error;
}

int
audit_exit_status(int error)
{
	switch (error) {
	case -ERR_NOT_FOUND:
		return EXIT_UNAVAILABLE;
	case -ERR_PEER:
		return EXIT_NOT_PERMITTED;
	default:
		return EXIT_SYSTEM;
	}
}

int
audit_write_error(int error)
{
	return error == -ERR_NO_SPACE || error == -ERR_READ_ONLY ? error
								 : -ERR_IO;
}

/* Ours alone. */
static int
check_private(
    int fd, const char *name, mode_t mode, struct audit_problem *problem)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return audit_problem(
		    problem, -ERR_SYSTEM, "%s: %s", name, strerror(errno));
	if ((status.st_mode & S_IFMT) != (mode & S_IFMT))
		return audit_problem(problem, -ERR_NOT_REGULAR,
		    "%s is not of the right type", name);
	if (S_ISREG(status.st_mode) && status.st_nlink != 1)
		return audit_problem(problem, -ERR_NOT_REGULAR,
		    "%s has a second name (hard link)", name);
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return audit_problem(problem, -ERR_PEER,
		    "%s belongs to user %ld, not to %ld", name,
		    (long)status.st_uid, (long)geteuid());
	if ((status.st_mode & 077) != 0)
		return audit_problem(problem, -ERR_PEER,
		    "%s is open to others: chmod %o", name,
		    (unsigned)(mode & 0777));
	return 0;
}

static int
open_problem(struct audit_problem *problem, const char *name)
{
	int error = errno == EACCES || errno == EPERM ? -ERR_PEER
						      : err_from_errno(errno);

	return audit_problem(problem, error, "%s: %s", name,
	    errno == ELOOP ? "is a symbolic link" : strerror(errno));
}

int
audit_folder_open(
    const char *path, bool make, int *fd_out, struct audit_problem *problem)
{
	bool made = make && mkdir(path, 0700) == 0;
	int fd = open(path, O_RDONLY | O_DIRECTORY | SAFE_FLAGS);
	int above, rc;

	if (fd < 0)
		return open_problem(problem, path);
	rc = check_private(fd, path, S_IFDIR | 0700, problem);
	if (rc == 0 && made) {
		above = openat(fd, "..", O_RDONLY | O_DIRECTORY | SAFE_FLAGS);
		if (above < 0 || sync_folder(above) != 0)
			rc = open_problem(problem, path);
		if (above >= 0)
			close(above);
	}
	if (rc != 0) {
		close(fd);
		return rc;
	}
	*fd_out = fd;
	return 0;
}

int
audit_file_open(int folder, const char *name, int flags, int *fd_out,
    struct audit_problem *problem)
{
	int fd = openat(folder, name, flags | SAFE_FLAGS, 0600);
	int rc;

	if (fd < 0)
		return open_problem(problem, name);
	rc = check_private(fd, name, S_IFREG | 0600, problem);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	*fd_out = fd;
	return 0;
}

int
audit_version_check(int folder, struct audit_problem *problem)
{
	const size_t length = sizeof AUDIT_VERSION_TEXT - 1;
	char text[sizeof AUDIT_VERSION_TEXT];
	ssize_t got;
	int fd;
	int rc =
	    audit_file_open(folder, AUDIT_VERSION_NAME, O_RDONLY, &fd, problem);

	if (rc != 0)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	got = read(fd, text, sizeof text);
	close(fd);
	if (got == (ssize_t)length &&
	    memcmp(text, AUDIT_VERSION_TEXT, length) == 0)
		return 1;
	return audit_problem(problem, -ERR_CORRUPT,
	    "the audit's folder is of a later version: start the trizone that "
	    "wrote it, or put back a good copy of its file %s",
	    AUDIT_VERSION_NAME);
}

/* Renamed into place, so that it is never half there. */
int
audit_version_write(int folder)
{
	static const char draft[] = AUDIT_VERSION_NAME ".new";
	const ssize_t length = sizeof AUDIT_VERSION_TEXT - 1;
	struct audit_problem problem;
	int fd;
	int rc = audit_file_open(
	    folder, draft, O_WRONLY | O_CREAT | O_TRUNC, &fd, &problem);

	if (rc != 0)
		return audit_write_error(rc);
	if (write(fd, AUDIT_VERSION_TEXT, (size_t)length) != length)
		rc = -ERR_NO_SPACE;
	if (rc == 0)
		rc = sync_data(fd);
	close(fd);
	if (rc == 0 && renameat(folder, draft, folder, AUDIT_VERSION_NAME) != 0)
		rc = -ERR_IO;
	return rc != 0 ? rc : sync_folder(folder);
}
