/*
 * Keywords about arrays: elements, counts. Each keyword's compile function
 * stands before its check function.
 */
#include "common/alloc.h"
#include "common/err.h"
#include "executor/number.h"
#include "executor/schema_impl.h"

#define UNIQUE_MAX 1024	  /* elements uniqueItems compares, two by two */
#define PAIRS_PER_WORK 16 /* comparing two hashes is fast */
#define EQUAL_WORK 32	  /* per value, of comparing two elements */

uint64_t
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
 * prefixItems (compile_several is in schema_combine.c)
 */
int
check_prefix(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	const struct json_doc *doc = checker->doc;
	const struct json_node *element = json_first(doc, node);
	int rc = 0;

	for (size_t i = 0;
	     i < clause->branch_count && element != NULL && rc == 0; i++) {
		rc = check_child(checker, clause->branches[i].schema, element);
		check_mark(checker, i);
		element = json_next(doc, node, element);
	}
	return rc;
}

/*
 * items: the elements that prefixItems beside it does not name.
 */
int
compile_items(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	const struct clause *prefix = compile_find(in, "prefixItems");

	clause->count = prefix == NULL ? 0 : prefix->branch_count;
	return compile_one(compiler, in, operand, clause);
}

int
check_items(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	const struct json_doc *doc = checker->doc;
	const struct json_node *element;
	size_t index = 0;
	int rc = 0;

	for (element = json_first(doc, node); element != NULL && rc == 0;
	     element = json_next(doc, node, element), index++) {
		if (index < clause->count)
			continue;
		rc = check_child(checker, clause->branches[0].schema, element);
		check_mark(checker, index);
	}
	return rc;
}

/*
 * contains, minContains, maxContains
 */
int
compile_contains(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	const struct clause *least = compile_find(in, "minContains");
	const struct clause *most = compile_find(in, "maxContains");

	clause->count = least == NULL ? 1 : least->count;
	clause->most = most == NULL ? UINT64_MAX : most->count;
	return compile_one(compiler, in, operand, clause);
}

/* How many elements fit; all that can matter, if nobody asks for the rest. */
static int
count_fitting(struct checker *checker, const struct clause *clause,
    const struct json_node *node, uint64_t *count_out)
{
	struct seen *seen = checker->seen;
	const struct json_doc *doc = checker->doc;
	const struct json_node *element;
	uint64_t enough =
	    clause->most == UINT64_MAX ? clause->count : clause->most + 1;
	size_t index = 0;
	int rc = 0;

	*count_out = 0;
	for (element = json_first(doc, node);
	     element != NULL && (seen != NULL || *count_out < enough);
	     element = json_next(doc, node, element), index++) {
		checker->seen = NULL;
		rc =
		    check_quietly(checker, clause->branches[0].schema, element);
		checker->seen = seen;
		if (rc < 0)
			return rc;
		if (rc == 1)
			check_mark(checker, index);
		*count_out += (uint64_t)rc;
	}
	return 0;
}

int
check_contains(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	uint64_t count;
	int rc = count_fitting(checker, clause, node, &count);

	if (rc != 0 || (count >= clause->count && count <= clause->most))
		return rc;
	if (count < clause->count)
		return check_refuse(checker, node, ERR_SCHEMA,
		    "has %llu elements that fit contains, at least %llu are "
		    "needed",
		    (unsigned long long)count,
		    (unsigned long long)clause->count);
	return check_refuse(checker, node, ERR_SCHEMA,
	    "has more than %llu elements that fit contains",
	    (unsigned long long)clause->most);
}

/*
 * unevaluatedItems (compile_unevaluated is in schema_object.c)
 */
int
check_unevaluated_items(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	const struct json_doc *doc = checker->doc;
	const struct json_node *element;
	size_t index = 0;
	int rc = 0;

	for (element = json_first(doc, node); element != NULL && rc == 0;
	     element = json_next(doc, node, element), index++) {
		if (check_marked(checker, index))
			continue;
		rc = check_child(checker, clause->branches[0].schema, element);
		check_mark(checker, index);
	}
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
