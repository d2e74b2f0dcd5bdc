/*
 * Kind `file`: settings, arguments, and which effect a call is. Parsing and
 * checking run in broker and courier, open and run in a courier only.
 * Believes the operator's settings; of the arguments, nothing.
 */
#include "executor/kind_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/lock.h"
#include "common/log.h"
#include "executor/beneath.h"
#include "executor/file.h"

#define DEFAULT_MAX_BYTES 100000
#define MOST_BYTES (1 << 20) /* a frame; no content or text can be longer */

#define PATH_SCHEMA                                                            \
	"\"path\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":4096,"    \
	"\"pattern\":\"^[a-zA-Z0-9_\\\\-./]+$\","                              \
	"\"description\":\"relative to the folder of this capability\"}"

/* A file may hold anybody's words: so reading is legs A and B, unless the
 * operator says that they are his (`trusted`), and writing is C, as others may
 * read the file. What a session writes keeps its labels (place). */
static const struct kind_argument path_argument[] = {
    {"path", ARGUMENT_SELECTOR, VALUE_ID, "file", false},
};

static const struct kind_argument write_arguments[] = {
    {"path", ARGUMENT_OBJECT, VALUE_ID, "file", false},
    {"text", ARGUMENT_CONTENT, VALUE_TEXT, NULL, true},
};

const struct kind_method kind_file_methods[KIND_FILE_METHOD_COUNT] = {
    [KIND_FILE_READ] =
	{
	    .name = "read",
	    .schema = "{\"type\":\"object\",\"properties\":{" PATH_SCHEMA
		      "},\"required\":[\"path\"],"
		      "\"additionalProperties\":false}",
	    .effects = {EFFECT_PRIVATE | EFFECT_UNTRUSTED, NULL, path_argument,
		1},
	    .content = true,
	},
    [KIND_FILE_LIST] =
	{
	    .name = "list",
	    .schema = "{\"type\":\"object\",\"properties\":{" PATH_SCHEMA
		      "},\"additionalProperties\":false}",
	    .effects = {EFFECT_PRIVATE | EFFECT_UNTRUSTED, NULL, path_argument,
		1},
	},
    [KIND_FILE_WRITE] =
	{
	    .name = "write",
	    .schema = "{\"type\":\"object\",\"properties\":{" PATH_SCHEMA
		      ",\"text\":{\"type\":\"string\",\"maxLength\":1048576}},"
		      "\"required\":[\"path\",\"text\"],"
		      "\"additionalProperties\":false}",
	    .effects = {EFFECT_LEAVES | EFFECT_CHANGES | EFFECT_AUDIENCE, NULL,
		write_arguments, 2},
	    .writes = true,
	    .verbatim = true,
	},
};

/* Of files that are the operator's own words: what a session with labels wrote
 * there gives them back. */
static const struct kind_effects trusted_effects[KIND_FILE_METHOD_COUNT] = {
    [KIND_FILE_READ] = {EFFECT_PRIVATE, NULL, path_argument, 1},
    [KIND_FILE_LIST] = {EFFECT_PRIVATE, NULL, path_argument, 1},
};

struct settings_members {
	struct span root;
	bool write, hard_links, trusted;
	int64_t max_bytes;
};

static const struct json_field settings_fields[] = {
    {"root", JSON_WANT_STRING, true, offsetof(struct settings_members, root), 1,
	BENEATH_PATH_BYTES},
    {"write", JSON_WANT_BOOL, false, offsetof(struct settings_members, write),
	0, 0},
    {"hard_links", JSON_WANT_BOOL, false,
	offsetof(struct settings_members, hard_links), 0, 0},
    {"trusted", JSON_WANT_BOOL, false,
	offsetof(struct settings_members, trusted), 0, 0},
    {"max_bytes", JSON_WANT_INTEGER, false,
	offsetof(struct settings_members, max_bytes), 1, MOST_BYTES},
};

struct arguments {
	struct span path;
	struct span text;
};

static const struct json_field argument_fields[] = {
    {"path", JSON_WANT_STRING, true, offsetof(struct arguments, path), 0, 0},
    {"text", JSON_WANT_STRING, true, offsetof(struct arguments, text), 0, 0},
};

static const struct json_field list_fields[] = {
    {"path", JSON_WANT_STRING, false, offsetof(struct arguments, path), 0, 0},
};

const struct kind_effects *
kind_file_effects(const void *settings)
{
	return ((const struct file_settings *)settings)->effects;
}

