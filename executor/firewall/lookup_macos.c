/*
 * Looking up names by mDNSResponder, which macOS's programs ask too: so that
 * an account and its sets see the same addresses. A name that was asked for is
 * followed: mDNSResponder says when it has other addresses. Runs in the
 * resolver. Not tried on a Mac.
 */
#include "executor/firewall/lookup.h"

#include <dns_sd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"

#define FOLLOWED_MS (2 * CACHE_USE_MS) /* since it was asked for last */

/* A half of a name that is followed. */
struct followed {
	struct lookup *lookup;
	struct followed *next;
	char name[MODEL_HOST_BYTES];
	struct cache_key key;
	DNSServiceRef ref; /* NULL: it failed */
	struct watch *watch, *timer;
	struct cache_found found; /* what is known; CACHE_WAIT: nothing yet */
	bool asked;		  /* and not answered yet */
	int64_t asked_ms;
};

struct lookup {
	struct loop *loop;
	struct lookup_calls calls;
	struct followed *all;
};

struct lookup *
lookup_new(
    struct loop *loop, struct span servers, const struct lookup_calls *calls)
{
	struct lookup *lookup = alloc_bytes(sizeof *lookup);

	(void)servers; /* mDNSResponder has its own */
	lookup->loop = loop;
	lookup->calls = *calls;
	return lookup;
}

static void
stop(struct followed *f)
{
	loop_unwatch(f->watch);
	f->watch = NULL;
	if (f->ref != NULL)
		DNSServiceRefDeallocate(f->ref);
	f->ref = NULL;
}

static void
end(struct followed *f)
{
	stop(f);
	loop_unwatch(f->timer);
	free(f);
}

void
lookup_free(struct lookup *lookup)
{
	while (lookup->all != NULL) {
		struct followed *f = lookup->all;

		lookup->all = f->next;
		end(f);
	}
	free(lookup);
}

static bool
read_address(const struct sockaddr *from, struct address *out)
{
	*out = (struct address){.family = ADDRESS_NONE};
	if (from != NULL && from->sa_family == AF_INET) {
		const struct sockaddr_in *four = (const void *)from;

		out->family = ADDRESS_4;
		memcpy(out->bytes, &four->sin_addr, 4);
	} else if (from != NULL && from->sa_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const void *)from;

		out->family = ADDRESS_6;
		memcpy(out->bytes, &six->sin6_addr, 16);
	}
	return out->family != ADDRESS_NONE;
}

static size_t
place_of(const struct cache_found *found, const struct address *a)
{
	size_t at = 0;

	while (at < found->count && !address_equal(&found->addresses[at], a))
		at++;
	return at;
}

static void
change(struct followed *f, bool add, const struct address *a, uint32_t ttl_s)
{
	struct cache_found *found = &f->found;
	size_t at = place_of(found, a);

	if (a->family != f->key.family)
		return;
	if (add && at == found->count && at < LINK_ADDRESSES_MAX)
		found->addresses[found->count++] = *a;
	else if (!add && at < found->count)
		found->addresses[at] = found->addresses[--found->count];
	if (add)
		found->ttl_s = ttl_s;
	found->say = found->count != 0 ? CACHE_ADDRESSES : CACHE_EMPTY;
}

static void
answer(struct followed *f)
{
	struct cache_found found = f->found;

	f->asked = false;
	timer_set(f->timer, -1);
	if (found.say == CACHE_WAIT)
		found.say = CACHE_FAILED;
	f->lookup->calls.found(f->lookup->calls.context, f->key, &found);
}

static void
on_reply(DNSServiceRef ref, DNSServiceFlags flags, uint32_t interface,
    DNSServiceErrorType error, const char *name, const struct sockaddr *from,
    uint32_t ttl, void *context)
{
	struct followed *f = context;
	struct address a;

	(void)ref;
	(void)interface;
	(void)name;
	if (error == kDNSServiceErr_NoSuchName ||
	    error == kDNSServiceErr_NoSuchRecord) {
		f->found.count = 0;
		f->found.say = error == kDNSServiceErr_NoSuchName
				   ? CACHE_NO_NAME
				   : CACHE_EMPTY;
	} else if (error != kDNSServiceErr_NoError) {
		f->found.count = 0;
		f->found.say = CACHE_FAILED;
	} else if (read_address(from, &a)) {
		change(f, (flags & kDNSServiceFlagsAdd) != 0, &a, ttl);
	}
	if ((flags & kDNSServiceFlagsMoreComing) == 0)
		timer_set(f->timer, 0); /* not from within its library */
}

/* What is known is complete, or it took too long. */
static void
on_timer(void *context)
{
	struct followed *f = context;

	if (f->asked)
		answer(f);
	else
		f->lookup->calls.changed(f->lookup->calls.context, f->key);
}

static void
on_ready(void *context)
{
	struct followed *f = context;

	if (DNSServiceProcessResult(f->ref) == kDNSServiceErr_NoError)
		return;
	stop(f); /* mDNSResponder is gone: asked anew the next time */
	f->found = (struct cache_found){.say = CACHE_FAILED};
	timer_set(f->timer, 0);
}

static void
start(struct followed *f)
{
	DNSServiceErrorType error;

	f->found = (struct cache_found){.say = CACHE_WAIT};
	error = DNSServiceGetAddrInfo(&f->ref,
	    kDNSServiceFlagsReturnIntermediates, kDNSServiceInterfaceIndexAny,
	    f->key.family == ADDRESS_4 ? kDNSServiceProtocol_IPv4
				       : kDNSServiceProtocol_IPv6,
	    f->name, on_reply, f);
	if (error != kDNSServiceErr_NoError) {
		f->ref = NULL;
		return;
	}
	f->watch = loop_watch_read(
	    f->lookup->loop, DNSServiceRefSockFD(f->ref), on_ready, f);
	watch_set(f->watch, true);
}

/* The one of that half of the name; those that nobody asked for lately end. */
static struct followed *
find(struct lookup *lookup, const char *name, unsigned char family)
{
	struct followed **at = &lookup->all, *found = NULL;
	int64_t now = clock_ms();

	while (*at != NULL) {
		struct followed *f = *at;

		if (f->key.family == family && strcmp(f->name, name) == 0) {
			found = f;
		} else if (!f->asked && now - f->asked_ms > FOLLOWED_MS) {
			*at = f->next;
			end(f);
			continue;
		}
		at = &f->next;
	}
	return found;
}

void
lookup_ask(struct lookup *lookup, struct cache_key key, const char *name)
{
	struct followed *f = find(lookup, name, key.family);

	if (f == NULL) {
		f = alloc_bytes(sizeof *f);
		f->lookup = lookup;
		strcpy(f->name, name);
		f->timer = loop_timer(lookup->loop, on_timer, f);
		f->next = lookup->all;
		lookup->all = f;
	}
	f->key = key;
	f->asked = true;
	f->asked_ms = clock_ms();
	if (f->ref == NULL)
		start(f);
	timer_set(f->timer,
	    f->ref == NULL || f->found.say != CACHE_WAIT ? 0 : LOOKUP_MS);
}
