/*
 * The effects of kind `file`, one function and one file each: file_read.c,
 * file_list.c, file_write.c. They run in a courier with the rights of its
 * user. kind_file.h says what they do.
 */
#ifndef TRIZONE_EXECUTOR_FILE_H
#define TRIZONE_EXECUTOR_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/text.h"

/* Names of files that write has not finished. */
#define FILE_TEMP_PREFIX ".trizone-tmp-"

struct kind_effects; /* executor/kind.h */

struct file_settings {
	char *root;
	bool write;
	bool hard_links;
	int64_t max_bytes;
	int root_fd; /* -1 until kind_file_open */
	const struct kind_effects *effects;
};

/* Where a method says why it failed. */
struct file_detail {
	char *text;
	size_t room;
};

/* The methods, on a checked path; `result` is untouched on failure. `content`
 * gets the file's bytes as they are. */
int file_read(const struct file_settings *settings, const char *path,
    struct buf *result, struct buf *content, struct file_detail detail);
int file_list(const struct file_settings *settings, const char *path,
    struct buf *result, struct file_detail detail);
int file_write(const struct file_settings *settings, const char *path,
    struct span text, struct buf *result, struct file_detail detail);

/* Remove what writes of this user left unfinished when they were killed;
 * those that are being written now are left alone. Looks at 100,000 entries
 * and 32 levels at most. Returns how many were removed. */
size_t file_clean(int root_fd);

/* Fill `detail` with a reason; both return `error`. file_fail knows the
 * reason for errors of beneath.h. */
int file_fail(int error, struct file_detail detail);
int file_say(int error, struct file_detail detail, const char *reason);

/* Why a file with several names is refused, as -ERR_REFUSED. */
#define FILE_LINKS_REASON                                                      \
	"file has several hard links, so it may be one from outside the root"

/* One row of "truncated". */
void file_put_cut(
    struct json_writer *w, const char *what, uint64_t kept, uint64_t of);

#endif
