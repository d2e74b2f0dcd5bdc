/*
 * The table of keywords, and the two walks over a schema: compiling the
 * operator's text and checking a hostile value. Runs in the broker and in
 * every courier; opens nothing, sends nothing, logs nothing.
 */
#include "executor/schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/limits.h"
#include "executor/number.h"
#include "executor/schema_impl.h"

#define PLACE_BYTES 120 /* leaves room for the reason */
#define PLACE_CHARS 40	/* of hostile words in one reason */
#define TEXT_DEPTH 64	/* of JSON; a schema level takes at most three */
#define REASON_BYTES 160

/* The order is the order of checking: type first, then what is cheap. */
static const struct keyword keywords[] = {
    {"$schema", 0, compile_draft, NULL},
    {"$id", 0, NULL, NULL},
    {"$comment", 0, NULL, NULL},
    {"title", 0, NULL, NULL},
    {"description", 0, NULL, NULL},
    {"default", 0, NULL, NULL},
    {"examples", 0, NULL, NULL},
    {"deprecated", 0, NULL, NULL},
    {"readOnly", 0, NULL, NULL},
    {"writeOnly", 0, NULL, NULL},
    {"type", TYPE_ANY, compile_type, check_type},
    {"const", TYPE_ANY, NULL, check_const},
    {"enum", TYPE_ANY, compile_enum, check_enum},
    {"minimum", TYPE_NUMBER, compile_bound, check_minimum},
    {"maximum", TYPE_NUMBER, compile_bound, check_maximum},
    {"exclusiveMinimum", TYPE_NUMBER, compile_bound, check_exclusive_minimum},
    {"exclusiveMaximum", TYPE_NUMBER, compile_bound, check_exclusive_maximum},
    {"multipleOf", TYPE_NUMBER, compile_divisor, check_multiple},
    {"minLength", TYPE_STRING, compile_count, check_min_length},
    {"maxLength", TYPE_STRING, compile_count, check_max_length},
    {"pattern", TYPE_STRING, compile_pattern, check_pattern},
    {"minItems", TYPE_ARRAY, compile_count, check_min_count},
    {"maxItems", TYPE_ARRAY, compile_count, check_max_count},
    {"minProperties", TYPE_OBJECT, compile_count, check_min_count},
    {"maxProperties", TYPE_OBJECT, compile_count, check_max_count},
    {"required", TYPE_OBJECT, compile_required, check_required},
    {"properties", TYPE_OBJECT, compile_properties, check_properties},
    {"additionalProperties", TYPE_OBJECT, compile_additional, check_additional},
    {"items", TYPE_ARRAY, compile_one, check_items},
    {"uniqueItems", TYPE_ARRAY, compile_unique, check_unique},
    {"allOf", TYPE_ANY, compile_several, check_all_of},
    {"anyOf", TYPE_ANY, compile_several, check_any_of},
    {"oneOf", TYPE_ANY, compile_several, check_one_of},
    {"not", TYPE_ANY, compile_one, check_not},
};

static const size_t keyword_count = sizeof keywords / sizeof keywords[0];

unsigned
schema_types(const struct json_node *node)
{
	static const unsigned types[JSON_TYPE_COUNT] = {
	    [JSON_NULL] = TYPE_NULL,
	    [JSON_BOOL] = TYPE_BOOLEAN,
	    [JSON_INTEGER] = TYPE_INTEGER | TYPE_NUMBER,
	    [JSON_REAL] = TYPE_NUMBER,
	    [JSON_STRING] = TYPE_STRING,
	    [JSON_ARRAY] = TYPE_ARRAY,
	    [JSON_OBJECT] = TYPE_OBJECT,
	};

	if (node->type == JSON_REAL && number_is_whole(node))
		return TYPE_INTEGER | TYPE_NUMBER;
	return types[node->type];
}

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

	in->clauses = alloc_array(object->count, sizeof *in->clauses);
	for (size_t i = 0; i < keyword_count && rc == 0; i++) {
		const struct keyword *keyword = &keywords[i];
		const struct json_node *operand =
		    json_get(doc, object, keyword->name);
		struct clause *clause = &in->clauses[in->clause_count];

		if (operand == NULL)
			continue;
		if (keyword->check != NULL) {
			clause->keyword = keyword;
			clause->operand = operand;
			in->clause_count++;
		}
		if (keyword->compile != NULL)
			rc = keyword->compile(compiler, in, operand, clause);
	}
	return rc;
}

int
compile_subschema(struct compiler *compiler, const struct json_node *node,
    const struct subschema **subschema_out)
{
	struct subschema *made;
	int rc = 0;

	if (node->type != JSON_OBJECT && node->type != JSON_BOOL)
		return compile_refuse(compiler, node, ERR_TYPE,
		    "a schema has to be an object, true or false");
	if (compiler->depth == SCHEMA_MAX_DEPTH)
		return compile_refuse(compiler, node, ERR_DEPTH,
		    "more than %u schemas inside each other", SCHEMA_MAX_DEPTH);
	made = alloc_bytes(sizeof *made);
	made->chain = compiler->schema->chain;
	compiler->schema->chain = made;
	compiler->depth++;
	if (node->type == JSON_BOOL)
		made->never = !node->value.boolean;
	else
		rc = compile_clauses(compiler, node, made);
	compiler->depth--;
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
	return compile_subschema(
	    compiler, json_root(&schema->doc), &schema->root);
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
		pattern_free(subschema->clauses[i].pattern);
		free(subschema->clauses[i].branches);
	}
	free(subschema->clauses);
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

