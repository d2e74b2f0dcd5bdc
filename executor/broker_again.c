/*
 * The operator's side of rules of "don't ask again": which there are, and
 * taking one back. Believes the kernel about who connected.
 */
#include <stdio.h>

#include "common/err.h"
#include "executor/broker.h"

static void
put_rule(struct json_writer *w, const struct again_row *row)
{
	char handle[32];

	json_open(w, '{');
	again_format(row->id, handle);
	json_put_text(w, "rule", handle);
	ticket_format(row->ticket, handle);
	json_put_text(w, "ticket", handle);
	json_put_text(w, "zone", row->zone);
	json_put_text(w, "capability", row->capability);
	json_put_text(w, "asked_by", row->rule);
	json_put_boolean(w, "any_content", row->any_content);
	json_put_integer(w, "made_ms", row->made_ms);
	json_put_integer(w, "expires_ms", row->expires_ms);
	if (row->arguments.len <= 4096)
		json_put_raw(w, "arguments",
		    (struct span){row->arguments.data, row->arguments.len});
	json_close(w, '}');
}

int
again_list(struct link *link, int64_t id)
{
	const struct broker *b = link->broker;
	struct message_writer m;

	result_begin(&m, channel_out(link->channel), id);
	json_key(&m.json, "rules");
	json_open(&m.json, '[');
	for (size_t i = 0; i < b->again_count; i++)
		put_rule(&m.json, &b->again_rows[i]);
	json_close(&m.json, ']');
	link_answer(link, &m, id, 0);
	return 0;
}

int
again_revoke(struct link *link, int64_t id, const struct handle_params *params)
{
	struct broker *b = link->broker;
	struct message_writer m;
	struct entry_head entry;
	int64_t number;
	int rc = again_parse(params->handle, &number);

	if (rc == 0)
		rc = again_remove(b->inbox, number);
	if (rc != 0)
		return link_refuse(link, id, rc);
	tickets_load_rules(b);
	entry_init(&entry, RECORD_DENIAL);
	entry_text(entry.rule, sizeof entry.rule, params->handle);
	entry_text(entry.why, sizeof entry.why,
	    SPAN("a rule not to be asked again was revoked"));
	snprintf(entry.detail, sizeof entry.detail, "by user %lu",
	    (unsigned long)link->peer.uid);
	entry_send(b, &entry, (struct span){0}, (struct span){0});
	result_begin(&m, channel_out(link->channel), id);
	json_put_string(&m.json, "rule", params->handle);
	link_answer(link, &m, id, 0);
	return 0;
}
