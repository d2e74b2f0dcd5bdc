/*
 * What the files of the schema module share; nobody else includes this.
 *
 * A schema is a list of clauses, one per keyword, in the order of the table in
 * schema.c. A $ref is a clause with the schema it means, which makes a graph of
 * them; schema_ref.c sees to it that no way round in it stays at one value. A
 * keyword has two functions: compile reads its operand into a clause, check
 * holds a value against the clause. A new keyword is a row and two functions;
 * one that looks at its neighbours (additionalProperties) finds them compiled
 * already, if its row stands behind theirs.
 */
#ifndef TRIZONE_EXECUTOR_SCHEMA_IMPL_H
#define TRIZONE_EXECUTOR_SCHEMA_IMPL_H

#include <stdbool.h>
#include <string.h>

#include "common/err.h"
#include "executor/format.h"
#include "executor/number.h"
#include "executor/pattern.h"
#include "executor/schema.h"

/* Types of JSON Schema; a whole number is INTEGER and NUMBER. */
enum schema_type {
	TYPE_NULL = 1,
	TYPE_BOOLEAN = 2,
	TYPE_INTEGER = 4,
	TYPE_NUMBER = 8,
	TYPE_STRING = 16,
	TYPE_ARRAY = 32,
	TYPE_OBJECT = 64,
	TYPE_ANY = 127
};

struct clause;
struct compiler;
struct checker;
struct resource;
struct subschema;

/* Read the operand of a keyword into its clause. */
typedef int compile_function(struct compiler *compiler, struct subschema *in,
    const struct json_node *operand, struct clause *clause);

/* Hold a value, of a type the keyword applies to, against a clause. */
typedef int check_function(struct checker *checker, const struct clause *clause,
    const struct json_node *node);

struct keyword {
	const char *name;
	unsigned applies;	   /* types it looks at */
	compile_function *compile; /* NULL: any operand will do */
	check_function *check;	   /* NULL: says nothing about a value */
	bool in_place;		   /* its schemas look at the same value */
};

/* A name, a pattern, a schema: a property, a required name, one of anyOf. */
struct branch {
	struct span name;
	struct subschema *schema;
	union {
		struct pattern *pattern;      /* owned, by patternProperties */
		const struct json_node *list; /* of dependentRequired */
	} of;
};

/* One keyword of one schema. Which members are used is the keyword's; 64 bytes,
 * as a decision reads many. */
struct clause {
	check_function *check;
	unsigned
	    applies; /* both copied from the keyword: the way to it is long */
	unsigned types;
	union {
		uint64_t count;
		const struct clause *named; /* neighbour, or NULL */
	};
	union {
		uint64_t most;
		const struct clause *matched; /* neighbour, or NULL */
		struct pattern *pattern; /* owned, by the keyword pattern */
		const struct format *format;
	};
	struct branch *branches; /* owned */
	size_t branch_count;
	const struct json_node *operand; /* in the schema's own document */
	const struct keyword *keyword;
};

struct subschema {
	struct subschema *chain;	 /* all of one schema, to free them */
	const struct json_node *node;	 /* in the schema's own document */
	const struct resource *resource; /* while compiling */
	unsigned length; /* of its longest chain of in_place schemas */
	bool never;	 /* the schema `false` */
	unsigned asks;	 /* types with a keyword unevaluated... */
	size_t clause_count;
	struct clause clauses[];
};

struct schema {
	char *text;	     /* owned; what doc and all spans point into */
	struct json_doc doc; /* operands of enum, const, minimum, ... */
	const struct subschema *root;
	struct subschema *chain;
	bool asks; /* one of its schemas does */
};

/*
 * Compiling.
 */
struct compiler {
	struct schema *schema;
	const struct json_doc *doc;   /* the caller's, for places */
	const struct json_node *base; /* of the schema in it */
	struct json_error *where;
	unsigned depth;
	const struct resource *resource; /* the innermost one */
	struct resource *resources;	 /* all of them */
	unsigned resource_count;
	struct anchor *anchors;	     /* all of them */
	struct subschema **by_index; /* of a node; NULL: no schema there */
};

/* Compile `node` of the schema's own document as a schema. */
int compile_subschema(struct compiler *compiler, const struct json_node *node,
    struct subschema **subschema_out);

/* The schema everything is in: what references without a URI are beside. */
void compile_base(struct compiler *compiler, struct subschema *root);

/* Once everything is compiled: find what each $ref means, and refuse chains
 * of schemas for one value that have no end. Frees what they were found by. */
