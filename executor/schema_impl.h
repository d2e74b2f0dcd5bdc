/*
 * What the files of the schema module share; nobody else includes this.
 *
 * A schema is a list of clauses, one per keyword, in the order of the table in
 * schema.c. A keyword has two functions: compile reads its operand into a
 * clause, check holds a value against the clause. A new keyword is a row and
 * two functions; one that looks at its neighbours (additionalProperties) finds
 * them compiled already, if its row stands behind theirs.
 */
#ifndef TRIZONE_EXECUTOR_SCHEMA_IMPL_H
#define TRIZONE_EXECUTOR_SCHEMA_IMPL_H

#include <stdbool.h>

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
	check_function *check;	   /* NULL: an annotation */
};

/* A name, a schema, or both: a property, a required name, one of anyOf. */
struct branch {
	struct span name;
	const struct subschema *schema;
};

/* One keyword of one schema. Which members are used is the keyword's. */
struct clause {
	const struct keyword *keyword;
	const struct json_node *operand; /* in the schema's own document */
	unsigned types;
	uint64_t count;
	struct pattern *pattern; /* owned */
	struct branch *branches; /* owned */
	size_t branch_count;
	const struct clause *neighbour; /* in the same schema, or NULL */
};

struct subschema {
	struct subschema *chain; /* all of one schema, to free them */
	bool never;		 /* the schema `false` */
	struct clause *clauses;	 /* owned */
	size_t clause_count;
};

struct schema {
	char *text;	     /* owned; what doc and all spans point into */
	struct json_doc doc; /* operands of enum, const, minimum, ... */
	const struct subschema *root;
	struct subschema *chain;
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
};

/* Compile `node` of the schema's own document as a schema. */
int compile_subschema(struct compiler *compiler, const struct json_node *node,
    const struct subschema **subschema_out);

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
	uint64_t *work;
	unsigned quiet; /* inside anyOf, oneOf, not: reasons are not kept */
	char *detail;
	size_t room;
};

int check_subschema(struct checker *checker, const struct subschema *subschema,
    const struct json_node *node);

/* Take `amount` off the work; -ERR_LIMIT with a reason when it is used up. */
int check_spend(
    struct checker *checker, const struct json_node *node, uint64_t amount);

/* `node` does not fit, or could not be checked: keep the reason unless quiet,
 * return -error. The words must be ours or the schema's, never the value's. */
int check_refuse(struct checker *checker, const struct json_node *node,
    int error, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Types `node` has (a whole number has two). */
unsigned schema_types(const struct json_node *node);

/* schema_value.c */
compile_function compile_type, compile_enum, compile_bound, compile_divisor,
    compile_count, compile_pattern, compile_draft;
check_function check_type, check_enum, check_const, check_minimum,
    check_maximum, check_exclusive_minimum, check_exclusive_maximum,
    check_multiple, check_min_length, check_max_length, check_pattern;

/* schema_shape.c; counts are of elements and of properties */
compile_function compile_required, compile_properties, compile_additional,
    compile_unique;
check_function check_required, check_properties, check_additional, check_items,
    check_unique, check_min_count, check_max_count;

/* schema_combine.c */
compile_function compile_one, compile_several;
check_function check_all_of, check_any_of, check_one_of, check_not;

#endif
