/*
 * The operator in config.json: the key his things are sealed to, his own
 * addresses and his address book. Runs in the parent, and in the broker on the
 * text the parent gave it.
 */
#include <stdlib.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/config_impl.h"
#include "executor/value.h"

#define RECIPIENT_MOST 4096 /* a post-quantum one has some 2,000 characters */

/* An age recipient: age1 and lower-case letters and digits. */
static bool
is_recipient(struct span text)
{
	if (!span_starts(text, "age1") || text.n < 12 ||
	    text.n > RECIPIENT_MOST)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
			return false;
	}
	return true;
}

int
config_read_recipient(const struct json_doc *doc, const struct json_node *node,
    char **out, struct json_error *where)
{
	if (node == NULL)
		return 0;
	if (node->type != JSON_STRING || !is_recipient(node->value.string))
		return json_complain(doc, node, where, ERR_RANGE,
		    "\"recipient\" has to be a public age recipient (age1...), "
		    "never a secret key");
	*out = alloc_text(node->value.string.p, node->value.string.n);
	return 0;
}

static int
read_people(struct config_people *people, const struct json_doc *doc,
    const struct json_node *list, struct json_error *where)
{
	const struct json_node *at;
	char form[VALUE_BYTES];
	size_t n;

	people->address = alloc_array(list->count, sizeof *people->address);
	for (at = json_first(doc, list); at != NULL;
	     at = json_next(doc, list, at)) {
		n = at->type == JSON_STRING
			? value_canonical(VALUE_ADDRESS, at->value.string, form)
			: 0;
		if (n == 0)
			return json_complain(doc, at, where, ERR_RANGE,
			    "an address has to be like ann@example.org");
		people->address[people->count++] = alloc_text(form, n);
	}
	return 0;
}

void
config_people_free(struct config_people *people)
{
	for (size_t i = 0; i < people->count; i++)
		free(people->address[i]);
	free(people->address);
}

struct operator_text {
	const struct json_node *recipient, *own, *book;
};

static const struct json_field operator_fields[] = {
    {"recipient", JSON_WANT_ANY, false,
	offsetof(struct operator_text, recipient), 0, 0},
    {"own", JSON_WANT_ARRAY, false, offsetof(struct operator_text, own), 0,
	CONFIG_MAX_PEOPLE},
    {"book", JSON_WANT_ARRAY, false, offsetof(struct operator_text, book), 0,
	CONFIG_MAX_PEOPLE},
};

int
config_read_operator(struct config *config, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	struct operator_text text = {0};
	int rc = 0;

	if (node != NULL)
		rc = json_read(doc, node, operator_fields,
		    sizeof operator_fields / sizeof operator_fields[0], &text,
		    where);
	if (rc == 0)
		rc = config_read_recipient(
		    doc, text.recipient, &config->operator_recipient, where);
	if (rc == 0 && text.own != NULL)
		rc = read_people(&config->own, doc, text.own, where);
	if (rc == 0 && text.book != NULL)
		rc = read_people(&config->book, doc, text.book, where);
	return rc;
}
