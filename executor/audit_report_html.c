/*
 * A report as one page. What a record says goes into text nodes only, inert
 * and escaped: no attribute, address, style or script holds any of it. The
 * page's policy lets nothing but its own style sheet take effect.
 */
#include <string.h>

#include "common/err.h"
#include "common/sha256.h"
#include "executor/audit_report.h"
#include "executor/audit_report_style.h"
#include "executor/inert.h"
#include "proto/message.h"

#define ROW_MAX_BYTES (20 * RECORD_LINE_MAX) /* "&quot;" for each byte */
#define DATE_BYTES 10
#define CLOCK_AT 11
#define CLOCK_BYTES 8
#define ARROW " \xe2\x86\x92 "

struct page {
	struct report *report;
	FILE *out;
	struct buf text;
	char day[DATE_BYTES]; /* of the row before */
};

static const struct {
	const char *name, *title;
} classes[CLASS_COUNT] = {
    [CLASS_READ] = {"read", "Read"},
    [CLASS_BEGUN] = {"begun", "Began"},
    [CLASS_LEFT] = {"left", "Left"},
    [CLASS_DONE] = {"done", "Done"},
    [CLASS_ASKED] = {"asked", "Asked"},
    [CLASS_REFUSED] = {"refused", "Refused"},
    [CLASS_FAILED] = {"failed", "Failed"},
    [CLASS_UNKNOWN] = {"unknown", "Unknown"},
    [CLASS_SUSPECT] = {"suspect", "Suspect"},
    [CLASS_HALTED] = {"halted", "Halted"},
    [CLASS_PERSON] = {"person", "Person"},
    [CLASS_OTHER] = {"other", "Other"},
};

