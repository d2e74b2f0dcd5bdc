/*
 * Training: models by gradient steps over the worst window of each text, in a
 * fixed order from a fixed seed.
 */
#include "tools/detect_machine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "tools/detect_report.h"

#define EPOCHS 8
#define RATE 0.2	     /* of AdaGrad */
#define DECAY 2e-5	     /* of weights that are touched */
#define MOST_OF_SOURCE 150.0 /* examples; more of one source count less */
#define CONCEPT_EPOCHS 20
#define CONCEPT_RATE 0.05  /* in the first epoch, less in each */
#define CONCEPT_DECAY 0.01 /* towards the weights that rules begin with */
#define CONCEPT_CHOOSE 0.7 /* how much they say where an attack is */
#define WORDS_CHOOSE 0.7   /* as detect_model.c adds words to concepts */
#define SHORT_SEGMENTS 4
#define DECAY_EVERY 10

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

struct scores
machine_score(const struct machine *m, const struct example *x)
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
		    !example_is_own(&e->at[i]))
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

struct machine *
machine_train(const struct examples *e, const bool *chosen)
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

void
machine_quantise(struct machine *m, double *scales)
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

void
machine_write(const char *path, const struct machine *m, const double *scales,
    const struct thresholds *t)
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
	fprintf(out, "THRESHOLD(%.6f, %.6f) /* content */\n", t->sum, t->job);
	fprintf(out, "THRESHOLD(%.6f, 0) /* prompt */\n", t->prompt);
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
