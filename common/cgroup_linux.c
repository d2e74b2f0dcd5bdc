/*
 * cgroup v2 by its files (cgroups(7), Documentation/admin-guide/cgroup-v2).
 * Runs in the executor's parent and at the start of every role.
 */
#include "common/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/io.h"

#define PATH_BYTES 4096
#define CPU_PERIOD_US 100000u
#define JOIN_TRIES 3
#define PREFIX "trizone-" /* of the names of groups of ours */

static int
fail(char *reason, size_t room, const char *what)
{
	(void)snprintf(reason, room, "%s: %s", what, strerror(errno));
	return -ERR_UNAVAILABLE;
}

/* <folder>/<name>, cut paths are errors. */
static int
join(char *out, const char *folder, const char *name)
{
	return snprintf(out, PATH_BYTES, "%s/%s", folder, name) < PATH_BYTES
		   ? 0
		   : -ERR_PATH;
}

static int
put(const char *folder, const char *name, const char *text)
{
	char path[PATH_BYTES];
	int fd, rc;

	if (join(path, folder, name) != 0)
		return -ERR_PATH;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -ERR_SYSTEM;
	rc = io_write_all(fd, (struct span){text, strlen(text)});
	close(fd);
	return rc;
}

/* The first line of a small file, without its end. */
static int
get(const char *folder, const char *name, char *out, size_t room)
{
	char path[PATH_BYTES];
	ssize_t got;
	int fd;

	if (join(path, folder, name) != 0)
		return -ERR_PATH;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ERR_SYSTEM;
	got = read(fd, out, room - 1);
	close(fd);
	if (got < 0)
		return -ERR_SYSTEM;
	out[got] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

/* Where cgroup v2 is mounted: its place among the pseudo file systems. */
static const char *
mount_point(void)
{
	static const char *const places[] = {
	    "/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	char path[PATH_BYTES];

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (join(path, places[i], "cgroup.controllers") == 0 &&
		    access(path, F_OK) == 0)
			return places[i];
	return NULL;
}

/* The folder of our own group: the line "0::/..." of /proc/self/cgroup. */
static int
own_folder(char *out, size_t room)
{
	const char *mount = mount_point();
	char text[PATH_BYTES], *line, *rest = text;
	ssize_t got;
	int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -ERR_UNAVAILABLE;
	got = read(fd, text, sizeof text - 1);
	close(fd);
	if (mount == NULL || got <= 0)
		return -ERR_UNAVAILABLE;
	text[got] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		/* "/..": a group outside our namespace, and not our folder */
		if (strncmp(line, "0::/", 4) == 0 &&
		    strncmp(line, "0::/..", 6) != 0)
			return snprintf(out, room, "%s%s", mount,
				   strcmp(line + 3, "/") == 0 ? "" : line + 3) <
				       (int)room
				   ? 0
				   : -ERR_UNAVAILABLE;
	return -ERR_UNAVAILABLE;
}

/* Whether groups below `folder` can have limits. */
static bool
passes_on(const char *folder)
{
	char has[256];

	return get(folder, "cgroup.subtree_control", has, sizeof has) == 0 &&
	       (strstr(has, "memory") != NULL || strstr(has, "pids") != NULL);
}

int
cgroup_base(char *folder_out, size_t folder_room, char *reason, size_t room)
{
	static const char *const controllers[] = {"+memory", "+pids", "+cpu"};
	char group[PATH_BYTES], has[256];

	if (own_folder(folder_out, folder_room) != 0) {
		(void)snprintf(reason, room, "no cgroup v2 is mounted");
		return -ERR_UNAVAILABLE;
	}
	if (get(folder_out, "cgroup.controllers", has, sizeof has) != 0)
		return fail(reason, room, "cgroup.controllers");
	if (strstr(has, "memory") == NULL && strstr(has, "pids") == NULL) {
		(void)snprintf(reason, room,
		    "our cgroup has neither memory nor pids controller");
		return -ERR_UNAVAILABLE;
	}
	if (join(group, folder_out, PREFIX "main") != 0 ||
	    (mkdir(group, 0755) != 0 && errno != EEXIST))
		return fail(reason, room, "our cgroup is not delegated to us");
	if (put(group, "cgroup.procs", "0") != 0) {
		(void)fail(reason, room, "our cgroup is not delegated to us");
		(void)rmdir(group);
		return -ERR_UNAVAILABLE;
	}
	for (size_t i = 0; i < sizeof controllers / sizeof controllers[0]; i++)
		(void)put(folder_out, "cgroup.subtree_control", controllers[i]);
	if (passes_on(folder_out))
		return 0;
	/* back to where we were: somebody else is in there */
	(void)put(folder_out, "cgroup.procs", "0");
	(void)rmdir(group);
	(void)snprintf(reason, room, "others are in our cgroup");
	return -ERR_UNAVAILABLE;
}

/* Write a limit and see that it is what the kernel has. */
static bool
limit(const char *group, const char *name, const char *value)
{
	char is[64];

	return put(group, name, value) == 0 &&
	       get(group, name, is, sizeof is) == 0 && strcmp(is, value) == 0;
}

static uint32_t
set_limits(const char *group, const struct lock_limits *limits)
{
	unsigned long page = (unsigned long)sysconf(_SC_PAGESIZE);
	uint32_t processes = limits->group_processes != 0
				 ? limits->group_processes
				 : limits->processes;
	char value[64];
	uint32_t in_force = 0;

	(void)snprintf(value, sizeof value, "%llu",
	    (unsigned long long)(limits->memory / page * page));
	if (limits->memory != 0 && limit(group, "memory.max", value)) {
		/* without swap accounting there is no such file */
		if (limit(group, "memory.swap.max", "0") || errno == ENOENT)
			in_force |= CGROUP_MEMORY;
	}
	(void)snprintf(value, sizeof value, "%u", processes);
	if (processes != 0 && limit(group, "pids.max", value))
		in_force |= CGROUP_PIDS;
	(void)snprintf(value, sizeof value, "%u %u",
	    limits->cpu_percent * (CPU_PERIOD_US / 100), CPU_PERIOD_US);
	if (limits->cpu_percent != 0 && limit(group, "cpu.max", value))
		in_force |= CGROUP_CPU;
	return in_force;
}

static int
make_and_join(const char *group, const struct lock_limits *limits,
    uint32_t *limits_out, char *reason, size_t room)
{
	uint32_t in_force;

	if (mkdir(group, 0755) != 0 && errno != EEXIST)
		return fail(reason, room, "no cgroup can be made");
	in_force = set_limits(group, limits);
	if (in_force == 0) {
		(void)snprintf(
		    reason, room, "our cgroup passes no controller on");
		(void)rmdir(group);
		return -ERR_UNAVAILABLE;
	}
	if (put(group, "cgroup.procs", "0") != 0) {
		(void)fail(reason, room, "the cgroup cannot be joined");
		(void)rmdir(group);
		return -ERR_UNAVAILABLE;
	}
	*limits_out = in_force;
	return 0;
}

int
cgroup_join(const char *base, const char *name,
    const struct lock_limits *limits, uint32_t *limits_out, char *reason,
    size_t room)
{
	char group[PATH_BYTES];
	int rc = -ERR_UNAVAILABLE;

	*limits_out = 0;
	if (snprintf(group, sizeof group, "%s/" PREFIX "%s", base, name) >=
	    (int)sizeof group) {
		(void)snprintf(reason, room, "the cgroup's path is too long");
		return rc;
	}
	/* another role that starts may sweep an empty group away */
	for (int tries = 0; rc != 0 && tries < JOIN_TRIES; tries++)
		rc = make_and_join(group, limits, limits_out, reason, room);
	return rc;
}

void
cgroup_sweep(const char *base)
{
	DIR *folder = opendir(base);
	struct dirent *entry;
	char path[PATH_BYTES];

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL)
		if (strncmp(entry->d_name, PREFIX, sizeof PREFIX - 1) == 0 &&
		    join(path, base, entry->d_name) == 0)
			(void)rmdir(path); /* fails where somebody is in it */
	closedir(folder);
}
