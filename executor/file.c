/*
 * What the methods of kind `file` share. Runs in a courier.
 */
#include "executor/file.h"

#include <stdio.h>

#include "common/err.h"

int
file_say(int error, struct file_detail detail, const char *reason)
{
	snprintf(detail.text, detail.room, "%s", reason);
	return error;
}

int
file_fail(int error, struct file_detail detail)
{
	switch (error) {
	case -ERR_PATH:
		return file_say(
		    error, detail, "a symbolic link or mount point on the way");
	case -ERR_NOT_FOUND:
		return file_say(error, detail, "no such file or folder");
	case -ERR_REFUSED:
		return file_say(error, detail, "the system does not permit it");
	default:
		return file_say(error, detail, err_text(error));
	}
}

void
file_put_cut(
    struct json_writer *w, const char *what, uint64_t kept, uint64_t of)
{
	json_open(w, '{');
	json_put_text(w, "what", what);
	json_put_integer(w, "kept", (int64_t)kept);
	json_put_integer(w, "of", (int64_t)of);
	json_close(w, '}');
}
