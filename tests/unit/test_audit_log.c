/*
 * The audit log's writer: what it refuses to open, torn ends, full disks,
 * failed syncs, salts, unfinished intents; and a process killed at random
 * moments, after which everything it acknowledged is there.
 */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/audit_salt.h"
#include "executor/sync.h"
#include "tests/unit/audit_fixture.h"

#define KILLS 100

static char log_path[80], salts_path[80];
static const unsigned char body[SHA256_BYTES] = "what the record is about";

/* Stands in for sync_linux.c, so that a sync can be made to fail. */
static bool sync_fails;
static int syncs;
static size_t log_on_disk; /* bytes of the log at its last sync */

/* Bytes of a log's file without its unused room. */
static size_t
used_fd(int fd)
{
	struct stat status;
	size_t used;
	char *text;

	ck_assert_int_eq(fstat(fd, &status), 0);
	used = (size_t)status.st_size;
	text = malloc(used + 1);
	ck_assert_int_eq(pread(fd, text, used, 0), (ssize_t)used);
	while (used > 0 && text[used - 1] == '\n')
		used--;
	free(text);
	return used == 0 ? 0 : used + 1;
}

static size_t
used(void)
{
	int fd = open(log_path, O_RDONLY);
	size_t bytes;

	ck_assert_int_ge(fd, 0);
	bytes = used_fd(fd);
	close(fd);
	return bytes;
}

int
sync_data(int fd)
{
	struct stat synced, named;

	syncs++;
	if (!sync_fails && fstat(fd, &synced) == 0 &&
	    stat(log_path, &named) == 0 && synced.st_ino == named.st_ino)
		log_on_disk = used_fd(fd);
	return sync_fails ? -ERR_IO : 0;
}

int
sync_folder(int fd)
{
	(void)fd;
	return 0;
}

static void
setup(void)
{
	folder_make();
	snprintf(log_path, sizeof log_path, "%s/segment-0000000000000001.jsonl",
	    folder);
	snprintf(salts_path, sizeof salts_path, "%s/salts", folder);
	limits = (struct audit_limits){1u << 20, 2048, 10000};
}

static void
must_not_open(int error, const char *word)
{
	ck_assert_int_eq(
	    audit_open(folder, &limits, &audit, &found, &problem), error);
	ck_assert_msg(strstr(problem.text, word) != NULL, "%s", problem.text);
	audit = NULL;
}

static struct record
intent(void)
{
	return (struct record){.kind = RECORD_INTENT,
	    .request = 9,
	    .session = 4,
	    .capability = SPAN("notify.me"),
	    .rule = SPAN("tell"),
	    .body = body};
}

static struct record
outcome(uint64_t seq)
{
	return (struct record){.kind = RECORD_OUTCOME,
	    .intent = seq,
	    .number = NO_CAPABILITY,
	    .status = OUTCOME_DONE};
}

static uint64_t
must_append(const struct record *record)
{
	uint64_t seq = 0;

	ck_assert_int_eq(audit_append(audit, record, &seq, NULL), 0);
	return seq;
}

static void
append_many(int count)
{
	struct record record = {.kind = RECORD_START, .detail = SPAN("x")};

	for (int i = 0; i < count; i++)
		must_append(&record);
	ck_assert_int_eq(audit_flush(audit, true), 0);
}

/* Count what is no lineage and no checkpoint. */
static int
see_plain(void *context, struct span line, uint64_t place)
{
	uint64_t *count = context;

	(void)place;
	*count += seal_line_is(line) ? 0 : 1;
	return 0;
}

static struct verify_result
verified(void)
{
	struct verify_result result;

	ck_assert_int_eq(audit_verify(folder, NULL, NULL, &result), 0);
	return result;
}

static void
must_verify(uint64_t plain)
{
	struct verify_result result;
	uint64_t count = 0;

	ck_assert_int_eq(audit_verify(folder, see_plain, &count, &result), 0);
	ck_assert_str_eq(damage_name(result.damage), "none");
	ck_assert_uint_eq(count, plain);
}