/*
 * Checking.
 */

/* Text under construction in a fixed place; full means no more is added. */
struct place {
	char text[PLACE_BYTES];
	size_t used;
	unsigned chars; /* hostile characters shown */
	bool full;
};

static void
place_add(struct place *place, const char *text)
{
	size_t n = strlen(text);

	if (place->full || place->used + n + sizeof "..." > PLACE_BYTES) {
		place->full = true;
		return;
	}
	memcpy(place->text + place->used, text, n);
	place->used += n;
}

/* A hostile key as a token of a JSON pointer (RFC 6901), made inert. */
static void
place_add_key(struct place *place, struct span key)
{
	size_t i = 0;

	while (i < key.n && !place->full) {
		char shown[16];
		uint32_t code;
		size_t n = utf8_decode(key.p + i, key.n - i, &code);

		if (n == 0)
			break;
		if (code == '~' || code == '/')
			snprintf(shown, sizeof shown, "~%d", code == '/');
		else if (code >= 0x20 && code < 0x7f)
			snprintf(shown, sizeof shown, "%c", (char)code);
		else
			snprintf(shown, sizeof shown, "\\u{%" PRIx32 "}", code);
		if (place->chars++ == PLACE_CHARS)
			place->full = true;
		place_add(place, shown);
		i += n;
	}
}

/* Walk down from the root to the node, naming each step. */
static void
place_find(struct place *place, const struct checker *checker,
    const struct json_node *node)
{
	const struct json_doc *doc = checker->doc;
	const struct json_node *at = checker->root;

	while (at != node && !place->full) {
		const struct json_node *child = json_first(doc, at), *value;
		char number[16];
		unsigned index = 0;

		for (;;) {
			value =
			    at->type == JSON_OBJECT ? json_value(child) : child;
			if (node < doc->nodes + value->next)
				break;
			child = json_next(doc, at, child);
			index++;
		}
		place_add(place, "/");
		if (at->type == JSON_OBJECT) {
			place_add_key(place, child->value.string);
		} else {
			snprintf(number, sizeof number, "%u", index);
			place_add(place, number);
		}
		at = value;
	}
	memcpy(place->text + place->used, place->full ? "..." : "",
	    place->full ? sizeof "..." : 1);
}

/* Apart from check_refuse, which mostly has nobody to tell: these arrays are
 * set to zero at each entry. */
static void __attribute__((format(printf, 3, 0)))
explain(struct checker *checker, const struct json_node *node,
    const char *format, va_list ap)
{
	struct place place = {.used = 0};
	char reason[REASON_BYTES];

	vsnprintf(reason, sizeof reason, format, ap);
	place_find(&place, checker, node);
	snprintf(checker->detail, checker->room, "%s%s%s", place.text,
	    place.text[0] == '\0' ? "" : ": ", reason);
	checker->detail[utf8_prefix(
	    checker->detail, strlen(checker->detail), SIZE_MAX)] = '\0';
}

int
check_refuse(struct checker *checker, const struct json_node *node, int error,
    const char *format, ...)
{
	int rc = error < 0 ? error : -error;
	va_list ap;

	if (checker->room == 0 || (checker->quiet != 0 && rc == -ERR_SCHEMA))
		return rc;
	va_start(ap, format);
	explain(checker, node, format, ap);
	va_end(ap);
	return rc;
}

int
check_spend(
    struct checker *checker, const struct json_node *node, uint64_t amount)
{
	if (amount > *checker->work) {
		*checker->work = 0;
		return check_refuse(
		    checker, node, ERR_LIMIT, "takes too much work to check");
	}
	*checker->work -= amount;
	return 0;
}

int
check_subschema(struct checker *checker, const struct subschema *subschema,
    const struct json_node *node)
{
	unsigned types = schema_types(node);
	int rc = check_spend(checker, node, 1 + subschema->clause_count);

	if (rc == 0 && subschema->never)
		rc = check_refuse(
		    checker, node, ERR_SCHEMA, "is not allowed here");
	for (size_t i = 0; i < subschema->clause_count && rc == 0; i++) {
		const struct clause *clause = &subschema->clauses[i];

		if ((clause->keyword->applies & types) != 0)
			rc = clause->keyword->check(checker, clause, node);
	}
	return rc;
}

int
schema_check_within(const struct schema *schema, const struct json_doc *doc,
    const struct json_node *node, uint64_t *work, char *detail, size_t room)
{
	struct checker checker = {.schema = schema,
	    .doc = doc,
	    .root = node,
	    .work = work,
	    .detail = detail,
	    .room = room};

	if (room != 0)
		detail[0] = '\0';
	return check_subschema(&checker, schema->root, node);
}

int
schema_check(const struct schema *schema, const struct json_doc *doc,
    const struct json_node *node, char *detail, size_t room)
{
	uint64_t work = SCHEMA_MAX_WORK;

	return schema_check_within(schema, doc, node, &work, detail, room);
}
