/*
 * Whether an open file has one name only, told without being fooled by names
 * that come and go. Runs in a courier. Believes the kernel's change times:
 * nobody but root can set them, and each new or removed name sets them anew.
 */
#include "executor/beneath.h"

#include <stdbool.h>
#include <unistd.h>

#include "common/err.h"

#define TRIES 5
#define NS_PER_MS 1000000LL
#define NS_PER_S 1000000000LL

/* A change now must get another time than the one that is seen: kernels mark
 * changes by their tick, 10 ms at the slowest; some file systems by whole or
 * even seconds, which shows as no fraction. */
#define TICK_NS (20 * NS_PER_MS)
#define COARSE_NS (2 * NS_PER_S)

/* File and folder at one moment. */
struct moment {
	struct stat file, folder;
};

static int
take_moment(int fd, int folder, struct moment *out)
{
	return fstat(fd, &out->file) == 0 && fstat(folder, &out->folder) == 0
		   ? 0
		   : -ERR_FAILED;
}

/* Whether any change after `now` has to show in the change time. */
static bool
is_settled(const struct stat *status, const struct timespec *now)
{
	struct timespec changed = beneath_changed(status);
	long long age = (now->tv_sec - changed.tv_sec) * NS_PER_S +
			(now->tv_nsec - changed.tv_nsec);

	return age >= (changed.tv_nsec == 0 ? COARSE_NS : TICK_NS);
}

/* Whether nothing changed between two looks that began at `now`. */
static bool
was_still(const struct stat *before, const struct stat *after,
    const struct timespec *now)
{
	struct timespec a = beneath_changed(before);
	struct timespec b = beneath_changed(after);

	return is_settled(before, now) && a.tv_sec == b.tv_sec &&
	       a.tv_nsec == b.tv_nsec;
}

/* If the file was still, its count was 1 when the name was seen to be one of
 * its names. If the folder was still, the name was one of its names when the
 * count was 1. Either way it is the only one. */
static int
check_sole(int folder, const char *name, int fd)
{
	struct moment before, after;
	struct timespec now;
	struct stat named;

	clock_gettime(CLOCK_REALTIME, &now);
	if (take_moment(fd, folder, &before) != 0)
		return -ERR_FAILED;
	if (before.file.st_nlink > 1)
		return -ERR_LIMIT;
	if (fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
	    named.st_ino != before.file.st_ino ||
	    named.st_dev != before.file.st_dev)
		return -ERR_WRONG_STATE;
	if (take_moment(fd, folder, &after) != 0)
		return -ERR_FAILED;
	if (before.file.st_nlink != 1 || after.file.st_nlink != 1)
		return -ERR_WRONG_STATE;
	if (was_still(&before.file, &after.file, &now) ||
	    was_still(&before.folder, &after.folder, &now))
		return 0;
	return -ERR_WRONG_STATE;
}

static int
open_sole(int folder, const char *name, int *fd_out, struct stat *status_out)
{
	struct stat status;
	int fd, rc = beneath_regular_in(folder, name, &fd, &status);

	if (rc != 0)
		return rc;
	rc = check_sole(folder, name, fd);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	*fd_out = fd;
	*status_out = status;
	return 0;
}

int
beneath_sole(int root, const char *path, int *fd_out, struct stat *status_out)
{
	const struct timespec pause = {.tv_nsec = TICK_NS + NS_PER_MS};
	const char *name;
	int folder, rc = beneath_parent(root, path, &folder, &name);

	if (rc != 0)
		return rc;
	for (int i = 0; i < TRIES; i++) {
		if (i != 0)
			nanosleep(&pause, NULL);
		rc = open_sole(folder, name, fd_out, status_out);
		if (rc != -ERR_WRONG_STATE)
			break;
	}
	close(folder);
	return rc;
}
