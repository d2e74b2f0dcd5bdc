/*
 * Policy -> couriers. Pure.
 */
#include "executor/plan.h"

#include <string.h>

#include "common/err.h"

static uint32_t
find_courier(const struct plan *plan, const struct kind *kind)
{
	uint32_t i = 0;

	while (i < plan->couriers && plan->kind[i] != kind)
		i++;
	return i;
}

int
plan_make(const struct policy *policy, struct plan *out)
{
	size_t count = policy_capability_count(policy);

	memset(out, 0, sizeof *out);
	for (uint32_t i = 0; i < count; i++) {
		const struct kind *kind = policy_capability(policy, i)->kind;
		uint32_t courier;

		out->courier_of[i] = PLAN_NO_COURIER;
		if (kind->run == NULL)
			continue;
		courier = find_courier(out, kind);
		if (courier == COURIERS_MAX)
			return -ERR_LIMIT;
		if (courier == out->couriers)
			out->kind[out->couriers++] = kind;
		out->courier_of[i] = courier;
	}
	return 0;
}
