/*
 * Runs rules over one message. Pure; runs in the planner. The message is
 * hostile: it is compared and copied, never obeyed, and every loop over it is
 * linear.
 */
#include "planner/rules.h"

#include "common/err.h"
#include "planner/rules_tree.h"

/* What a message led to, before anything is called. */
struct plan {
	const struct rule *rules[RULES_MAX_CALLS]; /* those with calls */
	size_t rule_count;
	size_t call_count;
	bool matched;
};

static unsigned char
lower(char c, bool fold)
{
	if (fold && c >= 'A' && c <= 'Z')
		return (unsigned char)(c - 'A' + 'a');
	return (unsigned char)c;
}

static bool
same_text(struct span a, struct span b, bool fold)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i], fold) != lower(b.p[i], fold))
			return false;
	return true;
}

/* For each prefix of the needle, the length of its longest border: where to
 * go on after a mismatch (Knuth, Morris and Pratt). */
static void
find_borders(struct span needle, bool fold, uint16_t *border)
{
	uint16_t k = 0;

	border[0] = 0;
	for (size_t i = 1; i < needle.n; i++) {
		unsigned char c = lower(needle.p[i], fold);

		while (k > 0 && lower(needle.p[k], fold) != c)
			k = border[k - 1];
		if (lower(needle.p[k], fold) == c)
			k++;
		border[i] = k;
	}
}

/* Linear whatever text and needle are; the needle has 1 to RULES_MAX_NEEDLE
 * bytes. */
static bool
contains(struct span text, struct span needle, bool fold)
{
	uint16_t border[RULES_MAX_NEEDLE];
	size_t k = 0;

	find_borders(needle, fold, border);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = lower(text.p[i], fold);

		while (k > 0 && lower(needle.p[k], fold) != c)
			k = border[k - 1];
		if (lower(needle.p[k], fold) == c)
			k++;
		if (k == needle.n)
			return true;
	}
	return false;
}

static bool
is_number(const struct json_node *node)
{
	return node->type == JSON_INTEGER || node->type == JSON_REAL;
}

static double
as_real(const struct json_node *node)
{
	return node->type == JSON_REAL ? node->value.real
				       : (double)node->value.integer;
}

/* Whether a is greater than b; false unless both are numbers. Two integers
 * are compared as such, else both as doubles. */
static bool
is_greater(const struct json_node *a, const struct json_node *b)
{
	if (!is_number(a) || !is_number(b))
		return false;
	if (a->type == JSON_INTEGER && b->type == JSON_INTEGER)
		return a->value.integer > b->value.integer;
	return as_real(a) > as_real(b);
}

static bool
has_count(const struct json_node *node)
{
	return node->type == JSON_ARRAY || node->type == JSON_OBJECT;
}

/* The tests that compare two texts. */
static bool
text_holds(const struct rules_condition *c, struct span text)
{
	struct span want = c->value->value.string;

	switch (c->test) {
	case RULES_IS:
		return same_text(text, want, c->fold);
	case RULES_CONTAINS:
		return contains(text, want, c->fold);
	case RULES_STARTS:
		if (text.n < want.n)
			return false;
		text.n = want.n;
		return same_text(text, want, c->fold);
	default:
		if (text.n < want.n)
			return false;
		text.p += text.n - want.n;
		text.n = want.n;
		return same_text(text, want, c->fold);
	}
}

/* All tests but exists and some, for a value that is there. */
static bool
value_holds(const struct rules_fill *run, const struct rules_condition *c,
    const struct json_node *value)
{
	switch (c->test) {
	case RULES_GREATER:
		return is_greater(value, c->value);
	case RULES_LESS:
		return is_greater(c->value, value);
	case RULES_COUNT_GREATER:
		return has_count(value) &&
		       value->count > c->value->value.integer;
	case RULES_COUNT_LESS:
		return has_count(value) &&
		       value->count < c->value->value.integer;
	default:
		break;
	}
	if (c->value->type != JSON_STRING)
		return json_equal(run->clean, value, run->rules, c->value);
	return value->type == JSON_STRING && text_holds(c, value->value.string);
}

