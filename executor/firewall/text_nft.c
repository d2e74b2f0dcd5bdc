/*
 * Rules for nft, as nft itself lists them, and rules of the routing for `ip`.
 */
#include <limits.h>
#include <stdio.h>

#include "executor/firewall/text_impl.h"

/* The kernel gives a set that packets change a size, and takes 65535 where
 * none is said. */
#define KNOWN_SIZE 131072
#define PORTS_BYTES 24 /* "580-586" */

/* The log may leave some out, or one account would drown what is said of
 * others; the refusal never does. */
#define LOG "limit rate 50/second burst 100 packets log group %d snaplen 128\n"
#define SYN "tcp flags syn / syn,ack "
#define SYN_ACK "tcp flags syn,ack / syn,ack "

/* "ip" of 4. */
static const char *
ip_name(enum address_family family)
{
	return family == ADDRESS_4 ? "ip" : "ip6";
}

static unsigned long
uid_of(const struct model_account *account)
{
	return (unsigned long)account->uid;
}

static void
put_set(const struct model_account *account, enum address_family family,
    bool known, struct buf *out)
{
	buf_add_format(out,
	    "\tset %s%d_%lu {\n"
	    "\t\ttype ipv%d_addr . inet_proto . inet_service\n",
	    known ? "known" : "fresh", (int)family, uid_of(account),
	    (int)family);
	if (known)
		buf_add_format(out, "\t\tsize %d\n\t\tflags dynamic,timeout\n",
		    KNOWN_SIZE);
	else
		buf_add_text(out, "\t\tflags timeout\n");
	buf_add_text(out, "\t}\n\n");
}

static void
put_sets(const struct model_account *account, struct buf *out)
{
	for (unsigned i = 0; i < 4; i++)
		put_set(
		    account, i < 2 ? ADDRESS_4 : ADDRESS_6, i % 2 != 0, out);
}

static void
put_refused(const struct model_account *account, struct buf *out)
{
	buf_add_format(out,
	    "\tchain refused_%lu {\n"
	    "\t\t" LOG "\t\tcounter name \"refused_%lu\"\n"
	    "\t\tmeta l4proto tcp reject with tcp reset\n"
	    "\t\treject\n"
	    "\t}\n\n",
	    uid_of(account), TEXT_LOG_GROUP, uid_of(account));
}

/* Only by loopback, where the routing brings it: else it would leave for the
 * guard's port of a stranger. And only from loopback's address: what the kernel
 * says for such a socket when it is gone has no owner and goes to the stranger,
 * and an ICMP error quotes the guard's answer, which quotes the question. The
 * guard's own port is not refused by a reset, which would look like an answer
 * of the guard and be sent from port 53. */
static void
put_guard(const struct model_account *account, struct buf *out)
{
	static const char *const protocols[] = {"udp", "tcp"};
	static const char *const sources[] = {
	    "ip saddr 127.0.0.1", "ip6 saddr ::1"};
	unsigned port = account->guard_port;

	for (unsigned i = 0; i < 4; i++)
		buf_add_format(out,
		    "\t\toif \"lo\" %s %s dport 53 %s dport set %u accept\n",
		    sources[i / 2], protocols[i % 2], protocols[i % 2], port);
	buf_add_format(out,
	    "\t\toif \"lo\" tcp dport %u " LOG
	    "\t\toif \"lo\" tcp dport %u counter name \"refused_%lu\" reject\n",
	    port, TEXT_LOG_GROUP, port, uid_of(account));
}

/* Headers that carry words to routers on the way, or name another end of it. */
static void
put_headers(const struct model_account *account, struct buf *out)
{
	buf_add_format(out,
	    "\t\tip hdrlength > 5 goto refused_%lu\n"
	    "\t\texthdr rt exists goto refused_%lu\n",
	    uid_of(account), uid_of(account));
}

/* What begins is asked of `fresh`; what goes on of `known`, whose time begins
 * anew. First in the chain: it is most of what there is. */
