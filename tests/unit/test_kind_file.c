/*
 * Kind `file`: settings, refusals of the kind itself, and the three effects on
 * real folders, hostile ones included; and the lock below them.
 * TRIZONE_RACES sets how often the races read (20,000).
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/landlock.h"
#include "common/log.h"
#include "executor/beneath.h"
#include "executor/file.h"
#include "executor/kind.h"
#include "executor/order.h"
#include "tests/unit/host.h"

#define RESULT_MAX (1u << 20)

static char base[64];
static const struct kind *kind;

/* One call from beginning to end, as a courier does it. */
struct call {
	const struct kind_method *method;
	void *settings;
	int rc;
	struct buf result, content;
	char detail[200];
	struct json_doc doc;
};

static void
make_bytes(const char *name, const char *bytes, size_t count)
{
	FILE *f = fopen(name, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, count, f), count);
	ck_assert_int_eq(fclose(f), 0);
}

static void
make_file(const char *name, const char *text)
{
	make_bytes(name, text, strlen(text));
}

static void
expect_file(const char *name, const char *text)
{
	char got[1024] = "";
	FILE *f = fopen(name, "r");

	ck_assert_ptr_nonnull(f);
	got[fread(got, 1, sizeof got - 1, f)] = '\0';
	fclose(f);
	ck_assert_str_eq(got, text);
}

static void
set_up(void)
{
	log_set_level(LOG_ERROR);
	kind = kind_find(SPAN("file"));
	ck_assert_ptr_nonnull(kind);
	snprintf(base, sizeof base, "/tmp/test_kind_file.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	ck_assert_int_eq(chdir(base), 0);
	ck_assert_int_eq(mkdir("root", 0700), 0);
	ck_assert_int_eq(mkdir("root/sub", 0700), 0);
	make_file("secret", "secret");
}

static void
tear_down(void)
{
	char command[128];

	ck_assert_int_eq(chdir("/"), 0);
	snprintf(command, sizeof command, "rm -rf %s", base);
	ck_assert_int_eq(system(command), 0);
}

static int
parse_settings(const char *method, const char *text, void **settings_out,
    struct json_error *where)
{
	struct json_doc doc;
	int rc;

	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, span_of(text), NULL, where), 0);
	rc = kind->settings_parse(&doc, json_root(&doc),
	    kind_method_find(kind, span_of(method)), settings_out, where);
	json_done(&doc);
	return rc;
}

/* Settings below base/root, with `more` members. */
static void
call_open(struct call *c, const char *method, const char *more)
{
	char *text = alloc_format("{\"root\":\"%s/root\"%s}", base, more);
	struct json_error where;

	memset(c, 0, sizeof *c);
	c->method = kind_method_find(kind, span_of(method));
	ck_assert_int_eq(parse_settings(method, text, &c->settings, &where), 0);
	free(text);
	kind->open(c->settings, c->method);
	buf_init(&c->result, RESULT_MAX);
	buf_init(&c->content, RESULT_CONTENT_MAX);
	json_init(&c->doc);
}

static void
call_done(struct call *c)
{
	kind->settings_free(c->settings);
	buf_free(&c->result);
	buf_free(&c->content);
	json_done(&c->doc);
}

/* Run; on success c->doc is the result, on failure there must be a reason
 * and no result. */
static int
call_run(struct call *c, const char *arguments)
{
	struct json_doc doc;

	json_init(&doc);
	ck_assert_int_eq(json_parse(&doc, span_of(arguments), NULL, NULL), 0);
	buf_clear(&c->result);
	buf_clear(&c->content);
	c->detail[0] = '\0';
	c->rc = kind->run(c->settings, c->method, &doc, json_root(&doc),
	    &c->result, &c->content, c->detail, sizeof c->detail);
	json_done(&doc);
	if (c->rc != 0 || !c->method->content)
		ck_assert_uint_eq(c->content.len, 0);
	if (c->rc != 0) {
		ck_assert_uint_eq(c->result.len, 0);
		ck_assert_uint_gt(strlen(c->detail), 5);
		return c->rc;
	}
	ck_assert_int_eq(
	    json_parse(&c->doc, (struct span){c->result.data, c->result.len},
		NULL, NULL),
	    0);
	return 0;
}

static int
call_path(struct call *c, const char *path)
{
	char *arguments = alloc_format("{\"path\":\"%s\"}", path);
	int rc = call_run(c, arguments);

	free(arguments);
	return rc;
}

static const struct json_node *
result_at(struct call *c, const char *pointer)
{
	const struct json_node *node =
	    json_pointer(&c->doc, json_root(&c->doc), span_of(pointer));

	ck_assert_msg(node != NULL, "no %s in %.*s", pointer,
	    (int)c->result.len, c->result.data);
	return node;
}

static void
expect_integer(struct call *c, const char *pointer, int64_t want)
{
	ck_assert_int_eq(result_at(c, pointer)->value.integer, want);
}

static void
expect_text(struct call *c, const char *pointer, const char *want)
{
	struct span got = result_at(c, pointer)->value.string;

	ck_assert_msg(span_is(got, want), "%s: \"%.*s\", wanted \"%s\"",
	    pointer, (int)got.n, got.p, want);
}

static void
expect_bytes(struct call *c, const char *want, size_t count)
{
	ck_assert_uint_eq(c->content.len, count);
	if (count != 0)
		ck_assert_mem_eq(c->content.data, want, count);
}

static void
expect_content(struct call *c, const char *want)
{
	expect_bytes(c, want, strlen(want));
}

