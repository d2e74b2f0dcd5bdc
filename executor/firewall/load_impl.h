/*
 * What the loaders of the backends share.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_LOAD_IMPL_H
#define TRIZONE_EXECUTOR_FIREWALL_LOAD_IMPL_H

#include "common/firewall_impl.h"
#include "common/text.h"
#include "executor/firewall/load.h"

/* Where an error goes. */
struct load {
	struct buf *said; /* of what is done to files; NULL: nothing is */
	char *reason;
	size_t room;
};

/* A kind of rules; each as in load.h, without the sets. The model has an
 * account, but for `remove`. */
struct load_way {
	int (*load)(struct load *l, const struct model *want);
	int (*check)(struct load *l, const struct model *want);
	int (*parse)(struct load *l, const struct model *want);
	int (*remove)(struct load *l);
};

extern const struct load_way load_nft, load_iptables, load_pf;

static inline struct span
load_view(const struct buf *b)
{
	return b->len == 0 ? SPAN("") : (struct span){b->data, b->len};
}

/* Run a program; what it says is not wanted. */
static inline int
load_run(struct load *l, const char *const words[], struct span input)
{
	return firewall_tool(words, input, NULL, l->reason, l->room);
}

/* Whether the kernel has IPv6 at all; and whether its loopback has it, which
 * can be off by itself. load_sets.c. */
bool load_has_ipv6(void);
bool load_has_loopback6(void);

/* Bring port 53 of the model's accounts to loopback by the routing, look
 * whether it is so, take that away. Rules that are as wanted stay, so that
 * nobody waits for a lost question. load_routes.c. */
int load_routes(struct load *l, const struct model *want);
int load_routes_check(struct load *l, const struct model *want);
void load_routes_remove(void);

#define LOAD_LIST_BYTES (64u << 20) /* rules of others too: some 100,000 */

/* Bring the sets of the model's accounts in line with it: literal addresses in,
 * those of hosts that are gone out. load_sets.c. */
int load_sets(
    enum firewall_backend backend, const struct model *want, struct load *l);
/* Whether they are; changes nothing. */
int load_sets_check(
    enum firewall_backend backend, const struct model *want, struct load *l);

#endif
