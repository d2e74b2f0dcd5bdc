/*
 * policy.json to an immutable snapshot: rules, and the capabilities that
 * capability.c reads. Runs at start in parent, broker and auditor on the
 * operator's text. Believes his intent, not his typing: what is not
 * understood is an error with its place, never ignored.
 */
#include "executor/policy.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/limits.h"
#include "executor/name.h"
#include "executor/policy_impl.h"

#define POLICY_VERSION 1

/* What decide() calls its own verdicts; see policy.h. */
static const char *const reserved_ids[] = {
    "no-capability", "arguments", "kind", "limit", "default"};

#define MEMBER(key, want, required, type)                                      \
	{                                                                      \
#key, want, required, offsetof(struct type, key), 0, 0         \
	}

struct rule_text {
	const struct json_node *id, *why, *verdict, *capability, *zone;
	const struct json_node *arguments, *without_legs;
};

static const struct json_field rule_fields[] = {
    MEMBER(id, JSON_WANT_ANY, true, rule_text),
    MEMBER(why, JSON_WANT_ANY, true, rule_text),
    MEMBER(verdict, JSON_WANT_ANY, true, rule_text),
    MEMBER(capability, JSON_WANT_ANY, true, rule_text),
    MEMBER(zone, JSON_WANT_ANY, false, rule_text),
    MEMBER(arguments, JSON_WANT_OBJECT, false, rule_text),
    MEMBER(without_legs, JSON_WANT_ARRAY, false, rule_text),
};

static int
read_id(const struct json_doc *doc, const struct json_node *id,
    struct json_error *where)
{
	int rc = name_require(doc, id, "the id of a rule", where);

	for (size_t i = 0;
	     i < sizeof reserved_ids / sizeof reserved_ids[0] && rc == 0; i++)
		if (json_is_string(id, reserved_ids[i]))
			rc = json_complain(doc, id, where, ERR_RANGE,
			    "the id \"%s\" stands for a built-in rule",
			    reserved_ids[i]);
	return rc;
}

static int
read_verdict(const struct json_doc *doc, const struct json_node *node,
    enum verdict *verdict_out, struct json_error *where)
{
	for (int i = 0; i < VERDICT_COUNT; i++) {
		if (json_is_string(node, verdict_name((enum verdict)i))) {
			*verdict_out = (enum verdict)i;
			return 0;
		}
	}
	return json_complain(doc, node, where, ERR_RANGE,
	    "\"verdict\" has to be allow, ask or deny");
}

/* One name in a rule's list, resolved to its number. */
static int
add_capability(const struct policy *policy, const struct json_doc *doc,
    const struct json_node *name, struct rule *rule, struct json_error *where)
{
	const struct capability *c;
	uint64_t bit;
	int rc = name_require(doc, name, "the name of a capability", where);

	if (rc != 0)
		return rc;
	c = policy_find(policy, name->value.string);
	if (c == NULL)
		return json_complain(doc, name, where, ERR_RANGE,
		    "there is no capability \"%.*s\"",
		    (int)name->value.string.n, name->value.string.p);
	bit = UINT64_C(1) << c->number % 64;
	if ((rule->set[c->number / 64] & bit) != 0)
		return json_complain(doc, name, where, ERR_RANGE,
		    "capability \"%s\" twice in one rule", c->name);
	rule->set[c->number / 64] |= bit;
	return 0;
}

static int
read_capability_list(const struct policy *policy, const struct json_doc *doc,
    const struct json_node *node, struct rule *rule, struct json_error *where)
{
	const struct json_node *name;
	int rc = 0;

	if (json_is_string(node, "*")) {
		rule->any = true;
		if (rule->verdict == VERDICT_ALLOW)
			return json_complain(doc, node, where, ERR_RANGE,
			    "\"*\" may be denied or asked about, but not "
			    "allowed: name each capability");
		return 0;
	}
	if (node->type != JSON_ARRAY)
		return add_capability(policy, doc, node, rule, where);
	if (node->count == 0)
		return json_complain(doc, node, where, ERR_RANGE,
		    "a rule has to name at least one capability");
	for (name = json_first(doc, node); name != NULL && rc == 0;
	     name = json_next(doc, node, name))
		rc = add_capability(policy, doc, name, rule, where);
	return rc;
}

