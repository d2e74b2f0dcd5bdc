/*
 * Extracts: narrow typed values of an item that the operator endorses in the
 * policy, so that a session may have them without having seen a stranger's
 * words. What it gets are dates, numbers in a range, choices of a short list:
 * few enough bits that nobody can say much in them. A value keeps where it came
 * from; being endorsed spares the session leg A and nothing else.
 *
 * policy.json, "extracts":
 *   [{ "name": "invoice", "why": "...",
 *      "fields": [
 *        { "name": "day", "type": "date" },
 *        { "name": "topic", "type": "choice", "in": "/subject",
 *          "values": ["invoice", "order"] },
 *        { "name": "total", "type": "number", "in": "/body",
 *          "after": "Total:", "least": 0, "most": 100000 },
 *        { "name": "links", "type": "count", "in": "/links", "most": 20 },
 *        { "name": "known", "type": "verified" } ] }]
 *
 *   date      the day of the item's date, "2026-01-31"
 *   choice    the first of the values that stands whole in that text
 *   number    the first digits behind the words, if they are a whole number
 *             in the range
 *   count     how many the list has, at most `most`
 *   verified  whether the operator's mail server vouches for the sender
 * null where there is none.
 */
#ifndef TRIZONE_EXECUTOR_EXTRACT_H
#define TRIZONE_EXECUTOR_EXTRACT_H

#include "common/json.h"
#include "executor/facts.h"

#define EXTRACTS_MAX 64
#define EXTRACT_FIELDS_MAX 16
#define EXTRACT_VALUES_MAX 64 /* of a choice; more would be a text */
#define EXTRACT_BITS_MAX 64   /* of all fields of one extract */

struct extract;

/* Read one; it is freed with extract_free (NULL is fine). */
int extract_read(const struct json_doc *doc, const struct json_node *node,
    struct extract **extract_out, struct json_error *where);
void extract_free(struct extract *extract);

const char *extract_name(const struct extract *extract);
const char *extract_why(const struct extract *extract);

/* Bits an item's sender can say in it, rounded up for each field. */
unsigned extract_bits(const struct extract *extract);

/* Write the values of a clean object as members of an open JSON object, and
 * tell the facts that they are a stranger's. `verified`: see the type. */
void extract_write(const struct extract *extract, const struct json_doc *doc,
    const struct json_node *item, bool verified, struct json_writer *w,
    struct facts *facts);

#endif
