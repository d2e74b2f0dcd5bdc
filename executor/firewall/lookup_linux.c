/*
 * Looking up names by evdns; the only file that includes it. Runs in the
 * resolver. Each look-up has sockets, and so ports, of its own, and letters of
 * the name in random case: who cannot see the question has to guess them
 * besides its number (RFC 5452). A base of its own also forgets which servers
 * failed: evdns would ask those for names of its own choice.
 */
#include "executor/firewall/lookup.h"

#include <event2/dns.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/log.h"

#define SERVER_BYTES 64u /* "[...]:65535" */

/* A try of 1.4 s, three of them: below LOOKUP_MS. evdns compares the name in an
 * answer letter by letter only if it does not choose the letters itself. The
 * last: no server is ever given up, see above. */
static const char *const settings[][2] = {
    {"timeout:", "1.4"},
    {"attempts:", "3"},
    {"randomize-case:", "0"},
    {"max-timeouts:", "255"},
};

struct ask {
	struct lookup *lookup;
	struct ask *next;
	struct evdns_base *dns;
	struct watch *deadline;
	struct cache_key key;
	struct cache_found found;
	bool ready; /* `found` can be told */
	bool told;
	bool finished; /* evdns says no more of it */
};

struct lookup {
	struct loop *loop;
	struct lookup_calls calls;
	char servers[LOOKUP_SERVERS_MAX][SERVER_BYTES];
	size_t server_count;
	struct ask *asks;
	struct watch *ends; /* soon after one has ended */
};

/* evdns says on standard error what we count as failed look-ups. */
static void
say_nothing(int is_warning, const char *text)
{
	(void)is_warning;
	(void)text;
}

static void
end_ask(struct ask *ask)
{
	if (ask->dns != NULL)
		evdns_base_free(ask->dns, 0);
	loop_unwatch(ask->deadline);
	free(ask);
}

/* Not within evdns's own call, which uses what is freed here. */
static void
on_ends(void *context)
{
	struct lookup *lookup = context;
	struct ask **at = &lookup->asks;

	while (*at != NULL) {
		struct ask *ask = *at;

		if (ask->ready && !ask->told) {
			ask->told = true;
			lookup->calls.found(
			    lookup->calls.context, ask->key, &ask->found);
			at = &lookup->asks; /* there may be new ones */
		} else if (ask->finished) {
			*at = ask->next;
			end_ask(ask);
		} else {
			at = &ask->next;
		}
	}
}

/* Told once; then evdns, which may be about to call, has as long again. */
static void
on_deadline(void *context)
{
	struct ask *ask = context;

	ask->finished = ask->told;
	ask->ready = true;
	timer_set(ask->deadline, LOOKUP_MS);
	watch_soon(ask->lookup->ends);
}

static void
finish(struct ask *ask)
{
	ask->ready = ask->finished = true;
	watch_soon(ask->lookup->ends);
}

static enum cache_say
meaning(int result)
{
	switch (result) {
	case DNS_ERR_NODATA:
		return CACHE_EMPTY;
	case DNS_ERR_NOTEXIST:
		return CACHE_NO_NAME;
	default:
		return CACHE_FAILED;
	}
}

static void
take_addresses(
    struct cache_found *found, unsigned char family, int count, const char *at)
{
	size_t bytes = family == ADDRESS_4 ? 4 : 16;

	for (int i = 0; i < count && found->count < LINK_ADDRESSES_MAX; i++) {
		struct address *a = &found->addresses[found->count++];

		a->family = family;
		memcpy(a->bytes, at + (size_t)i * bytes, bytes);
	}
}

static void
on_answer(
    int result, char type, int count, int ttl, void *addresses, void *context)
{
	struct ask *ask = context;
	bool fits =
	    type == (ask->key.family == ADDRESS_4 ? DNS_IPv4_A : DNS_IPv6_AAAA);

	if (!ask->ready)
		ask->found.say = meaning(result);
	if (!ask->ready && result == DNS_ERR_NONE && fits && count > 0) {
		ask->found.say = CACHE_ADDRESSES;
		ask->found.ttl_s = ttl < 0 ? 0 : (uint32_t)ttl;
		take_addresses(&ask->found, ask->key.family, count, addresses);
	}
	finish(ask);
}

