/*
 * A log is damaged in each place there is: each record deleted, swapped with
 * the next, doubled, and replaced by one, or by all that follow, of another
 * log; cut at each byte; every single bit turned over. The first bad record
 * and the kind of damage have to be right.
 *
 *   audit_damage FOLDER OTHER FILE STRIDE   each STRIDE-th bit, and so many
 *                                           bytes between cuts; 1: all
 *
 * OTHER has as many records as the log in FOLDER. FILE is written over.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/audit_verify.h"
#include "executor/record.h"

#define ROWS_MAX 10000
#define TEXT_MAX (16u << 20)
#define UNUSED 5000 /* bytes of unused room */

struct row {
	size_t start, length; /* of the line in `text`, newline included */
	struct chain before;
	struct seal_keys keys; /* the same */
};

struct log {
	char text[TEXT_MAX];
	size_t bytes, count;
	struct row rows[ROWS_MAX];
};

static struct log ours, other;
static struct sha256 *digest;
static const char *path; /* of the damaged log */
static char damaged[TEXT_MAX + UNUSED];
static size_t damaged_bytes;
static size_t tried, wrong;

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
load(const char *folder, struct log *log)
{
	struct seal_keys keys = {.begun = false};
	struct audit_reader *reader;
	struct audit_line line;
	struct chain chain;

	if (audit_reader_open(folder, &reader) != 0)
		errx(1, "%s", folder);
	chain_init(&chain, digest);
	while (audit_reader_next(reader, &line) == 1) {
		if (log->count == ROWS_MAX ||
		    log->bytes + line.text.n + 1 > TEXT_MAX)
			errx(1, "%s is too large", folder);
		log->rows[log->count++] =
		    (struct row){log->bytes, line.text.n + 1, chain, keys};
		memcpy(log->text + log->bytes, line.text.p, line.text.n + 1);
		log->bytes += line.text.n + 1;
		if (!next(&chain, &keys, line.text))
			errx(1, "record %zu is not good", log->count);
	}
	audit_reader_close(reader);
}

/* The records `from` up to `to` of a log go behind the damaged one. */
static void
take(const struct log *log, size_t from, size_t to)
{
	size_t end = to == log->count ? log->bytes : log->rows[to].start;
	size_t begin = from == log->count ? log->bytes : log->rows[from].start;

	memcpy(damaged + damaged_bytes, log->text + begin, end - begin);
	damaged_bytes += end - begin;
}

static void
write_damaged(void)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	size_t bytes = damaged_bytes + UNUSED;

	memset(damaged + damaged_bytes, '\n', UNUSED);
	if (fd < 0 || write(fd, damaged, bytes) != (ssize_t)bytes)
		err(1, "%s", path);
	close(fd);
}

static void
expect(const char *what, size_t place, uint64_t bad, enum damage damage)
{
	struct verify_result result;

	write_damaged();
	if (audit_verify(path, NULL, NULL, &result) != 0)
		errx(1, "%s cannot be read", path);
	tried++;
	if (result.damage == damage &&
	    result.bad_record == (damage == DAMAGE_NONE ? 0 : bad))
		return;
	wrong++;
	printf("%s %zu: %s at record %llu, not %s at %llu\n", what, place,
	    damage_text(result.damage), (unsigned long long)result.bad_record,
	    damage_text(damage), (unsigned long long)bad);
}

