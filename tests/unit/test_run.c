/*
 * Running programs of the system: status, output, bounds, deadlines, and what
 * the program finds open.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/run.h"
#include "tests/unit/run_suite.h"

static void
set_up(void)
{
	signal(SIGPIPE, SIG_IGN);
}

static void
no_child_left(void)
{
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
struct result {
	int rc, status;
	struct buf out, err;
};

static struct result
run(const char *script, struct span input, size_t max, int deadline_ms)
{
	const char *argv[] = {"/bin/sh", "-c", script, NULL};
	struct result r = {.status = -1};

	buf_init(&r.out, max);
	buf_init(&r.err, max);
	r.rc = run_program(argv, input, &r.out, &r.err, deadline_ms, &r.status);
	no_child_left();
	return r;
}

static void
result_free(struct result *r)
{
	buf_free(&r->out);
	buf_free(&r->err);
}

static void
says(const char *script, int status, const char *out, const char *err)
{
	struct result r = run(script, SPAN(""), 65536, 20000);

	ck_assert_int_eq(r.rc, 0);
	ck_assert_int_eq(r.status, status);
	ck_assert_uint_eq(r.out.len, strlen(out));
	ck_assert_uint_eq(r.err.len, strlen(err));
	if (r.out.len != 0)
		ck_assert_mem_eq(r.out.data, out, r.out.len);
	if (r.err.len != 0)
		ck_assert_mem_eq(r.err.data, err, r.err.len);
	result_free(&r);
}

START_TEST(ends)
{
	int other = open("/dev/null", O_WRONLY);

	ck_assert_int_eq(dup2(other, 9), 9); /* not closed on exec */
	says("echo out; echo err >&2; exit 3", 3, "out\n", "err\n");
	says("kill -TERM $$", 128 + SIGTERM, "", "");
	says("exec >&- 2>&-; /bin/sleep 0.2; exit 4", 4, "", "");
	says("/bin/cat", 0, "", "");
	says("echo $HOME$USER$LANG$TRIZONE_BIN", 0, "\n", "");
	says("pwd", 0, "/\n", "");
	says("(echo x >&9) 2>/dev/null || echo closed", 0, "closed\n", "");
	says("kill -PIPE $$", 128 + SIGPIPE, "", "");
	close(other);
	close(9);
}
END_TEST

START_TEST(feeds)
{
	size_t n = (size_t)1 << 20;
	char *input = alloc_bytes(n);
	struct result r;

	memset(input, 'x', n);
	r = run("/bin/cat; /bin/cat >&2", (struct span){input, n}, n, 20000);
	ck_assert_int_eq(r.rc, 0);
	ck_assert_uint_eq(r.out.len, n);
	ck_assert_mem_eq(r.out.data, input, n);
	result_free(&r);
	/* who does not want it all */
	r = run("exec <&-; echo no", (struct span){input, n}, n, 20000);
	ck_assert_int_eq(r.rc, 0);
	ck_assert_int_eq(r.status, 0);
	ck_assert_uint_eq(r.out.len, 3);
	result_free(&r);
	/* more than fits, on either */
	r = run("/bin/cat", (struct span){input, n}, n - 1, 20000);
	ck_assert_int_eq(r.rc, -ERR_TOO_LARGE);
	ck_assert_int_eq(r.status, -1);
	result_free(&r);
	r = run("/bin/cat >&2", (struct span){input, n}, n - 1, 20000);
	ck_assert_int_eq(r.rc, -ERR_TOO_LARGE);
	result_free(&r);
	free(input);
}
END_TEST

START_TEST(late)
{
	static const char *const scripts[] = {"exec /bin/sleep 60",
	    "exec >&- 2>&-; exec /bin/sleep 60",
	    "trap '' TERM; while :; do :; done", "/bin/sleep 60 & exit 0",
	    "while :; do echo; /bin/sleep 0.01; done"};

	for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
		int64_t began = clock_ms(), took;
		struct result r = run(scripts[i], SPAN("x"), 65536, 200);

		took = clock_ms() - began;
		ck_assert_int_eq(r.rc, -ERR_DEADLINE);
		ck_assert_int_eq(r.status, -1);
		ck_assert_msg(took >= 190 && took < 30000, "%s: %d ms",
		    scripts[i], (int)took);
		result_free(&r);
	}
}
END_TEST

START_TEST(nothing)
{
	const char *argv[] = {"/nonexistent/x", NULL};
	const char *sink[] = {"/bin/cat", NULL};
	int status = -1;

	ck_assert_int_eq(
	    run_program(argv, SPAN(""), NULL, NULL, 5000, &status), 0);
	ck_assert_int_eq(status, RUN_NOT_EXECUTED);
	/* input, and nobody who wants the output */
	ck_assert_int_eq(
	    run_program(sink, SPAN("x"), NULL, NULL, 5000, &status), 0);
	ck_assert_int_eq(status, 0);
	no_child_left();
}
END_TEST

static Suite *
run_program_suite(void)
{
	Suite *suite = suite_create("run");
	TCase *tc = tcase_create("run");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, ends);
	tcase_add_test(tc, feeds);
	tcase_add_test(tc, late);
	tcase_add_test(tc, nothing);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return run_suite(run_program_suite());
}
