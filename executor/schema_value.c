/*
 * Keywords about a single value: its type, its range, its text. Each keyword's
 * compile function stands before its check functions.
 */
#include <stdio.h>

#include "common/err.h"
#include "executor/number.h"
#include "executor/schema_impl.h"

#define COUNT_MAX 9007199254740992.0 /* 2^53; no text or list is longer */
#define DIVISION_WORK 64	     /* of one multipleOf */
#define BYTES_PER_WORK 16	     /* counting characters is fast */

static const struct {
	const char *name;
	unsigned bits;
} type_names[] = {
    {"null", TYPE_NULL},
    {"boolean", TYPE_BOOLEAN},
    {"integer", TYPE_INTEGER},
    {"number", TYPE_NUMBER},
    {"string", TYPE_STRING},
    {"array", TYPE_ARRAY},
    {"object", TYPE_OBJECT},
};

#define TYPE_COUNT (sizeof type_names / sizeof type_names[0])

/*
 * $schema: another draft would mean something else by the same words.
 */
int
compile_draft(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	(void)in;
	(void)clause;
	if (!json_is_string(
		operand, "https://json-schema.org/draft/2020-12/schema"))
		return compile_refuse(compiler, operand, ERR_RANGE,
		    "$schema has to be "
		    "https://json-schema.org/draft/2020-12/schema");
	return 0;
}

/*
 * type
 */
static int
add_type(
    struct compiler *compiler, const struct json_node *name, unsigned *types)
{
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (!json_is_string(name, type_names[i].name))
			continue;
		if ((*types & type_names[i].bits) != 0)
			return compile_refuse(compiler, name, ERR_RANGE,
			    "type \"%s\" twice", type_names[i].name);
		*types |= type_names[i].bits;
		return 0;
	}
	return compile_refuse(compiler, name, ERR_RANGE,
	    "type has to be null, boolean, integer, number, string, array, "
	    "object, or a list of them");
}

int
compile_type(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	const struct json_doc *doc = &compiler->schema->doc;
	const struct json_node *name;
	int rc = 0;

	(void)in;
	if (operand->type != JSON_ARRAY)
		return add_type(compiler, operand, &clause->types);
	if (operand->count == 0)
		return compile_refuse(compiler, operand, ERR_RANGE,
		    "an empty list of types admits nothing");
	for (name = json_first(doc, operand); name != NULL && rc == 0;
	     name = json_next(doc, operand, name))
		rc = add_type(compiler, name, &clause->types);
	return rc;
}

static const char *
type_words(unsigned types, char *out, size_t room)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < TYPE_COUNT && used < room; i++)
		if ((types & type_names[i].bits) != 0)
			used +=
			    (size_t)snprintf(out + used, room - used, "%s%s",
				used == 0 ? "" : " or ", type_names[i].name);
	return out;
}

int
check_type(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	unsigned types = schema_types(node);
	char wanted[80], found[80];

	if ((types & clause->types) != 0)
		return 0;
	if ((types & TYPE_INTEGER) != 0)
		types = TYPE_INTEGER;
	return check_refuse(checker, node, ERR_SCHEMA, "has to be %s, is %s",
	    type_words(clause->types, wanted, sizeof wanted),
	    type_words(types, found, sizeof found));
}

/*
 * enum, const
 */
int
compile_enum(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	(void)in;
	(void)clause;
	if (operand->type != JSON_ARRAY)
		return compile_refuse(compiler, operand, ERR_TYPE,
		    "enum has to be a list of values");
	return 0;
}

int
check_enum(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	const struct json_doc *doc = &checker->schema->doc;
	const struct json_node *value;
	int rc = check_spend(checker, node,
	    clause->operand->next - (uint64_t)(clause->operand - doc->nodes));

	if (rc != 0)
		return rc;
	for (value = json_first(doc, clause->operand); value != NULL;
	     value = json_next(doc, clause->operand, value))
		if (json_equal(doc, value, checker->doc, node))
			return 0;
	return check_refuse(
	    checker, node, ERR_SCHEMA, "is not one of the allowed values");
}

int
check_const(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	const struct json_doc *doc = &checker->schema->doc;
	int rc = check_spend(checker, node,
	    clause->operand->next - (uint64_t)(clause->operand - doc->nodes));

	if (rc != 0)
		return rc;
	if (json_equal(doc, clause->operand, checker->doc, node))
		return 0;
	return check_refuse(
	    checker, node, ERR_SCHEMA, "is not the one allowed value");
}

/*
 * minimum, maximum, exclusiveMinimum, exclusiveMaximum
 */
int
compile_bound(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	(void)in;
	if (!number_is(operand))
		return compile_refuse(compiler, operand, ERR_TYPE,
		    "%s has to be a number", clause->keyword->name);
	return 0;
}

static int
refuse_bound(struct checker *checker, const struct clause *clause,
    const struct json_node *node, const char *words)
{
	const struct json_node *bound = clause->operand;

	return check_refuse(checker, node, ERR_SCHEMA, "has to be %s %.*s",
	    words, (int)(bound->end - bound->start),
	    json_raw(&checker->schema->doc, bound).p);
}

int
check_minimum(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	if (number_compare(node, clause->operand) >= 0)
		return 0;
	return refuse_bound(checker, clause, node, "at least");
}

int
check_maximum(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	if (number_compare(node, clause->operand) <= 0)
		return 0;
	return refuse_bound(checker, clause, node, "at most");
}

int
check_exclusive_minimum(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	if (number_compare(node, clause->operand) > 0)
		return 0;
	return refuse_bound(checker, clause, node, "more than");
}

