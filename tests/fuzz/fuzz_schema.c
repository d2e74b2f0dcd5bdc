/*
 * Fuzz: a schema, a NUL, and a value. What loads is checked twice, with room
 * for a reason and without, and has to say the same; a reason is ASCII where
 * the schema is, and never longer than its room.
 */
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_value(const struct schema *schema, struct span text)
{
	char detail[SCHEMA_DETAIL_BYTES];
	struct json_doc doc;
	struct span name;
	int rc;

	schema_leaves_out(schema, schema, &name);
	json_init(&doc);
	if (json_parse(&doc, text, NULL, NULL) == 0) {
		rc = schema_check(
		    schema, &doc, json_root(&doc), detail, sizeof detail);
		if ((rc == 0) != (detail[0] == '\0') ||
		    !utf8_check(detail, strlen(detail)))
			abort();
		if (rc != 0 && rc != -ERR_SCHEMA && rc != -ERR_LIMIT)
			abort();
		if (schema_check(schema, &doc, json_root(&doc), NULL, 0) != rc)
			abort();
	}
	json_done(&doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size == 0 ? NULL : memchr(data, '\0', size);
	struct json_error where = {0};
	struct schema *schema = NULL;
	struct json_doc doc;
	size_t head;

	if (nul == NULL)
		return 0;
	head = (size_t)(nul - data);
	json_init(&doc);
	if (json_parse(&doc, (struct span){(const char *)data, head}, NULL,
		NULL) == 0) {
		if (schema_compile(&doc, json_root(&doc), &schema, &where) == 0)
			check_value(schema, (struct span){(const char *)nul + 1,
						size - head - 1});
		else if (where.error == 0 || where.line == 0)
			abort();
	}
	schema_free(schema);
	json_done(&doc);
	return 0;
}
