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
#include "executor/extract.h"
#include "executor/name.h"
#include "executor/policy_impl.h"

#define POLICY_VERSION 1

/*
 * The whole.
 */
struct policy_text {
	int64_t version;
	const struct json_node *capabilities, *rules, *floor, *extracts;
	const struct json_node *limits, *leak, *firewall;
};

static const struct json_field policy_fields[] = {
    {"version", JSON_WANT_INTEGER, true, offsetof(struct policy_text, version),
	POLICY_VERSION, POLICY_VERSION},
    {"capabilities", JSON_WANT_ARRAY, false,
	offsetof(struct policy_text, capabilities), 0, POLICY_MAX_CAPABILITIES},
    {"rules", JSON_WANT_ARRAY, false, offsetof(struct policy_text, rules), 0,
	POLICY_MAX_RULES},
    {"extracts", JSON_WANT_ARRAY, false, offsetof(struct policy_text, extracts),
	0, EXTRACTS_MAX},
    {"floor", JSON_WANT_OBJECT, false, offsetof(struct policy_text, floor), 0,
	0},
    {"limits", JSON_WANT_ARRAY, false, offsetof(struct policy_text, limits), 0,
	POLICY_MAX_LIMITS},
    {"leak", JSON_WANT_OBJECT, false, offsetof(struct policy_text, leak), 0, 0},
    {"firewall", JSON_WANT_OBJECT, false,
	offsetof(struct policy_text, firewall), 0, 0},
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
		rc = rule_read(policy, doc, node,
		    &policy->rules[policy->rule_count++], where);
	if (rc == 0)
		rc = check_ids(policy, doc, list, where);
	return rc;
}

/*
 * The floor: what a call that completes the three legs gets at most.
 */
struct floor_text {
	const struct json_node *verdict, *exceptions;
};

static const struct json_field floor_fields[] = {
    {"verdict", JSON_WANT_ANY, false, offsetof(struct floor_text, verdict), 0,
	0},
    {"exceptions", JSON_WANT_ARRAY, false,
	offsetof(struct floor_text, exceptions), 0, POLICY_MAX_CAPABILITIES},
};

struct exception_text {
	const struct json_node *capability, *why;
};

static const struct json_field exception_fields[] = {
    {"capability", JSON_WANT_ANY, true,
	offsetof(struct exception_text, capability), 0, 0},
    {"why", JSON_WANT_ANY, true, offsetof(struct exception_text, why), 0, 0},
};

static int
read_exception(struct policy *policy, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	struct floor_exception *e =
	    &policy->exceptions[policy->exception_count++];
	struct exception_text text = {0};
	int rc = json_read(doc, node, exception_fields,
	    sizeof exception_fields / sizeof exception_fields[0], &text, where);

	if (rc == 0)
		rc = line_require(doc, text.why, "\"why\"", where);
	if (rc == 0)
		rc = capability_set_read(
		    policy, doc, text.capability, e->set, where);
	if (rc == 0)
		e->why = policy_string(text.why);
	return rc;
}

static int
read_floor(struct policy *policy, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	struct floor_text text = {0};
	const struct json_node *at;
	int rc;

	policy->floor = VERDICT_ASK;
	if (node == NULL)
		return 0;
	rc = json_read(doc, node, floor_fields,
	    sizeof floor_fields / sizeof floor_fields[0], &text, where);
	if (rc != 0)
		return rc;
	if (text.verdict != NULL && json_is_string(text.verdict, "deny"))
		policy->floor = VERDICT_DENY;
	else if (text.verdict != NULL && !json_is_string(text.verdict, "ask"))
		return json_complain(doc, text.verdict, where, ERR_RANGE,
		    "the floor is \"ask\" or \"deny\"");
	if (text.exceptions == NULL)
		return 0;
	policy->exceptions =
	    alloc_array(text.exceptions->count, sizeof *policy->exceptions);
	for (at = json_first(doc, text.exceptions); at != NULL && rc == 0;
	     at = json_next(doc, text.exceptions, at))
		rc = read_exception(policy, doc, at, where);
	return rc;
}

static int
read_extracts(struct policy *policy, const struct json_doc *doc,
    const struct json_node *list, struct json_error *where)
{
	const struct json_node *node;
	int rc = 0;

	if (list == NULL)
		return 0;
	policy->extracts = alloc_array(list->count, sizeof *policy->extracts);
	for (node = json_first(doc, list); node != NULL && rc == 0;
	     node = json_next(doc, list, node)) {
		struct extract *e = NULL;
		uint32_t other;

		rc = extract_read(doc, node, &e, where);
		if (rc == 0 && policy_extract(policy, span_of(extract_name(e)),
				   &other) != NULL) {
			rc = json_complain(doc, node, where, ERR_RANGE,
			    "extract \"%s\" twice", extract_name(e));
			extract_free(e);
		} else if (rc == 0) {
			policy->extracts[policy->extract_count++] = e;
		}
	}
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
	if (rc == 0)
		rc = read_floor(policy, &doc, members.floor, where);
	if (rc == 0)
		rc = read_extracts(policy, &doc, members.extracts, where);
	if (rc == 0)
		rc = limits_read(policy, &doc, members.limits, where);
	if (rc == 0)
		rc = leak_read(policy, &doc, members.leak, where);
	if (rc == 0)
		rc = model_read(
		    &doc, members.firewall, &policy->firewall, where);
	json_done(&doc);
	if (rc == 0)
		index_make(policy);
	if (rc == 0)
		*policy_out = policy;
	else
		policy_free(policy);
	return rc;
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
	for (uint32_t i = 0; i < policy->exception_count; i++)
		free(policy->exceptions[i].why);
	model_free(&policy->firewall);
	limits_done(policy);
	index_done(policy);
	free(policy->exceptions);
	for (uint32_t i = 0; i < policy->extract_count; i++)
		extract_free(policy->extracts[i]);
	free(policy->extracts);
	free(policy->capabilities);
	free(policy->by_name);
	free(policy->rules);
	free(policy);
}
