/*
 * What the audit's readers share: words for times, filters and the index,
 * which spares reading and never hides a record.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/audit_index_row.h"
#include "executor/audit_show.h"
#include "executor/audit_time.h"

#define ROWS(table) (int)(sizeof(table) / sizeof(table)[0])
#define NOW_MS UINT64_C(1772323200000) /* 2026-03-01T00:00:00.000Z */
#define SEGMENTS 4
#define IN_SEGMENT 50

static const struct {
	const char *text, *time; /* NULL: refused */
} times[] = {
    {"2026", "2026"},
    {"2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"},
    {"2026-01-02T03:04Z", "2026-01-02T03:04"},
    {"2026-12", "2026-12"},
    {"2026-01-31T23:59:59.999", "2026-01-31T23:59:59.999"},
    {"2024-02-29", "2024-02-29"},
    {"2000-02-29T00", "2000-02-29T00"},
    {"today", "2026-03-01"},
    {"yesterday", "2026-02-28"},
    {"now", "2026-03-01T00:00:00.000Z"},
    {"90s", "2026-02-28T23:58:30.000Z"},
    {"2h", "2026-02-28T22:00:00.000Z"},
    {"1w", "2026-02-22T00:00:00.000Z"},
    {"", NULL},
    {"h", NULL},
    {"2", NULL},
    {"202", NULL},
    {"-2h", NULL},
    {"2 h", NULL},
    {"2hh", NULL},
    {"2y", NULL},
    {"999999999w", NULL},
    {"9999999999s", NULL},
    {"Yesterday", NULL},
    {"2026/01", NULL},
    {"2026-", NULL},
    {"2026-1", NULL},
    {"2026-13-45", NULL},
    {"2026-00", NULL},
    {"2026-13", NULL},
    {"2026-04-31", NULL},
    {"2026-01-00", NULL},
    {"2026-01-32", NULL},
    {"2026-02-29", NULL},
    {"1900-02-29", NULL},
    {"2026-01-02T24", NULL},
    {"2026-01-02T03:60", NULL},
    {"2026-01-02T03:04:60", NULL},
    {"2026-01-02T03:04:05.6", NULL},
    {"2026-01-02T03:04:05+01:00", NULL},
    {"2026-01-02 03:04", NULL},
    {"2026-01-02T03:04:05.678ZZ", NULL},
};

START_TEST(time_words)
{
	char out[AUDIT_TIME_BYTES] = "";
	int rc = audit_time_parse(times[_i].text, NOW_MS, out);

	if (times[_i].time == NULL)
		ck_assert_int_eq(rc, -ERR_RANGE);
	else
		ck_assert_str_eq(out, times[_i].time);
}
END_TEST

START_TEST(time_numbers)
{
	static const uint64_t moments[] = {0, 1, 68169599999, 951782400000,
	    951868800000, NOW_MS, 4107542399999, 253402300799999};
	char text[RECORD_TIME_BYTES];

	for (int i = 0; i < ROWS(moments); i++) {
		record_time_write(moments[i], text);
		ck_assert_uint_eq(
		    audit_time_ms((struct span){text, sizeof text}),
		    moments[i]);
	}
}
END_TEST

static char folder[40];
static unsigned char head[SHA256_BYTES];

/* Segments of 50 records; session and message differ from one to the next,
 * and the second segment has a clock that was set back. */
