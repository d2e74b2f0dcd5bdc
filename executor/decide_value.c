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

/* One value whose origin is wanted. */
struct place {
	uint32_t node, link;
	enum value_type type;
	struct span what, value;
};

static bool
is_full(struct leaves *leaves)
{
	leaves->too_many |= leaves->count == DECIDE_VALUES_MAX;
	return leaves->too_many;
}

static void
add(struct leaves *leaves, enum from from, unsigned origins, struct span value)
{
	if (is_full(leaves))
		return;
	leaves->at[leaves->count].from = from;
	leaves->at[leaves->count].origins = origins;
	leaves->at[leaves->count].bytes = (uint32_t)value.n;
	if (leaves->labels != NULL)
		leaves->labels[leaves->count] = (struct label){
		    .role = from_name(from),
		    .argument = leaves->argument,
		    .value = value,
		    .origins = origins,
		};
	leaves->count++;
}

/* What was found of it before; 0 if nothing is known. */
static unsigned
known_origins(const struct decide_request *request, const struct place *place)
{
	for (size_t i = 0; i < request->value_count; i++) {
		const struct decide_value *v = &request->values[i];

		if (v->node == place->node && v->link == place->link &&
		    v->type == place->type && span_equal(v->what, place->what))
			return v->origins;
	}
	return 0;
}

static unsigned
origins_of(struct leaves *leaves, const struct decide_request *request,
    const struct place *place)
{
	unsigned origins = ORIGIN_MODEL;

	if (request->values != NULL)
		origins = known_origins(request, place);
	else if (request->facts != NULL)
		origins = facts_origins(
		    request->facts, place->type, place->what, place->value);
	leaves->unknown |= origins == 0;
	if (leaves->found != NULL)
		leaves->found[leaves->count] =
		    (struct decide_value){place->node, place->link, place->type,
			place->what, origins};
	return origins;
}

/* Links in what leaves; one is as good as a destination. */
static void
add_links(struct leaves *leaves, const struct decide_request *request,
    const struct place *text)
{
	struct place link = {.node = text->node, .type = VALUE_URL};
	size_t at = 0;

	while (
	    !leaves->too_many && outbound_next(text->value, &at, &link.value)) {
		link.link++;
		if (!is_full(leaves))
			add(leaves, FROM_LINKS,
			    origins_of(leaves, request, &link), link.value);
	}
}

static void
add_leaf(struct leaves *leaves, const struct decide_request *request,
    const struct kind_argument *argument, const struct json_node *node)
{
	bool writes = argument->role == ARGUMENT_CONTENT ||
		      argument->role == ARGUMENT_TITLE;
	bool number = node->type == JSON_INTEGER || node->type == JSON_REAL;
	struct place place = {
	    .node = (uint32_t)(node - request->arguments),
	    .type = number ? VALUE_NUMBER : argument->type,
	    .what = argument->what == NULL ? (struct span){0}
					   : span_of(argument->what),
	    .value = node->type == JSON_STRING ? node->value.string
					       : json_raw(request->doc, node),
	};
	unsigned origins;

	if (is_full(leaves))
		return;
	origins = origins_of(leaves, request, &place);
	add(leaves, (enum from)argument->role, origins, place.value);
	if (argument->role == ARGUMENT_TITLE) {
		if (leaves->found != NULL && leaves->count < DECIDE_VALUES_MAX)
			leaves->found[leaves->count] =
			    leaves->found[leaves->count - 1];
		add(leaves, FROM_CONTENT, origins, place.value);
	}
	if (writes && node->type == JSON_STRING)
		add_links(leaves, request, &place);
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
	leaves->too_many = leaves->unknown = false;
	for (key = json_first(doc, request->arguments);
	     key != NULL && !leaves->too_many;
	     key = json_next(doc, request->arguments, key)) {
		leaves->argument = key->value.string;
		add_leaves(leaves, request,
		    kind_argument_of(effects, key->value.string),
		    json_value(key));
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
	    kind_argument_of(effects, key->value.string)->role;

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

/* Whether a value may carry something out. A title is counted as content, a
 * link within its text. Where it goes and what it is about may be a value that
 * was seen whole, but for one of prose, where a stranger offers as many as he
 * likes to choose from. */
static bool
may_tell(enum from from, unsigned origins)
{
	const unsigned ours = ORIGIN_OPERATOR | ORIGIN_SELF;

	if (from == FROM_TITLE || from == FROM_LINKS)
		return false;
	if (from == FROM_CONTENT)
		return (origins & ours) == 0;
	return (origins & ~(unsigned)(ORIGIN_MODEL | ORIGIN_PROSE)) == 0;
}

void
leaves_leak(
    const struct leaves *leaves, uint64_t *bytes_out, uint32_t *fields_out)
{
	*bytes_out = 0;
	*fields_out = 0;
	for (uint32_t i = 0; i < leaves->count; i++) {
		if (!may_tell(leaves->at[i].from, leaves->at[i].origins))
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

size_t
decide_values(const struct policy *policy, const struct decide_request *request,
    struct decide_value *out)
{
	const struct capability *c = policy_find(policy, request->capability);
	struct leaves leaves = {.found = out};

	if (c == NULL || request->arguments == NULL ||
	    request->arguments->type != JSON_OBJECT)
		return 0;
	leaves_fill(&leaves, request, c->effects);
	return leaves.count;
}
