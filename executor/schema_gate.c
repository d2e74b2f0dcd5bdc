/*
 * The one condition of a rule's schema that is looked at first. A decision
 * meets thousands of schemas that refuse its arguments, each of them lists of
 * clauses all over the memory; this is a few bytes within the rule.
 */
#include "executor/schema_impl.h"

/* Length, first and last bytes of a string in a few operations, however long
 * it is; two strings with one mark only cost the check itself. */
static uint64_t
mark(struct span text)
{
	size_t n = text.n < sizeof(uint64_t) ? text.n : sizeof(uint64_t);
	uint64_t first = 0, last = 0;

	if (n == sizeof first) {
		memcpy(&first, text.p, sizeof first);
		memcpy(&last, text.p + text.n - sizeof last, sizeof last);
	} else if (n != 0) {
		memcpy(&first, text.p, n);
	}
	return first ^ (last << 31 | last >> 33) ^
	       text.n * UINT64_C(0x9e3779b97f4a7c15);
}

static bool
property_gate(const struct subschema *property, struct schema_gate *gate)
{
	const struct clause *one, *type;

	if (property->never)
		return false;
	one = compile_find(property, "const");
	type = compile_find(property, "type");
	gate->types = type == NULL ? TYPE_ANY : (unsigned char)type->types;
	if (one != NULL && one->operand->type == JSON_STRING) {
		gate->types &= TYPE_STRING;
		gate->value = mark(one->operand->value.string);
		gate->one = true;
	} else if (one != NULL && one->operand->type == JSON_INTEGER) {
		gate->types &= TYPE_INTEGER | TYPE_NUMBER;
		gate->value = (uint64_t)one->operand->value.integer;
		gate->one = true;
	}
	return gate->one || type != NULL;
}

void
schema_gate_fill(const struct schema *schema, struct schema_gate *gate)
{
	const struct clause *properties =
	    compile_find(schema->root, "properties");

	*gate = (struct schema_gate){0};
	if (properties == NULL)
		return;
	for (size_t i = 0; i < properties->branch_count; i++) {
		const struct branch *branch = &properties->branches[i];
		struct schema_gate found = {
		    .name_bytes = (unsigned char)branch->name.n};

		if (branch->name.n == 0 || branch->name.n > SCHEMA_GATE_NAME ||
		    !property_gate(branch->schema, &found))
			continue;
		memcpy(found.name, branch->name.p, branch->name.n);
		if (gate->name_bytes == 0 || found.one)
			*gate = found;
		if (found.one)
			return;
	}
}

static bool
value_refused(const struct schema_gate *gate, const struct json_node *value)
{
	if ((schema_types(value) & gate->types) == 0)
		return true;
	if (!gate->one)
		return false;
	if (value->type == JSON_STRING)
		return mark(value->value.string) != gate->value;
	return value->type == JSON_INTEGER &&
	       (uint64_t)value->value.integer != gate->value;
}

bool
schema_gate_refuses(const struct schema_gate *gate, const struct json_doc *doc,
    const struct json_node *node)
{
	struct span name = {gate->name, gate->name_bytes};
	const struct json_node *key;

	if (name.n == 0 || node->type != JSON_OBJECT)
		return false;
	for (key = json_first(doc, node); key != NULL;
	     key = json_next(doc, node, key))
		if (same_name(key->value.string, name))
			return value_refused(gate, json_value(key));
	return false;
}
