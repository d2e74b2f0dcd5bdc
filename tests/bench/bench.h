/*
 * What the small programs of tests/bench share: a clock, exact reads and
 * writes, and one line of JSON with the result. Each of them ends itself after
 * BENCH_SECONDS, whatever happens.
 */
#ifndef TRIZONE_TESTS_BENCH_H
#define TRIZONE_TESTS_BENCH_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_SECONDS 120
#define BENCH_WINDOW 64 /* requests under way when pipelining */

/* Samples of one measurement, in microseconds. */
struct bench {
	double *us;
	size_t count, room;
	double begin_us;
};

/* Start the clock; `room` samples may be kept. */
void bench_begin(struct bench *bench, size_t room);
double bench_now_us(void);
double bench_cpu_us(void); /* of this process */
void bench_add(struct bench *bench, double us);

/* Print {"median_us":...,"p99_us":...,"per_s":...}; `done` is how many things
 * were done since bench_begin. */
void bench_end(struct bench *bench, size_t done);

/* A positive count from the command line, or the program ends. */
size_t bench_count(const char *text);

/* Bytes of a file that fits, or the program ends. */
size_t bench_load(const char *path, char *to, size_t room);

/* All of it; the program ends with a word if that cannot be. */
void bench_write(int fd, const void *bytes, size_t count);
void bench_read(int fd, void *bytes, size_t count);

/* Lengths in front of frames. */
void bench_put_length(char *to, size_t length);
size_t bench_get_length(const char *from);

#endif
