/*
 * Loading rules, reading them back, and whether a zone may start. Runs in a
 * zone's program before it is locked, and in the `firewall` command. It
 * believes the kernel's listing, not the exit status of who loaded it.
 */
#include "common/firewall.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/firewall_impl.h"

#define REASON_BYTES (FIREWALL_WHY_BYTES / 2 - 1) /* one for each backend */
#define NAMES_BYTES 64

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Who loads and who lists. Both families of iptables count as one backend. */
static const struct tool {
	enum firewall_backend backend;
	const char *loader[TOOL_WORDS];
	const char *lister[TOOL_WORDS];
} tools[] = {
    {FIREWALL_NFT, {"nft", "-f", "-"},
	{"nft", "-y", "list", "table", "inet", "trizone"}},
    {FIREWALL_IPTABLES, {"ip6tables-restore", "-w", "5"},
	{"ip6tables-save", "-t", "filter"}},
    {FIREWALL_IPTABLES, {"iptables-restore", "-w", "5"},
	{"iptables-save", "-t", "filter"}},
};

static struct span
view(const struct buf *b)
{
	return b->len == 0 ? SPAN("") : (struct span){b->data, b->len};
}

static int
load(enum firewall_backend backend, const struct firewall *want, char *reason,
    size_t room)
{
	struct buf text;
	int rc = 0;

	buf_init(&text, FIREWALL_TEXT_BYTES);
	if (firewall_text(backend, want, &text) != 0)
		bug("rules longer than a buffer");
	for (size_t i = 0; i < COUNT(tools) && rc == 0; i++)
		if (tools[i].backend == backend)
			rc = firewall_tool(
			    tools[i].loader, view(&text), NULL, reason, room);
	buf_free(&text);
	return rc;
}

/* What all listers of a backend show, canonical. */
static int
read_back(
    enum firewall_backend backend, struct buf *out, char *reason, size_t room)
{
	struct buf listing;
	int rc = 0;

	buf_init(&listing, FIREWALL_TEXT_BYTES);
	for (size_t i = 0; i < COUNT(tools) && rc == 0; i++) {
		if (tools[i].backend != backend)
			continue;
		buf_clear(&listing);
		rc = firewall_tool(
		    tools[i].lister, SPAN(""), &listing, reason, room);
		if (rc == 0)
			firewall_canonical(backend, view(&listing), out);
	}
	buf_free(&listing);
	return rc;
}

/* What they should show. */
static void
expect(
    enum firewall_backend backend, const struct firewall *want, struct buf *out)
{
	for (size_t i = 0; i < COUNT(tools); i++)
		if (tools[i].backend == backend)
			firewall_listing(backend, want, out);
}

/* The one place that says that rules are loaded. */
static int
compare(enum firewall_backend backend, const struct firewall *want,
    const struct buf *listing, struct firewall_state *out, char *reason,
    size_t room)
{
	struct buf wanted;
	int rc;

	buf_init(&wanted, 2 * FIREWALL_TEXT_BYTES);
	expect(backend, want, &wanted);
	rc = firewall_compare(firewall_backend_name(backend), view(listing),
	    view(&wanted), reason, room);
	if (rc == 0) {
		*out = (struct firewall_state){
		    .loaded = true, .backend = backend, .rules = *want};
		sha256_of(listing->data, listing->len, out->hash);
	}
	buf_free(&wanted);
	return rc;
}

int
firewall_apply(enum firewall_backend backend, const struct firewall *want,
    struct firewall_state *out, char *reason, size_t room)
{
	struct buf listing;
	int rc;

	if (backend == FIREWALL_PF) {
		(void)snprintf(reason, room,
		    "pf rules are not loaded by this program: save them, name "
		    "the anchor in the main rules, load these with pfctl");
		return -ERR_UNAVAILABLE;
	}
	buf_init(&listing, 2 * FIREWALL_TEXT_BYTES);
	rc = load(backend, want, reason, room);
	if (rc == 0)
		rc = read_back(backend, &listing, reason, room);
	if (rc == 0)
		rc = compare(backend, want, &listing, out, reason, room);
	buf_free(&listing);
	return rc;
}

int
firewall_apply_any(const struct firewall *want, struct firewall_state *out,
    char *reason, size_t room)
{
	char first[REASON_BYTES], second[REASON_BYTES];

	if (firewall_apply(FIREWALL_NFT, want, out, first, sizeof first) == 0 ||
	    firewall_apply(
		FIREWALL_IPTABLES, want, out, second, sizeof second) == 0)
		return 0;
	(void)snprintf(reason, room, "%s; %s", first, second);
	return -ERR_UNAVAILABLE;
}

