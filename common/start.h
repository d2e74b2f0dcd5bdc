/*
 * The first steps of every process: known descriptors, no core dumps, not
 * traceable by its own user, no way to gain privileges, SIGPIPE ignored,
 * umask 077. What follows for roles is in lock.h.
 */
#ifndef TRIZONE_COMMON_START_H
#define TRIZONE_COMMON_START_H

/* Standard descriptors are open (on /dev/null if need be), everything from
 * `first_closed` up is closed. Any step that does not take ends the process. */
void start_process(const char *role, int first_closed);

#endif
