/*
 * A copy of the inbox's database for a backup, made some pages at a time while
 * the inbox is in use: what is changed meanwhile is in it. SQLite's backup
 * interface does the work.
 */
#ifndef TRIZONE_EXECUTOR_INBOX_COPY_H
#define TRIZONE_EXECUTOR_INBOX_COPY_H

#include <stdint.h>

#include "executor/inbox_db.h"

#define INBOX_COPY_NAME "backup.db" /* in the inbox's folder */
#define INBOX_DB_NAME "inbox.db"

struct inbox_copy;

/* Go on with the copy, or begin one in `folder` (an older one there goes). At
 * most 4 MiB a call. *left_out: pages that are left; 0: it is complete, closed
 * and consistent, and the caller reads and removes it. 0; -ERR_NO_SPACE,
 * -ERR_BUSY, -ERR_IO: there is no copy, *copy is NULL. */
int inbox_copy_step(sqlite3 *source, const char *folder,
    struct inbox_copy **copy, int64_t *left_out);

/* Give a copy up; NULL is fine. The file in `folder` goes in any case. */
void inbox_copy_end(struct inbox_copy *copy, const char *folder);

#endif
