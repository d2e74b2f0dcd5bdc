/*
 * macOS: no prctl; descriptors are closed one by one up to the table's size,
 * and core dumps are off by rlimit alone (start.c).
 */
#include <limits.h>
#include <mach-o/dyld.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/err.h"
#include "common/platform.h"

int
platform_close_from(int first)
{
	int last = getdtablesize();

	for (int fd = first; fd < last; fd++)
		close(fd);
	return 0;
}

int
platform_harden(void)
{
	return ptrace(PT_DENY_ATTACH, 0, 0, 0) == 0 ? 0 : -ERR_SYSTEM;
}

/* Without links, as Seatbelt compares it; and looked for once, as that may not
 * allow it again. */
int
platform_program_path(char *out, size_t room)
{
	static char real[PATH_MAX];
	char path[PATH_MAX];
	uint32_t size = sizeof path;

	if (real[0] == '\0' && (_NSGetExecutablePath(path, &size) != 0 ||
				   realpath(path, real) == NULL)) {
		real[0] = '\0';
		return -ERR_SYSTEM;
	}
	if (strlen(real) >= room)
		return -ERR_SYSTEM;
	strcpy(out, real);
	return 0;
}

const char *
platform_account_prefix(void)
{
	return "_trizone_";
}

const char *
platform_run_folder(void)
{
	return "/var/lib/trizone/run";
}

unsigned
platform_first_person(void)
{
	return 500;
}

int
platform_set_groups(int count, const gid_t *groups)
{
	return setgroups(count, groups);
}

int
platform_one_processor(void)
{
	return 0;
}

void
platform_session_nice(int nice)
{
	(void)nice;
}

bool
platform_limits_memory(void)
{
	return false; /* EINVAL since macOS 12 */
}

int
platform_die_with_parent(void)
{
	return -ERR_SYSTEM;
}

void
platform_facts(struct platform_facts *out)
{
	/* set-user-id programs keep their effect, as far as Seatbelt lets one
	 * be executed; harden above refuses to be traced, and cannot be undone
	 */
	*out = (struct platform_facts){0};
}
