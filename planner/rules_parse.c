/*
 * Reads a rules file into a tree. Runs in the planner at start; the file is
 * the operator's, and still nothing in it is guessed at: what is unknown,
 * empty or ambiguous is refused with its place.
 */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/limits.h"
#include "planner/rules.h"
#include "planner/rules_tree.h"

#define MAX_NODES (256u * 1024) /* 250 values in each rule */

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static bool
is_number(const struct json_node *node)
{
	return node->type == JSON_INTEGER || node->type == JSON_REAL;
}

static int
read_action(const struct rules_reader *r, const struct json_node *node,
    struct rules_action *action)
{
	static const struct json_field fields[] = {
	    {"call", JSON_WANT_STRING, true,
		offsetof(struct rules_action, call), 1, NAME_MAX_BYTES},
	    {"arguments", JSON_WANT_OBJECT, true,
		offsetof(struct rules_action, arguments), 0, 0},
	};
	int rc;

	rc = json_read(r->doc, node, fields, COUNT(fields), action, r->where);
	if (rc != 0)
		return rc;
	if (!rules_is_name(action->call))
		return rules_complain(r, node, ERR_RANGE,
		    "\"call\" names a capability: A-Z a-z 0-9 . _ -");
	return rules_template_check(r, action->arguments);
}

static int
read_actions(const struct rules_reader *r, const struct json_node *list,
    struct rules_actions *actions)
{
	const struct json_node *at;
	int rc = 0;

	if (list == NULL)
		return 0;
	actions->items = alloc_array(list->count, sizeof *actions->items);
	for (at = json_first(r->doc, list); at != NULL && rc == 0;
	     at = json_next(r->doc, list, at))
		rc = read_action(r, at, &actions->items[actions->count++]);
	return rc;
}

static bool
is_needle(const struct json_node *value)
{
	return value->type == JSON_STRING && value->value.string.n != 0 &&
	       value->value.string.n <= RULES_MAX_NEEDLE;
}

/* Why `value` is no value for `test`, or NULL. */
static const char *
value_fault(enum rules_test test, const struct json_node *value)
{
	switch (test) {
	case RULES_CONTAINS:
	case RULES_STARTS:
	case RULES_ENDS:
		return is_needle(value) ? NULL
					: "a text of 1 to 256 bytes is wanted";
	case RULES_EXISTS:
		return value->type == JSON_BOOL ? NULL
						: "true or false is wanted";
	case RULES_GREATER:
	case RULES_LESS:
		return is_number(value) ? NULL : "a number is wanted";
	case RULES_COUNT_GREATER:
	case RULES_COUNT_LESS:
		if (value->type == JSON_INTEGER && value->value.integer >= 0)
			return NULL;
		return "a whole number, zero or more, is wanted";
	default:
		return NULL;
	}
}

struct raw_condition {
	const struct json_node *field;
	bool fold;
	const struct json_node *tests[RULES_TEST_COUNT];
};

