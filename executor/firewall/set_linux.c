/*
 * Sets of addresses in the kernel, by netlink. Runs in the parent and in the
 * commands that load rules, with CAP_NET_ADMIN.
 */
#include "executor/firewall/set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/firewall/set_impl.h"

struct set {
	struct netlink *netlink;
	const struct set_way *way;
};

static int
mean(int rc)
{
	switch (-rc) {
	case 0:
		return 0;
	case ENOENT:
		return -ERR_NOT_FOUND;
	case ETIMEDOUT:
		return -ERR_DEADLINE;
	case ENFILE: /* the set is as large as its rules say */
	case ENOSPC:
	case E2BIG:
		return -ERR_LIMIT;
	default:
		return -ERR_SYSTEM;
	}
}

struct set *
set_open(enum firewall_backend backend, char *reason, size_t room)
{
	struct netlink *netlink;
	struct set *set;

	if (backend != FIREWALL_NFT && backend != FIREWALL_IPTABLES) {
		(void)snprintf(reason, room, "%s has no sets on this system",
		    firewall_backend_name(backend));
		return NULL;
	}
	netlink = netlink_open();
	if (netlink == NULL) {
		(void)snprintf(reason, room,
		    "the kernel's packet filter cannot be reached (%s): run as "
		    "root, with CAP_NET_ADMIN",
		    strerror(errno));
		return NULL;
	}
	set = alloc_bytes(sizeof *set);
	set->netlink = netlink;
	set->way = backend == FIREWALL_NFT ? &set_nft : &set_ipset;
	return set;
}

int
set_descriptor(const struct set *set)
{
	return netlink_descriptor(set->netlink);
}

void
set_close(struct set *set)
{
	if (set == NULL)
		return;
	netlink_close(set->netlink);
	free(set);
}

static int
add(struct set *set, uid_t uid, const struct set_item *items, size_t count,
    bool new)
{
	if (count > SET_BATCH)
		return -ERR_LIMIT;
	if (count == 0)
		return 0;
	return mean(set->way->add(set->netlink, uid, items, count, new));
}

int
set_add(struct set *set, uid_t uid, const struct set_item *items, size_t count)
{
	return add(set, uid, items, count, false);
}

int
set_load(struct set *set, uid_t uid, const struct set_item *items, size_t count)
{
	return add(set, uid, items, count, true);
}

int
set_remove(
    struct set *set, uid_t uid, const struct set_item *items, size_t count)
{
	if (count > SET_BATCH)
		return -ERR_LIMIT;
	if (count == 0)
		return 0;
	return mean(set->way->remove(set->netlink, uid, items, count));
}

int
set_clear(struct set *set, uid_t uid)
{
	return mean(set->way->clear(set->netlink, uid));
}

int
set_expire(struct set *set)
{
	(void)set;
	return 0;
}

int
set_adopt(struct set *set, uid_t uid, uint32_t timeout_s)
{
	(void)set;
	(void)uid;
	(void)timeout_s;
	return 0;
}

/* Keeps apart what `each` gave and what the kernel said. */
struct listing {
	int (*each)(void *data, const struct set_item *item);
	void *data;
	int given;
};

static int
list_one(void *data, const struct set_item *item)
{
	struct listing *listing = data;

	listing->given = listing->each(listing->data, item);
	return listing->given < 0 ? -ECANCELED : 0;
}

int
set_list(struct set *set, uid_t uid, bool known,
    int (*each)(void *data, const struct set_item *item), void *data)
{
	struct listing listing = {.each = each, .data = data};
	int rc = set->way->list(
	    set->netlink, uid, known, ADDRESS_4, list_one, &listing);

	if (rc == 0)
		rc = set->way->list(
		    set->netlink, uid, known, ADDRESS_6, list_one, &listing);
	if (listing.given < 0)
		return listing.given;
	return rc == -EINTR ? -ERR_BUSY : mean(rc);
}
