/*
 * Seatbelt's text for every role, against tests/data/seatbelt: a right that is
 * added shows up there. And paths, which are never part of the text.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "common/seatbelt.h"
#include "executor/profile.h"
#include "planner/profile.h"
#include "reader/profile.h"
#include "run_suite.h"

#define ROOM 65536

static char slash_inbox[] = "/inbox", slash_audit[] = "/audit";
static char slash_in[] = "/in", slash_out[] = "/out", slash_log[] = "/log";

static const struct lock_path inbox = {slash_inbox, true, false};
static const struct lock_path audit = {slash_audit, true, false};
static const struct lock_path roots[] = {
    {slash_in, false, false}, {slash_out, true, false}};
static const struct lock_path log_path = {slash_log, true, true};

/* The reader's worker has no row: it has what the reader has. */
static const struct row {
	const char *name; /* of the executor's; else the profile is given */
	const struct lock_profile *profile;
	const struct lock_path *paths;
	size_t count;
} rows[] = {
    {"parent", NULL, NULL, 0},
    {"parent-firewall", NULL, NULL, 0},
    {"broker", NULL, &inbox, 1},
    {"auditor", NULL, &audit, 1},
    {"file", NULL, roots, 2},
    {"notify", NULL, &log_path, 1},
    {"resolver", NULL, NULL, 0},
    {"blocked", NULL, NULL, 0},
    {"planner", &planner_profile, NULL, 0},
    {"reader", &reader_profile, NULL, 0},
    {"filter", &filter_profile, NULL, 0},
};

#define ROWS (sizeof rows / sizeof rows[0])

static const struct lock_profile *
profile_of(const struct row *row)
{
	if (strcmp(row->name, "parent-firewall") == 0)
		return profile_parent(true);
	return row->profile != NULL ? row->profile
				    : profile_find(span_of(row->name));
}

static void
make(const struct row *row, struct buf *out)
{
	const struct lock_profile *profile = profile_of(row);

	ck_assert_ptr_nonnull(profile);
	buf_init(out, ROOM);
	seatbelt_text(profile, row->paths, row->count, out);
	ck_assert(!out->overflow);
}

static void
read_expected(const char *name, struct buf *out)
{
	char path[1024];
	int fd;

	(void)snprintf(path, sizeof path, "%s/data/seatbelt/%s.sb",
	    getenv("TRIZONE_TESTS"), name);
	fd = open(path, O_RDONLY);
	ck_assert_msg(fd >= 0, "%s", path);
	buf_init(out, ROOM);
	ck_assert_int_eq(io_read_all(fd, out), 0);
	close(fd);
}

START_TEST(as_expected)
{
	struct buf text, expected;

	make(&rows[_i], &text);
	read_expected(rows[_i].name, &expected);
	ck_assert_msg(text.len == expected.len &&
			  memcmp(text.data, expected.data, text.len) == 0,
	    "%s is\n%.*s", rows[_i].name, (int)text.len, text.data);
	buf_free(&text);
	buf_free(&expected);
}
END_TEST

static bool
has(const struct buf *text, const char *word)
{
	return memmem(text->data, text->len, word, strlen(word)) != NULL;
}

/* To one socket, and to no address. */
static bool
talks(const struct row *row, const struct buf *text)
{
	return (profile_of(row)->flags & LOCK_TALKS) != 0 &&
	       has(text, "(allow network-outbound (literal "
			 "\"/private/var/run/mDNSResponder\"))");
}

START_TEST(denied_by_default)
{
	static const char *const never[] = {"network-outbound", "network-bind",
	    "mach", "sysctl", "iokit", "file-link", "executable",
	    "default)\n(allow default", "process*", "file*", "(allow network*"};
	static const char start[] = "(version 1)\n(deny default)\n";
	struct buf text;

	make(&rows[_i], &text);
	ck_assert_int_eq(memcmp(text.data, start, sizeof start - 1), 0);
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		ck_assert_msg(!has(&text, never[i]) ||
				  (i == 0 && talks(&rows[_i], &text)),
		    "%s has %s", rows[_i].name, never[i]);
	ck_assert(has(&text, "process-exec") ==
		  ((profile_of(&rows[_i])->flags & LOCK_KEEPS) != 0));
	ck_assert(
	    has(&text, "process-fork") ==
	    ((profile_of(&rows[_i])->flags & (LOCK_KEEPS | LOCK_FORKS)) != 0));
	buf_free(&text);
}
END_TEST

START_TEST(every_profile_has_a_row)
{
	size_t count, own = 0;

	(void)profile_all(&count);
	for (size_t i = 0; i < ROWS; i++)
		own += rows[i].profile == NULL;
	ck_assert_uint_eq(own, count);
}
END_TEST

/* Whatever a path is made of, the text is that of any other. */
START_TEST(hostile_path)
{
	static char hostile[] = "/a\") (allow default) (deny \"\n\\\x7f\xff";
	static char plain[] = "/a";
	const struct lock_path bad = {hostile, true, false};
	const struct lock_path good = {plain, true, false};
	struct buf one, other;

	buf_init(&one, ROOM);
	buf_init(&other, ROOM);
	seatbelt_text(&planner_profile, &bad, 1, &one);
	seatbelt_text(&planner_profile, &good, 1, &other);
	ck_assert_uint_eq(one.len, other.len);
	ck_assert_int_eq(memcmp(one.data, other.data, one.len), 0);
	buf_free(&one);
	buf_free(&other);
}
END_TEST

/* Each path by its own parameter, also behind one that is left out. */
START_TEST(many_paths)
{
	struct lock_path paths[LOCK_PATHS_MAX];
	char name[32];
	struct buf text;

	for (size_t i = 0; i < LOCK_PATHS_MAX; i++)
		paths[i] = (struct lock_path){slash_in, true, i % 2 == 1};
	buf_init(&text, ROOM);
	seatbelt_text(&planner_profile, paths, LOCK_PATHS_MAX, &text);
	ck_assert(!text.overflow);
	for (size_t i = 0; i < LOCK_PATHS_MAX; i++) {
		(void)snprintf(
		    name, sizeof name, "(param \"" SEATBELT_PATH "\")", i);
		ck_assert(has(&text, name) == !paths[i].shown);
	}
	buf_free(&text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("seatbelt");
	TCase *tc = tcase_create("text");

	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, as_expected, 0, ROWS);
	tcase_add_loop_test(tc, denied_by_default, 0, ROWS);
	tcase_add_test(tc, every_profile_has_a_row);
	tcase_add_test(tc, hostile_path);
	tcase_add_test(tc, many_paths);
	return run_suite(suite);
}
