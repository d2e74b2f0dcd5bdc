/*
 * Which hosts each account may reach: from policy.json. Runs in the operator's
 * commands, the parent, and whoever reads the policy; the operator's text. What
 * is not understood is an error with its place.
 */
#include "executor/firewall/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/account.h"
#include "common/alloc.h"
#include "common/ascii.h"
#include "common/err.h"
#include "executor/firewall/model_impl.h"

#define SHOWN 60 /* bytes of a text of the operator in a message */
#define REASON_BYTES 120
#define WIDE_BITS_4 8 /* fewer: a good part of the whole network */
#define WIDE_BITS_6 7

struct firewall_text {
	const struct json_node *accounts;
};

static const struct json_field firewall_fields[] = {
    {"accounts", JSON_WANT_OBJECT, false,
	offsetof(struct firewall_text, accounts), 0, MODEL_ACCOUNTS_MAX},
};

struct account_text {
	const struct json_node *allow, *ranges;
};

static const struct json_field account_fields[] = {
    {"allow", JSON_WANT_ARRAY, false, offsetof(struct account_text, allow), 0,
	MODEL_HOSTS_MAX},
    {"ranges", JSON_WANT_ARRAY, false, offsetof(struct account_text, ranges), 0,
	MODEL_RANGES_MAX},
};

bool
model_name_fits(struct span name)
{
	bool letter = false;

	if (name.n == 0 || name.n >= MODEL_NAME_BYTES ||
	    span_starts(name, "trizone") || span_starts(name, "_trizone"))
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool small = c >= 'a' && c <= 'z';

		letter = letter || small;
		if (!small && c != '_' &&
		    (i == 0 || (!is_digit(c) && c != '-')))
			return false;
	}
	return letter;
}

struct model_account *
model_add(struct model *model, struct span name)
{
	size_t at = model->count;

	if (at == MODEL_ACCOUNTS_MAX || model_find(model, name) != NULL)
		return NULL;
	while (at > 0) {
		struct span before = span_of(model->accounts[at - 1].name);
		size_t n = before.n < name.n ? before.n : name.n;
		int order = memcmp(before.p, name.p, n);

		if (order < 0 || (order == 0 && before.n < name.n))
			break;
		model->accounts[at] = model->accounts[at - 1];
		at--;
	}
	model->count++;
	model->accounts[at] = (struct model_account){.uid = (uid_t)-1};
	memcpy(model->accounts[at].name, name.p, name.n);
	return &model->accounts[at];
}

_Static_assert(
    MODEL_GUARD_PORT + MODEL_ACCOUNTS_MAX == MODEL_GUARD_LAST, "each has one");

void
model_number(struct model *model)
{
	unsigned port = MODEL_GUARD_PORT;

	for (size_t i = 0; i < model->count; i++, port++) {
		port += port == MODEL_MAIL_PORT;
		model->accounts[i].guard_port = (uint16_t)port;
	}
}

static int
complain_of(const struct json_doc *doc, const struct json_node *node,
    struct json_error *where, const char *what)
{
	struct span text = json_span(node);

	return json_complain(doc, node, where, ERR_RANGE, "\"%.*s\" %s",
	    (int)(ascii_printable(text.p, text.n) < SHOWN
		      ? ascii_printable(text.p, text.n)
		      : SHOWN),
	    text.p == NULL ? "" : text.p, what);
}

static bool
same_host(const struct model_host *a, const struct model_host *b)
{
	return a->port == b->port && a->protocol == b->protocol &&
	       strcmp(a->name, b->name) == 0;
}

static int
read_host(const struct json_doc *doc, const struct json_node *node,
    struct model_account *account, struct json_error *where)
{
	struct model_host *host = &account->hosts[account->host_count];
	char reason[REASON_BYTES];

	if (node->type != JSON_STRING)
		return json_complain(doc, node, where, ERR_TYPE,
		    "a host is a string, as \"api.example.com:443\"");
	if (model_host_read(json_span(node), host, reason, sizeof reason) != 0)
		return complain_of(doc, node, where, reason);
	for (size_t i = 0; i < account->host_count; i++)
		if (same_host(&account->hosts[i], host))
			return complain_of(doc, node, where, "stands twice");
	account->host_count++;
	return 0;
}

static int
read_range(const struct json_doc *doc, const struct json_node *node,
    struct model_account *account, struct json_error *where)
{
	if (node->type != JSON_STRING)
		return json_complain(doc, node, where, ERR_TYPE,
		    "a range is a string, as \"10.0.0.0/8\"");
	if (!address_range_parse(
		json_span(node), &account->ranges[account->range_count]))
		return complain_of(doc, node, where,
		    "is no range of addresses as 10.0.0.0/8 or fd00::/8, with "
		    "nothing behind its prefix");
	account->range_count++;
	return 0;
}

static int
read_lists(const struct json_doc *doc, const struct account_text *text,
    struct model_account *account, struct json_error *where)
{
	const struct json_node *at;
	int rc = 0;

	if (text->allow != NULL)
		account->hosts =
		    alloc_array(text->allow->count, sizeof *account->hosts);
	if (text->ranges != NULL)
		account->ranges =
		    alloc_array(text->ranges->count, sizeof *account->ranges);
	for (at = json_first(doc, text->allow); at != NULL && rc == 0;
	     at = json_next(doc, text->allow, at))
		rc = read_host(doc, at, account, where);
	for (at = json_first(doc, text->ranges); at != NULL && rc == 0;
	     at = json_next(doc, text->ranges, at))
		rc = read_range(doc, at, account, where);
	return rc;
}

