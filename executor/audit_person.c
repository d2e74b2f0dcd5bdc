/*
 * Erasing by mail, session or person. Runs in the operator's command where no
 * service does, with the rights of each folder's owner. First the log says what
 * will be erased, by handles and numbers alone; then items are dropped from the
 * inbox, and of every record about them the salt and the row of decision inputs
 * are overwritten. The chain stays as it is.
 */
#include "executor/audit_person.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/account.h"
#include "common/alloc.h"
#include "common/err.h"
#include "common/sorted.h"
#include "executor/audit_log.h"
#include "executor/audit_reader.h"
#include "executor/inbox.h"
#include "executor/inbox_copy.h"
#include "executor/inputs_file.h"
#include "executor/parent_files.h"
#include "proto/message.h"

#define ADDRESS_BYTES 254
#define NUMBERS_MAX 10000000

/* Ascending as they are found. */
struct numbers {
	int64_t *rows;
	size_t count, room;
};

struct erasing {
	const struct config *config;
	char *inbox;
	int64_t session;		 /* 0: none */
	char address[ADDRESS_BYTES + 3]; /* in quotes, lower case */
	struct numbers items, records;
	struct audit_problem problem;
};

static int
add(struct numbers *numbers, int64_t number)
{
	if (numbers->count == NUMBERS_MAX)
		return -ERR_LIMIT;
	if (numbers->count == numbers->room) {
		numbers->room = numbers->room == 0 ? 64 : 2 * numbers->room;
		numbers->rows = alloc_resize(
		    numbers->rows, numbers->room, sizeof *numbers->rows);
	}
	numbers->rows[numbers->count++] = number;
	return 0;
}

static bool
has(const struct numbers *numbers, int64_t number)
{
	size_t at = sorted_find(numbers->rows, numbers->count,
	    sizeof numbers->rows[0], (uint64_t)number);

	return at < numbers->count && numbers->rows[at] == number;
}

/*
 * The inbox.
 */

/* Items that have the address as a whole value of their clean object; those
 * without one that have it anywhere in the raw bytes, where a piece of it may
 * be behind 64 KiB. */
static const char person_sql[] =
    "SELECT id FROM item WHERE EXISTS (SELECT 1 FROM clean WHERE "
    "clean.item = item.id AND instr(lower(CAST(json AS TEXT)), ?1)) OR "
    "(NOT EXISTS (SELECT 1 FROM clean WHERE clean.item = item.id) AND EXISTS "
    "(SELECT 1 FROM raw WHERE raw.item = item.id AND "
    "instr(lower(CAST(bytes AS TEXT)), ?2))) ORDER BY id";

static int
find_items(struct erasing *e, sqlite3 *db)
{
	sqlite3_stmt *statement = NULL;
	int length = (int)strlen(e->address), code, rc = 0;

	code = sqlite3_prepare_v2(db, person_sql, -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_bind_text(
		    statement, 1, e->address, length, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_bind_text(
		    statement, 2, e->address + 1, length - 2, SQLITE_STATIC);
	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(statement);
		if (code == SQLITE_ROW && rc == 0)
			rc = add(&e->items, sqlite3_column_int64(statement, 0));
	}
	sqlite3_finalize(statement);
	return code != SQLITE_DONE ? -ERR_IO : rc;
}

static int
find_person(void *context)
{
	struct erasing *e = context;
	char *path = alloc_format("%s/" INBOX_DB_NAME, e->inbox);
	sqlite3 *db = NULL;
	int rc = -ERR_IO;

	if (sqlite3_open_v2(path, &db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW,
		NULL) == SQLITE_OK)
		rc = find_items(e, db);
	sqlite3_close(db);
	free(path);
	return rc;
}

/* One that is gone already, or never was, is fine. */
static int
drop_items(void *context)
{
	struct erasing *e = context;
	struct inbox *inbox;
	int rc = inbox_open(e->inbox, &e->config->inbox, &inbox);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < e->items.count && rc == 0; i++) {
		rc = inbox_drop(inbox, e->items.rows[i]);
		if (rc == -ERR_NOT_FOUND)
			rc = 0;
	}
	inbox_close(inbox);
	return rc;
}

/*
 * The audit.
 */

static int
look_at(struct erasing *e, struct json_doc *doc, const struct audit_line *line)
{
	struct record record;
	int rc = record_check(line->text);

	if (rc == 0)
		rc = record_parse(doc, line->text, &record);
	if (rc != 0)
		return rc;
	if ((record.message == 0 || !has(&e->items, (int64_t)record.message)) &&
	    (e->session == 0 || (int64_t)record.session != e->session))
		return 0;
	return add(&e->records, (int64_t)record_seq(line->text));
}

static int
find_records(struct erasing *e)
{
	struct audit_reader *reader = NULL;
	struct audit_line line;
	struct json_doc doc;
	int rc = audit_reader_open(e->config->audit, &reader);

	json_init(&doc);
	while (rc == 0 && (rc = audit_reader_next(reader, &line)) == 1)
		rc = look_at(e, &doc, &line);
	json_done(&doc);
	audit_reader_close(reader);
	return rc;
}

