/*
 * config.json to a typed structure. Runs in the parent, and in the broker on
 * the text the parent gave it. Believes the operator's intent, not his typing:
 * what is not understood is an error with its place, never ignored.
 */
#include "executor/config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/limits.h"
#include "executor/config_impl.h"

#define CONFIG_VERSION 1
#define MAX_ITEMS_DEFAULT 100000
#define MAX_ITEMS_MOST 10000000
#define MAX_BYTES_DEFAULT ((int64_t)2 << 30)
#define MAX_BYTES_MOST ((int64_t)1 << 40)
#define KEEP_DAYS_DEFAULT 30
#define KEEP_DAYS_MOST 3650
#define PER_MINUTE_DEFAULT 600
#define PER_MINUTE_MOST 100000
/* 16 segments, each with room for the longest decision */
#define LOG_BYTES_LEAST (32 << 20)
#define LOG_BYTES_MOST (INT64_C(1) << 42) /* 4 TiB */
#define INPUTS_BYTES_LEAST (32 << 20)
#define INPUTS_BYTES_DEFAULT (1 << 30)
#define INPUTS_DAYS_DEFAULT 90

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct config_text {
	int64_t version;
	const struct json_node *state, *run, *policy, *audit, *zones;
	const struct json_node *inbox, *deliver, *operator_, *accounts, *peers;
	const struct json_node *reviewer, *resolver;
};

static const struct json_field config_fields[] = {
    {"version", JSON_WANT_INTEGER, true, offsetof(struct config_text, version),
	CONFIG_VERSION, CONFIG_VERSION},
    {"state", JSON_WANT_ANY, true, offsetof(struct config_text, state), 0, 0},
    {"run", JSON_WANT_ANY, true, offsetof(struct config_text, run), 0, 0},
    {"policy", JSON_WANT_ANY, true, offsetof(struct config_text, policy), 0, 0},
    {"audit", JSON_WANT_OBJECT, false, offsetof(struct config_text, audit), 0,
	0},
    {"zones", JSON_WANT_OBJECT, false, offsetof(struct config_text, zones), 0,
	CONFIG_MAX_ZONES},
    {"inbox", JSON_WANT_OBJECT, false, offsetof(struct config_text, inbox), 0,
	0},
    {"deliver", JSON_WANT_OBJECT, false, offsetof(struct config_text, deliver),
	0, 0},
    {"operator", JSON_WANT_OBJECT, false,
	offsetof(struct config_text, operator_), 0, 0},
    {"accounts", JSON_WANT_OBJECT, false,
	offsetof(struct config_text, accounts), 0, 0},
    {"peers", JSON_WANT_OBJECT, false, offsetof(struct config_text, peers), 0,
	0},
    {"reviewer", JSON_WANT_ANY, false, offsetof(struct config_text, reviewer),
	0, 0},
    {"resolver", JSON_WANT_OBJECT, false,
	offsetof(struct config_text, resolver), 0, 0},
};

/*
 * Paths.
 */

/* Whether each part of an absolute path is a plain name. */
static bool
plain_parts(struct span path)
{
	size_t part = 0; /* bytes of the current part */

	for (size_t i = 1; i <= path.n; i++) {
		struct span name = {path.p + i - part, part};

		if (i < path.n && path.p[i] != '/') {
			part++;
			continue;
		}
		if (part == 0 || span_is(name, ".") || span_is(name, ".."))
			return false;
		part = 0;
	}
	return true;
}

static bool
has_control(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return true;
	return false;
}

static int
require_path(const struct json_doc *doc, const struct json_node *node,
    const char *key, struct json_error *where)
{
	struct span path = node->value.string;

	if (node->type != JSON_STRING)
		return json_complain(doc, node, where, ERR_TYPE,
		    "\"%s\" has to be a string", key);
	if (path.n == 0 || path.n > CONFIG_MAX_PATH_BYTES || has_control(path))
		return json_complain(doc, node, where, ERR_PATH,
		    "\"%s\" has to be a path of at most %u bytes", key,
		    CONFIG_MAX_PATH_BYTES);
	return 0;
}

