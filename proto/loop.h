/*
 * The event loop: descriptors and timers. A thin face over libevent, so that
 * one file knows the library. Callbacks are short: fetch state, call a plain
 * function, act on its result.
 */
#ifndef TRIZONE_PROTO_LOOP_H
#define TRIZONE_PROTO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct watch;

/* A loop of its own; ends the process if none can be had. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* Run callbacks until loop_stop. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* libevent's own, for its part that asks name servers. */
struct event_base;
struct event_base *loop_base(struct loop *loop);

/* Call `ready` whenever `fd` can be read (or written), until loop_unwatch.
 * A watch starts switched off. */
struct watch *loop_watch_read(
    struct loop *loop, int fd, void (*ready)(void *context), void *context);
struct watch *loop_watch_write(
    struct loop *loop, int fd, void (*ready)(void *context), void *context);
void watch_set(struct watch *watch, bool on);
/* Call its `ready` once, on or off, when the callbacks of this round are
 * through; costs no system call. */
void watch_soon(struct watch *watch);

/* A timer, not yet running. timer_set starts it anew: `ready` is called once
 * after `ms` milliseconds; a negative `ms` stops it. */
struct watch *loop_timer(
    struct loop *loop, void (*ready)(void *context), void *context);
void timer_set(struct watch *timer, int64_t ms);

/* Forget a watch or timer; NULL is fine. */
void loop_unwatch(struct watch *watch);

#endif
