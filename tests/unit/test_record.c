/*
 * Audit records: exact bytes, one table of members per kind written out a
 * second time, and strings that try to leave their place.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/record.h"

#define ROWS(table) (int)(sizeof(table) / sizeof(table)[0])

static struct buf out;
static struct sha256 *digest;
static struct json_doc doc;
static unsigned char hash[SHA256_BYTES];
static const unsigned char zeros[SHA256_BYTES];
static unsigned char some_commit[SHA256_BYTES];
static const struct record_head plain_head = {
    .seq = 1, .time_ms = 1767323045678, .prev = zeros};

/* Of RFC 8032, 7.1, test 1. */
static struct signer signer = {
    .seed = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
	0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69,
	0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60}};

static void
setup(void)
{
	signer_complete(&signer);
	buf_init(&out, 4 * RECORD_LINE_MAX);
	digest = sha256_new();
	json_init(&doc);
	memset(some_commit, 0xab, sizeof some_commit);
}

static void
teardown(void)
{
	json_done(&doc);
	sha256_free(digest);
	buf_free(&out);
}

/* A record with a value in every member. */
static struct record
full_record(enum record_kind kind)
{
	return (struct record){.kind = kind,
	    .intent = 0x2a,
	    .request = 7,
	    .session = 3,
	    .zone = SPAN("planner"),
	    .capability = SPAN("file.read"),
	    .number = 0,
	    .effects = 9,
	    .destination = SPAN("ann@example.org"),
	    .verdict = VERDICT_DENY,
	    .status = OUTCOME_UNKNOWN,
	    .rule = SPAN("default"),
	    .why = SPAN("no rule allows it"),
	    .error = ERR_DENIED,
	    .message = 17,
	    .grant = 5,
	    .bytes = 1200,
	    .detail = SPAN("more"),
	    .signer = &signer};
}

static struct span
the_line(void)
{
	ck_assert_uint_gt(out.len, 1);
	ck_assert_int_eq(out.data[out.len - 1], '\n');
	return (struct span){out.data, out.len - 1};
}

static struct span
make(const struct record *record)
{
	buf_clear(&out);
	ck_assert_int_eq(
	    record_add(&out, digest, &plain_head, record, hash), 0);
	ck_assert_int_eq(record_check(the_line()), 0);
	return the_line();
}

static const struct json_node *
parsed(struct span line)
{
	ck_assert_int_eq(json_parse(&doc, line, NULL, NULL), 0);
	return json_root(&doc);
}

START_TEST(exact_bytes)
{
	static const char tail[] =
	    "\"prev\":\"0000000000000000000000000000000000000000000000000000"
	    "000000000000\",\"seq\":\"0000000000000001\",\"time\":\""
	    "2026-01-02T03:04:05.678Z\",\"kind\":\"decision\",\"request\":7,"
	    "\"session\":3,\"zone\":\"planner\",\"capability\":\"file.read\","
	    "\"number\":0,\"effects\":9,\"destination\":\"ann@example.org\","
	    "\"verdict\":\"deny\",\"rule\":\"default\",\"why\":"
	    "\"no rule allows it\",\"error\":1301,\"handle\":\"msg:17\","
	    "\"bytes\":1200,\"commit\":null,\"inputs\":null,"
	    "\"detail\":\"more\"}";
	struct record record = full_record(RECORD_DECISION);
	struct span line = make(&record);
	unsigned char expected[SHA256_BYTES];
	char digits[2 * SHA256_BYTES + 1];

	ck_assert_uint_eq(line.n, 75 + sizeof tail - 1);
	ck_assert_mem_eq(line.p + 75, tail, sizeof tail - 1);
	sha256_of(tail, sizeof tail - 1, expected);
	ck_assert_mem_eq(hash, expected, sizeof hash);
	hex_encode(expected, sizeof expected, digits);
	ck_assert_mem_eq(line.p, "{\"hash\":\"", 9);
	ck_assert_mem_eq(line.p + 9, digits, 64);
	ck_assert_mem_eq(line.p + 73, "\",", 2);
}
END_TEST

