/*
 * Opening the audit log. Runs in the auditor before it is locked down.
 * Believes its own folder only after it has checked all of it; sets a torn
 * last line aside, and repairs nothing else.
 */
#include "executor/audit_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "executor/audit_impl.h"
#include "executor/audit_lines.h"
#include "executor/audit_salt.h"
#include "executor/sync.h"

static int
open_lock(struct audit *audit, const char *path, struct audit_problem *problem)
{
	int rc = audit_file_open(audit->folder, AUDIT_LOCK_NAME,
	    O_RDWR | O_CREAT, &audit->lock, problem);

	if (rc != 0)
		return rc;
	if (flock(audit->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return audit_problem(problem, -ERR_BUSY,
		    "%s: another auditor is writing this log", path);
	return audit_problem(problem, -ERR_SYSTEM, "%s/%s: %s", path,
	    AUDIT_LOCK_NAME, strerror(errno));
}

static int
open_files(struct audit *audit, const char *path, struct audit_problem *problem)
{
	int rc = audit_folder_open(path, true, &audit->folder, problem);

	if (rc == 0)
		rc = open_lock(audit, path, problem);
	if (rc == 0)
		rc = audit_file_open(audit->folder, AUDIT_LOG_NAME,
		    O_RDWR | O_APPEND | O_CREAT, &audit->log.fd, problem);
	if (rc == 0)
		rc = audit_file_open(audit->folder, AUDIT_SALTS_NAME,
		    O_RDWR | O_APPEND | O_CREAT, &audit->salts.fd, problem);
	if (rc == 0 && sync_folder(audit->folder) != 0)
		rc = audit_problem(
		    problem, -ERR_IO, "%s: %s", path, strerror(errno));
	return rc;
}

static int
see_record(void *context, struct span line, uint64_t offset)
{
	struct audit *audit = context;
	uint64_t grant = record_grant(line);
	int rc = grant == 0 ? 0 : grants_add(&audit->grants, grant);

	return rc != 0 ? rc : intents_follow(&audit->intents, line, offset);
}

/* Take over the good part of the chain. */
static int
check_chain(struct audit *audit, const char *path, struct verify_result *result,
    struct audit_problem *problem)
{
	int rc = audit_verify_fd(audit->log.fd, see_record, audit, result);

	if (rc == -ERR_BUSY)
		return audit_problem(problem, -ERR_CORRUPT,
		    "%s/%s has more than %d intents without outcome, or more "
		    "than %u grants",
		    path, AUDIT_LOG_NAME, INTENTS_MAX, GRANTS_MAX);
	if (rc != 0)
		return audit_problem(problem, rc, "%s/%s: %s", path,
		    AUDIT_LOG_NAME, err_text(rc));
	if (result->damage != DAMAGE_NONE && result->damage != DAMAGE_TORN)
		return audit_problem(problem, -ERR_CORRUPT,
		    "%s/%s is damaged at record %llu (byte %llu): %s. Nothing "
		    "was changed. Keep the folder as evidence: move it away "
		    "to start a new log, or put back a good copy",
		    path, AUDIT_LOG_NAME,
		    (unsigned long long)result->bad_record,
		    (unsigned long long)result->bad_offset,
		    damage_text(result->damage));
	audit->chain.last = result->last;
	memcpy(audit->chain.head, result->head, SHA256_BYTES);
	audit->log.size = result->bytes;
	/* what a killed process wrote need not be on disk yet */
	audit->unsynced = result->bytes != 0 ? AUDIT_BATCH_RECORDS : 0;
	return 0;
}

static int
check_salts(
    struct audit *audit, const char *path, struct audit_problem *problem)
{
	/* the first record of a log has no salt and is on disk before any */
	uint64_t ahead = audit->chain.last == 0 ? 0 : AUDIT_BATCH_RECORDS;
	int rc = salt_trim(
	    audit->salts.fd, audit->chain.last, ahead, &audit->salts.size);

	if (rc == -ERR_CORRUPT)
		return audit_problem(problem, rc,
		    "%s/%s has salts of records that %s does not have: the "
		    "log was cut. Nothing was changed. Put back a good copy, "
		    "or move the folder away to start a new log",
		    path, AUDIT_SALTS_NAME, AUDIT_LOG_NAME);
	if (rc != 0)
		return audit_problem(problem, rc, "%s/%s: %s", path,
		    AUDIT_SALTS_NAME, err_text(rc));
	return 0;
}

/* A file of its own for the torn bytes, durable before the log is cut. */
static int
save_torn(
    struct audit *audit, const char *name, const char *bytes, size_t count)
{
	struct audit_problem problem;
	int fd = -1;
	int rc = audit_file_open(
	    audit->folder, name, O_WRONLY | O_CREAT | O_EXCL, &fd, &problem);

	if (rc != 0)
		return rc;
	if (write(fd, bytes, count) != (ssize_t)count)
		rc = -ERR_IO;
	if (rc == 0)
		rc = sync_data(fd);
	if (rc == 0)
		rc = sync_folder(audit->folder);
	close(fd);
	return rc;
}

static int
cut_log(struct audit *audit)
{
	if (ftruncate(audit->log.fd, (off_t)audit->log.size) != 0)
		return -ERR_IO;
	return sync_data(audit->log.fd);
}

static int
append_torn(
    struct audit *audit, const char *name, const char *bytes, size_t count)
{
	unsigned char body[SHA256_BYTES];
	struct record record = {.kind = RECORD_DAMAGE,
	    .why = SPAN("the last line was not complete and was set aside"),
	    .error = ERR_CORRUPT,
	    .bytes = count,
	    .detail = span_of(name),
	    .body = body};

	sha256_of(bytes, count, body);
	return audit_append(audit, &record, NULL, NULL);
}

static int
set_torn_aside(struct audit *audit, size_t count, struct audit_problem *problem)
{
	char bytes[RECORD_LINE_MAX], name[64];
	ssize_t got =
	    pread(audit->log.fd, bytes, sizeof bytes, (off_t)audit->log.size);
	int rc = got == (ssize_t)count ? 0 : -ERR_IO;

	snprintf(
	    name, sizeof name, "torn-%llu", (unsigned long long)clock_utc_ms());
	if (rc == 0)
		rc = save_torn(audit, name, bytes, count);
	if (rc == 0)
		rc = cut_log(audit);
	if (rc == 0)
		rc = append_torn(audit, name, bytes, count);
	if (rc != 0)
		return audit_problem(problem, rc,
		    "the torn last line of %s cannot be set aside: %s",
		    AUDIT_LOG_NAME, err_text(rc));
	return 0;
}

static struct audit *
audit_new(void)
{
	struct audit *audit = alloc_bytes(sizeof *audit);

	audit->folder = -1;
	audit->lock = -1;
	audit->log.fd = -1;
	audit->salts.fd = -1;
	buf_init(&audit->log.batch, AUDIT_BATCH_BYTES);
	/* and the NUL that formatting leaves behind */
	buf_init(&audit->salts.batch,
	    (size_t)AUDIT_BATCH_RECORDS * SALT_ROW_BYTES + 1);
	chain_init(&audit->chain, sha256_new());
	return audit;
}

int
audit_open(const char *path, struct audit **audit_out,
    struct audit_found *found_out, struct audit_problem *problem)
{
	struct audit *audit = audit_new();
	struct verify_result result;
	int rc = open_files(audit, path, problem);

	if (rc == 0)
		rc = check_chain(audit, path, &result, problem);
	if (rc == 0)
		rc = check_salts(audit, path, problem);
	if (rc == 0 && result.damage == DAMAGE_TORN)
		rc = set_torn_aside(audit, (size_t)result.torn_bytes, problem);
	if (rc != 0) {
		audit_free(audit);
		return rc;
	}
	if (found_out != NULL)
		*found_out = (struct audit_found){.records = result.count,
		    .torn_bytes = result.torn_bytes,
		    .unfinished = audit->intents.count};
	*audit_out = audit;
	return 0;
}

int
audit_unfinished(struct audit *audit,
    int (*each)(const struct record *intent, uint64_t seq, void *context),
    void *context)
{
	size_t count = audit->intents.count;
	struct intent_row *rows = alloc_array(count + 1, sizeof *rows);
	char buffer[RECORD_LINE_MAX];
	struct json_doc doc;
	struct record record;
	struct span line;
	int rc = 0;

	memcpy(rows, audit->intents.rows, count * sizeof *rows);
	json_init(&doc);
	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = lines_at(audit->log.fd, rows[i].offset, buffer, &line);
		if (rc == 0)
			rc = record_parse(&doc, line, &record);
		if (rc == 0)
			rc = each(&record, rows[i].seq, context);
	}
	json_done(&doc);
	free(rows);
	return rc;
}
