/*
 * Anchors: what is written is what is read, behind the tag of a system log
 * too; which lines are passed over; what several of one sequence mean; and
 * that one which fails is told apart from those that do not.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/anchor.h"
#include "executor/audit_proof.h"

#define ROWS(table) (int)(sizeof(table) / sizeof(table)[0])
#define FULL "/dev/full"

static char folder[40], path[64];
static struct proofs proofs;

static void
setup(void)
{
	strcpy(folder, "/tmp/test_anchor.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/anchors", folder);
	proofs = (struct proofs){0};
}

static void
teardown(void)
{
	proofs_done(&proofs);
	unlink(path);
	rmdir(folder);
}

static struct anchored
anchored(bool lineage, uint64_t seq, int value)
{
	struct anchored what = {.lineage = lineage, .seq = seq};

	memset(what.hash, value, sizeof what.hash);
	memset(what.key, value + 1, sizeof what.key);
	return what;
}

static int
see(const struct anchored *what, bool *lineage)
{
	proofs_begin(&proofs);
	return proofs_see(&proofs, what->seq, what->hash, what->key, lineage);
}

static void
send_to_file(const struct anchored *what)
{
	struct anchors anchors = {.count = 1};

	anchors.row[0] = (struct anchor){.kind = anchor_kind_find(SPAN("file")),
	    .place = alloc_string(path)};
	anchors_open(&anchors);
	ck_assert_int_ge(anchors.row[0].fd, 0);
	ck_assert_uint_eq(anchors_send(&anchors, what, NULL, NULL), 1);
	anchors_done(&anchors);
}

START_TEST(read_as_written)
{
	struct anchored start = anchored(true, 7, 1),
			head = anchored(false, 9, 2);
	bool lineage;

	send_to_file(&start);
	send_to_file(&head);
	ck_assert_int_eq(proofs_add_file(&proofs, path), 0);
	ck_assert_uint_eq(proofs.count, 2);
	ck_assert_int_eq(see(&start, &lineage), 1);
	ck_assert(lineage);
	ck_assert_int_eq(see(&head, &lineage), 1);
	ck_assert(!lineage);
	ck_assert(proofs_left(&proofs, 8));
	ck_assert(!proofs_left(&proofs, 9));
}
END_TEST

/* Starts that came to nothing, beside the one that did; and a head never. */
START_TEST(of_one_sequence)
{
	struct anchored none = anchored(true, 7, 1),
			start = anchored(true, 7, 3),
			head = anchored(false, 7, 5);
	bool lineage;

	send_to_file(&none);
	send_to_file(&start);
	ck_assert_int_eq(proofs_add_file(&proofs, path), 0);
	ck_assert_int_eq(see(&start, &lineage), 1);
	ck_assert(lineage);
	ck_assert_int_eq(see(&head, &lineage), -ERR_WRONG_STATE);
	start.key[0] ^= 1; /* another key is another start */
	ck_assert_int_eq(see(&start, &lineage), -ERR_WRONG_STATE);
	ck_assert(!lineage);
	start.key[0] ^= 1;
	send_to_file(&head);
	ck_assert_int_eq(proofs_add_file(&proofs, path), 0);
	ck_assert_int_eq(see(&start, &lineage), -ERR_WRONG_STATE);
}
END_TEST

#define D16 "000000000000002a"
#define D64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD "head " D16 " " D64 " " D64

