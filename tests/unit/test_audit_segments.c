/*
 * A log over many segments: rotation, the spare, what a crash leaves between
 * two steps of it, keys from start to start, a log of an older version, what
 * anchors know; and reading: seeking, following, many segments.
 */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "executor/audit_retain.h"
#include "executor/audit_stub.h"
#include "tests/unit/audit_fixture.h"

static void
setup(void)
{
	folder_make();
	limits = (struct audit_limits){65536, 50, 10000};
}

static const char *
in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void
append(int count)
{
	struct record record = {.kind = RECORD_START, .detail = SPAN("words")};

	for (int i = 0; i < count; i++)
		ck_assert_int_eq(audit_append(audit, &record, NULL, NULL), 0);
}

static struct verify_result
verified(const struct verify_known *known)
{
	struct audit_reader *reader;
	struct verify_result result;

	ck_assert_int_eq(audit_reader_open(folder, &reader), 0);
	ck_assert_int_eq(
	    audit_verify_reader(reader, known, NULL, NULL, &result), 0);
	audit_reader_close(reader);
	return result;
}

static void
must_be_good(void)
{
	struct verify_result result = verified(NULL);

	ck_assert_str_eq(damage_name(result.damage), "none");
}

static size_t
segments(void)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY);
	struct segments list;
	size_t count;

	ck_assert_int_eq(segments_list(fd, &list), 0);
	count = list.count;
	segments_done(&list);
	close(fd);
	return count;
}

START_TEST(rotates)
{
	struct stat status;

	must_open();
	append(2000);
	ck_assert_int_eq(audit_flush(audit, true), 0);
	ck_assert_uint_gt(segments(), 7);
	ck_assert_int_eq(stat(in_folder("spare"), &status), 0);
	ck_assert_int_eq(status.st_size, limits.segment_bytes);
	must_be_good();
	must_close();
	ck_assert_uint_eq(verified(NULL).sealed, verified(NULL).last);
	must_open();
	ck_assert_ptr_null(found.lineage);
	append(300);
	must_close();
	must_be_good();
	ck_assert_uint_eq(verified(NULL).starts, 0);
}
END_TEST

/* Nothing of the disk is needed for a segment that is full: the spare is
 * there, and without another one the log ends a segment later. */
START_TEST(full_disk_at_rotation)
{
	char path[128];
	int rc = 0, count = 0;

	struct record record = {.kind = RECORD_START, .detail = SPAN("words")};

	must_open();
	snprintf(path, sizeof path, "%s/segment.new", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0); /* no spare can be made */
	while (rc == 0 && count < 2000) {
		rc = audit_append(audit, &record, NULL, NULL);
		if (rc == 0)
			rc = audit_flush(audit, true);
		count++;
	}
	ck_assert_int_ne(rc, 0);
	ck_assert(!audit_dead(audit));
	ck_assert_uint_eq(segments(), 2);
	ck_assert_int_gt(count, 300);
	must_be_good();
	ck_assert_int_eq(rmdir(path), 0);
	audit->spare_ms = 0;
	append(1);
	must_close();
	must_be_good();
	ck_assert_uint_eq(segments(), 3);
}
END_TEST

/* Between two steps of a rotation: the old segment is cut, the spare not yet
 * renamed; or it is, and nothing is in it. */
START_TEST(killed_while_rotating)
{
	must_open();
	append(500);
	ck_assert_int_eq(audit_flush(audit, true), 0);
	ck_assert_int_eq(audit_checkpoint(audit, "end of segment"), 0);
	ck_assert_int_eq(audit_flush(audit, true), 0);
	ck_assert_int_eq(ftruncate(audit->log.fd, (off_t)audit->log.size), 0);
	if (_i == 1)
		ck_assert_int_eq(audit_use_spare(audit), 0);
	abandon();
	must_open();
	ck_assert_str_eq(found.lineage, "lost");
	append(500);
	must_close();
	must_be_good();
	ck_assert_uint_eq(verified(NULL).starts, 1);
}
END_TEST

