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
 *                       "markup": "text" | "keep" } } ],
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
 *     "limits": [
 *       { "id": "pay", "why": "...", "capability": "*" | ...,
 *         "of": "calls" | "bytes" | "money" | "tokens",
 *         "per": "capability" | "session" | "destination",
 *         "window": "24h", "most": 100, "verdict": "deny" | "ask" } ],
 *     "leak": { (optional, each member too)
 *       "bytes_per_destination": 65536, "bytes_per_session": 262144,
 *       "verdict": "ask" | "deny" },
 *     "floor": { "verdict": "ask" | "deny", (optional)
 *       "exceptions": [{ "capability": ..., "why": "..." }] } }
 *
 * Every key above is mandatory unless it says optional ("limits" and
 * "outbound" are; of a capability: 1,000 an hour, and see outbound.h: defang and
 * text, or allow and keep for a method that is verbatim), an unknown one is an error. Names and ids are as in name.h, effects
 * as in kind.h, origins as in facts.h. A missing or empty list of capabilities
 * or rules means none. "*" stands for every capability; a rule that allows may
 * have it only with "from" or an effect that calls do not have.
 *
 * Verdicts: allow, ask, deny. First match wins. An `ask` is a refusal that
 * says a human has to decide, until tickets exist. These rules are built in,
 * and no rule of the file may have their ids:
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
	char *schema_text; /* JSON, as written or the method's default */
	char *source;	   /* JSON of the whole instance, for its courier */
	uint32_t per_hour; /* hard ceiling; broker and courier both count */
	struct outbound outbound;
};

struct policy;

/* Read a policy. On failure `where` says what and where. The snapshot is
 * immutable; free with policy_free (NULL is fine). */
int policy_parse(
    struct span text, struct policy **policy_out, struct json_error *where);
void policy_free(struct policy *policy);

size_t policy_capability_count(const struct policy *policy);
const struct capability *policy_capability(
    const struct policy *policy, uint32_t number);
const struct capability *policy_find(
    const struct policy *policy, struct span name);

/* One capability object alone, as a courier gets it (capability.source);
 * its number is given by the caller. Free with capability_free. */
int capability_parse(struct span text, uint32_t number,
    struct capability **capability_out, struct json_error *where);
void capability_free(struct capability *capability);

/* What was taken before, see counter.h. */
struct decide_used {
	const uint64_t *limits; /* of each limit of the policy, in its order */
	/* Bytes that leaked: of the session, and to the destination of this
	 * call that got most. AMOUNT_UNKNOWN: as much as there can be. */
	uint64_t leak_session, leak_destination;
};

/* What a decision looks at. All borrowed. */
struct decide_request {
	struct span capability; /* name as the planner sent it */
	const struct json_doc *doc;
	const struct json_node *arguments; /* an object */
	struct span zone;
	unsigned legs;		   /* enum leg bits the session has */
	const struct facts *facts; /* what it knows; NULL: nothing */
	uint32_t used_hour; /* calls of this capability in the last hour */
	const struct decide_used *used; /* NULL: nothing was */
	uint32_t week_minute;		/* local time, from Monday 0:00 */
};

/* Enum effect bits of this call, which may be fewer than its method's. */
unsigned call_effects(
    const struct decide_request *request, const struct kind_effects *effects);

struct decision {
	enum verdict verdict;
	int error; /* 0 when allowed; ERR_DENIED, ERR_SCHEMA, ... */
	const struct capability *capability; /* NULL: there is none */
	const char *rule;	/* id; lives as long as the policy */
	const char *why;	/* the rule's reason; as long as the policy */
	uint32_t rule_number;	/* position, from 1; 0 for built-in rules */
	unsigned adds_legs;	/* legs the session gets if this is done */
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

/* In words: every capability, every rule, what is denied. For `check`. */
void policy_print(const struct policy *policy, struct buf *out);
/* The same as one JSON object. */
void policy_print_json(const struct policy *policy, struct buf *out);

#endif
