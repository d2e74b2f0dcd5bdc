/*
 * Namespaces by unshare(2), and a root directory on a small tmpfs by
 * pivot_root(2), open_tree(2) and move_mount(2) (Linux 5.12). Runs in every
 * role at its start, before it gives up its rights.
 */
#include "common/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/io.h"

/* Of linux/mount.h, which cannot be had together with sys/mount.h; the numbers
 * are the same on every architecture. */
#define CALL_OPEN_TREE 428
#define CALL_MOVE_MOUNT 429
#define CALL_MOUNT_SETATTR 442
#define TREE_CLONE 1u
#define MOVE_EMPTY_PATH 4u
#define ATTR_READ_ONLY 1u
#define ATTR_LEAST (2u | 4u | 8u) /* no set-user-id, devices, programs */
#define TREE_RECURSIVE 0x8000u	  /* AT_RECURSIVE */

struct mount_change {
	uint64_t set, clear, propagation, user_namespace;
};

static const struct {
	uint32_t bit;
	int flag;
	const char *link; /* in /proc/self/ns */
} kinds[] = {
    {LOCK_NET, CLONE_NEWNET, "net"},
    {LOCK_MOUNT, CLONE_NEWNS, "mnt"},
    {LOCK_IPC, CLONE_NEWIPC, "ipc"},
    {LOCK_UTS, CLONE_NEWUTS, "uts"},
    {LOCK_PID, CLONE_NEWPID, NULL}, /* not before there is a child */
    {LOCK_USER, CLONE_NEWUSER, "user"},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

static int
fail(char *reason, size_t room, const char *step)
{
	(void)snprintf(reason, room, "%s: %s", step, strerror(errno));
	return -ERR_UNAVAILABLE;
}

static void
look(ino_t numbers[KINDS])
{
	for (size_t i = 0; i < KINDS; i++) {
		char path[64];
		struct stat st;

		numbers[i] = 0;
		if (kinds[i].link == NULL)
			continue;
		(void)snprintf(
		    path, sizeof path, "/proc/self/ns/%s", kinds[i].link);
		if (stat(path, &st) == 0)
			numbers[i] = st.st_ino;
	}
}

static int
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	rc = io_write_all(fd, (struct span){text, strlen(text)});
	close(fd);
	return rc;
}

/* We stay who we are; nobody else exists in there. Files of a process that
 * may not be traced belong to root, so it has to be traceable meanwhile: only
 * by its own user, and before it has seen a byte of anybody. */
static int
map_self(uid_t uid, gid_t gid)
{
	char line[64];
	int rc;

	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
		return -1;
	rc = write_file("/proc/self/setgroups", "deny");
	(void)snprintf(line, sizeof line, "%lu %lu 1\n", (unsigned long)gid,
	    (unsigned long)gid);
	if (rc == 0)
		rc = write_file("/proc/self/gid_map", line);
	(void)snprintf(line, sizeof line, "%lu %lu 1\n", (unsigned long)uid,
	    (unsigned long)uid);
	if (rc == 0)
		rc = write_file("/proc/self/uid_map", line);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return -1;
	return rc;
}

/* Systems that restrict user namespaces let us make one and then refuse what
 * it is for (AppArmor of Ubuntu); there is no way back, so a child tries. */
static bool
can_map_self(int flags, uid_t uid, gid_t gid)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(flags) == 0 && map_self(uid, gid) == 0 ? 0 : 1);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	return pid > 0 && status == 0;
}

int
namespace_leave(uint32_t wanted, uint32_t *own_out, char *reason, size_t room)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	ino_t before[KINDS], after[KINDS];
	int flags = 0;

	*own_out = 0;
	if (uid != 0)
		wanted |= LOCK_USER;
	for (size_t i = 0; i < KINDS; i++)
		if ((wanted & kinds[i].bit) != 0)
			flags |= kinds[i].flag;
	if ((wanted & LOCK_USER) != 0 && !can_map_self(flags, uid, gid)) {
		(void)snprintf(reason, room,
		    "user namespaces are restricted: start as root, or see "
		    "doctor");
		return -ERR_UNAVAILABLE;
	}
	look(before);
	if (unshare(flags) != 0)
		return fail(reason, room, "unshare");
	if ((wanted & LOCK_USER) != 0 && map_self(uid, gid) != 0)
		die_errno("user namespace without a user");
	look(after);
	for (size_t i = 0; i < KINDS; i++)
		if ((wanted & kinds[i].bit) != 0 &&
		    (kinds[i].link == NULL ||
			(after[i] != 0 && before[i] != after[i])))
			*own_out |= kinds[i].bit;
	if ((*own_out & wanted) != wanted)
		die(EXIT_SYSTEM, "namespaces are not new though the kernel "
				 "said so");
	return 0;
}

/*
 * The root directory.
 */

/* A place for the tmpfs; what is in it stays, covered for us alone. */
static const char *
find_base(void)
{
	static const char *const places[] = {"/tmp", "/run", "/var", "/usr"};
	struct stat st;

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (lstat(places[i], &st) == 0 && S_ISDIR(st.st_mode))
			return places[i];
	return NULL;
}

