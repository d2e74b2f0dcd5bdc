/*
 * The policy: capabilities (the operator's instances of kinds) and rules, read
 * from policy.json into an immutable snapshot; and decide(), the one pure
 * function every decision comes from. Nothing here opens, sends or logs.
 *
 * policy.json:
 *   { "version": 1,
 *     "capabilities": [
 *       { "name": "file.read", "kind": "file", "method": "read",
 *         "why": "...", "settings": { "root": "/srv/notes" },
 *         "arguments": { JSON Schema }, (optional: the method's default)
 *         "limits": { "per_hour": 100 },
 *         "outbound": { "links": "allow" | "defang" | "ask" | "deny",
 *                       "markup": "text" | "keep" },
 *         "audit": { "destination": "whole" | "domain" | "none" } } ],
 *     "rules": [
 *       { "id": "read-notes", "why": "...", "verdict": "allow",
 *         "capability": "file.read" | ["file.read", ...],
 *         "zone": "planner", (optional)
 *         (optional, each narrows the rule:)
 *         "arguments": { JSON Schema },
 *         "without_legs": ["A", "B"],
 *         "effects": { "has": [EFFECT, ...], "not": [EFFECT, ...] },
 *         "from": { "destination" | "object" | "title" | "content" |
 *                   "selector" | "links": [ORIGIN, ...] },
 *         "model_after_untrusted": "why the model's words are accepted when
 *                                  it has read a stranger's",
 *         "hours": { "from": "08:00", "to": "18:00", "days": ["mon"] } } ],
 *     "extracts": [ see extract.h ], (optional)
 *     "limits": [
 *       { "id": "pay", "why": "...", "capability": "*" | ...,
 *         "of": "calls" | "bytes" | "money" | "tokens",
 *         "per": "capability" | "session" | "destination",
 *         "window": "24h", "most": 100, "verdict": "deny" | "ask" } ],
 *     "leak": { (optional, each member too)
 *       "bytes_per_destination": 65536, "bytes_per_session": 262144,
 *       "verdict": "ask" | "deny" },
 *     "floor": { "verdict": "ask" | "deny", (optional)
 *       "exceptions": [{ "capability": ..., "why": "..." }] },
 *     "firewall": { see firewall/model.h } } (optional)
 *
 * Every key above is mandatory unless it says optional ("limits",
 * "outbound" and "audit" are; of a capability: 1,000 an hour, see outbound.h:
 * defang and text, or allow and keep for a method that is verbatim, and whole),
 * an unknown one is an error. Names and ids are as in name.h, effects as in
 * kind.h, origins as in facts.h. A missing or empty list of capabilities or
 * rules means none. "*" stands for every capability; a rule that allows may
 * have it only with "from" or an effect that calls do not have.
 *
 * Verdicts: allow, ask, deny. First match wins. An `ask` makes a ticket that a
 * person decides about (ticket.h). These rules are built in, and no rule of
 * the file may have their ids:
 *   floor          a rule allows it, but with it the session has all three
 *                  legs (DENIED; asks, or denies if the policy says so)
 *   reference      a handle in the arguments is none of the session's, has no
 *                  such field, or stands where the kind takes none
 *   no-capability  there is no capability of that name     (ERR_DENIED)
 *   arguments      they do not fit its schema, or whether they fit it or a
 *                  rule takes too much work to find out    (ERR_SCHEMA)
 *   kind           its kind never takes such arguments     (kind->check's)
 *   limit          a rule would allow or ask, but the capability was used
 *                  per_hour times, or a limit would be passed (ERR_LIMIT; asks
 *                  if that limit says so)
 *   outbound       a rule allows it, but its text has a novel link (asks or
 *                  denies, as the capability says)
 *   leak           a rule allows it, but it would leak more than a cap (asks,
 *                  or denies, as the policy says)
 *   default        no rule matched                         (ERR_DENIED)
 * They are looked at in this order, the first three before any rule.
 */
