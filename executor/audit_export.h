/*
 * Audit records for other systems: one event a line.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_EXPORT_H
#define TRIZONE_EXECUTOR_AUDIT_EXPORT_H

#include <stdbool.h>

#include "executor/audit_walk.h"

#define EXPORT_MAX_BYTES (8 * RECORD_LINE_MAX) /* of an event */

/* Informational to critical, as OCSF numbers them. */
enum export_severity {
	EXPORT_INFORMATIONAL = 1,
	EXPORT_LOW,
	EXPORT_MEDIUM,
	EXPORT_HIGH,
	EXPORT_CRITICAL
};

enum export_severity export_severity_of(const struct record *record);

/* "Call decided"; of every kind. */
const char *export_title(enum record_kind kind);

/* Whether it is something that was found, more than something that was done.
 */
bool export_is_finding(const struct record *record);

/* Where a blocked connection would have gone, as its destination or detail
 * says; spans are empty where it says nothing. They live as long as `doc` keeps
 * this parse. */
struct export_connection {
	struct span user, host;
	int64_t port; /* 0: none */
	int64_t count;
};

struct export_connection export_connection_of(
    struct json_doc *doc, const struct record *record);

/* Append the event and a newline; `doc` is for details, and not the one that
 * holds the record. OCSF 1.4 (API Activity, Detection Finding, profile
 * security_control) as JSON; CEF version 0. -ERR_TOO_LARGE. */
int export_ocsf(
    struct buf *out, struct json_doc *doc, const struct audit_item *item);
int export_cef(
    struct buf *out, struct json_doc *doc, const struct audit_item *item);

/* `audit export`: as audit_show_main. */
int audit_export_main(int argc, char **argv, const char *default_dir);

#endif
