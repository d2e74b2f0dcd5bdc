/*
 * Receipts and anchors. Runs in `audit verify`; what it reads comes from the
 * operator, but lines of an anchor file may be anybody's, so nothing but their
 * form is believed before it is compared with the log.
 */
#include "executor/audit_proof.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"
#include "executor/record.h"

#define LINE_MAX_BYTES 1024

void
proofs_done(struct proofs *proofs)
{
	free(proofs->rows);
	*proofs = (struct proofs){0};
}

static void
add(struct proofs *proofs, const struct proof *proof)
{
	if ((proofs->count & (proofs->count - 1)) == 0)
		proofs->rows = alloc_resize(proofs->rows,
		    proofs->count == 0 ? 1 : 2 * proofs->count,
		    sizeof *proofs->rows);
	proofs->rows[proofs->count++] = *proof;
}

/* Take `digits` digits and the byte behind them off the front. */
static int
take(struct span *text, size_t digits, char end, struct span *out)
{
	if (text->n < digits || (text->n == digits) != (end == '\0') ||
	    (end != '\0' && text->p[digits] != end))
		return -ERR_SYNTAX;
	*out = (struct span){text->p, digits};
	if (end != '\0')
		digits++;
	text->p += digits;
	text->n -= digits;
	return 0;
}

static int
take_seq_hash(struct span *text, char between, char end, struct proof *proof)
{
	struct span digits;
	int rc = take(text, RECORD_SEQ_DIGITS, between, &digits);

	if (rc == 0)
		rc = record_seq_parse(digits, &proof->seq);
	if (rc == 0 && proof->seq == 0)
		rc = -ERR_SYNTAX;
	if (rc == 0)
		rc = take(text, RECORD_HASH_DIGITS, end, &digits);
	return rc != 0 ? rc : hex_decode(digits, proof->hash, SHA256_BYTES);
}

int
proofs_add_receipt(struct proofs *proofs, struct span text)
{
	struct proof proof = {0};
	int rc = take_seq_hash(&text, ':', '\0', &proof);

	if (rc == 0)
		add(proofs, &proof);
	return rc;
}

/* What follows the first word that ends in a colon, if that is our tag, with
 * or without a number in brackets; else the line itself. */
static struct span
without_tag(struct span line)
{
	static const char tag[] = PROOFS_SYSLOG_TAG;
	struct span rest = line, word;

	while (rest.n > 0) {
		const char *end = memchr(rest.p, ' ', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		word = (struct span){rest.p, n};
		n = n < rest.n ? n + 1 : n;
		rest = (struct span){rest.p + n, rest.n - n};
		if (word.n == 0 || word.p[word.n - 1] != ':')
			continue;
		if (!span_starts(word, tag) ||
		    (word.p[sizeof tag - 1] != ':' &&
			word.p[sizeof tag - 1] != '['))
			return line;
		return rest;
	}
	return line;
}

/* The text of a line as kind notify writes it into a file; it lives as long as
 * `doc` keeps this parse. */
static struct span
text_of_notify(struct json_doc *doc, struct span line)
{
	const struct json_node *text;

	if (json_parse(doc, line, NULL, NULL) != 0)
		return (struct span){NULL, 0};
	text = json_get(doc, json_root(doc), "text");
	return text != NULL && text->type == JSON_STRING
		   ? text->value.string
		   : (struct span){NULL, 0};
}

static void
add_anchor_text(struct proofs *proofs, struct span text)
{
	static const char lineage[] = "lineage ", head[] = "head ";
	struct proof proof = {.lineage = span_starts(text, lineage)};
	size_t skip = proof.lineage ? sizeof lineage - 1 : sizeof head - 1;
	struct span digits;

	if (!proof.lineage && !span_starts(text, head))
		return;
	text.p += skip;
	text.n -= skip;
	if (take_seq_hash(&text, ' ', ' ', &proof) == 0 &&
	    take(&text, SIGN_KEY_DIGITS, '\0', &digits) == 0 &&
	    hex_decode(digits, proof.key, SIGN_KEY_BYTES) == 0)
		add(proofs, &proof);
}

/* Other lines are passed over. */
static int
add_anchor(struct proofs *proofs, struct span line)
{
	struct json_doc doc;

	if (line.n == 0 || line.p[0] != '{') {
		add_anchor_text(proofs, without_tag(line));
		return 0;
	}
	json_init(&doc);
	add_anchor_text(proofs, text_of_notify(&doc, line));
	json_done(&doc);
	return 0;
}

static int
add_lines(struct proofs *proofs, const char *path,
    int (*take_line)(struct proofs *proofs, struct span line))
{
	char line[LINE_MAX_BYTES];
	FILE *in = fopen(path, "re");
	bool begun = false; /* the line is longer than what was read of it */
	size_t bytes = 0;
	int rc = 0;

	if (in == NULL)
		return errno == EACCES ? -ERR_PEER : err_from_errno(errno);
	while (rc == 0 && bytes <= PROOFS_FILE_MAX &&
	       fgets(line, sizeof line, in) != NULL) {
		struct span text = span_of(line);
		bool ends = text.n > 0 && text.p[text.n - 1] == '\n';

		bytes += text.n;
		text.n -= ends;
		/* what follows in a long line begins none */
		if (!begun)
			rc = take_line(proofs, text);
		begun = !ends;
	}
	if (rc == 0 && ferror(in))
		rc = -ERR_IO;
	fclose(in);
	return bytes > PROOFS_FILE_MAX ? -ERR_TOO_LARGE : rc;
}

int
proofs_add_file(struct proofs *proofs, const char *path)
{
	proofs->anchors = true;
	return add_lines(proofs, path, add_anchor);
}

int
proofs_add_receipts(struct proofs *proofs, const char *path)
{
	return add_lines(proofs, path, proofs_add_receipt);
}

static int
compare(const void *one, const void *other)
{
	const struct proof *a = one, *b = other;

	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

void
proofs_begin(struct proofs *proofs)
{
	if (proofs->count > 1)
		qsort(
		    proofs->rows, proofs->count, sizeof *proofs->rows, compare);
	proofs->at = 0;
}

int
proofs_see(struct proofs *proofs, uint64_t seq,
    const unsigned char hash[SHA256_BYTES],
    const unsigned char key[SIGN_KEY_BYTES], bool *lineage_out)
{
	bool other = false, given_up = false;
	int rc = 0;

	*lineage_out = false;
	for (; proofs->at < proofs->count; proofs->at++) {
		const struct proof *row = &proofs->rows[proofs->at];

		if (row->seq > seq)
			break;
		if (row->seq < seq)
			continue; /* of a segment that was removed */
		if (memcmp(row->hash, hash, SHA256_BYTES) != 0) {
			other = other || !row->lineage;
			given_up = given_up || row->lineage;
			continue;
		}
		rc = 1;
		if (row->lineage && memcmp(row->key, key, SIGN_KEY_BYTES) == 0)
			*lineage_out = true;
	}
	if (other || (given_up && !*lineage_out))
		return -ERR_WRONG_STATE;
	return rc;
}

bool
proofs_left(const struct proofs *proofs, uint64_t last)
{
	return proofs->count > 0 && proofs->rows[proofs->count - 1].seq > last;
}