/* Which of the two models there are a listing is nearer to. */
static const struct firewall *
nearest(enum firewall_backend backend, const struct buf *listing)
{
	static const struct firewall models[] = {
	    {.loopback = false}, {.loopback = true}};
	size_t best = 0, alike[COUNT(models)];

	for (size_t i = 0; i < COUNT(models); i++) {
		struct buf wanted;

		buf_init(&wanted, 2 * FIREWALL_TEXT_BYTES);
		expect(backend, &models[i], &wanted);
		alike[i] = firewall_alike(view(listing), view(&wanted));
		buf_free(&wanted);
		if (alike[i] > alike[best])
			best = i;
	}
	return &models[best];
}

/* Whether one of them is loaded. */
static int
recognise(enum firewall_backend backend, struct firewall_state *out,
    char *reason, size_t room)
{
	struct buf listing;
	int rc;

	buf_init(&listing, 2 * FIREWALL_TEXT_BYTES);
	rc = read_back(backend, &listing, reason, room);
	if (rc == 0)
		rc = compare(backend, nearest(backend, &listing), &listing, out,
		    reason, room);
	buf_free(&listing);
	return rc;
}

void
firewall_check(struct firewall_state *out)
{
	char first[REASON_BYTES], second[REASON_BYTES], names[NAMES_BYTES];
	bool alone = firewall_interfaces(names, sizeof names) == 0;

	*out = (struct firewall_state){.loaded = false};
	if (recognise(FIREWALL_NFT, out, first, sizeof first) != 0 &&
	    recognise(FIREWALL_IPTABLES, out, second, sizeof second) != 0)
		(void)snprintf(
		    out->why_not, sizeof out->why_not, "%s; %s", first, second);
	out->alone = alone;
}

/* Made by the kernel when a tunnel's code is loaded, in every namespace. */
static bool
is_idle_tunnel(const struct ifaddrs *at)
{
	static const char *const tunnels[] = {"tunl0", "sit0", "ip6tnl0",
	    "gre0", "gretap0", "erspan0", "ip6gre0", "ip_vti0", "ip6_vti0",
	    "gif0", "stf0"};

	for (size_t i = 0; i < COUNT(tunnels); i++)
		if (strcmp(at->ifa_name, tunnels[i]) == 0)
			return (at->ifa_flags & IFF_UP) == 0;
	return false;
}

/* One entry for each address, and one for each interface. */
static bool
is_listed(
    const struct ifaddrs *all, const struct ifaddrs *before, const char *name)
{
	for (; all != before; all = all->ifa_next)
		if (strcmp(all->ifa_name, name) == 0)
			return true;
	return false;
}

int
firewall_interfaces(char *out, size_t room)
{
	struct ifaddrs *all, *at;
	size_t used = 0;
	int count = 0;

	if (getifaddrs(&all) != 0)
		return -ERR_SYSTEM;
	out[0] = '\0';
	for (at = all; at != NULL; at = at->ifa_next) {
		char name[IF_NAMESIZE];

		if ((at->ifa_flags & IFF_LOOPBACK) != 0 || is_idle_tunnel(at) ||
		    is_listed(all, at, at->ifa_name))
			continue;
		firewall_inert(span_of(at->ifa_name), name, sizeof name);
		if (used < room)
			used += (size_t)snprintf(out + used, room - used,
			    "%s%s", count == 0 ? "" : " ", name);
		count++;
	}
	freeifaddrs(all);
	return count;
}

int
firewall_zone(struct firewall_state *out, char *reason, size_t room)
{
	char names[NAMES_BYTES];
	int count = firewall_interfaces(names, sizeof names);

	if (count < 0) {
		(void)snprintf(
		    reason, room, "network interfaces cannot be listed");
		return -ERR_UNAVAILABLE;
	}
	if (count == 0) {
		*out = (struct firewall_state){
		    .alone = true, .why_not = "there is only loopback"};
		return 0;
	}
	firewall_check(out);
	if (out->loaded)
		return 0;
	(void)snprintf(reason, room,
	    "this machine has an interface (%s) and no rules that drop "
	    "everything: run `firewall apply --save` of this program as root, "
	    "or leave it nothing but loopback; %s",
	    names, out->why_not);
	return -ERR_UNAVAILABLE;
}
