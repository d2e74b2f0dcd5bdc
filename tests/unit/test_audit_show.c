/*
 * Showing a log: filters, the tail, unfinished intents, and texts that try to
 * reach the terminal or to pass for another column.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "executor/audit_show.h"

#define ROWS(table) (int)(sizeof(table) / sizeof(table)[0])

static char folder[40], path[64];
static char *shown; /* what audit_show printed */
static size_t shown_bytes;
static struct show_options options;
static uint64_t written; /* records */

static void
append(enum record_kind kind, uint64_t session, const char *capability,
    uint64_t intent)
{
	struct record record = {.kind = kind,
	    .intent = intent,
	    .session = session,
	    .capability = span_of(capability),
	    .number = NO_CAPABILITY,
	    .verdict = session == 1 ? VERDICT_ALLOW : VERDICT_DENY,
	    .status = OUTCOME_UNKNOWN,
	    .rule = session == 1 ? SPAN("notes") : SPAN("default"),
	    .message = 10 + session};
	static unsigned char head[SHA256_BYTES];
	struct record_head at = {.prev = head};
	struct sha256 *digest = sha256_new();
	struct buf out;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (kind == RECORD_START) {
		written = 0;
		memset(head, 0, sizeof head);
	}
	at.seq = ++written;
	at.time_ms = (uint64_t)clock_utc_ms();
	buf_init(&out, RECORD_LINE_MAX);
	ck_assert_int_eq(record_add(&out, digest, &at, &record, head), 0);
	ck_assert_int_eq(write(fd, out.data, out.len), (ssize_t)out.len);
	buf_free(&out);
	close(fd);
	sha256_free(digest);
}

/* Eight records: two sessions, an intent with and one without outcome. */
static void
setup(void)
{
	strcpy(folder, "/tmp/test_audit_show.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/audit.jsonl", folder);
	append(RECORD_START, 0, "", 0);
	append(RECORD_DECISION, 1, "file.read", 0);
	append(RECORD_INTENT, 1, "file.read", 0);
	append(RECORD_OUTCOME, 1, "file.read", 3);
	append(RECORD_DECISION, 2, "send_data", 0);
	append(RECORD_INTENT, 2, "notify.me", 0);
	append(RECORD_CLAIM, 2, "", 0);
	append(RECORD_STOP, 0, "", 0);
	show_options_init(&options);
}