int
check_exclusive_maximum(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	if (number_compare(node, clause->operand) < 0)
		return 0;
	return refuse_bound(checker, clause, node, "less than");
}

/*
 * multipleOf
 */
int
compile_divisor(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	static const struct json_node zero = {.type = JSON_INTEGER};
	const struct json_doc *doc = &compiler->schema->doc;
	bool multiple;

	(void)in;
	(void)clause;
	if (!number_is(operand) || number_compare(operand, &zero) <= 0)
		return compile_refuse(compiler, operand, ERR_RANGE,
		    "multipleOf has to be a number greater than 0");
	if (number_multiple(doc, operand, doc, operand, &multiple) != 0)
		return compile_refuse(compiler, operand, ERR_NUMBER,
		    "multipleOf has more than 18 digits");
	return 0;
}

int
check_multiple(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	bool multiple;
	int rc = check_spend(checker, node, DIVISION_WORK);

	if (rc != 0)
		return rc;
	rc = number_multiple(checker->doc, node, &checker->schema->doc,
	    clause->operand, &multiple);
	if (rc != 0)
		return check_refuse(
		    checker, node, -rc, "has too many digits to divide");
	if (multiple)
		return 0;
	return refuse_bound(checker, clause, node, "a multiple of");
}

/*
 * minLength, maxLength; compile_count is that of min/maxItems and
 * min/maxProperties as well.
 */
int
compile_count(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	double count;

	(void)in;
	if (!number_is(operand))
		return compile_refuse(compiler, operand, ERR_TYPE,
		    "%s has to be a number", clause->keyword->name);
	count = operand->type == JSON_REAL ? operand->value.real
					   : (double)operand->value.integer;
	if (!number_is_whole(operand) || count < 0 || count > COUNT_MAX)
		return compile_refuse(compiler, operand, ERR_RANGE,
		    "%s has to be a whole number, 0 or more",
		    clause->keyword->name);
	clause->count = (uint64_t)count;
	return 0;
}

static int
measure_text(
    struct checker *checker, const struct json_node *node, uint64_t *chars_out)
{
	struct span text = node->value.string;
	int rc = check_spend(checker, node, text.n / BYTES_PER_WORK);

	if (rc == 0)
		*chars_out = utf8_count(text.p, text.n);
	return rc;
}

int
check_min_length(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	uint64_t chars;
	int rc = measure_text(checker, node, &chars);

	if (rc != 0 || chars >= clause->count)
		return rc;
	return check_refuse(checker, node, ERR_SCHEMA,
	    "has %llu characters, at least %llu are needed",
	    (unsigned long long)chars, (unsigned long long)clause->count);
}

int
check_max_length(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	uint64_t chars;
	int rc = measure_text(checker, node, &chars);

	if (rc != 0 || chars <= clause->count)
		return rc;
	return check_refuse(checker, node, ERR_SCHEMA,
	    "has %llu characters, at most %llu are allowed",
	    (unsigned long long)chars, (unsigned long long)clause->count);
}

/*
 * pattern
 */
int
compile_pattern(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	char reason[PATTERN_DETAIL_BYTES];
	int rc;

	(void)in;
	if (operand->type != JSON_STRING)
		return compile_refuse(
		    compiler, operand, ERR_TYPE, "pattern has to be a string");
	rc = pattern_compile(
	    operand->value.string, &clause->pattern, reason, sizeof reason);
	if (rc != 0)
		return compile_refuse(compiler, operand, -rc, "%s", reason);
	return 0;
}

int
check_pattern(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	bool match;
	int rc = pattern_match(
	    clause->pattern, node->value.string, &checker->work->left, &match);

	if (rc != 0)
		return check_refuse(checker, node, ERR_LIMIT,
		    "takes too much work to match with the pattern");
	if (match)
		return 0;
	return check_refuse(checker, node, ERR_SCHEMA,
	    "does not match the pattern %.*s",
	    (int)utf8_prefix(clause->operand->value.string.p,
		clause->operand->value.string.n, 60),
	    clause->operand->value.string.p);
}

/*
 * format
 */
int
compile_format(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause)
{
	(void)in;
	if (operand->type != JSON_STRING)
		return compile_refuse(
		    compiler, operand, ERR_TYPE, "format has to be a string");
	clause->format = format_find(operand->value.string);
	if (clause->format == NULL)
		return compile_refuse(compiler, operand, ERR_RANGE,
		    "format has to be one of " FORMAT_NAMES);
	return 0;
}

/* Whether the value has the format; it may have been found out before. */
static int
find_format(struct checker *checker, const struct format *format,
    const struct json_node *node, bool *fits_out)
{
	size_t at =
	    ((size_t)(node - checker->doc->nodes) ^ format_number(format)) %
	    SCHEMA_MEMO;
	int rc;

	if (checker->work->memo[at].format == format &&
	    checker->work->memo[at].node == node) {
		*fits_out = checker->work->memo[at].fits;
		return check_spend(checker, node, 1);
	}
	rc =
	    check_spend(checker, node, format_work(format, node->value.string));
	if (rc != 0)
		return rc;
	*fits_out = format->check(node->value.string);
	checker->work->memo[at].node = node;
	checker->work->memo[at].format = format;
	checker->work->memo[at].fits = *fits_out;
	return 0;
}

int
check_format(struct checker *checker, const struct clause *clause,
    const struct json_node *node)
{
	bool fits;
	int rc = find_format(checker, clause->format, node, &fits);

	if (rc != 0 || fits)
		return rc;
	return check_refuse(checker, node, ERR_SCHEMA,
	    "is not of the format %.*s", (int)clause->operand->value.string.n,
	    clause->operand->value.string.p);
}
