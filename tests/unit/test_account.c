/*
 * Accounts: which are refused, becoming one for good, and acting as one for a
 * moment. What needs root runs in children; without root it is not tested.
 */
#include <check.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/account.h"
#include "common/err.h"
#include "common/platform.h"
#include "tests/unit/run_suite.h"

#define SPARE 64810 /* no account has it */
#define OTHER 64811

static const struct account spare = {.name = "spare", SPARE, SPARE};

static char reason[200];

static int
find(const char *name, struct account *out)
{
	reason[0] = '\0';
	return account_find(name, out, reason, sizeof reason);
}

static void
refused(const char *name, int error, const char *words)
{
	struct account account = {.name = "untouched"};

	ck_assert_msg(find(name, &account) == error, "%s is not refused", name);
	ck_assert_str_eq(account.name, "untouched");
	ck_assert_msg(
	    strstr(reason, words) != NULL, "%s: \"%s\"", name, reason);
}

START_TEST(default_name)
{
	char name[ACCOUNT_NAME_BYTES], want[ACCOUNT_NAME_BYTES];

	account_default_name("broker", name, sizeof name);
	(void)snprintf(
	    want, sizeof want, "%sbroker", platform_account_prefix());
	ck_assert_str_eq(name, want);
}
END_TEST

START_TEST(number_without_account)
{
	struct account account;

	ck_assert_int_eq(find("64810", &account), 0);
	ck_assert_str_eq(account.name, "64810");
	ck_assert_uint_eq(account.uid, SPARE);
	ck_assert_uint_eq(account.gid, SPARE);
	ck_assert_int_eq(find("60000", &account), 0);
	ck_assert_int_eq(find("65534", &account), 0);
}
END_TEST

/* The same account by both; its group is that of its entry. */
START_TEST(name_and_number)
{
	const struct passwd *entry = getpwnam("daemon");
	struct account by_name, by_number;
	char number[16];

	ck_assert_ptr_nonnull(entry);
	(void)snprintf(
	    number, sizeof number, "%lu", (unsigned long)entry->pw_uid);
	ck_assert_int_eq(find("daemon", &by_name), 0);
	ck_assert_int_eq(find(number, &by_number), 0);
	ck_assert_uint_eq(by_name.uid, entry->pw_uid);
	ck_assert_uint_eq(by_name.gid, entry->pw_gid);
	ck_assert_uint_eq(by_number.uid, entry->pw_uid);
	ck_assert_uint_eq(by_number.gid, entry->pw_gid);
}
END_TEST

START_TEST(root_and_people_are_refused)
{
	char person[16];

	(void)snprintf(person, sizeof person, "%u", platform_first_person());
	refused("root", -ERR_RANGE, "root's");
	refused("0", -ERR_RANGE, "root's");
	refused("00", -ERR_RANGE, "root's");
	refused(person, -ERR_RANGE, "a person");
	refused("59999", -ERR_RANGE, "a person");
	refused("65535", -ERR_RANGE, "a person");
	refused("165536", -ERR_RANGE, "a person");
	refused("2147483646", -ERR_RANGE, "a person");
}
END_TEST

/* None of these is a number, and nobody has such a name. */
START_TEST(neither_name_nor_number)
{
	static const char *const names[] = {"", " 7", "7 ", "+7", "-7", "7x",
	    "0x7", "2147483647", "4294967296", "18446744073709551616",
	    "trizone-nobody-has-this"};
	char name[ACCOUNT_NAME_BYTES + 1] = {0};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		refused(names[i], -ERR_NOT_FOUND, "does not exist");
	memset(name, 'a', ACCOUNT_NAME_BYTES);
	refused(name, -ERR_NOT_FOUND, "too long");
}
END_TEST

/*
 * Becoming. Each is the end of a process.
 */
static bool
is_root(void)
{
	if (geteuid() == 0)
		return true;
	fprintf(stderr, "not root: not tested\n");
	return false;
}

static void
in_child(int (*body)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(body());
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "the child ended with %d", status);
}

/* In a child there is no Check: the line tells. */
#define EXPECT(what)                                                           \
	do {                                                                   \
		if (!(what)) {                                                 \
			fprintf(stderr, "line %d: %s: %s\n", __LINE__, #what,  \
			    reason);                                           \
			return 1;                                              \
		}                                                              \
	} while (0)

static int
become(const struct account *account)
{
	reason[0] = '\0';
	return account_become(account, reason, sizeof reason);
}

static bool
says(const char *words)
{
	return strstr(reason, words) != NULL;
}

