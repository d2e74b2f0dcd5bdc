/*
 * Tables of the inbox's database and how an older file gets them. A step that
 * was released is never changed; the next version has one of its own.
 */
#include "executor/inbox_schema.h"

#include "common/err.h"

/* Large bytes have tables of their own, so that a change of state rewrites a
 * row of some hundred bytes. AUTOINCREMENT: an id is never given twice. */
static const char first[] =
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
    "CREATE INDEX session_ended ON session (ended) WHERE ended IS NOT NULL;";

/* Version 2: items that a person has to look at first (state 9), what was
 * judged suspect, tickets, and rules that "don't ask again" made; tasks, money
 * spent, what leaked, and labels of places; a standing session can end. A
 * table's check cannot be changed, so items move to a new one; the numbers
 * given so far go with them. */
static const char second[] =
    "CREATE TABLE item_2 ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " channel TEXT NOT NULL,"
    " hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),"
    " state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 9),"
    " bytes INTEGER NOT NULL CHECK (bytes > 0),"
    " failures INTEGER NOT NULL CHECK (failures BETWEEN 0 AND 2),"
    " attempts INTEGER NOT NULL CHECK (attempts BETWEEN 0 AND 10),"
    " session INTEGER,"
    " note TEXT NOT NULL,"
    " arrived INTEGER NOT NULL,"
    " changed INTEGER NOT NULL) STRICT;"
    "INSERT INTO item_2 SELECT id, channel, hash, state, bytes, failures, "
    "attempts, session, note, arrived, changed FROM item;"
    "DELETE FROM sqlite_sequence WHERE name = 'item_2';"
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'item_2', seq "
    "FROM sqlite_sequence WHERE name = 'item';"
    "DROP TABLE item;"
    "ALTER TABLE item_2 RENAME TO item;"
    "CREATE INDEX item_state ON item (state);"
    "CREATE INDEX item_new ON item (channel) WHERE state = 0;"
    "CREATE INDEX item_changed ON item (state, changed);"
    "CREATE INDEX item_session ON item (session) WHERE session IS NOT NULL;"
    "CREATE TABLE suspect ("
    " item INTEGER PRIMARY KEY,"
    " narrow INTEGER NOT NULL CHECK (narrow IN (0, 1)),"
    " answer INTEGER NOT NULL CHECK (answer BETWEEN 0 AND 2),"
    " changed INTEGER NOT NULL) STRICT;"
    "CREATE TABLE ticket ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " session INTEGER NOT NULL,"
    " zone TEXT NOT NULL,"
    " capability TEXT NOT NULL,"
    " arguments BLOB NOT NULL,"
    " digest BLOB NOT NULL CHECK (length(digest) = 32),"
    " legs INTEGER NOT NULL CHECK (legs BETWEEN 0 AND 7),"
    " origins TEXT NOT NULL,"
    " rule TEXT NOT NULL,"
    " why TEXT NOT NULL,"
    " message INTEGER NOT NULL,"
    " state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 8),"
    " approvals INTEGER NOT NULL,"
    " number INTEGER NOT NULL,"
    " hash BLOB NOT NULL,"
    " opened INTEGER NOT NULL,"
    " expires INTEGER NOT NULL,"
    " changed INTEGER NOT NULL,"
    " outcome INTEGER NOT NULL,"
    " error INTEGER NOT NULL,"
    " note TEXT NOT NULL,"
    " result BLOB NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX ticket_live ON ticket (session, digest) "
    "WHERE state IN (0, 1, 2, 3, 4, 7);"
    "CREATE INDEX ticket_state ON ticket (state);"
    "DROP INDEX session_standing;"
    "CREATE UNIQUE INDEX session_standing ON session (zone) "
    "WHERE mode = 2 AND ended IS NULL;"
    "CREATE TABLE task ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " session INTEGER NOT NULL,"
    " given INTEGER NOT NULL,"
    " words TEXT NOT NULL) STRICT;"
    "CREATE INDEX task_session ON task (session);"
    "CREATE TABLE label ("
    " place TEXT PRIMARY KEY,"
    " legs INTEGER NOT NULL CHECK (legs BETWEEN 1 AND 7)) STRICT,"
    " WITHOUT ROWID;"
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
    " UNIQUE (session, key)) STRICT;"
    "CREATE TABLE again ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " ticket INTEGER NOT NULL,"
    " zone TEXT NOT NULL,"
    " capability TEXT NOT NULL,"
    " arguments BLOB NOT NULL,"
    " rule TEXT NOT NULL,"
    " any_content INTEGER NOT NULL CHECK (any_content IN (0, 1)),"
    " made INTEGER NOT NULL,"
    " expires INTEGER NOT NULL,"
    " source BLOB NOT NULL CHECK (length(source) = 32)) STRICT;";

/* Version 3: which sessions have endorsed values of strangers. */
static const char third[] =
    "ALTER TABLE session ADD COLUMN endorsed INTEGER NOT NULL DEFAULT 0 "
    "CHECK (endorsed IN (0, 1));";

const char *
inbox_schema_step(int from)
{
	static const char *const steps[INBOX_SCHEMA_VERSION] = {
	    first, second, third};

	if (from < 0 || from >= INBOX_SCHEMA_VERSION)
		bug("no schema after version %d", from);
	return steps[from];
}
