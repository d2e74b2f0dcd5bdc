/*
 * Loading the rules of accounts, reading them back, and taking them away. Runs
 * as root in the operator's commands and in whoever puts lost rules back; runs
 * the system's programs (common/firewall_impl.h) and believes what the kernel
 * lists, not their exit status.
 *
 * Rules are replaced as a whole, at once for each backend's unit (nft: all;
 * iptables: a table of one family; pf: the anchor). Addresses in the sets stay
 * where their host does, so that established connections live; those of a host
 * that is gone are taken out.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_LOAD_H
#define TRIZONE_EXECUTOR_FIREWALL_LOAD_H

#include "common/firewall.h"
#include "executor/firewall/model.h"

#define LOAD_REASON_BYTES 256

/* Load the rules of all accounts of the model, each of which has its number,
 * and read them back. A model without accounts takes everything of ours away.
 * Appends what was done to files of others to `said`. 0, or -ERR_UNAVAILABLE
 * and what to do: rules may be those from before, or new. */
int load_rules(enum firewall_backend backend, const struct model *want,
    struct buf *said, char *reason, size_t room);

/* Whether these are the rules that are loaded: 0, or -ERR_UNAVAILABLE and what
 * differs. Changes nothing. */
int load_check(enum firewall_backend backend, const struct model *want,
    char *reason, size_t room);

/* What load_rules would load, given to the backend's own parser, which changes
 * nothing. */
int load_parse(enum firewall_backend backend, const struct model *want,
    char *reason, size_t room);

/* The backend that this system has: pf, else nft, else iptables; _COUNT if
 * there is none. */
enum firewall_backend load_backend(void);

#endif
