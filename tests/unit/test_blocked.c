/*
 * What was refused: heads of packets, and how attempts become records.
 */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "executor/firewall/blocked.h"
#include "executor/firewall/packet.h"
#include "tests/unit/run_suite.h"

#define START 1000000 /* any time */

/*
 * Heads.
 */
#define IP4(protocol, fragment)                                                \
	"\x45\x00\x00\x28\x00\x00" fragment "\x40" protocol "\x00\x00"         \
	"\x0a\x00\x00\x01\xcb\x00\x71\x09"
#define ADDRESSES_6                                                            \
	"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"     \
	"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09"
#define IP6(next) "\x60\x00\x00\x00\x00\x08" next "\x40" ADDRESSES_6
#define TCP(flags)                                                             \
	"\xc0\x00\x01\xbb\x00\x00\x00\x00\x00\x00\x00\x00\x50" flags           \
	"\x00\x00\x00\x00\x00\x00"
#define UDP "\xc0\x00\x00\x7b\x00\x08\x00\x00"
#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
	const char *bytes;
	size_t count;
	const char *to; /* NULL: no head */
	int protocol;
	int port; /* -1: none */
	int flags;
} heads[] = {
    {BYTES(IP4("\x06", "\x40\x00") TCP("\x02")), "203.0.113.9", 6, 443, 2},
    {BYTES(IP4("\x11", "\x00\x00") UDP), "203.0.113.9", 17, 123, 0},
    {BYTES(IP4("\x01", "\x00\x00") "\x08\x00"), "203.0.113.9", 1, -1, 0},
    {BYTES(IP4("\x06", "\x00\x01") TCP("\x02")), "203.0.113.9", 6, -1, 0},
    {BYTES(IP4("\x06", "\x20\x00") TCP("\x02")), "203.0.113.9", 6, 443, 2},
    {BYTES(IP4("\x06", "\x00\x00") "\xc0\x00\x01"), "203.0.113.9", 6, -1, 0},
    {BYTES(IP4("\x06", "\x00\x00") "\xc0\x00\x01\xbb"), "203.0.113.9", 6, 443,
	0},
    {BYTES(IP6("\x06") TCP("\x12")), "2001:db8::9", 6, 443, 18},
    {BYTES(IP6("\x11") UDP), "2001:db8::9", 17, 123, 0},
    {BYTES(IP6("\x3a") "\x80\x00"), "2001:db8::9", 58, -1, 0},
    /* hop by hop, options, routing: passed over */
    {BYTES(IP6("\x00") "\x3c\x00......"
		       "\x2b\x00......"
		       "\x06\x00......" TCP("\x02")),
	"2001:db8::9", 6, 443, 2},
    /* the first fragment has ports, a later one none */
    {BYTES(IP6("\x2c") "\x11\x00\x00\x01...." UDP), "2001:db8::9", 17, 123, 0},
    {BYTES(IP6("\x2c") "\x11\x00\x00\x09...." UDP), "2001:db8::9", 44, -1, 0},
    /* an extension that is longer than what is there */
    {BYTES(IP6("\x00") "\x06\xff......" UDP), "2001:db8::9", 6, -1, 0},
    /* more extensions than anybody sends */
    {BYTES(IP6("\x00") "\x00\x00......\x00\x00......\x00\x00......"
		       "\x00\x00......\x00\x00......\x00\x00......"
		       "\x00\x00......\x00\x00......\x11\x00......" UDP),
	"2001:db8::9", 0, -1, 0},
    {BYTES(""), NULL, 0, 0, 0},
    {BYTES("\x45"), NULL, 0, 0, 0},
    {BYTES("\x55\x00\x00\x28"), NULL, 0, 0, 0},
    {BYTES("\x60\x00\x00\x00\x00\x08\x06\x40"), NULL, 0, 0, 0},
    /* a head of four words; one longer than the packet; than its length */
    {BYTES("\x44\x00\x00\x28\x00\x00\x00\x00\x40\x06\x00\x00"
	   "\x0a\x00\x00\x01\xcb\x00\x71\x09"),
	NULL, 0, 0, 0},
    {BYTES("\x4f\x00\x00\x3c\x00\x00\x00\x00\x40\x06\x00\x00"
	   "\x0a\x00\x00\x01\xcb\x00\x71\x09"),
	NULL, 0, 0, 0},
    {BYTES("\x45\x00\x00\x13\x00\x00\x00\x00\x40\x06\x00\x00"
	   "\x0a\x00\x00\x01\xcb\x00\x71\x09"),
	NULL, 0, 0, 0},
};

START_TEST(reads_heads)
{
	struct span bytes = {heads[_i].bytes, heads[_i].count};
	struct packet packet = {.has_uid = true, .uid = 7};
	char to[ADDRESS_TEXT_BYTES];

	if (heads[_i].to == NULL) {
		ck_assert_int_eq(packet_parse(bytes, &packet), -ERR_SYNTAX);
		ck_assert_int_eq(packet.to.family, ADDRESS_NONE);
		return;
	}
	ck_assert_int_eq(packet_parse(bytes, &packet), 0);
	address_format(&packet.to, to);
	ck_assert_str_eq(to, heads[_i].to);
	ck_assert_int_eq(packet.protocol, heads[_i].protocol);
	ck_assert_int_eq(packet.has_port ? packet.port : -1, heads[_i].port);
	ck_assert_int_eq(packet.flags, heads[_i].flags);
	ck_assert(packet.has_uid && packet.uid == 7);
}
END_TEST