static int
read_account(const struct json_doc *doc, const struct json_node *key,
    struct model *out, struct json_error *where)
{
	struct account_text text = {NULL, NULL};
	struct model_account *account;
	int rc;

	if (!model_name_fits(json_span(key)))
		return complain_of(doc, key, where,
		    "is no name of an account: small letters, digits, `-`, "
		    "`_`, at most 32, and none of trizone's own");
	rc = json_read(doc, json_value(key), account_fields,
	    sizeof account_fields / sizeof account_fields[0], &text, where);
	if (rc != 0)
		return rc;
	account = model_add(out, json_span(key));
	if (account == NULL)
		bug("an account twice, or too many");
	return read_lists(doc, &text, account, where);
}

int
model_read(const struct json_doc *doc, const struct json_node *node,
    struct model *out, struct json_error *where)
{
	struct firewall_text text = {NULL};
	const struct json_node *key;
	int rc = 0;

	out->count = 0;
	if (node == NULL)
		return 0;
	rc = json_read(doc, node, firewall_fields,
	    sizeof firewall_fields / sizeof firewall_fields[0], &text, where);
	for (key = json_first(doc, text.accounts); key != NULL && rc == 0;
	     key = json_next(doc, text.accounts, key))
		rc = read_account(doc, key, out, where);
	model_number(out);
	if (rc != 0)
		model_free(out);
	return rc;
}

void
model_free(struct model *model)
{
	for (size_t i = 0; i < model->count; i++) {
		free(model->accounts[i].hosts);
		free(model->accounts[i].ranges);
	}
	model->count = 0;
}

/* As strchr(3): what the caller may change of the model, he may of this. */
struct model_account *
model_find(const struct model *model, struct span name)
{
	for (size_t i = 0; i < model->count; i++)
		if (span_is(name, model->accounts[i].name))
			return (struct model_account *)&model->accounts[i];
	return NULL;
}

/* As it is, or as macOS has names of accounts for services. */
static int
find_account(const char *name, struct account *out, char *reason, size_t room)
{
	char other[MODEL_NAME_BYTES + 1], unused[1];
	int rc = account_find(name, out, reason, room);

	if (rc != -ERR_NOT_FOUND || name[0] == '_')
		return rc;
	(void)snprintf(other, sizeof other, "_%s", name);
	return account_find(other, out, unused, sizeof unused) == 0 ? 0 : rc;
}

int
model_account_resolve(struct model_account *account, char *reason, size_t room)
{
	char why[REASON_BYTES];
	struct account found;
	int rc = find_account(account->name, &found, why, sizeof why);

	account->uid = (uid_t)-1;
	if (rc == -ERR_NOT_FOUND) {
		(void)snprintf(reason, room,
		    "%s: run `trizone-executor firewall account %s` as root",
		    why, account->name);
		return -ERR_CONFIG;
	}
	if (rc == 0 && found.uid == ACCOUNT_NOBODY) {
		(void)snprintf(reason, room,
		    "account %s has the number of nobody, which others have "
		    "too",
		    account->name);
		return -ERR_CONFIG;
	}
	if (rc != 0) {
		(void)snprintf(reason, room, "%s", why);
		return -ERR_CONFIG;
	}
	account->uid = found.uid;
	return 0;
}

int
model_resolve(struct model *model, char *reason, size_t room)
{
	for (size_t i = 0; i < model->count; i++) {
		struct model_account *account = &model->accounts[i];

		if (model_account_resolve(account, reason, room) != 0)
			return -ERR_CONFIG;
		for (size_t j = 0; j < i; j++) {
			if (model->accounts[j].uid != account->uid)
				continue;
			(void)snprintf(reason, room,
			    "accounts %s and %s have the same number",
			    model->accounts[j].name, account->name);
			return -ERR_CONFIG;
		}
	}
	return 0;
}

const char *
model_refuses(const struct model_account *account, const struct address *a)
{
	const char *what = address_special(a);

	for (size_t i = 0; i < account->range_count && what != NULL; i++)
		if (address_in_range(a, &account->ranges[i]))
			return NULL;
	return what;
}

const struct address_range *
model_wide_range(const struct model_account *account)
{
	for (size_t i = 0; i < account->range_count; i++) {
		const struct address_range *range = &account->ranges[i];

		if (range->bits < (range->address.family == ADDRESS_4
					  ? WIDE_BITS_4
					  : WIDE_BITS_6))
			return range;
	}
	return NULL;
}

struct model_account *
model_add_copy(struct model *model, const struct model_account *from)
{
	struct model_account *copy = model_add(model, span_of(from->name));

	if (copy == NULL)
		return NULL;
	*copy = *from;
	copy->hosts = alloc_array(from->host_count, sizeof *from->hosts);
	copy->ranges = alloc_array(from->range_count, sizeof *from->ranges);
	for (size_t i = 0; i < from->host_count; i++)
		copy->hosts[i] = from->hosts[i];
	for (size_t i = 0; i < from->range_count; i++)
		copy->ranges[i] = from->ranges[i];
	return copy;
}

void
model_copy(const struct model *from, struct model *out)
{
	out->count = 0;
	for (size_t i = 0; i < from->count; i++)
		(void)model_add_copy(out, &from->accounts[i]);
}
