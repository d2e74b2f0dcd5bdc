/*
 * Retention. Runs in the auditor, between two batches, one segment at a time.
 * The order is: a record that the segment goes, its grants and its stub, the
 * segment, its salts; what a crash leaves undone of it the next start or the
 * next round does.
 */
#include "executor/audit_retain.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "executor/audit_impl.h"
#include "executor/audit_salt.h"
#include "executor/audit_stub.h"
#include "executor/sync.h"

#define SALTS_NEW "salts.new"
#define TIME_COMPARED 19 /* up to the second */

/* The oldest segment that has its records, and the one behind it. */
struct oldest {
	struct segment segment;
	uint64_t next; /* 0: it is the current one */
	uint64_t bytes, total_bytes;
};

static int
measure(const struct audit *audit, const struct segments *list,
    struct oldest *oldest)
{
	char name[SEGMENT_NAME_BYTES];
	struct stat status;

	for (size_t i = 0; i < list->count; i++) {
		if (list->rows[i].kind == SEGMENT_STUB)
			continue;
		segment_name(&list->rows[i], name);
		if (fstatat(
			audit->folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
			return -ERR_IO;
		oldest->total_bytes += (uint64_t)status.st_size;
		if (oldest->segment.first != 0)
			continue;
		oldest->segment = list->rows[i];
		oldest->bytes = (uint64_t)status.st_size;
		if (i + 1 < list->count)
			oldest->next = list->rows[i + 1].first;
	}
	return 0;
}

static int
find_oldest(const struct audit *audit, struct oldest *oldest)
{
	struct segments list;
	int rc = segments_list(audit->folder, &list);

	*oldest = (struct oldest){.next = 0};
	if (rc != 0)
		return rc;
	rc = measure(audit, &list, oldest);
	segments_done(&list);
	return rc;
}

void
audit_state(const struct audit *audit, struct audit_state *state)
{
	state->records = audit->chain.last;
	state->intents = audit->intents.count;
}

void
audit_measure(const struct audit *audit, struct audit_state *state)
{
	struct oldest oldest;
	struct statvfs disk;

	state->log_bytes =
	    find_oldest(audit, &oldest) == 0 ? oldest.total_bytes : UINT64_MAX;
	state->free_bytes = fstatvfs(audit->folder, &disk) == 0
				? (uint64_t)disk.f_bavail * disk.f_frsize
				: UINT64_MAX;
}

/* The record behind it was written so long ago: 1, 0 or an error. */
static int
is_old(const struct audit *audit, uint64_t next, uint64_t keep_ms)
{
	struct segment segment = {next, SEGMENT_RECORDS};
	uint64_t now_ms = (uint64_t)clock_utc_ms();
	struct audit_problem problem;
	char name[SEGMENT_NAME_BYTES], begin[RECORD_TIME_AT + TIME_COMPARED];
	char text[TIME_COMPARED + 1];
	time_t seconds;
	struct tm tm;
	ssize_t got;
	int fd;

	if (now_ms <= keep_ms)
		return 0;
	seconds = (time_t)((now_ms - keep_ms) / 1000);
	if (gmtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) !=
		TIME_COMPARED)
		return 0;
	segment_name(&segment, name);
	if (audit_file_open(audit->folder, name, O_RDONLY, &fd, &problem) != 0)
		return -ERR_IO;
	got = pread(fd, begin, sizeof begin, 0);
	close(fd);
	if (got != (ssize_t)sizeof begin)
		return 0; /* nothing is in it yet */
	return memcmp(begin + RECORD_TIME_AT, text, TIME_COMPARED) < 0 ? 1 : 0;
}

/* Why it goes; NULL: it stays. */
static int
find_reason(const struct audit *audit, const struct audit_keep *keep,
    const struct oldest *oldest, const char **why_out)
{
	const struct intents *intents = &audit->intents;
	uint64_t unsettled = unsettled_first(&audit->unsettled);
	int rc = 0;

	*why_out = NULL;
	if (oldest->next == 0 ||
	    (intents->count != 0 && intents->rows[0].seq < oldest->next) ||
	    (unsettled != 0 && unsettled < oldest->next))
		return 0;
	if (keep->bytes != 0 && oldest->total_bytes > keep->bytes)
		*why_out = "the log is larger than it may be";
	else if (keep->ms != 0)
		rc = is_old(audit, oldest->next, keep->ms);
	if (rc == 1)
		*why_out = "older than records are kept";
	return rc < 0 ? rc : 0;
}

/* Once, however often the removal then fails. */
static int
record_removal(
    struct audit *audit, const struct oldest *oldest, const char *why)
{
	struct record record = {.kind = RECORD_REMOVAL,
	    .why = span_of(why),
	    .bytes = oldest->bytes};
	char detail[64];
	int rc;

	if (audit->removing == oldest->segment.first)
		return 0;
	snprintf(detail, sizeof detail, "records %llu to %llu",
	    (unsigned long long)oldest->segment.first,
	    (unsigned long long)oldest->next - 1);
	record.detail = span_of(detail);
	rc = audit_append(audit, &record, NULL, NULL);
	if (rc == 0)
		rc = audit_flush(audit, true);
	if (rc == 0)
		audit->removing = oldest->segment.first;
	return rc;
}

int
audit_retain(struct audit *audit, const struct audit_keep *keep)
{
	struct oldest oldest;
	const char *why;
	uint64_t next;
	int rc = find_oldest(audit, &oldest);

	if (rc == 0)
		rc = find_reason(audit, keep, &oldest, &why);
	if (rc != 0 || why == NULL)
		return rc;
	rc = record_removal(audit, &oldest, why);
	if (rc == 0)
		rc = audit_remove_oldest(audit->folder, &next);
	if (rc == 0)
		rc = salt_erase_range(
		    audit->salts.fd, oldest.segment.first, next);
	audit->lazy_salts = audit->lazy_salts || rc == 0;
	return rc == 0 ? 1 : rc;
}

static int
renew_salts(struct audit *audit, uint64_t first)
{
	struct audit_problem problem;
	uint64_t dropped;
	int fd, rc;

	(void)unlinkat(audit->folder, SALTS_NEW, 0); /* of one killed */
	rc = audit_file_open(
	    audit->folder, SALTS_NEW, O_RDWR | O_CREAT | O_EXCL, &fd, &problem);
	if (rc != 0)
		return audit_write_error(rc);
	rc = salt_copy_from(audit->salts.fd, first, fd, &dropped);
	if (rc == 0)
		rc = sync_data(fd);
	if (rc == 0 && renameat(audit->folder, SALTS_NEW, audit->folder,
			   AUDIT_SALTS_NAME) != 0)
		rc = -ERR_IO;
	if (rc == 0)
		rc = sync_folder(audit->folder);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	close(audit->salts.fd); /* and with it its lock */
	audit->salts.fd = fd;
	audit->salts.size -= dropped * SALT_ROW_BYTES;
	return 0;
}

/* Nobody erases one meanwhile: he would do it in the old file. */
int
audit_drop_salts(struct audit *audit)
{
	struct oldest oldest;
	uint64_t rows;
	int rc = find_oldest(audit, &oldest);

	if (rc == 0)
		rc = salt_count_before(
		    audit->salts.fd, oldest.segment.first, &rows);
	if (rc != 0 || rows == 0)
		return rc;
	if (flock(audit->salts.fd, LOCK_EX) != 0)
		return -ERR_IO;
	rc = renew_salts(audit, oldest.segment.first);
	if (rc != 0)
		flock(audit->salts.fd, LOCK_UN);
	return rc;
}
