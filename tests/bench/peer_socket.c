/*
 * The cheapest thing that answers a request over a Unix socket: an echo of a
 * frame, without looking at it. What an executor adds is measured against it.
 *
 *   peer_socket stream BYTES COUNT      blocking, head and body read apart
 *   peer_socket epoll BYTES COUNT       non-blocking, both sides in epoll
 *   peer_socket window BYTES COUNT      64 frames under way, server in epoll
 *   peer_socket durable BYTES COUNT FILE RECORD
 *       stream, and the server writes RECORD bytes to FILE (preallocated,
 *       O_DSYNC) before it answers
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define HEAD_BYTES 4
#define ROOM (1u << 20)

struct task {
	size_t frame; /* bytes with the head */
	size_t count;
	const char *file; /* NULL: nothing is written */
	size_t record;
};

static int
open_preallocated(const struct task *task)
{
	size_t left = task->record * task->count;
	char *zeros = calloc(1, ROOM);
	int fd = open(task->file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || zeros == NULL)
		err(1, "%s", task->file);
	while (left > 0) {
		size_t part = left < ROOM ? left : ROOM;

		bench_write(fd, zeros, part);
		left -= part;
	}
	if (fsync(fd) != 0)
		err(1, "%s", task->file);
	close(fd);
	free(zeros);
	fd = open(task->file, O_WRONLY | O_DSYNC);
	if (fd < 0)
		err(1, "%s", task->file);
	return fd;
}

static void
serve_stream(int fd, const struct task *task)
{
	char *frame = calloc(1, ROOM), *record = calloc(1, task->record + 1);
	int file = task->file == NULL ? -1 : open_preallocated(task);

	if (frame == NULL || record == NULL)
		err(1, "frame");
	memset(record, 'r', task->record);
	for (;;) {
		size_t length;

		bench_read(fd, frame, HEAD_BYTES);
		length = bench_get_length(frame);
		if (length > ROOM - HEAD_BYTES)
			errx(1, "frame of %zu bytes", length);
		bench_read(fd, frame + HEAD_BYTES, length);
		if (file >= 0)
			bench_write(file, record, task->record);
		bench_write(fd, frame, HEAD_BYTES + length);
	}
}

/* Bytes of whole frames among the first `have`. */
static size_t
whole_frames(const char *bytes, size_t have, size_t *frames)
{
	size_t at = 0;

	while (have - at >= HEAD_BYTES) {
		size_t length = bench_get_length(bytes + at);

		if (have - at - HEAD_BYTES < length)
			break;
		at += HEAD_BYTES + length;
		++*frames;
	}
	return at;
}

static void
write_patiently(int fd, const char *from, size_t count)
{
	while (count > 0) {
		ssize_t put = write(fd, from, count);

		if (put < 0 && errno != EAGAIN && errno != EINTR)
			exit(0);
		if (put > 0) {
			from += put;
			count -= (size_t)put;
		}
	}
}

static int
watch(int fd)
{
	struct epoll_event event = {.events = EPOLLIN};
	int poller = epoll_create1(EPOLL_CLOEXEC);

	if (poller < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0 ||
	    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0)
		err(1, "epoll");
	return poller;
}

static void
serve_epoll(int fd)
{
	char *bytes = calloc(1, ROOM);
	size_t have = 0, frames = 0;
	int poller = watch(fd);

	while (bytes != NULL) {
		struct epoll_event ready;
		size_t whole;
		ssize_t got;

		if (epoll_wait(poller, &ready, 1, -1) != 1)
			continue;
		got = read(fd, bytes + have, ROOM - have);
		if (got == 0)
			exit(0);
		if (got < 0)
			continue;
		have += (size_t)got;
		whole = whole_frames(bytes, have, &frames);
		write_patiently(fd, bytes, whole);
		memmove(bytes, bytes + whole, have - whole);
		have -= whole;
	}
}

static char *
make_frames(const struct task *task, size_t count)
{
	char *frames = malloc(task->frame * count);

	if (frames == NULL)
		err(1, "frames");
	memset(frames, 'a', task->frame * count);
	for (size_t i = 0; i < count; i++)
		bench_put_length(
		    frames + i * task->frame, task->frame - HEAD_BYTES);
	return frames;
}

static void
ask_stream(int fd, const struct task *task)
{
	char *frame = make_frames(task, 1);
	struct bench bench;

	bench_begin(&bench, task->count);
	for (size_t i = 0; i < task->count; i++) {
		double begin = bench_now_us();

		bench_write(fd, frame, task->frame);
		bench_read(fd, frame, HEAD_BYTES);
		bench_read(fd, frame + HEAD_BYTES, bench_get_length(frame));
		bench_add(&bench, bench_now_us() - begin);
	}
	bench_end(&bench, task->count);
}

static void
ask_epoll(int fd, const struct task *task)
{
	char *frame = make_frames(task, 1);
	int poller = watch(fd);
	struct bench bench;

	bench_begin(&bench, task->count);
	for (size_t i = 0; i < task->count; i++) {
		double begin = bench_now_us();
		size_t have = 0;

		write_patiently(fd, frame, task->frame);
		while (have < task->frame) {
			struct epoll_event ready;
			ssize_t got;

			epoll_wait(poller, &ready, 1, -1);
			got = read(fd, frame + have, task->frame - have);
			if (got > 0)
				have += (size_t)got;
		}
		bench_add(&bench, bench_now_us() - begin);
	}
	bench_end(&bench, task->count);
}

static void
ask_window(int fd, const struct task *task)
{
	char *frames = make_frames(task, BENCH_WINDOW);
	char *in = malloc(ROOM);
	size_t sent = 0, answered = 0, have = 0;
	struct bench bench;

	bench_begin(&bench, 1);
	while (in != NULL && answered < task->count) {
		size_t more = BENCH_WINDOW - (sent - answered), whole;
		ssize_t got;

		if (more > task->count - sent)
			more = task->count - sent;
		bench_write(fd, frames, more * task->frame);
		sent += more;
		got = read(fd, in + have, ROOM - have);
		if (got <= 0)
			err(1, "read");
		have += (size_t)got;
		whole = whole_frames(in, have, &answered);
		memmove(in, in + whole, have - whole);
		have -= whole;
	}
	bench_end(&bench, task->count);
}

static void
serve(const char *mode, int fd, const struct task *task)
{
	if (strcmp(mode, "stream") == 0 || strcmp(mode, "durable") == 0)
		serve_stream(fd, task);
	else
		serve_epoll(fd);
}

static void
ask(const char *mode, int fd, const struct task *task)
{
	if (strcmp(mode, "epoll") == 0)
		ask_epoll(fd, task);
	else if (strcmp(mode, "window") == 0)
		ask_window(fd, task);
	else
		ask_stream(fd, task);
}

int
main(int argc, char **argv)
{
	struct task task = {0};
	int ends[2];
	pid_t pid;

	if (argc != 4 && argc != 6)
		errx(64, "usage: peer_socket MODE BYTES COUNT [FILE RECORD]");
	task.frame = bench_count(argv[2]) + HEAD_BYTES;
	task.count = bench_count(argv[3]);
	if (argc == 6) {
		task.file = argv[4];
		task.record = bench_count(argv[5]);
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		err(1, "socketpair");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		close(ends[0]);
		alarm(BENCH_SECONDS);
		serve(argv[1], ends[1], &task);
		return 0;
	}
	close(ends[1]);
	ask(argv[1], ends[0], &task);
	close(ends[0]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}
