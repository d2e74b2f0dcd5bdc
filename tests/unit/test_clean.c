/*
 * The clean object: what is written passes the check, limits are kept and
 * named, and whatever a lying reader could change is refused.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"
#include "common/limits.h"
#include "proto/clean.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct clean c;
static struct buf out;
static struct json_doc doc;
static struct clean_view view;

static void
setup(void)
{
	clean_init(&c, "mail");
	buf_init(&out, CLEAN_MAX_BYTES);
	json_init(&doc);
}

static void
teardown(void)
{
	clean_done(&c);
	buf_free(&out);
	json_done(&doc);
}

static int
check_text(struct span text)
{
	int rc = json_parse(&doc, text, NULL, NULL);

	return rc == 0 ? clean_check(&doc, json_root(&doc), &view, NULL) : rc;
}

/* Write the object and check it as the executor does. */
static void
write_and_check(void)
{
	ck_assert_int_eq(clean_write(&c, &out), 0);
	ck_assert_uint_le(out.len, CLEAN_MAX_BYTES);
	ck_assert_int_eq(check_text((struct span){out.data, out.len}), 0);
}

/* kept and of in `truncated`; -1 if it is not named there. */
static void
find_cut(const char *what, int64_t *kept, int64_t *of)
{
	const struct json_node *e;

	*kept = *of = -1;
	for (e = json_first(&doc, view.truncated); e != NULL;
	     e = json_next(&doc, view.truncated, e))
		if (json_is_string(json_get(&doc, e, "what"), what)) {
			*kept = json_get(&doc, e, "kept")->value.integer;
			*of = json_get(&doc, e, "of")->value.integer;
		}
}

START_TEST(full_object)
{
	clean_set_from(&c, SPAN("Zoë \"Z\""), SPAN("zoe@a.example"));
	clean_add_address(&c, CLEAN_TO, SPAN(""), SPAN("b@c.example"));
	clean_set_subject(&c, SPAN("Hi"));
	clean_set_message_id(&c, SPAN("1@a"));
	clean_set_date(&c, 1769846400);
	clean_set_body(&c, SPAN("one\ntwo"), 0);
	clean_add_link(&c, SPAN("there"), SPAN("https://a.example/"));
	clean_add_attachment(
	    &c, SPAN("a.txt"), SPAN("text/plain"), "text/plain", 7, HASH);
	clean_add_hidden(&c, "display-none", 1, 20);
	clean_find(&c, FINDING_BAD_DATE);
	write_and_check();
	ck_assert(span_is(view.channel, "mail"));
	ck_assert(span_is(view.from.name, "Zoë \"Z\""));
	ck_assert(span_is(view.from.address, "zoe@a.example"));
	ck_assert(span_is(view.date, "2026-01-31T08:00:00Z"));
	ck_assert(span_is(view.body, "one\ntwo"));
	ck_assert(span_is(view.verdict, "unscored"));
	ck_assert_uint_eq(view.to->count, 1);
	ck_assert_uint_eq(view.links->count, 1);
	ck_assert_uint_eq(view.attachments->count, 1);
	ck_assert_uint_eq(view.truncated->count, 0);
	ck_assert_uint_eq(view.findings, FINDING_BIT(FINDING_BAD_DATE));
	ck_assert_int_eq(view.error, 0);
}
END_TEST

START_TEST(failure_form)
{
	clean_set_subject(&c, SPAN("will be gone"));
	clean_fail(&c, -ERR_DEADLINE, "too slow\nindeed");
	write_and_check();
	ck_assert_int_eq(view.error, ERR_DEADLINE);
	ck_assert(span_is(view.error_name, "DEADLINE"));
	ck_assert(span_is(view.error_text, "too slow\xef\xbf\xbdindeed"));
	ck_assert_uint_eq(view.subject.n, 0);
}
END_TEST

