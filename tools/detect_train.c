/*
 * detect_train: the weights and thresholds of the detector from labelled
 * texts, and a report of what they are worth on texts they were not made from.
 * Everything is in a fixed order from fixed seeds: the same texts give the
 * same bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "reader/detect.h"
#include "reader/mail.h"
#include "tools/detect_report.h"

#define FALSE_SHARE 0.0005 /* of benign texts above a threshold */
#define LENIENT_SHARE 0.1  /* of those of which more may be */
#define MARGIN 0.35	   /* log odds above that */

static const char usage[] =
    "usage: detect_train DATA TEXTS WEIGHTS REPORT\n"
    "DATA has injections/*.jsonl and mail/, TEXTS has train/ and eval/.\n";

/* Each text scored by a machine that saw neither its fold nor, for attacks
 * of others than us, its source. */
static struct scores *
score_left_out(const struct examples *e)
{
	struct scores *scores = alloc_array(e->count, sizeof *scores);
	bool *chosen = alloc_array(e->count, sizeof *chosen);

	for (unsigned fold = 0; fold < FOLDS; fold++) {
		struct machine *m;
		double scales[MODEL_COUNT];

		for (size_t i = 0; i < e->count; i++)
			chosen[i] = e->at[i].fold != fold;
		m = machine_train(e, chosen);
		machine_quantise(m, scales);
		for (size_t i = 0; i < e->count; i++)
			if (!chosen[i])
				scores[i] = machine_score(m, &e->at[i]);
		free(m);
	}
	for (size_t at = 0; at < e->count; at++) {
		struct machine *m;
		double scales[MODEL_COUNT];

		if (!e->at[at].attack || !examples_is_first(e, at, false) ||
		    example_is_own(&e->at[at]))
			continue;
		for (size_t i = 0; i < e->count; i++)
			chosen[i] =
			    strcmp(e->at[i].source, e->at[at].source) != 0;
		m = machine_train(e, chosen);
		machine_quantise(m, scales);
		for (size_t i = 0; i < e->count; i++)
			if (!chosen[i])
				scores[i] = machine_score(m, &e->at[i]);
		free(m);
	}
	free(chosen);
	return scores;
}

static void
load(struct examples *e, const char *data, const char *texts)
{
	static const char *const sources[] = {"agentdojo", "bipia",
	    "compass-zh", "deepset", "injection-zoo", "patt", "preamble",
	    "taksec"};
	static const char *const mails[][2] = {{"benign", "ham"},
	    {"spam", "spam"}, {"newsletter", "newsletter"}, {"mime", "mime"}};
	char *path;

	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
		path = alloc_format("%s/injections/%s.jsonl", data, sources[i]);
		data_rows(e, path);
		free(path);
	}
	for (size_t i = 0; i < sizeof mails / sizeof mails[0]; i++) {
		path = alloc_format("%s/mail/%s", data, mails[i][0]);
		data_mails(e, path, mails[i][1]);
		free(path);
	}
	path = alloc_format("%s/train", texts);
	data_folder(e, path);
	free(path);
}

int
main(int argc, char **argv)
{
	struct examples e = {0}, own = {0};
	struct scores *scores, *own_scores;
	struct thresholds frozen;
	double scales[MODEL_COUNT];
	struct machine *m;
	bool *all;
	char *path;

	if (argc != 5) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	mail_warm();
	detect_warm();
	load(&e, argv[1], argv[2]);
	path = alloc_format("%s/eval", argv[2]);
	data_folder(&own, path);
	free(path);
	fprintf(stderr, "%zu texts, %zu held apart\n", e.count, own.count);
	scores = score_left_out(&e);
	frozen = thresholds_at(&e, scores, FALSE_SHARE, LENIENT_SHARE);
	frozen.sum += MARGIN;
	frozen.job += MARGIN;
	frozen.prompt += MARGIN;
	all = alloc_array(e.count, sizeof *all);
	memset(all, true, e.count);
	m = machine_train(&e, all);
	machine_quantise(m, scales);
	own_scores = alloc_array(own.count + 1, sizeof *own_scores);
	for (size_t i = 0; i < own.count; i++)
		own_scores[i] = machine_score(m, &own.at[i]);
	report_write(argv[4], &e, &own, scores, own_scores, frozen);
	machine_write(argv[3], m, scales, &frozen);
	return EXIT_DONE;
}
