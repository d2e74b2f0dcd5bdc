/*
 * Metrics of a service. Pure; names in the answer come from the configuration
 * and from zones, so a label's value cannot end it.
 */
#include "executor/metrics.h"

#include "common/err.h"
#include "executor/inert.h"

#define PREFIX "trizone_"

static void
add_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_add_format(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n",
	    name, help, name, type);
}

/* A backslash before quotes and backslashes; line feeds are inert. */
static void
add_label(struct buf *out, const char *lead, struct span text)
{
	size_t start = 0, replaced = 0;

	buf_add_format(out, "%s=\"", lead);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '"' && text.p[i] != '\\')
			continue;
		inert_add(out, (struct span){text.p + start, i - start}, false,
		    &replaced);
		buf_add_byte(out, '\\');
		start = i;
	}
	inert_add(out, (struct span){text.p + start, text.n - start}, false,
	    &replaced);
	buf_add_byte(out, '"');
}

static struct span
text_of(
    const struct json_doc *doc, const struct json_node *object, const char *key)
{
	const struct json_node *node = json_get(doc, object, key);

	return node != NULL && node->type == JSON_STRING
		   ? node->value.string
		   : (struct span){NULL, 0};
}

/* True is 1; what is no number is 0. */
static long long
number_of(const struct json_node *node)
{
	if (node == NULL)
		return 0;
	if (node->type == JSON_BOOL)
		return node->value.boolean;
	return node->type == JSON_INTEGER ? node->value.integer : 0;
}

static void
add_plain(struct buf *out, const char *name, const char *type, const char *help,
    const struct json_node *node)
{
	if (node == NULL)
		return;
	add_head(out, name, type, help);
	buf_add_format(out, PREFIX "%s %lld\n", name, number_of(node));
}

/* A sample for each object in a list: the member `value`, labelled with one or
 * two others. */
struct family {
	const char *list, *name, *help, *value, *label, *second;
};

static void
add_family(struct buf *out, const struct json_doc *doc,
    const struct json_node *status, const struct family *family)
{
	const struct json_node *list = json_get(doc, status, family->list);
	const struct json_node *at;

	if (list == NULL || list->type != JSON_ARRAY || list->count == 0)
		return;
	add_head(out, family->name, "gauge", family->help);
	for (at = json_first(doc, list); at != NULL;
	     at = json_next(doc, list, at)) {
		buf_add_format(out, PREFIX "%s{", family->name);
		add_label(out, family->label, text_of(doc, at, family->label));
		if (family->second != NULL) {
			buf_add_byte(out, ',');
			add_label(out, family->second,
			    text_of(doc, at, family->second));
		}
		buf_add_format(out, "} %lld\n",
		    number_of(json_get(doc, at, family->value)));
	}
}

static void
add_inbox(
    struct buf *out, const struct json_doc *doc, const struct json_node *inbox)
{
	const struct json_node *key;

	if (inbox == NULL)
		return;
	add_head(out, "inbox_items", "gauge", "Messages in each state.");
	for (key = json_first(doc, inbox); key != NULL;
	     key = json_next(doc, inbox, key)) {
		if (span_is(key->value.string, "bytes"))
			continue;
		buf_add_text(out, PREFIX "inbox_items{");
		add_label(out, "state", key->value.string);
		buf_add_format(out, "} %lld\n", number_of(json_value(key)));
	}
	add_plain(out, "inbox_bytes", "gauge", "Bytes the inbox takes.",
	    json_get(doc, inbox, "bytes"));
}

/* What a process could not have of its lock is words, so they are counted. */
static void
add_gaps(
    struct buf *out, const struct json_doc *doc, const struct json_node *list)
{
	const struct json_node *at;

	if (list == NULL || list->type != JSON_ARRAY || list->count == 0)
		return;
	add_head(out, "process_lock_gap", "gauge",
	    "Whether a process lacks a part of its lock.");
	for (at = json_first(doc, list); at != NULL;
	     at = json_next(doc, list, at)) {
		buf_add_text(out, PREFIX "process_lock_gap{");
		add_label(out, "role", text_of(doc, at, "role"));
		buf_add_format(
		    out, "} %d\n", text_of(doc, at, "gap").n != 0 ? 1 : 0);
	}
}

static void
add_policy(
    struct buf *out, const struct json_doc *doc, const struct json_node *policy)
{
	if (policy == NULL)
		return;
	add_head(out, "policy_info", "gauge", "The policy that decides.");
	buf_add_text(out, PREFIX "policy_info{");
	add_label(out, "sha256", text_of(doc, policy, "sha256"));
	buf_add_text(out, "} 1\n");
	add_plain(out, "policy_reloads_total", "counter",
	    "Times the policy was exchanged since the start.",
	    json_get(doc, policy, "reloads"));
}

int
metrics_add(
    struct buf *out, const struct json_doc *doc, const struct json_node *status)
{
	static const struct family families[] = {
	    {"zones", "zone_channels", "Channels a zone has open.", "channels",
		"zone", "kind"},
	    {"couriers", "courier_up", "Whether a courier runs.", "up", "kind",
		NULL},
	};

	add_head(out, "up", "gauge", "Whether the service answers.");
	buf_add_text(out, PREFIX "up 1\n");
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		add_family(out, doc, status, &families[i]);
	add_gaps(out, doc, json_get(doc, status, "processes"));
	add_policy(out, doc, json_get(doc, status, "policy"));
	add_plain(out, "decision_inputs_kept", "gauge",
	    "Whether what decisions were made from is kept.",
	    json_get(doc, json_get(doc, status, "decision_inputs"), "kept"));
	add_inbox(out, doc, json_get(doc, status, "inbox"));
	return out->overflow ? -ERR_TOO_LARGE : 0;
}