static enum kind_file_method
method_number(const struct kind_method *method)
{
	return (enum kind_file_method)(method - kind_file_methods);
}

/* Where the fault is: at the member, or at the object if it is missing. */
static int
complain_at(const struct json_doc *doc, const struct json_node *node,
    const char *key, struct json_error *where, const char *reason)
{
	const struct json_node *member = json_get(doc, node, key);

	return json_complain(doc, member == NULL ? node : member, where,
	    ERR_CONFIG, "\"%s\": %s", key, reason);
}

int
kind_file_settings_parse(const struct json_doc *doc,
    const struct json_node *node, const struct kind_method *method,
    void **settings_out, struct json_error *where)
{
	struct settings_members members = {
	    .max_bytes = DEFAULT_MAX_BYTES,
	};
	struct file_settings *settings;
	char reason[80];
	int rc;

	rc = json_read(doc, node, settings_fields,
	    sizeof settings_fields / sizeof settings_fields[0], &members,
	    where);
	if (rc != 0)
		return rc;
	if (beneath_check_absolute(members.root, reason, sizeof reason) != 0)
		return complain_at(doc, node, "root", where, reason);
	if (method_number(method) == KIND_FILE_WRITE && !members.write)
		return complain_at(doc, node, "write", where,
		    "has to be true for the method write");
	settings = alloc_bytes(sizeof *settings);
	*settings = (struct file_settings){
	    .root = alloc_text(members.root.p, members.root.n),
	    .write = members.write,
	    .hard_links = members.hard_links,
	    .max_bytes = members.max_bytes,
	    .root_fd = -1,
	    .effects = members.trusted && !members.write
			   ? &trusted_effects[method_number(method)]
			   : &method->effects,
	};
	*settings_out = settings;
	return 0;
}

void
kind_file_settings_free(void *untyped)
{
	struct file_settings *settings = untyped;

	if (settings == NULL)
		return;
	if (settings->root_fd >= 0)
		close(settings->root_fd);
	free(settings->root);
	free(settings);
}

void
kind_file_settings_print(
    const void *untyped, const struct kind_method *method, struct buf *out)
{
	const struct file_settings *settings = untyped;
	long long bytes = settings->max_bytes;

	switch (method_number(method)) {
	case KIND_FILE_READ:
		buf_add_format(out,
		    "Reads regular files below %s, of each at most %lld bytes",
		    settings->root, bytes);
		break;
	case KIND_FILE_LIST:
		buf_add_format(out,
		    "Lists files and folders below %s, at most 1000 of one "
		    "folder.",
		    settings->root);
		return;
	default:
		buf_add_format(out,
		    "Makes and replaces regular files below %s, each of at "
		    "most %lld bytes",
		    settings->root, bytes);
		break;
	}
	buf_add_text(out, settings->hard_links
			      ? "; files with several hard links too."
			      : "; none with several hard links.");
}

/* A name that write uses for itself must not be anybody's to choose. */
static int
temp_check(struct span path, char *detail, size_t room)
{
	const char *slash;

	for (;;) {
		if (span_starts(path, FILE_TEMP_PREFIX)) {
			snprintf(detail, room,
			    "path has a name kept for unfinished files");
			return -ERR_PATH;
		}
		slash = path.n == 0 ? NULL : memchr(path.p, '/', path.n);
		if (slash == NULL)
			return 0;
		path.n -= (size_t)(slash + 1 - path.p);
		path.p = slash + 1;
	}
}

/* Read and check; what the arguments point to is the document's. */
static int
arguments_read(const struct file_settings *settings,
    const struct kind_method *method, const struct json_doc *doc,
    const struct json_node *node, struct arguments *arguments_out, char *detail,
    size_t room)
{
	enum kind_file_method number = method_number(method);
	struct arguments arguments = {.path = SPAN("."), .text = SPAN("")};
	int rc;

	if (number == KIND_FILE_LIST)
		rc = kind_arguments_read(
		    doc, node, list_fields, 1, &arguments, detail, room);
	else
		rc = kind_arguments_read(doc, node, argument_fields,
		    number == KIND_FILE_WRITE ? 2 : 1, &arguments, detail,
		    room);
	if (rc == 0 &&
	    !(number == KIND_FILE_LIST && span_is(arguments.path, ".")))
		rc = beneath_check(arguments.path, detail, room);
	if (rc == 0)
		rc = temp_check(arguments.path, detail, room);
	if (rc == 0 && arguments.text.n > (size_t)settings->max_bytes) {
		snprintf(detail, room,
		    "text has %zu bytes, this capability writes at most %lld",
		    arguments.text.n, (long long)settings->max_bytes);
		rc = -ERR_SCHEMA;
	}
	if (rc == 0)
		*arguments_out = arguments;
	return rc;
}

