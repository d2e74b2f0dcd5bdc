/*
 * What $ref, $anchor and $id mean: references inside one schema, found when it
 * is compiled. Nothing is ever fetched: a reference to anything that is not in
 * the same text is an error. So is a chain of schemas for one and the same
 * value that is long or has no end.
 */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/ascii.h"
#include "common/err.h"
#include "executor/schema_impl.h"
#include "executor/uri.h"

#define URI_MAX_BYTES 1024
#define RESOURCES_MAX 256 /* finding one looks at all */
#define SHOWN_CHARS 60	  /* of a reference in a message */

/* A schema with a URI of its own: the root, and each with $id. */
struct resource {
	struct resource *next;
	struct buf uri; /* without a fragment */
	struct subschema *schema;
};

struct anchor {
	struct anchor *next;
	const struct resource *resource;
	struct span name;
	struct subschema *schema;
};

static const struct resource *
find_resource(const struct compiler *compiler, struct span uri)
{
	const struct resource *at = compiler->resources;

	while (at != NULL &&
	       !span_equal(uri, (struct span){at->uri.data, at->uri.len}))
		at = at->next;
	return at;
}

static struct subschema *
find_anchor(const struct compiler *compiler, const struct resource *resource,
    struct span name)
{
	const struct anchor *at = compiler->anchors;

	while (at != NULL &&
	       (at->resource != resource || !span_equal(at->name, name)))
		at = at->next;
	return at == NULL ? NULL : at->schema;
}

static void
add_resource(
    struct compiler *compiler, struct subschema *schema, struct buf uri)
{
	struct resource *made = alloc_bytes(sizeof *made);

	made->uri = uri;
	made->schema = schema;
	made->next = compiler->resources;
	compiler->resources = made;
	compiler->resource_count++;
	compiler->resource = made;
	schema->resource = made;
}

void
compile_base(struct compiler *compiler, struct subschema *root)
{
	struct buf none;

	buf_init(&none, 0);
	add_resource(compiler, root, none);
}

/* `text` beside the URI of `in`; its fragment is cut off, or is not there. */
static int
resolve(const struct subschema *in, struct span text, struct buf *uri,
    struct span *fragment_out)
{
	const struct buf *base = &in->resource->uri;
	int rc = uri_resolve(uri, (struct span){base->data, base->len}, text);
	struct span whole = {uri->data, uri->len};

	*fragment_out = uri_split(whole).fragment;
	if (fragment_out->p != NULL)
		uri->len -= fragment_out->n + 1;
	return rc;
}

/*
 * $id
 */
int
compile_id(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	struct span fragment;
	struct buf uri;
	int rc = 0;

	(void)clause;
	if (operand->type != JSON_STRING)
		return compile_refuse(
		    compiler, operand, ERR_TYPE, "$id has to be a string");
	buf_init(&uri, URI_MAX_BYTES);
	if (resolve(in, operand->value.string, &uri, &fragment) != 0)
		rc = compile_refuse(compiler, operand, ERR_TOO_LARGE,
		    "$id longer than %d bytes", URI_MAX_BYTES);
	else if (compiler->resource_count == RESOURCES_MAX)
		rc = compile_refuse(compiler, operand, ERR_LIMIT,
		    "more than %d schemas with a URI of their own",
		    RESOURCES_MAX);
	else if (fragment.n != 0)
		rc = compile_refuse(compiler, operand, ERR_RANGE,
		    "$id with a fragment; use $anchor");
	else if (uri.len != 0 && find_resource(compiler,
				     (struct span){uri.data, uri.len}) != NULL)
		rc = compile_refuse(compiler, operand, ERR_RANGE,
		    "another schema has this $id");
	if (rc == 0)
		add_resource(compiler, in, uri);
	else
		buf_free(&uri);
	return rc;
}

/*
 * $anchor
 */
static bool
anchor_is_plain(struct span name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (is_alpha(c) || c == '_')
			continue;
		if (i == 0 || (!is_digit(c) && c != '-' && c != '.'))
			return false;
	}
	return name.n != 0;
}

int
compile_anchor(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	struct anchor *made;

	(void)clause;
	if (operand->type != JSON_STRING ||
	    !anchor_is_plain(operand->value.string))
		return compile_refuse(compiler, operand, ERR_RANGE,
		    "$anchor has to be a letter or underscore, then letters, "
		    "digits, underscores, hyphens and dots");
	if (find_anchor(compiler, in->resource, operand->value.string) != NULL)
		return compile_refuse(compiler, operand, ERR_RANGE,
		    "another schema has this $anchor");
	made = alloc_bytes(sizeof *made);
	made->resource = in->resource;
	made->name = operand->value.string;
	made->schema = in;
	made->next = compiler->anchors;
	compiler->anchors = made;
	return 0;
}

