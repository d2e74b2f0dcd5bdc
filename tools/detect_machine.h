/*
 * The detector's models while they are made: training on labelled examples,
 * and the scores that they give.
 */
#ifndef TRIZONE_TOOLS_DETECT_MACHINE_H
#define TRIZONE_TOOLS_DETECT_MACHINE_H

#include "tools/detect_data.h"

struct thresholds; /* tools/detect_report.h */

struct machine {
	float w[MODEL_COUNT][MODEL_SIZE], g[MODEL_COUNT][MODEL_SIZE];
	double bias[MODEL_COUNT], bias_g[MODEL_COUNT];
	double concepts[CONCEPT_COUNT + 1]; /* the last is the bias */
};

/* Of one example: the best window of each kind. */
struct scores {
	double sum, job;
};

/* Train on the chosen examples, in an order that is the same each time. Free
 * with free. */
struct machine *machine_train(const struct examples *e, const bool *chosen);

/* Round to what eight bits can hold; `scales`: MODEL_COUNT of them. */
void machine_quantise(struct machine *m, double *scales);

struct scores machine_score(const struct machine *m, const struct example *x);

/* Write the models and thresholds for reader/detect_model.c and
 * detect_concept.c. */
void machine_write(const char *path, const struct machine *m,
    const double *scales, const struct thresholds *t);

#endif
