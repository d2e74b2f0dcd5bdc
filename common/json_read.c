/*
 * Access to a parsed document, and typed reading of objects by tables.
 */
#include <string.h>

#include "common/err.h"
#include "common/json.h"

const struct json_node *
json_root(const struct json_doc *doc)
{
	return doc->count == 0 ? NULL : doc->nodes;
}

struct span
json_raw(const struct json_doc *doc, const struct json_node *node)
{
	return (struct span){
	    doc->text.p + node->start, (size_t)(node->end - node->start)};
}

const struct json_node *
json_get_named(const struct json_doc *doc, const struct json_node *object,
    struct span name)
{
	const struct json_node *key;

	if (object == NULL || object->type != JSON_OBJECT)
		return NULL;
	for (key = json_first(doc, object); key != NULL;
	     key = json_next(doc, object, key))
		if (span_equal(key->value.string, name))
			return json_value(key);
	return NULL;
}

const struct json_node *
json_get(
    const struct json_doc *doc, const struct json_node *object, const char *key)
{
	return json_get_named(doc, object, span_of(key));
}

bool
json_is_string(const struct json_node *node, const char *text)
{
	return node != NULL && node->type == JSON_STRING &&
	       span_is(node->value.string, text);
}

/* Whether a reference token, with its ~0 and ~1, names the key. A ~ before
 * anything else names nothing. */
static bool
token_names(struct span token, struct span key)
{
	size_t n = 0;

	for (size_t i = 0; i < token.n; i++, n++) {
		char c = token.p[i];

		if (c == '~') {
			if (++i == token.n ||
			    (token.p[i] != '0' && token.p[i] != '1'))
				return false;
			c = token.p[i] == '0' ? '~' : '/';
		}
		if (n == key.n || key.p[n] != c)
			return false;
	}
	return n == key.n;
}

static const struct json_node *
get_member(const struct json_doc *doc, const struct json_node *object,
    struct span token)
{
	const struct json_node *key;

	if (object->type != JSON_OBJECT)
		return NULL;
	for (key = json_first(doc, object); key != NULL;
	     key = json_next(doc, object, key))
		if (token_names(token, key->value.string))
			return json_value(key);
	return NULL;
}

static const struct json_node *
get_element(const struct json_doc *doc, const struct json_node *array,
    struct span token)
{
	const struct json_node *at;
	size_t index = 0;

	if (token.n == 0 || token.n > 9 || (token.n > 1 && token.p[0] == '0'))
		return NULL;
	for (size_t i = 0; i < token.n; i++) {
		if (token.p[i] < '0' || token.p[i] > '9')
			return NULL;
		index = index * 10 + (size_t)(token.p[i] - '0');
	}
	at = json_first(doc, array);
	while (at != NULL && index-- > 0)
		at = json_next(doc, array, at);
	return at;
}

const struct json_node *
json_pointer(const struct json_doc *doc, const struct json_node *from,
    struct span pointer)
{
	size_t i = 0;

	if (pointer.n != 0 && pointer.p[0] != '/')
		return NULL;
	while (from != NULL && i < pointer.n) {
		struct span token = {pointer.p + i + 1, 0};

		while (i + 1 + token.n < pointer.n && token.p[token.n] != '/')
			token.n++;
		i += 1 + token.n;
		if (from->type == JSON_ARRAY)
			from = get_element(doc, from, token);
		else
			from = get_member(doc, from, token);
	}
	return from;
}

static bool
numbers_equal(const struct json_node *a, const struct json_node *b)
{
	const struct json_node *real = a->type == JSON_REAL ? a : b;
	const struct json_node *other = real == a ? b : a;

	if (a->type == JSON_INTEGER && b->type == JSON_INTEGER)
		return a->value.integer == b->value.integer;
	if (other->type == JSON_REAL)
		return real->value.real == other->value.real;
	/* 2^63 is a double; beyond it no int64_t can be equal */
	if (real->value.real < -9223372036854775808.0 ||
	    real->value.real >= 9223372036854775808.0)
		return false;
	return (double)(int64_t)real->value.real == real->value.real &&
	       (int64_t)real->value.real == other->value.integer;
}

static bool
is_number(const struct json_node *node)
{
	return node->type == JSON_INTEGER || node->type == JSON_REAL;
}

static bool
objects_equal(const struct json_doc *a_doc, const struct json_node *a,
    const struct json_doc *b_doc, const struct json_node *b)
{
	const struct json_node *key;

	for (key = json_first(a_doc, a); key != NULL;
	     key = json_next(a_doc, a, key)) {
		const struct json_node *other =
		    json_get_named(b_doc, b, key->value.string);

		if (other == NULL ||
		    !json_equal(a_doc, json_value(key), b_doc, other))
			return false;
	}
	return true;
}

static bool
arrays_equal(const struct json_doc *a_doc, const struct json_node *a,
    const struct json_doc *b_doc, const struct json_node *b)
{
	const struct json_node *x = json_first(a_doc, a);
	const struct json_node *y = json_first(b_doc, b);

	for (; x != NULL;
	     x = json_next(a_doc, a, x), y = json_next(b_doc, b, y))
		if (!json_equal(a_doc, x, b_doc, y))
			return false;
	return true;
}