START_TEST(fixed_places)
{
	struct record record = full_record(RECORD_OUTCOME);
	struct record_head head = plain_head;
	unsigned char prev[SHA256_BYTES];
	struct span line;

	memset(prev, 0x5a, sizeof prev);
	head.seq = UINT64_C(0xfedcba9876543210);
	head.prev = prev;
	head.time_ms = 0;
	ck_assert_int_eq(record_add(&out, digest, &head, &record, hash), 0);
	line = the_line();
	ck_assert_mem_eq(line.p + RECORD_PREV_AT, "5a5a", 4);
	ck_assert_mem_eq(line.p + RECORD_SEQ_AT, "fedcba9876543210", 16);
	ck_assert(span_is(record_time(line), "1970-01-01T00:00:00.000Z"));
	ck_assert_mem_eq(line.p + RECORD_KIND_AT, "outcome\"", 8);
	ck_assert_uint_eq(record_seq(line), head.seq);
	ck_assert_uint_eq(record_intent(line), 0x2a);
	ck_assert(record_is(line, RECORD_OUTCOME));
	ck_assert(!record_is(line, RECORD_INTENT));
}
END_TEST

START_TEST(last_time_and_none_after)
{
	struct record record = full_record(RECORD_STOP);
	struct record_head head = plain_head;

	head.time_ms = UINT64_C(253402300799999);
	ck_assert_int_eq(record_add(&out, digest, &head, &record, hash), 0);
	ck_assert(span_is(record_time(the_line()), "9999-12-31T23:59:59.999Z"));
	head.time_ms++;
	buf_clear(&out);
	ck_assert_int_eq(
	    record_add(&out, digest, &head, &record, hash), -ERR_RANGE);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

#define TICKET_MEMBERS                                                                            \
	"request session zone capability number effects destination rule why error handle grant " \
	"bytes commit detail"

/* The members behind kind. */
static const struct {
	const char *kind, *members;
} shapes[] = {
    {"start", "detail"},
    {"attest", "detail"},
    {"stop", "why detail"},
    {"config", "why bytes commit detail"},
    {"hello", "session zone error detail"},
    {"machine", "zone why error detail"},
    {"deliver", "zone error handle bytes commit detail"},
    {"clean", "request session zone error handle bytes commit detail"},
    {"quarantine", "zone why error handle detail"},
    {"claim", "session zone handle detail"},
    {"decision",
	"request session zone capability number effects destination verdict "
	"rule why error handle bytes commit inputs detail"},
    {"intent", "request session zone capability number effects destination "
	       "rule why handle grant bytes commit inputs detail"},
    {"outcome", "intent request session zone capability number status error "
		"handle bytes commit detail"},
    {"session", "session zone why handle detail"},
    {"operator", "session capability number why error handle grant detail"},
    {"task", "session bytes commit detail"},
    {"damage", "why error bytes commit detail"},
    {"detect", "request session zone handle detail"},
    {"reload", "why error bytes detail"},
    {"ticket", TICKET_MEMBERS},
    {"approval", TICKET_MEMBERS},
    {"denial", TICKET_MEMBERS},
    {"expiry", TICKET_MEMBERS},
    {"spent", TICKET_MEMBERS},
    {"settlement",
	"intent session zone capability number status why handle detail"},
    {"anchor", "why error detail"},
    {"removal", "why bytes detail"},
    {"blocked", "session zone destination why error detail"},
    {"halt", "session zone capability number rule why handle detail"},
    {"lineage", "key why sig"},
    {"checkpoint", "key next detail sig"},
};

/* Keys behind the front, a blank between them. */
static void
list_members(struct span line, struct buf *list)
{
	const struct json_node *root = parsed(line), *key;
	int number = 0;

	buf_clear(list);
	for (key = json_first(&doc, root); key != NULL;
	     key = json_next(&doc, root, key)) {
		if (number++ < 5)
			continue;
		if (list->len != 0)
			buf_add_byte(list, ' ');
		buf_add(list, key->value.string.p, key->value.string.n);
	}
}

START_TEST(members_of_each_kind)
{
	struct record record = full_record((enum record_kind)_i);
	struct buf list;

	ck_assert_int_eq(ROWS(shapes), RECORD_KIND_COUNT);
	ck_assert_str_eq(
	    record_kind_name((enum record_kind)_i), shapes[_i].kind);
	ck_assert_int_eq(record_kind_find(span_of(shapes[_i].kind)), _i);
	ck_assert_int_eq(record_commits((enum record_kind)_i),
	    strstr(shapes[_i].members, "commit") != NULL);
	buf_init(&list, 1024);
	list_members(make(&record), &list);
	ck_assert(
	    span_is((struct span){list.data, list.len}, shapes[_i].members));
	buf_free(&list);
}
END_TEST

START_TEST(nothing_is_null)
{
	struct record record = {.kind = RECORD_INTENT, .number = NO_CAPABILITY};
	const struct json_node *root = parsed(make(&record));
	static const char *const keys[] = {"request", "session", "number",
	    "handle", "grant", "commit", "inputs"};

	for (int i = 0; i < ROWS(keys); i++)
		ck_assert_int_eq(
		    json_get(&doc, root, keys[i])->type, JSON_NULL);
	ck_assert_int_eq(json_get(&doc, root, "bytes")->value.integer, 0);
	ck_assert(json_is_string(json_get(&doc, root, "why"), ""));
}
END_TEST

START_TEST(round_trip)
{
	struct record record = full_record((enum record_kind)_i), back;
	struct record_head head = plain_head;
	struct span line, copy;
	char text[RECORD_LINE_MAX];

	if (record_commits(record.kind))
		head.commit = some_commit;
	ck_assert_int_eq(record_add(&out, digest, &head, &record, hash), 0);
	line = the_line();
	memcpy(text, line.p, line.n);
	copy = (struct span){text, line.n};
	ck_assert_int_eq(record_parse(&doc, copy, &back), 0);
	back.signer = &signer;
	buf_clear(&out);
	ck_assert_int_eq(record_add(&out, digest, &head, &back, hash), 0);
	ck_assert(span_equal(the_line(), copy));
}
END_TEST

START_TEST(signature_of_the_standard)
{
	unsigned char signature[SIGN_BYTES];
	char digits[SIGN_DIGITS + 1];

	signer_sign(&signer, (struct span){"", 0}, signature);
	hex_encode(signature, sizeof signature, digits);
	ck_assert_str_eq(digits,
	    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555f"
	    "b8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
	hex_encode(signer.key, SIGN_KEY_BYTES, digits);
	ck_assert_str_eq(digits,
	    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
}
END_TEST

/* What is signed is the line from the quote before prev up to the signature,
 * whatever the texts in it are. */
START_TEST(signed_lines)
{
	struct record record = {.kind = RECORD_CHECKPOINT,
	    .key = signer.key,
	    .next = some_commit,
	    .detail = SPAN("x\",\"sig\":\"00\"}"),
	    .signer = &signer};
	struct seal_line seal;
	struct seal_keys keys = {.begun = false};
	struct span line = make(&record);

	ck_assert(seal_line_is(line));
	ck_assert_int_eq(seal_line_parse(line, &seal), 0);
	ck_assert_mem_eq(seal.key, signer.key, SIGN_KEY_BYTES);
	ck_assert_mem_eq(seal.next, some_commit, SIGN_KEY_BYTES);
	ck_assert_ptr_eq(seal.text.p, line.p + RECORD_HASHED_AT);
	ck_assert_int_eq(line.p[line.n - 1], '}');
	ck_assert_uint_eq(
	    seal.text.n, line.n - RECORD_HASHED_AT - SIGN_DIGITS - 10);
	ck_assert(sign_is_good(signer.key, seal.text, seal.signature));
	ck_assert_int_eq(seal_keys_follow(&keys, &seal), -ERR_WRONG_STATE);
	record = (struct record){.kind = RECORD_LINEAGE,
	    .key = signer.key,
	    .why = SPAN("first"),
	    .signer = &signer};
	ck_assert_int_eq(seal_line_parse(make(&record), &seal), 0);
	ck_assert(seal.lineage && seal.first);
	ck_assert_int_eq(seal_keys_follow(&keys, &seal), 0);
	ck_assert_mem_eq(keys.root, signer.key, SIGN_KEY_BYTES);
	ck_assert_int_eq(seal_keys_follow(&keys, &seal), -ERR_WRONG_STATE);
	seal.signature[5] ^= 1;
	ck_assert_int_eq(seal_keys_follow(&keys, &seal), -ERR_CORRUPT);
}
END_TEST

/* Texts that try to become something else than a text. */
static const struct {
	const char *text;
	size_t bytes;
	const char *written;
} hostile[] = {
#define BYTES(literal) literal, sizeof(literal) - 1
    {BYTES("a\"b"), "\"a\\\"b\""},
    {BYTES("a\\"), "\"a\\\\\""},
    {BYTES("\",\"verdict\":\"allow"), "\"\\\",\\\"verdict\\\":\\\"allow\""},
    {BYTES("x\"}\n{\"hash\":\""), "\"x\\\"}\\u000a{\\\"hash\\\":\\\"\""},
    {BYTES("\r\n"), "\"\\u000d\\u000a\""},
    {BYTES("a\0b"), "\"a\\ufffdb\""},
    {BYTES("\033[2J\a\b\177"), "\"\\u001b[2J\\u0007\\u0008\\u007f\""},
    {BYTES("\xc2\x9b"), "\"\\u009b\""},
    {BYTES("\xe2\x80\xae evil"), "\"\\u202e evil\""},
    {BYTES("\xe2\x80\xa8\xe2\x81\xa6"), "\"\\u2028\\u2066\""},
    {BYTES("\xc3\xa4"), "\"\\u00e4\""},
    {BYTES("\xf3\xa0\x81\x81"), "\"\\udb40\\udc41\""},
    {BYTES("\xf4\x8f\xbf\xbf"), "\"\\udbff\\udfff\""},
    {BYTES("\xff"), "\"\\ufffd\""},
    {BYTES("\xc0\xaf"), "\"\\ufffd\\ufffd\""},
    {BYTES("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\""},
    {BYTES("\xe2\x80"), "\"\\ufffd\\ufffd\""},
    {BYTES("\\u0022"), "\"\\\\u0022\""},
    {BYTES("~ }"), "\"~ }\""},
};

START_TEST(hostile_texts)
{
	struct record record = {.kind = RECORD_STOP,
	    .detail = {hostile[_i].text, hostile[_i].bytes}};
	struct span line = make(&record);
	const struct json_node *detail = json_get(&doc, parsed(line), "detail");

	ck_assert(span_is(json_raw(&doc, detail), hostile[_i].written));
	ck_assert_ptr_null(memchr(line.p, '\n', line.n));
}
END_TEST

/* In every text member at once: the same members as with harmless texts. */
static void
check_everywhere(struct span text)
{
	struct record record = full_record(RECORD_DECISION);
	struct buf list;

	record.zone = text;
	record.capability = text;
	record.rule = text;
	record.why = text;
	record.detail = text;
	buf_init(&list, 1024);
	list_members(make(&record), &list);
	ck_assert(span_is((struct span){list.data, list.len},
	    shapes[RECORD_DECISION].members));
	buf_free(&list);
}

START_TEST(every_two_bytes)
{
	char text[2] = {(char)_i, 0};

	for (int second = 0; second < 256; second++) {
		text[1] = (char)second;
		check_everywhere((struct span){text, 2});
	}
}
END_TEST

START_TEST(random_bytes)
{
	char text[60];

	srandom(20260102);
	for (int round = 0; round < 3000; round++) {
		size_t length = (size_t)random() % sizeof text;

		for (size_t i = 0; i < length; i++)
			text[i] = (char)random();
		check_everywhere((struct span){text, length});
	}
}
END_TEST

/* ä is two bytes: 64 fit 32 of them, 65 bytes are cut before the 33rd. */
static const struct {
	size_t letters, umlauts;
	uint64_t told;
	size_t kept;
	const char *true_bytes;
} cuts[] = {
    {0, 32, 0, 64, NULL},
    {1, 32, 0, 63, "65"},
    {0, 33, 0, 64, "66"},
    {64, 0, 0, 64, NULL},
    {65, 0, 0, 64, "65"},
    {64, 0, 64, 64, NULL},
    {64, 0, 5000, 64, "5000"},
    {3, 0, 5000, 3, "5000"},
    {100, 0, 5, 64, "100"},
};

START_TEST(long_names_are_cut)
{
	struct record record = full_record(RECORD_DECISION), back;
	const struct json_node *root, *bytes;
	char text[256];
	size_t length = cuts[_i].letters;

	memset(text, 'x', length);
	for (size_t i = 0; i < cuts[_i].umlauts; i++, length += 2)
		memcpy(text + length, "\xc3\xa4", 2);
	record.capability = (struct span){text, length};
	record.capability_bytes = cuts[_i].told;
	root = parsed(make(&record));
	ck_assert_uint_eq(
	    json_get(&doc, root, "capability")->value.string.n, cuts[_i].kept);
	bytes = json_get(&doc, root, "capability_bytes");
	if (cuts[_i].true_bytes == NULL)
		ck_assert_ptr_null(bytes);
	else
		ck_assert(span_is(json_raw(&doc, bytes), cuts[_i].true_bytes));
	ck_assert_int_eq(record_parse(&doc, the_line(), &back), 0);
	ck_assert(cuts[_i].true_bytes == NULL || back.capability_bytes > 4);
}
END_TEST

/* It takes a byte for each of its own, whatever it is. */
START_TEST(destination_is_plain)
{
	static const char written[] =
	    "\"destination\":\"a b%22c%5C%0A%C3%A9%7F*%41\",\"why\"";
	struct record record = full_record(RECORD_BLOCKED), back;
	struct span line;
	char text[4 * ENTRY_DESTINATION_MAX];

	record.destination = SPAN("a b\"c\\\n\xc3\xa9\x7f*%41");
	line = make(&record);
	ck_assert_ptr_nonnull(
	    memmem(line.p, line.n, written, sizeof written - 1));
	ck_assert_int_eq(record_parse(&doc, line, &back), 0);
	ck_assert_uint_eq(back.effects, 0);
	ck_assert_uint_eq(back.destination_bytes, 0);
	memset(text, 'x', sizeof text);
	record.destination = (struct span){text, ENTRY_DESTINATION_MAX};
	ck_assert_int_eq(record_parse(&doc, make(&record), &back), 0);
	ck_assert_uint_eq(back.destination.n, ENTRY_DESTINATION_MAX);
	ck_assert_uint_eq(back.destination_bytes, 0);
	record.destination_bytes = 300;
	ck_assert_int_eq(record_parse(&doc, make(&record), &back), 0);
	ck_assert_uint_eq(back.destination_bytes, 300);
	text[ENTRY_DESTINATION_MAX - 2] = '\x01';
	record.destination = (struct span){text, sizeof text};
	ck_assert_int_eq(record_parse(&doc, make(&record), &back), 0);
	ck_assert_uint_eq(back.destination.n, ENTRY_DESTINATION_MAX - 2);
	ck_assert_uint_eq(back.destination_bytes, sizeof text);
}
END_TEST

/* Lines of a version that had no such members. */
START_TEST(older_lines)
{
	static const char line[] =
	    "{\"hash\":\"\",\"kind\":\"blocked\",\"session\":3,\"zone\":\"\","
	    "\"why\":\"\",\"error\":null,\"detail\":\"\"}";
	struct record back;

	ck_assert_int_eq(
	    record_parse(&doc, (struct span){line, sizeof line - 1}, &back), 0);
	ck_assert_uint_eq(back.session, 3);
	ck_assert_uint_eq(back.destination.n, 0);
}
END_TEST

START_TEST(longest_line_fits)
{
	struct record record = full_record((enum record_kind)_i);
	struct record_head head = plain_head;
	static char text[100000];
	struct span all = {text, sizeof text};

	memset(text, 1, sizeof text);
	record.zone = record.capability = record.rule = all;
	record.why = record.detail = record.destination = all;
	record.destination_bytes = RECORD_NUMBER_MAX;
	record.effects = UINT32_MAX;
	record.capability_bytes = RECORD_NUMBER_MAX;
	record.request = record.session = RECORD_NUMBER_MAX;
	record.message = record.grant = RECORD_NUMBER_MAX;
	record.bytes = RECORD_NUMBER_MAX;
	record.number = record.error = UINT32_MAX - 1;
	record.inputs = some_commit;
	if (record_commits(record.kind))
		head.commit = some_commit;
	ck_assert_int_eq(record_add(&out, digest, &head, &record, hash), 0);
	ck_assert_uint_le(out.len, RECORD_LINE_MAX);
	ck_assert_int_eq(record_check(the_line()), 0);
}
END_TEST

static void
check_refused(const struct record_head *head, const struct record *record)
{
	buf_clear(&out);
	buf_add_text(&out, "before");
	ck_assert_int_eq(
	    record_add(&out, digest, head, record, hash), -ERR_RANGE);
	ck_assert(span_is((struct span){out.data, out.len}, "before"));
}

START_TEST(numbers_out_of_range)
{
	static const size_t members[] = {offsetof(struct record, request),
	    offsetof(struct record, session), offsetof(struct record, message),
	    offsetof(struct record, bytes),
	    offsetof(struct record, capability_bytes)};
	static const uint64_t values[] = {
	    RECORD_NUMBER_MAX + 1, INT64_MAX, UINT64_MAX - 1};
	struct record record;

	for (int m = 0; m < ROWS(members); m++)
		for (int v = 0; v < ROWS(values); v++) {
			record = full_record(RECORD_DECISION);
			memcpy((char *)&record + members[m], &values[v],
			    sizeof values[v]);
			check_refused(&plain_head, &record);
		}
}
END_TEST

START_TEST(enums_out_of_range)
{
	struct record record = full_record(RECORD_DECISION);
	struct record_head head = plain_head;

	record.verdict = VERDICT_COUNT;
	check_refused(&plain_head, &record);
	record.verdict = (enum verdict)0xffffffffu;
	check_refused(&plain_head, &record);
	record = full_record(RECORD_OUTCOME);
	record.status = OUTCOME_COUNT;
	check_refused(&plain_head, &record);
	record = full_record(RECORD_KIND_COUNT);
	check_refused(&plain_head, &record);
	record = full_record((enum record_kind)0x80000000u);
	check_refused(&plain_head, &record);
	record = full_record(RECORD_HELLO);
	head.commit = some_commit;
	check_refused(&head, &record);
	ck_assert_ptr_null(record_kind_name(RECORD_KIND_COUNT));
	ck_assert_int_eq(record_kind_find(SPAN("startx")), RECORD_KIND_COUNT);
}
END_TEST

START_TEST(no_room_leaves_nothing)
{
	struct record record = full_record(RECORD_DECISION);
	struct span line = make(&record);
	size_t whole = line.n + 1;
	struct buf small;

	for (size_t room = 0; room < whole; room++) {
		buf_init(&small, room);
		ck_assert_int_eq(
		    record_add(&small, digest, &plain_head, &record, hash),
		    -ERR_TOO_LARGE);
		ck_assert_uint_eq(small.len, 0);
		buf_free(&small);
	}
}
END_TEST

START_TEST(check_every_byte_of_the_front)
{
	struct record record = full_record(RECORD_START);
	struct span line = make(&record);
	char text[RECORD_LINE_MAX];

	for (size_t i = 0; i < RECORD_KIND_AT; i++) {
		memcpy(text, line.p, line.n);
		text[i] = 'G';
		ck_assert_int_eq(
		    record_check((struct span){text, line.n}), -ERR_SYNTAX);
	}
	for (size_t length = 0; length < line.n; length++)
		ck_assert_int_eq(
		    record_check((struct span){line.p, length}), -ERR_SYNTAX);
}
END_TEST

/* What is put in place of everything behind the front. */
static const struct {
	const char *rest;
	int expected;
} rests[] = {
    {"start\"}", 0},
    {"start\",\"x\":1}", 0},
    {"\"}", -ERR_SYNTAX},
    {"}", -ERR_SYNTAX},
    {"start", -ERR_SYNTAX},
    {"start}", -ERR_SYNTAX},
    {"start\"", -ERR_SYNTAX},
    {"Start\"}", -ERR_SYNTAX},
    {"sta rt\"}", -ERR_SYNTAX},
    {"abcdefghijklmnop\"}", 0},
    {"abcdefghijklmnopq\"}", -ERR_SYNTAX},
    {"start\",\"x\":\"\t\"}", -ERR_SYNTAX},
    {"start\",\"x\":\"\xc3\xa4\"}", -ERR_SYNTAX},
    {"start\",\"x\":\"\177\"}", -ERR_SYNTAX},
    {"start\"} ", -ERR_SYNTAX},
};

START_TEST(check_table)
{
	struct record record = full_record(RECORD_START);
	struct span line = make(&record);
	char text[RECORD_LINE_MAX];
	size_t n = strlen(rests[_i].rest);

	memcpy(text, line.p, RECORD_KIND_AT);
	memcpy(text + RECORD_KIND_AT, rests[_i].rest, n);
	ck_assert_int_eq(record_check((struct span){text, RECORD_KIND_AT + n}),
	    rests[_i].expected);
}
END_TEST

START_TEST(check_length)
{
	static char text[RECORD_LINE_MAX + 1];
	struct record record = full_record(RECORD_START);
	struct span line = make(&record);

	memset(text, ' ', sizeof text);
	memcpy(text, line.p, line.n - 1);
	text[RECORD_LINE_MAX - 2] = '}';
	ck_assert_int_eq(
	    record_check((struct span){text, RECORD_LINE_MAX - 1}), 0);
	text[RECORD_LINE_MAX - 1] = '}';
	ck_assert_int_eq(
	    record_check((struct span){text, RECORD_LINE_MAX}), -ERR_SYNTAX);
}
END_TEST

static const struct {
	const char *line;
	int expected;
} unparsable[] = {
    {"", -ERR_SYNTAX},
    {"{}", -ERR_MISSING_KEY},
    {"[]", -ERR_MISSING_KEY},
    {"{\"kind\":1}", -ERR_TYPE},
    {"{\"kind\":\"other\"}", -ERR_RANGE},
    {"{\"kind\":\"start\"}", -ERR_MISSING_KEY},
    {"{\"kind\":\"start\",\"detail\":null}", -ERR_TYPE},
    {"{\"kind\":\"start\",\"detail\":\"\",\"new\":1}", 0},
    {"{\"kind\":\"claim\",\"session\":-1,\"zone\":\"\",\"handle\":null,"
     "\"detail\":\"\"}",
	-ERR_RANGE},
    {"{\"kind\":\"claim\",\"session\":9007199254740992,\"zone\":\"\","
     "\"handle\":null,\"detail\":\"\"}",
	-ERR_RANGE},
    {"{\"kind\":\"claim\",\"session\":1.5,\"zone\":\"\",\"handle\":null,"
     "\"detail\":\"\"}",
	-ERR_TYPE},
    {"{\"kind\":\"claim\",\"session\":1,\"zone\":\"\",\"handle\":\"msg:0\","
     "\"detail\":\"\"}",
	-ERR_RANGE},
    {"{\"kind\":\"claim\",\"session\":1,\"zone\":\"\",\"handle\":\"msg:8\","
     "\"detail\":\"\"}",
	0},
};

START_TEST(parse_table)
{
	struct record record;

	ck_assert_int_eq(
	    record_parse(&doc, span_of(unparsable[_i].line), &record),
	    unparsable[_i].expected);
}
END_TEST

START_TEST(says_errors)
{
	struct record record = {.error = ERR_NO_SPACE};

	ck_assert_str_eq(record_error_text(&record), err_text(-ERR_NO_SPACE));
	record.error = UINT32_C(1) << 31;
	ck_assert_str_ne(record_error_text(&record), "");
	record.error = UINT32_MAX;
	ck_assert_str_eq(record_error_text(&record), "unknown error");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("record");
	TCase *lines = tcase_create("lines"), *texts = tcase_create("texts");
	TCase *refused = tcase_create("refused");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, lines);
	tcase_add_checked_fixture(lines, setup, teardown);
	tcase_add_test(lines, exact_bytes);
	tcase_add_test(lines, fixed_places);
	tcase_add_test(lines, last_time_and_none_after);
	tcase_add_loop_test(lines, members_of_each_kind, 0, ROWS(shapes));
	tcase_add_test(lines, nothing_is_null);
	tcase_add_test(lines, signature_of_the_standard);
	tcase_add_test(lines, signed_lines);
	tcase_add_loop_test(lines, round_trip, 0, RECORD_KIND_COUNT);
	suite_add_tcase(suite, texts);
	tcase_add_checked_fixture(texts, setup, teardown);
	tcase_set_timeout(texts, 60);
	tcase_add_loop_test(texts, hostile_texts, 0, ROWS(hostile));
	tcase_add_loop_test(texts, every_two_bytes, 0, 256);
	tcase_add_test(texts, random_bytes);
	tcase_add_loop_test(texts, long_names_are_cut, 0, ROWS(cuts));
	tcase_add_test(texts, destination_is_plain);
	tcase_add_test(texts, older_lines);
	tcase_add_loop_test(texts, longest_line_fits, 0, RECORD_KIND_COUNT);
	suite_add_tcase(suite, refused);
	tcase_add_checked_fixture(refused, setup, teardown);
	tcase_add_test(refused, numbers_out_of_range);
	tcase_add_test(refused, enums_out_of_range);
	tcase_add_test(refused, no_room_leaves_nothing);
	tcase_add_test(refused, check_every_byte_of_the_front);
	tcase_add_loop_test(refused, check_table, 0, ROWS(rests));
	tcase_add_test(refused, check_length);
	tcase_add_test(refused, says_errors);
	tcase_add_loop_test(refused, parse_table, 0, ROWS(unparsable));
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
