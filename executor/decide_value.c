/*
 * The values of a call and where each came from. Part of the decision: runs in
 * the broker and in the operator's commands on what a planner sent; believes
 * the kind's table and the session's facts. Pure, allocates nothing.
 */
#include <string.h>

#include "executor/facts.h"
#include "executor/outbound.h"
#include "executor/policy_impl.h"

static bool
is_empty(const struct json_node *node)
{
	switch (node->type) {
	case JSON_NULL:
		return true;
	case JSON_STRING:
		return node->value.string.n == 0;
	case JSON_ARRAY:
	case JSON_OBJECT:
		return node->count == 0;
	default:
		return false;
	}
}

unsigned
call_effects(
    const struct decide_request *request, const struct kind_effects *effects)
{
	const struct json_node *node;

	if (effects->leaves_if == NULL)
		return effects->effects;
	node = json_get(request->doc, request->arguments, effects->leaves_if);
	if (node != NULL && !is_empty(node))
		return effects->effects;
	return effects->effects & ~(unsigned)EFFECT_LEAVES;
}

static void
add(struct leaves *leaves, enum from from, unsigned origins, size_t bytes)
{
	if (leaves->count == LEAVES_MAX) {
		leaves->too_many = true;
		return;
	}
	leaves->at[leaves->count].from = from;
	leaves->at[leaves->count].origins = origins;
	leaves->at[leaves->count].bytes = (uint32_t)bytes;
	leaves->count++;
}

static unsigned
origins_of(const struct decide_request *request, enum value_type type,
    const char *what, struct span value)
{
	if (request->facts == NULL)
		return ORIGIN_MODEL;
	return facts_origins(request->facts, type,
	    what == NULL ? (struct span){0} : span_of(what), value);
}

/* Links in what leaves; one is as good as a destination. */
static void
add_links(struct leaves *leaves, const struct decide_request *request,
    struct span text)
{
	struct span found;
	size_t at = 0;

	while (!leaves->too_many && outbound_next(text, &at, &found))
		add(leaves, FROM_LINKS,
		    origins_of(request, VALUE_URL, NULL, found), found.n);
}

static void
add_leaf(struct leaves *leaves, const struct decide_request *request,
    const struct kind_argument *argument, const struct json_node *node)
{
	bool writes = argument->role == ARGUMENT_CONTENT ||
		      argument->role == ARGUMENT_TITLE;
	struct span value = node->type == JSON_STRING
				? node->value.string
				: json_raw(request->doc, node);
	enum value_type type =
	    node->type == JSON_INTEGER || node->type == JSON_REAL
		? VALUE_NUMBER
		: argument->type;
	unsigned origins = origins_of(request, type, argument->what, value);

	add(leaves, (enum from)argument->role, origins, value.n);
	if (argument->role == ARGUMENT_TITLE)
		add(leaves, FROM_CONTENT, origins, value.n);
	if (writes && node->type == JSON_STRING)
		add_links(leaves, request, value);
}

/* Each leaf below `node`, in text order: its nodes stand behind one another
 * and end where the next value begins. The keys of objects are leaves. */
static void
add_leaves(struct leaves *leaves, const struct decide_request *request,
    const struct kind_argument *argument, const struct json_node *node)
{
	const struct json_node *end = request->doc->nodes + node->next;

	for (; node < end && !leaves->too_many; node++)
		if (node->type != JSON_ARRAY && node->type != JSON_OBJECT &&
		    !is_empty(node))
			add_leaf(leaves, request, argument, node);
}

void
leaves_fill(struct leaves *leaves, const struct decide_request *request,
    const struct kind_effects *effects)
{
	const struct json_doc *doc = request->doc;
	const struct json_node *key;

	leaves->count = 0;
	leaves->filled = true;
	leaves->too_many = false;
	for (key = json_first(doc, request->arguments);
	     key != NULL && !leaves->too_many;
	     key = json_next(doc, request->arguments, key))
		add_leaves(leaves, request,
		    kind_argument_of(effects, key->value.string),
		    json_value(key));
}

void
leaves_leak(
    const struct leaves *leaves, uint64_t *bytes_out, uint32_t *fields_out)
{
	const unsigned ours = ORIGIN_OPERATOR | ORIGIN_SELF;

	*bytes_out = 0;
	*fields_out = 0;
	for (uint32_t i = 0; i < leaves->count; i++) {
		if (leaves->at[i].from != FROM_CONTENT ||
		    (leaves->at[i].origins & ours) != 0)
			continue;
		*bytes_out += leaves->at[i].bytes;
		++*fields_out;
	}
}

bool
leaves_accept(const struct leaves *leaves, enum from from, unsigned origins)
{
	bool found = from == FROM_LINKS;

	if (leaves->too_many)
		return false;
	for (uint32_t i = 0; i < leaves->count; i++) {
		if (leaves->at[i].from != from)
			continue;
		if ((leaves->at[i].origins & origins) == 0)
			return false;
		found = true;
	}
	return found;
}
