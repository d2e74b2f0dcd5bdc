/*
 * Every single bit of a log is turned over, and what is behind the checkpoint
 * before is checked again: the record it belongs to has to be the first bad
 * one.
 *
 *   audit_flips FOLDER STRIDE   each STRIDE-th bit; 1: all
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/audit_verify.h"
#include "executor/record.h"

struct row {
	size_t start, length; /* of the line in `text`, newline included */
	struct chain before;
	struct seal_keys keys; /* the same */
};

static char *text;
static size_t bytes, count;
static struct row *rows;
static struct sha256 *digest;

/* Whether the line is the next record, as audit verify looks at it. */
static bool
next(struct chain *chain, struct seal_keys *keys, struct span line)
{
	struct seal_line seal;

	if (chain_next(chain, line) != DAMAGE_NONE)
		return false;
	return !seal_line_is(line) || (seal_line_parse(line, &seal) == 0 &&
					  seal_keys_follow(keys, &seal) == 0);
}

static void
load(const char *path)
{
	struct seal_keys keys = {.begun = false};
	struct audit_reader *reader;
	struct audit_line line;
	struct chain chain;

	if (audit_reader_open(path, &reader) != 0)
		errx(1, "%s", path);
	text = malloc(16u << 20);
	rows = calloc(100000, sizeof *rows);
	chain_init(&chain, digest);
	while (audit_reader_next(reader, &line) == 1) {
		rows[count++] =
		    (struct row){bytes, line.text.n + 1, chain, keys};
		memcpy(text + bytes, line.text.p, line.text.n + 1);
		bytes += line.text.n + 1;
		if (!next(&chain, &keys, line.text))
			errx(1, "record %zu is not good", count);
	}
	audit_reader_close(reader);
}

/* The row of the checkpoint, or of the begin, before `row`. */
static size_t
checkpoint_before(size_t row)
{
	while (row > 0) {
		const struct row *at = &rows[--row];

		if (seal_line_is(
			(struct span){text + at->start, at->length - 1}))
			break;
	}
	return row;
}

/* The first row that is not good, from the checkpoint on. */
static size_t
first_bad(size_t from)
{
	struct seal_keys keys = rows[from].keys;
	struct chain chain = rows[from].before;
	size_t at = rows[from].start, row = from;

	for (; at < bytes; row++) {
		const char *end = memchr(text + at, '\n', bytes - at);
		struct span line = {text + at, 0};

		if (end == NULL)
			break;
		line.n = (size_t)(end - line.p);
		if (!next(&chain, &keys, line))
			break;
		at += line.n + 1;
	}
	return row;
}

int
main(int argc, char **argv)
{
	size_t stride, tried = 0, row = 0, wrong = 0;

	if (argc != 3 || (stride = (size_t)atol(argv[2])) == 0)
		errx(64, "usage: audit_flips FOLDER STRIDE");
	digest = sha256_new();
	load(argv[1]);
	for (size_t bit = 0; bit < 8 * bytes; bit += stride, tried++) {
		while (bit / 8 >= rows[row].start + rows[row].length)
			row++;
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		if (first_bad(checkpoint_before(row)) != row) {
			printf("bit %zu of byte %zu\n", bit % 8, bit / 8);
			wrong++;
		}
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
	}
	printf("%zu bits of %zu bytes, %zu not found\n", tried, bytes, wrong);
	sha256_free(digest);
	free(rows);
	free(text);
	return wrong != 0;
}
