/*
 * The values of a call and where each came from. Part of the decision: runs in
 * the broker and in the operator's commands on what a planner sent; believes
 * the kind's table and the session's facts. Pure, allocates nothing.
 */
#include <string.h>

#include "executor/facts.h"
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
add(struct leaves *leaves, enum from from, unsigned origins, struct span value)
{
	if (leaves->count == LEAVES_MAX) {
		leaves->too_many = true;
		return;
	}
	leaves->at[leaves->count].from = from;
	leaves->at[leaves->count].origins = origins;
	if (leaves->labels != NULL)
		leaves->labels[leaves->count] = (struct label){
		    .role = from_name(from),
		    .argument = leaves->argument,
		    .value = value,
		    .origins = origins,
		};
	leaves->count++;
}

/* Of the value that comes next. */
static unsigned
origins_of(const struct leaves *leaves, const struct decide_request *request,
    enum value_type type, const char *what, struct span value)
{
	if (request->origins != NULL)
		return leaves->count < request->origin_count
			   ? request->origins[leaves->count]
			   : ORIGIN_MODEL;
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

	while (!leaves->too_many && value_next(VALUE_URL, text, &at, &found))
		add(leaves, FROM_LINKS,
		    origins_of(leaves, request, VALUE_URL, NULL, found), found);
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
	unsigned origins =
	    origins_of(leaves, request, type, argument->what, value);

	add(leaves, (enum from)argument->role, origins, value);
	if (argument->role == ARGUMENT_TITLE)
		add(leaves, FROM_CONTENT, origins, value);
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

/* What no row of the kind names is taken for content. */
static const struct kind_argument undeclared = {
    .role = ARGUMENT_CONTENT, .type = VALUE_TEXT};

static const struct kind_argument *
argument_find(const struct kind_effects *effects, struct span name)
{
	for (size_t i = 0; i < effects->argument_count; i++)
		if (span_is(name, effects->arguments[i].name))
			return &effects->arguments[i];
	return &undeclared;
}

static void
suppose(struct leaves *leaves, const unsigned *supposed)
{
	for (uint32_t i = 0; i < leaves->count; i++)
		if (supposed[leaves->at[i].from] != 0)
			leaves->at[i].origins = supposed[leaves->at[i].from];
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
	     key = json_next(doc, request->arguments, key)) {
		leaves->argument = key->value.string;
		add_leaves(leaves, request,
		    argument_find(effects, key->value.string), json_value(key));
	}
	if (request->supposed != NULL)
		suppose(leaves, request->supposed);
}

size_t
decide_labels(const struct capability *c, const struct decide_request *request,
    struct label labels_out[LABELS_MAX])
{
	struct leaves leaves = {.labels = labels_out};

	leaves_fill(&leaves, request, c->effects);
	return leaves.count;
}

unsigned
decide_effects(const struct capability *c, const struct decide_request *request)
{
	return call_effects(request, c->effects);
}

static bool
is_content(const struct kind_effects *effects, const struct json_node *key)
{
	enum argument_role role =
	    argument_find(effects, key->value.string)->role;

	return role == ARGUMENT_CONTENT || role == ARGUMENT_TITLE;
}

/* Whether all that is no content in `a` stands in `b` as it is. */
static bool
is_within(const struct kind_effects *effects, const struct json_doc *a_doc,
    const struct json_node *a, const struct json_doc *b_doc,
    const struct json_node *b)
{
	const struct json_node *key, *other;

	for (key = json_first(a_doc, a); key != NULL;
	     key = json_next(a_doc, a, key)) {
		if (is_content(effects, key))
			continue;
		for (other = json_first(b_doc, b); other != NULL;
		     other = json_next(b_doc, b, other))
			if (span_equal(key->value.string, other->value.string))
				break;
		if (other == NULL || !json_equal(a_doc, json_value(key), b_doc,
					 json_value(other)))
			return false;
	}
	return true;
}

static bool
again_fits(const struct again *again, const struct decide_request *request,
    const struct kind_effects *effects)
{
	if (!again->any_content)
		return json_equal(again->doc, again->arguments, request->doc,
		    request->arguments);
	return is_within(effects, again->doc, again->arguments, request->doc,
		   request->arguments) &&
	       is_within(effects, request->doc, request->arguments, again->doc,
		   again->arguments);
}

const struct again *
again_find(const struct decide_request *request,
    const struct capability *capability, const char *asked_by)
{
	for (size_t i = 0; i < request->again_count; i++) {
		const struct again *again = &request->again[i];

		if (span_is(again->asked_by, asked_by) &&
		    span_is(again->capability, capability->name) &&
		    span_equal(again->zone, request->zone) &&
		    again_fits(again, request, capability->effects))
			return again;
	}
	return NULL;
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
