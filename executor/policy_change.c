/*
 * What of a policy may change while the service runs. Runs in the parent on
 * two texts of the operator, and in a courier on its own share of them. Pure.
 */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/limits.h"
#include "executor/policy_impl.h"

/* Members that nobody has anything open for. */
static const char *const may_change[] = {
    "why", "arguments", "limits", "outbound", "audit"};

static bool
is_free_to_change(struct span key)
{
	for (size_t i = 0; i < sizeof may_change / sizeof may_change[0]; i++)
		if (span_is(key, may_change[i]))
			return true;
	return false;
}

/* The first member of `one` that `other` has not, or not the same. */
static bool
find_difference(const struct json_doc *one, const struct json_doc *other,
    struct span *key_out)
{
	const struct json_node *root = json_root(one), *key;

	for (key = json_first(one, root); key != NULL;
	     key = json_next(one, root, key)) {
		const struct json_node *value;
		char name[NAME_MAX_BYTES + 1];

		*key_out = key->value.string;
		if (is_free_to_change(*key_out))
			continue;
		if (span_copy(*key_out, name, sizeof name) != 0)
			return true;
		value = json_get(other, json_root(other), name);
		if (value == NULL ||
		    !json_equal(one, json_value(key), other, value))
			return true;
	}
	return false;
}

static int
compare_capability(const struct capability *old,
    const struct capability *new_one, char *reason, size_t room)
{
	struct json_doc a, b;
	struct span key;
	bool differs;

	json_init(&a);
	json_init(&b);
	if (json_parse(&a, span_of(old->source), &policy_text_limits, NULL) !=
		0 ||
	    json_parse(
		&b, span_of(new_one->source), &policy_text_limits, NULL) != 0)
		bug("the source of a capability");
	differs =
	    find_difference(&a, &b, &key) || find_difference(&b, &a, &key);
	if (differs)
		snprintf(reason, room,
		    "\"%.*s\" of the capability \"%s\" has changed, which "
		    "needs a restart",
		    (int)key.n, key.p, old->name);
	json_done(&a);
	json_done(&b);
	return differs ? -ERR_WRONG_STATE : 0;
}

int
policy_change(const struct policy *old, const struct policy *new_one,
    char *reason, size_t room)
{
	int rc = 0;

	for (uint32_t i = 0; i < new_one->capability_count; i++)
		if (i >= old->capability_count ||
		    strcmp(new_one->capabilities[i]->name,
			old->capabilities[i]->name) != 0) {
			snprintf(reason, room,
			    "the capability \"%s\" is new or has another "
			    "place, which needs a restart",
			    new_one->capabilities[i]->name);
			return -ERR_WRONG_STATE;
		}
	if (new_one->capability_count < old->capability_count) {
		snprintf(reason, room,
		    "the capability \"%s\" is gone, which needs a restart",
		    old->capabilities[new_one->capability_count]->name);
		return -ERR_WRONG_STATE;
	}
	for (uint32_t i = 0; i < old->capability_count && rc == 0; i++)
		rc = compare_capability(old->capabilities[i],
		    new_one->capabilities[i], reason, room);
	if (rc == 0)
		rc = policy_firewall_change(old, new_one, reason, room);
	return rc;
}

static void
swap_text(char **a, char **b)
{
	char *other = *a;

	*a = *b;
	*b = other;
}

void
capability_renew(struct capability *to, struct capability *from)
{
	struct schema *arguments = to->arguments;

	to->arguments = from->arguments;
	from->arguments = arguments;
	swap_text(&to->why, &from->why);
	swap_text(&to->schema_text, &from->schema_text);
	swap_text(&to->source, &from->source);
	to->per_hour = from->per_hour;
	to->outbound = from->outbound;
	to->destination = from->destination;
	capability_free(from);
}
