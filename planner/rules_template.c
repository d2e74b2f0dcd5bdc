/*
 * Templates: the arguments of a call, with inserts from the message. What is
 * measured at load and what is filled in later stand side by side here. Runs
 * in the planner. A value of the message becomes one JSON scalar, never a
 * key, a list, or a part of the rule's own text.
 */
#include <string.h>

#include "common/err.h"
#include "common/limits.h"
#include "planner/rules.h"
#include "planner/rules_tree.h"

#define CHAR_BYTES 6 /* longest spelling of a character: \u007f */
#define SCALAR_BYTES (JSON_NUMBER_BYTES + 2) /* number, word or two quotes */
#define ELLIPSIS "\xe2\x80\xa6" /* U+2026: shows that a text was cut */

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static bool
is_list(const struct json_node *node)
{
	return node->type == JSON_ARRAY || node->type == JSON_OBJECT;
}

int
rules_complain(const struct rules_reader *r, const struct json_node *node,
    int error, const char *message)
{
	return json_complain(r->doc, node, r->where, error, "%s", message);
}

/* Names of rules, capabilities and arguments: nothing that needs quoting. */
bool
rules_is_name(struct span name)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789._-";

	if (name.n == 0 || name.n > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (memchr(good, name.p[i], sizeof good - 1) == NULL)
			return false;
	return true;
}

/* RFC 6901 section 3: empty, or tokens behind slashes; ~ only as ~0, ~1. */
static bool
is_pointer(struct span text)
{
	if (text.n > RULES_MAX_POINTER || (text.n != 0 && text.p[0] != '/'))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '~')
			continue;
		if (i + 1 == text.n ||
		    (text.p[i + 1] != '0' && text.p[i + 1] != '1'))
			return false;
	}
	return true;
}

int
rules_check_pointer(const struct rules_reader *r, const struct json_node *node)
{
	if (node->type != JSON_STRING)
		return rules_complain(r, node, ERR_TYPE,
		    "a field has to be a string, a JSON Pointer");
	if (!is_pointer(node->value.string))
		return rules_complain(r, node, ERR_RANGE,
		    "a field is a JSON Pointer such as \"/from/address\" of "
		    "at most 256 bytes");
	return 0;
}

enum rules_template
rules_template_of(const struct json_doc *doc, const struct json_node *node)
{
	if (json_get(doc, node, "$field") != NULL)
		return RULES_FIELD;
	if (json_get(doc, node, "$join") != NULL)
		return RULES_JOIN;
	return RULES_PLAIN;
}

int
rules_insert_read(const struct json_doc *doc, const struct json_node *node,
    struct rules_insert *insert_out, struct json_error *where)
{
	static const struct json_field fields[] = {
	    {"$field", JSON_WANT_ANY, true,
		offsetof(struct rules_insert, field), 0, 0},
	    {"max_chars", JSON_WANT_INTEGER, false,
		offsetof(struct rules_insert, max_chars), 1, RULES_MAX_CHARS},
	    {"default", JSON_WANT_ANY, false,
		offsetof(struct rules_insert, fallback), 0, 0},
	};
	struct rules_insert insert = {.max_chars = RULES_DEFAULT_CHARS};
	struct rules_reader r = {doc, where};
	int rc;

	rc = json_read(doc, node, fields, COUNT(fields), &insert, where);
	if (rc == 0)
		rc = rules_check_pointer(&r, insert.field);
	if (rc == 0 && insert.fallback != NULL && is_list(insert.fallback))
		rc = rules_complain(&r, insert.fallback, ERR_TYPE,
		    "\"default\" has to be a string, number, true, false or "
		    "null");
	if (rc == 0)
		*insert_out = insert;
	return rc;
}

/* Adds to *room what the insert can take beside its own text in the file. */
static int
check_insert(
    const struct rules_reader *r, const struct json_node *node, size_t *room)
{
	struct rules_insert insert;
	int rc = rules_insert_read(r->doc, node, &insert, r->where);

	if (rc == 0)
		*room += (size_t)insert.max_chars * CHAR_BYTES + SCALAR_BYTES;
	return rc;
}

