/*
 * The table of keywords, and compiling the operator's text with it. Runs in
 * the broker and in every courier; opens nothing, sends nothing, logs nothing.
 */
#include "executor/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/schema_impl.h"

#define TEXT_DEPTH 64 /* of JSON; a schema level takes at most three */
#define REASON_BYTES 160

/* The order is the order of checking: type first, then what is cheap; what
 * asks for others' work last. One that looks at its neighbours stands behind
 * them. */
static const struct keyword keywords[] = {
    {"$schema", 0, compile_draft, NULL, 0},
    {"$id", 0, compile_id, NULL, 0},
    {"$anchor", 0, compile_anchor, NULL, 0},
    {"$comment", 0, NULL, NULL, 0},
    {"title", 0, NULL, NULL, 0},
    {"description", 0, NULL, NULL, 0},
    {"default", 0, NULL, NULL, 0},
    {"examples", 0, NULL, NULL, 0},
    {"deprecated", 0, NULL, NULL, 0},
    {"readOnly", 0, NULL, NULL, 0},
    {"writeOnly", 0, NULL, NULL, 0},
    {"$defs", 0, compile_properties, NULL, 0},
    {"type", TYPE_ANY, compile_type, check_type, 0},
    {"const", TYPE_ANY, NULL, check_const, 0},
    {"enum", TYPE_ANY, compile_enum, check_enum, 0},
    {"minimum", TYPE_NUMBER, compile_bound, check_minimum, 0},
    {"maximum", TYPE_NUMBER, compile_bound, check_maximum, 0},
    {"exclusiveMinimum", TYPE_NUMBER, compile_bound, check_exclusive_minimum,
	0},
    {"exclusiveMaximum", TYPE_NUMBER, compile_bound, check_exclusive_maximum,
	0},
    {"multipleOf", TYPE_NUMBER, compile_divisor, check_multiple, 0},
    {"minLength", TYPE_STRING, compile_count, check_min_length, 0},
    {"maxLength", TYPE_STRING, compile_count, check_max_length, 0},
    {"format", TYPE_STRING, compile_format, check_format, 0},
    {"pattern", TYPE_STRING, compile_pattern, check_pattern, 0},
    {"minItems", TYPE_ARRAY, compile_count, check_min_count, 0},
    {"maxItems", TYPE_ARRAY, compile_count, check_max_count, 0},
    {"minProperties", TYPE_OBJECT, compile_count, check_min_count, 0},
    {"maxProperties", TYPE_OBJECT, compile_count, check_max_count, 0},
    {"required", TYPE_OBJECT, compile_required, check_required, 0},
    {"dependentRequired", TYPE_OBJECT, compile_dependent_required,
	check_dependent_required, 0},
    {"propertyNames", TYPE_OBJECT, compile_one, check_names, 0},
    {"properties", TYPE_OBJECT, compile_properties, check_properties, 0},
    {"patternProperties", TYPE_OBJECT, compile_matched, check_matched, 0},
    {"additionalProperties", TYPE_OBJECT, compile_additional, check_additional,
	0},
    {"prefixItems", TYPE_ARRAY, compile_several, check_prefix, 0},
    {"items", TYPE_ARRAY, compile_items, check_items, 0},
    {"minContains", 0, compile_count, NULL, 0},
    {"maxContains", 0, compile_count, NULL, 0},
    {"contains", TYPE_ARRAY, compile_contains, check_contains, 0},
    {"uniqueItems", TYPE_ARRAY, compile_unique, check_unique, 0},
    {"$ref", TYPE_ANY, compile_ref, check_ref, 1},
    {"allOf", TYPE_ANY, compile_several, check_all_of, 1},
    {"anyOf", TYPE_ANY, compile_several, check_any_of, 1},
    {"oneOf", TYPE_ANY, compile_several, check_one_of, 1},
    {"not", TYPE_ANY, compile_one, check_not, 1},
    {"then", 0, compile_one, NULL, 0},
    {"else", 0, compile_one, NULL, 0},
    {"if", TYPE_ANY, compile_if, check_if, 1},
    {"dependentSchemas", TYPE_OBJECT, compile_properties,
	check_dependent_schemas, 1},
    {"unevaluatedItems", TYPE_ARRAY, compile_unevaluated,
	check_unevaluated_items, 0},
    {"unevaluatedProperties", TYPE_OBJECT, compile_unevaluated,
	check_unevaluated_properties, 0},
};

