/*
 * Kind `notify`: settings, arguments, one inert line a call, and a file that
 * is nobody else's.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/landlock.h"
#include "common/log.h"
#include "executor/kind.h"
#include "tests/unit/host.h"

static char base[64];
static const struct kind *kind;
static const struct kind_method *method;

static void
set_up(void)
{
	log_set_level(LOG_ERROR);
	kind = kind_find(SPAN("notify"));
	ck_assert_ptr_nonnull(kind);
	method = kind_method_find(kind, SPAN("send"));
	ck_assert_ptr_nonnull(method);
	snprintf(base, sizeof base, "/tmp/test_kind_notify.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	ck_assert_int_eq(chdir(base), 0);
}

static void
tear_down(void)
{
	char command[128];

	ck_assert_int_eq(chdir("/"), 0);
	snprintf(command, sizeof command, "rm -rf %s", base);
	ck_assert_int_eq(system(command), 0);
}

static int
parse_settings(const char *text, void **settings_out, struct json_error *where)
{
	struct json_doc doc;
	int rc;

	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, span_of(text), NULL, where), 0);
	rc = kind->settings_parse(
	    &doc, json_root(&doc), method, settings_out, where);
	json_done(&doc);
	return rc;
}

/* Settings for the file "log" in the test's folder. */
static void *
open_file(const char *more)
{
	char *text =
	    alloc_format("{\"to\":\"file\",\"path\":\"%s/log\"%s}", base, more);
	struct json_error where;
	void *settings;

	ck_assert_int_eq(parse_settings(text, &settings, &where), 0);
	free(text);
	kind->open(settings, method);
	return settings;
}

/* 0 and the number of replacements, or the error. */
static int
send_text(void *settings, const char *arguments, int64_t *replaced_out)
{
	struct buf result, content;
	struct json_doc doc;
	char detail[200] = "";
	int rc;

	buf_init(&result, 4096);
	buf_init(&content, 4096);
	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, span_of(arguments), NULL, NULL), 0);
	rc = kind->run(settings, method, &doc, json_root(&doc), &result,
	    &content, detail, sizeof detail);
	ck_assert_uint_eq(content.len, 0);
	if (rc != 0) {
		ck_assert_uint_eq(result.len, 0);
		ck_assert_uint_gt(strlen(detail), 5);
	} else {
		ck_assert_int_eq(
		    json_parse(&doc, (struct span){result.data, result.len},
			NULL, NULL),
		    0);
		*replaced_out =
		    json_get(&doc, json_root(&doc), "replaced")->value.integer;
	}
	json_done(&doc);
	buf_free(&result);
	return rc;
}

/* The whole log; the caller frees it. */
static char *
log_text(void)
{
	FILE *f = fopen("log", "r");
	char *text = alloc_bytes(65536);

	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, 65535, f)] = '\0';
	fclose(f);
	return text;
}

static size_t
count_lines(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		if (*text == '\n')
			count++;
	return count;
}

START_TEST(settings)
{
	static const struct {
		const char *text;
		int want;
	} rows[] = {
	    {"{\"to\":\"syslog\"}", 0},
	    {"{\"to\":\"syslog\",\"identity\":\"a-b_c.9\"}", 0},
	    {"{\"to\":\"file\",\"path\":\"/var/log/n\"}", 0},
	    {"{}", -ERR_CONFIG},
	    {"{\"to\":\"desk\"}", -ERR_CONFIG},
	    {"{\"to\":1}", -ERR_CONFIG},
	    {"{\"to\":\"file\"}", -ERR_MISSING_KEY},
	    {"{\"to\":\"file\",\"path\":\"log\"}", -ERR_CONFIG},
	    {"{\"to\":\"file\",\"path\":\"/log/\"}", -ERR_CONFIG},
	    {"{\"to\":\"file\",\"path\":\"/a/../log\"}", -ERR_CONFIG},
	    {"{\"to\":\"file\",\"path\":\"/a\",\"identity\":\"x\"}",
		-ERR_UNKNOWN_KEY},
	    {"{\"to\":\"file\",\"path\":\"/a\",\"max_bytes\":0}", -ERR_RANGE},
	    {"{\"to\":\"syslog\",\"path\":\"/a\"}", -ERR_UNKNOWN_KEY},
	    {"{\"to\":\"syslog\",\"identity\":\"\"}", -ERR_RANGE},
	    {"{\"to\":\"syslog\",\"identity\":\"a b\"}", -ERR_CONFIG},
	    {"{\"to\":\"syslog\",\"identity\":\"a\\nb\"}", -ERR_CONFIG},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct json_error where;
		void *parsed = NULL;
		struct buf out;
		int rc = parse_settings(rows[i].text, &parsed, &where);

		ck_assert_msg(
		    rc == rows[i].want, "%s: %s", rows[i].text, err_name(rc));
		if (rc != 0)
			continue;
		buf_init(&out, 1000);
		kind->settings_print(parsed, method, &out);
		ck_assert_uint_gt(out.len, 30);
		buf_free(&out);
		kind->settings_free(parsed);
	}
	kind->settings_free(NULL);
}
END_TEST

