/*
 * Elements of ipset's sets (hash:ip,port), beside iptables. There are no
 * transactions: `known` is written before `fresh`, and emptied after it, so
 * that what may begin may also go on.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/ipset/ip_set_hash.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "executor/firewall/set_impl.h"

#define PROTOCOL 6		  /* of ipset, from Linux 3.3 */
#define MESSAGE_BYTES (16u << 10) /* errors bring the message back */

static void
begin(struct netlink *n, unsigned message, unsigned flags, uid_t uid,
    bool known, unsigned char family)
{
	char name[SET_NAME_BYTES];

	(void)snprintf(name, sizeof name, "trizone_%s%d_%lu", set_kind(known),
	    family == ADDRESS_4 ? 4 : 6, (unsigned long)uid);
	netlink_message(n, NFNL_SUBSYS_IPSET << 8 | message, flags,
	    family == ADDRESS_4 ? AF_INET : AF_INET6, 0);
	netlink_put_u8(n, IPSET_ATTR_PROTOCOL, PROTOCOL);
	netlink_put_text(n, IPSET_ATTR_SETNAME, name);
}

static void
put_address(struct netlink *n, const struct address *a)
{
	size_t nest = netlink_nest(n, IPSET_ATTR_IP);

	if (a->family == ADDRESS_4)
		netlink_put(n, IPSET_ATTR_IPADDR_IPV4 | NLA_F_NET_BYTEORDER,
		    a->bytes, 4);
	else
		netlink_put(n, IPSET_ATTR_IPADDR_IPV6 | NLA_F_NET_BYTEORDER,
		    a->bytes, 16);
	netlink_nest_end(n, nest);
}

static void
put_element(
    struct netlink *n, const struct set_item *item, bool known, bool whole)
{
	size_t nest = netlink_nest(n, IPSET_ATTR_DATA);

	put_address(n, &item->address);
	netlink_put_u16(n, IPSET_ATTR_PORT | NLA_F_NET_BYTEORDER, item->port);
	netlink_put_u8(n, IPSET_ATTR_PROTO, item->protocol);
	if (whole) {
		netlink_put_u32(n, IPSET_ATTR_TIMEOUT | NLA_F_NET_BYTEORDER,
		    set_time(item, known));
		if (item->name[0] != '\0')
			netlink_put_text(n, IPSET_ATTR_COMMENT, item->name);
	}
	netlink_nest_end(n, nest);
}

/* What is there gets the new time, or what is not there is no error: without
 * NLM_F_EXCL. */
static void
put_all(struct netlink *n, unsigned message, uid_t uid, bool known,
    unsigned char family, const struct set_item *items, size_t count)
{
	bool open = false;
	size_t list = 0;

	for (size_t i = 0; i < count; i++) {
		if (items[i].address.family != family)
			continue;
		if (!open) {
			begin(n, message, 0, uid, known, family);
			netlink_put_u32(n, IPSET_ATTR_LINENO, 1);
			list = netlink_nest(n, IPSET_ATTR_ADT);
		}
		put_element(n, &items[i], known, message == IPSET_CMD_ADD);
		open = netlink_message_bytes(n) < MESSAGE_BYTES;
		if (!open)
			netlink_nest_end(n, list);
	}
	if (open)
		netlink_nest_end(n, list);
}

static int
change(struct netlink *n, unsigned message, uid_t uid, bool known,
    const struct set_item *items, size_t count)
{
	put_all(n, message, uid, known, ADDRESS_4, items, count);
	put_all(n, message, uid, known, ADDRESS_6, items, count);
	return netlink_commit(n, SET_MS);
}

/* ipset's own errors begin behind those of errno. */
static int
mean(int rc)
{
	if (rc == -IPSET_ERR_HASH_FULL)
		return -ENFILE;
	return rc <= -IPSET_ERR_PRIVATE ? -EINVAL : rc;
}

static int
add(struct netlink *n, uid_t uid, const struct set_item *items, size_t count,
    bool new)
{
	int rc = change(n, IPSET_CMD_ADD, uid, true, items, count);

	(void)new;
	if (rc == 0)
		rc = change(n, IPSET_CMD_ADD, uid, false, items, count);
	return mean(rc);
}

static int
take_out(
    struct netlink *n, uid_t uid, const struct set_item *items, size_t count)
{
	int fresh = change(n, IPSET_CMD_DEL, uid, false, items, count);
	int known = change(n, IPSET_CMD_DEL, uid, true, items, count);

	return mean(fresh != 0 ? fresh : known);
}

static int
clear(struct netlink *n, uid_t uid)
{
	for (int known = 0; known < 2; known++) {
		begin(n, IPSET_CMD_FLUSH, 0, uid, known, ADDRESS_4);
		begin(n, IPSET_CMD_FLUSH, 0, uid, known, ADDRESS_6);
	}
	return mean(netlink_commit(n, SET_MS));
}

struct listing {
	int (*each)(void *data, const struct set_item *item);
	void *data;
};

static void
take_address(const struct netlink_attr *nest, struct address *out)
{
	struct netlink_attrs inside = netlink_inside(nest);
	struct netlink_attr a;

	if (!netlink_next(&inside, &a) || (a.count != 4 && a.count != 16))
		return;
	out->family = a.count == 4 ? ADDRESS_4 : ADDRESS_6;
	memcpy(out->bytes, a.bytes, a.count);
}

static void
take_attr(const struct netlink_attr *attr, struct set_item *item)
{
	if (attr->type == IPSET_ATTR_IP) {
		take_address(attr, &item->address);
	} else if (attr->type == IPSET_ATTR_PORT && attr->count == 2) {
		item->port = (uint16_t)(attr->bytes[0] << 8 | attr->bytes[1]);
	} else if (attr->type == IPSET_ATTR_PROTO && attr->count == 1) {
		item->protocol = attr->bytes[0];
	} else if (attr->type == IPSET_ATTR_TIMEOUT) {
		item->left_s = netlink_u32(attr);
		item->timeout_s = item->left_s; /* it keeps no more */
	} else if (attr->type == IPSET_ATTR_COMMENT) {
		size_t length = strnlen((const char *)attr->bytes, attr->count);

		if (length >= sizeof item->name)
			length = sizeof item->name - 1;
		memcpy(item->name, attr->bytes, length);
	}
}

static int
take_element(void *data, const struct netlink_attr *element)
{
	const struct listing *listing = data;
	struct netlink_attrs inside = netlink_inside(element);
	struct set_item item = {0};
	struct netlink_attr attr;

	while (netlink_next(&inside, &attr))
		take_attr(&attr, &item);
	if (item.address.family == ADDRESS_NONE)
		return -EBADMSG;
	return listing->each(listing->data, &item);
}

static int
take_message(void *data, struct netlink_attrs attrs)
{
	return netlink_elements(attrs, IPSET_ATTR_ADT, take_element, data);
}

static int
list(struct netlink *n, uid_t uid, bool known, unsigned char family,
    int (*each)(void *data, const struct set_item *item), void *data)
{
	struct listing listing = {each, data};

	begin(n, IPSET_CMD_LIST, NLM_F_DUMP, uid, known, family);
	return mean(netlink_dump(n, SET_LIST_MS, take_message, &listing));
}

const struct set_way set_ipset = {add, take_out, clear, list};
