/*
 * Fuzz driver: any bytes as the line of a log never break its reader; any
 * bytes as a record's texts make exactly one line, which reads back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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
