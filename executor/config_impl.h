/*
 * What the files of the configuration share; nobody else includes this.
 */
#ifndef TRIZONE_EXECUTOR_CONFIG_IMPL_H
#define TRIZONE_EXECUTOR_CONFIG_IMPL_H

#include "executor/config.h"

/* Read the object "peers" into the sockets it names; the others get root and
 * our own user. */
int config_read_peers(struct config *config, const struct json_doc *doc,
    const struct json_node *peers, struct json_error *where);

/* Read the object "zones". */
int config_read_zones(struct config *config, const struct json_doc *doc,
    const struct json_node *zones, struct json_error *where);

/* The channel `node` names has to be known. */
int config_require_channel(const struct json_doc *doc,
    const struct json_node *node, struct json_error *where);

#endif