START_TEST(arguments_refused)
{
	static const char *const rows[] = {"{}", "[]", "{\"text\":\"\"}",
	    "{\"text\":1}", "{\"title\":\"x\"}", "{\"text\":\"x\",\"title\":1}",
	    "{\"text\":\"x\",\"to\":\"y\"}"};
	void *s = open_file("");
	char *text;
	int64_t replaced;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_int_eq(send_text(s, rows[i], &replaced), -ERR_SCHEMA);
	text = alloc_format("{\"text\":\"%01001d\"}", 0);
	ck_assert_int_eq(send_text(s, text, &replaced), -ERR_SCHEMA);
	free(text);
	text = alloc_format("{\"text\":\"x\",\"title\":\"%0101d\"}", 0);
	ck_assert_int_eq(send_text(s, text, &replaced), -ERR_SCHEMA);
	free(text);
	text = log_text();
	ck_assert_str_eq(text, "");
	free(text);
	kind->settings_free(s);
}
END_TEST

START_TEST(to_file)
{
	void *s = open_file("");
	struct stat status;
	struct json_doc doc;
	int64_t replaced;
	char *text;

	ck_assert_int_eq(stat("log", &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
	ck_assert_int_eq(
	    send_text(s, "{\"text\":\"one\\ntwo\",\"title\":\"T\"}", &replaced),
	    0);
	ck_assert_int_eq(replaced, 0);
	ck_assert_int_eq(send_text(s, "{\"text\":\"three\"}", &replaced), 0);
	kind->settings_free(s);
	/* a second start goes on where the first ended */
	s = open_file("");
	ck_assert_int_eq(send_text(s, "{\"text\":\"four\"}", &replaced), 0);
	kind->settings_free(s);
	text = log_text();
	ck_assert_uint_eq(count_lines(text), 3);
	json_init(&doc);
	ck_assert_int_eq(
	    json_parse(&doc,
		(struct span){text, (size_t)(strchr(text, '\n') - text)}, NULL,
		NULL),
	    0);
	ck_assert(json_is_string(
	    json_get(&doc, json_root(&doc), "text"), "one\ntwo"));
	ck_assert(
	    json_is_string(json_get(&doc, json_root(&doc), "title"), "T"));
	ck_assert_uint_eq(
	    json_get(&doc, json_root(&doc), "time")->value.string.n, 24);
	json_done(&doc);
	free(text);
}
END_TEST

START_TEST(made_inert)
{
	void *s = open_file("");
	int64_t replaced;
	char *text;

	/* ESC, bidi override, zero width space, a tag; a title's line feed */
	ck_assert_int_eq(
	    send_text(s,
		"{\"text\":\"a\\u001b[2J\\u202eb\\u200bc\\udb40\\udc41\","
		"\"title\":\"x\\ny\"}",
		&replaced),
	    0);
	ck_assert_int_eq(replaced, 5);
	text = log_text();
	ck_assert_ptr_nonnull(
	    strstr(text, "\"text\":\"a\xe2\x90\x9b[2J\xef\xbf\xbd"
			 "b\xef\xbf\xbd"
			 "c\xef\xbf\xbd\""));
	ck_assert_ptr_nonnull(strstr(text, "\"title\":\"x\xe2\x90\x8ay\""));
	ck_assert_uint_eq(count_lines(text), 1);
	free(text);
	kind->settings_free(s);
}
END_TEST

START_TEST(longest)
{
	void *s = open_file("");
	struct buf arguments;
	int64_t replaced;
	char *text;

	buf_init(&arguments, 16384);
	buf_add_text(&arguments, "{\"text\":\"");
	for (int i = 0; i < 500; i++)
		buf_add_text(&arguments, "\xf0\x9f\x92\xa9\\\"");
	buf_add_text(&arguments, "\",\"title\":\"");
	for (int i = 0; i < 100; i++)
		buf_add_text(&arguments, "\xf0\x9f\x92\xa9");
	buf_add(&arguments, "\"}", 3);
	ck_assert_int_eq(send_text(s, arguments.data, &replaced), 0);
	ck_assert_int_eq(replaced, 0);
	buf_free(&arguments);
	text = log_text();
	ck_assert_uint_gt(strlen(text), 3400);
	ck_assert_uint_eq(count_lines(text), 1);
	free(text);
	kind->settings_free(s);
}
END_TEST

START_TEST(ceiling)
{
	void *s = open_file(",\"max_bytes\":120");
	int64_t replaced;
	char *before, *after;

	ck_assert_int_eq(send_text(s, "{\"text\":\"first\"}", &replaced), 0);
	before = log_text();
	ck_assert_int_eq(
	    send_text(s, "{\"text\":\"the second one\"}", &replaced),
	    -ERR_NO_SPACE);
	after = log_text();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	kind->settings_free(s);
}
END_TEST

/* A line that was cut by a loss of power does not swallow the next. */
START_TEST(torn_line)
{
	FILE *f = fopen("log", "w");
	int64_t replaced;
	char *text;
	void *s;

	fputs("{\"time\":\"20", f);
	fclose(f);
	s = open_file("");
	ck_assert_int_eq(send_text(s, "{\"text\":\"whole\"}", &replaced), 0);
	text = log_text();
	ck_assert_ptr_eq(strstr(text, "{\"time\":\"20\n{\"time\":\"2"), text);
	ck_assert_uint_eq(count_lines(text), 2);
	free(text);
	kind->settings_free(s);
}
END_TEST

/* A write that only half fits is taken back. */
START_TEST(half_written)
{
	struct rlimit limit = {100, 100};
	void *s = open_file("");
	int64_t replaced;
	char *before, *after;

	ck_assert_int_eq(send_text(s, "{\"text\":\"first\"}", &replaced), 0);
	before = log_text();
	ck_assert_uint_lt(strlen(before), 100);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(
	    send_text(s, "{\"text\":\"second\"}", &replaced), -ERR_NO_SPACE);
	after = log_text();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	kind->settings_free(s);
}
END_TEST

START_TEST(disk_full)
{
	int64_t replaced;
	char *text, *arguments;
	size_t lines = 0;
	void *s;
	int rc;

	if (!host_private_mounts() || !host_mount_memory(base, "16k")) {
		fprintf(stderr, "cannot mount: full disk not tested\n");
		return;
	}
	ck_assert_int_eq(chdir(base), 0);
	s = open_file("");
	arguments = alloc_format("{\"text\":\"%0900d\"}", 0);
	while ((rc = send_text(s, arguments, &replaced)) == 0)
		lines++;
	ck_assert_int_eq(rc, -ERR_NO_SPACE);
	ck_assert_uint_gt(lines, 5);
	text = log_text();
	ck_assert_uint_eq(count_lines(text), lines);
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
	free(text);
	free(arguments);
	kind->settings_free(s);
	ck_assert_int_eq(chdir("/"), 0);
	host_unmount(base);
}
END_TEST

START_TEST(sync_fails)
{
	void *s = open_file("");
	int64_t replaced;

	if (host_without_file_sync())
		ck_assert_int_eq(send_text(s, "{\"text\":\"x\"}", &replaced),
		    -ERR_UNKNOWN_OUTCOME);
	else
		fprintf(stderr, "cannot make sync fail: not tested\n");
	kind->settings_free(s);
}
END_TEST

START_TEST(taken_away)
{
	void *s = open_file("");
	int64_t replaced;

	ck_assert_int_eq(unlink("log"), 0);
	ck_assert_int_eq(
	    send_text(s, "{\"text\":\"x\"}", &replaced), -ERR_FAILED);
	kind->settings_free(s);
}
END_TEST

/* open() has to end the process, with EXIT_CONFIG. */
static void
expect_no_open(const char *what)
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDERR_FILENO);
		kind->settings_free(open_file(""));
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CONFIG,
	    "%s: status %d", what, status);
	ck_assert_int_eq(unlink("log"), 0);
}

