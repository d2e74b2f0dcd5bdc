/*
 * Word from the kernel that somebody may have changed the rules, sets or
 * routes of accounts. It tells when to look; what is there now the one says who
 * looks.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_CHANGE_H
#define TRIZONE_EXECUTOR_FIREWALL_CHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

#define CHANGE_FDS 2

enum change_what {
	CHANGE_RULES = 1,   /* of tables, chains, rules, sets, or routes */
	CHANGE_ELEMENTS = 2 /* somebody took an address out of a set of ours */
};

/* Open the ways to hear of it; -1 for one that this system does not have: then
 * looking now and then is all there is. Needs CAP_NET_ADMIN. 0, or
 * -ERR_UNAVAILABLE with what to do in `reason`. */
int change_open(int fds[CHANGE_FDS], char *reason, size_t room);

/* Read what waits at one of them: bits of enum change_what. What was sent by
 * the netlink port `own` is our own doing. Reads a bounded number. */
unsigned change_read(int fd, uint32_t own);

/* The same of the bytes of one message. Pure. */
unsigned change_take(struct span bytes, uint32_t own);

/* The netlink port of that socket; 0: it has none. */
uint32_t change_port(int fd);

#endif