/* `i` counts from 0, and records from 1. */
static void
damage_line(size_t i)
{
	bool last = i + 1 == ours.count;

	damaged_bytes = 0;
	take(&ours, 0, i);
	take(&ours, i + 1, ours.count);
	expect("deleted", i + 1, i + 1, last ? DAMAGE_NONE : DAMAGE_CUT);
	damaged_bytes = 0;
	take(&ours, 0, i + 1);
	take(&ours, i, ours.count);
	expect("doubled", i + 1, i + 2, DAMAGE_DUPLICATED);
	if (!last) {
		damaged_bytes = 0;
		take(&ours, 0, i);
		take(&ours, i + 1, i + 2);
		take(&ours, i, i + 1);
		take(&ours, i + 2, ours.count);
		expect("swapped", i + 1, i + 1, DAMAGE_REORDERED);
	}
	if (i == 0)
		return; /* another log is a log */
	damaged_bytes = 0;
	take(&ours, 0, i);
	take(&other, i, other.count);
	expect("all of another log from", i + 1, i + 1, DAMAGE_SPLICED);
	damaged_bytes = 0;
	take(&ours, 0, i);
	take(&other, i, i + 1);
	take(&ours, i + 1, ours.count);
	expect("one of another log for", i + 1, i + 1, DAMAGE_SPLICED);
}

/* The log ends with its byte `at`; `row` is the record that is in. */
static void
cut(size_t at, size_t row)
{
	size_t line_end = ours.rows[row].start + ours.rows[row].length;

	damaged_bytes = at;
	/* the newline behind a whole record is that of unused room */
	if (at == ours.rows[row].start || at + 1 >= line_end)
		expect("cut at byte", at, 0, DAMAGE_NONE);
	else
		expect("cut at byte", at, row + 1, DAMAGE_TORN);
}

/* The row of the checkpoint, or of the begin, before `row`. */
static size_t
checkpoint_before(size_t row)
{
	while (row > 0) {
		const struct row *at = &ours.rows[--row];

		if (seal_line_is(
			(struct span){ours.text + at->start, at->length - 1}))
			break;
	}
	return row;
}

/* The first row that is not good, from the checkpoint on. */
static size_t
first_bad(size_t from)
{
	struct seal_keys keys = ours.rows[from].keys;
	struct chain chain = ours.rows[from].before;
	size_t at = ours.rows[from].start, row = from;

	for (; at < ours.bytes; row++) {
		const char *end = memchr(ours.text + at, '\n', ours.bytes - at);
		struct span line = {ours.text + at, 0};

		if (end == NULL)
			break;
		line.n = (size_t)(end - line.p);
		if (!next(&chain, &keys, line))
			break;
		at += line.n + 1;
	}
	return row;
}

static void
flip(size_t bit, size_t row)
{
	char *byte = ours.text + bit / 8;

	*byte = (char)(*byte ^ 1 << bit % 8);
	tried++;
	if (first_bad(checkpoint_before(row)) != row) {
		printf("bit %zu of byte %zu\n", bit % 8, bit / 8);
		wrong++;
	}
	*byte = (char)(*byte ^ 1 << bit % 8);
}

static bool
is_behind(size_t at, size_t row)
{
	return at >= ours.rows[row].start + ours.rows[row].length;
}

int
main(int argc, char **argv)
{
	size_t stride, row = 0;

	if (argc != 5 || (stride = (size_t)atol(argv[4])) == 0)
		errx(64, "usage: audit_damage FOLDER OTHER FILE STRIDE");
	digest = sha256_new();
	path = argv[3];
	load(argv[1], &ours);
	load(argv[2], &other);
	if (ours.count != other.count)
		errx(64, "the logs are not of one length");
	for (size_t i = 0; i < ours.count; i++)
		damage_line(i);
	memcpy(damaged, ours.text, ours.bytes);
	/* from the end on: what is behind a cut is written over */
	row = ours.count - 1;
	for (size_t at = ours.bytes; at-- > 1;) {
		while (at < ours.rows[row].start)
			row--;
		if (row + 3 > ours.count || at % stride == 0)
			cut(at, row);
	}
	row = 0;
	for (size_t bit = 0; bit < 8 * ours.bytes; bit += stride) {
		while (is_behind(bit / 8, row))
			row++;
		flip(bit, row);
	}
	printf("%zu damaged logs of %zu records, %zu not named rightly\n",
	    tried, ours.count, wrong);
	sha256_free(digest);
	return wrong != 0;
}
