/*
 * One capability: the operator's instance of a kind, out of policy.json. Runs
 * in the broker on the whole policy and in each courier on its own share.
 * Believes the operator's intent, not his typing: what is not understood is
 * an error with its place.
 */
#include <stdlib.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/name.h"
#include "executor/policy_impl.h"

#define PER_HOUR_DEFAULT 1000
#define PER_HOUR_MAX 1000000

const struct json_limits policy_text_limits = {
    .bytes = POLICY_MAX_BYTES, .depth = 48, .nodes = 1u << 19};

struct limits_text {
	int64_t per_hour;
};

static const struct json_field limits_fields[] = {
    {"per_hour", JSON_WANT_INTEGER, false,
	offsetof(struct limits_text, per_hour), 1, PER_HOUR_MAX},
};

struct capability_text {
	const struct json_node *name, *kind, *method, *why;
	const struct json_node *settings, *arguments, *limits, *outbound,
	    *audit;
};

#define MEMBER(key, want, required, type)                                      \
	{                                                                      \
#key, want, required, offsetof(struct type, key), 0, 0         \
	}

static const struct json_field capability_fields[] = {
    MEMBER(name, JSON_WANT_ANY, true, capability_text),
    MEMBER(kind, JSON_WANT_ANY, true, capability_text),
    MEMBER(method, JSON_WANT_ANY, true, capability_text),
    MEMBER(why, JSON_WANT_ANY, true, capability_text),
    MEMBER(settings, JSON_WANT_OBJECT, true, capability_text),
    MEMBER(arguments, JSON_WANT_OBJECT, false, capability_text),
    MEMBER(limits, JSON_WANT_OBJECT, false, capability_text),
    MEMBER(outbound, JSON_WANT_OBJECT, false, capability_text),
    MEMBER(audit, JSON_WANT_OBJECT, false, capability_text),
};

char *
policy_string(const struct json_node *node)
{
	return alloc_text(node->value.string.p, node->value.string.n);
}

/* The kind, its method, and the settings, which the kind reads itself. */
static int
read_kind(const struct json_doc *doc, const struct capability_text *text,
    struct capability *c, struct json_error *where)
{
	int rc = name_require(doc, text->kind, "a kind", where);

	if (rc == 0)
		rc = name_require(doc, text->method, "a method", where);
	if (rc != 0)
		return rc;
	c->kind = kind_find(text->kind->value.string);
	if (c->kind == NULL)
		return json_complain(doc, text->kind, where, ERR_RANGE,
		    "there is no kind \"%.*s\"",
		    (int)text->kind->value.string.n,
		    text->kind->value.string.p);
	c->method = kind_method_find(c->kind, text->method->value.string);
	if (c->method == NULL)
		return json_complain(doc, text->method, where, ERR_RANGE,
		    "kind \"%s\" has no method \"%.*s\"", c->kind->name,
		    (int)text->method->value.string.n,
		    text->method->value.string.p);
	rc = c->kind->settings_parse(
	    doc, text->settings, c->method, &c->settings, where);
	if (rc != 0)
		return rc;
	c->effects = c->kind->effects == NULL ? &c->method->effects
					      : c->kind->effects(c->settings);
	return 0;
}

static int
read_arguments(const struct json_doc *doc, const struct capability_text *text,
    struct capability *c, struct json_error *where)
{
	struct span schema;
	int rc = 0;

	if (text->arguments == NULL)
		c->arguments = kind_schema(c->method);
	else
		rc = schema_compile(doc, text->arguments, &c->arguments, where);
	if (rc != 0)
		return rc;
	schema = schema_text(c->arguments);
	c->schema_text = alloc_text(schema.p, schema.n);
	return 0;
}

static int
read_limits(const struct json_doc *doc, const struct json_node *node,
    struct capability *c, struct json_error *where)
{
	struct limits_text limits = {.per_hour = PER_HOUR_DEFAULT};
	int rc = 0;

	if (node != NULL)
		rc = json_read(doc, node, limits_fields,
		    sizeof limits_fields / sizeof limits_fields[0], &limits,
		    where);
	if (rc == 0)
		c->per_hour = (uint32_t)limits.per_hour;
	c->per_hour_given = rc == 0 && json_get(doc, node, "per_hour") != NULL;
	return rc;
}

struct outbound_text {
	const struct json_node *links, *markup;
};

