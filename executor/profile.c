/*
 * Profiles of the executor's roles. The lists of system calls are in call.def;
 * limits and what else differs are here.
 */
#include "executor/profile.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

enum {
	PARENT = 1,
	BROKER = 2,
	AUDITOR = 4,
	FILE_COURIER = 8,
	NOTIFY_COURIER = 16,
	RESOLVER = 32,
	LISTENER = 64,
	RULES = 128, /* the parent, where the policy has a firewall */
	/* whose lists its children inherit */
	EVERYBODY = 31,
	EVERYBODY_AND_WALL = 255
};

/* A list names couriers by their kinds. */
#define FILE FILE_COURIER
#define NOTIFY NOTIFY_COURIER
static const struct call_row calls[] = {
#define CALL(name, roles, match, action, why)                                  \
	{#name, roles, CALL_##match, CALL_##action, why},
#include "executor/call.def"
#undef CALL
};
#undef FILE
#undef NOTIFY

#define CALLS .calls = calls, .call_count = sizeof calls / sizeof calls[0]
#define OWN (LOCK_NET | LOCK_MOUNT | LOCK_IPC | LOCK_UTS)

static const struct lock_profile profiles[] = {
    {
	.role = "parent",
	.bit = EVERYBODY,
	.flags = LOCK_KEEPS | LOCK_FORKS,
	.limits = {.descriptors = 1024},
	CALLS,
    },
    {
	.role = "parent",
	.bit = EVERYBODY_AND_WALL,
	.flags = LOCK_KEEPS | LOCK_FORKS | LOCK_RULES,
	.limits = {.descriptors = 1024},
	CALLS,
    },
    {
	.role = "broker",
	.bit = BROKER,
	.flags = LOCK_SEES,
	.namespaces = OWN,
	/* links, and what SQLite has open; channels may hold a frame each way,
	 * and the inbox has a size of its own */
	.limits = {.descriptors = 512, .processes = 32, .memory = 2 * GIB},
	CALLS,
    },
    {
	.role = "auditor",
	.bit = AUDITOR,
	.namespaces = OWN,
	.limits = {.descriptors = 128, .processes = 32, .memory = GIB},
	CALLS,
    },
    {
	.role = "file",
	.bit = FILE_COURIER,
	.namespaces = OWN,
	/* a folder for each root and some on the way; one write is a frame */
	.limits = {.descriptors = 512,
	    .processes = 32,
	    .memory = 512 * MIB,
	    .file_size = 64 * MIB},
	CALLS,
    },
    {
	.role = "notify",
	.bit = NOTIFY_COURIER,
	.namespaces = OWN,
	.limits = {.descriptors = 384,
	    .processes = 32,
	    .memory = 512 * MIB,
	    .file_size = GIB + MIB}, /* the most its settings allow, and more */
	CALLS,
    },
    {
	.role = "resolver",
	.bit = RESOLVER,
	.flags = LOCK_TALKS,
	.namespaces = LOCK_MOUNT | LOCK_IPC | LOCK_UTS,
	/* guards, who connects to them, and what it has asked */
	.limits = {.descriptors = 512, .processes = 32, .memory = 256 * MIB},
	CALLS,
    },
    {
	.role = "blocked",
	.bit = LISTENER,
	.namespaces = OWN,
	.limits = {.descriptors = 64, .processes = 32, .memory = 128 * MIB},
	CALLS,
    },
};

#define COUNT (sizeof profiles / sizeof profiles[0])

const struct lock_profile *
profile_find(struct span name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (span_is(name, profiles[i].role))
			return &profiles[i];
	return NULL;
}

const struct lock_profile *
profile_parent(bool firewall)
{
	return &profiles[firewall ? 1 : 0];
}

const struct lock_profile *
profile_all(size_t *count_out)
{
	*count_out = COUNT;
	return profiles;
}
