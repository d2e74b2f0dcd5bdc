/*
 * jansson behind neutral names. Test code only.
 */
#include "tests/fuzz/jansson_peer.h"

#include <jansson.h>
#include <stdint.h>

/* jansson's readers take no const; nothing here changes a value. */
static json_t *
peer(const struct peer_value *value)
{
	return (json_t *)(uintptr_t)value;
}

struct peer_value *
peer_load(const char *text, size_t bytes)
{
	return (struct peer_value *)json_loadb(text, bytes,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

void
peer_free(struct peer_value *value)
{
	json_decref(peer(value));
}

enum peer_kind
peer_kind(const struct peer_value *value)
{
	switch (json_typeof(peer(value))) {
	case JSON_OBJECT:
		return PEER_OBJECT;
	case JSON_ARRAY:
		return PEER_ARRAY;
	case JSON_STRING:
		return PEER_STRING;
	case JSON_INTEGER:
		return PEER_INTEGER;
	case JSON_REAL:
		return PEER_REAL;
	case JSON_TRUE:
		return PEER_TRUE;
	case JSON_FALSE:
		return PEER_FALSE;
	default:
		return PEER_NULL;
	}
}

long long
peer_integer(const struct peer_value *value)
{
	return json_integer_value(peer(value));
}

double
peer_real(const struct peer_value *value)
{
	return json_real_value(peer(value));
}

const char *
peer_string(const struct peer_value *value, size_t *bytes_out)
{
	*bytes_out = json_string_length(peer(value));
	return json_string_value(peer(value));
}

size_t
peer_size(const struct peer_value *value)
{
	return json_is_array(peer(value)) ? json_array_size(peer(value))
					  : json_object_size(peer(value));
}

const struct peer_value *
peer_element(const struct peer_value *array, size_t index)
{
	return (const struct peer_value *)json_array_get(peer(array), index);
}

const struct peer_value *
peer_member(const struct peer_value *object, const char *key)
{
	return (const struct peer_value *)json_object_get(peer(object), key);
}

static void
measure(json_t *value, unsigned depth, struct peer_shape *shape)
{
	void *at;

	shape->nodes++;
	if (!json_is_array(value) && !json_is_object(value))
		return;
	if (++depth > shape->depth)
		shape->depth = depth;
	for (size_t i = 0; i < json_array_size(value); i++)
		measure(json_array_get(value, i), depth, shape);
	if (json_object_size(value) > shape->members)
		shape->members = json_object_size(value);
	for (at = json_object_iter(value); at != NULL;
	     at = json_object_iter_next(value, at)) {
		shape->nodes++;
		measure(json_object_iter_value(at), depth, shape);
	}
}

struct peer_shape
peer_shape(const struct peer_value *value)
{
	struct peer_shape shape = {0};

	measure(peer(value), 0, &shape);
	return shape;
}