/* A base that asks these servers and nobody else; NULL: it cannot be had. */
static struct evdns_base *
new_base(struct lookup *lookup)
{
	struct evdns_base *dns = evdns_base_new(loop_base(lookup->loop), 0);
	size_t added = 0;

	if (dns == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
		if (evdns_base_set_option(
			dns, settings[i][0], settings[i][1]) != 0)
			bug("evdns does not know %s", settings[i][0]);
	for (size_t i = 0; i < lookup->server_count; i++)
		if (evdns_base_nameserver_ip_add(dns, lookup->servers[i]) == 0)
			added++;
	if (added != 0)
		return dns;
	evdns_base_free(dns, 0);
	return NULL;
}

static void
add_server(struct lookup *lookup, struct span line)
{
	char *to = lookup->servers[lookup->server_count];

	if (line.n == 0 || lookup->server_count == LOOKUP_SERVERS_MAX)
		return;
	if (span_copy(line, to, SERVER_BYTES) != 0)
		bug("a name server of %zu bytes", line.n);
	lookup->server_count++;
}

struct lookup *
lookup_new(
    struct loop *loop, struct span servers, const struct lookup_calls *calls)
{
	struct lookup *lookup = alloc_bytes(sizeof *lookup);
	struct evdns_base *trial;

	evdns_set_log_fn(say_nothing);
	lookup->loop = loop;
	lookup->calls = *calls;
	lookup->ends = loop_timer(loop, on_ends, lookup);
	while (servers.n != 0) {
		const char *end = memchr(servers.p, '\n', servers.n);
		size_t n = end == NULL ? servers.n : (size_t)(end - servers.p);

		add_server(lookup, (struct span){servers.p, n});
		n += end != NULL;
		servers = (struct span){servers.p + n, servers.n - n};
	}
	trial = new_base(lookup);
	if (trial == NULL) {
		lookup_free(lookup);
		return NULL;
	}
	evdns_base_free(trial, 0);
	return lookup;
}

void
lookup_free(struct lookup *lookup)
{
	while (lookup->asks != NULL) {
		struct ask *ask = lookup->asks;

		lookup->asks = ask->next;
		end_ask(ask);
	}
	loop_unwatch(lookup->ends);
	free(lookup);
}

/* The name in letters that who answers has to repeat. */
static void
spell(const char *name, char out[MODEL_HOST_BYTES])
{
	unsigned char random[MODEL_HOST_BYTES];
	size_t length = strlen(name);

	evutil_secure_rng_get_bytes(random, length);
	for (size_t i = 0; i < length; i++) {
		bool letter = name[i] >= 'a' && name[i] <= 'z';

		out[i] =
		    (char)(name[i] -
			   (letter && (random[i] & 1) != 0 ? 'a' - 'A' : 0));
	}
	out[length] = '\0';
}

/* The handle of the request is not needed: it ends with its base. */
static bool
begin(struct ask *ask, const char *name)
{
	char spelled[MODEL_HOST_BYTES];

	spell(name, spelled);
	ask->dns = new_base(ask->lookup);
	if (ask->dns == NULL)
		return false;
	if (ask->key.family == ADDRESS_4)
		return evdns_base_resolve_ipv4(ask->dns, spelled,
			   DNS_QUERY_NO_SEARCH, on_answer, ask) != NULL;
	return evdns_base_resolve_ipv6(ask->dns, spelled, DNS_QUERY_NO_SEARCH,
		   on_answer, ask) != NULL;
}

void
lookup_ask(struct lookup *lookup, struct cache_key key, const char *name)
{
	struct ask *ask = alloc_bytes(sizeof *ask);

	ask->lookup = lookup;
	ask->key = key;
	ask->found.say = CACHE_FAILED;
	ask->next = lookup->asks;
	lookup->asks = ask;
	ask->deadline = loop_timer(lookup->loop, on_deadline, ask);
	timer_set(ask->deadline, LOOKUP_MS);
	if (!begin(ask, name))
		finish(ask);
}
