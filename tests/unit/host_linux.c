/*
 * What tests want of Linux. Mounts and devices need root.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

bool
host_private_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

bool
host_mount_memory(const char *at, const char *size)
{
	char options[64];

	snprintf(options, sizeof options, "size=%s", size);
	return mount("tmpfs", at, "tmpfs", 0, options) == 0;
}

bool
host_mount_again(const char *what, const char *at)
{
	return mount(what, at, NULL, MS_BIND, NULL) == 0;
}

void
host_unmount(const char *at)
{
	umount2(at, MNT_DETACH);
}

bool
host_make_device(const char *path)
{
	return mknod(path, S_IFCHR | 0600, makedev(1, 3)) == 0; /* null */
}

/* From now on this system call only fails with `error`. */
static bool
fail_call(int number, unsigned error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool done;

	if (filter == NULL)
		return false;
	done =
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO(error), number, 0) == 0 &&
	    seccomp_load(filter) == 0;
	seccomp_release(filter);
	return done;
}

bool
host_without_openat2(void)
{
	return fail_call(SCMP_SYS(openat2), ENOSYS);
}

bool
host_without_file_sync(void)
{
	return fail_call(SCMP_SYS(fdatasync), EIO);
}

bool
host_without_folder_sync(void)
{
	return fail_call(SCMP_SYS(fsync), EIO);
}
