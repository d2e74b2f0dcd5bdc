/*
 * What the detector is worth on labelled rows: counts with 95 % intervals by
 * source, language and label, against a bar; and what threshold an operator's
 * own decisions speak for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/io.h"
#include "common/log.h"
#include "common/wilson.h"
#include "reader/lines.h"
#include "reader/score.h"

#define GROUPS_MOST 256 /* combinations of source, language, label */
#define NAME_BYTES 48
#define BAR_FALSE 0.001	     /* of benign rows may be suspect */
#define BAR_NEWSLETTER 0.003 /* of those of source "newsletter" */
#define BAR_RECALL 0.40	     /* of attacks have to be */

struct group {
	char source[NAME_BYTES], lang[NAME_BYTES];
	enum row_label label;
	size_t rows, suspect;
};

struct result {
	double score;
	bool attack;
};

struct evaluation {
	struct group groups[GROUPS_MOST];
	size_t group_count;
	struct result *results;
	size_t count, cap;
	size_t bad; /* rows that could not be read, or have no label */
};

/* A short name; what does not fit or is not plain is cut. */
static void
copy_name(struct span from, char out[NAME_BYTES])
{
	size_t n = 0;

	for (size_t i = 0; i < from.n && n + 1 < NAME_BYTES; i++) {
		char c = from.p[i];

		out[n++] =
		    (char)(c > ' ' && c < 0x7f && c != '"' && c != '\\' ? c
									: '?');
	}
	out[n] = '\0';
}

/* Where rows go of which there are too many kinds: one for each label. */
static struct group *
other_group(struct evaluation *e, enum row_label label)
{
	size_t at = GROUPS_MOST - (label == ROW_ATTACK ? 1 : 2);

	e->groups[at].label = label;
	(void)snprintf(e->groups[at].source, NAME_BYTES, "(others)");
	return &e->groups[at];
}

static struct group *
group_of(struct evaluation *e, const struct row *row)
{
	struct group wanted = {.label = row->label};

	copy_name(row->source, wanted.source);
	copy_name(row->lang, wanted.lang);
	for (size_t i = 0; i < e->group_count; i++)
		if (e->groups[i].label == wanted.label &&
		    strcmp(e->groups[i].source, wanted.source) == 0 &&
		    strcmp(e->groups[i].lang, wanted.lang) == 0)
			return &e->groups[i];
	if (e->group_count >= GROUPS_MOST - 2)
		return other_group(e, row->label);
	e->groups[e->group_count] = wanted;
	return &e->groups[e->group_count++];
}

static void
take_row(struct evaluation *e, const struct row *row)
{
	struct group *group =
	    row->label == ROW_UNKNOWN ? NULL : group_of(e, row);
	struct score score;

	if (group == NULL) {
		e->bad++;
		return;
	}
	score = score_row(row);
	group->rows++;
	group->suspect += score.suspect;
	if (e->count == e->cap) {
		e->cap = e->cap == 0 ? 1024 : e->cap * 2;
		e->results =
		    alloc_resize(e->results, e->cap, sizeof *e->results);
	}
	e->results[e->count++] =
	    (struct result){score.score, row->label == ROW_ATTACK};
}

static int
take_file(struct evaluation *e, int fd)
{
	struct json_doc doc;
	struct lines lines;
	struct span line;
	struct row row;
	int rc;

	json_init(&doc);
	lines_init(&lines, fd, ROW_MAX_BYTES);
	while ((rc = lines_next(&lines, &line)) == 1 || rc == -ERR_TOO_LARGE) {
		if (rc == 1 && line.n == 0)
			continue;
		if (rc == 1 && row_read(&doc, line, &row, NULL) == 0)
			take_row(e, &row);
		else
			e->bad++;
	}
	json_done(&doc);
	lines_done(&lines);
	return rc;
}

static const char *
label_name(enum row_label label)
{
	return label == ROW_ATTACK ? "attack" : "benign";
}

static void
print_group(const struct group *g, bool json, struct buf *out)
{
	double low, high;
	double share = g->rows == 0 ? 0 : (double)g->suspect / (double)g->rows;

	wilson_interval(g->suspect, g->rows, &low, &high);
	(void)buf_add_format(out,
	    json ? "{\"source\":\"%s\",\"lang\":\"%s\",\"label\":\"%s\","
		   "\"rows\":%zu,\"suspect\":%zu,\"share\":%.4f,"
		   "\"low\":%.4f,\"high\":%.4f}\n"
		 : "%-22s %-3s %-6s %7zu %7zu  %.4f  [%.4f, %.4f]\n",
	    g->source, g->lang, label_name(g->label), g->rows, g->suspect,
	    share, low, high);
}

