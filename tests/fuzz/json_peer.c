/*
 * jansson as a second opinion on JSON. Test code only.
 */
#include "tests/fuzz/json_peer.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"
#include "common/limits.h"
#include "tests/fuzz/jansson_peer.h"

static bool same(const struct json_doc *doc, const struct json_node *node,
    const struct peer_value *peer);

static bool
same_object(const struct json_doc *doc, const struct json_node *node,
    const struct peer_value *peer)
{
	const struct json_node *key;
	bool good = peer_size(peer) == node->count;

	for (key = json_first(doc, node); key != NULL && good;
	     key = json_next(doc, node, key)) {
		char *name =
		    alloc_text(key->value.string.p, key->value.string.n);

		good = strlen(name) == key->value.string.n &&
		       same(doc, json_value(key), peer_member(peer, name));
		free(name);
	}
	return good;
}

static bool
same_array(const struct json_doc *doc, const struct json_node *node,
    const struct peer_value *peer)
{
	const struct json_node *at;
	size_t i = 0;
	bool good = peer_size(peer) == node->count;

	for (at = json_first(doc, node); at != NULL && good;
	     at = json_next(doc, node, at))
		good = same(doc, at, peer_element(peer, i++));
	return good && i == node->count;
}

static bool
same_string(struct span text, const struct peer_value *peer)
{
	struct span other;

	other.p = peer_string(peer, &other.n);
	return span_equal(text, other);
}

static bool
same_real(double real, const struct peer_value *peer)
{
	double other = peer_real(peer);

	return memcmp(&real, &other, sizeof real) == 0;
}

static bool
same_kind(const struct json_node *node, enum peer_kind kind)
{
	static const enum peer_kind kinds[] = {
	    [JSON_NULL] = PEER_NULL,
	    [JSON_INTEGER] = PEER_INTEGER,
	    [JSON_REAL] = PEER_REAL,
	    [JSON_STRING] = PEER_STRING,
	    [JSON_ARRAY] = PEER_ARRAY,
	    [JSON_OBJECT] = PEER_OBJECT,
	};

	if (node->type == JSON_BOOL)
		return kind == (node->value.boolean ? PEER_TRUE : PEER_FALSE);
	return kind == kinds[node->type];
}

static bool
same(const struct json_doc *doc, const struct json_node *node,
    const struct peer_value *peer)
{
	if (peer == NULL || !same_kind(node, peer_kind(peer)))
		return false;
	switch (node->type) {
	case JSON_INTEGER:
		return peer_integer(peer) == node->value.integer;
	case JSON_REAL:
		return same_real(node->value.real, peer);
	case JSON_STRING:
		return same_string(node->value.string, peer);
	case JSON_ARRAY:
		return same_array(doc, node, peer);
	case JSON_OBJECT:
		return same_object(doc, node, peer);
	default:
		return true;
	}
}

static bool
has_long_number(struct span text)
{
	size_t run = 0;

	for (size_t i = 0; i < text.n; i++) {
		run = memchr("+-.eE0123456789", text.p[i], 15) != NULL ? run + 1
								       : 0;
		if (run > JSON_NUMBER_BYTES)
			return true;
	}
	return false;
}

/* Whether our refusal of what jansson takes is one json.h announces. */
static bool
is_documented(int error, struct span text, const struct peer_value *peer)
{
	struct peer_shape shape = peer_shape(peer);

	switch (-error) {
	case ERR_NUL:
		/* jansson 2.14 skips a NUL byte behind a number */
		return memmem(text.p, text.n, "\\u0000", 6) != NULL ||
		       memchr(text.p, '\0', text.n) != NULL;
	case ERR_DEPTH:
		return shape.depth > JSON_MAX_DEPTH;
	case ERR_NODES:
		return shape.nodes > JSON_MAX_NODES ||
		       shape.members > JSON_MAX_MEMBERS;
	case ERR_NUMBER:
		return has_long_number(text);
	case ERR_TOO_LARGE:
		return text.n > FRAME_MAX_BYTES;
	default:
		return false;
	}
}

