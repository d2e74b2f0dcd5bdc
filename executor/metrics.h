/*
 * The answer to `status` as metrics: Prometheus' text format 0.0.4.
 */
#ifndef TRIZONE_EXECUTOR_METRICS_H
#define TRIZONE_EXECUTOR_METRICS_H

#include "common/buf.h"
#include "common/json.h"

#define METRICS_MAX_BYTES (1u << 20)

/* Append them; members the answer does not have are left out. -ERR_TOO_LARGE.
 */
int metrics_add(struct buf *out, const struct json_doc *doc,
    const struct json_node *status);

#endif