int compile_references(struct compiler *compiler);
void compile_names_free(struct compiler *compiler);

/* The compiled clause of that keyword, or NULL. */
const struct clause *compile_find(
    const struct subschema *in, const char *keyword);

/* The schema is wrong at `node`; fills `where`, returns the error. */
int compile_refuse(struct compiler *compiler, const struct json_node *node,
    int error, const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Checking.
 */
struct checker {
	const struct schema *schema;
	const struct json_doc *doc; /* hostile */
	const struct json_node *root;
	struct schema_work *work;
	unsigned quiet; /* inside anyOf, oneOf, not: reasons are not kept */
	unsigned depth;
	struct seen *seen; /* of the value at hand; NULL: nobody asks */
	uint64_t *words;   /* room for the sets of `seen` */
	size_t words_free;
	char *detail;
	size_t room;
};

/* Which elements or properties of one value a schema has looked at, by their
 * positions: what the keywords unevaluated... ask for. */
struct seen {
	uint64_t *words;
	size_t count;
};

/* A schema for the value at hand. */
int check_subschema(struct checker *checker, const struct subschema *subschema,
    const struct json_node *node);

/* A schema for an element, a property or a name of it. */
int check_child(struct checker *checker, const struct subschema *subschema,
    const struct json_node *node);

/* The schema fits: 1; it does not: 0; else an error. No reason is kept. */
int check_quietly(struct checker *checker, const struct subschema *subschema,
    const struct json_node *node);

/* The element or property at `index` was looked at. */
static inline void
check_mark(struct checker *checker, size_t index)
{
	if (checker->seen != NULL)
		checker->seen->words[index / 64] |= UINT64_C(1) << index % 64;
}

static inline bool
check_marked(const struct checker *checker, size_t index)
{
	return (checker->seen->words[index / 64] >> index % 64 & 1) != 0;
}

/* `node` does not fit, or could not be checked: keep the reason, and return
 * -error (error is positive). The words must be ours or the schema's, never
 * the value's. */
int check_explain(struct checker *checker, const struct json_node *node,
    int error, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same, unless nobody wants the reason: then not even its words are put
 * together. A decision meets many rules that do not match. */
#define check_refuse(checker, node, error, ...)                                \
	(check_is_silent(checker, error)                                       \
		? -(error)                                                     \
		: check_explain(checker, node, error, __VA_ARGS__))

static inline bool
check_is_silent(const struct checker *checker, int error)
{
	return checker->room == 0 ||
	       (checker->quiet != 0 && error == ERR_SCHEMA);
}

/* Take `amount` off the work; -ERR_LIMIT with a reason when it is used up. */
static inline int
check_spend(
    struct checker *checker, const struct json_node *node, uint64_t amount)
{
	if (amount <= checker->work->left) {
		checker->work->left -= amount;
		return 0;
	}
	checker->work->left = 0;
	return check_refuse(
	    checker, node, ERR_LIMIT, "takes too much work to check");
}

/* Types `node` has (a whole number has two). */
static inline unsigned
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

/* span_equal, where most are of different lengths. */
static inline bool
same_name(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Whether an object has a member of that name. */
bool object_has(const struct json_doc *doc, const struct json_node *object,
    struct span name);

/* Nodes of a value, itself included. */
uint64_t subtree_count(
    const struct json_doc *doc, const struct json_node *node);

/* schema_ref.c */
compile_function compile_id, compile_anchor, compile_ref;

/* schema_value.c */
compile_function compile_type, compile_enum, compile_bound, compile_divisor,
    compile_count, compile_pattern, compile_draft, compile_format;
check_function check_type, check_enum, check_const, check_minimum,
    check_maximum, check_exclusive_minimum, check_exclusive_maximum,
    check_multiple, check_min_length, check_max_length, check_pattern,
    check_format;

/* schema_object.c */
compile_function compile_required, compile_properties, compile_matched,
    compile_additional, compile_dependent_required, compile_unevaluated;
check_function check_required, check_properties, check_matched,
    check_additional, check_names, check_dependent_required,
    check_dependent_schemas, check_unevaluated_properties;

/* schema_array.c; counts are of elements and of properties */
compile_function compile_items, compile_contains, compile_unique;
check_function check_prefix, check_items, check_contains,
    check_unevaluated_items, check_unique, check_min_count, check_max_count;

/* schema_combine.c */
compile_function compile_one, compile_several, compile_if;
check_function check_ref, check_all_of, check_any_of, check_one_of, check_not,
    check_if;

#endif
