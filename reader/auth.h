/*
 * What the operator's own mail server found out about the sender:
 * Authentication-Results (RFC 8601) of configured hosts, and of no others.
 *
 * Anybody can write such a field with any name in it. A server that adds one
 * has to remove those that came with its name (RFC 8601, 5); where it does,
 * what is taken here is its own: the topmost block of fields, one behind the
 * other, above any Received field of a host that is not configured.
 */
#ifndef TRIZONE_READER_AUTH_H
#define TRIZONE_READER_AUTH_H

#include "common/text.h"
#include "proto/clean.h"
#include "reader/mime.h"

/* Trust results of this host (its authserv-id, any case); the name has to
 * outlive the process. Before it is locked. -ERR_RANGE: no host name,
 * -ERR_LIMIT: more than CLEAN_TRUSTED. */
int auth_trust(const char *host);

/* Forget them; for tests. */
void auth_trust_nobody(void);

/* Put the results of trusted hosts into `c`. */
void auth_read(const struct mime *m, struct clean *c);

#endif
