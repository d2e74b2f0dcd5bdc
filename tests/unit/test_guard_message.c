/*
 * The guard's questions and answers, bytes as they are on the wire.
 */
#include <check.h>
#include <string.h>

#include "executor/firewall/guard_message.h"
#include "executor/firewall/link.h"
#include "tests/unit/run_suite.h"

#define HEAD "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
#define HEAD_OPT "\x12\x34\x01\x10\x00\x01\x00\x00\x00\x00\x00\x01"
#define NAME "\3aPi\7eXample\3com\0"
#define QUESTION NAME "\0\1\0\1"
#define QUESTION_6 NAME "\0\x1c\0\1"
#define OPT(room) "\0\0\x29" room "\0\0\0\0\0\0"

static struct guard_query query;

static int
parse_bytes(const char *bytes, size_t count)
{
	/* on the heap, so that a sanitizer sees a byte beyond */
	unsigned char *copy = malloc(count + 1);
	int code;

	memcpy(copy, bytes, count);
	code = guard_parse(copy, count, &query);
	free(copy);
	return code;
}

#define PARSE(literal) parse_bytes(literal, sizeof(literal) - 1)

START_TEST(question)
{
	ck_assert_int_eq(PARSE(HEAD QUESTION), GUARD_NOERROR);
	ck_assert_str_eq(query.name, "api.example.com");
	ck_assert_uint_eq(query.id, 0x1234);
	ck_assert_uint_eq(query.type, GUARD_A);
	ck_assert(query.recursion && !query.unchecked && !query.edns);
	ck_assert(!query.odd);
	ck_assert_uint_eq(query.room, 512);
	ck_assert_uint_eq(query.question_bytes, sizeof(QUESTION) - 1);

	ck_assert_int_eq(
	    PARSE(HEAD_OPT QUESTION_6 OPT("\x04\xd0")), GUARD_NOERROR);
	ck_assert_uint_eq(query.type, GUARD_AAAA);
	ck_assert(query.edns && query.unchecked);
	ck_assert_uint_eq(query.room, 1232);
	/* with an option, a cookie */
	ck_assert_int_eq(
	    PARSE(HEAD_OPT QUESTION "\0\0\x29\x04\xd0\0\0\0\0\0\x0c\0\x0a\0\x08"
				    "12345678"),
	    GUARD_NOERROR);
	/* the root, and other types */
	ck_assert_int_eq(PARSE(HEAD "\0\0\2\0\1"), GUARD_NOERROR);
	ck_assert_str_eq(query.name, "");
	ck_assert_int_eq(PARSE(HEAD NAME "\0\xff\0\1"), GUARD_NOERROR);
}
END_TEST

START_TEST(every_cut)
{
	static const char whole[] =
	    HEAD_OPT QUESTION "\0\0\x29\x04\xd0\0\0\0\0\0\x0c\0\x0a\0\x08"
			      "12345678";

	for (size_t n = 0; n < sizeof whole - 1; n++)
		ck_assert_int_eq(
		    parse_bytes(whole, n), n < 12 ? -1 : GUARD_FORMERR);
	ck_assert_int_eq(PARSE(HEAD QUESTION "\0"), GUARD_FORMERR);
	ck_assert_int_eq(
	    PARSE(HEAD_OPT QUESTION OPT("\2\0") "\0"), GUARD_FORMERR);
}
END_TEST

START_TEST(silence)
{
	/* an answer: or two guards could talk for ever */
	ck_assert_int_eq(
	    PARSE("\x12\x34\x81\x80\0\1\0\0\0\0\0\0" QUESTION), -1);
	ck_assert_int_eq(PARSE(""), -1);
}
END_TEST

