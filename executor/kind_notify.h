/*
 * Kind `notify`: tell a person something.
 *
 * settings: { "to": "file", "path": absolute path of a file,
 *             "max_bytes": 1 to 1 GiB, default 10 MiB }
 *       or: { "to": "syslog", "identity": 1 to 32 of a-z A-Z 0-9 _ - .,
 *             default "trizone" }
 *
 * send { "text": 1 to 1,000 characters, "title" optional, to 100 }
 *     -> { "to", "bytes": of the line, "replaced" }
 *
 * The text is made inert first (inert.h): a person reads it on a terminal.
 * What was replaced is counted.
 *
 * To a file: one line {"time","title","text"}, appended by one write and on
 * the disk before the answer. The file is made with 0600, is a regular file
 * of ours with one link, and is never rotated: a line that would pass
 * max_bytes is -ERR_NO_SPACE, and nothing of it is written.
 *
 * To syslog: one message, priority notice, facility user. syslog(3) gives no
 * receipt, so an answer means it was handed over, not that it was kept.
 */
#ifndef TRIZONE_EXECUTOR_KIND_NOTIFY_H
#define TRIZONE_EXECUTOR_KIND_NOTIFY_H

#include <stddef.h>

#include "common/buf.h"
#include "common/json.h"
#include "executor/kind.h"

#define KIND_NOTIFY_METHOD_COUNT 1

extern const struct kind_method kind_notify_methods[KIND_NOTIFY_METHOD_COUNT];

/* Under which name the audit tells its operator of itself. */
#define KIND_NOTIFY_AUDIT "trizone-audit"

/* Whether `audit verify` knows lines of these settings as the audit's, if
 * nobody else writes there: a file's, or a system log's of that name. */
bool kind_notify_tells_apart(const void *settings);
/* Whether both write to the same file, or under the same name. */
bool kind_notify_same_place(const void *one, const void *other);

/* The rows of struct kind; see there. */
int kind_notify_settings_parse(const struct json_doc *doc,
    const struct json_node *node, const struct kind_method *method,
    void **settings_out, struct json_error *where);
void kind_notify_settings_free(void *settings);
void kind_notify_settings_print(
    const void *settings, const struct kind_method *method, struct buf *out);
int kind_notify_check(const void *settings, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments, char *detail,
    size_t detail_room);
void kind_notify_target(const void *settings, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments,
    struct buf *out);
void kind_notify_open(void *settings, const struct kind_method *method);
size_t kind_notify_paths(const void *settings, const struct kind_method *method,
    struct lock_path *paths_out);
int kind_notify_run(void *settings, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments,
    struct buf *result, struct buf *content, char *detail, size_t detail_room);

#endif
