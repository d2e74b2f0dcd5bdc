/*
 * Kind `notify`: settings, arguments, and the line a person gets. Parsing and
 * checking run in broker and courier, open and run in a courier only.
 * Believes the operator's settings; of title and text, nothing.
 */
#include "executor/kind_notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/lock.h"
#include "executor/beneath.h"
#include "executor/inert.h"
#include "executor/notify.h"

#define TEXT_CHARS 1000	 /* a screen */
#define TITLE_CHARS 100	 /* a line */
#define LINE_BYTES 16384 /* both, four bytes a character, escaped, and more */
#define RESULT_BYTES 128 /* {"to","bytes","replaced"} */
#define IDENTITY_BYTES 32
#define DEFAULT_IDENTITY "trizone"
#define DEFAULT_MAX_BYTES (INT64_C(10) << 20)
#define MOST_BYTES (INT64_C(1) << 30)

static const struct kind_argument send_arguments[] = {
    {"text", ARGUMENT_CONTENT, VALUE_TEXT, NULL, true},
    {"title", ARGUMENT_CONTENT, VALUE_TEXT, NULL, true},
};

const struct kind_method kind_notify_methods[KIND_NOTIFY_METHOD_COUNT] = {
    {
	.name = "send",
	.schema = "{\"type\":\"object\",\"properties\":{"
		  "\"text\":{\"type\":\"string\",\"minLength\":1,"
		  "\"maxLength\":1000},"
		  "\"title\":{\"type\":\"string\",\"maxLength\":100}},"
		  "\"required\":[\"text\"],\"additionalProperties\":false}",
	.effects = {EFFECT_LEAVES | EFFECT_CHANGES | EFFECT_AUDIENCE, NULL,
	    send_arguments, 2},
    },
};

struct notify_settings {
	char *path;	/* NULL: syslog */
	char *folder;	/* of the file */
	char *identity; /* NULL: file */
	int64_t max_bytes;
	int fd; /* of the file; -1 until kind_notify_open */
};

struct settings_members {
	struct span to, path, identity;
	int64_t max_bytes;
};

static const struct json_field file_fields[] = {
    {"to", JSON_WANT_STRING, true, offsetof(struct settings_members, to), 0, 0},
    {"path", JSON_WANT_STRING, true, offsetof(struct settings_members, path), 1,
	BENEATH_PATH_BYTES},
    {"max_bytes", JSON_WANT_INTEGER, false,
	offsetof(struct settings_members, max_bytes), 1, MOST_BYTES},
};

static const struct json_field syslog_fields[] = {
    {"to", JSON_WANT_STRING, true, offsetof(struct settings_members, to), 0, 0},
    {"identity", JSON_WANT_STRING, false,
	offsetof(struct settings_members, identity), 1, IDENTITY_BYTES},
};

struct arguments {
	struct span text, title;
};

static const struct json_field argument_fields[] = {
    {"text", JSON_WANT_STRING, true, offsetof(struct arguments, text), 1, 0},
    {"title", JSON_WANT_STRING, false, offsetof(struct arguments, title), 0, 0},
};

static bool
is_identity(struct span text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-.";

	for (size_t i = 0; i < text.n; i++)
		if (memchr(plain, text.p[i], sizeof plain - 1) == NULL)
			return false;
	return true;
}

static int
parse_file(const struct json_doc *doc, const struct json_node *node,
    struct settings_members *members, struct json_error *where)
{
	char reason[80];
	int rc = json_read(doc, node, file_fields,
	    sizeof file_fields / sizeof file_fields[0], members, where);

	if (rc != 0)
		return rc;
	if (beneath_check_absolute(members->path, reason, sizeof reason) != 0)
		return json_complain(doc, json_get(doc, node, "path"), where,
		    ERR_CONFIG, "\"path\": %s", reason);
	return 0;
}

static int
parse_syslog(const struct json_doc *doc, const struct json_node *node,
    struct settings_members *members, struct json_error *where)
{
	int rc;

	members->identity = SPAN(DEFAULT_IDENTITY);
	rc = json_read(doc, node, syslog_fields,
	    sizeof syslog_fields / sizeof syslog_fields[0], members, where);
	if (rc != 0)
		return rc;
	if (!is_identity(members->identity))
		return json_complain(doc, json_get(doc, node, "identity"),
		    where, ERR_CONFIG,
		    "\"identity\" may hold only a-z A-Z 0-9 _ - .");
	return 0;
}