static void
write_segment(uint64_t number)
{
	struct segment segment = {
	    .first = number * IN_SEGMENT + 1, .kind = SEGMENT_RECORDS};
	struct sha256 *digest = sha256_new();
	char path[80];
	struct buf out;
	FILE *file;

	snprintf(path, sizeof path, "%s/", folder);
	segment_name(&segment, path + strlen(path));
	file = fopen(path, "w");
	buf_init(&out, RECORD_LINE_MAX);
	for (uint64_t i = 0; i < IN_SEGMENT; i++) {
		uint64_t seq = segment.first + i;
		struct record_head at = {.seq = seq,
		    .prev = head,
		    .time_ms = NOW_MS + (number == 1 ? 0 : number) * 86400000 +
			       i * 1000};
		struct record record = {.kind = RECORD_DECISION,
		    .session = number * 10 + 1 + i / 10,
		    .zone = number == 3 ? SPAN("b\"c") : SPAN("planner"),
		    .capability = SPAN("file.read"),
		    .verdict = VERDICT_ASK,
		    .rule = number == 2 ? SPAN("only-here") : SPAN("default"),
		    .destination =
			number == 2 ? SPAN("Ann@example.org example.org/a%20b")
				    : SPAN("/srv/notes/c"),
		    .message = seq};

		/* one that is not whole on record may have gone anywhere */
		if (number == 1 && i < 2)
			record.destination_bytes = 400;
		buf_clear(&out);
		ck_assert_int_eq(
		    record_add(&out, digest, &at, &record, head), 0);
		fwrite(out.data, 1, out.len, file);
	}
	buf_free(&out);
	sha256_free(digest);
	fclose(file);
}

