/*
 * Rules of accounts as text: for each model and backend the whole of it, in
 * tests/data/firewall; what pf's own traps are; and the main file of pf. The
 * folder comes as TRIZONE_TEST_DATA or is tests/data; with TRIZONE_WRITE_GOLDEN
 * set, the files are written anew.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/firewall_impl.h"
#include "common/io.h"
#include "executor/firewall/load.h"
#include "executor/firewall/pf_lint.h"
#include "executor/firewall/text.h"
#include "tests/unit/run_suite.h"

/* Models by name; numbers are 4242 and those after it. */
static const struct {
	const char *name, *text;
	unsigned blocked; /* bits of accounts */
} models[] = {
    {"empty", "{\"accounts\":{\"agent\":{}}}", 0},
    {"names",
	"{\"accounts\":{\"agent\":{\"allow\":[\"api.example.com:443\","
	"\"api.example.com:8443\",\"www.example.com:443\","
	"\"stun.example.com:3478/udp\"]}}}",
	0},
    {"literals",
	"{\"accounts\":{\"agent\":{\"allow\":[\"192.0.2.7:443\","
	"\"[2001:db8::7]:443\",\"192.0.2.7:3478/udp\","
	"\"127.0.0.1:5432\"]}}}",
	0},
    {"two",
	"{\"accounts\":{\"agent\":{\"allow\":[\"api.example.com:443\"]},"
	"\"builder\":{\"allow\":[\"192.0.2.9:22\"]}}}",
	0},
    {"blocked",
	"{\"accounts\":{\"agent\":{\"allow\":[\"api.example.com:443\","
	"\"192.0.2.7:443\"]},\"builder\":{\"allow\":[\"192.0.2.9:22\"]}}}",
	1},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
make_model(size_t index, struct model *out)
{
	struct json_error where;
	struct json_doc doc;

	json_init(&doc);
	ck_assert_int_eq(
	    json_parse(&doc, span_of(models[index].text), NULL, &where), 0);
	ck_assert_int_eq(model_read(&doc, json_root(&doc), out, &where), 0);
	json_done(&doc);
	for (size_t i = 0; i < out->count; i++) {
		out->accounts[i].uid = (uid_t)(4242 + i);
		out->accounts[i].blocked =
		    (models[index].blocked >> i & 1) != 0;
	}
}

static void
golden_path(size_t index, enum firewall_backend backend, char *out, size_t room)
{
	const char *folder = getenv("TRIZONE_TEST_DATA");

	(void)snprintf(out, room, "%s/firewall/%s.%s",
	    folder != NULL ? folder : "tests/data", models[index].name,
	    firewall_backend_name(backend));
}

static void
is_golden(size_t index, enum firewall_backend backend)
{
	bool write = getenv("TRIZONE_WRITE_GOLDEN") != NULL;
	struct buf text, wanted;
	struct model model;
	char path[512];
	int fd;

	make_model(index, &model);
	buf_init(&text, TEXT_MAX_BYTES);
	buf_init(&wanted, TEXT_MAX_BYTES);
	text_print(backend, &model, &text);
	golden_path(index, backend, path, sizeof path);
	fd = open(path,
	    write ? O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
		  : O_RDONLY | O_CLOEXEC,
	    0644);
	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	if (write)
		ck_assert_int_eq(
		    io_write_all(fd, (struct span){text.data, text.len}), 0);
	else
		ck_assert_int_eq(io_read_all(fd, &wanted), 0);
	close(fd);
	if (!write)
		ck_assert_msg(text.len == wanted.len &&
				  memcmp(text.data, wanted.data, text.len) == 0,
		    "%s is not:\n%.*s", path, (int)text.len, text.data);
	model_free(&model);
	buf_free(&text);
	buf_free(&wanted);
}

/* nft lists a map by its numbers, whatever the names are. */
START_TEST(map_is_sorted)
{
	static const uid_t uids[] = {4300, 42, 997};
	struct model model;
	struct json_error where;
	struct json_doc doc;
	struct buf text;

	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc,
			     SPAN("{\"accounts\":{\"a\":{},\"b\":{},"
				  "\"c\":{}}}"),
			     NULL, &where),
	    0);
	ck_assert_int_eq(model_read(&doc, json_root(&doc), &model, &where), 0);
	json_done(&doc);
	for (size_t i = 0; i < 3; i++)
		model.accounts[i].uid = uids[i];
	buf_init(&text, TEXT_MAX_BYTES);
	text_nft_listing(&model, &text);
	buf_add_byte(&text, '\0');
	ck_assert_ptr_nonnull(strstr(text.data,
	    "vmap { 42 : jump account_42, 997 : jump account_997, "
	    "4300 : jump account_4300 }"));
	model_free(&model);
	buf_free(&text);
}
END_TEST