bool
kind_notify_tells_apart(const void *untyped)
{
	const struct notify_settings *settings = untyped;

	return settings->path != NULL ||
	       strcmp(settings->identity, KIND_NOTIFY_AUDIT) == 0;
}

bool
kind_notify_same_place(const void *one, const void *other)
{
	const struct notify_settings *a = one, *b = other;

	if ((a->path == NULL) != (b->path == NULL))
		return false;
	return a->path != NULL ? strcmp(a->path, b->path) == 0
			       : strcmp(a->identity, b->identity) == 0;
}

/* Of an absolute path that is not the root's. */
static char *
folder_of(const char *path)
{
	size_t bytes = (size_t)(strrchr(path, '/') - path);

	return alloc_text(path, bytes == 0 ? 1 : bytes);
}

int
kind_notify_settings_parse(const struct json_doc *doc,
    const struct json_node *node, const struct kind_method *method,
    void **settings_out, struct json_error *where)
{
	struct settings_members members = {.max_bytes = DEFAULT_MAX_BYTES};
	const struct json_node *to = json_get(doc, node, "to");
	struct notify_settings *settings;
	int rc;

	(void)method;
	if (json_is_string(to, "file"))
		rc = parse_file(doc, node, &members, where);
	else if (json_is_string(to, "syslog"))
		rc = parse_syslog(doc, node, &members, where);
	else
		rc = json_complain(doc, to == NULL ? node : to, where,
		    ERR_CONFIG, "\"to\" has to be \"file\" or \"syslog\"");
	if (rc != 0)
		return rc;
	settings = alloc_bytes(sizeof *settings);
	settings->fd = -1;
	settings->max_bytes = members.max_bytes;
	if (members.path.n != 0) {
		settings->path = alloc_text(members.path.p, members.path.n);
		settings->folder = folder_of(settings->path);
	} else {
		settings->identity =
		    alloc_text(members.identity.p, members.identity.n);
	}
	*settings_out = settings;
	return 0;
}

void
kind_notify_settings_free(void *untyped)
{
	struct notify_settings *settings = untyped;

	if (settings == NULL)
		return;
	if (settings->fd >= 0)
		close(settings->fd);
	free(settings->path);
	free(settings->folder);
	free(settings->identity);
	free(settings);
}

void
kind_notify_settings_print(
    const void *untyped, const struct kind_method *method, struct buf *out)
{
	const struct notify_settings *settings = untyped;

	(void)method;
	if (settings->path == NULL)
		buf_add_format(out,
		    "Sends lines of at most %d characters to the system log "
		    "as \"%s\".",
		    TEXT_CHARS, settings->identity);
	else
		buf_add_format(out,
		    "Appends lines of at most %d characters to %s, until it "
		    "has %lld bytes.",
		    TEXT_CHARS, settings->path, (long long)settings->max_bytes);
}

static int
check_chars(
    struct span text, size_t most, const char *name, char *detail, size_t room)
{
	size_t chars = utf8_count(text.p, text.n);

	if (chars <= most)
		return 0;
	snprintf(detail, room, "%s has %zu characters, allowed are %zu", name,
	    chars, most);
	return -ERR_SCHEMA;
}

static int
arguments_read(const struct json_doc *doc, const struct json_node *node,
    struct arguments *arguments_out, char *detail, size_t room)
{
	struct arguments arguments = {.title = SPAN("")};
	int rc = kind_arguments_read(doc, node, argument_fields,
	    sizeof argument_fields / sizeof argument_fields[0], &arguments,
	    detail, room);

	if (rc == 0)
		rc = check_chars(
		    arguments.text, TEXT_CHARS, "text", detail, room);
	if (rc == 0)
		rc = check_chars(
		    arguments.title, TITLE_CHARS, "title", detail, room);
	if (rc == 0)
		*arguments_out = arguments;
	return rc;
}

int
kind_notify_check(const void *settings, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments, char *detail,
    size_t detail_room)
{
	struct arguments ignored;

	(void)settings;
	(void)method;
	return arguments_read(doc, arguments, &ignored, detail, detail_room);
}

void
kind_notify_target(const void *untyped, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments,
    struct buf *out)
{
	const struct notify_settings *settings = untyped;

	(void)method;
	(void)doc;
	(void)arguments;
	if (settings->path != NULL)
		buf_add_text(out, settings->path);
	else
		buf_add_format(out, "syslog:%s", settings->identity);
}

