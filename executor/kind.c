/*
 * Looking things up in the table of kinds, and the words of policies for what
 * is in it. Pure.
 */
#include "executor/kind.h"

#include <stdio.h>

#include "common/err.h"
#include "executor/schema.h"

static const char *const effect_names[EFFECT_COUNT] = {"leaves", "private",
    "untrusted", "changes", "destroys", "shares", "audience", "transacts"};

static const char *const role_names[ARGUMENT_ROLE_COUNT] = {
    [ARGUMENT_DESTINATION] = "destination",
    [ARGUMENT_OBJECT] = "object",
    [ARGUMENT_TITLE] = "title",
    [ARGUMENT_CONTENT] = "content",
    [ARGUMENT_SELECTOR] = "selector",
};

const char *
effect_name(enum effect effect)
{
	unsigned i = 0;

	while (i < EFFECT_COUNT - 1 && (unsigned)effect != 1u << i)
		i++;
	return effect_names[i];
}

unsigned
effect_find(struct span name)
{
	for (unsigned i = 0; i < EFFECT_COUNT; i++)
		if (span_is(name, effect_names[i]))
			return 1u << i;
	return 0;
}

const char *
argument_role_name(enum argument_role role)
{
	return role_names[role];
}

enum argument_role
argument_role_find(struct span name)
{
	int i = 0;

	while (i < ARGUMENT_ROLE_COUNT && !span_is(name, role_names[i]))
		i++;
	return (enum argument_role)i;
}

int
kind_arguments_read(const struct json_doc *doc,
    const struct json_node *arguments, const struct json_field *fields,
    size_t count, void *out, char *detail, size_t detail_room)
{
	struct json_error where;
	int rc = json_read(doc, arguments, fields, count, out, &where);

	if (rc == 0)
		return 0;
	if (rc == -ERR_UNKNOWN_KEY) /* its detail is the hostile key */
		where.detail[0] = '\0';
	snprintf(detail, detail_room, "%s%s%s", err_text(rc),
	    where.detail[0] == '\0' ? "" : ": ", where.detail);
	return -ERR_SCHEMA;
}

const struct kind *
kind_find(struct span name)
{
	for (size_t i = 0; i < kind_count; i++)
		if (span_is(name, kind_table[i].name))
			return &kind_table[i];
	return NULL;
}

const struct kind_method *
kind_method_find(const struct kind *kind, struct span name)
{
	for (size_t i = 0; i < kind->method_count; i++)
		if (span_is(name, kind->methods[i].name))
			return &kind->methods[i];
	return NULL;
}

struct schema *
kind_schema(const struct kind_method *method)
{
	struct json_doc doc;
	struct json_error where;
	struct schema *schema;

	json_init(&doc);
	if (json_parse(&doc, span_of(method->schema), NULL, &where) != 0 ||
	    schema_compile(&doc, json_root(&doc), &schema, &where) != 0)
		bug("schema of method %s: %s", method->name, where.detail);
	json_done(&doc);
	return schema;
}

/* What no row of the kind names is taken for content. */
static const struct kind_argument undeclared = {
    .role = ARGUMENT_CONTENT, .type = VALUE_TEXT};

const struct kind_argument *
kind_argument_of(const struct kind_effects *effects, struct span name)
{
	for (size_t i = 0; i < effects->argument_count; i++)
		if (span_is(name, effects->arguments[i].name))
			return &effects->arguments[i];
	return &undeclared;
}