/*
 * $ref: only its place is kept until all anchors are known.
 */
int
compile_ref(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	(void)in;
	if (operand->type != JSON_STRING)
		return compile_refuse(
		    compiler, operand, ERR_TYPE, "$ref has to be a string");
	clause->branches = alloc_array(1, sizeof *clause->branches);
	clause->branch_count = 1;
	return 0;
}

/* The schema that `fragment` names in a resource, or NULL. */
static struct subschema *
find_fragment(const struct compiler *compiler, const struct resource *resource,
    struct span fragment)
{
	const struct json_doc *doc = &compiler->schema->doc;
	const struct json_node *node = NULL;
	struct subschema *found = NULL;
	struct buf text;
	struct span name;

	if (fragment.n == 0)
		return resource->schema;
	buf_init(&text, URI_MAX_BYTES);
	if (uri_decode(&text, fragment) == 0 &&
	    utf8_check(text.data, text.len)) {
		name = (struct span){text.data, text.len};
		if (span_starts(name, "/"))
			node = json_pointer(doc, resource->schema->node, name);
		else
			found = find_anchor(compiler, resource, name);
	}
	buf_free(&text);
	return node == NULL ? found : compiler->by_index[node - doc->nodes];
}

static int
resolve_reference(
    struct compiler *compiler, struct subschema *in, struct clause *clause)
{
	struct span text = clause->operand->value.string, fragment;
	const struct resource *resource;
	struct subschema *found = NULL;
	struct buf uri;

	buf_init(&uri, URI_MAX_BYTES);
	if (resolve(in, text, &uri, &fragment) == 0) {
		resource =
		    find_resource(compiler, (struct span){uri.data, uri.len});
		if (resource != NULL)
			found = find_fragment(compiler, resource, fragment);
	}
	buf_free(&uri);
	if (found == NULL)
		return compile_refuse(compiler, clause->operand, ERR_RANGE,
		    "$ref \"%.*s\" names no schema in this one; nothing is "
		    "fetched",
		    (int)utf8_prefix(text.p, text.n, SHOWN_CHARS), text.p);
	clause->branches[0].schema = found;
	return 0;
}

/*
 * Chains: schema after schema for the same value, by $ref, allOf, if...
 */
static int
measure_chain(struct compiler *compiler, struct subschema *in, unsigned above)
{
	unsigned length = 0;
	int rc = 0;

	if (above + (in->length == 0 ? 1 : in->length) > SCHEMA_MAX_CHAIN)
		return compile_refuse(compiler, in->node, ERR_DEPTH,
		    "the same value is passed on by $ref, allOf and the like "
		    "through %u schemas or without end",
		    SCHEMA_MAX_CHAIN);
	if (in->length != 0)
		return 0;
	for (size_t i = 0; i < in->clause_count && rc == 0; i++) {
		const struct clause *clause = &in->clauses[i];

		if (!clause->keyword->in_place)
			continue;
		for (size_t j = 0; j < clause->branch_count && rc == 0; j++) {
			struct subschema *next = clause->branches[j].schema;

			if (next == NULL)
				continue;
			rc = measure_chain(compiler, next, above + 1);
			if (next->length > length)
				length = next->length;
		}
	}
	in->length = length + 1;
	return rc;
}

int
compile_references(struct compiler *compiler)
{
	struct subschema *at;
	int rc = 0;

	for (at = compiler->schema->chain; at != NULL && rc == 0;
	     at = at->chain)
		for (size_t i = 0; i < at->clause_count && rc == 0; i++)
			if (at->clauses[i].keyword->compile == compile_ref)
				rc = resolve_reference(
				    compiler, at, &at->clauses[i]);
	for (at = compiler->schema->chain; at != NULL && rc == 0;
	     at = at->chain)
		rc = measure_chain(compiler, at, 0);
	return rc;
}

void
compile_names_free(struct compiler *compiler)
{
	struct resource *resource;
	struct anchor *anchor;

	while ((resource = compiler->resources) != NULL) {
		compiler->resources = resource->next;
		buf_free(&resource->uri);
		free(resource);
	}
	while ((anchor = compiler->anchors) != NULL) {
		compiler->anchors = anchor->next;
		free(anchor);
	}
	free(compiler->by_index);
}