/* The most expensive characters in every field at once still fit. */
START_TEST(everything_too_large)
{
	static const char *const units[] = {
	    "\"", "\\", "x", "\xf0\x9f\x8c\xb1", "\xe2\x80\xa8", "\x01"};
	const char *unit = units[_i];
	size_t n = strlen(unit), count = 150000;
	char *text = alloc_bytes(n * count);
	struct span big = {text, n * count};
	int64_t kept, of;

	for (size_t i = 0; i < count; i++)
		memcpy(text + i * n, unit, n);
	clean_set_from(&c, big, SPAN("a@b"));
	clean_set_subject(&c, big);
	clean_set_body(&c, big, 5);
	for (int i = 0; i < 300; i++) {
		clean_add_address(&c, CLEAN_TO, big, SPAN("a@b"));
		clean_add_address(&c, CLEAN_CC, SPAN(""), SPAN("a@b"));
		clean_add_address(&c, CLEAN_REPLY_TO, big, SPAN(""));
		clean_add_link(&c, big, SPAN("https://a.example/"));
		clean_add_attachment(&c, big, SPAN("a/b"), "a/b", 1, HASH);
		clean_add_hidden(&c, "tag", 1, 1);
	}
	for (size_t i = 0; i < FINDING_COUNT; i++)
		clean_find(&c, (enum finding)i);
	write_and_check();
	find_cut("body", &kept, &of);
	ck_assert_int_eq(of, 150005);
	ck_assert_int_gt(kept, 80000);
	ck_assert_int_eq(kept, (int64_t)utf8_count(view.body.p, view.body.n));
	find_cut("cc", &kept, &of);
	ck_assert_int_eq(kept, CLEAN_ADDRESSES);
	ck_assert_int_eq(of, 300);
	find_cut("links", &kept, &of);
	ck_assert_int_eq(kept, view.links->count);
	ck_assert_int_eq(of, 300);
	free(text);
}
END_TEST

START_TEST(wrong_values_are_left_out)
{
	clean_set_from(&c, SPAN("n"), SPAN("a@b <c@d>"));
	clean_add_link(&c, SPAN("t"), SPAN("no scheme"));
	clean_add_attachment(
	    &c, SPAN("../../etc/x"), SPAN("Text/Plain"), "text/html", 1, HASH);
	clean_add_attachment(&c, SPAN("a\\.."), SPAN("a/b"), "a/b", 1, HASH);
	clean_set_date(&c, INT64_MAX);
	write_and_check();
	ck_assert_uint_eq(view.from.address.n, 0);
	ck_assert_uint_eq(view.links->count, 0);
	ck_assert_uint_eq(view.date.n, 0);
	ck_assert_uint_eq(view.findings,
	    FINDING_BIT(FINDING_BAD_ADDRESS) | FINDING_BIT(FINDING_BAD_URL) |
		FINDING_BIT(FINDING_BAD_CONTENT_TYPE) |
		FINDING_BIT(FINDING_BAD_ATTACHMENT_NAME));
	ck_assert(json_is_string(
	    json_pointer(&doc, json_root(&doc), SPAN("/attachments/0/name")),
	    "x"));
	ck_assert(json_is_string(
	    json_pointer(&doc, json_root(&doc), SPAN("/attachments/1/name")),
	    ""));
}
END_TEST