static void
write_value(struct json_writer *w, const struct json_doc *doc,
    const struct json_node *node)
{
	const struct json_node *at;
	char *name;

	switch (node->type) {
	case JSON_NULL:
		json_null(w);
		return;
	case JSON_BOOL:
		json_boolean(w, node->value.boolean);
		return;
	case JSON_INTEGER:
		json_integer(w, node->value.integer);
		return;
	case JSON_REAL:
		json_real(w, node->value.real);
		return;
	case JSON_STRING:
		json_string(w, node->value.string);
		return;
	default:
		break;
	}
	json_open(w, node->type == JSON_ARRAY ? '[' : '{');
	for (at = json_first(doc, node); at != NULL;
	     at = json_next(doc, node, at)) {
		if (node->type == JSON_OBJECT) {
			name =
			    alloc_text(at->value.string.p, at->value.string.n);
			json_key(w, name);
			free(name);
		}
		write_value(
		    w, doc, node->type == JSON_OBJECT ? json_value(at) : at);
	}
	json_close(w, node->type == JSON_ARRAY ? ']' : '}');
}

/* What our writer makes of the value, both read as the same value again. */
static bool
survives_writing(const struct json_doc *doc)
{
	const struct json_limits wide = {.bytes = 8u << 20};
	struct json_doc again;
	struct json_writer w;
	struct buf out;
	struct peer_value *peer = NULL;
	bool good;

	buf_init(&out, 8u << 20);
	json_write_init(&w, &out);
	json_init(&again);
	write_value(&w, doc, json_root(doc));
	good = !out.overflow &&
	       json_parse(&again, (struct span){out.data, out.len}, &wide,
		   NULL) == 0 &&
	       json_equal(doc, json_root(doc), &again, json_root(&again)) &&
	       json_equal(&again, json_root(&again), doc, json_root(doc));
	if (good)
		peer = peer_load(out.data, out.len);
	good = good && peer != NULL && same(&again, json_root(&again), peer);
	peer_free(peer);
	json_done(&again);
	buf_free(&out);
	return good;
}

/* Offsets, counts and links of all nodes fit together. */
static bool
is_sound(const struct json_doc *doc)
{
	for (uint32_t i = 0; i < doc->count; i++) {
		const struct json_node *node = &doc->nodes[i], *at;
		uint32_t children = 0;

		if (node->start >= node->end || node->end > doc->text.n ||
		    node->next <= i || node->next > doc->count ||
		    node->type >= JSON_TYPE_COUNT)
			return false;
		if (node->type == JSON_STRING &&
		    !utf8_check(node->value.string.p, node->value.string.n))
			return false;
		for (at = json_first(doc, node); at != NULL;
		     at = json_next(doc, node, at), children++)
			if (at->start <= node->start || at->end >= node->end)
				return false;
		if (children != node->count)
			return false;
	}
	return doc->count > 0 && doc->nodes[0].next == doc->count;
}

static enum json_peer
compare(const struct json_doc *doc, int error, const struct peer_value *peer,
    const char **why_out)
{
	*why_out = "";
	if (error != 0 && peer == NULL)
		return PEER_NEITHER;
	if (error != 0 && is_documented(error, doc->text, peer))
		return PEER_STRICTER;
	if (error != 0)
		*why_out = "we refuse, jansson accepts, no rule says so";
	else if (peer == NULL)
		*why_out = "we accept, jansson refuses";
	else if (!is_sound(doc))
		*why_out = "nodes do not fit together";
	else if (!same(doc, json_root(doc), peer))
		*why_out = "values differ";
	else if (!survives_writing(doc))
		*why_out = "value changes when written and read";
	else
		return PEER_BOTH;
	return PEER_WRONG;
}

enum json_peer
json_peer_check(struct span text, const char **why_out)
{
	struct peer_value *peer = peer_load(text.p, text.n);
	struct json_error where;
	struct json_doc doc;
	enum json_peer outcome;
	int error;

	json_init(&doc);
	error = json_parse(&doc, text, NULL, &where);
	outcome = compare(&doc, error, peer, why_out);
	if (where.error != error || where.offset > text.n ||
	    (error != 0) != (where.line != 0) ||
	    (error != 0) != (json_root(&doc) == NULL)) {
		*why_out = "error and its place do not fit together";
		outcome = PEER_WRONG;
	}
	json_done(&doc);
	peer_free(peer);
	return outcome;
}
