/*
 * A configuration as one JSON object, defaults filled in. Pure.
 */
#include "common/lock.h"
#include "executor/config.h"

static void
put_peers(struct json_writer *w, const struct config_peers *peers)
{
	json_key(w, "peers");
	json_open(w, '[');
	for (size_t i = 0; i < peers->count; i++)
		json_integer(w, peers->uid[i]);
	json_close(w, ']');
}

static void
put_machine(struct json_writer *w, const struct config_machine *machine)
{
	if (machine->provider != PROVIDER_ANY)
		json_put_text(w, "provider", provider_name(machine->provider));
	if (machine->isolation != ISOLATION_ANY)
		json_put_text(
		    w, "isolation", isolation_name(machine->isolation));
	json_put_integer(w, "memory_mb", machine->memory_mb);
	json_put_integer(w, "cpus", machine->cpus);
	json_put_integer(w, "warm", machine->warm);
	if (machine->recycle_after != 0)
		json_put_integer(w, "recycle_after", machine->recycle_after);
	if (machine->recycle_minutes != 0)
		json_put_integer(
		    w, "recycle_minutes", machine->recycle_minutes);
}

static void
put_trusted(struct json_writer *w, const char *hosts)
{
	json_key(w, "trust_auth");
	json_open(w, '[');
	while (hosts != NULL) {
		size_t n = strcspn(hosts, ",");

		json_string(w, (struct span){hosts, n});
		hosts = hosts[n] == ',' ? hosts + n + 1 : NULL;
	}
	json_close(w, ']');
}

static void
put_zone(struct json_writer *w, const struct config_zone *zone)
{
	json_key(w, zone->name);
	json_open(w, '{');
	json_put_text(w, "kind", zone_kind_name(zone->kind));
	if (zone->kind == ZONE_PLANNER) {
		json_put_text(w, "session", session_mode_name(zone->session));
		json_put_integer(w, "deadline_ms", zone->deadline_ms);
		json_put_integer(w, "max_sessions", zone->max_sessions);
		json_put_integer(
		    w, "max_calls_per_minute", zone->max_calls_per_minute);
	} else {
		json_key(w, "channel");
		json_open(w, '[');
		for (unsigned i = 0; i < CHANNEL_COUNT; i++)
			if ((zone->channels & CHANNEL_BIT(i)) != 0)
				json_text(w, config_channel_name(
						 (enum reader_channel)i));
		json_close(w, ']');
		json_put_text(w, "suspect", suspect_way_name(zone->suspect));
		put_trusted(w, zone->trust_auth);
	}
	json_key(w, "require");
	json_open(w, '[');
	for (unsigned i = 0; i < NEED_COUNT; i++)
		if ((zone->needs & NEED_BIT(i)) != 0)
			json_text(w, need_name(i));
	json_close(w, ']');
	if (zone->account != NULL)
		json_put_text(w, "account", zone->account);
	put_machine(w, &zone->machine);
	put_peers(w, &zone->peers);
	json_close(w, '}');
}

static void
put_accounts(struct json_writer *w, const struct config *config)
{
	json_key(w, "accounts");
	json_open(w, '{');
	for (int i = 0; i < ACCOUNT_ROLES; i++)
		json_put_text(w, account_role_name((enum account_role)i),
		    config->accounts[i]);
	json_close(w, '}');
}

static void
put_deliver(struct json_writer *w, const struct config *config)
{
	json_key(w, "deliver");
	json_open(w, '{');
	json_key(w, "channels");
	json_open(w, '[');
	for (size_t i = 0; i < config->deliver_channel_count; i++)
		json_text(w, config->deliver_channels[i]);
	json_close(w, ']');
	json_put_integer(w, "max_per_minute", config->deliver_per_minute);
	put_peers(w, &config->deliver_peers);
	json_close(w, '}');
}

static void
put_people(
    struct json_writer *w, const char *key, const struct config_people *people)
{
	json_key(w, key);
	json_open(w, '[');
	for (size_t i = 0; i < people->count; i++)
		json_text(w, people->address[i]);
	json_close(w, ']');
}

/* As they are written in the configuration. */
static void
put_anchors(struct json_writer *w, const struct config *config)
{
	json_key(w, "anchors");
	json_open(w, '[');
	for (size_t i = 0; i < config->audit_anchor_count; i++) {
		const struct config_anchor *row = &config->audit_anchors[i];

		json_open(w, '{');
		if (row->place[0] == '\0')
			json_put_boolean(w, row->kind, true);
		else
			json_put_text(w, row->kind, row->place);
		if (strcmp(row->kind, "notify") == 0)
			json_put_integer(w, "minutes", row->minutes);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
put_servers(struct json_writer *w, const struct config *config)
{
	char text[CONFIG_SERVER_BYTES];

	json_key(w, "resolver");
	json_open(w, '{');
	json_key(w, "servers");
	json_open(w, '[');
	for (size_t i = 0; i < config->server_count; i++) {
		config_server_format(&config->servers[i], text);
		json_text(w, text);
	}
	json_close(w, ']');
	json_close(w, '}');
}

void
config_print_json(const struct config *config, struct buf *out)
{
	struct json_writer w;

	json_write_init(&w, out);
	json_open(&w, '{');
	json_put_text(&w, "state", config->state);
	json_put_text(&w, "run", config->run);
	json_put_text(&w, "audit", config->audit);
	json_put_integer(&w, "log_bytes", (int64_t)config->audit_keep.bytes);
	json_put_integer(&w, "log_days", config->audit_keep.days);
	json_key(&w, "decision_inputs");
	json_open(&w, '{');
	json_put_boolean(&w, "kept", config->audit_inputs.recipient != NULL);
	if (config->audit_inputs.recipient != NULL)
		json_put_text(&w, "recipient", config->audit_inputs.recipient);
	json_put_integer(
	    &w, "max_bytes", (int64_t)config->audit_inputs.total_bytes);
	json_put_integer(&w, "keep_days", config->audit_inputs.keep_days);
	json_close(&w, '}');
	put_anchors(&w, config);
	json_put_text(&w, "policy", config->policy);
	json_key(&w, "zones");
	json_open(&w, '{');
	for (size_t i = 0; i < config->zone_count; i++)
		put_zone(&w, &config->zones[i]);
	json_close(&w, '}');
	if (config->server_count != 0)
		put_servers(&w, config);
	put_deliver(&w, config);
	put_accounts(&w, config);
	json_key(&w, "operator");
	json_open(&w, '{');
	if (config->operator_recipient != NULL)
		json_put_text(&w, "recipient", config->operator_recipient);
	put_people(&w, "own", &config->own);
	put_people(&w, "book", &config->book);
	put_peers(&w, &config->operator_peers);
	json_close(&w, '}');
	if (config->machine_peers.count != 0) {
		json_key(&w, "machines");
		json_open(&w, '{');
		put_peers(&w, &config->machine_peers);
		json_close(&w, '}');
	}
	if (config->reviewer.count != 0)
		json_put_integer(&w, "reviewer", config->reviewer.uid[0]);
	json_close(&w, '}');
}
