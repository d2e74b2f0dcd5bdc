/*
 * Canonical JSON. Runs in the broker on what a planner sent, after the reader
 * of common/json.h has bounded depth and members. Pure.
 */
#include "executor/canonical.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/limits.h"

static int
compare_keys(const void *a, const void *b)
{
	struct span x = (*(const struct json_node *const *)a)->value.string;
	struct span y = (*(const struct json_node *const *)b)->value.string;
	size_t n = x.n < y.n ? x.n : y.n;
	int order = n == 0 ? 0 : memcmp(x.p, y.p, n);

	return order != 0 ? order : (x.n > y.n) - (x.n < y.n);
}

static void add(struct json_writer *w, const struct json_doc *doc,
    const struct json_node *node);

static void
add_object(struct json_writer *w, const struct json_doc *doc,
    const struct json_node *node)
{
	const struct json_node *keys[JSON_MAX_MEMBERS], *key;
	size_t count = 0;

	for (key = json_first(doc, node); key != NULL;
	     key = json_next(doc, node, key)) {
		if (count == JSON_MAX_MEMBERS)
			bug("an object of too many members was read");
		keys[count++] = key;
	}
	qsort(keys, count, sizeof keys[0], compare_keys);
	json_open(w, '{');
	for (size_t i = 0; i < count; i++) {
		json_key_span(w, keys[i]->value.string);
		add(w, doc, json_value(keys[i]));
	}
	json_close(w, '}');
}

static void
add_array(struct json_writer *w, const struct json_doc *doc,
    const struct json_node *node)
{
	const struct json_node *element;

	json_open(w, '[');
	for (element = json_first(doc, node); element != NULL;
	     element = json_next(doc, node, element))
		add(w, doc, element);
	json_close(w, ']');
}

static void
add(struct json_writer *w, const struct json_doc *doc,
    const struct json_node *node)
{
	switch (node->type) {
	case JSON_OBJECT:
		add_object(w, doc, node);
		break;
	case JSON_ARRAY:
		add_array(w, doc, node);
		break;
	case JSON_STRING:
		json_string(w, node->value.string);
		break;
	case JSON_INTEGER:
		json_integer(w, node->value.integer);
		break;
	default: /* null, true, false, and reals as they were written */
		json_raw_value(w, json_raw(doc, node));
	}
}

int
canonical_add(
    struct buf *out, const struct json_doc *doc, const struct json_node *node)
{
	struct json_writer w;

	json_write_init(&w, out);
	add(&w, doc, node);
	return out->overflow ? -ERR_TOO_LARGE : 0;
}