bool
json_equal(const struct json_doc *a_doc, const struct json_node *a,
    const struct json_doc *b_doc, const struct json_node *b)
{
	if (is_number(a) && is_number(b))
		return numbers_equal(a, b);
	if (a->type != b->type || a->count != b->count)
		return false;
	switch (a->type) {
	case JSON_BOOL:
		return a->value.boolean == b->value.boolean;
	case JSON_STRING:
		return span_equal(a->value.string, b->value.string);
	case JSON_ARRAY:
		return arrays_equal(a_doc, a, b_doc, b);
	case JSON_OBJECT:
		return objects_equal(a_doc, a, b_doc, b);
	default:
		return true;
	}
}

static const char *
want_name(enum json_want want)
{
	static const char *const names[] = {
	    [JSON_WANT_STRING] = "a string",
	    [JSON_WANT_INTEGER] = "an integer",
	    [JSON_WANT_BOOL] = "true or false",
	    [JSON_WANT_OBJECT] = "an object",
	    [JSON_WANT_ARRAY] = "an array",
	    [JSON_WANT_ANY] = "a value",
	};

	return names[want];
}

static bool
type_fits(const struct json_node *node, enum json_want want)
{
	static const enum json_type types[] = {
	    [JSON_WANT_STRING] = JSON_STRING,
	    [JSON_WANT_INTEGER] = JSON_INTEGER,
	    [JSON_WANT_BOOL] = JSON_BOOL,
	    [JSON_WANT_OBJECT] = JSON_OBJECT,
	    [JSON_WANT_ARRAY] = JSON_ARRAY,
	};

	return want == JSON_WANT_ANY || node->type == types[want];
}

/* The number that least..most speaks of; false if there is none. */
static bool
measure(const struct json_node *node, enum json_want want, int64_t *size_out)
{
	switch (want) {
	case JSON_WANT_STRING:
		*size_out = (int64_t)node->value.string.n;
		return true;
	case JSON_WANT_INTEGER:
		*size_out = node->value.integer;
		return true;
	case JSON_WANT_OBJECT:
	case JSON_WANT_ARRAY:
		*size_out = node->count;
		return true;
	default:
		return false;
	}
}

static void
store(const struct json_node *node, const struct json_field *field, void *out)
{
	char *to = (char *)out + field->offset;

	switch (field->want) {
	case JSON_WANT_STRING:
		memcpy(to, &node->value.string, sizeof node->value.string);
		break;
	case JSON_WANT_INTEGER:
		memcpy(to, &node->value.integer, sizeof node->value.integer);
		break;
	case JSON_WANT_BOOL:
		memcpy(to, &node->value.boolean, sizeof node->value.boolean);
		break;
	default:
		memcpy(to, &node, sizeof node);
		break;
	}
}

static int
read_field(const struct json_doc *doc, const struct json_node *node,
    const struct json_field *field, void *out, struct json_error *where)
{
	int64_t size;
	/* an integer without a range has all zeros there; a length without a
	 * ceiling has a zero for it */
	bool floor = field->want != JSON_WANT_INTEGER || field->least != 0 ||
		     field->most != 0;
	bool ceiling =
	    field->want == JSON_WANT_INTEGER ? floor : field->most != 0;

	if (!type_fits(node, field->want))
		return json_complain(doc, node, where, ERR_TYPE,
		    "\"%s\" has to be %s", field->key, want_name(field->want));
	if (measure(node, field->want, &size) &&
	    ((floor && size < field->least) || (ceiling && size > field->most)))
		return json_complain(doc, node, where, ERR_RANGE,
		    "\"%s\" has %s %lld, allowed are %lld to %lld", field->key,
		    field->want == JSON_WANT_INTEGER ? "value" : "length",
		    (long long)size, (long long)field->least,
		    (long long)field->most);
	store(node, field, out);
	return 0;
}

static size_t
find_field(const struct json_field *fields, size_t count, struct span key)
{
	size_t i = 0;

	while (i < count && !span_is(key, fields[i].key))
		i++;
	return i;
}

/* Name the key as far as it is plain text: it may be anybody's, and ends up
 * on terminals. */
static int
unknown_key(const struct json_doc *doc, const struct json_node *key,
    struct json_error *where)
{
	char shown[41];
	size_t n = 0;

	while (n < key->value.string.n && n < sizeof shown - 1) {
		char c = key->value.string.p[n];

		shown[n++] = c >= 0x20 && c < 0x7f ? c : '?';
	}
	shown[n] = '\0';
	return json_complain(doc, key, where, ERR_UNKNOWN_KEY, "\"%s\"", shown);
}

int
json_read(const struct json_doc *doc, const struct json_node *object,
    const struct json_field *fields, size_t count, void *out,
    struct json_error *where)
{
	const struct json_node *key;
	uint64_t seen = 0;

	if (count > JSON_FIELDS_MAX)
		bug("table of %zu fields", count);
	if (object == NULL || object->type != JSON_OBJECT)
		return json_complain(
		    doc, object, where, ERR_TYPE, "an object is wanted here");
	for (key = json_first(doc, object); key != NULL;
	     key = json_next(doc, object, key)) {
		size_t i = find_field(fields, count, key->value.string);
		int rc;

		if (i == count)
			return unknown_key(doc, key, where);
		rc = read_field(doc, json_value(key), &fields[i], out, where);
		if (rc != 0)
			return rc;
		seen |= UINT64_C(1) << i;
	}
	for (size_t i = 0; i < count; i++)
		if (fields[i].required && (seen >> i & 1) == 0)
			return json_complain(doc, object, where,
			    ERR_MISSING_KEY, "\"%s\"", fields[i].key);
	return 0;
}
