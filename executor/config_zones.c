/*
 * Zones and peers of the configuration. Runs in the parent, and in the broker
 * on the text the parent gave it. Believes the operator's intent, not his
 * typing. Looks users up; opens nothing else.
 */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "common/account.h"
#include "common/alloc.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/lock.h"
#include "executor/config_impl.h"
#include "executor/name.h"
#include "proto/clean.h"

#define DEADLINE_MS_DEFAULT 300000 /* five minutes for one message */
#define DEADLINE_MS_LEAST 1000
#define DEADLINE_MS_MOST 86400000 /* a day */
#define SESSIONS_DEFAULT 4
#define SESSIONS_MOST 64   /* each holds an instance of the zone */
#define CALLS_DEFAULT 6000 /* 100 a second: some 70 KB of audit */
#define CALLS_MOST 10000000

/* Sockets that are not zones, and one that will not be. */
static const char *const reserved_names[] = {
    "operator", "deliver", "control", "machines"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *
zone_kind_name(enum zone_kind kind)
{
	static const char *const names[ZONE_KIND_COUNT] = {
	    [ZONE_PLANNER] = "planner",
	    [ZONE_READER] = "reader",
	};

	return names[kind];
}

const char *
suspect_way_name(enum suspect_way way)
{
	static const char *const names[SUSPECT_WAYS] = {
	    [SUSPECT_WITHHOLD] = "withhold",
	    [SUSPECT_PASS] = "pass",
	    [SUSPECT_NARROW] = "narrow",
	};

	return names[way];
}

const char *
config_channel_name(enum reader_channel channel)
{
	static const char *const names[CHANNEL_COUNT] = {
	    [CHANNEL_MAIL] = "mail",
	    [CHANNEL_TEXT] = "text",
	};

	return names[channel];
}

bool
config_channel_known(struct span channel)
{
	return span_is(channel, config_channel_name(CHANNEL_MAIL));
}

int
config_require_channel(const struct json_doc *doc, const struct json_node *node,
    struct json_error *where)
{
	if (node->type == JSON_STRING &&
	    config_channel_known(node->value.string))
		return 0;
	return json_complain(doc, node, where, ERR_RANGE,
	    "a channel has to be \"mail\", there are no others yet");
}

/*
 * Zones.
 */
struct zone_text {
	const struct json_node *kind, *session, *channel, *require, *suspect;
	const struct json_node *trust_auth, *account;
	int64_t deadline_ms, max_sessions, max_calls_per_minute;
	struct config_machine_text machine;
};

static const struct json_field planner_fields[] = {
    {"kind", JSON_WANT_ANY, true, offsetof(struct zone_text, kind), 0, 0},
    {"session", JSON_WANT_ANY, false, offsetof(struct zone_text, session), 0,
	0},
    {"require", JSON_WANT_ARRAY, false, offsetof(struct zone_text, require), 0,
	NEED_COUNT},
    {"deadline_ms", JSON_WANT_INTEGER, false,
	offsetof(struct zone_text, deadline_ms), DEADLINE_MS_LEAST,
	DEADLINE_MS_MOST},
    {"max_sessions", JSON_WANT_INTEGER, false,
	offsetof(struct zone_text, max_sessions), 1, SESSIONS_MOST},
    {"max_calls_per_minute", JSON_WANT_INTEGER, false,
	offsetof(struct zone_text, max_calls_per_minute), 60, CALLS_MOST},
    {"account", JSON_WANT_ANY, false, offsetof(struct zone_text, account), 0,
	0},
    CONFIG_MACHINE_ROWS(struct zone_text),
};

static const struct json_field reader_fields[] = {
    {"kind", JSON_WANT_ANY, true, offsetof(struct zone_text, kind), 0, 0},
    {"channel", JSON_WANT_ANY, true, offsetof(struct zone_text, channel), 0, 0},
    {"suspect", JSON_WANT_ANY, false, offsetof(struct zone_text, suspect), 0,
	0},
    {"trust_auth", JSON_WANT_ARRAY, false,
	offsetof(struct zone_text, trust_auth), 0, CLEAN_TRUSTED},
    {"require", JSON_WANT_ARRAY, false, offsetof(struct zone_text, require), 0,
	NEED_COUNT},
    {"account", JSON_WANT_ANY, false, offsetof(struct zone_text, account), 0,
	0},
    CONFIG_MACHINE_ROWS(struct zone_text),
};

static int
read_session(const struct json_doc *doc, const struct json_node *node,
    enum session_mode *mode_out, struct json_error *where)
{
	enum session_mode mode = SESSION_MODE_COUNT;

	if (node->type == JSON_STRING)
		mode = session_mode_find(node->value.string);
	if (mode != SESSION_MODE_COUNT) {
		*mode_out = mode;
		return 0;
	}
	return json_complain(doc, node, where, ERR_RANGE,
	    "\"session\" has to be per-message, per-task or standing");
}

static int
read_need(const struct json_doc *doc, const struct json_node *node,
    uint32_t *needs, struct json_error *where)
{
	for (unsigned i = 0; i < NEED_COUNT; i++)
		if (json_is_string(node, need_name(i))) {
			*needs |= NEED_BIT(i);
			return 0;
		}
	return json_complain(doc, node, where, ERR_RANGE,
	    "\"require\" lists filter, landlock, no-network, namespaces, "
	    "own-root, own-user, cgroup, probes, profile");
}

/* What a zone has to attest; an empty list asks for nothing. */
static int
read_needs(struct config_zone *zone, const struct json_doc *doc,
    const struct json_node *list, struct json_error *where)
{
	const struct json_node *node;
	int rc = 0;

	zone->needs = list == NULL ? NEED_DEFAULT : 0;
	for (node = list == NULL ? NULL : json_first(doc, list);
	     node != NULL && rc == 0; node = json_next(doc, list, node))
		rc = read_need(doc, node, &zone->needs, where);
	return rc;
}

/* What any zone may have; its other keys are read. */
static int
take_common(struct config_zone *zone, const struct json_doc *doc,
    const struct json_node *node, const struct zone_text *text,
    struct json_error *where)
{
	int rc = read_needs(zone, doc, text->require, where);

	if (rc == 0 && text->account != NULL)
		rc = config_read_account(
		    doc, text->account, &zone->account, where);
	return rc != 0 ? rc
		       : config_take_machine(
			     zone, doc, node, &text->machine, where);
}

static int
read_planner(struct config_zone *zone, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	struct zone_text text = {.deadline_ms = DEADLINE_MS_DEFAULT,
	    .max_sessions = SESSIONS_DEFAULT,
	    .max_calls_per_minute = CALLS_DEFAULT,
	    .machine = config_machine_usual(ZONE_PLANNER)};
	int rc = json_read(
	    doc, node, planner_fields, COUNT(planner_fields), &text, where);

	zone->kind = ZONE_PLANNER;
	if (rc == 0 && text.session != NULL)
		rc = read_session(doc, text.session, &zone->session, where);
	zone->deadline_ms = (uint32_t)text.deadline_ms;
	zone->max_sessions = (uint32_t)text.max_sessions;
	zone->max_calls_per_minute = (uint32_t)text.max_calls_per_minute;
	return rc != 0 ? rc : take_common(zone, doc, node, &text, where);
}

static int
add_channel(const struct config *config, struct config_zone *zone,
    const struct json_doc *doc, const struct json_node *node,
    struct json_error *where)
{
	unsigned i = 0;

	while (i < CHANNEL_COUNT &&
	       (node->type != JSON_STRING ||
		   !span_is(node->value.string,
		       config_channel_name((enum reader_channel)i))))
		i++;
	if (i == CHANNEL_COUNT)
		return json_complain(doc, node, where, ERR_RANGE,
		    "a reader's channel has to be \"mail\" or \"text\", or "
		    "a list of both; there are no others yet");
	if ((zone->channels & CHANNEL_BIT(i)) != 0 ||
	    config_reader(config, (enum reader_channel)i) != NULL)
		return json_complain(doc, node, where, ERR_RANGE,
		    "channel \"%s\" has a reader already",
		    config_channel_name((enum reader_channel)i));
	zone->channels |= CHANNEL_BIT(i);
	return 0;
}

/* One name, or a list of at least one. */
static int
read_channels(const struct config *config, struct config_zone *zone,
    const struct json_doc *doc, const struct json_node *node,
    struct json_error *where)
{
	const struct json_node *each;
	int rc = 0;

	if (node->type != JSON_ARRAY || node->count == 0)
		return add_channel(config, zone, doc, node, where);
	for (each = json_first(doc, node); each != NULL && rc == 0;
	     each = json_next(doc, node, each))
		rc = add_channel(config, zone, doc, each, where);
	return rc;
}

static int
read_suspect(struct config_zone *zone, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	for (int i = 0; i < SUSPECT_WAYS; i++)
		if (json_is_string(
			node, suspect_way_name((enum suspect_way)i))) {
			zone->suspect = (enum suspect_way)i;
			return 0;
		}
	return json_complain(doc, node, where, ERR_RANGE,
	    "\"suspect\" has to be withhold, pass or narrow");
}

/* Hosts in the reader's form; what they say of senders is believed. */
static int
read_trusted(struct config_zone *zone, const struct json_doc *doc,
    const struct json_node *list, struct json_error *where)
{
	const struct json_node *node;
	struct buf hosts;
	int rc = 0;

	buf_init(&hosts, CLEAN_TRUSTED * (CLEAN_DOMAIN_BYTES + 1));
	for (node = json_first(doc, list); node != NULL && rc == 0;
	     node = json_next(doc, list, node)) {
		if (node->type != JSON_STRING ||
		    !clean_domain_valid(node->value.string))
			rc = json_complain(doc, node, where, ERR_RANGE,
			    "\"trust_auth\" lists names of hosts, in lower case");
		else
			(void)buf_add_format(&hosts, "%s%.*s",
			    hosts.len == 0 ? "" : ",",
			    (int)node->value.string.n, node->value.string.p);
	}
	if (rc == 0 && hosts.len != 0)
		zone->trust_auth = alloc_text(hosts.data, hosts.len);
	buf_free(&hosts);
	return rc;
}

static int
read_reader(const struct config *config, struct config_zone *zone,
    const struct json_doc *doc, const struct json_node *node,
    struct json_error *where)
{
	struct zone_text text = {.machine = config_machine_usual(ZONE_READER)};
	int rc = json_read(
	    doc, node, reader_fields, COUNT(reader_fields), &text, where);

	zone->kind = ZONE_READER;
	if (rc == 0)
		rc = read_channels(config, zone, doc, text.channel, where);
	if (rc == 0 && text.suspect != NULL)
		rc = read_suspect(zone, doc, text.suspect, where);
	if (rc == 0 && text.trust_auth != NULL)
		rc = read_trusted(zone, doc, text.trust_auth, where);
	return rc != 0 ? rc : take_common(zone, doc, node, &text, where);
}

static int
read_zone_name(const struct json_doc *doc, const struct json_node *key,
    struct json_error *where)
{
	int rc = name_require(doc, key, "the name of a zone", where);

	for (size_t i = 0; i < COUNT(reserved_names) && rc == 0; i++)
		if (json_is_string(key, reserved_names[i]))
			rc = json_complain(doc, key, where, ERR_RANGE,
			    "\"%s\" is the name of another socket",
			    reserved_names[i]);
	return rc;
}

static int
read_zone(struct config *config, const struct json_doc *doc,
    const struct json_node *key, struct json_error *where)
{
	struct config_zone *zone = &config->zones[config->zone_count];
	const struct json_node *node = json_value(key);
	const struct json_node *kind = json_get(doc, node, "kind");
	int rc = read_zone_name(doc, key, where);

	if (rc != 0)
		return rc;
	if (json_is_string(kind, zone_kind_name(ZONE_PLANNER)))
		rc = read_planner(zone, doc, node, where);
	else if (json_is_string(kind, zone_kind_name(ZONE_READER)))
		rc = read_reader(config, zone, doc, node, where);
	else
		rc = json_complain(doc, kind == NULL ? node : kind, where,
		    kind == NULL ? ERR_MISSING_KEY : ERR_RANGE,
		    "\"kind\" of a zone has to be planner or reader");
	zone->name = alloc_text(key->value.string.p, key->value.string.n);
	config->zone_count++;
	return rc;
}

int
config_read_zones(struct config *config, const struct json_doc *doc,
    const struct json_node *zones, struct json_error *where)
{
	const struct json_node *key;
	int rc = 0;

	if (zones == NULL)
		return 0;
	config->zones = alloc_array(zones->count, sizeof *config->zones);
	for (key = json_first(doc, zones); key != NULL && rc == 0;
	     key = json_next(doc, zones, key))
		rc = read_zone(config, doc, key, where);
	return rc;
}

const struct config_zone *
config_zone(const struct config *config, struct span name)
{
	for (size_t i = 0; i < config->zone_count; i++)
		if (span_is(name, config->zones[i].name))
			return &config->zones[i];
	return NULL;
}

const struct config_zone *
config_reader(const struct config *config, enum reader_channel channel)
{
	for (size_t i = 0; i < config->zone_count; i++)
		if ((config->zones[i].channels & CHANNEL_BIT(channel)) != 0)
			return &config->zones[i];
	return NULL;
}

/*
 * Peers.
 */
bool
config_peer_allowed(const struct config_peers *peers, uid_t uid)
{
	for (size_t i = 0; i < peers->count; i++)
		if (peers->uid[i] == uid)
			return true;
	return false;
}

static void
default_peers(struct config_peers *peers)
{
	peers->uid[0] = 0;
	peers->uid[1] = geteuid();
	peers->count = geteuid() == 0 ? 1 : 2;
}

/* Where zones have accounts they connect as those. */
static void
add_account(const struct config *config, struct config_zone *zone)
{
	struct account account;
	char reason[200];

	if (geteuid() == 0 && account_find(config_zone_account(config, zone),
				  &account, reason, sizeof reason) == 0)
		zone->peers.uid[zone->peers.count++] = account.uid;
}

/* Without `look_up` a name is passed over. */
static int
read_user(const struct json_doc *doc, const struct json_node *node,
    bool look_up, struct config_peers *peers, struct json_error *where)
{
	uid_t *uid_out = &peers->uid[peers->count];
	const struct passwd *user = NULL;
	char name[64];

	if (node->type == JSON_INTEGER && node->value.integer >= 0 &&
	    node->value.integer < UINT32_MAX) {
		*uid_out = (uid_t)node->value.integer;
		peers->count++;
		return 0;
	}
	if (node->type != JSON_STRING ||
	    span_copy(node->value.string, name, sizeof name) != 0)
		return json_complain(doc, node, where, ERR_TYPE,
		    "a peer has to be the name or the number of a user");
	if (!look_up)
		return 0;
	errno = 0;
	user = getpwnam(name);
	if (user == NULL)
		return json_complain(doc, node, where, ERR_RANGE,
		    "there is no user \"%s\"%s%s", name, errno == 0 ? "" : ": ",
		    errno == 0 ? "" : strerror(errno));
	*uid_out = user->pw_uid;
	peers->count++;
	return 0;
}

static int
read_peer_list(struct config_peers *peers, const struct json_doc *doc,
    const struct json_node *list, bool look_up, struct json_error *where)
{
	const struct json_node *node;
	int rc = 0;

	if (list->type != JSON_ARRAY || list->count > CONFIG_MAX_PEERS)
		return json_complain(doc, list, where, ERR_TYPE,
		    "peers of a socket are a list of at most %u users",
		    CONFIG_MAX_PEERS);
	peers->count = 0;
	for (node = json_first(doc, list); node != NULL && rc == 0;
	     node = json_next(doc, list, node))
		rc = read_user(doc, node, look_up, peers, where);
	return rc;
}

/* The peers of the socket of that name, or NULL. */
static struct config_peers *
find_peers(struct config *config, const struct json_node *name)
{
	if (json_is_string(name, "deliver"))
		return &config->deliver_peers;
	if (json_is_string(name, "operator"))
		return &config->operator_peers;
	if (json_is_string(name, "machines"))
		return &config->machine_peers;
	for (size_t i = 0; i < config->zone_count; i++)
		if (json_is_string(name, config->zones[i].name))
			return &config->zones[i].peers;
	return NULL;
}

/* Which process has that user as its account, or NULL. */
static const char *
role_of(const struct config *config, uid_t uid)
{
	struct account account;
	char reason[200];

	for (int i = 0; i < ACCOUNT_ROLES; i++)
		if (account_find(config->accounts[i], &account, reason,
			sizeof reason) == 0 &&
		    account.uid == uid)
			return account_role_name((enum account_role)i);
	for (size_t i = 0; i < config->zone_count; i++)
		if (config->zones[i].account != NULL &&
		    account_find(config->zones[i].account, &account, reason,
			sizeof reason) == 0 &&
		    account.uid == uid)
			return config->zones[i].name;
	return NULL;
}

/* A zone is not to say itself in which machine it runs. */
static int
require_outsiders(const struct config *config, const struct json_doc *doc,
    const struct json_node *list, struct json_error *where)
{
	const struct config_peers *peers = &config->machine_peers;

	for (size_t i = 0; i < peers->count; i++) {
		const char *role = role_of(config, peers->uid[i]);

		if (role != NULL)
			return json_complain(doc, list, where, ERR_RANGE,
			    "who announces machines has to be none of our "
			    "processes; one of these is also: %s",
			    role);
	}
	return 0;
}

int
config_read_peers(struct config *config, const struct json_doc *doc,
    const struct json_node *peers, bool look_up, struct json_error *where)
{
	const struct json_node *key;
	int rc = 0;

	default_peers(&config->deliver_peers);
	default_peers(&config->operator_peers);
	for (size_t i = 0; i < config->zone_count; i++) {
		default_peers(&config->zones[i].peers);
		if (look_up)
			add_account(config, &config->zones[i]);
	}
	for (key = json_first(doc, peers); key != NULL && rc == 0;
	     key = json_next(doc, peers, key)) {
		struct config_peers *list = find_peers(config, key);

		if (list == NULL)
			return json_complain(doc, key, where, ERR_UNKNOWN_KEY,
			    "peers are of a zone, of \"deliver\", of "
			    "\"operator\" or of \"machines\"");
		rc = read_peer_list(list, doc, json_value(key), look_up, where);
		if (rc == 0 && list == &config->machine_peers && look_up)
			rc = require_outsiders(
			    config, doc, json_value(key), where);
	}
	return rc;
}

/* Who else is that user, or NULL. Our own is looked at by the parent: a
 * reviewer reads the configuration too. */
static const char *
other_use(const struct config *config, uid_t uid)
{
	if (uid == 0)
		return "root, who may approve anyway";
	for (size_t i = 0; i < config->zone_count; i++)
		if (uid != geteuid() &&
		    config_peer_allowed(&config->zones[i].peers, uid))
			return config->zones[i].name;
	if (uid != geteuid() &&
	    config_peer_allowed(&config->deliver_peers, uid))
		return "deliver";
	if (config_peer_allowed(&config->machine_peers, uid))
		return "machines";
	return role_of(config, uid);
}

int
config_read_reviewer(struct config *config, const struct json_doc *doc,
    const struct json_node *node, bool look_up, struct json_error *where)
{
	struct config_peers *operators = &config->operator_peers;
	int rc = read_user(doc, node, look_up, &config->reviewer, where);
	const char *other;
	uid_t uid;

	if (rc != 0 || !look_up)
		return rc;
	uid = config->reviewer.uid[0];
	other = other_use(config, uid);
	if (other != NULL)
		return json_complain(doc, node, where, ERR_RANGE,
		    "the reviewer has to be a user of his own; this one is "
		    "also: %s",
		    other);
	if (config_peer_allowed(operators, uid))
		return 0;
	if (operators->count == CONFIG_MAX_PEERS)
		return json_complain(doc, node, where, ERR_RANGE,
		    "the operator's socket has as many peers as it may");
	operators->uid[operators->count++] = uid;
	return 0;
}
