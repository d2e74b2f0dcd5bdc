/*
 * Being the first process of a machine that has one zone and nothing else: no
 * shell, no service, no disk. Everything is from the image; the only thing
 * from outside is the port, which this process opens and never reads.
 *
 *	if (guest_is_asked(argc, argv))
 *		guest_begin();          before start_process: there is no /dev
 *	start_process(...);
 *	return guest_run(run, argc, argv);
 *
 * The kernel's command line is that of who started the machine: what follows
 * "--" in it are this process's arguments.
 */
#ifndef TRIZONE_COMMON_GUEST_H
#define TRIZONE_COMMON_GUEST_H

#include <stdbool.h>

/* Arguments the zone's program can be given. */
#define GUEST_ARGUMENTS 64

/* Whether the first argument is "guest". */
bool guest_is_asked(int argc, char **argv);

/* A read-only root, /dev and /proc. Ends the process where it is not the first
 * of a machine. */
void guest_begin(void);

/* The rest: modules, control groups, loopback, the port; then `run` in a child
 * whose standard input and output are the port, with the arguments "run
 * --channel stdio" and those after "guest". When the child ends, or nobody is
 * at the other end of the port any more, the machine is switched off. What
 * fails is told on the console, and the machine is switched off. Does not
 * return. */
_Noreturn void guest_run(
    int (*run)(int argc, char **argv), int argc, char **argv);

#endif
