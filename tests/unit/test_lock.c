/*
 * Profiles, reports and needs: what can be said about the locks without
 * locking anybody in. What holds inside is in tests/confine.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/call_list.h"
#include "common/cgroup.h"
#include "common/err.h"
#include "common/lock.h"
#include "executor/profile.h"
#include "planner/profile.h"
#include "reader/profile.h"
#include "tests/unit/run_suite.h"

static const struct lock_profile *profiles[16];
static size_t profile_count;

static void
gather(void)
{
	const struct lock_profile *rows = profile_all(&profile_count);

	for (size_t i = 0; i < profile_count; i++)
		profiles[i] = &rows[i];
	profiles[profile_count++] = &planner_profile;
	profiles[profile_count++] = &reader_profile;
	profiles[profile_count++] = &filter_profile;
	profiles[profile_count++] = &worker_profile;
}

static const struct call_row *
row_of(const struct lock_profile *profile, const char *name)
{
	for (size_t i = 0; i < profile->call_count; i++)
		if ((profile->calls[i].roles & profile->bit) != 0 &&
		    strcmp(profile->calls[i].name, name) == 0)
			return &profile->calls[i];
	for (size_t i = 0; i < common_call_count; i++)
		if (strcmp(common_calls[i].name, name) == 0)
			return &common_calls[i];
	return NULL;
}

/* The resolver's, and so those of the parent that starts one: from which
 * address a question came, and sockets for datagrams. */
static bool
talks(const struct lock_profile *profile, const char *name)
{
	return (profile->flags & (LOCK_TALKS | LOCK_RULES)) != 0 &&
	       (strcmp(name, "recvmsg") == 0 || strcmp(name, "sendmsg") == 0);
}

/* The only sockets that one who does not start others may make. */
START_TEST(resolver_has_datagrams)
{
	for (size_t p = 0; p < profile_count; p++) {
		const struct call_row *row = row_of(profiles[p], "socket");

		if ((profiles[p]->flags & LOCK_TALKS) != 0)
			ck_assert_int_eq(row->match, CALL_DATAGRAM);
		else if ((profiles[p]->flags & LOCK_RULES) != 0)
			ck_assert_int_eq(row->match, CALL_UNIX_DATAGRAM);
		else
			ck_assert(row == NULL || row->match == CALL_UNIX);
	}
}
END_TEST

/* A list that admits one of these is a mistake, whatever else it says. */
START_TEST(nobody_has)
{
	static const char *const never[] = {"ptrace", "process_vm_readv",
	    "process_vm_writev", "io_uring_setup", "io_uring_enter",
	    "io_uring_register", "userfaultfd", "bpf", "keyctl", "add_key",
	    "memfd_create", "pidfd_getfd", "open_by_handle_at", "init_module",
	    "finit_module", "kexec_load", "perf_event_open", "setns", "recvmsg",
	    "recvmmsg", "sendmsg", "bind", "listen", "chroot", "personality"};

	for (size_t p = 0; p < profile_count; p++)
		for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
			const struct call_row *row =
			    row_of(profiles[p], never[i]);

			if (talks(profiles[p], never[i]))
				continue;
			ck_assert_msg(row == NULL || row->action == CALL_KILL,
			    "%s has %s", profiles[p]->role, never[i]);
		}
}
END_TEST

/* What only the one has that starts the others. */
START_TEST(nobody_but_the_parent_has)
{
	static const char *const starting[] = {"socket", "connect",
	    "socketpair", "execve", "unshare", "mount", "umount2", "setuid",
	    "setresuid", "capset", "prctl", "pivot_root", "mount_setattr"};

	for (size_t p = 0; p < profile_count; p++)
		for (size_t i = 0; i < sizeof starting / sizeof starting[0];
		     i++) {
			const struct call_row *row =
			    row_of(profiles[p], starting[i]);
			bool has = row != NULL && row->action == CALL_ALLOW;

			if ((profiles[p]->flags & LOCK_TALKS) != 0 &&
			    strcmp(starting[i], "socket") == 0)
				continue; /* resolver_has_datagrams */

			ck_assert_msg(
			    has == ((profiles[p]->flags & LOCK_KEEPS) != 0),
			    "%s and %s", profiles[p]->role, starting[i]);
		}
}
END_TEST

START_TEST(every_row_says_why)
{
	for (size_t p = 0; p < profile_count; p++)
		for (size_t i = 0; i < profiles[p]->call_count; i++)
			ck_assert_uint_gt(strlen(profiles[p]->calls[i].why), 3);
	for (size_t i = 0; i < common_call_count; i++)
		ck_assert_uint_gt(strlen(common_calls[i].why), 3);
}
END_TEST

