/*
 * The one spelling of a JSON value: members ordered by their keys' bytes, no
 * blanks, strings escaped no more than needed, integers in decimal; a number
 * with a point or an exponent stays as it was written.
 */
#ifndef TRIZONE_EXECUTOR_CANONICAL_H
#define TRIZONE_EXECUTOR_CANONICAL_H

#include "common/buf.h"
#include "common/json.h"

/* Append the value to `out`. 0, or -ERR_TOO_LARGE with part of it there. */
int canonical_add(
    struct buf *out, const struct json_doc *doc, const struct json_node *node);

#endif
