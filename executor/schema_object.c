/*
 * Keywords about objects: names, properties, what one asks of another. Each
 * keyword's compile function stands before its check function.
 */
#include "common/alloc.h"
#include "common/err.h"
#include "executor/schema_impl.h"

/*
 * required
 */
static const struct branch *
find_branch(const struct clause *clause, struct span name)
{
	for (size_t i = 0; i < clause->branch_count; i++)
		if (same_name(clause->branches[i].name, name))
			return &clause->branches[i];
	return NULL;
}

/* A list of names, each once. */
static int
check_name_list(struct compiler *compiler, const struct json_node *list,
    const char *keyword)
{
	const struct json_doc *doc = &compiler->schema->doc;
	const struct json_node *name, *other;

	if (list->type != JSON_ARRAY)
		return compile_refuse(compiler, list, ERR_TYPE,
		    "%s has to be a list of names", keyword);
	for (name = json_first(doc, list); name != NULL;
	     name = json_next(doc, list, name)) {
		if (name->type != JSON_STRING)
			return compile_refuse(compiler, name, ERR_TYPE,
			    "%s has to be a list of names", keyword);
		for (other = json_first(doc, list); other != name;
		     other = json_next(doc, list, other))
			if (span_equal(other->value.string, name->value.string))
				return compile_refuse(compiler, name, ERR_RANGE,
				    "the same name twice in %s", keyword);
	}
	return 0;
}

int
compile_required(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	const struct json_doc *doc = &compiler->schema->doc;
	const struct json_node *name;
	int rc = check_name_list(compiler, operand, "required");

	(void)in;
	if (rc != 0)
		return rc;
	clause->branches =
	    alloc_array(operand->count, sizeof *clause->branches);
	for (name = json_first(doc, operand); name != NULL;
	     name = json_next(doc, operand, name))
		clause->branches[clause->branch_count++].name =
		    name->value.string;
	return 0;
}

bool
object_has(const struct json_doc *doc, const struct json_node *object,
    struct span name)
{
	return json_get_named(doc, object, name) != NULL;
}

static int
refuse_missing(
    struct checker *checker, const struct json_node *node, struct span name)
{
	return check_refuse(checker, node, ERR_SCHEMA,
	    "required property \"%.*s\" is missing",
	    (int)utf8_prefix(name.p, name.n, 40), name.p);
}

int
check_required(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	int rc = check_spend(
	    checker, node, (uint64_t)clause->branch_count * node->count);

	for (size_t i = 0; i < clause->branch_count && rc == 0; i++) {
		struct span name = clause->branches[i].name;

		if (!object_has(checker->doc, node, name))
			rc = refuse_missing(checker, node, name);
	}
	return rc;
}

/*
 * dependentRequired: a branch for each name, with the list of what it needs.
 */
int
compile_dependent_required(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	const struct json_doc *doc = &compiler->schema->doc;
	const struct json_node *key;
	int rc = 0;

	(void)in;
	if (operand->type != JSON_OBJECT)
		return compile_refuse(compiler, operand, ERR_TYPE,
		    "dependentRequired has to be an object of lists of names");
	clause->branches =
	    alloc_array(operand->count, sizeof *clause->branches);
	for (key = json_first(doc, operand); key != NULL && rc == 0;
	     key = json_next(doc, operand, key)) {
		struct branch *branch =
		    &clause->branches[clause->branch_count++];

		branch->name = key->value.string;
		branch->of.list = json_value(key);
		rc = check_name_list(
		    compiler, branch->of.list, "dependentRequired");
	}
	return rc;
}

static int
check_list(struct checker *checker, const struct json_node *list,
    const struct json_node *node)
{
	const struct json_doc *doc = &checker->schema->doc;
	const struct json_node *name;
	int rc =
	    check_spend(checker, node, (uint64_t)list->count * node->count);

	for (name = json_first(doc, list); name != NULL && rc == 0;
	     name = json_next(doc, list, name))
		if (!object_has(checker->doc, node, name->value.string))
			rc = refuse_missing(checker, node, name->value.string);
	return rc;
}

int
check_dependent_required(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	int rc = check_spend(
	    checker, node, (uint64_t)clause->branch_count * node->count);

	for (size_t i = 0; i < clause->branch_count && rc == 0; i++)
		if (object_has(checker->doc, node, clause->branches[i].name))
			rc = check_list(
			    checker, clause->branches[i].of.list, node);
	return rc;
}

/*
 * dependentSchemas (compile_properties is below)
 */
int
check_dependent_schemas(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	int rc = check_spend(
	    checker, node, (uint64_t)clause->branch_count * node->count);

	for (size_t i = 0; i < clause->branch_count && rc == 0; i++)
		if (object_has(checker->doc, node, clause->branches[i].name))
			rc = check_subschema(
			    checker, clause->branches[i].schema, node);
	return rc;
}

/*
 * properties; compile_properties is that of $defs and dependentSchemas as well
 */
