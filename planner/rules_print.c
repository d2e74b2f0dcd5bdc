/*
 * Says in words what rules do, for an operator. What stands in quotes is
 * printed as JSON, just as the file spells it.
 */
#include "common/err.h"
#include "planner/rules.h"
#include "planner/rules_tree.h"

static void
add_raw(
    struct buf *out, const struct rules *rules, const struct json_node *node)
{
	struct span raw = json_raw(&rules->doc, node);

	buf_add(out, raw.p, raw.n);
}

static void
print_test(
    const struct rules *rules, const struct rules_condition *c, struct buf *out)
{
	static const char *const words[] = {
#define X(name, key, text) [RULES_##name] = text,
	    RULES_TESTS(X)
#undef X
	};

	add_raw(out, rules, c->field);
	buf_add_format(out, " %s ", words[c->test]);
}

static void
print_value(
    const struct rules *rules, const struct rules_condition *c, struct buf *out)
{
	add_raw(out, rules, c->value);
	if (c->fold)
		buf_add_text(out, " (upper or lower case)");
}

static void
print_conditions(const struct rules *rules, const char *title,
    const struct rules_conditions *conditions, struct buf *out)
{
	for (size_t i = 0; i < conditions->count; i++) {
		const struct rules_condition *c = &conditions->items[i];

		buf_add_format(out, "    %s ", i == 0 ? title : "        ");
		print_test(rules, c, out);
		if (c->inner != NULL) {
			print_test(rules, c->inner, out);
			c = c->inner;
		}
		print_value(rules, c, out);
		buf_add_byte(out, '\n');
	}
}

static void
print_insert(
    const struct rules *rules, const struct json_node *node, struct buf *out)
{
	struct rules_insert insert;

	if (rules_insert_read(&rules->doc, node, &insert, NULL) != 0)
		bug("a $field that was checked is wrong");
	buf_add_text(out, "the message's ");
	add_raw(out, rules, insert.field);
	buf_add_format(
	    out, " (at most %lld characters", (long long)insert.max_chars);
	if (insert.fallback != NULL) {
		buf_add_text(out, ", else ");
		add_raw(out, rules, insert.fallback);
	}
	buf_add_byte(out, ')');
}

static void
print_join(
    const struct rules *rules, const struct json_node *node, struct buf *out)
{
	const struct json_node *parts = json_get(&rules->doc, node, "$join");
	const struct json_node *part = json_first(&rules->doc, parts);

	for (; part != NULL; part = json_next(&rules->doc, parts, part)) {
		if (part->type == JSON_STRING)
			add_raw(out, rules, part);
		else
			print_insert(rules, part, out);
		if (json_next(&rules->doc, parts, part) != NULL)
			buf_add_text(out, " and then ");
	}
}

static void
print_argument(
    const struct rules *rules, const struct json_node *node, struct buf *out)
{
	switch (rules_template_of(&rules->doc, node)) {
	case RULES_FIELD:
		print_insert(rules, node, out);
		break;
	case RULES_JOIN:
		print_join(rules, node, out);
		break;
	default:
		add_raw(out, rules, node);
		break;
	}
}

static void
print_actions(const struct rules *rules, const struct rules_actions *actions,
    struct buf *out)
{
	if (actions->count == 0)
		buf_add_text(out, "    call nothing\n");
	for (size_t i = 0; i < actions->count; i++) {
		const struct rules_action *action = &actions->items[i];
		const struct json_node *key;

		buf_add_format(out, "    call %.*s\n", (int)action->call.n,
		    action->call.p);
		for (key = json_first(&rules->doc, action->arguments);
		     key != NULL;
		     key = json_next(&rules->doc, action->arguments, key)) {
			buf_add_format(out,
			    "        %.*s: ", (int)key->value.string.n,
			    key->value.string.p);
			print_argument(rules, json_value(key), out);
			buf_add_byte(out, '\n');
		}
	}
}

static void
print_rule(const struct rules *rules, size_t index, struct buf *out)
{
	const struct rule *rule = &rules->items[index];

	buf_add_format(
	    out, "%zu. %.*s: ", index + 1, (int)rule->name.n, rule->name.p);
	buf_add(out, rule->why.p, rule->why.n);
	buf_add_byte(out, '\n');
	print_conditions(rules, "if all: ", &rule->all, out);
	print_conditions(rules, "if any: ", &rule->any, out);
	print_conditions(rules, "if none:", &rule->none, out);
	if (rule->failures)
		buf_add_text(out, "    also for messages the reader could "
				  "not read\n");
	print_actions(rules, &rule->then, out);
	if (rule->stop)
		buf_add_text(out, "    and look at no further rule\n");
}

void
rules_print(const struct rules *rules, struct buf *out)
{
	for (size_t i = 0; i < rules->count; i++)
		print_rule(rules, i, out);
	buf_add_text(out, "otherwise:\n");
	print_actions(rules, &rules->otherwise, out);
}
