/*
 * Machines as they are announced: names, what each provider can have, and what
 * an object may not say.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/machine.h"
#include "tests/unit/run_suite.h"

static struct json_doc doc;
static struct machine machine;
static struct json_error where;

static void
setup(void)
{
	json_init(&doc);
}

static void
teardown(void)
{
	json_done(&doc);
}

static int
read_text(const char *text)
{
	ck_assert_int_eq(json_parse(&doc, span_of(text), NULL, NULL), 0);
	return machine_read(&doc, json_root(&doc), &machine, &where);
}

START_TEST(names_go_both_ways)
{
	for (int i = PROVIDER_ANY + 1; i < PROVIDER_COUNT; i++)
		ck_assert_int_eq(
		    provider_find(span_of(provider_name((enum provider)i))), i);
	for (int i = ISOLATION_ANY + 1; i < ISOLATION_COUNT; i++)
		ck_assert_int_eq(
		    isolation_find(span_of(isolation_name((enum isolation)i))),
		    i);
	ck_assert_int_eq(provider_find(SPAN("-")), PROVIDER_ANY);
	ck_assert_int_eq(isolation_find(SPAN("-")), ISOLATION_ANY);
	ck_assert_int_eq(provider_find(SPAN("")), PROVIDER_ANY);
	ck_assert_int_eq(isolation_find(SPAN("microvm ")), ISOLATION_ANY);
}
END_TEST

START_TEST(isolations_are_in_order)
{
	static const char *const order[] = {
	    "process", "container", "orb", "gvisor", "microvm"};

	for (size_t i = 1; i < sizeof order / sizeof order[0]; i++)
		ck_assert_int_gt(isolation_find(span_of(order[i])),
		    isolation_find(span_of(order[i - 1])));
	ck_assert_int_gt(isolation_find(span_of(order[0])), ISOLATION_ANY);
}
END_TEST

START_TEST(a_provider_has_its_isolations_only)
{
	static const char *const good[][2] = {{"process", "process"},
	    {"container", "container"}, {"container", "gvisor"},
	    {"orb", "process"}, {"orb", "orb"}, {"microvm", "microvm"}};
	int taken = 0;

	for (int p = 0; p < PROVIDER_COUNT; p++)
		for (int i = 0; i < ISOLATION_COUNT; i++) {
			char text[200];

			snprintf(text, sizeof text,
			    "{\"provider\":\"%s\",\"isolation\":\"%s\"}",
			    provider_name((enum provider)p),
			    isolation_name((enum isolation)i));
			if (read_text(text) == 0) {
				taken++;
				continue;
			}
			ck_assert_int_eq(where.error, -ERR_RANGE);
		}
	ck_assert_int_eq(taken, sizeof good / sizeof good[0]);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		char text[200];

		snprintf(text, sizeof text,
		    "{\"provider\":\"%s\",\"isolation\":\"%s\"}", good[i][0],
		    good[i][1]);
		ck_assert_int_eq(read_text(text), 0);
	}
}
END_TEST

#define HEAD "{\"provider\":\"microvm\",\"isolation\":\"microvm\""
#define HEX16 "0123456789abcdef"
#define HEX64 HEX16 HEX16 HEX16 HEX16

START_TEST(what_is_said_comes_back)
{
	static const char text[] =
	    HEAD ",\"image\":\"" HEX64 "\",\"memory_mb\":256,\"cpus\":1,"
		 "\"recycle_after\":100,\"recycle_ms\":600000,"
		 "\"devices\":[\"virtio-serial-pci\",\"mch\"],"
		 "\"namespaces\":[]}";
	struct json_writer w;
	struct buf out;

	ck_assert_int_eq(read_text(text), 0);
	ck_assert_str_eq(machine.image, HEX64);
	ck_assert_uint_eq(machine.memory_mb, 256);
	ck_assert_uint_eq(machine.cpus, 1);
	ck_assert_uint_eq(machine.recycle_after, 100);
	ck_assert_int_eq(machine.recycle_ms, 600000);
	buf_init(&out, sizeof text);
	json_write_init(&w, &out);
	json_open(&w, '{');
	machine_put(&w, &doc, &machine);
	json_close(&w, '}');
	ck_assert(span_equal((struct span){out.data, out.len}, span_of(text)));
	buf_free(&out);
}
END_TEST

START_TEST(what_is_not_said_is_none)
{
	ck_assert_int_eq(read_text(HEAD "}"), 0);
	ck_assert_str_eq(machine.image, "");
	ck_assert_uint_eq(machine.memory_mb, 0);
	ck_assert_uint_eq(machine.recycle_after, 0);
	ck_assert_int_eq(machine.recycle_ms, 0);
	ck_assert_ptr_null(machine.devices);
}
END_TEST

static const struct {
	const char *text;
	int error;
} bad[] = {
    {"{}", ERR_MISSING_KEY},
    {"[]", ERR_TYPE},
    {"{\"provider\":\"process\"}", ERR_MISSING_KEY},
    {"{\"provider\":1,\"isolation\":\"process\"}", ERR_TYPE},
    {HEAD ",\"image\":\"0\"}", ERR_RANGE},
    {HEAD ",\"image\":\"" HEX16 HEX16 HEX16 "0123456789ABCDEF\"}", ERR_RANGE},
    {HEAD ",\"image\":\"" HEX64 "0\"}", ERR_RANGE},
    {HEAD ",\"image\":null}", ERR_TYPE},
    {HEAD ",\"memory_mb\":1048577}", ERR_RANGE},
    {HEAD ",\"cpus\":65}", ERR_RANGE},
    {HEAD ",\"recycle_after\":1000001}", ERR_RANGE},
    {HEAD ",\"recycle_ms\":604800001}", ERR_RANGE},
    {HEAD ",\"devices\":{}}", ERR_TYPE},
    {HEAD ",\"devices\":[1]}", ERR_RANGE},
    {HEAD ",\"devices\":[\"\"]}", ERR_RANGE},
    {HEAD ",\"devices\":[\"a\\nb\"]}", ERR_RANGE},
    {HEAD ",\"devices\":[\"a\\\"b\"]}", ERR_RANGE},
    {HEAD ",\"namespaces\":[\"\\u00e9\"]}", ERR_RANGE},
    {HEAD ",\"devices\":[\"" HEX64 "0\"]}", ERR_RANGE},
    {HEAD ",\"more\":1}", ERR_UNKNOWN_KEY},
};

START_TEST(what_may_not_be_said)
{
	ck_assert_int_eq(read_text(bad[_i].text), -bad[_i].error);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("machine");
	TCase *tc = tcase_create("machine");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, names_go_both_ways);
	tcase_add_test(tc, isolations_are_in_order);
	tcase_add_test(tc, a_provider_has_its_isolations_only);
	tcase_add_test(tc, what_is_said_comes_back);
	tcase_add_test(tc, what_is_not_said_is_none);
	tcase_add_loop_test(
	    tc, what_may_not_be_said, 0, sizeof bad / sizeof bad[0]);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
