/*
 * Linux: close_range(2), prctl(2), /proc/self.
 */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"
#include "common/platform.h"

#define CLOSE_MAX 65536

/* Without /proc, in a process that was locked in: every one that there can be.
 * One from before a lower limit stays open, but for that there is no way. */
static int
close_each(int first)
{
	long most = sysconf(_SC_OPEN_MAX);

	if (most < 0 || most > CLOSE_MAX)
		return -ERR_SYSTEM;
	for (int fd = first; fd < (int)most; fd++)
		close(fd);
	return 0;
}

/* For kernels without close_range(2): what /proc says is open. */
static int
close_listed(int first)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;

	if (folder == NULL)
		return close_each(first);
	while ((entry = readdir(folder)) != NULL) {
		int fd = atoi(entry->d_name);

		if (fd >= first && fd != dirfd(folder))
			close(fd);
	}
	closedir(folder);
	return 0;
}

int
platform_close_from(int first)
{
	if (syscall(SYS_close_range, (unsigned)first, ~0u, 0u) == 0)
		return 0;
	return close_listed(first);
}

int
platform_harden(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return -ERR_SYSTEM;
	return 0;
}

int
platform_program_path(char *out, size_t room)
{
	/* not where it points: after an upgrade that is another program */
	static const char self[] = "/proc/self/exe";

	if (room < sizeof self)
		return -ERR_SYSTEM;
	memcpy(out, self, sizeof self);
	return 0;
}

const char *
platform_account_prefix(void)
{
	return "trizone-";
}

const char *
platform_run_folder(void)
{
	return "/run/trizone";
}

unsigned
platform_first_person(void)
{
	return 1000;
}

int
platform_set_groups(int count, const gid_t *groups)
{
	return setgroups((size_t)count, groups);
}

int
platform_one_processor(void)
{
	cpu_set_t may, one;
	int skip, count;

	if (sched_getaffinity(0, sizeof may, &may) != 0)
		return -ERR_SYSTEM;
	count = CPU_COUNT(&may);
	if (count < 2)
		return 0;
	skip = (int)(getpid() % count); /* not all of them on the same one */
	CPU_ZERO(&one);
	for (size_t i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &may) && skip-- == 0)
			CPU_SET(i, &one);
	return sched_setaffinity(0, sizeof one, &one) == 0 ? 0 : -ERR_SYSTEM;
}

void
platform_session_nice(int nice)
{
	char text[16];
	int fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
	int length = snprintf(text, sizeof text, "%d", nice);

	if (fd < 0)
		return; /* sched(7): the kernel may have no such groups */
	if (write(fd, text, (size_t)length) < 0) {
		/* nor let us: nice(2) holds all the same */
	}
	close(fd);
}

bool
platform_limits_memory(void)
{
	return true;
}

int
platform_die_with_parent(void)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 ? 0 : -ERR_SYSTEM;
}

void
platform_facts(struct platform_facts *out)
{
	out->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	out->dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
}
