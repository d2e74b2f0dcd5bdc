/*
 * Fuzz driver: whatever records say, a report's page has our elements only,
 * its text no controls, an event of CEF is one line and one of OCSF is JSON.
 * The input is records: a byte for the kind, one for numbers, then texts that
 * end with 0xff.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/audit_export.h"
#include "executor/audit_report.h"
#include "executor/metrics.h"

#define NOW_MS UINT64_C(1772323200000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const ours[] = {"!doctype html", "html lang=\"en\"", "head",
    "meta charset=\"utf-8\"", "meta http-equiv=\"Content-Security-Policy\" ",
    "meta name=\"viewport\" ", "meta name=\"color-scheme\" ",
    "meta name=\"referrer\" ", "title>", "style>", "body>", "header>", "h1>",
    "h2 id=\"", "h2>", "p>", "p class=\"", "main>", "nav aria-label=\"Sess",
    "section id=\"", "ul>", "ul class=\"", "ol>", "li>", "li class=\"",
    "a href=\"#", "span>", "span class=\"", "bdi>", "b>", "time>", "div>",
    "footer>", "/html>", "/p>", "/a>", "/div>", "/nav>", "/section>"};

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static char *
path(void)
{
	static char name[64];
	int fd;

	if (name[0] != '\0')
		return name;
	snprintf(name, sizeof name, "/dev/shm/fuzz_report.XXXXXX");
	fd = mkstemp(name);
	if (fd < 0) {
		snprintf(name, sizeof name, "/tmp/fuzz_report.XXXXXX");
		fd = mkstemp(name);
	}
	must(fd >= 0);
	close(fd);
	return name;
}

static struct span
take_text(const uint8_t **data, size_t *size)
{
	const uint8_t *end = *size == 0 ? NULL : memchr(*data, 0xff, *size);
	size_t count = end == NULL ? *size : (size_t)(end - *data);
	struct span text = {(const char *)*data, count};

	*data += count + (end != NULL);
	*size -= count + (end != NULL);
	return text;
}

static struct record
take_record(const uint8_t **data, size_t *size)
{
	/* lineages and checkpoints need a key; no report has them */
	unsigned kind = (*data)[0] % RECORD_LINEAGE, numbers = (*data)[1];
	struct record record = {.kind = (enum record_kind)kind,
	    .intent = numbers,
	    .request = numbers & 3,
	    .session = numbers >> 6,
	    .number = NO_CAPABILITY,
	    .effects = numbers,
	    .verdict = (enum verdict)(numbers % VERDICT_COUNT),
	    .status = (enum outcome)(numbers % OUTCOME_COUNT),
	    .error = numbers & 4 ? numbers : 0,
	    .message = numbers >> 5};

	*data += 2;
	*size -= 2;
	record.zone = take_text(data, size);
	record.capability = take_text(data, size);
	record.rule = take_text(data, size);
	record.why = take_text(data, size);
	record.detail = take_text(data, size);
	record.destination = take_text(data, size);
	return record;
}

/* How many records there are. */
static size_t
write_log(const uint8_t *data, size_t size)
{
	unsigned char head[SHA256_BYTES] = {0};
	struct sha256 *digest = sha256_new();
	FILE *log = fopen(path(), "w");
	struct buf out;
	size_t count = 0;

	must(log != NULL);
	buf_init(&out, RECORD_LINE_MAX);
	while (size >= 2 && count < 200) {
		struct record record = take_record(&data, &size);
		struct record_head at = {.seq = count + 1,
		    .prev = head,
		    .time_ms = NOW_MS + count * 60000};

		count++;
		buf_clear(&out);
		must(record_add(&out, digest, &at, &record, head) == 0);
		must(fwrite(out.data, 1, out.len, log) == out.len);
	}
	buf_free(&out);
	sha256_free(digest);
	must(fclose(log) == 0);
	return count;
}

static bool
is_ours(const char *tag)
{
	const char *name = *tag == '/' ? tag + 1 : tag;

	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (strncmp(tag, ours[i], strlen(ours[i])) == 0 ||
		    strncmp(name, ours[i], strlen(ours[i])) == 0)
			return true;
	return false;
}

static void
check_plain(const char *text, size_t bytes)
{
	must(utf8_check(text, bytes));
	for (size_t i = 0; i < bytes; i++)
		must(text[i] == '\n' ||
		     ((unsigned char)text[i] >= 0x20 && text[i] != 0x7f));
}

static void
check_report(bool html)
{
	struct audit_filter all;
	struct report report;
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	audit_filter_init(&all);
	must(report_read(path(), &all, html, UINT64_MAX, &report) == 0);
	must(!audit_walk_damaged(report.walk));
	must((html ? report_html(&report, out) : report_text(&report, out)) ==
	     0);
	report_free(&report);
	fclose(out);
	check_plain(text, bytes);
	for (size_t i = 0; html && i < bytes; i++)
		must(text[i] != '<' || is_ours(text + i + 1));
	free(text);
}

static void
check_event(struct json_doc *doc, const struct audit_item *item)
{
	struct json_doc again;
	struct buf out;

	buf_init(&out, EXPORT_MAX_BYTES);
	must(export_ocsf(&out, doc, item) == 0);
	json_init(&again);
	must(json_parse(&again, (struct span){out.data, out.len - 1}, NULL,
		 NULL) == 0);
	json_done(&again);
	must(memchr(out.data, '\n', out.len) == out.data + out.len - 1);
	buf_clear(&out);
	must(export_cef(&out, doc, item) == 0);
	check_plain(out.data, out.len);
	must(memchr(out.data, '\n', out.len) == out.data + out.len - 1);
	buf_free(&out);
}

static void
check_events(size_t count)
{
	struct audit_filter all;
	struct audit_walk_options options = {.filter = &all};
	struct audit_walk *walk = NULL;
	struct audit_item item;
	struct json_doc doc;
	size_t seen = 0;

	audit_filter_init(&all);
	json_init(&doc);
	must(audit_walk_open(path(), &options, &walk) == 0);
	while (audit_walk_next(walk, &item) == 1) {
		check_event(&doc, &item);
		seen++;
	}
	must(seen == count);
	audit_walk_close(walk);
	json_done(&doc);
}

/* The input as the broker's answer. */
static void
check_metrics(struct span text)
{
	struct json_doc doc;
	struct buf out;

	json_init(&doc);
	buf_init(&out, METRICS_MAX_BYTES);
	if (json_parse(&doc, text, NULL, NULL) == 0 &&
	    json_root(&doc)->type == JSON_OBJECT) {
		metrics_add(&out, &doc, json_root(&doc));
		check_plain(out.data, out.len);
	}
	buf_free(&out);
	json_done(&doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count = write_log(data, size);

	check_report(false);
	check_report(true);
	check_events(count);
	check_metrics((struct span){(const char *)data, size});
	return 0;
}
