/*
 * Unknown outcomes and their settlements: what a log remembers of them over
 * restarts, how many are told, and what retention may not take away.
 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/audit_retain.h"
#include "tests/unit/audit_fixture.h"

static uint64_t told[UNSETTLED_MAX + 1];
static size_t told_count;

static void
setup(void)
{
	folder_make();
	limits = (struct audit_limits){65536, 50, 10000};
}

static void
reopen(void)
{
	must_close();
	must_open();
}

/* An order whose outcome nobody knows; its intent. */
static uint64_t
unknown(uint64_t request)
{
	struct record intent = {.kind = RECORD_INTENT,
	    .request = request,
	    .capability = SPAN("notify.send")};
	struct record outcome = {.kind = RECORD_OUTCOME,
	    .status = OUTCOME_UNKNOWN,
	    .detail = SPAN("its courier died")};

	ck_assert_int_eq(
	    audit_append(audit, &intent, &outcome.intent, NULL), 0);
	ck_assert_int_eq(audit_append(audit, &outcome, NULL, NULL), 0);
	return outcome.intent;
}

static int
settle(uint64_t intent, enum outcome status)
{
	struct record record = {
	    .kind = RECORD_SETTLEMENT, .intent = intent, .status = status};

	return audit_append(audit, &record, NULL, NULL);
}

static void
each(void *context, const struct audit_unknown *one)
{
	(void)context;
	ck_assert_uint_le(told_count, UNSETTLED_MAX);
	ck_assert(span_is(one->reason, "its courier died"));
	ck_assert(span_is(one->intent->capability, "notify.send"));
	ck_assert_uint_gt(one->time_ms, UINT64_C(1000000000000));
	told[told_count++] = one->seq;
}

static size_t
tell(void)
{
	told_count = 0;
	ck_assert_int_eq(audit_flush(audit, false), 0);
	ck_assert_uint_eq(audit_tell_unknown(audit, each, NULL), 0);
	return told_count;
}

START_TEST(told_until_settled)
{
	uint64_t one, two;

	reopen();
	ck_assert_uint_eq(tell(), 0);
	one = unknown(1);
	two = unknown(2);
	ck_assert_uint_eq(tell(), 2);
	ck_assert_uint_eq(told[0], one);
	ck_assert_uint_eq(tell(), 0); /* told once */
	reopen();
	ck_assert_uint_eq(tell(), 2); /* by each start */
	ck_assert_int_eq(settle(one, OUTCOME_DONE), 0);
	ck_assert(!audit_is_unsettled(audit, one));
	ck_assert(audit_is_unsettled(audit, two));
	reopen();
	ck_assert_uint_eq(tell(), 1);
	ck_assert_uint_eq(told[0], two);
}
END_TEST

START_TEST(settled_once)
{
	struct record intent = {.kind = RECORD_INTENT};
	struct record outcome = {.kind = RECORD_OUTCOME};
	uint64_t one;

	reopen();
	one = unknown(1);
	ck_assert_int_eq(
	    audit_append(audit, &intent, &outcome.intent, NULL), 0);
	ck_assert_int_eq(
	    settle(outcome.intent, OUTCOME_DONE), -ERR_WRONG_STATE);
	ck_assert_int_eq(audit_append(audit, &outcome, NULL, NULL), 0);
	ck_assert_int_eq(
	    settle(outcome.intent, OUTCOME_DONE), -ERR_WRONG_STATE);
	ck_assert_int_eq(settle(0, OUTCOME_DONE), -ERR_WRONG_STATE);
	ck_assert_int_eq(settle(one + 100, OUTCOME_DONE), -ERR_WRONG_STATE);
	ck_assert_int_eq(settle(one, OUTCOME_UNKNOWN), -ERR_WRONG_STATE);
	ck_assert_int_eq(settle(one, OUTCOME_FAILED), 0);
	ck_assert_int_eq(settle(one, OUTCOME_FAILED), -ERR_WRONG_STATE);
	reopen();
	ck_assert_int_eq(settle(one, OUTCOME_FAILED), -ERR_WRONG_STATE);
}
END_TEST

