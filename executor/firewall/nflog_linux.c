/*
 * Packets by nfnetlink_log: the parent binds the group, the listener reads.
 * The frame of a message is the kernel's, what is in its payload is not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/firewall/capture.h"
#include "executor/firewall/netlink.h"
#include "executor/firewall/text.h"

#define RECEIVE_BYTES (1 << 20) /* waits in the kernel while we are busy */
#define KEPT_BYTES 128		/* of each packet: more than the heads */
#define THRESHOLD 32		/* packets in one message, or */
#define FLUSH_CENTISECONDS 10
#define ANSWER_SECONDS 2

enum {
	HEAD = NLMSG_HDRLEN + sizeof(struct nfgenmsg),
	ATTRIBUTE = sizeof(struct nlattr)
};

/* What netlink.h's macros do, without their signs. */
static size_t
align(size_t bytes)
{
	return (bytes + 3) & ~(size_t)3;
}

/*
 * Asking for them.
 */
struct question {
	_Alignas(struct nlmsghdr) char bytes[128];
	size_t length;
};

static void
begin(struct question *q)
{
	struct nlmsghdr head = {
	    .nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG,
	    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
	struct nfgenmsg family = {
	    .version = NFNETLINK_V0, .res_id = htons(TEXT_LOG_GROUP)};

	memset(q, 0, sizeof *q);
	memcpy(q->bytes, &head, sizeof head);
	memcpy(q->bytes + NLMSG_HDRLEN, &family, sizeof family);
	q->length = HEAD;
}

static void
put(struct question *q, uint16_t type, const void *value, size_t bytes)
{
	struct nlattr attribute = {
	    .nla_len = (uint16_t)(ATTRIBUTE + bytes), .nla_type = type};

	if (q->length + ATTRIBUTE + align(bytes) > sizeof q->bytes)
		bug("question to nflog");
	memcpy(q->bytes + q->length, &attribute, sizeof attribute);
	memcpy(q->bytes + q->length + ATTRIBUTE, value, bytes);
	q->length += align(ATTRIBUTE + bytes);
}

/* 0, or the errno the kernel answers. */
static int
ask(int fd, struct question *q)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[512];
	} answer;
	uint32_t length = (uint32_t)q->length;

	memcpy(q->bytes, &length, sizeof length); /* nlmsg_len */
	if (send(fd, q->bytes, q->length, 0) < 0)
		return errno;
	do {
		ssize_t got = recv(fd, &answer, sizeof answer, 0);

		if (got < 0)
			return errno;
		if (got < (ssize_t)(sizeof answer.head + sizeof answer.error))
			return EPROTO;
	} while (answer.head.nlmsg_type != NLMSG_ERROR);
	return -answer.error.error;
}

static int
configure(int fd)
{
	struct nfulnl_msg_config_cmd bind = {.command = NFULNL_CFG_CMD_BIND};
	struct nfulnl_msg_config_mode mode = {
	    .copy_range = htonl(KEPT_BYTES), .copy_mode = NFULNL_COPY_PACKET};
	uint32_t threshold = htonl(THRESHOLD);
	uint32_t timeout = htonl(FLUSH_CENTISECONDS);
	uint16_t flags = htons(NFULNL_CFG_F_SEQ);
	struct question q;
	int rc;

	begin(&q);
	put(&q, NFULA_CFG_CMD, &bind, sizeof bind);
	rc = ask(fd, &q);
	if (rc != 0)
		return rc;
	begin(&q);
	put(&q, NFULA_CFG_MODE, &mode, sizeof mode);
	put(&q, NFULA_CFG_QTHRESH, &threshold, sizeof threshold);
	put(&q, NFULA_CFG_TIMEOUT, &timeout, sizeof timeout);
	put(&q, NFULA_CFG_FLAGS, &flags, sizeof flags);
	return ask(fd, &q);
}

