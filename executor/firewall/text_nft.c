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
	    "\t\toif \"lo\" tcp dport %u log group %d snaplen 128 counter name "
	    "\"refused_%lu\" reject\n",
	    port, TEXT_LOG_GROUP, uid_of(account));
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
 * anew. */
static void
put_passes(const struct model_account *account, struct buf *out)
{
	static const enum address_family families[] = {ADDRESS_4, ADDRESS_6};
	unsigned long uid = uid_of(account);

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
	buf_add_format(out,
	    "\tchain account_%lu {\n"
	    "\t\t" SYN_ACK "goto refused_%lu\n",
	    uid_of(account), uid_of(account));
	if (!account->blocked) {
		put_guard(account, out);
		put_headers(account, out);
		put_passes(account, out);
	}
	buf_add_format(out, "\t\tgoto refused_%lu\n\t}\n\n", uid_of(account));
}

/* Answers of guards come from port 53 again, also those of a socket that is
 * closed and has no owner. One range of ports for all, as every packet of the
 * machine meets the rule that leads here. */
static void
put_answers(struct buf *out)
{
	static const char *const targets[] = {
	    "ip daddr 127.0.0.1", "ip6 daddr ::1"};
	static const char *const protocols[] = {"udp", "tcp"};

	buf_add_text(out, "\tchain answers {\n");
	for (unsigned i = 0; i < 4; i++)
		buf_add_format(out, "\t\t%s %s sport %u-%u %s sport set 53\n",
		    targets[i / 2], protocols[i % 2], MODEL_GUARD_PORT,
		    MODEL_GUARD_PORT + MODEL_ACCOUNTS_MAX - 1,
		    protocols[i % 2]);
	buf_add_text(out, "\t}\n\n");
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

/* What has no owner: none of the account's side of a connection to its guard
 * leaves the machine, nor an ICMP error about it. */
static void
put_output(const struct model *model, struct buf *out)
{
	buf_add_format(out,
	    "\tchain output {\n"
	    "\t\ttype filter hook output priority 0; policy accept;\n"
	    "\t\toif \"lo\" th sport %u-%u jump answers\n"
	    "\t\toif != \"lo\" ip saddr 127.0.0.1 tcp dport 53 drop\n"
	    "\t\toif != \"lo\" ip saddr 127.0.0.1 ip protocol icmp drop\n"
	    "\t\toif != \"lo\" ip6 saddr ::1 drop\n"
	    "\t\tmeta skuid vmap { ",
	    MODEL_GUARD_PORT, MODEL_GUARD_PORT + MODEL_ACCOUNTS_MAX - 1);
	for (size_t i = 0; i < model->count; i++)
		buf_add_format(out, "%s%lu : jump account_%lu",
		    i == 0 ? "" : ", ", uid_of(&model->accounts[i]),
		    uid_of(&model->accounts[i]));
	buf_add_text(out, " }\n\t\t" SYN_ACK "tcp sport >= 1024 jump cookies\n"
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
	put_answers(out);
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
