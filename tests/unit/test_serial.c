/*
 * Ports of virtual machines: what is none is refused. One whose other end comes
 * and goes is in tests/drive/zones_vm.py.
 */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/err.h"
#include "common/serial.h"
#include "proto/endpoint.h"
#include "tests/unit/run_suite.h"

START_TEST(test_what_is_there)
{
	int fd = serial_open("/dev/null", 0), in = -1, out = -1;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	close(fd);
	ck_assert_int_eq(endpoint_open("serial:/dev/null", &in, &out), 0);
	ck_assert_int_eq(in, out);
	close(in);
}
END_TEST

START_TEST(test_what_is_no_port)
{
	char path[] = "/tmp/trizone-serial-XXXXXX";
	int file = mkstemp(path), terminal = posix_openpt(O_RDWR | O_NOCTTY);
	int in = -1, out = -1;

	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(serial_open(path, 0), -ERR_WRONG_STATE);
	close(file);
	unlink(path);
	ck_assert_int_eq(serial_open(path, 1000), -ERR_UNAVAILABLE);
	ck_assert_int_eq(
	    endpoint_open("serial:/nonexistent", &in, &out), -ERR_UNAVAILABLE);
	ck_assert_int_eq(in, -1);
	if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0)
		return; /* none to be had here */
	ck_assert_int_eq(serial_open(ptsname(terminal), 0), -ERR_WRONG_STATE);
	close(terminal);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("serial");
	TCase *tests = tcase_create("serial");

	tcase_add_test(tests, test_what_is_there);
	tcase_add_test(tests, test_what_is_no_port);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
