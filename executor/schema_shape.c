/*
 * Keywords about objects and arrays: counts, names, elements. Each keyword's
 * compile function stands before its check function.
 */
#include "common/alloc.h"
#include "common/err.h"
#include "executor/number.h"
#include "executor/schema_impl.h"

#define UNIQUE_MAX 1024	  /* elements uniqueItems compares, two by two */
#define PAIRS_PER_WORK 16 /* comparing two hashes is fast */
#define EQUAL_WORK 32	  /* per value, of comparing two elements */

static uint64_t
subtree_count(const struct json_doc *doc, const struct json_node *node)
{
	return node->next - (uint64_t)(node - doc->nodes);
}

/*
 * minItems, maxItems, minProperties, maxProperties (compile_count is in
 * schema_value.c)
 */
static const char *
parts_name(const struct json_node *node)
{
	return node->type == JSON_ARRAY ? "elements" : "properties";
}

int
check_min_count(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	if (node->count >= clause->count)
		return 0;
	return check_refuse(checker, node, ERR_SCHEMA,
	    "has %u %s, at least %llu are needed", (unsigned)node->count,
	    parts_name(node), (unsigned long long)clause->count);
}

int
check_max_count(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	if (node->count <= clause->count)
		return 0;
	return check_refuse(checker, node, ERR_SCHEMA,
	    "has %u %s, at most %llu are allowed", (unsigned)node->count,
	    parts_name(node), (unsigned long long)clause->count);
}

/*
 * required
 */
static const struct branch *
find_branch(const struct clause *clause, struct span name)
{
	for (size_t i = 0; i < clause->branch_count; i++)
		if (span_equal(clause->branches[i].name, name))
			return &clause->branches[i];
	return NULL;
}

int
compile_required(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	const struct json_doc *doc = &compiler->schema->doc;
	const struct json_node *name;

	(void)in;
	if (operand->type != JSON_ARRAY)
		return compile_refuse(compiler, operand, ERR_TYPE,
		    "required has to be a list of names");
	clause->branches =
	    alloc_array(operand->count, sizeof *clause->branches);
	for (name = json_first(doc, operand); name != NULL;
	     name = json_next(doc, operand, name)) {
		if (name->type != JSON_STRING)
			return compile_refuse(compiler, name, ERR_TYPE,
			    "required has to be a list of names");
		if (find_branch(clause, name->value.string) != NULL)
			return compile_refuse(compiler, name, ERR_RANGE,
			    "the same name twice in required");
		clause->branches[clause->branch_count++].name =
		    name->value.string;
	}
	return 0;
}

static bool
has_member(const struct json_doc *doc, const struct json_node *object,
    struct span name)
{
	const struct json_node *key = json_first(doc, object);

	while (key != NULL && !span_equal(key->value.string, name))
		key = json_next(doc, object, key);
	return key != NULL;
}

int
check_required(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	int rc = check_spend(
	    checker, node, (uint64_t)clause->branch_count * node->count);

	for (size_t i = 0; i < clause->branch_count && rc == 0; i++) {
		struct span name = clause->branches[i].name;

		if (!has_member(checker->doc, node, name))
			rc = check_refuse(checker, node, ERR_SCHEMA,
			    "required property \"%.*s\" is missing",
			    (int)utf8_prefix(name.p, name.n, 40), name.p);
	}
	return rc;
}

static bool requires(const struct schema *schema, struct span name)
{
	const struct clause *required = compile_find(schema->root, "required");

	return required != NULL && find_branch(required, name) != NULL;
}

/*
 * properties
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
		    "properties has to be an object of schemas");
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
	int rc = check_spend(
	    checker, node, (uint64_t)clause->branch_count * node->count);

	for (key = json_first(doc, node); key != NULL && rc == 0;
	     key = json_next(doc, node, key)) {
		const struct branch *branch =
		    find_branch(clause, key->value.string);

		if (branch != NULL)
			rc = check_subschema(
			    checker, branch->schema, json_value(key));
	}
	return rc;
}

bool
schema_leaves_out(const struct schema *narrow, const struct schema *whole,
    struct span *name_out)
{
	const struct clause *named = compile_find(narrow->root, "properties");

	for (size_t i = 0; named != NULL && i < named->branch_count; i++) {
		const struct branch *branch = &named->branches[i];

		if ((branch->schema->clause_count == 0 &&
			!branch->schema->never) ||
		    requires(narrow, branch->name) ||
		    requires(whole, branch->name))
			continue;
		*name_out = branch->name;
		return true;
	}
	return false;
}

/*
 * additionalProperties: what `properties` beside it does not name.
 */
int
compile_additional(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	clause->neighbour = compile_find(in, "properties");
	return compile_one(compiler, in, operand, clause);
}