START_TEST(broken)
{
	/* counts */
	ck_assert_int_eq(PARSE("\1\2\1\0\0\0\0\0\0\0\0\0"), GUARD_FORMERR);
	ck_assert_int_eq(
	    PARSE("\1\2\1\0\0\2\0\0\0\0\0\0" QUESTION QUESTION), GUARD_FORMERR);
	ck_assert_int_eq(
	    PARSE("\1\2\1\0\0\1\0\1\0\0\0\0" QUESTION), GUARD_FORMERR);
	ck_assert_int_eq(
	    PARSE("\1\2\1\0\0\1\0\0\0\1\0\0" QUESTION), GUARD_FORMERR);
	ck_assert_int_eq(
	    PARSE("\1\2\1\0\0\1\0\0\0\0\0\2" QUESTION OPT("\2\0") OPT("\2\0")),
	    GUARD_FORMERR);
	/* cut by its sender */
	ck_assert_int_eq(
	    PARSE("\1\2\3\0\0\1\0\0\0\0\0\0" QUESTION), GUARD_FORMERR);
	/* a pointer, to itself and to the header; another kind of label */
	ck_assert_int_eq(PARSE(HEAD "\xc0\x0c\0\1\0\1"), GUARD_FORMERR);
	ck_assert_int_eq(PARSE(HEAD "\1a\xc0\0\0\1\0\1"), GUARD_FORMERR);
	ck_assert_int_eq(PARSE(HEAD "\x41\1\0\0\1\0\1"), GUARD_FORMERR);
	/* OPT with a name, another record in its place, its length too small */
	ck_assert_int_eq(PARSE(HEAD_OPT QUESTION "\1a\0\0\x29\2\0\0\0\0\0\0\0"),
	    GUARD_FORMERR);
	ck_assert_int_eq(
	    PARSE(HEAD_OPT QUESTION "\0\0\x01\0\1\0\0\0\0\0\0"), GUARD_FORMERR);
	ck_assert_int_eq(
	    PARSE(HEAD_OPT QUESTION "\0\0\x29\2\0\0\0\0\0\0\0\0\x0a\0\0"),
	    GUARD_FORMERR);
	/* an option longer than its record */
	ck_assert_int_eq(
	    PARSE(HEAD_OPT QUESTION "\0\0\x29\2\0\0\0\0\0\0\4\0\x0a\0\1"),
	    GUARD_FORMERR);
	/* types that are none of a question */
	ck_assert_int_eq(PARSE(HEAD NAME "\0\0\0\1"), GUARD_FORMERR);
	ck_assert_int_eq(PARSE(HEAD NAME "\0\x29\0\1"), GUARD_FORMERR);
}
END_TEST

START_TEST(not_done)
{
	/* an update, a transfer, the chaos class, another EDNS */
	ck_assert_int_eq(
	    PARSE("\1\2\x28\0\0\1\0\0\0\0\0\0" QUESTION), GUARD_NOTIMP);
	ck_assert_uint_eq(query.question_bytes, 0);
	ck_assert_int_eq(PARSE(HEAD NAME "\0\xfc\0\1"), GUARD_NOTIMP);
	ck_assert_int_eq(PARSE(HEAD NAME "\0\1\0\3"), GUARD_REFUSED);
	ck_assert_int_eq(PARSE(HEAD NAME "\0\1\0\xff"), GUARD_REFUSED);
	ck_assert_int_eq(
	    PARSE(HEAD_OPT QUESTION "\0\0\x29\2\0\0\1\0\0\0\0"), GUARD_BADVERS);
}
END_TEST

/* Names that a careless comparison would take for another. */
START_TEST(names)
{
	ck_assert_int_eq(PARSE(HEAD "\x0b"
				    "api.example\3com\0\0\1\0\1"),
	    GUARD_NOERROR);
	ck_assert(query.odd);
	ck_assert_str_eq(query.name, "api?example.com");
	ck_assert_int_eq(PARSE(HEAD "\4ap\0i\3com\0\0\1\0\1"), GUARD_NOERROR);
	ck_assert(query.odd);
	ck_assert_str_eq(query.name, "ap?i.com");
	ck_assert_int_eq(PARSE(HEAD "\3a\n\xff\0\0\1\0\1"), GUARD_NOERROR);
	ck_assert(query.odd);
	ck_assert_int_eq(PARSE(HEAD "\3a?b\0\0\1\0\1"), GUARD_NOERROR);
	ck_assert(query.odd);
}
END_TEST

START_TEST(long_names)
{
	char bytes[12 + 300];
	size_t n = 12;

	/* 63, 63, 63 and 61: 255 with the root */
	memcpy(bytes, HEAD, 12);
	for (int i = 0; i < 4; i++) {
		int length = i < 3 ? 63 : 61;

		bytes[n++] = (char)length;
		memset(bytes + n, 'a', (size_t)length);
		n += (size_t)length;
	}
	memcpy(bytes + n, "\0\0\1\0\1", 5);
	ck_assert_int_eq(parse_bytes(bytes, n + 5), GUARD_NOERROR);
	ck_assert_uint_eq(strlen(query.name), 253);
	ck_assert_uint_eq(query.question_bytes, GUARD_QUESTION_BYTES);
	/* one more */
	memcpy(bytes + n, "\1a\0\0\1\0\1", 7);
	ck_assert_int_eq(parse_bytes(bytes, n + 7), GUARD_FORMERR);
	bytes[12 + 3 * 64] = 62;
	memcpy(bytes + n, "a\0\0\1\0\1", 6);
	ck_assert_int_eq(parse_bytes(bytes, n + 6), GUARD_FORMERR);
}
END_TEST

static unsigned char out[GUARD_UDP_BYTES];