static const char *
entity_of(char byte)
{
	switch (byte) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* Hostile text, set off from what is around it in its direction too. */
static void
add_text(struct buf *out, struct span text)
{
	size_t start = 0, replaced = 0;

	buf_add_text(out, "<bdi>");
	for (size_t i = 0; i < text.n; i++) {
		const char *entity = entity_of(text.p[i]);

		if (entity == NULL)
			continue;
		inert_add(out, (struct span){text.p + start, i - start}, false,
		    &replaced);
		buf_add_text(out, entity);
		start = i + 1;
	}
	inert_add(out, (struct span){text.p + start, text.n - start}, false,
	    &replaced);
	buf_add_text(out, "</bdi>");
}

static void
add_part(struct buf *out, const char *lead, struct span text)
{
	if (text.n == 0)
		return;
	buf_add_text(out, lead);
	add_text(out, text);
}

static int
flush(struct page *page)
{
	if (page->text.overflow)
		return -ERR_TOO_LARGE;
	fwrite(page->text.data, 1, page->text.len, page->out);
	buf_clear(&page->text);
	return ferror(page->out) ? -ERR_IO : 0;
}

static void
add_head(struct page *page)
{
	unsigned char hash[SHA256_BYTES];
	struct buf *out = &page->text;

	sha256_of(style, sizeof style - 1, hash);
	buf_add_text(out,
	    "<!doctype html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\""
	    "default-src 'none'; style-src 'sha256-");
	base64_add(out, hash, sizeof hash);
	buf_add_text(out,
	    "'; base-uri 'none'; form-action 'none'\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n"
	    "<meta name=\"referrer\" content=\"no-referrer\">\n"
	    "<title>Audit report</title>\n<style>");
	buf_add_text(out, style);
	buf_add_text(out, "</style>\n</head>\n<body>\n");
}

static void
add_top(struct page *page)
{
	const struct report *report = page->report;
	const struct audit_filter *period = report->period;
	struct buf *out = &page->text;

	buf_add_format(out,
	    "<header>\n<h1>Audit report</h1>\n"
	    "<p class=\"dim\">%s to %s (UTC): %llu records, %llu sessions "
	    "began</p>\n",
	    period->since[0] == '\0' ? "begin" : period->since,
	    period->until[0] == '\0' ? "now" : period->until,
	    (unsigned long long)report->records,
	    (unsigned long long)report->sessions);
	if (report->row_total > REPORT_ROWS_MAX)
		buf_add_format(out,
		    "<p class=\"alarm\">Only the last %d of %llu records are "
		    "in the timelines; --since and --until show others.</p>\n",
		    REPORT_ROWS_MAX, (unsigned long long)report->row_total);
	buf_add_text(out, "</header>\n<main>\n");
}

static int
add_section(struct page *page, enum report_section section)
{
	const struct tally *tally = &page->report->sections[section];
	struct buf *out = &page->text;
	int rc = 0;

	if (tally->total == 0 && !report_always(section))
		return 0;
	buf_add_format(out, "<section>\n<h2>%s: %llu</h2>\n<ul>\n",
	    report_title(section), (unsigned long long)tally->total);
	for (size_t i = 0; i < tally->used && rc == 0; i++) {
		buf_add_format(out, "<li><span class=\"count\">%llu</span> ",
		    (unsigned long long)tally->rows[i].count);
		add_text(out, span_of(tally->rows[i].text));
		buf_add_text(out, "</li>\n");
		rc = flush(page);
	}
	if (tally->others != 0)
		buf_add_format(out,
		    "<li><span class=\"count\">%llu</span> others</li>\n",
		    (unsigned long long)tally->others);
	buf_add_text(out, "</ul>\n</section>\n");
	return rc != 0 ? rc : flush(page);
}

/* The row behind the last one of the session that begins at `start`. */
static size_t
session_end(const struct report *report, size_t start)
{
	size_t end = start, count = report_rows(report);

	while (end < count &&
	       report->rows[end].session == report->rows[start].session)
		end++;
	return end;
}

static int
add_links(struct page *page)
{
	const struct report *report = page->report;
	size_t count = report_rows(report);
	int rc = 0;

	buf_add_text(&page->text, "<nav>\n<ul>\n");
	for (size_t i = 0; i < count && rc == 0; i = session_end(report, i)) {
		unsigned long long session = report->rows[i].session;

		if (session == 0)
			buf_add_text(&page->text,
			    "<li><a href=\"#s0\">Service</a></li>\n");
		else
			buf_add_format(&page->text,
			    "<li><a href=\"#s%llu\">Session %llu</a></li>\n",
			    session, session);
		rc = flush(page);
	}
	buf_add_text(&page->text, "</ul>\n</nav>\n");
	return rc;
}

/* "3 read, 1 refused": what a person looks for first. */
static void
add_counts(struct page *page, size_t start, size_t end)
{
	static const enum report_class told[] = {CLASS_READ, CLASS_ASKED,
	    CLASS_REFUSED, CLASS_LEFT, CLASS_SUSPECT, CLASS_HALTED,
	    CLASS_FAILED, CLASS_UNKNOWN};
	size_t counts[CLASS_COUNT] = {0};
	const char *comma = "";

	for (size_t i = start; i < end; i++)
		counts[page->report->rows[i].class]++;
	buf_add_text(&page->text, "<p class=\"dim\">");
	for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
		if (counts[told[i]] == 0)
			continue;
		buf_add_format(&page->text, "%s%s %zu", comma,
		    classes[told[i]].title, counts[told[i]]);
		comma = ", ";
	}
	buf_add_text(&page->text, "</p>\n");
}

/* What a class does not say by itself. */
static const char *
word_of(const struct record *record, enum report_class class)
{
	switch (record->kind) {
	case RECORD_CLAIM:
		return "Took";
	case RECORD_EXPIRY:
		return "Expired";
	case RECORD_DENIAL:
		return "Denied";
	case RECORD_APPROVAL:
		return record->error == 0 ? "Approved" : "Not approved";
	case RECORD_BLOCKED:
		return "Blocked";
	case RECORD_OUTCOME:
		return record->status == OUTCOME_REFUSED ? "Not done"
							 : classes[class].title;
	default:
		return class == CLASS_OTHER || class == CLASS_PERSON
			   ? record_kind_name(record->kind)
			   : classes[class].title;
	}
}