static void
setup(void)
{
	struct audit_index_made made;

	strcpy(folder, "/tmp/test_audit_read.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	memset(head, 0, sizeof head);
	for (uint64_t i = 0; i < SEGMENTS; i++)
		write_segment(i);
	ck_assert_int_eq(audit_index_make(folder, &made), 0);
	ck_assert_uint_eq(made.made, SEGMENTS - 1); /* not the last */
}

static void
teardown(void)
{
	char command[80];

	snprintf(command, sizeof command, "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

/* How many records a filter shows. */
static size_t
shown(const struct show_options *options)
{
	char *text = NULL;
	size_t bytes = 0, count = 0;
	bool damaged = false;
	FILE *out = open_memstream(&text, &bytes);

	ck_assert_int_eq(audit_show(folder, options, out, &damaged), 0);
	fclose(out);
	ck_assert(!damaged);
	for (size_t i = 0; i < bytes; i++)
		count += text[i] == '\n';
	free(text);
	return count;
}

static const struct {
	int option;
	const char *argument;
	size_t count;
} filters[] = {
    {FILTER_OPTION_SESSION, "1", 10},
    {FILTER_OPTION_SESSION, "25", 10},
    {FILTER_OPTION_SESSION, "35", 10},
    {FILTER_OPTION_SESSION, "99", 0},
    {FILTER_OPTION_MESSAGE, "msg:77", 1},
    {FILTER_OPTION_MESSAGE, "200", 1},
    {FILTER_OPTION_MESSAGE, "201", 0},
    {FILTER_OPTION_RULE, "only-here", 50},
    {FILTER_OPTION_ZONE, "b\"c", 50},
    {FILTER_OPTION_ZONE, "planner", 150},
    {FILTER_OPTION_CAPABILITY, "file.read", 200},
    {FILTER_OPTION_KIND, "decision", 200},
    {FILTER_OPTION_KIND, "halt", 0},
    {FILTER_OPTION_VERDICT, "ask", 200},
    {FILTER_OPTION_VERDICT, "deny", 0},
    {FILTER_OPTION_SINCE, "2026-03-02", 100},
    {FILTER_OPTION_SINCE, "2026-03-03T00:00:40", 60},
    {FILTER_OPTION_UNTIL, "2026-03-01", 100},
    {FILTER_OPTION_UNTIL, "2026-03-01T00:00:09", 20},
    {FILTER_OPTION_DESTINATION, "x", 52},
    {FILTER_OPTION_DESTINATION, "zz", 2},
    {FILTER_OPTION_DESTINATION, "nowhere", 2},
    {FILTER_OPTION_DESTINATION, "ann@EXAMPLE.org", 52},
    {FILTER_OPTION_DESTINATION, "ample.org/", 52},
    {FILTER_OPTION_DESTINATION, "/a b", 52},
    {FILTER_OPTION_DESTINATION, "/srv/notes", 150},
};

START_TEST(index_hides_nothing)
{
	struct show_options options;

	show_options_init(&options);
	ck_assert_int_eq(audit_filter_take(&options.filter, filters[_i].option,
			     filters[_i].argument, NOW_MS),
	    0);
	ck_assert_uint_eq(shown(&options), filters[_i].count);
	options.no_index = true;
	ck_assert_uint_eq(shown(&options), filters[_i].count);
}
END_TEST

START_TEST(index_spares_segments)
{
	struct audit_filter filter;
	struct audit_index *index;
	uint64_t next = 0;

	audit_filter_init(&filter);
	ck_assert_ptr_null(audit_index_open(folder, &filter));
	filter.rule = "only-here";
	index = audit_index_open(folder, &filter);
	ck_assert_ptr_nonnull(index);
	ck_assert(audit_index_spares(index, 1, &next));
	ck_assert_uint_eq(next, 51);
	ck_assert(audit_index_spares(index, 51, &next));
	ck_assert(!audit_index_spares(index, 101, &next));
	ck_assert(!audit_index_spares(index, 151, &next)); /* the last */
	ck_assert(!audit_index_spares(index, 2, &next));
	audit_index_close(index);
}
END_TEST

/* Of another log, of an older version, or behind by segments: never fewer. */
START_TEST(index_of_another)
{
	static const char *const changes[] = {
	    /* two rows change places */
	    "cd %s/index && mv %016x a && cp %016x b && mv a %016x && mv b %016x",
	    ("cd %s/index && for f in *; do printf TZINDEX1 | dd of=$f "
	     "conv=notrunc status=none; done"),
	    "cd %s/index && rm %016x",
	    "cd %s/index && for f in *; do : >$f; done",
	    "cd %s/index && for f in *; do rm $f; mkfifo $f; done",
	    "cd %s/index && for f in *; do rm $f; mkdir $f; done",
	};
	struct show_options options;
	char command[200];

	show_options_init(&options);
	options.filter.rule = "only-here";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(command, sizeof command, changes[_i], folder,
	    _i == 2 ? 101 : 1, 101, 101, 1);
#pragma GCC diagnostic pop
	ck_assert_int_eq(system(command), 0);
	ck_assert_uint_eq(shown(&options), 50);
}
END_TEST

/* A row that is not whole, or of a segment that has changed, is no row. */
START_TEST(index_is_checked)
{
	struct show_options options;
	struct audit_index_made made;
	char path[120];
	FILE *row;

	snprintf(path, sizeof path, "%s/index/%016x", folder, 101);
	row = fopen(path, "r+");
	for (int i = 0; i < 2000; i++)
		fputc(0, row); /* names nothing any more */
	fclose(row);
	show_options_init(&options);
	options.filter.rule = "only-here";
	ck_assert_uint_eq(shown(&options), 50);
	ck_assert_int_eq(audit_index_make(folder, &made), 0);
	ck_assert_uint_eq(made.made, 1);
	ck_assert_uint_eq(made.kept, SEGMENTS - 2);
	write_segment(0); /* the chain's head is another one now */
	ck_assert_int_eq(audit_index_make(folder, &made), 0);
	ck_assert_uint_eq(made.made, 1);
	snprintf(path, sizeof path, "%s/segment-%016x.jsonl", folder, 1);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(audit_index_make(folder, &made), 0);
	ck_assert_uint_eq(made.removed, 1);
}
END_TEST

START_TEST(index_is_no_link)
{
	struct audit_index_made made;
	char path[80], command[100];

	snprintf(command, sizeof command, "rm -r %s/index", folder);
	ck_assert_int_eq(system(command), 0);
	snprintf(path, sizeof path, "%s/index", folder);
	ck_assert_int_eq(symlink("/tmp", path), 0);
	ck_assert_int_ne(audit_index_make(folder, &made), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("audit_read");
	TCase *words = tcase_create("words"), *index = tcase_create("index");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, words);
	tcase_add_loop_test(words, time_words, 0, ROWS(times));
	tcase_add_test(words, time_numbers);
	suite_add_tcase(suite, index);
	tcase_add_checked_fixture(index, setup, teardown);
	tcase_add_loop_test(index, index_hides_nothing, 0, ROWS(filters));
	tcase_add_test(index, index_spares_segments);
	tcase_add_test(index, index_is_checked);
	tcase_add_loop_test(index, index_of_another, 0, 6);
	tcase_add_test(index, index_is_no_link);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
