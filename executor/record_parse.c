/*
 * Audit records: a line is taken apart. Used by the auditor at its start and
 * by `audit show`, on lines that may have been tampered with. Never writes.
 */
#include "executor/record.h"

#include <string.h>

#include "common/err.h"
#include "executor/record_field.h"
#include "proto/message.h"

static int
parse_number(const struct json_node *node, uint64_t none, uint64_t most,
    uint64_t *value_out)
{
	if (node->type == JSON_NULL) {
		*value_out = none;
		return 0;
	}
	if (node->type != JSON_INTEGER)
		return -ERR_TYPE;
	if (node->value.integer < 0 || (uint64_t)node->value.integer > most)
		return -ERR_RANGE;
	*value_out = (uint64_t)node->value.integer;
	return 0;
}

static int
parse_u32(const struct json_node *node, uint64_t none, uint32_t *value_out)
{
	uint64_t value;
	int rc = parse_number(node, none, UINT32_MAX, &value);

	if (rc == 0)
		*value_out = (uint32_t)value;
	return rc;
}

static int
parse_message(const struct json_node *node, uint64_t *message_out)
{
	int64_t id = 0;
	int rc;

	if (node->type == JSON_NULL) {
		*message_out = 0;
		return 0;
	}
	if (node->type != JSON_STRING)
		return -ERR_TYPE;
	rc = handle_parse(node->value.string, &id);
	if (rc == 0)
		*message_out = (uint64_t)id;
	return rc;
}

static int
parse_verdict(struct span name, enum verdict *verdict_out)
{
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		if (span_is(name, verdict_name((enum verdict)i))) {
			*verdict_out = (enum verdict)i;
			return 0;
		}
	return -ERR_RANGE;
}

static int
parse_status(struct span name, enum outcome *status_out)
{
	for (unsigned i = 0; i < OUTCOME_COUNT; i++)
		if (span_is(name, outcome_name((enum outcome)i))) {
			*status_out = (enum outcome)i;
			return 0;
		}
	return -ERR_RANGE;
}

/* Fields that are a string in every line. */
static int
parse_string(
    const struct record_field *field, struct span text, struct record *record)
{
	void *at = (char *)record + field->offset;

	switch (field->type) {
	case FIELD_SEQUENCE:
		return record_seq_parse(text, at);
	case FIELD_VERDICT_NAME:
		return parse_verdict(text, &record->verdict);
	case FIELD_STATUS_NAME:
		return parse_status(text, &record->status);
	default:
		memcpy(at, &text, sizeof text);
		return 0;
	}
}

static int
parse_field(const struct record_field *field, const struct json_node *node,
    struct record *record)
{
	void *at = (char *)record + field->offset;

	switch (field->type) {
	case FIELD_U64:
		return parse_number(node, field->none, RECORD_NUMBER_MAX, at);
	case FIELD_U32:
		return parse_u32(node, field->none, at);
	case FIELD_MESSAGE:
		return parse_message(node, at);
	case FIELD_COMMITMENT:
	case FIELD_REFERENCE:
	case FIELD_SIGNATURE:
		return 0;
	default:
		if (node->type != JSON_STRING)
			return -ERR_TYPE;
		return parse_string(field, node->value.string, record);
	}
}

/* Lines of older versions do. */
static bool
may_lack(enum record_field_id id)
{
	return record_fields[id].type == FIELD_REFERENCE ||
	       record_fields[id].type == FIELD_SIGNATURE ||
	       id == FIELD_EFFECTS || id == FIELD_DESTINATION;
}

static int
parse_fields(const struct json_doc *doc, struct record *record)
{
	int rc = 0;

	for (unsigned id = 0; id < FIELD_COUNT && rc == 0; id++) {
		const struct record_field *field = &record_fields[id];
		const struct json_node *node;

		if (!record_has(record->kind, (enum record_field_id)id))
			continue;
		node = json_get(doc, json_root(doc), field->key);
		if (node != NULL)
			rc = parse_field(field, node, record);
		else if (!may_lack((enum record_field_id)id))
			rc = -ERR_MISSING_KEY;
	}
	return rc;
}

/* Of a text that was cut. */
static int
parse_length(const struct json_doc *doc, const char *key, uint64_t *length_out)
{
	const struct json_node *node = json_get(doc, json_root(doc), key);

	return node == NULL
		   ? 0
		   : parse_number(node, 0, RECORD_NUMBER_MAX, length_out);
}

int
record_parse(struct json_doc *doc, struct span line, struct record *record_out)
{
	const struct json_limits limits = {.bytes = RECORD_LINE_MAX};
	struct record record = {.number = NO_CAPABILITY};
	const struct json_node *node;
	int rc = json_parse(doc, line, &limits, NULL);

	if (rc != 0)
		return rc;
	node = json_get(doc, json_root(doc), "kind");
	if (node == NULL)
		return -ERR_MISSING_KEY;
	if (node->type != JSON_STRING)
		return -ERR_TYPE;
	record.kind = record_kind_find(node->value.string);
	if (record.kind == RECORD_KIND_COUNT)
		return -ERR_RANGE;
	rc = parse_fields(doc, &record);
	if (rc != 0)
		return rc;
	rc = parse_length(doc, "capability_bytes", &record.capability_bytes);
	if (rc == 0)
		rc = parse_length(
		    doc, "destination_bytes", &record.destination_bytes);
	if (rc == 0)
		*record_out = record;
	return rc;
}
