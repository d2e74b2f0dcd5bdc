/*
 * Audit records as events of the Open Cybersecurity Schema Framework 1.4: API
 * Activity (6003) for what was done, Detection Finding (2004) for what was
 * found. What the schema has no place for is in `unmapped`.
 */
#include <stdio.h>

#include "common/err.h"
#include "executor/audit_export.h"
#include "proto/message.h"

#define SCHEMA_VERSION "1.4.0" /* the first with policy and is_alert */
#define CLASS_API 6003
#define CLASS_FINDING 2004
#define NUMBER_BYTES 24

/* Of status, action and disposition; the schema's numbers and captions. */
struct choice {
	int id;
	const char *caption;
};

static void
put_text(struct json_writer *w, const char *key, struct span text)
{
	if (text.n != 0)
		json_put_string(w, key, text);
}

/* Identifiers are strings in the schema. */
static void
put_uid(struct json_writer *w, const char *key, uint64_t number)
{
	char text[NUMBER_BYTES];

	if (number == 0)
		return;
	snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	json_put_text(w, key, text);
}

static void
put_choice(struct json_writer *w, const char *id, const char *caption,
    struct choice choice)
{
	json_put_integer(w, id, choice.id);
	json_put_text(w, caption, choice.caption);
}

/* What an effect does to what is there; of a finding, that it is new. */
static struct choice
activity_of(const struct record *record)
{
	static const struct choice create = {1, "Create"}, read = {2, "Read"},
				   update = {3, "Update"},
				   delete = {4, "Delete"};

	if (export_is_finding(record))
		return create;
	if (record->kind == RECORD_INTENT) {
		if ((record->effects & EFFECT_DESTROYS) != 0)
			return delete;
		if ((record->effects & EFFECT_CHANGES) != 0)
			return update;
		if ((record->effects & (EFFECT_PRIVATE | EFFECT_UNTRUSTED)) !=
		    0)
			return read;
	}
	return (struct choice){99, record_kind_name(record->kind)};
}

static void
put_class(struct json_writer *w, const struct record *record)
{
	bool finding = export_is_finding(record);
	const char *name = finding ? "Detection Finding" : "API Activity";
	int class = finding ? CLASS_FINDING : CLASS_API;
	struct choice activity = activity_of(record);
	char type[64];

	json_put_integer(w, "category_uid", class / 1000);
	json_put_text(
	    w, "category_name", finding ? "Findings" : "Application Activity");
	json_put_integer(w, "class_uid", class);
	json_put_text(w, "class_name", name);
	put_choice(w, "activity_id", "activity_name", activity);
	json_put_integer(w, "type_uid", class * 100 + activity.id);
	snprintf(type, sizeof type, "%s: %s", name,
	    activity.id == 99 ? "Other" : activity.caption);
	json_put_text(w, "type_name", type);
}

static void
put_severity(struct json_writer *w, const struct record *record)
{
	static const char *const names[] = {
	    [EXPORT_INFORMATIONAL] = "Informational",
	    [EXPORT_LOW] = "Low",
	    [EXPORT_MEDIUM] = "Medium",
	    [EXPORT_HIGH] = "High",
	    [EXPORT_CRITICAL] = "Critical"};
	enum export_severity severity = export_severity_of(record);

	put_choice(w, "severity_id", "severity",
	    (struct choice){(int)severity, names[severity]});
}

static struct choice
status_of(const struct record *record)
{
	static const struct choice unknown = {0, "Unknown"},
				   success = {1, "Success"},
				   failure = {2, "Failure"},
				   created = {1, "New"}, asked = {99, "asked"};

	if (export_is_finding(record))
		return created;
	if (record->kind == RECORD_OUTCOME) {
		if (record->status == OUTCOME_UNKNOWN)
			return unknown;
		return record->status == OUTCOME_DONE ? success : failure;
	}
	if (record->kind == RECORD_DECISION && record->verdict == VERDICT_ASK)
		return asked;
	if (record->kind == RECORD_DECISION && record->verdict == VERDICT_DENY)
		return failure;
	return record->error != 0 ? failure : success;
}

