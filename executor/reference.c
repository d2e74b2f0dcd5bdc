/*
 * Handles in arguments. Runs in the broker on what a planner sent; believes
 * the kind's table and what the caller fetches.
 */
#include "executor/reference.h"

#include <stdio.h>

#include "common/err.h"

struct resolver {
	const struct json_doc *doc;
	reference_fetch *fetch;
	void *context;
	struct json_writer writer;
	unsigned count;
	char *detail;
	size_t room;
};

static int
refuse(struct resolver *r, const char *reason)
{
	snprintf(r->detail, r->room, "%s", reason);
	return -ERR_SCHEMA;
}

static bool
is_reference(const struct json_doc *doc, const struct json_node *node)
{
	return node->type == JSON_OBJECT && json_get(doc, node, "$ref") != NULL;
}

bool
reference_in(const struct json_doc *doc, const struct json_node *arguments)
{
	const struct json_node *end = doc->nodes + arguments->next;

	for (const struct json_node *node = arguments; node < end; node++)
		if (is_reference(doc, node))
			return true;
	return false;
}

static int
put_field(struct resolver *r, const struct json_doc *doc,
    const struct json_node *field)
{
	if (field == NULL)
		return refuse(r, "its item has no such field");
	if (field->type == JSON_ARRAY || field->type == JSON_OBJECT ||
	    field->type == JSON_NULL)
		return refuse(r, "a handle stands for a string, a number or a "
				 "boolean");
	json_raw_value(&r->writer, json_raw(doc, field));
	return 0;
}

/* "msg:17#/from/address" */
static int
put_reference(struct resolver *r, const struct json_node *node)
{
	const struct json_node *text = json_get(r->doc, node, "$ref");
	const struct json_node *object;
	const struct json_doc *doc;
	struct span handle, pointer;
	size_t n = 0;
	int rc;

	if (node->count != 1 || text->type != JSON_STRING)
		return refuse(r, "a handle is {\"$ref\": \"ITEM#POINTER\"}");
	if (++r->count > REFERENCES_MAX)
		return refuse(r, "too many handles in one call");
	handle = text->value.string;
	while (n < handle.n && handle.p[n] != '#')
		n++;
	if (n == handle.n)
		return refuse(r, "a handle is {\"$ref\": \"ITEM#POINTER\"}");
	pointer = (struct span){handle.p + n + 1, handle.n - n - 1};
	handle.n = n;
	rc = r->fetch(r->context, handle, &doc, &object);
	if (rc != 0) {
		snprintf(r->detail, r->room, "not a handle of this session");
		return rc;
	}
	return put_field(r, doc, json_pointer(doc, object, pointer));
}

static int put_value(struct resolver *r, const struct json_node *node);

/* Depth is bounded by the parser. */
static int
put_members(struct resolver *r, const struct json_node *node)
{
	bool array = node->type == JSON_ARRAY;
	const struct json_node *at;
	int rc = 0;

	json_open(&r->writer, array ? '[' : '{');
	for (at = json_first(r->doc, node); at != NULL && rc == 0;
	     at = json_next(r->doc, node, at)) {
		if (!array)
			json_key_span(&r->writer, at->value.string);
		rc = put_value(r, array ? at : json_value(at));
	}
	json_close(&r->writer, array ? ']' : '}');
	return rc;
}

static int
put_value(struct resolver *r, const struct json_node *node)
{
	if (is_reference(r->doc, node))
		return put_reference(r, node);
	if (node->type == JSON_ARRAY || node->type == JSON_OBJECT)
		return put_members(r, node);
	json_raw_value(&r->writer, json_raw(r->doc, node));
	return 0;
}

static bool
takes_reference(const struct kind_effects *effects, struct span name)
{
	for (size_t i = 0; i < effects->argument_count; i++)
		if (span_is(name, effects->arguments[i].name))
			return effects->arguments[i].reference;
	return false;
}

int
reference_resolve(const struct json_doc *doc, const struct json_node *arguments,
    const struct kind_effects *effects, reference_fetch *fetch, void *context,
    struct buf *out, char *detail, size_t room)
{
	struct resolver r = {.doc = doc,
	    .fetch = fetch,
	    .context = context,
	    .detail = detail,
	    .room = room};
	const struct json_node *key;
	int rc = 0;

	if (is_reference(doc, arguments))
		return refuse(&r, "a handle stands for one value, not for all "
				  "arguments");
	for (key = json_first(doc, arguments); key != NULL && rc == 0;
	     key = json_next(doc, arguments, key))
		if (reference_in(doc, json_value(key)) &&
		    !takes_reference(effects, key->value.string))
			rc = refuse(&r, "a handle stands in an argument that "
					"takes none");
	if (rc != 0)
		return rc;
	json_write_init(&r.writer, out);
	rc = put_members(&r, arguments);
	return rc == 0 && out->overflow ? -ERR_TOO_LARGE : rc;
}