/* Sums over all sources, or over one of them. */
static struct group
sum_of(const struct evaluation *e, const char *source, enum row_label label)
{
	struct group sum = {.label = label, .source = "(all)"};

	for (size_t i = 0; i < GROUPS_MOST; i++) {
		const struct group *g = &e->groups[i];

		if (g->label == label &&
		    (source == NULL || strcmp(g->source, source) == 0)) {
			sum.rows += g->rows;
			sum.suspect += g->suspect;
		}
	}
	return sum;
}

static bool
above(const struct group *g, double bar)
{
	return (double)g->suspect > bar * (double)g->rows;
}

/* Whether the table is below the bar. */
static bool
is_below(const struct evaluation *e)
{
	struct group benign = sum_of(e, NULL, ROW_BENIGN);
	struct group newsletters = sum_of(e, "newsletter", ROW_BENIGN);
	struct group attacks = sum_of(e, NULL, ROW_ATTACK);

	benign.rows -= newsletters.rows;
	benign.suspect -= newsletters.suspect;
	return above(&benign, BAR_FALSE) ||
	       above(&newsletters, BAR_NEWSLETTER) ||
	       (double)attacks.suspect < BAR_RECALL * (double)attacks.rows;
}

static void
print_table(const struct evaluation *e, bool json, struct buf *out)
{
	struct group benign = sum_of(e, NULL, ROW_BENIGN);
	struct group attacks = sum_of(e, NULL, ROW_ATTACK);

	if (!json)
		(void)buf_add_text(out,
		    "source                 lang label     rows suspect   share"
		    "  95 % interval\n");
	for (size_t i = 0; i < GROUPS_MOST; i++)
		if (e->groups[i].rows != 0)
			print_group(&e->groups[i], json, out);
	if (attacks.rows != 0)
		print_group(&attacks, json, out);
	if (benign.rows != 0)
		print_group(&benign, json, out);
	if (e->bad != 0 && !json)
		(void)buf_add_format(
		    out, "%zu rows left out: no label, or no row\n", e->bad);
}

static int
by_score(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	return (x->score < y->score) - (x->score > y->score);
}

/* Attacks and benign rows with at least this score. */
static void
print_threshold(const struct evaluation *e, const char *what, double threshold,
    bool json, struct buf *out)
{
	size_t attacks = 0, benign = 0;

	for (size_t i = 0; i < e->count; i++)
		if (e->results[i].score >= threshold) {
			attacks += e->results[i].attack;
			benign += !e->results[i].attack;
		}
	(void)buf_add_format(out,
	    json ? "{\"threshold\":\"%s\",\"score\":%.4f,\"attacks\":%zu,"
		   "\"benign\":%zu}\n"
		 : "%-10s score %.4f: %zu attacks and %zu benign rows are at "
		   "or above it\n",
	    what, threshold, attacks, benign);
}

/* The lowest score that as few benign rows have as the bar allows. */
static void
print_proposal(struct evaluation *e, bool json, struct buf *out)
{
	size_t benign = sum_of(e, NULL, ROW_BENIGN).rows, seen = 0;
	size_t allowed = (size_t)(BAR_FALSE * (double)benign);
	double proposed = 1;

	if (e->count == 0)
		return;
	qsort(e->results, e->count, sizeof *e->results, by_score);
	for (size_t i = 0; i < e->count; i++) {
		seen += !e->results[i].attack;
		if (seen > allowed)
			break;
		if (e->results[i].attack)
			proposed = e->results[i].score;
	}
	print_threshold(e, "now", 0.5, json, out);
	print_threshold(e, "proposed", proposed, json, out);
	if (!json)
		(void)buf_add_text(out,
		    "Nothing was changed. Rules can ask for another score than "
		    "the verdict does:\n"
		    "compare /injection/score, see rules(5).\n");
}

int
evaluate_run(const int *files, size_t count, bool feedback, bool json, int out)
{
	struct evaluation *e = alloc_bytes(sizeof *e);
	int rc = 0, status;
	struct buf text;

	buf_init(&text, 1u << 20);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = take_file(e, files[i]);
	if (feedback)
		print_proposal(e, json, &text);
	else
		print_table(e, json, &text);
	status = !feedback && is_below(e) ? EXIT_FOUND : EXIT_DONE;
	if (e->count == 0)
		status = EXIT_DATA;
	if (rc == 0)
		rc = io_write_all(out, (struct span){text.data, text.len});
	if (rc != 0) {
		log_event(LOG_ERROR, "eval", "error=%s", err_text(rc));
		status = EXIT_SYSTEM;
	}
	buf_free(&text);
	free(e->results);
	free(e);
	return status;
}