/* Profile security_control: what the policy or a person made of it. */
static bool
is_control(const struct record *record)
{
	return record->kind == RECORD_DECISION ||
	       record->kind == RECORD_APPROVAL ||
	       record->kind == RECORD_DENIAL || record->kind == RECORD_EXPIRY ||
	       record->kind == RECORD_BLOCKED || record->kind == RECORD_HALT;
}

static void
put_control(struct json_writer *w, const struct record *record)
{
	static const struct choice allowed = {1, "Allowed"},
				   denied = {2, "Denied"},
				   blocked = {2, "Blocked"},
				   other = {99, "asked"};
	bool allows =
	    record->error == 0 && (record->kind == RECORD_APPROVAL ||
				      (record->kind == RECORD_DECISION &&
					  record->verdict == VERDICT_ALLOW));
	bool asks =
	    record->kind == RECORD_DECISION && record->verdict == VERDICT_ASK;

	if (!is_control(record))
		return;
	put_choice(w, "action_id", "action",
	    asks ? other : (allows ? allowed : denied));
	put_choice(w, "disposition_id", "disposition",
	    asks ? other : (allows ? allowed : blocked));
	if (record->rule.n == 0)
		return;
	json_key(w, "policy");
	json_open(w, '{');
	json_put_string(w, "name", record->rule);
	put_text(w, "desc", record->why);
	json_close(w, '}');
}

static void
put_metadata(struct json_writer *w, const struct audit_item *item)
{
	json_key(w, "metadata");
	json_open(w, '{');
	json_put_text(w, "version", SCHEMA_VERSION);
	json_key(w, "product");
	json_open(w, '{');
	json_put_text(w, "name", "trizone-executor");
	json_put_text(w, "vendor_name", "trizone");
	json_put_text(w, "version", TRIZONE_VERSION);
	json_close(w, '}');
	json_put_string(w, "uid",
	    (struct span){item->line.p + RECORD_SEQ_AT, RECORD_SEQ_DIGITS});
	json_put_text(w, "event_code", record_kind_name(item->record.kind));
	json_put_text(w, "log_name", "audit");
	json_put_string(w, "original_time", record_time(item->line));
	if (is_control(&item->record)) {
		json_key(w, "profiles");
		json_open(w, '[');
		json_text(w, "security_control");
		json_close(w, ']');
	}
	json_close(w, '}');
}

static void
put_actor(struct json_writer *w, const struct record *record, struct span user)
{
	json_key(w, "actor");
	json_open(w, '{');
	json_put_string(w, "app_name",
	    record->zone.n != 0 ? record->zone : SPAN("trizone-executor"));
	if (record->session != 0) {
		json_key(w, "session");
		json_open(w, '{');
		put_uid(w, "uid", record->session);
		json_close(w, '}');
	}
	if (user.n != 0) {
		json_key(w, "user");
		json_open(w, '{');
		json_put_string(w, "name", user);
		json_close(w, '}');
	}
	json_close(w, '}');
}

static void
put_endpoint(struct json_writer *w, const char *key, const char *name,
    struct span text, int64_t port)
{
	if (text.n == 0)
		return;
	json_key(w, key);
	json_open(w, '{');
	json_put_string(w, name, text);
	if (port != 0)
		json_put_integer(w, "port", port);
	json_close(w, '}');
}

static void
put_resources(struct json_writer *w, const struct record *record)
{
	char handle[HANDLE_MAX_BYTES];

	if (record->message == 0)
		return;
	handle_format((int64_t)record->message, handle);
	json_key(w, "resources");
	json_open(w, '[');
	json_open(w, '{');
	json_put_text(w, "type", "message");
	json_put_text(w, "uid", handle);
	json_close(w, '}');
	json_close(w, ']');
}

