/*
 * What one durable record costs the disk alone.
 *
 *   peer_durable dsync FILE BYTES COUNT   one O_DSYNC write each, the file
 *                                         preallocated: the limit
 *   peer_durable grow FILE BYTES COUNT    append and fdatasync each
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"

static int
open_file(const char *path, const char *bytes, size_t all, int preallocate)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0)
		err(1, "%s", path);
	if (preallocate == 0)
		return fd;
	bench_write(fd, bytes, all);
	if (fsync(fd) != 0)
		err(1, "%s", path);
	close(fd);
	fd = open(path, O_WRONLY | O_DSYNC);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

int
main(int argc, char **argv)
{
	size_t bytes, count;
	struct bench bench;
	int fd, dsync;
	char *record;

	if (argc != 5)
		errx(64, "usage: peer_durable dsync|grow FILE BYTES COUNT");
	dsync = strcmp(argv[1], "dsync") == 0;
	bytes = bench_count(argv[3]);
	count = bench_count(argv[4]);
	record = calloc(count, bytes);
	if (record == NULL)
		err(1, "record");
	fd = open_file(argv[2], record, bytes * count, dsync);
	memset(record, 'r', bytes);
	bench_begin(&bench, count);
	for (size_t i = 0; i < count; i++) {
		double begin = bench_now_us();

		bench_write(fd, record, bytes);
		if (!dsync && fdatasync(fd) != 0)
			err(1, "fdatasync");
		bench_add(&bench, bench_now_us() - begin);
	}
	bench_end(&bench, count);
	close(fd);
	free(record);
	return 0;
}
