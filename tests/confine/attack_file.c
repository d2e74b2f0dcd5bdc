/*
 * Ways out over files: other folders, /proc, devices, names that gain rights.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/confine/attack.h"

static char *
in(const char *folder, const char *name)
{
	static char path[2][300];
	static int turn;

	turn = 1 - turn;
	(void)snprintf(path[turn], sizeof path[0], "%s/%s", folder, name);
	return path[turn];
}

static bool
opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	int saved_errno = errno;

	if (fd >= 0)
		close(fd);
	errno = saved_errno;
	return fd >= 0;
}

static bool
read_passwd(void)
{
	return opens("/etc/passwd", O_RDONLY);
}

static bool
read_operator_key(void)
{
	return opens(in(outside.folder, "operator-key.txt"), O_RDONLY);
}

/* A flag for no path at all takes a path too. Landlock knows no right to look;
 * a root directory of its own is what keeps a role with files from it. */
static bool
look_at_key(void)
{
	struct stat st;

	return fstatat(AT_FDCWD, in(outside.folder, "operator-key.txt"), &st,
		   AT_EMPTY_PATH) == 0;
}

static bool
write_config(void)
{
	return opens(in(outside.folder, "config.json"), O_WRONLY);
}

static bool
write_policy(void)
{
	return opens(in(outside.folder, "policy.json"), O_WRONLY);
}

static bool
write_audit(void)
{
	return opens(in(outside.folder, "audit.jsonl"), O_WRONLY | O_APPEND);
}

static bool
make_in_tmp(void)
{
	char path[] = "/tmp/trizone-way-out-XXXXXX";
	int fd = mkstemp(path);

	if (fd >= 0)
		unlink(path);
	return fd >= 0;
}

static bool
make_in_root(void)
{
	bool done = opens("/trizone-way-out", O_WRONLY | O_CREAT);

	if (done)
		unlink("/trizone-way-out");
	return done;
}

static bool
unlink_config(void)
{
	return unlink(in(outside.folder, "unlinked")) == 0;
}

static bool
rename_over(void)
{
	return rename(in(outside.folder, "renamed"),
		   in(outside.folder, "renamed2")) == 0;
}

static bool
truncate_path(void)
{
	return truncate(in(outside.folder, "policy.json"), 0) == 0;
}

static bool
old_folder_opens(void)
{
	return openat(outside.old_folder, "operator-key.txt", O_RDONLY) >= 0;
}

static bool
old_folder_up(void)
{
	return openat(outside.old_folder, "..", O_RDONLY | O_DIRECTORY) >= 0;
}

static bool
old_folder_becomes_ours(void)
{
	return fchdir(outside.old_folder) == 0;
}

static bool
proc_self_fd(void)
{
	return opens("/proc/self/fd/2", O_RDWR);
}

/* To open it may be free, and to read not. */
static bool
proc_of_victim(const char *name, int flags, off_t at)
{
	char path[64], byte;
	int fd;

	(void)snprintf(
	    path, sizeof path, "/proc/%d/%s", (int)outside.victim, name);
	fd = open(path, flags | O_CLOEXEC);
	return fd >= 0 && pread(fd, &byte, 1, at) == 1;
}

static bool
proc_root(void)
{
	return proc_of_victim("root/etc/passwd", O_RDONLY, 0);
}

static bool
proc_mem(void)
{
	return proc_of_victim("mem", O_RDWR, (off_t)(uintptr_t)&outside);
}

static bool
proc_environ(void)
{
	return proc_of_victim("environ", O_RDONLY, 0);
}

static bool
device_memory(void)
{
	return opens("/dev/kmsg", O_WRONLY) || opens("/dev/mem", O_RDONLY);
}

static bool
device_null(void)
{
	return opens("/dev/null", O_RDWR);
}

static bool
make_folder(void)
{
	return mkdir(in(outside.own, "folder"), 0700) == 0;
}

static bool
make_symlink(void)
{
	return symlink("/", in(outside.own, "link")) == 0;
}

static bool
make_hard_link(void)
{
	return link(in(outside.own, "file"), in(outside.own, "hard")) == 0;
}

static bool
make_fifo(void)
{
	return mkfifo(in(outside.own, "fifo"), 0600) == 0;
}

static bool
make_device(void)
{
	return mknod(in(outside.own, "device"), S_IFCHR | 0600,
		   makedev(1, 1)) == 0;
}

static bool
make_set_user_id(void)
{
	const char *path = in(outside.own, "set-user-id");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 04755);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & S_ISUID) != 0)
		return unlink(path) == 0;
	return fchmod(outside.old_file, 04755) == 0 ||
	       chmod(in(outside.own, "file"), 04755) == 0;
}

/* struct open_how: its mode is in memory, which no list sees. */
static bool
make_set_user_id_how(void)
{
	const char *path = in(outside.own, "set-user-id");
	uint64_t how[3] = {O_RDWR | O_CREAT | O_CLOEXEC, 04755, 0};
	long fd = syscall(437, AT_FDCWD, path, how, sizeof how);

	return fd >= 0 && unlink(path) == 0;
}