static void
add_subject(struct buf *out, const struct record *record)
{
	char handle[HANDLE_MAX_BYTES];

	add_part(out, "", record->capability);
	if (record->message != 0) {
		handle_format((int64_t)record->message, handle);
		buf_add_format(out, " %s", handle);
	}
	add_part(out, ARROW, record->destination);
	if (record->request != 0)
		buf_add_format(out, " <span class=\"dim\">request %llu</span>",
		    (unsigned long long)record->request);
}

/* Refused and why, what a person or the detector said, what failed. */
static void
add_reasons(struct buf *out, const struct record *record)
{
	size_t start = out->len;

	buf_add_text(out, "<div class=\"more\">");
	add_part(out, "rule ", record->rule);
	add_part(out, record->rule.n == 0 ? "" : ": ", record->why);
	if (record->error != 0)
		buf_add_format(out, "%s%s",
		    record->why.n + record->rule.n == 0 ? "" : "; ",
		    err_text(-(int)record->error));
	if (record->detail.n != 0 &&
	    record->rule.n + record->why.n + record->error != 0)
		buf_add_text(out, "<br>");
	add_part(out, "", record->detail);
	if (record->zone.n != 0)
		add_part(out, " zone ", record->zone);
	if (out->len == start + sizeof "<div class=\"more\">" - 1)
		out->len = start;
	else
		buf_add_text(out, "</div>");
}

static void
add_row(
    struct page *page, const struct audit_item *item, enum report_class class)
{
	const char *time = record_time(item->line).p;
	struct buf *out = &page->text;

	if (memcmp(page->day, time, DATE_BYTES) != 0)
		buf_add_format(
		    out, "<li class=\"day\">%.*s</li>\n", DATE_BYTES, time);
	memcpy(page->day, time, DATE_BYTES);
	buf_add_format(out,
	    "<li class=\"%s\"><time>%.*s</time> <b>%s</b> <span>",
	    classes[class].name, CLOCK_BYTES, time + CLOCK_AT,
	    word_of(&item->record, class));
	add_subject(out, &item->record);
	buf_add_text(out, "</span>");
	add_reasons(out, &item->record);
	buf_add_text(out, "</li>\n");
}

static int
add_session(struct page *page, size_t start, size_t end)
{
	const struct report_row *rows = page->report->rows;
	unsigned long long session = rows[start].session;
	char buffer[RECORD_LINE_MAX];
	struct audit_item item;
	int rc = 0;

	memset(page->day, 0, sizeof page->day);
	buf_add_format(&page->text, "<section id=\"s%llu\">\n<h2>", session);
	if (session == 0)
		buf_add_text(&page->text, "Service</h2>\n");
	else
		buf_add_format(&page->text, "Session %llu</h2>\n", session);
	add_counts(page, start, end);
	buf_add_text(&page->text, "<ol>\n");
	for (size_t i = start; i < end && rc == 0; i++) {
		rc = audit_walk_at(
		    page->report->walk, rows[i].place, buffer, &item);
		if (rc != 0)
			break;
		add_row(page, &item, rows[i].class);
		rc = flush(page);
	}
	buf_add_text(&page->text, "</ol>\n</section>\n");
	return rc != 0 ? rc : flush(page);
}

static int
add_page(struct page *page)
{
	size_t count = report_rows(page->report), end;
	int rc = 0;

	add_head(page);
	add_top(page);
	for (unsigned i = 0; i < REPORT_SECTIONS && rc == 0; i++)
		rc = add_section(page, (enum report_section)i);
	if (rc == 0)
		rc = add_links(page);
	for (size_t i = 0; i < count && rc == 0; i = end) {
		end = session_end(page->report, i);
		rc = add_session(page, i, end);
	}
	buf_add_text(&page->text, "</main>\n</body>\n</html>\n");
	return rc != 0 ? rc : flush(page);
}

int
report_html(struct report *report, FILE *out)
{
	struct page page = {.report = report, .out = out};
	int rc;

	buf_init(&page.text, ROW_MAX_BYTES);
	rc = add_page(&page);
	buf_free(&page.text);
	if (rc == 0 && fflush(out) != 0)
		rc = -ERR_IO;
	return rc;
}
