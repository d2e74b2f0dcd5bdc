/*
 * Limits of a policy, beside the ceiling each capability has: how much of what,
 * per whom, within a sliding window. What one call takes of them is told here;
 * what was taken is counted in counter.h; decide() compares.
 */
#ifndef TRIZONE_EXECUTOR_LIMIT_H
#define TRIZONE_EXECUTOR_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"
#include "executor/kind.h"

#define POLICY_MAX_LIMITS 32
#define LIMIT_WINDOW_MIN_MS INT64_C(60000)
#define LIMIT_WINDOW_MAX_MS (INT64_C(31) * 24 * 3600 * 1000)

enum limit_of {
	LIMIT_CALLS,
	LIMIT_BYTES,  /* of the arguments of calls that leave */
	LIMIT_MONEY,  /* in hundredths of what the kind's argument says */
	LIMIT_TOKENS, /* what the kind's argument allows at most */
	LIMIT_OF_COUNT
};

enum limit_per {
	LIMIT_CAPABILITY,
	LIMIT_SESSION,
	LIMIT_DESTINATION, /* of a call that names none: its capability */
	LIMIT_PER_COUNT
};

/* "calls"; and "session". */
const char *limit_of_name(enum limit_of of);
const char *limit_per_name(enum limit_per per);

struct policy;

struct limit {
	char *id;
	char *why;
	enum limit_of of;
	enum limit_per per;
	int64_t window_ms;
	uint64_t most; /* money in hundredths */
	bool deny;     /* else: ask */
};

/* The policy's, in the order of the file; lives as long as it. */
size_t policy_limit_count(const struct policy *policy);
const struct limit *policy_limit(const struct policy *policy, size_t index);
/* Whether it speaks of the capability of that number. */
bool policy_limit_names(
    const struct policy *policy, size_t index, uint32_t capability);

#define AMOUNT_UNKNOWN UINT64_MAX /* counts as more than any limit */

/* What one call takes. Money and tokens are unknown where the kind declares
 * such an argument (kind.h) and the call has none, or none that is a plain
 * number of at least 0. Pure. */
struct amounts {
	uint64_t of[LIMIT_OF_COUNT];
};
void amounts_of(const struct json_doc *doc, const struct json_node *arguments,
    const struct kind_effects *effects, bool leaves,
    struct amounts *amounts_out);

/* A decimal number in hundredths, rounded up; AMOUNT_UNKNOWN for what has an
 * exponent, is below 0, or is too large. */
uint64_t amount_parse(struct span text);

/*
 * Whom a call is counted for. Keys are hashes, so that a destination of any
 * length takes the same room.
 */
#define COUNT_KEY_BYTES 16
#define DESTINATIONS_MAX 16u
#define DESTINATION_LABEL_BYTES 64

struct count_keys {
	unsigned char capability[COUNT_KEY_BYTES];
	unsigned char session[COUNT_KEY_BYTES];
	unsigned char destination[DESTINATIONS_MAX][COUNT_KEY_BYTES];
	uint32_t destinations; /* at least 1 */
	bool too_many;	       /* more than fit: counts as exhausted */
};

/* The destinations for people: cut, NUL-terminated UTF-8. */
typedef char destination_labels[DESTINATIONS_MAX][DESTINATION_LABEL_BYTES];

void count_keys_fill(struct count_keys *keys, const char *capability,
    int64_t session, const struct json_doc *doc,
    const struct json_node *arguments, const struct kind_effects *effects,
    destination_labels labels);

#endif
