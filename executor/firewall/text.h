/*
 * The rules of accounts as text for each backend. Pure.
 *
 * For each account: to its guard and to what is in its sets; everything else
 * it sends, and every answer to who connects to it, is logged and refused at
 * once. Nothing speaks of any other user. The same for each family:
 *
 *	new TCP connection, any UDP	if in `fresh`
 *	TCP, established		if in `known`
 *	port 53				to the guard, whatever the address
 *	all else			logged, then a reset (TCP) or an error
 *
 * Names of nft's sets: fresh4_UID, fresh6_UID, known4_UID, known6_UID in the
 * table `inet trizone_accounts`; of ipset trizone_fresh4_UID and so on; of
 * pf's tables, for each port and protocol, <trizone_UID_PORT_tcp>.
 *
 *	nft       Chains account_UID and refused_UID, a counter refused_UID; one
 *	          base chain, whose map finds the account. Port 53 is brought to
 *	          loopback by rules of the routing, and there to the guard's by
 *	          these; no connection tracking, which would cost every
 *	          connection of the machine.
 *	iptables  Chains TRIZONE-U<UID> and TRIZONE-R<UID> in `filter`, the
 *	          former in `nat` too. What passes goes on to the rules of
 *	          others. Jumps to ours stand first.
 *	pf        An anchor. What passes is `quick`: no later rule is asked.
 *	          There is no guard; names are asked of the system's resolver.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_TEXT_H
#define TRIZONE_EXECUTOR_FIREWALL_TEXT_H

#include "common/buf.h"
#include "common/firewall.h"
#include "executor/firewall/model.h"

#define TEXT_TABLE "trizone_accounts"
#define TEXT_LOG_GROUP 53	  /* nflog; the listener binds it */
#define TEXT_MAX_BYTES (8u << 20) /* 16 accounts of 1,024 addresses each */
#define TEXT_NAME_BYTES 32u	  /* of a set or table, with its NUL */
#define TEXT_ROUTES 5353	  /* table and rules of the routing */
#define TEXT_PREFERENCE 53	  /* before all others but "local" */
#define TEXT_CHAIN "TRIZONE-"	  /* all chains of iptables begin so */
#define TEXT_SET "trizone_"	  /* all sets of ipset, and tables of pf */

/* Every account has its number. All append to `out`; what does not fit shows
 * as out->overflow, TEXT_MAX_BYTES is enough. */

/* For people: all that is loaded, each part under a remark that says by whom.
 */
void text_print(
    enum firewall_backend backend, const struct model *model, struct buf *out);

/* One transaction for `nft -f -`, which makes the table or replaces all rules
 * in it, and leaves in its sets what is there; and how `nft -y -s -t list`
 * shows it. */
void text_nft(const struct model *model, struct buf *out);
void text_nft_listing(const struct model *model, struct buf *out);

/* For `ip -batch -`, ip -6 besides: routes, and one rule for each account and
 * protocol. */
void text_routes(enum address_family family, struct buf *out);
void text_routing_rules(const struct model *model, struct buf *out);

/* For `iptables-restore --noflush` and ip6tables-restore: the chains and what
 * is in them, without the jumps to them; of one table. */
void text_iptables(const struct model *model, enum address_family family,
    bool nat, struct buf *out);
/* The jump of an account, without "-A OUTPUT ". */
void text_iptables_jump(const struct model_account *account, struct buf *out);
/* For `ipset -exist restore`. */
void text_ipset(const struct model *model, struct buf *out);
/* "trizone_fresh4_4242" */
void text_ipset_name(
    bool known, enum address_family family, uid_t uid, struct buf *out);

/* The file of the anchor; and how `pfctl -sr` shows what is loaded. */
void text_pf(const struct model *model, struct buf *out);
void text_pf_listing(const struct model *model, struct buf *out);
/* <trizone_4242_443_tcp>, without the brackets. */
void text_pf_table(uid_t uid, uint16_t port, unsigned char protocol,
    char out[TEXT_NAME_BYTES]);
/* The main file of pf with our anchor before the first anchor of others, in
 * marks; what was between such marks is gone. -ERR_SYNTAX: marks that do not
 * fit, or `with` and no anchor of others, so that the place is not known. */
int text_pf_main(struct span old, bool with, struct buf *out);

#endif