int
compile_properties(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	const struct json_doc *doc = &compiler->schema->doc;
	const struct json_node *key;
	int rc = 0;

	(void)in;
	if (operand->type != JSON_OBJECT)
		return compile_refuse(compiler, operand, ERR_TYPE,
		    "%s has to be an object of schemas", clause->keyword->name);
	clause->branches =
	    alloc_array(operand->count, sizeof *clause->branches);
	for (key = json_first(doc, operand); key != NULL && rc == 0;
	     key = json_next(doc, operand, key)) {
		struct branch *branch =
		    &clause->branches[clause->branch_count++];

		branch->name = key->value.string;
		rc = compile_subschema(
		    compiler, json_value(key), &branch->schema);
	}
	return rc;
}

int
check_properties(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	const struct json_doc *doc = checker->doc;
	const struct json_node *key;
	size_t index = 0;
	int rc = check_spend(
	    checker, node, (uint64_t)clause->branch_count * node->count);

	for (key = json_first(doc, node); key != NULL && rc == 0;
	     key = json_next(doc, node, key), index++) {
		const struct branch *branch =
		    find_branch(clause, key->value.string);

		if (branch == NULL)
			continue;
		rc = check_child(checker, branch->schema, json_value(key));
		check_mark(checker, index);
	}
	return rc;
}

/*
 * patternProperties
 */
int
compile_matched(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	const struct json_doc *doc = &compiler->schema->doc;
	const struct json_node *key = NULL;
	char reason[PATTERN_DETAIL_BYTES];
	int rc = compile_properties(compiler, in, operand, clause);

	if (rc == 0)
		key = json_first(doc, operand);
	for (size_t i = 0; key != NULL; i++) {
		rc = pattern_compile(key->value.string,
		    &clause->branches[i].of.pattern, reason, sizeof reason);
		if (rc != 0)
			return compile_refuse(compiler, key, rc, "%s", reason);
		key = json_next(doc, operand, key);
	}
	return rc;
}

/* 1: the name matches; 0: it does not; else an error. */
static int
match_name(struct checker *checker, const struct pattern *pattern,
    const struct json_node *key)
{
	bool match;

	if (pattern_match(
		pattern, key->value.string, &checker->work->left, &match) != 0)
		return check_refuse(checker, key, ERR_LIMIT,
		    "takes too much work to match with a pattern");
	return match;
}

int
check_matched(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	const struct json_doc *doc = checker->doc;
	const struct json_node *key;
	size_t index = 0;
	int rc = 0;

	for (key = json_first(doc, node); key != NULL && rc == 0;
	     key = json_next(doc, node, key), index++)
		for (size_t i = 0; i < clause->branch_count && rc == 0; i++) {
			const struct branch *branch = &clause->branches[i];

			rc = match_name(checker, branch->of.pattern, key);
			if (rc != 1)
				continue;
			rc = check_child(
			    checker, branch->schema, json_value(key));
			check_mark(checker, index);
		}
	return rc;
}

/*
 * additionalProperties: what properties and patternProperties beside it do
 * not name.
 */
int
compile_additional(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	clause->named = compile_find(in, "properties");
	clause->matched = compile_find(in, "patternProperties");
	return compile_one(compiler, in, operand, clause);
}

/* 1: the neighbours name it; 0: they do not; else an error. */
static int
named_beside(struct checker *checker, const struct clause *clause,
    const struct json_node *key)
{
	const struct clause *matched = clause->matched;
	int rc = 0;

	if (clause->named != NULL &&
	    find_branch(clause->named, key->value.string) != NULL)
		return 1;
	for (size_t i = 0;
	     matched != NULL && i < matched->branch_count && rc == 0; i++)
		rc = match_name(checker, matched->branches[i].of.pattern, key);
	return rc;
}

int
check_additional(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	const struct json_doc *doc = checker->doc;
	const struct json_node *key;
	size_t index = 0;
	int rc = 0;

	if (clause->named != NULL)
		rc = check_spend(checker, node,
		    (uint64_t)clause->named->branch_count * node->count);
	for (key = json_first(doc, node); key != NULL && rc == 0;
	     key = json_next(doc, node, key), index++) {
		rc = named_beside(checker, clause, key);
		if (rc < 0)
			return rc;
		if (rc == 1) {
			rc = 0;
			continue;
		}
		rc = check_child(
		    checker, clause->branches[0].schema, json_value(key));
		check_mark(checker, index);
	}
	return rc;
}

/*
 * propertyNames
 */
int
check_names(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	const struct json_doc *doc = checker->doc;
	const struct json_node *key;
	int rc = 0;

	for (key = json_first(doc, node); key != NULL && rc == 0;
	     key = json_next(doc, node, key))
		rc = check_child(checker, clause->branches[0].schema, key);
	return rc;
}

/*
 * unevaluatedProperties: what no other schema for the same value, this one
 * and those inside it, has looked at. check_unevaluated_items is in
 * schema_array.c.
 */
int
compile_unevaluated(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	in->asks |= clause->keyword->applies;
	compiler->schema->asks = true;
	return compile_one(compiler, in, operand, clause);
}

int
check_unevaluated_properties(struct checker *checker,
    const struct clause *clause, const struct json_node *node)
{
	const struct json_doc *doc = checker->doc;
	const struct json_node *key;
	size_t index = 0;
	int rc = 0;

	for (key = json_first(doc, node); key != NULL && rc == 0;
	     key = json_next(doc, node, key), index++) {
		if (check_marked(checker, index))
			continue;
		rc = check_child(
		    checker, clause->branches[0].schema, json_value(key));
		check_mark(checker, index);
	}
	return rc;
}
