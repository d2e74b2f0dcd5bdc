/*
 * A reader's account of what its detector fired on. Runs in the executor, on
 * JSON of a zone that may be in an attacker's hands.
 */
#include "proto/detection.h"

#include <stdio.h>

#include "common/err.h"
#include "common/sha256.h"

struct row {
	const struct json_node *rules, *score;
	struct span where, view, sha256;
};

static bool
is_name(struct span text)
{
	if (text.n > DETECTION_NAME_BYTES)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (!(text.p[i] >= 'a' && text.p[i] <= 'z') &&
		    !(text.p[i] >= '0' && text.p[i] <= '9') && text.p[i] != '-')
			return false;
	return true;
}

static int
check_rules(const struct json_doc *doc, const struct json_node *rules)
{
	const struct json_node *e;

	for (e = json_first(doc, rules); e != NULL;
	     e = json_next(doc, rules, e))
		if (e->type != JSON_STRING)
			return -ERR_TYPE;
		else if (e->value.string.n == 0 || !is_name(e->value.string))
			return -ERR_RANGE;
	return 0;
}

/* A number from 0 to 1. */
static int
read_score(const struct json_node *node, double *score_out)
{
	if (node->type == JSON_INTEGER)
		*score_out = (double)node->value.integer;
	else if (node->type == JSON_REAL)
		*score_out = node->value.real;
	else
		return -ERR_TYPE;
	return *score_out >= 0.0 && *score_out <= 1.0 ? 0 : -ERR_RANGE;
}

static int
read_row(const struct json_doc *doc, const struct json_node *node,
    struct row *row, double *score_out)
{
	static const struct json_field fields[] = {
	    {"rules", JSON_WANT_ARRAY, true, offsetof(struct row, rules), 0,
		DETECTION_RULES},
	    {"score", JSON_WANT_ANY, true, offsetof(struct row, score), 0, 0},
	    {"where", JSON_WANT_STRING, true, offsetof(struct row, where), 1,
		DETECTION_NAME_BYTES},
	    {"view", JSON_WANT_STRING, true, offsetof(struct row, view), 0,
		DETECTION_NAME_BYTES},
	    {"sha256", JSON_WANT_STRING, true, offsetof(struct row, sha256),
		2 * SHA256_BYTES, 2 * SHA256_BYTES},
	};
	unsigned char hash[SHA256_BYTES];
	int rc = json_read(
	    doc, node, fields, sizeof fields / sizeof fields[0], row, NULL);

	if (rc == 0)
		rc = read_score(row->score, score_out);
	if (rc == 0)
		rc = check_rules(doc, row->rules);
	if (rc == 0)
		rc = hex_decode(row->sha256, hash, sizeof hash);
	if (rc != 0)
		return rc;
	return is_name(row->view) && (span_is(row->where, "seen") ||
					 span_is(row->where, "hidden"))
		   ? 0
		   : -ERR_RANGE;
}

/* The row, whole or not at all. */
static void
write_row(const struct json_doc *doc, const struct row *row, double score,
    struct buf *rows)
{
	size_t start = rows->len;
	const struct json_node *e;
	struct json_writer w;
	char number[16];

	if (rows->overflow)
		return; /* no later one in place of one that is left out */
	(void)snprintf(number, sizeof number, "%.4f", score);
	json_write_init(&w, rows);
	w.comma = start != 0;
	json_open(&w, '{');
	json_key(&w, "rules");
	json_open(&w, '[');
	for (e = json_first(doc, row->rules); e != NULL;
	     e = json_next(doc, row->rules, e))
		json_string(&w, e->value.string);
	json_close(&w, ']');
	json_put_raw(&w, "score", span_of(number));
	json_put_string(&w, "where", row->where);
	json_put_string(&w, "view", row->view);
	json_put_string(&w, "sha256", row->sha256);
	json_close(&w, '}');
	if (rows->overflow)
		rows->len = start;
}

int
detection_read(const struct json_doc *doc, const struct json_node *node,
    struct buf *rows, size_t *count_out)
{
	const struct json_node *list = json_get(doc, node, "injection"), *e;

	*count_out = 0;
	if (list == NULL)
		return 0;
	if (list->type != JSON_ARRAY)
		return -ERR_TYPE;
	if (list->count > DETECTION_ROWS)
		return -ERR_RANGE;
	for (e = json_first(doc, list); e != NULL;
	     e = json_next(doc, list, e)) {
		struct row row;
		double score;
		int rc = read_row(doc, e, &row, &score);

		if (rc != 0)
			return rc;
		write_row(doc, &row, score, rows);
		++*count_out;
	}
	return 0;
}
