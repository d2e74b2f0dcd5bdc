/*
 * The inbox's SQLite connection: opened with every defence SQLite has, each
 * setting read back; one table of statements; errors made ours and logged
 * once an outage. Runs in the broker. Believes nothing in the file before its
 * version and structure are checked; must never build SQL from data.
 */
#include "executor/inbox_db.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"

#define APPLICATION_ID 0x547a4962 /* "TzIb" */
#define SCHEMA_VERSION 1
#define BUSY_MS 1000		   /* somebody looks with sqlite3(1); once */
#define SHRINK_BYTES (256u * 4096) /* the pages of SQL_SHRINK */
#define VALUE_MAX_BYTES (4 << 20)  /* largest value, SQL text or row we have */

static const char *const statement_texts[SQL_COUNT] = {
#define SQL(name, text) [SQL_##name] = text,
#include "executor/inbox_sql.def"
#undef SQL
};

/* Settings, in order; a value that is not NULL must come back. Exclusive
 * locking keeps other programs out and the log's index in our memory.
 * Secure delete is what drop promises. The sync settings are for macOS. */
static const struct setting {
	const char *text;
	const char *value;
} settings[] = {
    {"PRAGMA locking_mode = EXCLUSIVE", "exclusive"},
    {"PRAGMA trusted_schema = OFF", NULL}, {"PRAGMA trusted_schema", "0"},
    {"PRAGMA cell_size_check = ON", NULL}, {"PRAGMA cell_size_check", "1"},
    {"PRAGMA secure_delete = ON", "1"}, {"PRAGMA temp_store = MEMORY", NULL},
    {"PRAGMA temp_store", "2"}, {"PRAGMA mmap_size = 0", NULL},
    {"PRAGMA cache_size = -1024", NULL}, {"PRAGMA fullfsync = ON", NULL},
    {"PRAGMA checkpoint_fullfsync = ON", NULL},
    {"PRAGMA synchronous = FULL", NULL}, {"PRAGMA synchronous", "2"},
    {"PRAGMA auto_vacuum = INCREMENTAL", NULL}, /* before the first write */
};

/* After the file is known to be ours, as these write to it. */
static const struct setting log_settings[] = {
    {"PRAGMA journal_mode = WAL", "wal"},
    {"PRAGMA journal_size_limit = 4194304", "4194304"},
    {"PRAGMA wal_autocheckpoint = 1000", "1000"},
    {"PRAGMA auto_vacuum", "2"},
};

/* The small tables at each start; all of it is db_check's work. */
static const struct setting checks[] = {
    {"PRAGMA quick_check(item)", "ok"},
    {"PRAGMA quick_check(session)", "ok"},
};

/* Large bytes have tables of their own, so that a change of state rewrites a
 * row of some hundred bytes. AUTOINCREMENT: an id is never given twice. */
static const char schema[] =
    "CREATE TABLE item ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " channel TEXT NOT NULL,"
    " hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),"
    " state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 8),"
    " bytes INTEGER NOT NULL CHECK (bytes > 0),"
    " failures INTEGER NOT NULL CHECK (failures BETWEEN 0 AND 2),"
    " attempts INTEGER NOT NULL CHECK (attempts BETWEEN 0 AND 10),"
    " session INTEGER,"
    " note TEXT NOT NULL,"
    " arrived INTEGER NOT NULL,"
    " changed INTEGER NOT NULL) STRICT;"
    "CREATE INDEX item_state ON item (state);"
    "CREATE INDEX item_new ON item (channel) WHERE state = 0;"
    "CREATE INDEX item_changed ON item (state, changed);"
    "CREATE INDEX item_session ON item (session) WHERE session IS NOT NULL;"
    "CREATE TABLE raw ("
    " item INTEGER NOT NULL,"
    " part INTEGER NOT NULL,"
    " bytes BLOB NOT NULL,"
    " UNIQUE (item, part)) STRICT;"
    "CREATE TABLE clean ("
    " item INTEGER PRIMARY KEY,"
    " json BLOB NOT NULL,"
    " record BLOB NOT NULL) STRICT;"
    "CREATE TABLE session ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " zone TEXT NOT NULL,"
    " mode INTEGER NOT NULL CHECK (mode BETWEEN 0 AND 2),"
    " legs INTEGER NOT NULL CHECK (legs BETWEEN 0 AND 7),"
    " started INTEGER NOT NULL,"
    " ended INTEGER) STRICT;"
    "CREATE UNIQUE INDEX session_standing ON session (zone) WHERE mode = 2;"
    "CREATE INDEX session_ended ON session (ended) WHERE ended IS NOT NULL;"
    "CREATE TABLE task ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " session INTEGER NOT NULL,"
    " given INTEGER NOT NULL,"
    " words TEXT NOT NULL) STRICT;"
    "CREATE INDEX task_session ON task (session);"
    "CREATE TABLE spent ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL,"
    " key BLOB NOT NULL,"
    " amount INTEGER NOT NULL CHECK (amount >= 0),"
    " at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE leak ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " session INTEGER NOT NULL,"
    " key BLOB NOT NULL,"
    " label TEXT NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " fields INTEGER NOT NULL,"
    " UNIQUE (session, key)) STRICT;";