int
check_additional(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	const struct json_doc *doc = checker->doc;
	const struct clause *named = clause->neighbour;
	const struct json_node *key;
	int rc = 0;

	if (named != NULL)
		rc = check_spend(
		    checker, node, (uint64_t)named->branch_count * node->count);
	for (key = json_first(doc, node); key != NULL && rc == 0;
	     key = json_next(doc, node, key))
		if (named == NULL ||
		    find_branch(named, key->value.string) == NULL)
			rc = check_subschema(checker,
			    clause->branches[0].schema, json_value(key));
	return rc;
}

/*
 * items (compile_one is in schema_combine.c)
 */
int
check_items(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	const struct json_doc *doc = checker->doc;
	const struct json_node *element;
	int rc = 0;

	for (element = json_first(doc, node); element != NULL && rc == 0;
	     element = json_next(doc, node, element))
		rc = check_subschema(
		    checker, clause->branches[0].schema, element);
	return rc;
}

/*
 * uniqueItems
 */
struct fingerprint {
	uint64_t hash; /* equal values have equal hashes */
	const struct json_node *node;
};

int
compile_unique(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	(void)in;
	if (operand->type != JSON_BOOL)
		return compile_refuse(compiler, operand, ERR_TYPE,
		    "uniqueItems has to be true or false");
	clause->count = operand->value.boolean;
	return 0;
}

/* FNV-1a, 64 bits. */
static uint64_t
hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
	const unsigned char *p = bytes;

	while (count-- > 0)
		hash = (hash ^ *p++) * UINT64_C(0x100000001b3);
	return hash;
}

/* 1 and 1.0 are equal, so both hash as the double 1. */
static uint64_t
hash_number(uint64_t hash, const struct json_node *node)
{
	double value = node->type == JSON_REAL ? node->value.real
					       : (double)node->value.integer;

	if (value == 0)
		value = 0; /* -0.0 too */
	return hash_bytes(hash, &value, sizeof value);
}

static uint64_t
hash_value(const struct json_doc *doc, const struct json_node *node)
{
	const struct json_node *at;
	unsigned char tag = (unsigned char)schema_types(node);
	uint64_t hash, sum = 0;

	if (number_is(node))
		tag = TYPE_NUMBER;
	hash = hash_bytes(UINT64_C(0xcbf29ce484222325), &tag, 1);
	if (number_is(node))
		return hash_number(hash, node);
	if (node->type == JSON_BOOL)
		return hash + node->value.boolean;
	if (node->type == JSON_STRING)
		return hash_bytes(
		    hash, node->value.string.p, node->value.string.n);
	for (at = json_first(doc, node); at != NULL;
	     at = json_next(doc, node, at)) {
		uint64_t part = hash_value(doc, at);

		if (node->type == JSON_OBJECT) {
			/* the order of members does not matter */
			uint64_t value = hash_value(doc, json_value(at));

			sum += hash_bytes(part, &value, sizeof value);
		} else {
			sum = hash_bytes(sum, &part, sizeof part);
		}
	}
	return hash_bytes(hash, &sum, sizeof sum);
}

/* Whether the element at `index` equals one before it. */
static int
compare_before(
    struct checker *checker, const struct fingerprint *prints, size_t index)
{
	const struct json_doc *doc = checker->doc;
	const struct json_node *node = prints[index].node;
	int rc = 0;

	for (size_t i = 0; i < index && rc == 0; i++) {
		if (prints[i].hash != prints[index].hash)
			continue;
		rc = check_spend(
		    checker, node, subtree_count(doc, node) * EQUAL_WORK);
		if (rc == 0 && json_equal(doc, prints[i].node, doc, node))
			rc = check_refuse(checker, node, ERR_SCHEMA,
			    "is the same as element %zu", i);
	}
	return rc;
}

int
check_unique(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	struct fingerprint prints[UNIQUE_MAX];
	const struct json_doc *doc = checker->doc;
	const struct json_node *element;
	size_t count = 0;
	int rc;

	if (clause->count == 0)
		return 0;
	if (node->count > UNIQUE_MAX)
		return check_refuse(checker, node, ERR_LIMIT,
		    "has more than %d elements, too many to compare",
		    UNIQUE_MAX);
	rc = check_spend(checker, node,
	    subtree_count(doc, node) +
		(uint64_t)node->count * node->count / PAIRS_PER_WORK +
		(node->end - node->start) / PAIRS_PER_WORK);
	for (element = json_first(doc, node); element != NULL && rc == 0;
	     element = json_next(doc, node, element)) {
		prints[count].hash = hash_value(doc, element);
		prints[count].node = element;
		rc = compare_before(checker, prints, count);
		count++;
	}
	return rc;
}
