/*
 * Opening below a root on macOS, which has no openat2(2): part by part. Runs
 * in a courier.
 */
#include "executor/beneath.h"

int
beneath_open(int root, const char *path, int flags, int *fd_out)
{
	return beneath_walk(root, path, flags, fd_out);
}

struct timespec
beneath_changed(const struct stat *status)
{
	return status->st_ctimespec;
}