static int
read_legs(const struct json_doc *doc, const struct json_node *list,
    unsigned *legs_out, struct json_error *where)
{
	static const char *const names[] = {"A", "B", "C"};
	const struct json_node *node;
	unsigned legs = 0;

	for (node = json_first(doc, list); node != NULL;
	     node = json_next(doc, list, node)) {
		unsigned i = 0;

		while (i < 3 && !json_is_string(node, names[i]))
			i++;
		if (i == 3 || (legs & 1u << i) != 0)
			return json_complain(doc, node, where, ERR_RANGE,
			    "\"without_legs\" has \"A\", \"B\" and \"C\" in "
			    "it, each at most once");
		legs |= 1u << i;
	}
	*legs_out = legs;
	return 0;
}

/* The conditions that are optional. */
static int
read_conditions(const struct json_doc *doc, const struct rule_text *text,
    struct rule *rule, struct json_error *where)
{
	int rc = 0;

	if (text->zone != NULL)
		rc = name_require(doc, text->zone, "the name of a zone", where);
	if (rc == 0 && text->zone != NULL)
		rule->zone = policy_string(text->zone);
	if (rc == 0 && text->without_legs != NULL)
		rc = read_legs(
		    doc, text->without_legs, &rule->without_legs, where);
	if (rc == 0 && text->arguments != NULL)
		rc = schema_compile(
		    doc, text->arguments, &rule->arguments, where);
	return rc;
}

static int
read_rule(const struct policy *policy, const struct json_doc *doc,
    const struct json_node *node, struct rule *rule, struct json_error *where)
{
	struct rule_text text = {0};
	int rc = json_read(doc, node, rule_fields,
	    sizeof rule_fields / sizeof rule_fields[0], &text, where);

	if (rc == 0)
		rc = read_id(doc, text.id, where);
	if (rc == 0)
		rc = line_require(doc, text.why, "\"why\"", where);
	if (rc == 0)
		rc = read_verdict(doc, text.verdict, &rule->verdict, where);
	if (rc == 0)
		rc = read_capability_list(
		    policy, doc, text.capability, rule, where);
	if (rc == 0)
		rc = read_conditions(doc, &text, rule, where);
	if (rc != 0)
		return rc;
	rule->id = policy_string(text.id);
	rule->why = policy_string(text.why);
	return 0;
}

/*
 * The whole.
 */
struct policy_text {
	int64_t version;
	const struct json_node *capabilities, *rules;
};

static const struct json_field policy_fields[] = {
    {"version", JSON_WANT_INTEGER, true, offsetof(struct policy_text, version),
	POLICY_VERSION, POLICY_VERSION},
    {"capabilities", JSON_WANT_ARRAY, false,
	offsetof(struct policy_text, capabilities), 0, POLICY_MAX_CAPABILITIES},
    {"rules", JSON_WANT_ARRAY, false, offsetof(struct policy_text, rules), 0,
	POLICY_MAX_RULES},
};

/* Put the capability behind the last into its place in by_name. */
static int
index_capability(struct policy *policy, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	uint32_t number = policy->capability_count, i;
	const char *name = policy->capabilities[number]->name;

	if (policy_find(policy, span_of(name)) != NULL)
		return json_complain(doc, json_get(doc, node, "name"), where,
		    ERR_RANGE, "capability \"%s\" twice", name);
	for (i = number; i > 0; i--) {
		uint32_t before = policy->by_name[i - 1];

		if (strcmp(policy->capabilities[before]->name, name) < 0)
			break;
		policy->by_name[i] = before;
	}
	policy->by_name[i] = number;
	return 0;
}

