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
#include "executor/audit_filter.h"

#define SHOW_TAIL_MAX 100000 /* 800 kB of offsets */

struct show_style {
	bool json;    /* the lines as they are in the log */
	bool colour;  /* escape sequences for verdicts */
	size_t width; /* columns of the terminal; 0: no limit, full times */
};

struct show_options {
	struct audit_filter filter;
	struct show_style style;
	uint64_t limit; /* the first so many that match; 0: all */
	size_t tail;	/* the last so many, up to SHOW_TAIL_MAX; 0: all */
	bool follow;	/* then wait for more, until `out` is closed */
	bool no_index;	/* read every segment, whatever an index says */
};

/* All records, full width, no colour. */
void show_options_init(struct show_options *options);

/* Append a text: a plain name as it is, any other inert and in quotes.
 * -ERR_TOO_LARGE. */
int show_name(struct buf *out, struct span text);

/* Append the line for a person, newline included. -ERR_TOO_LARGE. */
int show_format(struct buf *out, const struct show_style *style,
    struct span line, const struct record *record);

/* Print what matches of a log. The chain is checked on the way: what is wrong
 * goes to standard error, and *damaged_out is set; what can still be read is
 * shown. Errors: as audit_verify; -ERR_IO also if `out` fails. */
int audit_show(const char *path, const struct show_options *options, FILE *out,
    bool *damaged_out);

/* `audit follow`: as audit_show_main with --follow, and with --tail 10 unless
 * the arguments say where to begin. */
int audit_follow_main(int argc, char **argv, const char *default_dir);

/* `audit show`: argv[0] is the command's name, `default_dir` may be
 * NULL: then the arguments must name a log. Returns an exit status: 0, 1
 * damage found, 64 usage, 69 no such log, 71 it could not be read, 77 not
 * permitted. */
int audit_show_main(int argc, char **argv, const char *default_dir);

#endif
