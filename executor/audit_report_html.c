/*
 * A report as one page. What a record says goes into text nodes only, inert
 * and escaped: no attribute, address, style or script holds any of it. The
 * page's policy lets nothing but its own style sheet take effect.
 */
#include <string.h>

#include "common/err.h"
#include "common/sha256.h"
#include "executor/audit_report_page.h"
#include "executor/audit_report_style.h"
#include "executor/inert.h"

/* "&quot;" for each byte of a record and its outcome */
#define PAGE_ROW_BYTES (40 * RECORD_LINE_MAX)

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

void
page_text(struct buf *out, struct span text)
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

int
page_flush(struct page *page)
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
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<meta name=\"referrer\" content=\"no-referrer\">\n"
	    "<title>Audit report</title>\n<style>");
	buf_add_text(out, style);
	buf_add_text(out, "</style>\n</head>\n<body>\n");
}

/* What there is to look at, with links; or that there is nothing. */
static void
add_summary(struct page *page)
{
	const struct report *report = page->report;
	struct buf *out = &page->text;

	if (report_is_quiet(report)) {
		buf_add_text(
		    out, "<p class=\"quiet\">Nothing to report.</p>\n");
		return;
	}
	buf_add_text(out, "<ul class=\"facts\">\n");
	for (unsigned i = 0; i < REPORT_SECTIONS; i++) {
		enum report_section section = (enum report_section)i;
		unsigned long long total = report->sections[i].total;

		if (total != 0)
			buf_add_format(out,
			    "<li class=\"%s\"><a href=\"#%s\"><b>%llu</b> "
			    "%s</a></li>\n",
			    report_id(section), report_id(section), total,
			    report_title(section));
	}
	buf_add_text(out, "</ul>\n");
}

static void
add_top(struct page *page)
{
	const struct report *report = page->report;
	const struct audit_filter *period = report->period;
	struct buf *out = &page->text;

	buf_add_format(out,
	    "<header>\n<h1>Audit report</h1>\n"
	    "<p class=\"dim\">%s to %s, UTC. %llu records, %llu sessions "
	    "began.</p>\n",
	    period->since[0] == '\0' ? "Begin" : period->since,
	    period->until[0] == '\0' ? "now" : period->until,
	    (unsigned long long)report->records,
	    (unsigned long long)report->sessions);
	if (report->row_total > REPORT_ROWS_MAX)
		buf_add_format(out,
		    "<p class=\"alarm\">Only the last %d of %llu records are "
		    "in the timelines; --since and --until show others.</p>\n",
		    REPORT_ROWS_MAX, (unsigned long long)report->row_total);
	add_summary(page);
	buf_add_text(out, "</header>\n");
}

static int
add_list(struct page *page, enum report_section section)
{
	const struct tally *tally = &page->report->sections[section];
	struct buf *out = &page->text;
	int rc = 0;

	buf_add_text(out, "<ul class=\"rows\">\n");
	for (size_t i = 0; i < tally->used && rc == 0; i++) {
		const struct tally_row *row = &tally->rows[i];

		buf_add_text(out, "<li>");
		if (report_is_events(section) && row->first[0] != '\0')
			buf_add_format(out,
			    "<time>%.10s <span>%.8s</span></time>", row->first,
			    row->first + PAGE_DATE_BYTES + 1);
		if (!report_is_events(section) || row->count != 1)
			buf_add_format(out,
			    "<span class=\"count\">%llu\xc3\x97</span>",
			    (unsigned long long)row->count);
		buf_add_text(out, "<div>");
		page_text(out, span_of(row->text));
		buf_add_text(out, "</div></li>\n");
		rc = page_flush(page);
	}
	buf_add_text(out, "</ul>\n");
	if (tally->others != 0)
		buf_add_format(out, "<p class=\"dim\">%llu more: %s</p>\n",
		    (unsigned long long)tally->others, report_command(section));
	return rc;
}

