/*
 * Routes and rules of the routing that bring port 53 of accounts to loopback,
 * whatever address they ask. Runs `ip`; believes what it lists.
 */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "executor/firewall/load_impl.h"
#include "executor/firewall/text.h"

#define RANGE_BYTES 64
#define ROUTES "5353"
_Static_assert(TEXT_ROUTES == 5353, "ROUTES is its text");

struct routing {
	enum address_family family;
	const char *batch[6], *rules[8], *routes[8], *flush_rules[8],
	    *flush_routes[8];
};

static const struct routing routings[] = {
    {ADDRESS_4, {"ip", "-batch", "-"}, {"ip", "rule", "list", "table", ROUTES},
	{"ip", "route", "list", "table", ROUTES},
	{"ip", "rule", "flush", "table", ROUTES},
	{"ip", "route", "flush", "table", ROUTES}},
    {ADDRESS_6, {"ip", "-6", "-batch", "-"},
	{"ip", "-6", "rule", "list", "table", ROUTES},
	{"ip", "-6", "route", "list", "table", ROUTES},
	{"ip", "-6", "rule", "flush", "table", ROUTES},
	{"ip", "-6", "route", "flush", "table", ROUTES}},
};
#define FAMILIES 2
#define SPELLED 3 /* a protocol: where /etc/protocols is, and where not */

static unsigned
families(void)
{
	return load_has_loopback6() ? FAMILIES : 1;
}

static bool
contains(struct span line, const char *words)
{
	size_t n = strlen(words);

	for (size_t i = 0; i + n <= line.n; i++)
		if (memcmp(line.p + i, words, n) == 0 &&
		    (i + n == line.n || line.p[i + n] == ' '))
			return true;
	return false;
}

/* "53:	from all uidrange 1-1 ipproto udp dport 53 lookup 5353", in whatever
 * order. */
static bool
is_rule(struct span line, uid_t uid, const char *const protocol[SPELLED])
{
	char range[RANGE_BYTES];

	(void)snprintf(range, sizeof range, " uidrange %lu-%lu",
	    (unsigned long)uid, (unsigned long)uid);
	return span_starts(line, "53:") && contains(line, "from all") &&
	       contains(line, range) &&
	       (contains(line, protocol[0]) || contains(line, protocol[1]) ||
		   contains(line, protocol[2])) &&
	       contains(line, " dport 53") && contains(line, " lookup " ROUTES);
}

static bool
has_rule(struct span listing, uid_t uid, const char *const protocol[SPELLED])
{
	struct span line;

	while (firewall_line(&listing, &line))
		if (is_rule(line, uid, protocol))
			return true;
	return false;
}

static size_t
count_lines(struct span text)
{
	struct span line;
	size_t count = 0;

	while (firewall_line(&text, &line))
		count += line.n != 0;
	return count;
}

static int
check_rules(struct load *l, const struct routing *r, const struct model *want)
{
	static const char *const udp[SPELLED] = {
	    " ipproto udp", " ipproto 17", " ipproto ipproto-17"};
	static const char *const tcp[SPELLED] = {
	    " ipproto tcp", " ipproto 6", " ipproto ipproto-6"};
	struct buf listing;
	int rc;

	buf_init(&listing, TEXT_MAX_BYTES);
	rc = firewall_tool(r->rules, SPAN(""), &listing, l->reason, l->room);
	for (size_t i = 0; i < want->count && rc == 0; i++) {
		uid_t uid = want->accounts[i].uid;

		if (!has_rule(load_view(&listing), uid, udp) ||
		    !has_rule(load_view(&listing), uid, tcp)) {
			(void)snprintf(l->reason, l->room,
			    "no rule of the routing brings port 53 of account "
			    "%s to its guard",
			    want->accounts[i].name);
			rc = -ERR_UNAVAILABLE;
		}
	}
	if (rc == 0 && count_lines(load_view(&listing)) != 2 * want->count) {
		(void)snprintf(l->reason, l->room,
		    "rules of the routing lead to table " ROUTES
		    " that are none of ours");
		rc = -ERR_UNAVAILABLE;
	}
	buf_free(&listing);
	return rc;
}

static int
check_routes(struct load *l, const struct routing *r)
{
	struct buf listing;
	struct span rest, line;
	int rc;

	buf_init(&listing, TEXT_MAX_BYTES);
	rc = firewall_tool(r->routes, SPAN(""), &listing, l->reason, l->room);
	rest = load_view(&listing);
	if (rc == 0 &&
	    (count_lines(rest) != 1 || !firewall_line(&rest, &line) ||
		!span_starts(line, "local default dev lo ") ||
		!contains(line,
		    r->family == ADDRESS_4 ? "src 127.0.0.1" : "src ::1"))) {
		(void)snprintf(l->reason, l->room,
		    "table " ROUTES " of the routing does not lead to "
		    "loopback, or not only");
		rc = -ERR_UNAVAILABLE;
	}
	buf_free(&listing);
	return rc;
}

int
load_routes_check(struct load *l, const struct model *want)
{
	int rc = 0;

	for (unsigned i = 0; i < families() && rc == 0; i++) {
		rc = check_rules(l, &routings[i], want);
		if (rc == 0)
			rc = check_routes(l, &routings[i]);
	}
	return rc;
}

/* Rules that are as wanted stay, so that nobody waits for a lost question.
 * Meanwhile port 53 is refused. */
static int
route(struct load *l, const struct routing *r, const struct model *want)
{
	struct buf text;
	int rc;

	buf_init(&text, TEXT_MAX_BYTES);
	text_routes(r->family, &text);
	if (check_rules(l, r, want) != 0) {
		(void)load_run(l, r->flush_rules, SPAN(""));
		text_routing_rules(want, &text);
	}
	rc = load_run(l, r->batch, load_view(&text));
	buf_free(&text);
	return rc;
}

int
load_routes(struct load *l, const struct model *want)
{
	int rc = 0;

	for (unsigned i = 0; i < families() && rc == 0; i++)
		rc = route(l, &routings[i], want);
	return rc;
}

void
load_routes_remove(void)
{
	char unused[LOAD_REASON_BYTES];
	struct load quiet = {NULL, unused, sizeof unused};

	for (unsigned i = 0; i < families(); i++) {
		(void)load_run(&quiet, routings[i].flush_rules, SPAN(""));
		(void)load_run(&quiet, routings[i].flush_routes, SPAN(""));
	}
}