/* The segment is these bytes and unused room. */
static void
put_log(const char *bytes, size_t count)
{
	int fd = open(log_path, O_WRONLY | O_TRUNC);
	char *unused = malloc(limits.segment_bytes);

	memset(unused, '\n', limits.segment_bytes);
	ck_assert_int_eq(write(fd, bytes, count), (ssize_t)count);
	count = limits.segment_bytes - count;
	ck_assert_int_eq(write(fd, unused, count), (ssize_t)count);
	free(unused);
	close(fd);
}

/* Its first bytes; free them. */
static char *
get_log(size_t count)
{
	int fd = open(log_path, O_RDONLY);
	char *bytes = malloc(count + 1);

	ck_assert_int_eq(read(fd, bytes, count), (ssize_t)count);
	close(fd);
	return bytes;
}

static void
cut_log(size_t count)
{
	char *bytes = get_log(count);

	put_log(bytes, count);
	free(bytes);
}

static size_t
size_of(const char *path)
{
	struct stat status;

	ck_assert_int_eq(stat(path, &status), 0);
	return (size_t)status.st_size;
}

static void
add_to(const char *path, const void *bytes, size_t count)
{
	int fd = open(path, O_WRONLY | O_APPEND);

	ck_assert_int_eq(write(fd, bytes, count), (ssize_t)count);
	close(fd);
}

/* How many files whose name begins with "torn-"; *size_out is the size of one
 * of them, and all of them are removed. */
static int
take_torn(off_t *size_out)
{
	DIR *open_folder = opendir(folder);
	struct dirent *entry;
	struct stat status;
	int count = 0;

	while ((entry = readdir(open_folder)) != NULL) {
		if (strncmp(entry->d_name, "torn-", 5) != 0)
			continue;
		ck_assert_int_eq(
		    fstatat(dirfd(open_folder), entry->d_name, &status, 0), 0);
		unlinkat(dirfd(open_folder), entry->d_name, 0);
		*size_out = status.st_size;
		count++;
	}
	closedir(open_folder);
	return count;
}

/*
 * Opening.
 */

START_TEST(goes_on_where_it_was)
{
	unsigned char hash[SHA256_BYTES];
	struct record record = {.kind = RECORD_START};
	struct verify_result result;
	uint64_t seq;

	must_open();
	ck_assert_uint_eq(found.records, 0);
	ck_assert_str_eq(found.lineage, "first");
	ck_assert_uint_eq(found.lineage_seq, 1);
	append_many(3);
	must_close();
	must_open();
	ck_assert_uint_eq(found.records, 5);
	ck_assert_uint_eq(found.torn_bytes, 0);
	ck_assert_ptr_null(found.lineage);
	ck_assert_int_eq(audit_append(audit, &record, &seq, hash), 0);
	ck_assert_uint_eq(seq, 6);
	ck_assert_int_eq(audit_flush(audit, true), 0);
	result = verified();
	ck_assert_uint_eq(result.count, 6);
	ck_assert_mem_eq(result.head, hash, sizeof hash);
	ck_assert_uint_eq(result.sealed, 5);
	must_close();
	ck_assert_uint_eq(verified().starts, 0);
}
END_TEST