START_TEST(not_our_file)
{
	FILE *f = fopen("other", "w");

	fputs("other\n", f);
	fclose(f);
	ck_assert_int_eq(symlink("other", "log"), 0);
	expect_no_open("link");
	ck_assert_int_eq(symlink("new", "log"), 0);
	expect_no_open("dangling link");
	ck_assert_int_ne(access("new", F_OK), 0);
	ck_assert_int_eq(link("other", "log"), 0);
	expect_no_open("hard link");
	ck_assert_int_eq(mkfifo("log", 0600), 0);
	expect_no_open("FIFO");
	if (host_make_device("log"))
		expect_no_open("device");
	f = fopen("log", "w");
	fclose(f);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown("log", 65534, 65534), 0);
		expect_no_open("somebody else's");
	}
}
END_TEST

/* Works with nothing of the file system in reach. */
START_TEST(confined)
{
	void *s = open_file("");
	struct lock_path paths[KIND_PATHS_MAX];
	int status;
	pid_t child;
	char *text;

	ck_assert_uint_eq(kind->paths(s, method, paths), 1);
	ck_assert(paths[0].shown); /* until the file is open */
	child = fork();
	if (child == 0) {
		uint32_t abi;
		int64_t replaced;

		landlock_restrict(paths, 1, &abi);
		ck_assert_int_eq(
		    send_text(s, "{\"text\":\"inside\"}", &replaced), 0);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	text = log_text();
	ck_assert_uint_eq(count_lines(text), 1);
	free(text);
	kind->settings_free(s);
}
END_TEST

/* Only where no daemon listens at /dev/log and we may make one. */
START_TEST(to_syslog)
{
	struct sockaddr_un address = {
	    .sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct json_error where;
	int64_t replaced;
	char got[4096];
	void *parsed;
	ssize_t n;

	if (bind(s, (struct sockaddr *)&address, sizeof address) != 0) {
		fprintf(stderr, "no /dev/log of our own: not tested\n");
		close(s);
		return;
	}
	ck_assert_int_eq(
	    parse_settings("{\"to\":\"syslog\",\"identity\":\"notifier\"}",
		&parsed, &where),
	    0);
	kind->open(parsed, method);
	unlink("/dev/log");
	ck_assert_int_eq(
	    send_text(parsed,
		"{\"text\":\"a %s %n\\nforged: line\",\"title\":\"T\"}",
		&replaced),
	    0);
	ck_assert_int_eq(replaced, 1);
	n = recv(s, got, sizeof got - 1, MSG_DONTWAIT);
	ck_assert_int_gt(n, 0);
	got[n] = '\0';
	ck_assert_ptr_nonnull(strstr(got, "notifier["));
	ck_assert_ptr_nonnull(strstr(got, "]: T: a %s %n\xe2\x90\x8a"
					  "forged: line"));
	kind->settings_free(parsed);
	close(s);
}
END_TEST

static Suite *
kind_notify_suite(void)
{
	Suite *suite = suite_create("kind_notify");
	TCase *tc = tcase_create("kind_notify");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, settings);
	tcase_add_test(tc, arguments_refused);
	tcase_add_test(tc, to_file);
	tcase_add_test(tc, made_inert);
	tcase_add_test(tc, longest);
	tcase_add_test(tc, ceiling);
	tcase_add_test(tc, torn_line);
	tcase_add_test(tc, half_written);
	tcase_add_test(tc, disk_full);
	tcase_add_test(tc, sync_fails);
	tcase_add_test(tc, taken_away);
	tcase_add_test(tc, not_our_file);
	tcase_add_test(tc, confined);
	tcase_add_test(tc, to_syslog);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(kind_notify_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
