/*
 * What the parent tells the auditor at its start, besides paths and the plan.
 */
#ifndef TRIZONE_EXECUTOR_AUDITOR_H
#define TRIZONE_EXECUTOR_AUDITOR_H

#include <stdbool.h>

#include "executor/audit_retain.h"

struct auditor_start {
	struct audit_keep keep;
	bool quiet; /* until it serves: that storage fails has been told */
	bool alone; /* there is no broker */
};

#endif
