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

/* Whether nft says that there is no table of ours. */
static bool
has_no_table(struct load *l)
{
	static const char *const words[] = {
	    "nft", "list", "tables", "inet", NULL};
	struct buf text;
	struct span rest, line;
	bool none;

	buf_init(&text, TEXT_MAX_BYTES);
	none = firewall_tool(words, SPAN(""), &text, l->reason, l->room) == 0;
	rest = load_view(&text);
	while (none && firewall_line(&rest, &line))
		none = !span_is(line, "table inet " TEXT_TABLE);
	buf_free(&text);
	return none;
}

/* What is in our table but the sets' elements, canonical; nothing if there is
 * none. First the table itself: nft reads all elements for each list of it,
 * also for that of tables. */
static int
list_table(struct load *l, struct buf *out)
{
	struct buf text;
	int rc;

	buf_init(&text, TEXT_MAX_BYTES);
	rc = firewall_tool(list_words, SPAN(""), &text, l->reason, l->room);
	if (rc == 0)
		add_canonical(load_view(&text), out);
	else if (has_no_table(l))
		rc = 0;
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
	int rc;

	buf_init(&is, TEXT_MAX_BYTES);
	buf_init(&wanted, TEXT_MAX_BYTES);
	buf_init(&text, 2 * TEXT_MAX_BYTES);
	rc = list_table(l, &is);
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
 * The way.
 */
static int
load(struct load *l, const struct model *want)
{
	int rc = replace_rules(l, want);

	if (rc != 0)
		rc = replace_table(l, want);
	return rc != 0 ? rc : load_routes(l, want);
}

static int
check(struct load *l, const struct model *want)
{
	struct buf is, wanted;
	int rc;

	buf_init(&is, TEXT_MAX_BYTES);
	buf_init(&wanted, TEXT_MAX_BYTES);
	wanted_listing(want, &wanted);
	rc = list_table(l, &is);
	if (rc == 0)
		rc = firewall_compare("nft", load_view(&is), load_view(&wanted),
		    l->reason, l->room);
	buf_free(&is);
	buf_free(&wanted);
	return rc != 0 ? rc : load_routes_check(l, want);
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
	load_routes_remove();
	return load_run(l, nft_words,
	    SPAN("add table inet " TEXT_TABLE "\n"
		 "delete table inet " TEXT_TABLE "\n"));
}

const struct load_way load_nft = {load, check, parse, take_away};