/* Make the folders above `path`, and a folder or file to mount on. */
static int
make_place(const char *path, bool is_folder)
{
	char part[4096];
	size_t n = strlen(path);
	int fd;

	if (n >= sizeof part)
		return -1;
	for (size_t i = 1; i < n; i++) {
		if (path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0755) != 0 && errno != EEXIST)
			return -1;
	}
	if (is_folder)
		return mkdir(path, 0755) == 0 || errno == EEXIST ? 0 : -1;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

/* A copy of the mount at `path`, not attached anywhere, with less rights. */
static int
take_tree(const struct lock_path *path, bool write)
{
	struct mount_change change = {
	    .set = ATTR_LEAST | (write ? 0 : ATTR_READ_ONLY)};
	int fd = (int)syscall(
	    CALL_OPEN_TREE, AT_FDCWD, path->path, TREE_CLONE | O_CLOEXEC);

	if (fd < 0 && errno == EINVAL) /* holds mounts it may not uncover */
		fd = (int)syscall(CALL_OPEN_TREE, AT_FDCWD, path->path,
		    TREE_CLONE | TREE_RECURSIVE | O_CLOEXEC);
	if (fd >= 0 &&
	    syscall(CALL_MOUNT_SETATTR, fd, "", AT_EMPTY_PATH | TREE_RECURSIVE,
		&change, sizeof change) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool
is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 &&
	       (path[n] == '/' || path[n] == '\0');
}

/* Whether another path brings this one along. Of equal ones the first. */
static bool
is_covered(const struct lock_path *paths, size_t count, size_t which)
{
	for (size_t i = 0; i < count; i++)
		if (i != which && is_below(paths[which].path, paths[i].path) &&
		    (i < which ||
			strcmp(paths[i].path, paths[which].path) != 0))
			return true;
	return false;
}

/* One mount serves what is below it: a second one would be a border that
 * openat2(2) does not cross. Landlock tells them apart. */
static bool
is_written(const struct lock_path *paths, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (paths[i].write && is_below(paths[i].path, path))
			return true;
	return false;
}

static int
place_tree(int tree, const char *path)
{
	struct stat st;

	if (fstat(tree, &st) != 0 ||
	    make_place(path, S_ISDIR(st.st_mode)) != 0 ||
	    syscall(CALL_MOVE_MOUNT, tree, "", AT_FDCWD, path,
		MOVE_EMPTY_PATH) != 0)
		return -1;
	return 0;
}

/* From the old root to an empty one. */
static int
turn(const char *base, char *reason, size_t room)
{
	if (mount("trizone", base, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		"mode=0755,size=256k") != 0)
		return fail(reason, room, "mount");
	if (chdir(base) != 0 || mkdir("old", 0700) != 0 ||
	    syscall(SYS_pivot_root, ".", "old") != 0)
		return fail(reason, room, "pivot_root");
	if (chdir("/") != 0 || umount2("/old", MNT_DETACH) != 0 ||
	    rmdir("/old") != 0)
		return fail(reason, room, "umount of the old root");
	return 0;
}

static int
take_trees(const struct lock_path *paths, size_t count, int *trees,
    char *reason, size_t room)
{
	for (size_t i = 0; i < count; i++)
		trees[i] = -1;
	for (size_t i = 0; i < count; i++) {
		if (is_covered(paths, count, i))
			continue;
		trees[i] = take_tree(
		    &paths[i], is_written(paths, count, paths[i].path));
		if (trees[i] < 0)
			return fail(reason, room, paths[i].path);
	}
	return 0;
}

/* Who has no rights goes through the folders above, too. */
static int
place_trees(const struct lock_path *paths, size_t count, const int *trees,
    char *reason, size_t room)
{
	mode_t old_mask = umask(022);
	int rc = 0;

	for (size_t i = 0; i < count; i++)
		if (trees[i] >= 0 && rc == 0 &&
		    place_tree(trees[i], paths[i].path) != 0)
			rc = fail(reason, room, paths[i].path);
	umask(old_mask);
	return rc;
}

int
namespace_root(
    const struct lock_path *paths, size_t count, char *reason, size_t room)
{
	const char *base = find_base();
	int trees[LOCK_PATHS_MAX];
	int rc;

	if (base == NULL || count > LOCK_PATHS_MAX) {
		(void)snprintf(reason, room, "no place for a root directory");
		return -ERR_UNAVAILABLE;
	}
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return fail(reason, room, "mount --make-private");
	rc = take_trees(paths, count, trees, reason, room);
	if (rc == 0)
		rc = turn(base, reason, room);
	if (rc == 0)
		rc = place_trees(paths, count, trees, reason, room);
	for (size_t i = 0; i < count; i++)
		if (trees[i] >= 0)
			close(trees[i]);
	if (rc == 0 && mount(NULL, "/", NULL,
			   MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID |
			       MS_NODEV | MS_NOEXEC,
			   NULL) != 0)
		rc = fail(reason, room, "a read-only root");
	return rc;
}
