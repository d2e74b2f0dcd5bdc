/*
 * Keywords that combine schemas: allOf, anyOf, oneOf, not. A schema that could
 * not be checked (-ERR_LIMIT) is neither a match nor a mismatch: it ends the
 * whole check, so that `not` never turns a limit into a yes.
 */
#include "common/alloc.h"
#include "common/err.h"
#include "executor/schema_impl.h"

/* One schema: not, items, additionalProperties. */
int
compile_one(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	(void)in;
	clause->branches = alloc_array(1, sizeof *clause->branches);
	clause->branch_count = 1;
	return compile_subschema(
	    compiler, operand, &clause->branches[0].schema);
}

/* A list of schemas: allOf, anyOf, oneOf. */
int
compile_several(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	const struct json_doc *doc = &compiler->schema->doc;
	const struct json_node *at;
	int rc = 0;

	(void)in;
	if (operand->type != JSON_ARRAY || operand->count == 0)
		return compile_refuse(compiler, operand, ERR_TYPE,
		    "%s has to be a list of at least one schema",
		    clause->keyword->name);
	clause->branches =
	    alloc_array(operand->count, sizeof *clause->branches);
	for (at = json_first(doc, operand); at != NULL && rc == 0;
	     at = json_next(doc, operand, at))
		rc = compile_subschema(compiler, at,
		    &clause->branches[clause->branch_count++].schema);
	return rc;
}

/* Whether the value fits, without keeping the reason if it does not. */
static int
check_quietly(struct checker *checker, const struct subschema *subschema,
    const struct json_node *node, bool *fits_out)
{
	int rc;

	checker->quiet++;
	rc = check_subschema(checker, subschema, node);
	checker->quiet--;
	if (rc != 0 && rc != -ERR_SCHEMA)
		return rc;
	*fits_out = rc == 0;
	return 0;
}

int
check_all_of(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	int rc = 0;

	for (size_t i = 0; i < clause->branch_count && rc == 0; i++)
		rc = check_subschema(checker, clause->branches[i].schema, node);
	return rc;
}

int
check_any_of(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	bool fits = false;
	int rc = 0;

	for (size_t i = 0; i < clause->branch_count && rc == 0 && !fits; i++)
		rc = check_quietly(
		    checker, clause->branches[i].schema, node, &fits);
	if (rc != 0 || fits)
		return rc;
	return check_refuse(checker, node, ERR_SCHEMA,
	    "fits none of the %zu schemas of anyOf", clause->branch_count);
}

int
check_one_of(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	size_t fitting = 0;
	int rc = 0;

	for (size_t i = 0; i < clause->branch_count && rc == 0; i++) {
		bool fits = false;

		rc = check_quietly(
		    checker, clause->branches[i].schema, node, &fits);
		fitting += fits;
	}
	if (rc != 0 || fitting == 1)
		return rc;
	return check_refuse(checker, node, ERR_SCHEMA,
	    "fits %zu of the %zu schemas of oneOf, not exactly one", fitting,
	    clause->branch_count);
}

int
check_not(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	bool fits;
	int rc =
	    check_quietly(checker, clause->branches[0].schema, node, &fits);

	if (rc != 0 || !fits)
		return rc;
	return check_refuse(
	    checker, node, ERR_SCHEMA, "fits a schema that is ruled out (not)");
}
