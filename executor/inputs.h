/*
 * What a decision was made from, as one JSON text: written by the broker when
 * it decides, read by `policy replay`. Pure.
 *
 *   { "v": 1, "time_ms": ..., "week_minute": ..., "session": ..., "zone": ...,
 *     "capability": ..., "legs": ..., "used_hour": ..., "policy": "<sha256>",
 *     "limits": [[id, of, per, window_ms, amount], ...],
 *     "leak": [of the session, to the destination],
 *     "verdict": ..., "rule": ..., "error": ...,
 *     "values": [[node, link, type, what, origins], ...],
 *     "arguments": { ... } }
 *
 * Arguments are the planner's bytes, which the parser has checked, as outbound
 * rules have rewritten them; limits and leak are the counters before; values
 * say of each where it came from (struct decide_value), origins as bits by the
 * names of facts.h in their order there.
 */
#ifndef TRIZONE_EXECUTOR_INPUTS_H
#define TRIZONE_EXECUTOR_INPUTS_H

#include "common/sha256.h"
#include "executor/policy.h"

/* What a limit of the policy had counted. */
struct inputs_used {
	struct span id;
	enum limit_of of;
	enum limit_per per;
	int64_t window_ms;
	uint64_t amount;
};

struct inputs {
	struct decide_request request; /* values set, facts not */
	int64_t time_ms;	       /* since 1970 */
	int64_t session;
	unsigned char policy[SHA256_BYTES]; /* what decided */
	enum verdict verdict;		    /* what it said */
	struct span rule;
	uint32_t error; /* of the answer to the planner, 0: none */
	/* Counters as they stood; the first used_count. */
	struct inputs_used used_limits[POLICY_MAX_LIMITS];
	size_t used_count;
	uint64_t used_leak[2]; /* of the session, of the destination */
	/* inside: what inputs_use makes of them */
	uint64_t limits[POLICY_MAX_LIMITS];
	bool missing[POLICY_MAX_LIMITS];
	struct decide_used used;
	struct decide_value values[DECIDE_VALUES_MAX];
};

/* Note the counters of request.used, which may be NULL, and whose limits they
 * are. Borrows from the policy. */
void inputs_note_used(struct inputs *inputs, const struct policy *policy);
/* Give them to the request, for a policy that may have other limits. */
void inputs_use(struct inputs *inputs, const struct policy *policy);

/* Append the text. `inputs->values` hold the first request.value_count. 0 or
 * -ERR_TOO_LARGE. */
int inputs_write(const struct inputs *inputs, struct buf *out);

/* Read one. What is in *out borrows from `doc` and from the struct itself, so
 * it must not be moved. 0, the error of json_parse, or -ERR_MISSING_KEY,
 * -ERR_TYPE, -ERR_RANGE, -ERR_UNKNOWN_KEY. */
int inputs_parse(struct json_doc *doc, struct span text, struct inputs *out);

/* The list of values alone, which tickets keep too. */
void inputs_put_values(
    struct json_writer *w, const struct decide_value *values, size_t count);
/* Read it; `what` of each borrows from `doc`. 0, -ERR_TYPE or -ERR_RANGE. */
int inputs_read_values(const struct json_doc *doc, const struct json_node *list,
    struct decide_value out[DECIDE_VALUES_MAX], size_t *count_out);

#endif