/* The same table gives the same program, and another one another. */
START_TEST(lists_are_stable)
{
	for (size_t p = 0; p < profile_count; p++) {
		struct call_list one, two;

		if (call_list_make(profiles[p], true, &one) == -ERR_UNAVAILABLE)
			return;
		ck_assert_int_eq(call_list_make(profiles[p], true, &two), 0);
		ck_assert_uint_gt(one.calls, 20);
		ck_assert_mem_eq(one.hash, two.hash, sizeof one.hash);
		call_list_done(&two);
		ck_assert_int_eq(call_list_make(profiles[p], false, &two), 0);
		if ((profiles[p]->flags & LOCK_FORKS) == 0)
			ck_assert_mem_ne(one.hash, two.hash, sizeof one.hash);
		call_list_done(&two);
		call_list_done(&one);
	}
}
END_TEST

/*
 * Reports.
 */
static struct lock_report
good_report(void)
{
	struct lock_report r = {.uid = 64805,
	    .gid = 64805,
	    .no_new_privs = 1,
	    .namespaces = LOCK_NET | LOCK_MOUNT | LOCK_PID,
	    .own_root = 1,
	    .landlock = 7,
	    .filter = 80,
	    .cgroup = CGROUP_MEMORY | CGROUP_PIDS,
	    .probes = 20};

	snprintf(r.role, sizeof r.role, "planner");
	snprintf(r.profile, sizeof r.profile, "%s", lock_table()->profile);
	return r;
}

static uint32_t
unmet(const struct lock_report *report, uint32_t needs)
{
	static const struct lock_report ours[2] = {{.uid = 0}, {.uid = 64801}};
	struct json_doc doc;
	struct buf text;
	uint32_t bits;

	buf_init(&text, 4096);
	lock_report_write(report, &text);
	json_init(&doc);
	ck_assert_int_eq(
	    json_parse(&doc, (struct span){text.data, text.len}, NULL, NULL),
	    0);
	bits = lock_unmet(&doc, json_root(&doc), needs, ours, 2);
	json_done(&doc);
	buf_free(&text);
	return bits;
}

#define ALL_NEEDS (NEED_BIT(NEED_COUNT) - 1)

START_TEST(a_good_report_meets_all)
{
	struct lock_report r = good_report();

	ck_assert_uint_eq(unmet(&r, ALL_NEEDS), 0);
	ck_assert(lock_report_sound(&r));
}
END_TEST

START_TEST(each_need_is_one_of_its_own)
{
	struct lock_report r = good_report();

	r.filter = 0;
	ck_assert_uint_eq(unmet(&r, ALL_NEEDS), NEED_BIT(NEED_FILTER));
	r = good_report();
	r.landlock = 0;
	ck_assert_uint_eq(unmet(&r, ALL_NEEDS), NEED_BIT(NEED_LANDLOCK));
	r.seatbelt = 1;
	ck_assert_uint_eq(unmet(&r, ALL_NEEDS), 0);
	r = good_report();
	r.interfaces = 1;
	ck_assert_uint_eq(unmet(&r, ALL_NEEDS), NEED_BIT(NEED_NO_NETWORK));
	r.firewall = 1;
	ck_assert_uint_eq(unmet(&r, ALL_NEEDS), 0);
	r = good_report();
	r.namespaces &= ~(uint32_t)LOCK_PID;
	ck_assert_uint_eq(unmet(&r, ALL_NEEDS), NEED_BIT(NEED_NAMESPACES));
	r = good_report();
	r.own_root = 0;
	ck_assert_uint_eq(unmet(&r, ALL_NEEDS), NEED_BIT(NEED_OWN_ROOT));
	r = good_report();
	r.uid = 0;
	ck_assert_uint_eq(unmet(&r, ALL_NEEDS), NEED_BIT(NEED_OWN_USER));
	r.uid = 64801; /* another of ours */
	ck_assert_uint_eq(unmet(&r, ALL_NEEDS), NEED_BIT(NEED_OWN_USER));
	r = good_report();
	r.cgroup = CGROUP_PIDS;
	ck_assert_uint_eq(unmet(&r, ALL_NEEDS), NEED_BIT(NEED_CGROUP));
	r = good_report();
	r.probes = 0;
	ck_assert_uint_eq(unmet(&r, ALL_NEEDS), NEED_BIT(NEED_PROBES));
}
END_TEST

START_TEST(another_table_meets_nothing)
{
	struct lock_report r = good_report();

	snprintf(r.profile, sizeof r.profile, "tset");
	ck_assert_uint_eq(unmet(&r, ALL_NEEDS), ALL_NEEDS);
	/* also where nothing is required */
	ck_assert_uint_eq(unmet(&r, 0), NEED_BIT(NEED_PROFILE));
}
END_TEST

