/*
 * Audit records in the Common Event Format, version 0. A text can end neither
 * its field nor its line: what the format gives a meaning is escaped, what
 * controls is made inert.
 */
#include <string.h>

#include "common/err.h"
#include "executor/audit_export.h"
#include "executor/inert.h"
#include "proto/message.h"

/* `special` with a backslash before each; none of them is changed by inert. */
static void
add_header(struct buf *out, const char *text)
{
	inert_add_escaped(out, span_of(text), "\\|");
	buf_add_byte(out, '|');
}

static void
add_text(struct buf *out, const char *key, struct span text)
{
	if (text.n == 0)
		return;
	buf_add_format(out, " %s=", key);
	inert_add_escaped(out, text, "\\=");
}

static void
add_labelled(
    struct buf *out, const char *key, const char *label, struct span text)
{
	if (text.n == 0)
		return;
	buf_add_format(out, " %sLabel=%s", key, label);
	add_text(out, key, text);
}

static void
add_number(struct buf *out, const char *key, const char *label, uint64_t number)
{
	if (number != 0)
		buf_add_format(out, " %sLabel=%s %s=%llu", key, label, key,
		    (unsigned long long)number);
}

/* 0 to 10. */
static int
severity_of(const struct record *record)
{
	static const int severities[] = {[EXPORT_INFORMATIONAL] = 2,
	    [EXPORT_LOW] = 4,
	    [EXPORT_MEDIUM] = 6,
	    [EXPORT_HIGH] = 8,
	    [EXPORT_CRITICAL] = 10};

	return severities[export_severity_of(record)];
}

static void
add_calls(struct buf *out, const struct record *record)
{
	char handle[HANDLE_MAX_BYTES];

	if (record->kind == RECORD_DECISION)
		add_text(out, "act", span_of(verdict_name(record->verdict)));
	if (record->kind == RECORD_BLOCKED)
		add_text(out, "act", SPAN("block"));
	if (record->kind == RECORD_OUTCOME)
		add_text(out, "outcome", span_of(outcome_name(record->status)));
	add_text(out, "reason", record->why);
	add_text(out, "sproc", record->zone);
	add_labelled(out, "cs1", "rule", record->rule);
	add_labelled(out, "cs2", "capability", record->capability);
	add_labelled(out, "cs3", "destination", record->destination);
	if (record->message != 0) {
		handle_format((int64_t)record->message, handle);
		add_labelled(out, "cs4", "message", span_of(handle));
	}
	add_number(out, "cn1", "session", record->session);
	add_number(out, "cn2", "request", record->request);
	add_number(out, "cn3", "error", record->error);
}

int
export_cef(struct buf *out, struct json_doc *doc, const struct audit_item *item)
{
	const struct record *record = &item->record;
	struct export_connection connection = export_connection_of(doc, record);

	buf_add_text(out, "CEF:0|");
	add_header(out, "trizone");
	add_header(out, "trizone-executor");
	add_header(out, TRIZONE_VERSION);
	add_header(out, record_kind_name(record->kind));
	add_header(out, export_title(record->kind));
	buf_add_format(out, "%d|rt=%llu externalId=%llu", severity_of(record),
	    (unsigned long long)audit_time_ms(record_time(item->line)),
	    (unsigned long long)record_seq(item->line));
	add_calls(out, record);
	add_text(out, "suser", connection.user);
	add_text(out, "dhost", connection.host);
	if (connection.port != 0)
		buf_add_format(out, " dpt=%lld", (long long)connection.port);
	if (connection.count != 0)
		buf_add_format(out, " cnt=%lld", (long long)connection.count);
	add_text(out, "msg", record->detail);
	buf_add_byte(out, '\n');
	return out->overflow ? -ERR_TOO_LARGE : 0;
}
