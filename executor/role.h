/*
 * Roles: the executor's own processes. Each is this program executed anew
 * (own layout, nothing inherited) with descriptors by number:
 *
 *   3 control socket to the parent      4 start texts (a pipe, read to its
 * end); the first is the role's setting broker:  5 entries to the auditor, then
 * listening sockets (one per zone, operator, deliver), then one result pipe per
 * courier auditor: 5 entries from the broker, then one order socket per courier
 *   courier: 5 orders from the auditor, 6 results to the broker
 *   resolver: 5 link to the parent (firewall/link.h), 6 notes to the listener,
 * then four sockets for each guard: UDP and TCP of IPv4, of IPv6
 *   blocked: 5 packets from the kernel, 6 notes, 7 entries to the auditor
 *
 * Secrets and settings travel in the start texts, never in argv or the
 * environment.
 */
#ifndef TRIZONE_EXECUTOR_ROLE_H
#define TRIZONE_EXECUTOR_ROLE_H

#include <stddef.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/lock.h"
#include "common/text.h"

enum role {
	ROLE_BROKER,
	ROLE_AUDITOR,
	ROLE_COURIER,
	ROLE_RESOLVER,
	ROLE_BLOCKED,
	ROLE_COUNT
};

enum role_descriptor { FD_CONTROL = 3, FD_START = 4, FD_FIRST = 5 };

#define ROLE_DESCRIPTORS_MAX 128
#define START_TEXTS_MAX 300 /* a courier gets one per capability */
#define START_TEXT_MAX_BYTES (2u << 20)

const char *role_name(enum role role);

/* Execute this program as `role` with fds[0] as descriptor 3, and so on; start
 * texts go through a pipe of its own as descriptor 4, so fds[1] is descriptor
 * 5. Returns the pid, or a negative error. The caller keeps its descriptors. */
pid_t role_start(enum role role, const int *fds, size_t fd_count,
    const struct span *texts, size_t text_count);

/* In the new process: which role argv asks for, or ROLE_COUNT. */
enum role role_of_arguments(int argc, char **argv);

/* In the new process: read the start texts, in order, into texts[] (views
 * into *store). Returns their number; a broken text ends the process. */
size_t role_read_texts(struct buf *store, struct span *texts, size_t room);

/* role_lock.c. The first start text: what the new process has to become. */
void role_setting_write(const struct lock *lock, struct buf *out);

/* In the new process: read the start texts, become what the first one says
 * (lock_enter), and give the others as above. */
size_t role_begin(struct buf *store, struct span *texts, size_t room);

/* In the new process, when all is open: the last locks. */
const struct lock_report *role_seal(void);

/* In the new process: tell the parent that it serves, and how it is locked. */
void role_ready(void);

/* The bodies of the roles; they return the exit status. */
int broker_main(void);
int auditor_main(void);
int courier_main(void);
int resolver_main(void); /* executor/resolver.c */
int listener_main(void);

#endif
