/*
 * The one JSON reader and writer of the suite (RFC 8259, made stricter).
 *
 * Every process reads every JSON text with this code, so that no two of them
 * can see different things in the same bytes. Refused, each with its own
 * error: bytes that are not UTF-8, NUL (also as \u0000), lone surrogates, the
 * same key twice (after unescaping), nesting, value and size limits, numbers
 * that fit neither a 64-bit integer nor a finite double, trailing bytes.
 *
 * A document is one flat array of nodes in text order; an object's child is a
 * key (a string node) followed by its value. Nothing is copied but strings
 * that hold escapes, so the text must outlive the document.
 */
#ifndef TRIZONE_COMMON_JSON_H
#define TRIZONE_COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/text.h"

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_INTEGER, /* fits int64_t and was written without . or e */
	JSON_REAL,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
	JSON_TYPE_COUNT
};

struct json_node {
	enum json_type type;
	uint32_t start; /* offset of the value's first byte in the text */
	uint32_t end;	/* offset behind its last byte */
	uint32_t next;	/* index of the node behind this value's subtree */
	uint32_t count; /* elements or members */
	union {
		bool boolean;
		int64_t integer;
		double real;
		struct span string; /* unescaped */
	} value;
};

/* Limits of one text; a zero means the default in common/limits.h. */
struct json_limits {
	size_t bytes;
	unsigned depth;
	uint32_t nodes;
};

/* What was wrong and where. */
struct json_error {
	int error;	 /* negative enum err; 0 while nothing was wrong */
	size_t offset;	 /* byte offset in the text */
	unsigned line;	 /* counted from 1; 0 if the place is not known */
	unsigned column; /* in bytes, counted from 1 */
	char detail[160];
};

struct json_doc {
	struct span text; /* borrowed */
	struct json_node *nodes;
	uint32_t count, cap;
	struct buf strings; /* unescaped strings, addresses stay put */
};

/* An empty document; it keeps its memory between parses. */
void json_init(struct json_doc *doc);
void json_done(struct json_doc *doc);

/* Parse `text` (borrowed until the next parse or json_done). `limits` and
 * `where` may be NULL. Returns 0 or a negative error, which is also in
 * where->error with its place. */
int json_parse(struct json_doc *doc, struct span text,
    const struct json_limits *limits, struct json_error *where);

const struct json_node *json_root(const struct json_doc *doc);

/* The exact bytes of a value as they stood in the text. */
struct span json_raw(const struct json_doc *doc, const struct json_node *node);

/* Walk an array's elements:
 *   for (e = json_first(doc, a); e != NULL; e = json_next(doc, a, e))
 * On an object the same walk gives keys; a key's value is the node behind it,
 * json_value(key). */
static inline const struct json_node *
json_first(const struct json_doc *doc, const struct json_node *parent)
{
	(void)doc;
	if (parent == NULL || parent->count == 0)
		return NULL;
	return parent + 1;
}

static inline const struct json_node *
json_next(const struct json_doc *doc, const struct json_node *parent,
    const struct json_node *at)
{
	const struct json_node *value =
	    parent->type == JSON_OBJECT ? at + 1 : at;
	const struct json_node *next = doc->nodes + value->next;

	return next == doc->nodes + parent->next ? NULL : next;
}

static inline const struct json_node *
json_value(const struct json_node *key)
{
	return key + 1;
}

/* Value of `key` in an object, or NULL (also if `object` is no object). */
const struct json_node *json_get(const struct json_doc *doc,
    const struct json_node *object, const char *key);
/* The same, of a key that may have any bytes. */
const struct json_node *json_get_named(const struct json_doc *doc,
    const struct json_node *object, struct span key);

bool json_is_string(const struct json_node *node, const char *text);

/* JSON Pointer (RFC 6901); NULL if there is no such value. */
const struct json_node *json_pointer(const struct json_doc *doc,
    const struct json_node *from, struct span pointer);

/* Deep equality as JSON Schema defines it: key order does not matter, 1 and
 * 1.0 are equal. */
bool json_equal(const struct json_doc *a_doc, const struct json_node *a,
    const struct json_doc *b_doc, const struct json_node *b);

/*
 * Typed reading. One row per key of an object; json_read fills a struct and
 * refuses unknown keys, missing ones, wrong types and values out of range.
 */
enum json_want {
	JSON_WANT_STRING,  /* struct span; least..most bytes (most 0: no limit)
			    */
	JSON_WANT_INTEGER, /* int64_t; least..most */
	JSON_WANT_BOOL,	   /* bool */
	JSON_WANT_OBJECT,  /* const struct json_node *; least..most members */
	JSON_WANT_ARRAY,   /* const struct json_node *; least..most elements */
	JSON_WANT_ANY	   /* const struct json_node * */
};

struct json_field {
	const char *key;
	enum json_want want;
	bool required;
	size_t offset; /* of the member in the struct that is filled */
	int64_t least, most;
};

#define JSON_FIELDS_MAX 64 /* rows in one table: one bit each in a word */

/* Members without a value keep what the struct held before. `where` may be
 * NULL. */
int json_read(const struct json_doc *doc, const struct json_node *object,
    const struct json_field *fields, size_t count, void *out,
    struct json_error *where);

/* Fill `where` for a node the caller found wrong; returns `error`. */
int json_complain(const struct json_doc *doc, const struct json_node *node,
    struct json_error *where, int error, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* "line 3, column 7: unknown key: \"colour\"" into out; always ends in NUL. */
void json_error_text(const struct json_error *where, char *out, size_t room);

/*
 * Writing. Appends to a buf; commas are kept right by the writer. An
 * overflow shows as out->overflow and leaves the text unfinished.
 */
struct json_writer {
	struct buf *out;
	bool comma;
};

void json_write_init(struct json_writer *w, struct buf *out);
void json_open(struct json_writer *w, char bracket);  /* '{' or '[' */
void json_close(struct json_writer *w, char bracket); /* '}' or ']' */
void json_key(struct json_writer *w, const char *key);
void json_string(struct json_writer *w, struct span text); /* valid UTF-8 */
void json_text(struct json_writer *w, const char *text);   /* valid UTF-8 */
void json_integer(struct json_writer *w, int64_t value);
void json_boolean(struct json_writer *w, bool value);
void json_null(struct json_writer *w);
void json_real(struct json_writer *w, double value);	      /* finite */
void json_raw_value(struct json_writer *w, struct span json); /* as it is */

/* Short forms for a member of the open object. */
void json_put_string(struct json_writer *w, const char *key, struct span text);
void json_put_text(struct json_writer *w, const char *key, const char *text);
void json_put_integer(struct json_writer *w, const char *key, int64_t value);
void json_put_boolean(struct json_writer *w, const char *key, bool value);
void json_put_raw(struct json_writer *w, const char *key, struct span json);

#endif
