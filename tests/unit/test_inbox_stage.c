/*
 * Inbox and bytes: the same bytes once, what a stage refuses, quotas, bytes
 * read back in any pieces, and dropped bytes gone from the disk.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/log.h"
#include "tests/unit/inbox_fixture.h"

static void
setup(void)
{
	log_set_level(LOG_ERROR);
	folder_make("/tmp");
	OK(reopen(NULL));
}

START_TEST(same_bytes_once)
{
	const char *text = "the same";
	int64_t first, again, other;
	struct inbox_stage *one, *two;
	bool twice;

	OK(deliver(text, 8, &first, &twice));
	for (int drop = 0; drop < 2; drop++) {
		again = 0;
		OK(deliver(text, 8, &again, &twice));
		ck_assert(twice && again == first);
		OK(inbox_drop(inbox, first));
	}
	OK(inbox_stage_begin(inbox, SPAN("web"), 8, &one));
	OK(inbox_stage_begin(inbox, SPAN("web"), 8, &two));
	OK(inbox_stage_add(one, text, 8));
	OK(inbox_stage_add(two, text, 8));
	OK(inbox_stage_commit(two, NULL, &other, &twice));
	ck_assert(!twice && other != first);
	OK(inbox_stage_commit(one, NULL, &again, &twice));
	ck_assert(twice && again == other);
	/* channel and bytes do not run together */
	OK(inbox_stage_begin(inbox, SPAN("webt"), 7, &one));
	OK(inbox_stage_add(one, text + 1, 7));
	OK(inbox_stage_commit(one, NULL, &again, &twice));
	ck_assert(!twice);
	OK(inbox_check(inbox));
}
END_TEST

START_TEST(stage_refusals)
{
	static const char long_name[NAME_MAX_BYTES + 1] = {'x'};
	struct inbox_stage *stage = NULL, *many[INBOX_STAGES_MAX];
	unsigned char hash[SHA256_BYTES];
	int64_t id = 5;
	bool twice = false;
	const struct {
		struct span channel;
		uint64_t bytes;
		int error;
	} bad[] = {
	    {SPAN(""), 1, -ERR_RANGE},
	    {{long_name, sizeof long_name}, 1, -ERR_RANGE},
	    {SPAN("a b"), 1, -ERR_RANGE},
	    {SPAN("a\0b"), 1, -ERR_RANGE},
	    {SPAN("\xc3\xa9"), 1, -ERR_RANGE},
	    {SPAN("mail"), 0, -ERR_RANGE},
	    {SPAN("mail"), MAIL_MAX_BYTES + 1, -ERR_TOO_LARGE},
	    {SPAN("mail"), UINT64_MAX, -ERR_TOO_LARGE},
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_int_eq(inbox_stage_begin(inbox, bad[i].channel,
				     bad[i].bytes, &stage),
		    bad[i].error);
	ck_assert_ptr_null(stage);
	for (int i = 0; i < INBOX_STAGES_MAX; i++)
		OK(inbox_stage_begin(inbox, SPAN("m"), 4, &many[i]));
	REFUSED(ERR_BUSY, inbox_stage_begin(inbox, SPAN("m"), 4, &stage));
	REFUSED(ERR_STREAM, inbox_stage_add(many[4], "12345", 5));
	REFUSED(ERR_STREAM, inbox_stage_add(many[4], "1234", 4));
	REFUSED(ERR_STREAM, inbox_stage_commit(many[4], NULL, &id, &twice));
	OK(inbox_stage_add(many[0], "1234", 4));
	sha256_of("1235", 4, hash);
	REFUSED(ERR_STREAM, inbox_stage_commit(many[0], hash, &id, &twice));
	OK(inbox_stage_add(many[1], "123", 3));
	REFUSED(ERR_STREAM, inbox_stage_commit(many[1], NULL, &id, &twice));
	OK(inbox_stage_add(many[2], "1234", 4));
	sha256_of("1234", 4, hash);
	ck_assert_int_eq(id, 5);
	OK(inbox_stage_commit(many[2], hash, &id, &twice));
	inbox_stage_abort(many[3]);
	inbox_stage_abort(NULL);
	OK(reopen(NULL)); /* closes the others */
	ck_assert_uint_eq(inbox_counts(inbox).items[INBOX_NEW], 1);
}
END_TEST

/* Sizes around the borders of parts, read back in pieces of many sizes. */
START_TEST(bytes_come_back)
{
	static const size_t sizes[] = {1, CHUNK_BYTES - 1, CHUNK_BYTES,
	    CHUNK_BYTES + 1, 2 * CHUNK_BYTES, MAIL_MAX_BYTES};
	static const size_t pieces[] = {1000, CHUNK_BYTES, 100000};
	size_t size = sizes[_i], got, piece;
	char *bytes = alloc_bytes(size), *back = alloc_bytes(size + 100000);
	int64_t id = 0;
	bool twice;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 31 + i / 251);
	sqlite3_memory_highwater(1);
	OK(deliver(bytes, size, &id, &twice));
	ck_assert_int_lt(sqlite3_memory_highwater(0), 3 << 20);
	for (size_t i = 0; i < 3; i++) {
		size_t at = 0;

		piece = pieces[i];
		do {
			OK(inbox_raw_read(
			    inbox, id, at, back + at, piece, &got));
			at += got;
		} while (got != 0);
		ck_assert_uint_eq(at, size);
		ck_assert_mem_eq(back, bytes, size);
	}
	OK(inbox_raw_read(inbox, id, UINT64_MAX, back, 10, &got));
	ck_assert_uint_eq(got, 0);
	OK(inbox_check(inbox));
	free(bytes);
	free(back);
}
END_TEST

