/*
 * What was applied, on disk: read, damaged, refreshed by a policy, and what has
 * to be loaded while somebody is waited for.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/firewall/applied.h"
#include "tests/unit/run_suite.h"

static char base[64], folder[96];
static int fd;
static char reason[256];

static void
set_up(void)
{
	(void)snprintf(base, sizeof base, "/tmp/applied-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	(void)snprintf(folder, sizeof folder, "%s/firewall", base);
	fd = applied_open(folder, true, reason, sizeof reason);
	ck_assert_int_ge(fd, 0);
}

static void
tear_down(void)
{
	static const char *const names[] = {
	    APPLIED_FILE, APPLIED_FILE ".new", "lock"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		(void)unlinkat(fd, names[i], 0);
	close(fd);
	(void)rmdir(folder);
	(void)rmdir(base);
}

static void
read_model(const char *text, struct model *out)
{
	struct json_error where;
	struct json_doc doc;

	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, span_of(text), NULL, &where), 0);
	ck_assert_int_eq(model_read(&doc, json_root(&doc), out, &where), 0);
	json_done(&doc);
	for (size_t i = 0; i < out->count; i++)
		out->accounts[i].uid = (uid_t)(400 + i);
}

#define POLICY                                                                 \
	"{\"accounts\":{\"one\":{\"allow\":[\"a.example:1\"]},"                \
	"\"two\":{\"allow\":[\"b.example:2\"]}}}"

static void
put(const char *text)
{
	int file = openat(
	    fd, APPLIED_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(
	    (int)write(file, text, strlen(text)), (int)strlen(text));
	close(file);
}

START_TEST(there_and_back)
{
	struct applied applied = {.backend = FIREWALL_IPTABLES,
	    .pending = "two",
	    .until_ms = 123456789012345,
	    .serial = 7};
	struct applied other;

	ck_assert_int_eq(applied_read(fd, &other, reason, sizeof reason), 0);
	ck_assert_int_eq((int)other.backend, (int)FIREWALL_BACKEND_COUNT);
	read_model(POLICY, &applied.model);
	applied.model.accounts[1].blocked = true;
	ck_assert_int_eq(applied_write(fd, &applied, reason, sizeof reason), 0);
	ck_assert_int_eq(applied_read(fd, &other, reason, sizeof reason), 0);
	ck_assert_int_eq((int)other.backend, (int)FIREWALL_IPTABLES);
	ck_assert_str_eq(other.pending, "two");
	ck_assert_int_eq(other.until_ms, applied.until_ms);
	ck_assert_uint_eq(other.serial, 7);
	ck_assert_uint_eq(other.model.count, 2);
	ck_assert(other.model.accounts[1].blocked);
	ck_assert_uint_eq(other.model.accounts[1].uid, 401);
	applied_free(&other);
	applied_free(&applied);
}
END_TEST

#define HEAD "{\"version\":1,\"backend\":\"nft\",\"serial\":1,\"accounts\":"

START_TEST(damaged)
{
	static const char *const texts[] = {"", "{", "{}", HEAD "{}}",
	    HEAD "[7]}", HEAD "[{\"name\":\"a\"}]}",
	    HEAD "[{\"name\":\"A;b\",\"uid\":1,\"port\":580,\"blocked\":false,"
		 "\"hosts\":[],\"ranges\":[]}]}",
	    HEAD "[{\"name\":\"a\",\"uid\":-1,\"port\":580,\"blocked\":false,"
		 "\"hosts\":[],\"ranges\":[]}]}",
	    HEAD "[{\"name\":\"a\",\"uid\":1,\"port\":580,\"blocked\":false,"
		 "\"hosts\":[\"a b\"],\"ranges\":[]}]}",
	    HEAD "[{\"name\":\"a\",\"uid\":1,\"port\":580,\"blocked\":false,"
		 "\"hosts\":[],\"ranges\":[\"x\"]}]}",
	    "{\"version\":2,\"backend\":\"nft\",\"serial\":1,\"accounts\":[]}",
	    "{\"version\":1,\"backend\":\"ufw\",\"serial\":1,\"accounts\":[]}"};
	struct applied applied;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		put(texts[i]);
		ck_assert_msg(applied_read(fd, &applied, reason,
				  sizeof reason) == -ERR_CORRUPT,
		    "%s", texts[i]);
		ck_assert_uint_eq(applied.model.count, 0);
	}
	(void)unlinkat(fd, APPLIED_FILE, 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", fd, APPLIED_FILE), 0);
	ck_assert_int_eq(
	    applied_read(fd, &applied, reason, sizeof reason), -ERR_CORRUPT);
}
END_TEST

START_TEST(not_ours_alone)
{
	char link[128];

	ck_assert_int_eq(fchmod(fd, 0770), 0);
	ck_assert_int_eq(
	    applied_open(folder, true, reason, sizeof reason), -ERR_CONFIG);
	ck_assert_int_eq(fchmod(fd, 0700), 0);
	(void)snprintf(link, sizeof link, "%s/link", base);
	ck_assert_int_eq(symlink(folder, link), 0);
	ck_assert_int_eq(
	    applied_open(link, true, reason, sizeof reason), -ERR_CONFIG);
	ck_assert_int_eq(unlink(link), 0);
	ck_assert_int_eq(
	    applied_open(link, false, reason, sizeof reason), -ERR_NOT_FOUND);
}
END_TEST

START_TEST(waits)
{
	struct applied applied = {
	    .backend = FIREWALL_NFT, .pending = "two", .until_ms = 1000};
	struct model model;

	read_model(POLICY, &applied.model);
	applied.model.accounts[0].blocked = true;
	applied.model.accounts[1].blocked = true;
	applied_effective(&applied, 999, &model);
	ck_assert(model.accounts[0].blocked && !model.accounts[1].blocked);
	model_free(&model);
	applied_effective(&applied, 1000, &model);
	ck_assert(model.accounts[0].blocked && model.accounts[1].blocked);
	model_free(&model);
	applied.pending[0] = '\0';
	applied_effective(&applied, 0, &model);
	ck_assert(model.accounts[1].blocked);
	model_free(&model);
	applied_free(&applied);
}
END_TEST

START_TEST(refreshes)
{
	struct applied applied = {.backend = FIREWALL_NFT};
	struct model policy;

	read_model(POLICY, &applied.model);
	read_model("{\"accounts\":{\"aaa\":{},"
		   "\"two\":{\"allow\":[\"c.example:3\"]}}}",
	    &policy);
	ck_assert_int_eq(
	    applied_refresh(&applied, &policy, reason, sizeof reason), 0);
	ck_assert_uint_eq(applied.model.count, 2);
	/* no more in the policy */
	ck_assert(applied.model.accounts[0].blocked);
	ck_assert_str_eq(applied.model.accounts[0].hosts[0].name, "a.example");
	ck_assert(!applied.model.accounts[1].blocked);
	ck_assert_str_eq(applied.model.accounts[1].hosts[0].name, "c.example");
	ck_assert_uint_eq(applied.model.accounts[1].guard_port, 581);
	ck_assert_uint_eq(applied.model.accounts[1].uid, 401);
	model_free(&policy);
	applied_free(&applied);
}
END_TEST

START_TEST(locks)
{
	int lock = applied_lock(fd, reason, sizeof reason);

	ck_assert_int_ge(lock, 0);
	close(lock);
	lock = applied_lock(fd, reason, sizeof reason);
	ck_assert_int_ge(lock, 0);
	close(lock);
}
END_TEST

static Suite *
applied_suite(void)
{
	Suite *suite = suite_create("applied");
	TCase *tc = tcase_create("applied");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, there_and_back);
	tcase_add_test(tc, damaged);
	tcase_add_test(tc, not_ours_alone);
	tcase_add_test(tc, waits);
	tcase_add_test(tc, refreshes);
	tcase_add_test(tc, locks);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return run_suite(applied_suite());
}
