/*
 * Frames: lengths, pieces, and what is refused before any memory is taken.
 */
#include <string.h>

#include "common/err.h"
#include "common/limits.h"
#include "proto/frame.h"
#include "tests/unit/run_suite.h"

static void
feed(struct frame_reader *reader, const void *bytes, size_t count)
{
	char *to = frame_reader_room(reader, count);

	ck_assert_ptr_nonnull(to);
	memcpy(to, bytes, count);
	reader->in.len += count;
}

START_TEST(whole_frames_come_out)
{
	struct frame_reader reader;
	struct span frame;

	frame_reader_init(&reader);
	feed(&reader, "\0\0\0\2ab\0\0\0\1c", 11);
	ck_assert_int_eq(frame_next(&reader, &frame), 1);
	ck_assert(span_is(frame, "ab"));
	ck_assert_int_eq(frame_next(&reader, &frame), 1);
	ck_assert(span_is(frame, "c"));
	ck_assert_int_eq(frame_next(&reader, &frame), 0);
	ck_assert(!frame_pending(&reader));
	frame_reader_done(&reader);
}
END_TEST

START_TEST(one_byte_at_a_time)
{
	static const char bytes[] = "\0\0\0\3xyz";
	struct frame_reader reader;
	struct span frame;

	frame_reader_init(&reader);
	for (size_t i = 0; i < 7; i++) {
		feed(&reader, bytes + i, 1);
		ck_assert_int_eq(frame_next(&reader, &frame), i == 6);
		ck_assert(frame_pending(&reader) || i == 6);
	}
	ck_assert(span_is(frame, "xyz"));
	frame_reader_done(&reader);
}
END_TEST

START_TEST(bad_lengths_are_refused)
{
	static const struct {
		const char *head;
		int error;
	} cases[] = {
	    {"\0\0\0\0", -ERR_FRAME_EMPTY},
	    {"\x80\0\0\0", -ERR_FRAME_LONG},
	    {"\xff\xff\xff\xff", -ERR_FRAME_LONG},
	    {"\x7f\xff\xff\xff", -ERR_FRAME_LONG},
	    {"\0\x10\0\1", -ERR_FRAME_LONG},
	    {"\0\x10\0\0", 0},
	};
	struct frame_reader reader;
	struct span frame;

	frame_reader_init(&reader);
	feed(&reader, cases[_i].head, 4);
	ck_assert_int_eq(frame_next(&reader, &frame), cases[_i].error);
	ck_assert_uint_lt(reader.in.cap, 4096);
	frame_reader_done(&reader);
}
END_TEST

START_TEST(the_largest_frame_fits)
{
	static char body[FRAME_MAX_BYTES];
	struct frame_reader reader;
	struct span frame;
	size_t at = 0;

	memset(body, 'x', sizeof body);
	frame_reader_init(&reader);
	feed(&reader, "\0\x10\0\0", 4);
	while (at < sizeof body) {
		size_t n = sizeof body - at < 65536 ? sizeof body - at : 65536;

		ck_assert_int_eq(frame_next(&reader, &frame), 0);
		feed(&reader, body + at, n);
		at += n;
	}
	ck_assert_int_eq(frame_next(&reader, &frame), 1);
	ck_assert_uint_eq(frame.n, FRAME_MAX_BYTES);
	frame_reader_done(&reader);
}
END_TEST

START_TEST(written_frames_are_read)
{
	struct frame_reader reader;
	struct span frame;
	struct buf out;
	size_t head;

	buf_init(&out, 1000);
	head = frame_begin(&out);
	buf_add_text(&out, "hello");
	ck_assert_int_eq(frame_end(&out, head), 0);
	frame_reader_init(&reader);
	feed(&reader, out.data, out.len);
	ck_assert_int_eq(frame_next(&reader, &frame), 1);
	ck_assert(span_is(frame, "hello"));
	frame_reader_done(&reader);
	buf_free(&out);
}
END_TEST

START_TEST(a_frame_that_overflows_is_taken_back)
{
	struct buf out;
	size_t head;

	buf_init(&out, 20);
	buf_add_text(&out, "before");
	head = frame_begin(&out);
	buf_add_text(&out, "far too long for it");
	ck_assert_int_eq(frame_end(&out, head), -ERR_FRAME_LONG);
	ck_assert_uint_eq(out.len, 6);
	ck_assert(!out.overflow);
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("frame");
	TCase *tests = tcase_create("frame");

	tcase_add_test(tests, whole_frames_come_out);
	tcase_add_test(tests, one_byte_at_a_time);
	tcase_add_loop_test(tests, bad_lengths_are_refused, 0, 6);
	tcase_add_test(tests, the_largest_frame_fits);
	tcase_add_test(tests, written_frames_are_read);
	tcase_add_test(tests, a_frame_that_overflows_is_taken_back);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
