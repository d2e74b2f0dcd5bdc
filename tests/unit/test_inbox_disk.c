/*
 * Inbox and its disk: who may open it, files that are not ours, not an inbox,
 * too new or damaged, a disk without room, and the cost of many items.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "tests/unit/inbox_fixture.h"
#include "tests/unit/linear.h"

#define DAMAGES 400
#define MANY_ITEMS 10000

static void
setup(void)
{
	log_set_level(LOG_ERROR);
	folder_make("/tmp");
}

static int
put(const void *bytes, size_t count, int64_t *id_out)
{
	bool twice;

	return deliver(bytes, count, id_out, &twice);
}

/* What another program could do to the file while nobody has it open. */
static void
meddle(const char *sql)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path_of("inbox.db"), &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

START_TEST(files_are_private)
{
	struct stat st;

	umask(0);
	OK(reopen(NULL));
	for (int i = 0; i < 3; i++) {
		const char *name = ((const char *[]){
		    "inbox.db", "inbox.db-wal", "inbox.lock"})[i];

		OK(stat(path_of(name), &st));
		ck_assert_int_eq(st.st_mode & 0777, 0600);
	}
}
END_TEST

START_TEST(folder_must_be_ours)
{
	struct inbox *other = NULL;

	REFUSED(ERR_NOT_FOUND, inbox_open("/nonexistent/x", NULL, &other));
	REFUSED(ERR_NOT_FOUND, inbox_open("/dev/null", NULL, &other));
	OK(chmod(folder, 0770));
	REFUSED(ERR_CONFIG, reopen(NULL));
	OK(chmod(folder, 0755));
	OK(reopen(NULL));
	shut();
	OK(chmod(path_of("inbox.db"), 0640));
	REFUSED(ERR_CONFIG, reopen(NULL));
	if (geteuid() == 0) {
		OK(chmod(path_of("inbox.db"), 0600));
		OK(chown(path_of("inbox.db"), 1, 1));
		REFUSED(ERR_CONFIG, reopen(NULL));
	}
	OK(unlink(path_of("inbox.db")));
	OK(mkfifo(path_of("inbox.db"), 0600));
	REFUSED(ERR_CONFIG, reopen(NULL));
	OK(unlink(path_of("inbox.db")));
	OK(symlink("/etc/passwd", path_of("inbox.db")));
	REFUSED(ERR_PATH, reopen(NULL));
	ck_assert_ptr_null(other);
}
END_TEST

