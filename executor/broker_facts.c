/*
 * What a session gets to know by seeing an item: whose words its typed fields
 * are. The item is a stranger's; what is believed of it is what the operator's
 * own mail server found out.
 */
#include <string.h>

#include "common/err.h"
#include "executor/broker.h"

static struct span
text_of(
    const struct json_doc *doc, const struct json_node *object, const char *key)
{
	return json_span(json_get(doc, object, key));
}

static struct span
domain_of(struct span address)
{
	size_t at = address.n;

	while (at > 0 && address.p[at - 1] != '@')
		at--;
	return (struct span){address.p + at, at == 0 ? 0 : address.n - at};
}

/* Domains are in lower case in a clean object. Relaxed alignment (RFC 7489,
 * 3.1.1), without a list of public suffixes: a signer's domain has two labels
 * at least. */
static bool
is_aligned(struct span signer, struct span from)
{
	if (signer.n == 0 || memchr(signer.p, '.', signer.n) == NULL ||
	    signer.n > from.n)
		return false;
	return memcmp(from.p + from.n - signer.n, signer.p, signer.n) == 0 &&
	       (signer.n == from.n || from.p[from.n - signer.n - 1] == '.');
}

bool
item_is_verified(const struct json_doc *doc, const struct json_node *item)
{
	const struct json_node *list = json_get(doc, item, "authentication");
	struct span from =
	    domain_of(text_of(doc, json_get(doc, item, "from"), "address"));
	const struct json_node *at;

	if (from.n == 0 || list == NULL)
		return false;
	for (at = json_first(doc, list); at != NULL;
	     at = json_next(doc, list, at)) {
		struct span method = text_of(doc, at, "method");

		if (span_is(text_of(doc, at, "result"), "pass") &&
		    (span_is(method, "dmarc") || span_is(method, "dkim")) &&
		    is_aligned(text_of(doc, at, "domain"), from))
			return true;
	}
	return false;
}

bool
item_is_own(const struct config *config, const struct json_doc *doc,
    const struct json_node *item)
{
	struct span from = text_of(doc, json_get(doc, item, "from"), "address");
	char form[VALUE_BYTES];
	size_t n = value_canonical(VALUE_ADDRESS, from, form);

	for (size_t i = 0; i < config->own.count && n != 0; i++)
		if (span_is((struct span){form, n}, config->own.address[i]))
			return true;
	return false;
}

static void
add_people(struct facts *facts, const struct json_doc *doc,
    const struct json_node *list, unsigned origins)
{
	const struct json_node *at;

	for (at = list == NULL ? NULL : json_first(doc, list); at != NULL;
	     at = json_next(doc, list, at)) {
		struct span address = text_of(doc, at, "address");

		if (address.n != 0)
			facts_add(facts, VALUE_ADDRESS, address, origins);
	}
}

void
facts_of_item(struct facts *facts, const struct json_doc *doc,
    const struct json_node *item)
{
	static const char *const lists[] = {"to", "cc", "reply_to"};
	bool verified = item_is_verified(doc, item);
	struct span from = text_of(doc, json_get(doc, item, "from"), "address");
	const struct json_node *links = json_get(doc, item, "links"), *at;

	if (from.n != 0)
		facts_add(facts, VALUE_ADDRESS, from,
		    verified ? ORIGIN_VERIFIED : ORIGIN_UNVERIFIED);
	/* who forges a sender forges the others too */
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		add_people(facts, doc, json_get(doc, item, lists[i]),
		    verified ? ORIGIN_PARTY : ORIGIN_PROSE);
	for (at = links == NULL ? NULL : json_first(doc, links); at != NULL;
	     at = json_next(doc, links, at))
		facts_add(
		    facts, VALUE_URL, text_of(doc, at, "url"), ORIGIN_PROSE);
	facts_add(
	    facts, VALUE_TEXT, text_of(doc, item, "subject"), ORIGIN_PROSE);
	facts_add_prose(facts, text_of(doc, item, "subject"), ORIGIN_PROSE);
	facts_add_prose(facts, text_of(doc, item, "body"), ORIGIN_PROSE);
}

/* The operator's own addresses and his address book, which every session
 * knows. */
void
facts_of_operator(struct facts *facts, const struct config *config)
{
	for (size_t i = 0; i < config->own.count; i++)
		facts_add(facts, VALUE_ADDRESS, span_of(config->own.address[i]),
		    ORIGIN_SELF);
	for (size_t i = 0; i < config->book.count; i++)
		facts_add(facts, VALUE_ADDRESS,
		    span_of(config->book.address[i]), ORIGIN_BOOK);
}