/* What a zone may say instead of what we would. */
START_TEST(lies_of_another_shape)
{
	static const char *const texts[] = {"{}", "{\"calls\":\"80\"}",
	    "{\"calls\":-1}", "{\"probes\":true}", "{\"namespaces\":\"net\"}",
	    "{\"namespaces\":{\"net\":1,\"mount\":1,\"pid\":1}}",
	    "{\"network\":[\"none\"]}", "{\"own_root\":1}",
	    "{\"seatbelt\":\"true\"}", "{\"uid\":1.5}"};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct json_doc doc;

		json_init(&doc);
		ck_assert_int_eq(
		    json_parse(&doc, span_of(texts[i]), NULL, NULL), 0);
		ck_assert_uint_eq(
		    lock_unmet(&doc, json_root(&doc), ALL_NEEDS, NULL, 0),
		    ALL_NEEDS);
		json_done(&doc);
	}
}
END_TEST

START_TEST(unsound_reports)
{
	struct lock_report r = good_report();

	memset(r.role, 'x', sizeof r.role);
	ck_assert(!lock_report_sound(&r));
	r = good_report();
	memset(r.gap, 'x', sizeof r.gap);
	ck_assert(!lock_report_sound(&r));
	r = good_report();
	r.gap[0] = (char)0xff;
	ck_assert(!lock_report_sound(&r));
	r = good_report();
	r.firewall = 1000;
	ck_assert(!lock_report_sound(&r));
}
END_TEST

START_TEST(whose_report_it_is)
{
	struct lock_report r = good_report();

	ck_assert(lock_report_is(&r, "planner"));
	ck_assert(!lock_report_is(&r, "auditor"));
	snprintf(r.profile, sizeof r.profile, "tset");
	ck_assert(!lock_report_is(&r, "planner"));
}
END_TEST

/* It fits what the audit keeps of a detail. */
START_TEST(the_longest_report)
{
	struct lock_report r;
	struct buf text;

	memset(&r, 0xff, sizeof r);
	memset(r.role, 'x', sizeof r.role);
	memset(r.gap, 'x', sizeof r.gap);
	r.role[sizeof r.role - 1] = r.gap[sizeof r.gap - 1] = '\0';
	snprintf(r.profile, sizeof r.profile, "release");
	r.firewall = 1;
	buf_init(&text, 4096);
	lock_report_write(&r, &text);
	ck_assert_uint_le(text.len, 1024);
	buf_free(&text);
}
END_TEST

/*
 * Groups of processes, on files that look like those of the kernel.
 */
static char folder[] = "/tmp/trizone-cgroup-XXXXXX";

static void
make_file(const char *group, const char *name)
{
	char path[200];
	int fd;

	snprintf(path, sizeof path, "%s/%s", group, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void
expect_text(const char *group, const char *name, const char *want)
{
	char path[200], text[100];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s/%s", group, name);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof text - 1);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	close(fd);
	ck_assert_str_eq(text, want);
}

START_TEST(limits_of_a_group)
{
	const struct lock_limits limits = {
	    .processes = 8, .cpu_percent = 50, .memory = 64 << 20};
	char group[100], reason[200];
	uint32_t in_force;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(group, sizeof group, "%s/trizone-role", folder);
	/* nothing there that can be written: no limits, and it says so */
	ck_assert_int_eq(cgroup_join(folder, "role", &limits, &in_force, reason,
			     sizeof reason),
	    -ERR_UNAVAILABLE);
	ck_assert_uint_eq(in_force, 0);
	ck_assert_uint_gt(strlen(reason), 0);
	ck_assert_int_eq(mkdir(group, 0700), 0);
	make_file(group, "memory.max");
	make_file(group, "memory.swap.max");
	make_file(group, "pids.max");
	make_file(group, "cgroup.procs");
	ck_assert_int_eq(cgroup_join(folder, "role", &limits, &in_force, reason,
			     sizeof reason),
	    0);
	ck_assert_uint_eq(in_force, CGROUP_MEMORY | CGROUP_PIDS);
	expect_text(group, "memory.max", "67108864");
	expect_text(group, "memory.swap.max", "0");
	expect_text(group, "pids.max", "8");
	expect_text(group, "cgroup.procs", "0");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("lock");
	TCase *tests = tcase_create("lock");

	gather();
	tcase_add_test(tests, resolver_has_datagrams);
	tcase_add_test(tests, nobody_has);
	tcase_add_test(tests, nobody_but_the_parent_has);
	tcase_add_test(tests, every_row_says_why);
	tcase_add_test(tests, lists_are_stable);
	tcase_add_test(tests, a_good_report_meets_all);
	tcase_add_test(tests, each_need_is_one_of_its_own);
	tcase_add_test(tests, another_table_meets_nothing);
	tcase_add_test(tests, lies_of_another_shape);
	tcase_add_test(tests, unsound_reports);
	tcase_add_test(tests, whose_report_it_is);
	tcase_add_test(tests, the_longest_report);
	tcase_add_test(tests, limits_of_a_group);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