static void
put_connections(const struct model_account *account, struct buf *out)
{
	static const enum address_family families[] = {ADDRESS_4, ADDRESS_6};
	unsigned long uid = uid_of(account);

	for (unsigned i = 0; i < 2; i++)
		buf_add_format(out,
		    "\t\t" SYN "%s daddr . meta l4proto . tcp dport "
		    "@fresh%d_%lu accept\n",
		    ip_name(families[i]), (int)families[i], uid);
	for (unsigned i = 0; i < 2; i++) {
		const char *ip = ip_name(families[i]);
		int f = (int)families[i];

		buf_add_format(out,
		    "\t\ttcp flags ! syn %s daddr . meta l4proto . tcp dport "
		    "@known%d_%lu "
		    "update @known%d_%lu { %s daddr . meta l4proto . tcp dport "
		    "timeout 5d } accept\n",
		    ip, f, uid, f, uid, ip);
	}
}

static void
put_datagrams(const struct model_account *account, struct buf *out)
{
	static const enum address_family families[] = {ADDRESS_4, ADDRESS_6};

	for (unsigned i = 0; i < 2; i++)
		buf_add_format(out,
		    "\t\t%s daddr . meta l4proto . udp dport @fresh%d_%lu "
		    "accept\n",
		    ip_name(families[i]), (int)families[i], uid_of(account));
}

static void
put_account(const struct model_account *account, struct buf *out)
{
	buf_add_format(out, "\tchain account_%lu {\n", uid_of(account));
	if (!account->blocked) {
		put_headers(account, out);
		put_connections(account, out);
		put_guard(account, out);
		put_datagrams(account, out);
	}
	buf_add_format(out, "\t\tgoto refused_%lu\n\t}\n\n", uid_of(account));
}

/* Guards' ports from `from` on that follow each other, as a text; false: there
 * are no more. Every packet of the machine meets a rule for each such range, so
 * there is one up to the port that is left out, and one behind it. */
static bool
next_ports(const struct model *model, unsigned *from, char *out, size_t room)
{
	unsigned first = UINT_MAX, last;
	bool more = true;

	for (size_t i = 0; i < model->count; i++) {
		unsigned port = model->accounts[i].guard_port;

		if (port >= *from && port < first)
			first = port;
	}
	if (first == UINT_MAX)
		return false;
	for (last = first; more; last += more) {
		more = false;
		for (size_t i = 0; i < model->count; i++)
			more =
			    more || model->accounts[i].guard_port == last + 1;
	}
	(void)snprintf(out, room, first == last ? "%u" : "%u-%u", first, last);
	*from = last + 1;
	return true;
}

/* Answers of guards come from port 53 again, also those of a socket that is
 * closed and has no owner. */
static void
put_answers(const struct model *model, struct buf *out)
{
	static const char *const targets[] = {
	    "ip daddr 127.0.0.1", "ip6 daddr ::1"};
	static const char *const protocols[] = {"udp", "tcp"};
	char ports[PORTS_BYTES];
	unsigned from = 0;

	buf_add_text(out, "\tchain answers {\n");
	while (next_ports(model, &from, ports, sizeof ports))
		for (unsigned i = 0; i < 4; i++)
			buf_add_format(out,
			    "\t\t%s %s sport %s %s sport set 53\n",
			    targets[i / 2], protocols[i % 2], ports,
			    protocols[i % 2]);
	buf_add_text(out, "\t}\n\n");
}

/* A guard answers its own account: others would spend what it may ask, and
 * what they asked would be on record as its words. */
static void
put_strangers(struct buf *out)
{
	buf_add_text(out, "\tchain strangers {\n"
			  "\t\treject\n"
			  "\t}\n\n");
}

/* An answer with a SYN cookie belongs to no socket. A listener that does not
 * hear of its refusals would get a connection by one with whoever calls, and
 * what is queued there is sent, without an owner, when it has been closed. Many
 * kernels give the first caller a cookie (listen(2) with no backlog, or
 * tcp_syncookies=2), so nothing tells before whose port it is: none leaves from
 * a port that anybody may have. Sockets of the kernel (NFS, iSCSI) have no
 * owner either, but a control group: those answer. */
static void
put_cookies(struct buf *out)
{
	buf_add_text(out, "\tchain cookies {\n"
			  "\t\tmeta cgroup 0-4294967295 return\n"
			  "\t\tdrop\n"
			  "\t}\n\n");
}

static void
put_ports(const struct model *model, const char *direction, const char *chain,
    struct buf *out)
{
	char ports[PORTS_BYTES];
	unsigned from = 0;

	while (next_ports(model, &from, ports, sizeof ports))
		buf_add_format(out, "\t\toif \"lo\" th %s %s jump %s\n",
		    direction, ports, chain);
}

