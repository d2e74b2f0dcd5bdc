/*
 * The model of accounts: what a policy may say, what it may not, and how it
 * goes to another process.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "executor/firewall/model.h"
#include "tests/unit/run_suite.h"

static int
read_model(const char *text, struct model *out, struct json_error *where)
{
	static const struct json_limits limits = {
	    .bytes = 4u << 20, .nodes = 1u << 17};
	struct json_doc doc;
	int rc;

	*where = (struct json_error){0};
	json_init(&doc);
	rc = json_parse(&doc, span_of(text), &limits, where);
	if (rc == 0)
		rc = model_read(&doc, json_root(&doc), out, where);
	json_done(&doc);
	return rc;
}

#define ACCOUNT(rest) "{\"accounts\":{\"agent\":{" rest "}}}"
#define ALLOW(host) ACCOUNT("\"allow\":[\"" host "\"]")

/* Text of a policy, and what stands in the reason. */
static const struct {
	const char *text, *reason;
} refused[] = {
    {"[]", "an object"},
    {"{\"account\":{}}", "account"},
    {"{\"accounts\":[]}", "an object"},
    {"{\"accounts\":{\"\":{}}}", "no name of an account"},
    {"{\"accounts\":{\"Agent\":{}}}", "no name of an account"},
    {"{\"accounts\":{\"0\":{}}}", "no name of an account"},
    {"{\"accounts\":{\"1000\":{}}}", "no name of an account"},
    {"{\"accounts\":{\"-f\":{}}}", "no name of an account"},
    {"{\"accounts\":{\"__\":{}}}", "no name of an account"},
    {"{\"accounts\":{\"a b\":{}}}", "no name of an account"},
    {"{\"accounts\":{\"a;reboot\":{}}}", "no name of an account"},
    {"{\"accounts\":{\"../x\":{}}}", "no name of an account"},
    {"{\"accounts\":{\"trizone-broker\":{}}}", "trizone's own"},
    {"{\"accounts\":{\"_trizone_broker\":{}}}", "trizone's own"},
    {"{\"accounts\":{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":{}}}",
	"no name of an account"},
    {"{\"accounts\":{\"a\\u001b[2J\":{}}}", "\"a\" is no name"},
    {"{\"accounts\":{\"a\":{},\"a\":{}}}", ""},
    {ACCOUNT("\"deny\":[]"), "deny"},
    {ACCOUNT("\"allow\":{}"), "array"},
    {ACCOUNT("\"allow\":[7]"), "a host is a string"},
    {ACCOUNT("\"ranges\":[7]"), "a range is a string"},
    {ALLOW(""), "is empty"},
    {ALLOW("api.example.com"), "has no port"},
    {ALLOW("api.example.com:"), "no port of 1 to 65535"},
    {ALLOW("api.example.com:0"), "no port of 1 to 65535"},
    {ALLOW("api.example.com:0443"), "no port of 1 to 65535"},
    {ALLOW("api.example.com:65536"), "no port of 1 to 65535"},
    {ALLOW("api.example.com:99999999999"), "no port of 1 to 65535"},
    {ALLOW("api.example.com:-1"), "no port of 1 to 65535"},
    {ALLOW("api.example.com:https"), "no port of 1 to 65535"},
    {ALLOW("api.example.com:1-65535"), "no port of 1 to 65535"},
    {ALLOW("api.example.com:53"), "port 53"},
    {ALLOW("192.0.2.1:53/udp"), "port 53"},
    {ALLOW("api.example.com:443/sctp"), "/tcp or /udp"},
    {ALLOW("api.example.com:443/"), "/tcp or /udp"},
    {ALLOW("https://api.example.com/x"), "is no host"},
    {ALLOW("https://api.example.com:443"), "is no host"},
    {ALLOW("*.example.com:443"), "only exact names"},
    {ALLOW("*:443"), "only exact names"},
    {ALLOW(".example.com:443"), "neither an address"},
    {ALLOW("a..example.com:443"), "neither an address"},
    {ALLOW("example.com..:443"), "neither an address"},
    {ALLOW("localhost:443"), "neither an address"},
    {ALLOW(":443"), "neither an address"},
    {ALLOW("-a.example.com:443"), "neither an address"},
    {ALLOW("a-.example.com:443"), "neither an address"},
    {ALLOW("a b.example.com:443"), "neither an address"},
    {ALLOW("a;b.example.com:443"), "neither an address"},
    {ALLOW("a\\n.example.com:443"), "neither an address"},
    {ALLOW("a\\\"}.example.com:443"), "neither an address"},
    {ALLOW("b\303\274cher.example:443"), "xn-- form"},
    /* others read these as addresses */
    {ALLOW("127.1:443"), "neither an address"},
    {ALLOW("0x7f.0.0.1:443"), "neither an address"},
    {ALLOW("2130706433:443"), "neither an address"},
    {ALLOW("0177.0.0.1:443"), "neither an address"},
    {ALLOW("1.2.3.4.5:443"), "neither an address"},
    {ALLOW("2001:db8::7:443"), "brackets"},
    {ALLOW("[192.0.2.1]:443"), "brackets"},
    {ALLOW("[api.example.com]:443"), "no IPv6 address"},
    {ALLOW("[fe80::1%eth0]:443"), "no IPv6 address"},
    {ALLOW("[]:443"), "no IPv6 address"},
    {ALLOW("0.0.0.0:443"), "no host has"},
    {ALLOW("255.255.255.255:443"), "no host has"},
    {ALLOW("224.0.0.251:5353/udp"), "no host has"},
    {ALLOW("[::]:443"), "no host has"},
    {ALLOW("[::ffff:192.0.2.1]:443"), "no host has"},
    {ALLOW("[ff02::fb]:5353/udp"), "no host has"},
    {ALLOW("127.0.0.1:581"), "DNS guard's"},
    {ALLOW("[::1]:596/udp"), "DNS guard's"},
    {ACCOUNT("\"allow\":[\"a.example:1\",\"A.EXAMPLE.:1/tcp\"]"), "twice"},
    {ACCOUNT("\"allow\":[\"[2001:DB8::7]:1\",\"[2001:db8:0::7]:1\"]"), "twice"},
    {ACCOUNT("\"ranges\":[\"10.0.0.0\"]"), "no range"},
    {ACCOUNT("\"ranges\":[\"10.0.0.1/8\"]"), "no range"},
    {ACCOUNT("\"ranges\":[\"10.0.0.0/33\"]"), "no range"},
    {ACCOUNT("\"ranges\":[\"example.com/8\"]"), "no range"},
};