START_TEST(settings_refused)
{
	static const struct {
		const char *method, *text;
		int want;
		unsigned column;
	} rows[] = {
	    {"read", "{}", -ERR_MISSING_KEY, 1},
	    {"read", "{\"root\":1}", -ERR_TYPE, 9},
	    {"read", "{\"root\":\"\"}", -ERR_RANGE, 9},
	    {"read", "{\"root\":\"notes\"}", -ERR_CONFIG, 9},
	    {"read", "{\"root\":\"/\"}", -ERR_CONFIG, 9},
	    {"read", "{\"root\":\"/srv/\"}", -ERR_CONFIG, 9},
	    {"read", "{\"root\":\"/srv/../etc\"}", -ERR_CONFIG, 9},
	    {"read", "{\"root\":\"/a\",\"colour\":1}", -ERR_UNKNOWN_KEY, 14},
	    {"read", "{\"root\":\"/a\",\"write\":1}", -ERR_TYPE, 22},
	    {"read", "{\"root\":\"/a\",\"max_bytes\":0}", -ERR_RANGE, 26},
	    {"read", "{\"root\":\"/a\",\"max_bytes\":1048577}", -ERR_RANGE, 26},
	    {"read", "{\"root\":\"/a\",\"max_chars\":5}", -ERR_UNKNOWN_KEY, 14},
	    {"write", "{\"root\":\"/a\"}", -ERR_CONFIG, 1},
	    {"write", "{\"root\":\"/a\",\"write\":false}", -ERR_CONFIG, 22},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct json_error where;
		void *settings = NULL;
		int rc = parse_settings(
		    rows[i].method, rows[i].text, &settings, &where);

		ck_assert_msg(
		    rc == rows[i].want, "%s: %s", rows[i].text, err_name(rc));
		ck_assert_uint_eq(where.column, rows[i].column);
		ck_assert_ptr_null(settings);
	}
}
END_TEST

START_TEST(settings_in_words)
{
	static const char *const methods[] = {"read", "list", "write"};
	struct buf out;

	for (size_t i = 0; i < 3; i++) {
		struct json_error where;
		void *settings;

		ck_assert_int_eq(parse_settings(methods[i],
				     "{\"root\":\"/srv/n\",\"write\":true}",
				     &settings, &where),
		    0);
		buf_init(&out, 1000);
		kind->settings_print(settings,
		    kind_method_find(kind, span_of(methods[i])), &out);
		ck_assert_uint_gt(out.len, 30);
		ck_assert_int_eq(out.data[out.len - 1], '.');
		buf_free(&out);
		kind->settings_free(settings);
	}
	kind->settings_free(NULL);
}
END_TEST

/* What the kind refuses whatever the schema says. */
START_TEST(arguments_refused)
{
	static const struct {
		const char *method, *text;
		int want;
	} rows[] = {
	    {"read", "{}", -ERR_SCHEMA},
	    {"read", "[]", -ERR_SCHEMA},
	    {"read", "{\"path\":1}", -ERR_SCHEMA},
	    {"read", "{\"path\":\"f\",\"text\":\"x\"}", -ERR_SCHEMA},
	    {"read", "{\"path\":\"f\",\"\\u202e<b>\":1}", -ERR_SCHEMA},
	    {"read", "{\"path\":\"\"}", -ERR_PATH},
	    {"read", "{\"path\":\".\"}", -ERR_PATH},
	    {"read", "{\"path\":\"..\"}", -ERR_PATH},
	    {"read", "{\"path\":\"../secret\"}", -ERR_PATH},
	    {"read", "{\"path\":\"sub/../../secret\"}", -ERR_PATH},
	    {"read", "{\"path\":\"../../etc/shadow\"}", -ERR_PATH},
	    {"read", "{\"path\":\"/etc/passwd\"}", -ERR_PATH},
	    {"read", "{\"path\":\"/proc/self/environ\"}", -ERR_PATH},
	    {"read", "{\"path\":\"sub//f\"}", -ERR_PATH},
	    {"read", "{\"path\":\"sub/\"}", -ERR_PATH},
	    {"read", "{\"path\":\"./f\"}", -ERR_PATH},
	    {"read", "{\"path\":\"sub/./f\"}", -ERR_PATH},
	    {"read", "{\"path\":\"a\\nb\"}", -ERR_PATH},
	    {"read", "{\"path\":\".trizone-tmp-1-0\"}", -ERR_PATH},
	    {"list", "{\"path\":\"..\"}", -ERR_PATH},
	    {"list", "{\"path\":\"./\"}", -ERR_PATH},
	    {"list", "{\"path\":\"\"}", -ERR_PATH},
	    {"list", "{\"text\":\"x\"}", -ERR_SCHEMA},
	    {"write", "{\"path\":\"f\"}", -ERR_SCHEMA},
	    {"write", "{\"path\":\"..\",\"text\":\"\"}", -ERR_PATH},
	    {"write", "{\"path\":\".\",\"text\":\"\"}", -ERR_PATH},
	    {"write", "{\"path\":\"sub/.trizone-tmp-x\",\"text\":\"\"}",
		-ERR_PATH},
	    {"write", "{\"path\":\"f\",\"text\":\"12345678901\"}", -ERR_SCHEMA},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct call c;
		struct json_doc doc;

		call_open(
		    &c, rows[i].method, ",\"write\":true,\"max_bytes\":10");
		json_init(&doc);
		ck_assert_int_eq(
		    json_parse(&doc, span_of(rows[i].text), NULL, NULL), 0);
		ck_assert_msg(
		    kind->check(c.settings, c.method, &doc, json_root(&doc),
			c.detail, sizeof c.detail) == rows[i].want,
		    "%s", rows[i].text);
		for (const char *p = c.detail; *p != '\0'; p++)
			ck_assert(*p >= ' ' && *p < 0x7f);
		ck_assert_int_eq(call_run(&c, rows[i].text), rows[i].want);
		json_done(&doc);
		call_done(&c);
	}
}
END_TEST

