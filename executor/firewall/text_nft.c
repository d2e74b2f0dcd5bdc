/*
 * Rules for nft, as nft itself lists them, and rules of the routing for `ip`.
 */
#include "executor/firewall/text_impl.h"

/* The kernel gives a set that packets change a size, and takes 65535 where
 * none is said. */
#define KNOWN_SIZE 131072

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

/* The log may leave some out; the refusal never. */
static void
put_refused(const struct model_account *account, struct buf *out)
{
	buf_add_format(out,
	    "\tchain refused_%lu {\n"
	    "\t\tlimit rate 50/second burst 100 packets log group %d "
	    "snaplen 128\n"
	    "\t\tcounter name \"refused_%lu\"\n"
	    "\t\tmeta l4proto tcp reject with tcp reset\n"
	    "\t\treject\n"
	    "\t}\n\n",
	    uid_of(account), TEXT_LOG_GROUP, uid_of(account));
}

static const char *
loopback(enum address_family family)
{
	return family == ADDRESS_4 ? "127.0.0.1" : "::1";
}

/* Port 53 is the guard's only by loopback and from its address: a socket that
 * names another interface or source would leave the machine with the guard's
 * port, or have the kernel send something for it that has no owner. What goes
 * to the guard's own port is not told with a reset, which would look like the
 * guard's answer. */
static void
put_guard(const struct model_account *account, struct buf *out)
{
	unsigned port = account->guard_port;

	for (unsigned i = 0; i < 4; i++) {
		enum address_family family = i < 2 ? ADDRESS_4 : ADDRESS_6;
		const char *protocol = i % 2 == 0 ? "udp" : "tcp";

		buf_add_format(out,
		    "\t\toif \"lo\" %s saddr %s %s dport 53 %s dport set %u "
		    "accept\n",
		    ip_name(family), loopback(family), protocol, protocol,
		    port);
	}
	buf_add_format(out,
	    "\t\toif \"lo\" tcp dport %u log group %d snaplen 128 counter name "
	    "\"refused_%lu\" reject\n",
	    port, TEXT_LOG_GROUP, uid_of(account));
}

/* What begins is asked of `fresh`; what goes on of `known`, whose time begins
 * anew. */
static void
put_passes(const struct model_account *account, struct buf *out)
{
	static const enum address_family families[] = {ADDRESS_4, ADDRESS_6};
	unsigned long uid = uid_of(account);

	/* words for routers on the way to a host that is allowed */
	buf_add_format(out,
	    "\t\tip hdrlength > 5 goto refused_%lu\n"
	    "\t\texthdr rt exists goto refused_%lu\n",
	    uid, uid);
	for (unsigned i = 0; i < 2; i++)
		buf_add_format(out,
		    "\t\t" SYN "%s daddr . meta l4proto . tcp dport "
		    "@fresh%d_%lu accept\n",
		    ip_name(families[i]), (int)families[i], uid);
	buf_add_format(out, "\t\t" SYN "goto refused_%lu\n", uid);
	for (unsigned i = 0; i < 2; i++) {
		const char *ip = ip_name(families[i]);
		int f = (int)families[i];

		buf_add_format(out,
		    "\t\t%s daddr . meta l4proto . tcp dport @known%d_%lu "
		    "update @known%d_%lu { %s daddr . meta l4proto . tcp dport "
		    "timeout 5d } accept\n",
		    ip, f, uid, f, uid, ip);
	}
	for (unsigned i = 0; i < 2; i++)
		buf_add_format(out,
		    "\t\t%s daddr . meta l4proto . udp dport @fresh%d_%lu "
		    "accept\n",
		    ip_name(families[i]), (int)families[i], uid);
}

static void
put_account(const struct model_account *account, struct buf *out)
{
	buf_add_format(out, "\tchain account_%lu {\n", uid_of(account));
	if (!account->blocked) {
		buf_add_format(
		    out, "\t\t" SYN_ACK "goto refused_%lu\n", uid_of(account));
		put_guard(account, out);
		put_passes(account, out);
	}
	buf_add_format(out, "\t\tgoto refused_%lu\n\t}\n\n", uid_of(account));
}

/* Answers of a guard come from port 53 again, also those of a socket that is
 * closed and has no owner. */
static void
put_answers(unsigned port, struct buf *out)
{
	for (unsigned i = 0; i < 4; i++) {
		enum address_family family = i < 2 ? ADDRESS_4 : ADDRESS_6;
		const char *protocol = i % 2 == 0 ? "udp" : "tcp";

		buf_add_format(out,
		    "\t\toif \"lo\" %s daddr %s %s sport %u %s sport set 53\n",
		    ip_name(family), loopback(family), protocol, port,
		    protocol);
	}
}

/* What the kernel says for a socket that is gone has no owner, and quotes what
 * it is about: from the guard's side none of it leaves the machine. Nothing
 * with a loopback address has business outside; but of 127.0.0.1 others
 * translate some that comes from containers. */
static void
put_output(const struct model *model, struct buf *out)
{
	buf_add_text(out,
	    "\tchain output {\n"
	    "\t\ttype filter hook output priority 0; policy accept;\n");
	for (size_t i = 0; i < model->count; i++)
		put_answers(model->accounts[i].guard_port, out);
	buf_add_text(out,
	    "\t\toif != \"lo\" ip saddr 127.0.0.1 tcp dport 53 drop\n"
	    "\t\toif != \"lo\" ip saddr 127.0.0.1 ip protocol icmp drop\n"
	    "\t\toif != \"lo\" ip6 saddr ::1 drop\n"
	    "\t\tmeta skuid vmap { ");
	for (size_t i = 0; i < model->count; i++)
		buf_add_format(out, "%s%lu : jump account_%lu",
		    i == 0 ? "" : ", ", uid_of(&model->accounts[i]),
		    uid_of(&model->accounts[i]));
	buf_add_text(out, " }\n\t}\n");
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
	for (size_t i = 0; i < model->count; i++) {
		unsigned long uid = uid_of(&model->accounts[i]);

		for (unsigned tcp = 0; tcp < 2; tcp++)
			buf_add_format(out,
			    "rule add pref %d uidrange %lu-%lu ipproto %s "
			    "dport 53 lookup %d\n",
			    TEXT_PREFERENCE, uid, uid, tcp != 0 ? "tcp" : "udp",
			    TEXT_ROUTES);
	}
}
