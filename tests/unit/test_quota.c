/*
 * The sliding hour: charge, refund, minutes that pass, clocks that jump.
 */
#include "executor/quota.h"
#include "tests/unit/run_suite.h"

#define MINUTE INT64_C(60000)

START_TEST(calls_fall_out_after_an_hour)
{
	struct quota quota = {0};
	int64_t start = 1000 * MINUTE;

	quota_charge(&quota, start);
	quota_charge(&quota, start + 30 * MINUTE);
	ck_assert_uint_eq(quota_used(&quota, start + 59 * MINUTE), 2);
	ck_assert_uint_eq(quota_used(&quota, start + 60 * MINUTE), 1);
	ck_assert_uint_eq(quota_used(&quota, start + 90 * MINUTE), 0);
}
END_TEST

START_TEST(refunds_take_the_newest_back)
{
	struct quota quota = {0};
	int64_t start = 5 * MINUTE;

	quota_charge(&quota, start);
	quota_charge(&quota, start + 10 * MINUTE);
	quota_refund(&quota, start + 20 * MINUTE);
	ck_assert_uint_eq(quota_used(&quota, start + 20 * MINUTE), 1);
	ck_assert_uint_eq(quota_used(&quota, start + 60 * MINUTE), 0);
	quota_refund(&quota, start + 61 * MINUTE);
	ck_assert_uint_eq(quota_used(&quota, start + 61 * MINUTE), 0);
}
END_TEST

START_TEST(long_silence_and_first_use)
{
	struct quota quota = {0};

	ck_assert_uint_eq(quota_used(&quota, 0), 0);
	for (int i = 0; i < 1000; i++)
		quota_charge(&quota, i * 10);
	ck_assert_uint_eq(quota_used(&quota, 59 * MINUTE), 1000);
	ck_assert_uint_eq(quota_used(&quota, 100000 * MINUTE), 0);
	quota_charge(&quota, 100000 * MINUTE);
	ck_assert_uint_eq(quota_used(&quota, 100000 * MINUTE), 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("quota");
	TCase *tests = tcase_create("quota");

	tcase_add_test(tests, calls_fall_out_after_an_hour);
	tcase_add_test(tests, refunds_take_the_newest_back);
	tcase_add_test(tests, long_silence_and_first_use);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
