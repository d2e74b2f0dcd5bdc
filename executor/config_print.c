/*
 * A configuration in words, for `check`.
 */
#include "common/lock.h"
#include "executor/config.h"

#include <inttypes.h>

static void
add_users(struct buf *out, const struct config_peers *peers)
{
	if (peers->count == 0) {
		buf_add_text(out, "nobody");
		return;
	}
	for (size_t i = 0; i < peers->count; i++)
		buf_add_format(out, "%suser %lu",
		    i == 0		    ? ""
		    : i + 1 == peers->count ? " and "
					    : ", ",
		    (unsigned long)peers->uid[i]);
}

static const char *
session_words(enum session_mode mode)
{
	switch (mode) {
	case SESSION_PER_MESSAGE:
		return "a session for each message";
	case SESSION_PER_TASK:
		return "a session for each task";
	default:
		return "one standing session that forgets nothing it has seen";
	}
}

static void
print_channels(const struct config_zone *zone, struct buf *out)
{
	static const char *const suspect[SUSPECT_WAYS] = {
	    [SUSPECT_WITHHOLD] = "; what is suspect waits for a person",
	    [SUSPECT_PASS] = "; what is suspect is passed on",
	    [SUSPECT_NARROW] = "; of what is suspect, narrow fields are given",
	};
	const char *between = "reads ";

	for (unsigned i = 0; i < CHANNEL_COUNT; i++) {
		if ((zone->channels & CHANNEL_BIT(i)) == 0)
			continue;
		buf_add_format(out, "%s%s", between,
		    i == CHANNEL_MAIL ? "mail" : "what calls bring back");
		between = " and ";
	}
	buf_add_text(out, suspect[zone->suspect]);
}

static void
print_machine(const struct config_machine *m, struct buf *out)
{
	buf_add_format(out,
	    "    in machines of %" PRIu32 " MB and %" PRIu32 " CPU%s, %" PRIu32
	    " kept ready",
	    m->memory_mb, m->cpus, m->cpus == 1 ? "" : "s", m->warm);
	if (m->provider != PROVIDER_ANY)
		buf_add_format(out, ", by %s", provider_name(m->provider));
	if (m->isolation != ISOLATION_ANY)
		buf_add_format(out, ", isolated by %s or more",
		    isolation_name(m->isolation));
	if (m->recycle_after != 0)
		buf_add_format(
		    out, ", each for %" PRIu32 " items", m->recycle_after);
	if (m->recycle_minutes != 0)
		buf_add_format(
		    out, ", each for %" PRIu32 " minutes", m->recycle_minutes);
	buf_add_text(out, "\n");
}

static void
print_zone(const struct config *config, const struct config_zone *zone,
    struct buf *out)
{
	buf_add_format(out, "  %s: ", zone->name);
	if (zone->kind == ZONE_READER)
		print_channels(zone, out);
	else
		buf_add_format(out,
		    "thinks, %s; each ends after %g s, at most %" PRIu32
		    " at a time and %" PRIu32 " calls a minute",
		    session_words(zone->session), zone->deadline_ms / 1000.0,
		    zone->max_sessions, zone->max_calls_per_minute);
	buf_add_format(
	    out, "\n    connects to %s/%s.sock as ", config->run, zone->name);
	add_users(out, &zone->peers);
	buf_add_text(out, "\n    has to attest");
	for (unsigned i = 0; i < NEED_COUNT; i++)
		if ((zone->needs & NEED_BIT(i)) != 0)
			buf_add_format(out, " %s", need_name(i));
	buf_add_text(out, zone->needs == 0 ? " nothing\n" : "\n");
	if (zone->account != NULL)
		buf_add_format(out, "    runs as %s where it has accounts\n",
		    zone->account);
	if (zone->trust_auth != NULL)
		buf_add_format(out, "    believes %s about who sent a mail\n",
		    zone->trust_auth);
	print_machine(&zone->machine, out);
}

static void
print_deliver(const struct config *config, struct buf *out)
{
	if (config->deliver_channel_count == 0) {
		buf_add_text(out, "Nothing can be delivered.\n");
		return;
	}
	buf_add_text(out, "Delivered may be: ");
	for (size_t i = 0; i < config->deliver_channel_count; i++)
		buf_add_format(out, "%s%s", i == 0 ? "" : ", ",
		    config->deliver_channels[i]);
	buf_add_format(out, "; at most %" PRIu32 " a minute, by ",
	    config->deliver_per_minute);
	add_users(out, &config->deliver_peers);
	buf_add_text(out, ".\n");
}

