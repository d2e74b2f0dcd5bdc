/*
 * Records between the parent, the resolver, and the listener for blocked
 * packets. Fixed size, both ends are this program; what the resolver says is
 * checked as if it was hostile: it reads what strangers answer.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_LINK_H
#define TRIZONE_EXECUTOR_FIREWALL_LINK_H

#include <stdint.h>

#include "executor/firewall/address.h"
#include "executor/firewall/model.h"

#define LINK_ADDRESSES_MAX 32u /* of one answer; what is beyond is left out */

/* resolver -> parent: the name of hosts[host] has these addresses, for so
 * long. The parent checks account, host and addresses against its own model
 * (model_refuses), puts them into the sets with the host's port and protocol
 * for every host row with the same name, and answers. remove: they are not
 * its any more. */
struct link_order {
	uint32_t serial; /* given back in the answer */
	uint32_t models; /* LINK_MODELs that came before it: whose numbers the
			    next two are */
	uint32_t account, host;
	uint32_t remove;
	uint32_t timeout_s;
	uint32_t count;
	struct address addresses[LINK_ADDRESSES_MAX];
};

/* parent -> resolver. */
struct link_answer {
	uint32_t serial;
	int32_t error; /* 0: in place; else -ERR_..., nothing is */
};

/* parent -> resolver besides: another model, by its length and its text behind
 * it (model_pack); or all sets were emptied: resolve anew. */
enum link_what { LINK_ANSWER, LINK_MODEL, LINK_EMPTIED };
struct link_head {
	uint32_t what;
	uint32_t bytes; /* of what follows this head */
};

/* resolver -> listener, a pipe: for names beside addresses, and for the audit.
 * What does not fit into the pipe is dropped and counted. */
enum note_what {
	NOTE_ANSWERED,	     /* the account was told that name's address */
	NOTE_NAME_REFUSED,   /* it asked for a name it may not */
	NOTE_ADDRESS_REFUSED /* its name has an address that is not public */
};
struct note {
	uint32_t what;
	uint32_t account;
	uint32_t lost; /* notes that were dropped before this one */
	struct address address;
	char name[MODEL_HOST_BYTES]; /* printable ASCII */
};

#endif