static int
check_part(
    const struct rules_reader *r, const struct json_node *part, size_t *room)
{
	/* a default or a constant is quoted anew: its bytes may grow */
	*room += json_raw(r->doc, part).n * CHAR_BYTES;
	if (part->type == JSON_STRING)
		return 0;
	if (rules_template_of(r->doc, part) != RULES_FIELD)
		return rules_complain(r, part, ERR_TYPE,
		    "a part of \"$join\" is a string or a \"$field\"");
	return check_insert(r, part, room);
}

static int
check_join(
    const struct rules_reader *r, const struct json_node *node, size_t *room)
{
	static const struct json_field fields[] = {
	    {"$join", JSON_WANT_ARRAY, true, 0, 1, RULES_MAX_PARTS},
	};
	const struct json_node *parts, *part;
	int rc;

	rc = json_read(r->doc, node, fields, COUNT(fields), &parts, r->where);
	if (rc != 0)
		return rc;
	for (part = json_first(r->doc, parts); part != NULL && rc == 0;
	     part = json_next(r->doc, parts, part))
		rc = check_part(r, part, room);
	return rc;
}

/* One member of a plain object. Deep constants recurse; the parser's depth
 * limit ends that. */
static int check_template(
    const struct rules_reader *r, const struct json_node *node, size_t *room);

static int
check_member(
    const struct rules_reader *r, const struct json_node *key, size_t *room)
{
	if (key->value.string.n != 0 && key->value.string.p[0] == '$')
		return rules_complain(r, key, ERR_UNKNOWN_KEY,
		    "only \"$field\" and \"$join\" may begin with $");
	if (!rules_is_name(key->value.string))
		return rules_complain(r, key, ERR_RANGE,
		    "an argument's name has 1 to 64 of A-Z a-z 0-9 . _ -");
	return check_template(r, json_value(key), room);
}

static int
check_template(
    const struct rules_reader *r, const struct json_node *node, size_t *room)
{
	const struct json_node *at;
	int rc = 0;

	switch (rules_template_of(r->doc, node)) {
	case RULES_FIELD:
		return check_insert(r, node, room);
	case RULES_JOIN:
		return check_join(r, node, room);
	default:
		break;
	}
	for (at = json_first(r->doc, node); at != NULL && rc == 0;
	     at = json_next(r->doc, node, at))
		rc = node->type == JSON_OBJECT ? check_member(r, at, room)
					       : check_template(r, at, room);
	return rc;
}

int
rules_template_check(
    const struct rules_reader *r, const struct json_node *arguments)
{
	size_t room = json_raw(r->doc, arguments).n;
	int rc;

	if (rules_template_of(r->doc, arguments) != RULES_PLAIN)
		return rules_complain(r, arguments, ERR_TYPE,
		    "\"arguments\" cannot be an insert itself");
	rc = check_template(r, arguments, &room);
	if (rc == 0 && room > RULES_MAX_ARGUMENT_BYTES)
		rc = json_complain(r->doc, arguments, r->where, ERR_TOO_LARGE,
		    "these arguments could take %zu bytes, %u are allowed: "
		    "lower \"max_chars\"",
		    room, RULES_MAX_ARGUMENT_BYTES);
	return rc;
}

/* Characters some readers take for a line end, and other controls. */
static bool
breaks_line(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 ||
	       code == 0x2029;
}

/* Append a text from the message as part of one line, so that it cannot pass
 * for lines of the rule's own. */
static void
add_one_line(struct buf *out, struct span text)
{
	size_t length;
	uint32_t code;

	for (size_t i = 0; i < text.n; i += length) {
		length = utf8_decode(text.p + i, text.n - i, &code);
		if (length == 0)
			bug("a parsed string is not UTF-8");
		if (breaks_line(code))
			buf_add_byte(out, ' ');
		else
			buf_add(out, text.p + i, length);
	}
}

/* Append at most `chars` characters; a cut text ends in an ellipsis, which
 * counts. */
static void
add_text(struct buf *out, struct span text, size_t chars, bool one_line)
{
	size_t keep = utf8_prefix(text.p, text.n, chars);
	bool cut = keep != text.n;

	if (cut)
		keep = utf8_prefix(text.p, text.n, chars - 1);
	if (one_line)
		add_one_line(out, (struct span){text.p, keep});
	else
		buf_add(out, text.p, keep);
	if (cut)
		buf_add_text(out, ELLIPSIS);
}

static void
read_insert(const struct rules_fill *fill, const struct json_node *node,
    struct rules_insert *insert_out)
{
	if (rules_insert_read(fill->rules, node, insert_out, NULL) != 0)
		bug("a $field that was checked is wrong");
}

