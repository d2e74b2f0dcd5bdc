/*
 * Who is at the other end of a Unix socket, as the kernel says.
 */
#ifndef TRIZONE_COMMON_PEER_H
#define TRIZONE_COMMON_PEER_H

#include <sys/types.h>

struct peer {
	uid_t uid;
	gid_t gid;
	pid_t pid; /* that connected; 0 where it cannot be told */
};

/* 0 or -ERR_PEER. */
int peer_get(int fd, struct peer *peer_out);

#endif
