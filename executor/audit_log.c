/*
 * The audit log's writer. Runs in the auditor alone, on entries from a broker
 * that may be in an attacker's hands. Never changes a byte that was flushed.
 */
#include "executor/audit_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "executor/audit_impl.h"
#include "executor/audit_salt.h"
#include "executor/sync.h"

static void
close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void
audit_free(struct audit *audit)
{
	close_fd(audit->log.fd);
	close_fd(audit->salts.fd);
	close_fd(audit->lock);
	close_fd(audit->folder);
	buf_free(&audit->log.batch);
	buf_free(&audit->salts.batch);
	sha256_free(audit->chain.digest);
	grants_done(&audit->grants);
	free(audit);
}

/* All of the batch or nothing. */
static int
tail_write(struct audit *audit, struct tail *tail)
{
	size_t count = tail->batch.len;
	ssize_t got;
	int rc;

	if (count == 0)
		return 0;
	do {
		got = write(tail->fd, tail->batch.data, count);
	} while (got < 0 && errno == EINTR);
	if (got == (ssize_t)count) {
		tail->size += count;
		buf_clear(&tail->batch);
		return 0;
	}
	rc = got < 0 ? err_from_errno(errno) : -ERR_NO_SPACE;
	if (ftruncate(tail->fd, (off_t)tail->size) != 0)
		audit->dead = true;
	return rc == -ERR_NO_SPACE && !audit->dead ? rc : -ERR_IO;
}

static int
write_salts(struct audit *audit)
{
	size_t bytes = audit->salts.batch.len;
	int rc = tail_write(audit, &audit->salts);

	if (rc != 0 || bytes == 0)
		return rc;
	wipe(audit->salts.batch.data, bytes);
	audit->lazy_salts += bytes / SALT_ROW_BYTES;
	return 0;
}

static int
write_log(struct audit *audit)
{
	int rc = tail_write(audit, &audit->log);

	if (rc != 0)
		return rc;
	audit->unsynced += audit->batch_records;
	audit->batch_records = 0;
	return 0;
}

static int
sync_or_die(struct audit *audit, int fd)
{
	int rc = sync_data(fd);

	if (rc != 0)
		audit->dead = true;
	return rc;
}