/* The scalar an insert stands for, and the document it stands in; NULL if
 * there is none and no default. */
static const struct json_node *
find_value(const struct rules_fill *fill, const struct rules_insert *insert,
    const struct json_doc **doc_out)
{
	const struct json_node *value =
	    json_pointer(fill->clean, fill->root, insert->field->value.string);

	*doc_out = fill->clean;
	if (value != NULL && !is_list(value) && value->type != JSON_NULL &&
	    !(json_is_string(value, "") && insert->fallback != NULL))
		return value;
	*doc_out = fill->rules;
	return insert->fallback;
}

static void
put_text(struct rules_fill *fill, struct json_writer *w)
{
	json_string(w, (struct span){fill->text.data, fill->text.len});
}

static void
put_field(struct rules_fill *fill, const struct json_node *node,
    struct json_writer *w)
{
	const struct json_doc *doc;
	const struct json_node *value;
	struct rules_insert insert;

	read_insert(fill, node, &insert);
	value = find_value(fill, &insert, &doc);
	if (value == NULL) {
		json_null(w);
	} else if (value->type == JSON_STRING) {
		buf_clear(&fill->text);
		add_text(&fill->text, value->value.string,
		    (size_t)insert.max_chars, false);
		put_text(fill, w);
	} else {
		json_raw_value(w, json_raw(doc, value));
	}
}

/* A part of a $join: a constant as it is, a value as one line, nothing for a
 * value that is not there. */
static void
add_part(struct rules_fill *fill, const struct json_node *part)
{
	const struct json_doc *doc;
	const struct json_node *value;
	struct rules_insert insert;
	struct span text = part->value.string;

	if (part->type == JSON_STRING) {
		buf_add(&fill->text, text.p, text.n);
		return;
	}
	read_insert(fill, part, &insert);
	value = find_value(fill, &insert, &doc);
	if (value == NULL)
		return;
	text = value->type == JSON_STRING ? value->value.string
					  : json_raw(doc, value);
	add_text(&fill->text, text, (size_t)insert.max_chars, true);
}

static void
put_join(struct rules_fill *fill, const struct json_node *node,
    struct json_writer *w)
{
	const struct json_doc *doc = fill->rules;
	const struct json_node *parts = json_get(doc, node, "$join");
	const struct json_node *part;

	buf_clear(&fill->text);
	for (part = json_first(doc, parts); part != NULL;
	     part = json_next(doc, parts, part))
		add_part(fill, part);
	put_text(fill, w);
}

/* Recursion ends at the depth limit the rules were parsed with. */
static void put_template(struct rules_fill *fill, const struct json_node *node,
    struct json_writer *w);

static void
put_list(struct rules_fill *fill, const struct json_node *node,
    struct json_writer *w)
{
	const struct json_doc *doc = fill->rules;
	bool object = node->type == JSON_OBJECT;
	const struct json_node *at;
	char name[NAME_MAX_BYTES + 1];

	json_open(w, object ? '{' : '[');
	for (at = json_first(doc, node); at != NULL;
	     at = json_next(doc, node, at)) {
		if (object) {
			if (span_copy(at->value.string, name, sizeof name) != 0)
				bug("an argument's name that was checked");
			json_key(w, name);
		}
		put_template(fill, object ? json_value(at) : at, w);
	}
	json_close(w, object ? '}' : ']');
}

static void
put_template(struct rules_fill *fill, const struct json_node *node,
    struct json_writer *w)
{
	switch (rules_template_of(fill->rules, node)) {
	case RULES_FIELD:
		put_field(fill, node, w);
		return;
	case RULES_JOIN:
		put_join(fill, node, w);
		return;
	default:
		break;
	}
	if (is_list(node))
		put_list(fill, node, w);
	else
		json_raw_value(w, json_raw(fill->rules, node));
}

void
rules_template_fill(struct rules_fill *fill, const struct json_node *arguments,
    struct span *json_out)
{
	struct json_writer w;

	buf_clear(&fill->arguments);
	json_write_init(&w, &fill->arguments);
	put_template(fill, arguments, &w);
	if (fill->arguments.overflow || fill->text.overflow)
		bug("arguments larger than measured at load");
	*json_out = (struct span){fill->arguments.data, fill->arguments.len};
}
