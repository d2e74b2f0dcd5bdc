/*
 * The sets of pf, by a stand-in for pfctl that keeps a file for each table; in
 * a mount namespace of the test's own. Skipped without root.
 */
#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/firewall/model.h"
#include "executor/firewall/set.h"
#include "tests/unit/run_suite.h"

#define ACCOUNT 4242
#define PLACE "/usr/local/sbin" /* of run_folders, the last */

/* -q -a ANCHOR, and "-s Tables", "-t TABLE -T VERB -f -", or "-k ..." */
static const char stand_in[] =
    "#!/bin/sh\n"
    "PATH=/usr/bin:/bin; cd " PLACE " && shift 3\n"
    "case \"$1 $2\" in\n"
    "'-s Tables') ls | grep trizone_ || : ;;\n"
    "-t*) touch \"$2\"; case $4 in\n"
    "  add) cat >> \"$2\" ;;\n"
    "  delete) grep -vxF -f - \"$2\" > new; mv new \"$2\" ;;\n"
    "  show) sed 's/^/   /' \"$2\" ;;\n"
    "  esac ;;\n"
    "esac\n";

static bool ready;

static void
up(void)
{
	FILE *f;

	ready = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount("tmpfs", PLACE, "tmpfs", 0, "mode=0755") == 0;
	if (!ready)
		return;
	f = fopen(PLACE "/pfctl", "w");
	ck_assert(f != NULL && fputs(stand_in, f) >= 0 && fclose(f) == 0);
	ck_assert_int_eq(chmod(PLACE "/pfctl", 0755), 0);
}

static struct set *
open_set(void)
{
	char reason[200];
	struct set *set = set_open(FIREWALL_PF, reason, sizeof reason);

	ck_assert_msg(set != NULL, "%s", reason);
	return set;
}

static struct set_item
make(const char *address, uint32_t timeout_s)
{
	struct set_item item = {
	    .port = 443, .protocol = MODEL_TCP, .timeout_s = timeout_s};

	ck_assert(address_parse(span_of(address), &item.address));
	return item;
}

static int
count(void *data, const struct set_item *item)
{
	(void)item;
	++*(int *)data;
	return 0;
}

static int
listed(struct set *set)
{
	int n = 0;

	ck_assert_int_eq(set_list(set, ACCOUNT, false, count, &n), 0);
	return n;
}

START_TEST(in_and_out)
{
	struct set_item items[] = {make("11.8.0.1", 1), make("2600:8::1", 0)};
	struct set *set;

	if (!ready)
		return;
	set = open_set();
	ck_assert_int_eq(set_add(set, ACCOUNT, items, 2), 0);
	ck_assert_int_eq(listed(set), 2);
	sleep(2);
	ck_assert_int_eq(set_expire(set), 0);
	ck_assert_int_eq(listed(set), 1);
	ck_assert_int_eq(set_remove(set, ACCOUNT, &items[1], 1), 0);
	ck_assert_int_eq(listed(set), 0);
	set_close(set);
}
END_TEST

/* Another process had put them there, and took its list of ends with it. */
START_TEST(adopted)
{
	struct set_item items[] = {make("11.8.0.1", 600), make("11.8.0.2", 0)};
	struct set *set;

	if (!ready)
		return;
	set = open_set();
	ck_assert_int_eq(set_add(set, ACCOUNT, items, 2), 0);
	set_close(set);
	set = open_set();
	ck_assert_int_eq(set_adopt(set, ACCOUNT, 1), 0);
	ck_assert_int_eq(set_add(set, ACCOUNT, &items[1], 1), 0);
	sleep(2);
	ck_assert_int_eq(set_expire(set), 0);
	ck_assert_int_gt(listed(set), 0);
	ck_assert_int_eq(set_remove(set, ACCOUNT, &items[1], 1), 0);
	ck_assert_int_eq(listed(set), 0);
	set_close(set);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("set_pf");
	TCase *t = tcase_create("pf");

	tcase_add_checked_fixture(t, up, NULL);
	tcase_add_test(t, in_and_out);
	tcase_add_test(t, adopted);
	suite_add_tcase(suite, t);
	return run_suite(suite);
}
