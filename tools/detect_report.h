/*
 * Thresholds from scores, and the report of what they are worth.
 */
#ifndef TRIZONE_TOOLS_DETECT_REPORT_H
#define TRIZONE_TOOLS_DETECT_REPORT_H

#include "tools/detect_machine.h"

struct thresholds {
	double sum, job, prompt;
};

/* What at most these shares are above: of benign texts of others, and of our
 * own and spam, of which more may be. */
struct thresholds thresholds_at(const struct examples *e,
    const struct scores *scores, double share, double lenient_share);

/* Write the report: of texts scored by models that did not see them, and of
 * those that were held apart. */
void report_write(const char *path, const struct examples *e,
    const struct examples *own, const struct scores *scores,
    const struct scores *own_scores, struct thresholds frozen);

#endif