static const struct json_field outbound_fields[] = {
    MEMBER(links, JSON_WANT_ANY, false, outbound_text),
    MEMBER(markup, JSON_WANT_ANY, false, outbound_text),
};

/* Whoever shows a message may follow its links: nothing novel leaves as one
 * unless the policy says so. */
static int
read_outbound(const struct json_doc *doc, const struct json_node *node,
    struct capability *c, struct json_error *where)
{
	struct outbound_text text = {0};
	bool message = !c->method->verbatim;
	int rc = 0;

	c->outbound.links = message ? OUTBOUND_DEFANG : OUTBOUND_ALLOW;
	c->outbound.plain = message;
	if (node != NULL)
		rc = json_read(doc, node, outbound_fields,
		    sizeof outbound_fields / sizeof outbound_fields[0], &text,
		    where);
	if (rc == 0 && text.links != NULL) {
		c->outbound.links =
		    text.links->type == JSON_STRING
			? outbound_links_find(text.links->value.string)
			: OUTBOUND_LINKS_COUNT;
		if (c->outbound.links == OUTBOUND_LINKS_COUNT)
			rc = json_complain(doc, text.links, where, ERR_RANGE,
			    "\"links\" has to be allow, defang, ask or deny");
	}
	if (rc == 0 && text.markup != NULL) {
		c->outbound.plain = json_is_string(text.markup, "text");
		if (!c->outbound.plain && !json_is_string(text.markup, "keep"))
			rc = json_complain(doc, text.markup, where, ERR_RANGE,
			    "\"markup\" has to be text or keep");
	}
	return rc;
}

struct audit_text {
	const struct json_node *destination;
};

static const struct json_field audit_fields[] = {
    MEMBER(destination, JSON_WANT_ANY, true, audit_text),
};

/* What of a call's arguments is on record as they are. */
static int
read_audit(const struct json_doc *doc, const struct json_node *node,
    struct capability *c, struct json_error *where)
{
	struct audit_text text = {0};
	int rc;

	if (node == NULL)
		return 0;
	rc = json_read(doc, node, audit_fields, 1, &text, where);
	if (rc != 0)
		return rc;
	c->destination =
	    text.destination->type == JSON_STRING
		? destination_kept_find(text.destination->value.string)
		: DESTINATION_KEPT_COUNT;
	if (c->destination == DESTINATION_KEPT_COUNT)
		return json_complain(doc, text.destination, where, ERR_RANGE,
		    "\"destination\" has to be whole, domain or none");
	return 0;
}

int
capability_read(const struct json_doc *doc, const struct json_node *node,
    struct capability *c, struct json_error *where)
{
	struct capability_text text = {0};
	struct span source;
	int rc = json_read(doc, node, capability_fields,
	    sizeof capability_fields / sizeof capability_fields[0], &text,
	    where);

	if (rc == 0)
		rc = name_require(
		    doc, text.name, "the name of a capability", where);
	if (rc == 0)
		rc = line_require(doc, text.why, "\"why\"", where);
	if (rc == 0)
		rc = read_kind(doc, &text, c, where);
	if (rc == 0)
		rc = read_arguments(doc, &text, c, where);
	if (rc == 0)
		rc = read_limits(doc, text.limits, c, where);
	if (rc == 0)
		rc = read_outbound(doc, text.outbound, c, where);
	if (rc == 0)
		rc = read_audit(doc, text.audit, c, where);
	if (rc != 0)
		return rc;
	source = json_raw(doc, node);
	c->name = policy_string(text.name);
	c->why = policy_string(text.why);
	c->source = alloc_text(source.p, source.n);
	return 0;
}

void
capability_free(struct capability *c)
{
	if (c == NULL)
		return;
	if (c->settings != NULL)
		c->kind->settings_free(c->settings);
	schema_free(c->arguments);
	free(c->name);
	free(c->why);
	free(c->schema_text);
	free(c->source);
	free(c);
}

int
capability_parse(struct span text, uint32_t number,
    struct capability **capability_out, struct json_error *where)
{
	struct capability *c = alloc_bytes(sizeof *c);
	struct json_doc doc;
	int rc;

	c->number = number;
	json_init(&doc);
	rc = json_parse(&doc, text, &policy_text_limits, where);
	if (rc == 0)
		rc = capability_read(&doc, json_root(&doc), c, where);
	json_done(&doc);
	if (rc == 0)
		*capability_out = c;
	else
		capability_free(c);
	return rc;
}
