/*
 * Messages: the envelope, the method table, the shapes, handles; and that both
 * ends agree on every message we can write.
 */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/limits.h"
#include "proto/frame.h"
#include "proto/message.h"
#include "tests/unit/run_suite.h"

#define HEAD "{\"jsonrpc\":\"2.0\","
#define CALL(id, method, params)                                               \
	HEAD "\"id\":" id ",\"method\":\"" method "\",\"params\":" params "}"
#define NOTE(method, params)                                                   \
	HEAD "\"method\":\"" method "\",\"params\":" params "}"

static const struct {
	enum side from, to;
	int error;
	const char *text;
} cases[] = {
    /* good ones */
    {SIDE_PLANNER, SIDE_EXECUTOR, 0,
	CALL("1", "call", "{\"name\":\"a\",\"arguments\":{}}")},
    {SIDE_PLANNER, SIDE_EXECUTOR, 0,
	CALL("9007199254740992", "inbox.next", "{\"wait_ms\":0}")},
    {SIDE_PLANNER, SIDE_EXECUTOR, 0,
	HEAD "\"id\":1,\"method\":\"inbox.list\"}"},
    {SIDE_EXECUTOR, SIDE_PLANNER, 0, HEAD "\"id\":1,\"result\":{}}"},
    {SIDE_EXECUTOR, SIDE_PLANNER, 0,
	HEAD "\"id\":null,\"error\":{\"code\":1005,\"message\":\"m\"}}"},
    {SIDE_READER, SIDE_EXECUTOR, 0,
	NOTE("record", "{\"stream\":1,\"record\":{}}")},
    /* syntax */
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_SYNTAX, ""},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_SYNTAX, "{"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_TYPE, "[]"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_TRAILING,
	CALL("1", "inbox.list", "{}") " x"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_DUPLICATE_KEY,
	HEAD "\"id\":1,\"id\":1,\"method\":\"inbox.list\"}"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_DUPLICATE_KEY,
	HEAD "\"id\":1,\"\\u0069d\":1,\"method\":\"inbox.list\"}"},
    /* envelope */
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_UNKNOWN_KEY,
	HEAD "\"id\":1,\"method\":\"inbox.list\",\"more\":1}"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_MISSING_KEY,
	"{\"id\":1,\"method\":\"inbox.list\"}"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_VERSION,
	"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"inbox.list\"}"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_TYPE,
	HEAD "\"id\":\"1\",\"method\":\"inbox.list\"}"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_RANGE,
	HEAD "\"id\":0,\"method\":\"inbox.list\"}"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_RANGE,
	HEAD "\"id\":9007199254740993,\"method\":\"inbox.list\"}"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_TYPE,
	HEAD "\"id\":null,\"method\":\"inbox.list\"}"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_TYPE, HEAD "\"id\":1}"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_TYPE,
	HEAD "\"id\":1,\"result\":{},\"error\":{\"code\":1,"
	     "\"message\":\"\"}}"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_TYPE,
	HEAD "\"id\":1,\"method\":\"inbox.list\",\"result\":{}}"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_ID, HEAD "\"result\":{}}"},
    /* method, sender, size */
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_NO_METHOD, CALL("1", "run", "{}")},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_SENDER, CALL("1", "status", "{}")},
    {SIDE_READER, SIDE_EXECUTOR, ERR_SENDER,
	CALL("1", "call", "{\"name\":\"a\",\"arguments\":{}}")},
    {SIDE_OPERATOR, SIDE_EXECUTOR, ERR_SENDER,
	CALL("1", "call", "{\"name\":\"a\",\"arguments\":{}}")},
    {SIDE_EXECUTOR, SIDE_PLANNER, ERR_SENDER,
	CALL("1", "clean", "{\"stream\":1,\"channel\":\"m\",\"bytes\":1}")},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_ID, HEAD "\"method\":\"inbox.list\"}"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_ID, CALL("1", "cancel", "{\"id\":1}")},
    /* shape */
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_MISSING_KEY,
	HEAD "\"id\":1,\"method\":\"call\"}"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_TYPE,
	HEAD "\"id\":1,\"method\":\"call\",\"params\":[]}"},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_MISSING_KEY,
	CALL("1", "call", "{\"name\":\"a\"}")},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_TYPE,
	CALL("1", "call", "{\"name\":\"a\",\"arguments\":[]}")},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_RANGE,
	CALL("1", "call", "{\"name\":\"\",\"arguments\":{}}")},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_UNKNOWN_KEY,
	CALL("1", "call", "{\"name\":\"a\",\"arguments\":{},\"x\":1}")},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_UNKNOWN_KEY,
	CALL("1", "inbox.list", "{\"x\":1}")},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_RANGE,
	CALL("1", "inbox.next", "{\"wait_ms\":60001}")},
    {SIDE_PLANNER, SIDE_EXECUTOR, ERR_TYPE,
	CALL("1", "inbox.next", "{\"wait_ms\":1.0}")},
    {SIDE_DELIVER, SIDE_EXECUTOR, ERR_RANGE,
	NOTE("end", "{\"stream\":1,\"sha256\":\"00\"}")},
};

