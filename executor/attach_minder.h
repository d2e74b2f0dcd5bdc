/*
 * A process beside attach that ends what attach has started when attach is
 * killed: the system does that for children by itself only where there is such
 * a thing, and not for one that has changed its user.
 */
#ifndef TRIZONE_EXECUTOR_ATTACH_MINDER_H
#define TRIZONE_EXECUTOR_ATTACH_MINDER_H

#include <stdint.h>
#include <sys/types.h>

#include "executor/machine.h"

struct minder {
	pid_t pid;
	int fd; /* what it is told by; closed by our end, however we end */
	pid_t groups[MACHINE_WARM_MAX]; /* of each slot; 0: none */
};

/* Send a signal to the group that a process of ours leads, or to it alone if it
 * has only begun and leads none yet. */
void attach_signal(pid_t group, int number);

/* Ends the process if it cannot be started. */
void minder_start(struct minder *minder);
/* The process group of a slot; 0: it has none any more, said while its number
 * is still its own. */
void minder_note(struct minder *minder, uint32_t slot, pid_t group);
/* Start it again if somebody has killed it. */
void minder_look(struct minder *minder);
/* All slots are empty: it ends too. */
void minder_end(struct minder *minder);

#endif
