/*
 * Opening the audit log. Runs in the auditor before it is locked down.
 * Believes its own folder only after it has checked all of it; sets a torn
 * write aside, and repairs nothing else.
 */
#include "executor/audit_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "executor/audit_impl.h"
#include "executor/audit_reader.h"
#include "executor/audit_retain.h"
#include "executor/audit_salt.h"
#include "executor/named.h"
#include "executor/sync.h"

#define CHECKPOINT_RECORDS 2048
#define CHECKPOINT_MS 10000

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
		rc = audit_file_open(audit->folder, AUDIT_SALTS_NAME,
		    O_RDWR | O_CREAT, &audit->salts.fd, problem);
	if (rc == 0 && sync_folder(audit->folder) != 0)
		rc = audit_problem(
		    problem, -ERR_IO, "%s: %s", path, strerror(errno));
	return rc;
}

/* Every segment is a file of ours alone; the last one is in audit->segment. */
static int
check_files(struct audit *audit, struct audit_problem *problem)
{
	struct segments segments;
	char name[SEGMENT_NAME_BYTES];
	int rc = segments_list(audit->folder, &segments), fd;

	if (rc != 0)
		return audit_problem(
		    problem, rc, "the log's folder: %s", err_text(rc));
	for (size_t i = 0; i < segments.count && rc == 0; i++) {
		audit->segment = segments.rows[i];
		segment_name(&audit->segment, name);
		rc = audit_file_open(
		    audit->folder, name, O_RDONLY, &fd, problem);
		if (rc == 0)
			close(fd);
	}
	segments_done(&segments);
	return rc;
}

static int
see_record(void *context, struct span line, uint64_t place)
{
	struct audit *audit = context;
	uint64_t grant = record_grant(line);
	int rc = grant == 0 ? 0 : grants_add(&audit->grants, grant);

	unsettled_follow(&audit->unsettled, line, record_seq(line));
	return rc != 0 ? rc : intents_follow(&audit->intents, line, place);
}

static int
verify(struct audit *audit, struct verify_result *result)
{
	struct audit_reader *reader = NULL;
	int rc = audit_reader_open_fd(audit->folder, &reader);

	if (rc == 0)
		rc = audit_verify_reader(
		    reader, NULL, see_record, audit, result);
	audit_reader_close(reader);
	return rc;
}

/* Take over the good part of the chain. */
static int
check_chain(struct audit *audit, const char *path, struct verify_result *result,
    struct audit_problem *problem)
{
	int rc = grants_load(audit->folder, &audit->grants);

	bool missing = rc == -ERR_NOT_FOUND;

	if (rc == 0 || missing)
		rc = verify(audit, result);
	if (rc == 0 && missing && result->removed != 0)
		rc = -ERR_CORRUPT;
	if (rc == -ERR_CORRUPT)
		return audit_problem(problem, rc,
		    "%s/%s is not there, damaged, or of a later version: put "
		    "back a good copy; without it approvals could be used "
		    "twice",
		    path, GRANTS_NAME);
	if (rc == -ERR_BUSY)
		return audit_problem(problem, -ERR_CORRUPT,
		    "%s has more than %d intents without outcome, or more than "
		    "%u grants",
		    path, INTENTS_MAX, GRANTS_MAX);
	if (rc != 0)
		return audit_problem(
		    problem, rc, "log in %s: %s", path, err_text(rc));
	if (result->damage != DAMAGE_NONE && result->damage != DAMAGE_TORN)
		return audit_problem(problem, -ERR_CORRUPT,
		    "%s is damaged at record %llu (segment %016llx, byte "
		    "%llu): %s. Nothing was changed. Keep the folder as "
		    "evidence: move it away to start a new log, or put back a "
		    "good copy",
		    path, (unsigned long long)result->bad_record,
		    (unsigned long long)result->bad_segment,
		    (unsigned long long)result->bad_offset,
		    damage_text(result->damage));
	audit->chain.last = result->last;
	memcpy(audit->chain.head, result->head, SHA256_BYTES);
	audit->sealed = result->sealed;
	unsettled_trim(&audit->unsettled, UNSETTLED_MAX);
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
		    "%s/%s has salts of records that the log does not have: "
		    "the log was cut. Nothing was changed. Put back a good "
		    "copy, or move the folder away to start a new log",
		    path, AUDIT_SALTS_NAME);
	if (rc == 0)
		rc = audit_drop_salts(audit);
	if (rc != 0)
		return audit_problem(problem, rc, "%s/%s: %s", path,
		    AUDIT_SALTS_NAME, err_text(rc));
	return 0;
}

