/*
 * Showing a log to a person: one short line a record, hostile text inert; or
 * the records themselves as they are. Constant memory.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_SHOW_H
#define TRIZONE_EXECUTOR_AUDIT_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/buf.h"
#include "common/text.h"
#include "executor/record.h"

#define SHOW_TAIL_MAX 100000 /* 800 kB of offsets */
#define SHOW_ANY UINT64_MAX

/* Which records. A record that does not have the member does not match. */
struct show_filter {
	uint64_t session;	/* SHOW_ANY: all */
	uint64_t message;	/* SHOW_ANY: all */
	const char *capability; /* NULL: all, as rule, since and until */
	const char *rule;
	const char *since, *until; /* first bytes of a time, both inclusive */
	enum verdict verdict;	   /* VERDICT_COUNT: all */
	enum record_kind kind;	   /* RECORD_KIND_COUNT: all */
	bool unknown; /* intents without outcome, and outcomes `unknown` */
};

struct show_style {
	bool json;    /* the lines as they are in the log */
	bool colour;  /* escape sequences for verdicts */
	size_t width; /* columns of the terminal; 0: no limit, full times */
};

struct show_options {
	struct show_filter filter;
	struct show_style style;
	uint64_t limit; /* the first so many that match; 0: all */
	size_t tail;	/* the last so many, up to SHOW_TAIL_MAX; 0: all */
};

/* All records, full width, no colour. */
void show_options_init(struct show_options *options);

/* Whether the record in `line` (as record_check accepts it) is wanted. */
bool show_matches(const struct show_filter *filter, struct span line,
    const struct record *record);

/* Append the line for a person, newline included. -ERR_TOO_LARGE. */
int show_format(struct buf *out, const struct show_style *style,
    struct span line, const struct record *record);

/* Print what matches of a log. The chain is checked on the way: what is wrong
 * goes to standard error, and *damaged_out is set; what can still be read is
 * shown. Errors: as audit_verify; -ERR_IO also if `out` fails. */
int audit_show(const char *path, const struct show_options *options, FILE *out,
    bool *damaged_out);

/* `audit show`: argv[0] is the command's name, `default_dir` may be
 * NULL: then the arguments must name a log. Returns an exit status: 0, 1
 * damage found, 64 usage, 69 no such log, 71 it could not be read, 77 not
 * permitted. */
int audit_show_main(int argc, char **argv, const char *default_dir);

#endif
