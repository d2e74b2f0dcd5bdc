/*
 * Which couriers a policy needs: one per kind without a credential. Parent,
 * broker and auditor come to the same numbers because they read the same
 * policy with this function.
 */
#ifndef TRIZONE_EXECUTOR_PLAN_H
#define TRIZONE_EXECUTOR_PLAN_H

#include <stdint.h>

#include "executor/policy.h"

#define COURIERS_MAX 32 /* kinds now, kinds and credentials later */

/* In the place of a number: no courier performs this kind yet. */
#define PLAN_NO_COURIER UINT32_MAX

struct plan {
	uint32_t couriers;
	const struct kind *kind[COURIERS_MAX];
	uint32_t courier_of[POLICY_MAX_CAPABILITIES]; /* by capability */
};

/* 0, or -ERR_LIMIT if the policy needs more than COURIERS_MAX. */
int plan_make(const struct policy *policy, struct plan *out);

#endif
