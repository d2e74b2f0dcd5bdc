/*
 * The resolver: guards, cache, look-ups, and the link to the parent, put
 * together. A name that an account may have is looked up, its addresses go to
 * the parent as an order, and only when they are in the sets they are told.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_RESOLVE_H
#define TRIZONE_EXECUTOR_FIREWALL_RESOLVE_H

#include <stddef.h>

#include "common/text.h"
#include "executor/firewall/model.h"
#include "proto/loop.h"

#define RESOLVE_WAIT_MS 7000  /* a question without answer becomes SERVFAIL */
#define RESOLVE_ORDER_MS 5000 /* an order that is not answered has failed */

struct resolve;

/* All descriptors are non-blocking and stay the caller's: the link to the
 * parent (link.h), the notes to the listener, the guards' sockets in the order
 * of the model's accounts (none: a system without guards). The model is taken
 * over. Ends the process if `servers` (lookup.h) has none that can be used. The
 * loop stops when the link is closed. */
struct resolve *resolve_new(struct loop *loop, struct model *model,
    struct span servers, int link, int notes, const int *guards,
    size_t guard_count);
void resolve_free(struct resolve *resolve);

#endif
