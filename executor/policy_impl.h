/*
 * What the files of the policy module share; nobody else includes this.
 */
#ifndef TRIZONE_EXECUTOR_POLICY_IMPL_H
#define TRIZONE_EXECUTOR_POLICY_IMPL_H

#include "executor/policy.h"
#include "executor/schema.h"

#define SET_WORDS (POLICY_MAX_CAPABILITIES / 64)

struct rule {
	char *id;
	char *why;
	enum verdict verdict;
	bool any;		  /* "*": also what does not exist later */
	uint64_t set[SET_WORDS];  /* else: one bit per capability number */
	char *zone;		  /* NULL: any */
	struct schema *arguments; /* NULL: any */
	unsigned without_legs;
};

struct policy {
	struct capability **capabilities; /* by number, in text order */
	uint32_t capability_count;
	uint32_t *by_name; /* numbers, ordered by name */
	struct rule *rules;
	uint32_t rule_count;
};

/* 10,000 rules of ten values, and schemas. */
extern const struct json_limits policy_text_limits;

/* Fill `capability`, which is zero, from its object; the caller frees it with
 * capability_free in any case. capability.c. */
int capability_read(const struct json_doc *doc, const struct json_node *node,
    struct capability *capability, struct json_error *where);

/* A copy of a string node. */
char *policy_string(const struct json_node *node);

/* Whether the rule speaks of the capability of that number. */
bool rule_names(const struct rule *rule, uint32_t number);

/* Legs a call of the method gives its session, enum leg bits. */
unsigned method_legs(const struct kind_method *method);

#endif