/* A condition on something below `from`; `inner` conditions of "some" too. */
static bool
simple_holds(const struct rules_fill *run, const struct json_node *from,
    const struct rules_condition *c)
{
	const struct json_node *value =
	    json_pointer(run->clean, from, c->field->value.string);

	if (c->test == RULES_EXISTS)
		return (value != NULL && value->type != JSON_NULL) ==
		       c->value->value.boolean;
	return value != NULL && value_holds(run, c, value);
}

static bool
condition_holds(const struct rules_fill *run, const struct rules_condition *c)
{
	const struct json_node *list, *item;

	if (c->test != RULES_SOME)
		return simple_holds(run, run->root, c);
	list = json_pointer(run->clean, run->root, c->field->value.string);
	if (list == NULL || list->type != JSON_ARRAY)
		return false;
	for (item = json_first(run->clean, list); item != NULL;
	     item = json_next(run->clean, list, item))
		if (simple_holds(run, item, c->inner))
			return true;
	return false;
}

static bool
all_hold(
    const struct rules_fill *run, const struct rules_conditions *conditions)
{
	for (size_t i = 0; i < conditions->count; i++)
		if (!condition_holds(run, &conditions->items[i]))
			return false;
	return true;
}

static bool
any_holds(
    const struct rules_fill *run, const struct rules_conditions *conditions)
{
	for (size_t i = 0; i < conditions->count; i++)
		if (condition_holds(run, &conditions->items[i]))
			return true;
	return false;
}

/* A failure of the reader has few fields, so it would slip through "none":
 * only a rule that looks at /error gets it. */
static bool
rule_matches(const struct rules_fill *run, const struct rule *rule)
{
	bool failure = json_get(run->clean, run->root, "error") != NULL;

	return (!failure || rule->failures) && all_hold(run, &rule->all) &&
	       (rule->any.count == 0 || any_holds(run, &rule->any)) &&
	       !any_holds(run, &rule->none);
}

/* No message leads to too many calls: rules_parse has seen to that. */
static void
make_plan(
    const struct rules *rules, const struct rules_fill *run, struct plan *plan)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];

		if (!rule_matches(run, rule))
			continue;
		plan->matched = true;
		plan->call_count += rule->then.count;
		if (plan->call_count > RULES_MAX_CALLS)
			bug("%zu calls for one message", plan->call_count);
		if (rule->then.count != 0)
			plan->rules[plan->rule_count++] = rule;
		if (rule->stop)
			break;
	}
}

static int
make_calls(struct rules_fill *run, const struct rules_actions *actions,
    struct span rule, rules_sink *sink, void *context)
{
	int rc = 0;

	for (size_t i = 0; i < actions->count && rc == 0; i++) {
		const struct rules_action *action = &actions->items[i];
		struct span arguments;

		rules_template_fill(run, action->arguments, &arguments);
		rc = sink(action->call, arguments, rule, context);
	}
	return rc;
}

/* Follow the plan; returns the number of calls or what `sink` returned. */
static int
follow(const struct rules *rules, struct rules_fill *run,
    const struct plan *plan, rules_sink *sink, void *context)
{
	const struct rules_actions *otherwise = &rules->otherwise;
	int rc = 0;

	if (!plan->matched) {
		rc = make_calls(
		    run, otherwise, SPAN("otherwise"), sink, context);
		return rc == 0 ? (int)otherwise->count : rc;
	}
	for (size_t i = 0; i < plan->rule_count && rc == 0; i++)
		rc = make_calls(run, &plan->rules[i]->then,
		    plan->rules[i]->name, sink, context);
	return rc == 0 ? (int)plan->call_count : rc;
}

int
rules_run(const struct rules *rules, const struct json_doc *clean,
    const struct json_node *root, rules_sink *sink, void *context)
{
	struct rules_fill run = {
	    .rules = &rules->doc, .clean = clean, .root = root};
	struct plan plan = {0};
	int rc;

	if (root == NULL || root->type != JSON_OBJECT)
		return -ERR_TYPE;
	buf_init(&run.text, RULES_MAX_ARGUMENT_BYTES);
	buf_init(&run.arguments, RULES_MAX_ARGUMENT_BYTES);
	make_plan(rules, &run, &plan);
	rc = follow(rules, &run, &plan, sink, context);
	buf_free(&run.text);
	buf_free(&run.arguments);
	return rc;
}