static int
error_of_code(const struct inbox_db *db, int code)
{
	int saved_errno = sqlite3_system_errno(db->handle);

	switch (code & 0xff) {
	case SQLITE_FULL:
		return -ERR_NO_SPACE;
	case SQLITE_IOERR:
		return saved_errno == ENOSPC || saved_errno == EDQUOT
			   ? -ERR_NO_SPACE
			   : -ERR_IO;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -ERR_BUSY;
	case SQLITE_TOOBIG:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT: /* this code never breaks one */
	case SQLITE_ERROR:	/* a table or column is not there */
		return -ERR_CORRUPT;
	default:
		return -ERR_IO;
	}
}

/* Our error for SQLite's. */
static int
db_error(struct inbox_db *db, int code, const char *what)
{
	if ((code & 0xff) == SQLITE_NOMEM)
		die(EXIT_SYSTEM, "out of memory in the inbox");
	if ((code & 0xff) == SQLITE_MISUSE || (code & 0xff) == SQLITE_RANGE)
		bug("inbox: %s: %s", what, sqlite3_errmsg(db->handle));
	if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
		db->broken = true;
	if (code != db->logged)
		log_event(LOG_ERROR, "inbox_error", "code=%d what=%s: %s", code,
		    what, sqlite3_errmsg(db->handle));
	db->logged = code;
	return error_of_code(db, code);
}

/* Run one setting and compare what comes back. */
static int
setting_run(struct inbox_db *db, const struct setting *setting)
{
	sqlite3_stmt *statement = NULL;
	const char *value = NULL;
	int code, error = 0;

	code =
	    sqlite3_prepare_v2(db->handle, setting->text, -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		value = (const char *)sqlite3_column_text(statement, 0);
	else if (code != SQLITE_DONE)
		error = db_error(db, code, setting->text);
	if (error == 0 && setting->value != NULL &&
	    (value == NULL || strcmp(value, setting->value) != 0)) {
		log_event(LOG_ERROR, "inbox_setting", "want=%s got=%s what=%s",
		    setting->value, value == NULL ? "nothing" : value,
		    setting->text);
		error = -ERR_CORRUPT;
	}
	sqlite3_finalize(statement);
	return error;
}

static int
settings_run(struct inbox_db *db, const struct setting *list, size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++)
		error = setting_run(db, &list[i]);
	return error;
}