START_TEST(golden)
{
	for (unsigned b = 0; b < FIREWALL_BACKEND_COUNT; b++)
		is_golden((size_t)_i, (enum firewall_backend)b);
}
END_TEST

/* Words that pf as macOS has it does not know, or takes for something else. */
/* Whatever is logged: nobody drowns what others are said to have tried. */
START_TEST(logs_have_a_limit)
{
	struct span rest, line;
	struct model model;
	struct buf text;

	make_model((size_t)_i, &model);
	buf_init(&text, TEXT_MAX_BYTES);
	text_nft(&model, &text);
	ck_assert_int_eq(buf_add_byte(&text, '\0'), 0);
	rest = (struct span){text.data, text.len - 1};
	while (firewall_line(&rest, &line)) {
		char copy[512];

		ck_assert_int_eq(span_copy(line, copy, sizeof copy), 0);
		ck_assert_msg(strstr(copy, "log group") == NULL ||
				  strstr(copy, "limit rate") != NULL,
		    "%s", copy);
	}
	model_free(&model);
	buf_free(&text);
}
END_TEST

START_TEST(pf_is_plain)
{
	static const char *const never[] = {"uid", "==", "+", "utun", "lo0",
	    "!", "$", "set ", "include", "{", "}", "quick log"};
	struct model model;
	struct buf text;

	make_model((size_t)_i, &model);
	buf_init(&text, TEXT_MAX_BYTES);
	text_pf(&model, &text);
	buf_add_byte(&text, '\0');
	for (size_t i = 0; i < COUNT(never); i++)
		ck_assert_ptr_null(strstr(text.data, never[i]));
	model_free(&model);
	buf_free(&text);
}
END_TEST

struct found {
	unsigned count;
	char all[2048];
};

static void
on_found(void *context, unsigned line, const char *text)
{
	struct found *f = context;
	size_t used = strlen(f->all);

	f->count++;
	(void)snprintf(
	    f->all + used, sizeof f->all - used, "%u: %s\n", line, text);
}

START_TEST(ours_has_no_faults)
{
	struct found found = {0};
	struct model model;
	struct buf text;

	make_model((size_t)_i, &model);
	buf_init(&text, TEXT_MAX_BYTES);
	text_pf(&model, &text);
	pf_lint((struct span){text.data, text.len}, on_found, &found);
	ck_assert_msg(found.count == 0, "%s", found.all);
	model_free(&model);
	buf_free(&text);
}
END_TEST

/* A set of rules as people pass it around, with its faults. */
static const char faulty[] =
    "# the agent\n"
    "block out log on en0 proto { tcp udp } all user 503\n"
    "pass out quick proto tcp from any to <allowed> port 443 user 503\n"
    "pass out proto tcp to api.example.com port 443 user = 503\n"
    "pass quick on utun+ all\n"
    "block return out quick proto icmp all user 503\n"
    "block out quick all user 503\n"
    "pass out quick proto tcp to 192.0.2.1 user 503\n"
    "table <allowed> persist\n"
    "pass in quick on bridge from { } to any\n";

