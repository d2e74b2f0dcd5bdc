/*
 * detect_train: the weights and thresholds of the detector from labelled
 * texts, and a report of what they are worth on texts they were not made from.
 * Everything is in a fixed order from fixed seeds: the same texts give the
 * same bytes.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "reader/detect.h"
#include "reader/mail.h"
#include "tools/detect_data.h"

#define EPOCHS 4
#define RATE 0.1	     /* of AdaGrad */
#define DECAY 2e-5	     /* of weights that are touched */
#define MOST_OF_SOURCE 150.0 /* examples; more of one source count less */
#define CONCEPT_EPOCHS 20
#define CONCEPT_RATE 0.05  /* in the first epoch, less in each */
#define CONCEPT_DECAY 0.01 /* towards the weights that rules begin with */
#define CONCEPT_CHOOSE 0.7 /* how much they say where an attack is */
#define WORDS_CHOOSE 0.7   /* as detect_model.c adds words to concepts */
#define SHORT_SEGMENTS 4
#define FALSE_SHARE 0.0005 /* of benign texts above a threshold */
#define DECAY_EVERY 10
#define NEAREST 40
#define LENIENT_SHARE 0.1 /* of those of which more may be */
#define ANY_SHARE 2
#define MARGIN 0.35 /* log odds above that */

static const char usage[] =
    "usage: detect_train DATA TEXTS WEIGHTS REPORT\n"
    "DATA has injections/*.jsonl and mail/, TEXTS has train/ and eval/.\n";

struct machine {
	float w[MODEL_COUNT][MODEL_SIZE], g[MODEL_COUNT][MODEL_SIZE];
	double bias[MODEL_COUNT], bias_g[MODEL_COUNT];
	double concepts[CONCEPT_COUNT + 1]; /* the last is the bias */
};

/* Of one example: the best window of each kind. */
struct scores {
	double sum, job;
};

struct window {
	size_t first, last;
	double logit;
};

static uint64_t seed;

static uint64_t
next_random(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return seed >> 33;
}

/*
 * Scoring.
 */
static void
sum_segments(const float *w, const struct example *x, double *sums)
{
	for (size_t i = 0; i < x->segments.count; i++) {
		const struct detect_segment *s = &x->segments.at[i];

		sums[i] = 0;
		for (size_t k = s->feature; k < s->feature_end; k++)
			sums[i] += (double)w[x->features.at[k]];
	}
}

static double
concept_logit(const struct machine *m, const struct concepts *c)
{
	double sum = m->concepts[CONCEPT_COUNT];

	for (size_t k = 0; k < CONCEPT_WORDS; k++)
		for (uint64_t rest = c->bits[k]; rest != 0; rest &= rest - 1)
			sum +=
			    m->concepts[k * 64 + (size_t)__builtin_ctzll(rest)];
	return sum;
}

/* The window with the highest log odds of words and, so many times, of
 * concepts. */
static struct window
best_window(const struct machine *m, enum model model, const struct example *x,
    double words, double concepts)
{
	static double sums[DETECT_TEXT_BYTES];
	struct window best = {0, 0, -1e9};

	if (words > 0)
		sum_segments(m->w[model], x, sums);
	for (size_t i = 0; i < x->segments.count; i++) {
		double sum = 0;
		size_t n = 0;

		for (size_t size = 1; size <= WINDOW_MOST && size <= i + 1;
		     size++) {
			const struct detect_segment *s =
			    &x->segments.at[i + 1 - size];
			double logit = 0;
			struct concepts c;

			sum += sums[i + 1 - size];
			n += s->feature_end - s->feature;
			if (words > 0)
				logit =
				    words *
				    (m->bias[model] +
					(n == 0 ? 0 : sum / sqrt((double)n)));
			if (concepts > 0) {
				concepts_within(&x->segments, i, size, &c);
				logit += concepts * concept_logit(m, &c);
			}
			if (logit > best.logit)
				best = (struct window){i + 1 - size, i, logit};
		}
	}
	return best;
}