/* Whether the last end of service was the log's end too, and has left the key
 * that is to sign next: that is in audit->signer then. */
static bool
find_key(struct audit *audit, const struct verify_result *result)
{
	struct audit_problem problem;
	struct signer *signer = &audit->signer;
	bool found;
	int fd;

	if (audit_file_open(
		audit->folder, AUDIT_KEY_NAME, O_RDONLY, &fd, &problem) != 0)
		return false;
	found = pread(fd, signer->seed, SIGN_SEED_BYTES, 0) == SIGN_SEED_BYTES;
	close(fd);
	signer_complete(signer);
	return found && result->damage == DAMAGE_NONE && result->keys.begun &&
	       result->sealed == result->last &&
	       memcmp(signer->key, result->keys.next, SIGN_KEY_BYTES) == 0;
}

/* From here on the key is in memory only. What is no file of ours alone is no
 * key, and only its name goes. */
static int
drop_key(struct audit *audit)
{
	static const unsigned char zeros[SIGN_SEED_BYTES];
	struct audit_problem problem;
	int fd = -1;
	int rc = audit_file_open(
	    audit->folder, AUDIT_KEY_NAME, O_WRONLY, &fd, &problem);
	bool gone;

	if (rc == -ERR_NOT_FOUND)
		return 0;
	gone = rc != 0 ||
	       (pwrite(fd, zeros, sizeof zeros, 0) == (ssize_t)sizeof zeros &&
		   sync_data(fd) == 0);
	gone = gone && unlinkat(audit->folder, AUDIT_KEY_NAME, 0) == 0 &&
	       sync_folder(audit->folder) == 0;
	if (fd >= 0)
		close(fd);
	return gone ? 0 : -ERR_IO;
}

/* A file of its own for the torn bytes, durable before they are dropped. */
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
		rc = -ERR_NO_SPACE;
	if (rc == 0)
		rc = sync_data(fd);
	if (rc == 0)
		rc = sync_folder(audit->folder);
	close(fd);
	if (rc != 0)
		(void)unlinkat(audit->folder, name, 0);
	return rc;
}

/* What was set aside, for its record. */
struct torn {
	char name[64];
	size_t bytes; /* 0: nothing */
	unsigned char hash[SHA256_BYTES];
};

static int
set_torn_aside(
    struct audit *audit, const struct verify_result *result, struct torn *torn)
{
	size_t count = (size_t)result->torn_bytes;
	char *bytes = alloc_bytes(count);
	int rc = 0;

	if (pread(audit->log.fd, bytes, count, (off_t)result->end_offset) !=
	    (ssize_t)count)
		rc = -ERR_IO;
	snprintf(torn->name, sizeof torn->name, "torn-%llu",
	    (unsigned long long)clock_utc_ms());
	if (rc == 0)
		rc = save_torn(audit, torn->name, bytes, count);
	sha256_of(bytes, count, torn->hash);
	torn->bytes = rc == 0 ? count : 0;
	free(bytes);
	return rc;
}

static int
append_torn(struct audit *audit, const struct torn *torn)
{
	struct record record = {.kind = RECORD_DAMAGE,
	    .why = SPAN("the last write was not complete and was set aside"),
	    .error = ERR_CORRUPT,
	    .bytes = torn->bytes,
	    .detail = span_of(torn->name),
	    .body = torn->hash};

	return audit_append(audit, &record, NULL, NULL);
}

/* The log of an older version becomes the first segment, as it is. */
static int
take_over_old(struct audit *audit, uint64_t size)
{
	struct segment first = {1, SEGMENT_RECORDS};
	char name[SEGMENT_NAME_BYTES];

	segment_name(&first, name);
	if (ftruncate(audit->log.fd, (off_t)size) != 0 ||
	    sync_data(audit->log.fd) != 0 ||
	    renameat(audit->folder, AUDIT_OLD_NAME, audit->folder, name) != 0 ||
	    sync_folder(audit->folder) != 0)
		return -ERR_IO;
	return audit_use_spare(audit);
}