static int
for_good(void)
{
	gid_t many[] = {0, OTHER, SPARE}, groups[8];

	EXPECT(platform_set_groups(3, many) == 0);
	EXPECT(become(&spare) == 0);
	EXPECT(getuid() == SPARE && geteuid() == SPARE);
	EXPECT(getgid() == SPARE && getegid() == SPARE);
	EXPECT(getgroups(8, groups) == 1 && groups[0] == SPARE);
	EXPECT(setuid(0) != 0 && seteuid(0) != 0 && setreuid(0, 0) != 0);
	EXPECT(setgid(0) != 0 && setegid(0) != 0 && setregid(0, 0) != 0);
	EXPECT(setuid(OTHER) != 0 && setgid(OTHER) != 0);
	/* once more is a look */
	EXPECT(become(&spare) == 0);
	return 0;
}

static int
not_without_root(void)
{
	const struct account other = {.name = "other", OTHER, OTHER};

	EXPECT(become(&spare) == 0);
	EXPECT(become(&other) == -ERR_SYSTEM && reason[0] != '\0');
	return 0;
}

/* Who is that user already, but not quite. */
static int
other_groups_show(void)
{
	gid_t many[] = {SPARE, OTHER};

	EXPECT(platform_set_groups(2, many) == 0);
	EXPECT(setgid(SPARE) == 0 && setuid(SPARE) == 0);
	EXPECT(become(&spare) == -ERR_SYSTEM && says("other groups"));
	return 0;
}

static int
another_group_shows(void)
{
	EXPECT(platform_set_groups(0, NULL) == 0);
	EXPECT(setgid(OTHER) == 0 && setuid(SPARE) == 0);
	EXPECT(become(&spare) == -ERR_SYSTEM && says("not who we are"));
	return 0;
}

static int
effective_is_not_enough(void)
{
	EXPECT(platform_set_groups(0, NULL) == 0);
	EXPECT(setgid(SPARE) == 0 && seteuid(SPARE) == 0);
	EXPECT(become(&spare) == -ERR_SYSTEM && says("not who we are"));
	return 0;
}

/* Only the saved user is root still. */
static int
saved_root_shows(void)
{
	EXPECT(platform_set_groups(0, NULL) == 0);
	EXPECT(setgid(SPARE) == 0);
	EXPECT(setreuid(SPARE, 0) == 0 && seteuid(SPARE) == 0);
	EXPECT(become(&spare) == -ERR_SYSTEM && says("root again"));
	return 0;
}

START_TEST(become_one)
{
	if (!is_root())
		return;
	in_child(for_good);
	in_child(not_without_root);
	in_child(other_groups_show);
	in_child(another_group_shows);
	in_child(effective_is_not_enough);
	in_child(saved_root_shows);
}
END_TEST

/*
 * Acting as one.
 */
static int
look(void *context)
{
	gid_t groups[8];

	*(bool *)context = geteuid() == SPARE && getegid() == SPARE &&
			   getgroups(8, groups) == 1 && groups[0] == SPARE &&
			   getuid() == 0;
	return -7;
}

static int
as_spare(void)
{
	gid_t many[] = {OTHER, 0}, groups[8];
	bool was_spare = false;
	const gid_t group = getgid();

	EXPECT(platform_set_groups(2, many) == 0);
	EXPECT(account_as(&spare, look, &was_spare) == -7);
	EXPECT(was_spare);
	EXPECT(geteuid() == 0 && getegid() == group);
	EXPECT(getgroups(8, groups) == 2);
	EXPECT(groups[0] + groups[1] == OTHER); /* in any order */
	return 0;
}

static int
call(void *context)
{
	*(uid_t *)context = geteuid();
	return 0;
}

START_TEST(act_as_one)
{
	const struct account none = {.uid = 0};
	uid_t seen = 1;

	ck_assert_int_eq(account_as(&none, call, &seen), 0);
	ck_assert_uint_eq(seen, geteuid());
	if (is_root())
		in_child(as_spare);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("account");
	TCase *found = tcase_create("find");
	TCase *becoming = tcase_create("become");

	tcase_add_test(found, default_name);
	tcase_add_test(found, number_without_account);
	tcase_add_test(found, name_and_number);
	tcase_add_test(found, root_and_people_are_refused);
	tcase_add_test(found, neither_name_nor_number);
	tcase_add_test(becoming, become_one);
	tcase_add_test(becoming, act_as_one);
	suite_add_tcase(suite, found);
	suite_add_tcase(suite, becoming);
	return run_suite(suite);
}