START_TEST(refuses)
{
	struct json_error where;
	struct model model;

	ck_assert_int_ne(read_model(refused[_i].text, &model, &where), 0);
	ck_assert_uint_eq(model.count, 0);
	ck_assert_msg(strstr(where.detail, refused[_i].reason) != NULL,
	    "%s: %s", refused[_i].text, where.detail);
	for (const char *c = where.detail; *c != '\0'; c++)
		ck_assert(*c >= 0x20 && *c < 0x7f);
}
END_TEST

static const char whole[] =
    "{\"accounts\":{"
    "\"zed\":{\"allow\":[\"API.Example.com.:443\",\"192.0.2.7:8443\","
    "\"[2001:DB8:0:0::7]:8443\",\"stun.example.com:3478/udp\","
    "\"api.example.com:8443\",\"api.example.com:443/udp\","
    "\"127.0.0.1:5432\"],\"ranges\":[\"10.0.0.0/8\",\"fd00::/8\"]},"
    "\"abe\":{},"
    "\"ab\":{\"allow\":[]}}}";

static const char *const hosts[] = {"api.example.com:443", "192.0.2.7:8443",
    "[2001:db8::7]:8443", "stun.example.com:3478/udp", "api.example.com:8443",
    "api.example.com:443/udp", "127.0.0.1:5432"};