static size_t
answer(enum guard_code code, size_t count, bool tcp)
{
	static struct address addresses[LINK_ADDRESSES_MAX];
	struct guard_answer a = {
	    .code = code, .ttl_s = 300, .addresses = addresses, .count = count};

	for (size_t i = 0; i < LINK_ADDRESSES_MAX; i++) {
		addresses[i].family =
		    query.type == GUARD_A ? ADDRESS_4 : ADDRESS_6;
		addresses[i].bytes[0] = (unsigned char)(i + 1);
	}
	memset(out, 0xee, sizeof out);
	return guard_write(&query, &a, tcp, out);
}

#define IS(count, literal)                                                     \
	do {                                                                   \
		ck_assert_uint_eq(count, sizeof(literal) - 1);                 \
		ck_assert_mem_eq(out, literal, sizeof(literal) - 1);           \
	} while (0)

START_TEST(answers)
{
	size_t n;

	(void)PARSE(HEAD QUESTION);
	n = answer(GUARD_NOERROR, 2, false);
	IS(n, "\x12\x34\x81\x80\0\1\0\2\0\0\0\0" QUESTION
	      "\xc0\x0c\0\1\0\1\0\0\x01\x2c\0\4\1\0\0\0"
	      "\xc0\x0c\0\1\0\1\0\0\x01\x2c\0\4\2\0\0\0");
	n = answer(GUARD_REFUSED, 0, false);
	IS(n, "\x12\x34\x81\x85\0\1\0\0\0\0\0\0" QUESTION);
	(void)PARSE(HEAD_OPT QUESTION_6 OPT("\x10\0"));
	n = answer(GUARD_NOERROR, 1, false);
	IS(n, "\x12\x34\x81\x90\0\1\0\1\0\0\0\1" QUESTION_6
	      "\xc0\x0c\0\x1c\0\1\0\0\x01\x2c\0\x10\1\0\0\0\0\0\0\0"
	      "\0\0\0\0\0\0\0\0" OPT("\x04\xd0"));
	(void)PARSE(HEAD_OPT QUESTION "\0\0\x29\2\0\0\1\0\0\0\0");
	n = answer(GUARD_BADVERS, 0, false);
	IS(n, "\x12\x34\x81\x90\0\1\0\0\0\0\0\1" QUESTION
	      "\0\0\x29\x04\xd0\1\0\0\0\0\0");
	/* of a broken one the header alone */
	(void)PARSE("\1\2\1\0\0\0\0\0\0\0\0\0");
	n = answer(GUARD_FORMERR, 0, false);
	IS(n, "\1\2\x81\x81\0\0\0\0\0\0\0\0");
	(void)PARSE("\1\2\x28\0\0\1\0\0\0\0\0\0" QUESTION);
	n = answer(GUARD_NOTIMP, 0, false);
	IS(n, "\1\2\xa8\x84\0\0\0\0\0\0\0\0");
}
END_TEST

START_TEST(too_long)
{
	(void)PARSE(HEAD QUESTION_6);
	ck_assert_uint_eq(answer(GUARD_NOERROR, 16, false), 12 + 21 + 16 * 28);
	ck_assert_uint_eq(out[2] & 2, 0);
	/* by UDP it does not fit, and by TCP it does */
	ck_assert_uint_eq(answer(GUARD_NOERROR, 32, false), 12 + 21);
	ck_assert_uint_eq(out[2] & 2, 2);
	ck_assert_uint_eq(out[7], 0);
	ck_assert_uint_eq(answer(GUARD_NOERROR, 32, true), 12 + 21 + 32 * 28);
	ck_assert_uint_eq(out[2] & 2, 0);
	ck_assert_uint_eq(out[7], 32);
	/* what its sender takes: more than we send, and less than is allowed */
	(void)PARSE(HEAD_OPT QUESTION_6 OPT("\xff\xff"));
	ck_assert_uint_eq(
	    answer(GUARD_NOERROR, 32, false), 12 + 21 + 32 * 28 + 11);
	(void)PARSE(HEAD_OPT QUESTION_6 OPT("\0\1"));
	ck_assert_uint_eq(
	    answer(GUARD_NOERROR, 16, false), 12 + 21 + 16 * 28 + 11);
	(void)PARSE(HEAD_OPT QUESTION_6 OPT("\x02\x01"));
	ck_assert_uint_eq(answer(GUARD_NOERROR, 17, false), 12 + 21 + 11);
	ck_assert_uint_eq(out[2] & 2, 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("guard_message");
	TCase *t = tcase_create("all");

	tcase_add_test(t, question);
	tcase_add_test(t, every_cut);
	tcase_add_test(t, silence);
	tcase_add_test(t, broken);
	tcase_add_test(t, not_done);
	tcase_add_test(t, names);
	tcase_add_test(t, long_names);
	tcase_add_test(t, answers);
	tcase_add_test(t, too_long);
	suite_add_tcase(suite, t);
	return run_suite(suite);
}
