/*
 * What a reader says its detector fired on, in the record it sends beside a
 * clean object: {"injection":[{"rules","score","where","view","sha256"}]}. The
 * reader writes it, the executor checks it and believes no more than its form.
 */
#ifndef TRIZONE_PROTO_DETECTION_H
#define TRIZONE_PROTO_DETECTION_H

#include <stddef.h>

#include "common/buf.h"
#include "common/json.h"

#define DETECTION_ROWS 1000 /* shorter than any of a record can be */
#define DETECTION_RULES 64  /* as many as there are */
#define DETECTION_NAME_BYTES 32

/* Check `injection` of the record at `node`, if there is one: each row has
 * those five keys and no others; rules are names of a-z, 0-9 and hyphen, where
 * is "seen" or "hidden", view a name or "", score a number from 0 to 1, sha256
 * 64 lower-case digits. Appends to `rows` as many of the first ones as it has
 * room for, as JSON objects with commas between them, made anew from what was
 * checked; *count_out is how many there are in all. 0, or a negative error. */
int detection_read(const struct json_doc *doc, const struct json_node *node,
    struct buf *rows, size_t *count_out);

#endif
