/*
 * A model to another process of ours and back, as JSON. Both ends are this
 * program: what does not fit is a bug.
 */
#include <stdlib.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/firewall/model_impl.h"

#define PACK_NODES (MODEL_ACCOUNTS_MAX * (MODEL_HOSTS_MAX + 128u))

static void
pack_account(struct json_writer *w, const struct model_account *account)
{
	char host[MODEL_HOST_TEXT], range[ADDRESS_RANGE_BYTES];

	json_open(w, '{');
	json_put_text(w, "name", account->name);
	json_put_integer(w, "uid", (int64_t)account->uid);
	json_put_integer(w, "port", account->guard_port);
	json_put_boolean(w, "blocked", account->blocked);
	json_key(w, "hosts");
	json_open(w, '[');
	for (size_t i = 0; i < account->host_count; i++) {
		model_host_format(&account->hosts[i], host);
		json_text(w, host);
	}
	json_close(w, ']');
	json_key(w, "ranges");
	json_open(w, '[');
	for (size_t i = 0; i < account->range_count; i++) {
		address_range_format(&account->ranges[i], range);
		json_text(w, range);
	}
	json_close(w, ']');
	json_close(w, '}');
}

void
model_pack(const struct model *model, struct buf *out)
{
	struct json_writer w;

	json_write_init(&w, out);
	json_open(&w, '[');
	for (size_t i = 0; i < model->count; i++)
		pack_account(&w, &model->accounts[i]);
	json_close(&w, ']');
}

struct packed {
	struct span name;
	int64_t uid, port;
	bool blocked;
	const struct json_node *hosts, *ranges;
};

static const struct json_field packed_fields[] = {
    {"name", JSON_WANT_STRING, true, offsetof(struct packed, name), 1,
	MODEL_NAME_BYTES - 1},
    {"uid", JSON_WANT_INTEGER, true, offsetof(struct packed, uid), 0,
	UINT32_MAX},
    {"port", JSON_WANT_INTEGER, true, offsetof(struct packed, port), 0,
	UINT16_MAX}, /* 0: blocked, and the policy has none for it */
    {"blocked", JSON_WANT_BOOL, true, offsetof(struct packed, blocked), 0, 0},
    {"hosts", JSON_WANT_ARRAY, true, offsetof(struct packed, hosts), 0,
	MODEL_HOSTS_MAX},
    {"ranges", JSON_WANT_ARRAY, true, offsetof(struct packed, ranges), 0,
	MODEL_RANGES_MAX},
};

static int
unpack_hosts(const struct json_doc *doc, const struct packed *p,
    struct model_account *account)
{
	const struct json_node *at;
	char reason[1];

	account->hosts = alloc_array(p->hosts->count, sizeof *account->hosts);
	account->ranges =
	    alloc_array(p->ranges->count, sizeof *account->ranges);
	for (at = json_first(doc, p->hosts); at != NULL;
	     at = json_next(doc, p->hosts, at))
		if (model_host_read(json_span(at),
			&account->hosts[account->host_count++], reason,
			sizeof reason) != 0)
			return -ERR_CORRUPT;
	for (at = json_first(doc, p->ranges); at != NULL;
	     at = json_next(doc, p->ranges, at))
		if (!address_range_parse(json_span(at),
			&account->ranges[account->range_count++]))
			return -ERR_CORRUPT;
	return 0;
}

static int
unpack_account(
    const struct json_doc *doc, const struct json_node *node, struct model *out)
{
	struct packed p = {.uid = 0};
	struct model_account *account;

	if (json_read(doc, node, packed_fields,
		sizeof packed_fields / sizeof packed_fields[0], &p,
		NULL) != 0 ||
	    (p.port == 0 && !p.blocked) || !model_name_fits(p.name) ||
	    (account = model_add(out, p.name)) == NULL)
		return -ERR_CORRUPT;
	account->uid = (uid_t)p.uid;
	account->guard_port = (uint16_t)p.port;
	account->blocked = p.blocked;
	return unpack_hosts(doc, &p, account);
}

const struct json_limits model_pack_limits = {
    .bytes = MODEL_PACK_BYTES, .nodes = PACK_NODES};

int
model_unpack_node(
    const struct json_doc *doc, const struct json_node *list, struct model *out)
{
	const struct json_node *at;
	int rc = 0;

	out->count = 0;
	if (list->type != JSON_ARRAY)
		return -ERR_CORRUPT;
	for (at = json_first(doc, list); at != NULL && rc == 0;
	     at = json_next(doc, list, at))
		rc = unpack_account(doc, at, out);
	if (rc != 0)
		model_free(out);
	return rc;
}

void
model_unpack(struct span text, struct model *out)
{
	struct json_doc doc;

	json_init(&doc);
	if (json_parse(&doc, text, &model_pack_limits, NULL) != 0 ||
	    model_unpack_node(&doc, json_root(&doc), out) != 0)
		bug("a packed model that is none");
	json_done(&doc);
}
