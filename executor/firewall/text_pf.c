/*
 * Rules for an anchor of pf, in the grammar of its version in macOS (that of
 * OpenBSD 4.3) and as pfctl shows them; and the main file that names it.
 */
#include <stdio.h>
#include <string.h>

#include "common/ascii.h"
#include "common/err.h"
#include "common/firewall_impl.h"
#include "executor/firewall/text_impl.h"

#define ANCHOR_FILE "/private/etc/pf.anchors/" TEXT_TABLE

void
text_pf_table(
    uid_t uid, uint16_t port, unsigned char protocol, char out[TEXT_NAME_BYTES])
{
	(void)snprintf(out, TEXT_NAME_BYTES, TEXT_SET "%lu_%u_%s",
	    (unsigned long)uid, (unsigned)port, text_protocol(protocol));
}

/* Whether no host before it has the same port and protocol. */
static bool
is_first(const struct model_account *account, size_t index)
{
	const struct model_host *host = &account->hosts[index];

	for (size_t i = 0; i < index; i++)
		if (account->hosts[i].port == host->port &&
		    account->hosts[i].protocol == host->protocol)
			return false;
	return true;
}

static void
put_tables(const struct model_account *account, struct buf *out)
{
	char name[TEXT_NAME_BYTES];

	for (size_t i = 0; i < account->host_count && !account->blocked; i++) {
		if (!is_first(account, i))
			continue;
		text_pf_table(account->uid, account->hosts[i].port,
		    account->hosts[i].protocol, name);
		buf_add_format(out, "table <%s> persist\n", name);
	}
}

static void
put_passes(const struct model_account *account, struct buf *out)
{
	char name[TEXT_NAME_BYTES];

	for (size_t i = 0; i < account->host_count && !account->blocked; i++) {
		const struct model_host *host = &account->hosts[i];

		if (!is_first(account, i))
			continue;
		text_pf_table(account->uid, host->port, host->protocol, name);
		buf_add_format(out,
		    "pass out quick proto %s from any to <%s> port = %u user "
		    "= %lu %skeep state label \"" TEXT_SET "%lu_allow\"\n",
		    text_protocol(host->protocol), name, (unsigned)host->port,
		    (unsigned long)account->uid,
		    host->protocol == MODEL_TCP ? "flags S/SA " : "",
		    (unsigned long)account->uid);
	}
}

/* pf knows the owner of TCP and UDP alone. */
static void
put_blocks(const struct model_account *account, struct buf *out)
{
	static const char *const ways[] = {"out", "in"}, *const protocols[] = {
							     "tcp", "udp"};

	for (unsigned i = 0; i < 4; i++)
		buf_add_format(out,
		    "block return %s log (user) quick proto %s all user = %lu "
		    "label \"" TEXT_SET "%lu_refuse\"\n",
		    ways[i / 2], protocols[i % 2], (unsigned long)account->uid,
		    (unsigned long)account->uid);
}

void
text_pf_listing(const struct model *model, struct buf *out)
{
	for (size_t i = 0; i < model->count; i++) {
		put_passes(&model->accounts[i], out);
		put_blocks(&model->accounts[i], out);
	}
}

void
text_pf(const struct model *model, struct buf *out)
{
	for (size_t i = 0; i < model->count; i++)
		put_tables(&model->accounts[i], out);
	text_pf_listing(model, out);
}

/* An anchor of filter rules, as Apple's; no `nat-anchor` and the like. */
static bool
is_anchor(struct span line)
{
	while (line.n != 0 && (*line.p == ' ' || *line.p == '\t'))
		line = (struct span){line.p + 1, line.n - 1};
	return span_starts(line, "anchor ") || span_starts(line, "anchor\t");
}

int
text_pf_main(struct span old, bool with, struct buf *out)
{
	static const char ours[] = FIREWALL_MARK_BEGIN
	    "\nanchor \"" TEXT_TABLE "\"\n"
	    "load anchor \"" TEXT_TABLE "\" from \"" ANCHOR_FILE
	    "\"\n" FIREWALL_MARK_END "\n";
	struct span rest, line;
	struct buf others;
	bool done = !with;
	int rc;

	buf_init(&others, TEXT_MAX_BYTES);
	rc = firewall_without(
	    old, FIREWALL_MARK_BEGIN, FIREWALL_MARK_END, &others);
	rest = (struct span){others.data, others.len};
	while (rc == 0 && firewall_line(&rest, &line)) {
		if (!done && is_anchor(line)) {
			buf_add_text(out, ours);
			done = true;
		}
		buf_add(out, line.p, line.n);
		buf_add_byte(out, '\n');
	}
	buf_free(&others);
	return rc == 0 && !done ? -ERR_SYNTAX : rc;
}