#ifndef TRIZONE_EXECUTOR_POLICY_H
#define TRIZONE_EXECUTOR_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"
#include "executor/destination.h"
#include "executor/firewall/model.h"
#include "executor/kind.h"
#include "executor/limit.h"
#include "executor/outbound.h"

#define POLICY_MAX_BYTES (1u << 20) /* 10,000 rules of 100 bytes */
#define POLICY_MAX_CAPABILITIES 256 /* fits the order header's number */
#define POLICY_MAX_RULES 10000

enum leg {
	LEG_A = 1, /* has seen untrusted words */
	LEG_B = 2, /* has seen private data */
	LEG_C = 4  /* has caused an effect outside */
};

enum verdict { VERDICT_ALLOW, VERDICT_ASK, VERDICT_DENY, VERDICT_COUNT };

const char *verdict_name(enum verdict verdict);

struct schema; /* executor/schema.h */
struct facts;  /* executor/facts.h */

struct capability {
	uint32_t number; /* index in the snapshot, the number in orders */
	char *name;
	char *why;
	const struct kind *kind;
	const struct kind_method *method;
	void *settings;
	const struct kind_effects *effects; /* the settings' or the method's */
	struct schema *arguments;
	char *schema_text;   /* JSON, as written or the method's default */
	char *source;	     /* JSON of the whole instance, for its courier */
	uint32_t per_hour;   /* hard ceiling; broker and courier both count */
	bool per_hour_given; /* by the policy; else it is the default */
	struct outbound outbound;
	enum destination_kept destination; /* what a record has of it */
};

struct policy;
struct extract; /* executor/extract.h */

/* Read a policy. On failure `where` says what and where. The snapshot is
 * immutable; free with policy_free (NULL is fine). */
int policy_parse(
    struct span text, struct policy **policy_out, struct json_error *where);
void policy_free(struct policy *policy);

/* Accounts and the hosts each may reach; their numbers are not looked up. As
 * long as the policy; see model_copy. */
const struct model *policy_firewall(const struct policy *policy);

size_t policy_capability_count(const struct policy *policy);
const struct capability *policy_capability(
    const struct policy *policy, uint32_t number);
const struct capability *policy_find(
    const struct policy *policy, struct span name);

/* The extract of that name, or NULL; *number_out is its place, below
 * EXTRACTS_MAX. */
const struct extract *policy_extract(
    const struct policy *policy, struct span name, uint32_t *number_out);

/* One capability object alone, as a courier gets it (capability.source);
 * its number is given by the caller. Free with capability_free. */
int capability_parse(struct span text, uint32_t number,
    struct capability **capability_out, struct json_error *where);
void capability_free(struct capability *capability);

/*
 * Whether `new_one` may take the place of `old` while the service runs. 0, or
 * -ERR_WRONG_STATE and in `reason` what differs that needs a restart: another
 * set of accounts behind the firewall, or set or order of capabilities, and of
 * one all but its why, arguments, limits
 * and outbound rules, which includes every key that may come. Rules, the floor,
 * limits over windows and the leak meter's may all be different.
 * policy_change.c.
 */
int policy_change(const struct policy *old, const struct policy *new_one,
    char *reason, size_t room);
/* Of two instances of one capability: `to` gets why, schema, limits, outbound
 * rules and source of `from`, which is freed; its settings stay, with what is
 * open in them. */
void capability_renew(struct capability *to, struct capability *from);

/* Where one value of a call came from, as it was found when the call was
 * decided; for deciding it again. */
struct decide_value {
	uint32_t node;	      /* of the arguments, counted from theirs */
	uint32_t link;	      /* 0: the value; else that URL in it, from 1 */
	enum value_type type; /* what it was taken for */
	struct span what;     /* as kind_argument.what, or empty */
	unsigned origins;     /* enum origin bits */
};
#define DECIDE_VALUES_MAX 256u /* more: none is accepted */
/* A rule that "don't ask again" made out of a ticket: what rule `asked_by` (or
 * the floor, while it asks) would ask about is allowed, if it is this
 * capability, for this zone, with these arguments; with `any_content` titles
 * and contents may be others. All borrowed. */
