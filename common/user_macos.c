/*
 * Processes of a user, macOS: sysctl(3), KERN_PROC_UID.
 */
#include <errno.h>
#include <sys/sysctl.h>

#include "common/err.h"
#include "common/user.h"

int
user_processes(uid_t uid, uint64_t *count_out)
{
	int effective[] = {CTL_KERN, KERN_PROC, KERN_PROC_UID, (int)uid};
	struct kinfo_proc found[64];
	size_t bytes = sizeof found;

	/* more than there is room for are more than one */
	if (sysctl(effective, 4, found, &bytes, NULL, 0) != 0 &&
	    errno != ENOMEM)
		return -ERR_UNAVAILABLE;
	*count_out = bytes / sizeof found[0];
	return 0;
}