static int
db_integer(struct inbox_db *db, const char *text, int64_t *value_out)
{
	sqlite3_stmt *statement = NULL;
	int code;

	code = sqlite3_prepare_v2(db->handle, text, -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*value_out = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return code == SQLITE_ROW ? 0 : db_error(db, code, text);
}

/* Whose file is this, and of which version? */
static int
db_identify(struct inbox_db *db, bool *empty_out)
{
	int64_t application, version, objects;
	int error;

	error = db_integer(db, "PRAGMA application_id", &application);
	if (error == 0)
		error = db_integer(db, "PRAGMA user_version", &version);
	if (error == 0)
		error = db_integer(
		    db, "SELECT count(*) FROM sqlite_schema", &objects);
	if (error != 0)
		return error;
	*empty_out = application == 0 && version == 0 && objects == 0;
	if (*empty_out)
		return 0;
	if (application == APPLICATION_ID && version == SCHEMA_VERSION)
		return 0;
	log_event(LOG_ERROR, "inbox_version",
	    "application=%" PRId64 " version=%" PRId64 " want=%d", application,
	    version, SCHEMA_VERSION);
	if (application == APPLICATION_ID && version > SCHEMA_VERSION)
		return -ERR_VERSION;
	return -ERR_CONFIG;
}

static int
db_execute(struct inbox_db *db, const char *text)
{
	int code = sqlite3_exec(db->handle, text, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : db_error(db, code, "schema");
}

/* All of the schema or nothing, so that a crash leaves an empty file. */
static int
schema_make(struct inbox_db *db)
{
	char marks[120];
	int error;

	sqlite3_snprintf(sizeof marks, marks,
	    "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
	    APPLICATION_ID, SCHEMA_VERSION);
	error = db_execute(db, "BEGIN EXCLUSIVE");
	if (error == 0)
		error = db_execute(db, schema);
	if (error == 0)
		error = db_execute(db, marks);
	return error;
}

/* No views, triggers, extensions, attached files or schema edits, whatever
 * the file asks for; no double-quoted strings. */
static void
db_harden(struct inbox_db *db)
{
	static const int off[] = {SQLITE_DBCONFIG_ENABLE_TRIGGER,
	    SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_TRUSTED_SCHEMA,
	    SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, SQLITE_DBCONFIG_DQS_DDL,
	    SQLITE_DBCONFIG_DQS_DML};
	int value;

	for (size_t i = 0; i < sizeof off / sizeof off[0]; i++)
		if (sqlite3_db_config(db->handle, off[i], 0, &value) !=
			SQLITE_OK ||
		    value != 0)
			die(EXIT_SYSTEM, "SQLite keeps option %d on", off[i]);
	if (sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1,
		&value) != SQLITE_OK ||
	    value != 1)
		die(EXIT_SYSTEM, "SQLite has no defensive mode");
	sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, VALUE_MAX_BYTES);
	sqlite3_busy_timeout(db->handle, BUSY_MS);
}

