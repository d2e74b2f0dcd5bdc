/*
 * Linux: fallocate(2) behind the end of the file.
 */
#include <errno.h>
#include <fcntl.h>

#include "common/err.h"
#include "executor/reserve.h"

int
reserve_room(int fd, uint64_t offset, uint64_t bytes)
{
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)bytes) ==
		0 ||
	    errno == EOPNOTSUPP || errno == ENOSYS || errno == EINTR)
		return 0;
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG
		   ? -ERR_NO_SPACE
		   : -ERR_IO;
}