/* The rest waits in the log, for a start after some were settled. */
START_TEST(so_many_and_the_rest_later)
{
	uint64_t first = 0, last = 0;

	reopen();
	for (uint64_t i = 0; i < UNSETTLED_MAX + 200; i++) {
		last = unknown(i + 1);
		first = first == 0 ? last : first;
	}
	ck_assert_uint_eq(tell(), UNSETTLED_MAX);
	ck_assert_uint_eq(told[0], first);
	ck_assert(!audit_is_unsettled(audit, last));
	ck_assert_int_eq(settle(last, OUTCOME_DONE), -ERR_WRONG_STATE);
	for (size_t i = 0; i < 300; i++)
		ck_assert_int_eq(settle(told[i], OUTCOME_DONE), 0);
	reopen();
	ck_assert_uint_eq(tell(), UNSETTLED_MAX - 100);
	ck_assert_uint_eq(told[told_count - 1], last);
}
END_TEST

/* Neither size nor age takes a segment whose unknown outcome is open, whether
 * it was told or there was no room. */
START_TEST(retention_waits)
{
	static const struct audit_keep keep = {1, 1};
	struct record other = {.kind = RECORD_START, .detail = SPAN("words")};
	uint64_t one;

	reopen();
	one = unknown(1);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(audit_append(audit, &other, NULL, NULL), 0);
	ck_assert_int_eq(audit_flush(audit, true), 0);
	ck_assert_int_eq(audit_retain(audit, &keep), 0);
	reopen();
	ck_assert_int_eq(audit_retain(audit, &keep), 0);
	unsettled_trim(&audit->unsettled, 0);
	ck_assert_int_eq(audit_retain(audit, &keep), 0);
	reopen();
	ck_assert_uint_eq(tell(), 1);
	ck_assert_int_eq(settle(one, OUTCOME_FAILED), 0);
	ck_assert_int_eq(audit_retain(audit, &keep), 1);
}
END_TEST

START_TEST(set)
{
	struct unsettled unsettled = {.most = 4};

	ck_assert_uint_eq(unsettled_first(&unsettled), 0);
	unsettled_add(&unsettled, 9, 1);
	unsettled_add(&unsettled, 3, 2);
	unsettled_add(&unsettled, 6, 3);
	unsettled_add(&unsettled, 6, 4);
	unsettled_add(&unsettled, 7, 5);
	ck_assert_uint_eq(unsettled.count, 4);
	ck_assert_uint_eq(unsettled.rows[1].outcome, 3);
	unsettled_add(&unsettled, 2, 6);
	ck_assert(!unsettled_has(&unsettled, 2));
	ck_assert_uint_eq(unsettled_first(&unsettled), 2);
	unsettled_remove(&unsettled, 6);
	unsettled_remove(&unsettled, 6);
	unsettled_remove(&unsettled, 100);
	ck_assert_uint_eq(unsettled.count, 3);
	ck_assert_uint_eq(unsettled.untold, 3);
	unsettled.beyond = 0;
	unsettled_trim(&unsettled, 1);
	ck_assert_uint_eq(unsettled.beyond, 7);
	ck_assert_uint_eq(unsettled_first(&unsettled), 3);
	unsettled_remove(&unsettled, 3);
	ck_assert_uint_eq(unsettled_first(&unsettled), 7);
	ck_assert_uint_eq(unsettled.untold, 0);
	unsettled_done(&unsettled);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("audit_settle");
	TCase *tcase = tcase_create("settle");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, folder_remove);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, told_until_settled);
	tcase_add_test(tcase, settled_once);
	tcase_add_test(tcase, so_many_and_the_rest_later);
	tcase_add_test(tcase, retention_waits);
	tcase_add_test(tcase, set);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
