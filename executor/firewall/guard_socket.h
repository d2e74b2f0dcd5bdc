/*
 * The sockets of an account's guard, where rules lead all it sends to port 53.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_GUARD_SOCKET_H
#define TRIZONE_EXECUTOR_FIREWALL_GUARD_SOCKET_H

#include <stddef.h>
#include <stdint.h>

/* UDP and TCP of IPv4, UDP and TCP of IPv6, in this order. */
#define GUARD_SOCKETS_MAX 4

/* Open them: bound to every address of the loopback interface and to no other
 * interface, TCP listening, without blocking; they tell which address was
 * asked and may answer from it, whosever it is. Gives their number, 0 on a
 * system whose accounts ask its own resolver; or -ERR_BUSY: another program
 * has the port; -ERR_UNAVAILABLE; with what to do in `reason`. Needs
 * CAP_NET_RAW, CAP_NET_ADMIN and CAP_NET_BIND_SERVICE. */
int guard_sockets_open(
    uint16_t port, int fds[GUARD_SOCKETS_MAX], char *reason, size_t room);

#endif
