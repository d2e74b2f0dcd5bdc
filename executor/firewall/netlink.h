/*
 * Netlink messages to nfnetlink (nftables, ipset): built one behind another,
 * sent at once, answers awaited. The one file behind it knows libmnl. Linux.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_NETLINK_H
#define TRIZONE_EXECUTOR_FIREWALL_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_MESSAGE_BYTES                                                  \
	60000u		       /* begin another beyond: a nest is at most      \
				  65,535 bytes */
#define NETLINK_PUT_BYTES 320u /* most of one netlink_put */

struct netlink;

/* NULL with errno. Needs CAP_NET_ADMIN for its buffer. */
struct netlink *netlink_open(void);
int netlink_descriptor(const struct netlink *n);
void netlink_close(struct netlink *n); /* NULL is fine */

/* Begin a message. `type` is subsystem << 8 | message, `flags` are NLM_F_ ones
 * besides NLM_F_REQUEST, `family` and `resource` those of struct nfgenmsg. */
void netlink_message(struct netlink *n, unsigned type, unsigned flags,
    unsigned char family, unsigned resource);
/* Bytes of the message that is being built. */
size_t netlink_message_bytes(const struct netlink *n);

/* Attributes of the message that is being built; numbers go in network order.
 * A nest has to be ended with what its beginning gave. */
void netlink_put(
    struct netlink *n, unsigned type, const void *bytes, size_t count);
void netlink_put_u8(struct netlink *n, unsigned type, uint8_t number);
void netlink_put_u16(struct netlink *n, unsigned type, uint16_t number);
void netlink_put_u32(struct netlink *n, unsigned type, uint32_t number);
void netlink_put_u64(struct netlink *n, unsigned type, uint64_t number);
void netlink_put_text(struct netlink *n, unsigned type, const char *text);
size_t netlink_nest(struct netlink *n, unsigned type);
void netlink_nest_end(struct netlink *n, size_t nest);

/* Messages between these are one transaction of nftables. */
void netlink_batch(struct netlink *n);
void netlink_batch_end(struct netlink *n);

/* Send all that was built since the last time, and wait for what the kernel
 * says to the last message before the end of the batch. 0, or a negative errno
 * value: the first that it said to any of them; -ETIMEDOUT. */
int netlink_commit(struct netlink *n, int deadline_ms);

/* An attribute; what it holds belongs to the message. */
struct netlink_attr {
	unsigned type; /* without NLA_F_ bits */
	const unsigned char *bytes;
	size_t count;
};

/* Attributes that follow each other; false at the end. A cut one is the end. */
struct netlink_attrs {
	const unsigned char *at;
	size_t left;
};
bool netlink_next(struct netlink_attrs *attrs, struct netlink_attr *out);
struct netlink_attrs netlink_inside(const struct netlink_attr *attr);
/* 0 if it has another length. */
uint32_t netlink_u32(const struct netlink_attr *attr);
uint64_t netlink_u64(const struct netlink_attr *attr);

/* Call `each` with what is inside each attribute of that type; what it gives
 * that is not 0 is returned at once. */
int netlink_elements(struct netlink_attrs attrs, unsigned type,
    int (*each)(void *data, const struct netlink_attr *element), void *data);

/* Send the one message that was built (a dump) and call `each` with the
 * attributes of each answer. 0, a negative errno value (-EINTR: what is dumped
 * changed meanwhile, and some may be missing), or what `each` gave first that
 * is not 0; it is not called again then. */
int netlink_dump(struct netlink *n, int deadline_ms,
    int (*each)(void *data, struct netlink_attrs attrs), void *data);

#endif
