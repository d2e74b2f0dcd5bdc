/*
 * config.json: where the service keeps things, which zones it serves, and who
 * may connect. What calls may do is the policy's matter.
 *
 *   { "version": 1,
 *     "state": "/var/lib/trizone",
 *     "run": "/run/trizone",
 *     "policy": "policy.json",           relative to the configuration's folder
 *     "audit": { "path": "/var/lib/trizone/audit",
 *                "recipient": "age1...", "max_bytes": 1073741824,
 *                "keep_days": 90,
 *                "anchors": [{ "file": "/mnt/other/anchors" },
 *                            { "syslog": true },
 *                            { "notify": "audit.tell", "minutes": 60 }] },
 *     "zones": {
 *       "planner": { "kind": "planner", "session": "per-message",
 *                    "deadline_ms": 300000, "max_sessions": 4,
 *                    "max_calls_per_minute": 6000 },
 *       "mail": { "kind": "reader", "channel": ["mail", "text"],
 *                 "suspect": "withhold",
 *                 "require": ["filter", "no-network", "probes",
 *                             "profile"],
 *                 "provider": "microvm", "isolation": "gvisor",
 *                 "memory_mb": 256, "cpus": 1, "warm": 1,
 *                 "recycle_after": 100, "recycle_minutes": 10 } },
 *     "inbox": { "max_items": 100000, "max_bytes": 2147483648,
 *                "keep_days": 30 },
 *     "deliver": { "channels": ["mail"], "max_per_minute": 600 },
 *     "operator": { "recipient": "age1..." },
 *     "reviewer": "trizone-reviewer",
 *     "resolver": { "servers": ["192.0.2.53", "[2001:db8::53]:5353"] },
 *     "accounts": { "broker": "trizone-broker", "auditor": 451, ... },
 *     "peers": { "planner": ["planner-user", 1001], "deliver": ["mail"],
 *                "operator": ["root"] } }
 *
 * Mandatory: version, state, run, policy, and of a zone its kind and a
 * reader's channel. The values shown for the others are their defaults, except
 * that a zone demands no provider, isolation or recycling, that without
 * "zones" nobody is served, without "deliver" nothing is taken,
 * without a recipient nothing can be sealed and what was decided on is not
 * kept, without a reviewer only root approves tickets, and without an entry
 * in "peers"
 * only root and the service's own user may connect to that socket. An entry
 * replaces that: it is the whole list.
 */
#ifndef TRIZONE_EXECUTOR_CONFIG_H
#define TRIZONE_EXECUTOR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/json.h"
#include "executor/accounts.h"
#include "executor/firewall/address.h"
#include "executor/inbox.h"
#include "executor/machine.h"

#define CONFIG_MAX_BYTES (64u * 1024) /* a file somebody can still review */
#define CONFIG_MAX_ZONES 16u	      /* each is a socket and a process */
#define CONFIG_MAX_PEERS 32u	      /* users on one socket */
#define CONFIG_MAX_PATH_BYTES 1024u   /* the shortest PATH_MAX we meet */
#define CONFIG_MAX_ANCHORS 8u	      /* each is told every head */
#define CONFIG_MAX_PEOPLE 1000u	      /* of each list; fits in the file */
#define CONFIG_MAX_SERVERS 8u	      /* for names; some are enough */
#define CONFIG_SERVER_BYTES 56u	      /* "[address]:port" and NUL */
#define CONFIG_SOCKET_BYTES 104u      /* sun_path of macOS, NUL included */

/* What readers read: mail, and text that calls bring back. */
enum reader_channel { CHANNEL_MAIL, CHANNEL_TEXT, CHANNEL_COUNT };

#define CHANNEL_BIT(channel) (1u << (channel))

/* What becomes of an item that a reader's detector finds suspect. */
enum suspect_way {
	SUSPECT_WITHHOLD, /* it waits for a person */
	SUSPECT_PASS,	  /* a planner gets it as any other */
	SUSPECT_NARROW,	  /* a planner gets narrow fields of it */
	SUSPECT_WAYS
};

enum zone_kind { ZONE_PLANNER, ZONE_READER, ZONE_KIND_COUNT };

/* Users that may connect to a socket; none if count is 0. */
struct config_peers {
	uid_t uid[CONFIG_MAX_PEERS];
	size_t count;
};

/* Mail addresses, in the canonical form of value.h. */
struct config_people {
	char **address;
	size_t count;
};

/* How a zone's machines have to be; any zone's. */
struct config_machine {
	enum provider provider;	  /* ANY: whatever suits the system */
	enum isolation isolation; /* the least that is accepted */
	uint32_t memory_mb, cpus;
	uint32_t warm; /* connections that are kept attached */
	uint32_t recycle_after, recycle_minutes; /* 0: the provider's */
};

struct config_zone {
	char *name;
	enum zone_kind kind;
	enum session_mode session;     /* planners */
	uint32_t deadline_ms;	       /* planners: of one session */
	uint32_t max_sessions;	       /* connections at the same time */
	uint32_t max_calls_per_minute; /* planners: of the whole zone */
	unsigned channels;	  /* readers: CHANNEL_BIT of each; else 0 */
	enum suspect_way suspect; /* readers */
	char *trust_auth; /* readers: hosts, commas between; NULL: none */
	char *account;	  /* NULL: that of its kind */
	uint32_t needs;	  /* bits of enum lock_need: what it has to attest */
	struct config_machine machine;
	struct config_peers peers;
};

