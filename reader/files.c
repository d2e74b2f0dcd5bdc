/*
 * Files of the command line. Believes the operator about which he means, but
 * not that nobody has put another one there.
 */
#include "reader/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"

static bool no_input, no_output; /* process-wide, set once */

/* Whether it is what one of our standard descriptors has open. */
static bool
is_standard(const struct stat *file)
{
	struct stat st;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fstat(fd, &st) == 0 && st.st_dev == file->st_dev &&
		    st.st_ino == file->st_ino)
			return true;
	return false;
}

/* Why the file is not for a record; NULL if it is. */
static const char *
refuse_record(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "is not an ordinary file";
	if (is_standard(st))
		return "is the input or output";
	if (st->st_uid != geteuid())
		return "is somebody else's";
	if ((st->st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return "is open to others: chmod 600 it first";
	if (st->st_nlink != 1)
		return "has another name";
	return NULL;
}

int
files_open_record(const char *path)
{
	/* not to wait for the reader of a FIFO */
	int fd = open(path,
	    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
	    0600);
	const char *why;
	struct stat st;

	if (fd < 0 && errno == ENXIO)
		die(EXIT_USAGE, "%s is not an ordinary file", path);
	if (fd < 0 || fstat(fd, &st) != 0)
		die_errno("open %s", path);
	why = refuse_record(&st);
	if (why != NULL)
		die(EXIT_USAGE, "%s %s", path, why);
	if (ftruncate(fd, 0) != 0)
		die_errno("empty %s", path);
	return fd;
}

int
files_open_rows(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		die_errno("open %s", path);
	if (S_ISDIR(st.st_mode))
		die(EXIT_DATA, "%s is a folder", path);
	return fd;
}

void
files_look(void)
{
	no_input = fcntl(STDIN_FILENO, F_GETFD) < 0;
	no_output = fcntl(STDOUT_FILENO, F_GETFD) < 0;
}

void
files_need_standard(bool input)
{
	if (no_output)
		die(EXIT_USAGE, "standard output is closed");
	if (input && no_input)
		die(EXIT_USAGE, "standard input is closed");
}
