/*
 * Rules as they stand in memory; for planner/rules*.c only. Everything here
 * borrows from the rules' own document, which lives as long as they do.
 */
#ifndef TRIZONE_PLANNER_RULES_TREE_H
#define TRIZONE_PLANNER_RULES_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"

/* Name, key in the file, the same in words. */
#define RULES_TESTS(X)                                                         \
	X(IS, "is", "is")                                                      \
	X(CONTAINS, "contains", "contains")                                    \
	X(STARTS, "starts", "starts with")                                     \
	X(ENDS, "ends", "ends with")                                           \
	X(EXISTS, "exists", "exists:")                                         \
	X(GREATER, "greater", "is greater than")                               \
	X(LESS, "less", "is less than")                                        \
	X(COUNT_GREATER, "count_greater", "has more items than")               \
	X(COUNT_LESS, "count_less", "has fewer items than")                    \
	X(SOME, "some", "has an item where")

enum rules_test {
#define X(name, key, words) RULES_##name,
	RULES_TESTS(X)
#undef X
	    RULES_TEST_COUNT
};

struct rules_condition {
	enum rules_test test;
	bool fold;		       /* ASCII letters without case */
	const struct json_node *field; /* a string, a JSON Pointer */
	const struct json_node *value; /* what the test compares with */
	struct rules_condition *inner; /* of RULES_SOME, else NULL */
};

struct rules_conditions {
	struct rules_condition *items;
	size_t count;
};

struct rules_action {
	struct span call;
	const struct json_node *arguments; /* an object, with inserts in it */
};

struct rules_actions {
	struct rules_action *items;
	size_t count;
};

struct rule {
	struct span name, why;
	struct rules_conditions all, any, none;
	struct rules_actions then;
	bool stop;
	bool failures; /* looks at /error, so it is meant for failures too */
};

struct rules {
	char *text;
	struct json_doc doc;
	struct rule *items;
	size_t count;
	struct rules_actions otherwise;
};

/* What an object in the arguments stands for. */
enum rules_template {
	RULES_PLAIN, /* itself */
	RULES_FIELD, /* a value of the message: {"$field": pointer, ...} */
	RULES_JOIN   /* texts in a row: {"$join": [...]} */
};

struct rules_insert {
	const struct json_node *field; /* a string, a JSON Pointer */
	int64_t max_chars;
	const struct json_node *fallback; /* a scalar, or NULL */
};

/* Reading a file: the document, and where to say what is wrong. */
struct rules_reader {
	const struct json_doc *doc;
	struct json_error *where; /* may be NULL */
};

int rules_complain(const struct rules_reader *r, const struct json_node *node,
    int error, const char *message);

/* Names of rules, capabilities and arguments: nothing that needs quoting. */
bool rules_is_name(struct span name);

/* 0 if the node is a JSON Pointer of at most RULES_MAX_POINTER bytes. */
int rules_check_pointer(
    const struct rules_reader *r, const struct json_node *node);

/* By the "$" keys of an object; RULES_PLAIN for anything else. */
enum rules_template rules_template_of(
    const struct json_doc *doc, const struct json_node *node);

/* Read a $field object. Fails only while a file is parsed. */
int rules_insert_read(const struct json_doc *doc, const struct json_node *node,
    struct rules_insert *insert_out, struct json_error *where);

/* Check the arguments of a call, and measure them for the worst message, so
 * that no message can make a call too large later. */
int rules_template_check(
    const struct rules_reader *r, const struct json_node *arguments);

/* One run: rules and message, and room for what is made from them. */
struct rules_fill {
	const struct json_doc *rules;
	const struct json_doc *clean;
	const struct json_node *root; /* of clean */
	struct buf text;	      /* one string that goes into a call */
	struct buf arguments;	      /* one call's arguments */
};

/* Fill in arguments that were checked. The text is good until the next. */
void rules_template_fill(struct rules_fill *fill,
    const struct json_node *arguments, struct span *json_out);

#endif
