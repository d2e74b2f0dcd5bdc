/*
 * Verification: a small log is damaged at every bit, cut at every byte, and
 * its lines are dropped, doubled, swapped and replaced; the first bad record
 * must be named each time.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/audit_intents.h"
#include "executor/audit_lines.h"
#include "executor/audit_verify.h"
#include "executor/record.h"

#define ROWS(table) (int)(sizeof(table) / sizeof(table)[0])
#define RECORDS 6
#define LOG_MAX (64u * RECORD_LINE_MAX)

/* One line of a log that is being put together. */
struct piece {
	char *text;
	size_t bytes; /* newline included */
};

static char folder[40], path[64];
static struct piece pieces[RECORDS], others[RECORDS];
static struct sha256 *digest;

static struct piece
piece_make(uint64_t seq, const char *why, unsigned char head[SHA256_BYTES])
{
	struct record record = {.kind = RECORD_STOP, .why = span_of(why)};
	struct record_head at = {.seq = seq, .prev = head};
	unsigned char hash[SHA256_BYTES];
	struct buf out;

	buf_init(&out, RECORD_LINE_MAX);
	ck_assert_int_eq(record_add(&out, digest, &at, &record, hash), 0);
	memcpy(head, hash, sizeof hash);
	return (struct piece){out.data, out.len};
}

static void
make_chain(struct piece *chain, const char *why)
{
	unsigned char head[SHA256_BYTES] = {0};

	for (uint64_t i = 0; i < RECORDS; i++)
		chain[i] = piece_make(i + 1, why, head);
}

static void
setup(void)
{
	strcpy(folder, "/tmp/test_audit_verify.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/log", folder);
	digest = sha256_new();
	make_chain(pieces, "one");
	make_chain(others, "two");
}

static void
teardown(void)
{
	for (int i = 0; i < RECORDS; i++) {
		free(pieces[i].text);
		free(others[i].text);
	}
	sha256_free(digest);
	unlink(path);
	rmdir(folder);
}

static void
write_log(const void *bytes, size_t count)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, count), (ssize_t)count);
	close(fd);
}

static struct verify_result
verified(void)
{
	struct verify_result result;

	ck_assert_int_eq(audit_verify(path, NULL, NULL, &result), 0);
	return result;
}

static void
add_piece(struct buf *log, const struct piece *piece)
{
	ck_assert_int_eq(buf_add(log, piece->text, piece->bytes), 0);
}

/* The whole good log. */
static void
good_log(struct buf *log)
{
	buf_init(log, LOG_MAX);
	for (int i = 0; i < RECORDS; i++)
		add_piece(log, &pieces[i]);
}

START_TEST(good)
{
	struct verify_result result;
	struct buf log;

	good_log(&log);
	write_log(log.data, log.len);
	result = verified();
	ck_assert_int_eq(result.damage, DAMAGE_NONE);
	ck_assert_uint_eq(result.count, RECORDS);
	ck_assert_uint_eq(result.first, 1);
	ck_assert_uint_eq(result.last, RECORDS);
	ck_assert_uint_eq(result.bytes, log.len);
	ck_assert_uint_eq(result.bad_record, 0);
	buf_free(&log);
}
END_TEST

START_TEST(empty)
{
	struct verify_result result;

	write_log("", 0);
	result = verified();
	ck_assert_int_eq(result.damage, DAMAGE_NONE);
	ck_assert_uint_eq(result.count, 0);
}
END_TEST

/* Number of the line that byte `at` belongs to. */
static uint64_t
line_of(size_t at)
{
	uint64_t line = 0;

	while (at >= pieces[line].bytes)
		at -= pieces[line++].bytes;
	return line + 1;
}

START_TEST(every_bit)
{
	struct verify_result result;
	struct buf log;

	good_log(&log);
	for (size_t at = 0; at < log.len; at++)
		for (int bit = 0; bit < 8; bit++) {
			log.data[at] = (char)(log.data[at] ^ 1 << bit);
			write_log(log.data, log.len);
			log.data[at] = (char)(log.data[at] ^ 1 << bit);
			result = verified();
			ck_assert_int_ne(result.damage, DAMAGE_NONE);
			ck_assert_uint_eq(result.bad_record, line_of(at));
			ck_assert_uint_eq(result.count, line_of(at) - 1);
		}
	buf_free(&log);
}
END_TEST

static size_t
start_of(uint64_t line)
{
	size_t start = 0;

	for (uint64_t i = 1; i < line; i++)
		start += pieces[i - 1].bytes;
	return start;
}

