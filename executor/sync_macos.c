/*
 * macOS: fsync(2) stops at the drive's cache, F_FULLFSYNC does not. File
 * systems that do not know it (network ones) get the fsync.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/sync.h"

int
sync_data(int fd)
{
	if (fcntl(fd, F_FULLFSYNC) == 0)
		return 0;
	if (errno != ENOTSUP && errno != EINVAL && errno != ENOTTY)
		return -ERR_IO;
	return fsync(fd) == 0 ? 0 : -ERR_IO;
}

int
sync_folder(int fd)
{
	return fsync(fd) == 0 ? 0 : -ERR_IO;
}
