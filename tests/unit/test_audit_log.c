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
#include "executor/audit_intents.h"
#include "executor/audit_log.h"
#include "executor/audit_salt.h"
#include "executor/audit_verify.h"
#include "executor/sync.h"

#define KILLS 100

static char folder[40], log_path[80], salts_path[80];
static struct audit *audit;
static struct audit_found found;
static struct audit_problem problem;
static const unsigned char body[SHA256_BYTES] = "what the record is about";

/* Stands in for sync_linux.c, so that a sync can be made to fail. */
static bool sync_fails;
static int syncs;
static off_t log_on_disk; /* bytes of the log at its last sync */

int
sync_data(int fd)
{
	struct stat synced, named;

	syncs++;
	if (!sync_fails && fstat(fd, &synced) == 0 &&
	    stat(log_path, &named) == 0 && synced.st_ino == named.st_ino)
		log_on_disk = synced.st_size;
	return sync_fails || fsync(fd) != 0 ? -ERR_IO : 0;
}

int
sync_folder(int fd)
{
	return fsync(fd) == 0 ? 0 : -ERR_IO;
}

static void
setup(void)
{
	strcpy(folder, "/tmp/test_audit_log.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(log_path, sizeof log_path, "%s/audit.jsonl", folder);
	snprintf(salts_path, sizeof salts_path, "%s/salts", folder);
	audit = NULL;
}

static void
teardown(void)
{
	struct dirent *entry;
	DIR *open_folder;

	audit_close(audit);
	open_folder = opendir(folder);
	while ((entry = readdir(open_folder)) != NULL)
		unlinkat(dirfd(open_folder), entry->d_name, 0);
	closedir(open_folder);
	ck_assert_int_eq(rmdir(folder), 0);
}

static void
must_open(void)
{
	int rc = audit_open(folder, &audit, &found, &problem);

	ck_assert_msg(rc == 0, "%s", problem.text);
}

static void
must_close(void)
{
	ck_assert_int_eq(audit_close(audit), 0);
	audit = NULL;
}

static void
must_not_open(int error, const char *word)
{
	ck_assert_int_eq(audit_open(folder, &audit, &found, &problem), error);
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

static struct verify_result
verified(void)
{
	struct verify_result result;

	ck_assert_int_eq(audit_verify(log_path, NULL, NULL, &result), 0);
	return result;
}

static void
must_verify(uint64_t count)
{
	struct verify_result result = verified();

	ck_assert_int_eq(result.damage, DAMAGE_NONE);
	ck_assert_uint_eq(result.count, count);
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
	append_many(3);
	must_close();
	must_open();
	ck_assert_uint_eq(found.records, 3);
	ck_assert_uint_eq(found.torn_bytes, 0);
	ck_assert_int_eq(audit_append(audit, &record, &seq, hash), 0);
	ck_assert_uint_eq(seq, 4);
	must_close();
	result = verified();
	ck_assert_uint_eq(result.count, 4);
	ck_assert_mem_eq(result.head, hash, sizeof hash);
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
	ck_assert_int_ne(audit_open(folder, &audit, &found, &problem), 0);
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
	ck_assert_int_eq(pread(fd, text, 1, 300), 1);
	text[0] = (char)(text[0] ^ 1);
	ck_assert_int_eq(pwrite(fd, text, 1, 300), 1);
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

	must_open();
	append_many(2);
	before = size_of(log_path);
	append_many(1);
	whole = size_of(log_path);
	must_close();
	for (size_t length = whole - 1; length > before; length--) {
		ck_assert_int_eq(truncate(log_path, (off_t)length), 0);
		must_open();
		ck_assert_uint_eq(found.records, 2);
		ck_assert_uint_eq(found.torn_bytes, length - before);
		must_close();
		must_verify(3);
		ck_assert_int_eq(take_torn(&torn), 1);
		ck_assert_uint_eq((size_t)torn, length - before);
		ck_assert_int_eq(truncate(log_path, (off_t)before), 0);
		ck_assert_int_eq(truncate(salts_path, 0), 0);
		must_open();
		append_many(1);
		must_close();
		ck_assert_uint_eq(size_of(log_path), whole);
	}
}
END_TEST

START_TEST(torn_beyond_a_line_is_damage)
{
	static char text[RECORD_LINE_MAX];

	must_open();
	append_many(1);
	must_close();
	memset(text, 'x', sizeof text);
	add_to(log_path, text, sizeof text);
	must_not_open(-ERR_CORRUPT, "record 2");
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
	ck_assert_uint_eq(size_of(log_path), 0);
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
	ck_assert_uint_gt(size_of(log_path), 500 * 6000 - AUDIT_BATCH_BYTES);
	must_close();
	must_verify(500);
}
END_TEST

START_TEST(refused_records_change_nothing)
{
	struct record record = {.kind = RECORD_KIND_COUNT};
	uint64_t seq = 77;

	must_open();
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
	before = size_of(log_path);
	for (size_t room = 0; room < 1500; room += 300) {
		must_append(&record);
		must_append(&record);
		must_append(&record);
		limit_files(before + room);
		rc = audit_flush(audit, true);
		limit_files(RLIM_INFINITY); /* Check writes a file too */
		ck_assert_int_eq(rc, -ERR_NO_SPACE);
		ck_assert(!audit_dead(audit));
		ck_assert_uint_eq(size_of(log_path), before);
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
	ck_assert_uint_eq(found.records, 2);
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
	ck_assert_int_eq(audit_salt(folder, 1, salt, &problem), 0);
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
	for (uint64_t seq = 1; seq <= 600; seq++) {
		int rc = audit_erase(folder, seq, &problem);

		ck_assert_int_eq(rc, seq % 2 == 1 ? 0 : -ERR_NOT_FOUND);
	}
	ck_assert_int_eq(audit_erase(folder, 1, &problem), 0);
	ck_assert_int_eq(audit_erase(folder, 0, &problem), -ERR_NOT_FOUND);
	ck_assert_int_eq(
	    audit_erase(folder, UINT64_MAX, &problem), -ERR_NOT_FOUND);
	ck_assert_int_eq(
	    audit_salt(folder, 77, salt, &problem), -ERR_WRONG_STATE);
	ck_assert_uint_eq(size_of(salts_path), 300 * SALT_ROW_BYTES);
	must_append(&record);
	must_close();
	ck_assert_int_eq(audit_salt(folder, 601, salt, &problem), 0);
	must_verify(601);
	ck_assert_uint_eq(before.count, 600);
	must_open();
	ck_assert_uint_eq(found.unfinished, 301);
}
END_TEST

/* Rows whose records a crash swallowed go; so does half a row. */
START_TEST(salts_without_records)
{
	struct record record = intent();
	static const char row[] =
	    "0000000000000002 00112233445566778899aabbccddeeff\n"
	    "0000000000000003 00112233445566778899aabbccddeeff\n"
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
			early = size_of(log_path);
		}
	}
	must_close();
	salts = size_of(salts_path);
	ck_assert_int_eq(truncate(log_path, (off_t)early), 0);
	must_not_open(-ERR_CORRUPT, "the log was cut");
	ck_assert_int_eq(truncate(log_path, 0), 0);
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
	off_t log, salts;

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
		ck_assert_int_eq(truncate(log_path, log), 0);
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
	done = outcome(2);
	must_append(&done);
	ck_assert_int_eq(
	    audit_append(audit, &done, NULL, NULL), -ERR_WRONG_STATE);
	must_close();
	must_open();
	ck_assert_uint_eq(found.unfinished, 2);
	ck_assert_int_eq(audit_unfinished(audit, on_unfinished, &sum), 0);
	ck_assert_uint_eq(sum, 4);
	ck_assert_int_eq(audit_unfinished(audit, on_unfinished, &sum), 0);
	ck_assert_uint_eq(sum, 4);
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
	if (audit_open(folder, &audit, &found, &problem) != 0 ||
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
		    audit_verify(log_path, look_for, &receipt, &result), 0);
		ck_assert_uint_eq(receipt.seq, 0);
		ck_assert(result.damage == DAMAGE_NONE ||
			  result.damage == DAMAGE_TORN);
		torn += result.damage == DAMAGE_TORN;
		must_open();
		ck_assert_uint_eq(found.records, result.count);
		must_close();
		ck_assert_int_eq(verified().damage, DAMAGE_NONE);
		if (result.bytes > 8u << 20) {
			ck_assert_int_eq(truncate(log_path, 0), 0);
			ck_assert_int_eq(truncate(salts_path, 0), 0);
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
	tcase_add_checked_fixture(tests, setup, teardown);
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
