/*
 * Checking a hostile value against a compiled schema: the walk, the sets of
 * what it has looked at, and reasons. Runs in the broker and in every courier;
 * opens nothing, sends nothing, logs nothing.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/limits.h"
#include "executor/number.h"
#include "executor/schema_impl.h"

#define PLACE_BYTES 120 /* leaves room for the reason */
#define PLACE_CHARS 40	/* of hostile words in one reason */
#define REASON_BYTES 160
#define CHECK_DEPTH ((JSON_MAX_DEPTH + 1) * SCHEMA_MAX_CHAIN)
#define SET_WORDS 2048 /* 131,072 elements and properties */

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
		if (node == child && at->type == JSON_OBJECT) {
			place_add(place, " (its name)");
			break;
		}
		at = value;
	}
	memcpy(place->text + place->used, place->full ? "..." : "",
	    place->full ? sizeof "..." : 1);
}

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
check_explain(struct checker *checker, const struct json_node *node, int error,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	explain(checker, node, format, ap);
	va_end(ap);
	return -error;
}

/* Every keyword of one schema. */
static int
check_clauses(struct checker *checker, const struct subschema *subschema,
    const struct json_node *node, unsigned types)
{
	int rc = check_spend(checker, node, 1 + subschema->clause_count);

	if (rc == 0 && subschema->never)
		rc = check_refuse(
		    checker, node, ERR_SCHEMA, "is not allowed here");
	if (rc == 0 && subschema->clause_count != 0 &&
	    node->type == JSON_REAL && !number_is_exact(checker->doc, node))
		rc = check_refuse(checker, node, ERR_LIMIT,
		    "has more digits than can be compared");
	if (rc == 0 && checker->depth == CHECK_DEPTH)
		rc = check_refuse(checker, node, ERR_LIMIT,
		    "is nested too deep for its schema");
	checker->depth++;
	for (size_t i = 0; i < subschema->clause_count && rc == 0; i++) {
		const struct clause *clause = &subschema->clauses[i];

		if ((clause->applies & types) != 0)
			rc = clause->check(checker, clause, node);
	}
	checker->depth--;
	return rc;
}

/* With a set of its own, which is added to the outer one only if the schema
 * fits: what a schema that does not fit has looked at does not count. */
static int
check_with_set(struct checker *checker, const struct subschema *subschema,
    const struct json_node *node, unsigned types)
{
	bool has_parts = node->type == JSON_ARRAY || node->type == JSON_OBJECT;
	struct seen *outer = checker->seen;
	struct seen own = {
	    checker->words, has_parts ? node->count / 64 + 1 : 0};
	int rc = check_spend(checker, node, own.count);

	if (rc == 0 && own.count > checker->words_free)
		rc = check_refuse(checker, node, ERR_LIMIT,
		    "has too many parts to keep track of");
	if (rc != 0)
		return rc;
	memset(own.words, 0, own.count * sizeof *own.words);
	checker->words += own.count;
	checker->words_free -= own.count;
	checker->seen = &own;
	rc = check_clauses(checker, subschema, node, types);
	checker->seen = outer;
	checker->words -= own.count;
	checker->words_free += own.count;
	for (size_t i = 0; rc == 0 && outer != NULL && i < own.count; i++)
		outer->words[i] |= own.words[i];
	return rc;
}

int
check_subschema(struct checker *checker, const struct subschema *subschema,
    const struct json_node *node)
{
	unsigned types = schema_types(node);

	if (checker->seen != NULL || (subschema->asks & types) != 0)
		return check_with_set(checker, subschema, node, types);
	return check_clauses(checker, subschema, node, types);
}

int
check_child(struct checker *checker, const struct subschema *subschema,
    const struct json_node *node)
{
	struct seen *seen = checker->seen;
	int rc;

	checker->seen = NULL;
	rc = check_subschema(checker, subschema, node);
	checker->seen = seen;
	return rc;
}

/* Apart, as most schemas need no sets and their memory is cleared at entry. */
static int __attribute__((noinline))
check_with_words(struct checker *checker, const struct json_node *node)
{
	uint64_t words[SET_WORDS];

	checker->words = words;
	checker->words_free = SET_WORDS;
	return check_subschema(checker, checker->schema->root, node);
}

int
schema_check_within(const struct schema *schema, const struct json_doc *doc,
    const struct json_node *node, struct schema_work *work, char *detail,
    size_t room)
{
	struct checker checker = {.schema = schema,
	    .doc = doc,
	    .root = node,
	    .work = work,
	    .detail = detail,
	    .room = room};

	if (room != 0)
		detail[0] = '\0';
	if (schema->asks)
		return check_with_words(&checker, node);
	return check_subschema(&checker, schema->root, node);
}

int
schema_check(const struct schema *schema, const struct json_doc *doc,
    const struct json_node *node, char *detail, size_t room)
{
	struct schema_work work = {.left = SCHEMA_MAX_WORK};

	return schema_check_within(schema, doc, node, &work, detail, room);
}
