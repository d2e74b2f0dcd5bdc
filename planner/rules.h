/*
 * The rules engine: deterministic rules (rules.5) over one clean message that
 * become capability calls. Pure: it opens, sends and logs nothing, and the
 * same rules and message always give the same calls. The rules are the
 * operator's; the message is hostile and enters a call only where a rule says
 * so, as data.
 */
#ifndef TRIZONE_PLANNER_RULES_H
#define TRIZONE_PLANNER_RULES_H

#include "common/buf.h"
#include "common/json.h"
#include "common/text.h"

#define RULES_MAX_BYTES (1u << 20)	      /* 1,000 rules of 1,000 bytes */
#define RULES_MAX_COUNT 1000		      /* a person can still read them */
#define RULES_MAX_CONDITIONS 64		      /* in one list of one rule */
#define RULES_MAX_CALLS 16		      /* for one message */
#define RULES_MAX_ARGUMENT_BYTES (64u * 1024) /* one call's, as JSON */
#define RULES_MAX_PARTS 32		      /* of one $join */
#define RULES_MAX_NEEDLE 256		      /* bytes of contains and others */
#define RULES_MAX_POINTER 256		      /* bytes of one field */
#define RULES_MAX_CHARS 10000		      /* longest text taken over */
#define RULES_DEFAULT_CHARS 1000	      /* where max_chars is not given */

struct rules;

/* Read a rules file of at most RULES_MAX_BYTES; the text is copied. Refuses
 * unknown keys, rules without a reason, calls whose arguments could pass
 * RULES_MAX_ARGUMENT_BYTES for some message, and rules that could lead to more
 * than RULES_MAX_CALLS if a message matched them all. Returns 0 or a negative
 * error with its place in `where` (may be NULL). Free with rules_free. */
int rules_parse(
    struct span text, struct rules **rules_out, struct json_error *where);

/* NULL is fine. */
void rules_free(struct rules *rules);

/* One call a message led to: the capability's name, its arguments (one JSON
 * object, gone when the function returns) and the rule, "otherwise" if none
 * matched. Name and rule live as long as the rules. Returns 0, or a negative
 * error that ends the run. */
typedef int rules_sink(
    struct span call, struct span arguments, struct span rule, void *context);

/* Match the message at `root` of `clean` and give each call to `sink`, in the
 * order of the rules. Returns the number of calls, at most RULES_MAX_CALLS;
 * -ERR_TYPE if the message is no object; or what `sink` returned. Time is
 * linear in the message for each condition; memory is at most three times
 * RULES_MAX_ARGUMENT_BYTES. */
int rules_run(const struct rules *rules, const struct json_doc *clean,
    const struct json_node *root, rules_sink *sink, void *context);

/* Append what the rules do, in words, one line for each part. */
void rules_print(const struct rules *rules, struct buf *out);

#endif
