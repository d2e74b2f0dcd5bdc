/*
 * Checks of the names and lines the operator writes. Used while the policy and
 * the configuration are read; believes nobody, so that a slip of the operator
 * does not become a hole.
 */
#include "executor/name.h"

#include <string.h>

#include "common/err.h"
#include "common/limits.h"
#include "executor/inert.h"

bool
name_check(struct span name)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";

	if (name.n == 0 || name.n > NAME_MAX_BYTES)
		return false;
	if (memchr(first, name.p[0], sizeof first - 1) == NULL)
		return false;
	for (size_t i = 1; i < name.n; i++)
		if (memchr(rest, name.p[i], sizeof rest - 1) == NULL)
			return false;
	return true;
}

static int
require_string(const struct json_doc *doc, const struct json_node *node,
    const char *what, struct json_error *where)
{
	if (node->type == JSON_STRING)
		return 0;
	return json_complain(
	    doc, node, where, ERR_TYPE, "%s has to be a string", what);
}

int
name_require(const struct json_doc *doc, const struct json_node *node,
    const char *what, struct json_error *where)
{
	int rc = require_string(doc, node, what, where);

	if (rc != 0 || name_check(node->value.string))
		return rc;
	return json_complain(doc, node, where, ERR_RANGE,
	    "%s begins with a letter a-z and has only a-z 0-9 _ . - in it, "
	    "at most %d in all",
	    what, NAME_MAX_BYTES);
}

/* Whether there is more in it than blanks. */
static bool
has_ink(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != ' ')
			return true;
	return false;
}

static bool
is_inert(struct span text)
{
	size_t replaced = 0;
	struct buf scratch;
	int rc;

	buf_init(&scratch, 3 * text.n);
	rc = inert_add(&scratch, text, false, &replaced);
	buf_free(&scratch);
	return rc == 0 && replaced == 0;
}

int
line_require(const struct json_doc *doc, const struct json_node *node,
    const char *what, struct json_error *where)
{
	struct span text = node->value.string;
	int rc = require_string(doc, node, what, where);

	if (rc != 0)
		return rc;
	if (!has_ink(text))
		return json_complain(
		    doc, node, where, ERR_RANGE, "%s must not be empty", what);
	if (text.n > WHY_MAX_BYTES)
		return json_complain(doc, node, where, ERR_RANGE,
		    "%s has %zu bytes, at most %d are allowed", what, text.n,
		    WHY_MAX_BYTES);
	if (!is_inert(text))
		return json_complain(doc, node, where, ERR_RANGE,
		    "%s has a control or invisible character in it", what);
	return 0;
}
