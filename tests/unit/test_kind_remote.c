/*
 * The kinds without a courier: that the whole table is sound, that settings
 * are read strictly, and that no argument is a credential, a way out of the
 * settings or a text for a shell (attack cases 7 and 18).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/kind_remote.h"
#include "executor/plan.h"
#include "executor/policy.h"
#include "executor/schema.h"

#define HTTP                                                                   \
	"\"kind\":\"http\",\"method\":\"get\",\"settings\":{\"host\":"         \
	"\"search.example.org\",\"port\":443,\"path\":\"/v1/\"}"
#define SMTP                                                                   \
	"\"kind\":\"smtp\",\"method\":\"send\",\"settings\":{\"host\":"        \
	"\"smtp.example.org\",\"port\":465,\"credential\":\"mail-out\","       \
	"\"from\":\"me@example.org\",\"max_recipients\":2}"
#define MOVE                                                                   \
	"\"kind\":\"imap\",\"method\":\"move\",\"settings\":{\"host\":"        \
	"\"imap.example.org\",\"port\":993,\"credential\":\"mail-in\","        \
	"\"folder\":\"INBOX\",\"to\":[\"Archive\",\"Later\"]}"
#define TELEGRAM                                                               \
	"\"kind\":\"telegram\",\"method\":\"send\",\"settings\":{\"host\":"    \
	"\"api.telegram.org\",\"port\":443,\"credential\":\"bot\"}"
#define SLACK                                                                  \
	"\"kind\":\"slack\",\"method\":\"post\",\"settings\":{\"host\":"       \
	"\"slack.com\",\"port\":443,\"credential\":\"bot\"}"
#define LLM                                                                    \
	"\"kind\":\"llm\",\"method\":\"complete\",\"settings\":{\"host\":"     \
	"\"llm.example.org\",\"port\":443,\"credential\":\"llm\",\"model\":"   \
	"\"m-1\",\"max_tokens\":100}"
#define EXEC                                                                   \
	"\"kind\":\"exec\",\"method\":\"run\",\"settings\":{\"program\":"      \
	"\"/usr/bin/make\",\"folder\":\"/srv/code\",\"options\":[\"-k\","      \
	"\"--jobs\"]}"
#define CODE                                                                   \
	"\"kind\":\"code\",\"method\":\"run\",\"settings\":{\"language\":"     \
	"\"python\"}"

static int
capability_of(const char *members, const char *more,
    struct capability **capability_out, struct json_error *where)
{
	char *text =
	    alloc_format("{\"name\":\"x\",\"why\":\"w\",%s%s}", members, more);
	int rc = capability_parse(span_of(text), 0, capability_out, where);

	free(text);
	return rc;
}

/* What the kind says of arguments; the operator's own schema takes all. */
static int
check_of(const char *members, const char *arguments)
{
	struct capability *c;
	struct json_error where;
	struct json_doc doc;
	char detail[200] = "";
	int rc;

	ck_assert_msg(
	    capability_of(members, ",\"arguments\":{\"type\":\"object\"}", &c,
		&where) == 0,
	    "%s", where.detail);
	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, span_of(arguments), NULL, NULL), 0);
	rc = c->kind->check(c->settings, c->method, &doc, json_root(&doc),
	    detail, sizeof detail);
	ck_assert_int_eq(rc == 0, detail[0] == '\0');
	json_done(&doc);
	capability_free(c);
	return rc;
}

