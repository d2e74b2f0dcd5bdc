/*
 * What locking in costs.
 *
 *	lock_role ROLE [NUMBER]   lock this process in as that role (NUMBER is
 *	                          its user where we are root), and print the
 *	                          time of its two parts as a line of JSON
 *	lock_role worker COUNT    so many workers that lock themselves in and
 *	                          end, and plain forks, in turn: a line of JSON
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/call_list.h"
#include "common/err.h"
#include "common/lock.h"
#include "common/platform.h"
#include "common/start.h"
#include "executor/profile.h"
#include "planner/profile.h"
#include "reader/profile.h"
#include "tests/bench/bench.h"

static const struct lock_profile *
find(const char *name)
{
	if (strcmp(name, "planner") == 0)
		return &planner_profile;
	if (strcmp(name, "reader") == 0)
		return &reader_profile;
	return profile_find(span_of(name));
}

static int
lock_in(const char *name, const char *number)
{
	const struct lock_profile *profile = find(name);
	double begin = bench_now_us(), entered;
	struct lock lock;

	if (profile == NULL)
		return EXIT_USAGE;
	lock_init(&lock, profile);
	if (number != NULL)
		lock_account(number, &lock.account);
	lock_enter(&lock);
	entered = bench_now_us();
	lock_seal(&lock);
	printf("{\"lock_us\":%.0f,\"enter_us\":%.0f,\"seal_us\":%.0f}\n",
	    bench_now_us() - begin, entered - begin, bench_now_us() - entered);
	(void)fflush(stdout);
	return EXIT_DONE;
}

/* As reader/worker.c does, without a mail. */
_Noreturn static void
worker(const struct call_list *list)
{
	const struct rlimit none = {0, 0}, cpu = {10, 11};

	(void)close(STDIN_FILENO);
	if (platform_close_from(STDERR_FILENO + 1) != 0 ||
	    setrlimit(RLIMIT_FSIZE, &none) != 0 ||
	    setrlimit(RLIMIT_CPU, &cpu) != 0 ||
	    setrlimit(RLIMIT_NOFILE, &none) != 0 ||
	    call_list_install(list) != 0)
		_exit(1);
	_exit(0);
}

static double
child_us(const struct call_list *list)
{
	double begin = bench_now_us();
	pid_t pid = fork();
	int status = 0;

	if (pid == 0 && list != NULL)
		worker(list);
	if (pid == 0)
		_exit(0);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		die(EXIT_SYSTEM, "a child ended with %d", status);
	return bench_now_us() - begin;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int
workers(size_t count)
{
	double *locked = calloc(count, sizeof *locked);
	double *plain = calloc(count, sizeof *plain);
	struct call_list list;

	if (locked == NULL || plain == NULL ||
	    call_list_make(&worker_profile, false, &list) != 0)
		return EXIT_SYSTEM;
	for (size_t i = 0; i < count; i++) {
		plain[i] = child_us(NULL);
		locked[i] = child_us(&list);
	}
	qsort(locked, count, sizeof *locked, compare);
	qsort(plain, count, sizeof *plain, compare);
	printf("{\"locked_us\":%.1f,\"plain_us\":%.1f}\n", locked[count / 2],
	    plain[count / 2]);
	free(locked);
	free(plain);
	call_list_done(&list);
	return EXIT_DONE;
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		return EXIT_USAGE;
	start_process("bench", STDERR_FILENO + 1);
	if (strcmp(argv[1], "worker") == 0 && argc == 3)
		return workers(bench_count(argv[2]));
	return lock_in(argv[1], argc > 2 ? argv[2] : NULL);
}