/* Cut between lines is what only a receipt shows. */
START_TEST(every_length)
{
	struct verify_result result;
	struct buf log;

	good_log(&log);
	for (size_t length = 0; length < log.len; length++) {
		uint64_t line = line_of(length);
		size_t start = start_of(line);

		write_log(log.data, length);
		result = verified();
		ck_assert_uint_eq(result.count, line - 1);
		if (length == start) {
			ck_assert_int_eq(result.damage, DAMAGE_NONE);
			continue;
		}
		ck_assert_int_eq(result.damage, DAMAGE_TORN);
		ck_assert_uint_eq(result.bad_record, line);
		ck_assert_uint_eq(result.bad_offset, start);
		ck_assert_uint_eq(result.torn_bytes, length - start);
	}
	buf_free(&log);
}
END_TEST

/* Lines by number; 10 and more are those of the other chain. */
static const struct {
	int lines[RECORDS + 2];
	enum damage damage;
	uint64_t bad;
} orders[] = {
    {{1, 2, 3, 4, 5, 6, 0}, DAMAGE_NONE, 0},
    {{2, 3, 4, 5, 6, 0}, DAMAGE_CUT, 1},
    {{1, 3, 4, 5, 6, 0}, DAMAGE_CUT, 2},
    {{1, 2, 3, 4, 6, 0}, DAMAGE_CUT, 5},
    {{1, 1, 2, 3, 4, 5, 6, 0}, DAMAGE_DUPLICATED, 2},
    {{1, 2, 3, 4, 5, 6, 6, 0}, DAMAGE_DUPLICATED, 7},
    {{1, 2, 3, 4, 5, 6, 1, 0}, DAMAGE_DUPLICATED, 7},
    {{2, 1, 3, 4, 5, 6, 0}, DAMAGE_REORDERED, 1},
    {{1, 2, 4, 3, 5, 6, 0}, DAMAGE_REORDERED, 3},
    {{6, 5, 4, 3, 2, 1, 0}, DAMAGE_REORDERED, 1},
    {{11, 2, 3, 4, 5, 6, 0}, DAMAGE_SPLICED, 2},
    {{1, 12, 3, 4, 5, 6, 0}, DAMAGE_SPLICED, 2},
    {{1, 2, 3, 14, 15, 16, 0}, DAMAGE_SPLICED, 4},
    {{1, 2, 3, 4, 5, 16, 0}, DAMAGE_SPLICED, 6},
    {{1, 2, 3, 12, 4, 5, 6, 0}, DAMAGE_SPLICED, 4},
    {{1, 2, 3, 16, 6, 0}, DAMAGE_CUT, 4},
    {{11, 12, 13, 14, 15, 16, 0}, DAMAGE_NONE, 0},
};

START_TEST(lines_moved)
{
	struct verify_result result;
	struct buf log;

	buf_init(&log, LOG_MAX);
	for (const int *line = orders[_i].lines; *line != 0; line++)
		add_piece(&log,
		    *line > 10 ? &others[*line - 11] : &pieces[*line - 1]);
	write_log(log.data, log.len);
	result = verified();
	ck_assert_int_eq(result.damage, orders[_i].damage);
	ck_assert_uint_eq(result.bad_record, orders[_i].bad);
	buf_free(&log);
}
END_TEST

/* A record changed and hashed again gives itself away one record later. */
START_TEST(hashed_again)
{
	struct verify_result result;
	unsigned char head[SHA256_BYTES];
	struct piece forged;
	struct buf log;

	hex_decode((struct span){pieces[1].text + RECORD_HASH_AT, 64}, head,
	    sizeof head);
	forged = piece_make(3, "forged", head);
	buf_init(&log, LOG_MAX);
	for (int i = 0; i < RECORDS; i++)
		add_piece(&log, i == 2 ? &forged : &pieces[i]);
	write_log(log.data, log.len);
	result = verified();
	ck_assert_int_eq(result.damage, DAMAGE_SPLICED);
	ck_assert_uint_eq(result.bad_record, 4);
	free(forged.text);
	buf_free(&log);
}
END_TEST

/* What stands behind three good lines, `times` over. */
static const struct {
	const char *text;
	int times;
	enum damage damage;
} garbage[] = {
    {"{}\n", 1, DAMAGE_MALFORMED},
    {" ", 1, DAMAGE_TORN},
    {"x", RECORD_LINE_MAX - 1, DAMAGE_TORN},
    {"x", RECORD_LINE_MAX, DAMAGE_MALFORMED},
    {"x", RECORD_LINE_MAX + 1, DAMAGE_MALFORMED},
    {"x", 500000, DAMAGE_MALFORMED},
    {"\n\nx", 1, DAMAGE_MALFORMED},
    {"\n\n\nx\n", 100000, DAMAGE_MALFORMED},
};

