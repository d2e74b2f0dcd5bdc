/*
 * What the files of a report's page share; nobody else includes this. What a
 * record says goes into text nodes only: see page_text.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_REPORT_PAGE_H
#define TRIZONE_EXECUTOR_AUDIT_REPORT_PAGE_H

#include "executor/audit_report.h"

#define PAGE_DATE_BYTES 10 /* of a time */

struct page {
	struct report *report;
	FILE *out;
	struct buf text;	   /* written by page_flush */
	struct json_doc doc;	   /* of a record's detail */
	struct json_doc item;	   /* of a record while its outcome is read */
	char day[PAGE_DATE_BYTES]; /* of the row before */
};

/* Hostile text: inert, escaped, and of a direction of its own. */
void page_text(struct buf *out, struct span text);

/* Write what was added. 0, -ERR_IO, -ERR_TOO_LARGE. */
int page_flush(struct page *page);

/* "refused" and "Refused"; names of classes in the style sheet, and words. */
const char *page_class(enum report_class class);
const char *page_title(enum report_class class);

/* Add a row of a timeline; `outcome` may be NULL. */
void page_row(struct page *page, const struct audit_item *item,
    const struct audit_item *outcome, enum report_class class);

#endif
