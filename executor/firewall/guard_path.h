/*
 * A datagram to a guard, and its way back: a guard hears all that its account
 * sends to port 53, whatever the address, and answers from that address.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_GUARD_PATH_H
#define TRIZONE_EXECUTOR_FIREWALL_GUARD_PATH_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "executor/firewall/address.h"

struct guard_path {
	struct sockaddr_storage from;
	socklen_t from_bytes;
	struct address asked;
};

/* Read a datagram without waiting. Its length; more than `room` if it was cut;
 * -1: there is none, or it does not say which address it was sent to. */
ssize_t guard_receive(
    int fd, unsigned char *bytes, size_t room, struct guard_path *path);

/* Send the answer without waiting; what cannot be sent is lost, as it may be
 * on the way. */
void guard_send(int fd, const unsigned char *bytes, size_t count,
    const struct guard_path *path);

#endif
