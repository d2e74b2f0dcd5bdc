/*
 * The first steps of every process: known descriptors, no core dumps, not
 * traceable by its own user, no way to gain privileges, SIGPIPE ignored,
 * umask 077. What follows for roles is in lock.h.
 */
#ifndef TRIZONE_COMMON_START_H
#define TRIZONE_COMMON_START_H

/* Standard descriptors are open (on /dev/null if need be); standard error, if
 * it is a file or terminal, is for writing at its end alone; everything from
 * `first_closed` up is closed. Any step that does not take ends the process. */
void start_process(const char *role, int first_closed);

/* For who has no use for them: standard input and output become /dev/null. 0
 * or -ERR_SYSTEM. */
int start_without_standard(void);

#endif
