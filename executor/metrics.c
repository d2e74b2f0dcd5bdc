/*
 * Metrics of a service. Pure; names in the answer come from the configuration
 * and from zones, so a label's value cannot end it.
 */
#include "executor/metrics.h"

#include <stdlib.h>

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
	buf_add_format(out, "%s=\"", lead);
	inert_add_escaped(out, text, "\"\\");
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
 * two others, and with its number in the list, as no two series may have the
 * same labels. */
struct family {
	const char *list, *name, *help, *value, *label, *second;
};

/* A label's value from a text or a number. */
static void
add_label_of(struct buf *out, const struct json_doc *doc,
    const struct json_node *object, const char *label)
{
	const struct json_node *node = json_get(doc, object, label);

	add_label(out, label,
	    node != NULL && node->type == JSON_INTEGER
		? json_raw(doc, node)
		: text_of(doc, object, label));
}

static void
add_family(struct buf *out, const struct json_doc *doc,
    const struct json_node *status, const struct family *family)
{
	const struct json_node *list = json_get(doc, status, family->list);
	const struct json_node *at;
	unsigned number = 0;

	if (list == NULL || list->type != JSON_ARRAY || list->count == 0)
		return;
	add_head(out, family->name, "gauge", family->help);
	for (at = json_first(doc, list); at != NULL;
	     at = json_next(doc, list, at)) {
		buf_add_format(
		    out, PREFIX "%s{number=\"%u\",", family->name, number++);
		add_label_of(out, doc, at, family->label);
		if (family->second != NULL) {
			buf_add_byte(out, ',');
			add_label_of(out, doc, at, family->second);
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
	unsigned number = 0;

	if (list == NULL || list->type != JSON_ARRAY || list->count == 0)
		return;
	add_head(out, "process_lock_gap", "gauge",
	    "Whether a process lacks a part of its lock.");
	for (at = json_first(doc, list); at != NULL;
	     at = json_next(doc, list, at)) {
		buf_add_format(
		    out, PREFIX "process_lock_gap{number=\"%u\",", number++);
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

/* In seconds, from milliseconds; what is not there is left out. */
static void
add_seconds(struct buf *out, const char *name, const char *help,
    const struct json_node *ms, long long base_ms)
{
	long long value;

	if (ms == NULL || number_of(ms) < 0 || base_ms < 0)
		return;
	value = number_of(ms) - base_ms;
	add_head(out, name, "gauge", help);
	buf_add_format(out, PREFIX "%s %s%lld.%03lld\n", name,
	    value < 0 ? "-" : "", llabs(value) / 1000, llabs(value) % 1000);
}

static void
add_service(struct buf *out, const struct json_doc *doc,
    const struct json_node *service)
{
	const struct json_node *now = json_get(doc, service, "now_ms");
	const struct json_node *started = json_get(doc, service, "started_ms");

	add_seconds(out, "start_time_seconds",
	    "When the service started, in seconds since 1970.", started, 0);
	if (started != NULL)
		add_seconds(out, "uptime_seconds",
		    "For how long the service has run.", now,
		    number_of(started));
}

static void
add_calls(
    struct buf *out, const struct json_doc *doc, const struct json_node *calls)
{
	const struct json_node *key;

	if (calls == NULL)
		return;
	add_head(out, "calls_total", "counter",
	    "Calls decided since the start, by verdict.");
	for (key = json_first(doc, calls); key != NULL;
	     key = json_next(doc, calls, key)) {
		buf_add_text(out, PREFIX "calls_total{");
		add_label(out, "verdict", key->value.string);
		buf_add_format(out, "} %lld\n", number_of(json_value(key)));
	}
}

static void
add_reviews(struct buf *out, const struct json_doc *doc,
    const struct json_node *reviews)
{
	add_plain(out, "reviews_waiting", "gauge",
	    "Calls that wait for a person.", json_get(doc, reviews, "waiting"));
	add_plain(out, "reviews_refused_total", "counter",
	    "Calls that could not wait, as too many do, since the start.",
	    json_get(doc, reviews, "refused"));
	add_plain(out, "outcomes_unknown", "gauge",
	    "Effects that may have happened and that nobody has settled.",
	    json_get(doc, reviews, "unknown"));
}

/* As far as the auditor has told it. */
static void
add_audit(
    struct buf *out, const struct json_doc *doc, const struct json_node *status)
{
	static const struct family anchors = {"anchors", "audit_anchor_up",
	    "Whether an anchor takes lines.", "takes", "kind", "place"};
	const struct json_node *audit = json_get(doc, status, "audit");
	const struct json_node *made = json_get(doc, audit, "checkpoint_ms");

	if (audit == NULL)
		return;
	add_plain(out, "audit_records_written_total", "counter",
	    "Records written since the start.",
	    json_get(doc, audit, "written"));
	add_plain(out, "audit_last_sequence", "gauge",
	    "Sequence of the last record.", json_get(doc, audit, "last"));
	add_plain(out, "audit_open_intents", "gauge",
	    "Effects without a known outcome.",
	    json_get(doc, audit, "intents"));
	add_plain(out, "audit_log_bytes", "gauge",
	    "Bytes the log's segments take.", json_get(doc, audit, "bytes"));
	add_plain(out, "audit_disk_free_bytes", "gauge",
	    "Bytes free on the log's file system.",
	    json_get(doc, audit, "free"));
	add_seconds(out, "audit_checkpoint_timestamp_seconds",
	    "When the last checkpoint was made, in seconds since 1970.", made,
	    0);
	if (made != NULL)
		add_seconds(out, "audit_checkpoint_age_seconds",
		    "How long ago the last checkpoint was made.",
		    json_get(doc, json_get(doc, status, "service"), "now_ms"),
		    number_of(made));
	add_family(out, doc, audit, &anchors);
}

int
metrics_add(
    struct buf *out, const struct json_doc *doc, const struct json_node *status)
{
	static const struct family families[] = {
	    {"zones", "zone_channels", "Channels a zone has open.", "channels",
		"zone", "kind"},
	    {"zones", "zone_attached", "Instances of a zone that are there.",
		"attached", "zone", "kind"},
	    {"zones", "zone_warm", "Instances a zone should have.", "warm",
		"zone", "kind"},
	    {"zones", "zone_busy", "Instances of a zone that work.", "busy",
		"zone", "kind"},
	    {"zones", "zone_items", "Items a zone has done since the start.",
		"items", "zone", "kind"},
	    {"zones", "zone_machines",
		"Machines of a zone that connected since the start.",
		"machines", "zone", "kind"},
	    {"zones", "zone_waiting",
		"Items that wait while a zone has no instance.", "waiting",
		"zone", "kind"},
	    {"couriers", "courier_up", "Whether a courier runs.", "up", "kind",
		NULL},
	};

	add_head(out, "up", "gauge", "Whether the service answers.");
	buf_add_text(out, PREFIX "up 1\n");
	add_service(out, doc, json_get(doc, status, "service"));
	add_calls(out, doc, json_get(doc, status, "calls"));
	add_reviews(out, doc, json_get(doc, status, "reviews"));
	add_audit(out, doc, status);
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
