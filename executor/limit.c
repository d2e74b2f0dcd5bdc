/*
 * What one call takes of the limits, and whom it is counted for. Runs in the
 * broker on what a planner sent; believes the kind's table. Pure.
 */
#include "executor/limit.h"

#include <string.h>

#include "common/ascii.h"
#include "common/sha256.h"

static const char *const of_names[LIMIT_OF_COUNT] = {
    [LIMIT_CALLS] = "calls",
    [LIMIT_BYTES] = "bytes",
    [LIMIT_MONEY] = "money",
    [LIMIT_TOKENS] = "tokens",
};

static const char *const per_names[LIMIT_PER_COUNT] = {
    [LIMIT_CAPABILITY] = "capability",
    [LIMIT_SESSION] = "session",
    [LIMIT_DESTINATION] = "destination",
};

const char *
limit_of_name(enum limit_of of)
{
	return of_names[of];
}

const char *
limit_per_name(enum limit_per per)
{
	return per_names[per];
}

/* One digit more; false: it is too large. */
static bool
shift_in(uint64_t *value, char digit)
{
	if (*value > UINT64_MAX / 100)
		return false;
	*value = *value * 10 + (uint64_t)(digit - '0');
	return true;
}

uint64_t
amount_parse(struct span text)
{
	uint64_t value = 0;
	size_t at = 0, places = 0;
	bool more = false;

	while (at < text.n && is_digit(text.p[at]))
		if (!shift_in(&value, text.p[at++]))
			return AMOUNT_UNKNOWN;
	if (at == 0)
		return AMOUNT_UNKNOWN;
	if (at < text.n && text.p[at] == '.' && at + 1 < text.n)
		for (at++; at < text.n && is_digit(text.p[at]); at++) {
			if (places == 2)
				more |= text.p[at] != '0';
			else if (!shift_in(&value, text.p[at]))
				return AMOUNT_UNKNOWN;
			else
				places++;
		}
	if (at != text.n)
		return AMOUNT_UNKNOWN;
	for (; places < 2; places++)
		if (!shift_in(&value, '0'))
			return AMOUNT_UNKNOWN;
	return value + more;
}

/* Of the argument that is so much of `what`; 0 where the kind has none. */
static uint64_t
declared(const struct json_doc *doc, const struct json_node *arguments,
    const struct kind_effects *effects, const char *what)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < effects->argument_count; i++) {
		const struct kind_argument *row = &effects->arguments[i];
		const struct json_node *node;
		uint64_t amount;

		if (row->type != VALUE_NUMBER || row->what == NULL ||
		    strcmp(row->what, what) != 0)
			continue;
		node = json_get(doc, arguments, row->name);
		if (node == NULL || node->type == JSON_ARRAY ||
		    node->type == JSON_OBJECT)
			return AMOUNT_UNKNOWN;
		amount = amount_parse(node->type == JSON_STRING
					  ? node->value.string
					  : json_raw(doc, node));
		if (amount == AMOUNT_UNKNOWN ||
		    sum > AMOUNT_UNKNOWN - 1 - amount)
			return AMOUNT_UNKNOWN;
		sum += amount;
	}
	return sum;
}

void
amounts_of(const struct json_doc *doc, const struct json_node *arguments,
    const struct kind_effects *effects, bool leaves,
    struct amounts *amounts_out)
{
	uint64_t tokens = declared(doc, arguments, effects, KIND_AMOUNT_TOKENS);

	amounts_out->of[LIMIT_CALLS] = 1;
	amounts_out->of[LIMIT_BYTES] = leaves ? json_raw(doc, arguments).n : 0;
	amounts_out->of[LIMIT_MONEY] =
	    declared(doc, arguments, effects, KIND_AMOUNT_MONEY);
	amounts_out->of[LIMIT_TOKENS] =
	    tokens == AMOUNT_UNKNOWN ? tokens : tokens / 100;
}

/* `tag` keeps values of different types apart. */
static void
key_of(char tag, const void *bytes, size_t count,
    unsigned char key[COUNT_KEY_BYTES])
{
	unsigned char hash[SHA256_BYTES];
	char text[VALUE_BYTES + 1];

	if (count > VALUE_BYTES) {
		sha256_of(bytes, count, hash);
		bytes = hash;
		count = sizeof hash;
	}
	text[0] = tag;
	memcpy(text + 1, bytes, count);
	sha256_of(text, count + 1, hash);
	memcpy(key, hash, COUNT_KEY_BYTES);
}

static void
cut(struct span text, char label[DESTINATION_LABEL_BYTES])
{
	size_t n = text.n;

	if (n >= DESTINATION_LABEL_BYTES)
		n = DESTINATION_LABEL_BYTES - 1;
	while (n > 0 && n < text.n && (text.p[n] & 0xc0) == 0x80)
		n--;
	memcpy(label, text.p, n);
	label[n] = '\0';
}

static void
add_destination(struct count_keys *keys, enum value_type type, struct span raw,
    destination_labels labels)
{
	char form[VALUE_BYTES];
	unsigned char key[COUNT_KEY_BYTES];
	struct span value = raw;
	size_t n;

	if (type == VALUE_NAME || type == VALUE_TEXT)
		type = value_shape(raw);
	n = value_canonical(type, raw, form);
	if (n != 0)
		value = (struct span){form, n};
	key_of('d', value.p, value.n, key);
	for (uint32_t i = 0; i < keys->destinations; i++)
		if (memcmp(keys->destination[i], key, sizeof key) == 0)
			return;
	if (keys->destinations == DESTINATIONS_MAX) {
		keys->too_many = true;
		return;
	}
	cut(value, labels[keys->destinations]);
	memcpy(keys->destination[keys->destinations++], key, sizeof key);
}

static void
add_destinations(struct count_keys *keys, const struct json_doc *doc,
    const struct json_node *node, enum value_type type,
    destination_labels labels)
{
	const struct json_node *end = doc->nodes + node->next;

	for (; node < end && !keys->too_many; node++)
		if (node->type == JSON_STRING && node->value.string.n != 0)
			add_destination(keys, type, node->value.string, labels);
		else if (node->type == JSON_INTEGER || node->type == JSON_REAL)
			add_destination(
			    keys, type, json_raw(doc, node), labels);
}

void
count_keys_fill(struct count_keys *keys, const char *capability,
    int64_t session, const struct json_doc *doc,
    const struct json_node *arguments, const struct kind_effects *effects,
    destination_labels labels)
{
	const struct json_node *key;

	keys->destinations = 0;
	keys->too_many = false;
	key_of('c', capability, strlen(capability), keys->capability);
	key_of('s', &session, sizeof session, keys->session);
	for (key = json_first(doc, arguments); key != NULL;
	     key = json_next(doc, arguments, key)) {
		const struct kind_argument *row =
		    kind_argument_of(effects, key->value.string);

		if (row->role == ARGUMENT_DESTINATION)
			add_destinations(
			    keys, doc, json_value(key), row->type, labels);
	}
	if (keys->destinations == 0) {
		memcpy(keys->destination[0], keys->capability, COUNT_KEY_BYTES);
		keys->destinations = 1;
		cut(span_of(capability), labels[0]);
	}
}
