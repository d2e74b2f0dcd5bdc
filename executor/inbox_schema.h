/*
 * The inbox's tables, as steps from each version to the next. Private to
 * executor/inbox_db.c.
 */
#ifndef TRIZONE_EXECUTOR_INBOX_SCHEMA_H
#define TRIZONE_EXECUTOR_INBOX_SCHEMA_H

#define INBOX_SCHEMA_VERSION 3

/* SQL that makes version `from` + 1 of version `from`, which is 0 for an empty
 * file and below INBOX_SCHEMA_VERSION. Run inside one transaction. */
const char *inbox_schema_step(int from);

#endif
