/*
 * Fuzz driver: an item, a NUL, and the arguments of a call. The item's strings
 * become facts and the call's handles its fields: what was added is found again
 * with its origins, a canonical form is its own, and resolved arguments have no
 * handle that was not the item's own words.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "executor/facts.h"
#include "executor/reference.h"

#define OUT_BYTES (1u << 18)
#define DETAIL_BYTES 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct json_doc *item;

static int
fetch(void *context, struct span handle, const struct json_doc **doc_out,
    const struct json_node **object_out)
{
	(void)context;
	(void)handle;
	*doc_out = item;
	*object_out = json_root(item);
	return 0;
}

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_canonical(struct span text)
{
	for (unsigned i = 0; i < VALUE_TYPE_COUNT; i++) {
		char once[VALUE_BYTES], twice[VALUE_BYTES];
		size_t again;
		size_t n = value_canonical((enum value_type)i, text, once);

		must(n <= sizeof once);
		if (n == 0)
			continue;
		again = value_canonical(
		    (enum value_type)i, (struct span){once, n}, twice);
		if (i == VALUE_URL && again == 0)
			continue; /* without its scheme it is no link */
		must(again == n);
		must(memcmp(once, twice, n) == 0);
	}
}

static void
check_found(struct span text)
{
	static const enum value_type types[] = {
	    VALUE_ADDRESS, VALUE_URL, VALUE_NUMBER};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		struct span found;
		size_t at = 0, before = 0;

		while (value_next(types[i], text, &at, &found)) {
			must(at > before && at <= text.n && found.n != 0);
			must(found.p >= text.p &&
			     found.p + found.n <= text.p + at);
			before = at;
		}
	}
}

static void
check_string(struct facts *facts, struct span text)
{
	enum value_type type = value_shape(text);
	char form[VALUE_BYTES];
	unsigned origins;

	check_canonical(text);
	check_found(text);
	facts_add(facts, type, text, ORIGIN_PARTY);
	facts_add_prose(facts, text, ORIGIN_PROSE);
	origins = facts_origins(facts, type, (struct span){0}, text);
	must(origins != 0);
	if (!facts_full(facts) && value_canonical(type, text, form) != 0)
		must((origins & ORIGIN_PARTY) != 0);
	must(facts_origins(facts, type, (struct span){0}, text) == origins);
}

static void
check_resolved(const struct json_doc *doc)
{
	static const struct kind_effects effects;
	char detail[DETAIL_BYTES] = "";
	struct json_doc resolved;
	struct buf out;

	reference_in(doc, json_root(doc));
	buf_init(&out, OUT_BYTES);
	json_init(&resolved);
	if (reference_resolve(doc, json_root(doc), &effects, fetch, NULL, &out,
		detail, sizeof detail) == 0)
		must(json_parse(&resolved, (struct span){out.data, out.len},
			 NULL, NULL) == 0);
	else
		must(utf8_check(detail, strlen(detail)));
	json_done(&resolved);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size == 0 ? NULL : memchr(data, '\0', size);
	struct json_doc first, call;
	struct facts *facts;
	size_t head;

	if (nul == NULL)
		return 0;
	head = (size_t)(nul - data);
	json_init(&first);
	json_init(&call);
	if (json_parse(&first, (struct span){(const char *)data, head}, NULL,
		NULL) == 0) {
		facts = facts_new();
		item = &first;
		for (size_t i = 0; i < json_root(&first)->next; i++)
			if (first.nodes[i].type == JSON_STRING)
				check_string(
				    facts, first.nodes[i].value.string);
		if (json_parse(&call,
			(struct span){(const char *)nul + 1, size - head - 1},
			NULL, NULL) == 0 &&
		    json_root(&call)->type == JSON_OBJECT)
			check_resolved(&call);
		facts_free(facts);
	}
	json_done(&call);
	json_done(&first);
	return 0;
}
