/*
 * What the two kinds of sets on Linux share.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_SET_IMPL_H
#define TRIZONE_EXECUTOR_FIREWALL_SET_IMPL_H

#include "executor/firewall/netlink.h"
#include "executor/firewall/set.h"

#define SET_NAME_BYTES                                                         \
	32u /* the longest of the kernel, ipset, with its NUL                  \
	     */
#define SET_LIST_MS                                                            \
	30000 /* a full set takes a second, of a busy machine ten              \
	       */

/* "fresh4_1000". */
static inline const char *
set_kind(bool known)
{
	return known ? "known" : "fresh";
}

/* A kind of sets. All return 0 or a negative errno value, and mean what set.h
 * says of the function of the same name. */
struct set_way {
	/* new: set_load. */
	int (*add)(struct netlink *n, uid_t uid, const struct set_item *items,
	    size_t count, bool new);
	int (*remove)(struct netlink *n, uid_t uid,
	    const struct set_item *items, size_t count);
	int (*clear)(struct netlink *n, uid_t uid);
	/* One set. */
	int (*list)(struct netlink *n, uid_t uid, bool known,
	    unsigned char family,
	    int (*each)(void *data, const struct set_item *item), void *data);
};

extern const struct set_way set_nft, set_ipset;

/* How long an item of `fresh` stays in `known`; 0 as long as it is there. */
static inline uint32_t
set_time(const struct set_item *item, bool known)
{
	return known && item->timeout_s != 0 ? SET_KNOWN_S : item->timeout_s;
}

#endif
