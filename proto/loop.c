/*
 * Event loop over libevent; the only file that includes it.
 */
#include "proto/loop.h"

#include <event2/event.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/err.h"

struct loop {
	struct event_base *base;
};

struct watch {
	struct event *event;
	struct event *soon; /* of watch_soon, apart: libevent does not add an
			       event that is active */
	void (*ready)(void *context);
	void *context;
	bool on;
};

struct loop *
loop_new(void)
{
	struct loop *loop = alloc_bytes(sizeof *loop);
	struct event_config *config = event_config_new();

	if (config == NULL)
		die(EXIT_SYSTEM, "no event loop: out of memory");
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	if (loop->base == NULL)
		die(EXIT_SYSTEM, "no event loop: the kernel offers no poller");
	return loop;
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	event_base_free(loop->base);
	free(loop);
}

void
loop_run(struct loop *loop)
{
	if (event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0)
		die(EXIT_SYSTEM, "event loop failed");
}

void
loop_stop(struct loop *loop)
{
	event_base_loopbreak(loop->base);
}

struct event_base *
loop_base(struct loop *loop)
{
	return loop->base;
}

static void
on_event(evutil_socket_t fd, short what, void *context)
{
	struct watch *watch = context;

	(void)fd;
	(void)what;
	watch->ready(watch->context);
}

static struct watch *
watch_new(struct loop *loop, int fd, short what, void (*ready)(void *context),
    void *context)
{
	struct watch *watch = alloc_bytes(sizeof *watch);

	watch->ready = ready;
	watch->context = context;
	watch->event = event_new(loop->base, fd, what, on_event, watch);
	if (watch->event == NULL)
		die(EXIT_SYSTEM, "cannot watch descriptor %d", fd);
	return watch;
}

struct watch *
loop_watch_read(
    struct loop *loop, int fd, void (*ready)(void *context), void *context)
{
	return watch_new(loop, fd, EV_READ | EV_PERSIST, ready, context);
}

struct watch *
loop_watch_write(
    struct loop *loop, int fd, void (*ready)(void *context), void *context)
{
	return watch_new(loop, fd, EV_WRITE | EV_PERSIST, ready, context);
}

void
watch_set(struct watch *watch, bool on)
{
	int rc;

	if (watch->on == on)
		return;
	rc = on ? event_add(watch->event, NULL) : event_del(watch->event);
	if (rc != 0)
		die(EXIT_SYSTEM, "event loop refuses a descriptor");
	watch->on = on;
}

void
watch_soon(struct watch *watch)
{
	if (watch->soon == NULL)
		watch->soon = event_new(
		    event_get_base(watch->event), -1, 0, on_event, watch);
	if (watch->soon == NULL)
		die(EXIT_SYSTEM, "no memory for an event");
	event_active(watch->soon, EV_TIMEOUT, 0);
}

struct watch *
loop_timer(struct loop *loop, void (*ready)(void *context), void *context)
{
	return watch_new(loop, -1, 0, ready, context);
}

void
timer_set(struct watch *timer, int64_t ms)
{
	struct timeval delay;

	event_del(timer->event);
	if (ms < 0)
		return;
	delay.tv_sec = (time_t)(ms / 1000);
	delay.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	if (event_add(timer->event, &delay) != 0)
		die(EXIT_SYSTEM, "event loop refuses a timer");
}

void
loop_unwatch(struct watch *watch)
{
	if (watch == NULL)
		return;
	event_free(watch->event);
	if (watch->soon != NULL)
		event_free(watch->soon);
	free(watch);
}
