/*
 * Rules in chains of iptables, of both families, and sets of ipset. Chains and
 * rules of others are not touched; jumps to ours are put before them.
 */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "executor/firewall/load_impl.h"
#include "executor/firewall/text.h"

#define LINE_BYTES 80

/* Each table of each family is replaced in one commit. IPv6 first: should the
 * second fail, the family most used is as before. */
static const struct unit {
	enum address_family family;
	bool nat;
	const char *save[4], *restore[6], *test[7];
} units[] = {
    {ADDRESS_6, false, {"ip6tables-save", "-t", "filter"},
	{"ip6tables-restore", "--noflush", "-w", "5"},
	{"ip6tables-restore", "--test", "--noflush", "-w", "5"}},
    {ADDRESS_6, true, {"ip6tables-save", "-t", "nat"},
	{"ip6tables-restore", "--noflush", "-w", "5"},
	{"ip6tables-restore", "--test", "--noflush", "-w", "5"}},
    {ADDRESS_4, false, {"iptables-save", "-t", "filter"},
	{"iptables-restore", "--noflush", "-w", "5"},
	{"iptables-restore", "--test", "--noflush", "-w", "5"}},
    {ADDRESS_4, true, {"iptables-save", "-t", "nat"},
	{"iptables-restore", "--noflush", "-w", "5"},
	{"iptables-restore", "--test", "--noflush", "-w", "5"}},
};
#define UNITS (sizeof units / sizeof units[0])

static const struct model nothing = {.count = 0};

static bool
contains(struct span line, const char *words)
{
	size_t n = strlen(words);

	for (size_t i = 0; i + n <= line.n; i++)
		if (memcmp(line.p + i, words, n) == 0)
			return true;
	return false;
}

/* A jump from where packets leave to a chain of ours. */
static bool
is_jump(struct span line)
{
	return span_starts(line, "-A OUTPUT ") &&
	       contains(line, " -j " TEXT_CHAIN);
}

static bool
is_ours(struct span line)
{
	return span_starts(line, ":" TEXT_CHAIN) ||
	       span_starts(line, "-A " TEXT_CHAIN) || is_jump(line);
}

static int
list_unit(struct load *l, const struct unit *u, struct buf *out)
{
	struct buf text;
	int rc;

	buf_init(&text, LOAD_LIST_BYTES);
	rc = firewall_tool(u->save, SPAN(""), &text, l->reason, l->room);
	if (rc == 0)
		firewall_canonical(FIREWALL_IPTABLES, load_view(&text), out);
	buf_free(&text);
	return rc;
}

/*
 * What is loaded.
 */
static void
add_line(struct buf *out, const char *lead, struct span line)
{
	buf_add_text(out, lead);
	buf_add(out, line.p, line.n);
	buf_add_byte(out, '\n');
}

/* ":TRIZONE-U1 - [0:0]" of a listing, canonical: ":TRIZONE-U1 -". */
static struct span
chain_of(struct span line)
{
	size_t n = 1;

	while (n < line.n && line.p[n] != ' ')
		n++;
	return (struct span){line.p + 1, n - 1};
}

static bool
wants_chain(struct span text, struct span chain)
{
	struct span line;

	while (firewall_line(&text, &line))
		if (line.n != 0 && line.p[0] == ':' &&
		    span_equal(chain_of(line), chain))
			return true;
	return false;
}

/* Jumps there are out, ours in as the first, chains nobody wants out; in one
 * commit. */
static void
make_change(const struct unit *u, const struct model *want, struct span is,
    struct buf *out)
{
	struct buf text;
	struct span rest = is, line;

