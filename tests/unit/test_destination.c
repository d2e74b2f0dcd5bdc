/*
 * Where a call goes, as its record says: of each kind, in one spelling, within
 * bounds, and no more than the policy lets be on record.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/destination.h"
#include "executor/policy_impl.h"

#define ROWS(table) (int)(sizeof(table) / sizeof(table)[0])

#define SMTP                                                                   \
	"\"kind\":\"smtp\",\"method\":\"send\",\"settings\":{\"host\":"        \
	"\"mail.example.org\",\"port\":465,\"credential\":\"m\",\"from\":"     \
	"\"me@example.org\"}"
#define HTTP                                                                   \
	"\"kind\":\"http\",\"method\":\"get\",\"settings\":{\"host\":"         \
	"\"api.example.org\",\"port\":443}"
#define FILE_READ                                                              \
	"\"kind\":\"file\",\"method\":\"read\",\"settings\":{\"root\":"        \
	"\"/srv/notes\"}"
#define FILE_WRITE                                                             \
	"\"kind\":\"file\",\"method\":\"write\",\"settings\":{\"root\":"       \
	"\"/srv/notes\",\"write\":true}"
#define NOTIFY                                                                 \
	"\"kind\":\"notify\",\"method\":\"send\",\"settings\":{\"to\":"        \
	"\"file\",\"path\":\"/srv/told\"}"
#define LLM                                                                    \
	"\"kind\":\"llm\",\"method\":\"complete\",\"settings\":{\"host\":"     \
	"\"llm.example.org\",\"port\":443,\"model\":\"m\"}"
#define SLACK                                                                  \
	"\"kind\":\"slack\",\"method\":\"post\",\"settings\":{\"host\":"       \
	"\"slack.com\",\"port\":443,\"credential\":\"s\"}"

static const struct {
	const char *capability, *kept, *arguments, *text;
} rows[] = {
    {SMTP, NULL, "{\"to\":[\"Ann@Example.ORG\"]}", "ann@example.org"},
    {SMTP, NULL,
	"{\"to\":[\"a@b.example\",\"c@d.example\"],\"cc\":[\"a@b.example\"],"
	"\"subject\":\"x@y.example\"}",
	"a@b.example c@d.example"},
    {SMTP, "domain", "{\"to\":[\"a@b.example\",\"c@b.example\"]}",
	"*@b.example"},
    {SMTP, "none", "{\"to\":[\"a@b.example\",\"c@d.example\"]}", "*"},
    {SMTP, "domain", "{\"to\":[\"\\\"x@y\\\"@b.example\"]}", "*@b.example"},
    {SMTP, "domain", "{\"to\":[\"no address\"]}", "*"},
    /* none named: the server */
    {SMTP, NULL, "{}", "mail.example.org:465"},
    {SMTP, "domain", "{}", "*"},
    {SMTP, NULL, "[\"a@b.example\"]", ""},
    {SMTP, NULL, "{\"to\":[\"*@b.example\",\"a b\",\"%41\"]}",
	"%2A@b.example a%20b %2541"},
    {SMTP, NULL, "{\"to\":[\"\\u202ea\\u0001\\\"\\\\\\u00e9\"]}",
	"%E2%80%AEa%01%22%5C%C3%A9"},
    {HTTP, NULL, "{\"url\":\"https://API.example.org:443/a/b?key=1#x\"}",
	"api.example.org:443/a/b"},
    {HTTP, NULL, "{\"url\":\"https://user:word@api.example.org/a%20b\"}",
	"api.example.org/a%20b"},
    {HTTP, NULL, "{\"url\":\"http://user@a@evil.example?x=@y\"}",
	"http://evil.example"},
    {HTTP, "domain", "{\"url\":\"https://user@api.example.org/secret\"}",
	"api.example.org/*"},
    {HTTP, NULL, "{\"url\":\"javascript:alert(1)\"}", "javascript:alert(1)"},
    {HTTP, NULL, "{\"url\":[\"x.example/1\",7]}", "x.example/1 7"},
    {FILE_WRITE, NULL, "{\"path\":\"Some Thing.txt\"}",
	"/srv/notes/Some%20Thing.txt"},
    {FILE_WRITE, NULL, "{\"path\":7}", "/srv/notes"},
    {FILE_READ, NULL, "{\"path\":\"Some Thing.txt\"}", "/srv/notes"},
    {FILE_READ, NULL, "{\"path\":\".\"}", "/srv/notes"},
    {FILE_READ, NULL, "{\"path\":7}", "/srv/notes"},
    {FILE_READ, "none", "{\"path\":\"a\"}", "*"},
    {NOTIFY, NULL, "{\"text\":\"a@b.example\"}", "/srv/told"},
    {LLM, NULL, "{\"messages\":[]}", "llm.example.org:443"},
    {SLACK, NULL, "{\"channel\":\"#General\"}", "#general"},
};

static struct json_doc doc;
static struct destination to;

static void
make(const char *capability, const char *kept, const char *arguments)
{
	struct json_error where;
	struct capability *c;
	char text[1000], audit[80] = "";

	if (kept != NULL)
		snprintf(audit, sizeof audit,
		    ",\"audit\":{\"destination\":\"%s\"}", kept);
	snprintf(text, sizeof text, "{\"name\":\"a\",\"why\":\"b\",%s%s}",
	    capability, audit);
	ck_assert_msg(capability_parse(span_of(text), 0, &c, &where) == 0,
	    "%s: %s", text, where.detail);
	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, span_of(arguments), NULL, NULL), 0);
	destination_of(c, &doc, json_root(&doc), &to);
	json_done(&doc);
	capability_free(c);
}

START_TEST(of_each_kind)
{
	make(rows[_i].capability, rows[_i].kept, rows[_i].arguments);
	ck_assert_str_eq(to.text, rows[_i].text);
	ck_assert_uint_eq(to.full, strlen(to.text));
}
END_TEST

/* Many, and one that is longer than there is room: all are counted. */
START_TEST(bounds)
{
	static char text[200000];
	size_t used = 0;

	used += (size_t)sprintf(text, "{\"to\":[");
	for (int i = 0; i < 50; i++)
		used += (size_t)sprintf(text + used,
		    "%s\"person%02d@example.org\"", i == 0 ? "" : ",", i);
	strcpy(text + used, "]}");
	make(SMTP, NULL, text);
	ck_assert_uint_eq(to.full, 50 * 20 + 49);
	ck_assert_uint_eq(strlen(to.text), 12 * 21 - 1);
	ck_assert_str_eq(to.text + strlen(to.text) - 8, "mple.org");

	strcpy(text, "{\"to\":[\"");
	memset(text + 8, '\x7f', 150000);
	strcpy(text + 150008, "\",\"a@b.example\"]}");
	make(SMTP, NULL, text);
	ck_assert_uint_eq(strlen(to.text), ENTRY_DESTINATION_MAX);
	ck_assert_uint_eq(to.full, 450000 + 1 + 11);
}
END_TEST

START_TEST(names)
{
	for (int i = 0; i < DESTINATION_KEPT_COUNT; i++)
		ck_assert_int_eq(
		    destination_kept_find(span_of(
			destination_kept_name((enum destination_kept)i))),
		    i);
	ck_assert_int_eq(
	    destination_kept_find(SPAN("all")), DESTINATION_KEPT_COUNT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("destination");
	TCase *c = tcase_create("destination");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, c);
	tcase_add_loop_test(c, of_each_kind, 0, ROWS(rows));
	tcase_add_test(c, bounds);
	tcase_add_test(c, names);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