int
config_read_absolute(const struct json_doc *doc, const struct json_node *node,
    const char *key, char **path_out, struct json_error *where)
{
	int rc = require_path(doc, node, key, where);
	struct span path = node->value.string;

	if (rc != 0)
		return rc;
	if (path.p[0] != '/' || !plain_parts(path))
		return json_complain(doc, node, where, ERR_PATH,
		    "\"%s\" has to be an absolute path, without "
		    "\".\", \"..\", \"//\" or a slash at the end",
		    key);
	*path_out = alloc_text(path.p, path.n);
	return 0;
}

/* A file beside the configuration, unless absolute. */
static int
read_policy_path(struct config *config, const struct json_doc *doc,
    const struct json_node *node, const char *folder, struct json_error *where)
{
	int rc = require_path(doc, node, "policy", where);
	struct span path = node->value.string;

	if (rc != 0)
		return rc;
	if (path.p[0] == '/')
		config->policy = alloc_text(path.p, path.n);
	else
		config->policy = alloc_format("%s%s%.*s", folder,
		    strcmp(folder, "/") == 0 ? "" : "/", (int)path.n, path.p);
	return 0;
}

/* The sockets have to fit the smallest sun_path. */
static int
check_socket(const struct config *config, const struct json_doc *doc,
    const struct json_node *run, const char *name, struct json_error *where)
{
	size_t bytes = strlen(config->run) + strlen(name) + sizeof "/.sock";

	if (bytes <= CONFIG_SOCKET_BYTES)
		return 0;
	return json_complain(doc, run, where, ERR_PATH,
	    "\"run\" is %zu bytes too long for the socket %s.sock in it; "
	    "choose a shorter path",
	    bytes - CONFIG_SOCKET_BYTES, name);
}

static int
check_sockets(const struct config *config, const struct json_doc *doc,
    const struct json_node *run, struct json_error *where)
{
	int rc = check_socket(config, doc, run, "operator", where);

	for (size_t i = 0; i < config->zone_count && rc == 0; i++)
		rc = check_socket(
		    config, doc, run, config->zones[i].name, where);
	return rc;
}

/*
 * Sections.
 */
struct audit_text {
	const struct json_node *path, *recipient, *anchors;
	int64_t max_bytes, keep_days, log_bytes, log_days;
};

static int
read_audit(struct config *config, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	static const struct json_field fields[] = {
	    {"path", JSON_WANT_ANY, false, offsetof(struct audit_text, path), 0,
		0},
	    {"recipient", JSON_WANT_ANY, false,
		offsetof(struct audit_text, recipient), 0, 0},
	    {"anchors", JSON_WANT_ARRAY, false,
		offsetof(struct audit_text, anchors), 0, CONFIG_MAX_ANCHORS},
	    {"max_bytes", JSON_WANT_INTEGER, false,
		offsetof(struct audit_text, max_bytes), INPUTS_BYTES_LEAST,
		MAX_BYTES_MOST},
	    {"keep_days", JSON_WANT_INTEGER, false,
		offsetof(struct audit_text, keep_days), 1, KEEP_DAYS_MOST},
	    {"log_bytes", JSON_WANT_INTEGER, false,
		offsetof(struct audit_text, log_bytes), LOG_BYTES_LEAST,
		LOG_BYTES_MOST},
	    {"log_days", JSON_WANT_INTEGER, false,
		offsetof(struct audit_text, log_days), 1, KEEP_DAYS_MOST},
	};
	struct audit_text text = {.max_bytes = INPUTS_BYTES_DEFAULT,
	    .keep_days = INPUTS_DAYS_DEFAULT};
	int rc = 0;

	if (node != NULL)
		rc = json_read(doc, node, fields, COUNT(fields), &text, where);
	if (rc == 0)
		rc = config_read_recipient(doc, text.recipient,
		    &config->audit_inputs.recipient, where);
	if (rc == 0)
		rc = config_read_anchors(config, doc, text.anchors, where);
	config->audit_inputs.total_bytes = (uint64_t)text.max_bytes;
	config->audit_inputs.keep_days = (uint32_t)text.keep_days;
	config->audit_keep.bytes = (uint64_t)text.log_bytes;
	config->audit_keep.days = (uint32_t)text.log_days;
	if (rc != 0)
		return rc;
	if (text.path != NULL)
		return config_read_absolute(
		    doc, text.path, "audit", &config->audit, where);
	config->audit = alloc_format("%s/audit", config->state);
	return 0;
}

