/*
 * Segments of the log: made before they are needed, with room for all they
 * will have, so that neither a record nor a new segment needs any then. Runs
 * in the auditor.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "executor/audit_impl.h"
#include "executor/audit_salt.h"
#include "executor/reserve.h"
#include "executor/sync.h"

#define FILL_BYTES (256u << 10)
#define NEW_NAME "segment.new" /* until it has its name */
#define RETRY_MS 1000
#define LINE_LEAST 400 /* of a record that has a salt */

static int
write_error(ssize_t got)
{
	if (got >= 0)
		return -ERR_NO_SPACE;
	return audit_write_error(err_from_errno(errno));
}

/* Bytes of `source` up to `bytes`, and newlines from there on to `end`. */
static int
fill(int fd, int source, uint64_t bytes, uint64_t end)
{
	char *chunk = alloc_bytes(FILL_BYTES);
	uint64_t at = 0;
	int rc = 0;

	while (rc == 0 && at < end) {
		size_t count = FILL_BYTES;
		ssize_t got;

		if (count > end - at)
			count = (size_t)(end - at);
		memset(chunk, '\n', count);
		if (at < bytes) {
			size_t copy =
			    bytes - at < count ? (size_t)(bytes - at) : count;

			if (pread(source, chunk, copy, (off_t)at) !=
			    (ssize_t)copy)
				rc = -ERR_IO;
		}
		got = rc != 0 ? 0 : pwrite(fd, chunk, count, (off_t)at);
		if (rc == 0 && got != (ssize_t)count)
			rc = write_error(got);
		at += count;
	}
	free(chunk);
	return rc;
}

int
audit_make_segment(
    struct audit *audit, const char *name, int source, uint64_t bytes)
{
	struct audit_problem problem;
	uint64_t end = audit->limits.segment_bytes;
	int fd = -1, rc;

	(void)unlinkat(audit->folder, NEW_NAME, 0); /* of one that was killed */
	rc = audit_file_open(
	    audit->folder, NEW_NAME, O_RDWR | O_CREAT | O_EXCL, &fd, &problem);
	if (rc != 0)
		return audit_write_error(rc);
	rc = fill(fd, source, bytes, end > bytes ? end : bytes);
	if (rc == 0)
		rc = sync_data(fd);
	if (rc == 0 &&
	    renameat(audit->folder, NEW_NAME, audit->folder, name) != 0)
		rc = -ERR_IO;
	if (rc == 0)
		rc = sync_folder(audit->folder);
	if (rc == 0)
		return fd;
	(void)unlinkat(audit->folder, NEW_NAME, 0);
	close(fd);
	return rc;
}

int
audit_reserve_salts(struct audit *audit)
{
	uint64_t salts =
	    audit->limits.segment_bytes / LINE_LEAST * SALT_ROW_BYTES;

	return reserve_room(audit->salts.fd, audit->salts.size, 2 * salts);
}

int
audit_make_spare(struct audit *audit)
{
	int rc;

	if (audit->spare >= 0)
		return 0;
	if (audit->spare_ms != 0 && clock_ms() < audit->spare_ms)
		return -ERR_NO_SPACE;
	audit->spare_ms = clock_ms() + RETRY_MS;
	rc = audit_reserve_salts(audit);
	if (rc == 0)
		rc = audit_make_segment(audit, AUDIT_SPARE_NAME, -1, 0);
	if (rc < 0)
		return rc;
	audit->spare = rc;
	audit->spare_ms = 0;
	return 0;
}

int
audit_use_spare(struct audit *audit)
{
	struct segment next = {audit->chain.last + 1, SEGMENT_RECORDS};
	char name[SEGMENT_NAME_BYTES];
	int rc = audit_make_spare(audit);

	if (rc != 0)
		return rc;
	segment_name(&next, name);
	if (renameat(audit->folder, AUDIT_SPARE_NAME, audit->folder, name) !=
		0 ||
	    sync_folder(audit->folder) != 0) {
		audit->dead = true;
		return -ERR_IO;
	}
	if (audit->log.fd >= 0)
		close(audit->log.fd);
	audit->log.fd = audit->spare;
	audit->log.size = 0;
	audit->spare = -1;
	audit->segment = next;
	return 0;
}

int
audit_rotate(struct audit *audit)
{
	int rc = audit_make_spare(audit);

	if (rc == 0)
		rc = audit_flush(audit, true);
	if (rc != 0)
		return rc;
	/* first, so that only a last segment ever has unused room */
	if (ftruncate(audit->log.fd, (off_t)audit->log.size) != 0 ||
	    sync_data(audit->log.fd) != 0) {
		audit->dead = true;
		return -ERR_IO;
	}
	rc = audit_use_spare(audit);
	if (rc != 0)
		return rc;
	audit->full = false;
	(void)audit_make_spare(audit); /* asked for again when it is needed */
	return 0;
}
