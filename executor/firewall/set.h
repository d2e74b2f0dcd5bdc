/*
 * The kernel's sets of addresses that accounts may reach now: elements in,
 * out, and read back. On Linux by netlink (nftables, or ipset beside
 * iptables), on macOS by pfctl's tables. Needs CAP_NET_ADMIN when it is opened
 * and when it is used.
 *
 * An account has two sets for each family (names in text.h):
 *
 *	fresh   what a new connection may go to. An element ends by itself.
 *	known   what an established connection may go on with: all that was in
 *		`fresh` once, until its rule is removed or all is halted.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_SET_H
#define TRIZONE_EXECUTOR_FIREWALL_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/firewall.h"
#include "executor/firewall/address.h"

#define SET_COMMENT_BYTES 128u /* as nftables keeps them, NUL included */
#define SET_KNOWN_S                                                            \
	(5u * 86400u) /* as long as the kernel keeps a TCP                     \
			 connection that says nothing */

struct set_item {
	struct address address;
	uint16_t port;
	unsigned char protocol;	      /* enum model_protocol */
	uint32_t timeout_s;	      /* 0: it stays */
	uint32_t left_s;	      /* set_list: until it ends */
	char name[SET_COMMENT_BYTES]; /* the host, cut; the comment */
};

struct set;

/* A way to the kernel; NULL with a reason. */
struct set *set_open(enum firewall_backend backend, char *reason, size_t room);
/* The same over a descriptor that was opened before the locks; and that. */
int set_descriptor(const struct set *set);
void set_close(struct set *set);

/* Put items into `fresh` and `known` of the account, in one transaction; what
 * is there gets the new time. Returns when the kernel has them: 0, or an error
 * and nothing is changed (ipset, which has no transactions: what is new may be
 * in `known`). -ERR_NOT_FOUND: the rules are not loaded. -ERR_LIMIT: more than
 * SET_BATCH items, or than the set's size. Waits at most SET_MS. */
#define SET_BATCH 4096u
#define SET_MS 1000
int set_add(
    struct set *set, uid_t uid, const struct set_item *items, size_t count);

/* The same, quicker where none of them is there: into sets that were loaded or
 * cleared before. */
int set_load(
    struct set *set, uid_t uid, const struct set_item *items, size_t count);

/* Take items out of both; what is not there is no error. */
int set_remove(
    struct set *set, uid_t uid, const struct set_item *items, size_t count);

/* Empty both sets of the account. */
int set_clear(struct set *set, uid_t uid);

/* Take out of `fresh` what has ended, where the kernel does not do it by itself
 * (pf). To be called every few seconds; costs nothing elsewhere. */
int set_expire(struct set *set);

/* Where the kernel keeps no times (pf): what is there and has no end here gets
 * this one, as who put it there may be gone with his list of ends. Literal
 * addresses have to be added anew, without an end. Nothing elsewhere. */
int set_adopt(struct set *set, uid_t uid, uint32_t timeout_s);

/* Every element of `fresh`, or of `known`, of the account. A negative return
 * of `each` ends the listing and is returned. -ERR_BUSY: the set changed
 * meanwhile, what was given is not all of it; list it anew. In the moments
 * after thousands were added the kernel gives some twice and others not. */
int set_list(struct set *set, uid_t uid, bool known,
    int (*each)(void *data, const struct set_item *item), void *data);

#endif
