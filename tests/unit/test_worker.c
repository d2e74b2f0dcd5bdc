/*
 * The disposable worker: its results arrive, and a worker that dies, lies,
 * hangs or bursts still leaves a valid failure form.
 *
 * filter_work is replaced here by one that does on purpose what a taken-over
 * parser might, so this links worker.c and not filter.c.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"
#include "common/limits.h"
#include "proto/clean.h"
#include "reader/filter.h"
#include "reader/limits.h"
#include "reader/record.h"
#include "reader/worker.h"
#include "tests/unit/run_suite.h"

#define PIPE_FD STDOUT_FILENO /* of the worker, see worker.c */

static void
write_form(int error, const char *text, struct buf *clean, struct buf *record)
{
	struct clean form;
	struct record none;

	clean_init(&form, "mail");
	record_init(&none);
	if (error != 0)
		clean_fail(&form, error, text);
	else
		clean_set_subject(&form, span_of(text));
	ck_assert_int_eq(clean_write(&form, clean), 0);
	ck_assert_int_eq(record_write(&none, "mail", NULL, 0, 0, record), 0);
	clean_done(&form);
	record_done(&none);
}

void
filter_fail(const char *kind, int error, const char *text, struct buf *clean,
    struct buf *record)
{
	(void)kind;
	write_form(error, text, clean, record);
}

/* What of the outside the worker still reaches, as a text. */
static void
probe(struct buf *clean, struct buf *record)
{
	char text[64] = "sealed";

	if (open("/", O_RDONLY) >= 0)
		strcpy(text, "can open");
	else if (fcntl(STDIN_FILENO, F_GETFD) >= 0)
		strcpy(text, "has an input");
	for (int fd = STDERR_FILENO + 1; fd < 100; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			strcpy(text, "has more descriptors");
	write_form(0, text, clean, record);
}

_Noreturn static void
write_raw(const void *bytes, size_t count)
{
	if (write(PIPE_FD, bytes, count) != (ssize_t)count)
		_exit(1);
	_exit(0);
}

_Noreturn static void
burst(void)
{
	static char junk[65536];

	for (;;)
		if (write(PIPE_FD, junk, sizeof junk) < 0)
			_exit(0);
}

_Noreturn static void
spin(void)
{
	volatile unsigned turns = 0;

	for (;;)
		turns++;
}

int
filter_work(
    const char *kind, struct span raw, struct buf *clean, struct buf *record)
{
	(void)kind;
	if (span_is(raw, "good"))
		write_form(0, "good", clean, record);
	else if (span_is(raw, "fails"))
		write_form(ERR_TOO_LARGE, "fails", clean, record);
	else if (span_is(raw, "probe"))
		probe(clean, record);
	else if (span_is(raw, "crash"))
		__builtin_trap();
	else if (span_is(raw, "socket"))
		(void)socket(AF_UNIX, SOCK_STREAM, 0);
	else if (span_is(raw, "fork"))
		(void)fork();
	else if (span_is(raw, "signal"))
		(void)kill(getppid(), SIGTERM);
	else if (span_is(raw, "limit"))
		(void)setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, 0});
	else if (span_is(raw, "error"))
		return -ERR_TOO_LARGE;
	else if (span_is(raw, "silent"))
		_exit(0);
	else if (span_is(raw, "short"))
		write_raw("\0\0\0\2\0\0\0\2{}{", 11);
	else if (span_is(raw, "long"))
		write_raw("\0\0\0\2\0\0\0\2{}{}x", 13);
	else if (span_is(raw, "huge"))
		write_raw("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	else if (span_is(raw, "lie"))
		write_raw("\0\0\0\2\0\0\0\2{}{}", 12);
	else if (span_is(raw, "burst"))
		burst();
	else if (span_is(raw, "spin"))
		spin();
	else if (span_is(raw, "stay"))
		(void)poll(NULL, 0, -1);
	return 0;
}

static struct worker w;
static struct json_doc doc;
static struct clean_view view;

static void
start(const char *order)
{
	ck_assert_int_eq(worker_start(span_of(order), "mail", &w), 0);
}

static void
drive(void)
{
	while (worker_read(&w) == WORKER_MORE) {
		struct pollfd at = {.fd = w.fd, .events = POLLIN};

		(void)poll(&at, 1, worker_wait_ms(&w));
	}
}

/* Finish; whatever happened, both results are valid. */
static void
finish(void)
{
	worker_finish(&w);
	json_init(&doc);
	ck_assert_int_eq(
	    json_parse(
		&doc, (struct span){w.record.data, w.record.len}, NULL, NULL),
	    0);
	ck_assert_int_eq(
	    json_parse(
		&doc, (struct span){w.clean.data, w.clean.len}, NULL, NULL),
	    0);
	ck_assert_int_eq(clean_check(&doc, json_root(&doc), &view, NULL), 0);
	ck_assert_int_eq(kill(w.pid, 0), 0); /* pid 0 is us: it is reaped */
	ck_assert_int_eq(w.fd, -1);
}

static void
done(void)
{
	json_done(&doc);
	worker_done(&w);
}

START_TEST(good_results)
{
	start("good");
	drive();
	finish();
	ck_assert(!w.failed);
	ck_assert(span_is(view.subject, "good"));
	done();
}
END_TEST

START_TEST(sealed)
{
	start("probe");
	drive();
	finish();
	ck_assert(span_is(view.subject, "sealed"));
	done();
}
END_TEST

static const struct {
	const char *order;
	int error;
} failures[] = {
    {"fails", ERR_TOO_LARGE},
    {"crash", ERR_SYSTEM},
    {"socket", ERR_SYSTEM},
    {"fork", ERR_SYSTEM},
    {"signal", ERR_SYSTEM},
    {"limit", ERR_SYSTEM},
    {"error", ERR_SYSTEM},
    {"silent", ERR_FAILED},
    {"short", ERR_FAILED},
    {"long", ERR_FAILED},
    {"huge", ERR_FAILED},
    {"lie", ERR_FAILED},
    {"burst", ERR_SYSTEM},
    {"spin", ERR_DEADLINE},
};

START_TEST(failures_are_named)
{
	start(failures[_i].order);
	drive();
	finish();
	ck_assert(w.failed);
	ck_assert_int_eq(view.error, failures[_i].error);
	done();
}
END_TEST

/* The clock is moved instead of waited for. */
START_TEST(late_worker_is_ended)
{
	start("stay");
	ck_assert_int_eq(worker_read(&w), WORKER_MORE);
	ck_assert_int_gt(worker_wait_ms(&w), WORKER_DEADLINE_MS / 2);
	w.deadline_ms -= WORKER_DEADLINE_MS;
	ck_assert_int_eq(worker_wait_ms(&w), 0);
	ck_assert_int_eq(worker_read(&w), WORKER_FAILED);
	finish();
	ck_assert_int_eq(view.error, ERR_DEADLINE);
	done();
}
END_TEST

START_TEST(cancelled_worker_is_ended)
{
	start("stay");
	worker_kill(&w);
	finish();
	ck_assert_int_eq(view.error, ERR_SYSTEM);
	done();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("worker");
	TCase *tcase = tcase_create("worker");

	worker_prepare();
	tcase_set_timeout(tcase, 60); /* one spins until its CPU limit */
	tcase_add_test(tcase, good_results);
	tcase_add_test(tcase, sealed);
	tcase_add_loop_test(tcase, failures_are_named, 0,
	    (int)(sizeof failures / sizeof failures[0]));
	tcase_add_test(tcase, late_worker_is_ended);
	tcase_add_test(tcase, cancelled_worker_is_ended);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
