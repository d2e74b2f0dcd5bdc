/*
 * The mail reader without its two other processes.
 *
 *	mail_own one FILE...   read all files, lock this process as a worker
 *	                       is locked, then clean one mail after the other
 *	mail_own each FILE...  a worker for each, as shipped; milliseconds
 *	mail_own peak FILE...  the same as "one" in a child, whose peak is told
 *	mail_own fork COUNT    a child of the same process that only ends
 */
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/call_list.h"
#include "common/limits.h"
#include "reader/filter.h"
#include "reader/limits.h"
#include "reader/profile.h"
#include "reader/worker.h"
#include "tests/bench/bench.h"

static struct span
load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *bytes;

	if (fd < 0 || fstat(fd, &st) != 0)
		err(1, "%s", path);
	bytes = malloc((size_t)st.st_size + 1);
	if (bytes == NULL)
		err(1, "memory");
	bench_read(fd, bytes, (size_t)st.st_size);
	close(fd);
	return (struct span){bytes, (size_t)st.st_size};
}

static struct span *
load_all(char **paths, size_t count, size_t *bytes_out)
{
	struct span *mails = alloc_array(count, sizeof *mails);

	*bytes_out = 0;
	for (size_t i = 0; i < count; i++) {
		mails[i] = load(paths[i]);
		*bytes_out += mails[i].n;
	}
	return mails;
}

/* The list of system calls of a worker, and no descriptor more. */
static void
lock_as_worker(void)
{
	static struct call_list list;
	const struct rlimit files = {WORKER_FILES, WORKER_FILES};

	if (call_list_make(&worker_profile, false, &list) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_NOFILE, &files) != 0 ||
	    call_list_install(&list) != 0)
		errx(1, "cannot lock this process");
}

/* Parse, clean, write; the objects go nowhere. */
static void
clean_all(const struct span *mails, size_t count, size_t bytes)
{
	struct buf clean, record;
	double begin_us, cpu_us, us;

	buf_init(&clean, CLEAN_MAX_BYTES);
	buf_init(&record, RECORD_MAX_BYTES);
	lock_as_worker();
	begin_us = bench_now_us();
	cpu_us = bench_cpu_us();
	for (size_t i = 0; i < count; i++) {
		buf_clear(&clean);
		buf_clear(&record);
		if (filter_work("mail", mails[i], &clean, &record) != 0)
			errx(1, "mail %zu", i);
	}
	us = bench_now_us() - begin_us;
	cpu_us = bench_cpu_us() - cpu_us;
	printf("{\"mails\":%zu,\"bytes\":%zu,\"ms\":%.3f,\"cpu_ms\":%.3f,"
	       "\"mb_per_s\":%.1f}\n",
	    count, bytes, us / 1e3, cpu_us / 1e3, (double)bytes / cpu_us);
}

/* A worker's memory: what of its parent it has in use counts, pages of shared
 * libraries that only the parent used do not. */
static void
clean_in_child(const struct span *mails, size_t count, size_t bytes)
{
	struct rusage used;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (freopen("/dev/null", "w", stdout) == NULL)
			_exit(1);
		clean_all(mails, count, bytes);
		_exit(0);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid || status != 0)
		errx(1, "the child failed");
	printf("{\"peak_mib\":%.2f}\n", (double)used.ru_maxrss / 1024);
}

static void
clean_in_worker(struct span raw)
{
	struct worker w;

	if (worker_start(raw, "mail", &w) != 0)
		errx(1, "no worker");
	while (worker_read(&w) == WORKER_MORE) {
		struct pollfd at = {.fd = w.fd, .events = POLLIN};

		(void)poll(&at, 1, worker_wait_ms(&w));
	}
	worker_finish(&w);
	if (w.failed)
		errx(1, "a worker failed");
	worker_done(&w);
}

static void
clean_each(const struct span *mails, size_t count)
{
	struct bench bench;

	worker_prepare();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		err(1, "prctl");
	bench_begin(&bench, count);
	for (size_t i = 0; i < count; i++) {
		double begin_us = bench_now_us();

		clean_in_worker(mails[i]);
		bench_add(&bench, bench_now_us() - begin_us);
	}
	bench_end(&bench, count);
}

static void
fork_each(size_t count)
{
	struct bench bench;

	bench_begin(&bench, count);
	for (size_t i = 0; i < count; i++) {
		double begin_us = bench_now_us();
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			err(1, "fork");
		bench_add(&bench, bench_now_us() - begin_us);
	}
	bench_end(&bench, count);
}

int
main(int argc, char **argv)
{
	const char *mode = argc < 3 ? "" : argv[1];
	struct span *mails;
	size_t bytes;

	filter_warm();
	if (strcmp(mode, "fork") == 0) {
		fork_each(bench_count(argv[2]));
		return 0;
	}
	if (strcmp(mode, "one") != 0 && strcmp(mode, "each") != 0 &&
	    strcmp(mode, "peak") != 0)
		errx(
		    64, "usage: mail_own one|each|peak FILE..., or fork COUNT");
	mails = load_all(argv + 2, (size_t)(argc - 2), &bytes);
	if (strcmp(mode, "one") == 0)
		clean_all(mails, (size_t)(argc - 2), bytes);
	else if (strcmp(mode, "peak") == 0)
		clean_in_child(mails, (size_t)(argc - 2), bytes);
	else
		clean_each(mails, (size_t)(argc - 2));
	return 0;
}