static int
read_raw_condition(const struct rules_reader *r, const struct json_node *node,
    struct raw_condition *raw)
{
	static const struct json_field fields[] = {
	    {"field", JSON_WANT_ANY, true,
		offsetof(struct raw_condition, field), 0, 0},
	    {"fold", JSON_WANT_BOOL, false,
		offsetof(struct raw_condition, fold), 0, 0},
#define X(name, key, words)                                                    \
	{key, JSON_WANT_ANY, false,                                            \
	    offsetof(struct raw_condition, tests[RULES_##name]), 0, 0},
	    RULES_TESTS(X)
#undef X
	};
	int rc;

	rc = json_read(r->doc, node, fields, COUNT(fields), raw, r->where);
	return rc == 0 ? rules_check_pointer(r, raw->field) : rc;
}

/* A condition without the one inside "some". */
static int
read_test(const struct rules_reader *r, const struct json_node *node,
    struct rules_condition *c)
{
	struct raw_condition raw = {0};
	int rc = read_raw_condition(r, node, &raw);
	const char *fault;
	size_t found = 0;

	if (rc != 0)
		return rc;
	c->field = raw.field;
	c->fold = raw.fold;
	for (unsigned i = 0; i < RULES_TEST_COUNT; i++) {
		if (raw.tests[i] == NULL)
			continue;
		found++;
		c->test = (enum rules_test)i;
		c->value = raw.tests[i];
	}
	if (found != 1)
		return rules_complain(r, node,
		    found == 0 ? ERR_MISSING_KEY : ERR_RANGE,
		    "a condition has exactly one test, such as \"is\"");
	fault = value_fault(c->test, c->value);
	if (fault != NULL)
		return rules_complain(r, c->value, ERR_TYPE, fault);
	if (c->fold && c->value->type != JSON_STRING)
		return rules_complain(r, node, ERR_TYPE,
		    "\"fold\" goes with a test for a text only");
	return 0;
}

static int
read_condition(const struct rules_reader *r, const struct json_node *node,
    struct rules_condition *c)
{
	int rc = read_test(r, node, c);

	if (rc != 0 || c->test != RULES_SOME)
		return rc;
	c->inner = alloc_bytes(sizeof *c->inner);
	rc = read_test(r, c->value, c->inner);
	if (rc == 0 && c->inner->test == RULES_SOME)
		rc = rules_complain(r, c->value, ERR_DEPTH,
		    "\"some\" cannot hold another \"some\"");
	return rc;
}

static int
read_conditions(const struct rules_reader *r, const struct json_node *list,
    struct rules_conditions *conditions)
{
	const struct json_node *at;
	int rc = 0;

	if (list == NULL)
		return 0;
	conditions->items = alloc_array(list->count, sizeof *conditions->items);
	for (at = json_first(r->doc, list); at != NULL && rc == 0;
	     at = json_next(r->doc, list, at))
		rc = read_condition(
		    r, at, &conditions->items[conditions->count++]);
	return rc;
}

struct raw_when {
	const struct json_node *all, *any, *none;
};

static int
read_when(const struct rules_reader *r, const struct json_node *when,
    struct rule *rule)
{
	static const struct json_field fields[] = {
	    {"all", JSON_WANT_ARRAY, false, offsetof(struct raw_when, all), 1,
		RULES_MAX_CONDITIONS},
	    {"any", JSON_WANT_ARRAY, false, offsetof(struct raw_when, any), 1,
		RULES_MAX_CONDITIONS},
	    {"none", JSON_WANT_ARRAY, false, offsetof(struct raw_when, none), 1,
		RULES_MAX_CONDITIONS},
	};
	struct raw_when raw = {0};
	int rc;

	if (when->count == 0)
		return rules_complain(r, when, ERR_MISSING_KEY,
		    "\"when\" has \"all\", \"any\" or \"none\"; to match every "
		    "message, test that \"/v\" exists");
	rc = json_read(r->doc, when, fields, COUNT(fields), &raw, r->where);
	if (rc == 0)
		rc = read_conditions(r, raw.all, &rule->all);
	if (rc == 0)
		rc = read_conditions(r, raw.any, &rule->any);
	if (rc == 0)
		rc = read_conditions(r, raw.none, &rule->none);
	return rc;
}

static bool
looks_at_error(const struct rules_conditions *conditions)
{
	for (size_t i = 0; i < conditions->count; i++) {
		struct span field = conditions->items[i].field->value.string;

		if (span_is(field, "/error") || span_starts(field, "/error/"))
			return true;
	}
	return false;
}

static bool
is_blank(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (strchr(" \t\r\n", text.p[i]) == NULL)
			return false;
	return true;
}

struct raw_rule {
	struct span name, why;
	const struct json_node *when, *then;
	bool stop;
};

static int
read_raw_rule(const struct rules_reader *r, const struct json_node *node,
    struct raw_rule *raw)
{
	static const struct json_field fields[] = {
	    {"name", JSON_WANT_STRING, true, offsetof(struct raw_rule, name), 1,
		NAME_MAX_BYTES},
	    {"why", JSON_WANT_STRING, true, offsetof(struct raw_rule, why), 1,
		WHY_MAX_BYTES},
	    {"when", JSON_WANT_OBJECT, true, offsetof(struct raw_rule, when), 0,
		0},
	    {"then", JSON_WANT_ARRAY, true, offsetof(struct raw_rule, then), 0,
		RULES_MAX_CALLS},
	    {"stop", JSON_WANT_BOOL, false, offsetof(struct raw_rule, stop), 0,
		0},
	};
	int rc;

	rc = json_read(r->doc, node, fields, COUNT(fields), raw, r->where);
	if (rc != 0)
		return rc;
	if (!rules_is_name(raw->name) || span_is(raw->name, "otherwise"))
		return rules_complain(r, node, ERR_RANGE,
		    "a rule's \"name\" has A-Z a-z 0-9 . _ - and is not "
		    "\"otherwise\"");
	if (is_blank(raw->why))
		return rules_complain(
		    r, node, ERR_RANGE, "\"why\" has to give a reason");
	return 0;
}

static int
read_rule(const struct rules_reader *r, const struct json_node *node,
    struct rule *rule)
{
	struct raw_rule raw = {0};
	int rc = read_raw_rule(r, node, &raw);

	if (rc != 0)
		return rc;
	rule->name = raw.name;
	rule->why = raw.why;
	rule->stop = raw.stop;
	rc = read_when(r, raw.when, rule);
	if (rc == 0)
		rc = read_actions(r, raw.then, &rule->then);
	if (rc == 0)
		rule->failures = looks_at_error(&rule->all) ||
				 looks_at_error(&rule->any) ||
				 looks_at_error(&rule->none);
	return rc;
}

static bool
name_taken(const struct rules *rules, struct span name)
{
	for (size_t i = 0; i + 1 < rules->count; i++)
		if (span_equal(rules->items[i].name, name))
			return true;
	return false;
}

/* A message can match every rule up to the first with "stop" that it matches;
 * *calls is what the rules before this one lead to at most. */
static int
count_calls(const struct rules_reader *r, const struct json_node *node,
    const struct rule *rule, size_t *calls)
{
	if (*calls + rule->then.count > RULES_MAX_CALLS)
		return rules_complain(r, node, ERR_LIMIT,
		    "a message that matches this rule and those before it "
		    "leads to more than 16 calls; \"stop\" prevents that");
	if (!rule->stop)
		*calls += rule->then.count;
	return 0;
}

static int
read_rules(const struct rules_reader *r, const struct json_node *list,
    struct rules *rules)
{
	const struct json_node *at;
	size_t calls = 0;
	int rc = 0;

	rules->items = alloc_array(list->count, sizeof *rules->items);
	for (at = json_first(r->doc, list); at != NULL && rc == 0;
	     at = json_next(r->doc, list, at)) {
		struct rule *rule = &rules->items[rules->count++];

		rc = read_rule(r, at, rule);
		if (rc == 0 && name_taken(rules, rule->name))
			rc = rules_complain(
			    r, at, ERR_RANGE, "another rule has this name");
		if (rc == 0)
			rc = count_calls(r, at, rule, &calls);
	}
	return rc;
}

struct raw_file {
	int64_t version;
	const struct json_node *rules, *otherwise;
};

static int
read_file(const struct rules_reader *r, struct rules *rules)
{
	static const struct json_field fields[] = {
	    {"version", JSON_WANT_INTEGER, true,
		offsetof(struct raw_file, version), 1, 1},
	    {"rules", JSON_WANT_ARRAY, true, offsetof(struct raw_file, rules),
		0, RULES_MAX_COUNT},
	    {"otherwise", JSON_WANT_ARRAY, false,
		offsetof(struct raw_file, otherwise), 0, RULES_MAX_CALLS},
	};
	struct raw_file raw = {0};
	int rc;

	rc = json_read(
	    r->doc, json_root(r->doc), fields, COUNT(fields), &raw, r->where);
	if (rc == 0)
		rc = read_rules(r, raw.rules, rules);
	if (rc == 0)
		rc = read_actions(r, raw.otherwise, &rules->otherwise);
	return rc;
}

int
rules_parse(
    struct span text, struct rules **rules_out, struct json_error *where)
{
	const struct json_limits limits = {
	    .bytes = RULES_MAX_BYTES, .nodes = MAX_NODES};
	struct rules *rules = alloc_bytes(sizeof *rules);
	struct rules_reader r = {&rules->doc, where};
	int rc;

	json_init(&rules->doc);
	if (text.n <= RULES_MAX_BYTES) {
		rules->text = alloc_text(text.p, text.n);
		text.p = rules->text;
	}
	rc = json_parse(&rules->doc, text, &limits, where);
	if (rc == 0)
		rc = read_file(&r, rules);
	if (rc == 0)
		*rules_out = rules;
	else
		rules_free(rules);
	return rc;
}

static void
free_conditions(struct rules_conditions *conditions)
{
	for (size_t i = 0; i < conditions->count; i++)
		free(conditions->items[i].inner);
	free(conditions->items);
}

void
rules_free(struct rules *rules)
{
	if (rules == NULL)
		return;
	for (size_t i = 0; i < rules->count; i++) {
		free_conditions(&rules->items[i].all);
		free_conditions(&rules->items[i].any);
		free_conditions(&rules->items[i].none);
		free(rules->items[i].then.items);
	}
	free(rules->items);
	free(rules->otherwise.items);
	json_done(&rules->doc);
	free(rules->text);
	free(rules);
}
