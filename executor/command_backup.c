/*
 * backup: audit, inbox and queue in one file, while the service runs or not.
 * The inbox is copied first, the audit then: so every act of the copy of the
 * inbox is on record in that of the audit. Each folder is read with the rights
 * of its owner.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/account.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "executor/archive.h"
#include "executor/audit_files.h"
#include "executor/audit_grants.h"
#include "executor/audit_salt.h"
#include "executor/audit_segment.h"
#include "executor/audit_verify.h"
#include "executor/command.h"
#include "executor/inbox_copy.h"
#include "executor/inputs_file.h"
#include "executor/parent_files.h"

#define LOOKS 10      /* at a log that is being written */
#define COPY_MS 60000 /* for 4 MiB */

static const char usage[] =
    "usage: trizone-executor backup [--config FILE] ARCHIVE|-\n"
    "Write audit, inbox and queue into one new file (mode 0600, tar reads it),\n"
    "or to standard output. The service may run. Private keys are not in it.\n"
    "Exit status: 0 done; 69 the audit is damaged or changed meanwhile; 71 it\n"
    "could not be written; 75 the service is busy; 77 not permitted.\n";

struct backup {
	const struct config *config;
	char *inbox;
	struct archive archive;
	uint64_t records;
	char problem[500];
};

static int
problem(struct backup *backup, int error, const char *what)
{
	snprintf(backup->problem, sizeof backup->problem, "%s: %s", what,
	    err_text(error));
	return error;
}

/*
 * The inbox.
 */

/* No service runs, and we hold its lock. */
static int
copy_inbox(void *context)
{
	struct backup *backup = context;
	char *path = alloc_format("%s/" INBOX_DB_NAME, backup->inbox);
	struct inbox_copy *copy = NULL;
	sqlite3 *source = NULL;
	int64_t left = 1;
	int rc = 0;

	if (sqlite3_open_v2(path, &source,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW,
		NULL) != SQLITE_OK)
		rc = -ERR_IO;
	while (rc == 0 && left != 0)
		rc = inbox_copy_step(source, backup->inbox, &copy, &left);
	sqlite3_close(source);
	free(path);
	return rc;
}

/* The service makes the copy, a step for each request. */
static int
ask_for_copy(struct backup *backup)
{
	struct client *client = connect_or_die(
	    backup->config, SIDE_OPERATOR, "operator", NULL, NULL);
	struct client_answer answer;
	int64_t left = 1;
	int rc = 0;

	while (rc == 0 && left != 0) {
		const struct json_node *node;

		client_begin(client, METHOD_INBOX_COPY);
		rc = client_ask(client, COPY_MS, &answer);
		if (rc == 0 && answer.result == NULL)
			rc = answer.error;
		if (rc != 0)
			break;
		receipt_keep(&answer);
		node = json_get(answer.doc, answer.result, "left");
		left = node != NULL && node->type == JSON_INTEGER
			   ? node->value.integer
			   : 0;
	}
	client_close(client);
	return rc;
}

static int
put_inbox(void *context)
{
	struct backup *backup = context;
	char *path = alloc_format("%s/" INBOX_COPY_NAME, backup->inbox);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	int rc = -ERR_IO;

	unlink(path);
	free(path);
	if (fd < 0)
		return -ERR_IO;
	if (fstat(fd, &st) == 0)
		rc = archive_put_file(&backup->archive, "inbox/" INBOX_DB_NAME,
		    fd, (uint64_t)st.st_size);
	close(fd);
	return rc;
}

/* Held until the process ends, so that no service starts meanwhile. */
static bool
service_runs(const struct config *config)
{
	char *path = alloc_format("%s/lock", config->state);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool runs = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;

	free(path);
	return runs;
}

static int
backup_inbox(struct backup *backup)
{
	struct account owner = {.uid = 0};
	int rc;

	(void)account_owner(backup->inbox, &owner); /* reading it says so */
	rc = service_runs(backup->config)
		 ? ask_for_copy(backup)
		 : account_as(&owner, copy_inbox, backup);

	if (rc == 0)
		rc = account_as(&owner, put_inbox, backup);
	return rc == 0 ? 0 : problem(backup, rc, "the inbox");
}

