/*
 * Messages of the kernel, as far as they can be wrong: packets by nflog, and
 * what tells of changed rules.
 */
#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "executor/firewall/capture.h"
#include "executor/firewall/change.h"
#include "executor/firewall/text.h"
#include "tests/unit/run_suite.h"

static const char syn[] = "\x45\x00\x00\x28\x00\x00\x40\x00\x40\x06\x00\x00"
			  "\x0a\x00\x00\x01\xcb\x00\x71\x09"
			  "\xc0\x00\x01\xbb\x00\x00\x00\x00\x00\x00\x00\x00\x50"
			  "\x02\x00\x00\x00\x00\x00\x00";

struct text {
	_Alignas(8) char bytes[4096];
	size_t length, begun;
};

static void
put(struct text *t, const void *bytes, size_t count)
{
	memcpy(t->bytes + t->length, bytes, count);
	t->length += count;
	while (t->length % 4 != 0)
		t->bytes[t->length++] = 0;
}

static void
begin(struct text *t, unsigned type, uint32_t port)
{
	struct nlmsghdr head = {
	    .nlmsg_type = (uint16_t)type, .nlmsg_pid = port};
	struct nfgenmsg family = {.nfgen_family = AF_INET};

	t->begun = t->length;
	put(t, &head, sizeof head);
	put(t, &family, sizeof family);
}

static void
put_attribute(struct text *t, unsigned type, const void *bytes, size_t count)
{
	struct nlattr head = {.nla_len = (uint16_t)(sizeof head + count),
	    .nla_type = (uint16_t)type};

	put(t, &head, sizeof head);
	put(t, bytes, count);
}

static void
end(struct text *t)
{
	uint32_t length = (uint32_t)(t->length - t->begun);

	memcpy(t->bytes + t->begun, &length, sizeof length);
}

static void
put_packet(struct text *t, uint32_t uid, uint32_t number)
{
	uid = htonl(uid);
	number = htonl(number);
	begin(t, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET, 0);
	put_attribute(t, NFULA_PAYLOAD, syn, sizeof syn - 1);
	put_attribute(t, NFULA_UID, &uid, sizeof uid);
	put_attribute(t, NFULA_SEQ, &number, sizeof number);
	end(t);
}

static unsigned packets;
static struct packet last;

static void
on_packet(void *context, const struct packet *packet)
{
	(void)context;
	packets++;
	last = *packet;
}

static void
read_text(struct capture *capture, const struct text *t, size_t length)
{
	char *copy = malloc(length + 1); /* so that a sanitizer sees its end */

	memcpy(copy, t->bytes, length);
	packets = 0;
	capture_take(capture, (struct span){copy, length}, on_packet, NULL);
	free(copy);
}

START_TEST(reads_packets)
{
	struct capture capture;
	struct text t = {.length = 0};

	capture_init(&capture, -1);
	put_packet(&t, 787, 5);
	put_packet(&t, 788, 6);
	put_packet(&t, 789, 10);
	read_text(&capture, &t, t.length);
	ck_assert_uint_eq(packets, 3);
	ck_assert(last.has_uid && last.uid == 789 && last.port == 443);
	ck_assert_uint_eq(capture.lost, 3);
	ck_assert_uint_eq(capture.bad, 0);
	/* however it is cut, nothing is read twice or behind the end */
	for (size_t n = 0; n < t.length; n++) {
		capture_init(&capture, -1);
		read_text(&capture, &t, n);
		ck_assert_uint_le(packets, n * 3 / t.length);
	}
}
END_TEST

START_TEST(passes_over_nonsense)
{
	struct capture capture;
	struct text t = {.length = 0};
	uint32_t uid = htonl(7);

	capture_init(&capture, -1);
	/* of another kind; without a payload; with a short user; a length of
	 * nothing */
	begin(&t, NFNL_SUBSYS_QUEUE << 8, 0);
	put_attribute(&t, NFULA_PAYLOAD, syn, sizeof syn - 1);
	end(&t);
	begin(&t, NFNL_SUBSYS_ULOG << 8, 0);
	put_attribute(&t, NFULA_UID, &uid, sizeof uid);
	end(&t);
	begin(&t, NFNL_SUBSYS_ULOG << 8, 0);
	put_attribute(&t, NFULA_PAYLOAD, syn, sizeof syn - 1);
	put_attribute(&t, NFULA_UID, &uid, 3);
	end(&t);
	begin(&t, NFNL_SUBSYS_ULOG << 8, 0);
	put(&t, "\0\0\0\0", 4);
	end(&t);
	read_text(&capture, &t, t.length);
	ck_assert_uint_eq(packets, 1);
	ck_assert(!last.has_uid);
	ck_assert_uint_eq(capture.bad, 2);
}
END_TEST

/*
 * Changes.
 */
static unsigned
change(unsigned type, const char *table, uint32_t port)
{
	struct text t = {.length = 0};

	begin(&t, type, port);
	if (table != NULL)
		put_attribute(&t, NFTA_TABLE_NAME, table, strlen(table) + 1);
	end(&t);
	return change_take((struct span){t.bytes, t.length}, 42);
}

#define NFT(message) (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_##message)

START_TEST(hears_of_changes)
{
	ck_assert_uint_eq(change(NFT(DELTABLE), TEXT_TABLE, 7), CHANGE_RULES);
	ck_assert_uint_eq(change(NFT(DELRULE), TEXT_TABLE, 7), CHANGE_RULES);
	ck_assert_uint_eq(change(NFT(NEWRULE), TEXT_TABLE, 7), CHANGE_RULES);
	ck_assert_uint_eq(
	    change(NFT(DELSETELEM), TEXT_TABLE, 7), CHANGE_ELEMENTS);
	ck_assert_uint_eq(change(NFT(NEWSETELEM), TEXT_TABLE, 7), 0);
	ck_assert_uint_eq(change(NFT(NEWGEN), NULL, 7), 0);
	/* of others; our own doing */
	ck_assert_uint_eq(change(NFT(DELTABLE), "filter", 7), 0);
	ck_assert_uint_eq(change(NFT(DELTABLE), TEXT_TABLE "x", 7), 0);
	ck_assert_uint_eq(change(NFT(DELTABLE), "trizone_accounT", 7), 0);
	ck_assert_uint_eq(change(NFT(DELTABLE), NULL, 7), 0);
	ck_assert_uint_eq(change(NFT(DELSETELEM), TEXT_TABLE, 42), 0);
	ck_assert_uint_eq(change(RTM_DELRULE, NULL, 7), CHANGE_RULES);
	ck_assert_uint_eq(change(RTM_NEWRULE, NULL, 7), 0);
	ck_assert_uint_eq(change(RTM_DELROUTE, NULL, 7), 0);
}
END_TEST

START_TEST(reads_cut_changes)
{
	struct text t = {.length = 0};

	begin(&t, NFT(DELTABLE), 7);
	put_attribute(&t, NFTA_TABLE_NAME, TEXT_TABLE, sizeof TEXT_TABLE);
	end(&t);
	for (size_t n = 0; n < t.length; n++) {
		char *copy = malloc(n + 1);

		memcpy(copy, t.bytes, n);
		ck_assert_uint_eq(change_take((struct span){copy, n}, 0), 0);
		free(copy);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nflog");
	TCase *c = tcase_create("nflog");

	tcase_add_test(c, reads_packets);
	tcase_add_test(c, passes_over_nonsense);
	tcase_add_test(c, hears_of_changes);
	tcase_add_test(c, reads_cut_changes);
	suite_add_tcase(s, c);
	return run_suite(s);
}