START_TEST(read_plain)
{
	struct call c;

	make_file("root/sub/f", "one & <two>\n\tthree \xe2\x82\xac");
	call_open(&c, "read", "");
	ck_assert_int_eq(call_path(&c, "sub/f"), 0);
	expect_text(&c, "/path", "sub/f");
	expect_content(&c, "one & <two>\n\tthree \xe2\x82\xac");
	expect_integer(&c, "/bytes", 22);
	ck_assert_uint_eq(result_at(&c, "/truncated")->count, 0);
	make_file("root/empty", "");
	ck_assert_int_eq(call_path(&c, "empty"), 0);
	expect_content(&c, "");
	expect_integer(&c, "/bytes", 0);
	call_done(&c);
}
END_TEST

START_TEST(read_hostile_bytes)
{
	static const char bytes[] = "a\0b\x1b[2J\r\n\xff\xc3(\xed\xa0\x80"
				    "\xe2\x80\xae"
				    "x\xc2\x9b\x7f\xf3\xa0\x81\x81";
	struct call c;

	make_bytes("root/f", bytes, sizeof bytes - 1);
	call_open(&c, "read", "");
	ck_assert_int_eq(call_path(&c, "f"), 0);
	/* all of it is the reader's */
	expect_bytes(&c, bytes, sizeof bytes - 1);
	expect_integer(&c, "/bytes", sizeof bytes - 1);
	call_done(&c);
}
END_TEST

START_TEST(read_cut_bytes)
{
	struct call c;

	call_open(&c, "read", ",\"max_bytes\":10");
	make_file("root/f", "0123456789");
	ck_assert_int_eq(call_path(&c, "f"), 0);
	ck_assert_uint_eq(result_at(&c, "/truncated")->count, 0);
	make_file("root/f", "0123456789a");
	ck_assert_int_eq(call_path(&c, "f"), 0);
	expect_content(&c, "0123456789");
	expect_integer(&c, "/bytes", 11);
	expect_text(&c, "/truncated/0/what", "bytes");
	expect_integer(&c, "/truncated/0/kept", 10);
	expect_integer(&c, "/truncated/0/of", 11);
	/* a character that the cut would have split is left out whole */
	make_file("root/f", "01234567\xe2\x82\xac\xe2\x82\xac");
	ck_assert_int_eq(call_path(&c, "f"), 0);
	expect_content(&c, "01234567");
	expect_integer(&c, "/truncated/0/kept", 8);
	expect_integer(&c, "/truncated/0/of", 14);
	/* a whole one at the cut stays */
	make_file("root/f", "0123456\xe2\x82\xac\xe2\x82\xac");
	ck_assert_int_eq(call_path(&c, "f"), 0);
	expect_content(&c, "0123456\xe2\x82\xac");
	expect_integer(&c, "/truncated/0/kept", 10);
	call_done(&c);
}
END_TEST

/* Half a unit of UTF-16 is cut off; what looks like UTF-8 in it is none. */
START_TEST(read_cut_wide)
{
	struct call c;

	make_bytes("root/f",
	    "\xff\xfe"
	    "a\0b\0c\0d\0",
	    10);
	make_bytes("root/g", "\xfe\xff\0a\0b\x20\xc3\0d", 10);
	call_open(&c, "read", ",\"max_bytes\":7");
	ck_assert_int_eq(call_path(&c, "f"), 0);
	ck_assert_uint_eq(c.content.len, 6);
	ck_assert_mem_eq(c.content.data,
	    "\xff\xfe"
	    "a\0b\0",
	    6);
	expect_text(&c, "/truncated/0/what", "bytes");
	expect_integer(&c, "/truncated/0/kept", 6);
	expect_integer(&c, "/truncated/0/of", 10);
	call_done(&c);
	call_open(&c, "read", ",\"max_bytes\":8");
	ck_assert_int_eq(call_path(&c, "g"), 0);
	ck_assert_uint_eq(c.content.len, 8);
	expect_integer(&c, "/truncated/0/kept", 8);
	call_done(&c);
}
END_TEST

/* As many bytes as it is allowed, of any kind; and that is what the executor
 * keeps room for. */
START_TEST(read_largest)
{
	size_t bytes = 1 << 20;
	char *text = alloc_bytes(bytes + 1);
	struct call c;

	memset(text, 0xff, bytes + 1);
	make_bytes("root/f", text, bytes + 1);
	for (size_t i = 0; i < bytes; i += 4)
		memcpy(text + i, "\xf0\x9f\x98\x80", 4);
	make_bytes("root/g", text, bytes);
	free(text);
	call_open(&c, "read", ",\"max_bytes\":1048576");
	ck_assert_uint_eq(kind->content_max(c.settings, c.method), bytes);
	ck_assert_int_eq(call_path(&c, "f"), 0);
	expect_integer(&c, "/truncated/0/of", (1 << 20) + 1);
	ck_assert_uint_eq(c.content.len, bytes);
	ck_assert_int_eq(call_path(&c, "g"), 0);
	ck_assert_uint_eq(c.content.len, bytes);
	call_done(&c);
}
END_TEST

