/*
 * Clock, exact input and output, and the result line of the benchmarks.
 */
#include "tests/bench/bench.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double
read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

double
bench_now_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

double
bench_cpu_us(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void
bench_begin(struct bench *bench, size_t room)
{
	alarm(BENCH_SECONDS);
	bench->us = calloc(room, sizeof *bench->us);
	if (bench->us == NULL)
		err(1, "samples");
	memset(bench->us, 1, room * sizeof *bench->us); /* there, not lazily */
	bench->count = 0;
	bench->room = room;
	bench->begin_us = bench_now_us();
}

void
bench_add(struct bench *bench, double us)
{
	if (bench->count < bench->room)
		bench->us[bench->count++] = us;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void
bench_end(struct bench *bench, size_t done)
{
	double all_us = bench_now_us() - bench->begin_us;
	size_t n = bench->count;

	if (n != 0) {
		qsort(bench->us, n, sizeof *bench->us, compare);
		printf("{\"median_us\":%.3f,\"p99_us\":%.3f,\"per_s\":%.1f}\n",
		    bench->us[n / 2], bench->us[n * 99 / 100],
		    (double)done / all_us * 1e6);
	} else {
		printf("{\"per_s\":%.1f}\n", (double)done / all_us * 1e6);
	}
	free(bench->us);
}

size_t
bench_count(const char *text)
{
	char *end;
	long count = strtol(text, &end, 10);

	if (*end != '\0' || count < 1 || count > 100000000)
		errx(64, "\"%s\" is no count", text);
	return (size_t)count;
}

size_t
bench_load(const char *path, char *to, size_t room)
{
	int fd = open(path, O_RDONLY);
	ssize_t got = fd < 0 ? -1 : read(fd, to, room);

	if (got <= 0)
		err(1, "%s", path);
	if ((size_t)got == room)
		errx(1, "%s is too long", path);
	close(fd);
	return (size_t)got;
}

void
bench_write(int fd, const void *bytes, size_t count)
{
	const char *from = bytes;

	while (count > 0) {
		ssize_t put = write(fd, from, count);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			err(1, "write");
		from += put;
		count -= (size_t)put;
	}
}

void
bench_read(int fd, void *bytes, size_t count)
{
	char *to = bytes;

	while (count > 0) {
		ssize_t got = read(fd, to, count);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			err(1, "read");
		if (got == 0)
			exit(0); /* the other side is through */
		to += got;
		count -= (size_t)got;
	}
}

void
bench_put_length(char *to, size_t length)
{
	to[0] = (char)(length >> 24);
	to[1] = (char)(length >> 16);
	to[2] = (char)(length >> 8);
	to[3] = (char)length;
}

size_t
bench_get_length(const char *from)
{
	const unsigned char *s = (const unsigned char *)from;

	return (size_t)s[0] << 24 | (size_t)s[1] << 16 | (size_t)s[2] << 8 |
	       s[3];
}
