/*
 * Heads and bodies between the executor's processes: in pieces, together,
 * broken off, and too long.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/order.h"
#include "tests/unit/run_suite.h"

struct head {
	uint32_t magic, length;
};

static size_t
length_of(const void *head)
{
	return ((const struct head *)head)->length;
}

static int ends[2];
static struct inflow flow;

static void
open_flow(size_t body_max)
{
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	inflow_init(&flow, ends[0], sizeof(struct head), body_max);
}

static void
close_flow(void)
{
	inflow_done(&flow);
	close(ends[0]);
	close(ends[1]);
}

START_TEST(pieces_become_a_head_and_its_body)
{
	struct head head = {ORDER_MAGIC, 5}, got;
	const char *body;
	char bytes[13];

	open_flow(100);
	memcpy(bytes, &head, 8);
	memcpy(bytes + 8, "hello", 5);
	for (size_t i = 0; i < 13; i++) {
		ck_assert_int_eq(inflow_next(&flow, length_of, &got, &body), 0);
		ck_assert_int_eq(write(ends[1], bytes + i, 1), 1);
		ck_assert_int_eq(inflow_read(&flow), 1);
	}
	ck_assert_int_eq(inflow_next(&flow, length_of, &got, &body), 1);
	ck_assert_mem_eq(body, "hello", 5);
	ck_assert_int_eq(inflow_next(&flow, length_of, &got, &body), 0);
	ck_assert_int_eq(inflow_read(&flow), 0);
	close_flow();
}
END_TEST

START_TEST(what_is_no_head_is_refused)
{
	struct head bad[] = {{7, 0}, {ORDER_MAGIC, 101}}, got;
	const char *body;

	open_flow(100);
	ck_assert_int_eq(write(ends[1], &bad[_i], 8), 8);
	ck_assert_int_eq(inflow_read(&flow), 1);
	ck_assert_int_eq(
	    inflow_next(&flow, length_of, &got, &body), -ERR_CORRUPT);
	close_flow();
}
END_TEST

START_TEST(half_a_head_is_forgotten)
{
	struct head head = {ORDER_MAGIC, 0}, got;
	const char *body;

	open_flow(100);
	ck_assert_int_eq(write(ends[1], &head, 5), 5);
	ck_assert_int_eq(inflow_read(&flow), 1);
	inflow_reset(&flow);
	ck_assert_int_eq(write(ends[1], &head, 8), 8);
	ck_assert_int_eq(inflow_read(&flow), 1);
	ck_assert_int_eq(inflow_next(&flow, length_of, &got, &body), 1);
	close(ends[1]);
	ck_assert_int_eq(inflow_read(&flow), -ERR_CLOSED);
	inflow_done(&flow);
	close(ends[0]);
}
END_TEST

START_TEST(waiting_has_a_deadline)
{
	char byte;

	open_flow(100);
	ck_assert_int_eq(read_all(ends[0], &byte, 1, 20), -ERR_DEADLINE);
	ck_assert_int_eq(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < 100; i++) {
		static const char fill[65536];

		if (write_all(ends[1], fill, sizeof fill, 20) != 0)
			break;
		ck_assert_int_lt(i, 99);
	}
	close_flow();
}
END_TEST

START_TEST(control_records_pass)
{
	struct control record;

	open_flow(100);
	ck_assert_int_eq(control_receive(ends[0], &record), 0);
	control_send(ends[1], CONTROL_DOWN, 3, NULL);
	ck_assert_int_eq(control_receive(ends[0], &record), 1);
	ck_assert_uint_eq(record.what, CONTROL_DOWN);
	ck_assert_uint_eq(record.courier, 3);
	close(ends[1]);
	ck_assert_int_eq(control_receive(ends[0], &record), -ERR_CLOSED);
	inflow_done(&flow);
	close(ends[0]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("order");
	TCase *tests = tcase_create("order");

	tcase_add_test(tests, pieces_become_a_head_and_its_body);
	tcase_add_loop_test(tests, what_is_no_head_is_refused, 0, 2);
	tcase_add_test(tests, half_a_head_is_forgotten);
	tcase_add_test(tests, waiting_has_a_deadline);
	tcase_add_test(tests, control_records_pass);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
