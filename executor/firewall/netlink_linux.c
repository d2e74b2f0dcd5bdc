/*
 * Netlink over libmnl; the only file that includes it. Runs in the parent and
 * in the commands that load rules, with CAP_NET_ADMIN. Believes the kernel.
 */
#include "executor/firewall/netlink.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/err.h"

#define OUT_BYTES (16u << 20)	/* ceiling of one commit */
#define KEEP_BYTES (256u << 10) /* more is given back after a commit */
#define IN_BYTES (64u << 10)	/* the kernel's dumps use at most 32 KiB */
#define ROOM_BYTES 512u		/* in the buffer before each attribute */

struct netlink {
	struct mnl_socket *socket;
	struct buf out;
	size_t at;	   /* where the message that is being built begins */
	size_t last;	   /* where the last one before a batch's end does */
	uint32_t serial;   /* of the last message */
	uint32_t first;	   /* of the first since the last commit */
	unsigned char *in; /* IN_BYTES */
};

static int
prepare(struct mnl_socket *socket)
{
	int on = 1, bytes = OUT_BYTES, fd = mnl_socket_get_fd(socket);

	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) != 0)
		return -1;
	/* an answer without the message that it is about; from Linux 4.2 */
	if (mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof on) != 0)
		return -1;
	/* a batch is one datagram */
	return setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
}

struct netlink *
netlink_open(void)
{
	struct mnl_socket *socket =
	    mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	struct netlink *n;

	if (socket == NULL)
		return NULL;
	if (prepare(socket) != 0) {
		int saved = errno;

		mnl_socket_close(socket);
		errno = saved;
		return NULL;
	}
	n = alloc_bytes(sizeof *n);
	n->socket = socket;
	n->in = alloc_bytes(IN_BYTES);
	n->first = 1;
	buf_init(&n->out, OUT_BYTES);
	return n;
}

int
netlink_descriptor(const struct netlink *n)
{
	return mnl_socket_get_fd(n->socket);
}

void
netlink_close(struct netlink *n)
{
	if (n == NULL)
		return;
	mnl_socket_close(n->socket);
	buf_free(&n->out);
	free(n->in);
	free(n);
}

static struct nlmsghdr *
message_at(const struct netlink *n, size_t at)
{
	return (struct nlmsghdr *)(void *)(n->out.data + at);
}

/* The message that is being built, with room for what comes. */
static struct nlmsghdr *
current(struct netlink *n)
{
	if (buf_reserve(&n->out, ROOM_BYTES) == NULL)
		bug("a netlink batch larger than its ceiling");
	return message_at(n, n->at);
}

static void
grown(struct netlink *n)
{
	n->out.len = n->at + message_at(n, n->at)->nlmsg_len;
}

void
netlink_message(struct netlink *n, unsigned type, unsigned flags,
    unsigned char family, unsigned resource)
{
	struct nlmsghdr *message;
	struct nfgenmsg *head;

	n->at = n->out.len;
	n->last = n->at;
	message = mnl_nlmsg_put_header(current(n));
	message->nlmsg_type = (uint16_t)type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	message->nlmsg_seq = ++n->serial;
	head = mnl_nlmsg_put_extra_header(message, sizeof *head);
	head->nfgen_family = family;
	head->version = NFNETLINK_V0;
	head->res_id = htons((uint16_t)resource);
	grown(n);
}

size_t
netlink_message_bytes(const struct netlink *n)
{
	return n->out.len - n->at;
}

void
netlink_put(struct netlink *n, unsigned type, const void *bytes, size_t count)
{
	if (count > NETLINK_PUT_BYTES)
		bug("a netlink attribute of %zu bytes", count);
	mnl_attr_put(current(n), (uint16_t)type, count, bytes);
	grown(n);
}

void
netlink_put_u8(struct netlink *n, unsigned type, uint8_t number)
{
	netlink_put(n, type, &number, sizeof number);
}

