/*
 * Fuzz driver: any bytes as the line of a log, as a checkpoint, as the files
 * of a folder, or as anchors never break its reader; any bytes as a record's
 * texts make exactly one line, which reads back. In a folder: a byte of the
 * input says which file comes next, the bytes up to 0xff are in it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/audit_intents.h"
#include "executor/audit_show.h"
#include "executor/audit_verify.h"
#include "executor/record.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What verify, the auditor's start and show do with a line. */
static void
read_line(struct span line, struct sha256 *digest, struct buf *out)
{
	static struct intents intents;
	struct show_style style = {.width = 80, .colour = true};
	struct chain chain;
	struct record record;
	struct json_doc doc;

	chain_init(&chain, digest);
	chain_next(&chain, line);
	if (record_check(line) != 0)
		return;
	intents_follow(&intents, line, 0);
	json_init(&doc);
	if (record_parse(&doc, line, &record) == 0) {
		must(show_format(out, &style, line, &record) == 0);
		must(utf8_check(out->data, out->len));
		must(memchr(out->data, '\n', out->len) ==
		     out->data + out->len - 1);
	}
	json_done(&doc);
}

/* What verify does with a lineage or checkpoint. */
static void
read_seal(struct span line)
{
	struct seal_keys keys = {.begun = true};
	struct seal_line seal;

	if (record_check(line) != 0 || !seal_line_is(line) ||
	    seal_line_parse(line, &seal) != 0)
		return;
	must(seal.text.p >= line.p &&
	     seal.text.p + seal.text.n <= line.p + line.n);
	seal_keys_follow(&keys, &seal);
}

static const char *const names[] = {"segment-0000000000000001.jsonl",
    "segment-0000000000000001.stub", "segment-0000000000000002.jsonl",
    "segment-0000000000000003.jsonl", "audit.jsonl", "anchors"};

#define NAMES (sizeof names / sizeof names[0])

/* In memory, where there is such a file system. */
static const char *
folder(void)
{
	static char path[64];

	if (path[0] != '\0')
		return path;
	snprintf(path, sizeof path, "/dev/shm/fuzz_audit.XXXXXX");
	if (mkdtemp(path) != NULL)
		return path;
	snprintf(path, sizeof path, "/tmp/fuzz_audit.XXXXXX");
	must(mkdtemp(path) != NULL);
	return path;
}

static void
write_files(int at, struct span text)
{
	while (text.n > 1) {
		const char *name = names[(unsigned char)text.p[0] % NAMES];
		const char *end = memchr(text.p + 1, 0xff, text.n - 1);
		size_t count =
		    end == NULL ? text.n - 1 : (size_t)(end - text.p) - 1;
		int fd = openat(at, name, O_WRONLY | O_CREAT | O_APPEND, 0600);

		must(write(fd, text.p + 1, count) == (ssize_t)count);
		close(fd);
		count += end == NULL ? 1 : 2;
		text.p += count;
		text.n -= count;
	}
}

static int
count_line(void *context, struct span line, uint64_t place)
{
	uint64_t *count = context;

	(void)place;
	(void)line;
	(*count)++;
	return 0;
}

/* A whole log, with what is known of it; read in each of the ways. */
static void
read_folder(struct span text)
{
	int at = open(folder(), O_RDONLY | O_DIRECTORY);
	struct proofs proofs = {.rows = NULL};
	struct verify_known known = {NULL, &proofs};
	struct verify_result result;
	struct audit_reader *reader;
	struct audit_line line;
	uint64_t count = 0;
	char path[96];

	write_files(at, text);
	snprintf(path, sizeof path, "%s/anchors", folder());
	proofs_add_file(&proofs, path);
	must(audit_reader_open_fd(at, &reader) == 0);
	if (audit_verify_reader(reader, &known, count_line, &count, &result) ==
	    0)
		must(count == result.count && (result.damage == DAMAGE_NONE) ==
						  (result.bad_record == 0));
	must(audit_reader_seek(reader, 2) != -ERR_IO);
	for (int i = 0; i < 10 && audit_reader_next(reader, &line) == 1; i++)
		must(line.text.n < RECORD_LINE_MAX);
	must(audit_reader_seek_time(reader, "2026-01") != -ERR_IO);
	audit_reader_close(reader);
	proofs_done(&proofs);
	for (size_t i = 0; i < NAMES; i++)
		unlinkat(at, names[i], 0);
	close(at);
}

/* What the auditor does with texts from the broker. */
static void
write_line(struct span text, struct sha256 *digest, struct buf *out)
{
	struct record record = {.kind = RECORD_DECISION,
	    .zone = text,
	    .capability = text,
	    .rule = text,
	    .why = text,
	    .detail = text};
	static const unsigned char prev[SHA256_BYTES];
	struct record_head head = {.seq = 1, .prev = prev};
	struct chain chain;

	chain_init(&chain, digest);
	must(record_add(out, digest, &head, &record, chain.head) == 0);
	memset(chain.head, 0, sizeof chain.head);
	must(memchr(out->data, '\n', out->len) == out->data + out->len - 1);
	must(chain_next(&chain, (struct span){out->data, out->len - 1}) ==
	     DAMAGE_NONE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	struct sha256 *digest = sha256_new();
	struct record record;
	struct json_doc doc;
	struct buf out;

	buf_init(&out, 1u << 20);
	read_line(text, digest, &out);
	read_seal(text);
	read_folder(text);
	buf_clear(&out);
	write_line(text, digest, &out);
	json_init(&doc);
	must(record_parse(
		 &doc, (struct span){out.data, out.len - 1}, &record) == 0);
	json_done(&doc);
	buf_free(&out);
	sha256_free(digest);
	return 0;
}
