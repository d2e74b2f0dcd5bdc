/*
 * Sets in the kernel: elements in, again, out, and read back, in a network
 * namespace of the test's own, by nft and by ipset. Skipped without root or
 * the programs.
 */
#include <check.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/run.h"
#include "executor/firewall/model.h"
#include "executor/firewall/set.h"
#include "tests/unit/run_suite.h"

#define ACCOUNT 4242

static const char nft_rules[] =
    "table inet trizone_accounts {\n"
    "set fresh4_4242 { type ipv4_addr . inet_proto . inet_service;"
    " flags timeout; size 100; }\n"
    "set fresh6_4242 { type ipv6_addr . inet_proto . inet_service;"
    " flags timeout; size 100; }\n"
    "set known4_4242 { type ipv4_addr . inet_proto . inet_service;"
    " flags dynamic,timeout; size 1000; }\n"
    "set known6_4242 { type ipv6_addr . inet_proto . inet_service;"
    " flags dynamic,timeout; size 1000; }\n"
    "}\n";
static const char ipset_rules[] =
    "create trizone_fresh4_4242 hash:ip,port timeout 0 comment maxelem 100\n"
    "create trizone_fresh6_4242 hash:ip,port family inet6 timeout 0 comment "
    "maxelem 100\n"
    "create trizone_known4_4242 hash:ip,port timeout 0 comment\n"
    "create trizone_known6_4242 hash:ip,port family inet6 timeout 0 comment\n";

static struct set *set;
static bool ready;
static struct buf said;

static bool
tool(const char *name, const char *a, const char *b, struct span input)
{
	char path[128];
	const char *argv[] = {path, a, b, NULL};
	struct buf errors;
	int status = 1;

	buf_init(&errors, 65536);
	buf_clear(&said);
	if (run_find(run_folders, name, path, sizeof path) &&
	    run_program(argv, input, &said, &errors, 10000, &status) != 0)
		status = 1;
	buf_free(&errors);
	return status == 0;
}

static bool
said_has(const char *text)
{
	return memmem(said.data, said.len, text, strlen(text)) != NULL;
}

static void
set_up(enum firewall_backend backend)
{
	char reason[256];

	signal(SIGPIPE, SIG_IGN);
	buf_init(&said, 1 << 20);
	ready = geteuid() == 0 && unshare(CLONE_NEWNET) == 0;
	if (ready)
		ready =
		    backend == FIREWALL_NFT
			? tool("nft", "-f", "-", span_of(nft_rules))
			: tool("ipset", "restore", NULL, span_of(ipset_rules));
	if (!ready) {
		printf("test_set: skipped, needs root and %s\n",
		    firewall_backend_name(backend));
		return;
	}
	set = set_open(backend, reason, sizeof reason);
	ck_assert_msg(set != NULL, "%s", reason);
}

static void
nft_up(void)
{
	set_up(FIREWALL_NFT);
}

static void
ipset_up(void)
{
	set_up(FIREWALL_IPTABLES);
}

static void
down(void)
{
	set_close(set);
	set = NULL;
	buf_free(&said);
}

static struct set_item
make(const char *address, uint16_t port, uint32_t timeout_s)
{
	struct set_item item = {
	    .port = port, .protocol = MODEL_TCP, .timeout_s = timeout_s};

	ck_assert(address_parse(span_of(address), &item.address));
	strcpy(item.name, "api.example.com");
	return item;
}

struct found {
	struct set_item items[64];
	size_t count;
};

static int
take(void *data, const struct set_item *item)
{
	struct found *found = data;

	if (found->count < 64)
		found->items[found->count] = *item;
	found->count++;
	return 0;
}

static struct found
list(bool known)
{
	struct found found = {.count = 0};

	ck_assert_int_eq(set_list(set, ACCOUNT, known, take, &found), 0);
	return found;
}

START_TEST(in_and_out)
{
	struct set_item items[] = {make("192.0.2.7", 443, 60),
	    make("2001:db8::7", 8443, 60), make("192.0.2.8", 443, 0)};
	struct found found;

	if (!ready)
		return;
	items[1].protocol = MODEL_UDP;
	ck_assert_int_eq(set_add(set, ACCOUNT, items, 3), 0);
	for (int known = 0; known < 2; known++) {
		found = list(known);
		ck_assert_uint_eq(found.count, 3);
		for (size_t i = 0; i < 3; i++) {
			struct set_item *item = &found.items[i];

			ck_assert_str_eq(item->name, "api.example.com");
			if (item->address.family == ADDRESS_6) {
				ck_assert(address_equal(
				    &item->address, &items[1].address));
				ck_assert_uint_eq(item->port, 8443);
				ck_assert_uint_eq(item->protocol, MODEL_UDP);
				ck_assert_uint_ge(
				    item->left_s, known ? SET_KNOWN_S - 2 : 58);
				ck_assert_uint_le(
				    item->left_s, known ? SET_KNOWN_S : 60);
			} else if (item->address.bytes[3] == 8) {
				ck_assert_uint_eq(item->timeout_s, 0);
				ck_assert_uint_eq(item->left_s, 0);
			}
		}
	}
	/* what is not there is no error, twice the same neither */
	items[0] = items[1];
	ck_assert_int_eq(set_remove(set, ACCOUNT, items, 2), 0);
	ck_assert_int_eq(set_remove(set, ACCOUNT, items, 2), 0);
	ck_assert_uint_eq(list(false).count, 2);
	ck_assert_uint_eq(list(true).count, 2);
	ck_assert_int_eq(set_clear(set, ACCOUNT), 0);
	ck_assert_uint_eq(list(false).count, 0);
	ck_assert_uint_eq(list(true).count, 0);
}
END_TEST

