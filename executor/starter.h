/*
 * Policies to start from: the files of executor/starters, built in.
 */
#ifndef TRIZONE_EXECUTOR_STARTER_H
#define TRIZONE_EXECUTOR_STARTER_H

#include <stddef.h>

struct starter {
	const char *name; /* "mail-triage" */
	const unsigned char *policy;
	size_t policy_bytes;
	const unsigned char *tests;
	size_t tests_bytes;
};

extern const struct starter starters[];
extern const size_t starter_count;

#endif