	buf_init(&text, TEXT_MAX_BYTES);
	text_iptables(want, u->family, u->nat, &text);
	buf_add_format(out, "*%s\n", u->nat ? "nat" : "filter");
	while (firewall_line(&rest, &line))
		if (span_starts(line, ":" TEXT_CHAIN) &&
		    !wants_chain(load_view(&text), chain_of(line)))
			add_line(out, "", line);
	buf_add(out, text.data, text.len);
	for (rest = is; firewall_line(&rest, &line);)
		if (is_jump(line))
			add_line(
			    out, "-D ", (struct span){line.p + 3, line.n - 3});
	for (size_t i = 0; i < want->count; i++) {
		buf_add_format(out, "-I OUTPUT %zu ", i + 1);
		text_iptables_jump(&want->accounts[i], out);
	}
	for (rest = is; firewall_line(&rest, &line);)
		if (span_starts(line, ":" TEXT_CHAIN) &&
		    !wants_chain(load_view(&text), chain_of(line)))
			add_line(out, "-X ", chain_of(line));
	buf_add_text(out, "COMMIT\n");
	buf_free(&text);
}

static int
give_unit(struct load *l, const struct unit *u, const struct model *want,
    const char *const words[])
{
	struct buf is, change;
	int rc;

	buf_init(&is, LOAD_LIST_BYTES);
	buf_init(&change, 2 * TEXT_MAX_BYTES);
	rc = list_unit(l, u, &is);
	if (rc == 0) {
		make_change(u, want, load_view(&is), &change);
		rc = load_run(l, words, load_view(&change));
	}
	buf_free(&is);
	buf_free(&change);
	return rc;
}

static bool
is_used(const struct unit *u)
{
	return u->family == ADDRESS_4 || load_has_ipv6();
}

/*
 * Reading back: of each table our chains, and the jumps, which stand before
 * whatever others have there.
 */
static int
pick_ours(struct load *l, const struct unit *u, struct span is, struct buf *out)
{
	struct span line, other = SPAN("");
	char shown[LINE_BYTES];

	while (firewall_line(&is, &line)) {
		if (is_ours(line))
			add_line(out, "", line);
		else if (other.n == 0 && span_starts(line, "-A OUTPUT "))
			other = line;
		if (!is_jump(line) || other.n == 0)
			continue;
		firewall_inert(other, shown, sizeof shown);
		(void)snprintf(l->reason, l->room,
		    "%s: `%s` stands before a jump of ours: apply again, after "
		    "what puts it there",
		    u->save[0], shown);
		return -ERR_UNAVAILABLE;
	}
	return 0;
}

static void
expect(const struct unit *u, const struct model *want, struct buf *out)
{
	struct buf text;

	buf_init(&text, TEXT_MAX_BYTES);
	text_iptables(want, u->family, u->nat, &text);
	for (size_t i = 0; i < want->count; i++) {
		buf_add_text(&text, "-A OUTPUT ");
		text_iptables_jump(&want->accounts[i], &text);
	}
	firewall_canonical(FIREWALL_IPTABLES, load_view(&text), out);
	buf_free(&text);
}

/* The chain that a line speaks of. */
static struct span
subject(struct span line)
{
	if (line.n != 0 && line.p[0] == ':')
		return chain_of(line);
	return chain_of((struct span){line.p + 2, line.n - 2});
}

/* Lines of one chain. */
static void
pick_chain(struct span text, struct span chain, struct buf *out)
{
	struct span line;

	while (firewall_line(&text, &line))
		if (span_equal(subject(line), chain))
			add_line(out, "", line);
}

/* Chain for chain, as each lister has its own order of them. */
static int
compare_chains(
    struct load *l, const struct unit *u, struct span is, struct span wanted)
{
	struct span rest = wanted, line;
	struct buf a, b;
	int rc = 0;

	buf_init(&a, TEXT_MAX_BYTES);
	buf_init(&b, TEXT_MAX_BYTES);
	while (rc == 0 && firewall_line(&rest, &line)) {
		buf_clear(&a);
		buf_clear(&b);
		pick_chain(is, subject(line), &a);
		pick_chain(wanted, subject(line), &b);
		rc = firewall_compare(u->save[0], load_view(&a), load_view(&b),
		    l->reason, l->room);
	}
	buf_free(&a);
	buf_free(&b);
	if (rc == 0 && is.n != wanted.n) {
		(void)snprintf(l->reason, l->room,
		    "%s lists chains of ours that are not wanted", u->save[0]);
		rc = -ERR_UNAVAILABLE;
	}
	return rc;
}