static const size_t keyword_count = sizeof keywords / sizeof keywords[0];

/*
 * Compiling.
 */

int
compile_refuse(struct compiler *compiler, const struct json_node *node,
    int error, const char *format, ...)
{
	char reason[REASON_BYTES];
	const struct json_node *place =
	    compiler->base + (node - compiler->schema->doc.nodes);
	va_list ap;

	va_start(ap, format);
	vsnprintf(reason, sizeof reason, format, ap);
	va_end(ap);
	return json_complain(
	    compiler->doc, place, compiler->where, error, "%s", reason);
}

const struct clause *
compile_find(const struct subschema *in, const char *keyword)
{
	for (size_t i = 0; i < in->clause_count; i++)
		if (strcmp(in->clauses[i].keyword->name, keyword) == 0)
			return &in->clauses[i];
	return NULL;
}

static int
refuse_unknown(struct compiler *compiler, const struct json_node *object)
{
	const struct json_doc *doc = &compiler->schema->doc;
	const struct json_node *key;

	for (key = json_first(doc, object); key != NULL;
	     key = json_next(doc, object, key)) {
		struct span name = key->value.string;
		size_t i = 0;

		while (i < keyword_count && !span_is(name, keywords[i].name))
			i++;
		if (i == keyword_count)
			return compile_refuse(compiler, key, ERR_UNKNOWN_KEY,
			    "schema keyword \"%.*s\" is not supported",
			    (int)utf8_prefix(name.p, name.n, 40), name.p);
	}
	return 0;
}

static int
compile_clauses(struct compiler *compiler, const struct json_node *object,
    struct subschema *in)
{
	const struct json_doc *doc = &compiler->schema->doc;
	int rc = refuse_unknown(compiler, object);

	for (size_t i = 0; i < keyword_count && rc == 0; i++) {
		const struct keyword *keyword = &keywords[i];
		const struct json_node *operand =
		    json_get(doc, object, keyword->name);
		struct clause *clause = &in->clauses[in->clause_count];

		if (operand == NULL)
			continue;
		if (keyword->check == NULL && keyword->compile == NULL)
			continue;
		clause->keyword = keyword;
		clause->check = keyword->check;
		clause->applies = keyword->applies;
		clause->operand = operand;
		in->clause_count++;
		if (keyword->compile != NULL)
			rc = keyword->compile(compiler, in, operand, clause);
	}
	return rc;
}

int
compile_subschema(struct compiler *compiler, const struct json_node *node,
    struct subschema **subschema_out)
{
	const struct resource *resource = compiler->resource;
	struct subschema *made;
	int rc = 0;

	if (node->type != JSON_OBJECT && node->type != JSON_BOOL)
		return compile_refuse(compiler, node, ERR_TYPE,
		    "a schema has to be an object, true or false");
	if (compiler->depth == SCHEMA_MAX_DEPTH)
		return compile_refuse(compiler, node, ERR_DEPTH,
		    "more than %u schemas inside each other", SCHEMA_MAX_DEPTH);
	made = alloc_bytes(
	    sizeof *made + (node->type == JSON_OBJECT ? node->count : 0) *
			       sizeof *made->clauses);
	made->chain = compiler->schema->chain;
	compiler->schema->chain = made;
	compiler->by_index[node - compiler->schema->doc.nodes] = made;
	made->node = node;
	made->resource = resource;
	if (resource == NULL)
		compile_base(compiler, made);
	compiler->depth++;
	if (node->type == JSON_BOOL)
		made->never = !node->value.boolean;
	else
		rc = compile_clauses(compiler, node, made);
	compiler->depth--;
	compiler->resource = resource; /* $id changes it */
	if (rc == 0)
		*subschema_out = made;
	return rc;
}

