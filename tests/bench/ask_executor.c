/*
 * A planner that sends the same call again and again and looks at nothing but
 * the length of the answers and one piece of text that each has to hold.
 *
 *   ask_executor SOCKET lockstep|window COUNT REQUEST NEEDLE
 *
 * REQUEST is a file with one request; its id is 1000000000, which is counted
 * up. NEEDLE has to be in every answer.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define HEAD_BYTES 4
#define ROOM (2u << 20)
#define ID_DIGITS 10

static const char first_id[] = "1000000000";
static const char hello[] =
    "{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{\"protocol\":1,"
    "\"zone\":\"planner\",\"program\":\"bench\",\"attestation\":{}}}";

struct asker {
	int fd;
	size_t count;
	char request[8192]; /* head and body */
	size_t frame;
	char *id; /* its digits in there */
	unsigned next_id;
	const char *needle;
	char *in;
	size_t have, used; /* bytes in `in`; those taken */
};

static int
connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof address.sun_path)
		errx(64, "%s is too long", path);
	strcpy(address.sun_path, path);
	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
		err(1, "%s", path);
	return fd;
}

static void
load_request(struct asker *a, const char *path)
{
	size_t length = bench_load(
	    path, a->request + HEAD_BYTES, sizeof a->request - HEAD_BYTES);

	bench_put_length(a->request, length);
	a->frame = HEAD_BYTES + length;
	a->id = strstr(a->request + HEAD_BYTES, first_id);
	if (a->id == NULL)
		errx(64, "%s holds no id %s", path, first_id);
	a->next_id = 1000000000;
}

static void
set_id(struct asker *a)
{
	unsigned id = a->next_id++;

	for (int i = ID_DIGITS - 1; i >= 0; i--) {
		a->id[i] = (char)('0' + id % 10);
		id /= 10;
	}
}

/* Frames among the bytes that came; each is looked at. */
static size_t
take_frames(struct asker *a)
{
	size_t frames = 0;

	while (a->have - a->used >= HEAD_BYTES) {
		const char *at = a->in + a->used;
		size_t length = bench_get_length(at);

		if (a->have - a->used - HEAD_BYTES < length)
			break;
		if (a->needle != NULL &&
		    memmem(at + HEAD_BYTES, length, a->needle,
			strlen(a->needle)) == NULL)
			errx(1, "not the answer that was expected: %.*s",
			    (int)length, at + HEAD_BYTES);
		a->used += HEAD_BYTES + length;
		frames++;
	}
	if (a->used == a->have)
		a->have = a->used = 0;
	return frames;
}

static void
read_some(struct asker *a)
{
	ssize_t got;

	if (a->used != 0) {
		memmove(a->in, a->in + a->used, a->have - a->used);
		a->have -= a->used;
		a->used = 0;
	}
	got = read(a->fd, a->in + a->have, ROOM - a->have);
	if (got <= 0)
		err(1, "the executor closed the channel");
	a->have += (size_t)got;
}

static void
say_hello(struct asker *a)
{
	char head[HEAD_BYTES];

	bench_put_length(head, sizeof hello - 1);
	bench_write(a->fd, head, sizeof head);
	bench_write(a->fd, hello, sizeof hello - 1);
	do
		read_some(a);
	while (take_frames(a) == 0);
}

static void
ask_lockstep(struct asker *a)
{
	struct bench bench;

	bench_begin(&bench, a->count);
	for (size_t i = 0; i < a->count; i++) {
		double begin = bench_now_us();

		set_id(a);
		bench_write(a->fd, a->request, a->frame);
		do
			read_some(a);
		while (take_frames(a) == 0);
		bench_add(&bench, bench_now_us() - begin);
	}
	bench_end(&bench, a->count);
}

static void
ask_window(struct asker *a)
{
	char *out = malloc(BENCH_WINDOW * a->frame);
	size_t sent = 0, answered = 0;
	struct bench bench;

	if (out == NULL)
		err(1, "frames");
	bench_begin(&bench, 1);
	while (answered < a->count) {
		size_t more = BENCH_WINDOW - (sent - answered);

		if (more > a->count - sent)
			more = a->count - sent;
		for (size_t i = 0; i < more; i++) {
			set_id(a);
			memcpy(out + i * a->frame, a->request, a->frame);
		}
		bench_write(a->fd, out, more * a->frame);
		sent += more;
		read_some(a);
		answered += take_frames(a);
	}
	bench_end(&bench, a->count);
	free(out);
}

int
main(int argc, char **argv)
{
	struct asker a = {0};

	if (argc != 6)
		errx(64, "usage: ask_executor SOCKET lockstep|window COUNT "
			 "REQUEST NEEDLE");
	alarm(BENCH_SECONDS);
	a.fd = connect_to(argv[1]);
	a.count = bench_count(argv[3]);
	a.in = malloc(ROOM);
	if (a.in == NULL)
		err(1, "memory");
	load_request(&a, argv[4]);
	say_hello(&a);
	a.needle = argv[5];
	if (strcmp(argv[2], "window") == 0)
		ask_window(&a);
	else
		ask_lockstep(&a);
	close(a.fd);
	free(a.in);
	return 0;
}