static int
check_unit(struct load *l, const struct unit *u, const struct model *want)
{
	struct buf is, ours, wanted;
	int rc;

	buf_init(&is, LOAD_LIST_BYTES);
	buf_init(&ours, TEXT_MAX_BYTES);
	buf_init(&wanted, TEXT_MAX_BYTES);
	rc = list_unit(l, u, &is);
	if (rc == 0)
		rc = pick_ours(l, u, load_view(&is), &ours);
	if (rc == 0) {
		expect(u, want, &wanted);
		rc = compare_chains(l, u, load_view(&ours), load_view(&wanted));
	}
	buf_free(&is);
	buf_free(&ours);
	buf_free(&wanted);
	return rc;
}

/*
 * Sets. They are there before rules ask for them, and gone after.
 */
static bool
wants_set(const struct model *want, struct span name)
{
	struct buf text;
	bool wanted = false;

	buf_init(&text, TEXT_NAME_BYTES);
	for (size_t i = 0; i < 4 * want->count && !wanted; i++) {
		buf_clear(&text);
		text_ipset_name(i % 2 != 0, i % 4 < 2 ? ADDRESS_4 : ADDRESS_6,
		    want->accounts[i / 4].uid, &text);
		wanted = span_equal(load_view(&text), name);
	}
	buf_free(&text);
	return wanted;
}

static int
destroy_others(struct load *l, const struct model *want)
{
	static const char *const list[] = {"ipset", "list", "-n", NULL},
				 *const restore[] = {"ipset", "restore", NULL};
	struct buf names, text;
	struct span rest, line;
	int rc;

	buf_init(&names, TEXT_MAX_BYTES);
	buf_init(&text, TEXT_MAX_BYTES);
	rc = firewall_tool(list, SPAN(""), &names, l->reason, l->room);
	rest = load_view(&names);
	while (rc == 0 && firewall_line(&rest, &line))
		if ((span_starts(line, TEXT_SET "fresh") ||
			span_starts(line, TEXT_SET "known")) &&
		    !wants_set(want, line))
			add_line(&text, "destroy ", line);
	if (rc == 0 && text.len != 0)
		rc = load_run(l, restore, load_view(&text));
	buf_free(&names);
	buf_free(&text);
	return rc;
}

static int
make_sets(struct load *l, const struct model *want)
{
	static const char *const words[] = {"ipset", "-exist", "restore", NULL};
	struct buf text;
	int rc;

	buf_init(&text, TEXT_MAX_BYTES);
	text_ipset(want, &text);
	rc = load_run(l, words, load_view(&text));
	buf_free(&text);
	return rc;
}

/*
 * The way.
 */
static int
load(struct load *l, const struct model *want)
{
	int rc = make_sets(l, want);

	for (size_t i = 0; i < UNITS && rc == 0; i++)
		if (is_used(&units[i]))
			rc = give_unit(l, &units[i], want, units[i].restore);
	if (rc == 0)
		rc = destroy_others(l, want);
	return rc != 0 ? rc : load_routes(l, want);
}

static int
check(struct load *l, const struct model *want)
{
	int rc = 0;

	for (size_t i = 0; i < UNITS && rc == 0; i++)
		if (is_used(&units[i]))
			rc = check_unit(l, &units[i], want);
	return rc != 0 ? rc : load_routes_check(l, want);
}

static int
parse(struct load *l, const struct model *want)
{
	int rc = 0;

	for (size_t i = 0; i < UNITS && rc == 0; i++)
		if (is_used(&units[i]))
			rc = give_unit(l, &units[i], want, units[i].test);
	return rc;
}

static int
take_away(struct load *l)
{
	int rc = 0;

	load_routes_remove();
	for (size_t i = 0; i < UNITS && rc == 0; i++)
		if (is_used(&units[i]))
			rc =
			    give_unit(l, &units[i], &nothing, units[i].restore);
	return rc != 0 ? rc : destroy_others(l, &nothing);
}

const struct load_way load_iptables = {load, check, parse, take_away};