START_TEST(arguments_taken)
{
	static const char *const rows[][2] = {
	    {HTTP, "{\"url\":\"https://search.example.org/v1/find?q=a%20b\"}"},
	    {SMTP, "{\"to\":[\"a@example.org\"],\"subject\":\"s\","
		   "\"text\":\"t\"}"},
	    {SMTP, "{\"to\":[\"a@example.org\"],\"cc\":[\"b@example.org\"],"
		   "\"subject\":\"s\",\"text\":\"two\\nlines\","
		   "\"reply_to\":\"17\"}"},
	    {MOVE, "{\"mail\":\"4711\",\"to\":\"Later\"}"},
	    {TELEGRAM, "{\"chat\":\"-100123\",\"text\":\"hi\"}"},
	    {TELEGRAM, "{\"chat\":\"@some_one\",\"text\":\"hi\"}"},
	    {SLACK, "{\"channel\":\"#general\",\"text\":\"hi\"}"},
	    {SLACK, "{\"channel\":\"C0123ABCD\",\"text\":\"hi\","
		    "\"thread\":\"1700000000.123456\"}"},
	    {LLM, "{\"messages\":[{\"role\":\"user\",\"text\":\"hi\"}],"
		  "\"max_tokens\":100}"},
	    {EXEC, "{\"argv\":[\"check\",\"-k\",\"--jobs=2\",\"\"]}"},
	    {EXEC, "{\"argv\":[\"$HOME\",\"*\",\"~\",\"`id`\",\"%s\","
		   "\"a; b | c\\n\"]}"}, /* 19: delivered as they are */
	    {CODE, "{\"source\":\"print('\\\"it')\"}"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_msg(
		    check_of(rows[i][0], rows[i][1]) == 0, "%s", rows[i][1]);
}
END_TEST

START_TEST(arguments_refused)
{
	static const char *const rows[][2] = {
	    /* another host, port, scheme, user, or spelling of them */
	    {HTTP, "{\"url\":\"https://evil.example/v1/\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org.evil.example/v1/\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org:8443/v1/\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org@evil.example/v1/\"}"},
	    {HTTP, "{\"url\":\"https://u:p@search.example.org/v1/\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org\\\\@evil/v1/\"}"},
	    {HTTP, "{\"url\":\"https://SEARCH.example.org/v1/\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org./v1/\"}"},
	    {HTTP, "{\"url\":\"http://search.example.org/v1/\"}"},
	    {HTTP, "{\"url\":\"//search.example.org/v1/\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org/v1/\\n\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org/v1/#a\"}"},
	    /* out of its path */
	    {HTTP, "{\"url\":\"https://search.example.org/v2/\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org/v1\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org/v1/../v2/\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org/v1/%2e%2e/v2\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org/v1/..%2fv2\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org/v1//v2\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org/v1/%\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org/v1/%2\"}"},
	    /* 7: somebody's own credential */
	    {HTTP, "{\"url\":\"https://search.example.org/v1/?token=x\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org/v1/?q=a&KEY=x\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org/v1/?q;api_key=x\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org/v1/?%6Bey=x\"}"},
	    {HTTP, "{\"url\":\"https://search.example.org/v1/\","
		   "\"headers\":{\"authorization\":\"x\"}}"},
	    {SLACK, "{\"channel\":\"xoxb-1-abc\",\"text\":\"t\"}"},
	    {SLACK, "{\"channel\":\"https://hooks.slack.com/services/T/B/x\","
		    "\"text\":\"t\"}"},
	    {SLACK, "{\"channel\":\"#a\",\"text\":\"t\",\"token\":\"x\"}"},
	    {SLACK, "{\"channel\":\"#a\",\"text\":\"t\",\"webhook\":\"x\"}"},
	    {TELEGRAM, "{\"chat\":\"12345:AAAbbb\",\"text\":\"t\"}"},
	    {TELEGRAM, "{\"chat\":\"https://t.me/x\",\"text\":\"t\"}"},
	    {TELEGRAM, "{\"chat\":\"1\",\"text\":\"t\",\"token\":\"x\"}"},
	    {SMTP, "{\"to\":[\"a@b.example\"],\"subject\":\"s\","
		   "\"text\":\"t\",\"password\":\"x\"}"},
	    {LLM, "{\"messages\":[{\"role\":\"user\",\"text\":\"t\"}],"
		  "\"api_key\":\"x\"}"},
	    /* a second header, recipient or command */
	    {SMTP, "{\"to\":[\"a@b.example\\r\\nBcc: c@d.example\"],"
		   "\"subject\":\"s\",\"text\":\"t\"}"},
	    {SMTP, "{\"to\":[\"a@b.example, c@d.example\"],\"subject\":\"s\","
		   "\"text\":\"t\"}"},
	    {SMTP, "{\"to\":[\"a@b.example\"],\"subject\":\"s\\nBcc: x@y.z\","
		   "\"text\":\"t\"}"},
	    {SMTP, "{\"to\":[\"a@b.example\",\"c@b.example\"],"
		   "\"cc\":[\"d@b.example\"],\"subject\":\"s\","
		   "\"text\":\"t\"}"},
	    {SMTP, "{\"to\":[],\"subject\":\"s\",\"text\":\"t\"}"},
	    {SMTP, "{\"to\":[\"a@b.example\"],\"bcc\":[\"c@d.example\"],"
		   "\"subject\":\"s\",\"text\":\"t\"}"},
	    {MOVE, "{\"mail\":\"1\",\"to\":\"Trash\"}"},
	    {MOVE, "{\"mail\":\"1:*\",\"to\":\"Later\"}"},
	    {MOVE, "{\"mail\":1,\"to\":\"Later\"}"},
	    {LLM, "{\"messages\":[{\"role\":\"system\",\"text\":\"t\"}]}"},
	    {LLM, "{\"messages\":[{\"role\":\"user\",\"text\":\"t\"}],"
		  "\"max_tokens\":101}"},
	    /* 18: no text for a shell, no option that was not listed */
	    {EXEC, "{\"argv\":\"check; id\"}"},
	    {EXEC, "{\"argv\":[\"check\"],\"command\":\"id\"}"},
	    {EXEC, "{\"argv\":[\"--eval=$(shell id)\"]}"},
	    {EXEC, "{\"argv\":[\"-f\",\"/tmp/x\"]}"},
	    {EXEC, "{\"argv\":[\"-kf/tmp/x\"]}"},
	    {EXEC, "{\"argv\":[\"--jobs2\"]}"},
	    {EXEC, "{\"argv\":[\"a\",[\"b\"]]}"},
	    {EXEC, "{}"},
	    {CODE, "{\"source\":\"x\",\"network\":true}"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int rc = check_of(rows[i][0], rows[i][1]);

		ck_assert_msg(
		    rc == -ERR_SCHEMA || rc == -ERR_PATH, "%s", rows[i][1]);
	}
}
END_TEST

START_TEST(settings_refused)
{
	static const char *const rows[] = {
	    "\"kind\":\"http\",\"method\":\"get\",\"settings\":{}",
	    "\"kind\":\"http\",\"method\":\"get\",\"settings\":{\"host\":"
	    "\"https://a.example\",\"port\":443}",
	    "\"kind\":\"http\",\"method\":\"get\",\"settings\":{\"host\":"
	    "\"A.example\",\"port\":443}",
	    "\"kind\":\"http\",\"method\":\"get\",\"settings\":{\"host\":"
	    "\"a.example:80\",\"port\":443}",
	    "\"kind\":\"http\",\"method\":\"get\",\"settings\":{\"host\":"
	    "\"*.example\",\"port\":443}",
	    "\"kind\":\"http\",\"method\":\"get\",\"settings\":{\"host\":"
	    "\"127.0.0.1\",\"port\":443}",
	    "\"kind\":\"http\",\"method\":\"get\",\"settings\":{\"host\":"
	    "\"a.example\"}",
	    "\"kind\":\"http\",\"method\":\"get\",\"settings\":{\"host\":"
	    "\"a.example\",\"port\":0}",
	    "\"kind\":\"http\",\"method\":\"get\",\"settings\":{\"host\":"
	    "\"a.example\",\"port\":443,\"path\":\"v1\"}",
	    "\"kind\":\"http\",\"method\":\"put\",\"settings\":{\"host\":"
	    "\"a.example\",\"port\":443}",
	    "\"kind\":\"http\",\"method\":\"get\",\"settings\":{\"host\":"
	    "\"a.example\",\"port\":443,\"headers\":{}}",
	    "\"kind\":\"slack\",\"method\":\"post\",\"settings\":{\"host\":"
	    "\"slack.com\",\"port\":443,\"credential\":\"xoxb-1 secret\"}",
	    "\"kind\":\"slack\",\"method\":\"post\",\"settings\":{\"host\":"
	    "\"slack.com\",\"port\":443}",
	    "\"kind\":\"imap\",\"method\":\"move\",\"settings\":{\"host\":"
	    "\"imap.example.org\",\"port\":993,\"credential\":\"c\","
	    "\"folder\":\"INBOX\",\"to\":[]}",
	    "\"kind\":\"exec\",\"method\":\"run\",\"settings\":{\"program\":"
	    "\"/bin/sh\",\"folder\":\"/srv\"}",
	    "\"kind\":\"exec\",\"method\":\"run\",\"settings\":{\"program\":"
	    "\"/usr/bin/env\",\"folder\":\"/srv\"}",
	    "\"kind\":\"exec\",\"method\":\"run\",\"settings\":{\"program\":"
	    "\"make\",\"folder\":\"/srv\"}",
	    "\"kind\":\"exec\",\"method\":\"run\",\"settings\":{\"program\":"
	    "\"/usr/bin/make\",\"folder\":\"/srv\",\"effects\":[\"shares\"]}",
	    "\"kind\":\"exec\",\"method\":\"run\",\"settings\":{\"program\":"
	    "\"/usr/bin/make\",\"folder\":\"/srv\",\"options\":\"-k\"}",
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct capability *c = NULL;
		struct json_error where = {0};

		ck_assert_msg(
		    capability_of(rows[i], "", &c, &where) != 0, "%s", rows[i]);
		ck_assert_ptr_null(c);
		ck_assert_msg(where.detail[0] != '\0', "%s", rows[i]);
	}
}
END_TEST

/* The operator knows his program; a kind of service does not change. */
START_TEST(effects_of_exec)
{
	struct capability *c;
	struct json_error where;

	ck_assert_int_eq(capability_of(EXEC, "", &c, &where), 0);
	ck_assert_uint_eq(c->effects->effects, c->method->effects.effects);
	ck_assert_ptr_null(c->kind->credential(c->settings));
	capability_free(c);
	ck_assert_int_eq(
	    capability_of("\"kind\":\"exec\",\"method\":\"run\",\"settings\":"
			  "{\"program\":\"/usr/bin/wc\",\"folder\":\"/srv\","
			  "\"effects\":[\"private\"]}",
		"", &c, &where),
	    0);
	ck_assert_uint_eq(c->effects->effects, EFFECT_PRIVATE);
	capability_free(c);
	ck_assert_int_eq(capability_of(SMTP, "", &c, &where), 0);
	ck_assert_str_eq(c->kind->credential(c->settings), "mail-out");
	capability_free(c);
}
END_TEST

static bool
is_listed(const char *schema, const char *name)
{
	char key[80];

	snprintf(key, sizeof key, "\"%s\":", name);
	return strstr(schema, key) != NULL;
}

/* Each method: its schema is closed and fits its row; no argument is named
 * like a secret; one that brings bytes back has a bound. */
START_TEST(table)
{
	static const char *const secret[] = {"token", "secret", "password",
	    "credential", "webhook", "key", "header", "host", "port"};
	size_t methods = 0;

	for (size_t i = 0; i < remote_method_count; i++) {
		const struct kind_method *m = remote_methods[i].method;
		const struct kind_effects *e = &m->effects;
		struct schema *schema = kind_schema(m);

		ck_assert_ptr_nonnull(
		    strstr(m->schema, "\"additionalProperties\":false"));
		for (size_t a = 0; a < e->argument_count; a++) {
			ck_assert(is_listed(m->schema, e->arguments[a].name));
			for (size_t s = 0; s < 9; s++)
				ck_assert_ptr_null(strstr(
				    strcmp(e->arguments[a].name, "max_tokens")
					? e->arguments[a].name
					: "",
				    secret[s]));
		}
		schema_free(schema);
	}
	for (size_t i = 0; i < kind_count; i++)
		methods +=
		    kind_table[i].run == NULL ? kind_table[i].method_count : 0;
	ck_assert_uint_eq(methods, remote_method_count);
	ck_assert_uint_eq(kind_count, 10);
}
END_TEST

START_TEST(no_courier)
{
	static const char text[] =
	    "{\"version\":1,\"capabilities\":["
	    "{\"name\":\"a\",\"why\":\"w\"," SMTP "},"
	    "{\"name\":\"b\",\"why\":\"w\",\"kind\":\"notify\",\"method\":"
	    "\"send\",\"settings\":{\"to\":\"syslog\"}},"
	    "{\"name\":\"c\",\"why\":\"w\"," EXEC "}]}";
	struct policy *policy = NULL;
	struct json_error where;
	static struct plan plan;
	struct buf out;

	ck_assert_int_eq(policy_parse(SPAN(text), &policy, &where), 0);
	ck_assert_int_eq(plan_make(policy, &plan), 0);
	ck_assert_uint_eq(plan.couriers, 1);
	ck_assert_uint_eq(plan.courier_of[0], PLAN_NO_COURIER);
	ck_assert_uint_eq(plan.courier_of[1], 0);
	ck_assert_uint_eq(plan.courier_of[2], PLAN_NO_COURIER);
	buf_init(&out, 1u << 16);
	policy_print(policy, &out);
	buf_add_byte(&out, '\0');
	ck_assert_ptr_nonnull(strstr(out.data, "no courier performs"));
	ck_assert_ptr_nonnull(strstr(out.data,
	    "sends one mail without attachments; host smtp.example.org; port "
	    "465; credential mail-out; from me@example.org; max_recipients 2."));
	buf_free(&out);
	policy_free(policy);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("kind_remote");
	TCase *cases = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(cases, arguments_taken);
	tcase_add_test(cases, arguments_refused);
	tcase_add_test(cases, settings_refused);
	tcase_add_test(cases, effects_of_exec);
	tcase_add_test(cases, table);
	tcase_add_test(cases, no_courier);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