/* A place that is told starts and heads of the audit. */
struct policy;

struct config_anchor {
	const char *kind; /* "file", "syslog", "notify" */
	char *place;	  /* a path, "", or a capability's name */
	uint32_t minutes; /* of notify: between two lines */
};

/* How much of what was decided on is kept, beside the audit. */
struct config_inputs {
	char *recipient; /* NULL: nothing */
	uint64_t total_bytes;
	uint32_t keep_days;
};

/* How much of the audit itself is kept; 0: all of it. */
struct config_keep {
	uint64_t bytes;
	uint32_t days;
};

/* A server that names are looked up with. */
struct config_server {
	struct address address;
	uint16_t port;
};

struct config {
	char *state, *run, *policy, *audit; /* absolute paths */
	struct config_zone *zones;	    /* in the order of the file */
	size_t zone_count;
	struct inbox_limits inbox; /* what the file cannot say is 0 */
	char **deliver_channels;   /* each has its reader among the zones */
	size_t deliver_channel_count;
	uint32_t deliver_per_minute;
	struct config_peers deliver_peers;
	struct config_peers operator_peers;
	/* Who announces machines of zones, besides root and our own user. */
	struct config_peers machine_peers;
	struct config_inputs audit_inputs;
	struct config_anchor audit_anchors[CONFIG_MAX_ANCHORS];
	size_t audit_anchor_count;
	struct config_keep audit_keep;
	/* Who may approve besides root: one user, or none. */
	struct config_peers reviewer;
	char *operator_recipient;	/* NULL: none */
	struct config_people own, book; /* the operator's; who he knows */
	char *accounts[ACCOUNT_ROLES];	/* never NULL */
	struct config_server servers[CONFIG_MAX_SERVERS];
	size_t server_count; /* 0: those of the system */
};

/* "withhold"; NULL for none. */
const char *suspect_way_name(enum suspect_way way);
const char *zone_kind_name(enum zone_kind kind);
const char *config_channel_name(enum reader_channel channel);

/* Read the text of a configuration whose folder is `folder`; absolute, or the
 * policy's path is not. Looks up the user names in it. On failure `where` says
 * what and where. Free with config_free (NULL is fine). */
int config_parse(struct span text, const char *folder,
    struct config **config_out, struct json_error *where);

/* The same where there are no names to be looked up: each peer that is a name
 * is nobody, until config_peers_unpack. */
int config_parse_again(struct span text, const char *folder,
    struct config **config_out, struct json_error *where);

/* Who may connect to which socket, in the order zones, operator, deliver, who
 * announces machines, and the reviewer, as numbers: what the parent has looked
 * up, for the broker. Returns how many there are, at most `room`; -ERR_RANGE if
 * it is another number. */
size_t config_peers_pack(
    const struct config *config, struct config_peers *out, size_t room);
int config_peers_unpack(
    struct config *config, const struct config_peers *in, size_t count);

/* Whether an anchor of the audit is that capability, so that no zone gets at
 * it. */
bool config_is_anchor(const struct config *config, struct span capability);
/* Whether the anchors that are capabilities can be: 0, or -ERR_CONFIG and a
 * reason. */
int config_check_anchors(const struct config *config,
    const struct policy *policy, char *reason, size_t room);

/* The account of a role: its name or number. */
const char *config_account(const struct config *config, const char *role);
/* The same of a zone: its own, or that of its kind. */
const char *config_zone_account(
    const struct config *config, const struct config_zone *zone);
void config_free(struct config *config);

/* Read a file into `out` (cleared; its max is the limit) that nobody but root
 * and our own user can change: a regular file in such a folder. Otherwise
 * -ERR_CONFIG, -ERR_NOT_FOUND, -ERR_TOO_LARGE, ... and `reason` says how to
 * mend it. config_file.c. */
int config_read_file(
    const char *path, struct buf *out, char *reason, size_t room);

/* The configuration in the file at `path`; NULL with the reason in `where`
 * (where->line is 0 if it is about the file itself). */
struct config *config_load(const char *path, struct json_error *where);

/* The zone of that name or, of a reader, with that channel; NULL if none. */
const struct config_zone *config_zone(
    const struct config *config, struct span name);
const struct config_zone *config_reader(
    const struct config *config, enum reader_channel channel);

/* "192.0.2.53", with a port behind it or not; "[2001:db8::53]:53". */
bool config_server_read(struct span text, struct config_server *out);
/* "192.0.2.53:53", "[2001:db8::53]:53". */
void config_server_format(
    const struct config_server *server, char out[CONFIG_SERVER_BYTES]);

/* The servers of the configuration or, if it has none, those that the file at
 * `path` names in the way of resolv.conf(5). Their number; 0: there are none.
 */
size_t config_servers(const struct config *config, const char *path,
    struct config_server out[CONFIG_MAX_SERVERS]);

/* Whether messages of that channel can be delivered in this version. */
bool config_channel_known(struct span channel);

bool config_peer_allowed(const struct config_peers *peers, uid_t uid);

/* In words, for `check`; and as one JSON object. */
void config_print(const struct config *config, struct buf *out);
void config_print_json(const struct config *config, struct buf *out);

/* "policy.json:12:7: unknown key: "colour"" for an error in `file`. */
void config_error_text(
    const char *file, const struct json_error *where, char *out, size_t room);

#endif
