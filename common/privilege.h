/*
 * Capabilities of Linux (capabilities(7)); on macOS there are none.
 */
#ifndef TRIZONE_COMMON_PRIVILEGE_H
#define TRIZONE_COMMON_PRIVILEGE_H

#include <stdint.h>

/* What a process that starts roles under their own users keeps: to change
 * user, to stop them, to give each its namespaces and root directory, and to
 * reach folders of other users for that. */
uint64_t privilege_parent(void);

/* What one keeps that puts addresses into the firewall's sets. */
uint64_t privilege_rules(void);

/* What loading rules and routes with the system's tools needs. */
uint64_t privilege_keeper(void);

/* Nothing but `keep` can be had any more, also by an exec as root. Before the
 * user is changed, as it needs a capability itself; where we have none of our
 * own, all stays as it is: then nothing can be gained without a new program,
 * and no_new_privs refuses that. 0 or -ERR_SYSTEM. */
int privilege_bound(uint64_t keep);

/* Keep only those of `keep`; ambient ones go. Read back. 0 or -ERR_SYSTEM. */
int privilege_keep(uint64_t keep);

/* What we have: permitted or effective or inheritable or ambient; and what we
 * could get. */
void privilege_read(uint64_t *have_out, uint64_t *bounding_out);

#endif