void
kind_notify_open(void *untyped, const struct kind_method *method)
{
	struct notify_settings *settings = untyped;
	int rc;

	(void)method;
	if (settings->path != NULL)
		rc = notify_file_open(settings->path, &settings->fd);
	else
		rc = notify_syslog_open(settings->identity);
	if (rc != 0)
		die(EXIT_CONFIG,
		    "cannot notify %s: %s; user %lu needs rights there",
		    settings->path != NULL ? settings->path : "the system log",
		    err_text(rc), (unsigned long)geteuid());
}

/* The file's folder, or the socket of the log: both only until it is open. */
size_t
kind_notify_paths(const void *untyped, const struct kind_method *method,
    struct lock_path *paths_out)
{
	const struct notify_settings *settings = untyped;

	(void)method;
	if (settings->path != NULL)
		paths_out[0] = (struct lock_path){
		    .path = settings->folder, .write = true, .shown = true};
	else
		paths_out[0] =
		    (struct lock_path){.path = notify_syslog_socket(),
			.write = true,
			.shown = true};
	return 1;
}

static void
put_time(struct json_writer *w)
{
	struct timespec now;
	struct tm parts;
	char text[80];

	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &parts) == NULL)
		bug("the clock shows no date");
	snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ",
	    parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
	    parts.tm_hour, parts.tm_min, parts.tm_sec, now.tv_nsec / 1000000);
	json_put_text(w, "time", text);
}

/* An empty buffer has no memory to point at. */
static struct span
view(const struct buf *b)
{
	return b->len == 0 ? SPAN("") : (struct span){b->data, b->len};
}

/* {"time","title","text"} and a line feed. JSON escapes line feeds and tabs,
 * so a text may keep its own. */
static void
make_json_line(
    const struct arguments *arguments, struct buf *line, size_t *replaced)
{
	struct buf inert;
	struct json_writer w;

	buf_init(&inert, LINE_BYTES);
	json_write_init(&w, line);
	json_open(&w, '{');
	put_time(&w);
	inert_add(&inert, arguments->title, false, replaced);
	json_put_string(&w, "title", view(&inert));
	buf_clear(&inert);
	inert_add(&inert, arguments->text, true, replaced);
	json_put_string(&w, "text", view(&inert));
	json_close(&w, '}');
	buf_add_byte(line, '\n');
	buf_free(&inert);
}

/* "title: text" and a NUL. A line feed would begin a forged line there. */
static void
make_plain_line(
    const struct arguments *arguments, struct buf *line, size_t *replaced)
{
	inert_add(line, arguments->title, false, replaced);
	if (arguments->title.n != 0)
		buf_add_text(line, ": ");
	inert_add(line, arguments->text, false, replaced);
	buf_add_byte(line, '\0');
}

static int
send_line(const struct notify_settings *settings,
    const struct arguments *arguments, struct buf *line, size_t *replaced)
{
	if (settings->path != NULL) {
		make_json_line(arguments, line, replaced);
		return notify_file_add(settings->fd,
		    (struct span){line->data, line->len},
		    (uint64_t)settings->max_bytes);
	}
	make_plain_line(arguments, line, replaced);
	notify_syslog_add(line->data);
	line->len--;
	return 0;
}

static void
make_result(const struct notify_settings *settings, size_t bytes,
    size_t replaced, struct buf *out)
{
	struct json_writer w;

	json_write_init(&w, out);
	json_open(&w, '{');
	json_put_text(&w, "to", settings->path != NULL ? "file" : "syslog");
	json_put_integer(&w, "bytes", (int64_t)bytes);
	json_put_integer(&w, "replaced", (int64_t)replaced);
	json_close(&w, '}');
}

int
kind_notify_run(void *untyped, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *node,
    struct buf *result, struct buf *content, char *detail, size_t detail_room)
{
	const struct notify_settings *settings = untyped;
	struct arguments arguments;
	struct buf line;
	size_t replaced = 0;
	int rc;

	(void)method;
	(void)content;
	rc = arguments_read(doc, node, &arguments, detail, detail_room);
	if (rc != 0)
		return rc;
	if (buf_reserve(result, RESULT_BYTES) == NULL) {
		snprintf(detail, detail_room, "no room for the result");
		return -ERR_FAILED;
	}
	buf_init(&line, LINE_BYTES);
	rc = send_line(settings, &arguments, &line, &replaced);
	if (rc == 0)
		make_result(settings, line.len, replaced, result);
	else
		snprintf(detail, detail_room, "%s",
		    rc == -ERR_NO_SPACE ? "the file or its disk is full"
					: err_text(rc));
	buf_free(&line);
	return rc;
}
