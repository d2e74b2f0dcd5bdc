/*
 * The reader's profiles.
 */
#include "reader/profile.h"

#include "reader/limits.h"

enum { ZONE = 1, FILTER = 2, WORKER = 4 };

static const struct call_row calls[] = {
#define CALL(name, roles, match, action, why)                                  \
	{#name, roles, CALL_##match, CALL_##action, why},
#include "reader/call.def"
#undef CALL
};

#define CALLS .calls = calls, .call_count = sizeof calls / sizeof calls[0]

/* Its own memory is one item and one result; the limit is that of a worker,
 * which inherits it. Processes are of the user: an instance has itself, who
 * waits for it, its worker and, at its start, one that tries the ways out; and
 * there are up to 17 instances of a zone, and two zones. */
const struct lock_profile reader_profile = {
    .role = "reader",
    .bit = ZONE,
    .flags = LOCK_OFFLINE | LOCK_FORKS,
    .namespaces = LOCK_NET | LOCK_MOUNT | LOCK_IPC | LOCK_UTS | LOCK_PID,
    .limits = {.descriptors = 64,
	.processes = 160,
	.group_processes = 24, /* an instance's own, with workers that linger */
	.cpu_percent = 100,
	.nice = 10,
	.one_processor = true,
	.memory = WORKER_MEMORY_BYTES,
	.file_size = UINT64_C(64) << 20},
    CALLS,
};

const struct lock_profile filter_profile = {
    .role = "filter",
    .bit = FILTER,
    .flags = LOCK_FORKS,
    .limits = {.descriptors = 64, .memory = WORKER_MEMORY_BYTES},
    CALLS,
};

const struct lock_profile worker_profile = {
    .role = "worker",
    .bit = WORKER,
    CALLS,
};
