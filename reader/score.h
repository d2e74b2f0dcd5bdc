/*
 * The detector alone, over labelled or unlabelled rows (row.h).
 */
#ifndef TRIZONE_READER_SCORE_H
#define TRIZONE_READER_SCORE_H

#include <stdbool.h>

#include "reader/row.h"

struct score {
	double score; /* 0 to 1 */
	bool suspect;
};

/* Score one row: a mail as a mail, all else as bare text. */
struct score score_row(const struct row *row);

/* Rows on `in`, for each {"id","score","verdict"} on `out`, a line each; for
 * a bad one {"line","error"}. Returns the exit status. */
int score_run(int in, int out);

#define EVALUATE_FILES 32

/* A table of the rows in files: how many of each source, language and label
 * are suspect. `feedback`: the rows are an operator's decisions; say what
 * threshold they speak for. Returns the exit status: 1 when it is below the
 * bar (evaluate.c). */
int evaluate_run(
    const int *files, size_t count, bool feedback, bool json, int out);

#endif
