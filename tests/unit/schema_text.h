/*
 * What the tests of schemas share: a schema from its text, and a value's text
 * against it.
 */
#ifndef TRIZONE_TESTS_UNIT_SCHEMA_TEXT_H
#define TRIZONE_TESTS_UNIT_SCHEMA_TEXT_H

#include <check.h>

#include "executor/schema.h"

static inline struct schema *
compile(const char *text)
{
	struct json_doc doc;
	struct json_error where;
	struct schema *schema = NULL;

	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, span_of(text), NULL, NULL), 0);
	ck_assert_msg(
	    schema_compile(&doc, json_root(&doc), &schema, &where) == 0,
	    "%s: %s", text, where.detail);
	json_done(&doc);
	return schema;
}

static inline int
check_text(const struct schema *schema, struct span text, char *detail)
{
	struct json_doc doc;
	int rc;

	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, text, NULL, NULL), 0);
	rc = schema_check(
	    schema, &doc, json_root(&doc), detail, SCHEMA_DETAIL_BYTES);
	json_done(&doc);
	return rc;
}

#endif