static int
add_section(struct page *page, enum report_section section)
{
	const struct tally *tally = &page->report->sections[section];
	const char *id = report_id(section);
	struct buf *out = &page->text;
	int rc = 0;

	if (tally->total == 0 && !report_always(section))
		return 0;
	buf_add_format(out,
	    "<section id=\"%s\" aria-labelledby=\"%s-h\">\n"
	    "<h2 id=\"%s-h\">%s <span class=\"dim\">%llu</span></h2>\n",
	    id, id, id, report_title(section),
	    (unsigned long long)tally->total);
	if (tally->total == 0)
		buf_add_text(out, "<p class=\"dim\">None.</p>\n");
	else
		rc = add_list(page, section);
	buf_add_text(out, "</section>\n");
	return rc != 0 ? rc : page_flush(page);
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

static void
add_session_name(struct buf *out, unsigned long long session)
{
	if (session == 0)
		buf_add_text(out, "The service itself");
	else
		buf_add_format(out, "Session %llu", session);
}

static int
add_links(struct page *page)
{
	const struct report *report = page->report;
	size_t count = report_rows(report);
	int rc = 0;

	buf_add_text(&page->text, "<nav aria-label=\"Sessions\">\n<ul>\n");
	for (size_t i = 0; i < count && rc == 0; i = session_end(report, i)) {
		buf_add_format(&page->text, "<li><a href=\"#s%llu\">",
		    (unsigned long long)report->rows[i].session);
		add_session_name(&page->text, report->rows[i].session);
		buf_add_text(&page->text, "</a></li>\n");
		rc = page_flush(page);
	}
	buf_add_text(&page->text, "</ul>\n</nav>\n");
	return rc;
}

/* "Read 3": what a person looks for first. */
static void
add_counts(struct page *page, size_t start, size_t end)
{
	static const enum report_class told[] = {CLASS_READ, CLASS_ASKED,
	    CLASS_REFUSED, CLASS_LEFT, CLASS_CHANGED, CLASS_SUSPECT,
	    CLASS_HALTED, CLASS_FAILED, CLASS_UNKNOWN};
	size_t counts[CLASS_COUNT] = {0};
	const char *comma = "";

	for (size_t i = start; i < end; i++)
		counts[page->report->rows[i].class]++;
	buf_add_text(&page->text, "<p class=\"dim\">");
	for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
		if (counts[told[i]] == 0)
			continue;
		buf_add_format(&page->text, "%s%s %zu", comma,
		    page_title(told[i]), counts[told[i]]);
		comma = " \xc2\xb7 ";
	}
	buf_add_text(&page->text, "</p>\n");
}

/* A row and, if it has one, its outcome. */
static int
add_row(struct page *page, const struct report_row *row)
{
	struct audit_walk *walk = page->report->walk;
	char buffer[2][RECORD_LINE_MAX];
	struct audit_item item, outcome;
	int rc = audit_walk_at(walk, &page->item, row->place, buffer[0], &item);

	if (rc == 0 && row->outcome != 0)
		rc = audit_walk_at(
		    walk, NULL, row->outcome - 1, buffer[1], &outcome);
	if (rc == 0) {
		page_row(page, &item, row->outcome == 0 ? NULL : &outcome,
		    row->class);
		rc = page_flush(page);
	}
	return rc;
}

static int
add_session(struct page *page, size_t start, size_t end)
{
	const struct report_row *rows = page->report->rows;
	unsigned long long session = rows[start].session;
	int rc = 0;

	memset(page->day, 0, sizeof page->day);
	buf_add_format(&page->text,
	    "<section id=\"s%llu\" aria-labelledby=\"s%llu-h\">\n"
	    "<h2 id=\"s%llu-h\">",
	    session, session, session);
	add_session_name(&page->text, session);
	buf_add_text(&page->text, "</h2>\n");
	add_counts(page, start, end);
	buf_add_text(&page->text, "<ol>\n");
	for (size_t i = start; i < end && rc == 0; i++)
		rc = add_row(page, &rows[i]);
	buf_add_text(&page->text, "</ol>\n</section>\n");
	return rc != 0 ? rc : page_flush(page);
}

static int
add_page(struct page *page)
{
	size_t count = report_rows(page->report), end;
	int rc = 0;

	add_head(page);
	add_top(page);
	if (count != 0)
		rc = add_links(page);
	buf_add_text(&page->text, "<main>\n");
	for (unsigned i = 0; i < REPORT_SECTIONS && rc == 0; i++)
		rc = add_section(page, (enum report_section)i);
	for (size_t i = 0; i < count && rc == 0; i = end) {
		end = session_end(page->report, i);
		rc = add_session(page, i, end);
	}
	buf_add_text(&page->text,
	    "</main>\n<footer>\n<p class=\"dim\">Texts in it may have been "
	    "chosen by an attacker. Whether the log is whole: "
	    "trizone-executor audit verify.</p>\n</footer>\n"
	    "</body>\n</html>\n");
	return rc != 0 ? rc : page_flush(page);
}

int
report_html(struct report *report, FILE *out)
{
	struct page page = {.report = report, .out = out};
	int rc;

	buf_init(&page.text, PAGE_ROW_BYTES);
	json_init(&page.doc);
	json_init(&page.item);
	rc = add_page(&page);
	json_done(&page.doc);
	json_done(&page.item);
	buf_free(&page.text);
	if (rc == 0 && fflush(out) != 0)
		rc = -ERR_IO;
	return rc;
}
