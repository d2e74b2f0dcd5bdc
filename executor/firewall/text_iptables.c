/*
 * Rules for iptables-restore of both families, as iptables-save shows them, and
 * sets for ipset.
 */
#include "executor/firewall/text_impl.h"

#define SYN "-p tcp -m tcp --tcp-flags SYN,ACK SYN "
#define SYN_ACK "-p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK "

struct writer {
	const struct model_account *account;
	enum address_family family;
	struct buf *out;
};

static unsigned long
uid_of(const struct writer *w)
{
	return (unsigned long)w->account->uid;
}

/* One rule of the account's chain that ends in its other chain, or goes on to
 * what others say. */
static void
put_rule(const struct writer *w, const char *match, bool refuse)
{
	buf_add_format(w->out, "-A " TEXT_CHAIN "U%lu %s", uid_of(w), match);
	if (refuse)
		buf_add_format(w->out, "-g " TEXT_CHAIN "R%lu\n", uid_of(w));
	else
		buf_add_text(w->out, "-j RETURN\n");
}

static void
put_set_rule(const struct writer *w, const char *match, bool known)
{
	struct buf text;

	buf_init(&text, 256);
	buf_add_format(&text, "%s-m set --match-set ", match);
	text_ipset_name(known, w->family, w->account->uid, &text);
	buf_add_text(&text, " dst,dst ");
	buf_add_byte(&text, '\0');
	put_rule(w, text.data, false);
	buf_free(&text);
}

static const char *
loopback(const struct writer *w)
{
	return w->family == ADDRESS_4 ? "127.0.0.1/32" : "::1/128";
}

/* Where `nat` has sent it. By the interface that the routing said before: what
 * is bound to another one does not pass. */
static void
put_guard(const struct writer *w, const char *protocol)
{
	struct buf text;

	buf_init(&text, 256);
	buf_add_format(&text, "-d %s -o lo -p %s -m %s --dport %u ",
	    loopback(w), protocol, protocol, (unsigned)w->account->guard_port);
	buf_add_byte(&text, '\0');
	put_rule(w, text.data, false);
	buf_free(&text);
}

static void
put_account(const struct writer *w)
{
	if (!w->account->blocked) {
		put_rule(w, SYN_ACK, true);
		put_guard(w, "udp");
		put_guard(w, "tcp");
		put_set_rule(w, SYN, false);
		put_rule(w, SYN, true);
		put_set_rule(w, "-p tcp ", true);
		put_set_rule(w, "-p udp ", false);
	}
	put_rule(w, "", true);
}

static void
put_refused(const struct writer *w)
{
	unsigned long uid = uid_of(w);

	buf_add_format(w->out,
	    "-A " TEXT_CHAIN "R%lu -m limit --limit 50/sec --limit-burst 100 "
	    "-j NFLOG --nflog-group %d --nflog-size 128\n"
	    "-A " TEXT_CHAIN "R%lu -p tcp -j REJECT --reject-with tcp-reset\n"
	    "-A " TEXT_CHAIN "R%lu -j REJECT --reject-with %s\n",
	    uid, TEXT_LOG_GROUP, uid, uid,
	    w->family == ADDRESS_4 ? "icmp-port-unreachable"
				   : "icmp6-port-unreachable");
}

static void
put_redirect(const struct writer *w)
{
	static const char *const protocols[] = {"udp", "tcp"};

	for (unsigned i = 0; i < 2 && !w->account->blocked; i++)
		buf_add_format(w->out,
		    "-A " TEXT_CHAIN
		    "U%lu -s %s -o lo -p %s -m %s --dport 53 -j REDIRECT "
		    "--to-ports %u\n",
		    uid_of(w), loopback(w), protocols[i], protocols[i],
		    (unsigned)w->account->guard_port);
}

static void
put_chains(const struct model *model, bool nat, struct buf *out)
{
	for (size_t i = 0; i < model->count; i++) {
		unsigned long uid = (unsigned long)model->accounts[i].uid;

		buf_add_format(out, ":" TEXT_CHAIN "U%lu - [0:0]\n", uid);
		if (!nat)
			buf_add_format(
			    out, ":" TEXT_CHAIN "R%lu - [0:0]\n", uid);
	}
}

void
text_iptables(const struct model *model, enum address_family family, bool nat,
    struct buf *out)
{
	put_chains(model, nat, out);
	for (size_t i = 0; i < model->count; i++) {
		const struct writer w = {&model->accounts[i], family, out};

		if (nat) {
			put_redirect(&w);
		} else {
			put_refused(&w);
			put_account(&w);
		}
	}
}

void
text_iptables_jump(const struct model_account *account, struct buf *out)
{
	buf_add_format(out, "-m owner --uid-owner %lu -j " TEXT_CHAIN "U%lu\n",
	    (unsigned long)account->uid, (unsigned long)account->uid);
}

void
text_ipset_name(
    bool known, enum address_family family, uid_t uid, struct buf *out)
{
	buf_add_format(out, TEXT_SET "%s%d_%lu", known ? "known" : "fresh",
	    (int)family, (unsigned long)uid);
}

static void
put_sets(const struct model_account *account, struct buf *out)
{
	for (unsigned i = 0; i < 4; i++) {
		enum address_family family = i < 2 ? ADDRESS_4 : ADDRESS_6;

		buf_add_text(out, "create ");
		text_ipset_name(i % 2 != 0, family, account->uid, out);
		buf_add_format(out,
		    " hash:ip,port family %s hashsize 1024 maxelem 131072 "
		    "timeout 0 comment\n",
		    family == ADDRESS_4 ? "inet" : "inet6");
	}
}

static void
put_elements(const struct model_account *account, struct buf *out)
{
	for (size_t i = 0; i < account->host_count && !account->blocked; i++) {
		const struct model_host *host = &account->hosts[i];

		if (host->address.family == ADDRESS_NONE)
			continue;
		for (unsigned fresh = 0; fresh < 2; fresh++) {
			buf_add_text(out, "add ");
			text_ipset_name(fresh == 0,
			    (enum address_family)host->address.family,
			    account->uid, out);
			buf_add_format(out,
			    " %s,%s:%u timeout 0 comment \"%s\"\n", host->name,
			    text_protocol(host->protocol), (unsigned)host->port,
			    host->name);
		}
	}
}

void
text_ipset(const struct model *model, struct buf *out)
{
	for (size_t i = 0; i < model->count; i++) {
		put_sets(&model->accounts[i], out);
		put_elements(&model->accounts[i], out);
	}
}
