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
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_TEXT_H
#define TRIZONE_EXECUTOR_FIREWALL_TEXT_H

#include "common/buf.h"
#include "common/firewall.h"
#include "executor/firewall/model.h"

#define TEXT_TABLE "trizone_accounts"
#define TEXT_LOG_GROUP 53 /* nflog; the listener binds it */

#endif
