/*
 * Sockets of guards on Linux. A packet to any address comes here by a route of
 * its own (text.h), so they are transparent: without a NAT nobody else knows
 * which address was asked.
 */
#include "executor/firewall/guard_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"

#define BACKLOG 32
#define LOOPBACK "lo"

#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT 75
#endif

static int
turn_on(int fd, int level, int name)
{
	static const int on = 1;

	return setsockopt(fd, level, name, &on, sizeof on);
}

static int
prepare(int fd, int family, int type)
{
	bool six = family == AF_INET6;
	int level = six ? IPPROTO_IPV6 : IPPROTO_IP;
	int rc = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, LOOPBACK,
	    (socklen_t)strlen(LOOPBACK));

	if (rc == 0)
		rc =
		    turn_on(fd, level, six ? IPV6_TRANSPARENT : IP_TRANSPARENT);
	if (rc == 0 && six)
		rc = turn_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	if (rc == 0 && type == SOCK_DGRAM)
		rc = turn_on(fd, level, six ? IPV6_RECVPKTINFO : IP_PKTINFO);
	/* connections of a guard before this one may still be ending */
	if (rc == 0 && type == SOCK_STREAM)
		rc = turn_on(fd, SOL_SOCKET, SO_REUSEADDR);
	return rc;
}

static int
bind_all(int fd, int family, uint16_t port)
{
	struct sockaddr_in four = {
	    .sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 six = {
	    .sin6_family = AF_INET6, .sin6_port = htons(port)};

	if (family == AF_INET)
		return bind(fd, (struct sockaddr *)&four, sizeof four);
	return bind(fd, (struct sockaddr *)&six, sizeof six);
}

/* A descriptor, or -1 with errno. Where the kernel has no IPv6 one stands for
 * it that never hears anything, so that all keep their places. */
static int
open_one(int family, int type, uint16_t port)
{
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;

	if (fd < 0 && family == AF_INET6 && errno == EAFNOSUPPORT)
		return socket(
		    AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (prepare(fd, family, type) == 0 && bind_all(fd, family, port) == 0 &&
	    (type == SOCK_DGRAM || listen(fd, BACKLOG) == 0))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int
explain(int error, uint16_t port, char *reason, size_t room)
{
	if (error == EADDRINUSE) {
		(void)snprintf(reason, room,
		    "another program has port %u, which is for the DNS guard "
		    "of an account: stop it",
		    port);
		return -ERR_BUSY;
	}
	(void)snprintf(reason, room,
	    "the DNS guard on port %u: %s: it needs root and the interface lo",
	    port, strerror(error));
	return -ERR_UNAVAILABLE;
}

int
guard_sockets_open(
    uint16_t port, int fds[GUARD_SOCKETS_MAX], char *reason, size_t room)
{
	static const struct {
		int family, type;
	} kinds[GUARD_SOCKETS_MAX] = {{AF_INET, SOCK_DGRAM},
	    {AF_INET, SOCK_STREAM}, {AF_INET6, SOCK_DGRAM},
	    {AF_INET6, SOCK_STREAM}};

	for (int i = 0; i < GUARD_SOCKETS_MAX; i++) {
		int error;

		fds[i] = open_one(kinds[i].family, kinds[i].type, port);
		if (fds[i] >= 0)
			continue;
		error = errno;
		while (--i >= 0)
			close(fds[i]);
		return explain(error, port, reason, room);
	}
	return GUARD_SOCKETS_MAX;
}
