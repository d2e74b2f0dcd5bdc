/*
 * Kind `file`: remove what a killed write left behind. Runs in a courier when
 * it opens its root. Believes a name only together with its owner and the
 * lock that every living writer holds.
 */
#include <dirent.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "executor/beneath.h"
#include "executor/file.h"

#define DEPTH_MAX 32	    /* one descriptor each */
#define ENTRIES_MAX 100000u /* a start has to end; about a second */

struct cleaning {
	unsigned looked_at;
	size_t removed;
};

static void
clean_draft(struct cleaning *c, int folder, const char *name)
{
	struct stat status;
	int fd;

	if (beneath_regular(folder, name, &fd, &status) != 0)
		return;
	if (status.st_uid == geteuid() && status.st_nlink == 1 &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0 && unlinkat(folder, name, 0) == 0)
		c->removed++;
	close(fd);
}

static void
clean_folder(struct cleaning *c, int above, const char *name, unsigned depth)
{
	struct dirent *at;
	DIR *stream;
	int fd;

	if (depth == DEPTH_MAX ||
	    beneath_open(above, name, O_RDONLY | O_DIRECTORY, &fd) != 0)
		return;
	stream = fdopendir(fd);
	if (stream == NULL) {
		close(fd);
		return;
	}
	while (c->looked_at < ENTRIES_MAX && (at = readdir(stream)) != NULL) {
		c->looked_at++;
		if (span_starts(span_of(at->d_name), FILE_TEMP_PREFIX))
			clean_draft(c, fd, at->d_name);
		else if ((at->d_type == DT_DIR || at->d_type == DT_UNKNOWN) &&
			 strcmp(at->d_name, ".") != 0 &&
			 strcmp(at->d_name, "..") != 0)
			clean_folder(c, fd, at->d_name, depth + 1);
	}
	closedir(stream);
}

size_t
file_clean(int root_fd)
{
	struct cleaning c = {0};

	clean_folder(&c, root_fd, ".", 0);
	return c.removed;
}