START_TEST(each_case_gives_its_error)
{
	struct json_error where;
	struct json_doc doc;
	struct message message;
	char text[400];
	int rc;

	json_init(&doc);
	rc = message_parse(span_of(cases[_i].text), cases[_i].from,
	    cases[_i].to, &doc, &message, &where);
	json_error_text(&where, text, sizeof text);
	ck_assert_msg(rc == -cases[_i].error, "%s gave %d (%s), not %d",
	    cases[_i].text, rc, text, -cases[_i].error);
	json_done(&doc);
}
END_TEST

START_TEST(a_method_has_its_size)
{
	static char text[70000];
	struct json_doc doc;
	struct message message;

	snprintf(text, sizeof text, CALL("1", "inbox.list", "{}") "%300s", "");
	json_init(&doc);
	ck_assert_int_eq(message_parse(span_of(text), SIDE_PLANNER,
			     SIDE_EXECUTOR, &doc, &message, NULL),
	    -ERR_METHOD_SIZE);
	json_done(&doc);
}
END_TEST

START_TEST(the_table_is_whole)
{
	for (int i = 0; i < METHOD_COUNT; i++) {
		const struct method_row *row = method_row((enum method)i);

		ck_assert_ptr_nonnull(row->name);
		ck_assert_uint_ne(row->senders, 0);
		ck_assert_uint_ne(row->receivers, 0);
		ck_assert_uint_gt(row->bytes_max, 0);
		ck_assert_uint_le(row->bytes_max, FRAME_MAX_BYTES);
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(
			    row->name, method_row((enum method)k)->name);
	}
}
END_TEST

static void
parse_written(struct buf *out, enum side from, enum side to,
    struct json_doc *doc, struct message *message)
{
	struct span frame = {
	    out->data + FRAME_HEAD_BYTES, out->len - FRAME_HEAD_BYTES};

	ck_assert_int_eq(message_parse(frame, from, to, doc, message, NULL), 0);
}

START_TEST(what_is_written_is_read)
{
	unsigned char hash[32] = {1, 2, 255};
	struct json_doc doc;
	struct message m;
	struct buf out;

	json_init(&doc);
	buf_init(&out, 10000);
	ck_assert_int_eq(message_hello(&out, "mail", "p 1", SPAN("{}")), 0);
	parse_written(&out, SIDE_READER, SIDE_EXECUTOR, &doc, &m);
	ck_assert_int_eq(m.method, METHOD_HELLO);
	ck_assert(span_is(m.params.hello.zone, "mail"));
	buf_clear(&out);
	ck_assert_int_eq(message_chunk(&out, 7, "abc", 3), 0);
	parse_written(&out, SIDE_EXECUTOR, SIDE_READER, &doc, &m);
	ck_assert_int_eq(m.params.chunk.stream, 7);
	ck_assert(span_is(m.params.chunk.data, "YWJj"));
	buf_clear(&out);
	ck_assert_int_eq(message_end_stream(&out, 7, hash), 0);
	parse_written(&out, SIDE_EXECUTOR, SIDE_READER, &doc, &m);
	ck_assert(span_starts(m.params.end.sha256, "0102ff00"));
	buf_clear(&out);
	ck_assert_int_eq(message_credit(&out, 7, 9), 0);
	parse_written(&out, SIDE_READER, SIDE_EXECUTOR, &doc, &m);
	ck_assert_int_eq(m.params.credit.bytes, 9);
	buf_clear(&out);
	ck_assert_int_eq(message_cancel(&out, 5), 0);
	parse_written(&out, SIDE_EXECUTOR, SIDE_READER, &doc, &m);
	ck_assert_int_eq(m.params.cancel.id, 5);
	buf_clear(&out);
	ck_assert_int_eq(
	    message_error(&out, 0, -ERR_DENIED, SPAN("no"), SPAN("{\"a\":1}")),
	    0);
	parse_written(&out, SIDE_EXECUTOR, SIDE_PLANNER, &doc, &m);
	ck_assert_int_eq(m.code, ERR_DENIED);
	ck_assert_ptr_nonnull(m.data);
	buf_free(&out);
	json_done(&doc);
}
END_TEST

START_TEST(handles_have_one_spelling)
{
	static const char *const bad[] = {"", "msg:", "msg:0", "msg:01",
	    "msg:-1", "msg:+1", "msg: 1", "msg:1 ", "MSG:1", "msg:1x",
	    "msg:99999999999999999", "msg:9223372036854775808", "17"};
	char text[32];
	int64_t id = 77;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_int_eq(
		    handle_parse(span_of(bad[i]), &id), -ERR_RANGE);
	ck_assert_int_eq(id, 77);
	handle_format(ID_MAX, text);
	ck_assert_int_eq(handle_parse(span_of(text), &id), 0);
	ck_assert_int_eq(id, ID_MAX);
	ck_assert_int_eq(handle_parse(SPAN("msg:1"), &id), 0);
	ck_assert_int_eq(id, 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("message");
	TCase *tests = tcase_create("message");

	tcase_add_loop_test(tests, each_case_gives_its_error, 0,
	    sizeof cases / sizeof cases[0]);
	tcase_add_test(tests, a_method_has_its_size);
	tcase_add_test(tests, the_table_is_whole);
	tcase_add_test(tests, what_is_written_is_read);
	tcase_add_test(tests, handles_have_one_spelling);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