START_TEST(quotas)
{
	struct inbox_limits limits = {
	    .total_bytes = 100, .item_bytes = 60, .items = 3};
	struct inbox_stage *stage;
	char bytes[61] = "a";
	int64_t id, first;
	bool twice;

	OK(reopen(&limits));
	REFUSED(ERR_TOO_LARGE, deliver(bytes, 61, &id, &twice));
	OK(deliver(bytes, 60, &first, &twice));
	REFUSED(ERR_QUOTA, deliver(bytes, 41, &id, &twice));
	OK(inbox_stage_begin(inbox, SPAN("m"), 30, &stage));
	REFUSED(ERR_QUOTA, deliver(bytes, 11, &id, &twice));
	OK(deliver(bytes, 10, &id, &twice));
	REFUSED(ERR_QUOTA, deliver("", 1, &id, &twice));
	inbox_stage_abort(stage);
	OK(deliver("b", 1, &id, &twice));
	REFUSED(ERR_QUOTA, deliver("c", 1, &id, &twice));
	OK(inbox_drop(inbox, first));
	OK(deliver("c", 1, &id, &twice));
	limits.item_bytes = MAIL_MAX_BYTES + 1;
	shut();
	REFUSED(ERR_RANGE, inbox_open(folder, &limits, &inbox));
}
END_TEST

/* What a reader made of an item counts until it is dropped. */
START_TEST(clean_texts_count)
{
	struct inbox_limits limits = {.total_bytes = 100};
	int64_t id, other;
	bool twice;

	OK(reopen(&limits));
	OK(deliver("0123456789", 10, &id, &twice));
	ck_assert_uint_eq(inbox_counts(inbox).waiting_bytes, 10);
	OK(inbox_clean_begin(inbox, id));
	OK(inbox_clean_done(inbox, id, SPAN("{\"clean\":\"0123456789\"}"),
	    SPAN("{\"record\":\"0123456789\"}")));
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(inbox_counts(inbox).waiting_bytes, 0);
		ck_assert_uint_eq(inbox_counts(inbox).bytes, 10 + 22 + 23);
		REFUSED(ERR_QUOTA, inbox_stage_begin(inbox, SPAN("m"), 46,
				       &(struct inbox_stage *){NULL}));
		OK(reopen(&limits));
	}
	OK(deliver("0123456789abcdefghijklmnopqrstuvwxyz012345678", 45, &other,
	    &twice));
	OK(inbox_drop(inbox, id));
	ck_assert_uint_eq(inbox_counts(inbox).bytes, 45);
}
END_TEST

/* Is this text in any file of the folder? */
static bool
on_disk(const char *text)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	struct stat st;
	bool found = false;

	while ((entry = readdir(dir)) != NULL) {
		int fd = openat(dirfd(dir), entry->d_name, O_RDONLY);
		char *bytes;

		OK(fstat(fd, &st));
		if (S_ISREG(st.st_mode)) {
			ck_assert_int_eq(st.st_mode & 077, 0);
			bytes = alloc_bytes((size_t)st.st_size);
			ck_assert_int_eq(
			    read(fd, bytes, (size_t)st.st_size), st.st_size);
			found |= memmem(bytes, (size_t)st.st_size, text,
				     strlen(text)) != NULL;
			free(bytes);
		}
		close(fd);
	}
	closedir(dir);
	return found;
}

START_TEST(dropped_means_erased)
{
	char *bytes = alloc_bytes(300000);
	int64_t session, id, claimed;
	bool twice;

	for (size_t i = 0; i + 16 <= 300000; i += 16)
		memcpy(bytes + i, "sEcReT-mArKeR-16", 16);
	OK(deliver(bytes, 300000, &id, &twice));
	OK(inbox_clean_begin(inbox, id));
	OK(inbox_clean_done(
	    inbox, id, SPAN("cLeAn-mArK"), SPAN("rEcOrD-mArK")));
	OK(inbox_session_new(
	    inbox, SPAN("planner"), SESSION_PER_TASK, &session));
	OK(inbox_claim(inbox, session, &claimed));
	OK(inbox_finish(inbox, id, session, SPAN("nOtE-mArK")));
	ck_assert(on_disk("sEcReT") && on_disk("nOtE"));
	ck_assert(on_disk("cLeAn") && on_disk("rEcOrD"));
	OK(inbox_drop(inbox, id));
	ck_assert(!on_disk("sEcReT") && !on_disk("nOtE"));
	ck_assert(!on_disk("cLeAn") && !on_disk("rEcOrD"));
	free(bytes);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("inbox_stage");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, folder_remove);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, same_bytes_once);
	tcase_add_test(tests, stage_refusals);
	tcase_add_loop_test(tests, bytes_come_back, 0, 6);
	tcase_add_test(tests, quotas);
	tcase_add_test(tests, clean_texts_count);
	tcase_add_test(tests, dropped_means_erased);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
