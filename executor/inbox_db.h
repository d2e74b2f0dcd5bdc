/*
 * What the inbox files share: the SQLite connection, its statements, and
 * transactions. Private to executor/inbox*.c and ticket*.c: nothing else sees
 * SQLite.
 */
#ifndef TRIZONE_EXECUTOR_INBOX_DB_H
#define TRIZONE_EXECUTOR_INBOX_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

enum inbox_sql {
#define SQL(name, text) SQL_##name,
#include "executor/inbox_sql.def"
#include "executor/ticket_sql.def"
#undef SQL
	SQL_COUNT
};

struct inbox_db {
	sqlite3 *handle;
	sqlite3_stmt *statements[SQL_COUNT];
	int logged;  /* SQLite code last logged, 0 after a success: one line
			per outage, not one per try */
	bool broken; /* a sync failed, so nobody knows what is on disk */
};

/* Open or make the database at `path`, an existing file; see inbox_open for
 * the errors. On failure nothing is left open. */
int db_open(struct inbox_db *db, const char *path);
void db_close(struct inbox_db *db);

/* Changes between begin and end happen whole or not at all. db_end commits if
 * `error` is 0, else rolls back; returns what became of it. */
int db_begin(struct inbox_db *db);
int db_end(struct inbox_db *db, int error);

/* Copy the write-ahead log into the database and cut it to nothing. */
int db_empty_log(struct inbox_db *db);

/* Give free pages back to the disk, a megabyte at a time: enough of them for
 * `bytes` that were erased. What cannot be done (a disk that is too full for
 * the log of it) is left for the next time. */
void db_shrink(struct inbox_db *db, uint64_t bytes);

/* PRAGMA integrity_check; -ERR_CORRUPT. */
int db_check(struct inbox_db *db);

/*
 * One run of a statement. A failure to bind shows at query_row or query_run.
 *   query_init(&q, db, SQL_X); query_integer(&q, 1, id);
 *   error = query_row(&q); ... query_get_...; query_done(&q);
 */
struct query {
	struct inbox_db *db;
	sqlite3_stmt *statement;
	int code; /* first SQLite error of a bind */
};

void query_init(struct query *q, struct inbox_db *db, enum inbox_sql sql);
void query_integer(struct query *q, int index, int64_t value);
void query_null(struct query *q, int index);
/* Text and blobs are borrowed until query_done. */
void query_text(struct query *q, int index, struct span text);
void query_blob(struct query *q, int index, const void *bytes, size_t count);

/* The next row: 0, -ERR_NOT_FOUND if there is none, or an error. */
int query_row(struct query *q);

/* Values of the row, columns from 0; a span lives until the next call. */
int64_t query_get_integer(struct query *q, int column);
struct span query_get_bytes(struct query *q, int column);

/* Ready for the next use; fine to call twice. */
void query_done(struct query *q);

/* query_row for a statement that gives no row, and query_done. */
int query_run(struct query *q);

/* query_row for the integer in column 0, and query_done. */
int query_one(struct query *q, int64_t *value_out);

#endif
