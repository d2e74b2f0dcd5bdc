/*
 * "anchors" of the audit in config.json. Runs in the parent, and in the broker
 * on the text the parent gave it.
 */
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/config_impl.h"

struct anchor_text {
	const struct json_node *file;
	bool syslog;
};

static const struct json_field anchor_fields[] = {
    {"file", JSON_WANT_ANY, false, offsetof(struct anchor_text, file), 0, 0},
    {"syslog", JSON_WANT_BOOL, false, offsetof(struct anchor_text, syslog), 0,
	0},
};

static int
read_anchor(struct config *config, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	struct config_anchor *row =
	    &config->audit_anchors[config->audit_anchor_count];
	struct anchor_text text = {0};
	int rc;

	if (node->type != JSON_OBJECT)
		return json_complain(doc, node, where, ERR_TYPE,
		    "an anchor has to be an object");
	rc = json_read(doc, node, anchor_fields,
	    sizeof anchor_fields / sizeof anchor_fields[0], &text, where);
	if (rc != 0)
		return rc;
	if ((text.file != NULL) == text.syslog)
		return json_complain(doc, node, where, ERR_RANGE,
		    "an anchor is either {\"file\": PATH} or {\"syslog\": "
		    "true}");
	*row = (struct config_anchor){.kind = text.syslog ? "syslog" : "file"};
	if (text.syslog)
		row->place = alloc_string("");
	else
		rc = config_read_absolute(
		    doc, text.file, "file", &row->place, where);
	if (rc == 0)
		config->audit_anchor_count++;
	return rc;
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
	return rc;
}
