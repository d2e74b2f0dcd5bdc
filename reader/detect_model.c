/*
 * The linear models: eight-bit weights by feature, made by detect_train from
 * texts that say what is an attack; see docs/detector.md.
 */
#include <math.h>

#include "reader/detect_impl.h"

struct parameters {
	double scale, bias;
};

/* How much words count beside concepts. */
#define WORDS_SHARE 0.7

/* SCALE(model, scale, bias), THRESHOLD(channel, log odds), WEIGHT(a, b) */
#define MODEL(scale, bias) {scale, bias},
#define THRESHOLD(sum, job)
#define WEIGHT(...)
#define CONCEPTS(...)
static const struct parameters parameters[MODEL_COUNT] = {
#include "reader/detect_weight.def"
};
#undef MODEL
#undef THRESHOLD
#undef WEIGHT
#undef CONCEPTS

#define MODEL(scale, bias)
#define THRESHOLD(sum, job) {sum, job},
#define WEIGHT(...)
#define CONCEPTS(...)
static const struct {
	double sum, job;
} thresholds[] = {
#include "reader/detect_weight.def"
};
#undef MODEL
#undef THRESHOLD
#undef WEIGHT
#undef CONCEPTS

#define MODEL(scale, bias)
#define THRESHOLD(sum, job)
#define WEIGHT(...) __VA_ARGS__,
#define CONCEPTS(...)
static const signed char weights[MODEL_SIZE * MODEL_COUNT] = {
#include "reader/detect_weight.def"
};
#undef MODEL
#undef THRESHOLD
#undef WEIGHT
#undef CONCEPTS

void
model_sum(struct segments *segments, const struct features *features)
{
	for (size_t i = 0; i < segments->count; i++) {
		struct detect_segment *s = &segments->at[i];
		int sums[MODEL_COUNT] = {0};

		for (size_t k = s->feature; k < s->feature_end; k++)
			for (unsigned m = 0; m < MODEL_COUNT; m++)
				sums[m] +=
				    weights[features->at[k] * MODEL_COUNT + m];
		for (unsigned m = 0; m < MODEL_COUNT; m++)
			s->sum[m] = sums[m] * parameters[m].scale;
	}
}

double
model_logit(enum model model, double sum, size_t features)
{
	if (features == 0)
		return parameters[model].bias;
	return parameters[model].bias + sum / sqrt((double)features);
}

double
detect_window(
    enum detect_channel channel, double concepts, const double *logits)
{
	double sum = concepts + WORDS_SHARE * logits[MODEL_ADDRESSES] -
		     thresholds[channel].sum;
	double job = logits[MODEL_JOB] - thresholds[channel].job;

	return channel == DETECT_CONTENT && job > sum ? job : sum;
}