START_TEST(key_is_used_once)
{
	struct stat status;
	char copy[128];

	must_open();
	append(10);
	ck_assert_int_ne(stat(in_folder("key"), &status), 0);
	must_close();
	ck_assert_int_eq(stat(in_folder("key"), &status), 0);
	ck_assert_int_eq(status.st_size, SIGN_SEED_BYTES);
	ck_assert_int_eq(status.st_mode & 07777, 0600);
	snprintf(copy, sizeof copy, "%s/copy", folder);
	ck_assert_int_eq(link(in_folder("key"), copy), 0);
	must_open(); /* not with a key that has another name */
	ck_assert_str_eq(found.lineage, "lost");
	ck_assert_int_ne(stat(in_folder("key"), &status), 0);
	must_close();
	must_be_good();
	ck_assert_uint_eq(verified(NULL).starts, 1);
}
END_TEST

START_TEST(key_of_somebody_else)
{
	int fd;

	must_open();
	append(10);
	must_close();
	fd = open(in_folder("key"), O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "x", 1, 3), 1);
	close(fd);
	must_open();
	ck_assert_str_eq(found.lineage, "lost");
	must_close();
	must_be_good();
}
END_TEST

/* A log as the first version wrote it. */
START_TEST(old_log_is_taken_over)
{
	static const char torn[] = "{\"hash\":\"0123";
	unsigned char head[SHA256_BYTES] = {0};
	struct record record = {.kind = RECORD_STOP, .why = SPAN("old")};
	struct sha256 *digest = sha256_new();
	struct verify_result result;
	struct buf out;
	int fd = open(in_folder("audit.jsonl"), O_WRONLY | O_CREAT, 0600);

	buf_init(&out, 1u << 20);
	for (uint64_t seq = 1; seq <= 300; seq++) {
		struct record_head at = {.seq = seq, .prev = head};

		ck_assert_int_eq(
		    record_add(&out, digest, &at, &record, head), 0);
	}
	if (_i == 1)
		buf_add(&out, torn, sizeof torn - 1);
	ck_assert_int_eq(write(fd, out.data, out.len), (ssize_t)out.len);
	close(fd);
	buf_free(&out);
	sha256_free(digest);
	must_open();
	ck_assert_uint_eq(found.records, 300);
	ck_assert_uint_eq(found.torn_bytes, _i == 1 ? sizeof torn - 1 : 0);
	ck_assert_str_eq(found.lineage, "first");
	ck_assert_uint_eq(found.lineage_seq, 301);
	append(5);
	must_close();
	must_be_good();
	ck_assert_uint_eq(segments(), 2);
	must_open();
	ck_assert_ptr_null(found.lineage);
	must_close();
	result = verified(NULL);
	ck_assert(result.keys.begun);
	ck_assert_uint_eq(result.starts, 0);
}
END_TEST

