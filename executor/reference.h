/*
 * Handles in arguments. A planner that should not have to repeat what it has
 * read says {"$ref":"msg:17#/from/address"} in the place of a value: the field
 * at that JSON pointer (RFC 6901) of the item's clean object. The executor puts
 * the value there before anything is decided, so that what is decided about is
 * what is done.
 */
#ifndef TRIZONE_EXECUTOR_REFERENCE_H
#define TRIZONE_EXECUTOR_REFERENCE_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/json.h"
#include "executor/kind.h"

#define REFERENCES_MAX 64 /* of one call */

/* Whether some value in the arguments is one, or tries to be. */
bool reference_in(
    const struct json_doc *doc, const struct json_node *arguments);

/*
 * The clean object a handle of this session stands for, which lives until the
 * next call; or why there is none. `context` is the caller's.
 */
typedef int reference_fetch(void *context, struct span handle,
    const struct json_doc **doc_out, const struct json_node **object_out);

/*
 * The arguments as one JSON text with each reference replaced, into `out`.
 * Looked at once: what a value holds is never a reference again. 0;
 * -ERR_SCHEMA: not in the form above, in an argument whose row in `effects`
 * takes none, more than REFERENCES_MAX, no such field, or a field that is no
 * string, number or boolean; -ERR_TOO_LARGE: the text does not fit `out`; or
 * what `fetch` returned. `detail` gets a reason that repeats no planner's
 * words.
 */
int reference_resolve(const struct json_doc *doc,
    const struct json_node *arguments, const struct kind_effects *effects,
    reference_fetch *fetch, void *context, struct buf *out, char *detail,
    size_t room);

#endif
