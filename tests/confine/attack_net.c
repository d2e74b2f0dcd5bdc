/*
 * Ways out over sockets: every family, every old descriptor.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_alg.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/confine/attack.h"

static bool
opens(int family, int type, int protocol)
{
	int fd = socket(family, type, protocol);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static struct sockaddr_in
address4(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return a;
}

static struct sockaddr_in6
address6(const char *text, uint16_t port)
{
	struct sockaddr_in6 a = {
	    .sin6_family = AF_INET6, .sin6_port = htons(port)};

	inet_pton(AF_INET6, text, &a.sin6_addr);
	return a;
}

static bool
connects(int family, const void *address, socklen_t bytes, int type)
{
	int fd = socket(family, type, 0);
	bool done = fd >= 0 && connect(fd, address, bytes) == 0 &&
		    write(fd, "x", 1) == 1;
	int saved_errno = errno;

	if (fd >= 0)
		close(fd);
	errno = saved_errno;
	return done;
}

static bool
tcp4(void)
{
	struct sockaddr_in a = address4(outside.tcp);

	return connects(AF_INET, &a, sizeof a, SOCK_STREAM);
}

static bool
tcp6(void)
{
	struct sockaddr_in6 a = address6("::1", outside.tcp);

	return connects(AF_INET6, &a, sizeof a, SOCK_STREAM);
}

static bool
tcp_mapped(void)
{
	struct sockaddr_in6 a = address6("::ffff:127.0.0.1", outside.tcp);

	return connects(AF_INET6, &a, sizeof a, SOCK_STREAM);
}

static bool
udp4(void)
{
	struct sockaddr_in a = address4(outside.udp);

	return connects(AF_INET, &a, sizeof a, SOCK_DGRAM);
}

static bool
udp6(void)
{
	struct sockaddr_in6 a = address6("::1", outside.udp);

	return connects(AF_INET6, &a, sizeof a, SOCK_DGRAM);
}

/* A lookup of a random label, without connect: what carries data out. */
static bool
dns_label(void)
{
	static const char query[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0"
				    "\x10"
				    "c2VjcmV0c2VjcmV0\4test\0\0\1\0\1";
	struct sockaddr_in a = address4(outside.udp);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return fd >= 0 && sendto(fd, query, sizeof query - 1, 0,
			      (struct sockaddr *)&a, sizeof a) > 0;
}

static bool
icmp(void)
{
	return opens(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
}

static bool
icmp_raw(void)
{
	return opens(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static bool
packet(void)
{
	return opens(AF_PACKET, SOCK_RAW, 0);
}

static bool
netlink_route(void)
{
	return opens(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

/* What changes our rules speaks this. */
static bool
netlink_rules(void)
{
	return opens(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
}

static bool
netlink_audit(void)
{
	return opens(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT);
}

static bool
vsock(void)
{
	return opens(AF_VSOCK, SOCK_STREAM, 0);
}

static socklen_t
unix_address(struct sockaddr_un *a, const char *name, bool is_abstract)
{
	size_t n = strlen(name);

	memset(a, 0, sizeof *a);
	a->sun_family = AF_UNIX;
	memcpy(a->sun_path + is_abstract, name, n);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n +
			   (is_abstract ? 1 : 0));
}

static bool
connects_unix(int fd, const char *name, bool is_abstract)
{
	struct sockaddr_un a;
	socklen_t bytes = unix_address(&a, name, is_abstract);

	return fd >= 0 && connect(fd, (struct sockaddr *)&a, bytes) == 0;
}

static bool
connects_path(const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof path, "%s/%s", outside.folder, name);
	return connects_unix(socket(AF_UNIX, SOCK_STREAM, 0), path, false);
}

static bool
unix_abstract(void)
{
	return connects_unix(
	    socket(AF_UNIX, SOCK_STREAM, 0), outside.abstract, true);
}

static bool
unix_docker(void)
{
	return connects_path("docker.sock");
}

static bool
unix_dbus(void)
{
	return connects_path("dbus.sock");
}

static bool
unix_agent(void)
{
	return connects_path("agent.sock");
}

static bool
unix_operator(void)
{
	return connects_path("operator.sock");
}

static bool
unix_pair_ours(void)
{
	int ends[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0;
}

static bool
bind_tcp(void)
{
	struct sockaddr_in a = address4(0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
	       listen(fd, 1) == 0;
}

static bool
bind_unix(void)
{
	struct sockaddr_un a;
	char path[300];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(path, sizeof path, "%s/bound.sock", outside.own);
	return fd >= 0 && bind(fd, (struct sockaddr *)&a,
			      unix_address(&a, path, false)) == 0;
}

static bool
old_tcp_connects(void)
{
	struct sockaddr_in a = address4(outside.tcp);

	return connect(outside.old_tcp, (struct sockaddr *)&a, sizeof a) == 0;
}

static bool
old_tcp_binds(void)
{
	struct sockaddr_in a = address4(0);

	return bind(outside.old_tcp_unbound, (struct sockaddr *)&a, sizeof a) ==
	       0;
}

static bool
old_udp_sends(void)
{
	struct sockaddr_in a = address4(outside.udp);

	return sendto(outside.old_udp, "x", 1, 0, (struct sockaddr *)&a,
		   sizeof a) == 1;
}

static bool
old_udp_sends_many(void)
{
	struct sockaddr_in a = address4(outside.udp);
	struct iovec bytes = {.iov_base = (char[]){"x"}, .iov_len = 1};
	struct mmsghdr message = {.msg_hdr = {.msg_name = &a,
				      .msg_namelen = sizeof a,
				      .msg_iov = &bytes,
				      .msg_iovlen = 1}};

	return sendmmsg(outside.old_udp, &message, 1, 0) == 1;
}

static bool
old_unix_connects(void)
{
	char path[300];

	(void)snprintf(path, sizeof path, "%s/operator.sock", outside.folder);
	return connects_unix(outside.old_unix, path, false);
}

static bool
old_unix_connects_abstract(void)
{
	return connects_unix(outside.old_unix_too, outside.abstract, true);
}

/* A descriptor that somebody sends. */
static bool
passed_descriptor(void)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec bytes = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &bytes,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = sizeof control};

	return recvmsg(outside.passed, &message, 0) == 1 &&
	       CMSG_FIRSTHDR(&message) != NULL;
}

/* The same, by a call that takes no descriptors: they are dropped. */
static bool
passed_and_read(void)
{
	char byte;
	int before = dup(STDERR_FILENO), after;

	if (before >= 0)
		close(before);
	if (read(outside.passed, &byte, 1) != 1)
		return false;
	after = dup(STDERR_FILENO);
	if (after >= 0)
		close(after);
	return after != before;
}

static bool
pass_on(void)
{
	struct iovec bytes = {.iov_base = (char[]){"x"}, .iov_len = 1};
	struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};

	return sendmsg(outside.passed, &message, MSG_NOSIGNAL) == 1;
}

const struct attack net_attacks[] = {
    {"tcp4", tcp4, NOBODY, false},
    {"tcp6", tcp6, NOBODY, false},
    {"tcp-mapped", tcp_mapped, NOBODY, false},
    {"udp4", udp4, NOBODY, false},
    {"udp6", udp6, NOBODY, false},
    {"dns-label", dns_label, RESOLVER, false},
    {"icmp", icmp, NOBODY, false},
    {"icmp-raw", icmp_raw, NOBODY, false},
    {"packet", packet, NOBODY, false},
    {"netlink-route", netlink_route, NOBODY, false},
    {"netlink-rules", netlink_rules, NOBODY, false},
    {"netlink-audit", netlink_audit, NOBODY, false},
    {"vsock", vsock, NOBODY, false},
    {"unix-abstract", unix_abstract, PARENT, false},
    {"unix-docker", unix_docker, PARENT, false},
    {"unix-dbus", unix_dbus, PARENT, false},
    {"unix-agent", unix_agent, PARENT, false},
    {"unix-operator", unix_operator, PARENT, false},
    {"unix-pair", unix_pair_ours, PARENT, false},
    {"bind-tcp", bind_tcp, NOBODY, false},
    {"bind-unix", bind_unix, NOBODY, false},
    {"old-tcp-connects", old_tcp_connects, PARENT, false},
    {"old-tcp-binds", old_tcp_binds, NOBODY, false},
    {"old-udp-sends", old_udp_sends, RESOLVER, false},
    {"old-udp-sends-many", old_udp_sends_many, NOBODY, false},
    {"old-unix-connects", old_unix_connects, PARENT, false},
    {"old-unix-abstract", old_unix_connects_abstract, PARENT, false},
    {"passed-descriptor", passed_descriptor, RESOLVER, false},
    {"passed-and-read", passed_and_read, NOBODY, false},
    {"pass-on", pass_on, RESOLVER, false},
};
const size_t net_attack_count = sizeof net_attacks / sizeof net_attacks[0];
