/*
 * What the files of kind_remote share; nobody else includes this.
 */
#ifndef TRIZONE_EXECUTOR_KIND_REMOTE_IMPL_H
#define TRIZONE_EXECUTOR_KIND_REMOTE_IMPL_H

#include "executor/kind_remote.h"

/* One setting; what its type has no use for is NULL or 0. */
struct remote_value {
	char *text;
	int64_t number;
	char **lines;
	size_t count;
};

struct remote_settings {
	const struct remote_method *row;
	struct schema *base; /* of the method: no policy widens it */
	struct kind_effects effects;
	struct remote_value values[REMOTE_SETTINGS_MAX];
};

/* The value of a setting, or NULL: the method has none of that name. */
const struct remote_value *remote_value_of(
    const struct remote_settings *settings, const char *key);

#endif
