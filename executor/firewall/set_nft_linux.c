/*
 * Elements of nftables' sets. Each call is one transaction for both families
 * and both sets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "executor/firewall/set_impl.h"
#include "executor/firewall/text.h"

#define NFPROTO_INET_TABLE 1 /* NFPROTO_INET */
#define REGISTER_BYTES 4u    /* each part of a key is filled to a multiple */
#define COMMENT_TAG 0	     /* libnftnl's NFTNL_UDATA_SET_ELEM_COMMENT */

/* Up to so many are treated as if they were there: three messages for each, but
 * no failed transaction, which waits for all processors (4 ms and more). */
#define FEW 64u

/* address . protocol . port */
struct key {
	unsigned char bytes[16 + 2 * REGISTER_BYTES];
	size_t count;
};

static size_t
address_bytes(unsigned char family)
{
	return family == ADDRESS_4 ? 4 : 16;
}

static void
make_key(const struct set_item *item, struct key *key)
{
	size_t n = address_bytes(item->address.family);
	uint16_t port = htons(item->port);

	memset(key, 0, sizeof *key);
	memcpy(key->bytes, item->address.bytes, n);
	key->bytes[n] = item->protocol;
	memcpy(key->bytes + n + REGISTER_BYTES, &port, sizeof port);
	key->count = n + 2 * REGISTER_BYTES;
}

static void
begin(struct netlink *n, unsigned message, unsigned flags, uid_t uid,
    bool known, unsigned char family)
{
	char name[SET_NAME_BYTES];

	(void)snprintf(name, sizeof name, "%s%d_%lu", set_kind(known),
	    family == ADDRESS_4 ? 4 : 6, (unsigned long)uid);
	netlink_message(n, NFNL_SUBSYS_NFTABLES << 8 | message, flags,
	    NFPROTO_INET_TABLE, 0);
	netlink_put_text(n, NFTA_SET_ELEM_LIST_TABLE, TEXT_TABLE);
	netlink_put_text(n, NFTA_SET_ELEM_LIST_SET, name);
}

static void
put_key(struct netlink *n, const struct set_item *item)
{
	struct key key;
	size_t nest = netlink_nest(n, NFTA_SET_ELEM_KEY);

	make_key(item, &key);
	netlink_put(n, NFTA_DATA_VALUE, key.bytes, key.count);
	netlink_nest_end(n, nest);
}

static void
put_comment(struct netlink *n, const char *name)
{
	unsigned char data[2 + SET_COMMENT_BYTES];
	size_t length = strnlen(name, SET_COMMENT_BYTES - 1);

	if (length == 0)
		return;
	data[0] = COMMENT_TAG;
	data[1] = (unsigned char)(length + 1);
	memcpy(data + 2, name, length);
	data[2 + length] = '\0';
	netlink_put(n, NFTA_SET_ELEM_USERDATA, data, 2 + length + 1);
}

static void
put_element(struct netlink *n, const struct set_item *item, bool known)
{
	uint32_t time_s = set_time(item, known);
	size_t nest = netlink_nest(n, NFTA_LIST_ELEM);

	put_key(n, item);
	if (time_s != 0)
		netlink_put_u64(
		    n, NFTA_SET_ELEM_TIMEOUT, (uint64_t)time_s * 1000);
	put_comment(n, item->name);
	netlink_nest_end(n, nest);
}

static void
put_bare(struct netlink *n, const struct set_item *item)
{
	size_t nest = netlink_nest(n, NFTA_LIST_ELEM);

	put_key(n, item);
	netlink_nest_end(n, nest);
}

/* A message with one element: whole, or its key alone. */
static void
one(struct netlink *n, unsigned message, unsigned flags, uid_t uid, bool known,
    const struct set_item *item, bool whole)
{
	size_t list;

	begin(n, message, flags, uid, known, item->address.family);
	list = netlink_nest(n, NFTA_SET_ELEM_LIST_ELEMENTS);
	if (whole)
		put_element(n, item, known);
	else
		put_bare(n, item);
	netlink_nest_end(n, list);
}

/* Those of one family, many in a message; none may be there. */
static void
put_new(struct netlink *n, uid_t uid, bool known, unsigned char family,
    const struct set_item *items, size_t count)
{
	bool open = false;
	size_t list = 0;

	for (size_t i = 0; i < count; i++) {
		if (items[i].address.family != family)
			continue;
		if (!open) {
			begin(n, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL,
			    uid, known, family);
			list = netlink_nest(n, NFTA_SET_ELEM_LIST_ELEMENTS);
		}
		put_element(n, &items[i], known);
		open = netlink_message_bytes(n) < NETLINK_MESSAGE_BYTES;
		if (!open)
			netlink_nest_end(n, list);
	}
	if (open)
		netlink_nest_end(n, list);
}

