/*
 * Datagrams of a guard on Linux: IP_PKTINFO and IPV6_PKTINFO of transparent
 * sockets, see guard_socket_linux.c. Runs in the resolver.
 */
#include "executor/firewall/guard_path.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

union control {
	struct cmsghdr head; /* aligned as it has to be */
	unsigned char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static void
take_asked(const struct cmsghdr *c, struct address *out)
{
	struct in_pktinfo four;
	struct in6_pktinfo six;

	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO &&
	    c->cmsg_len >= CMSG_LEN(sizeof four)) {
		memcpy(&four, CMSG_DATA(c), sizeof four);
		out->family = ADDRESS_4;
		memcpy(out->bytes, &four.ipi_addr, 4);
	} else if (c->cmsg_level == IPPROTO_IPV6 &&
		   c->cmsg_type == IPV6_PKTINFO &&
		   c->cmsg_len >= CMSG_LEN(sizeof six)) {
		memcpy(&six, CMSG_DATA(c), sizeof six);
		out->family = ADDRESS_6;
		memcpy(out->bytes, &six.ipi6_addr, 16);
	}
}

ssize_t
guard_receive(
    int fd, unsigned char *bytes, size_t room, struct guard_path *path)
{
	union control control;
	struct iovec part = {bytes, room};
	struct msghdr message = {.msg_name = &path->from,
	    .msg_namelen = sizeof path->from,
	    .msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof control};
	ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_TRUNC);
	const struct cmsghdr *first;

	if (got < 0)
		return -1;
	path->from_bytes = message.msg_namelen;
	path->asked = (struct address){.family = ADDRESS_NONE};
	first = CMSG_FIRSTHDR(&message); /* nothing else was asked for */
	if (first != NULL)
		take_asked(first, &path->asked);
	return got;
}

static void
put_asked(
    struct msghdr *message, union control *control, const struct address *asked)
{
	struct in_pktinfo four = {0};
	struct in6_pktinfo six = {0};
	struct cmsghdr *c = &control->head;

	message->msg_control = control;
	if (asked->family == ADDRESS_4) {
		memcpy(&four.ipi_spec_dst, asked->bytes, 4);
		message->msg_controllen = CMSG_SPACE(sizeof four);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof four);
		memcpy(CMSG_DATA(c), &four, sizeof four);
	} else {
		memcpy(&six.ipi6_addr, asked->bytes, 16);
		message->msg_controllen = CMSG_SPACE(sizeof six);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof six);
		memcpy(CMSG_DATA(c), &six, sizeof six);
	}
}

void
guard_send(int fd, const unsigned char *bytes, size_t count,
    const struct guard_path *path)
{
	union control control;
	struct sockaddr_storage to = path->from;
	struct iovec part = {(void *)(uintptr_t)bytes, count};
	struct msghdr message = {.msg_name = &to,
	    .msg_namelen = path->from_bytes,
	    .msg_iov = &part,
	    .msg_iovlen = 1};

	memset(&control, 0, sizeof control);
	put_asked(&message, &control, &path->asked);
	(void)sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}