static struct scores
score(const struct machine *m, const struct example *x)
{
	return (struct scores){
	    best_window(m, MODEL_ADDRESSES, x, WORDS_CHOOSE, 1).logit,
	    best_window(m, MODEL_JOB, x, 1, 0).logit};
}

/*
 * Training.
 */
static void
update(struct machine *m, enum model model, const struct example *x,
    struct window at, double weight)
{
	const struct segments *s = &x->segments;
	size_t from, to;
	double sum = 0, scale, error;

	if (s->count == 0)
		return;
	from = s->at[at.first].feature;
	to = s->at[at.last].feature_end;
	if (from == to)
		return;
	for (size_t k = from; k < to; k++)
		sum += (double)m->w[model][x->features.at[k]];
	scale = 1 / sqrt((double)(to - from));
	error = 1 / (1 + exp(-(m->bias[model] + sum * scale))) -
		(x->attack ? 1 : 0);
	error *= weight;
	for (size_t k = from; k < to; k++) {
		float *w = &m->w[model][x->features.at[k]];
		float *g = &m->g[model][x->features.at[k]];
		double step = error * scale + DECAY * (double)*w;

		*g += (float)(step * step);
		*w -= (float)(RATE * step / (1e-3 + sqrt((double)*g)));
	}
	m->bias_g[model] += error * error;
	m->bias[model] -= RATE * error / (1 + sqrt(m->bias_g[model]));
}

static bool
is_of(const struct example *x, enum model model)
{
	if (model == MODEL_ADDRESSES)
		return !x->job;
	return !x->prompt && (x->job || !x->attack);
}

static struct window
random_window(const struct example *x)
{
	size_t last = next_random() % x->segments.count;
	size_t size = 1 + next_random() % WINDOW_MOST;

	return (struct window){last + 1 > size ? last + 1 - size : 0, last, 0};
}

static void
learn(struct machine *m, enum model model, const struct example *x,
    double weight, unsigned epoch)
{
	bool is_short = x->segments.count <= SHORT_SEGMENTS;

	if (x->segments.count == 0)
		return;
	if (!x->attack) {
		update(m, model, x, best_window(m, model, x, 1, 0), weight);
		update(m, model, x, random_window(x), weight);
		return;
	}
	if (epoch == 0 && !is_short)
		return; /* nobody knows yet where it is */
	update(m, model, x,
	    best_window(
		m, model, x, 1, model == MODEL_ADDRESSES ? CONCEPT_CHOOSE : 0),
	    weight);
}

static bool
is_own(const struct example *x)
{
	return strcmp(x->source, "self-written") == 0;
}

/* How many of the chosen examples there are of the source of each. */
static void
weigh(const struct examples *e, const bool *chosen, double *weights)
{
	for (size_t i = 0; i < e->count; i++) {
		size_t same = 0;

		for (size_t k = 0; k < e->count; k++)
			same += chosen[k] &&
				e->at[k].attack == e->at[i].attack &&
				strcmp(e->at[k].source, e->at[i].source) == 0;
		weights[i] = 1;
		if (e->at[i].attack && (double)same > MOST_OF_SOURCE &&
		    !is_own(&e->at[i]))
			weights[i] = MOST_OF_SOURCE / (double)same;
	}
}

static void
update_concepts(struct machine *m, const struct example *x, struct window at,
    double weight, double rate)
{
	struct concepts c;
	double error;

	concepts_within(&x->segments, at.last, at.last - at.first + 1, &c);
	error = 1 / (1 + exp(-concept_logit(m, &c))) - (x->attack ? 1 : 0);
	for (size_t i = 0; i < CONCEPT_COUNT; i++)
		if ((c.bits[i / 64] >> i % 64 & 1) != 0)
			m->concepts[i] -= rate * weight * error;
	m->concepts[CONCEPT_COUNT] -= rate * weight * error;
}