struct inbox_text {
	int64_t max_items, max_bytes, keep_days;
};

static int
read_inbox(struct config *config, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	static const struct json_field fields[] = {
	    {"max_items", JSON_WANT_INTEGER, false,
		offsetof(struct inbox_text, max_items), 1, MAX_ITEMS_MOST},
	    {"max_bytes", JSON_WANT_INTEGER, false,
		offsetof(struct inbox_text, max_bytes), MAIL_MAX_BYTES,
		MAX_BYTES_MOST},
	    {"keep_days", JSON_WANT_INTEGER, false,
		offsetof(struct inbox_text, keep_days), 1, KEEP_DAYS_MOST},
	};
	struct inbox_text text = {
	    MAX_ITEMS_DEFAULT, MAX_BYTES_DEFAULT, KEEP_DAYS_DEFAULT};
	int rc = 0;

	if (node != NULL)
		rc = json_read(doc, node, fields, COUNT(fields), &text, where);
	config->inbox.items = (uint32_t)text.max_items;
	config->inbox.total_bytes = (uint64_t)text.max_bytes;
	config->inbox.done_days = (uint32_t)text.keep_days;
	return rc;
}

struct deliver_text {
	const struct json_node *channels;
	int64_t max_per_minute;
};

static int
add_channel(struct config *config, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	struct span channel = node->value.string;
	int rc = config_require_channel(doc, node, where);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < config->deliver_channel_count; i++)
		if (span_is(channel, config->deliver_channels[i]))
			return json_complain(doc, node, where, ERR_RANGE,
			    "channel \"%s\" twice",
			    config->deliver_channels[i]);
	if (config_reader(config, CHANNEL_MAIL) == NULL)
		return json_complain(doc, node, where, ERR_RANGE,
		    "channel \"%.*s\" has no reader among the zones",
		    (int)channel.n, channel.p);
	config->deliver_channels[config->deliver_channel_count++] =
	    alloc_text(channel.p, channel.n);
	return 0;
}

static int
read_deliver(struct config *config, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	static const struct json_field fields[] = {
	    {"channels", JSON_WANT_ARRAY, false,
		offsetof(struct deliver_text, channels), 0, CONFIG_MAX_ZONES},
	    {"max_per_minute", JSON_WANT_INTEGER, false,
		offsetof(struct deliver_text, max_per_minute), 1,
		PER_MINUTE_MOST},
	};
	struct deliver_text text = {.max_per_minute = PER_MINUTE_DEFAULT};
	const struct json_node *channel;
	int rc = 0;

	if (node != NULL)
		rc = json_read(doc, node, fields, COUNT(fields), &text, where);
	config->deliver_per_minute = (uint32_t)text.max_per_minute;
	if (rc != 0 || text.channels == NULL)
		return rc;
	config->deliver_channels =
	    alloc_array(text.channels->count, sizeof *config->deliver_channels);
	for (channel = json_first(doc, text.channels);
	     channel != NULL && rc == 0;
	     channel = json_next(doc, text.channels, channel))
		rc = add_channel(config, doc, channel, where);
	return rc;
}

/*
 * The whole.
 */
static int
read_paths(struct config *config, const struct json_doc *doc,
    const struct config_text *text, const char *folder,
    struct json_error *where)
{
	int rc = config_read_absolute(
	    doc, text->state, "state", &config->state, where);

	if (rc == 0)
		rc = config_read_absolute(
		    doc, text->run, "run", &config->run, where);
	if (rc == 0)
		rc = read_policy_path(config, doc, text->policy, folder, where);
	if (rc == 0)
		rc = read_audit(config, doc, text->audit, where);
	return rc;
}