static void
teardown(void)
{
	static const char *const names[] = {"audit.jsonl"};
	char name[80];

	free(shown);
	shown = NULL;
	for (int i = 0; i < ROWS(names); i++) {
		snprintf(name, sizeof name, "%s/%s", folder, names[i]);
		unlink(name);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}

static bool
show(void)
{
	bool damaged = false;
	FILE *out;

	free(shown);
	out = open_memstream(&shown, &shown_bytes);
	ck_assert_int_eq(audit_show(path, &options, out, &damaged), 0);
	fclose(out);
	return damaged;
}

/* The sequences at the beginning of each line, as "2 3 4 ". */
static void
check_shown(const char *expected)
{
	char list[200] = "", *rest = NULL;
	char *line = strtok_r(shown, "\n", &rest);

	for (; line != NULL; line = strtok_r(NULL, "\n", &rest))
		snprintf(list + strlen(list), sizeof list - strlen(list),
		    "%ld ", strtol(line, NULL, 10));
	ck_assert_str_eq(list, expected);
}

static const struct {
	struct audit_filter filter;
	const char *expected;
} filters[] = {
#define ANY                                                                    \
	.session = FILTER_ANY, .message = FILTER_ANY,                          \
	.verdict = VERDICT_COUNT, .kind = RECORD_KIND_COUNT
    {{ANY}, "1 2 3 4 5 6 7 8 "},
    {{ANY, .capability = "file.read"}, "2 3 4 "},
    {{ANY, .capability = "file"}, ""},
    {{ANY, .rule = "default"}, "5 6 "},
    {{ANY, .since = "2000"}, "1 2 3 4 5 6 7 8 "},
    {{ANY, .until = "2000-01-01"}, ""},
    {{ANY, .since = "9999"}, ""},
    {{ANY, .unknown = true}, "4 6 "},
    {{ANY, .unknown = true, .capability = "notify.me"}, "6 "},
};

START_TEST(filter_table)
{
	options.filter = filters[_i].filter;
	ck_assert(!show());
	check_shown(filters[_i].expected);
}
END_TEST

/* An unknown outcome that was settled is told no more; another one is. */
START_TEST(settled)
{
	append(RECORD_OUTCOME, 2, "notify.me", 6);
	append(RECORD_SETTLEMENT, 1, "file.read", 3);
	options.filter.unknown = true;
	show();
	check_shown("9 ");
	options.tail = 5;
	show();
	check_shown("9 ");
	append(RECORD_SETTLEMENT, 2, "notify.me", 6);
	options.tail = 0;
	show();
	check_shown("");
	show_options_init(&options);
	options.filter.kind = RECORD_SETTLEMENT;
	show();
	check_shown("10 11 ");
}
END_TEST

START_TEST(filters_by_number)
{
	options.filter.session = 2;
	show();
	check_shown("5 6 7 ");
	options.filter.message = 11;
	show();
	check_shown("");
	options.filter.session = FILTER_ANY;
	show();
	check_shown("2 3 4 ");
	show_options_init(&options);
	options.filter.kind = RECORD_INTENT;
	show();
	check_shown("3 6 ");
	show_options_init(&options);
	options.filter.verdict = VERDICT_DENY;
	show();
	check_shown("5 ");
}
END_TEST

START_TEST(first_and_last)
{
	options.limit = 3;
	show();
	check_shown("1 2 3 ");
	options.limit = 0;
	options.tail = 3;
	show();
	check_shown("6 7 8 ");
	options.tail = 100;
	options.filter.session = 1;
	show();
	check_shown("2 3 4 ");
	options.tail = 1;
	options.filter.session = FILTER_ANY;
	options.filter.unknown = true;
	show();
	check_shown("6 ");
}
END_TEST

START_TEST(raw_lines)
{
	static char text[8 * RECORD_LINE_MAX];
	FILE *log = fopen(path, "r");
	size_t bytes = fread(text, 1, sizeof text, log);

	fclose(log);
	options.style.json = true;
	ck_assert(!show());
	ck_assert_uint_eq(shown_bytes, bytes);
	ck_assert_mem_eq(shown, text, bytes);
}
END_TEST

/* A log with an escape sequence written into it, and one cut short. */
START_TEST(damaged_log)
{
	FILE *log = fopen(path, "r+");

	options.style.json = true;
	fseek(log, 230, SEEK_SET);
	fputs("\033[2J", log);
	fclose(log);
	ck_assert(show());
	ck_assert_ptr_null(memchr(shown, '\033', shown_bytes));
	options.style.json = false;
	ck_assert(show());
	check_shown("2 3 4 5 6 7 8 ");
	ck_assert_int_eq(truncate(path, 100), 0);
	show();
	ck_assert_uint_eq(shown_bytes, 0);
}
END_TEST

static const struct {
	const char *text, *written;
} hostile[] = {
    {"file.read", " file.read "},
    {"a b", " \"a b\" "},
    {"a\" rule=x", " \"a\\\" rule=x\" "},
    {"a\\", " \"a\\\\\" "},
    {"a\nb", " \"a\xe2\x90\x8a"
	     "b\" "},
    {"\033[31m", " \"\xe2\x90\x9b[31m\" "},
    {"\xe2\x80\xae", " \"\xef\xbf\xbd\" "},
    {"\xc2\x9b", " \"\xef\xbf\xbd\" "},
};

static void
format(struct buf *out, const struct show_style *style, const char *text)
{
	struct record record = {.kind = RECORD_DECISION,
	    .capability = span_of(text),
	    .verdict = VERDICT_DENY,
	    .rule = SPAN("default")};
	static const unsigned char prev[SHA256_BYTES];
	struct record_head head = {.seq = 1, .prev = prev};
	unsigned char hash[SHA256_BYTES];
	struct sha256 *digest = sha256_new();
	struct buf line;

	buf_init(&line, RECORD_LINE_MAX);
	ck_assert_int_eq(record_add(&line, digest, &head, &record, hash), 0);
	ck_assert_int_eq(show_format(out, style,
			     (struct span){line.data, line.len - 1}, &record),
	    0);
	buf_add_byte(out, '\0');
	buf_free(&line);
	sha256_free(digest);
}

START_TEST(hostile_texts)
{
	struct show_style style = {0};
	struct buf out;

	buf_init(&out, 4096);
	format(&out, &style, hostile[_i].text);
	ck_assert_msg(
	    strstr(out.data, hostile[_i].written) != NULL, "%s", out.data);
	buf_free(&out);
}
END_TEST

/* The width is kept, counting every wide character as two columns. */
START_TEST(widths)
{
	struct show_style style = {.colour = true};
	struct buf out;

	buf_init(&out, 4096);
	for (style.width = 40; style.width < 120; style.width++) {
		buf_clear(&out);
		format(&out, &style,
		    "\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad");
		ck_assert_ptr_nonnull(
		    strstr(out.data, "\033[31mdeny   \033[0m"));
		ck_assert_uint_le(
		    utf8_count(out.data, out.len - 2), style.width + 9 + 1);
	}
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("audit_show");
	TCase *logs = tcase_create("logs"), *lines = tcase_create("lines");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, logs);
	tcase_add_checked_fixture(logs, setup, teardown);
	tcase_add_loop_test(logs, filter_table, 0, ROWS(filters));
	tcase_add_test(logs, settled);
	tcase_add_test(logs, filters_by_number);
	tcase_add_test(logs, first_and_last);
	tcase_add_test(logs, raw_lines);
	tcase_add_test(logs, damaged_log);
	suite_add_tcase(suite, lines);
	tcase_add_loop_test(lines, hostile_texts, 0, ROWS(hostile));
	tcase_add_test(lines, widths);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