START_TEST(makes_its_folder)
{
	struct stat status;

	rmdir(folder);
	must_open();
	ck_assert_int_eq(stat(folder, &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(log_path, &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0600);
	ck_assert_int_eq(stat(salts_path, &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0600);
}
END_TEST

START_TEST(one_writer)
{
	struct audit *first;

	must_open();
	first = audit;
	must_not_open(-ERR_BUSY, "another auditor");
	audit = first;
	must_close();
	must_open();
}
END_TEST

START_TEST(private_only)
{
	must_open();
	must_close();
	chmod(folder, 0750);
	must_not_open(-ERR_PEER, "chmod 700");
	chmod(folder, 0700);
	chmod(log_path, 0644);
	must_not_open(-ERR_PEER, "chmod 600");
	chmod(log_path, 0600);
	must_open();
}
END_TEST

START_TEST(no_links_and_no_fifos)
{
	char other[80];

	snprintf(other, sizeof other, "%s/other", folder);
	must_open();
	append_many(1);
	must_close();
	ck_assert_int_eq(rename(log_path, other), 0);
	ck_assert_int_eq(symlink(other, log_path), 0);
	must_not_open(-ERR_PATH, "symbolic link");
	unlink(log_path);
	ck_assert_int_eq(link(other, log_path), 0);
	must_not_open(-ERR_NOT_REGULAR, "second name");
	unlink(log_path);
	ck_assert_int_eq(mkfifo(log_path, 0600), 0);
	must_not_open(-ERR_NOT_REGULAR, "right type");
	unlink(log_path);
	ck_assert_int_eq(symlink("/nowhere", log_path), 0);
	must_not_open(-ERR_PATH, "symbolic link");
	unlink(log_path);
	ck_assert_int_eq(rename(other, log_path), 0);
	must_open();
	must_close();
	ck_assert_int_eq(rename(folder, "/tmp/test_audit_log.moved"), 0);
	ck_assert_int_eq(symlink("/tmp/test_audit_log.moved", folder), 0);
	ck_assert_int_ne(
	    audit_open(folder, &limits, &audit, &found, &problem), 0);
	unlink(folder);
	ck_assert_int_eq(rename("/tmp/test_audit_log.moved", folder), 0);
}
END_TEST

START_TEST(damage_is_refused_and_kept)
{
	char text[8];
	int fd;

	must_open();
	append_many(5);
	must_close();
	fd = open(log_path, O_RDWR);
	ck_assert_int_eq(pread(fd, text, 1, 600), 1);
	text[0] = (char)(text[0] ^ 1);
	ck_assert_int_eq(pwrite(fd, text, 1, 600), 1);
	close(fd);
	must_not_open(-ERR_CORRUPT, "record 2");
	ck_assert_ptr_nonnull(strstr(problem.text, "move it away"));
	ck_assert_uint_eq(verified().bad_record, 2);
}
END_TEST

/* Every length the last line can be torn to. */
START_TEST(torn_at_every_byte)
{
	size_t whole, before;
	off_t torn = 0;
	char *bytes;

	must_open();
	append_many(2);
	before = used();
	append_many(1);
	whole = used();
	bytes = get_log(whole);
	abandon();
	for (size_t length = whole - 2; length > before; length--) {
		put_log(bytes, length);
		must_open();
		ck_assert_uint_eq(found.records, 3);
		ck_assert_uint_eq(found.torn_bytes, length - before);
		ck_assert_str_eq(found.lineage, "crash");
		must_close();
		must_verify(3);
		ck_assert_int_eq(take_torn(&torn), 1);
		ck_assert_uint_eq((size_t)torn, length - before);
		ck_assert_int_eq(truncate(salts_path, 0), 0);
	}
	free(bytes);
}
END_TEST

/* Power is cut in a write: any of its sectors is there, or is not. */
START_TEST(torn_in_any_sectors)
{
	struct record record = {.kind = RECORD_START, .detail = SPAN("xyz")};
	size_t whole, before;
	char *bytes, *torn;

	must_open();
	append_many(_i);
	before = used();
	for (int i = 0; i < 40; i++)
		must_append(&record);
	ck_assert_int_eq(audit_flush(audit, true), 0);
	whole = used();
	bytes = get_log(whole);
	torn = malloc(whole);
	abandon();
	for (int round = 0; round < 40; round++) {
		memcpy(torn, bytes, whole);
		for (size_t at = before / 512 * 512; at < whole; at += 512)
			for (size_t i = at; i < at + 512 && i < whole; i++)
				if (i >= before && (round >> at / 512 % 6 & 1))
					torn[i] = '\n';
		put_log(torn, whole);
		must_open();
		ck_assert_uint_ge(found.records, (uint64_t)_i + 1);
		must_close();
		ck_assert_int_eq(verified().damage, DAMAGE_NONE);
		ck_assert_int_eq(truncate(salts_path, 0), 0);
	}
	free(bytes);
	free(torn);
}
END_TEST

START_TEST(torn_beyond_a_line_is_damage)
{
	static char text[3 * RECORD_LINE_MAX];
	size_t length;
	char *bytes;

	must_open();
	append_many(1);
	length = used();
	bytes = get_log(length);
	abandon();
	memcpy(text, bytes, length);
	free(bytes);
	memset(text + length, 'x', RECORD_LINE_MAX);
	put_log(text, length + RECORD_LINE_MAX);
	must_not_open(-ERR_CORRUPT, "record 3");
}
END_TEST

/*
 * Writing.
 */

START_TEST(nothing_before_the_flush)
{
	struct record record = {.kind = RECORD_START};

	must_open();
	must_append(&record);
	ck_assert_uint_eq(used(), 0);
	ck_assert_uint_gt(audit_waiting(audit), 0);
	syncs = 0;
	ck_assert_int_eq(audit_flush(audit, false), 0);
	ck_assert_int_eq(syncs, 0);
	ck_assert_uint_eq(audit_waiting(audit), 0);
	must_verify(1);
	ck_assert_int_eq(audit_flush(audit, true), 0);
	ck_assert_int_eq(syncs, 1);
	ck_assert_int_eq(audit_flush(audit, true), 0);
	ck_assert_int_eq(syncs, 1);
}
END_TEST

START_TEST(full_batch_is_written)
{
	static char text[1000];
	struct record record = {
	    .kind = RECORD_START, .detail = {text, sizeof text}, .body = NULL};

	memset(text, 1, sizeof text);
	must_open();
	for (int i = 0; i < 500; i++)
		must_append(&record);
	ck_assert_uint_gt(verified().bytes, 500 * 6000 - AUDIT_BATCH_BYTES);
	must_close();
	must_verify(500);
}
END_TEST

START_TEST(refused_records_change_nothing)
{
	struct record record = {.kind = RECORD_KIND_COUNT};
	uint64_t seq = 77;

	must_open();
	ck_assert_int_eq(audit_flush(audit, true), 0);
	ck_assert_int_eq(audit_append(audit, &record, &seq, NULL), -ERR_RANGE);
	record.kind = RECORD_HELLO;
	record.body = body;
	ck_assert_int_eq(audit_append(audit, &record, &seq, NULL), -ERR_RANGE);
	record = outcome(1);
	ck_assert_int_eq(
	    audit_append(audit, &record, &seq, NULL), -ERR_WRONG_STATE);
	ck_assert_uint_eq(seq, 77);
	ck_assert_uint_eq(audit_waiting(audit), 0);
	append_many(1);
	must_close();
	must_verify(1);
	ck_assert_uint_eq(size_of(salts_path), 0);
}
END_TEST

static void
limit_files(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A disk that fills up in the middle of a batch. */
START_TEST(short_write_is_taken_back)
{
	struct record record = intent();
	size_t before;
	int rc;

	must_open();
	append_many(10);
	before = used();
	for (size_t room = 0; room < 1500; room += 300) {
		must_append(&record);
		must_append(&record);
		must_append(&record);
		limit_files(before + room);
		rc = audit_flush(audit, true);
		limit_files(RLIM_INFINITY); /* Check writes a file too */
		ck_assert_int_eq(rc, -ERR_NO_SPACE);
		ck_assert(!audit_dead(audit));
		ck_assert_uint_eq(used(), before);
		must_verify(10);
	}
	ck_assert_int_eq(audit_flush(audit, true), 0);
	must_close();
	must_verify(25);
	ck_assert_uint_eq(size_of(salts_path), 15 * SALT_ROW_BYTES);
}
END_TEST

START_TEST(failed_sync_is_final)
{
	struct record record = {.kind = RECORD_START};

	must_open();
	append_many(1);
	must_append(&record);
	sync_fails = true;
	ck_assert_int_eq(audit_flush(audit, true), -ERR_IO);
	sync_fails = false;
	ck_assert(audit_dead(audit));
	ck_assert_int_eq(audit_flush(audit, true), -ERR_IO);
	ck_assert_int_eq(audit_append(audit, &record, NULL, NULL), -ERR_IO);
	ck_assert_int_eq(audit_close(audit), -ERR_IO);
	must_open();
	ck_assert_uint_eq(found.records, 3);
	ck_assert_str_eq(found.lineage, "crash");
}
END_TEST

/*
 * Salts.
 */

START_TEST(commitment_can_be_shown)
{
	struct record record = intent();
	unsigned char salt[SALT_BYTES], commit[SHA256_BYTES];
	struct sha256 *digest = sha256_new();
	char digits[2 * SHA256_BYTES + 1], line[RECORD_LINE_MAX] = "";
	int fd;

	must_open();
	must_append(&record);
	must_close();
	ck_assert_int_eq(audit_salt(folder, 2, salt, &problem), 0);
	salt_commit(digest, salt, body, commit);
	hex_encode(commit, sizeof commit, digits);
	fd = open(log_path, O_RDONLY);
	ck_assert_int_gt(read(fd, line, sizeof line - 1), 0);
	close(fd);
	ck_assert_ptr_nonnull(strstr(line, digits));
	sha256_free(digest);
}
END_TEST

START_TEST(erasing_keeps_the_chain)
{
	struct record record = intent(), bare = {.kind = RECORD_START};
	unsigned char salt[SALT_BYTES];
	struct verify_result before;

	must_open();
	for (int i = 0; i < 300; i++) {
		must_append(&record);
		must_append(&bare);
	}
	ck_assert_int_eq(audit_flush(audit, true), 0);
	before = verified();
	for (uint64_t seq = 1; seq <= 601; seq++) {
		int rc = audit_erase(folder, seq, &problem);

		ck_assert_int_eq(rc, seq % 2 == 0 ? 0 : -ERR_NOT_FOUND);
	}
	ck_assert_int_eq(audit_erase(folder, 2, &problem), 0);
	ck_assert_int_eq(audit_erase(folder, 0, &problem), -ERR_NOT_FOUND);
	ck_assert_int_eq(
	    audit_erase(folder, UINT64_MAX, &problem), -ERR_NOT_FOUND);
	ck_assert_int_eq(
	    audit_salt(folder, 78, salt, &problem), -ERR_WRONG_STATE);
	ck_assert_uint_eq(size_of(salts_path), 300 * SALT_ROW_BYTES);
	must_append(&record);
	must_close();
	ck_assert_int_eq(audit_salt(folder, 602, salt, &problem), 0);
	must_verify(601);
	ck_assert_uint_eq(before.count, 601);
	must_open();
	ck_assert_uint_eq(found.unfinished, 301);
}
END_TEST

/* Rows whose records a crash swallowed go; so does half a row. */
START_TEST(salts_without_records)
{
	struct record record = intent();
	static const char row[] =
	    "0000000000000010 00112233445566778899aabbccddeeff\n"
	    "0000000000000011 00112233445566778899aabbccddeeff\n"
	    "00000000";

	must_open();
	must_append(&record);
	must_close();
	add_to(salts_path, row, sizeof row - 1);
	must_open();
	ck_assert_uint_eq(size_of(salts_path), SALT_ROW_BYTES);
	must_append(&record);
	must_close();
	must_verify(2);
	ck_assert_uint_eq(size_of(salts_path), 2 * SALT_ROW_BYTES);
	must_open();
}
END_TEST

/* More of them than one batch: the log was cut, not the machine. */
START_TEST(log_cut_far_is_seen)
{
	struct record record = intent(), done;
	size_t early = 0, salts;

	must_open();
	for (int i = 0; i < AUDIT_BATCH_RECORDS + 2; i++) {
		done = outcome(must_append(&record));
		must_append(&done);
		if (i == 0) {
			ck_assert_int_eq(audit_flush(audit, true), 0);
			early = used();
		}
	}
	must_close();
	salts = size_of(salts_path);
	cut_log(early);
	must_not_open(-ERR_CORRUPT, "the log was cut");
	cut_log(0);
	must_not_open(-ERR_CORRUPT, "the log was cut");
	ck_assert_uint_eq(size_of(salts_path), salts);
}
END_TEST

/* A flood of refusals that nobody waits for, and the power is cut when all
 * salts are on disk and of the log only what was synced. */
START_TEST(power_cut_in_a_flood)
{
	static const int steps[] = {1, 100, AUDIT_BATCH_RECORDS - 1,
	    AUDIT_BATCH_RECORDS, AUDIT_BATCH_RECORDS + 1};
	struct record record = {.kind = RECORD_DECISION,
	    .verdict = VERDICT_DENY,
	    .capability = SPAN("x"),
	    .number = NO_CAPABILITY,
	    .body = body};
	size_t log;
	off_t salts;

	limits.segment_bytes = 32u << 20;
	for (int count = 900; count <= 3300; count += 300) {
		must_open();
		append_many(1);
		for (int i = 0; i < count; i++) {
			must_append(&record);
			if (i % steps[_i] == 0)
				ck_assert_int_eq(audit_flush(audit, false), 0);
		}
		ck_assert_int_eq(audit_flush(audit, false), 0);
		log = log_on_disk;
		salts = (off_t)size_of(salts_path);
		must_close();
		cut_log(log);
		ck_assert_int_eq(truncate(salts_path, salts), 0);
		must_open();
		must_close();
	}
	ck_assert_int_eq(verified().damage, DAMAGE_NONE);
}
END_TEST

/*
 * Intents.
 */

static int
on_unfinished(const struct record *record, uint64_t seq, void *context)
{
	struct record unknown = *record;
	uint64_t *sum = context;

	ck_assert_int_eq(record->kind, RECORD_INTENT);
	ck_assert_uint_eq(record->session, 4);
	ck_assert(span_is(record->capability, "notify.me"));
	*sum += seq;
	unknown.kind = RECORD_OUTCOME;
	unknown.intent = seq;
	unknown.status = OUTCOME_UNKNOWN;
	return audit_append(audit, &unknown, NULL, NULL);
}

START_TEST(unfinished_intents_are_told_once)
{
	struct record record = intent(), done;
	uint64_t sum = 0;

	must_open();
	must_append(&record);
	must_append(&record);
	must_append(&record);
	done = outcome(3);
	must_append(&done);
	ck_assert_int_eq(
	    audit_append(audit, &done, NULL, NULL), -ERR_WRONG_STATE);
	must_close();
	must_open();
	ck_assert_uint_eq(found.unfinished, 2);
	ck_assert_int_eq(audit_unfinished(audit, on_unfinished, &sum), 0);
	ck_assert_uint_eq(sum, 6);
	ck_assert_int_eq(audit_unfinished(audit, on_unfinished, &sum), 0);
	ck_assert_uint_eq(sum, 6);
	must_close();
	must_verify(6);
	must_open();
	ck_assert_uint_eq(found.unfinished, 0);
}
END_TEST

START_TEST(so_many_intents_and_no_more)
{
	struct record record = intent(), done;
	uint64_t sum = 0;

	must_open();
	for (int i = 0; i < INTENTS_MAX; i++)
		must_append(&record);
	ck_assert_int_eq(audit_append(audit, &record, NULL, NULL), -ERR_BUSY);
	done = outcome(1000);
	must_append(&done);
	must_append(&record);
	must_close();
	must_open();
	ck_assert_uint_eq(found.unfinished, INTENTS_MAX);
	ck_assert_int_eq(audit_unfinished(audit, on_unfinished, &sum), 0);
	must_close();
	must_verify(2 * INTENTS_MAX + 2);
}
END_TEST

/*
 * Killed.
 */

struct receipt {
	uint64_t seq;
	unsigned char hash[SHA256_BYTES];
};

/* Appends batches for ever; tells when it begins, with a receipt of nothing,
 * and of each batch that is durable. */
static _Noreturn void
write_until_killed(int tell, unsigned seed)
{
	struct record record = intent(), done;
	struct receipt receipt = {0};

	srandom(seed);
	if (audit_open(folder, &limits, &audit, &found, &problem) != 0 ||
	    write(tell, &receipt, sizeof receipt) != (ssize_t)sizeof receipt)
		_exit(1);
	for (;;) {
		for (long i = random() % 400; i >= 0; i--) {
			uint64_t seq = 0;

			audit_append(audit, &record, &seq, NULL);
			done = outcome(seq);
			audit_append(audit, &done, &receipt.seq, receipt.hash);
		}
		if (audit_flush(audit, true) != 0 ||
		    write(tell, &receipt, sizeof receipt) !=
			(ssize_t)sizeof receipt)
			_exit(2);
	}
}

/* Runs it for a while; the last receipt it gave, if any, is in *receipt. */
static void
run_and_kill(unsigned round, struct receipt *receipt)
{
	const struct timespec wait = {.tv_nsec = random() % 25000000};
	struct receipt next;
	int ends[2], status;
	pid_t child;

	ck_assert_int_eq(pipe(ends), 0);
	child = fork();
	if (child == 0)
		write_until_killed(ends[1], round);
	close(ends[1]);
	ck_assert_int_gt(read(ends[0], &next, sizeof next), 0);
	nanosleep(&wait, NULL);
	kill(child, SIGKILL);
	while (read(ends[0], &next, sizeof next) == (ssize_t)sizeof next)
		*receipt = next;
	close(ends[0]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
}

static int
look_for(void *context, struct span line, uint64_t offset)
{
	struct receipt *receipt = context;
	unsigned char hash[SHA256_BYTES];

	(void)offset;
	if (record_seq(line) != receipt->seq)
		return 0;
	hex_decode(
	    (struct span){line.p + RECORD_HASH_AT, 64}, hash, sizeof hash);
	ck_assert_mem_eq(hash, receipt->hash, sizeof hash);
	receipt->seq = 0;
	return 0;
}

START_TEST(killed_at_any_moment)
{
	struct verify_result result;
	struct receipt receipt = {0};
	int torn = 0, told = 0;

	srandom((unsigned)time(NULL));
	must_open();
	must_close();
	for (unsigned round = 0; round < KILLS; round++) {
		run_and_kill(round, &receipt);
		told += receipt.seq != 0;
		ck_assert_int_eq(
		    audit_verify(folder, look_for, &receipt, &result), 0);
		ck_assert_uint_eq(receipt.seq, 0);
		ck_assert(result.damage == DAMAGE_NONE ||
			  result.damage == DAMAGE_TORN);
		torn += result.damage == DAMAGE_TORN;
		must_open();
		ck_assert_uint_eq(found.records, result.count);
		must_close();
		ck_assert_int_eq(verified().damage, DAMAGE_NONE);
		if (result.bytes > 8u << 20) {
			folder_empty();
			receipt.seq = 0;
		}
	}
	printf("killed %d times: %d with receipts, %d torn lines\n", KILLS,
	    told, torn);
}
END_TEST

static TCase *
case_new(Suite *suite, const char *name)
{
	TCase *tests = tcase_create(name);

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, folder_remove);
	tcase_set_timeout(tests, 240);
	return tests;
}

int
main(void)
{
	Suite *suite = suite_create("audit_log");
	TCase *opening = case_new(suite, "opening");
	TCase *writing = case_new(suite, "writing");
	TCase *salts = case_new(suite, "salts");
	TCase *intents = case_new(suite, "intents");
	TCase *killed = case_new(suite, "killed");
	SRunner *runner;
	int failed;

	tcase_add_test(opening, goes_on_where_it_was);
	tcase_add_test(opening, makes_its_folder);
	tcase_add_test(opening, one_writer);
	tcase_add_test(opening, private_only);
	tcase_add_test(opening, no_links_and_no_fifos);
	tcase_add_test(opening, damage_is_refused_and_kept);
	tcase_add_test(opening, torn_at_every_byte);
	tcase_add_loop_test(opening, torn_in_any_sectors, 1, 8);
	tcase_add_test(opening, torn_beyond_a_line_is_damage);
	tcase_add_test(writing, nothing_before_the_flush);
	tcase_add_test(writing, full_batch_is_written);
	tcase_add_test(writing, refused_records_change_nothing);
	tcase_add_test(writing, short_write_is_taken_back);
	tcase_add_test(writing, failed_sync_is_final);
	tcase_add_test(salts, commitment_can_be_shown);
	tcase_add_test(salts, erasing_keeps_the_chain);
	tcase_add_test(salts, salts_without_records);
	tcase_add_test(salts, log_cut_far_is_seen);
	tcase_add_loop_test(salts, power_cut_in_a_flood, 0, 5);
	tcase_add_test(intents, unfinished_intents_are_told_once);
	tcase_add_test(intents, so_many_intents_and_no_more);
	tcase_add_test(killed, killed_at_any_moment);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
