/*
 * Reports over a period of the log: fixed sections as text, or one page that
 * needs nothing else, with a timeline of each session. Everything in a record
 * may have been chosen by an attacker; in both it is inert.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_REPORT_H
#define TRIZONE_EXECUTOR_AUDIT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "executor/audit_tally.h"
#include "executor/audit_walk.h"

/* Rows of timelines in one page: some 8 MB of it. */
#define REPORT_ROWS_MAX 20000

enum report_section {
	REPORT_DAMAGE, /* of the log */
	REPORT_BLOCKED,
	REPORT_REFUSED,
	REPORT_SUSPECT,
	REPORT_HALTED,
	REPORT_ATTESTED,
	REPORT_UNKNOWN,
	REPORT_SECTIONS
};

/* What a record means to who was away. Of an effect that ended without error
 * it is what it did: reading, letting bytes leave, or changing something. */
enum report_class {
	CLASS_READ,
	CLASS_LEFT,
	CLASS_CHANGED,
	CLASS_DONE, /* an effect of which no more is known */
	CLASS_ASKED,
	CLASS_REFUSED,
	CLASS_FAILED,
	CLASS_UNKNOWN,
	CLASS_SUSPECT,
	CLASS_HALTED,
	CLASS_PERSON,
	CLASS_OTHER,
	CLASS_COUNT
};

struct report_row {
	uint64_t session; /* 0: none */
	uint64_t place;	  /* for audit_walk_at */
	uint64_t seq, request;
	uint64_t outcome; /* place of an intent's outcome + 1; 0: none */
	enum report_class class;
};

struct report {
	const struct audit_filter *period; /* borrowed; since and until */
	struct tally sections[REPORT_SECTIONS];
	uint64_t records, sessions; /* in the period; sessions that began */
	/* By session and time, those without one last, of the last records; an
	 * outcome is with its intent, and a ticket is one with its decision.
	 * NULL: not asked for. */
	struct report_row *rows;
	uint64_t row_total; /* may be more than REPORT_ROWS_MAX */
	struct audit_walk *walk;
};

/* Read the log `path`; with `rows` what a page needs. `now_ms`: an intent that
 * began long enough before it and has no outcome is told as unknown. Errors as
 * audit_reader_open and audit_reader_next; free with report_free in any case.
 */
int report_read(const char *path, const struct audit_filter *period, bool rows,
    uint64_t now_ms, struct report *out);
void report_free(struct report *report);

/* How many rows there are, at most REPORT_ROWS_MAX. */
size_t report_rows(const struct report *report);

/* "Blocked connections by user, host and port"; "blocked", for links; whether
 * it is told even if nothing is in it; whether its rows are events, in their
 * order, or else counts; and what command tells all of it. */
const char *report_title(enum report_section section);
const char *report_id(enum report_section section);
bool report_always(enum report_section section);
bool report_is_events(enum report_section section);
const char *report_command(enum report_section section);

/* Whether no section has anything. */
bool report_is_quiet(const struct report *report);

/* audit_report_rows.c: what a record means; keep a row of it, if rows are
 * kept; order them. */
enum report_class report_class_of(const struct record *record);
void report_keep(struct report *report, const struct audit_item *item);
void report_sort_rows(struct report *report);

/* Write the report. 0 or -ERR_IO; the page also as audit_walk_at. */
int report_text(const struct report *report, FILE *out);
int report_html(struct report *report, FILE *out);

/* `audit report`: as audit_show_main. */
int audit_report_main(int argc, char **argv, const char *default_dir);

#endif
