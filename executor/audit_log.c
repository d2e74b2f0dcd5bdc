/*
 * The audit log's writer. Runs in the auditor alone, on entries from a broker
 * that may be in an attacker's hands. Never changes a byte that was flushed.
 */
#include "executor/audit_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "executor/audit_impl.h"
#include "executor/audit_salt.h"
#include "executor/named.h"
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
	close_fd(audit->spare);
	close_fd(audit->salts.fd);
	close_fd(audit->lock);
	close_fd(audit->folder);
	buf_free(&audit->log.batch);
	buf_free(&audit->salts.batch);
	sha256_free(audit->chain.digest);
	grants_done(&audit->grants);
	unsettled_done(&audit->unsettled);
	wipe(&audit->signer, sizeof audit->signer);
	free(audit);
}

/* Unused room again, where a write was cut short. */
static void
take_back(struct audit *audit, struct tail *tail, size_t count)
{
	char *unused;

	if (tail == &audit->salts) {
		if (ftruncate(tail->fd, (off_t)tail->size) != 0)
			audit->dead = true;
		return;
	}
	unused = alloc_bytes(count);
	memset(unused, '\n', count);
	if (pwrite(tail->fd, unused, count, (off_t)tail->size) !=
	    (ssize_t)count)
		audit->dead = true;
	free(unused);
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
		got = pwrite(
		    tail->fd, tail->batch.data, count, (off_t)tail->size);
	} while (got < 0 && errno == EINTR);
	if (got == (ssize_t)count) {
		tail->size += count;
		buf_clear(&tail->batch);
		return 0;
	}
	rc = got < 0 ? audit_write_error(err_from_errno(errno)) : -ERR_NO_SPACE;
	if (got > 0)
		take_back(audit, tail, (size_t)got);
	return audit->dead ? -ERR_IO : rc;
}

static int
write_salts(struct audit *audit)
{
	size_t bytes = audit->salts.batch.len;
	int rc = tail_write(audit, &audit->salts);

	if (rc != 0 || bytes == 0)
		return rc;
	wipe(audit->salts.batch.data, bytes);
	audit->lazy_salts = true;
	return 0;
}

static int
write_log(struct audit *audit)
{
	size_t bytes = audit->log.batch.len;
	int rc = tail_write(audit, &audit->log);

	if (rc != 0)
		return rc;
	audit->unsynced_bytes += bytes;
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
	char name[SEGMENT_NAME_BYTES];

	segment_name(&audit->segment, name);
	if (file_has_name(audit->folder, name, audit->log.fd))
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
	if (rc != 0)
		return rc;
	audit->unsynced = 0;
	audit->unsynced_bytes = 0;
	return 0;
}

/* Salts reach the disk when the kernel likes, but never so many that the log
 * looks cut: those of records that are not on disk are bounded here. */