START_TEST(read_result_does_not_fit)
{
	struct call c;

	make_file("root/f", "0123456789");
	call_open(&c, "read", "");
	buf_free(&c.result);
	buf_init(&c.result, 20);
	ck_assert_int_eq(call_path(&c, "f"), -ERR_FAILED);
	call_done(&c);
}
END_TEST

START_TEST(read_refused)
{
	struct call c;

	make_file("root/f", "inside");
	ck_assert_int_eq(symlink("../secret", "root/link"), 0);
	ck_assert_int_eq(symlink("..", "root/up"), 0);
	ck_assert_int_eq(mkfifo("root/fifo", 0600), 0);
	ck_assert_int_eq(mkdir("root-evil", 0700), 0);
	make_file("root-evil/f", "secret");
	call_open(&c, "read", "");
	ck_assert_int_eq(call_path(&c, "f"), 0);
	ck_assert_int_eq(call_path(&c, "link"), -ERR_PATH);
	ck_assert_int_eq(call_path(&c, "up/secret"), -ERR_PATH);
	ck_assert_int_eq(call_path(&c, "fifo"), -ERR_NOT_REGULAR);
	ck_assert_int_eq(call_path(&c, "sub"), -ERR_NOT_REGULAR);
	ck_assert_int_eq(call_path(&c, "none"), -ERR_NOT_FOUND);
	ck_assert_int_eq(call_path(&c, "none/f"), -ERR_NOT_FOUND);
	ck_assert_int_eq(call_path(&c, "f/f"), -ERR_NOT_FOUND);
	ck_assert_int_eq(call_path(&c, "-evil/f"), -ERR_NOT_FOUND);
	ck_assert_int_eq(call_path(&c, "../root-evil/f"), -ERR_PATH);
	call_done(&c);
}
END_TEST

START_TEST(hard_links)
{
	struct call c;

	ck_assert_int_eq(link("secret", "root/innocent"), 0);
	call_open(&c, "read", "");
	ck_assert_int_eq(call_path(&c, "innocent"), -ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(c.detail, "several hard links"));
	call_done(&c);
	call_open(&c, "write", ",\"write\":true");
	ck_assert_int_eq(
	    call_run(&c, "{\"path\":\"innocent\",\"text\":\"mine\"}"),
	    -ERR_REFUSED);
	call_done(&c);
	expect_file("secret", "secret");
	call_open(&c, "read", ",\"hard_links\":true");
	ck_assert_int_eq(call_path(&c, "innocent"), 0);
	expect_content(&c, "secret");
	call_done(&c);
	/* with leave, the name is replaced and the file outside stays */
	call_open(&c, "write", ",\"write\":true,\"hard_links\":true");
	ck_assert_int_eq(
	    call_run(&c, "{\"path\":\"innocent\",\"text\":\"mine\"}"), 0);
	call_done(&c);
	expect_file("secret", "secret");
	expect_file("root/innocent", "mine");
}
END_TEST

static atomic_bool stop;

static void *
grow(void *unused)
{
	FILE *f = fopen("root/log", "a");

	for (int i = 0; !stop && i < 2000000; i++)
		fputs("0123456789abcdef", f);
	fclose(f);
	return unused;
}

START_TEST(read_growing)
{
	pthread_t thread;
	struct call c;

	make_file("root/log", "");
	call_open(&c, "read", ",\"max_bytes\":1000");
	pthread_create(&thread, NULL, grow, NULL);
	for (int i = 0; i < 2000; i++) {
		int64_t bytes;

		ck_assert_int_eq(call_path(&c, "log"), 0);
		bytes = result_at(&c, "/bytes")->value.integer;
		if (bytes <= 1000) {
			ck_assert_uint_eq(c.content.len, (size_t)bytes);
			continue;
		}
		ck_assert_uint_eq(c.content.len, 1000);
		expect_integer(&c, "/truncated/0/kept", 1000);
		expect_integer(&c, "/truncated/0/of", bytes);
	}
	stop = true;
	pthread_join(thread, NULL);
	call_done(&c);
}
END_TEST

START_TEST(list_folder)
{
	struct call c;

	make_file("root/b", "12345");
	make_file("root/a-1.txt", "");
	make_file("root/with space", "");
	make_file("root/ignore all\nprevious", "");
	make_file("root/bad\xff", "");
	make_file("root/" FILE_TEMP_PREFIX "1-0", "");
	ck_assert_int_eq(symlink("b", "root/link"), 0);
	ck_assert_int_eq(mkfifo("root/fifo", 0600), 0);
	call_open(&c, "list", "");
	ck_assert_int_eq(call_run(&c, "{}"), 0);
	expect_text(&c, "/path", ".");
	ck_assert_uint_eq(result_at(&c, "/entries")->count, 3);
	expect_text(&c, "/entries/0/name", "a-1.txt");
	expect_text(&c, "/entries/1/name", "b");
	expect_text(&c, "/entries/1/kind", "file");
	expect_integer(&c, "/entries/1/bytes", 5);
	expect_text(&c, "/entries/2/name", "sub");
	expect_text(&c, "/entries/2/kind", "directory");
	expect_integer(&c, "/entries/2/bytes", 0);
	expect_integer(&c, "/not_shown", 4);
	expect_integer(&c, "/other", 2);
	ck_assert_uint_eq(result_at(&c, "/truncated")->count, 0);
	/* again: the root's own position has not moved */
	ck_assert_int_eq(call_path(&c, "."), 0);
	ck_assert_uint_eq(result_at(&c, "/entries")->count, 3);
	ck_assert_int_eq(call_path(&c, "sub"), 0);
	ck_assert_uint_eq(result_at(&c, "/entries")->count, 0);
	ck_assert_int_eq(call_path(&c, "b"), -ERR_NOT_FOUND);
	ck_assert_int_eq(call_path(&c, "link"), -ERR_PATH);
	ck_assert_int_eq(call_path(&c, "fifo"), -ERR_NOT_FOUND);
	call_done(&c);
}
END_TEST

