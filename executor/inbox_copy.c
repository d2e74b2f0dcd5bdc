/*
 * Copies of the inbox. Runs in the broker, or in an operator's command where
 * no service runs; trusts the database as far as SQLite does.
 */
#include "executor/inbox_copy.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"

#define STEP_PAGES 1024

struct inbox_copy {
	sqlite3 *target;
	sqlite3_backup *backup;
};

static int
error_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return -ERR_NO_SPACE;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -ERR_BUSY;
	default:
		return -ERR_IO;
	}
}

static void
release(struct inbox_copy *copy)
{
	sqlite3_backup_finish(copy->backup);
	sqlite3_close(copy->target);
	free(copy);
}

void
inbox_copy_end(struct inbox_copy *copy, const char *folder)
{
	char *path = alloc_format("%s/" INBOX_COPY_NAME, folder);

	if (copy != NULL)
		release(copy);
	unlink(path);
	free(path);
}

/* Nobody but us ever reads it: no journal, and no other's lock. */
static int
open_target(const char *folder, sqlite3 **out)
{
	char *path = alloc_format("%s/" INBOX_COPY_NAME, folder);
	int fd, code;

	unlink(path);
	fd = open(
	    path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		free(path);
		return SQLITE_IOERR;
	}
	close(fd);
	code = sqlite3_open_v2(path, out,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
	    NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(*out,
		    "PRAGMA locking_mode = EXCLUSIVE;"
		    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF",
		    NULL, NULL, NULL);
	free(path);
	return code;
}

static int
begin(sqlite3 *source, const char *folder, struct inbox_copy **out)
{
	struct inbox_copy *copy = alloc_bytes(sizeof *copy);
	int code = open_target(folder, &copy->target);

	*out = copy;
	if (code != SQLITE_OK)
		return code;
	copy->backup =
	    sqlite3_backup_init(copy->target, "main", source, "main");
	return copy->backup == NULL ? sqlite3_errcode(copy->target) : SQLITE_OK;
}

int
inbox_copy_step(sqlite3 *source, const char *folder, struct inbox_copy **copy,
    int64_t *left_out)
{
	int code = *copy == NULL ? begin(source, folder, copy) : SQLITE_OK;

	if (code == SQLITE_OK)
		code = sqlite3_backup_step((*copy)->backup, STEP_PAGES);
	if (code == SQLITE_OK) {
		*left_out = sqlite3_backup_remaining((*copy)->backup);
		*left_out = *left_out == 0 ? 1 : *left_out;
		return 0;
	}
	if (code == SQLITE_DONE) {
		release(*copy);
		*copy = NULL;
		*left_out = 0;
		return 0;
	}
	inbox_copy_end(*copy, folder);
	*copy = NULL;
	return error_of(code);
}
