/*
 * Which hosts an account of this machine may reach, and nothing else: the
 * part "firewall" of policy.json.
 *
 *	"firewall": {
 *	  "accounts": {
 *	    "moltbot": {
 *	      "allow": ["api.example.com:443", "192.0.2.7:8443",
 *	                "[2001:db8::7]:8443", "stun.example.com:3478/udp"],
 *	      "ranges": ["10.0.0.0/8"] } } }
 *
 * A host is an exact name or one address, and has a port; TCP unless "/udp"
 * stands behind it. A name may lead to public addresses, and to those in
 * "ranges". Without "allow", or with an empty one, the account reaches
 * nothing. The loopback addresses are hosts as all others. Port 53 is none: it
 * leads to the account's DNS guard, whatever the address.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_MODEL_H
#define TRIZONE_EXECUTOR_FIREWALL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/json.h"
#include "executor/firewall/address.h"

#define MODEL_ACCOUNTS_MAX 16u /* each has chains, sets, and a guard */
#define MODEL_HOSTS_MAX 1024u  /* of one account */
#define MODEL_RANGES_MAX 64u   /* of one account */
#define MODEL_NAME_BYTES 33u   /* of an account, with its NUL */
#define MODEL_HOST_BYTES 254u  /* of a host, with its NUL */
#define MODEL_GUARD_PORT 580u  /* of the first account; each has its own */
#define MODEL_GUARD_LAST 596u  /* of the last one */
#define MODEL_MAIL_PORT 587u   /* no guard's: programs mail there by loopback */
#define MODEL_HOST_TEXT (MODEL_HOST_BYTES + 12u) /* brackets, port, "/udp" */
#define MODEL_PACK_BYTES (5u << 20)		 /* the longest */

enum model_protocol { MODEL_TCP = 6, MODEL_UDP = 17 };

struct model_host {
	char name[MODEL_HOST_BYTES]; /* lower case, no dot at its end; of an
					address its canonical text */
	struct address address;	     /* family ADDRESS_NONE: it is a name */
	uint16_t port;
	unsigned char protocol; /* enum model_protocol */
};

struct model_account {
	char name[MODEL_NAME_BYTES];
	uid_t uid;	     /* (uid_t)-1 until it is looked up */
	uint16_t guard_port; /* of 127.0.0.1 and ::1: its DNS guard */
	bool blocked;	     /* reaches nothing, not even its guard */
	struct model_host *hosts;
	size_t host_count;
	struct address_range *ranges;
	size_t range_count;
};

/* Accounts are sorted by name; the number of one is its place. */
struct model {
	struct model_account accounts[MODEL_ACCOUNTS_MAX];
	size_t count;
};

/* Read the object behind "firewall"; NULL is none, and gives no accounts. The
 * same host twice is an error. On failure `where` says what and where. */
int model_read(const struct json_doc *doc, const struct json_node *node,
    struct model *out, struct json_error *where);
void model_free(struct model *model); /* its lists; it is empty then */
void model_copy(const struct model *from, struct model *out);

/* "api.example.com:443", as in "allow"; on failure `reason` says why. */
int model_host_read(
    struct span text, struct model_host *out, char *reason, size_t room);

/* The same text again, canonical. */
void model_host_format(
    const struct model_host *host, char out[MODEL_HOST_TEXT]);

/* Find the account; NULL if there is none. */
struct model_account *model_find(const struct model *model, struct span name);

/* Look up the number of an account, by its name or (macOS) that behind an
 * underscore: an account of this machine that is not root's, no person's
 * (account.h), and not nobody's. Else it is (uid_t)-1, -ERR_CONFIG, and what to
 * do in `reason`. */
int model_account_resolve(
    struct model_account *account, char *reason, size_t room);
/* Of all accounts; no two may have the same. */
int model_resolve(struct model *model, char *reason, size_t room);

/* To another process and back: JSON with numbers and ports in it, at most
 * MODEL_PACK_BYTES. A text that
 * our own did not write is a bug, and ends the process. */
void model_pack(const struct model *model, struct buf *out);
void model_unpack(struct span text, struct model *out);

/* Whether a name of the account may lead to address `a`, by address_special and
 * the account's ranges: NULL, or why not. */
const char *model_refuses(
    const struct model_account *account, const struct address *a);

/* A range so wide that a name may lead nearly anywhere; NULL: there is none. */
const struct address_range *model_wide_range(
    const struct model_account *account);

#endif
