/*
 * config.json: defaults, places of errors, ranges, peers, sockets that have to
 * fit, and which files are read at all.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/account.h"
#include "common/err.h"
#include "common/lock.h"
#include "executor/config.h"

#define PATHS                                                                  \
	"\"version\":1,\"state\":\"/var/lib/t\",\"run\":\"/run/t\","           \
	"\"policy\":\"policy.json\""
#define ZONES                                                                  \
	"\"zones\":{\"planner\":{\"kind\":\"planner\"},"                       \
	"\"mail\":{\"kind\":\"reader\",\"channel\":\"mail\"}}"

static struct config *
parse(const char *text)
{
	struct config *config = NULL;
	struct json_error where;

	ck_assert_msg(
	    config_parse(span_of(text), "/etc/t", &config, &where) == 0,
	    "%u:%u: %s", where.line, where.column, where.detail);
	return config;
}

START_TEST(accounts)
{
	struct config *config = parse(
	    "{" PATHS "," ZONES
	    ",\"accounts\":{\"broker\":\"mail-broker\",\"reader\":64806}}");
	char usual[ACCOUNT_NAME_BYTES];

	account_default_name("auditor", usual, sizeof usual);
	ck_assert_str_eq(config_account(config, "broker"), "mail-broker");
	ck_assert_str_eq(config_account(config, "reader"), "64806");
	ck_assert_str_eq(config_account(config, "auditor"), usual);
	config_free(config);
}
END_TEST

START_TEST(needs)
{
	struct config *config =
	    parse("{" PATHS ",\"zones\":{"
		  "\"a\":{\"kind\":\"planner\"},"
		  "\"b\":{\"kind\":\"planner\",\"require\":[]},"
		  "\"c\":{\"kind\":\"reader\",\"channel\":\"mail\","
		  "\"require\":[\"cgroup\",\"own-user\"]}}}");

	ck_assert_uint_eq(config->zones[0].needs, NEED_DEFAULT);
	ck_assert_uint_eq(config->zones[1].needs, 0);
	ck_assert_uint_eq(config->zones[2].needs,
	    NEED_BIT(NEED_CGROUP) | NEED_BIT(NEED_OWN_USER));
	config_free(config);
}
END_TEST

/* The broker takes the numbers the parent looked up, and looks up nothing. */
START_TEST(peers_travel_as_numbers)
{
	static const char text[] =
	    "{" PATHS "," ZONES
	    ",\"peers\":{\"planner\":[\"root\",7],\"deliver\":[],"
	    "\"machines\":[64807]}}";
	static const char strange[] =
	    "{" PATHS "," ZONES
	    ",\"peers\":{\"planner\":[\"nobody-of-that-name\",7]}}";
	struct config *config = parse(text), *again = NULL;
	struct config_peers peers[CONFIG_MAX_ZONES + 4];
	struct json_error where;
	size_t count = config_peers_pack(config, peers, CONFIG_MAX_ZONES + 4);

	ck_assert_uint_eq(count, 6);
	ck_assert_int_eq(
	    config_parse_again(span_of(strange), "/etc/t", &again, &where), 0);
	ck_assert_uint_eq(again->zones[0].peers.count, 1);
	ck_assert_int_eq(
	    config_peers_unpack(again, peers, count - 1), -ERR_RANGE);
	ck_assert_int_eq(config_peers_unpack(again, peers, count), 0);
	ck_assert_uint_eq(again->zones[0].peers.count, 2);
	ck_assert(config_peer_allowed(&again->machine_peers, 64807));
	ck_assert(config_peer_allowed(&again->zones[0].peers, 0));
	ck_assert(config_peer_allowed(&again->zones[0].peers, 7));
	ck_assert_uint_eq(again->deliver_peers.count, 0);
	config_free(again);
	config_free(config);
}
END_TEST

