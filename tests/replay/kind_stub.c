/*
 * Kind `stub`: see the header. Reads what the adapter made of a tool's
 * declaration.
 */
#include "kind_stub.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/err.h"

const struct kind_method kind_stub_methods[1] = {
    {.name = "call", .schema = "{\"type\":\"object\"}"},
};

struct stub {
	struct kind_effects effects;
	struct kind_argument *arguments;
};

struct settings_members {
	const struct json_node *effects, *leaves_if, *arguments;
};

static const struct json_field settings_fields[] = {
    {"effects", JSON_WANT_ARRAY, true,
	offsetof(struct settings_members, effects), 0, EFFECT_COUNT},
    {"leaves_if", JSON_WANT_ANY, false,
	offsetof(struct settings_members, leaves_if), 0, 0},
    {"arguments", JSON_WANT_ARRAY, true,
	offsetof(struct settings_members, arguments), 0, 64},
};

struct argument_members {
	struct span name, role, type, what;
};

static const struct json_field argument_fields[] = {
    {"name", JSON_WANT_STRING, true, offsetof(struct argument_members, name), 1,
	100},
    {"role", JSON_WANT_STRING, true, offsetof(struct argument_members, role), 1,
	20},
    {"type", JSON_WANT_STRING, true, offsetof(struct argument_members, type), 1,
	20},
    {"what", JSON_WANT_STRING, false, offsetof(struct argument_members, what),
	0, 100},
};

static char *
copy(struct span text)
{
	return alloc_text(text.p, text.n);
}

static int
read_argument(const struct json_doc *doc, const struct json_node *node,
    struct kind_argument *argument, struct json_error *where)
{
	struct argument_members m = {0};
	int rc = json_read(doc, node, argument_fields,
	    sizeof argument_fields / sizeof argument_fields[0], &m, where);

	if (rc != 0)
		return rc;
	argument->role = argument_role_find(m.role);
	argument->type = value_type_find(m.type);
	if (argument->role == ARGUMENT_ROLE_COUNT ||
	    argument->type == VALUE_TYPE_COUNT)
		return json_complain(
		    doc, node, where, ERR_RANGE, "no such role or type");
	argument->name = copy(m.name);
	if (m.what.n != 0)
		argument->what = copy(m.what);
	return 0;
}

static int
read_stub(const struct json_doc *doc, const struct settings_members *m,
    struct stub *stub, struct json_error *where)
{
	const struct json_node *node;
	int rc = 0;

	for (node = json_first(doc, m->effects); node != NULL;
	     node = json_next(doc, m->effects, node)) {
		unsigned effect = node->type == JSON_STRING
				      ? effect_find(node->value.string)
				      : 0;

		if (effect == 0)
			return json_complain(
			    doc, node, where, ERR_RANGE, "no such effect");
		stub->effects.effects |= effect;
	}
	if (m->leaves_if != NULL && m->leaves_if->type == JSON_STRING)
		stub->effects.leaves_if = copy(m->leaves_if->value.string);
	stub->arguments =
	    alloc_array(m->arguments->count, sizeof *stub->arguments);
	stub->effects.arguments = stub->arguments;
	for (node = json_first(doc, m->arguments); node != NULL && rc == 0;
	     node = json_next(doc, m->arguments, node))
		rc = read_argument(doc, node,
		    &stub->arguments[stub->effects.argument_count++], where);
	return rc;
}

int
kind_stub_settings_parse(const struct json_doc *doc,
    const struct json_node *node, const struct kind_method *method,
    void **settings_out, struct json_error *where)
{
	struct settings_members members = {0};
	struct stub *stub;
	int rc = json_read(doc, node, settings_fields,
	    sizeof settings_fields / sizeof settings_fields[0], &members,
	    where);

	(void)method;
	if (rc != 0)
		return rc;
	stub = alloc_bytes(sizeof *stub);
	rc = read_stub(doc, &members, stub, where);
	if (rc == 0)
		*settings_out = stub;
	else
		kind_stub_settings_free(stub);
	return rc;
}

void
kind_stub_settings_free(void *settings)
{
	struct stub *stub = settings;

	for (size_t i = 0; i < stub->effects.argument_count; i++) {
		free((char *)(uintptr_t)stub->arguments[i].name);
		free((char *)(uintptr_t)stub->arguments[i].what);
	}
	free((char *)(uintptr_t)stub->effects.leaves_if);
	free(stub->arguments);
	free(stub);
}

void
kind_stub_settings_print(
    const void *settings, const struct kind_method *method, struct buf *out)
{
	(void)settings;
	(void)method;
	buf_add_text(out, "does nothing; for tests");
}

int
kind_stub_check(const void *settings, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments, char *detail,
    size_t detail_room)
{
	(void)settings;
	(void)method;
	(void)doc;
	(void)arguments;
	(void)detail;
	(void)detail_room;
	return 0;
}

const struct kind_effects *
kind_stub_effects(const void *settings)
{
	return &((const struct stub *)settings)->effects;
}
