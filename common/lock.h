/*
 * Locking a process in: the one start order of every role. A role is a row
 * (struct lock_profile) of its program's profile.c; the order is here, and
 * every step is read back. A step that a role cannot do without and that did
 * not take ends the process.
 *
 *	start_process("broker", first_closed);    descriptors, core dumps, ...
 *	lock_enter(&lock);                        limits, cgroup, namespaces,
 *	                                          root directory, user,
 *	                                          capabilities
 *	... open what the role needs, with its own rights ...
 *	lock_seal(&lock);                         Landlock, system calls,
 *	                                          probes, no more fork
 *	... the first byte from outside ...
 *
 * What was achieved is in lock.report; lock_report_write makes it the
 * attestation. It finds a wrong set-up. It proves nothing about a process
 * that was taken over afterwards.
 */
#ifndef TRIZONE_COMMON_LOCK_H
#define TRIZONE_COMMON_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/account.h"
#include "common/buf.h"
#include "common/json.h"

#define LOCK_PATHS_MAX 64 /* folders one role can need */
#define LOCK_GAP_BYTES 200
#define LOCK_HASH_BYTES 32

/* What a system call's arguments have to be for its row to hold; call_list.h.
 */
enum call_match {
	CALL_ALWAYS,
	CALL_NO_EXEC,	 /* mmap, mprotect: memory that is not code */
	CALL_FORK,	 /* clone: a process or thread, no namespaces */
	CALL_FIONREAD,	 /* ioctl: how many bytes wait */
	CALL_FCNTL,	 /* fcntl: flags, duplicates, locks */
	CALL_UNIX,	 /* socket, socketpair: AF_UNIX */
	CALL_PRCTL_READ, /* prctl: asking, no change */
	CALL_SELF,	 /* prlimit64: of this process */
	CALL_OPEN_ONE,	 /* newfstatat, statx: AT_EMPTY_PATH; else EPERM */
	CALL_MODE,	 /* open, openat, fchmod: no set-user-id and the like */
	CALL_PEER,	 /* getsockopt: who is there */
	CALL_DATAGRAM_NULL, /* sendto without an address */
	CALL_DATAGRAM,	    /* socket: UDP over IPv4 and IPv6 */
	CALL_UNIX_DATAGRAM  /* socket: that, or AF_UNIX */
};

enum call_action {
	CALL_ALLOW,
	CALL_REFUSE, /* EPERM: hostile input can cause it */
	CALL_ABSENT, /* ENOSYS: the C library then takes another */
	CALL_KILL    /* nobody needs it but to break out */
};

/* One row of a list of system calls. What has no row traps: its number is
 * written to standard error and the process ends. */
struct call_row {
	const char *name; /* Linux, as libseccomp knows it */
	uint32_t roles;	  /* bits of the profiles that have it */
	enum call_match match;
	enum call_action action;
	const char *why;
};

/* Rows that every role has; common/call.def. */
extern const struct call_row common_calls[];
extern const size_t common_call_count;

/* Limits of one process, by setrlimit(2), and of a role's control group where
 * one is delegated. 0: as it is. */
struct lock_limits {
	uint32_t descriptors;
	uint32_t processes;	  /* of the user, where it is the role's own */
	uint32_t group_processes; /* of the group; 0: as of the user */
	uint32_t cpu_percent;
	uint32_t nice;	    /* how much others come first, 0 to 19 */
	bool one_processor; /* what it starts has to share it */
	uint64_t memory;    /* address space; and memory of the group */
	uint64_t file_size;
};

enum lock_namespace {
	LOCK_NET = 1,
	LOCK_MOUNT = 2, /* and a root directory of its own */
	LOCK_IPC = 4,
	LOCK_UTS = 8,
	LOCK_PID = 16, /* by one more process, which waits outside */
	LOCK_USER = 32 /* only without root, to get the others */
};

enum lock_flag {
	LOCK_FORKS = 1,	  /* fork is needed in service */
	LOCK_KEEPS = 2,	  /* keeps root and what starting roles needs */
	LOCK_SEES = 4,	  /* asks the kernel who connects: no user namespace */
	LOCK_OFFLINE = 8, /* must not start where there is a network */
	LOCK_TALKS = 16,  /* has datagram sockets of the machine's network */
	LOCK_RULES = 32	  /* changes the kernel's sets of addresses; its
			     children may talk */
};

struct lock_profile {
	const char *role;
	uint32_t bit; /* in call_row.roles */
	uint32_t flags;
	uint32_t namespaces;
	struct lock_limits limits;
	const struct call_row *calls;
	size_t call_count;
};

/* A folder a role works in: it is in the role's root directory, and Landlock
 * admits it. `shown`: only the former, as all in it is opened before
 * lock_seal; then it may be a file or socket too. Absolute. */
struct lock_path {
	char *path;
	bool write;
	bool shown;
};

/* What this process really is. Fixed size: it travels between the executor's
 * processes as it is. */