struct again {
	char id[32]; /* "again:7" */
	struct span capability, zone, asked_by;
	bool any_content;
	const struct json_doc *doc;
	const struct json_node *arguments; /* an object */
};

/* What was taken before, see counter.h. */
struct decide_used {
	const uint64_t *limits; /* of each limit of the policy, in its order */
	/* Bytes that leaked: of the session, and to the destination of this
	 * call that got most. AMOUNT_UNKNOWN: as much as there can be. */
	uint64_t leak_session, leak_destination;
	/* Of each limit, whether nothing is known of it; NULL: of none. Only
	 * of what was recorded: a decision is `unknown` then, if it matters. */
	const bool *missing;
};

/* What a decision looks at. All borrowed. */
struct decide_request {
	struct span capability; /* name as the planner sent it */
	const struct json_doc *doc;
	const struct json_node *arguments; /* an object */
	struct span zone;
	unsigned legs;		   /* enum leg bits the session has */
	const struct facts *facts; /* what it knows; NULL: nothing */
	unsigned place_legs;	   /* that its place brings back, see kind.h */
	/* Instead of facts, if not NULL: what decide_values found before. */
	const struct decide_value *values;
	size_t value_count;
	uint32_t used_hour; /* calls of this capability in the last hour */
	const struct decide_used *used; /* NULL: nothing was */
	uint32_t week_minute;		/* local time, from Monday 0:00 */
	const struct again *again;	/* those that have not expired */
	size_t again_count;
	/* "What if", of the operator's commands only: origins of every value
	 * of a role (enum from of policy_impl.h) in the place of those found,
	 * 0: as found. NULL in live calls. */
	const unsigned *supposed;
};

/* Enum effect bits of this call, which may be fewer than its method's. */
unsigned call_effects(
    const struct decide_request *request, const struct kind_effects *effects);

struct decision {
	enum verdict verdict;
	int error; /* 0 when allowed; ERR_DENIED, ERR_SCHEMA, ... */
	const struct capability *capability; /* NULL: there is none */
	const char *rule;     /* id; as long as policy and request */
	const char *why;      /* the rule's reason; as long as the policy */
	uint32_t rule_number; /* position, from 1; 0 for built-in rules */
	unsigned adds_legs;   /* legs the session gets if this is done */
	/* A rule asked for the origin of a value that `values` do not have, or
	 * a limit for what `used` does not: of this request nothing is known.
	 * Never in a live call. */
	bool unknown;
	struct amounts amounts; /* what it takes, if it is */
	/* Bytes and number of its values that may be others' words or private:
	 * what leaks, if it is. */
	uint64_t leak_bytes;
	uint32_t leak_fields;
	char detail[200]; /* what exactly did not match; may be "" */
};

/* Pure: same inputs, same decision. No allocation. */
void decide(const struct policy *policy, const struct decide_request *request,
    struct decision *decision_out);

/* Where the values of a call came from, at most DECIDE_VALUES_MAX, in the order
 * of the arguments; returns how many. Their `what` lives as long as the policy.
 * Pure. */
size_t decide_values(const struct policy *policy,
    const struct decide_request *request, struct decide_value *out);
/* One value of a call: what it is for and whose words it is. */
struct label {
	const char *role;     /* "destination", ... or "links" */
	struct span argument; /* the member it stands in */
	struct span value;
	unsigned
	    origins; /* enum origin bits; 0: the request's values have none */
};
#define LABELS_MAX DECIDE_VALUES_MAX

/* The values of a call of capability `c`, in the order of its text; all of
 * them if there are at most LABELS_MAX. Returns how many. Pure. */
size_t decide_labels(const struct capability *c,
    const struct decide_request *request, struct label labels_out[LABELS_MAX]);

/* In words: every capability, every rule, what is denied. For `check`. */
void policy_print(const struct policy *policy, struct buf *out);
/* The same as one JSON object. */
void policy_print_json(const struct policy *policy, struct buf *out);

#endif