static int
statements_prepare(struct inbox_db *db)
{
	int code;

	for (int i = 0; i < SQL_COUNT; i++) {
		code = sqlite3_prepare_v3(db->handle, statement_texts[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &db->statements[i], NULL);
		if (code != SQLITE_OK)
			return db_error(db, code, statement_texts[i]);
	}
	return 0;
}

static int
db_set_up(struct inbox_db *db)
{
	bool empty;
	int error;

	db_harden(db);
	error =
	    settings_run(db, settings, sizeof settings / sizeof settings[0]);
	if (error == 0)
		error = db_identify(db, &empty);
	if (error == 0)
		error = settings_run(db, log_settings,
		    sizeof log_settings / sizeof log_settings[0]);
	if (error == 0 && empty)
		error = schema_make(db);
	if (error == 0)
		error =
		    settings_run(db, checks, sizeof checks / sizeof checks[0]);
	return error == 0 ? statements_prepare(db) : error;
}

int
db_open(struct inbox_db *db, const char *path)
{
	int code, error;

	*db = (struct inbox_db){.handle = NULL};
	code = sqlite3_open_v2(path, &db->handle,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
		SQLITE_OPEN_EXRESCODE,
	    NULL);
	error = code == SQLITE_OK ? db_set_up(db) : db_error(db, code, "open");
	if (error != 0)
		db_close(db);
	return error;
}

void
db_close(struct inbox_db *db)
{
	for (int i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(db->statements[i]);
	if (sqlite3_close(db->handle) != SQLITE_OK)
		bug("inbox closed while in use");
	*db = (struct inbox_db){.handle = NULL};
}

int
db_begin(struct inbox_db *db)
{
	struct query q;

	if (!sqlite3_get_autocommit(db->handle))
		bug("transaction inside a transaction");
	if (db->broken)
		return -ERR_IO;
	query_init(&q, db, SQL_BEGIN);
	return query_run(&q);
}

int
db_end(struct inbox_db *db, int error)
{
	struct query q;

	if (error == 0) {
		query_init(&q, db, SQL_COMMIT);
		error = query_run(&q);
		if (error == 0) {
			db->logged = 0;
			return 0;
		}
	}
	if (sqlite3_get_autocommit(db->handle))
		return error; /* SQLite has rolled back itself */
	query_init(&q, db, SQL_ROLLBACK);
	if (query_run(&q) != 0)
		db->broken = true;
	return error;
}

int
db_empty_log(struct inbox_db *db)
{
	int code;

	if (db->broken)
		return -ERR_IO;
	code = sqlite3_wal_checkpoint_v2(
	    db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return code == SQLITE_OK ? 0 : db_error(db, code, "checkpoint");
}

void
db_shrink(struct inbox_db *db, uint64_t bytes)
{
	uint64_t steps = bytes / SHRINK_BYTES + 1;
	int64_t pages = 0;
	struct query q;
	int error = 0;

	while (error == 0 && steps-- > 0) {
		query_init(&q, db, SQL_FREE_PAGES);
		error = query_one(&q, &pages);
		if (error != 0 || pages == 0)
			return;
		query_init(&q, db, SQL_SHRINK);
		do
			error = query_row(&q); /* one for each page */
		while (error == 0);
		query_done(&q);
		error = error == -ERR_NOT_FOUND ? db_empty_log(db) : error;
	}
}

int
db_check(struct inbox_db *db)
{
	static const struct setting whole = {"PRAGMA integrity_check", "ok"};

	return setting_run(db, &whole);
}

void
query_init(struct query *q, struct inbox_db *db, enum inbox_sql sql)
{
	*q = (struct query){.db = db, .statement = db->statements[sql]};
	if (sqlite3_stmt_busy(q->statement))
		bug("statement in use: %s", statement_texts[sql]);
}

static void
query_bound(struct query *q, int code)
{
	if (q->code == SQLITE_OK)
		q->code = code;
}

void
query_integer(struct query *q, int index, int64_t value)
{
	query_bound(q, sqlite3_bind_int64(q->statement, index, value));
}

void
query_null(struct query *q, int index)
{
	query_bound(q, sqlite3_bind_null(q->statement, index));
}

void
query_text(struct query *q, int index, struct span text)
{
	query_bound(q,
	    sqlite3_bind_text64(q->statement, index, text.n == 0 ? "" : text.p,
		text.n, SQLITE_STATIC, SQLITE_UTF8));
}

void
query_blob(struct query *q, int index, const void *bytes, size_t count)
{
	query_bound(q, sqlite3_bind_blob64(q->statement, index,
			   count == 0 ? "" : bytes, count, SQLITE_STATIC));
}

int
query_row(struct query *q)
{
	int code = q->code;
	int error;

	if (code == SQLITE_OK)
		code = sqlite3_step(q->statement);
	if (code == SQLITE_ROW)
		return 0;
	error = code == SQLITE_DONE
		    ? -ERR_NOT_FOUND
		    : db_error(q->db, code, sqlite3_sql(q->statement));
	query_done(q);
	return error;
}

int64_t
query_get_integer(struct query *q, int column)
{
	return sqlite3_column_int64(q->statement, column);
}

struct span
query_get_bytes(struct query *q, int column)
{
	const void *p = sqlite3_column_blob(q->statement, column);
	int count = sqlite3_column_bytes(q->statement, column);

	return (struct span){p, p == NULL ? 0 : (size_t)count};
}

void
query_done(struct query *q)
{
	sqlite3_reset(q->statement);
	sqlite3_clear_bindings(q->statement);
}

int
query_run(struct query *q)
{
	int error = query_row(q);

	if (error == 0)
		bug("a row from: %s", sqlite3_sql(q->statement));
	return error == -ERR_NOT_FOUND ? 0 : error;
}

int
query_one(struct query *q, int64_t *value_out)
{
	int error = query_row(q);

	if (error == 0) {
		*value_out = query_get_integer(q, 0);
		query_done(q);
	}
	return error;
}