START_TEST(finds_faults)
{
	static const char *const wanted[] = {
	    "3: table <allowed> is not defined",
	    "3: may take back the block of line 2", "4: api.example.com",
	    "5: interface utun+: pf has no wildcards", "6: proto icmp",
	    "7: user 503 without proto", "8: never reached: line 7",
	    "10: interface bridge has no number", "10: { }: an empty list"};
	struct found found = {0};

	pf_lint(SPAN(faulty), on_found, &found);
	for (size_t i = 0; i < COUNT(wanted); i++)
		ck_assert_msg(strstr(found.all, wanted[i]) != NULL,
		    "%s not in:\n%s", wanted[i], found.all);
}
END_TEST

START_TEST(survives_anything)
{
	static const char *const texts[] = {"", "\n", "\"", "block", "pass on",
	    "table", "table <", "table <x", "{ } { } {", "block on + user",
	    "pass proto user on", "<> <a> <<", "block in \"x",
	    "user = ! =", "pass from any to", "#", "pass # on utun+"};
	struct found found = {0};

	for (size_t i = 0; i < COUNT(texts); i++)
		pf_lint(span_of(texts[i]), on_found, &found);
}
END_TEST

static const char apple[] = "#\n# Default PF configuration file.\n#\n"
			    "scrub-anchor \"com.apple/*\"\n"
			    "nat-anchor \"com.apple/*\"\n"
			    "rdr-anchor \"com.apple/*\"\n"
			    "dummynet-anchor \"com.apple/*\"\n"
			    "anchor \"com.apple/*\"\n"
			    "load anchor \"com.apple\" from "
			    "\"/etc/pf.anchors/com.apple\"\n";

START_TEST(pf_main_and_back)
{
	struct buf with, again, back;

	buf_init(&with, 65536);
	buf_init(&again, 65536);
	buf_init(&back, 65536);
	ck_assert_int_eq(text_pf_main(SPAN(apple), true, &with), 0);
	ck_assert_int_eq(
	    text_pf_main((struct span){with.data, with.len}, true, &again), 0);
	ck_assert_uint_eq(with.len, again.len);
	ck_assert_mem_eq(with.data, again.data, with.len);
	ck_assert_int_eq(
	    text_pf_main((struct span){again.data, again.len}, false, &back),
	    0);
	ck_assert_uint_eq(back.len, strlen(apple));
	ck_assert_mem_eq(back.data, apple, back.len);
	buf_add_byte(&with, '\0');
	ck_assert_ptr_nonnull(strstr(with.data,
	    "dummynet-anchor \"com.apple/*\"\n# trizone: begin\n"
	    "anchor \"trizone_accounts\"\n"));
	ck_assert_ptr_nonnull(
	    strstr(with.data, "# trizone: end\nanchor \"com.apple/*\"\n"));
	buf_clear(&back);
	ck_assert_int_eq(
	    text_pf_main(SPAN("block all\n"), true, &back), -ERR_SYNTAX);
	buf_clear(&back);
	ck_assert_int_eq(
	    text_pf_main(SPAN("# trizone: begin\nanchor \"x\"\n"), true, &back),
	    -ERR_SYNTAX);
	buf_free(&with);
	buf_free(&again);
	buf_free(&back);
}
END_TEST

static Suite *
text_suite(void)
{
	Suite *suite = suite_create("firewall_text");
	TCase *tc = tcase_create("text");

	tcase_add_test(tc, map_is_sorted);
	tcase_add_loop_test(tc, golden, 0, (int)COUNT(models));
	tcase_add_loop_test(tc, logs_have_a_limit, 0, (int)COUNT(models));
	tcase_add_loop_test(tc, pf_is_plain, 0, (int)COUNT(models));
	tcase_add_loop_test(tc, ours_has_no_faults, 0, (int)COUNT(models));
	tcase_add_test(tc, finds_faults);
	tcase_add_test(tc, survives_anything);
	tcase_add_test(tc, pf_main_and_back);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return run_suite(text_suite());
}