static void
is_whole(struct model *model)
{
	char text[MODEL_HOST_TEXT];
	const struct model_account *zed;

	ck_assert_uint_eq(model->count, 3);
	ck_assert_str_eq(model->accounts[0].name, "ab");
	ck_assert_str_eq(model->accounts[1].name, "abe");
	ck_assert_uint_eq(model->accounts[0].guard_port, 580);
	ck_assert_uint_eq(model->accounts[2].guard_port, 582);
	zed = model_find(model, SPAN("zed"));
	ck_assert_ptr_nonnull(zed);
	ck_assert_ptr_null(model_find(model, SPAN("ze")));
	ck_assert_uint_eq(zed->host_count, sizeof hosts / sizeof hosts[0]);
	for (size_t i = 0; i < zed->host_count; i++) {
		model_host_format(&zed->hosts[i], text);
		ck_assert_str_eq(text, hosts[i]);
	}
	ck_assert_uint_eq(zed->range_count, 2);
}

START_TEST(reads)
{
	struct json_error where;
	struct model model;

	ck_assert_int_eq(read_model(whole, &model, &where), 0);
	is_whole(&model);
	ck_assert(model.accounts[0].uid == (uid_t)-1);
	ck_assert(!model.accounts[0].blocked);
	model_free(&model);
	ck_assert_uint_eq(model.count, 0);
	ck_assert_int_eq(model_read(NULL, NULL, &model, &where), 0);
	ck_assert_uint_eq(model.count, 0);
	ck_assert_int_eq(read_model("{}", &model, &where), 0);
	ck_assert_uint_eq(model.count, 0);
}
END_TEST

START_TEST(packs)
{
	struct json_error where;
	struct model model, copy, other;
	struct buf text;

	ck_assert_int_eq(read_model(whole, &model, &where), 0);
	model.accounts[2].uid = 4294967294u;
	model.accounts[1].blocked = true;
	model_copy(&model, &copy);
	model_free(&model);
	buf_init(&text, MODEL_PACK_BYTES);
	model_pack(&copy, &text);
	model_free(&copy);
	model_unpack((struct span){text.data, text.len}, &other);
	is_whole(&other);
	ck_assert(other.accounts[2].uid == 4294967294u);
	ck_assert(other.accounts[1].blocked && !other.accounts[0].blocked);
	model_free(&other);
	buf_free(&text);
}
END_TEST

/* 16 accounts of 1,024 hosts with the longest names fit. */
START_TEST(packs_the_largest)
{
	struct model model = {.count = 0}, other;
	static char policy[4u << 20];
	struct json_error where;
	size_t n = 0;
	struct buf text;

	n += (size_t)snprintf(policy, sizeof policy, "{\"accounts\":{");
	for (unsigned a = 0; a < MODEL_ACCOUNTS_MAX; a++) {
		n += (size_t)snprintf(policy + n, sizeof policy - n,
		    "%s\"a%02u\":{\"allow\":[", a == 0 ? "" : ",", a);
		for (unsigned h = 0; h < MODEL_HOSTS_MAX; h++)
			n += (size_t)snprintf(policy + n, sizeof policy - n,
			    "%s\"%0*u.%060u.%060u.example:65535/udp\"",
			    h == 0 ? "" : ",", 60, h, 1u, 2u);
		n += (size_t)snprintf(policy + n, sizeof policy - n, "]}");
	}
	(void)snprintf(policy + n, sizeof policy - n, "}}");
	ck_assert_int_eq(read_model(policy, &model, &where), 0);
	buf_init(&text, MODEL_PACK_BYTES);
	model_pack(&model, &text);
	ck_assert(!text.overflow);
	model_unpack((struct span){text.data, text.len}, &other);
	ck_assert_uint_eq(other.accounts[15].host_count, MODEL_HOSTS_MAX);
	model_free(&model);
	model_free(&other);
	buf_free(&text);
}
END_TEST

