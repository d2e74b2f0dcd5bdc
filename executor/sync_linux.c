/*
 * Linux: fdatasync(2) writes the size as well, but no times.
 */
#include <errno.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/sync.h"

int
sync_data(int fd)
{
	int rc;

	do {
		rc = fdatasync(fd);
	} while (rc != 0 && errno == EINTR);
	return rc == 0 ? 0 : -ERR_IO;
}

int
sync_folder(int fd)
{
	return fsync(fd) == 0 ? 0 : -ERR_IO;
}
