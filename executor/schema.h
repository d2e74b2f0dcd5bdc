/*
 * JSON Schema (draft 2020-12) for the arguments of capabilities and rules.
 *
 * Understood: type enum const, properties patternProperties propertyNames
 * required additionalProperties dependentRequired dependentSchemas
 * minProperties maxProperties, items prefixItems contains minContains
 * maxContains minItems maxItems uniqueItems, minLength maxLength (characters)
 * pattern, minimum maximum exclusiveMinimum exclusiveMaximum multipleOf, allOf
 * anyOf oneOf not if then else, $ref $anchor $defs $id inside one text,
 * unevaluatedProperties unevaluatedItems, true and false as schemas, and
 * format, asserted, for the names in format.h. The annotations ($schema
 * $comment title description default examples deprecated readOnly writeOnly)
 * change nothing. Any other keyword is an error at load: a limit that is not
 * understood is not one. So is a $ref to something that is no schema of the
 * same text, and one that leads back to the same value. The table of keywords
 * is in schema.c.
 *
 * A compiled schema is immutable and depends on nothing it was made from.
 */
#ifndef TRIZONE_EXECUTOR_SCHEMA_H
#define TRIZONE_EXECUTOR_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"

#define SCHEMA_MAX_BYTES (64u * 1024) /* a schema somebody can still review */
#define SCHEMA_MAX_DEPTH 16u	      /* schemas inside schemas; recursion */
#define SCHEMA_MAX_CHAIN 32u	      /* schemas for one value, by $ref, ... */
#define SCHEMA_MAX_WORK UINT64_C(4000000) /* one check: some tens of ms */
#define SCHEMA_DETAIL_BYTES 200 /* room for any reason, NUL included */

struct schema;

/* Compile the schema `node` (an object) of `doc`. On failure `where` (may be
 * NULL) gets the place in `doc` and the reason. Free with schema_free (NULL
 * is fine). */
int schema_compile(const struct json_doc *doc, const struct json_node *node,
    struct schema **schema_out, struct json_error *where);
void schema_free(struct schema *schema);

/* The schema's own JSON text, as it was written; lives as long as it. */
struct span schema_text(const struct schema *schema);

/* Whether `narrow` restricts a property that it does not require, and `whole`
 * does not either, so that a value without it fits both. Gives the first such
 * name, which lives as long as `narrow`. Looks at the top level, through $ref,
 * allOf, anyOf and oneOf. */
bool schema_leaves_out(const struct schema *narrow, const struct schema *whole,
    struct span *name_out);

/* Whether an object that has a certain property fits only if that is a certain
 * text. Gives the first such at the top level; both live as long as `schema`.
 */
bool schema_fixes_text(
    const struct schema *schema, struct span *name_out, struct span *text_out);

/*
 * Whether the value `node` fits: 0; -ERR_SCHEMA if it does not; -ERR_LIMIT if
 * that could not be found out within SCHEMA_MAX_WORK or the limits of a
 * pattern, a number or uniqueItems, and the caller has to refuse. Any error
 * puts a reason and the JSON pointer of the place into `detail`, which shows
 * at most 40 characters of the value's own words, all of them printable
 * ASCII. Pure; allocates nothing once the match area of pattern.h has grown.
 */
int schema_check(const struct schema *schema, const struct json_doc *doc,
    const struct json_node *node, char *detail, size_t room);

/*
 * What several checks of values of one document share: the work that is left,
 * and which values were found to have which format, so that each is looked at
 * once. Begins as {.left = SCHEMA_MAX_WORK}.
 */
#define SCHEMA_MEMO 8u
struct format;
struct schema_work {
	uint64_t left;
	struct {
		const struct json_node *node;
		const struct format *format; /* NULL: nothing is kept here */
		bool fits;
	} memo[SCHEMA_MEMO];
};

/* The same with what a request's checks share. */
int schema_check_within(const struct schema *schema, const struct json_doc *doc,
    const struct json_node *node, struct schema_work *work, char *detail,
    size_t room);

#endif
