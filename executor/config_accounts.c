/*
 * Accounts of the roles, and peers as numbers. Runs in the parent, and in the
 * broker on what the parent gave it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/account.h"
#include "common/alloc.h"
#include "common/err.h"
#include "executor/config_impl.h"

/* Programs and scripts get it as a word. */
static bool
is_account(const char *name)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_.@+-";

	return name[0] != '\0' && name[0] != '-' &&
	       strspn(name, word) == strlen(name);
}

int
config_read_account(const struct json_doc *doc, const struct json_node *node,
    char **out, struct json_error *where)
{
	char name[ACCOUNT_NAME_BYTES];

	free(*out);
	*out = NULL;
	if (node->type == JSON_INTEGER && node->value.integer > 0 &&
	    node->value.integer < INT32_MAX)
		*out = alloc_format("%d", (int)node->value.integer);
	else if (node->type == JSON_STRING &&
		 span_copy(node->value.string, name, sizeof name) == 0 &&
		 is_account(name))
		*out = alloc_string(name);
	else
		return json_complain(doc, node, where, ERR_TYPE,
		    "an account has to be the name or the number of one that "
		    "is not root's: letters, digits and _ . @ + -, the first "
		    "no hyphen");
	return 0;
}

static int
read_role(struct config *config, const struct json_doc *doc,
    const struct json_node *key, struct json_error *where)
{
	char role[ACCOUNT_NAME_BYTES];
	enum account_role which = ACCOUNT_ROLES;

	if (span_copy(key->value.string, role, sizeof role) == 0)
		which = account_role_find(role);
	if (which == ACCOUNT_ROLES)
		return json_complain(doc, key, where, ERR_UNKNOWN_KEY,
		    "accounts are of broker, auditor, file, notify, planner, "
		    "reader, resolver and blocked");
	return config_read_account(
	    doc, json_value(key), &config->accounts[which], where);
}

int
config_read_accounts(struct config *config, const struct json_doc *doc,
    const struct json_node *accounts, struct json_error *where)
{
	const struct json_node *key;
	char name[ACCOUNT_NAME_BYTES];
	int rc = 0;

	for (int i = 0; i < ACCOUNT_ROLES; i++) {
		account_default_name(
		    account_role_name((enum account_role)i), name, sizeof name);
		config->accounts[i] = alloc_string(name);
	}
	if (accounts == NULL)
		return 0;
	for (key = json_first(doc, accounts); key != NULL && rc == 0;
	     key = json_next(doc, accounts, key))
		rc = read_role(config, doc, key, where);
	return rc;
}

const char *
config_account(const struct config *config, const char *role)
{
	enum account_role which = account_role_find(role);

	if (which == ACCOUNT_ROLES)
		bug("no account for %s", role);
	return config->accounts[which];
}

const char *
config_zone_account(const struct config *config, const struct config_zone *zone)
{
	return zone->account != NULL
		   ? zone->account
		   : config_account(config, zone_kind_name(zone->kind));
}

size_t
config_peers_pack(
    const struct config *config, struct config_peers *out, size_t room)
{
	size_t count = 0;

	if (config->zone_count + 4 > room)
		bug("no room for peers");
	for (size_t i = 0; i < config->zone_count; i++)
		out[count++] = config->zones[i].peers;
	out[count++] = config->operator_peers;
	out[count++] = config->deliver_peers;
	out[count++] = config->machine_peers;
	out[count++] = config->reviewer;
	return count;
}

int
config_peers_unpack(
    struct config *config, const struct config_peers *in, size_t count)
{
	if (count != config->zone_count + 4)
		return -ERR_RANGE;
	for (size_t i = 0; i < config->zone_count; i++)
		config->zones[i].peers = *in++;
	config->operator_peers = *in++;
	config->deliver_peers = *in++;
	config->machine_peers = *in++;
	config->reviewer = *in;
	return 0;
}