/*
 * Records.
 */
static struct blocked_attempt
attempt(uint32_t account, uint16_t port)
{
	struct blocked_attempt a = {
	    .account = account, .port = port, .protocol = MODEL_TCP};

	ck_assert(address_parse(span_of("203.0.113.9"), &a.address));
	return a;
}

static void
take(struct blocked *b, uint32_t account, uint16_t port, int64_t now)
{
	struct blocked_attempt a = attempt(account, port);

	blocked_take(b, &a, 1, now);
}

static size_t
drain(struct blocked *b, int64_t now, uint64_t *count, uint64_t *left_out)
{
	struct blocked_record record;
	size_t records = 0;

	while (blocked_next(b, now, &record)) {
		records++;
		*count += record.count;
		*left_out += record.left_out;
	}
	return records;
}

START_TEST(counts_equal_ones)
{
	struct blocked *b = blocked_new();
	struct blocked_record record;
	int64_t due;

	ck_assert_int_eq(blocked_due(b, START), 0);
	take(b, 0, 443, START);
	ck_assert_int_eq(blocked_due(b, START), START);
	ck_assert(blocked_next(b, START, &record));
	ck_assert_uint_eq(record.count, 1);
	ck_assert(!blocked_next(b, START, &record));
	for (int i = 0; i < 1000; i++)
		take(b, 0, 443, START + i);
	ck_assert(!blocked_next(b, START + 1000, &record));
	due = blocked_due(b, START + 1000);
	ck_assert_int_eq(due, START + BLOCKED_WINDOW_MS);
	ck_assert(blocked_next(b, due, &record));
	ck_assert_uint_eq(record.count, 1000);
	ck_assert_uint_eq(record.attempt.port, 443);
	/* a quiet window, and the row is free */
	due = blocked_due(b, due);
	ck_assert(!blocked_next(b, due, &record));
	ck_assert_int_eq(blocked_due(b, due), 0);
	blocked_free(b);
}
END_TEST

START_TEST(tells_different_ones_apart)
{
	struct blocked *b = blocked_new();
	struct blocked_attempt a = attempt(0, 443);
	uint64_t count = 0, left_out = 0;

	blocked_take(b, &a, 1, START);
	a.what = BLOCKED_CUT;
	blocked_take(b, &a, 1, START);
	a.protocol = MODEL_UDP;
	blocked_take(b, &a, 1, START);
	strcpy(a.name, "a.example");
	blocked_take(b, &a, 1, START);
	a.address.bytes[3] = 10;
	blocked_take(b, &a, 1, START);
	a.account = 1;
	blocked_take(b, &a, 1, START);
	ck_assert_uint_eq(drain(b, START, &count, &left_out), 6);
	ck_assert_uint_eq(count, 6);
	blocked_free(b);
}
END_TEST

/* One that tries all ports has so many records and no more; nothing that it
 * tried is lost without a number, and others have theirs. */
START_TEST(bounds_a_flood)
{
	struct blocked *b = blocked_new();
	uint64_t count = 0, left_out = 0, others = 0;
	struct blocked_record record;
	size_t records = 0, tried = 0;

	for (int64_t now = START; now < START + 60000; now += 100) {
		for (int i = 0; i < 100; i++, tried++)
			take(b, 0, (uint16_t)(1 + tried % 60000), now);
		records += drain(b, now, &count, &left_out);
	}
	ck_assert_uint_le(records, BLOCKED_BURST + 60000 / BLOCKED_EVERY_MS);
	ck_assert_uint_ge(records, 60000 / BLOCKED_EVERY_MS);
	take(b, 1, 443, START + 60000);
	while (blocked_next(b, START + 60000, &record)) {
		others += record.attempt.account == 1;
		count += record.attempt.account == 0 ? record.count : 0;
		left_out += record.left_out;
	}
	ck_assert_uint_eq(others, 1);
	/* then it is quiet, and what waits comes out */
	for (int64_t now = START + 60000; now < START + 200000; now += 500)
		drain(b, now, &count, &left_out);
	take(b, 0, 1, START + 300000);
	drain(b, START + 300000, &count, &left_out);
	ck_assert_uint_eq(count + left_out, tried + 1);
	ck_assert_int_eq(
	    blocked_due(b, START + 300000), START + 300000 + BLOCKED_WINDOW_MS);
	blocked_free(b);
}
END_TEST

START_TEST(says_what_was_not_seen)
{
	struct blocked *b = blocked_new();
	struct blocked_record record;

	blocked_miss(b, 0, 12);
	ck_assert(!blocked_next(b, START, &record));
	take(b, 0, 443, START);
	ck_assert(blocked_next(b, START, &record));
	ck_assert_uint_eq(record.left_out, 12);
	blocked_free(b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("blocked");
	TCase *c = tcase_create("blocked");

	tcase_add_loop_test(c, reads_heads, 0, sizeof heads / sizeof heads[0]);
	tcase_add_test(c, counts_equal_ones);
	tcase_add_test(c, tells_different_ones_apart);
	tcase_add_test(c, bounds_a_flood);
	tcase_add_test(c, says_what_was_not_seen);
	suite_add_tcase(s, c);
	return run_suite(s);
}