/* After an end that was none, what was read of the last segment need not be on
 * the disk, and a sync of that file could say that it is when it is not: the
 * good part is written anew. */
static int
renew_segment(struct audit *audit, const struct verify_result *result)
{
	char name[SEGMENT_NAME_BYTES];
	int fd;

	if (audit->segment.kind == SEGMENT_OLD)
		return take_over_old(audit, result->end_offset);
	if (audit->segment.kind == SEGMENT_STUB)
		return audit_use_spare(audit);
	segment_name(&audit->segment, name);
	fd = audit_make_segment(audit, name, audit->log.fd, result->end_offset);
	if (fd < 0)
		return fd;
	close(audit->log.fd);
	audit->log.fd = fd;
	audit->log.size = result->end_offset;
	return 0;
}

/* A spare that is whole is as good as a new one. */
static void
find_spare(struct audit *audit)
{
	struct audit_problem problem;
	struct stat status;
	int fd;

	if (audit_file_open(
		audit->folder, AUDIT_SPARE_NAME, O_RDWR, &fd, &problem) != 0)
		return;
	if (fstat(fd, &status) == 0 &&
	    status.st_size == (off_t)audit->limits.segment_bytes)
		audit->spare = fd;
	else
		close(fd);
}

/* Whether the last segment can be written to as it is. */
static bool
is_ready(const struct audit *audit)
{
	struct stat status;

	return audit->segment.kind == SEGMENT_RECORDS &&
	       fstat(audit->log.fd, &status) == 0 &&
	       status.st_size == (off_t)audit->limits.segment_bytes;
}

static int
open_last(struct audit *audit, const struct verify_result *result, bool clean,
    struct torn *torn)
{
	struct audit_problem problem;
	char name[SEGMENT_NAME_BYTES];
	int rc = 0;

	if (audit->segment.first == 0)
		return audit_use_spare(audit);
	segment_name(&audit->segment, name);
	if (audit_file_open(
		audit->folder, name, O_RDWR, &audit->log.fd, &problem) != 0)
		return -ERR_IO;
	audit->log.size = result->end_offset;
	if (result->damage == DAMAGE_TORN)
		rc = set_torn_aside(audit, result, torn);
	if (rc == 0 && !(clean && is_ready(audit)))
		rc = renew_segment(audit, result);
	/* the next start would set the same bytes aside once more */
	if (rc != 0 && torn->bytes != 0 &&
	    file_has_name(audit->folder, name, audit->log.fd))
		(void)unlinkat(audit->folder, torn->name, 0);
	return rc;
}

/* All the room that is needed, before anything is changed for good. After an
 * end that was none salts need not be on the disk either. */
static int
have_room(struct audit *audit, bool clean)
{
	int rc;

	find_spare(audit);
	rc = audit_reserve_salts(audit);
	if (rc == 0)
		rc = audit_make_spare(audit);
	if (rc == 0 && !clean)
		rc = salt_write_again(audit->salts.fd, audit->salts.size);
	return rc;
}

static int
tell_unwritten(const struct audit *audit, const char *path, int error,
    struct audit_problem *problem)
{
	uint64_t mib = AUDIT_OPEN_MIB(audit->limits.segment_bytes);

	if (error != -ERR_NO_SPACE)
		return audit_problem(problem, error,
		    "the log in %s cannot be written: %s", path,
		    err_text(error));
	return audit_problem(problem, error,
	    "the log in %s cannot be written: %s: make room for %llu MiB", path,
	    err_text(error), (unsigned long long)mib);
}

/* Go on where the log ends; in a lineage of its own if the key is lost. */
static int
begin(struct audit *audit, const char *path, const struct verify_result *result,
    struct audit_found *found, struct audit_problem *problem)
{
	bool clean = find_key(audit, result);
	struct torn torn = {.bytes = 0};
	int rc = have_room(audit, clean);