static double
first_weight(size_t concept)
{
	return concept < CONCEPT_RULES
		   ? 0
		   : rule_weight((enum detect_rule)(concept - CONCEPT_RULES));
}

static void
learn_concepts(struct machine *m, const struct examples *e, const bool *chosen,
    const double *weights, const size_t *order, double rate)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct example *x = &e->at[order[i]];

		if (!chosen[order[i]] || x->job || x->segments.count == 0)
			continue;
		update_concepts(m, x, best_window(m, MODEL_ADDRESSES, x, 0, 1),
		    weights[order[i]], rate);
		if (!x->attack)
			update_concepts(
			    m, x, random_window(x), weights[order[i]], rate);
		if (i % DECAY_EVERY == 0)
			for (size_t k = 0; k < CONCEPT_COUNT; k++)
				m->concepts[k] -=
				    rate * CONCEPT_DECAY * DECAY_EVERY *
				    (m->concepts[k] - first_weight(k));
	}
}

static void
shuffle(size_t *order, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t k = next_random() % i, swap = order[i - 1];

		order[i - 1] = order[k];
		order[k] = swap;
	}
}

static struct machine *
train(const struct examples *e, const bool *chosen)
{
	struct machine *m = alloc_bytes(sizeof *m);
	double *weights = alloc_array(e->count, sizeof *weights);
	size_t *order = alloc_array(e->count, sizeof *order);

	seed = 1;
	weigh(e, chosen, weights);
	for (size_t i = 0; i < e->count; i++)
		order[i] = i;
	for (size_t k = 0; k < CONCEPT_COUNT; k++)
		m->concepts[k] = first_weight(k);
	m->concepts[CONCEPT_COUNT] = -4;
	for (unsigned epoch = 0; epoch < CONCEPT_EPOCHS; epoch++) {
		shuffle(order, e->count);
		learn_concepts(m, e, chosen, weights, order,
		    CONCEPT_RATE / (1 + epoch * 0.3));
	}
	for (unsigned epoch = 0; epoch < EPOCHS; epoch++) {
		shuffle(order, e->count);
		for (size_t i = 0; i < e->count; i++) {
			const struct example *x = &e->at[order[i]];

			for (unsigned k = 0; k < MODEL_COUNT; k++)
				if (chosen[order[i]] && is_of(x, (enum model)k))
					learn(m, (enum model)k, x,
					    weights[order[i]], epoch);
		}
	}
	free(weights);
	free(order);
	return m;
}

/* Round to what eight bits can hold. Returns the scale of each model. */
static void
quantise(struct machine *m, double *scales)
{
	for (unsigned k = 0; k < MODEL_COUNT; k++) {
		double most = 1e-6;

		for (size_t i = 0; i < MODEL_SIZE; i++)
			most = fmax(most, fabs((double)m->w[k][i]));
		most = fmin(most, 4);
		scales[k] = most / 127;
		for (size_t i = 0; i < MODEL_SIZE; i++) {
			double q = round((double)m->w[k][i] / scales[k]);

			q = fmax(-127, fmin(127, q));
			m->w[k][i] = (float)(q * scales[k]);
		}
	}
}

/*
 * Thresholds.
 */
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
	return is_own(x) || strcmp(x->source, "spam") == 0;
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

struct thresholds {
	double sum, job, prompt;
};

static struct thresholds
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

/*
 * The report.
 */

/* Wilson's interval at 95 per cent. */
static void
interval(size_t hits, size_t n, double *low, double *high)
{
	double z = 1.96, p = n == 0 ? 0 : (double)hits / (double)n;
	double d = 1 + z * z / (double)(n == 0 ? 1 : n);
	double centre = p + z * z / (2 * (double)(n == 0 ? 1 : n));
	double half = z * sqrt(p * (1 - p) / (double)(n == 0 ? 1 : n) +
			       z * z /
				   (4.0 * (double)(n == 0 ? 1 : n) *
				       (double)(n == 0 ? 1 : n)));

	*low = fmax(0, (centre - half) / d);
	*high = fmin(1, (centre + half) / d);
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
		interval(hits[k], n, &low, &high);
		fprintf(out, "  %4zu %5.3f [%.3f,%.3f]", hits[k],
		    (double)hits[k] / (double)n, low, high);
	}
	fputc('\n', out);
}