START_TEST(list_many)
{
	struct call c;
	char name[300];

	for (int i = 0; i < 4500; i++) {
		snprintf(name, sizeof name, "root/sub/%05d%0240d",
		    i * 7919 % 4500, 0);
		make_file(name, "");
	}
	call_open(&c, "list", "");
	ck_assert_int_eq(call_path(&c, "sub"), 0);
	ck_assert_uint_eq(result_at(&c, "/entries")->count, 1000);
	snprintf(name, sizeof name, "00999%0240d", 0);
	expect_text(&c, "/entries/999/name", name);
	expect_text(&c, "/truncated/0/what", "entries");
	expect_integer(&c, "/truncated/0/kept", 1000);
	expect_integer(&c, "/truncated/0/of", 4500);
	call_done(&c);
}
END_TEST

static size_t
count_temps(const char *folder)
{
	char *command = alloc_format("test $(find %s -name '" FILE_TEMP_PREFIX
				     "*' | wc -l) -eq 0",
	    folder);
	int status = system(command);

	free(command);
	return status == 0 ? 0 : 1;
}

START_TEST(write_new_and_again)
{
	struct call c;
	struct stat status;

	call_open(&c, "write", ",\"write\":true");
	ck_assert_int_eq(
	    call_run(&c, "{\"path\":\"sub/f\",\"text\":\"abc\"}"), 0);
	expect_text(&c, "/path", "sub/f");
	expect_integer(&c, "/bytes", 3);
	expect_text(&c, "/sha256",
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	expect_file("root/sub/f", "abc");
	ck_assert_int_eq(stat("root/sub/f", &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
	ck_assert_int_eq(chmod("root/sub/f", 04755), 0);
	ck_assert_int_eq(call_run(&c, "{\"path\":\"sub/f\",\"text\":\"\"}"), 0);
	expect_file("root/sub/f", "");
	ck_assert_int_eq(stat("root/sub/f", &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0644);
	ck_assert_uint_eq(count_temps("root"), 0);
	call_done(&c);
}
END_TEST

START_TEST(write_refused)
{
	struct call c;

	ck_assert_int_eq(symlink("../secret", "root/link"), 0);
	ck_assert_int_eq(symlink("..", "root/up"), 0);
	ck_assert_int_eq(symlink("../new", "root/dangling"), 0);
	ck_assert_int_eq(mkfifo("root/fifo", 0600), 0);
	call_open(&c, "write", ",\"write\":true");
	ck_assert_int_eq(
	    call_run(&c, "{\"path\":\"link\",\"text\":\"x\"}"), -ERR_PATH);
	ck_assert_int_eq(
	    call_run(&c, "{\"path\":\"dangling\",\"text\":\"x\"}"), -ERR_PATH);
	ck_assert_int_eq(
	    call_run(&c, "{\"path\":\"up/secret\",\"text\":\"x\"}"), -ERR_PATH);
	ck_assert_int_eq(call_run(&c, "{\"path\":\"fifo\",\"text\":\"x\"}"),
	    -ERR_NOT_REGULAR);
	ck_assert_int_eq(call_run(&c, "{\"path\":\"sub\",\"text\":\"x\"}"),
	    -ERR_NOT_REGULAR);
	ck_assert_int_eq(
	    call_run(&c, "{\"path\":\"no/f\",\"text\":\"x\"}"), -ERR_NOT_FOUND);
	buf_free(&c.result);
	buf_init(&c.result, 20);
	ck_assert_int_eq(
	    call_run(&c, "{\"path\":\"f\",\"text\":\"x\"}"), -ERR_FAILED);
	ck_assert_int_ne(access("root/f", F_OK), 0);
	call_done(&c);
	expect_file("secret", "secret");
	ck_assert_int_ne(access("new", F_OK), 0);
	ck_assert_uint_eq(count_temps("root"), 0);
}
END_TEST

/* The file size limit stands for a full disk where there is no tmpfs. */
START_TEST(write_file_limit)
{
	struct rlimit limit = {2000, 2000};
	char text[4096];
	struct call c;

	make_file("root/f", "old");
	call_open(&c, "write", ",\"write\":true");
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	snprintf(text, sizeof text, "{\"path\":\"f\",\"text\":\"%03000d\"}", 0);
	ck_assert_int_eq(call_run(&c, text), -ERR_NO_SPACE);
	expect_file("root/f", "old");
	ck_assert_uint_eq(count_temps("root"), 0);
	call_done(&c);
}
END_TEST

START_TEST(write_disk_full)
{
	char *text;
	struct call c;

	ck_assert_int_eq(mkdir("root/full", 0700), 0);
	if (!host_private_mounts() || !host_mount_memory("root", "128k")) {
		fprintf(stderr, "cannot mount: full disk not tested\n");
		return;
	}
	make_file("root/f", "old");
	text = alloc_format("{\"path\":\"f\",\"text\":\"%090000d\"}", 0);
	call_open(&c, "write", ",\"write\":true");
	ck_assert_int_eq(call_run(&c, text), 0);
	/* the new one does not fit beside the old one */
	text[strlen(text) - 3] = '1';
	ck_assert_int_eq(call_run(&c, text), -ERR_NO_SPACE);
	ck_assert_uint_eq(count_temps("root"), 0);
	ck_assert_int_eq(
	    call_run(&c, "{\"path\":\"g\",\"text\":\"small\"}"), 0);
	expect_file("root/g", "small");
	call_done(&c);
	free(text);
	host_unmount("root");
}
END_TEST

/* Before the rename: nothing happened. Behind it: nobody knows. */
START_TEST(write_sync_fails)
{
	struct call c;

	make_file("root/f", "old");
	call_open(&c, "write", ",\"write\":true");
	if (!host_without_folder_sync()) {
		fprintf(stderr, "cannot make sync fail: not tested\n");
		call_done(&c);
		return;
	}
	ck_assert_int_eq(call_run(&c, "{\"path\":\"f\",\"text\":\"new\"}"),
	    -ERR_UNKNOWN_OUTCOME);
	expect_file("root/f", "new");
	ck_assert(host_without_file_sync());
	ck_assert_int_eq(
	    call_run(&c, "{\"path\":\"f\",\"text\":\"newer\"}"), -ERR_IO);
	expect_file("root/f", "new");
	ck_assert_uint_eq(count_temps("root"), 0);
	call_done(&c);
}
END_TEST

/* Killed at any moment, the name holds one text or the other, whole. */
START_TEST(write_killed)
{
	static const char *const texts[] = {"aaaaaaaa", "bbbbbbbb"};
	struct call c;
	char got[32];

	make_file("root/f", texts[0]);
	for (unsigned i = 0; i < 60; i++) {
		pid_t child = fork();
		FILE *f;

		ck_assert_int_ge(child, 0);
		if (child == 0) {
			call_open(&c, "write", ",\"write\":true");
			for (unsigned n = 0;; n++)
				call_run(&c, n % 2 == 0
						 ? "{\"path\":\"f\","
						   "\"text\":\"bbbbbbbb\"}"
						 : "{\"path\":\"f\","
						   "\"text\":\"aaaaaaaa\"}");
		}
		usleep(3000 + i * 137);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		f = fopen("root/f", "r");
		got[fread(got, 1, sizeof got - 1, f)] = '\0';
		fclose(f);
		ck_assert(
		    strcmp(got, texts[0]) == 0 || strcmp(got, texts[1]) == 0);
	}
	call_open(&c, "write", ",\"write\":true");
	call_done(&c);
	ck_assert_uint_eq(count_temps("root"), 0);
}
END_TEST

START_TEST(clean_at_open)
{
	struct call c;
	int fd;

	make_file("root/" FILE_TEMP_PREFIX "77-0", "stale");
	make_file("root/sub/" FILE_TEMP_PREFIX "77-1", "stale");
	make_file("root/sub/keep", "keep");
	ck_assert_int_eq(symlink("../secret", "root/" FILE_TEMP_PREFIX "l"), 0);
	ck_assert_int_eq(symlink("..", "root/up"), 0);
	make_file(FILE_TEMP_PREFIX "outside", "outside");
	make_file("root/" FILE_TEMP_PREFIX "busy", "somebody writes");
	fd = open("root/" FILE_TEMP_PREFIX "busy", O_RDONLY);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	call_open(&c, "read", "");
	call_done(&c);
	ck_assert_int_eq(access("root/" FILE_TEMP_PREFIX "77-0", F_OK), 0);
	call_open(&c, "write", ",\"write\":true");
	ck_assert_int_ne(access("root/" FILE_TEMP_PREFIX "77-0", F_OK), 0);
	ck_assert_int_ne(access("root/sub/" FILE_TEMP_PREFIX "77-1", F_OK), 0);
	expect_file("root/" FILE_TEMP_PREFIX "busy", "somebody writes");
	expect_file("root/sub/keep", "keep");
	expect_file("secret", "secret");
	expect_file(FILE_TEMP_PREFIX "outside", "outside");
	/* names that are taken do not stop a write */
	ck_assert_int_eq(call_run(&c, "{\"path\":\"f\",\"text\":\"x\"}"), 0);
	call_done(&c);
	close(fd);
}
END_TEST

static long
race_rounds(void)
{
	const char *text = getenv("TRIZONE_RACES");

	return text == NULL ? 20000 : strtol(text, NULL, 10);
}

/* The name "x" is in turn a file, a link out, a folder. */
static void *
swap_names(void *unused)
{
	while (!stop) {
		rmdir("root/x");
		make_file("spare", "inside");
		rename("spare", "root/x");
		usleep(20); /* a file half of the time */
		if (symlink("../secret", "spare") == 0)
			rename("spare", "root/x");
		unlink("root/x");
		mkdir("root/x", 0700);
	}
	return unused;
}

/* The secret gets a name inside and loses it again, so that its count of
 * names may be seen as 1 by who has opened it; now and then all is calm. */
static void *
swap_hard_links(void *unused)
{
	for (unsigned i = 0; !stop; i++) {
		if (link("secret", "root/x") == 0)
			unlink("root/x");
		if (i % 3000 != 0)
			continue;
		make_file("spare", "inside");
		rename("spare", "root/x");
		usleep(50000);
		unlink("root/x");
	}
	return unused;
}

/* Reads, of which each either fails or shows what is inside. */
static void
race(const char *settings, void *(*swap)(void *), long rounds)
{
	pthread_t thread;
	struct call c;
	long done = 0;

	call_open(&c, "read", settings);
	pthread_create(&thread, NULL, swap, NULL);
	/* and until the other thread has shown a file to read */
	for (long i = 0; i < rounds || (done == 0 && i < 100 * rounds); i++)
		if (call_path(&c, "x") == 0) {
			expect_content(&c, "inside");
			done++;
		}
	stop = true;
	pthread_join(thread, NULL);
	call_done(&c);
	ck_assert_int_gt(done, 0);
	fprintf(stderr,
	    "%ld reads of a swapped name, %ld answered, "
	    "0 from outside\n",
	    rounds, done);
}

START_TEST(race_read)
{
	race(",\"hard_links\":true", swap_names, race_rounds());
}
END_TEST

START_TEST(race_hard_links)
{
	race("", swap_hard_links, race_rounds());
}
END_TEST

/* Whatever "x" becomes, only a name inside is replaced. */
START_TEST(race_write)
{
	long rounds = race_rounds() / 20, done = 0;
	pthread_t thread;
	struct call c;

	call_open(&c, "write", ",\"write\":true");
	pthread_create(&thread, NULL, swap_names, NULL);
	for (long i = 0; i < rounds; i++)
		if (call_run(&c, "{\"path\":\"x\",\"text\":\"inside\"}") == 0)
			done++;
	stop = true;
	pthread_join(thread, NULL);
	call_done(&c);
	expect_file("secret", "secret");
	ck_assert_uint_eq(count_temps("root"), 0);
	fprintf(stderr,
	    "%ld writes to a swapped name, %ld done, "
	    "0 outside\n",
	    rounds, done);
}
END_TEST

/* Run `inside` in a child that is confined to what `c` needs. */
static void
confined(struct call *c, void (*inside)(struct call *))
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct lock_path paths[KIND_PATHS_MAX];
		uint32_t abi = 0;
		size_t count = kind->paths(c->settings, c->method, paths);
		int rc = landlock_restrict(paths, count, &abi);

		if (rc == -ERR_UNAVAILABLE) {
			fprintf(stderr, "no Landlock: not tested\n");
			_exit(0);
		}
		ck_assert_int_eq(rc, 0);
		ck_assert_uint_ge(abi, 1);
		inside(c);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}

static void
outside_is_closed(int root)
{
	int fd;

	ck_assert_int_eq(open("secret", O_RDONLY), -1);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_int_eq(open("/etc/passwd", O_RDONLY), -1);
	ck_assert_int_eq(open("/proc/self/status", O_RDONLY), -1);
	ck_assert_int_eq(open("new", O_WRONLY | O_CREAT, 0600), -1);
	ck_assert_int_eq(openat(root, "../secret", O_RDONLY), -1);
	ck_assert_int_eq(open(".", O_RDONLY | O_DIRECTORY), -1);
	ck_assert_int_eq(link("secret", "root/stolen"), -1);
	ck_assert_int_eq(rename("root/f", "taken"), -1);
	ck_assert_int_eq(execl("/bin/true", "true", (char *)NULL), -1);
	/* the root still opens, and what is below it */
	ck_assert_int_eq(beneath_open(root, "f", O_RDONLY, &fd), 0);
	close(fd);
	ck_assert_int_eq(beneath_walk(root, "sub/f", O_RDONLY, &fd), 0);
	close(fd);
}

static void
read_only(struct call *c)
{
	int root = ((struct file_settings *)c->settings)->root_fd;

	outside_is_closed(root);
	ck_assert_int_eq(call_path(c, "f"), 0);
	ck_assert_int_eq(call_path(c, "sub/f"), 0);
	ck_assert_int_eq(openat(root, "f", O_WRONLY), -1);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_int_eq(openat(root, "f", O_RDWR), -1);
	ck_assert_int_eq(openat(root, "new", O_WRONLY | O_CREAT, 0600), -1);
	ck_assert_int_eq(unlinkat(root, "f", 0), -1);
	ck_assert_int_eq(renameat(root, "f", root, "g"), -1);
	ck_assert_int_eq(mkdirat(root, "d", 0700), -1);
	ck_assert_int_eq(symlinkat("f", root, "l"), -1);
	ck_assert_int_eq(truncate("root/f", 0), -1);
	expect_content(c, "inside");
}

START_TEST(confined_read)
{
	struct call c;

	make_file("root/f", "inside");
	make_file("root/sub/f", "inside");
	call_open(&c, "read", ",\"write\":true");
	confined(&c, read_only);
	call_done(&c);
}
END_TEST

static void
list_only(struct call *c)
{
	ck_assert_int_eq(call_run(c, "{}"), 0);
	ck_assert_uint_eq(result_at(c, "/entries")->count, 2);
}

START_TEST(confined_list)
{
	struct call c;

	make_file("root/f", "inside");
	call_open(&c, "list", "");
	confined(&c, list_only);
	call_done(&c);
}
END_TEST

static void
read_write(struct call *c)
{
	int root = ((struct file_settings *)c->settings)->root_fd;

	outside_is_closed(root);
	ck_assert_int_eq(call_run(c, "{\"path\":\"f\",\"text\":\"x\"}"), 0);
	ck_assert_int_eq(call_run(c, "{\"path\":\"sub/n\",\"text\":\"x\"}"), 0);
	ck_assert_int_eq(mkdirat(root, "d", 0700), -1);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_int_eq(symlinkat("f", root, "l"), -1);
	ck_assert_int_eq(mkfifoat(root, "p", 0600), -1);
	ck_assert_int_eq(mknodat(root, "s", S_IFSOCK | 0600, 0), -1);
	ck_assert_int_eq(mknodat(root, "c", S_IFCHR | 0600, 0x103), -1);
	ck_assert_int_eq(unlinkat(root, "sub2", AT_REMOVEDIR), -1);
	ck_assert_int_eq(errno, EACCES);
	/* between folders */
	ck_assert_int_eq(renameat(root, "f", root, "sub/g"), -1);
	ck_assert_int_eq(linkat(root, "f", root, "sub/g", 0), -1);
}

START_TEST(confined_write)
{
	struct call c;

	make_file("root/f", "inside");
	make_file("root/sub/f", "inside");
	ck_assert_int_eq(mkdir("root/sub2", 0700), 0);
	call_open(&c, "write", ",\"write\":true");
	confined(&c, read_write);
	call_done(&c);
	expect_file("root/f", "x");
	expect_file("root/sub/n", "x");
}
END_TEST

START_TEST(confined_to_nothing)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		uint32_t abi;
		int rc = landlock_restrict(NULL, 0, &abi);

		ck_assert(rc == 0 || rc == -ERR_UNAVAILABLE);
		if (rc == 0)
			ck_assert_int_eq(open("secret", O_RDONLY), -1);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(table)
{
	const struct kind *kinds = kind_table;
	size_t count = kind_count;

	ck_assert_ptr_null(kind_find(SPAN("fil")));
	ck_assert_ptr_null(kind_find(SPAN("")));
	ck_assert_ptr_null(kind_method_find(kind, SPAN("delete")));
	for (size_t i = 0; i < count; i++) {
		ck_assert_ptr_eq(kind_find(span_of(kinds[i].name)), &kinds[i]);
		for (size_t m = 0; m < kinds[i].method_count; m++) {
			struct json_doc doc;

			json_init(&doc);
			ck_assert_int_eq(
			    json_parse(&doc,
				span_of(kinds[i].methods[m].schema), NULL,
				NULL),
			    0);
			json_done(&doc);
		}
	}
}
END_TEST

/* What a file system may take for one file is one place: labels hang on it. */
static const struct {
	const char *arguments, *below; /* of the root */
} places[] = {
    {"{}", ""},
    {"{\"path\":\".\"}", ""},
    {"{\"path\":7}", ""},
    {"{\"path\":\"sub/a.txt\"}", "/sub/a.txt"},
    {"{\"path\":\"Sub/A.TXT\"}", "/sub/a.txt"},
    {"{\"path\":\"Sub/x\xc3\xa4/b\"}", "/sub"},
    {"{\"path\":\"xA\xcc\x88\"}", ""},
};

START_TEST(place_has_one_spelling)
{
	struct json_error where;
	struct json_doc doc;
	struct buf place;
	void *settings;

	ck_assert_int_eq(
	    parse_settings("list", "{\"root\":\"/srv/Notes\",\"trusted\":true}",
		&settings, &where),
	    0);
	json_init(&doc);
	buf_init(&place, 4096);
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		ck_assert_int_eq(
		    json_parse(&doc, span_of(places[i].arguments), NULL, NULL),
		    0);
		buf_clear(&place);
		kind->place(settings, kind_method_find(kind, SPAN("list")),
		    &doc, json_root(&doc), &place);
		buf_add_byte(&place, '\0');
		ck_assert_int_eq(strncmp(place.data, "/srv/notes", 10), 0);
		ck_assert_str_eq(place.data + 10, places[i].below);
	}
	buf_free(&place);
	json_done(&doc);
	kind->settings_free(settings);
}
END_TEST

static Suite *
kind_file_suite(void)
{
	Suite *suite = suite_create("kind_file");
	TCase *tc = tcase_create("kind_file");

	tcase_set_timeout(tc, 300);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, table);
	tcase_add_test(tc, settings_refused);
	tcase_add_test(tc, settings_in_words);
	tcase_add_test(tc, arguments_refused);
	tcase_add_test(tc, place_has_one_spelling);
	tcase_add_test(tc, read_plain);
	tcase_add_test(tc, read_hostile_bytes);
	tcase_add_test(tc, read_cut_bytes);
	tcase_add_test(tc, read_cut_wide);
	tcase_add_test(tc, read_largest);
	tcase_add_test(tc, read_result_does_not_fit);
	tcase_add_test(tc, read_refused);
	tcase_add_test(tc, hard_links);
	tcase_add_test(tc, read_growing);
	tcase_add_test(tc, list_folder);
	tcase_add_test(tc, list_many);
	tcase_add_test(tc, write_new_and_again);
	tcase_add_test(tc, write_refused);
	tcase_add_test(tc, write_file_limit);
	tcase_add_test(tc, write_disk_full);
	tcase_add_test(tc, write_sync_fails);
	tcase_add_test(tc, write_killed);
	tcase_add_test(tc, clean_at_open);
	tcase_add_test(tc, race_read);
	tcase_add_test(tc, race_hard_links);
	tcase_add_test(tc, race_write);
	tcase_add_test(tc, confined_read);
	tcase_add_test(tc, confined_list);
	tcase_add_test(tc, confined_write);
	tcase_add_test(tc, confined_to_nothing);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(kind_file_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
