/*
 * Accounts behind the firewall, as the policy has them: printed, examined,
 * compared. The rules themselves are in executor/firewall. Pure.
 */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "executor/policy_impl.h"

const struct model *
policy_firewall(const struct policy *policy)
{
	return &policy->firewall;
}

static void
print_account(const struct model_account *account, struct buf *out)
{
	char text[MODEL_HOST_TEXT];

	buf_add_format(out, "The account %s reaches ", account->name);
	if (account->host_count == 0)
		buf_add_text(out, "nothing");
	for (size_t i = 0; i < account->host_count; i++) {
		model_host_format(&account->hosts[i], text);
		buf_add_format(out, "%s%s", i == 0 ? "" : ", ", text);
	}
	buf_add_text(out, account->range_count == 0 ? ".\n" : "; addresses in");
	for (size_t i = 0; i < account->range_count; i++) {
		address_range_format(&account->ranges[i], text);
		buf_add_format(out, "%s %s", i == 0 ? "" : ",", text);
	}
	if (account->range_count != 0)
		buf_add_text(out, " too, if a name leads there.\n");
}

void
policy_firewall_print(const struct policy *policy, struct buf *out)
{
	for (size_t i = 0; i < policy->firewall.count; i++)
		print_account(&policy->firewall.accounts[i], out);
}

static void
json_account(struct json_writer *w, const struct model_account *account)
{
	char text[MODEL_HOST_TEXT];

	json_open(w, '{');
	json_put_text(w, "name", account->name);
	json_key(w, "allow");
	json_open(w, '[');
	for (size_t i = 0; i < account->host_count; i++) {
		model_host_format(&account->hosts[i], text);
		json_text(w, text);
	}
	json_close(w, ']');
	json_key(w, "ranges");
	json_open(w, '[');
	for (size_t i = 0; i < account->range_count; i++) {
		address_range_format(&account->ranges[i], text);
		json_text(w, text);
	}
	json_close(w, ']');
	json_close(w, '}');
}

void
policy_firewall_json(const struct policy *policy, struct json_writer *w)
{
	if (policy->firewall.count == 0)
		return;
	json_key(w, "firewall");
	json_open(w, '[');
	for (size_t i = 0; i < policy->firewall.count; i++)
		json_account(w, &policy->firewall.accounts[i]);
	json_close(w, ']');
}

int
policy_firewall_change(const struct policy *old, const struct policy *new_one,
    char *reason, size_t room)
{
	const struct model *a = &old->firewall, *b = &new_one->firewall;

	for (size_t i = 0; i < a->count || i < b->count; i++) {
		if (i < a->count && i < b->count &&
		    strcmp(a->accounts[i].name, b->accounts[i].name) == 0)
			continue;
		(void)snprintf(reason, room,
		    "the account \"%s\" of the firewall is new or gone, which "
		    "needs a restart",
		    i < b->count ? b->accounts[i].name : a->accounts[i].name);
		return -ERR_WRONG_STATE;
	}
	return 0;
}