int
kind_file_check(const void *settings, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments, char *detail,
    size_t detail_room)
{
	struct arguments ignored;

	return arguments_read(
	    settings, method, doc, arguments, &ignored, detail, detail_room);
}

/* In lower case, as some file systems do not tell cases apart. */
static void
add_lower(struct buf *out, struct span path)
{
	for (size_t i = 0; i < path.n; i++) {
		char c = path.p[i];

		buf_add_byte(
		    out, c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c);
	}
}

/* The part of a path in front of the first name beyond ASCII, which a file
 * system may know under several spellings: its folder has its labels. */
static struct span
with_one_spelling(struct span path)
{
	size_t n = 0;

	while (n < path.n && (path.p[n] & 0x80) == 0)
		n++;
	if (n == path.n)
		return path;
	while (n > 0 && path.p[n] != '/')
		n--;
	return (struct span){path.p, n};
}

/* What is only read stays a selector, and off the record. */
void
kind_file_target(const void *untyped, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments,
    struct buf *out)
{
	const struct file_settings *settings = untyped;
	const struct json_node *node = json_get(doc, arguments, "path");

	buf_add_text(out, settings->root);
	if (!method->writes || node == NULL || node->type != JSON_STRING ||
	    span_is(node->value.string, "."))
		return;
	buf_add_byte(out, '/');
	buf_add(out, node->value.string.p, node->value.string.n);
}

/* check refuses every other spelling of a path, but for the root's own. */
void
kind_file_place(const void *untyped, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments,
    struct buf *out)
{
	const struct file_settings *settings = untyped;
	const struct json_node *node = json_get(doc, arguments, "path");
	struct span path = {NULL, 0};

	(void)method;
	if (node != NULL && node->type == JSON_STRING &&
	    !span_is(node->value.string, "."))
		path = with_one_spelling(node->value.string);
	add_lower(out, span_of(settings->root));
	if (path.n == 0)
		return;
	buf_add_byte(out, '/');
	add_lower(out, path);
}

size_t
kind_file_content_max(const void *untyped, const struct kind_method *method)
{
	const struct file_settings *settings = untyped;

	(void)method;
	return (size_t)settings->max_bytes;
}

void
kind_file_open(void *untyped, const struct kind_method *method)
{
	struct file_settings *settings = untyped;
	size_t removed;
	int rc = beneath_root(settings->root, &settings->root_fd);

	if (rc != 0)
		die(EXIT_CONFIG,
		    "root folder %s: %s; user %lu needs rights there",
		    settings->root, err_text(rc), (unsigned long)geteuid());
	if (method_number(method) != KIND_FILE_WRITE)
		return;
	removed = file_clean(settings->root_fd);
	if (removed != 0)
		log_event(LOG_WARN, "file-clean", "removed=%zu root=%s",
		    removed, settings->root);
}

size_t
kind_file_paths(const void *untyped, const struct kind_method *method,
    struct lock_path *paths_out)
{
	const struct file_settings *settings = untyped;

	paths_out[0] = (struct lock_path){
	    .path = settings->root,
	    .write = method_number(method) == KIND_FILE_WRITE,
	};
	return 1;
}

int
kind_file_run(void *untyped, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *node,
    struct buf *result, struct buf *content, char *detail, size_t detail_room)
{
	const struct file_settings *settings = untyped;
	struct file_detail where = {detail, detail_room};
	struct arguments arguments;
	char path[BENEATH_PATH_BYTES + 1];
	int rc;

	rc = arguments_read(
	    settings, method, doc, node, &arguments, detail, detail_room);
	if (rc != 0)
		return rc;
	if (span_copy(arguments.path, path, sizeof path) != 0)
		bug("a checked path does not fit");
	switch (method_number(method)) {
	case KIND_FILE_READ:
		return file_read(settings, path, result, content, where);
	case KIND_FILE_LIST:
		return file_list(settings, path, result, where);
	default:
		return file_write(
		    settings, path, arguments.text, result, where);
	}
}
