/*
 * Rules in nft's table, and the rules of the routing that bring port 53 to
 * loopback.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/firewall/load_impl.h"
#include "executor/firewall/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NAME_BYTES 64
#define ROUTES "5353"
_Static_assert(TEXT_ROUTES == 5353, "ROUTES is its text");

static const char *const nft_words[] = {"nft", "-f", "-", NULL};
static const char *const nft_check_words[] = {"nft", "-c", "-f", "-", NULL};
static const char *const list_words[] = {
    "nft", "-y", "-s", "-t", "list", "table", "inet", TEXT_TABLE, NULL};

/* Chains, sets and counters are listed in the order in which they were made:
 * each block, from its first line to its end, in the order of those. */
struct block {
	struct span text;
};

static int
order_of(const void *a, const void *b)
{
	const struct block *x = a, *y = b;
	size_t n = x->text.n < y->text.n ? x->text.n : y->text.n;
	int order = memcmp(x->text.p, y->text.p, n);

	return order != 0 ? order
			  : (x->text.n > y->text.n) - (x->text.n < y->text.n);
}

/* The next block, or line outside of any. */
static bool
next_block(struct span *text, struct span *out)
{
	const char *from = text->p;
	struct span line;

	if (!firewall_line(text, &line))
		return false;
	if (line.n != 0 && line.p[line.n - 1] == '{' &&
	    !span_starts(line, "table "))
		while (firewall_line(text, &line) && !span_is(line, "}"))
			;
	*out = (struct span){from, (size_t)(text->p - from)};
	return true;
}

static void
add_sorted(struct span text, struct buf *out)
{
	struct block *blocks;
	struct span rest = text, one;
	size_t count = 0;

	while (next_block(&rest, &one))
		count++;
	blocks = alloc_array(count, sizeof *blocks);
	count = 0;
	while (next_block(&text, &one))
		blocks[count++].text = one;
	qsort(blocks, count, sizeof *blocks, order_of);
	for (size_t i = 0; i < count; i++)
		(void)buf_add(out, blocks[i].text.p, blocks[i].text.n);
	free(blocks);
}

/* How other versions of nft spell the same; the longer ones first. */
static const struct {
	const char *other, *ours;
} spellings[] = {
    {"tcp flags & (syn | ack) == (syn | ack)", "tcp flags syn,ack / syn,ack"},
    {"tcp flags & (syn | ack) == syn | ack", "tcp flags syn,ack / syn,ack"},
    {"tcp flags & (syn | ack) == syn", "tcp flags syn / syn,ack"},
    {"ip protocol 1 drop", "ip protocol icmp drop"}, /* no /etc/protocols */
    {"meta l4proto 6 reject", "meta l4proto tcp reject"},
    {"reject with icmpx type port-unreachable", "reject"},
    {"reject with icmpx port-unreachable", "reject"},
};

static void
add_spelled(struct span text, struct buf *out)
{
	size_t i, n;

	while (text.n != 0) {
		for (i = 0; i < COUNT(spellings); i++)
			if (span_starts(text, spellings[i].other))
				break;
		n = i < COUNT(spellings) ? strlen(spellings[i].other) : 1;
		if (i < COUNT(spellings))
			(void)buf_add_text(out, spellings[i].ours);
		else
			(void)buf_add_byte(out, *text.p);
		text = (struct span){text.p + n, text.n - n};
	}
}

static void
add_canonical(struct span listing, struct buf *out)
{
	struct buf text, spelled;

	buf_init(&text, TEXT_MAX_BYTES);
	buf_init(&spelled, TEXT_MAX_BYTES);
	firewall_canonical(FIREWALL_NFT, listing, &text);
	add_spelled(load_view(&text), &spelled);
	add_sorted(load_view(&spelled), out);
	buf_free(&text);
	buf_free(&spelled);
}

/* Whether there is a table of ours; then also what is in it, but the sets'
 * elements, canonical. */
static int
list_table(struct load *l, bool *there_out, struct buf *out)
{
	static const char *const words[] = {
	    "nft", "list", "tables", "inet", NULL};
	struct buf text;
	struct span rest, line;
	int rc;

	buf_init(&text, TEXT_MAX_BYTES);
	*there_out = false;
	rc = firewall_tool(words, SPAN(""), &text, l->reason, l->room);
	rest = load_view(&text);
	while (rc == 0 && firewall_line(&rest, &line))
		if (span_is(line, "table inet " TEXT_TABLE))
			*there_out = true;
	buf_clear(&text);
	if (rc == 0 && *there_out) {
		rc = firewall_tool(
		    list_words, SPAN(""), &text, l->reason, l->room);
		add_canonical(load_view(&text), out);
	}
	buf_free(&text);
	return rc;
}