static int
add_new(
    struct netlink *n, uid_t uid, const struct set_item *items, size_t count)
{
	netlink_batch(n);
	for (int known = 0; known < 2; known++) {
		put_new(n, uid, known, ADDRESS_4, items, count);
		put_new(n, uid, known, ADDRESS_6, items, count);
	}
	netlink_batch_end(n);
	return netlink_commit(n, SET_MS);
}

/* What is there keeps its time when it is added: out first, and what is not
 * there cannot be taken out: in before. */
static void
put_out(struct netlink *n, uid_t uid, bool known, const struct set_item *item)
{
	one(n, NFT_MSG_NEWSETELEM, NLM_F_CREATE, uid, known, item, false);
	one(n, NFT_MSG_DELSETELEM, 0, uid, known, item, false);
}

static int
change(struct netlink *n, uid_t uid, const struct set_item *items, size_t count,
    bool again)
{
	netlink_batch(n);
	for (size_t i = 0; i < count; i++)
		for (int known = 0; known < 2; known++) {
			put_out(n, uid, known, &items[i]);
			if (again)
				one(n, NFT_MSG_NEWSETELEM, NLM_F_CREATE, uid,
				    known, &items[i], true);
		}
	netlink_batch_end(n);
	return netlink_commit(n, SET_MS);
}

static int
add(struct netlink *n, uid_t uid, const struct set_item *items, size_t count,
    bool new)
{
	int rc = -EEXIST;

	if (new || count > FEW)
		rc = add_new(n, uid, items, count);
	return rc == -EEXIST ? change(n, uid, items, count, true) : rc;
}

static int
take_out(
    struct netlink *n, uid_t uid, const struct set_item *items, size_t count)
{
	return change(n, uid, items, count, false);
}

static int
clear(struct netlink *n, uid_t uid)
{
	netlink_batch(n);
	for (int known = 0; known < 2; known++) {
		begin(n, NFT_MSG_DELSETELEM, 0, uid, known, ADDRESS_4);
		begin(n, NFT_MSG_DELSETELEM, 0, uid, known, ADDRESS_6);
	}
	netlink_batch_end(n);
	return netlink_commit(n, SET_MS);
}

struct listing {
	unsigned char family;
	int (*each)(void *data, const struct set_item *item);
	void *data;
};

static void
take_key(const struct netlink_attr *nest, unsigned char family,
    struct set_item *item)
{
	struct netlink_attrs inside = netlink_inside(nest);
	struct netlink_attr value;
	size_t n = address_bytes(family);
	uint16_t port;

	if (!netlink_next(&inside, &value) || value.type != NFTA_DATA_VALUE ||
	    value.count != n + 2 * REGISTER_BYTES)
		return;
	item->address.family = family;
	memcpy(item->address.bytes, value.bytes, n);
	item->protocol = value.bytes[n];
	memcpy(&port, value.bytes + n + REGISTER_BYTES, sizeof port);
	item->port = ntohs(port);
}

static void
take_comment(const struct netlink_attr *data, char out[SET_COMMENT_BYTES])
{
	const unsigned char *at = data->bytes;
	size_t length;

	if (data->count < 2 || at[0] != COMMENT_TAG || at[1] > data->count - 2)
		return;
	length = strnlen((const char *)at + 2, at[1]);
	if (length >= SET_COMMENT_BYTES)
		length = SET_COMMENT_BYTES - 1;
	memcpy(out, at + 2, length);
}

static int
take_element(void *data, const struct netlink_attr *element)
{
	const struct listing *listing = data;
	struct netlink_attrs inside = netlink_inside(element);
	struct set_item item = {0};
	struct netlink_attr attr;

	while (netlink_next(&inside, &attr)) {
		if (attr.type == NFTA_SET_ELEM_KEY)
			take_key(&attr, listing->family, &item);
		else if (attr.type == NFTA_SET_ELEM_TIMEOUT)
			item.timeout_s = (uint32_t)(netlink_u64(&attr) / 1000);
		else if (attr.type == NFTA_SET_ELEM_EXPIRATION)
			item.left_s = (uint32_t)(netlink_u64(&attr) / 1000);
		else if (attr.type == NFTA_SET_ELEM_USERDATA)
			take_comment(&attr, item.name);
	}
	if (item.address.family == ADDRESS_NONE)
		return -EBADMSG;
	return listing->each(listing->data, &item);
}

static int
take_message(void *data, struct netlink_attrs attrs)
{
	return netlink_elements(
	    attrs, NFTA_SET_ELEM_LIST_ELEMENTS, take_element, data);
}

static int
list(struct netlink *n, uid_t uid, bool known, unsigned char family,
    int (*each)(void *data, const struct set_item *item), void *data)
{
	struct listing listing = {family, each, data};

	begin(n, NFT_MSG_GETSETELEM, NLM_F_DUMP, uid, known, family);
	return netlink_dump(n, SET_LIST_MS, take_message, &listing);
}

const struct set_way set_nft = {add, take_out, clear, list};
