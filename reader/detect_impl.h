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

/* Concepts of a window: classes of words, pairs of classes near each other in
 * any order, and rules. */
#define PAIR_COUNT (WORD_CLASS_COUNT * (WORD_CLASS_COUNT + 1) / 2)
#define CONCEPT_COUNT (WORD_CLASS_COUNT + PAIR_COUNT + RULE_COUNT)
#define CONCEPT_RULES (WORD_CLASS_COUNT + PAIR_COUNT) /* the first of them */
#define CONCEPT_WORDS ((CONCEPT_COUNT + 63) / 64)

struct concepts {
	uint64_t bits[CONCEPT_WORDS];
};

/* A sentence or a piece of one. */
struct detect_segment {
	uint32_t start, end; /* bytes of folded text */
	/* rules that fired with their last word in this segment and their
	 * first at most so many segments before */
	uint64_t rules[WINDOW_MOST];
	uint64_t words[CONCEPT_WORDS]; /* classes and pairs of them, as bits */
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

/* Make the table of rules by class; a part of detect_warm. */
void rules_warm(void);

/* Note which rules fire in which segments. */
void rules_fire(const struct hits *hits, struct segments *segments);

/* The weight of a rule before anything is learnt. */
double rule_weight(enum detect_rule rule);

/* The rules that fire within `most` segments that end with segment `last`. */
uint64_t rules_within(
    const struct segments *segments, size_t last, size_t most);

/* Note the classes and pairs of classes of each segment. */
void concepts_find(const struct hits *hits, struct segments *segments);

/* All of a window of `size` segments that ends with segment `last`. */
void concepts_within(const struct segments *segments, size_t last, size_t size,
    struct concepts *out);

/* Log odds that they speak to a model. */
double concepts_logit(const struct concepts *c);

/* Hash the words and pairs of words of each segment. */
void features_find(
    struct span text, struct segments *segments, struct features *out);

/* Sum up the weights of all features of each segment. */
void model_sum(struct segments *segments, const struct features *features);

/* Log odds of a window, from the sum over its features. */
double model_logit(enum model model, double sum, size_t features);

/* Log odds of a window above the threshold. */
double detect_window(
    enum detect_channel channel, double concepts, const double *logits);

#endif