START_TEST(refuses_too_many)
{
	static char policy[1u << 18];
	struct json_error where;
	struct model model;
	size_t n = 0;

	n += (size_t)snprintf(policy, sizeof policy, "{\"accounts\":{");
	for (unsigned a = 0; a <= MODEL_ACCOUNTS_MAX; a++)
		n += (size_t)snprintf(policy + n, sizeof policy - n,
		    "%s\"a%u\":{}", a == 0 ? "" : ",", a);
	(void)snprintf(policy + n, sizeof policy - n, "}}");
	ck_assert_int_ne(read_model(policy, &model, &where), 0);
	n = (size_t)snprintf(
	    policy, sizeof policy, "{\"accounts\":{\"a\":{\"allow\":[");
	for (unsigned h = 0; h <= MODEL_HOSTS_MAX; h++)
		n += (size_t)snprintf(policy + n, sizeof policy - n,
		    "%s\"h%u.example:1\"", h == 0 ? "" : ",", h);
	(void)snprintf(policy + n, sizeof policy - n, "]}}}");
	ck_assert_int_ne(read_model(policy, &model, &where), 0);
}
END_TEST

static bool
may_lead(const struct model_account *account, const char *text)
{
	struct address a;

	ck_assert(address_parse(span_of(text), &a));
	return model_refuses(account, &a) == NULL;
}

START_TEST(names_lead)
{
	static const char *const never[] = {"127.0.0.1", "0.0.0.0",
	    "169.254.169.254", "192.168.1.1", "172.16.0.1", "100.64.0.1",
	    "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
	    "::ffff:93.184.216.34", "64:ff9b::7f00:1",
	    "2002:7f00:1::", "2001:db8::1", "ff02::1", "fec0::1"};
	struct json_error where;
	struct model model;

	ck_assert_int_eq(read_model(whole, &model, &where), 0);
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		ck_assert_msg(
		    !may_lead(&model.accounts[2], never[i]), "%s", never[i]);
	ck_assert(may_lead(&model.accounts[2], "93.184.216.34"));
	ck_assert(may_lead(&model.accounts[2], "2606:2800:220:1::1"));
	ck_assert(may_lead(&model.accounts[2], "10.1.2.3"));
	ck_assert(may_lead(&model.accounts[2], "fd12::1"));
	ck_assert(!may_lead(&model.accounts[2], "fc12::1"));
	ck_assert(!may_lead(&model.accounts[1], "10.1.2.3"));
	ck_assert_ptr_null(model_wide_range(&model.accounts[2]));
	model_free(&model);
	ck_assert_int_eq(
	    read_model(ACCOUNT("\"ranges\":[\"0.0.0.0/0\"]"), &model, &where),
	    0);
	ck_assert_ptr_nonnull(model_wide_range(&model.accounts[0]));
	model_free(&model);
}
END_TEST

START_TEST(looks_numbers_up)
{
	static const char *const bad[] = {"{\"accounts\":{\"root\":{}}}",
	    "{\"accounts\":{\"nobody\":{}}}",
	    "{\"accounts\":{\"no-such-account-here\":{}}}"};
	char reason[256];
	struct json_error where;
	struct model model;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ck_assert_int_eq(read_model(bad[i], &model, &where), 0);
		ck_assert_int_eq(
		    model_resolve(&model, reason, sizeof reason), -ERR_CONFIG);
		ck_assert(model.accounts[0].uid == (uid_t)-1);
		ck_assert_str_ne(reason, "");
		model_free(&model);
	}
	ck_assert_int_eq(
	    read_model("{\"accounts\":{\"daemon\":{}}}", &model, &where), 0);
	ck_assert_int_eq(model_resolve(&model, reason, sizeof reason), 0);
	ck_assert(model.accounts[0].uid != (uid_t)-1);
	model_free(&model);
}
END_TEST

static Suite *
model_suite(void)
{
	Suite *suite = suite_create("model");
	TCase *tc = tcase_create("model");

	tcase_add_loop_test(
	    tc, refuses, 0, (int)(sizeof refused / sizeof refused[0]));
	tcase_add_test(tc, reads);
	tcase_add_test(tc, packs);
	tcase_add_test(tc, packs_the_largest);
	tcase_add_test(tc, refuses_too_many);
	tcase_add_test(tc, names_lead);
	tcase_add_test(tc, looks_numbers_up);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return run_suite(model_suite());
}