int
audit_flush(struct audit *audit, bool sync)
{
	bool salts_due;
	int rc = audit->dead ? -ERR_IO : 0;

	if (rc == 0 &&
	    (audit->unsynced + audit->batch_records > AUDIT_BATCH_RECORDS ||
		audit->unsynced_bytes + audit->log.batch.len >
		    AUDIT_BATCH_BYTES))
		rc = sync_log(audit);
	if (rc == 0)
		rc = write_salts(audit);
	if (rc == 0)
		rc = write_log(audit);
	salts_due =
	    audit->lazy_salts && clock_ms() >= audit->salts_ms + AUDIT_SALTS_MS;
	if (rc == 0 && (sync || salts_due))
		rc = sync_log(audit);
	if (rc == 0 && salts_due)
		rc = sync_or_die(audit, audit->salts.fd);
	if (rc == 0 && salts_due) {
		audit->lazy_salts = false;
		audit->salts_ms = clock_ms();
	}
	if (rc == 0)
		(void)audit_make_spare(audit); /* no matter yet */
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
	if (record->kind == RECORD_SETTLEMENT &&
	    (record->status == OUTCOME_UNKNOWN ||
		!unsettled_has(&audit->unsettled, record->intent)))
		return -ERR_WRONG_STATE;
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
follow(struct audit *audit, const struct record *record)
{
	if (record->kind == RECORD_OUTCOME)
		intents_remove(&audit->intents, record->intent);
	if (record->kind == RECORD_OUTCOME && record->status == OUTCOME_UNKNOWN)
		unsettled_add(
		    &audit->unsettled, record->intent, audit->chain.last);
	if (record->kind == RECORD_SETTLEMENT)
		unsettled_remove(&audit->unsettled, record->intent);
	if (record->kind != RECORD_INTENT)
		return;
	if (intents_add(&audit->intents, audit->chain.last, 0) != 0)
		bug("more intents than their limit");
	if (record->grant != 0 &&
	    grants_add(&audit->grants, record->grant) != 0)
		audit->dead = true; /* one more could not be told from these */
}

/* Behind the others, where there is room for it. */
static int
append(struct audit *audit, const struct record *record,
    unsigned char hash_out[SHA256_BYTES])
{
	struct record_head head = {.seq = audit->chain.last + 1,
	    .time_ms = (uint64_t)clock_utc_ms(),
	    .prev = audit->chain.head};
	int rc = add_record(audit, &head, record, hash_out);

	if (rc != 0)
		return rc;
	memcpy(audit->chain.head, hash_out, SHA256_BYTES);
	audit->chain.last = head.seq;
	audit->batch_records++;
	follow(audit, record);
	return 0;
}

int
audit_add_lineage(
    struct audit *audit, const char *why, unsigned char hash_out[SHA256_BYTES])
{
	struct record record = {.kind = RECORD_LINEAGE,
	    .key = audit->signer.key,
	    .why = span_of(why),
	    .signer = &audit->signer};
	int rc = append(audit, &record, hash_out);

	if (rc == 0)
		audit->sealed = audit->chain.last;
	return rc;
}

/* The old key is gone when this returns. */
static int
add_checkpoint(struct audit *audit, const char *why)
{
	unsigned char hash[SHA256_BYTES];
	struct record record = {.kind = RECORD_CHECKPOINT,
	    .key = audit->signer.key,
	    .detail = span_of(why),
	    .signer = &audit->signer};
	struct signer next;
	int rc;

	signer_new(&next);
	record.next = next.key;
	rc = append(audit, &record, hash);
	if (rc == 0) {
		memcpy(audit->head_hash, hash, SHA256_BYTES);
		memcpy(audit->head_key, audit->signer.key, SIGN_KEY_BYTES);
		audit->head = audit->chain.last;
		memcpy(&audit->signer, &next, sizeof next);
		audit->sealed = audit->chain.last;
		audit->unsealed_ms = 0;
	}
	wipe(&next, sizeof next);
	return rc;
}

/* A segment has room for one more record and the checkpoint at its end. */
static bool
segment_is_full(const struct audit *audit)
{
	return audit->log.size + audit->log.batch.len + 2 * RECORD_LINE_MAX >
	       audit->limits.segment_bytes;
}

/* Room for a record and a checkpoint in batch and segment. */
static int
make_room(struct audit *audit)
{
	const struct buf *batch = &audit->log.batch;
	int rc = 0;

	if (audit->dead)
		return -ERR_IO;
	if (batch->max - batch->len < 3 * RECORD_LINE_MAX ||
	    audit->batch_records + 2 > AUDIT_BATCH_RECORDS)
		rc = audit_flush(audit, false);
	if (rc == 0 && !audit->full && segment_is_full(audit)) {
		rc = add_checkpoint(audit, "end of segment");
		audit->full = rc == 0;
	}
	return rc == 0 && audit->full ? audit_rotate(audit) : rc;
}

int
audit_checkpoint(struct audit *audit, const char *why)
{
	int rc;

	if (audit->sealed == audit->chain.last)
		return 0;
	rc = make_room(audit);
	if (rc != 0 || audit->sealed == audit->chain.last)
		return rc;
	return add_checkpoint(audit, why);
}

uint64_t
audit_checkpointed(const struct audit *audit,
    unsigned char hash_out[SHA256_BYTES], unsigned char key_out[SIGN_KEY_BYTES])
{
	memcpy(hash_out, audit->head_hash, SHA256_BYTES);
	memcpy(key_out, audit->head_key, SIGN_KEY_BYTES);
	return audit->head;
}

int64_t
audit_checkpoint_due(const struct audit *audit)
{
	return audit->unsealed_ms == 0
		   ? 0
		   : audit->unsealed_ms + audit->limits.checkpoint_ms;
}

int
audit_append(struct audit *audit, const struct record *record,
    uint64_t *seq_out, unsigned char hash_out[SHA256_BYTES])
{
	unsigned char hash[SHA256_BYTES];
	int rc = may_append(audit, record);

	if (rc == 0)
		rc = make_room(audit);
	if (rc == 0 && audit->chain.last - audit->sealed >=
			   audit->limits.checkpoint_records)
		rc = add_checkpoint(audit, "so many records");
	if (rc == 0)
		rc = append(audit, record, hash);
	if (rc != 0)
		return rc;
	if (audit->unsealed_ms == 0)
		audit->unsealed_ms = clock_ms();
	if (seq_out != NULL)
		*seq_out = audit->chain.last;
	if (hash_out != NULL)
		memcpy(hash_out, hash, SHA256_BYTES);
	return 0;
}

/* The private half of the successor that the last checkpoint named, for the
 * next start. Without it that begins another lineage, so no error matters. */
static void
keep_key(struct audit *audit)
{
	struct audit_problem problem;
	int fd;

	if (audit->sealed != audit->chain.last ||
	    audit_file_open(audit->folder, AUDIT_KEY_NAME,
		O_WRONLY | O_CREAT | O_TRUNC, &fd, &problem) != 0)
		return;
	if (write(fd, audit->signer.seed, SIGN_SEED_BYTES) == SIGN_SEED_BYTES &&
	    sync_data(fd) == 0)
		(void)sync_folder(audit->folder);
	close(fd);
}

int
audit_close(struct audit *audit)
{
	int rc;

	if (audit == NULL)
		return 0;
	rc = audit->dead ? -ERR_IO : audit_checkpoint(audit, "end");
	if (rc == 0)
		rc = audit_flush(audit, true);
	if (rc == 0 && audit->lazy_salts)
		rc = sync_or_die(audit, audit->salts.fd);
	if (rc == 0)
		keep_key(audit);
	audit_free(audit);
	return rc;
}
