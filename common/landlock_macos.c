/*
 * macOS has no Landlock; what it has is Seatbelt, which is not used for this.
 */
#include "executor/confine_files.h"

#include <stdio.h>

#include "common/err.h"

int
confine_files(
    const struct confine_path *paths, size_t count, char *what_out, size_t room)
{
	(void)paths;
	(void)count;
	snprintf(what_out, room, "none: unavailable on this system");
	return -ERR_UNAVAILABLE;
}
