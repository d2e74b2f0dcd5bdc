/*
 * Run one suite of Check and return the exit status of its program.
 */
#ifndef TRIZONE_TESTS_UNIT_RUN_SUITE_H
#define TRIZONE_TESTS_UNIT_RUN_SUITE_H

#include <check.h>
#include <stdlib.h>

static inline int
run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
