/*
 * Does a text speak to the model that will read it? Rules over concept words
 * and a small linear model, added up over windows of two or three sentences;
 * the text's score is that of its worst window. It says where to look first;
 * it grants nothing, and nothing is safe because it kept quiet.
 *
 *	detect_begin(&d, DETECT_CONTENT);
 *	detect_add(&d, body, DETECT_SEEN);
 *	detect_add(&d, hidden, DETECT_HIDDEN);
 *	... d.score, d.suspect, d.spans ...
 *	detect_done(&d);
 */
#ifndef TRIZONE_READER_DETECT_H
#define TRIZONE_READER_DETECT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/text.h"
#include "reader/view.h"

enum detect_rule {
#define RULE(name, text, weight, gap, ...) RULE_##name,
#include "reader/detect_rule.def"
#undef RULE
	RULE_COUNT
};

/* "override-orders" */
const char *detect_rule_name(enum detect_rule rule);

/* Who wrote the text to whom. */
enum detect_channel {
	DETECT_CONTENT, /* people and programs, to people: a job for a model
			 * does not belong there */
	DETECT_PROMPT	/* a person, to the model itself */
};

enum detect_where {
	DETECT_SEEN,  /* what a person sees */
	DETECT_HIDDEN /* what was hidden from people */
};

/* The three keywords that are counted whatever the score. */
enum detect_keyword {
	KEYWORD_IGNORE,
	KEYWORD_INSTEAD,
	KEYWORD_NEW,
	KEYWORD_COUNT
};

#define DETECT_SPANS 64
#define DETECT_SPANS_SEEN 48 /* of them in what a person sees */

struct detect_span {
	uint32_t start, end; /* bytes of the text that was added */
	double score;
	uint64_t rules; /* bits of enum detect_rule */
	enum detect_where where;
	enum view view; /* VIEW_COUNT: the text as it stands */
};

struct detect_work;

struct detect {
	double score; /* 0 to 1; the threshold is at 0.5 */
	bool suspect;
	double sum;	/* log odds of the worst window, threshold at 0 */
	uint64_t rules; /* that fired anywhere */
	uint64_t keywords[KEYWORD_COUNT];
	struct detect_span spans[DETECT_SPANS]; /* suspect ones, as found */
	size_t span_count;
	uint64_t lost_spans; /* suspect ones without room */

	/* Private. */
	enum detect_channel channel;
	enum detect_where where;
	struct detect_work *work;
};

/* "base64": how a suspect text was written; "" for plainly. */
const char *detect_view_name(enum view view);

/* Make the tables; once, before the process is locked. */
void detect_warm(void);

void detect_begin(struct detect *d, enum detect_channel channel);

/* Look at a text, valid UTF-8, at most DETECT_TEXT_BYTES of it; and at what it
 * holds in other forms (view.h). */
void detect_add(struct detect *d, struct span text, enum detect_where where);

void detect_done(struct detect *d);

#define DETECT_TEXT_BYTES (1u << 20)

#endif
