/*
 * A method call through a D-Bus daemon: caller - daemon - service and back,
 * with a string as the argument, by sd-bus. DBUS_SESSION_BUS_ADDRESS names the
 * bus.
 *
 *   peer_dbus lockstep BYTES COUNT
 *   peer_dbus window BYTES COUNT      64 calls under way
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define NAME "org.example.Echo"
#define PATH "/echo"

struct caller {
	sd_bus *bus;
	char *text;
	size_t count, answered;
};

static void
check(int rc, const char *what)
{
	if (rc < 0)
		errx(1, "%s: %s", what, strerror(-rc));
}

static int
on_call(sd_bus_message *message, void *context, sd_bus_error *error)
{
	const char *text;

	(void)context;
	(void)error;
	check(sd_bus_message_read(message, "s", &text), "read");
	return sd_bus_reply_method_return(message, "s", text);
}

static const sd_bus_vtable methods[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Echo", "s", "s", on_call, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

/* Says so on `ready` when its name is taken. */
static void
serve(int ready)
{
	sd_bus *bus;

	alarm(BENCH_SECONDS);
	check(sd_bus_open_user(&bus), "open");
	check(sd_bus_add_object_vtable(bus, NULL, PATH, NAME, methods, NULL),
	    "object");
	check(sd_bus_request_name(bus, NAME, 0), "name");
	bench_write(ready, "r", 1);
	for (;;) {
		while (sd_bus_process(bus, NULL) > 0)
			continue;
		check(sd_bus_wait(bus, UINT64_MAX), "wait");
	}
}

static void
ask_lockstep(struct caller *caller)
{
	struct bench bench;

	bench_begin(&bench, caller->count);
	for (size_t i = 0; i < caller->count; i++) {
		sd_bus_error error = SD_BUS_ERROR_NULL;
		sd_bus_message *answer = NULL;
		double begin = bench_now_us();

		check(sd_bus_call_method(caller->bus, NAME, PATH, NAME, "Echo",
			  &error, &answer, "s", caller->text),
		    "call");
		sd_bus_message_unref(answer);
		bench_add(&bench, bench_now_us() - begin);
	}
	bench_end(&bench, caller->count);
}

static int
on_answer(sd_bus_message *message, void *context, sd_bus_error *error)
{
	struct caller *caller = context;

	(void)error;
	if (sd_bus_message_is_method_error(message, NULL))
		errx(1, "a call was refused");
	caller->answered++;
	return 0;
}

static void
ask_window(struct caller *caller)
{
	size_t sent = 0;
	struct bench bench;

	bench_begin(&bench, 1);
	while (caller->answered < caller->count) {
		while (sent < caller->count &&
		       sent - caller->answered < BENCH_WINDOW) {
			check(sd_bus_call_method_async(caller->bus, NULL, NAME,
				  PATH, NAME, "Echo", on_answer, caller, "s",
				  caller->text),
			    "call");
			sent++;
		}
		while (sd_bus_process(caller->bus, NULL) > 0)
			continue;
		if (sent - caller->answered == BENCH_WINDOW)
			check(sd_bus_wait(caller->bus, UINT64_MAX), "wait");
	}
	bench_end(&bench, caller->count);
}

int
main(int argc, char **argv)
{
	struct caller caller = {0};
	size_t bytes;
	int ready[2];
	char byte;
	pid_t pid;

	if (argc != 4)
		errx(64, "usage: peer_dbus lockstep|window BYTES COUNT");
	bytes = bench_count(argv[2]);
	caller.count = bench_count(argv[3]);
	caller.text = calloc(1, bytes + 1);
	if (caller.text == NULL || pipe(ready) != 0)
		err(1, "start");
	memset(caller.text, 'a', bytes);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		close(ready[0]);
		serve(ready[1]);
	}
	close(ready[1]);
	alarm(BENCH_SECONDS);
	if (read(ready[0], &byte, 1) != 1)
		errx(1, "the service did not start");
	check(sd_bus_open_user(&caller.bus), "open");
	if (strcmp(argv[1], "window") == 0)
		ask_window(&caller);
	else
		ask_lockstep(&caller);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}