static void
print_keep(const struct config_keep *keep, struct buf *out)
{
	if (keep->bytes == 0 && keep->days == 0)
		buf_add_text(out, "Of the audit nothing is removed.\n");
	if (keep->bytes != 0)
		buf_add_format(out,
		    "The oldest records of the audit go when it has more than "
		    "%" PRIu64 " bytes.\n",
		    keep->bytes);
	if (keep->days != 0)
		buf_add_format(out,
		    "Records of the audit go when they are older than %" PRIu32
		    " days.\n",
		    keep->days);
}

static void
print_inputs(const struct config_inputs *inputs, struct buf *out)
{
	if (inputs->recipient == NULL) {
		buf_add_text(out,
		    "What is decided on is not kept, so policy replay has "
		    "nothing to decide again: name an audit recipient.\n");
		return;
	}
	buf_add_format(out,
	    "What is decided on is kept sealed for %s, at most %" PRIu64
	    " bytes and %" PRIu32 " days.\n",
	    inputs->recipient, inputs->total_bytes, inputs->keep_days);
}

static void
print_anchors(const struct config *config, struct buf *out)
{
	if (config->audit_anchor_count == 0) {
		buf_add_text(out, "The audit has no anchors: who can write its "
				  "folder can cut its end unseen.\n");
		return;
	}
	buf_add_text(out, "Starts and heads of the audit go to");
	for (size_t i = 0; i < config->audit_anchor_count; i++) {
		const struct config_anchor *row = &config->audit_anchors[i];

		buf_add_format(out, "%s %s", i == 0 ? "" : ",",
		    row->place[0] == '\0' ? "the system log" : row->place);
		if (strcmp(row->kind, "notify") == 0)
			buf_add_format(out,
			    " (a capability, which only the audit uses; at "
			    "most a line in %u minutes)",
			    row->minutes);
	}
	buf_add_text(out, ".\n");
}

void
config_print(const struct config *config, struct buf *out)
{
	buf_add_format(out,
	    "State is kept in %s, the audit in %s, sockets in %s.\n"
	    "What may be done is in %s.\n",
	    config->state, config->audit, config->run, config->policy);
	print_keep(&config->audit_keep, out);
	print_inputs(&config->audit_inputs, out);
	print_anchors(config, out);
	buf_add_text(out, config->zone_count == 0
			      ? "No zones: nobody is served.\n"
			      : "Zones:\n");
	for (size_t i = 0; i < config->zone_count; i++)
		print_zone(config, &config->zones[i], out);
	buf_add_format(out,
	    "The inbox holds at most %" PRIu32 " items and %" PRIu64
	    " bytes; what is done is dropped after %" PRIu32 " days.\n",
	    config->inbox.items, config->inbox.total_bytes,
	    config->inbox.done_days);
	print_deliver(config, out);
	for (size_t i = 0; i < config->server_count; i++) {
		char text[CONFIG_SERVER_BYTES];

		config_server_format(&config->servers[i], text);
		buf_add_format(out, "%s%s%s",
		    i == 0 ? "Names of accounts are looked up with " : ", ",
		    text, i + 1 == config->server_count ? ".\n" : "");
	}
	buf_add_text(out, "Started as root, processes run as");
	for (int i = 0; i < ACCOUNT_ROLES; i++)
		buf_add_format(
		    out, "%s %s", i == 0 ? "" : ",", config->accounts[i]);
	buf_add_text(out, ".\n");
	buf_add_text(out, "The operator's socket is for ");
	add_users(out, &config->operator_peers);
	if (config->machine_peers.count != 0) {
		buf_add_text(out, ".\nMachines of zones are announced by root "
				  "and by ");
		add_users(out, &config->machine_peers);
	}
	buf_add_text(out, ".\nTickets are approved by root");
	if (config->reviewer.count != 0)
		buf_add_format(out,
		    " and by user %lu, under whom nothing else "
		    "may run",
		    (unsigned long)config->reviewer.uid[0]);
	buf_add_format(out,
	    ".\nThe operator has %zu addresses of his own and %zu in his "
	    "address book.\n",
	    config->own.count, config->book.count);
	buf_add_format(out, "%s%s.\n",
	    config->operator_recipient == NULL
		? "No recipient is named: nothing can be sealed"
		: "What is sealed opens with the key of ",
	    config->operator_recipient == NULL ? ""
					       : config->operator_recipient);
}