static bool
give_away(void)
{
	return chown(in(outside.own, "file"), 1, 1) == 0;
}

static bool
set_attribute(void)
{
	return setxattr(in(outside.own, "file"), "user.way", "x", 1, 0) == 0;
}

static bool
file_size(void)
{
	return ftruncate(outside.old_file, (off_t)1 << 40) == 0;
}

static bool
change_root(void)
{
	return chroot("/") == 0;
}

static bool
mount_tmpfs(void)
{
	return mount("none", in(outside.folder, "mnt"), "tmpfs", 0, NULL) == 0;
}

static bool
mount_writable(void)
{
	return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) == 0;
}

static bool
unmount(void)
{
	return umount2(in(outside.folder, "mounted"), MNT_DETACH) == 0;
}

static bool
new_mount_api(void)
{
	return syscall(SYS_fsopen, "tmpfs", 0) >= 0;
}

static bool
open_tree_of_root(void)
{
	return syscall(428, AT_FDCWD, "/", 1u) >= 0;
}

/* struct file_handle, with room for the handle */
struct handle {
	unsigned bytes;
	int type;
	char handle[128];
};

static bool
by_handle(void)
{
	struct handle handle = {.bytes = sizeof handle.handle};
	int mount_id;

	return syscall(SYS_name_to_handle_at, AT_FDCWD, "/", &handle, &mount_id,
		   0) == 0;
}

static bool
open_handle(void)
{
	struct handle handle = {.bytes = sizeof handle.handle};

	/* the control gives a wrong handle to the right call */
	return syscall(SYS_open_by_handle_at, outside.old_folder, &handle,
		   O_RDONLY) >= 0 ||
	       errno == ESTALE || errno == EINVAL;
}

static bool
change_mount(void)
{
	uint64_t change[4] = {0, 1, 0, 0};

	return syscall(442, AT_FDCWD, "/", 0u, change, sizeof change) == 0;
}

static bool
watch_files(void)
{
	return syscall(SYS_inotify_init1, 0) >= 0;
}

static bool
watch_all_files(void)
{
	return syscall(SYS_fanotify_init, 0, 0) >= 0;
}

const struct attack file_attacks[] = {
    {"read-passwd", read_passwd, PARENT, false},
    {"read-operator-key", read_operator_key, PARENT, false},
    {"look-at-key", look_at_key,
	PARENT | BROKER | AUDITOR | FILE_COURIER | NOTIFY_COURIER, false},
    {"write-config", write_config, PARENT, false},
    {"write-policy", write_policy, PARENT, false},
    {"write-audit", write_audit, PARENT, false},
    {"make-in-tmp", make_in_tmp, PARENT, false},
    {"make-in-root", make_in_root, PARENT, false},
    {"unlink-config", unlink_config, PARENT, false},
    {"rename-over", rename_over, PARENT, false},
    {"truncate-path", truncate_path, NOBODY, false},
    {"old-folder-opens", old_folder_opens, PARENT, false},
    {"old-folder-up", old_folder_up, PARENT, false},
    {"old-folder-becomes-ours", old_folder_becomes_ours, NOBODY, false},
    {"proc-self-fd", proc_self_fd, PARENT, false},
    {"proc-root", proc_root, PARENT, false},
    {"proc-mem", proc_mem, PARENT, false},
    {"proc-environ", proc_environ, PARENT, false},
    {"device-memory", device_memory, PARENT, false},
    {"device-null", device_null, PARENT, false},
    {"make-folder", make_folder, PARENT, false},
    {"make-symlink", make_symlink, NOBODY, false},
    {"make-hard-link", make_hard_link, NOBODY, false},
    {"make-fifo", make_fifo, NOBODY, false},
    {"make-device", make_device, NOBODY, false},
    {"make-set-user-id", make_set_user_id, NOBODY, false},
    {"make-set-user-id-how", make_set_user_id_how, PARENT | FILE_COURIER,
	false},
    {"give-away", give_away, NOBODY, false},
    {"set-attribute", set_attribute, NOBODY, false},
    {"file-size", file_size, PARENT | BROKER | AUDITOR, false},
    {"chroot", change_root, NOBODY, false},
    {"mount", mount_tmpfs, PARENT, false},
    {"mount-writable", mount_writable, PARENT, false},
    {"unmount", unmount, PARENT, false},
    {"new-mount-api", new_mount_api, NOBODY, false},
    {"open-tree", open_tree_of_root, PARENT, false},
    {"name-to-handle", by_handle, NOBODY, true},
    {"open-by-handle", open_handle, NOBODY, true},
    {"change-mount", change_mount, PARENT, true},
    {"inotify", watch_files, NOBODY, false},
    {"fanotify", watch_all_files, NOBODY, false},
};
const size_t file_attack_count = sizeof file_attacks / sizeof file_attacks[0];