static int
explain(int error, char *reason, size_t room)
{
	if (error == EBUSY || error == EEXIST) {
		(void)snprintf(reason, room,
		    "another program listens to nflog group %d: stop it, as "
		    "only one can tell what was blocked",
		    TEXT_LOG_GROUP);
		return -ERR_BUSY;
	}
	(void)snprintf(reason, room,
	    "nflog: %s: the kernel needs nfnetlink_log (modprobe "
	    "nfnetlink_log), and we CAP_NET_ADMIN",
	    strerror(error));
	return -ERR_UNAVAILABLE;
}

int
capture_open(char *reason, size_t room)
{
	struct sockaddr_nl own = {.nl_family = AF_NETLINK};
	struct timeval most = {.tv_sec = ANSWER_SECONDS};
	int bytes = RECEIVE_BYTES, error;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0)
		return explain(errno, reason, room);
	if (bind(fd, (struct sockaddr *)&own, sizeof own) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most) != 0)
		error = errno;
	else
		error = configure(fd);
	if (error != 0) {
		close(fd);
		return explain(error, reason, room);
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) !=
	    0)
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	return fd;
}

void
capture_init(struct capture *capture, int fd)
{
	*capture = (struct capture){.fd = fd};
}

/*
 * Taking them.
 */
/* Numbers are of all that the group had, so a gap is what we did not get. */
static void
count_gap(struct capture *capture, uint32_t number)
{
	uint32_t gap = number - capture->next;

	if (capture->begun && gap < UINT32_MAX / 2)
		capture->lost += gap;
	capture->begun = true;
	capture->next = number + 1;
}

static void
take_message(struct capture *capture, struct span body,
    void (*each)(void *context, const struct packet *packet), void *context)
{
	struct netlink_attrs rest = {(const unsigned char *)body.p, body.n};
	struct span payload = {0};
	struct packet packet = {0};
	struct netlink_attr a;

	while (netlink_next(&rest, &a)) {
		if (a.type == NFULA_PAYLOAD) {
			payload = (struct span){(const char *)a.bytes, a.count};
		} else if (a.type == NFULA_UID &&
			   a.count == sizeof packet.uid) {
			packet.has_uid = true;
			packet.uid = netlink_u32(&a);
		} else if (a.type == NFULA_SEQ && a.count == sizeof(uint32_t)) {
			count_gap(capture, netlink_u32(&a));
		}
	}
	if (packet_parse(payload, &packet) == 0)
		each(context, &packet);
	else
		capture->bad++;
}

void
capture_take(struct capture *capture, struct span bytes,
    void (*each)(void *context, const struct packet *packet), void *context)
{
	while (bytes.n >= HEAD) {
		struct nlmsghdr head;
		size_t whole;

		memcpy(&head, bytes.p, sizeof head);
		if (head.nlmsg_len < HEAD || head.nlmsg_len > bytes.n)
			break;
		if (head.nlmsg_type ==
		    (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
			take_message(capture,
			    (struct span){
				bytes.p + HEAD, head.nlmsg_len - (size_t)HEAD},
			    each, context);
		whole = align(head.nlmsg_len);
		whole = whole < bytes.n ? whole : bytes.n;
		bytes = (struct span){bytes.p + whole, bytes.n - whole};
	}
}

int
capture_read(struct capture *capture,
    void (*each)(void *context, const struct packet *packet), void *context)
{
	static char bytes[CAPTURE_BYTES];
	struct sockaddr_nl from = {0};
	socklen_t room = sizeof from;
	ssize_t got = recvfrom(capture->fd, bytes, sizeof bytes, MSG_DONTWAIT,
	    (struct sockaddr *)&from, &room);

	if (got < 0 && errno == ENOBUFS) { /* how many, numbers will tell */
		return 1;
	}
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -ERR_CLOSED;
	if (from.nl_pid == 0) /* the kernel */
		capture_take(
		    capture, (struct span){bytes, (size_t)got}, each, context);
	return 1;
}