/* A start after a crash has to be anchored, where there are anchors. */
START_TEST(anchors)
{
	struct proofs proofs = {.rows = NULL};
	struct verify_known known = {NULL, &proofs};
	struct verify_result result;
	char hash[2 * SHA256_BYTES + 1], key[SIGN_KEY_DIGITS + 1];
	FILE *file;

	must_open();
	append(10);
	ck_assert_int_eq(audit_flush(audit, true), 0);
	abandon();
	must_open();
	ck_assert_str_eq(found.lineage, "crash");
	must_close();
	ck_assert_uint_eq(verified(NULL).lone, 1);
	ck_assert_uint_eq(verified(NULL).lone_last, found.lineage_seq);
	hex_encode(found.lineage_hash, SHA256_BYTES, hash);
	hex_encode(found.lineage_key, SIGN_KEY_BYTES, key);
	file = fopen(in_folder("anchors"), "w");
	fprintf(file, "something else\nhead %016llx:%s\n",
	    (unsigned long long)found.lineage_seq, hash);
	fclose(file);
	ck_assert_int_eq(proofs_add_file(&proofs, in_folder("anchors")), 0);
	result = verified(&known);
	ck_assert_str_eq(damage_name(result.damage), "unanchored-start");
	ck_assert_uint_eq(result.bad_record, found.lineage_seq);
	file = fopen(in_folder("anchors"), "w");
	fprintf(file, "lineage %016llx %s %s\n",
	    (unsigned long long)found.lineage_seq, hash, key);
	fclose(file);
	ck_assert_int_eq(proofs_add_file(&proofs, in_folder("anchors")), 0);
	result = verified(&known);
	ck_assert_str_eq(damage_name(result.damage), "none");
	ck_assert_uint_eq(result.lone, 0);
	ck_assert_uint_eq(result.proved, found.lineage_seq);
	proofs_done(&proofs);
}
END_TEST

/* Checkpoints come by count and when they are asked for; the key changes. */
START_TEST(checkpoints)
{
	struct signer before;

	must_open();
	before = audit->signer;
	append(49);
	ck_assert_mem_eq(&before, &audit->signer, sizeof before);
	append(2);
	ck_assert_mem_ne(before.seed, audit->signer.seed, sizeof before.seed);
	ck_assert_int_gt(audit_checkpoint_due(audit), clock_ms());
	ck_assert_int_eq(audit_checkpoint(audit, "asked for"), 0);
	ck_assert_int_eq(audit_checkpoint_due(audit), 0);
	before = audit->signer;
	ck_assert_int_eq(audit_checkpoint(audit, "again"), 0);
	ck_assert_mem_eq(&before, &audit->signer, sizeof before);
	must_close();
	must_be_good();
}
END_TEST

/* What is put in the key's place is neither written to nor waited for. */
START_TEST(key_that_is_none)
{
	char text[4] = "";
	int fd, at;

	must_open();
	must_close();
	at = open(folder, O_RDONLY | O_DIRECTORY);
	fd = openat(at, "other", O_RDWR | O_CREAT, 0600);
	ck_assert_int_eq(write(fd, "abc", 3), 3);
	for (int lap = 0; lap < 3; lap++) {
		ck_assert_int_eq(unlinkat(at, "key", 0), 0);
		if (lap == 0)
			ck_assert_int_eq(linkat(at, "other", at, "key", 0), 0);
		if (lap == 1)
			ck_assert_int_eq(symlinkat("other", at, "key"), 0);
		if (lap == 2)
			ck_assert_int_eq(mkfifoat(at, "key", 0600), 0);
		must_open();
		ck_assert_str_eq(found.lineage, "lost");
		ck_assert_int_eq(faccessat(at, "key", F_OK, 0), -1);
		must_close();
	}
	ck_assert_int_eq(pread(fd, text, 4, 0), 3);
	ck_assert_str_eq(text, "abc");
	close(fd);
	close(at);
}
END_TEST

