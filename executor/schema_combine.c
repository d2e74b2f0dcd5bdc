/*
 * Keywords that combine schemas for one value: $ref, allOf, anyOf, oneOf, not,
 * if. A schema that could not be checked (-ERR_LIMIT) is neither a match nor a
 * mismatch: it ends the whole check, so that `not` never turns a limit into a
 * yes. Where somebody asks what was looked at (checker->seen), no schema is
 * left out because the answer is known already.
 */
#include "common/alloc.h"
#include "common/err.h"
#include "executor/schema_impl.h"

/* One schema: not, items, additionalProperties, then. */
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

int
check_quietly(struct checker *checker, const struct subschema *subschema,
    const struct json_node *node)
{
	int rc;

	checker->quiet++;
	rc = check_subschema(checker, subschema, node);
	checker->quiet--;
	if (rc != 0 && rc != -ERR_SCHEMA)
		return rc;
	return rc == 0;
}

/* compile_ref is in schema_ref.c */
int
check_ref(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	return check_subschema(checker, clause->branches[0].schema, node);
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

/* How many of the branches the value fits; all of them are tried, or, where
 * nobody asks, as many as it takes to reach `enough`. */
static int
count_branches(struct checker *checker, const struct clause *clause,
    const struct json_node *node, size_t enough, size_t *count_out)
{
	size_t count = 0;

	for (size_t i = 0; i < clause->branch_count &&
			   (count < enough || checker->seen != NULL);
	     i++) {
		int rc =
		    check_quietly(checker, clause->branches[i].schema, node);

		if (rc < 0)
			return rc;
		count += (size_t)rc;
	}
	*count_out = count;
	return 0;
}

int
check_any_of(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	size_t fitting;
	int rc = count_branches(checker, clause, node, 1, &fitting);

	if (rc != 0 || fitting != 0)
		return rc;
	return check_refuse(checker, node, ERR_SCHEMA,
	    "fits none of the %zu schemas of anyOf", clause->branch_count);
}

int
check_one_of(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	size_t fitting;
	int rc = count_branches(checker, clause, node, SIZE_MAX, &fitting);

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
	int rc = check_quietly(checker, clause->branches[0].schema, node);

	if (rc < 1)
		return rc;
	return check_refuse(
	    checker, node, ERR_SCHEMA, "fits a schema that is ruled out (not)");
}

/*
 * if, with then and else beside it, which are compiled before
 */
enum { IF, THEN, ELSE, IF_BRANCHES };

int
compile_if(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	const struct clause *then = compile_find(in, "then");
	const struct clause *otherwise = compile_find(in, "else");
	int rc;

	clause->branches = alloc_array(IF_BRANCHES, sizeof *clause->branches);
	rc = compile_subschema(compiler, operand, &clause->branches[IF].schema);
	clause->branch_count = IF_BRANCHES;
	if (then != NULL)
		clause->branches[THEN].schema = then->branches[0].schema;
	if (otherwise != NULL)
		clause->branches[ELSE].schema = otherwise->branches[0].schema;
	return rc;
}

int
check_if(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	const struct branch *branches = clause->branches;
	const struct subschema *chosen;
	int rc;

	if (branches[THEN].schema == NULL && branches[ELSE].schema == NULL &&
	    checker->seen == NULL)
		return 0;
	rc = check_quietly(checker, branches[IF].schema, node);
	if (rc < 0)
		return rc;
	chosen = branches[rc == 1 ? THEN : ELSE].schema;
	return chosen == NULL ? 0 : check_subschema(checker, chosen, node);
}