static int
read_config(struct config *config, const struct json_doc *doc,
    const char *folder, bool look_up, struct json_error *where)
{
	struct config_text text = {0};
	int rc = json_read(doc, json_root(doc), config_fields,
	    COUNT(config_fields), &text, where);

	if (rc == 0)
		rc = read_paths(config, doc, &text, folder, where);
	if (rc == 0)
		rc = config_read_zones(config, doc, text.zones, where);
	if (rc == 0)
		rc = check_sockets(config, doc, text.run, where);
	if (rc == 0)
		rc = read_inbox(config, doc, text.inbox, where);
	if (rc == 0)
		rc = read_deliver(config, doc, text.deliver, where);
	if (rc == 0)
		rc = config_read_operator(config, doc, text.operator_, where);
	if (rc == 0)
		rc = config_read_accounts(config, doc, text.accounts, where);
	if (rc == 0)
		rc = config_read_peers(config, doc, text.peers, look_up, where);
	if (rc == 0 && text.reviewer != NULL)
		rc = config_read_reviewer(
		    config, doc, text.reviewer, look_up, where);
	if (rc == 0)
		rc = config_read_resolver(config, doc, text.resolver, where);
	return rc;
}

static int
parse(struct span text, const char *folder, bool look_up,
    struct config **config_out, struct json_error *where)
{
	static const struct json_limits limits = {.bytes = CONFIG_MAX_BYTES};
	struct config *config = alloc_bytes(sizeof *config);
	struct json_doc doc;
	int rc;

	json_init(&doc);
	rc = json_parse(&doc, text, &limits, where);
	if (rc == 0)
		rc = read_config(config, &doc, folder, look_up, where);
	json_done(&doc);
	if (rc == 0)
		*config_out = config;
	else
		config_free(config);
	return rc;
}

int
config_parse(struct span text, const char *folder, struct config **config_out,
    struct json_error *where)
{
	return parse(text, folder, true, config_out, where);
}

int
config_parse_again(struct span text, const char *folder,
    struct config **config_out, struct json_error *where)
{
	return parse(text, folder, false, config_out, where);
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config->zone_count; i++) {
		free(config->zones[i].name);
		free(config->zones[i].trust_auth);
		free(config->zones[i].account);
	}
	for (size_t i = 0; i < config->deliver_channel_count; i++)
		free(config->deliver_channels[i]);
	for (int i = 0; i < ACCOUNT_ROLES; i++)
		free(config->accounts[i]);
	free(config->zones);
	free(config->deliver_channels);
	free(config->state);
	free(config->run);
	free(config->policy);
	free(config->audit);
	free(config->audit_inputs.recipient);
	for (size_t i = 0; i < config->audit_anchor_count; i++)
		free(config->audit_anchors[i].place);
	free(config->operator_recipient);
	config_people_free(&config->own);
	config_people_free(&config->book);
	free(config);
}

/* The folder of the file at `path`, absolute. */
static int
find_folder(const char *path, char out[PATH_MAX], struct json_error *where)
{
	const char *slash = strrchr(path, '/');
	struct span folder = {path, slash == NULL ? 0 : (size_t)(slash - path)};
	char copy[PATH_MAX] = ".";

	if (slash == path)
		folder.n = 1;
	if (folder.n != 0 && span_copy(folder, copy, sizeof copy) != 0)
		return json_complain(
		    NULL, NULL, where, ERR_PATH, "path is too long");
	if (realpath(copy, out) == NULL)
		return json_complain(NULL, NULL, where, err_from_errno(errno),
		    "its folder: %s", strerror(errno));
	return 0;
}

struct config *
config_load(const char *path, struct json_error *where)
{
	char folder[PATH_MAX], reason[sizeof where->detail];
	struct config *config = NULL;
	struct buf text;
	int rc = find_folder(path, folder, where);

	if (rc != 0)
		return NULL;
	buf_init(&text, CONFIG_MAX_BYTES);
	rc = config_read_file(path, &text, reason, sizeof reason);
	if (rc == 0)
		config_parse(
		    (struct span){text.data, text.len}, folder, &config, where);
	else
		json_complain(NULL, NULL, where, rc, "%s", reason);
	buf_free(&text);
	return config;
}

void
config_error_text(
    const char *file, const struct json_error *where, char *out, size_t room)
{
	char place[48] = "";

	if (where->line != 0)
		snprintf(
		    place, sizeof place, ":%u:%u", where->line, where->column);
	snprintf(out, room, "%s%s: %s%s%s", file, place, err_text(where->error),
	    where->detail[0] == '\0' ? "" : ": ", where->detail);
}