/* Sorted by number, as nft lists it. */
static void
put_map(const struct model *model, struct buf *out)
{
	unsigned long from = 0;

	buf_add_text(out, "\t\tmeta skuid vmap { ");
	for (size_t n = 0; n < model->count; n++) {
		unsigned long uid = ULONG_MAX;

		for (size_t i = 0; i < model->count; i++) {
			unsigned long other = uid_of(&model->accounts[i]);

			if (other >= from && other < uid)
				uid = other;
		}
		buf_add_format(out, "%s%lu : jump account_%lu",
		    n == 0 ? "" : ", ", uid, uid);
		from = uid + 1;
	}
	buf_add_text(out, " }\n");
}

/* What has no owner: none of the account's side of a connection to its guard
 * leaves the machine, nor an ICMP error about it. */
static void
put_output(const struct model *model, struct buf *out)
{
	buf_add_text(out, "\tchain output {\n"
			  "\t\ttype filter hook output priority 0; "
			  "policy accept;\n");
	put_map(model, out);
	put_ports(model, "sport", "answers", out);
	put_ports(model, "dport", "strangers", out);
	buf_add_text(out,
	    "\t\toif != \"lo\" ip saddr 127.0.0.1 tcp dport 53 drop\n"
	    "\t\toif != \"lo\" ip saddr 127.0.0.1 ip protocol icmp drop\n"
	    "\t\toif != \"lo\" ip6 saddr ::1 drop\n"
	    "\t\t" SYN_ACK "tcp sport >= 1024 jump cookies\n"
	    "\t}\n");
}

static void
put_table(const struct model *model, struct buf *out)
{
	buf_add_text(out, "table inet " TEXT_TABLE " {\n");
	for (size_t i = 0; i < model->count; i++)
		buf_add_format(out, "\tcounter refused_%lu {\n\t}\n\n",
		    uid_of(&model->accounts[i]));
	for (size_t i = 0; i < model->count; i++)
		put_sets(&model->accounts[i], out);
	for (size_t i = 0; i < model->count; i++) {
		put_refused(&model->accounts[i], out);
		put_account(&model->accounts[i], out);
	}
	put_answers(model, out);
	put_strangers(out);
	put_cookies(out);
	put_output(model, out);
	buf_add_text(out, "}\n");
}

static void
put_elements(const struct model_account *account, struct buf *out)
{
	for (size_t i = 0; i < account->host_count && !account->blocked; i++) {
		const struct model_host *host = &account->hosts[i];

		if (host->address.family == ADDRESS_NONE)
			continue;
		for (unsigned known = 0; known < 2; known++)
			buf_add_format(out,
			    "add element inet " TEXT_TABLE " %s%d_%lu "
			    "{ %s . %s . %u comment \"%s\" }\n",
			    known != 0 ? "known" : "fresh",
			    (int)host->address.family, uid_of(account),
			    host->name, text_protocol(host->protocol),
			    (unsigned)host->port, host->name);
	}
}

void
text_nft(const struct model *model, struct buf *out)
{
	buf_add_text(out, "add table inet " TEXT_TABLE "\n"
			  "flush table inet " TEXT_TABLE "\n");
	put_table(model, out);
	for (size_t i = 0; i < model->count; i++)
		put_elements(&model->accounts[i], out);
}

void
text_nft_listing(const struct model *model, struct buf *out)
{
	put_table(model, out);
}

void
text_routes(enum address_family family, struct buf *out)
{
	buf_add_format(out,
	    "link set dev lo up\n"
	    "route replace local %s dev lo src %s table %d\n",
	    family == ADDRESS_4 ? "0.0.0.0/0" : "::/0",
	    family == ADDRESS_4 ? "127.0.0.1" : "::1", TEXT_ROUTES);
}

void
text_routing_rules(const struct model *model, struct buf *out)
{
	static const unsigned protocols[] = {MODEL_UDP, MODEL_TCP};

	for (size_t i = 0; i < model->count; i++) {
		unsigned long uid = uid_of(&model->accounts[i]);

		for (unsigned j = 0; j < 2; j++)
			buf_add_format(out,
			    "rule add pref %d uidrange %lu-%lu ipproto %u "
			    "dport 53 lookup %d\n",
			    TEXT_PREFERENCE, uid, uid, protocols[j],
			    TEXT_ROUTES);
	}
}