static const struct {
	const char *line;
	size_t count;
} lines[] = {
    {HEAD, 1},
    {"lineage " D16 " " D64 " " D64, 1},
    {"Nov 28 08:12:00 host trizone-audit: " HEAD, 1},
    {"Nov 28 08:12:00 host trizone-audit[812]: " HEAD, 1},
    {"2026-11-28T08:12:00.000000+00:00 host trizone-audit[1]: " HEAD, 1},
    {"{\"time\":\"t\",\"title\":\"\",\"text\":\"" HEAD "\"}", 1},
    {"{\"text\":\"lineage " D16 " " D64 " " D64 "\"}", 1},
    {"{\"title\":\"" HEAD "\",\"text\":\"\"}", 0},
    {"{\"text\":\" " HEAD "\"}", 0},
    {"{\"text\":\"trizone-audit: " HEAD "\"}", 0},
    {"{\"text\":[\"" HEAD "\"]}", 0},
    {"{\"text\":\"" HEAD "\"", 0},
    {"{", 0},
    /* somebody else's words about it */
    {"Nov 28 08:12:00 host su: trizone-audit: " HEAD, 0},
    {"Nov 28 08:12:00 host trizone-audits: " HEAD, 0},
    {"Nov 28 08:12:00 host trizone-audit: so " HEAD, 0},
    {"Nov 28 08:12:00 host trizone-audit " HEAD, 0},
    {"", 0},
    {":", 0},
    {"   ", 0},
    {"trizone-audit:", 0},
    {" " HEAD, 0},
    {HEAD " ", 0},
    {"head " D16 " " D64, 0},
    {"head 0000000000000000 " D64 " " D64, 0},
    {"HEAD " D16 " " D64 " " D64, 0},
};

START_TEST(which_lines)
{
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	fprintf(out, "%s\n", lines[_i].line);
	fclose(out);
	ck_assert_int_eq(proofs_add_file(&proofs, path), 0);
	ck_assert_uint_eq(proofs.count, lines[_i].count);
}
END_TEST

/* What stands behind so many bytes of a line begins none. */
START_TEST(in_a_long_line)
{
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	for (int i = 0; i < 1023; i++)
		putc('x', out);
	fprintf(out, "%s\n%s\n", HEAD, HEAD);
	fclose(out);
	ck_assert_int_eq(proofs_add_file(&proofs, path), 0);
	ck_assert_uint_eq(proofs.count, 1);
}
END_TEST

START_TEST(receipts)
{
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	fputs(D16 ":" D64 "\n" D16 ":" D64 "\n", out);
	fflush(out);
	ck_assert_int_eq(proofs_add_receipts(&proofs, path), 0);
	ck_assert_uint_eq(proofs.count, 2);
	ck_assert(!proofs.anchors);
	fputs("\n", out);
	fclose(out);
	ck_assert_int_eq(proofs_add_receipts(&proofs, path), -ERR_SYNTAX);
}
END_TEST

static void
count_change(void *context, const struct anchor *anchor)
{
	int *count = context;

	ck_assert_int_ne(anchor->error, 0);
	(*count)++;
}

START_TEST(one_fails)
{
	struct anchored head = anchored(false, 9, 2);
	struct anchors anchors = {.count = 2}, told;
	struct buf text;
	int changes = 0, full = open(FULL, O_RDWR);

	if (full < 0)
		return; /* there is no such device */
	for (size_t i = 0; i < 2; i++)
		anchors.row[i] =
		    (struct anchor){.kind = anchor_kind_find(SPAN("file")),
			.place = alloc_string(i == 0 ? path : FULL)};
	anchors_open(&anchors);
	ck_assert_int_eq(anchors.row[1].fd, -1); /* a device is no anchor */
	ck_assert_int_ne(anchors.row[1].error, 0);
	buf_init(&text, 4096);
	anchors_write(&anchors, &text);
	ck_assert_uint_eq(
	    anchors_read(&told, (struct span){text.data, text.len}, full), 1);
	ck_assert_uint_eq(told.count, 2);
	ck_assert_int_eq(told.row[0].fd, full);
	ck_assert_int_eq(told.row[1].fd, -1);
	ck_assert_str_eq(told.row[1].place, FULL);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(
		    anchors_send(&told, &head, count_change, &changes), 0);
	ck_assert_int_eq(changes, 1);
	buf_free(&text);
	anchors_done(&told);
	anchors_done(&anchors);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("anchor");
	TCase *tests = tcase_create("anchor");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, read_as_written);
	tcase_add_test(tests, of_one_sequence);
	tcase_add_loop_test(tests, which_lines, 0, ROWS(lines));
	tcase_add_test(tests, in_a_long_line);
	tcase_add_test(tests, receipts);
	tcase_add_test(tests, one_fails);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