START_TEST(defaults)
{
	struct config *config = parse("{" PATHS "," ZONES "}");

	ck_assert_str_eq(config->state, "/var/lib/t");
	ck_assert_str_eq(config->run, "/run/t");
	ck_assert_str_eq(config->policy, "/etc/t/policy.json");
	ck_assert_str_eq(config->audit, "/var/lib/t/audit");
	ck_assert_uint_eq(config->zone_count, 2);
	ck_assert_str_eq(config->zones[0].name, "planner");
	ck_assert_int_eq(config->zones[0].kind, ZONE_PLANNER);
	ck_assert_int_eq(config->zones[0].session, SESSION_PER_MESSAGE);
	ck_assert_uint_eq(config->zones[0].deadline_ms, 300000);
	ck_assert_uint_eq(config->zones[0].max_sessions, 4);
	ck_assert_int_eq(config->zones[1].kind, ZONE_READER);
	ck_assert_uint_eq(config->zones[1].channels, CHANNEL_BIT(CHANNEL_MAIL));
	ck_assert_ptr_eq(config_zone(config, SPAN("mail")), &config->zones[1]);
	ck_assert_ptr_eq(
	    config_reader(config, CHANNEL_MAIL), &config->zones[1]);
	ck_assert_ptr_null(config_zone(config, SPAN("mai")));
	ck_assert_ptr_null(config_reader(config, CHANNEL_TEXT));
	ck_assert_uint_eq(config->inbox.items, 100000);
	ck_assert_uint_eq(config->inbox.done_days, 30);
	ck_assert_uint_eq(config->deliver_channel_count, 0);
	ck_assert_uint_eq(config->deliver_per_minute, 600);
	ck_assert_ptr_null(config->operator_recipient);
	config_free(config);
	config_free(NULL);
}
END_TEST

START_TEST(everything_given)
{
	struct config *config = parse(
	    "{\"version\":1,\"state\":\"/s\",\"run\":\"/r\","
	    "\"policy\":\"/p/policy.json\",\"audit\":{\"path\":\"/a\"},"
	    "\"zones\":{\"p\":{\"kind\":\"planner\",\"session\":\"standing\","
	    "\"deadline_ms\":1000,\"max_sessions\":64},"
	    "\"m\":{\"kind\":\"reader\","
	    "\"channel\":[\"text\",\"mail\"]}},"
	    "\"inbox\":{\"max_items\":1,\"max_bytes\":33554432,"
	    "\"keep_days\":3650},"
	    "\"deliver\":{\"channels\":[\"mail\"],\"max_per_minute\":1},"
	    "\"operator\":{\"recipient\":\"age1qqqqqqqqqqqq\"},"
	    "\"peers\":{\"p\":[1001,\"root\"],\"deliver\":[],"
	    "\"operator\":[4294967294]}}");

	ck_assert_str_eq(config->policy, "/p/policy.json");
	ck_assert_str_eq(config->audit, "/a");
	ck_assert_int_eq(config->zones[0].session, SESSION_STANDING);
	ck_assert_uint_eq(config->zones[0].deadline_ms, 1000);
	ck_assert_uint_eq(config->inbox.total_bytes, 33554432);
	ck_assert_str_eq(config->deliver_channels[0], "mail");
	ck_assert_ptr_eq(
	    config_reader(config, CHANNEL_MAIL), &config->zones[1]);
	ck_assert_ptr_eq(
	    config_reader(config, CHANNEL_TEXT), &config->zones[1]);
	ck_assert_str_eq(config->operator_recipient, "age1qqqqqqqqqqqq");
	ck_assert(config_peer_allowed(&config->zones[0].peers, 1001));
	ck_assert(config_peer_allowed(&config->zones[0].peers, 0));
	ck_assert(!config_peer_allowed(&config->zones[0].peers, 1002));
	ck_assert(!config_peer_allowed(&config->deliver_peers, 0));
	ck_assert(config_peer_allowed(&config->operator_peers, 4294967294u));
	ck_assert(!config_peer_allowed(&config->operator_peers, 0));
	/* not named: root and we */
	ck_assert(config_peer_allowed(&config->zones[1].peers, 0));
	ck_assert(config_peer_allowed(&config->zones[1].peers, geteuid()));
	ck_assert(
	    !config_peer_allowed(&config->zones[1].peers, geteuid() + 12345));
	config_free(config);
}
END_TEST

#define LONG64                                                                 \
	"a234567890123456789012345678901234567890123456789012345678901234"

