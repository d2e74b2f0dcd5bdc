/*
 * The rules of accounts for people.
 */
#include "executor/firewall/text.h"

static void
put_jumps(const struct model *model, struct buf *out)
{
	for (size_t i = 0; i < model->count; i++) {
		buf_add_format(out, "-I OUTPUT %zu ", i + 1);
		text_iptables_jump(&model->accounts[i], out);
	}
}

static void
put_iptables(
    const struct model *model, enum address_family family, struct buf *out)
{
	buf_add_format(out, "# %s --noflush\n",
	    family == ADDRESS_4 ? "iptables-restore" : "ip6tables-restore");
	for (unsigned nat = 0; nat < 2; nat++) {
		buf_add_format(out, "*%s\n", nat != 0 ? "nat" : "filter");
		text_iptables(model, family, nat != 0, out);
		put_jumps(model, out);
		buf_add_text(out, "COMMIT\n");
	}
}

static void
put_routing(const struct model *model, struct buf *out)
{
	buf_add_text(out, "# ip -batch -\n");
	text_routes(ADDRESS_4, out);
	text_routing_rules(model, out);
	buf_add_text(out, "# ip -6 -batch -\n");
	text_routes(ADDRESS_6, out);
	text_routing_rules(model, out);
}

static void
print_nft(const struct model *model, struct buf *out)
{
	buf_add_text(out, "# nft -f -\n");
	text_nft(model, out);
	put_routing(model, out);
}

static void
print_iptables(const struct model *model, struct buf *out)
{
	buf_add_text(out, "# ipset -exist restore\n");
	text_ipset(model, out);
	put_iptables(model, ADDRESS_6, out);
	put_iptables(model, ADDRESS_4, out);
	put_routing(model, out);
}

void
text_print(
    enum firewall_backend backend, const struct model *model, struct buf *out)
{
	static void (*const printers[FIREWALL_BACKEND_COUNT])(
	    const struct model *model, struct buf *out) = {
	    [FIREWALL_NFT] = print_nft,
	    [FIREWALL_IPTABLES] = print_iptables,
	    [FIREWALL_PF] = text_pf,
	};

	printers[backend](model, out);
}
