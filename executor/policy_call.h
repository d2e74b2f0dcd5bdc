/*
 * A call as an operator writes it down for explain and test: what was asked,
 * by a session that knows what.
 *
 *   { "capability": "mail.send", "arguments": { ... },
 *     "zone": "planner",                           these are the defaults:
 *     "legs": ["A", "B", "C"],                     none
 *     "words": "the operator's own words",         none
 *     "known": [{ "value": "ann@example.org", "type": "address",
 *                 "origins": ["verified"] }],      none; of no type: of each
 *     "objects": [{ "what": "mail", "id": "17", "title": "Lunch",
 *                   "mine": false }],              none
 *     "origins": { "destination": ["party"] },     as found
 *     "used_hour": 0,
 *     "time": "mon 08:30" or "week_minute": 510 }  mon 00:00
 *
 * "origins" supposes where all values of a role come from, whatever words and
 * known say. An unknown key is an error.
 */
#ifndef TRIZONE_EXECUTOR_POLICY_CALL_H
#define TRIZONE_EXECUTOR_POLICY_CALL_H

#include "executor/policy.h"
#include "executor/policy_impl.h"

#define CALL_MAX_BYTES (1u << 20) /* a frame */

struct policy_call {
	struct facts *facts;
	unsigned supposed[FROM_COUNT];
	struct decide_request request; /* its spans are the document's */
};

/* Fill `call` from the object `node`; the document has to outlive it. 0, or a
 * negative error with its place; policy_call_done in any case. */
int policy_call_read(const struct json_doc *doc, const struct json_node *node,
    struct policy_call *call, struct json_error *where);
void policy_call_done(struct policy_call *call);

/* "mon 08:30" as minutes of a week; WEEK_MINUTES if it is none. And back. */
uint32_t week_minute_read(struct span text);
void week_minute_format(uint32_t minute, char out[16]);

#endif