static void
put_api(struct json_writer *w, const struct record *record)
{
	json_key(w, "api");
	json_open(w, '{');
	json_put_string(w, "operation",
	    record->capability.n != 0
		? record->capability
		: span_of(record_kind_name(record->kind)));
	if (record->request != 0) {
		json_key(w, "request");
		json_open(w, '{');
		put_uid(w, "uid", record->request);
		json_close(w, '}');
	}
	if (record->error != 0) {
		json_key(w, "response");
		json_open(w, '{');
		json_put_integer(w, "code", record->error);
		json_put_text(w, "error_message", record_error_text(record));
		json_close(w, '}');
	}
	json_close(w, '}');
	put_endpoint(w, "src_endpoint", "name",
	    record->zone.n != 0 ? record->zone : SPAN("trizone-executor"), 0);
	put_endpoint(w, "dst_endpoint", "name", record->destination, 0);
	put_resources(w, record);
}

static void
put_finding(struct json_writer *w, struct json_doc *doc,
    const struct audit_item *item, uint64_t time_ms)
{
	const struct record *record = &item->record;
	struct export_connection connection = export_connection_of(doc, record);

	json_put_boolean(w, "is_alert", true);
	json_key(w, "finding_info");
	json_open(w, '{');
	json_put_string(w, "uid",
	    (struct span){item->line.p + RECORD_SEQ_AT, RECORD_SEQ_DIGITS});
	json_put_text(w, "title", export_title(record->kind));
	put_text(w, "desc", record->why);
	json_put_integer(w, "created_time", (int64_t)time_ms);
	json_close(w, '}');
	if (connection.count > 0)
		json_put_integer(w, "count", connection.count);
	json_key(w, "evidences");
	json_open(w, '[');
	json_open(w, '{');
	put_actor(w, record, connection.user);
	put_endpoint(
	    w, "dst_endpoint", "hostname", connection.host, connection.port);
	json_close(w, '}');
	json_close(w, ']');
	put_resources(w, record);
}

static void
put_unmapped(struct json_writer *w, const struct audit_item *item)
{
	const struct record *record = &item->record;

	json_key(w, "unmapped");
	json_open(w, '{');
	json_put_string(w, "hash",
	    (struct span){item->line.p + RECORD_HASH_AT, RECORD_HASH_DIGITS});
	if (record->kind == RECORD_DECISION)
		json_put_text(w, "verdict", verdict_name(record->verdict));
	if (record->kind == RECORD_OUTCOME)
		json_put_text(w, "outcome", outcome_name(record->status));
	if (!is_control(record))
		put_text(w, "rule", record->rule);
	if (record->intent != 0)
		json_put_integer(w, "intent", (int64_t)record->intent);
	put_uid(w, "grant", record->grant);
	json_close(w, '}');
}

int
export_ocsf(
    struct buf *out, struct json_doc *doc, const struct audit_item *item)
{
	const struct record *record = &item->record;
	uint64_t time_ms = audit_time_ms(record_time(item->line));
	struct json_writer w;

	json_write_init(&w, out);
	json_open(&w, '{');
	put_class(&w, record);
	json_put_integer(&w, "time", (int64_t)time_ms);
	put_severity(&w, record);
	put_choice(&w, "status_id", "status", status_of(record));
	put_text(&w, "status_detail", record->why);
	put_text(&w, "message", record->detail);
	put_metadata(&w, item);
	put_control(&w, record);
	if (export_is_finding(record)) {
		put_finding(&w, doc, item, time_ms);
	} else {
		put_actor(&w, record, (struct span){NULL, 0});
		put_api(&w, record);
	}
	put_unmapped(&w, item);
	json_close(&w, '}');
	buf_add_byte(out, '\n');
	return out->overflow ? -ERR_TOO_LARGE : 0;
}
