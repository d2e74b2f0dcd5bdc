/*
 * jansson behind neutral names: its header and common/json.h define the same
 * names, so that no file can include both. Test code only.
 *
 * The two also define the same symbols. Our files have to be compiled with
 * -fvisibility=hidden where jansson is linked, or it may call ours.
 */
#ifndef TRIZONE_TESTS_FUZZ_JANSSON_PEER_H
#define TRIZONE_TESTS_FUZZ_JANSSON_PEER_H

#include <stddef.h>

enum peer_kind {
	PEER_NULL,
	PEER_FALSE,
	PEER_TRUE,
	PEER_INTEGER,
	PEER_REAL,
	PEER_STRING,
	PEER_ARRAY,
	PEER_OBJECT
};

/* A json_t. */
struct peer_value;

/* NULL if jansson refuses the text. Free with peer_free (NULL is fine). */
struct peer_value *peer_load(const char *text, size_t bytes);
void peer_free(struct peer_value *value);

enum peer_kind peer_kind(const struct peer_value *value);
long long peer_integer(const struct peer_value *value);
double peer_real(const struct peer_value *value);
const char *peer_string(const struct peer_value *value, size_t *bytes_out);

/* Elements or members. */
size_t peer_size(const struct peer_value *value);
const struct peer_value *peer_element(
    const struct peer_value *array, size_t index);
const struct peer_value *peer_member(
    const struct peer_value *object, const char *key);

/* Deepest nesting, number of values (keys too) and members of the largest
 * object. */
struct peer_shape {
	unsigned depth;
	size_t nodes, members;
};
struct peer_shape peer_shape(const struct peer_value *value);

#endif