/* One replacement in a good object, and the error it has to give. */
static const struct {
	const char *from, *to;
	int error;
} lies[] = {
    {"\"v\":1", "\"v\":2", ERR_RANGE},
    {"\"v\":1,", "", ERR_MISSING_KEY},
    {"\"v\":1", "\"v\":1,\"x\":1", ERR_UNKNOWN_KEY},
    {"\"mail\"", "\"post\"", ERR_RANGE},
    {"a@b.example", "a@b.example,c@d.example", ERR_RANGE},
    {"a@b.example", "a b@b.example", ERR_RANGE},
    {"a@b.example", "a@b@c.example", ERR_RANGE},
    {"a@b.example", "a@\\u200bb.example", ERR_RANGE},
    {"\"n\"", "\"n\\u202e\"", ERR_RANGE},
    {"\"n\"", "null", ERR_TYPE},
    {"2026-01-31T08:00:00Z", "2026-01-31T08:00:00+", ERR_RANGE},
    {"2026-01-31T08:00:00Z", "2026-13-31T08:00:00Z", ERR_RANGE},
    {"\"2026-01-31T08:00:00Z\"", "5", ERR_TYPE},
    {"\"subject\":\"s\"", "\"subject\":\"s\\n\"", ERR_RANGE},
    {"body!", "body\\u001b", ERR_RANGE},
    {"body!", "body\\u0000", ERR_NUL},
    {"body!", "body\xf3\xa0\x81\x81", ERR_RANGE},
    {"https://x.example/", "https://x.example/ y", ERR_RANGE},
    {"https://x.example/", "//x.example/", ERR_RANGE},
    {"f.txt", "..", ERR_RANGE},
    {"f.txt", "a/f.txt", ERR_RANGE},
    {"text/plain", "text/plain/x", ERR_RANGE},
    {"text/plain", "TEXT/plain", ERR_RANGE},
    {"\"bytes\":7", "\"bytes\":-7", ERR_RANGE},
    {"\"bytes\":7", "\"bytes\":7.5", ERR_TYPE},
    {HASH, "0" HASH, ERR_RANGE},
    {"display-none", "display none", ERR_RANGE},
    {"\"score\":0", "\"score\":1.1", ERR_RANGE},
    {"\"score\":0", "\"score\":\"0\"", ERR_TYPE},
    {"unscored", "safe", ERR_RANGE},
    {"\"spans\":[]", "\"spans\":[[0,6]]", ERR_RANGE},
    {"\"spans\":[]", "\"spans\":[[3,2]]", ERR_RANGE},
    {"\"spans\":[]", "\"spans\":[[1,2,3]]", ERR_TYPE},
    {"\"ignore\":0", "\"ignore\":-1", ERR_RANGE},
    {"\"ignore\":0", "\"ignore\":0.5", ERR_TYPE},
    {"\"ignore\":0,", "", ERR_RANGE},
    {"[\"bad-date\"]", "[\"bad-date\",\"bad-date\"]", ERR_RANGE},
    {"[\"bad-date\"]", "[\"good-date\"]", ERR_RANGE},
    {"[\"bad-date\"]", "[7]", ERR_RANGE},
    {"\"truncated\":[]",
	"\"truncated\":[{\"what\":\"to\",\"kept\":1,\"of\":1}]", ERR_RANGE},
    {"\"truncated\":[]",
	"\"truncated\":[{\"what\":\"it\",\"kept\":0,\"of\":1}]", ERR_RANGE},
    {"\"sanitized\":true", "\"sanitized\":false", ERR_RANGE},
    {"\"result\":\"pass\"", "\"result\":\"Pass\"", ERR_RANGE},
    {"\"result\":\"pass\"", "\"result\":\"\"", ERR_RANGE},
    {"a.example\"}]", "a example\"}]", ERR_RANGE},
    {",\"domain\":\"a.example\"", "", ERR_MISSING_KEY},
    {"\"sniffed\":\"text/plain\"", "\"sniffed\":\"text\"", ERR_RANGE},
    {"\"sanitized\":true",
	"\"sanitized\":true,\"error\":{\"code\":1202,\"name\":\"DENIED\","
	"\"text\":\"\"}",
	ERR_RANGE},
    {"\"sanitized\":true",
	"\"sanitized\":true,\"error\":{\"code\":1202,\"name\":\"DEADLINE\","
	"\"text\":\"\"}",
	ERR_RANGE},
};

/* Bytes of the body become characters, spans that touch become one. */
START_TEST(spans_of_a_body)
{
	clean_set_body(&c, SPAN("h\xc3\xa9llo w\xc3\xb6rld, hello"), 0);
	c.injection.verdict = CLEAN_SUSPECT;
	c.injection.score = 0.98764;
	c.injection.instead = 2;
	clean_add_span(&c, 0, 6);
	clean_add_span(&c, 6, 13);
	clean_add_span(&c, 15, 99);
	clean_add_span(&c, 200, 300);
	ck_assert_int_eq(clean_write(&c, &out), 0);
	ck_assert_int_eq(
	    json_parse(&doc, (struct span){out.data, out.len}, NULL, NULL), 0);
	ck_assert_int_eq(clean_check(&doc, json_root(&doc), &view, NULL), 0);
	ck_assert(span_is(json_raw(&doc, view.spans), "[[0,11],[13,18]]"));
	ck_assert(view.score > 0.9875 && view.score < 0.9877);
	ck_assert_int_eq(view.instead, 2);
}
END_TEST

