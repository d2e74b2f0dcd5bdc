/*
 * The list of system calls that every role has.
 */
#include "common/lock.h"

const struct call_row common_calls[] = {
#define CALL(name, match, action, why)                                         \
	{#name, UINT32_MAX, CALL_##match, CALL_##action, why},
#include "common/call.def"
#undef CALL
};

const size_t common_call_count = sizeof common_calls / sizeof common_calls[0];