/* Somebody who can write in the folder makes the oldest a stub. */
START_TEST(stubs_without_a_removal_record)
{
	struct verify_result after;
	uint64_t next = 0;
	int at;

	must_open();
	append(2000);
	must_close();
	at = open(folder, O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(audit_remove_oldest(at, &next), 0);
	close(at);
	after = verified(NULL);
	ck_assert_str_eq(damage_name(after.damage), "cut");
	ck_assert_uint_eq(after.bad_record, next - 2);
	ck_assert_int_eq(audit_open(folder, &limits, &audit, &found, &problem),
	    -ERR_CORRUPT);
}
END_TEST

/* The oldest go, one after the other; the rest stays provable. */
START_TEST(oldest_are_removed)
{
	struct record removal = {
	    .kind = RECORD_REMOVAL, .detail = SPAN("records 1 to 9999")};
	struct verify_result before, after;
	struct verify_known known = {NULL, NULL};
	uint64_t next = 0;
	int at, count = 0, rc;

	must_open();
	append(2000);
	ck_assert_int_eq(audit_append(audit, &removal, NULL, NULL), 0);
	must_close();
	before = verified(NULL);
	known.root = before.keys.root;
	at = open(folder, O_RDONLY | O_DIRECTORY);
	while ((rc = audit_remove_oldest(at, &next)) == 0) {
		after = verified(&known);
		ck_assert_str_eq(damage_name(after.damage), "none");
		ck_assert_mem_eq(after.head, before.head, SHA256_BYTES);
		ck_assert_uint_eq(after.count + after.removed, before.count);
		ck_assert_uint_lt(after.removed, next);
		count++;
	}
	close(at);
	ck_assert_int_eq(rc, -ERR_NOT_FOUND);
	ck_assert_uint_eq((size_t)count + 1, segments());
	must_open();
	ck_assert_ptr_null(found.lineage);
	append(10);
	must_close();
	must_be_good();
}
END_TEST

static void
append_granted(uint64_t grant)
{
	static const unsigned char body[SHA256_BYTES] = {7};
	struct record record = {
	    .kind = RECORD_INTENT, .grant = grant, .body = body};
	uint64_t seq;

	ck_assert_int_eq(audit_append(audit, &record, &seq, NULL), 0);
	record = (struct record){.kind = RECORD_OUTCOME, .intent = seq};
	ck_assert_int_eq(audit_append(audit, &record, NULL, NULL), 0);
}

/* What a removed segment knew of approvals and salts. */
START_TEST(forgets_by_size)
{
	static const struct audit_keep keep = {200000, 0};
	const struct record again = {.kind = RECORD_INTENT, .grant = 77};
	unsigned char salt[16];
	int rc, count = 0;

	must_open();
	append_granted(77);
	ck_assert_int_eq(audit_flush(audit, true), 0);
	ck_assert_int_eq(audit_salt(folder, 2, salt, &problem), 0);
	append(3000);
	ck_assert_int_eq(audit_flush(audit, true), 0);
	while ((rc = audit_retain(audit, &keep)) == 1)
		count++;
	ck_assert_int_eq(rc, 0);
	ck_assert_int_gt(count, 0);
	ck_assert(audit_granted(audit, 77));
	ck_assert_int_eq(
	    audit_salt(folder, 2, salt, &problem), -ERR_WRONG_STATE);
	must_close();
	must_be_good();
	must_open();
	ck_assert(audit_granted(audit, 77));
	ck_assert_int_eq(
	    audit_append(audit, &again, NULL, NULL), -ERR_WRONG_STATE);
	must_close();
	ck_assert_int_eq(audit_salt(folder, 2, salt, &problem), -ERR_NOT_FOUND);
	ck_assert_int_eq(unlink(in_folder(GRANTS_NAME)), 0);
	ck_assert_int_eq(audit_open(folder, &limits, &audit, &found, &problem),
	    -ERR_CORRUPT);
	audit = NULL;
}
END_TEST

/* What cannot be removed is put on record once, and removed later. */
START_TEST(fails_to_forget)
{
	static const struct audit_keep keep = {200000, 0};
	struct audit_state before, after;

	must_open();
	append(3000);
	ck_assert_int_eq(audit_flush(audit, true), 0);
	ck_assert_int_eq(mkdir(in_folder("stub.new"), 0700), 0);
	ck_assert_int_lt(audit_retain(audit, &keep), 0);
	audit_state(audit, &before);
	for (int i = 0; i < 5; i++)
		ck_assert_int_lt(audit_retain(audit, &keep), 0);
	audit_state(audit, &after);
	ck_assert_uint_eq(after.records, before.records);
	ck_assert_int_eq(rmdir(in_folder("stub.new")), 0);
	ck_assert_int_eq(audit_retain(audit, &keep), 1);
	audit_state(audit, &after);
	ck_assert_uint_eq(after.records, before.records);
	must_close();
	must_be_good();
}
END_TEST

/* An intent without outcome keeps its segment; age alone does not. */
START_TEST(forgets_by_age)
{
	static const struct audit_keep keep = {0, 1};
	const struct record intent = {.kind = RECORD_INTENT, .request = 1};
	struct record outcome = {.kind = RECORD_OUTCOME};
	size_t before;

	must_open();
	ck_assert_int_eq(
	    audit_append(audit, &intent, &outcome.intent, NULL), 0);
	append(1000);
	ck_assert_int_eq(audit_flush(audit, true), 0);
	before = segments();
	ck_assert_uint_gt(before, 1);
	usleep(1100000);
	ck_assert_int_eq(audit_retain(audit, &keep), 0);
	ck_assert_int_eq(audit_append(audit, &outcome, NULL, NULL), 0);
	while (audit_retain(audit, &keep) == 1)
		continue;
	must_close();
	must_be_good();
}
END_TEST

/* A file of grants that is no such file is not believed. */
START_TEST(grants_file)
{
	static const char *const bad[] = {"", "trizone-grants 2\n",
	    GRANTS_HEAD "1\n", GRANTS_HEAD "0000000000000000\n",
	    GRANTS_HEAD "000000000000000g\n", GRANTS_HEAD "000000000000000a"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int fd = open(
		    in_folder(GRANTS_NAME), O_WRONLY | O_CREAT | O_TRUNC, 0600);

		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(
		    write(fd, bad[i], strlen(bad[i])), (ssize_t)strlen(bad[i]));
		close(fd);
		ck_assert_int_eq(
		    audit_open(folder, &limits, &audit, &found, &problem),
		    -ERR_CORRUPT);
	}
	for (int lap = 0; lap < 2; lap++) {
		ck_assert_int_eq(unlink(in_folder(GRANTS_NAME)), 0);
		ck_assert_int_eq(lap == 0
				     ? symlink("other", in_folder(GRANTS_NAME))
				     : mkfifo(in_folder(GRANTS_NAME), 0600),
		    0);
		ck_assert_int_eq(
		    audit_open(folder, &limits, &audit, &found, &problem),
		    -ERR_CORRUPT);
	}
	audit = NULL;
}
END_TEST

/* A folder of version 1 has no file for it; one of version 3 is not opened. */
START_TEST(versions)
{
	FILE *file;

	must_open();
	append(3);
	must_close();
	ck_assert_int_eq(unlink(in_folder(AUDIT_VERSION_NAME)), 0);
	must_open();
	must_close();
	ck_assert_int_eq(access(in_folder(AUDIT_VERSION_NAME), R_OK), 0);
	file = fopen(in_folder(AUDIT_VERSION_NAME), "w");
	ck_assert_ptr_nonnull(file);
	fputs("trizone-audit 3\n", file);
	fclose(file);
	ck_assert_int_eq(audit_open(folder, &limits, &audit, &found, &problem),
	    -ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(problem.text, "later version"));
	audit = NULL;
}
END_TEST

/*
 * Reading.
 */

START_TEST(seeks)
{
	struct audit_reader *reader;
	struct audit_line line, again;
	char buffer[RECORD_LINE_MAX];
	struct span text;
	uint64_t last;

	must_open();
	append(2000);
	must_close();
	last = verified(NULL).last;
	ck_assert_int_eq(audit_reader_open(folder, &reader), 0);
	for (uint64_t seq = 1; seq <= last; seq += 1 + seq % 7) {
		ck_assert_int_eq(audit_reader_seek(reader, seq), 0);
		ck_assert_int_eq(audit_reader_next(reader, &line), 1);
		ck_assert_uint_eq(record_seq(line.text), seq);
		ck_assert_int_eq(audit_reader_seek_time(reader, "1970"), 0);
		ck_assert_int_eq(
		    audit_reader_at(reader, line.place, buffer, &text), 0);
		ck_assert_uint_eq(record_seq(text), seq);
	}
	ck_assert_int_eq(audit_reader_seek(reader, last + 1), 0);
	ck_assert_int_eq(audit_reader_next(reader, &again), 0);
	ck_assert_int_eq(audit_reader_seek_time(reader, "9999"), 0);
	ck_assert_int_eq(audit_reader_next(reader, &again), 0);
	ck_assert_int_eq(audit_reader_seek_time(reader, "2000"), 0);
	ck_assert_int_eq(audit_reader_next(reader, &again), 1);
	ck_assert_uint_eq(record_seq(again.text), 1);
	audit_reader_close(reader);
}
END_TEST

/* What a reader that waits at the end sees while the log grows and rotates. */
START_TEST(follows)
{
	struct audit_reader *reader;
	struct audit_line line;
	uint64_t seen = 0;
	int rc = 0;

	ck_assert_int_eq(audit_reader_open(folder, &reader), 0);
	ck_assert_int_eq(audit_reader_next(reader, &line), 0);
	must_open();
	for (int round = 0; round < 60; round++) {
		append(1 + round * 7 % 60);
		ck_assert_int_eq(audit_flush(audit, false), 0);
		while ((rc = audit_reader_next(reader, &line)) == 1)
			ck_assert_uint_eq(record_seq(line.text), ++seen);
		ck_assert_int_eq(rc, 0);
	}
	ck_assert_uint_eq(seen, audit->chain.last);
	ck_assert_uint_gt(segments(), 5);
	audit_reader_close(reader);
}
END_TEST

/* Verified again and again while it is written to. */
START_TEST(verified_while_written)
{
	struct verify_result result;
	int looks = 0, good = 0;
	pid_t child;

	must_open();
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 3000; i++) {
			append(1 + i % 5);
			audit_flush(audit, false);
		}
		_exit(0);
	}
	while (waitpid(child, NULL, WNOHANG) == 0) {
		result = verified(NULL);
		ck_assert_msg(result.damage == DAMAGE_NONE ||
				  result.damage == DAMAGE_TORN ||
				  result.changing,
		    "%s at %llu", damage_text(result.damage),
		    (unsigned long long)result.bad_record);
		good += result.damage == DAMAGE_NONE;
		looks++;
	}
	printf("%d looks, %d of them whole\n", looks, good);
	abandon();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("audit_segments");
	TCase *writing = tcase_create("writing");
	TCase *reading = tcase_create("reading");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, writing);
	tcase_add_checked_fixture(writing, setup, folder_remove);
	tcase_set_timeout(writing, 120);
	tcase_add_test(writing, rotates);
	tcase_add_test(writing, full_disk_at_rotation);
	tcase_add_loop_test(writing, killed_while_rotating, 0, 2);
	tcase_add_test(writing, key_is_used_once);
	tcase_add_test(writing, key_of_somebody_else);
	tcase_add_loop_test(writing, old_log_is_taken_over, 0, 2);
	tcase_add_test(writing, anchors);
	tcase_add_test(writing, checkpoints);
	tcase_add_test(writing, key_that_is_none);
	tcase_add_test(writing, stubs_without_a_removal_record);
	tcase_add_test(writing, oldest_are_removed);
	tcase_add_test(writing, forgets_by_size);
	tcase_add_test(writing, forgets_by_age);
	tcase_add_test(writing, fails_to_forget);
	tcase_add_test(writing, grants_file);
	tcase_add_test(writing, versions);
	suite_add_tcase(suite, reading);
	tcase_add_checked_fixture(reading, setup, folder_remove);
	tcase_set_timeout(reading, 120);
	tcase_add_test(reading, seeks);
	tcase_add_test(reading, follows);
	tcase_add_test(reading, verified_while_written);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
