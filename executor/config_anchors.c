/*
 * "anchors" of the audit in config.json. Runs in the parent, and in the broker
 * on the text the parent gave it.
 */
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/config_impl.h"
#include "executor/kind_notify.h"
#include "executor/policy.h"

#define MINUTES_MOST 1440
#define MINUTES_DEFAULT 60

struct anchor_text {
	const struct json_node *file;
	struct span notify;
	int64_t minutes; /* 0: not said */
	bool syslog;
};

static const struct json_field anchor_fields[] = {
    {"file", JSON_WANT_ANY, false, offsetof(struct anchor_text, file), 0, 0},
    {"syslog", JSON_WANT_BOOL, false, offsetof(struct anchor_text, syslog), 0,
	0},
    {"notify", JSON_WANT_STRING, false, offsetof(struct anchor_text, notify), 1,
	NAME_MAX_BYTES},
    {"minutes", JSON_WANT_INTEGER, false, offsetof(struct anchor_text, minutes),
	1, MINUTES_MOST},
};

/* What it is, and that it is one thing. */
static int
read_fields(const struct json_doc *doc, const struct json_node *node,
    struct anchor_text *text, struct json_error *where)
{
	int rc;

	if (node->type != JSON_OBJECT)
		return json_complain(doc, node, where, ERR_TYPE,
		    "an anchor has to be an object");
	rc = json_read(doc, node, anchor_fields,
	    sizeof anchor_fields / sizeof anchor_fields[0], text, where);
	if (rc != 0)
		return rc;
	if ((text->file != NULL) + text->syslog + (text->notify.n != 0) != 1)
		return json_complain(doc, node, where, ERR_RANGE,
		    "an anchor is one of {\"file\": PATH}, {\"syslog\": true} "
		    "and {\"notify\": CAPABILITY}");
	if (text->minutes != 0 && text->notify.n == 0)
		return json_complain(doc, json_get(doc, node, "minutes"), where,
		    ERR_RANGE, "\"minutes\" is for \"notify\"");
	return 0;
}

static int
read_anchor(struct config *config, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	struct config_anchor *row =
	    &config->audit_anchors[config->audit_anchor_count];
	struct anchor_text text = {0};
	int rc = read_fields(doc, node, &text, where);

	if (rc != 0)
		return rc;
	*row = (struct config_anchor){.kind = text.syslog	   ? "syslog"
					      : text.notify.n != 0 ? "notify"
								   : "file",
	    .minutes =
		(uint32_t)(text.minutes != 0 ? text.minutes : MINUTES_DEFAULT)};
	if (text.file != NULL)
		rc = config_read_absolute(
		    doc, text.file, "file", &row->place, where);
	else
		row->place = alloc_text(text.notify.p, text.notify.n);
	if (rc == 0)
		config->audit_anchor_count++;
	return rc;
}

static bool
is_notify(const struct config_anchor *row)
{
	return strcmp(row->kind, "notify") == 0;
}

/* A courier works only when the audit is open, so a notify cannot take the
 * start that opens it. */
static bool
only_notify(const struct config *config)
{
	for (size_t i = 0; i < config->audit_anchor_count; i++)
		if (!is_notify(&config->audit_anchors[i]))
			return false;
	return config->audit_anchor_count != 0;
}

int
config_read_anchors(struct config *config, const struct json_doc *doc,
    const struct json_node *list, struct json_error *where)
{
	const struct json_node *node;
	int rc = 0;

	if (list == NULL)
		return 0;
	for (node = json_first(doc, list); node != NULL && rc == 0;
	     node = json_next(doc, list, node))
		rc = read_anchor(config, doc, node, where);
	for (size_t i = 1; i < config->audit_anchor_count && rc == 0; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(config->audit_anchors[i].place,
				config->audit_anchors[j].place) == 0)
				return json_complain(doc, list, where,
				    ERR_RANGE, "the same anchor twice");
	if (rc == 0 && only_notify(config))
		return json_complain(doc, list, where, ERR_RANGE,
		    "\"notify\" cannot take the start of an audit, as nothing "
		    "is done before that: name a \"file\" or \"syslog\" too");
	return rc;
}

bool
config_is_anchor(const struct config *config, struct span capability)
{
	for (size_t i = 0; i < config->audit_anchor_count; i++)
		if (is_notify(&config->audit_anchors[i]) &&
		    span_is(capability, config->audit_anchors[i].place))
			return true;
	return false;
}

/* Whether others could write lines there that look like the audit's. */
static int
check_place(const struct policy *policy, const struct capability *c,
    char *reason, size_t room)
{
	const struct capability *other;

	if (!kind_notify_tells_apart(c->settings)) {
		snprintf(reason, room,
		    "audit.anchors: \"%s\" needs the \"identity\" \"%s\", by "
		    "which its lines are known",
		    c->name, KIND_NOTIFY_AUDIT);
		return -ERR_CONFIG;
	}
	for (uint32_t i = 0; i < policy_capability_count(policy); i++) {
		other = policy_capability(policy, i);
		if (other == c || other->kind != c->kind ||
		    !kind_notify_same_place(other->settings, c->settings))
			continue;
		snprintf(reason, room,
		    "audit.anchors: \"%s\" and \"%s\" write to the same "
		    "place: what is there could be anybody's",
		    c->name, other->name);
		return -ERR_CONFIG;
	}
	return 0;
}

int
config_check_anchors(const struct config *config, const struct policy *policy,
    char *reason, size_t room)
{
	int rc = 0;

	for (size_t i = 0; i < config->audit_anchor_count && rc == 0; i++) {
		const struct config_anchor *row = &config->audit_anchors[i];
		const struct capability *c;

		if (!is_notify(row))
			continue;
		c = policy_find(policy, span_of(row->place));
		if (c != NULL && strcmp(c->kind->name, "notify") == 0) {
			rc = check_place(policy, c, reason, room);
			continue;
		}
		snprintf(reason, room,
		    "audit.anchors: \"%s\" is no capability of kind notify",
		    row->place);
		rc = -ERR_CONFIG;
	}
	return rc;
}
