/*
 * macOS: fstatat(2).
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "executor/named.h"

bool
file_has_name(int folder, const char *name, int fd)
{
	struct stat named, ours;

	return fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(fd, &ours) == 0 && named.st_dev == ours.st_dev &&
	       named.st_ino == ours.st_ino;
}