void
netlink_put_u16(struct netlink *n, unsigned type, uint16_t number)
{
	uint16_t big = htons(number);

	netlink_put(n, type, &big, sizeof big);
}

void
netlink_put_u32(struct netlink *n, unsigned type, uint32_t number)
{
	uint32_t big = htonl(number);

	netlink_put(n, type, &big, sizeof big);
}

void
netlink_put_u64(struct netlink *n, unsigned type, uint64_t number)
{
	uint64_t big = htobe64(number);

	netlink_put(n, type, &big, sizeof big);
}

void
netlink_put_text(struct netlink *n, unsigned type, const char *text)
{
	netlink_put(n, type, text, strlen(text) + 1);
}

size_t
netlink_nest(struct netlink *n, unsigned type)
{
	size_t begin = n->out.len;

	(void)mnl_attr_nest_start(current(n), (uint16_t)type);
	grown(n);
	return begin;
}

void
netlink_nest_end(struct netlink *n, size_t nest)
{
	struct nlattr *attr = (struct nlattr *)(void *)(n->out.data + nest);

	mnl_attr_nest_end(message_at(n, n->at), attr);
}

void
netlink_batch(struct netlink *n)
{
	netlink_message(
	    n, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

void
netlink_batch_end(struct netlink *n)
{
	size_t last = n->last;

	netlink_message(
	    n, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	n->last = last;
}

/* Forget what was built, and most of its memory. */
static void
forget(struct netlink *n)
{
	if (n->out.cap > KEEP_BYTES) {
		buf_free(&n->out);
		buf_init(&n->out, OUT_BYTES);
	}
	buf_clear(&n->out);
	n->first = n->serial + 1;
	n->at = n->last = 0;
}

/* Bytes that came, or a negative errno value. */
static ssize_t
receive(struct netlink *n, int64_t end_ms)
{
	struct pollfd wait = {
	    .fd = mnl_socket_get_fd(n->socket), .events = POLLIN};

	for (;;) {
		int64_t left = end_ms - clock_ms();
		ssize_t got;

		if (left < 0)
			return -ETIMEDOUT;
		if (poll(&wait, 1, (int)left) <= 0)
			continue; /* nothing yet, or a signal */
		got = mnl_socket_recvfrom(n->socket, n->in, IN_BYTES);
		if (got >= 0)
			return got;
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
}

static int
send_all(struct netlink *n)
{
	ssize_t sent = mnl_socket_sendto(n->socket, n->out.data, n->out.len);

	if (sent < 0)
		return -errno;
	return (size_t)sent == n->out.len ? 0 : -EIO;
}

/* What the kernel says: an errno value, negative or 0. */
static int
said(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) < sizeof error->error)
		return -EBADMSG;
	return error->error;
}

/* Answers until that to the message `last`; the first error is kept. */
static int
await_answer(struct netlink *n, uint32_t last, int64_t end_ms)
{
	int result = 0;

	for (;;) {
		ssize_t got = receive(n, end_ms);
		int left = (int)got;
		const struct nlmsghdr *at = (const void *)n->in;

		if (got < 0)
			return result != 0 ? result : (int)got;
		for (; mnl_nlmsg_ok(at, left); at = mnl_nlmsg_next(at, &left)) {
			if (at->nlmsg_type != NLMSG_ERROR ||
			    at->nlmsg_seq - n->first > n->serial - n->first)
				continue; /* late, of an earlier commit */
			if (result == 0)
				result = said(at);
			if (at->nlmsg_seq == last)
				return result;
		}
	}
}

int
netlink_commit(struct netlink *n, int deadline_ms)
{
	int64_t end = clock_ms() + deadline_ms;
	struct nlmsghdr *last = message_at(n, n->last);
	int rc;

	last->nlmsg_flags |= NLM_F_ACK;
	rc = send_all(n);
	if (rc == 0)
		rc = await_answer(n, last->nlmsg_seq, end);
	forget(n);
	return rc;
}

bool
netlink_next(struct netlink_attrs *attrs, struct netlink_attr *out)
{
	struct nlattr head; /* copied: bytes of others need not be aligned */
	size_t step;

	if (attrs->left < sizeof head)
		return false;
	memcpy(&head, attrs->at, sizeof head);
	if (head.nla_len < sizeof head || head.nla_len > attrs->left)
		return false;
	out->type = head.nla_type & (uint16_t)NLA_TYPE_MASK;
	out->bytes = attrs->at + sizeof head;
	out->count = head.nla_len - sizeof head;
	step = (size_t)MNL_ALIGN((int)head.nla_len);
	step = step > attrs->left ? attrs->left : step;
	attrs->at += step;
	attrs->left -= step;
	return true;
}

struct netlink_attrs
netlink_inside(const struct netlink_attr *attr)
{
	return (struct netlink_attrs){attr->bytes, attr->count};
}

uint32_t
netlink_u32(const struct netlink_attr *attr)
{
	uint32_t big = 0;

	if (attr->count == sizeof big)
		memcpy(&big, attr->bytes, sizeof big);
	return ntohl(big);
}

uint64_t
netlink_u64(const struct netlink_attr *attr)
{
	uint64_t big = 0;

	if (attr->count == sizeof big)
		memcpy(&big, attr->bytes, sizeof big);
	return be64toh(big);
}

int
netlink_elements(struct netlink_attrs attrs, unsigned type,
    int (*each)(void *data, const struct netlink_attr *element), void *data)
{
	struct netlink_attr list, element;

	while (netlink_next(&attrs, &list)) {
		struct netlink_attrs elements = netlink_inside(&list);

		if (list.type != type)
			continue;
		while (netlink_next(&elements, &element)) {
			int rc = each(data, &element);

			if (rc != 0)
				return rc;
		}
	}
	return 0;
}

/* A dump that is read. */
struct dump {
	int (*each)(void *data, struct netlink_attrs attrs);
	void *data;
	int result; /* the first error; then `each` is not called again */
	bool done;
};

static int
take_one(struct dump *dump, const struct nlmsghdr *message)
{
	size_t head = sizeof(struct nfgenmsg); /* 4, aligned */
	size_t bytes = mnl_nlmsg_get_payload_len(message);
	struct netlink_attrs attrs;

	if (bytes < head)
		return -EBADMSG;
	attrs.at = mnl_nlmsg_get_payload_offset(message, head);
	attrs.left = bytes - head;
	return dump->each(dump->data, attrs);
}

/* One datagram of it. */
static void
take(const struct netlink *n, int left, struct dump *dump)
{
	const struct nlmsghdr *at = (const void *)n->in;

	for (; mnl_nlmsg_ok(at, left); at = mnl_nlmsg_next(at, &left)) {
		int rc = 0;

		if (at->nlmsg_seq != n->serial)
			continue;
		if ((at->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
			rc = -EINTR;
		if (at->nlmsg_type == NLMSG_ERROR)
			rc = said(at);
		dump->done |= at->nlmsg_type == NLMSG_DONE ||
			      at->nlmsg_type == NLMSG_ERROR;
		if (dump->result == 0 && !dump->done && rc == 0)
			rc = take_one(dump, at);
		if (dump->result == 0)
			dump->result = rc;
	}
}

int
netlink_dump(struct netlink *n, int deadline_ms,
    int (*each)(void *data, struct netlink_attrs attrs), void *data)
{
	int64_t end = clock_ms() + deadline_ms;
	struct dump dump = {.each = each, .data = data};
	int rc = send_all(n);

	forget(n);
	while (rc == 0 && !dump.done) {
		ssize_t got = receive(n, end);

		if (got < 0)
			rc = (int)got;
		else
			take(n, (int)got, &dump);
	}
	return rc != 0 ? rc : dump.result;
}
