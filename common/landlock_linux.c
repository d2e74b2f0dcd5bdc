/*
 * The file system lock on Linux: Landlock by raw system calls, with every
 * right the running kernel knows. Runs once in each courier, after it opened
 * its folders and before it takes its first order.
 */
#include "executor/confine_files.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"

/* Newer than the oldest kernel headers we build with. */
#define RIGHT_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3 */
#define RIGHT_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */

#define RIGHTS_ABI_1 (LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1)

#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_WRITE                                                           \
	(RIGHTS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE |                         \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |     \
	    RIGHT_TRUNCATE)

/* Every right of that ABI; what is handled and not allowed is refused. ABI 1
 * refuses moving between folders without being asked. */
static uint64_t
rights_of(long abi)
{
	uint64_t rights = RIGHTS_ABI_1;

	if (abi >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rights |= RIGHT_TRUNCATE;
	if (abi >= 5)
		rights |= RIGHT_IOCTL_DEV;
	return rights;
}

static int
fail(char *what_out, size_t room, int error, const char *step)
{
	snprintf(what_out, room, "none: %s: %s", step, strerror(errno));
	return error;
}

static int
allow(int ruleset, const struct confine_path *path, uint64_t handled)
{
	struct landlock_path_beneath_attr rule = {
	    .allowed_access =
		(path->write ? RIGHTS_WRITE : RIGHTS_READ) & handled,
	    .parent_fd = path->fd,
	};

	return (int)syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static int
restrict_to(int ruleset, const struct confine_path *paths, size_t count,
    uint64_t handled, char *what_out, size_t room)
{
	for (size_t i = 0; i < count; i++)
		if (allow(ruleset, &paths[i], handled) != 0)
			return fail(
			    what_out, room, -ERR_SYSTEM, "landlock_add_rule");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(what_out, room, -ERR_SYSTEM, "no_new_privs");
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		return fail(
		    what_out, room, -ERR_SYSTEM, "landlock_restrict_self");
	return 0;
}

int
confine_files(
    const struct confine_path *paths, size_t count, char *what_out, size_t room)
{
	struct landlock_ruleset_attr attr = {0};
	int ruleset, rc;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 1)
		return fail(what_out, room, -ERR_UNAVAILABLE, "landlock");
	attr.handled_access_fs = rights_of(abi);
	ruleset =
	    (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	if (ruleset < 0)
		return fail(
		    what_out, room, -ERR_SYSTEM, "landlock_create_ruleset");
	rc = restrict_to(
	    ruleset, paths, count, attr.handled_access_fs, what_out, room);
	close(ruleset);
	if (rc == 0)
		snprintf(what_out, room, "landlock-abi-%ld", abi);
	return rc;
}