START_TEST(garbage_behind)
{
	struct verify_result result;
	struct buf log;

	buf_init(&log, 1u << 20);
	for (int i = 0; i < 3; i++)
		add_piece(&log, &pieces[i]);
	for (int i = 0; i < garbage[_i].times; i++)
		buf_add_text(&log, garbage[_i].text);
	write_log(log.data, log.len);
	result = verified();
	ck_assert_int_eq(result.damage, garbage[_i].damage);
	ck_assert_uint_eq(result.bad_record, 4);
	ck_assert_uint_eq(result.count, 3);
	buf_free(&log);
}
END_TEST

static int
stop_at_three(void *context, struct span line, uint64_t offset)
{
	uint64_t *sum = context;

	*sum += offset;
	return record_seq(line) == 3 ? -ERR_LIMIT : 0;
}

START_TEST(each_record_is_seen)
{
	struct verify_result result;
	uint64_t sum = 0;
	struct buf log;

	good_log(&log);
	write_log(log.data, log.len);
	ck_assert_int_eq(
	    audit_verify(path, stop_at_three, &sum, &result), -ERR_LIMIT);
	ck_assert_uint_eq(sum, 2 * pieces[0].bytes + pieces[1].bytes);
	buf_free(&log);
}
END_TEST

START_TEST(what_is_no_log)
{
	struct verify_result result;
	char fifo[80];

	ck_assert_int_eq(
	    audit_verify(path, NULL, NULL, &result), -ERR_NOT_FOUND);
	ck_assert_int_eq(audit_verify(folder, NULL, NULL, &result), 0);
	ck_assert_uint_eq(result.count, 0);
	snprintf(fifo, sizeof fifo, "%s/fifo", folder);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(
	    audit_verify(fifo, NULL, NULL, &result), -ERR_NOT_REGULAR);
	unlink(fifo);
}
END_TEST

START_TEST(lines_of_every_length)
{
	struct lines *lines = malloc(sizeof *lines);
	char text[3000];
	struct span line;
	uint64_t offset;
	struct buf log;
	int fd;

	buf_init(&log, 8u << 20);
	memset(text, 'x', sizeof text);
	for (size_t length = 0; length < sizeof text; length++) {
		buf_add(&log, text, length);
		buf_add_byte(&log, '\n');
	}
	write_log(log.data, log.len);
	buf_free(&log);
	fd = open(path, O_RDONLY);
	lines_init(lines, fd, 0);
	for (size_t length = 0; length < sizeof text; length++) {
		ck_assert_int_eq(lines_next(lines, &line, &offset), 1);
		ck_assert_uint_eq(line.n, length);
		ck_assert_uint_eq(offset, length * (length + 1) / 2);
	}
	ck_assert_int_eq(lines_next(lines, &line, &offset), 0);
	ck_assert_uint_eq(lines_rest(lines), 0);
	close(fd);
	free(lines);
}
END_TEST

START_TEST(set_of_intents)
{
	struct intents *set = calloc(1, sizeof *set);
	size_t expected = INTENTS_MAX;

	for (uint64_t seq = 1; seq <= INTENTS_MAX; seq++)
		ck_assert_int_eq(intents_add(set, 3 * seq, seq), 0);
	ck_assert_int_eq(intents_add(set, 4 * INTENTS_MAX, 0), -ERR_BUSY);
	for (uint64_t seq = 0; seq <= 3 * INTENTS_MAX; seq++) {
		ck_assert_int_eq(
		    intents_has(set, seq), seq % 3 == 0 && seq != 0);
		intents_remove(set, seq);
		expected -= seq % 3 == 0 && seq != 0 ? 1 : 0;
		ck_assert_uint_eq(set->count, expected);
	}
	free(set);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("audit_verify");
	TCase *chain = tcase_create("chain"), *parts = tcase_create("parts");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, chain);
	tcase_add_checked_fixture(chain, setup, teardown);
	tcase_set_timeout(chain, 120);
	tcase_add_test(chain, good);
	tcase_add_test(chain, empty);
	tcase_add_test(chain, every_bit);
	tcase_add_test(chain, every_length);
	tcase_add_loop_test(chain, lines_moved, 0, ROWS(orders));
	tcase_add_test(chain, hashed_again);
	tcase_add_loop_test(chain, garbage_behind, 0, ROWS(garbage));
	suite_add_tcase(suite, parts);
	tcase_add_checked_fixture(parts, setup, teardown);
	tcase_add_test(parts, each_record_is_seen);
	tcase_add_test(parts, what_is_no_log);
	tcase_add_test(parts, lines_of_every_length);
	tcase_add_test(parts, set_of_intents);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
