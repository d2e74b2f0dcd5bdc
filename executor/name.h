/*
 * Names the operator gives: capabilities, rules, zones. They appear in paths
 * of sockets, on the wire, in the audit and in log lines, so they are narrow.
 */
#ifndef TRIZONE_EXECUTOR_NAME_H
#define TRIZONE_EXECUTOR_NAME_H

#include <stdbool.h>

#include "common/json.h"
#include "common/text.h"

/* ^[a-z][a-z0-9_.-]*$, at most NAME_MAX_BYTES. */
bool name_check(struct span name);

/* `node` (a value or a key) has to be such a name. 0, -ERR_TYPE or -ERR_RANGE,
 * with its place in `where`; `what` says in the message what is named. */
int name_require(const struct json_doc *doc, const struct json_node *node,
    const char *what, struct json_error *where);

/* `node` has to be a line of text for people, 1 to WHY_MAX_BYTES, with
 * something to see in it and nothing that acts on a terminal or hides (see
 * inert.h). As
 * above. */
int line_require(const struct json_doc *doc, const struct json_node *node,
    const char *what, struct json_error *where);

#endif