/*
 * The audit.
 */

/* One file, `bytes` of it, or all (UINT64_MAX). */
static int
put_file(struct backup *backup, int folder, const char *name,
    const char *member, uint64_t bytes)
{
	struct audit_problem why;
	struct stat st;
	int fd;
	int rc = audit_file_open(folder, name, O_RDONLY, &fd, &why);

	if (rc != 0)
		return rc;
	if (fstat(fd, &st) != 0)
		rc = -ERR_IO;
	if (bytes == UINT64_MAX)
		bytes = (uint64_t)st.st_size;
	if (rc == 0)
		rc = archive_put_file(&backup->archive, member, fd, bytes);
	close(fd);
	return rc;
}

/* The same of one that need not be there. */
static int
put_if_there(struct backup *backup, int folder, const char *name,
    const char *member, uint64_t bytes)
{
	int rc = put_file(backup, folder, name, member, bytes);

	return rc == -ERR_NOT_FOUND ? 0 : rc;
}

/* How many there are, or an error. */
static int
count_stubs(int folder)
{
	struct segments list;
	int rc = segments_list(folder, &list), count = 0;

	if (rc != 0)
		return rc;
	while (
	    (size_t)count < list.count && list.rows[count].kind == SEGMENT_STUB)
		count++;
	segments_done(&list);
	return count;
}

/* Up to the last whole record; an older version's log as it is. What was
 * removed since there were `stubs` is not on record there. */
static int
put_segments(struct backup *backup, int folder, int stubs,
    const struct verify_result *result)
{
	char name[SEGMENT_NAME_BYTES], member[ARCHIVE_NAME_BYTES];
	struct segments list;
	int rc = segments_list(folder, &list);

	if (rc != 0)
		return rc;
	if ((size_t)stubs < list.count && list.rows[stubs].kind == SEGMENT_STUB)
		rc = -ERR_NOT_FOUND;
	for (size_t i = 0; i < list.count && rc == 0; i++) {
		const struct segment *segment = &list.rows[i];

		if (segment->first > result->end_segment)
			break;
		segment_name(segment, name);
		snprintf(member, sizeof member, "audit/%s", name);
		rc = put_file(backup, folder, name, member,
		    segment->first == result->end_segment ? result->end_offset
							  : UINT64_MAX);
	}
	segments_done(&list);
	return rc;
}

/* The rows of records that are in the copy. */
static int
put_salts(struct backup *backup, int folder, uint64_t last)
{
	struct audit_problem why;
	uint64_t rows;
	int fd;
	int rc = audit_file_open(folder, AUDIT_SALTS_NAME, O_RDONLY, &fd, &why);

	if (rc != 0)
		return rc;
	rc = salt_count_before(fd, last + 1, &rows);
	if (rc == 0)
		rc = archive_put_file(&backup->archive,
		    "audit/" AUDIT_SALTS_NAME, fd, rows * SALT_ROW_BYTES);
	close(fd);
	return rc;
}

