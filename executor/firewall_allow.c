/*
 * A first configuration and policy for who wants a firewall and nothing else.
 * Runs as root on the operator's files; rewrites a policy only if there is
 * nothing in it that this did not write.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/accounts.h"
#include "executor/firewall/model_impl.h"
#include "executor/firewall_job.h"
#include "executor/policy_impl.h"

#define NEW_NAME "policy.json.new"

static const char first_config[] = "{\n"
				   "  \"version\": 1,\n"
				   "  \"state\": \"/var/lib/trizone\",\n"
				   "  \"run\": \"/run/trizone\",\n"
				   "  \"policy\": \"policy.json\"\n"
				   "}\n";

static bool
exists(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return true;
	if (errno != ENOENT)
		die_errno("%s", path);
	return false;
}

/* Whether nothing but accounts is in the policy. */
static bool
is_plain(struct span text)
{
	const struct json_node *key;
	struct json_doc doc;
	bool plain;

	json_init(&doc);
	plain = json_parse(&doc, text, &policy_text_limits, NULL) == 0;
	for (key = plain ? json_first(&doc, json_root(&doc)) : NULL;
	     key != NULL && plain; key = json_next(&doc, json_root(&doc), key))
		plain = json_is_string(key, "version") ||
			json_is_string(key, "firewall");
	json_done(&doc);
	return plain;
}

static bool
has_host(const struct model_account *account, const struct model_host *host)
{
	for (size_t i = 0; i < account->host_count; i++)
		if (account->hosts[i].port == host->port &&
		    account->hosts[i].protocol == host->protocol &&
		    strcmp(account->hosts[i].name, host->name) == 0)
			return true;
	return false;
}

static void
add_hosts(
    struct model_account *account, const char *const hosts[], size_t count)
{
	char reason[160];

	account->hosts = alloc_resize(account->hosts,
	    account->host_count + count, sizeof *account->hosts);
	for (size_t i = 0; i < count; i++) {
		struct model_host host;

		if (model_host_read(
			span_of(hosts[i]), &host, reason, sizeof reason) != 0)
			die(EXIT_USAGE, "--allow %s: it %s", hosts[i], reason);
		if (!has_host(account, &host))
			account->hosts[account->host_count++] = host;
	}
	if (account->host_count > MODEL_HOSTS_MAX)
		die(EXIT_USAGE, "more than %u hosts", MODEL_HOSTS_MAX);
}

static void
put_account(const struct model_account *account, struct buf *out)
{
	char text[MODEL_HOST_TEXT];

	buf_add_format(out, "    \"%s\": {\n      \"allow\": [", account->name);
	for (size_t i = 0; i < account->host_count; i++) {
		model_host_format(&account->hosts[i], text);
		buf_add_format(
		    out, "%s\n        \"%s\"", i == 0 ? "" : ",", text);
	}
	buf_add_text(out, account->host_count == 0 ? "]" : "\n      ]");
	for (size_t i = 0; i < account->range_count; i++) {
		address_range_format(&account->ranges[i], text);
		buf_add_format(out, "%s\"%s\"",
		    i == 0 ? ",\n      \"ranges\": [" : ", ", text);
	}
	buf_add_text(out, account->range_count == 0 ? "\n    }" : "]\n    }");
}

static void
put_firewall(const struct model *model, struct buf *out)
{
	buf_add_text(out, "  \"firewall\": { \"accounts\": {\n");
	for (size_t i = 0; i < model->count; i++) {
		buf_add_text(out, i == 0 ? "" : ",\n");
		put_account(&model->accounts[i], out);
	}
	buf_add_text(out, "\n  } }\n");
}

/* By rename, so that nobody ever reads half of it. */
static void
write_policy(const char *path, const struct model *model)
{
	char *copy = alloc_string(path), *folder = dirname(copy);
	char *draft = alloc_format("%s/" NEW_NAME, folder);
	struct buf out;

	buf_init(&out, POLICY_MAX_BYTES);
	buf_add_text(&out, "{\n  \"version\": 1,\n");
	put_firewall(model, &out);
	buf_add_text(&out, "}\n");
	if (out.overflow)
		die(EXIT_USAGE, "the policy would be larger than it may be");
	(void)unlink(draft);
	write_new_file(
	    folder, NEW_NAME, (struct span){out.data, out.len}, 0644);
	if (rename(draft, path) != 0)
		die_errno("%s", path);
	printf("wrote %s\n", path);
	buf_free(&out);
	free(draft);
	free(copy);
}

/* The operator's own policy: he gets the lines. */
static _Noreturn void
say_lines(const char *path, const struct model_account *account)
{
	struct buf out;

	buf_init(&out, POLICY_MAX_BYTES);
	put_account(account, &out);
	fprintf(stderr,
	    "%s has more in it than accounts, so it is not changed here. Put "
	    "this into\n\"firewall\": { \"accounts\": { ... } } there, then "
	    "apply without --allow:\n%.*s\n",
	    path, (int)out.len, out.data);
	exit(EXIT_CONFIG);
}

static void
write_first(const char *config)
{
	char *copy = alloc_string(config), *folder = dirname(copy);
	char *other = alloc_string(config);

	accounts_make_wall();
	if (mkdir(folder, 0755) != 0 && errno != EEXIST)
		die_errno("cannot make %s", folder);
	write_new_file(folder, basename(other), SPAN(first_config), 0644);
	printf("wrote %s\n", config);
	free(other);
	free(copy);
}

static struct model_account *
account_of(struct model *model, const char *name)
{
	struct model_account *account = model_find(model, span_of(name));

	if (account == NULL)
		account = model_add(model, span_of(name));
	if (account == NULL)
		die(EXIT_USAGE, "more than %u accounts", MODEL_ACCOUNTS_MAX);
	return account;
}

void
firewall_allow(const char *config, const char *name, const char *const hosts[],
    size_t count)
{
	struct model model = {.count = 0};
	struct model_account *account;
	struct policy *policy = NULL;
	struct json_error where;
	char reason[PATH_MAX + 300];
	struct config *c;
	struct buf text;

	if (!exists(config))
		write_first(config);
	c = config_or_die(config, EXIT_CONFIG);
	buf_init(&text, POLICY_MAX_BYTES);
	if (exists(c->policy)) {
		if (config_read_file(c->policy, &text, reason, sizeof reason) !=
		    0)
			die(EXIT_CONFIG, "%s", reason);
		if (policy_parse((struct span){text.data, text.len}, &policy,
			&where) != 0) {
			config_error_text(
			    c->policy, &where, reason, sizeof reason);
			die(EXIT_CONFIG, "%s", reason);
		}
		model_copy(policy_firewall(policy), &model);
	}
	account = account_of(&model, name);
	add_hosts(account, hosts, count);
	if (policy != NULL && !is_plain((struct span){text.data, text.len}))
		say_lines(c->policy, account);
	write_policy(c->policy, &model);
	policy_free(policy);
	model_free(&model);
	buf_free(&text);
	config_free(c);
}
