/*
 * The texts that the detector's models are made from, cut into segments with
 * their features. Only the tool that trains uses this.
 */
#ifndef TRIZONE_TOOLS_DETECT_DATA_H
#define TRIZONE_TOOLS_DETECT_DATA_H

#include <stdbool.h>

#include "reader/detect_impl.h"

#define FOLDS 5

struct example {
	const char *id, *source, *lang;
	bool attack;
	bool prompt; /* typed to a model */
	bool job;    /* an attack that only asks for a job */
	unsigned fold;
	struct segments segments;
	struct features features;
};

struct examples {
	struct example *at;
	size_t count, cap;
};

/* Whether we wrote it ourselves. */
bool example_is_own(const struct example *x);

/* Whether number `at` is the first of its label and source and, with `by_lang`,
 * language. */
bool examples_is_first(const struct examples *e, size_t at, bool by_lang);

/* Append the rows of a JSON Lines file. Ends the process on a bad one. */
void data_rows(struct examples *e, const char *path);

/* Append the rows of all such files in a folder, in order of their names. */
void data_folder(struct examples *e, const char *folder);

/* Append all mails below a folder as benign ones of `source`. */
void data_mails(struct examples *e, const char *folder, const char *source);

#endif
