/*
 * Growing buffer: its ceiling, refusals that leave no trace, moving bytes.
 */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/err.h"

START_TEST(empty_buffer)
{
	struct buf b;

	buf_init(&b, 10);
	ck_assert_ptr_null(b.data);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_int_eq(buf_add(&b, NULL, 0), 0);
	ck_assert_int_eq(buf_add_text(&b, ""), 0);
	buf_consume(&b, 0);
	buf_clear(&b);
	buf_free(&b);
	buf_free(&b);
	ck_assert_uint_eq(b.max, 10);
}
END_TEST

START_TEST(ceiling_is_exact)
{
	struct buf b;

	for (size_t max = 0; max < 600; max++) {
		buf_init(&b, max);
		for (size_t i = 0; i < max; i++)
			ck_assert_int_eq(buf_add_byte(&b, 'x'), 0);
		ck_assert(!b.overflow);
		ck_assert_int_eq(buf_add_byte(&b, 'x'), -ERR_TOO_LARGE);
		ck_assert(b.overflow);
		ck_assert_uint_eq(b.len, max);
		buf_clear(&b);
		ck_assert(!b.overflow);
		ck_assert_uint_eq(b.len, 0);
		buf_free(&b);
	}
}
END_TEST

START_TEST(refused_whole)
{
	struct buf b;

	buf_init(&b, 8);
	ck_assert_int_eq(buf_add_text(&b, "12345"), 0);
	ck_assert_int_eq(buf_add_text(&b, "6789"), -ERR_TOO_LARGE);
	ck_assert_uint_eq(b.len, 5);
	ck_assert_int_eq(memcmp(b.data, "12345", 5), 0);
	ck_assert_int_eq(buf_add_text(&b, "678"), 0);
	ck_assert(b.overflow);
	ck_assert_ptr_null(buf_reserve(&b, 1));
	ck_assert_ptr_nonnull(buf_reserve(&b, 0));
	ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX));
	buf_free(&b);
}
END_TEST

/* The NUL of printf counts nowhere: a text may fill the buffer exactly. */
START_TEST(format_fills_exactly)
{
	struct buf b;

	for (size_t max = 1; max < 300; max++) {
		buf_init(&b, max);
		ck_assert_int_eq(buf_add_format(&b, "%*s", (int)max, "x"), 0);
		ck_assert_uint_eq(b.len, max);
		ck_assert_int_eq(buf_add_format(&b, "%d", 7), -ERR_TOO_LARGE);
		ck_assert_int_eq(b.data[max - 1], 'x');
		buf_free(&b);
	}
}
END_TEST

START_TEST(format_appends)
{
	struct buf b;

	buf_init(&b, 1000);
	ck_assert_int_eq(buf_add_format(&b, "%s", ""), 0);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(buf_add_format(&b, "%02d,", i), 0);
	ck_assert_uint_eq(b.len, 300);
	ck_assert_int_eq(memcmp(b.data + 294, "98,99,", 6), 0);
	buf_free(&b);
}
END_TEST

START_TEST(keeps_bytes_while_growing)
{
	struct buf b;

	buf_init(&b, 1u << 20);
	for (unsigned i = 0; i < 100000; i++)
		ck_assert_int_eq(buf_add_byte(&b, (char)(i * 7 % 127)), 0);
	for (unsigned i = 0; i < 100000; i++)
		ck_assert_int_eq(b.data[i], (char)(i * 7 % 127));
	buf_free(&b);
}
END_TEST

START_TEST(reserve_then_fill)
{
	struct buf b;
	char *to;

	buf_init(&b, 1000);
	to = buf_reserve(&b, 1000);
	ck_assert_ptr_nonnull(to);
	memset(to, 'y', 1000);
	ck_assert_uint_eq(b.len, 0);
	b.len += 700;
	ck_assert_ptr_null(buf_reserve(&b, 301));
	ck_assert_ptr_eq(buf_reserve(&b, 300), b.data + 700);
	buf_free(&b);
}
END_TEST

START_TEST(consume_from_the_front)
{
	struct buf b;

	buf_init(&b, 100);
	buf_add_text(&b, "abcdef");
	buf_consume(&b, 0);
	buf_consume(&b, 2);
	ck_assert_uint_eq(b.len, 4);
	ck_assert_int_eq(memcmp(b.data, "cdef", 4), 0);
	buf_consume(&b, 4);
	ck_assert_uint_eq(b.len, 0);
	buf_add_text(&b, "new");
	ck_assert_int_eq(memcmp(b.data, "new", 3), 0);
	buf_free(&b);
}
END_TEST

START_TEST(consume_too_much_is_a_bug)
{
	struct buf b;

	buf_init(&b, 100);
	buf_add_text(&b, "abc");
	buf_consume(&b, 4);
}
END_TEST

START_TEST(allocation)
{
	static const char zeros[32];
	char *text = alloc_format("%s-%d", "a", 7);
	char *memory = alloc_bytes(sizeof zeros);

	ck_assert_str_eq(text, "a-7");
	ck_assert_int_eq(memcmp(memory, zeros, sizeof zeros), 0);
	memset(memory, 'x', sizeof zeros);
	wipe(memory, sizeof zeros);
	ck_assert_int_eq(memcmp(memory, zeros, sizeof zeros), 0);
	free(memory);
	free(text);
	free(alloc_bytes(0));
	free(alloc_array(0, 8));
	text = alloc_text(NULL, 0);
	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

START_TEST(overflow_in_a_size_dies)
{
	free(alloc_resize(NULL, SIZE_MAX / 2, 3));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("buf");
	TCase *buf = tcase_create("buf"), *alloc = tcase_create("alloc");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, buf);
	tcase_add_test(buf, empty_buffer);
	tcase_add_test(buf, ceiling_is_exact);
	tcase_add_test(buf, refused_whole);
	tcase_add_test(buf, format_fills_exactly);
	tcase_add_test(buf, format_appends);
	tcase_add_test(buf, keeps_bytes_while_growing);
	tcase_add_test(buf, reserve_then_fill);
	tcase_add_test(buf, consume_from_the_front);
	tcase_add_exit_test(buf, consume_too_much_is_a_bug, EXIT_BUG);
	suite_add_tcase(suite, alloc);
	tcase_add_test(alloc, allocation);
	tcase_add_exit_test(alloc, overflow_in_a_size_dies, EXIT_SYSTEM);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
