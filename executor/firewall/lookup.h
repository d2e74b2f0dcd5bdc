/*
 * Looking up the addresses of names: on Linux by asking the configured name
 * servers and nobody else (no search domains, no hosts file), on macOS by
 * mDNSResponder, as its programs do. What comes back is a stranger's word.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_LOOKUP_H
#define TRIZONE_EXECUTOR_FIREWALL_LOOKUP_H

#include "common/text.h"
#include "executor/firewall/cache.h"
#include "proto/loop.h"

#define LOOKUP_MS 5000 /* one look-up, all servers and tries */
#define LOOKUP_SERVERS_MAX 3u

struct lookup;

/* Who is told. `found` follows each lookup_ask, never from within it, with a
 * found->say other than CACHE_WAIT: with a truncated or broken answer, a
 * server's error or none at all CACHE_FAILED. `changed`: mDNSResponder says
 * that the name of that key has other addresses now; ask again. */
struct lookup_calls {
	void (*found)(void *context, struct cache_key key,
	    const struct cache_found *found);
	void (*changed)(void *context, struct cache_key key);
	void *context;
};

/* servers: a line each, "192.0.2.53", "192.0.2.53:5353", "2001:db8::53" or
 * "[2001:db8::53]:5353"; more than LOOKUP_SERVERS_MAX are left out. NULL if
 * none of them can be used. */
struct lookup *lookup_new(
    struct loop *loop, struct span servers, const struct lookup_calls *calls);
void lookup_free(struct lookup *lookup);

/* Look up the half of a name. */
void lookup_ask(struct lookup *lookup, struct cache_key key, const char *name);

#endif
