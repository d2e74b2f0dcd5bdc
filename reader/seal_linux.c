/*
 * What a worker gives up, on Linux. Runs in the worker, right after the fork.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"
#include "reader/seal.h"

int
seal_process(int first)
{
	if (syscall(SYS_close_range, (unsigned)first, ~0u, 0u) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) != 0)
		return -ERR_SYSTEM;
	return 0;
}
