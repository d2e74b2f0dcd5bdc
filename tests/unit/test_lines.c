/*
 * Lines of a descriptor: bounds, ends, any bytes, reads that come in pieces
 * or are interrupted.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "reader/lines.h"
#include "run_suite.h"

#define MOST 100

static int ends[2];
static struct lines lines;
static struct span line;

static void
setup(void)
{
	ck_assert_int_eq(pipe(ends), 0);
	lines_init(&lines, ends[0], MOST);
}

static void
teardown(void)
{
	lines_done(&lines);
	(void)close(ends[0]);
	if (ends[1] >= 0)
		(void)close(ends[1]);
}

static void
say(const void *bytes, size_t n)
{
	ck_assert_int_eq(write(ends[1], bytes, n), (ssize_t)n);
}

static void
end(void)
{
	ck_assert_int_eq(close(ends[1]), 0);
	ends[1] = -1;
}

static void
expect(struct span want)
{
	unsigned long number = lines.number;

	ck_assert_int_eq(lines_next(&lines, &line), 1);
	ck_assert(span_equal(line, want));
	ck_assert_uint_eq(lines.number, number + 1);
}

static void
expect_end(void)
{
	ck_assert_int_eq(lines_next(&lines, &line), 0);
	ck_assert_int_eq(lines_next(&lines, &line), 0);
}

START_TEST(nothing)
{
	end();
	expect_end();
	ck_assert_uint_eq(lines.number, 0);
}
END_TEST

START_TEST(one_after_another)
{
	say("a\n\nbc\r\n\n", 8);
	end();
	expect(SPAN("a"));
	expect(SPAN(""));
	expect(SPAN("bc\r"));
	expect(SPAN(""));
	expect_end();
	ck_assert_uint_eq(lines.number, 4);
}
END_TEST

START_TEST(without_a_last_end)
{
	say("a\nb", 3);
	end();
	expect(SPAN("a"));
	expect(SPAN("b"));
	expect_end();
}
END_TEST

START_TEST(any_bytes)
{
	say("\0a\0\n\xff\xfe\n\0", 8);
	end();
	expect(SPAN("\0a\0"));
	expect(SPAN("\xff\xfe"));
	expect(SPAN("\0"));
	expect_end();
}
END_TEST

START_TEST(in_pieces)
{
	say("a", 1);
	say("b", 1);
	say("c\nd", 3);
	expect(SPAN("abc"));
	say("e\n", 2);
	expect(SPAN("de"));
	end();
	expect_end();
}
END_TEST

START_TEST(the_longest)
{
	char text[MOST + 2];

	memset(text, 'x', sizeof text);
	text[MOST] = '\n';
	say(text, MOST + 1);
	expect((struct span){text, MOST});
	say(text, MOST);
	end();
	expect((struct span){text, MOST});
	expect_end();
}
END_TEST

/* One byte more is too many, with its end already there or not. */
START_TEST(too_long)
{
	char text[MOST + 2];

	memset(text, 'x', sizeof text);
	text[0] = '\n';
	text[MOST + 1] = 'x';
	say(text, MOST + 2);
	if (_i == 1)
		say("\n", 1);
	if (_i == 2)
		end();
	expect(SPAN(""));
	ck_assert_int_eq(lines_next(&lines, &line), -ERR_TOO_LARGE);
	ck_assert_uint_eq(lines.number, 2);
	if (_i == 2) {
		expect_end();
		return;
	}
	say(_i == 0 ? "xx\nabc\n" : "abc\n", _i == 0 ? 7 : 4);
	expect(SPAN("abc"));
	ck_assert_uint_eq(lines.number, 3);
	end();
	expect_end();
}
END_TEST

START_TEST(no_descriptor)
{
	struct lines none;

	lines_init(&none, -1, MOST);
	ck_assert_int_eq(lines_next(&none, &line), -ERR_IO);
	ck_assert_int_eq(errno, EBADF);
	lines_done(&none);
}
END_TEST

/* Many short lines: those behind a line stay where they are. */
START_TEST(moves_none)
{
	const size_t count = 1u << 20;
	FILE *file = tmpfile();
	struct lines many;
	const char *behind = NULL;
	size_t seen = 0, moved = 0;

	ck_assert_ptr_nonnull(file);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_ne(fputs("ab\n", file), EOF);
	ck_assert_int_eq(fflush(file), 0);
	ck_assert_int_eq(lseek(fileno(file), 0, SEEK_SET), 0);
	lines_init(&many, fileno(file), MOST);
	while (lines_next(&many, &line) == 1) {
		seen += span_is(line, "ab");
		moved += line.p != behind;
		behind = line.p + line.n + 1;
	}
	ck_assert_uint_eq(seen, count);
	ck_assert_uint_lt(moved, count / 1000);
	lines_done(&many);
	ck_assert_int_eq(fclose(file), 0);
}
END_TEST

static void
on_alarm(int number)
{
	(void)number;
}

static void *
interrupt(void *reader)
{
	const struct timespec pause = {.tv_nsec = 2000000};

	for (int i = 0; i < 20; i++) {
		(void)nanosleep(&pause, NULL);
		(void)pthread_kill(*(pthread_t *)reader, SIGUSR1);
		if (i % 5 == 4)
			say("a\n", 2);
	}
	end();
	return NULL;
}

START_TEST(interrupted)
{
	struct sigaction act = {.sa_handler = on_alarm}; /* no SA_RESTART */
	pthread_t reader = pthread_self(), other;

	ck_assert_int_eq(sigaction(SIGUSR1, &act, NULL), 0);
	ck_assert_int_eq(pthread_create(&other, NULL, interrupt, &reader), 0);
	for (int i = 0; i < 4; i++)
		expect(SPAN("a"));
	expect_end();
	ck_assert_int_eq(pthread_join(other, NULL), 0);
}
END_TEST

static Suite *
lines_suite(void)
{
	Suite *s = suite_create("lines");
	TCase *tc = tcase_create("lines");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, nothing);
	tcase_add_test(tc, one_after_another);
	tcase_add_test(tc, without_a_last_end);
	tcase_add_test(tc, any_bytes);
	tcase_add_test(tc, in_pieces);
	tcase_add_test(tc, the_longest);
	tcase_add_loop_test(tc, too_long, 0, 3);
	tcase_add_test(tc, no_descriptor);
	tcase_add_test(tc, moves_none);
	tcase_add_test(tc, interrupted);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run_suite(lines_suite());
}
