/*
 * What is known of the names that accounts may reach: which addresses are in
 * the kernel's sets and until when, what has to be looked up, and what an
 * account is told. Pure: no clock, no network, no sets; who calls brings the
 * time and does what it says.
 *
 * One name of one account has two halves, IPv4 and IPv6. A half goes from a
 * look-up (cache_next) to what was found (cache_found), and if addresses were
 * found, to their place in the sets (cache_placed); only then they are told.
 * What is in place is told until its end, also while it is looked up again and
 * when that fails. Addresses that a name has no more stay in the sets until
 * they end by themselves: connections to them may live on.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_CACHE_H
#define TRIZONE_EXECUTOR_FIREWALL_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/firewall/address.h"
#include "executor/firewall/link.h"
#include "executor/firewall/model.h"

#define CACHE_FLOOR_S 60u     /* a shorter time would look up all the time */
#define CACHE_CEILING_S 3600u /* an address that moved is not kept longer */
#define CACHE_GRACE_S 15u     /* in the sets longer than it is told */
#define CACHE_EMPTY_S 30u     /* that there is nothing is told so long */
#define CACHE_FAILED_S 5u     /* that it failed, at most */
#define CACHE_USE_MS (3600 * INT64_C(1000)) /* looked up again while in use */
#define CACHE_LOOKS 64u			    /* look-ups and orders under way */
#define CACHE_SPARE 16u		/* of these for what somebody waits for */
#define CACHE_ACCOUNT_LOOKS 16u /* of one account */

struct cache;

/* One half of a name, as it was numbered when it was handed out. */
struct cache_key {
	uint32_t generation, row;
	unsigned char family; /* enum address_family */
};

/* All names of the model, but those of accounts that are blocked, are to be
 * looked up. The model has to stay as long as the cache, or until
 * cache_replace. always: all are in use all the time. */
struct cache *cache_new(const struct model *model, bool always, int64_t now);
void cache_free(struct cache *cache);

/* Another model with the same accounts. What is known of names that stay, is
 * kept. Keys from before are void, what was under way is to be done anew. */
void cache_replace(struct cache *cache, const struct model *model, int64_t now);

/* The sets are empty: all that was in place is to be looked up anew. Keys from
 * before are void. */
void cache_emptied(struct cache *cache, int64_t now);

/* The number of an account's name in lower case; false: it may not have it. */
bool cache_find(const struct cache *cache, uint32_t account, const char *name,
    uint32_t *row_out);
const char *cache_name(const struct cache *cache, uint32_t row);
/* Of the model: the account, and the first of its hosts with that name. */
uint32_t cache_account(const struct cache *cache, uint32_t row);
uint32_t cache_host(const struct cache *cache, uint32_t row);
/* False: it is from before a cache_replace or cache_emptied. */
bool cache_valid(const struct cache *cache, struct cache_key key);

enum cache_say {
	CACHE_WAIT,	 /* not known; it is looked up as soon as can be */
	CACHE_ADDRESSES, /* in place */
	CACHE_EMPTY,	 /* the name has none of that family */
	CACHE_NO_NAME,	 /* there is no such name */
	CACHE_FAILED
};

/* An account asks. What `addresses` points to lasts until the next call. */
struct cache_told {
	uint32_t ttl_s;
	const struct address *addresses;
	size_t count;
};
enum cache_say cache_ask(struct cache *cache, uint32_t row,
    unsigned char family, int64_t now, struct cache_told *out);

/* What to look up now; false if there is nothing, or too much under way. It has
 * to be followed by cache_found. */
bool cache_next(struct cache *cache, int64_t now, struct cache_key *out);
/* Milliseconds until cache_next may have something; -1: never, as long as none
 * that is under way ends. */
int64_t cache_delay(const struct cache *cache, int64_t now);

/* What a look-up found. say: CACHE_ADDRESSES with at most LINK_ADDRESSES_MAX
 * addresses that may be, all of the half's family (twice the same is fine), or
 * one of those behind it. True: addresses are in *order_out (all but its
 * serial) to be put into the sets, and cache_placed has to follow. */
struct cache_found {
	enum cache_say say;
	bool inward; /* CACHE_FAILED because all its addresses are refused:
			what was in place is not told any more */
	uint32_t ttl_s;
	size_t count;
	struct address addresses[LINK_ADDRESSES_MAX];
};
bool cache_found(struct cache *cache, struct cache_key key, int64_t now,
    const struct cache_found *found, struct link_order *order_out);

/* mDNSResponder knows of another address: look it up at once. */
void cache_changed(struct cache *cache, struct cache_key key, int64_t now);

/* What is in place, without asking for it; `key` is valid. */
void cache_peek(
    const struct cache *cache, struct cache_key key, struct cache_told *out);

/* The addresses are in the sets, or are not. */
void cache_placed(
    struct cache *cache, struct cache_key key, int64_t now, bool placed);

#endif
