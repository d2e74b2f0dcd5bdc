/*
 * What is wrong with a policy that loads: rules that never decide, rules that
 * say more than they mean, and what undoes a guard. Reports only what is
 * certain of the policy as it stands. Pure but for memory.
 */
#ifndef TRIZONE_EXECUTOR_POLICY_LINT_H
#define TRIZONE_EXECUTOR_POLICY_LINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"
#include "executor/policy.h"

enum lint_code {
	LINT_UNREACHABLE,   /* a rule that decides no call */
	LINT_WIDE,	    /* allows what acts, on no condition */
	LINT_UNUSED,	    /* a capability nothing allows or asks about */
	LINT_SHARED_SECRET, /* a credential of several capabilities */
	LINT_UNDONE_FLOOR,  /* excepted from the floor, and the model says
			       where it goes after untrusted words */
	LINT_MODEL_GOES,    /* model_after_untrusted of a destination */
	LINT_UNLIMITED,	    /* something leaves and per_hour is not given */
	LINT_NO_COURIER,    /* a note: it cannot be done yet */
	LINT_WIDE_RANGE,    /* of the firewall: nearly any address */
	LINT_NO_HOSTS,	    /* a note: an account that reaches nothing */
	LINT_CODE_COUNT
};

/* "unreachable" */
const char *lint_name(enum lint_code code);
/* Not wrong, but worth knowing. */
bool lint_is_note(enum lint_code code);

/* Call `found` for each thing. `rule` and `capability` are names or NULL;
 * the text lives for the call. */
void policy_lint(const struct policy *policy,
    void (*found)(void *context, enum lint_code code, const char *rule,
	const char *capability, const char *text),
    void *context);

/* Whether no call of the capability can be decided by the rule with that
 * index; `by` is then the earlier rule that takes all of them, or the rule's
 * own index if it matches none. False: there may be one. */
bool rule_is_unreachable(const struct policy *policy, uint32_t index,
    uint32_t capability, uint32_t *by_out);

#endif