/* Handles as long as there is room; no address. */
static int
say(struct erasing *e, struct audit *audit)
{
	struct record record = {.kind = RECORD_OPERATOR, .why = SPAN("erase")};
	struct buf text;
	char handle[32];
	int rc;

	buf_init(&text, RECORD_DETAIL_MAX);
	rc = buf_add_format(&text, "what %zu records speak of, and %zu items",
	    e->records.count, e->items.count);
	for (size_t i = 0;
	     i < e->items.count && rc == 0 && text.len + 40 < RECORD_DETAIL_MAX;
	     i++) {
		handle_format(e->items.rows[i], handle);
		rc = buf_add_format(&text, " %s", handle);
	}
	record.session = (uint64_t)e->session;
	record.detail = (struct span){text.data, text.len};
	if (rc == 0)
		rc = audit_append(audit, &record, NULL, NULL);
	buf_free(&text);
	return rc != 0 ? rc : audit_flush(audit, true);
}

static int
find_and_say(void *context)
{
	struct erasing *e = context;
	struct audit *audit;
	int rc = find_records(e);

	if (rc == 0 && e->records.count == 0 && e->items.count == 0)
		rc = -ERR_NOT_FOUND;
	if (rc == 0)
		rc = audit_open(
		    e->config->audit, NULL, &audit, NULL, &e->problem);
	if (rc != 0)
		return rc;
	rc = say(e, audit);
	return audit_close(audit) != 0 && rc == 0 ? -ERR_IO : rc;
}

/* Salt and row of each record that has them. */
static int
erase_records(void *context)
{
	struct erasing *e = context;
	char *inputs = alloc_format("%s/" INPUTS_FOLDER, e->config->audit);
	int rc = 0;

	for (size_t i = 0; i < e->records.count && rc == 0; i++) {
		uint64_t seq = (uint64_t)e->records.rows[i];

		rc = inputs_erase(inputs, seq);
		if (rc == 0 || rc == -ERR_NOT_FOUND)
			rc = audit_erase(e->config->audit, seq, &e->problem);
		if (rc == -ERR_NOT_FOUND)
			rc = 0;
	}
	free(inputs);
	return rc;
}

static int
erase_all(struct erasing *e)
{
	struct account broker = {.uid = 0}, auditor = {.uid = 0};
	int rc = 0;

	/* of what is not there, reading it says so */
	(void)account_owner(e->inbox, &broker);
	(void)account_owner(e->config->audit, &auditor);
	if (e->address[0] != '\0')
		rc = account_as(&broker, find_person, e);
	if (rc == 0)
		rc = account_as(&auditor, find_and_say, e);
	if (rc == 0)
		rc = account_as(&broker, drop_items, e);
	if (rc == 0)
		rc = account_as(&auditor, erase_records, e);
	return rc;
}

/* "ann@example.org" in quotes, as it stands in a clean object. */
static int
take_address(struct erasing *e, const char *text)
{
	size_t length = strlen(text);

	if (length > ADDRESS_BYTES || strchr(text, '@') == NULL)
		return -ERR_RANGE;
	e->address[0] = '"';
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte <= ' ' || byte > '~' || byte == '"' || byte == '\\')
			return -ERR_RANGE;
		e->address[1 + i] =
		    byte >= 'A' && byte <= 'Z' ? (char)(byte + 32) : (char)byte;
	}
	e->address[1 + length] = '"';
	return 0;
}

static int
take_option(struct erasing *e, const char *option, const char *value)
{
	int64_t item;
	char *end;
	int rc;

	if (strcmp(option, "--person") == 0)
		return take_address(e, value);
	if (strcmp(option, "--handle") == 0) {
		rc = handle_parse(span_of(value), &item);
		return rc != 0 ? rc : add(&e->items, item);
	}
	if (strcmp(option, "--session") != 0 || *value < '1' || *value > '9')
		return -ERR_RANGE;
	errno = 0;
	e->session = strtoll(value, &end, 10);
	return *end == '\0' && errno == 0 ? 0 : -ERR_RANGE;
}

int
audit_erase_about(int argc, char **argv, const struct config *config)
{
	struct erasing e = {.config = config, .inbox = inbox_folder(config)};
	int rc = argc == 3 ? take_option(&e, argv[1], argv[2]) : -ERR_RANGE;

	if (rc == 0) {
		parent_lock(config);
		rc = erase_all(&e);
		if (rc == 0)
			printf("erased: %zu items, what %zu records speak of\n",
			    e.items.count, e.records.count);
		else if (rc == -ERR_NOT_FOUND)
			fputs("there is nothing to erase\n", stderr);
		else
			fprintf(stderr,
			    "not all was erased, do it again: %s "
			    "%s\n",
			    err_text(rc), e.problem.text);
		rc = rc == 0 ? EXIT_DONE : audit_exit_status(rc);
	} else {
		rc = EXIT_USAGE;
	}
	free(e.items.rows);
	free(e.records.rows);
	free(e.inbox);
	return rc;
}
