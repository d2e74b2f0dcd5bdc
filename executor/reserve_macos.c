/*
 * macOS: F_PREALLOCATE, behind what the file has already.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/err.h"
#include "executor/reserve.h"

int
reserve_room(int fd, uint64_t offset, uint64_t bytes)
{
	fstore_t store = {.fst_flags = F_ALLOCATEALL,
	    .fst_posmode = F_PEOFPOSMODE,
	    .fst_length = (off_t)bytes};
	struct stat status;

	if (fstat(fd, &status) != 0)
		return -ERR_IO;
	if ((uint64_t)status.st_blocks * 512 >= offset + bytes ||
	    fcntl(fd, F_PREALLOCATE, &store) == 0 || errno == ENOTSUP ||
	    errno == EINVAL)
		return 0;
	return errno == ENOSPC || errno == EDQUOT ? -ERR_NO_SPACE : -ERR_IO;
}
