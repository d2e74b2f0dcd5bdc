/*
 * The start order. Runs in every role of every program, on the operator's
 * settings only; what can be refused is read back or tried.
 */
#include "common/lock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/call_list.h"
#include "common/cgroup.h"
#include "common/err.h"
#include "common/firewall.h"
#include "common/landlock.h"
#include "common/log.h"
#include "common/namespace.h"
#include "common/platform.h"
#include "common/privilege.h"
#include "common/probe.h"
#include "common/seatbelt.h"
#include "common/waiter.h"

#define REASON_BYTES 160

static bool
is_on(enum lock_layer layer)
{
	return (lock_table()->off & layer) == 0;
}

/* What could not be had; as much of it as there is room for. */
static void
note_gap(struct lock *lock, const char *what, const char *reason)
{
	char *gap = lock->report.gap;
	size_t used = strlen(gap);

	(void)snprintf(gap + used, sizeof lock->report.gap - used, "%s%s: %s",
	    used == 0 ? "" : "; ", what, reason);
	for (char *c = gap; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?'; /* a cut may be within a character */
}

void
lock_init(struct lock *lock, const struct lock_profile *profile)
{
	*lock = (struct lock){.profile = profile, .interfaces = -1};
}

void
lock_add_path(struct lock *lock, const char *path, bool write, bool shown)
{
	if (lock->path_count == LOCK_PATHS_MAX)
		die(EXIT_CONFIG,
		    "more than %d folders for one process: use "
		    "fewer roots",
		    LOCK_PATHS_MAX);
	lock->paths[lock->path_count++] = (struct lock_path){
	    .path = alloc_string(path), .write = write, .shown = shown};
}

void
lock_done(struct lock *lock)
{
	for (size_t i = 0; i < lock->path_count; i++)
		free(lock->paths[i].path);
	lock->path_count = 0;
}

void
lock_account(const char *name, struct account *out)
{
	char reason[REASON_BYTES];

	*out = (struct account){.uid = 0};
	if (getuid() != geteuid() || getgid() != getegid())
		die(EXIT_NOT_PERMITTED,
		    "started with the rights of two users: %lu and %lu",
		    (unsigned long)getuid(), (unsigned long)geteuid());
	if (geteuid() == 0 &&
	    account_find(name, out, reason, sizeof reason) != 0)
		die(EXIT_CONFIG,
		    "%s: trizone-executor init makes the accounts, or name "
		    "another one",
		    reason);
}

/*
 * Limits.
 */
static void
cut(struct rlimit *limit, uint64_t most)
{
	if (limit->rlim_max > most)
		limit->rlim_max = (rlim_t)most;
	if (limit->rlim_cur > limit->rlim_max)
		limit->rlim_cur = limit->rlim_max;
}

/* A macro, as the type of `which` is not the same everywhere. */
#define LOWER(which, what, most)                                               \
	do {                                                                   \
		struct rlimit limit_;                                          \
                                                                               \
		if ((most) == 0)                                               \
			break;                                                 \
		if (getrlimit(which, &limit_) != 0)                            \
			die_errno("getrlimit");                                \
		cut(&limit_, most);                                            \
		if (setrlimit(which, &limit_) != 0 ||                          \
		    getrlimit(which, &limit_) != 0 ||                          \
		    limit_.rlim_cur > (most))                                  \
			die(EXIT_SYSTEM, "the limit of %s does not hold",      \
			    what);                                             \
	} while (0)

static void
set_limits(struct lock *lock)
{
	const struct lock_limits *limits = &lock->profile->limits;

	if (!is_on(LAYER_LIMITS))
		return;
	LOWER(RLIMIT_NOFILE, "descriptors", limits->descriptors);
	LOWER(RLIMIT_FSIZE, "the size of files", limits->file_size);
	if (limits->memory != 0 && !platform_limits_memory())
		note_gap(lock, "memory", "this system sets no limit of it");
	else if (!lock_table()->unlimited_memory)
		LOWER(RLIMIT_AS, "memory", limits->memory);
	/* past the limit of a file's size a write fails; no signal */
	(void)signal(SIGXFSZ, SIG_IGN);
}

/* One that takes all the time there is leaves the others theirs. */
static void
yield_processor(struct lock *lock)
{
	const struct lock_limits *limits = &lock->profile->limits;

	if (!is_on(LAYER_LIMITS) || limits->nice == 0)
		return;
	(void)setsid();
	platform_session_nice((int)limits->nice);
	/* who started us may have done it, and refuse it to us */
	if (getpriority(PRIO_PROCESS, 0) < (int)limits->nice &&
	    setpriority(PRIO_PROCESS, 0, (int)limits->nice) != 0)
		note_gap(lock, "priority", strerror(errno));
	if (limits->one_processor && platform_one_processor() != 0)
		note_gap(lock, "one processor", strerror(errno));
}

/* Counted for each user: only where the user, or the namespace in which it is
 * counted, is the role's own. */
static void
limit_processes(struct lock *lock)
{
	bool own = lock->account.uid != 0 ||
		   (lock->report.namespaces & LOCK_USER) != 0;

	if (is_on(LAYER_LIMITS) && own)
		LOWER(
		    RLIMIT_NPROC, "processes", lock->profile->limits.processes);
}

static void
join_cgroup(struct lock *lock)
{
	char base[4096], name[64], reason[REASON_BYTES];
	int rc = 0;

	if (!is_on(LAYER_LIMITS) || (lock->profile->flags & LOCK_KEEPS) != 0)
		return;
	(void)snprintf(
	    name, sizeof name, "%s-%ld", lock->profile->role, (long)getpid());
	if (lock->cgroup == NULL) {
		rc = cgroup_base(base, sizeof base, reason, sizeof reason);
	} else if (lock->cgroup[0] != '/') {
		(void)snprintf(reason, sizeof reason, "%.150s", lock->cgroup);
		rc = -ERR_UNAVAILABLE;
	} else {
		(void)snprintf(base, sizeof base, "%s", lock->cgroup);
	}
	if (rc == 0)
		cgroup_sweep(base);
	if (rc == 0)
		rc = cgroup_join(base, name, &lock->profile->limits,
		    &lock->report.cgroup, reason, sizeof reason);
	if (rc != 0)
		note_gap(lock, "limits by setrlimit alone", reason);
}

/*
 * Namespaces, network, root directory.
 */

/* The next best where not all can be had. A new pid namespace only with a
 * network of its own: its first process must not be a tool that loads rules. */
static const uint32_t lesser[] = {
    LOCK_NET | LOCK_MOUNT | LOCK_IPC | LOCK_UTS | LOCK_PID,
    LOCK_NET | LOCK_MOUNT | LOCK_IPC | LOCK_UTS, LOCK_NET, 0};

static void
leave_namespaces(struct lock *lock)
{
	uint32_t wanted = lock->profile->namespaces;
	char reason[REASON_BYTES] = "";
	int rc;

	if (!is_on(LAYER_NAMESPACES) || wanted == 0)
		return;
	if ((lock->profile->flags & LOCK_SEES) != 0 && geteuid() != 0) {
		note_gap(lock, "no namespaces", "it has to see who connects");
		return;
	}
	for (size_t i = 0; i < sizeof lesser / sizeof lesser[0]; i++) {
		if ((wanted & lesser[i]) == 0)
			break;
		rc = namespace_leave(wanted & lesser[i],
		    &lock->report.namespaces, reason, sizeof reason);
		if (rc == 0)
			break;
	}
	if ((lock->report.namespaces & wanted) != wanted)
		note_gap(lock, "not all namespaces", reason);
}

/* Only loopback, or rules that drop everything; a zone does not start with
 * less. */
static void
close_network(struct lock *lock)
{
	struct firewall_state state;
	char names[REASON_BYTES], reason[400];
	int count;

	if ((lock->report.namespaces & LOCK_NET) != 0)
		return; /* ours, and empty */
	(void)snprintf(names, sizeof names, "in sight");
	count = lock->interfaces;
	if (count < 0)
		count = firewall_interfaces(names, sizeof names);
	if (count < 0)
		die(EXIT_SYSTEM, "network interfaces cannot be listed");
	lock->report.interfaces = (uint32_t)count;
	if (count == 0)
		return;
	if ((lock->profile->flags & LOCK_OFFLINE) == 0) {
		note_gap(lock, "this machine's network", names);
		return;
	}
	if (firewall_zone(&state, reason, sizeof reason) != 0)
		die(EXIT_NOT_PERMITTED,
		    "a %s does not start where there is a network: %s",
		    lock->profile->role, reason);
	if (state.alone) {
		lock->report.interfaces = 0;
		return;
	}
	lock->report.firewall = 1 + (uint32_t)state.backend;
	memcpy(lock->report.rules_hash, state.hash,
	    sizeof lock->report.rules_hash);
}

static void
change_root(struct lock *lock)
{
	char reason[REASON_BYTES];

	if (!is_on(LAYER_ROOT) || (lock->report.namespaces & LOCK_MOUNT) == 0)
		return;
	if (namespace_root(
		lock->paths, lock->path_count, reason, sizeof reason) == 0)
		lock->report.own_root = 1;
	else if (geteuid() == 0)
		die(EXIT_SYSTEM, "no root directory: %s", reason);
	else
		note_gap(lock, "no root directory of its own", reason);
}

/*
 * User and rights.
 */
static void
change_user(struct lock *lock)
{
	char reason[REASON_BYTES];

	if (!is_on(LAYER_USER) || (lock->profile->flags & LOCK_KEEPS) != 0)
		return;
	if (lock->account.uid == 0) {
		if (geteuid() == 0)
			die(EXIT_NOT_PERMITTED,
			    "%s does not run as root and was given no account",
			    lock->profile->role);
		return;
	}
	if (account_become(&lock->account, reason, sizeof reason) != 0)
		die(EXIT_NOT_PERMITTED, "%s cannot become %s: %s",
		    lock->profile->role, lock->account.name, reason);
}

/* What the role may keep: nothing, but for the one that starts the others and
 * fills the kernel's sets. */
static uint64_t
kept(const struct lock *lock)
{
	uint32_t flags = lock->profile->flags;

	return ((flags & LOCK_KEEPS) != 0 ? privilege_parent() : 0) |
	       ((flags & LOCK_RULES) != 0 ? privilege_rules() : 0);
}

static void
bound_capabilities(const struct lock *lock)
{
	if (is_on(LAYER_CAPABILITIES) && privilege_bound(kept(lock)) != 0)
		die(EXIT_SYSTEM, "capabilities cannot be put out of reach");
}

static void
drop_capabilities(const struct lock *lock)
{
	if (!is_on(LAYER_CAPABILITIES))
		return;
	if (privilege_keep(kept(lock)) != 0)
		die(EXIT_SYSTEM, "capabilities cannot be given up");
	/* changing user makes some systems forget it */
	if (platform_harden() != 0)
		die(EXIT_SYSTEM, "the process cannot be hardened");
}

/* What the system says, while it can still be asked. */
static void
look(struct lock_report *report)
{
	struct platform_facts facts;
	struct rlimit core = {1, 1};

	platform_facts(&facts);
	if (getrlimit(RLIMIT_CORE, &core) != 0)
		die_errno("getrlimit");
	report->uid = (uint32_t)geteuid();
	report->gid = (uint32_t)getegid();
	report->groups = (uint32_t)getgroups(0, NULL);
	report->no_new_privs = facts.no_new_privs;
	report->dumpable = facts.dumpable;
	report->core_dumps = core.rlim_cur != 0;
	privilege_read(&report->capabilities, &report->bounding);
}

static void
name_report(struct lock_report *report, const char *role)
{
	(void)snprintf(report->role, sizeof report->role, "%s", role);
	(void)snprintf(report->profile, sizeof report->profile, "%s",
	    lock_table()->profile);
}

void
lock_report_plain(const char *role, struct lock_report *out)
{
	*out = (struct lock_report){.interfaces = 1}; /* not looked for */
	name_report(out, role);
	look(out);
}

void
lock_enter(struct lock *lock)
{
	struct waiter waiter = WAITER_NONE;

	name_report(&lock->report, lock->profile->role);
	set_limits(lock);
	join_cgroup(lock);
	leave_namespaces(lock);
	close_network(lock);
	if ((lock->report.namespaces & LOCK_PID) != 0)
		waiter_fork(&waiter);
	if (!waiter.outside) {
		yield_processor(lock);
		change_root(lock);
	}
	bound_capabilities(lock);
	change_user(lock);
	drop_capabilities(lock);
	limit_processes(lock);
	if (waiter.outside)
		waiter_wait(&waiter);
	waiter_follow(&waiter);
}

/*
 * The last steps.
 */

/* Landlock, or Seatbelt: what can be reached. */
static void
restrict_reach(struct lock *lock)
{
	char reason[REASON_BYTES] = "";
	int rc;

	if (!is_on(LAYER_LANDLOCK))
		return;
	rc = seatbelt_apply(lock->profile, lock->paths, lock->path_count,
	    reason, sizeof reason);
	if (rc == 0) {
		lock->report.seatbelt = 1;
		return;
	}
	if (rc != -ERR_UNAVAILABLE)
		die(EXIT_SYSTEM, "Seatbelt: %s", reason);
	if ((lock->profile->flags & LOCK_KEEPS) != 0)
		return; /* its children have to mount */
	rc = landlock_restrict(
	    lock->paths, lock->path_count, &lock->report.landlock);
	if (rc == -ERR_UNAVAILABLE)
		note_gap(lock, "Landlock", strerror(errno));
	else if (rc != 0)
		die_errno("Landlock");
}

static void
restrict_calls(struct lock *lock)
{
	struct call_list filter;

	if (!is_on(LAYER_FILTER) ||
	    call_list_make(lock->profile, true, &filter) != 0)
		return;
	call_list_catch();
	if (call_list_install(&filter) != 0)
		die_errno("the list of system calls is refused: a kernel with "
			  "CONFIG_SECCOMP_FILTER has it");
	lock->report.filter = filter.calls;
	memcpy(lock->report.filter_hash, filter.hash,
	    sizeof lock->report.filter_hash);
	call_list_done(&filter);
}

void
lock_seal(struct lock *lock)
{
	struct call_list last;
	bool forks = (lock->profile->flags & LOCK_FORKS) != 0;

	/* made now: what it needs is not in the list */
	if (!forks && is_on(LAYER_FILTER) && call_list_last(&last) != 0)
		forks = true; /* no such thing here */
	look(&lock->report);
	restrict_reach(lock);
	restrict_calls(lock);
	if (is_on(LAYER_PROBES))
		lock->report.probes = probe_run(lock->profile);
	if (!forks && is_on(LAYER_FILTER)) {
		if (call_list_install(&last) != 0)
			die_errno("the last list of system calls is refused");
		call_list_done(&last);
	}
}