/* Give `schema` its own copy of the text and compile that. */
static int
compile_root(struct compiler *compiler)
{
	static const struct json_limits limits = {
	    .bytes = SCHEMA_MAX_BYTES, .depth = TEXT_DEPTH};
	struct schema *schema = compiler->schema;
	struct span text = json_raw(compiler->doc, compiler->base);
	struct subschema *root = NULL;
	int rc;

	if (compiler->base->type != JSON_OBJECT)
		return json_complain(compiler->doc, compiler->base,
		    compiler->where, ERR_TYPE,
		    "a schema has to be an object here");
	if (text.n > SCHEMA_MAX_BYTES)
		return json_complain(compiler->doc, compiler->base,
		    compiler->where, ERR_TOO_LARGE,
		    "schema of %zu bytes, at most %u are allowed", text.n,
		    SCHEMA_MAX_BYTES);
	schema->text = alloc_text(text.p, text.n);
	rc = json_parse(
	    &schema->doc, (struct span){schema->text, text.n}, &limits, NULL);
	if (rc != 0)
		return json_complain(compiler->doc, compiler->base,
		    compiler->where, rc, "in this schema");
	/* a policy may have thousands; what is read together stands together */
	schema->doc.nodes = alloc_resize(
	    schema->doc.nodes, schema->doc.count, sizeof *schema->doc.nodes);
	schema->doc.cap = schema->doc.count;
	compiler->by_index =
	    alloc_array(schema->doc.count, sizeof *compiler->by_index);
	rc = compile_subschema(compiler, json_root(&schema->doc), &root);
	if (rc == 0)
		rc = compile_references(compiler);
	compile_names_free(compiler);
	schema->root = root;
	return rc;
}

int
schema_compile(const struct json_doc *doc, const struct json_node *node,
    struct schema **schema_out, struct json_error *where)
{
	struct schema *schema = alloc_bytes(sizeof *schema);
	struct compiler compiler = {
	    .schema = schema, .doc = doc, .base = node, .where = where};
	int rc;

	json_init(&schema->doc);
	rc = compile_root(&compiler);
	if (rc == 0)
		*schema_out = schema;
	else
		schema_free(schema);
	return rc;
}

static void
subschema_free(struct subschema *subschema)
{
	for (size_t i = 0; i < subschema->clause_count; i++) {
		struct clause *clause = &subschema->clauses[i];

		for (size_t j = 0;
		     clause->check == check_matched && j < clause->branch_count;
		     j++)
			pattern_free(clause->branches[j].of.pattern);
		if (clause->check == check_pattern)
			pattern_free(clause->pattern);
		free(clause->branches);
	}
	free(subschema);
}

void
schema_free(struct schema *schema)
{
	struct subschema *at, *next;

	if (schema == NULL)
		return;
	for (at = schema->chain; at != NULL; at = next) {
		next = at->chain;
		subschema_free(at);
	}
	json_done(&schema->doc);
	free(schema->text);
	free(schema);
}

struct span
schema_text(const struct schema *schema)
{
	return schema->doc.text;
}

bool
schema_fixes_text(
    const struct schema *schema, struct span *name_out, struct span *text_out)
{
	const struct clause *properties =
	    compile_find(schema->root, "properties");

	for (size_t i = 0; properties != NULL && i < properties->branch_count;
	     i++) {
		const struct branch *branch = &properties->branches[i];
		const struct clause *fixed =
		    compile_find(branch->schema, "const");

		if (fixed == NULL || fixed->operand->type != JSON_STRING)
			continue;
		*name_out = branch->name;
		*text_out = fixed->operand->value.string;
		return true;
	}
	return false;
}