static const struct {
	const char *text;
	int error;
	unsigned column;
	const char *reason;
} refused[] = {
    {"{}", ERR_MISSING_KEY, 1, "version"},
    {"{\"version\":2}", ERR_RANGE, 12, "version"},
    {"{\"colour\":1," PATHS "}", ERR_UNKNOWN_KEY, 2, "colour"},
    {"{\"version\":1,\"run\":\"/r\",\"policy\":\"p\"}", ERR_MISSING_KEY, 1,
	"state"},
    {"{\"version\":1,\"state\":7,\"run\":\"/r\",\"policy\":\"p\"}", ERR_TYPE,
	22, "string"},
    {"{\"version\":1,\"state\":\"s\",\"run\":\"/r\",\"policy\":\"p\"}",
	ERR_PATH, 22, "absolute"},
    {"{\"version\":1,\"state\":\"/s/\",\"run\":\"/r\",\"policy\":\"p\"}",
	ERR_PATH, 22, "absolute"},
    {"{\"version\":1,\"state\":\"/\",\"run\":\"/r\",\"policy\":\"p\"}",
	ERR_PATH, 22, "absolute"},
    {"{\"version\":1,\"state\":\"/s/../x\",\"run\":\"/r\",\"policy\":\"p\"}",
	ERR_PATH, 22, "absolute"},
    {"{\"version\":1,\"state\":\"/s/./x\",\"run\":\"/r\",\"policy\":\"p\"}",
	ERR_PATH, 22, "absolute"},
    {"{\"version\":1,\"state\":\"/s//x\",\"run\":\"/r\",\"policy\":\"p\"}",
	ERR_PATH, 22, "absolute"},
    {"{\"version\":1,\"state\":\"/s\\nx\",\"run\":\"/r\",\"policy\":\"p\"}",
	ERR_PATH, 22, "path"},
    {"{\"version\":1,\"state\":\"/s\",\"run\":\"/r\",\"policy\":\"\"}",
	ERR_PATH, 47, "path"},
    {"{" PATHS ",\"audit\":{\"path\":\"a\"}}", ERR_PATH, 89, "absolute"},
    {"{" PATHS ",\"audit\":{\"file\":\"/a\"}}", ERR_UNKNOWN_KEY, 82, "file"},
    {"{" PATHS ",\"zones\":{\"A\":{\"kind\":\"planner\"}}}", ERR_RANGE, 82,
	"a zone"},
    {"{" PATHS ",\"zones\":{\"operator\":{\"kind\":\"planner\"}}}", ERR_RANGE,
	82, "another socket"},
    {"{" PATHS ",\"zones\":{\"p\":{}}}", ERR_MISSING_KEY, 86, "kind"},
    {"{" PATHS ",\"zones\":{\"p\":7}}", ERR_MISSING_KEY, 86, "kind"},
    {"{" PATHS ",\"zones\":{\"p\":{\"kind\":\"thinker\"}}}", ERR_RANGE, 94,
	"planner or reader"},
    {"{" PATHS ",\"zones\":{\"p\":{\"kind\":\"planner\","
     "\"channel\":\"mail\"}}}",
	ERR_UNKNOWN_KEY, 104, "channel"},
    {"{" PATHS ",\"zones\":{\"p\":{\"kind\":\"planner\","
     "\"session\":\"endless\"}}}",
	ERR_RANGE, 114, "per-message"},
    {"{" PATHS ",\"zones\":{\"p\":{\"kind\":\"planner\","
     "\"deadline_ms\":999}}}",
	ERR_RANGE, 118, "deadline_ms"},
    {"{" PATHS ",\"zones\":{\"p\":{\"kind\":\"planner\","
     "\"max_sessions\":65}}}",
	ERR_RANGE, 119, "max_sessions"},
    {"{" PATHS ",\"zones\":{\"m\":{\"kind\":\"reader\"}}}", ERR_MISSING_KEY, 86,
	"channel"},
    {"{" PATHS ",\"zones\":{\"m\":{\"kind\":\"reader\","
     "\"channel\":\"fax\"}}}",
	ERR_RANGE, 113, "no others"},
    {"{" PATHS ",\"zones\":{\"m\":{\"kind\":\"reader\","
     "\"channel\":\"mail\"},\"n\":{\"kind\":\"reader\","
     "\"channel\":\"mail\"}}}",
	ERR_RANGE, 152, "a reader already"},
    {"{" PATHS ",\"zones\":{\"m\":{\"kind\":\"reader\","
     "\"channel\":[]}}}",
	ERR_RANGE, 113, "no others"},
    {"{" PATHS ",\"zones\":{\"m\":{\"kind\":\"reader\","
     "\"channel\":[[\"text\"]]}}}",
	ERR_RANGE, 114, "no others"},
    {"{" PATHS ",\"zones\":{\"m\":{\"kind\":\"reader\","
     "\"channel\":[\"text\",\"text\"]}}}",
	ERR_RANGE, 121, "a reader already"},
    {"{" PATHS "," ZONES ",\"deliver\":{\"channels\":[\"text\"]}}", ERR_RANGE,
	177, "has to be"},
    {"{" PATHS ",\"inbox\":{\"max_items\":0}}", ERR_RANGE, 94, "max_items"},
    {"{" PATHS ",\"inbox\":{\"max_bytes\":1000}}", ERR_RANGE, 94, "max_bytes"},
    {"{" PATHS ",\"inbox\":{\"keep_days\":3651}}", ERR_RANGE, 94, "keep_days"},
    {"{" PATHS ",\"deliver\":{\"channels\":[\"mail\"]}}", ERR_RANGE, 96,
	"no reader"},
    {"{" PATHS "," ZONES ",\"deliver\":{\"channels\":[\"mail\",\"mail\"]}}",
	ERR_RANGE, 184, "twice"},
    {"{" PATHS ",\"deliver\":{\"max_per_minute\":0}}", ERR_RANGE, 101,
	"max_per_minute"},
    {"{" PATHS ",\"operator\":{\"recipient\":\"AGE-SECRET-KEY-1QQQQ\"}}",
	ERR_RANGE, 97, "never a secret key"},
    {"{" PATHS ",\"accounts\":{\"parent\":7}}", ERR_UNKNOWN_KEY, 85, "auditor"},
    {"{" PATHS ",\"accounts\":{\"broker\":0}}", ERR_TYPE, 94, "root"},
    {"{" PATHS ",\"accounts\":{\"broker\":\"\"}}", ERR_TYPE, 94, "account"},
    {"{" PATHS ",\"accounts\":{\"reader\":\"-x\"}}", ERR_TYPE, 94, "hyphen"},
    {"{" PATHS ",\"accounts\":{\"reader\":\"$(id)\"}}", ERR_TYPE, 94,
	"letters"},
    {"{" PATHS ",\"accounts\":{\"reader\":\"a\\tb\"}}", ERR_TYPE, 94,
	"letters"},
    {"{" PATHS ",\"zones\":{\"p\":{\"kind\":\"planner\","
     "\"require\":[\"trust\"]}}}",
	ERR_RANGE, 115, "no-network"},
    {"{" PATHS ",\"peers\":{\"planner\":[0]}}", ERR_UNKNOWN_KEY, 82,
	"of a zone"},
    {"{" PATHS ",\"peers\":{\"deliver\":0}}", ERR_TYPE, 92, "list"},
    {"{" PATHS ",\"peers\":{\"deliver\":[-1]}}", ERR_TYPE, 93, "number"},
    {"{" PATHS ",\"peers\":{\"deliver\":[4294967295]}}", ERR_TYPE, 93,
	"number"},
    {"{" PATHS ",\"peers\":{\"deliver\":[\"no such user\"]}}", ERR_RANGE, 93,
	"no user"},
    /* "/run/" + 30 + "/" + 64 + ".sock" is 105 bytes with its NUL */
    {"{\"version\":1,\"state\":\"/s\","
     "\"run\":\"/run/a23456789012345678901234567890\","
     "\"policy\":\"p\",\"zones\":{\"" LONG64 "\":{\"kind\":\"planner\"}}}",
	ERR_PATH, 33, "2 bytes too long"},
};

