/*
 * A process of a new pid namespace, and who waits for it outside: unshare(2)
 * gives the new namespace to children only.
 */
#ifndef TRIZONE_COMMON_WAITER_H
#define TRIZONE_COMMON_WAITER_H

#include <stdbool.h>
#include <sys/types.h>

struct waiter {
	bool outside;
	pid_t pid; /* outside: of the one inside */
	int alive; /* inside: a pipe that ends with the one outside; or -1 */
};

#define WAITER_NONE ((struct waiter){.alive = -1})

/* Returns twice. The one outside keeps standard error alone. */
void waiter_fork(struct waiter *waiter);

/* Outside, when it has given up its rights: with a list of system calls of
 * its own it waits, ends the other when it is told to end, and ends with its
 * status, or 128 and the signal's number. */
_Noreturn void waiter_wait(const struct waiter *waiter);

/* Inside, when the user is the last one: from here on the end of the one
 * outside is ours. */
void waiter_follow(struct waiter *waiter);

#endif