struct lock_report {
	char role[16];
	char profile[8]; /* "release", or "test": never in a release build */
	uint32_t uid, gid, groups;
	uint32_t no_new_privs, dumpable, core_dumps;
	uint64_t capabilities, bounding;
	uint32_t namespaces; /* enum lock_namespace: its own */
	uint32_t own_root;
	uint32_t landlock; /* its ABI, 0: none */
	uint32_t filter;   /* calls in the list, 0: none */
	unsigned char filter_hash[LOCK_HASH_BYTES]; /* SHA-256 of the program */
	uint32_t seatbelt;			    /* macOS: 1 if in force */
	uint32_t cgroup;     /* enum cgroup_limit bits in force */
	uint32_t interfaces; /* other than loopback that a packet could take */
	uint32_t firewall;   /* 0: none; 1 + enum firewall_backend */
	unsigned char rules_hash[LOCK_HASH_BYTES];
	uint32_t probes;	  /* tried and refused, all of them */
	char gap[LOCK_GAP_BYTES]; /* what could not be had, in words; "": all */
};

struct lock {
	const struct lock_profile *profile;
	struct account account; /* uid 0: stay who we are */
	struct lock_path paths[LOCK_PATHS_MAX];
	size_t path_count;
	const char *cgroup; /* folder for the role's group, or why there is
			       none; NULL: find one */
	int interfaces;	    /* as somebody counted them; -1: count */
	struct lock_report report;
};

/* Begin: nothing known but the profile. */
void lock_init(struct lock *lock, const struct lock_profile *profile);

/* Copies `path`. */
void lock_add_path(struct lock *lock, const char *path, bool write, bool shown);

void lock_done(struct lock *lock); /* frees the paths */

/* The account to run under: if we are root that of `name`, which ends the
 * process if there is none, else all zeros. */
void lock_account(const char *name, struct account *out);

/* Up to capabilities. As root the account has to be set, unless the profile
 * LOCK_KEEPS. With LOCK_PID it returns in another process; the one that
 * called it waits for that and ends as it ends. */
void lock_enter(struct lock *lock);

/* The rest. Descriptors that are open stay usable. */
void lock_seal(struct lock *lock);

/* Of a process that is not locked in: a command of the operator. */
void lock_report_plain(const char *role, struct lock_report *out);

/* One object: the attestation. */
void lock_report_write(const struct lock_report *report, struct buf *out);

/* The most bytes of that. */
#define LOCK_ATTESTATION_BYTES 4096

/* Whether the report is one of that role, linked with our table. */
bool lock_report_is(const struct lock_report *report, const char *role);

/* Whether the strings of a report from another process end, and its numbers
 * are such that lock_report_write gives a sound object. */
bool lock_report_sound(const struct lock_report *report);

/*
 * What another process says of itself, against what is required of it.
 */
enum lock_need {
	NEED_FILTER,	 /* a list of system calls */
	NEED_LANDLOCK,	 /* or Seatbelt */
	NEED_NO_NETWORK, /* only loopback, or rules that drop everything */
	NEED_NAMESPACES, /* network, mounts and process ids of its own */
	NEED_OWN_ROOT,
	NEED_OWN_USER, /* not root, not ours */
	NEED_CGROUP,
	NEED_PROBES,
	NEED_PROFILE, /* linked with a table of the same name as ours */
	NEED_COUNT
};
#define NEED_BIT(need) (1u << (need))
#define NEED_DEFAULT                                                           \
	(NEED_BIT(NEED_FILTER) | NEED_BIT(NEED_NO_NETWORK) |                   \
	    NEED_BIT(NEED_PROBES) | NEED_BIT(NEED_PROFILE))

const char *need_name(enum lock_need need); /* "no-network" */

/* Whether it was linked with another table: "test" and "release" do not serve
 * each other, whatever is required. */
bool lock_foreign(
    const struct json_doc *doc, const struct json_node *attestation);

/* Which of `needs` the attestation does not meet, as bits. One that is foreign
 * meets none, and NEED_PROFILE is among them always. `ours` are the `count`
 * processes whose users nobody else may have. */
uint32_t lock_unmet(const struct json_doc *doc,
    const struct json_node *attestation, uint32_t needs,
    const struct lock_report *ours, size_t count);

/*
 * The table a program was linked with. Release programs have an empty one;
 * sanitizer builds and tests of single layers have tests/confine/lock_table.c.
 */
enum lock_layer {
	LAYER_LIMITS = 1,
	LAYER_NAMESPACES = 2,
	LAYER_ROOT = 4,
	LAYER_USER = 8,
	LAYER_CAPABILITIES = 16,
	LAYER_LANDLOCK = 32,
	LAYER_FILTER = 64,
	LAYER_PROBES = 128
};
struct lock_table {
	const char *profile; /* "release" or "test" */
	const struct call_row *more;
	size_t more_count;
	uint32_t off;	       /* enum lock_layer */
	bool unlimited_memory; /* an address sanitizer maps terabytes */
};
const struct lock_table *lock_table(void);

#endif