static void
wanted_listing(const struct model *want, struct buf *out)
{
	struct buf text;

	buf_init(&text, TEXT_MAX_BYTES);
	text_nft_listing(want, &text);
	add_canonical(load_view(&text), out);
	buf_free(&text);
}

static bool
has_line(struct span text, struct span line)
{
	struct span at;

	while (firewall_line(&text, &at))
		if (span_equal(at, line))
			return true;
	return false;
}

/* "chain account_1 {" of a listing: what can be deleted, in that order. */
static bool
is_object(struct span line, const char *kind)
{
	return span_starts(line, kind) && line.n > strlen(kind) + 2 &&
	       line.p[line.n - 1] == '{' && line.p[line.n - 2] == ' ';
}

/* What is there and is not wanted any more, as commands. Its rules are flushed
 * before, so nothing refers to it. */
static void
delete_others(struct span is, struct span wanted, struct buf *out)
{
	static const char *const kinds[] = {
	    "chain ", "map ", "set ", "counter "};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct span rest = is, line;

		while (firewall_line(&rest, &line)) {
			size_t skip = strlen(kinds[i]);

			if (!is_object(line, kinds[i]) ||
			    has_line(wanted, line))
				continue;
			buf_add_format(
			    out, "delete %sinet " TEXT_TABLE " ", kinds[i]);
			buf_add(out, line.p + skip, line.n - skip - 2);
			buf_add_byte(out, '\n');
		}
	}
}

/* All in one transaction. Sets that stay keep what is in them. */
static int
replace_rules(struct load *l, const struct model *want)
{
	struct buf is, wanted, text;
	bool there;
	int rc;

	buf_init(&is, TEXT_MAX_BYTES);
	buf_init(&wanted, TEXT_MAX_BYTES);
	buf_init(&text, 2 * TEXT_MAX_BYTES);
	rc = list_table(l, &there, &is);
	wanted_listing(want, &wanted);
	text_nft(want, &text);
	delete_others(load_view(&is), load_view(&wanted), &text);
	if (rc == 0)
		rc = load_run(l, nft_words, load_view(&text));
	buf_free(&is);
	buf_free(&wanted);
	buf_free(&text);
	return rc;
}

/* Where the table is of another make, so that ours does not fit into it: in
 * one transaction too, but its sets begin empty. */
static int
replace_table(struct load *l, const struct model *want)
{
	struct buf text;
	int rc;

	buf_init(&text, 2 * TEXT_MAX_BYTES);
	buf_add_text(&text, "add table inet " TEXT_TABLE "\n"
			    "delete table inet " TEXT_TABLE "\n");
	text_nft(want, &text);
	rc = load_run(l, nft_words, load_view(&text));
	buf_free(&text);
	return rc;
}

/*
 * Routing.
 */
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
	char range[NAME_BYTES];

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

static int
check_routing(struct load *l, const struct model *want)
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

/*
 * The way.
 */
static int
load(struct load *l, const struct model *want)
{
	int rc = replace_rules(l, want);

	if (rc != 0)
		rc = replace_table(l, want);
	for (unsigned i = 0; i < families() && rc == 0; i++)
		rc = route(l, &routings[i], want);
	return rc;
}

static int
check(struct load *l, const struct model *want)
{
	struct buf is, wanted;
	bool there;
	int rc;

	buf_init(&is, TEXT_MAX_BYTES);
	buf_init(&wanted, TEXT_MAX_BYTES);
	wanted_listing(want, &wanted);
	rc = list_table(l, &there, &is);
	if (rc == 0)
		rc = firewall_compare("nft", load_view(&is), load_view(&wanted),
		    l->reason, l->room);
	buf_free(&is);
	buf_free(&wanted);
	return rc != 0 ? rc : check_routing(l, want);
}

static int
parse(struct load *l, const struct model *want)
{
	struct buf text;
	int rc;

	buf_init(&text, TEXT_MAX_BYTES);
	text_nft(want, &text);
	rc = load_run(l, nft_check_words, load_view(&text));
	buf_free(&text);
	return rc;
}

/* Routes and their rules first: while an account has rules and no routes, it is
 * more confined, not less. */
static int
take_away(struct load *l)
{
	char unused[LOAD_REASON_BYTES];
	struct load quiet = {NULL, unused, sizeof unused};

	for (unsigned i = 0; i < families(); i++) {
		(void)load_run(&quiet, routings[i].flush_rules, SPAN(""));
		(void)load_run(&quiet, routings[i].flush_routes, SPAN(""));
	}
	return load_run(l, nft_words,
	    SPAN("add table inet " TEXT_TABLE "\n"
		 "delete table inet " TEXT_TABLE "\n"));
}

const struct load_way load_nft = {load, check, parse, take_away};
