/*
 * The side store of decision inputs: sealing, segments, crashes, erasing.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "executor/facts.h"
#include "executor/inputs.h"
#include "executor/inputs_store.h"

static char folder[] = "/tmp/trizone-inputs-XXXXXX";
static char path[64], inside[96];

static const struct inputs_limits usual = {.total_bytes = UINT64_C(64) << 20,
    .segment_bytes = UINT64_C(4) << 20,
    .segment_ms = 86400000,
    .keep_ms = UINT64_C(90) * 86400000};

static void
make_folder(void)
{
	memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/audit", folder);
	snprintf(inside, sizeof inside, "%s/" INPUTS_FOLDER, path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void
remove_folder(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

/* A store with the key 0x11..., wrapped as "wrapped". */
static struct inputs_store *
open_store(const struct inputs_limits *limits)
{
	static struct inputs_key key;
	struct inputs_store *store;
	struct audit_problem problem;

	memset(key.key, 0x11, sizeof key.key);
	key.wrapped_bytes = 7;
	memcpy(key.wrapped, "wrapped", 7);
	ck_assert_msg(
	    inputs_open(path, &key, limits, UINT64_MAX, &store, &problem) == 0,
	    "%s", problem.text);
	ck_assert(key.key[0] == 0 && key.key[31] == 0); /* taken over */
	return store;
}

static void
add(struct inputs_store *store, uint64_t sequence, const char *text,
    unsigned char *reference_out)
{
	struct inputs_draft draft;

	inputs_draft(span_of(text), &draft);
	if (reference_out != NULL)
		memcpy(reference_out, draft.reference, SHA256_BYTES);
	ck_assert_int_eq(inputs_add(store, sequence, (uint64_t)clock_utc_ms(),
			     span_of(text), &draft),
	    0);
	ck_assert(draft.key[0] == 0 && draft.key[31] == 0);
}

static int
open_segment(uint64_t number, int flags)
{
	char name[INPUTS_NAME_BYTES], full[160];

	inputs_name(number, name);
	snprintf(full, sizeof full, "%s/%s", inside, name);
	return open(full, flags);
}

/* The texts of a segment, each behind "SEQ:"; an erased one as "gone", one that
 * does not open as "damaged"; the reference of the last in reference_out. */
static void
read_segment(uint64_t number, char *out, size_t room,
    unsigned char reference_out[SHA256_BYTES])
{
	unsigned char sealed[4096], opened[4096], row_key[SEAL_KEY_BYTES];
	unsigned char key[SEAL_KEY_BYTES];
	struct inputs_segment segment;
	struct inputs_row row;
	uint64_t offset;
	int fd = open_segment(number, O_RDONLY), rc;

	memset(key, 0x11, sizeof key);
	out[0] = '\0';
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(inputs_segment_read(fd, &segment, &offset), 0);
	ck_assert_uint_eq(segment.number, number);
	for (uint32_t i = 0; i < segment.steps; i++)
		seal_next_key(key);
	while (inputs_row_read(fd, offset, &row) == 1) {
		size_t used = strlen(out), n = row.sealed_bytes;

		ck_assert_uint_le(n, sizeof sealed);
		ck_assert_int_eq(
		    pread(fd, sealed, n, (off_t)(offset + INPUTS_ROW_BYTES)),
		    (ssize_t)n);
		rc =
		    inputs_row_open(&row, number, key, sealed, row_key, opened);
		snprintf(out + used, room - used, "%llu:%.*s ",
		    (unsigned long long)row.sequence,
		    rc == 0 ? (int)(n - SEAL_TAG_BYTES) : 7,
		    rc == 0		     ? (const char *)opened
		    : rc == -ERR_WRONG_STATE ? "gone   "
					     : "damaged");
		if (rc == 0 && reference_out != NULL)
			inputs_reference(row_key,
			    (struct span){
				(const char *)opened, n - SEAL_TAG_BYTES},
			    reference_out);
		offset += INPUTS_ROW_BYTES + n;
	}
	close(fd);
}

