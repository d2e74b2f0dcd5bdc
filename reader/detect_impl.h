/*
 * Inside the detector; the tool that trains its model sees this too.
 */
#ifndef TRIZONE_READER_DETECT_IMPL_H
#define TRIZONE_READER_DETECT_IMPL_H

#include <stdint.h>

#include "reader/detect.h"
#include "reader/lexicon.h"

#define WINDOW_MOST 3	 /* sentences */
#define SEGMENT_LEAST 40 /* bytes; shorter sentences join the next one */
#define SEGMENT_MOST 160

/* Two linear models: does it speak to a model; is it a job for one. */
enum model { MODEL_ADDRESSES, MODEL_JOB, MODEL_COUNT };

#define MODEL_BITS 17
#define MODEL_SIZE (1u << MODEL_BITS)

/* A sentence or a piece of one. */
struct detect_segment {
	uint32_t start, end; /* bytes of folded text */
	/* rules that fired with their last word in this segment and their
	 * first at most so many segments before */
	uint64_t rules[WINDOW_MOST];
	uint32_t feature, feature_end; /* its range in the features */
	double sum[MODEL_COUNT];       /* of their weights */
};

/* Features of a text, in the order of its segments. */
struct features {
	uint32_t *at;
	size_t count, cap;
};

struct segments {
	struct detect_segment *at;
	size_t count, cap;
};

/* Cut folded text into segments; each byte is in one. */
void segments_cut(struct span text, struct segments *out);

/* Note which rules fire in which segments. */
void rules_fire(const struct hits *hits, struct segments *segments);

/* Sum of the weights of the rules in the set. */
double rules_weight(uint64_t rules);

/* The rules that fire within `most` segments that end with segment `last`. */
uint64_t rules_within(
    const struct segments *segments, size_t last, size_t most);

/* Hash words, pairs of words, and classes of each segment. */
void features_find(struct span text, const struct hits *hits,
    struct segments *segments, struct features *out);

/* Sum up the weights of all features of each segment. */
void model_sum(struct segments *segments, const struct features *features);

/* Log odds of a window, from the sum over its features. */
double model_logit(enum model model, double sum, size_t features);

/* Log odds of a window above the threshold. */
double detect_window(
    enum detect_channel channel, uint64_t rules, const double *logits);

#endif