	if (rc == 0)
		rc = open_last(audit, result, clean, &torn);
	if (rc == 0)
		rc = audit_make_spare(audit);
	if (rc == 0)
		rc = drop_key(audit);
	if (rc == 0 && !clean) {
		found->lineage = !result->keys.begun		  ? "first"
				 : result->sealed == result->last ? "lost"
								  : "crash";
		signer_new(&audit->signer);
		memcpy(found->lineage_key, audit->signer.key, SIGN_KEY_BYTES);
		rc = audit_add_lineage(
		    audit, found->lineage, found->lineage_hash);
		found->lineage_seq = audit->chain.last;
	}
	if (rc == 0 && torn.bytes != 0)
		rc = append_torn(audit, &torn);
	return rc == 0 ? 0 : tell_unwritten(audit, path, rc, problem);
}

static struct audit *
audit_new(const struct audit_limits *limits)
{
	static const struct audit_limits usual = {
	    SEGMENT_BYTES, CHECKPOINT_RECORDS, CHECKPOINT_MS};
	struct audit *audit = alloc_bytes(sizeof *audit);

	audit->limits = limits == NULL ? usual : *limits;
	audit->folder = -1;
	audit->lock = -1;
	audit->log.fd = -1;
	audit->spare = -1;
	audit->salts.fd = -1;
	audit->unsettled.most = UNSETTLED_READ_MAX;
	buf_init(&audit->log.batch, AUDIT_BATCH_BYTES);
	buf_init(
	    &audit->salts.batch, (size_t)AUDIT_BATCH_RECORDS * SALT_ROW_BYTES);
	chain_init(&audit->chain, sha256_new());
	return audit;
}

/* What was to be taken over has been. */
static int
write_version(
    struct audit *audit, const char *path, struct audit_problem *problem)
{
	int rc = audit_version_write(audit->folder);

	return rc == 0 ? 0
		       : audit_problem(problem, rc, "%s/%s: %s", path,
			     AUDIT_VERSION_NAME, err_text(rc));
}

int
audit_open(const char *path, const struct audit_limits *limits,
    struct audit **audit_out, struct audit_found *found_out,
    struct audit_problem *problem)
{
	struct audit *audit = audit_new(limits);
	struct verify_result result = {.count = 0};
	struct audit_found found = {.records = 0};
	int rc = open_files(audit, path, problem);
	bool known;

	if (rc == 0)
		rc = audit_version_check(audit->folder, problem);
	known = rc == 1;
	if (rc >= 0)
		rc = check_files(audit, problem);
	if (rc == 0)
		rc = check_chain(audit, path, &result, problem);
	if (rc == 0)
		rc = check_salts(audit, path, problem);
	if (rc == 0) {
		found.records = result.count;
		found.last = result.last;
		found.torn_bytes = result.torn_bytes;
		found.unfinished = audit->intents.count;
		rc = begin(audit, path, &result, &found, problem);
	}
	if (rc == 0 && !known)
		rc = write_version(audit, path, problem);
	if (rc != 0) {
		audit_free(audit);
		return rc;
	}
	if (found_out != NULL)
		*found_out = found;
	*audit_out = audit;
	return 0;
}

/* The sequences of all of them, which `each` may change. */
static uint64_t *
copy_rows(const struct intents *intents)
{
	uint64_t *rows = alloc_array(intents->count + 1, sizeof *rows);

	for (size_t i = 0; i < intents->count; i++)
		rows[i] = intents->rows[i].seq;
	return rows;
}

int
audit_unfinished(struct audit *audit,
    int (*each)(const struct record *intent, uint64_t seq, void *context),
    void *context)
{
	size_t count = audit->intents.count, i = 0;
	uint64_t *rows = copy_rows(&audit->intents);
	struct audit_reader *reader = NULL;
	struct audit_line line;
	struct json_doc doc;
	struct record record;
	int rc = audit_reader_open_fd(audit->folder, &reader);

	json_init(&doc);
	if (rc == 0)
		rc = audit_reader_seek(reader, rows[0]);
	while (rc == 0 && i < count &&
	       (rc = audit_reader_next(reader, &line)) == 1) {
		rc = record_check(line.text);
		if (rc != 0 || record_seq(line.text) != rows[i])
			continue;
		rc = record_parse(&doc, line.text, &record);
		if (rc == 0)
			rc = each(&record, rows[i], context);
		i++;
	}
	json_done(&doc);
	audit_reader_close(reader);
	free(rows);
	return rc;
}