START_TEST(sealed_and_opened)
{
	unsigned char key[SEAL_KEY_BYTES], nonce[SEAL_NONCE_BYTES];
	unsigned char out[64], back[64];
	struct span sealed = {(const char *)out, 5 + SEAL_TAG_BYTES};

	seal_random(key, sizeof key);
	seal_random(nonce, sizeof nonce);
	seal_close(key, nonce, SPAN("bound"), SPAN("words"), out);
	ck_assert_int_eq(seal_open(key, nonce, SPAN("bound"), sealed, back), 0);
	ck_assert_mem_eq(back, "words", 5);
	ck_assert_int_eq(
	    seal_open(key, nonce, SPAN("bounc"), sealed, back), -ERR_CORRUPT);
	ck_assert_int_eq(seal_open(key, nonce, SPAN("bound"),
			     (struct span){sealed.p, sealed.n - 1}, back),
	    -ERR_CORRUPT);
	ck_assert_int_eq(seal_open(key, nonce, SPAN("bound"),
			     (struct span){sealed.p, 3}, back),
	    -ERR_CORRUPT);
	for (size_t bit = 0; bit < 8 * sealed.n; bit++) {
		out[bit / 8] ^= (unsigned char)(1u << bit % 8);
		ck_assert_int_eq(
		    seal_open(key, nonce, SPAN("bound"), sealed, back),
		    -ERR_CORRUPT);
		out[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	key[31] ^= 1;
	ck_assert_int_eq(
	    seal_open(key, nonce, SPAN("bound"), sealed, back), -ERR_CORRUPT);
	seal_close(key, nonce, (struct span){0}, (struct span){0}, out);
	ck_assert_int_eq(
	    seal_open(key, nonce, (struct span){0},
		(struct span){(const char *)out, SEAL_TAG_BYTES}, back),
	    0);
}
END_TEST

/* The published first case of AES-256-GCM with a text (GCM specification,
 * test case 14): what is written can be read by others. */
START_TEST(known_answer)
{
	static const char wanted[] = "cea7403d4d606b6e074ec5d3baf39d18"
				     "d0d1c8a799996bf0265b98b5d48ab919";
	unsigned char key[SEAL_KEY_BYTES] = {0}, nonce[SEAL_NONCE_BYTES] = {0};
	unsigned char plain[16] = {0}, out[32];
	char hex[65];

	seal_close(key, nonce, (struct span){0},
	    (struct span){(const char *)plain, sizeof plain}, out);
	hex_encode(out, sizeof out, hex);
	ck_assert_str_eq(hex, wanted);
}
END_TEST

START_TEST(rows_round_trip)
{
	unsigned char named[SHA256_BYTES], found[SHA256_BYTES];
	struct inputs_store *store = open_store(&usual);
	char texts[256];

	add(store, 7, "one", NULL);
	add(store, 9, "", NULL);
	add(store, 12, "three", named);
	ck_assert_int_eq(inputs_close(store), 0);
	read_segment(1, texts, sizeof texts, found);
	ck_assert_str_eq(texts, "7:one 9: 12:three ");
	ck_assert_mem_eq(named, found, SHA256_BYTES);
}
END_TEST

/* The next start begins a segment; a tail that is torn is cut off first. */
START_TEST(torn_tail)
{
	struct inputs_store *store = open_store(&usual);
	char texts[256], command[256];
	struct stat st;
	off_t whole, cut = _i * (off_t)3;
	int fd;

	add(store, 1, "one", NULL);
	add(store, 2, "two", NULL);
	ck_assert_int_eq(inputs_close(store), 0);
	fd = open_segment(1, O_RDWR);
	ck_assert_int_eq(fstat(fd, &st), 0);
	whole = st.st_size - (INPUTS_ROW_BYTES + 3 + SEAL_TAG_BYTES);
	ck_assert_int_eq(ftruncate(fd, st.st_size - cut), 0);
	store = open_store(&usual);
	add(store, 3, "three", NULL);
	ck_assert_int_eq(inputs_close(store), 0);
	read_segment(1, texts, sizeof texts, NULL);
	ck_assert_str_eq(texts, cut == 0 ? "1:one 2:two " : "1:one ");
	if (cut != 0) {
		ck_assert_int_eq(fstat(fd, &st), 0);
		ck_assert_int_eq(st.st_size, whole);
	}
	close(fd);
	read_segment(2, texts, sizeof texts, NULL);
	ck_assert_str_eq(texts, "3:three ");
	/* and nowhere else, where nobody would erase it */
	snprintf(command, sizeof command,
	    "ls %s | grep -vc segment- | grep -qx 0", inside);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

/* Not even a head: all of it is cut off, and nobody is stopped by it. */
START_TEST(torn_head)
{
	char name[INPUTS_NAME_BYTES], full[160], texts[64];
	struct inputs_store *store = open_store(&usual);
	int fd;

	ck_assert_int_eq(inputs_close(store), 0);
	inputs_name(2, name);
	snprintf(full, sizeof full, "%s/%s", inside, name);
	fd = open(full, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(write(fd, "TZIN", 4), 4);
	close(fd);
	store = open_store(&usual);
	ck_assert_int_ne(access(full, F_OK), 0);
	add(store, 5, "five", NULL);
	ck_assert_int_eq(inputs_close(store), 0);
	read_segment(3, texts, sizeof texts, NULL);
	ck_assert_str_eq(texts, "5:five ");
}
END_TEST

/* Segments end by size, each with a key that the one behind it does not give
 * away; the oldest go when all are too many. */
START_TEST(rotated)
{
	const struct inputs_limits small = {.total_bytes = 8192,
	    .segment_bytes = 2048,
	    .segment_ms = 86400000,
	    .keep_ms = 86400000};
	struct inputs_store *store = open_store(&small);
	char text[257] = "", texts[4096];
	uint64_t *numbers;
	int count, dir;

	memset(text, 'x', 256);
	for (uint64_t i = 1; i <= 60; i++)
		add(store, i, text, NULL);
	ck_assert_int_eq(inputs_close(store), 0);
	dir = open(inside, O_RDONLY | O_DIRECTORY);
	count = inputs_list(dir, &numbers);
	ck_assert_int_ge(count, 3);
	ck_assert_int_le(count, 4);
	for (int i = 0; i < count; i++) {
		read_segment(numbers[i], texts, sizeof texts, NULL);
		ck_assert_ptr_null(strstr(texts, "damaged"));
		ck_assert_ptr_nonnull(strstr(texts, text));
	}
	ck_assert_ptr_nonnull(strstr(texts, "60:"));
	free(numbers);
	close(dir);
}
END_TEST

START_TEST(dropped_by_age)
{
	struct inputs_limits short_life = usual;
	struct inputs_store *store = open_store(&usual);

	add(store, 1, "one", NULL);
	ck_assert_int_eq(inputs_close(store), 0);
	short_life.keep_ms = 0;
	usleep(1100000); /* a file's time is in whole seconds here */
	ck_assert_int_eq(inputs_close(open_store(&short_life)), 0);
	ck_assert_int_lt(open_segment(1, O_RDONLY), 0);
}
END_TEST

START_TEST(erased)
{
	struct inputs_store *store = open_store(&usual);
	char texts[256], before[4096], after[4096];
	ssize_t n;
	int fd;

	add(store, 1, "one", NULL);
	add(store, 2, "secret", NULL);
	add(store, 3, "three", NULL);
	ck_assert_int_eq(inputs_flush(store, true), 0);
	fd = open_segment(1, O_RDONLY);
	n = pread(fd, before, sizeof before, 0);
	ck_assert_int_eq(inputs_erase(inside, 2), 0);
	ck_assert_int_eq(inputs_erase(inside, 2), 0);
	ck_assert_int_eq(inputs_erase(inside, 4), -ERR_NOT_FOUND);
	ck_assert_int_eq(inputs_erase("/nowhere", 4), -ERR_NOT_FOUND);
	/* beside a writer that goes on */
	add(store, 5, "five", NULL);
	ck_assert_int_eq(inputs_close(store), 0);
	read_segment(1, texts, sizeof texts, NULL);
	ck_assert_str_eq(texts, "1:one 2:gone    3:three 5:five ");
	ck_assert_int_ge(pread(fd, after, sizeof after, 0), n);
	/* neither key nor text of it is left, in no place of the file */
	for (ssize_t i = 0; i + 16 <= n; i++)
		if (memcmp(before + i, after + i, 16) != 0)
			ck_assert_ptr_null(
			    memmem(after, (size_t)n, before + i, 16));
	close(fd);
	/* and the next start sees nothing torn */
	ck_assert_int_eq(inputs_close(open_store(&usual)), 0);
	read_segment(1, texts, sizeof texts, NULL);
	ck_assert_str_eq(texts, "1:one 2:gone    3:three 5:five ");
}
END_TEST

/* Every byte of a row matters, and of a segment's head. */
START_TEST(flipped_bits)
{
	struct inputs_store *store = open_store(&usual);
	char texts[256];
	struct stat st;
	int fd;

	add(store, 1, "one", NULL);
	ck_assert_int_eq(inputs_close(store), 0);
	fd = open_segment(1, O_RDWR);
	ck_assert_int_eq(fstat(fd, &st), 0);
	for (off_t at = 0; at < st.st_size; at++) {
		struct inputs_segment segment;
		unsigned char byte;
		uint64_t rows;

		ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
		byte ^= 0x20;
		ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
		if (inputs_segment_read(fd, &segment, &rows) == 0) {
			read_segment(1, texts, sizeof texts, NULL);
			ck_assert(strcmp(texts, "") == 0 ||
				  strcmp(texts, "1:damaged ") == 0);
		}
		byte ^= 0x20;
		ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
	}
	close(fd);
	read_segment(1, texts, sizeof texts, NULL);
	ck_assert_str_eq(texts, "1:one ");
}
END_TEST

/*
 * The text.
 */
#define ARGUMENTS "{\"to\":[\"a@b.example\",2.50],\"text\":\"\\u0001\\n x\"}"

static struct json_doc doc, again;

static void
fill(struct inputs *inputs, struct buf *out)
{
	ck_assert_int_eq(json_parse(&doc, SPAN(ARGUMENTS), NULL, NULL), 0);
	*inputs = (struct inputs){.request = {.capability = SPAN("mail.send"),
				      .doc = &doc,
				      .arguments = json_root(&doc),
				      .zone = SPAN("planner"),
				      .legs = LEG_A | LEG_C,
				      .used_hour = 3,
				      .week_minute = 10079,
				      .value_count = 2},
	    .time_ms = 1700000000000,
	    .session = 4,
	    .policy = {1, 2, 255},
	    .verdict = VERDICT_ASK,
	    .rule = SPAN("floor"),
	    .error = ERR_DENIED,
	    .values = {{3, 0, VALUE_ADDRESS, {0}, ORIGIN_BOOK | ORIGIN_PARTY},
		{4, 2, VALUE_URL, SPAN("event"), ORIGIN_MODEL}}};
	buf_clear(out);
	ck_assert_int_eq(inputs_write(inputs, out), 0);
}

START_TEST(text_round_trip)
{
	static struct inputs inputs, back;
	struct buf text, second;

	json_init(&doc);
	json_init(&again);
	buf_init(&text, 4096);
	buf_init(&second, 4096);
	fill(&inputs, &text);
	ck_assert_int_eq(
	    inputs_parse(&again, (struct span){text.data, text.len}, &back), 0);
	ck_assert_int_eq(back.verdict, VERDICT_ASK);
	ck_assert_uint_eq(back.request.value_count, 2);
	ck_assert_ptr_eq(back.request.values, back.values);
	ck_assert(span_equal(
	    json_raw(&again, back.request.arguments), SPAN(ARGUMENTS)));
	ck_assert_int_eq(inputs_write(&back, &second), 0);
	ck_assert(span_equal((struct span){text.data, text.len},
	    (struct span){second.data, second.len}));
	/* no shorter one is taken, and none with another byte is a crash */
	for (size_t n = 0; n < text.len; n++) {
		char was = text.data[n];

		ck_assert_int_lt(
		    inputs_parse(&again, (struct span){text.data, n}, &back),
		    0);
		text.data[n] = (char)(was + 1);
		(void)inputs_parse(
		    &again, (struct span){text.data, text.len}, &back);
		text.data[n] = was;
	}
	buf_free(&text);
	buf_free(&second);
	json_done(&doc);
	json_done(&again);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("inputs");
	TCase *files = tcase_create("files"), *pure = tcase_create("pure");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(files, make_folder, remove_folder);
	tcase_set_timeout(files, 120);
	tcase_add_test(files, rows_round_trip);
	tcase_add_loop_test(files, torn_tail, 0,
	    (INPUTS_ROW_BYTES + 3 + SEAL_TAG_BYTES) / 3 + 1);
	tcase_add_test(files, torn_head);
	tcase_add_test(files, rotated);
	tcase_add_test(files, dropped_by_age);
	tcase_add_test(files, erased);
	tcase_add_test(files, flipped_bits);
	tcase_add_test(pure, sealed_and_opened);
	tcase_add_test(pure, known_answer);
	tcase_add_test(pure, text_round_trip);
	suite_add_tcase(suite, files);
	suite_add_tcase(suite, pure);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
