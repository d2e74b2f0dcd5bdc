/*
 * What tests want of macOS: nothing that it could give.
 */
#include "tests/unit/host.h"

bool
host_private_mounts(void)
{
	return false;
}

bool
host_mount_memory(const char *at, const char *size)
{
	(void)at;
	(void)size;
	return false;
}

bool
host_mount_again(const char *what, const char *at)
{
	(void)what;
	(void)at;
	return false;
}

void
host_unmount(const char *at)
{
	(void)at;
}

bool
host_make_device(const char *path)
{
	(void)path;
	return false;
}

bool
host_without_openat2(void)
{
	return false;
}

bool
host_without_file_sync(void)
{
	return false;
}

bool
host_without_folder_sync(void)
{
	return false;
}
