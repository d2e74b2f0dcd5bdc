/*
 * Processes of a user, Linux: /proc/PID/status, proc(5). Where /proc is
 * mounted with hidepid, only root's view is whole.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/user.h"

#define STATUS_BYTES 4096 /* "Uid:" is among the first lines */

/* Whether "Uid: real effective saved filesystem" names the user. */
static bool
is_of(const char *status, uid_t uid)
{
	const char *line = strstr(status, "\nUid:");
	unsigned long ids[4];

	if (line == NULL || sscanf(line, "\nUid:%lu%lu%lu%lu", &ids[0], &ids[1],
				&ids[2], &ids[3]) != 4)
		return false;
	for (size_t i = 0; i < 4; i++)
		if (ids[i] == (unsigned long)uid)
			return true;
	return false;
}

/* One that has just ended is not counted. */
static bool
runs_as(int proc, const char *pid, uid_t uid)
{
	char path[64], status[STATUS_BYTES];
	ssize_t got;
	int fd;

	if (snprintf(path, sizeof path, "%s/status", pid) >= (int)sizeof path)
		return false;
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, status, sizeof status - 1);
	close(fd);
	if (got <= 0)
		return false;
	status[got] = '\0';
	return is_of(status, uid);
}

int
user_processes(uid_t uid, uint64_t *count_out)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	uint64_t count = 0;
	int first;

	if (proc == NULL)
		return -ERR_UNAVAILABLE;
	while ((entry = readdir(proc)) != NULL) {
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    runs_as(dirfd(proc), entry->d_name, uid))
			count++;
	}
	/* who may not look at the first process may not look at others */
	first = openat(dirfd(proc), "1/status", O_RDONLY | O_CLOEXEC);
	closedir(proc);
	if (first < 0)
		return -ERR_UNAVAILABLE;
	close(first);
	*count_out = count;
	return 0;
}