START_TEST(lies_are_refused)
{
	static const char good[] =
	    "{\"v\":1,\"channel\":\"mail\",\"from\":{\"name\":\"n\","
	    "\"address\":\"a@b.example\"},\"to\":[],\"cc\":[],"
	    "\"reply_to\":[],\"authentication\":[{\"method\":\"dkim\","
	    "\"result\":\"pass\",\"domain\":\"a.example\"}],\"date\":\"2026-01-31T08:00:00Z\","
	    "\"message_id\":\"\",\"subject\":\"s\",\"body\":\"body!\","
	    "\"links\":[{\"text\":\"x\",\"url\":\"https://x.example/\"}],"
	    "\"attachments\":[{\"name\":\"f.txt\",\"type\":\"text/plain\","
	    "\"sniffed\":\"text/plain\",\"bytes\":7,\"sha256\":\"" HASH "\"}],"
	    "\"hidden\":[{\"reason\":\"display-none\",\"runs\":1,"
	    "\"chars\":2}],\"injection\":{\"score\":0,"
	    "\"verdict\":\"unscored\",\"spans\":[],\"keywords\":"
	    "{\"ignore\":0,\"instead\":0,\"new_instruction\":0}},"
	    "\"findings\":[\"bad-date\"],\"truncated\":[],"
	    "\"sanitized\":true}";
	const char *at = strstr(good, lies[_i].from);
	char *bad;

	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(check_text(span_of(good)), 0);
	bad = alloc_format("%.*s%s%s", (int)(at - good), good, lies[_i].to,
	    at + strlen(lies[_i].from));
	ck_assert_int_eq(check_text(span_of(bad)), -lies[_i].error);
	free(bad);
}
END_TEST

START_TEST(single_values)
{
	ck_assert(clean_address_valid(SPAN("root")));
	ck_assert(
	    clean_address_valid(SPAN("j\xc3\xbcrg@m\xc3\xbcller.example")));
	ck_assert(!clean_address_valid(SPAN("@b")));
	ck_assert(!clean_address_valid(SPAN("a@")));
	ck_assert(!clean_address_valid(SPAN("a\xc2\xa0@b")));
	ck_assert(clean_url_valid(SPAN("mailto:a@b")));
	ck_assert(!clean_url_valid(SPAN("x:y")));
	ck_assert(!clean_url_valid(SPAN("http:")));
	ck_assert(clean_type_valid(SPAN("image/svg+xml")));
	ck_assert(!clean_type_valid(SPAN("image/")));
	ck_assert(!clean_type_valid((struct span){"a/b\0", 4}));
	ck_assert(clean_file_valid(SPAN("...")));
	ck_assert(clean_auth_valid(SPAN("x-ptr")));
	ck_assert(!clean_auth_valid(SPAN("")));
	ck_assert(!clean_auth_valid(SPAN("Pass")));
	ck_assert(clean_domain_valid(SPAN("m\xc3\xbcller.example")));
	ck_assert(!clean_domain_valid(SPAN("A.example")));
	ck_assert(!clean_domain_valid(SPAN("a b")));
	ck_assert(!clean_domain_valid((struct span){"a\0", 2}));
	ck_assert(!clean_char(0xe0041, true));
	ck_assert(!clean_char('\n', false));
	ck_assert(clean_char('\n', true));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("clean");
	TCase *tcase = tcase_create("clean");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, full_object);
	tcase_add_test(tcase, failure_form);
	tcase_add_loop_test(tcase, everything_too_large, 0, 6);
	tcase_add_test(tcase, wrong_values_are_left_out);
	tcase_add_test(tcase, spans_of_a_body);
	tcase_add_loop_test(
	    tcase, lies_are_refused, 0, (int)(sizeof lies / sizeof lies[0]));
	tcase_add_test(tcase, single_values);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
