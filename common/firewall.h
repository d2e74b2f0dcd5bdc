/*
 * The firewall of a zone, a machine that has no business with any network:
 * every packet in, out and forwarded is dropped, IPv4 and IPv6. One model, one
 * text for each backend, and what the kernel then lists is compared with what
 * was wanted, line by line; a line more or less is a failure.
 *
 *	nft       Our own table `inet trizone`, replaced in one transaction.
 *	          Nothing of others is touched, and nothing of others can undo
 *	          it: a packet passes every base chain of a hook, a drop in one
 *	          is final, an accept in another is not. For the same reason an
 *	          accept of ours opens nothing that others have closed.
 *	iptables  The table `filter` of both families, replaced as a whole, each
 *	          in one commit, IPv6 first. A policy holds only for what no
 *	          rule before it took, so rules of others cannot stay; other
 *	          tables are not touched. Between the two commits, or if the
 *	          second fails, one family is closed and the other is as before.
 *	pf        An anchor (macOS). It is made and saved, loaded by hand.
 *
 * The rules hold what goes through IP. They do not hold root of the machine,
 * who can change them, nor packet sockets, bridges and XDP, which need root;
 * neighbours still get answers by ARP.
 */
#ifndef TRIZONE_COMMON_FIREWALL_H
#define TRIZONE_COMMON_FIREWALL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/sha256.h"

/* What passes; everything else is dropped. */
struct firewall {
	bool loopback; /* in and out by the loopback interface */
};

enum firewall_backend {
	FIREWALL_NFT,
	FIREWALL_IPTABLES,
	FIREWALL_PF,
	FIREWALL_BACKEND_COUNT
};

#define FIREWALL_TEXT_BYTES 65536 /* longest text and listing */
#define FIREWALL_WHY_BYTES 256

struct firewall_state {
	bool alone; /* there is no interface but loopback */
	bool loaded;
	/* if loaded: */
	enum firewall_backend backend;
	struct firewall rules;
	unsigned char hash[SHA256_BYTES]; /* of the listing without counters:
					     equal for equal models */
	char why_not[FIREWALL_WHY_BYTES]; /* if not loaded; inert */
};

const char *firewall_backend_name(enum firewall_backend backend);
bool firewall_backend_find(const char *name, enum firewall_backend *out);

/* Append what the backend's loader takes: `nft -f -`; iptables-restore and
 * ip6tables-restore, who take the same; an anchor file of pf. -ERR_TOO_LARGE
 * if `out` cannot hold it. */
int firewall_text(enum firewall_backend backend, const struct firewall *want,
    struct buf *out);

/* Load and read back. Needs root (CAP_NET_ADMIN). 0, or -ERR_UNAVAILABLE and
 * what to do in `reason`, which is inert; the rules that are loaded then are
 * those from before, or not what was wanted. */
int firewall_apply(enum firewall_backend backend, const struct firewall *want,
    struct firewall_state *out, char *reason, size_t room);

/* The same with the first backend that does it, nft before iptables. */
int firewall_apply_any(const struct firewall *want, struct firewall_state *out,
    char *reason, size_t room);

/* What is loaded now; changes nothing. Needs root. */
void firewall_check(struct firewall_state *out);

/* How many interfaces other than loopback this network namespace has, up or
 * down, and their names ("eth0 eth1", cut to `room`). Not counted: tunnels
 * that the kernel makes by itself, as long as they are down; without another
 * interface they lead nowhere. -ERR_SYSTEM. Needs a netlink socket. */
int firewall_interfaces(char *out, size_t room);

/* Before a zone starts: 0 if there is only loopback, or rules are loaded that
 * let at most loopback pass (which leads nowhere). Loads none: that would cut
 * off whose machine it is. Else -ERR_UNAVAILABLE, and `reason` says how to mend
 * it. */
int firewall_zone(struct firewall_state *out, char *reason, size_t room);

/* Write the rules where the system loads them from when it starts, below the
 * folder `root` ("" is the real one), and with "" enable the service that does
 * so. What others have put into these files stays, but for the filter table of
 * iptables; a copy of what was there first is kept as FILE.trizone-old. Files
 * are replaced by rename, symbolic links refused. Appends a line for each
 * thing done to `said`. 0, or -ERR_UNAVAILABLE and what to do. */
int firewall_save(enum firewall_backend backend, const struct firewall *want,
    const char *root, struct buf *said, char *reason, size_t room);

#endif