static bool
is_first(const struct examples *e, size_t at, bool by_lang)
{
	for (size_t i = 0; i < at; i++)
		if (e->at[i].attack == e->at[at].attack &&
		    strcmp(e->at[i].source, e->at[at].source) == 0 &&
		    (!by_lang || strcmp(e->at[i].lang, e->at[at].lang) == 0))
			return false;
	return true;
}

static void
print_table(FILE *out, const struct examples *e, const struct scores *scores,
    const struct thresholds *t, size_t levels, bool by_lang)
{
	for (size_t i = 0; i < e->count; i++)
		if (is_first(e, i, by_lang))
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
		m = train(e, chosen);
		quantise(m, scales);
		for (size_t i = 0; i < e->count; i++)
			if (!chosen[i])
				scores[i] = score(m, &e->at[i]);
		free(m);
	}
	for (size_t at = 0; at < e->count; at++) {
		struct machine *m;
		double scales[MODEL_COUNT];

		if (!e->at[at].attack || !is_first(e, at, false) ||
		    is_own(&e->at[at]))
			continue;
		for (size_t i = 0; i < e->count; i++)
			chosen[i] =
			    strcmp(e->at[i].source, e->at[at].source) != 0;
		m = train(e, chosen);
		quantise(m, scales);
		for (size_t i = 0; i < e->count; i++)
			if (!chosen[i])
				scores[i] = score(m, &e->at[i]);
		free(m);
	}
	free(chosen);
	return scores;
}

/*
 * Output.
 */
static void
write_weights(const char *path, const struct machine *m, const double *scales,
    struct thresholds t)
{
	FILE *out = fopen(path, "w");

	if (out == NULL)
		die_errno("create %s", path);
	fputs("/* Made by tools/detect_train; see docs/detector.md. */\n", out);
	for (unsigned k = 0; k < MODEL_COUNT; k++)
		fprintf(out, "MODEL(%.9g, %.9g)\n", scales[k], m->bias[k]);
	fputs("CONCEPTS(", out);
	for (size_t i = 0; i <= CONCEPT_COUNT; i++)
		fprintf(out, "%s%.3f",
		    i == 0	  ? ""
		    : i % 10 == 0 ? ",\n"
				  : ",",
		    m->concepts[i]);
	fputs(")\n", out);
	fprintf(out, "THRESHOLD(%.6f, %.6f) /* content */\n", t.sum, t.job);
	fprintf(out, "THRESHOLD(%.6f, 0) /* prompt */\n", t.prompt);
	for (size_t i = 0; i < MODEL_SIZE; i++) {
		if (i % 16 == 0)
			fputs(i == 0 ? "WEIGHT(" : ")\nWEIGHT(", out);
		for (unsigned k = 0; k < MODEL_COUNT; k++)
			fprintf(out, "%s%d", i % 16 + k == 0 ? "" : ",",
			    (int)lround((double)m->w[k][i] / scales[k]));
	}
	fputs(")\n", out);
	if (fclose(out) != 0)
		die_errno("write %s", path);
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

static void
report(const char *path, const struct examples *e, const struct examples *own,
    const struct scores *scores, const struct scores *own_scores,
    struct thresholds frozen)
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
	m = train(&e, all);
	quantise(m, scales);
	own_scores = alloc_array(own.count + 1, sizeof *own_scores);
	for (size_t i = 0; i < own.count; i++)
		own_scores[i] = score(m, &own.at[i]);
	report(argv[4], &e, &own, scores, own_scores, frozen);
	write_weights(argv[3], m, scales, frozen);
	return EXIT_DONE;
}