/* A log that was renamed or removed takes records that nobody will find. */
static int
check_name(struct audit *audit)
{
	struct stat named, ours;

	if (fstatat(audit->folder, AUDIT_LOG_NAME, &named,
		AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstat(audit->log.fd, &ours) == 0 && named.st_dev == ours.st_dev &&
	    named.st_ino == ours.st_ino)
		return 0;
	audit->dead = true;
	return -ERR_NOT_FOUND;
}

static int
sync_log(struct audit *audit)
{
	int rc = audit->unsynced == 0 ? 0 : check_name(audit);

	if (rc == 0 && audit->unsynced != 0)
		rc = sync_or_die(audit, audit->log.fd);
	if (rc == 0)
		audit->unsynced = 0;
	return rc;
}

/* Salts reach the disk when the kernel likes, but never so many that the log
 * looks cut: those of records that are not on disk are bounded here. */
int
audit_flush(struct audit *audit, bool sync)
{
	bool salts_due;
	int rc = audit->dead ? -ERR_IO : 0;

	if (rc == 0 &&
	    audit->unsynced + audit->batch_records > AUDIT_BATCH_RECORDS)
		rc = sync_log(audit);
	if (rc == 0)
		rc = write_salts(audit);
	if (rc == 0)
		rc = write_log(audit);
	salts_due = audit->lazy_salts >= AUDIT_LAZY_SALTS;
	if (rc == 0 && (sync || salts_due))
		rc = sync_log(audit);
	if (rc == 0 && salts_due)
		rc = sync_or_die(audit, audit->salts.fd);
	if (rc == 0 && salts_due)
		audit->lazy_salts = 0;
	return rc;
}

bool
audit_dead(const struct audit *audit)
{
	return audit->dead;
}

bool
audit_granted(const struct audit *audit, uint64_t grant)
{
	return grants_have(&audit->grants, grant);
}

size_t
audit_waiting(const struct audit *audit)
{
	return audit->log.batch.len;
}

static int
may_append(const struct audit *audit, const struct record *record)
{
	if (audit->dead)
		return -ERR_IO;
	if (record->kind == RECORD_INTENT &&
	    audit->intents.count == INTENTS_MAX)
		return -ERR_BUSY;
	if (record->kind == RECORD_INTENT && record->grant != 0 &&
	    grants_have(&audit->grants, record->grant))
		return -ERR_WRONG_STATE;
	if (record->kind == RECORD_OUTCOME &&
	    !intents_has(&audit->intents, record->intent))
		return -ERR_WRONG_STATE;
	return 0;
}

static int
make_room(struct audit *audit)
{
	const struct buf *batch = &audit->log.batch;

	if (batch->max - batch->len < RECORD_LINE_MAX ||
	    audit->batch_records == AUDIT_BATCH_RECORDS)
		return audit_flush(audit, false);
	return 0;
}

/* The line; and if it has a commitment, the row of its salt. */
static int
add_record(struct audit *audit, struct record_head *head,
    const struct record *record, unsigned char hash_out[SHA256_BYTES])
{
	unsigned char salt[SALT_BYTES], commit[SHA256_BYTES];
	int rc = record->body == NULL ? 0 : salt_new(salt);

	if (rc != 0)
		return rc;
	if (record->body != NULL) {
		salt_commit(audit->chain.digest, salt, record->body, commit);
		head->commit = commit;
	}
	rc = record_add(
	    &audit->log.batch, audit->chain.digest, head, record, hash_out);
	if (rc == 0 && record->body != NULL &&
	    salt_add_row(&audit->salts.batch, head->seq, salt) != 0)
		bug("more salts than records in a batch");
	wipe(salt, sizeof salt);
	return rc;
}

static void
follow(struct audit *audit, const struct record *record, uint64_t offset)
{
	if (record->kind == RECORD_OUTCOME)
		intents_remove(&audit->intents, record->intent);
	if (record->kind != RECORD_INTENT)
		return;
	if (intents_add(&audit->intents, audit->chain.last, offset) != 0)
		bug("more intents than their limit");
	if (record->grant != 0 &&
	    grants_add(&audit->grants, record->grant) != 0)
		audit->dead = true; /* one more could not be told from these */
}

int
audit_append(struct audit *audit, const struct record *record,
    uint64_t *seq_out, unsigned char hash_out[SHA256_BYTES])
{
	struct record_head head = {.seq = audit->chain.last + 1,
	    .time_ms = (uint64_t)clock_utc_ms(),
	    .prev = audit->chain.head};
	unsigned char hash[SHA256_BYTES];
	uint64_t offset = 0;
	int rc = may_append(audit, record);

	if (rc == 0)
		rc = make_room(audit);
	if (rc == 0) {
		offset = audit->log.size + audit->log.batch.len;
		rc = add_record(audit, &head, record, hash);
	}
	if (rc != 0)
		return rc;
	memcpy(audit->chain.head, hash, SHA256_BYTES);
	audit->chain.last = head.seq;
	audit->batch_records++;
	follow(audit, record, offset);
	if (seq_out != NULL)
		*seq_out = head.seq;
	if (hash_out != NULL)
		memcpy(hash_out, hash, SHA256_BYTES);
	return 0;
}

int
audit_close(struct audit *audit)
{
	int rc;

	if (audit == NULL)
		return 0;
	rc = audit_flush(audit, true);
	if (rc == 0 && audit->lazy_salts > 0)
		rc = sync_or_die(audit, audit->salts.fd);
	audit_free(audit);
	return rc;
}

static int
open_salts(
    const char *path, int flags, int *fd_out, struct audit_problem *problem)
{
	int folder;
	int rc = audit_folder_open(path, false, &folder, problem);

	if (rc != 0)
		return rc;
	rc = audit_file_open(folder, AUDIT_SALTS_NAME, flags, fd_out, problem);
	close(folder);
	return rc;
}

static int
salt_problem(struct audit_problem *problem, int error, uint64_t seq)
{
	if (error != 0)
		audit_problem(problem, error, "salt of record %llu: %s",
		    (unsigned long long)seq, err_text(error));
	return error;
}

int
audit_erase(const char *path, uint64_t seq, struct audit_problem *problem)
{
	int fd;
	int rc = open_salts(path, O_RDWR, &fd, problem);

	if (rc != 0)
		return rc;
	rc = salt_problem(problem, salt_erase(fd, seq), seq);
	close(fd);
	return rc;
}

int
audit_salt(const char *path, uint64_t seq, unsigned char salt_out[16],
    struct audit_problem *problem)
{
	int fd;
	int rc = open_salts(path, O_RDONLY, &fd, problem);

	if (rc != 0)
		return rc;
	rc = salt_problem(problem, salt_find(fd, seq, salt_out), seq);
	close(fd);
	return rc;
}