START_TEST(one_opener)
{
	struct inbox *other = NULL;
	sqlite3 *db;
	pid_t child;
	int64_t id;
	int status;

	OK(reopen(NULL));
	OK(put("x", 1, &id));
	REFUSED(ERR_BUSY, inbox_open(folder, NULL, &other));
	child = fork();
	if (child == 0)
		_exit(inbox_open(folder, NULL, &other) == -ERR_BUSY ? 7 : 8);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	/* reading with another program is refused too */
	child = fork();
	if (child == 0) {
		sqlite3_open(path_of("inbox.db"), &db);
		_exit(sqlite3_exec(db, "SELECT * FROM item", NULL, NULL, NULL));
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(WEXITSTATUS(status), SQLITE_BUSY);
	OK(put("y", 1, &id));
	OK(reopen(NULL));
}
END_TEST

START_TEST(not_an_inbox)
{
	static const struct {
		const char *sql;
		int error;
	} rows[] = {
	    {"PRAGMA user_version = 4", -ERR_VERSION},
	    {"PRAGMA user_version = 0", -ERR_CONFIG},
	    {"PRAGMA user_version = -1", -ERR_CONFIG},
	    {"PRAGMA application_id = 1", -ERR_CONFIG},
	    {"DROP TABLE raw", -ERR_CORRUPT},
	    {"ALTER TABLE item RENAME note TO text", -ERR_CORRUPT},
	};

	OK(reopen(NULL));
	shut();
	meddle(rows[_i].sql);
	ck_assert_int_eq(reopen(NULL), rows[_i].error);
	ck_assert_int_eq(reopen(NULL), rows[_i].error);
}
END_TEST

START_TEST(garbage_is_refused)
{
	char bytes[5000];
	int fd;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 7);
	fd = open(path_of("inbox.db"), O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(write(fd, bytes, sizeof bytes), sizeof bytes);
	close(fd);
	REFUSED(ERR_CORRUPT, reopen(NULL));
}
END_TEST

/* Code that somebody put into the file does not run. */
START_TEST(triggers_do_not_run)
{
	char byte;
	size_t got;
	int64_t id;

	OK(reopen(NULL));
	OK(put("x", 1, &id));
	shut();
	meddle("CREATE TRIGGER t AFTER UPDATE ON item BEGIN "
	       "DELETE FROM raw; END");
	OK(reopen(NULL));
	OK(inbox_clean_begin(inbox, id));
	OK(inbox_raw_read(inbox, id, 0, &byte, 1, &got));
	ck_assert_uint_eq(got, 1);
}
END_TEST

START_TEST(other_bytes_are_found)
{
	int64_t id;

	OK(reopen(NULL));
	OK(put("abc", 3, &id));
	OK(inbox_check(inbox));
	shut();
	meddle("UPDATE raw SET bytes = x'616264'");
	OK(reopen(NULL));
	REFUSED(ERR_CORRUPT, inbox_check(inbox));
}
END_TEST

START_TEST(leftovers_are_swept)
{
	close(open(path_of("stage-abcdef"), O_WRONLY | O_CREAT, 0600));
	close(open(path_of("other"), O_WRONLY | O_CREAT, 0600));
	OK(reopen(NULL));
	ck_assert_int_eq(access(path_of("stage-abcdef"), F_OK), -1);
	OK(access(path_of("other"), F_OK));
}
END_TEST

static bool
count_one(const struct inbox_item *item, void *arg)
{
	int *count = arg;

	ck_assert_uint_lt(strlen(item->note), sizeof item->note);
	return ++*count < 1000;
}

/* Every verb on every id, whatever it returns. */
static void
use_everything(void)
{
	struct inbox_filter all = {.states = 0};
	static char bytes[1000];
	enum inbox_state state;
	struct buf text;
	int64_t id, session = 1;
	bool more;
	size_t got;
	int count = 0;

	buf_init(&text, CLEAN_MAX_BYTES);
	inbox_check(inbox);
	inbox_list(inbox, &all, count_one, &count);
	inbox_session_new(inbox, SPAN("planner"), SESSION_STANDING, &session);
	inbox_session_add_legs(inbox, session, 7);
	for (id = 1; id < 8; id++) {
		inbox_raw_read(inbox, id, 0, bytes, sizeof bytes, &got);
		inbox_clean_text(inbox, id, &text);
		inbox_clean_begin(inbox, id);
		inbox_clean_failed(inbox, id, SPAN("x"), &state);
		inbox_clean_done(inbox, id, SPAN("{}"), SPAN("{}"));
	}
	inbox_claim(inbox, session, &id);
	inbox_mark_acted(inbox, id, session);
	inbox_finish(inbox, id, session, SPAN("ok"));
	inbox_session_ended(inbox, session);
	inbox_expire(inbox, INT64_C(4102444800000), &more);
	put(bytes, sizeof bytes, &id);
	for (id = 1; id < 8; id++)
		inbox_drop(inbox, id);
	buf_free(&text);
}

static void
make_example(void)
{
	static char bytes[100000];
	int64_t id, session, claimed;

	OK(reopen(NULL));
	OK(inbox_session_new(
	    inbox, SPAN("planner"), SESSION_STANDING, &session));
	for (size_t i = 0; i < 5; i++) {
		bytes[0] = (char)i;
		OK(put(bytes, 300 + i * 20000, &id));
		OK(inbox_clean_begin(inbox, id));
		if (i < 3)
			OK(inbox_clean_done(inbox, id, SPAN("{}"), SPAN("{}")));
	}
	OK(inbox_claim(inbox, session, &claimed));
	OK(inbox_finish(inbox, claimed, session, SPAN("ok")));
	shut();
}

/* Flip bytes or cut the file; nothing may crash, hang or read outside. */
START_TEST(damage_is_survived)
{
	static char good[400000], bad[400000];
	int opened = 0, fd;
	ssize_t size;

	make_example();
	fd = open("/dev/null", O_WRONLY);
	dup2(fd, STDERR_FILENO); /* hundreds of true complaints */
	close(fd);
	fd = open(path_of("inbox.db"), O_RDWR);
	size = read(fd, good, sizeof good);
	ck_assert(size > 0 && size < (ssize_t)sizeof good);
	srandom(11);
	for (int i = 0; i < DAMAGES; i++) {
		ssize_t keep = i % 10 == 0 ? random() % size : size;

		memcpy(bad, good, (size_t)size);
		for (int n = 1 << random() % 8; n > 0; n--) {
			long at = i % 2 == 0 ? random() % size
					     : random() % (size / 4096) * 4096 +
						   random() % 64;

			bad[at] = (char)random();
		}
		OK(ftruncate(fd, 0));
		ck_assert_int_eq(pwrite(fd, bad, (size_t)keep, 0), keep);
		unlink(path_of("inbox.db-wal"));
		if (reopen(NULL) == 0) {
			opened++;
			use_everything();
		}
	}
	close(fd);
	printf("damaged files: %d, opened all the same: %d\n", DAMAGES, opened);
}
END_TEST

/* Mail stops before the disk is full, and changes of state go on. With the
 * disk filled to the last byte by somebody else nothing is lost and nothing
 * lies; with room again it goes on without a restart. */
static void
fill_and_free(void)
{
	static char bytes[100000];
	struct inbox_counts counts;
	enum inbox_state state;
	uint64_t taken = 0;
	int64_t id;
	int error = 0, fd;

	OK(reopen(NULL));
	while (error == 0) {
		snprintf(bytes, sizeof bytes, "%" PRIu64, taken);
		error = put(bytes, sizeof bytes, &id);
		taken += error == 0;
	}
	REFUSED(ERR_NO_SPACE, error);
	ck_assert_uint_gt(taken, 5);
	for (id = 1; (uint64_t)id <= taken; id++) {
		OK(inbox_clean_begin(inbox, id));
		OK(inbox_clean_failed(inbox, id, SPAN("no"), &state));
	}
	fd = open(path_of("filler"), O_WRONLY | O_CREAT | O_APPEND, 0600);
	while (write(fd, bytes, sizeof bytes) > 0 || write(fd, bytes, 1) > 0)
		;
	close(fd);
	for (id = 1; (uint64_t)id <= taken; id++) {
		error = inbox_clean_begin(inbox, id);
		ck_assert(error == 0 || error == -ERR_NO_SPACE);
	}
	counts = inbox_counts(inbox);
	ck_assert_uint_eq(
	    counts.items[INBOX_NEW] + counts.items[INBOX_CLEANING], taken);
	OK(inbox_check(inbox));
	OK(unlink(path_of("filler")));
	while (inbox_next_new(inbox, SPAN("mail"), &id) == 0)
		OK(inbox_clean_begin(inbox, id));
	OK(inbox_check(inbox));
	OK(reopen(NULL));
	ck_assert_uint_eq(inbox_counts(inbox).items[INBOX_NEW], taken);
	for (id = 1; (uint64_t)id <= taken; id++) {
		OK(inbox_clean_begin(inbox, id));
		OK(inbox_clean_failed(inbox, id, SPAN("no"), &state));
	}
	ck_assert_uint_eq(inbox_counts(inbox).items[INBOX_QUARANTINED], taken);
	for (id = 1; (uint64_t)id <= taken; id++)
		OK(inbox_drop(inbox, id));
	OK(put(bytes + 1, sizeof bytes - 1, &id));
	shut();
}

/* A reader that makes as much as it may of every small mail: it does not get
 * the reserve, so that each item keeps its way, and none is lost. */
static void
fill_with_clean(void)
{
	static char text[CLEAN_MAX_BYTES];
	struct span clean = {text, sizeof text};
	struct span record = {text, INBOX_RECORD_MAX_BYTES};
	int64_t id, first = 0;
	uint64_t done = 0;
	int error = 0;

	memset(text, 'x', sizeof text);
	OK(reopen(NULL));
	for (int i = 0; i < 200; i++)
		OK(put(&i, sizeof i, &id));
	while (error == 0) {
		OK(inbox_next_new(inbox, SPAN("mail"), &id));
		OK(inbox_clean_begin(inbox, id));
		error = inbox_clean_done(inbox, id, clean, record);
		done += error == 0;
		first = first == 0 ? id : first;
	}
	REFUSED(ERR_NO_SPACE, error);
	ck_assert_uint_gt(done, 3);
	OK(inbox_clean_abandon(inbox, id));
	REFUSED(ERR_NO_SPACE, put("x", 1, &id));
	for (int i = 0; i < 1000; i++) {
		OK(inbox_next_new(inbox, SPAN("mail"), &id));
		OK(inbox_clean_begin(inbox, id));
		OK(inbox_clean_abandon(inbox, id));
	}
	OK(reopen(NULL));
	for (id = first; inbox_counts(inbox).items[INBOX_READY] > 0; id++)
		OK(inbox_drop(inbox, id));
	OK(inbox_next_new(inbox, SPAN("mail"), &id));
	OK(inbox_clean_begin(inbox, id));
	OK(inbox_clean_done(inbox, id, clean, record));
	shut();
}

START_TEST(full_disk)
{
	static void (*const fill[])(void) = {fill_and_free, fill_with_clean};
	char command[200];
	int status;
	pid_t child;

	snprintf(command, sizeof command,
	    "mount -t tmpfs -o size=16m,mode=0700 none %s 2>/dev/null", folder);
	if (geteuid() != 0 || system(command) != 0) {
		printf("full_disk: skipped, needs root and a tmpfs\n");
		return;
	}
	child = check_fork(); /* so that the disk goes even if it fails */
	if (child == 0) {
		fill[_i]();
		exit(EXIT_SUCCESS);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	snprintf(command, sizeof command, "umount %s", folder);
	OK(system(command));
	ck_assert_int_eq(status, 0);
}
END_TEST

/* One whole life each. In memory, where syncs cost nothing and a slow
 * statement shows. */
static void
live(size_t items, int row)
{
	static char bytes[2000];
	int64_t id, claimed, session;

	(void)row;
	folder_remove();
	folder_make(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	OK(reopen(NULL));
	OK(inbox_session_new(
	    inbox, SPAN("planner"), SESSION_STANDING, &session));
	for (size_t i = 0; i < items; i++) {
		snprintf(bytes, sizeof bytes, "%zu", i);
		OK(put(bytes, sizeof bytes, &id));
		OK(inbox_clean_begin(inbox, id));
		OK(inbox_clean_done(inbox, id, SPAN("{}"), SPAN("{}")));
		OK(inbox_claim(inbox, session, &claimed));
		OK(inbox_mark_acted(inbox, id, session));
		OK(inbox_finish(inbox, id, session, SPAN("ok")));
	}
	ck_assert_uint_eq(inbox_counts(inbox).items[INBOX_DONE], items);
}

START_TEST(many_items)
{
	expect_linear(live, MANY_ITEMS, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("inbox_disk");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, folder_remove);
	tcase_set_timeout(tests, 300);
	tcase_add_test(tests, files_are_private);
	tcase_add_test(tests, folder_must_be_ours);
	tcase_add_test(tests, one_opener);
	tcase_add_loop_test(tests, not_an_inbox, 0, 6);
	tcase_add_test(tests, garbage_is_refused);
	tcase_add_test(tests, triggers_do_not_run);
	tcase_add_test(tests, other_bytes_are_found);
	tcase_add_test(tests, leftovers_are_swept);
	tcase_add_test(tests, damage_is_survived);
	tcase_add_loop_test(tests, full_disk, 0, 2);
	tcase_add_test(tests, many_items);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