START_TEST(refused_with_place)
{
	struct config *config = NULL;
	struct json_error where = {0};

	ck_assert_int_eq(
	    config_parse(span_of(refused[_i].text), "/etc", &config, &where),
	    -refused[_i].error);
	ck_assert_ptr_null(config);
	ck_assert_msg(where.line == 1 && where.column == refused[_i].column,
	    "%s: place %u:%u (%s)", refused[_i].text, where.line, where.column,
	    where.detail);
	ck_assert_msg(strstr(where.detail, refused[_i].reason) != NULL,
	    "\"%s\" not in \"%s\"", refused[_i].reason, where.detail);
}
END_TEST

START_TEST(longest_socket)
{
	/* 103 bytes and a NUL */
	config_free(parse("{\"version\":1,\"state\":\"/s\","
			  "\"run\":\"/run/a234567890123456789012345678\","
			  "\"policy\":\"p\",\"zones\":{\"" LONG64
			  "\":{\"kind\":\"planner\"}}}"));
}
END_TEST

START_TEST(in_words)
{
	struct config *config =
	    parse("{" PATHS "," ZONES ",\"deliver\":{\"channels\":[\"mail\"]},"
		  "\"peers\":{\"mail\":[7,8,9]}}");
	struct buf out;

	buf_init(&out, 1u << 16);
	config_print(config, &out);
	buf_add_byte(&out, '\0');
	ck_assert_ptr_nonnull(strstr(out.data,
	    "planner: thinks, a session for each message; each ends after "
	    "300 s, at most 4 at a time and 6000 calls a minute\n"));
	ck_assert_ptr_nonnull(strstr(
	    out.data, "/run/t/mail.sock as user 7, user 8 and user 9\n"));
	ck_assert_ptr_nonnull(strstr(out.data, "nothing can be sealed"));
	buf_free(&out);
	config_free(config);
}
END_TEST

