/*
 * Tables by source and language, with intervals.
 */
#include "tools/detect_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/wilson.h"

#define NEAREST 40
#define ANY_SHARE 2

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

/* What at most `share` of the values is above. */
static double
quantile(double *values, size_t count, double share)
{
	size_t at = (size_t)(share * (double)count);

	if (at >= count)
		return -1e9;
	qsort(values, count, sizeof *values, compare);
	return values[at];
}

enum group { CONTENT_SUM, CONTENT_JOB, PROMPT_SUM };

/* Benign texts of which more may be suspect: our own, which are hard on
 * purpose, and spam, which nobody misses. */
static bool
is_lenient(const struct example *x)
{
	return example_is_own(x) || strcmp(x->source, "spam") == 0;
}

static double
threshold_of(const struct examples *e, const struct scores *scores,
    enum group group, bool lenient, double share)
{
	double *values = alloc_array(e->count, sizeof *values), at;
	size_t count = 0;

	for (size_t i = 0; i < e->count; i++)
		if (!e->at[i].attack && is_lenient(&e->at[i]) == lenient &&
		    e->at[i].prompt == (group == PROMPT_SUM))
			values[count++] = group == CONTENT_JOB ? scores[i].job
							       : scores[i].sum;
	at = quantile(values, count, share);
	free(values);
	return at;
}

/* What at most these shares of the two kinds of benign texts are above. */
static double
threshold(const struct examples *e, const struct scores *scores,
    enum group group, double share, double lenient_share)
{
	return fmax(threshold_of(e, scores, group, false, share),
		   threshold_of(e, scores, group, true, lenient_share)) +
	       1e-9;
}

struct thresholds
thresholds_at(const struct examples *e, const struct scores *scores,
    double share, double lenient_share)
{
	return (struct thresholds){
	    threshold(e, scores, CONTENT_SUM, share / 2, lenient_share / 2),
	    threshold(e, scores, CONTENT_JOB, share / 2, lenient_share / 2),
	    threshold(e, scores, PROMPT_SUM, share, lenient_share)};
}

static bool
is_suspect(const struct example *x, struct scores s, struct thresholds t)
{
	if (x->prompt)
		return s.sum > t.prompt;
	return s.sum > t.sum || s.job > t.job;
}

static void
print_row(FILE *out, const struct examples *e, const struct scores *scores,
    const struct thresholds *t, size_t levels, const char *source,
    const char *lang, bool attack)
{
	size_t hits[4] = {0}, n = 0;
	double low, high;

	for (size_t i = 0; i < e->count; i++) {
		const struct example *x = &e->at[i];

		if (x->attack != attack || strcmp(x->source, source) != 0 ||
		    (lang != NULL && strcmp(x->lang, lang) != 0))
			continue;
		n++;
		for (size_t k = 0; k < levels; k++)
			hits[k] += is_suspect(x, scores[i], t[k]);
	}
	if (n == 0)
		return;
	fprintf(out, "%-22s %-3s %-6s %5zu", source, lang == NULL ? "" : lang,
	    attack ? "attack" : "benign", n);
	for (size_t k = 0; k < levels; k++) {
		wilson_interval(hits[k], n, &low, &high);
		fprintf(out, "  %4zu %5.3f [%.3f,%.3f]", hits[k],
		    (double)hits[k] / (double)n, low, high);
	}
	fputc('\n', out);
}

static void
print_table(FILE *out, const struct examples *e, const struct scores *scores,
    const struct thresholds *t, size_t levels, bool by_lang)
{
	for (size_t i = 0; i < e->count; i++)
		if (examples_is_first(e, i, by_lang))
			print_row(out, e, scores, t, levels, e->at[i].source,
			    by_lang ? e->at[i].lang : NULL, e->at[i].attack);
}

/* Log odds above the frozen threshold. */
static double
distance(const struct example *x, struct scores s, struct thresholds t)
{
	if (x->prompt)
		return s.sum - t.prompt;
	return fmax(s.sum - t.sum, s.job - t.job);
}

/* The texts of a label that a change of the threshold would concern first. */
static void
print_nearest(FILE *out, const struct examples *e, const struct scores *scores,
    struct thresholds t, bool attack)
{
	double most = 1e9;

	for (unsigned shown = 0; shown < NEAREST; shown++) {
		size_t best = e->count;
		double nearest = -1e9;

		for (size_t i = 0; i < e->count; i++) {
			double d = distance(&e->at[i], scores[i], t);

			if (e->at[i].attack == attack && d < most &&
			    d > nearest) {
				nearest = d;
				best = i;
			}
		}
		if (best == e->count)
			return;
		fprintf(out, "%7.2f  %-14s %-3s sum %6.2f job %6.2f  %s\n",
		    nearest, e->at[best].source, e->at[best].lang,
		    scores[best].sum, scores[best].job, e->at[best].id);
		most = nearest;
	}
}

void
report_write(const char *path, const struct examples *e,
    const struct examples *own, const struct scores *scores,
    const struct scores *own_scores, struct thresholds frozen)
{
	FILE *out = fopen(path, "w");
	struct thresholds levels[3] = {frozen,
	    thresholds_at(e, scores, 0.001, ANY_SHARE),
	    thresholds_at(e, scores, 0.01, ANY_SHARE)};

	if (out == NULL)
		die_errno("create %s", path);
	fputs("Texts scored by models that saw neither them nor, for attacks "
	      "of others,\nanything of their source.\nColumns: source, label, "
	      "texts; suspect at the frozen threshold, at 0.1 % and at\n1 % "
	      "of the benign texts of others but spam: count, share, 95 % "
	      "interval.\n\n",
	    out);
	print_table(out, e, scores, levels, 3, false);
	fputs("\nThe same by language, at the frozen threshold.\n\n", out);
	print_table(out, e, scores, levels, 1, true);
	fputs("\nOur own texts that were held apart, scored by the final "
	      "model.\n\n",
	    out);
	print_table(out, own, own_scores, levels, 1, true);
	fputs("\nBenign texts with the highest log odds.\n\n", out);
	print_nearest(out, e, scores, frozen, false);
	if (fclose(out) != 0)
		die_errno("write %s", path);
}
