/*
 * macOS: no prctl; descriptors are closed one by one up to the table's size,
 * and core dumps are off by rlimit alone (start.c).
 */
#include <mach-o/dyld.h>
#include <stdint.h>
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

int
platform_program_path(char *out, size_t room)
{
	uint32_t size = room > UINT32_MAX ? UINT32_MAX : (uint32_t)room;

	return _NSGetExecutablePath(out, &size) == 0 ? 0 : -ERR_SYSTEM;
}

void
platform_facts(struct platform_facts *out)
{
	*out = (struct platform_facts){.syscall_filter = "none"};
}
