/*
 * What can be said about schemas without a value. Pure.
 */
#include "executor/schema_impl.h"

#define STEPS_MAX 10000 /* one look; $ref can name the same schemas often */

/* Schemas that all hold for the same value: a branch, and what it is in. */
struct scope {
	const struct subschema *schema;
	const struct scope *outer;
};

struct look {
	const struct subschema *whole;
	unsigned steps;
	struct span name; /* what was found */
};

static bool
step(struct look *look)
{
	return look->steps != 0 && look->steps-- != 0;
}

/* Whether a clause holds all its schemas for the value: $ref, allOf. */
static bool
joins_all(const struct clause *clause)
{
	return clause->check == check_ref || clause->check == check_all_of;
}

static bool requires(
    struct look *look, const struct subschema *in, struct span name)
{
	for (size_t i = 0; i < in->clause_count; i++) {
		const struct clause *clause = &in->clauses[i];
		bool names = clause->check == check_required;

		if (!names && !joins_all(clause))
			continue;
		for (size_t j = 0; j < clause->branch_count; j++) {
			const struct branch *branch = &clause->branches[j];

			if (!step(look))
				return false;
			if (names ? span_equal(branch->name, name)
				  : requires(look, branch->schema, name))
				return true;
		}
	}
	return false;
}

static bool
required_in(struct look *look, const struct scope *scope, struct span name)
{
	for (; scope != NULL; scope = scope->outer)
		if (requires(look, scope->schema, name))
			return true;
	return requires(look, look->whole, name);
}

static bool leaves_out(
    struct look *look, const struct subschema *in, const struct scope *scope);

static bool
branch_leaves_out(struct look *look, const struct clause *clause,
    const struct branch *branch, const struct scope *scope)
{
	const struct subschema *schema = branch->schema;
	struct scope inner = {schema, scope};

	if (schema == NULL || !step(look))
		return false;
	if (clause->check == check_properties) {
		if ((schema->clause_count == 0 && !schema->never) ||
		    required_in(look, scope, branch->name))
			return false;
		look->name = branch->name;
		return true;
	}
	if (joins_all(clause))
		return leaves_out(look, schema, scope);
	if (clause->check == check_any_of || clause->check == check_one_of)
		return leaves_out(look, schema, &inner);
	return false;
}

static bool
leaves_out(
    struct look *look, const struct subschema *in, const struct scope *scope)
{
	for (size_t i = 0; i < in->clause_count; i++)
		for (size_t j = 0; j < in->clauses[i].branch_count; j++)
			if (branch_leaves_out(look, &in->clauses[i],
				&in->clauses[i].branches[j], scope))
				return true;
	return false;
}

bool
schema_leaves_out(const struct schema *narrow, const struct schema *whole,
    struct span *name_out)
{
	struct look look = {.whole = whole->root, .steps = STEPS_MAX};
	struct scope scope = {narrow->root, NULL};

	if (!leaves_out(&look, narrow->root, &scope))
		return false;
	*name_out = look.name;
	return true;
}
