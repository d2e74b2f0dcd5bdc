/*
 * Opening below a root on Linux: one openat2(2), so that the kernel itself
 * refuses every way out, whatever is renamed meanwhile. Runs in a courier.
 */
#include "executor/beneath.h"

#include <errno.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Without O_NOFOLLOW, as the kernel then says ELOOP for a link at the end too;
 * with it, it may say ENOTDIR. RESOLVE_NO_SYMLINKS is the stricter of the two.
 */
#define FLAGS (BENEATH_FLAGS & ~O_NOFOLLOW)

int
beneath_open(int root, const char *path, int flags, int *fd_out)
{
	struct open_how how = {
	    .flags = (unsigned)(flags | FLAGS),
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
		       RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	long fd = syscall(SYS_openat2, root, path, &how, sizeof how);

	if (fd < 0 && errno == ENOSYS) /* before Linux 5.6 */
		return beneath_walk(root, path, flags, fd_out);
	if (fd < 0)
		return beneath_error(errno);
	*fd_out = (int)fd;
	return 0;
}

struct timespec
beneath_changed(const struct stat *status)
{
	return status->st_ctim;
}
