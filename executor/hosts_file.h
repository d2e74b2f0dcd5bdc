/*
 * `apply --close-dns`: names of an account's hosts in the file of hosts, for a
 * program that runs without mDNSResponder. macOS only, where a shared daemon
 * asks names for everybody. System-wide: every user then has these addresses,
 * and nobody follows their changes.
 */
#ifndef TRIZONE_EXECUTOR_HOSTS_FILE_H
#define TRIZONE_EXECUTOR_HOSTS_FILE_H

#include <stddef.h>

#include "executor/firewall/model.h"

/* Look the names up and put them there, between marks with the account's name,
 * in place of what is between them. Warns on standard error. 0, or
 * -ERR_UNAVAILABLE and the reason. */
int hosts_file_put(
    const struct model *model, const char *name, char *reason, size_t room);
/* Take them out; none there is fine. */
int hosts_file_take(const char *name, char *reason, size_t room);

#endif