/* A new time for what is there, longer or shorter; twice in one call too. */
START_TEST(again)
{
	struct set_item items[] = {
	    make("192.0.2.7", 443, 60), make("192.0.2.7", 443, 60)};

	if (!ready)
		return;
	for (int i = 0; i < 3; i++) {
		uint32_t time_s = i == 1 ? 3600 : 90;
		struct found found;

		items[0].timeout_s = items[1].timeout_s = time_s;
		ck_assert_int_eq(i == 2 ? set_load(set, ACCOUNT, items, 2)
					: set_add(set, ACCOUNT, items, 2),
		    0);
		found = list(false);
		ck_assert_uint_eq(found.count, 1);
		ck_assert_uint_ge(found.items[0].left_s, time_s - 2);
		ck_assert_uint_le(found.items[0].left_s, time_s);
	}
}
END_TEST

/* It ends by itself in `fresh`, not in `known`. */
START_TEST(ends)
{
	struct set_item item = make("192.0.2.7", 443, 1);

	if (!ready)
		return;
	ck_assert_int_eq(set_add(set, ACCOUNT, &item, 1), 0);
	ck_assert_uint_eq(list(false).count, 1);
	usleep(2100000);
	ck_assert_uint_eq(list(false).count, 0);
	ck_assert_uint_eq(list(true).count, 1);
}
END_TEST

START_TEST(no_rules)
{
	struct set_item item = make("192.0.2.7", 443, 60);
	struct found found = {.count = 0};

	if (!ready)
		return;
	ck_assert_int_eq(set_add(set, 4343, &item, 1), -ERR_NOT_FOUND);
	ck_assert_int_eq(set_load(set, 4343, &item, 1), -ERR_NOT_FOUND);
	ck_assert_int_eq(set_remove(set, 4343, &item, 1), -ERR_NOT_FOUND);
	ck_assert_int_eq(set_clear(set, 4343), -ERR_NOT_FOUND);
	ck_assert_int_eq(
	    set_list(set, 4343, false, take, &found), -ERR_NOT_FOUND);
	/* and it goes on with the account that is there */
	ck_assert_int_eq(set_add(set, ACCOUNT, &item, 1), 0);
	ck_assert_uint_eq(list(false).count, 1);
}
END_TEST

static struct set_item *
many(size_t count)
{
	struct set_item *items = calloc(count, sizeof *items);

	for (size_t i = 0; i < count; i++) {
		items[i] = make(i % 2 ? "10.0.0.0" : "fd00::", 443, 60);
		items[i].address.bytes[2] = (unsigned char)(i >> 8);
		items[i].address.bytes[i % 2 ? 3 : 15] = (unsigned char)i;
		memset(items[i].name, 'n', SET_COMMENT_BYTES - 1);
	}
	return items;
}

/* More than fits changes nothing in `fresh`. */
START_TEST(full)
{
	struct set_item *items = many(SET_BATCH + 1);

	if (!ready)
		return;
	ck_assert_int_eq(
	    set_add(set, ACCOUNT, items, SET_BATCH + 1), -ERR_LIMIT);
	if (_i == 0) {
		ck_assert_int_eq(
		    set_add(set, ACCOUNT, items, 1000), -ERR_LIMIT);
		ck_assert_uint_eq(list(false).count, 0);
	}
	ck_assert_int_eq(set_add(set, ACCOUNT, items, 60), 0);
	ck_assert_uint_eq(list(false).count, 60);
	free(items);
}
END_TEST

static int
refuse(void *data, const struct set_item *item)
{
	(void)item;
	++*(int *)data;
	return -ERR_DENIED;
}

START_TEST(listing_ended)
{
	struct set_item *items = many(60);
	int calls = 0;

	if (!ready)
		return;
	ck_assert_int_eq(set_load(set, ACCOUNT, items, 60), 0);
	ck_assert_int_eq(
	    set_list(set, ACCOUNT, false, refuse, &calls), -ERR_DENIED);
	ck_assert_int_eq(calls, 1);
	ck_assert_uint_eq(list(false).count, 60);
	free(items);
}
END_TEST

/* As nft itself shows them. */
START_TEST(as_nft_says)
{
	struct set_item item = make("2001:db8::7", 443, 3600);

	if (!ready)
		return;
	ck_assert_int_eq(set_add(set, ACCOUNT, &item, 1), 0);
	ck_assert(tool("nft", "list", "ruleset", SPAN("")));
	ck_assert(said_has("2001:db8::7 . tcp . 443 timeout 1h expires"));
	ck_assert(said_has("2001:db8::7 . tcp . 443 timeout 5d expires"));
	ck_assert(said_has("comment \"api.example.com\""));
}
END_TEST

static TCase *
cases(Suite *suite, const char *name, void (*up)(void), int kind)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, up, down);
	tcase_add_test(t, in_and_out);
	tcase_add_test(t, again);
	tcase_add_test(t, ends);
	tcase_add_test(t, no_rules);
	tcase_add_loop_test(t, full, kind, kind + 1);
	tcase_add_test(t, listing_ended);
	suite_add_tcase(suite, t);
	return t;
}

int
main(void)
{
	Suite *suite = suite_create("set");
	TCase *nft = cases(suite, "nft", nft_up, 0);

	tcase_add_test(nft, as_nft_says);
	(void)cases(suite, "ipset", ipset_up, 1);
	return run_suite(suite);
}
