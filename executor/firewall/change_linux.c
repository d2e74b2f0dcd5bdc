/*
 * What the kernel tells of changes: nftables by nfnetlink, rules and routes of
 * the guards' redirection by rtnetlink. Runs in the parent; the messages are
 * the kernel's.
 */
#include "executor/firewall/change.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/firewall/netlink.h"
#include "executor/firewall/text.h"

#define READS_MAX 64 /* at once; the rest waits for the next round */
#define READ_BYTES 32768

enum { HEAD = NLMSG_HDRLEN + sizeof(struct nfgenmsg) };

/* What netlink.h's macros do, without their signs. */
static size_t
align(size_t bytes)
{
	return (bytes + 3) & ~(size_t)3;
}

uint32_t
change_port(int fd)
{
	struct sockaddr_nl own = {0};
	socklen_t room = sizeof own;

	if (getsockname(fd, (struct sockaddr *)&own, &room) != 0 ||
	    own.nl_family != AF_NETLINK)
		return 0;
	return own.nl_pid;
}

static int
open_groups(int protocol, const unsigned *groups, size_t count)
{
	struct sockaddr_nl own = {.nl_family = AF_NETLINK};
	int fd = socket(
	    AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	bool good =
	    fd >= 0 && bind(fd, (struct sockaddr *)&own, sizeof own) == 0;

	for (size_t i = 0; i < count && good; i++)
		good = setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			   &groups[i], sizeof groups[i]) == 0;
	if (!good && fd >= 0) {
		int error = errno;

		close(fd);
		errno = error;
	}
	return good ? fd : -1;
}

int
change_open(int fds[CHANGE_FDS], char *reason, size_t room)
{
	static const unsigned tables[] = {NFNLGRP_NFTABLES};
	static const unsigned routes[] = {RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE,
	    RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};

	fds[0] = open_groups(
	    NETLINK_NETFILTER, tables, sizeof tables / sizeof tables[0]);
	fds[1] = open_groups(
	    NETLINK_ROUTE, routes, sizeof routes / sizeof routes[0]);
	if (fds[0] >= 0 && fds[1] >= 0)
		return 0;
	(void)snprintf(reason, room, "changes of rules cannot be heard of: %s",
	    strerror(errno));
	for (int i = 0; i < CHANGE_FDS; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
	return -ERR_UNAVAILABLE;
}

/* Its table is attribute 1 of tables, chains, rules, sets, and elements. */
static bool
is_ours(struct span attributes)
{
	struct netlink_attrs rest = {
	    (const unsigned char *)attributes.p, attributes.n};
	struct netlink_attr name;

	while (netlink_next(&rest, &name))
		if (name.type == NFTA_TABLE_NAME)
			return name.count == sizeof TEXT_TABLE &&
			       memcmp(name.bytes, TEXT_TABLE,
				   sizeof TEXT_TABLE) == 0;
	return false;
}

static unsigned
take_table(unsigned type, struct span attributes)
{
	switch (type) {
	case NFT_MSG_DELSETELEM:
		return is_ours(attributes) ? CHANGE_ELEMENTS : 0;
	case NFT_MSG_NEWSETELEM:
		return 0;
	case NFT_MSG_NEWTABLE:
	case NFT_MSG_DELTABLE:
	case NFT_MSG_NEWCHAIN:
	case NFT_MSG_DELCHAIN:
	case NFT_MSG_NEWRULE:
	case NFT_MSG_DELRULE:
	case NFT_MSG_NEWSET:
	case NFT_MSG_DELSET:
		return is_ours(attributes) ? CHANGE_RULES : 0;
	default:
		return 0;
	}
}

static unsigned
take_route(unsigned type, struct span body)
{
	struct rtmsg route;

	if (type == RTM_DELRULE)
		return CHANGE_RULES;
	if (type != RTM_DELROUTE || body.n < sizeof route)
		return 0;
	memcpy(&route, body.p, sizeof route);
	return route.rtm_type == RTN_LOCAL && route.rtm_table != RT_TABLE_LOCAL
		   ? CHANGE_RULES
		   : 0;
}

static unsigned
take_message(const struct nlmsghdr *head, struct span body, uint32_t own)
{
	if (head->nlmsg_type < NLMSG_MIN_TYPE ||
	    (head->nlmsg_pid == own && own != 0))
		return 0;
	if (head->nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES)
		return body.n < sizeof(struct nfgenmsg)
			   ? 0
			   : take_table(head->nlmsg_type & 0xff,
				 (struct span){body.p + sizeof(struct nfgenmsg),
				     body.n - sizeof(struct nfgenmsg)});
	return take_route(head->nlmsg_type, body);
}

unsigned
change_take(struct span bytes, uint32_t own)
{
	unsigned what = 0;

	while (bytes.n >= NLMSG_HDRLEN) {
		struct nlmsghdr head;
		size_t whole;

		memcpy(&head, bytes.p, sizeof head);
		if (head.nlmsg_len < NLMSG_HDRLEN || head.nlmsg_len > bytes.n)
			break;
		what |= take_message(&head,
		    (struct span){bytes.p + NLMSG_HDRLEN,
			head.nlmsg_len - (size_t)NLMSG_HDRLEN},
		    own);
		whole = align(head.nlmsg_len);
		whole = whole < bytes.n ? whole : bytes.n;
		bytes = (struct span){bytes.p + whole, bytes.n - whole};
	}
	return what;
}

unsigned
change_read(int fd, uint32_t own)
{
	static char bytes[READ_BYTES];
	unsigned what = 0;

	for (int i = 0; i < READS_MAX; i++) {
		ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

		if (got < 0 && errno == ENOBUFS) /* who knows what was lost */
			what |= CHANGE_RULES | CHANGE_ELEMENTS;
		else if (got < 0)
			break;
		else
			what |=
			    change_take((struct span){bytes, (size_t)got}, own);
	}
	return what;
}
