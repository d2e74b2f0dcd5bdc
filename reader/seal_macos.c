/*
 * What a worker gives up, on macOS. Runs in the worker, right after the fork.
 */
#include <sys/types.h>

#include <sys/ptrace.h>
#include <unistd.h>

#include "common/err.h"
#include "reader/seal.h"

int
seal_process(int first)
{
	int end = getdtablesize();

	for (int fd = first; fd < end; fd++)
		(void)close(fd);
	return ptrace(PT_DENY_ATTACH, 0, NULL, 0) == 0 ? 0 : -ERR_SYSTEM;
}
