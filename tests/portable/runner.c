/*
 * The part of the Check library that our unit tests call, so that they run
 * where no Check is built: each test in a process of its own, with fixtures
 * and a deadline. A test that reaches a stand-in library is counted as
 * skipped. Used by tests/portable/musl only; check.h is Check's own.
 */
#include <check.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CASES 64
#define MAX_TESTS 512
#define SECONDS 60

struct test {
	const TTest *what;
	int exit_status;
	int start, end;
};

struct TCase {
	const char *name;
	SFun setup, teardown;
	struct test tests[MAX_TESTS];
	size_t count;
};

struct Suite {
	TCase *cases[MAX_CASES];
	size_t count;
};

struct SRunner {
	Suite *suite;
	int passed, failed, skipped;
};

/* Set by a stand-in that was called; shared with every process of a test. */
extern int *stand_in_called;
int *stand_in_called;

/* Set by an assertion that failed; shared too. */
static int *assertion_failed;

static void *
get(size_t size)
{
	void *made = calloc(1, size);

	if (made == NULL)
		abort();
	return made;
}

Suite *
suite_create(const char *name)
{
	(void)name;
	return get(sizeof(Suite));
}

TCase *
tcase_create(const char *name)
{
	TCase *made = get(sizeof(TCase));

	made->name = name;
	return made;
}

void
suite_add_tcase(Suite *suite, TCase *tc)
{
	if (suite->count == MAX_CASES)
		abort();
	suite->cases[suite->count++] = tc;
}

void
tcase_add_checked_fixture(TCase *tc, SFun setup, SFun teardown)
{
	if (tc->setup != NULL || tc->teardown != NULL)
		abort(); /* one is all we need */
	tc->setup = setup;
	tc->teardown = teardown;
}

void
tcase_set_timeout(TCase *tc, double timeout)
{
	(void)tc;
	(void)timeout; /* ours is longer */
}

void
_tcase_add_test(TCase *tc, const TTest *what, int raised, int exit_status,
    int start, int end)
{
	if (tc->count == MAX_TESTS || raised != 0)
		abort();
	tc->tests[tc->count++] = (struct test){what, exit_status, start, end};
}

SRunner *
srunner_create(Suite *suite)
{
	SRunner *made = get(sizeof(SRunner));

	made->suite = suite;
	return made;
}

void
_mark_point(const char *file, int line)
{
	(void)file;
	(void)line;
}

void
_ck_assert_failed(
    const char *file, int line, const char *expr, const char *msg, ...)
{
	va_list list;

	if (*stand_in_called == 0) {
		printf("%s:%d: ", file, line);
		va_start(list, msg);
		if (msg != NULL)
			vprintf(msg, list);
		else
			printf("%s", expr);
		va_end(list);
		printf("\n");
		(void)fflush(stdout);
	}
	*assertion_failed = 1;
	_exit(1);
}

pid_t
check_fork(void)
{
	return fork();
}

static _Noreturn void
run_here(const TCase *tc, const struct test *test, int i)
{
	(void)setpgid(0, 0);
	alarm(SECONDS);
	if (tc->setup != NULL)
		tc->setup();
	test->what->fn(i);
	if (tc->teardown != NULL)
		tc->teardown();
	exit(0);
}

static void
run_one(SRunner *runner, const TCase *tc, const struct test *test, int i)
{
	pid_t child;
	int status;
	bool good;

	*stand_in_called = *assertion_failed = 0;
	(void)fflush(NULL);
	child = fork();
	if (child == 0)
		run_here(tc, test, i);
	if (child < 0 || waitpid(child, &status, 0) != child)
		abort();
	(void)kill(-child, SIGKILL); /* what it left behind */
	good = *assertion_failed == 0 && WIFEXITED(status) &&
	       WEXITSTATUS(status) == test->exit_status;
	if (*stand_in_called != 0) {
		runner->skipped++;
	} else if (good) {
		runner->passed++;
	} else {
		runner->failed++;
		printf("FAILED %s, %s, %d: status %#x\n", tc->name,
		    test->what->name, i, (unsigned)status);
	}
}

static int *
shared_int(void)
{
	void *page = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		abort();
	return page;
}

void
srunner_run_all(SRunner *runner, enum print_output mode)
{
	(void)mode;
	stand_in_called = shared_int();
	assertion_failed = shared_int();
	for (size_t c = 0; c < runner->suite->count; c++) {
		const TCase *tc = runner->suite->cases[c];

		for (size_t t = 0; t < tc->count; t++)
			for (int i = tc->tests[t].start; i < tc->tests[t].end;
			     i++)
				run_one(runner, tc, &tc->tests[t], i);
	}
	printf("%d passed, %d failed, %d skipped\n", runner->passed,
	    runner->failed, runner->skipped);
}

int
srunner_ntests_failed(SRunner *runner)
{
	return runner->failed;
}

void
srunner_free(SRunner *runner)
{
	for (size_t c = 0; c < runner->suite->count; c++)
		free(runner->suite->cases[c]);
	free(runner->suite);
	free(runner);
}
