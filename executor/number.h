/*
 * Exact arithmetic on JSON numbers, as JSON Schema needs it. Pure.
 */
#ifndef TRIZONE_EXECUTOR_NUMBER_H
#define TRIZONE_EXECUTOR_NUMBER_H

#include <stdbool.h>

#include "common/json.h"

bool number_is(const struct json_node *node);

/* Whether the value is a whole number; 1.0 and 1e3 are. */
bool number_is_whole(const struct json_node *number);

/* Whether no other value was rounded to what the node has: of all spellings of
 * a double only the shortest that gives it back is exact, and none of more
 * than 18 digits. What is not must not be compared. */
bool number_is_exact(
    const struct json_doc *doc, const struct json_node *number);

/* -1, 0 or 1. Integers are compared with doubles without rounding. */
int number_compare(const struct json_node *a, const struct json_node *b);

/* Whether `value` is a whole multiple of `divisor` (greater than zero), from
 * the decimal digits of both, not from doubles: 0.0075 is a multiple of
 * 0.0001. -ERR_LIMIT if a number has more than 18 significant digits (two
 * 64-bit integers may have 19) or an exponent beyond 9,999. */
int number_multiple(const struct json_doc *value_doc,
    const struct json_node *value, const struct json_doc *divisor_doc,
    const struct json_node *divisor, bool *multiple_out);

#endif
