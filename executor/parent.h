/*
 * Parent: reads the configuration, opens sockets and pipes for the others,
 * starts and reaps them. It never parses a byte that a zone wrote.
 */
#ifndef TRIZONE_EXECUTOR_PARENT_H
#define TRIZONE_EXECUTOR_PARENT_H

#include "common/text.h"
#include "executor/config.h"
#include "executor/plan.h"
#include "executor/policy.h"

/* What the parent starts from; all borrowed. */
struct parent_setup {
	const struct config *config;
	const struct policy *policy;
	struct span config_text; /* for the broker's own reading */
	struct span policy_text;
	const char *config_path; /* for helpers that read it themselves */
};

/* Serve until a signal or until a part dies; returns the exit status. */
int parent_run(const struct parent_setup *setup);

#endif