/*
 * Files.
 */
static char folder[64], path[128];

static void
make_folder(void)
{
	snprintf(folder, sizeof folder, "/tmp/test_config.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/config.json", folder);
}

static void
remove_folder(void)
{
	unlink(path);
	rmdir(path);
	rmdir(folder);
}

static void
write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0640), 0);
}

static void
expect_load(int error, const char *reason)
{
	struct json_error where = {0};
	struct config *config = config_load(path, &where);
	char text[500];

	if (error == 0) {
		ck_assert_msg(config != NULL, "%s", where.detail);
		config_free(config);
		return;
	}
	ck_assert_ptr_null(config);
	config_error_text("config.json", &where, text, sizeof text);
	ck_assert_msg(where.error == -error && strstr(text, reason) != NULL,
	    "%d: %s", where.error, text);
}

START_TEST(files)
{
	struct json_error where;
	struct config *config;
	char expected[200];

	expect_load(ERR_NOT_FOUND, "No such file");
	write_file("{" PATHS "}");
	expect_load(0, NULL);
	config = config_load(path, &where);
	ck_assert_ptr_nonnull(config);
	snprintf(expected, sizeof expected, "%s/policy.json", folder);
	ck_assert_str_eq(config->policy, expected);
	config_free(config);
	chmod(path, 0660);
	expect_load(ERR_CONFIG, "chmod go-w");
	chmod(path, 0602);
	expect_load(ERR_CONFIG, "chmod go-w");
	chmod(path, 0600);
	chmod(folder, 0770);
	expect_load(ERR_CONFIG, "chmod go-w");
	chmod(folder, 0700);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(path, 12345, 0), 0);
		expect_load(ERR_CONFIG, "12345");
		ck_assert_int_eq(chown(path, 0, 0), 0);
	}
	write_file("{" PATHS ",\n   \"colour\":1}");
	expect_load(
	    ERR_UNKNOWN_KEY, "config.json:2:4: unknown key: \"colour\"");
	write_file("");
	expect_load(ERR_SYNTAX, "config.json:1:1: ");
}
END_TEST

START_TEST(not_files)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	expect_load(ERR_CONFIG, "regular file");
	unlink(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	expect_load(ERR_CONFIG, "regular file");
}
END_TEST

START_TEST(too_large)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	for (unsigned i = 0; i <= CONFIG_MAX_BYTES; i++)
		fputc(' ', file);
	ck_assert_int_eq(fclose(file), 0);
	chmod(path, 0600);
	expect_load(ERR_TOO_LARGE, "bytes");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config");
	TCase *texts = tcase_create("texts"), *disk = tcase_create("files");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(texts, defaults);
	tcase_add_test(texts, accounts);
	tcase_add_test(texts, needs);
	tcase_add_test(texts, peers_travel_as_numbers);
	tcase_add_test(texts, everything_given);
	tcase_add_loop_test(
	    texts, refused_with_place, 0, sizeof refused / sizeof refused[0]);
	tcase_add_test(texts, longest_socket);
	tcase_add_test(texts, in_words);
	tcase_add_checked_fixture(disk, make_folder, remove_folder);
	tcase_add_test(disk, files);
	tcase_add_test(disk, not_files);
	tcase_add_test(disk, too_large);
	suite_add_tcase(suite, texts);
	suite_add_tcase(suite, disk);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
