/*
 * Landlock by raw system calls, with every right the running kernel and we
 * know. Runs once in each role, after it opened what it needs.
 */
#include "common/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"

/* Newer than the oldest kernel headers we build with. */
#define RIGHT_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3 */
#define RIGHT_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define NET_TCP_BOTH UINT64_C(3)	    /* ABI 4: bind, connect */
#define SCOPE_BOTH UINT64_C(3)		    /* ABI 6: abstract, signal */

#define RIGHTS_ABI_1 (LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1)

#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_WRITE                                                           \
	(RIGHTS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE |                         \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |     \
	    RIGHT_TRUNCATE)

/* struct landlock_ruleset_attr of ABI 6. */
struct ruleset {
	uint64_t files, net, scopes;
};

/* Every right of that ABI; what is handled and not allowed is refused. ABI 1
 * refuses moving between folders without being asked. */
static struct ruleset
rights_of(long abi)
{
	struct ruleset all = {.files = RIGHTS_ABI_1};

	if (abi >= 2)
		all.files |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		all.files |= RIGHT_TRUNCATE;
	if (abi >= 4)
		all.net = NET_TCP_BOTH;
	if (abi >= 5)
		all.files |= RIGHT_IOCTL_DEV;
	if (abi >= 6)
		all.scopes = SCOPE_BOTH;
	return all;
}

/* An older kernel wants the size it knows. */
static size_t
size_for(long abi)
{
	if (abi < 4)
		return offsetof(struct ruleset, net);
	return abi < 6 ? offsetof(struct ruleset, scopes)
		       : sizeof(struct ruleset);
}

static int
allow(int ruleset, const struct lock_path *path, uint64_t handled)
{
	struct landlock_path_beneath_attr rule = {
	    .allowed_access =
		(path->write ? RIGHTS_WRITE : RIGHTS_READ) & handled,
	    .parent_fd = open(path->path, O_PATH | O_DIRECTORY | O_CLOEXEC),
	};
	int rc;

	if (rule.parent_fd < 0)
		return -1;
	rc = (int)syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
	return rc;
}

static int
restrict_to(
    int ruleset, const struct lock_path *paths, size_t count, uint64_t handled)
{
	for (size_t i = 0; i < count; i++)
		if (!paths[i].shown && allow(ruleset, &paths[i], handled) != 0)
			return -ERR_SYSTEM;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		return -ERR_SYSTEM;
	return 0;
}

/* Tried, as a program that answers for the kernel may have said yes. */
static int
check_restricted(const struct lock_path *paths, size_t count)
{
	int fd;

	for (size_t i = 0; i < count; i++)
		if (strcmp(paths[i].path, "/") == 0 && !paths[i].shown)
			return 0; /* may be read */
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES)
		return 0;
	if (fd >= 0)
		close(fd);
	errno = EPROTO;
	return -ERR_SYSTEM;
}

int
landlock_restrict(
    const struct lock_path *paths, size_t count, uint32_t *abi_out)
{
	struct ruleset all;
	int ruleset, rc, saved_errno;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 1)
		return -ERR_UNAVAILABLE;
	all = rights_of(abi);
	ruleset =
	    (int)syscall(SYS_landlock_create_ruleset, &all, size_for(abi), 0);
	if (ruleset < 0)
		return -ERR_SYSTEM;
	rc = restrict_to(ruleset, paths, count, all.files);
	saved_errno = errno;
	close(ruleset);
	errno = saved_errno;
	if (rc == 0)
		rc = check_restricted(paths, count);
	if (rc == 0)
		*abi_out = abi > LANDLOCK_ABI_KNOWN ? LANDLOCK_ABI_KNOWN
						    : (uint32_t)abi;
	return rc;
}