static int
read_capabilities(struct policy *policy, const struct json_doc *doc,
    const struct json_node *list, struct json_error *where)
{
	const struct json_node *node;
	int rc = 0;

	if (list == NULL)
		return 0;
	policy->capabilities =
	    alloc_array(list->count, sizeof *policy->capabilities);
	policy->by_name = alloc_array(list->count, sizeof *policy->by_name);
	for (node = json_first(doc, list); node != NULL && rc == 0;
	     node = json_next(doc, list, node)) {
		uint32_t number = policy->capability_count;
		struct capability *c = alloc_bytes(sizeof *c);

		c->number = number;
		policy->capabilities[number] = c;
		rc = capability_read(doc, node, c, where);
		if (rc == 0)
			rc = index_capability(policy, doc, node, where);
		policy->capability_count++;
	}
	return rc;
}

static int
order_by_id(const void *a, const void *b)
{
	const struct rule *const *x = a, *const *y = b;
	int order = strcmp((*x)->id, (*y)->id);

	return order != 0 ? order : (*x > *y) - (*x < *y);
}

static int
refuse_twice(const struct json_doc *doc, const struct json_node *list,
    size_t index, struct json_error *where)
{
	const struct json_node *node = json_first(doc, list);

	while (index-- > 0)
		node = json_next(doc, list, node);
	node = json_get(doc, node, "id");
	return json_complain(doc, node, where, ERR_RANGE,
	    "rule id \"%.*s\" twice", (int)node->value.string.n,
	    node->value.string.p);
}

/* No id twice; by sorting, as there may be many rules. */
static int
check_ids(const struct policy *policy, const struct json_doc *doc,
    const struct json_node *list, struct json_error *where)
{
	const struct rule **sorted =
	    alloc_array(policy->rule_count, sizeof(struct rule *));
	int rc = 0;

	for (uint32_t i = 0; i < policy->rule_count; i++)
		sorted[i] = &policy->rules[i];
	qsort(sorted, policy->rule_count, sizeof(struct rule *), order_by_id);
	for (uint32_t i = 1; i < policy->rule_count && rc == 0; i++)
		if (strcmp(sorted[i - 1]->id, sorted[i]->id) == 0)
			rc = refuse_twice(doc, list,
			    (size_t)(sorted[i] - policy->rules), where);
	free(sorted);
	return rc;
}

static int
read_rules(struct policy *policy, const struct json_doc *doc,
    const struct json_node *list, struct json_error *where)
{
	const struct json_node *node;
	int rc = 0;

	if (list == NULL)
		return 0;
	policy->rules = alloc_array(list->count, sizeof *policy->rules);
	for (node = json_first(doc, list); node != NULL && rc == 0;
	     node = json_next(doc, list, node))
		rc = read_rule(policy, doc, node,
		    &policy->rules[policy->rule_count++], where);
	if (rc == 0)
		rc = check_ids(policy, doc, list, where);
	return rc;
}

int
policy_parse(
    struct span text, struct policy **policy_out, struct json_error *where)
{
	struct policy *policy = alloc_bytes(sizeof *policy);
	struct policy_text members = {0};
	struct json_doc doc;
	int rc;

	json_init(&doc);
	rc = json_parse(&doc, text, &policy_text_limits, where);
	if (rc == 0)
		rc = json_read(&doc, json_root(&doc), policy_fields,
		    sizeof policy_fields / sizeof policy_fields[0], &members,
		    where);
	if (rc == 0)
		rc = read_capabilities(
		    policy, &doc, members.capabilities, where);
	if (rc == 0)
		rc = read_rules(policy, &doc, members.rules, where);
	json_done(&doc);
	if (rc == 0)
		*policy_out = policy;
	else
		policy_free(policy);
	return rc;
}

static void
rule_done(struct rule *rule)
{
	free(rule->id);
	free(rule->why);
	free(rule->zone);
	schema_free(rule->arguments);
}

void
policy_free(struct policy *policy)
{
	if (policy == NULL)
		return;
	for (uint32_t i = 0; i < policy->rule_count; i++)
		rule_done(&policy->rules[i]);
	for (uint32_t i = 0; i < policy->capability_count; i++)
		capability_free(policy->capabilities[i]);
	free(policy->capabilities);
	free(policy->by_name);
	free(policy->rules);
	free(policy);
}
