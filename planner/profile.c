/*
 * The planner's profile.
 */
#include "planner/profile.h"

static const struct call_row calls[] = {
#define CALL(name, match, action, why)                                         \
	{#name, 1, CALL_##match, CALL_##action, why},
#include "planner/call.def"
#undef CALL
};

const struct lock_profile planner_profile = {
    .role = "planner",
    .bit = 1,
    .flags = LOCK_OFFLINE,
    .namespaces = LOCK_NET | LOCK_MOUNT | LOCK_IPC | LOCK_UTS | LOCK_PID,
    /* one channel and what waits for it; an instance has two processes and a
     * zone up to 64 instances; rules and a few frames; nothing on disk but its
     * log, where that is a file */
    .limits = {.descriptors = 32,
	.processes = 256,
	.cpu_percent = 100,
	.nice = 5,
	.memory = UINT64_C(512) << 20,
	.file_size = UINT64_C(64) << 20},
    .calls = calls,
    .call_count = sizeof calls / sizeof calls[0],
};
