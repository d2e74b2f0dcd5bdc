/*
 * Kind `file`: read, list and replace regular files below one root folder.
 *
 * settings: { "root": absolute path of a folder, without links in its last
 *                     part, "." or "..", trailing slash; not "/",
 *             "write": bool, false; the method write needs true,
 *             "max_bytes": 1 to 1,048,576, default 100,000; of one file,
 *             "hard_links": bool, false }
 *
 * read  { "path" } -> { "path", "bytes": of the whole file, "truncated":
 *     [{ "what": "bytes", "kept", "of" }] }, and as content its bytes
 *   At most max_bytes bytes are taken (and one is tasted, to know whether
 *   there are more). What is cut is cut before a character of UTF-8, or of
 *   two bytes where it begins with a mark of UTF-16; the bytes are not looked
 *   at otherwise.
 *
 * list  { "path" optional } -> { "path", "entries": [{ "name", "kind": "file"
 *     or "directory", "bytes": 0 for a directory }], "not_shown", "other",
 *     "truncated" }
 *   Sorted by bytes, at most 1,000 entries, `what` is "entries". `not_shown`
 *   counts names that are not made of a-z A-Z 0-9 _ - . alone or are our own
 *   temporary files; `other` what is neither file nor directory or is a mount
 *   point. A folder of over 100,000 entries is -ERR_FAILED.
 *
 * write { "path", "text" } -> { "path", "bytes", "sha256" }
 *   Replaces or makes the file in one step: a crash leaves the old or the
 *   new one, and perhaps a file .trizone-tmp-*, which the next open removes.
 *   The folder must exist. A replaced file keeps its read and write bits, a
 *   new one gets 0600; nothing becomes executable; owner and further
 *   attributes are those of a new file.
 *
 * Hard links: a file outside the root that somebody linked into it has a name
 * inside, and no check of paths can tell. So a file with more than one link
 * is refused for read and write (-ERR_REFUSED) unless `hard_links`. A read of
 * a file that was changed just now therefore waits 21 ms, see beneath_sole.
 * Who owns the outer folder too can *move* a file in; that is his right.
 */
#ifndef TRIZONE_EXECUTOR_KIND_FILE_H
#define TRIZONE_EXECUTOR_KIND_FILE_H

#include <stddef.h>

#include "common/buf.h"
#include "common/json.h"
#include "executor/kind.h"

enum kind_file_method {
	KIND_FILE_READ,
	KIND_FILE_LIST,
	KIND_FILE_WRITE,
	KIND_FILE_METHOD_COUNT
};

extern const struct kind_method kind_file_methods[KIND_FILE_METHOD_COUNT];

/* The rows of struct kind; see there. */
int kind_file_settings_parse(const struct json_doc *doc,
    const struct json_node *node, const struct kind_method *method,
    void **settings_out, struct json_error *where);
void kind_file_settings_free(void *settings);
void kind_file_settings_print(
    const void *settings, const struct kind_method *method, struct buf *out);
const struct kind_effects *kind_file_effects(const void *settings);
void kind_file_target(const void *settings, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments,
    struct buf *out);
void kind_file_place(const void *settings, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments,
    struct buf *out);
int kind_file_check(const void *settings, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments, char *detail,
    size_t detail_room);
size_t kind_file_content_max(
    const void *settings, const struct kind_method *method);
void kind_file_open(void *settings, const struct kind_method *method);
size_t kind_file_paths(const void *settings, const struct kind_method *method,
    struct lock_path *paths_out);
int kind_file_run(void *settings, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments,
    struct buf *result, struct buf *content, char *detail, size_t detail_room);

#endif
