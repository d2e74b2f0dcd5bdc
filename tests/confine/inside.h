/*
 * The program that tries ways out, as functions.
 */
#ifndef TRIZONE_TESTS_CONFINE_INSIDE_H
#define TRIZONE_TESTS_CONFINE_INSIDE_H

/* The arguments of inside.c, the first being the program. Leaves descriptors
 * and locks behind: for a process of its own. */
int inside(int argc, char **argv);

/* In place of a zone's program, as guest_run calls it: a zone of the name
 * "garbage", "flood", "drip" or "stay" is hostile on its port; any other takes
 * requests there. */
int inside_guest(int argc, char **argv);

#endif
