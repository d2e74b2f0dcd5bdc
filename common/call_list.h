/*
 * Lists of system calls. Linux: seccomp(2) by libseccomp. Elsewhere there is
 * no such thing, and call_list_make says so.
 */
#ifndef TRIZONE_COMMON_CALL_LIST_H
#define TRIZONE_COMMON_CALL_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/lock.h"

/* A list made ready: to install it is one system call, so that a parent makes
 * those of its children. */
struct call_list {
	void *program;			     /* struct sock_filter[] */
	size_t length;			     /* instructions */
	uint32_t calls;			     /* rows in it */
	unsigned char hash[LOCK_HASH_BYTES]; /* SHA-256 of the program */
};

/* The list of a profile: rows of the test table, its own, the common ones; of
 * two rows for one call that of the earlier source holds. A call without a row
 * traps. `probed`: also what probes and putting the last list on top need. 0,
 * or -ERR_UNAVAILABLE where there are no such lists; ends the process if it
 * cannot be made. Free with call_list_done. */
int call_list_make(
    const struct lock_profile *profile, bool probed, struct call_list *out);

/* What is put on top when the probes are through: no process, no program, no
 * further list. */
int call_list_last(struct call_list *out);

void call_list_done(struct call_list *filter);

/* From here on, for this process and its children. No new privileges has to
 * be set. 0 or -ERR_SYSTEM. */
int call_list_install(const struct call_list *filter);

/* From here on a call that traps writes its number to standard error and ends
 * the process with EXIT_BUG. */
void call_list_catch(void);

/* For probes: while true, such a call is only noted. */
void call_list_probing(bool probing);

/* Whether one was noted since this was asked last. */
bool call_list_trapped(void);

#endif