/* Numbered: what retention takes meanwhile is passed over. */
static int
put_inputs(struct backup *backup, int folder)
{
	int inputs = openat(folder, INPUTS_FOLDER,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	char name[INPUTS_NAME_BYTES], member[ARCHIVE_NAME_BYTES];
	uint64_t *numbers = NULL;
	int count, rc = 0;

	if (inputs < 0)
		return errno == ENOENT ? 0 : -ERR_IO;
	count = inputs_list(inputs, &numbers);
	for (int i = 0; i < count && rc == 0; i++) {
		inputs_name(numbers[i], name);
		snprintf(
		    member, sizeof member, "audit/" INPUTS_FOLDER "/%s", name);
		rc = put_if_there(backup, inputs, name, member, UINT64_MAX);
	}
	free(numbers);
	close(inputs);
	return count < 0 ? count : rc;
}

/* The log, and what it is not taken without. */
static int
put_records(struct backup *backup, int folder, int stubs,
    const struct verify_result *result)
{
	static const char grants[] = "audit/" GRANTS_NAME;
	int rc = put_segments(backup, folder, stubs, result);

	if (rc == 0)
		rc = put_salts(backup, folder, result->last);
	if (rc == 0 && result->removed != 0)
		rc = put_file(backup, folder, GRANTS_NAME, grants, UINT64_MAX);
	else if (rc == 0)
		rc = put_if_there(
		    backup, folder, GRANTS_NAME, grants, UINT64_MAX);
	if (rc == 0) /* version 1 has none */
		rc = put_if_there(backup, folder, AUDIT_VERSION_NAME,
		    "audit/" AUDIT_VERSION_NAME, UINT64_MAX);
	return rc;
}

static int
put_audit(void *context)
{
	struct backup *backup = context;
	struct verify_result result;
	struct audit_problem why;
	int folder, stubs, looks = 0;
	int rc = audit_folder_open(backup->config->audit, false, &folder, &why);

	if (rc != 0)
		return rc;
	stubs = count_stubs(folder);
	rc = stubs < 0 ? stubs : 0;
	do {
		if (rc == 0)
			rc = audit_verify(
			    backup->config->audit, NULL, NULL, &result);
	} while (rc == 0 && result.changing && ++looks < LOOKS);
	if (rc == 0 && result.damage != DAMAGE_NONE &&
	    result.damage != DAMAGE_TORN)
		rc = -ERR_CORRUPT;
	if (rc == 0) {
		backup->records = result.last;
		rc = put_records(backup, folder, stubs, &result);
	}
	if (rc == 0)
		rc = put_inputs(backup, folder);
	close(folder);
	return rc;
}

static int
put_about(struct backup *backup)
{
	char *text = alloc_format(
	    BACKUP_ABOUT "time_ms %llu\n", (unsigned long long)clock_utc_ms());
	int rc = archive_put_text(&backup->archive, "about", span_of(text));

	free(text);
	return rc == 0 ? 0 : problem(backup, rc, "the archive");
}

static int
backup_all(struct backup *backup)
{
	struct account auditor = {.uid = 0};
	int rc = put_about(backup);

	(void)account_owner(backup->config->audit, &auditor);

	if (rc == 0)
		rc = backup_inbox(backup);
	if (rc != 0)
		return rc;
	rc = account_as(&auditor, put_audit, backup);
	if (rc != 0)
		return problem(backup, rc, "the audit (see audit verify)");
	rc = archive_end(&backup->archive);
	if (rc == 0 && fsync(backup->archive.fd) != 0 && errno != EINVAL &&
	    errno != EROFS)
		rc = -ERR_IO;
	return rc == 0 ? 0 : problem(backup, rc, "the archive");
}

static int
open_archive(const char *path)
{
	int fd;

	if (strcmp(path, "-") == 0)
		return STDOUT_FILENO;
	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		die(errno == EACCES ? EXIT_NOT_PERMITTED : EXIT_SYSTEM,
		    "%s: %s", path, strerror(errno));
	return fd;
}

static int
run(const struct config *config, const char *path)
{
	struct backup backup = {
	    .config = config, .inbox = inbox_folder(config)};
	int rc;

	archive_init(&backup.archive, open_archive(path));
	rc = backup_all(&backup);
	archive_done(&backup.archive);
	free(backup.inbox);
	if (rc == 0) {
		fprintf(stderr, "%llu records and the inbox are in %s\n",
		    (unsigned long long)backup.records,
		    strcmp(path, "-") == 0 ? "the archive" : path);
		return EXIT_DONE;
	}
	if (strcmp(path, "-") != 0)
		unlink(path);
	fprintf(stderr, "no backup: %s\n", backup.problem);
	return rc == -ERR_BUSY ? EXIT_TEMPORARY : audit_exit_status(rc);
}

int
command_backup(int argc, char **argv)
{
	return command_of_archive(argc, argv, usage, run);
}
